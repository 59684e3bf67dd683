//! What follows the first answer: edits of it, and follow-ups.

use super::request::{ApiError, Reply, Req, Result};
use crate::model::{FLAG_EPHEMERAL, FLAG_LOADING, FakeMessage};
use crate::rules;
use crate::state::State;
use crate::{APPLICATION_ID, BOT_USER_ID};

/// Flags a follow-up may set: suppress embeds, ephemeral, silent, version 2.
const SETTABLE: u64 = (1 << 2) | FLAG_EPHEMERAL | (1 << 12) | rules::message::FLAG_V2;

/// The interaction a token belongs to, while the token lives and once it was answered.
fn interaction(state: &mut State, req: &Req) -> Result<u64> {
    let unknown = || ApiError::new(404, 10015, "Unknown Webhook");
    if req.id("webhook_id")? != APPLICATION_ID {
        return Err(unknown());
    }
    let token = req.param("webhook_token");
    let now = state.now();
    let found = state.interactions.values().rev().find(|one| one.token == token);
    let found = found.ok_or_else(unknown)?;
    if found.is_expired(now) {
        let what = format!("{}: token used after 15 minutes", found.name);
        state.journal.violation(what);
        return Err(ApiError::new(401, 50027, "Invalid Webhook Token"));
    }
    if found.callback.is_none() {
        return Err(unknown());
    }
    Ok(found.id)
}

/// The message of a route: `@original`, or one by id that belongs to the interaction.
fn message(state: &mut State, req: &Req) -> Result<(u64, FakeMessage)> {
    let interaction = interaction(state, req)?;
    let one = &state.interactions[&interaction];
    let wanted = req.param("message_id");
    let id = if wanted.is_empty() || wanted == "@original" {
        one.original
    } else {
        let id = req.id("message_id")?;
        let own = one.original == Some(id) || one.source == Some(id) || one.followups.contains(&id);
        own.then_some(id)
    };
    let found = id.and_then(|id| state.find_message(one.channel, id)).cloned();
    Ok((interaction, found.ok_or_else(ApiError::unknown_message)?))
}

pub(super) fn get(state: &mut State, req: &Req) -> Result<Reply> {
    let (_, message) = message(state, req)?;
    Reply::ok(state.message_json(&message))
}

pub(super) fn edit(state: &mut State, req: &Req) -> Result<Reply> {
    let (interaction, message) = message(state, req)?;
    rules::message::check(&req.body, req.files.len(), Some(&message))?;
    Reply::ok(apply(state, req, interaction, message))
}

fn apply(state: &mut State, req: &Req, interaction: u64, mut message: FakeMessage) -> serde_json::Value {
    let ends_deferral = message.is_loading();
    state.amend(&mut message, &req.body, &req.files);
    message.flags &= !FLAG_LOADING;
    if let Some(flags) = req.body["flags"].as_u64() {
        let kept = message.flags & FLAG_EPHEMERAL;
        message.flags = (flags & SETTABLE & !FLAG_EPHEMERAL) | kept;
    }
    if ends_deferral || rules::message::could_ping(&req.body) {
        state.note_mentions(&req.method, &req.path, &req.body);
    }
    if let Some(one) = state.interactions.get_mut(&interaction) {
        one.answered.get_or_insert(message.id);
    }
    state.replace_message(message)
}

pub(super) fn delete(state: &mut State, req: &Req) -> Result<Reply> {
    let (_, message) = message(state, req)?;
    if message.is_ephemeral() {
        state.ephemeral.remove(&message.id);
    } else {
        state.remove_messages(message.channel_id, &[message.id], false);
    }
    Reply::no_content()
}

/// A follow-up. The first one after a deferral takes the placeholder's place, and its visibility.
pub(super) fn follow_up(state: &mut State, req: &Req) -> Result<Reply> {
    let interaction = interaction(state, req)?;
    rules::message::check(&req.body, req.files.len(), None)?;
    let one = &state.interactions[&interaction];
    let channel = one.channel;
    let placeholder = one.original.and_then(|id| state.find_message(channel, id));
    if let Some(placeholder) = placeholder.filter(|message| message.is_loading()).cloned() {
        return Reply::ok(apply(state, req, interaction, placeholder));
    }
    let original = one.original;
    let id = state.next_id();
    let mut message = FakeMessage::new(id, channel, BOT_USER_ID);
    message.interaction_id = Some(interaction);
    message.flags = req.body["flags"].as_u64().unwrap_or(0) & SETTABLE;
    message.reply_to = original.filter(|id| state.channels[&channel].messages.contains_key(id));
    message.kind = if message.reply_to.is_some() { 19 } else { 0 };
    state.write(&mut message, &req.body, &req.files);
    state.note_mentions(&req.method, &req.path, &req.body);
    let (shown, hidden) = (state.message_json(&message), message.is_ephemeral());
    state.store_message(message);
    if let Some(one) = state.interactions.get_mut(&interaction) {
        one.followups.push(id);
        one.answered.get_or_insert(id);
    }
    if !hidden {
        state.message_event("MESSAGE_CREATE", channel, id);
    }
    Reply::ok(shown)
}
