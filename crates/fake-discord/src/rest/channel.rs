//! Channels and their overwrites.

use serde_json::Value;

use super::guild::read_overwrite;
use super::request::{ApiError, Reply, Req, Result, body_id};
use crate::permission::{self, MANAGE_CHANNELS, MANAGE_ROLES, MANAGE_THREADS, SEND_MESSAGES};
use crate::state::State;

pub(super) fn get(state: &mut State, req: &Req) -> Result<Reply> {
    let id = req.id("channel_id")?;
    state.need(id, 0)?;
    Reply::ok(state.channel_json(&state.channels[&id]))
}

pub(super) fn edit(state: &mut State, req: &Req) -> Result<Reply> {
    let id = req.id("channel_id")?;
    let is_thread = state.channels.get(&id).is_some_and(|one| one.thread.is_some());
    state.need(id, if is_thread { MANAGE_THREADS } else { MANAGE_CHANNELS })?;
    let body = &req.body;
    if let Some(name) = body["name"].as_str()
        && !(1..=100).contains(&name.chars().count())
    {
        return Err(ApiError::form("name", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 100 in length."));
    }
    check_archived(state, id, body)?;
    let now = state.now();
    let Some(channel) = state.channels.get_mut(&id) else {
        return Err(ApiError::unknown_channel());
    };
    if let Some(name) = body["name"].as_str() {
        name.clone_into(&mut channel.name);
    }
    if let Some(topic) = body.get("topic") {
        channel.topic = topic.as_str().map(str::to_owned);
    }
    if let Some(parent) = body.get("parent_id") {
        channel.parent_id = body_id(parent);
    }
    channel.slowmode = body["rate_limit_per_user"].as_u64().unwrap_or(channel.slowmode);
    channel.nsfw = body["nsfw"].as_bool().unwrap_or(channel.nsfw);
    channel.position = body["position"].as_i64().unwrap_or(channel.position);
    if let Some(list) = body["permission_overwrites"].as_array() {
        let all = list.iter();
        channel.overwrites = all.filter_map(|one| read_overwrite(one, body_id(&one["id"]))).collect();
    }
    if let Some(thread) = &mut channel.thread {
        let archived = body["archived"].as_bool().unwrap_or(thread.archived);
        if archived != thread.archived {
            thread.changed_at = now;
        }
        thread.archived = archived;
        thread.locked = body["locked"].as_bool().unwrap_or(thread.locked);
    }
    state.channel_event(if is_thread { "THREAD_UPDATE" } else { "CHANNEL_UPDATE" }, id);
    Reply::ok(state.channel_json(&state.channels[&id]))
}

/// An archived thread can only be unarchived, or edited in the same request.
fn check_archived(state: &State, id: u64, body: &Value) -> Result<()> {
    let archived = state.channels[&id].thread.as_ref().is_some_and(|one| one.archived);
    if archived && body["archived"] != Value::Bool(false) {
        return Err(ApiError::new(400, 50083, "Thread is archived"));
    }
    Ok(())
}

pub(super) fn delete(state: &mut State, req: &Req) -> Result<Reply> {
    let id = req.id("channel_id")?;
    let channel = state.channels.get(&id).ok_or_else(ApiError::unknown_channel)?;
    let bits = if channel.thread.is_some() { MANAGE_THREADS } else { MANAGE_CHANNELS };
    let shown = state.channel_json(channel);
    if channel.recipient.is_none() {
        state.need(id, bits)?;
        state.drop_channel(id);
    }
    Reply::ok(shown)
}

pub(super) fn typing(state: &mut State, req: &Req) -> Result<Reply> {
    state.need(req.id("channel_id")?, SEND_MESSAGES)?;
    Reply::no_content()
}

pub(super) fn set_overwrite(state: &mut State, req: &Req) -> Result<Reply> {
    let (id, target) = (req.id("channel_id")?, req.id("overwrite_id")?);
    state.need(id, MANAGE_ROLES)?;
    if !matches!(req.body["type"].as_u64(), Some(0 | 1)) {
        return Err(ApiError::form("type", "BASE_TYPE_REQUIRED", "This field is required"));
    }
    let read = read_overwrite(&req.body, Some(target));
    // Nobody can hand out, or take away, what they cannot do themselves.
    if let Some((_, wanted)) = &read {
        state.need(id, (wanted.allow | wanted.deny) & permission::ALL)?;
    }
    if let Some((target, overwrite)) = read
        && let Some(channel) = state.channels.get_mut(&id)
    {
        channel.overwrites.insert(target, overwrite);
    }
    state.channel_event("CHANNEL_UPDATE", id);
    Reply::no_content()
}

pub(super) fn clear_overwrite(state: &mut State, req: &Req) -> Result<Reply> {
    let (id, target) = (req.id("channel_id")?, req.id("overwrite_id")?);
    state.need(id, MANAGE_ROLES)?;
    let removed = state.channels.get_mut(&id).and_then(|channel| channel.overwrites.remove(&target));
    if removed.is_none() {
        return Err(ApiError::new(404, 10009, "Unknown permission overwrite"));
    }
    state.channel_event("CHANNEL_UPDATE", id);
    Reply::no_content()
}
