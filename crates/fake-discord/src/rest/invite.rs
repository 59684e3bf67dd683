//! Invites to a channel's guild.

use serde_json::json;

use super::request::{ApiError, Reply, Req, Result, body_id};
use crate::permission::{CREATE_INSTANT_INVITE, MANAGE_ROLES};
use crate::render;
use crate::state::State;

pub(super) fn create(state: &mut State, req: &Req) -> Result<Reply> {
    let channel = req.id("channel_id")?;
    state.need(channel, CREATE_INSTANT_INVITE)?;
    let found = &state.channels[&channel];
    let Some(guild_id) = found.guild_id else {
        return Err(ApiError::new(400, 50024, "Cannot execute action on this channel type"));
    };
    let body = &req.body;
    if body["max_age"].as_u64().is_some_and(|age| age > 604_800) {
        return Err(ApiError::form("max_age", "NUMBER_TYPE_RANGE", "int value should be between 0 and 604800."));
    }
    if body["max_uses"].as_u64().is_some_and(|uses| uses > 100) {
        return Err(ApiError::form("max_uses", "NUMBER_TYPE_RANGE", "int value should be between 0 and 100."));
    }
    let ids = |name: &str| -> Vec<u64> { body[name].as_array().into_iter().flatten().filter_map(body_id).collect() };
    let (users, roles) = (ids("target_user_ids"), ids("role_ids"));
    if !roles.is_empty() {
        state.need_in_guild(guild_id, MANAGE_ROLES)?;
        let guild = &state.guilds[&guild_id];
        if roles.iter().any(|role| !guild.roles.contains_key(role)) {
            return Err(ApiError::unknown_role());
        }
    }
    let guild = &state.guilds[&guild_id];
    let (guild_name, channel_name, kind) = (guild.name.clone(), found.name.clone(), found.kind);
    let code = format!("invite{}", state.next_id());
    let now = state.now();
    let age = i64::try_from(body["max_age"].as_u64().unwrap_or(86_400)).unwrap_or(0);
    let expires = (age > 0).then(|| render::time(now + chrono::TimeDelta::seconds(age)));
    let invite = json!({
        "type": 0, "code": code, "expires_at": expires, "created_at": render::time(now), "max_age": age,
        "max_uses": body["max_uses"].as_u64().unwrap_or(0), "uses": 0, "temporary": false, "flags": 0,
        "guild_id": guild_id.to_string(),
        "guild": {
            "id": guild_id.to_string(), "name": guild_name, "splash": null, "banner": null, "description": null,
            "icon": null, "features": [], "verification_level": 1, "vanity_url_code": null, "nsfw_level": 0,
            "nsfw": false, "premium_subscription_count": 0,
        },
        "channel": {"id": channel.to_string(), "type": kind, "name": channel_name},
    });
    if let Some(guild) = state.guilds.get_mut(&guild_id) {
        guild.invites.push(crate::model::Invite { code, users, roles });
    }
    Reply::ok(invite)
}
