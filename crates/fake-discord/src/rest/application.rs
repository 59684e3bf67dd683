//! The gateway's address, the application and its commands.

use serde_json::{Value, json};

use super::request::{ApiError, Reply, Req, Result};
use crate::rules::command as rules;
use crate::state::{Command, State};
use crate::{APPLICATION_ID, BOT_USER_ID, gateway, render};

/// The id of the team, where one owns the application.
const TEAM_ID: u64 = 1_000_000_000_000_000_002;

fn gateway_url(state: &State) -> String {
    format!("{}/", state.base_url.replacen("http", "ws", 1))
}

pub(super) fn gateway(state: &mut State, _: &Req) -> Result<Reply> {
    Reply::ok(json!({"url": gateway_url(state)}))
}

pub(super) fn gateway_bot(state: &mut State, _: &Req) -> Result<Reply> {
    Reply::ok(json!({
        "url": gateway_url(state), "shards": state.gateway.shards,
        "session_start_limit": {
            "total": 1000, "remaining": state.gateway.starts_left, "reset_after": 86_400_000,
            "max_concurrency": 1,
        },
    }))
}

pub(super) fn application(state: &mut State, _: &Req) -> Result<Reply> {
    Reply::ok(application_json(state))
}

pub(super) fn oauth_application(state: &mut State, _: &Req) -> Result<Reply> {
    Reply::ok(application_json(state))
}

pub(super) fn application_json(state: &State) -> Value {
    let flags = gateway::application_flags(state.privileged);
    let owner = state.users.get(&state.owner);
    json!({
        "id": APPLICATION_ID.to_string(), "name": "Guildhall", "icon": null, "description": "",
        "type": null, "bot_public": true, "bot_require_code_grant": false, "is_verified": false,
        "verify_key": "00".repeat(32), "flags": flags, "max_participants": null, "team": team_json(state),
        "owner": owner.map(render::user), "hook": true, "storefront_available": false,
        "bot": state.users.get(&BOT_USER_ID).map(render::user), "redirect_uris": state.oauth.redirect_uris,
        "interactions_endpoint_url": null, "role_connections_verification_url": null,
        "approximate_guild_count": state.guilds.len(), "approximate_user_install_count": 0,
        "approximate_user_authorization_count": 0, "explicit_content_filter": 0,
        "integration_types_config": {"0": {}}, "event_webhooks_status": 1, "flags_new": flags.to_string(), "eligible_oauth2_scopes": [],
    })
}

/// The team that owns the application; null where an account does.
fn team_json(state: &State) -> Value {
    let Some(first) = state.team.first() else {
        return Value::Null;
    };
    let id = TEAM_ID.to_string();
    let members: Vec<Value> = state
        .team
        .iter()
        .map(|one| {
            json!({
                "user": state.users.get(&one.user).map(render::user), "team_id": id,
                "membership_state": one.state, "role": one.role, "permissions": ["*"],
            })
        })
        .collect();
    json!({"id": id, "icon": null, "name": "Hosts", "owner_user_id": first.user.to_string(), "members": members})
}

/// The guild of a guild route; None for global commands.
fn scope(state: &State, req: &Req) -> Result<Option<u64>> {
    if req.id("application_id")? != APPLICATION_ID {
        return Err(ApiError::new(403, 20012, "You are not authorized to perform this action on this application"));
    }
    if req.param("guild_id").is_empty() {
        return Ok(None);
    }
    let guild = req.id("guild_id")?;
    state.need_guild(guild).map_err(|_| ApiError::missing_access())?;
    Ok(Some(guild))
}

/// A registered command as Discord shows it.
fn shown(id: u64, version: u64, guild: Option<u64>, body: &Value) -> Value {
    let kind = body["type"].as_u64().unwrap_or(1);
    let mut command = json!({
        "id": id.to_string(), "application_id": APPLICATION_ID.to_string(),
        "version": version.to_string(), "type": kind, "name": body["name"],
        "description": body["description"].as_str().unwrap_or_default(),
        "nsfw": body["nsfw"].as_bool().unwrap_or(false),
        "name_localizations": body["name_localizations"],
        "description_localizations": body["description_localizations"],
        "default_member_permissions": permissions_text(&body["default_member_permissions"]),
    });
    if kind == 1 {
        command["options"] = shown_options(&body["options"]);
    }
    if let Some(guild) = guild {
        command["guild_id"] = render::id(guild);
        return command;
    }
    command["dm_permission"] = json!(body["dm_permission"].as_bool().unwrap_or(true));
    command["contexts"] = body["contexts"].clone();
    let types = body["integration_types"].as_array();
    command["integration_types"] = types.map_or_else(|| json!([0]), |list| json!(list));
    command
}

fn permissions_text(value: &Value) -> Value {
    value.as_u64().map_or_else(|| value.clone(), |bits| json!(bits.to_string()))
}

/// Options without the empty and null keys that libraries send along.
fn shown_options(options: &Value) -> Value {
    let list = options.as_array().into_iter().flatten();
    let mut shown: Vec<Value> = list.cloned().collect();
    for option in &mut shown {
        let nested = option["options"].is_array().then(|| shown_options(&option["options"]));
        let kind = option["type"].as_u64().unwrap_or(0);
        let Some(map) = option.as_object_mut() else {
            continue;
        };
        map.retain(|key, value| {
            let empty = value.as_array().is_some_and(Vec::is_empty);
            !(value.is_null() || empty || (key == "options" && kind > 2))
        });
        if kind <= 2 {
            map.insert("options".into(), nested.unwrap_or_else(|| json!([])));
            map.remove("required");
        }
    }
    Value::Array(shown)
}

pub(super) fn list(state: &mut State, req: &Req) -> Result<Reply> {
    let guild = scope(state, req)?;
    Reply::ok(registered(state, guild))
}

fn registered(state: &State, guild: Option<u64>) -> Value {
    let all = state.commands.values();
    all.filter(|one| one.guild_id == guild).map(|one| one.json.clone()).collect()
}

/// Stores a checked command; one of the same name and type keeps its id.
fn store(state: &mut State, guild: Option<u64>, body: &Value) -> (Value, bool) {
    let kind = body["type"].as_u64().unwrap_or(1);
    let old = state
        .commands
        .values()
        .find(|one| one.guild_id == guild && one.json["name"] == body["name"] && one.json["type"] == kind);
    let old = old.map(|one| one.id);
    let id = old.unwrap_or_else(|| state.next_id());
    let version = state.next_id();
    let json = shown(id, version, guild, body);
    let command = Command { id, guild_id: guild, json: json.clone() };
    state.commands.insert(id, command);
    (json, old.is_none())
}

pub(super) fn replace(state: &mut State, req: &Req) -> Result<Reply> {
    let guild = scope(state, req)?;
    let list = req.body.as_array().cloned().unwrap_or_default();
    rules::check_all(&list)?;
    let kept: Vec<u64> =
        list.iter().filter_map(|body| store(state, guild, body).0["id"].as_str()?.parse().ok()).collect();
    state.commands.retain(|id, one| one.guild_id != guild || kept.contains(id));
    Reply::ok(registered(state, guild))
}

pub(super) fn create(state: &mut State, req: &Req) -> Result<Reply> {
    let guild = scope(state, req)?;
    rules::check_one(&req.body)?;
    let (json, is_new) = store(state, guild, &req.body);
    if is_new { Reply::created(json) } else { Reply::ok(json) }
}

fn existing(state: &State, req: &Req) -> Result<Command> {
    let guild = scope(state, req)?;
    let found = state.commands.get(&req.id("command_id")?);
    found
        .filter(|one| one.guild_id == guild)
        .cloned()
        .ok_or_else(|| ApiError::new(404, 10063, "Unknown application command"))
}

pub(super) fn get(state: &mut State, req: &Req) -> Result<Reply> {
    Reply::ok(existing(state, req)?.json)
}

pub(super) fn edit(state: &mut State, req: &Req) -> Result<Reply> {
    let command = existing(state, req)?;
    let mut body = command.json.clone();
    for (key, value) in req.body.as_object().into_iter().flatten() {
        body[key] = value.clone();
    }
    rules::check_one(&body)?;
    let version = state.next_id();
    let json = shown(command.id, version, command.guild_id, &body);
    let edited = Command { json: json.clone(), ..command };
    state.commands.insert(edited.id, edited);
    Reply::ok(json)
}

pub(super) fn delete(state: &mut State, req: &Req) -> Result<Reply> {
    let command = existing(state, req)?;
    state.commands.remove(&command.id);
    Reply::no_content()
}
