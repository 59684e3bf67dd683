//! Requests to join a guild whose moderators let people in.

use serde_json::{Value, json};

use super::request::{ApiError, Reply, Req, Result};
use crate::BOT_USER_ID;
use crate::permission::KICK_MEMBERS;
use crate::state::State;

/// Discord's longest reason for a rejection, in characters.
const MAX_REASON: usize = 160;

fn guild(state: &State, req: &Req) -> Result<u64> {
    let id = req.id("guild_id")?;
    state.need_in_guild(id, KICK_MEMBERS)?;
    Ok(id)
}

pub(super) fn list(state: &mut State, req: &Req) -> Result<Reply> {
    let guild = guild(state, req)?;
    let limit = req.limit(1, 100, 100)?;
    let (after, before) = (req.query_id("after")?.unwrap_or(0), req.query_id("before")?.unwrap_or(u64::MAX));
    let status = req.query("status");
    let wanted = |one: &&Value| status.is_none_or(|status| one["application_status"] == status);
    let requests = &state.guilds[&guild].join_requests;
    let total = requests.values().filter(wanted).count();
    let page = requests.iter().filter(|(id, _)| **id > after && **id < before).map(|(_, one)| one).filter(wanted);
    let page: Vec<&Value> = page.take(limit).collect();
    Reply::ok(json!({ "total": total, "guild_join_requests": page }))
}

/// A request that has been decided is returned as it is.
pub(super) fn act(state: &mut State, req: &Req) -> Result<Reply> {
    let (guild, id) = (guild(state, req)?, req.id("request_id")?);
    if !state.guilds[&guild].join_requests.contains_key(&id) {
        return Err(ApiError::new(404, 0, "404: Not Found"));
    }
    let action = req.text("action");
    if !matches!(action, "APPROVED" | "REJECTED") {
        return Err(ApiError::form("action", "BASE_TYPE_CHOICES", "Value must be one of {'APPROVED', 'REJECTED'}."));
    }
    if req.text("rejection_reason").chars().count() > MAX_REASON {
        let message = format!("Must be {MAX_REASON} or fewer in length.");
        return Err(ApiError::form("rejection_reason", "BASE_TYPE_MAX_LENGTH", &message));
    }
    state.decide_join_request(guild, id, action == "APPROVED", (BOT_USER_ID, req.body["rejection_reason"].as_str()));
    Reply::ok(state.guilds[&guild].join_requests[&id].clone())
}
