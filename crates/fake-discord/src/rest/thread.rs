//! Threads and forum posts.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::request::{ApiError, Reply, Req, Result};
use crate::model::{Channel, FakeMessage};
use crate::permission::{CREATE_PRIVATE_THREADS, CREATE_PUBLIC_THREADS, READ_MESSAGE_HISTORY, SEND_MESSAGES};
use crate::rules;
use crate::state::State;
use crate::{BOT_USER_ID, render};

fn with_members(state: &State, threads: &[&Channel]) -> Value {
    let joined = threads.iter().filter(|one| {
        let thread = one.thread.as_ref();
        thread.is_some_and(|thread| thread.members.contains(&BOT_USER_ID))
    });
    let members: Vec<Value> = joined.map(|one| render::thread_member(one, BOT_USER_ID)).collect();
    let threads: Vec<Value> = threads.iter().map(|one| state.channel_json(one)).collect();
    json!({"threads": threads, "members": members, "has_more": false})
}

/// Threads of the guild that are open and visible to the bot, newest first.
pub(super) fn active(state: &mut State, req: &Req) -> Result<Reply> {
    let guild = req.id("guild_id")?;
    state.need_guild(guild)?;
    let all = state.channels.values().rev();
    let found: Vec<&Channel> = all
        .filter(|one| one.guild_id == Some(guild))
        .filter(|one| one.thread.as_ref().is_some_and(|thread| !thread.archived))
        .filter(|one| state.need(one.id, 0).is_ok())
        .collect();
    Reply::ok(with_members(state, &found))
}

pub(super) fn archived_public(state: &mut State, req: &Req) -> Result<Reply> {
    archived(state, req, &[10, 11])
}

pub(super) fn archived_private(state: &mut State, req: &Req) -> Result<Reply> {
    archived(state, req, &[12])
}

fn archived(state: &State, req: &Req, kinds: &[u8]) -> Result<Reply> {
    let parent = req.id("channel_id")?;
    let limit = req.limit(2, 100, 50)?;
    state.need(parent, READ_MESSAGE_HISTORY)?;
    let before: Option<DateTime<Utc>> = req.query("before").and_then(|text| text.parse().ok());
    let changed = |one: &Channel| one.thread.as_ref().map(|thread| thread.changed_at);
    let mut found: Vec<&Channel> = state
        .channels
        .values()
        .filter(|one| one.parent_id == Some(parent) && kinds.contains(&one.kind))
        .filter(|one| one.thread.as_ref().is_some_and(|thread| thread.archived))
        .filter(|one| before.is_none_or(|before| changed(one) < Some(before)))
        .collect();
    found.sort_by_key(|one| std::cmp::Reverse(changed(one)));
    let more = found.len() > limit;
    found.truncate(limit);
    let mut value = with_members(state, &found);
    value["has_more"] = json!(more);
    Reply::ok(value)
}

fn thread(state: &State, req: &Req) -> Result<u64> {
    let id = req.id("channel_id")?;
    state.need(id, 0)?;
    if state.channels[&id].thread.is_none() {
        return Err(ApiError::new(400, 50024, "Cannot execute action on this channel type"));
    }
    Ok(id)
}

pub(super) fn members(state: &mut State, req: &Req) -> Result<Reply> {
    let channel = &state.channels[&thread(state, req)?];
    let members = channel.thread.iter().flat_map(|thread| &thread.members);
    Reply::ok(members.map(|user| render::thread_member(channel, *user)).collect())
}

fn change_members(state: &mut State, id: u64, user: u64, join: bool) -> Result<Reply> {
    let channel = state.channels.get_mut(&id);
    if let Some(thread) = channel.and_then(|one| one.thread.as_mut()) {
        if thread.archived {
            return Err(ApiError::new(400, 50083, "Thread is archived"));
        }
        thread.members.retain(|one| *one != user);
        if join {
            thread.members.push(user);
        }
    }
    Reply::no_content()
}

pub(super) fn join(state: &mut State, req: &Req) -> Result<Reply> {
    let id = thread(state, req)?;
    change_members(state, id, BOT_USER_ID, true)
}

pub(super) fn leave(state: &mut State, req: &Req) -> Result<Reply> {
    let id = thread(state, req)?;
    change_members(state, id, BOT_USER_ID, false)
}

pub(super) fn add_member(state: &mut State, req: &Req) -> Result<Reply> {
    let id = thread(state, req)?;
    let user = req.id("user_id")?;
    let guild = state.channels[&id].guild_id.unwrap_or(0);
    if state.member_json(guild, user).is_null() {
        return Err(ApiError::unknown_member());
    }
    change_members(state, id, user, true)
}

pub(super) fn remove_member(state: &mut State, req: &Req) -> Result<Reply> {
    let id = thread(state, req)?;
    let user = req.id("user_id")?;
    change_members(state, id, user, false)
}

fn name(body: &Value) -> Result<&str> {
    let name = body["name"].as_str().unwrap_or_default();
    if (1..=100).contains(&name.chars().count()) {
        return Ok(name);
    }
    Err(ApiError::form("name", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 100 in length."))
}

/// A thread by itself, or a post when the parent is a forum.
pub(super) fn create(state: &mut State, req: &Req) -> Result<Reply> {
    let parent = req.id("channel_id")?;
    let name = name(&req.body)?;
    state.need(parent, 0)?;
    if state.channels[&parent].kind == 15 {
        return create_post(state, req, parent, name);
    }
    let private = req.body["type"].as_u64().unwrap_or(12) == 12;
    state.need(parent, if private { CREATE_PRIVATE_THREADS } else { CREATE_PUBLIC_THREADS })?;
    let id = state.next_id();
    state.new_thread(id, parent, name, BOT_USER_ID, private);
    Reply::created(state.channel_json(&state.channels[&id]))
}

fn create_post(state: &mut State, req: &Req, parent: u64, name: &str) -> Result<Reply> {
    state.need(parent, SEND_MESSAGES)?;
    let body = &req.body["message"];
    rules::message::check(body, req.files.len(), None)?;
    state.note_mentions(&req.method, &req.path, body);
    let id = state.next_id();
    state.new_thread(id, parent, name, BOT_USER_ID, false);
    let mut message = FakeMessage::new(id, id, BOT_USER_ID);
    state.write(&mut message, body, &req.files);
    let shown_message = state.message_json(&message);
    state.store_message(message);
    state.message_event("MESSAGE_CREATE", id, id);
    let mut shown = state.channel_json(&state.channels[&id]);
    shown["message"] = shown_message;
    Reply::created(shown)
}

/// A thread under a message takes the message's id.
pub(super) fn create_from_message(state: &mut State, req: &Req) -> Result<Reply> {
    let (parent, message) = (req.id("channel_id")?, req.id("message_id")?);
    let name = name(&req.body)?;
    state.need(parent, CREATE_PUBLIC_THREADS)?;
    if !state.channels[&parent].messages.contains_key(&message) {
        return Err(ApiError::unknown_message());
    }
    if state.channels.contains_key(&message) {
        return Err(ApiError::new(400, 160_004, "A thread has already been created for this message"));
    }
    state.new_thread(message, parent, name, BOT_USER_ID, false);
    Reply::created(state.channel_json(&state.channels[&message]))
}

impl State {
    /// Makes a thread and tells the sessions.
    pub(crate) fn new_thread(&mut self, id: u64, parent_id: u64, name: &str, owner: u64, private: bool) {
        let now = self.now();
        let Some(parent) = self.channels.get(&parent_id) else {
            return;
        };
        let mut channel = self.blank_channel(id, name);
        channel.guild_id = parent.guild_id;
        channel.parent_id = Some(parent_id);
        channel.kind = match (parent.kind, private) {
            (_, true) => 12,
            (5, _) => 10,
            _ => 11,
        };
        channel.thread = Some(crate::model::Thread {
            owner_id: owner,
            archived: false,
            locked: false,
            changed_at: now,
            members: vec![owner],
            total_sent: 0,
        });
        let guild = channel.guild_id;
        self.channels.insert(id, channel);
        let mut event = self.channel_json(&self.channels[&id]);
        event["newly_created"] = json!(true);
        self.dispatch("THREAD_CREATE", crate::gateway::GUILDS, guild, &event);
    }
}
