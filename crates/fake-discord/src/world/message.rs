//! Messages by people, webhooks and Discord itself.

use chrono::{DateTime, Duration, Utc};

use crate::model::{FakeMessage, WebhookAuthor};
use crate::rules::auto_moderation;
use crate::state::State;
use crate::{FakeDiscord, WAIT};

impl State {
    /// Stores an ordinary message and, if asked, tells the sessions.
    pub(crate) fn post(&mut self, channel: u64, id: u64, author: u64, content: &str, tell: bool) {
        let mut message = FakeMessage::new(id, channel, author);
        content.clone_into(&mut message.content);
        self.post_message(message, tell);
    }

    fn post_message(&mut self, message: FakeMessage, tell: bool) {
        let (channel, id) = (message.channel_id, message.id);
        self.channel_mut(channel);
        self.store_message(message);
        if tell {
            self.message_event("MESSAGE_CREATE", channel, id);
        }
    }
}

/// Messages. Unknown channels panic: they are mistakes of the test.
impl FakeDiscord {
    /// A user writes a message now; returns its id. Panics where a rule of AutoMod blocks it.
    pub fn send(&self, channel: u64, author: u64, content: &str) -> u64 {
        match self.try_send(channel, author, content) {
            Ok(id) => id,
            Err(rule) => panic!("the rule {rule:?} of AutoMod blocks this message"),
        }
    }

    /// As [`Self::send`], with the name of the AutoMod rule that keeps the message from being sent.
    pub fn try_send(&self, channel: u64, author: u64, content: &str) -> Result<u64, String> {
        self.with(|state| {
            let guild = state.channel_mut(channel).guild_id.and_then(|id| state.guilds.get(&id));
            let is_bot = state.users.get(&author).is_some_and(|one| one.bot);
            let rule = guild.and_then(|guild| auto_moderation::blocks(guild, (channel, author, is_bot), content));
            if let Some(rule) = rule {
                return Err(rule.to_owned());
            }
            let id = state.next_id();
            state.post(channel, id, author, content, true);
            Ok(id)
        })
    }

    /// The rules of AutoMod of a guild, as Discord shows them.
    pub fn auto_moderation_rules(&self, guild: u64) -> Vec<serde_json::Value> {
        self.peek(|state| state.guilds.get(&guild).map_or_else(Vec::new, |one| one.rules.values().cloned().collect()))
    }

    /// A message as if written at `at`; returns its id. With `tell` the sessions hear of it.
    pub fn send_at(&self, channel: u64, author: u64, content: &str, at: DateTime<Utc>, tell: bool) -> u64 {
        self.with(|state| {
            let id = state.ids.next(at);
            state.post(channel, id, author, content, tell);
            id
        })
    }

    /// A webhook writes a message now; returns its id.
    pub fn send_webhook(&self, channel: u64, name: &str, content: &str) -> u64 {
        self.with(|state| {
            let (webhook, id) = (state.next_id(), state.next_id());
            let mut message = FakeMessage::new(id, channel, webhook);
            message.webhook = Some(WebhookAuthor { id: webhook, name: name.to_owned() });
            content.clone_into(&mut message.content);
            state.post_message(message, true);
            id
        })
    }

    /// A message of another type now, such as 7 (joined), 6 (pinned) or 21 (thread starter);
    /// returns its id.
    pub fn send_system(&self, channel: u64, author: u64, kind: u8) -> u64 {
        self.with(|state| {
            let id = state.next_id();
            let mut message = FakeMessage::new(id, channel, author);
            message.kind = kind;
            state.post_message(message, true);
            id
        })
    }

    /// Quietly adds `n` messages, the first at `from` and each `step` later; returns their ids.
    pub fn seed(&self, channel: u64, author: u64, n: usize, from: DateTime<Utc>, step: Duration) -> Vec<u64> {
        self.with(|state| {
            let mut at = from;
            let mut ids = Vec::with_capacity(n);
            for index in 0..n {
                let id = state.ids.next(at);
                state.post(channel, id, author, &format!("seeded message {index}"), false);
                ids.push(id);
                at += step;
            }
            ids
        })
    }

    /// Somebody pins a message.
    pub fn pin(&self, channel: u64, message: u64) {
        self.with(|state| state.set_pinned(channel, message, true));
    }

    /// Somebody unpins a message.
    pub fn unpin(&self, channel: u64, message: u64) {
        self.with(|state| state.set_pinned(channel, message, false));
    }

    /// The author edits a message.
    pub fn edit_message_as_user(&self, channel: u64, message: u64, content: &str) {
        self.with(|state| {
            let now = state.now();
            if let Some(found) = state.find_message_mut(channel, message) {
                content.clone_into(&mut found.content);
                found.edited_at = Some(now);
                found.edits += 1;
            }
            state.message_event("MESSAGE_UPDATE", channel, message);
        });
    }

    /// Somebody deletes a message.
    pub fn delete_message_as_user(&self, channel: u64, message: u64) {
        self.with(|state| state.remove_messages(channel, &[message], false));
    }

    /// What was attached, for as long as it is kept: the last 200 files.
    pub fn file(&self, attachment: &serde_json::Value) -> Option<Vec<u8>> {
        let id = attachment["id"].as_str()?.parse().ok()?;
        self.peek(|state| state.file(id).cloned())
    }

    /// Every message in a channel, oldest first, without ephemeral ones.
    pub fn messages(&self, channel: u64) -> Vec<FakeMessage> {
        self.peek(|state| {
            let found = state.channels.get(&channel);
            found.map_or_else(Vec::new, |one| one.messages.values().cloned().collect())
        })
    }

    /// One message, ephemeral ones included.
    pub fn message(&self, channel: u64, id: u64) -> Option<FakeMessage> {
        self.peek(|state| state.find_message(channel, id).cloned())
    }

    /// Waits until a message in the channel satisfies `matches`; panics after 5 s.
    pub async fn wait_message(&self, channel: u64, matches: impl Fn(&FakeMessage) -> bool) -> FakeMessage {
        let found = self
            .wait(WAIT, |state| {
                let all = &state.channels.get(&channel)?.messages;
                all.values().rev().find(|one| matches(one)).cloned()
            })
            .await;
        found.unwrap_or_else(|| {
            let seen: Vec<String> = self.messages(channel).iter().map(FakeMessage::text).collect();
            self.give_up(&format!("no such message in channel {channel}; there are {seen:#?}"))
        })
    }

    /// Waits until the channel's messages as a whole satisfy `matches`; panics after `limit`.
    pub async fn wait_messages(
        &self,
        channel: u64,
        limit: std::time::Duration,
        matches: impl Fn(&[FakeMessage]) -> bool,
    ) -> Vec<FakeMessage> {
        let found = self
            .wait(limit, |state| {
                let all = &state.channels.get(&channel)?.messages;
                let all: Vec<FakeMessage> = all.values().cloned().collect();
                matches(&all).then_some(all)
            })
            .await;
        found.unwrap_or_else(|| {
            let seen: Vec<String> = self.messages(channel).iter().map(FakeMessage::text).collect();
            self.give_up(&format!("channel {channel} never got there; it has {seen:#?}"))
        })
    }
}
