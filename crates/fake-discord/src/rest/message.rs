//! Messages.

use std::collections::BTreeSet;

use chrono::Duration;
use serde_json::{Value, json};

use super::request::{ApiError, Reply, Req, Result, body_id};
use crate::model::{FakeMessage, Guild};
use crate::multipart::Upload;
use crate::permission::{
    ATTACH_FILES, EMBED_LINKS, MANAGE_MESSAGES, READ_MESSAGE_HISTORY, SEND_MESSAGES, SEND_MESSAGES_IN_THREADS,
};
use crate::rules::{self, items};
use crate::state::State;
use crate::{BOT_USER_ID, snowflake};

/// Message types nobody can delete.
const UNDELETABLE: [u8; 6] = [1, 2, 3, 4, 5, 21];

/// Flags a bot may set on an ordinary message: suppress embeds, silent, version 2, voice.
const SETTABLE: u64 = (1 << 2) | (1 << 12) | rules::message::FLAG_V2;

pub(super) fn list(state: &mut State, req: &Req) -> Result<Reply> {
    let id = req.id("channel_id")?;
    let limit = req.limit(1, 100, 50)?;
    let (before, after) = (req.query_id("before")?, req.query_id("after")?);
    let around = req.query_id("around")?;
    state.need_chat(id)?;
    let all = &state.channels[&id].messages;
    let readable = state.permissions(id, BOT_USER_ID) & READ_MESSAGE_HISTORY != 0;
    let mut found: Vec<&FakeMessage> = if !readable {
        Vec::new()
    } else if let Some(around) = around {
        let older = all.range(..around).rev().take(limit / 2);
        let newer = all.range(around..).take(limit - limit / 2);
        older.chain(newer).map(|(_, one)| one).collect()
    } else if let Some(after) = after {
        let later = all.range(after.saturating_add(1)..);
        later.take(limit).map(|(_, one)| one).collect()
    } else {
        let earlier = all.range(..before.unwrap_or(u64::MAX)).rev();
        earlier.take(limit).map(|(_, one)| one).collect()
    };
    found.sort_by_key(|one| std::cmp::Reverse(one.id));
    Reply::ok(found.into_iter().map(|one| state.readable_json(one)).collect())
}

/// The message named in the path, when the bot may see it.
fn named(state: &State, req: &Req) -> Result<FakeMessage> {
    let (channel, id) = (req.id("channel_id")?, req.id("message_id")?);
    state.need_chat(channel)?;
    let found = state.channels[&channel].messages.get(&id);
    found.cloned().ok_or_else(ApiError::unknown_message)
}

pub(super) fn get(state: &mut State, req: &Req) -> Result<Reply> {
    let message = named(state, req)?;
    state.need(message.channel_id, READ_MESSAGE_HISTORY)?;
    Reply::ok(state.readable_json(&message))
}

pub(super) fn create(state: &mut State, req: &Req) -> Result<Reply> {
    let channel = req.id("channel_id")?;
    may_write(state, channel, req)?;
    rules::message::check(&req.body, req.files.len(), None)?;
    if let Some(double) = same_nonce(state, channel, &req.body) {
        return Reply::ok(state.message_json(&double));
    }
    let id = state.next_id();
    let mut message = FakeMessage::new(id, channel, BOT_USER_ID);
    message.flags = req.body["flags"].as_u64().unwrap_or(0) & SETTABLE;
    message.nonce = req.body.get("nonce").filter(|one| !one.is_null()).cloned();
    message.reply_to = reference(state, channel, &req.body)?;
    message.kind = if message.reply_to.is_some() { 19 } else { 0 };
    state.write(&mut message, &req.body, &req.files);
    state.note_mentions(&req.method, &req.path, &req.body);
    unarchive(state, channel);
    let shown = state.message_json(&message);
    state.store_message(message);
    state.message_event("MESSAGE_CREATE", channel, id);
    Reply::ok(shown)
}

/// With `enforce_nonce`, a repeated nonce returns the message made first.
fn same_nonce(state: &State, channel: u64, body: &Value) -> Option<FakeMessage> {
    if body["enforce_nonce"] != true || body["nonce"].is_null() {
        return None;
    }
    let recent = state.channels[&channel].messages.values().rev().take(200);
    recent.filter(|one| one.author_id == BOT_USER_ID).find(|one| one.nonce.as_ref() == Some(&body["nonce"])).cloned()
}

fn may_write(state: &State, id: u64, req: &Req) -> Result<()> {
    state.need_chat(id)?;
    let channel = &state.channels[&id];
    if let Some(user) = channel.recipient {
        let knows = |one: &Guild| one.members.contains_key(&user) && one.members.contains_key(&BOT_USER_ID);
        if !state.guilds.values().any(knows) {
            let message = "Cannot send messages to this user due to having no mutual guilds";
            return Err(ApiError::new(403, 50278, message));
        }
        let open = state.users.get(&user).is_some_and(|one| one.dms_open);
        let closed = ApiError::new(403, 50007, "Cannot send messages to this user");
        return if open { Ok(()) } else { Err(closed) };
    }
    if !channel.holds_messages() {
        return Err(ApiError::new(400, 50008, "Cannot send messages in a non-text channel"));
    }
    let mut bits = if channel.thread.is_some() { SEND_MESSAGES_IN_THREADS } else { SEND_MESSAGES };
    if items(&req.body["embeds"]).count() > 0 {
        bits |= EMBED_LINKS;
    }
    if !req.files.is_empty() {
        bits |= ATTACH_FILES;
    }
    state.need(id, bits)?;
    if channel.thread.as_ref().is_some_and(|one| one.locked && one.archived) {
        return Err(ApiError::new(400, 50083, "Thread is archived"));
    }
    Ok(())
}

/// Writing in an archived thread that is not locked opens it again.
fn unarchive(state: &mut State, id: u64) {
    let now = state.now();
    let thread = state.channels.get_mut(&id).and_then(|one| one.thread.as_mut());
    if let Some(thread) = thread
        && thread.archived
    {
        thread.archived = false;
        thread.changed_at = now;
        state.channel_event("THREAD_UPDATE", id);
    }
}

fn reference(state: &State, channel: u64, body: &Value) -> Result<Option<u64>> {
    let target = &body["message_reference"];
    let Some(id) = body_id(&target["message_id"]) else {
        return Ok(None);
    };
    if state.channels[&channel].messages.contains_key(&id) {
        return Ok(Some(id));
    }
    if target["fail_if_not_exists"] == false {
        return Ok(None);
    }
    Err(ApiError::form("message_reference", "REPLIES_UNKNOWN_MESSAGE", "Unknown message"))
}

pub(super) fn edit(state: &mut State, req: &Req) -> Result<Reply> {
    let mut message = named(state, req)?;
    if message.author_id != BOT_USER_ID || message.webhook.is_some() {
        let only_flags = req.body.as_object().is_some_and(|map| map.keys().all(|key| key == "flags"));
        if !only_flags {
            return Err(ApiError::new(403, 50005, "Cannot edit a message authored by another user"));
        }
        state.need(message.channel_id, MANAGE_MESSAGES)?;
        message.flags = req.body["flags"].as_u64().unwrap_or(message.flags);
    }
    not_archived(state, message.channel_id)?;
    rules::message::check(&req.body, req.files.len(), Some(&message))?;
    state.amend(&mut message, &req.body, &req.files);
    if rules::message::could_ping(&req.body) {
        state.note_mentions(&req.method, &req.path, &req.body);
    }
    Reply::ok(state.replace_message(message))
}

fn not_archived(state: &State, channel: u64) -> Result<()> {
    let thread = state.channels.get(&channel).and_then(|one| one.thread.as_ref());
    if thread.is_some_and(|one| one.archived) {
        return Err(ApiError::new(400, 50083, "Thread is archived"));
    }
    Ok(())
}

pub(super) fn delete(state: &mut State, req: &Req) -> Result<Reply> {
    let message = named(state, req)?;
    not_archived(state, message.channel_id)?;
    if message.author_id != BOT_USER_ID || message.webhook.is_some() {
        if state.channels[&message.channel_id].recipient.is_some() {
            return Err(ApiError::new(403, 50003, "Cannot execute action on a DM channel"));
        }
        state.need(message.channel_id, MANAGE_MESSAGES)?;
    }
    if UNDELETABLE.contains(&message.kind) {
        return Err(system_message());
    }
    state.remove_messages(message.channel_id, &[message.id], false);
    Reply::no_content()
}

fn system_message() -> ApiError {
    ApiError::new(403, 50021, "Cannot execute action on a system message")
}

pub(super) fn bulk_delete(state: &mut State, req: &Req) -> Result<Reply> {
    let channel = req.id("channel_id")?;
    state.need_chat(channel)?;
    if state.channels[&channel].recipient.is_some() {
        return Err(ApiError::new(403, 50003, "Cannot execute action on a DM channel"));
    }
    state.need(channel, MANAGE_MESSAGES)?;
    not_archived(state, channel)?;
    let ids: Vec<u64> = items(&req.body["messages"]).filter_map(body_id).collect();
    if !(2..=100).contains(&ids.len()) {
        let message = "Provided too few or too many messages to delete. Must provide at least 2 and fewer than 100 messages to delete";
        return Err(ApiError::new(400, 50016, message));
    }
    let mut seen = BTreeSet::new();
    for (index, id) in ids.iter().enumerate() {
        if !seen.insert(*id) {
            return Err(ApiError::form(
                &format!("messages.{index}"),
                "SET_TYPE_ALREADY_CONTAINS_VALUE",
                "The set already contains this value",
            ));
        }
    }
    let oldest = snowflake::at(state.now() - Duration::days(14));
    if ids.iter().any(|id| *id < oldest) {
        return Err(ApiError::new(400, 50034, "You can only bulk delete messages that are under 14 days old."));
    }
    let kept = &state.channels[&channel].messages;
    let present: Vec<u64> = ids.into_iter().filter(|id| kept.contains_key(id)).collect();
    if present.iter().any(|id| UNDELETABLE.contains(&kept[id].kind)) {
        return Err(system_message());
    }
    state.remove_messages(channel, &present, true);
    Reply::no_content()
}

/// Writing and removing, shared by messages and replies.
impl State {
    /// Fills a new message from a body.
    pub(crate) fn write(&mut self, message: &mut FakeMessage, body: &Value, files: &[Upload]) {
        body["content"].as_str().unwrap_or_default().clone_into(&mut message.content);
        message.embeds = items(&body["embeds"]).cloned().collect();
        message.components = items(&body["components"]).cloned().collect();
        message.allowed_mentions = body.get("allowed_mentions").cloned();
        message.attachments.clear();
        self.attach(message, body, files);
    }

    /// Changes a message by a body that names only what changes.
    pub(crate) fn amend(&mut self, message: &mut FakeMessage, body: &Value, files: &[Upload]) {
        if let Some(content) = body.get("content") {
            content.as_str().unwrap_or_default().clone_into(&mut message.content);
        }
        if let Some(embeds) = body.get("embeds") {
            message.embeds = items(embeds).cloned().collect();
        }
        if let Some(components) = body.get("components") {
            message.components = items(components).cloned().collect();
        }
        if let Some(mentions) = body.get("allowed_mentions") {
            message.allowed_mentions = Some(mentions.clone());
        }
        if let Some(kept) = body["attachments"].as_array() {
            let ids: Vec<u64> = kept.iter().filter_map(|one| body_id(&one["id"])).collect();
            message.attachments.retain(|one| body_id(&one["id"]).is_some_and(|id| ids.contains(&id)));
        }
        self.attach(message, body, files);
        message.edited_at = Some(self.now());
        message.edits += 1;
    }

    fn attach(&mut self, message: &mut FakeMessage, body: &Value, files: &[Upload]) {
        for file in files {
            let id = self.next_id();
            let about = items(&body["attachments"]).find(|one| body_id(&one["id"]) == Some(file.index));
            let name = about.and_then(|one| one["filename"].as_str()).unwrap_or(&file.name);
            let url = format!("{}/attachments/{}/{id}/{name}", self.base_url, message.channel_id);
            let mut shown = json!({
                "id": id.to_string(), "filename": name, "size": file.content.len(), "url": url,
                "proxy_url": url,
            });
            if let Some(kind) = &file.content_type {
                shown["content_type"] = json!(kind);
            }
            if let Some(text) = about.and_then(|one| one["description"].as_str()) {
                shown["description"] = json!(text);
            }
            self.keep_file(id, file.content.clone());
            message.attachments.push(shown);
        }
    }

    /// Puts an edited message back, tells the sessions, and returns it as Discord shows it.
    pub(crate) fn replace_message(&mut self, message: FakeMessage) -> Value {
        let shown = self.message_json(&message);
        let (channel, id, hidden) = (message.channel_id, message.id, message.is_ephemeral());
        if let Some(place) = self.find_message_mut(channel, id) {
            *place = message;
        }
        if !hidden {
            self.message_event("MESSAGE_UPDATE", channel, id);
        }
        shown
    }

    /// Removes messages that exist and tells the sessions.
    pub(crate) fn remove_messages(&mut self, channel_id: u64, ids: &[u64], bulk: bool) {
        let Some(channel) = self.channels.get_mut(&channel_id) else {
            return;
        };
        let guild = channel.guild_id;
        let gone: Vec<u64> = ids.iter().copied().filter(|id| channel.messages.remove(id).is_some()).collect();
        if gone.is_empty() {
            return;
        }
        let mut event = json!({"channel_id": channel_id.to_string()});
        if let Some(guild) = guild {
            event["guild_id"] = json!(guild.to_string());
        }
        if bulk {
            event["ids"] = gone.iter().map(|id| json!(id.to_string())).collect();
            self.dispatch_message("MESSAGE_DELETE_BULK", guild, &event);
            return;
        }
        for id in gone {
            event["id"] = json!(id.to_string());
            self.dispatch_message("MESSAGE_DELETE", guild, &event);
        }
    }

    /// Notes a message sent without explicit `allowed_mentions`.
    pub(crate) fn note_mentions(&mut self, method: &str, path: &str, body: &Value) {
        if !body["allowed_mentions"].is_object() {
            let text = body["content"].as_str().unwrap_or_default();
            let what = format!("{method} {path} without allowed_mentions: {text:?}");
            self.journal.mention_violation(what);
        }
    }
}
