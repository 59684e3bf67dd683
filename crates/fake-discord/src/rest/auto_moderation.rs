//! Rules of AutoMod.

use serde_json::{Value, json};

use super::request::{ApiError, Reply, Req, Result};
use crate::BOT_USER_ID;
use crate::permission::MANAGE_GUILD;
use crate::rules::auto_moderation as rules;
use crate::state::State;

fn guild(state: &State, req: &Req) -> Result<u64> {
    let id = req.id("guild_id")?;
    state.need_in_guild(id, MANAGE_GUILD)?;
    Ok(id)
}

fn existing(state: &State, req: &Req) -> Result<(u64, u64, Value)> {
    let (guild, id) = (guild(state, req)?, req.id("rule_id")?);
    let found = state.guilds[&guild].rules.get(&id).cloned();
    let found = found.ok_or_else(|| ApiError::new(404, 10069, "Unknown auto moderation rule"))?;
    Ok((guild, id, found))
}

/// A list as Discord shows it: never null.
fn list_of(value: &Value) -> Value {
    if value.is_array() { value.clone() } else { json!([]) }
}

/// A rule as Discord shows it.
fn shown(guild: u64, id: u64, creator: &Value, body: &Value) -> Value {
    let trigger = &body["trigger_metadata"];
    let mut actions = list_of(&body["actions"]);
    for action in actions.as_array_mut().into_iter().flatten() {
        if !action["metadata"].is_object() {
            action["metadata"] = json!({});
        }
    }
    json!({
        "id": id.to_string(), "guild_id": guild.to_string(), "creator_id": creator, "name": body["name"],
        "event_type": body["event_type"], "trigger_type": body["trigger_type"], "actions": actions,
        "enabled": body["enabled"].as_bool().unwrap_or(false),
        "exempt_roles": list_of(&body["exempt_roles"]), "exempt_channels": list_of(&body["exempt_channels"]),
        "trigger_metadata": {
            "keyword_filter": list_of(&trigger["keyword_filter"]),
            "regex_patterns": list_of(&trigger["regex_patterns"]),
            "allow_list": list_of(&trigger["allow_list"]),
        },
    })
}

fn store(state: &mut State, guild: u64, id: u64, rule: &Value) {
    if let Some(guild) = state.guilds.get_mut(&guild) {
        guild.rules.insert(id, rule.clone());
    }
}

pub(super) fn list(state: &mut State, req: &Req) -> Result<Reply> {
    let guild = guild(state, req)?;
    Reply::ok(state.guilds[&guild].rules.values().cloned().collect())
}

pub(super) fn get(state: &mut State, req: &Req) -> Result<Reply> {
    Reply::ok(existing(state, req)?.2)
}

pub(super) fn create(state: &mut State, req: &Req) -> Result<Reply> {
    let guild = guild(state, req)?;
    rules::check(&req.body)?;
    rules::check_count(&state.guilds[&guild])?;
    let id = state.next_id();
    let rule = shown(guild, id, &json!(BOT_USER_ID.to_string()), &req.body);
    store(state, guild, id, &rule);
    Reply::ok(rule)
}

pub(super) fn edit(state: &mut State, req: &Req) -> Result<Reply> {
    let (guild, id, mut rule) = existing(state, req)?;
    for (key, value) in req.body.as_object().into_iter().flatten() {
        rule[key] = value.clone();
    }
    rules::check(&rule)?;
    let creator = rule["creator_id"].clone();
    let rule = shown(guild, id, &creator, &rule);
    store(state, guild, id, &rule);
    Reply::ok(rule)
}

pub(super) fn delete(state: &mut State, req: &Req) -> Result<Reply> {
    let (guild, id, _) = existing(state, req)?;
    if let Some(guild) = state.guilds.get_mut(&guild) {
        guild.rules.remove(&id);
    }
    Reply::no_content()
}
