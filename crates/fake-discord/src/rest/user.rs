//! Users and direct messages.

use serde_json::{Value, json};

use super::request::{ApiError, Reply, Req, Result, body_id};
use crate::model::User;
use crate::permission;
use crate::state::State;
use crate::{BOT_USER_ID, render};

/// Whom the caller means by `@me`; a person must have allowed it.
fn caller(req: &Req, scope: &str) -> Result<u64> {
    match &req.grant {
        None => Ok(BOT_USER_ID),
        Some(grant) if grant.allows(scope) => Ok(grant.user),
        Some(_) => Err(ApiError::unauthorized()),
    }
}

pub(super) fn me(state: &mut State, req: &Req) -> Result<Reply> {
    let me = state.users.get(&caller(req, "identify")?).ok_or_else(ApiError::unknown_user)?;
    let mut shown = render::own_user(me);
    if req.grant.as_ref().is_some_and(|grant| !grant.allows("email"))
        && let Some(map) = shown.as_object_mut()
    {
        map.remove("email");
        map.remove("verified");
    }
    Reply::ok(shown)
}

pub(super) fn get(state: &mut State, req: &Req) -> Result<Reply> {
    let found: Option<&User> = state.users.get(&req.id("user_id")?);
    Reply::ok(render::user(found.ok_or_else(ApiError::unknown_user)?))
}

pub(super) fn my_guilds(state: &mut State, req: &Req) -> Result<Reply> {
    let limit = req.limit(1, 200, 200)?;
    let after = req.query_id("after")?.unwrap_or(0);
    let me = caller(req, "guilds")?;
    let all = state.guilds.range(after + 1..).map(|(_, guild)| guild);
    let shown: Vec<Value> = all
        .filter(|guild| guild.members.contains_key(&me))
        .take(limit)
        .map(|guild| {
            json!({
                "id": guild.id.to_string(), "name": guild.name, "icon": null, "banner": null,
                "owner": guild.owner_id == me, "features": [],
                "permissions": permission::base(guild, me).to_string(),
            })
        })
        .collect();
    Reply::ok(Value::Array(shown))
}

/// Opens a DM. Closed DMs show only when a message is sent.
pub(super) fn open_dm(state: &mut State, req: &Req) -> Result<Reply> {
    let user = body_id(&req.body["recipient_id"]);
    let user = user.filter(|id| state.users.contains_key(id) && *id != BOT_USER_ID);
    let Some(user) = user else {
        return Err(ApiError::new(400, 50033, "Invalid Recipient(s)"));
    };
    let channel = state.dm_channel(user);
    Reply::ok(state.channel_json(&state.channels[&channel]))
}
