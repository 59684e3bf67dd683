//! Pins, by the old routes and the new.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::request::{ApiError, Reply, Req, Result};
use crate::model::FakeMessage;
use crate::permission::{PIN_MESSAGES, READ_MESSAGE_HISTORY};
use crate::state::State;
use crate::{BOT_USER_ID, render};

/// The most pins a channel holds.
const MAX_PINS: usize = 250;

/// Pinned messages, pinned last first.
fn pinned(state: &State, channel: u64) -> Vec<&FakeMessage> {
    if state.permissions(channel, BOT_USER_ID) & READ_MESSAGE_HISTORY == 0 {
        return Vec::new();
    }
    let all = state.channels[&channel].messages.values();
    let mut found: Vec<&FakeMessage> = all.filter(|one| one.pinned).collect();
    found.sort_by_key(|one| std::cmp::Reverse((one.pinned_at, one.id)));
    found
}

pub(super) fn list_old(state: &mut State, req: &Req) -> Result<Reply> {
    let channel = req.id("channel_id")?;
    state.need(channel, 0)?;
    let found = pinned(state, channel).into_iter().take(50);
    Reply::ok(found.map(|one| state.readable_json(one)).collect())
}

pub(super) fn list(state: &mut State, req: &Req) -> Result<Reply> {
    let channel = req.id("channel_id")?;
    let limit = req.limit(1, 50, 50)?;
    state.need(channel, 0)?;
    let before: Option<DateTime<Utc>> = req.query("before").and_then(|text| text.parse().ok());
    let found: Vec<&FakeMessage> = pinned(state, channel)
        .into_iter()
        .filter(|one| before.is_none_or(|before| one.pinned_at < Some(before)))
        .collect();
    let items: Vec<Value> = found
        .iter()
        .take(limit)
        .map(|one| {
            let at = one.pinned_at.unwrap_or_else(|| one.timestamp());
            json!({"pinned_at": render::time(at), "message": state.readable_json(one)})
        })
        .collect();
    Reply::ok(json!({"items": items, "has_more": found.len() > limit}))
}

fn target(state: &State, req: &Req) -> Result<(u64, u64)> {
    let (channel, message) = (req.id("channel_id")?, req.id("message_id")?);
    state.need(channel, PIN_MESSAGES)?;
    if !state.channels[&channel].messages.contains_key(&message) {
        return Err(ApiError::unknown_message());
    }
    Ok((channel, message))
}

pub(super) fn pin(state: &mut State, req: &Req) -> Result<Reply> {
    let (channel, message) = target(state, req)?;
    let pinned = state.channels[&channel].messages.values().filter(|one| one.pinned);
    if pinned.count() >= MAX_PINS {
        return Err(ApiError::new(400, 30003, "Maximum number of pins reached for the channel (250)"));
    }
    state.set_pinned(channel, message, true);
    Reply::no_content()
}

pub(super) fn unpin(state: &mut State, req: &Req) -> Result<Reply> {
    let (channel, message) = target(state, req)?;
    state.set_pinned(channel, message, false);
    Reply::no_content()
}

impl State {
    /// Pins or unpins and tells the sessions. Pinning anew does nothing.
    pub(crate) fn set_pinned(&mut self, channel_id: u64, message: u64, pinned: bool) {
        let now = self.now();
        let Some(channel) = self.channels.get_mut(&channel_id) else {
            return;
        };
        let Some(found) = channel.messages.get_mut(&message) else {
            return;
        };
        if found.pinned == pinned {
            return;
        }
        found.pinned = pinned;
        found.pinned_at = pinned.then_some(now);
        if pinned {
            channel.last_pin = Some(now);
        }
        let guild = channel.guild_id;
        let mut event = json!({
            "channel_id": channel_id.to_string(),
            "last_pin_timestamp": channel.last_pin.map(render::time),
        });
        if let Some(guild) = guild {
            event["guild_id"] = json!(guild.to_string());
        }
        self.message_event("MESSAGE_UPDATE", channel_id, message);
        let intent = if guild.is_some() { crate::gateway::GUILDS } else { crate::gateway::DIRECT_MESSAGES };
        self.dispatch("CHANNEL_PINS_UPDATE", intent, guild, &event);
    }
}
