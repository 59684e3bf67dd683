//! What the world is made of.

use std::collections::{BTreeMap, VecDeque};

use chrono::{DateTime, Utc};
use serde_json::Value;

/// The kinds of guild channel a test can make (threads are made with `add_thread`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChannelKind {
    /// An ordinary text channel (type 0).
    Text,
    /// A voice channel (type 2), which also holds messages.
    Voice,
    /// A category (type 4).
    Category,
    /// An announcement channel (type 5).
    Announcement,
    /// A stage (type 13), which also holds messages.
    Stage,
    /// A forum (type 15): only its posts hold messages.
    Forum,
}

impl ChannelKind {
    /// The number Discord uses for this kind.
    pub fn number(self) -> u8 {
        match self {
            Self::Text => 0,
            Self::Voice => 2,
            Self::Category => 4,
            Self::Announcement => 5,
            Self::Stage => 13,
            Self::Forum => 15,
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct User {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) bot: bool,
    pub(crate) dms_open: bool,
    pub(crate) locale: String,
}

/// Somebody of the team that owns the application.
#[derive(Clone, Debug)]
pub(crate) struct TeamMember {
    pub(crate) user: u64,
    /// 1 invited, 2 accepted.
    pub(crate) state: u8,
    /// `admin`, `developer` or `read_only`.
    pub(crate) role: &'static str,
}

#[derive(Clone, Debug)]
pub(crate) struct Role {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) permissions: u64,
    pub(crate) position: i64,
    pub(crate) managed: bool,
    pub(crate) mentionable: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub(crate) roles: Vec<u64>,
    pub(crate) nick: Option<String>,
    pub(crate) joined_at: DateTime<Utc>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Voice {
    pub(crate) channel: u64,
    /// Names the stay: it is the same until they leave.
    pub(crate) session: u64,
    pub(crate) self_mute: bool,
    pub(crate) self_deaf: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Guild {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) owner_id: u64,
    pub(crate) bot_role: u64,
    pub(crate) roles: BTreeMap<u64, Role>,
    pub(crate) members: BTreeMap<u64, Member>,
    pub(crate) voice: BTreeMap<u64, Voice>,
    /// The voice channel for people who are away.
    pub(crate) afk_channel: Option<u64>,
    /// Rules of AutoMod, as Discord shows them.
    pub(crate) rules: BTreeMap<u64, Value>,
    /// Requests to join, as Discord shows them.
    pub(crate) join_requests: BTreeMap<u64, Value>,
    pub(crate) invites: Vec<Invite>,
}

#[derive(Clone, Debug)]
pub(crate) struct Invite {
    pub(crate) code: String,
    /// Whom it is for; empty for anybody.
    pub(crate) users: Vec<u64>,
    /// What those get who come by it.
    pub(crate) roles: Vec<u64>,
}

#[derive(Clone, Debug)]
pub(crate) struct Overwrite {
    /// 0 for a role, 1 for a member.
    pub(crate) kind: u8,
    pub(crate) allow: u64,
    pub(crate) deny: u64,
}

#[derive(Clone, Debug)]
pub(crate) struct Thread {
    pub(crate) owner_id: u64,
    pub(crate) archived: bool,
    pub(crate) locked: bool,
    pub(crate) changed_at: DateTime<Utc>,
    pub(crate) members: Vec<u64>,
    pub(crate) total_sent: u64,
}

#[derive(Clone, Debug)]
pub(crate) struct Channel {
    pub(crate) id: u64,
    /// None for a direct-message channel.
    pub(crate) guild_id: Option<u64>,
    pub(crate) kind: u8,
    pub(crate) name: String,
    pub(crate) topic: Option<String>,
    pub(crate) parent_id: Option<u64>,
    pub(crate) position: i64,
    pub(crate) slowmode: u64,
    pub(crate) nsfw: bool,
    pub(crate) overwrites: BTreeMap<u64, Overwrite>,
    pub(crate) thread: Option<Thread>,
    /// The other person of a direct-message channel.
    pub(crate) recipient: Option<u64>,
    pub(crate) messages: BTreeMap<u64, FakeMessage>,
    pub(crate) last_message_id: Option<u64>,
    pub(crate) last_pin: Option<DateTime<Utc>>,
}

impl Channel {
    /// Whether messages can be in a channel of this kind at all.
    pub(crate) fn holds_messages(&self) -> bool {
        !matches!(self.kind, 4 | 14 | 15 | 16)
    }
}

/// Who wrote a message as something other than an account.
#[derive(Clone, Debug, PartialEq)]
pub struct WebhookAuthor {
    /// The webhook's id.
    pub id: u64,
    /// The name shown.
    pub name: String,
}

/// A message as it stands now.
#[derive(Clone, Debug, PartialEq)]
pub struct FakeMessage {
    /// The message's id.
    pub id: u64,
    /// The channel it is in.
    pub channel_id: u64,
    /// The author's user id (for a webhook message: the webhook's id).
    pub author_id: u64,
    /// Set when a webhook wrote it.
    pub webhook: Option<WebhookAuthor>,
    /// Discord's message type: 0 ordinary, 7 join, 19 reply, 20 slash command, …
    pub kind: u8,
    /// The text.
    pub content: String,
    /// Embeds as received.
    pub embeds: Vec<Value>,
    /// Components as received.
    pub components: Vec<Value>,
    /// Attachments as Discord would show them.
    pub attachments: Vec<Value>,
    /// The request's `allowed_mentions`, as received.
    pub allowed_mentions: Option<Value>,
    /// Message flags: 64 ephemeral, 128 loading, 4 embeds suppressed, …
    pub flags: u64,
    /// Whether it is pinned.
    pub pinned: bool,
    /// When it was pinned last.
    pub pinned_at: Option<DateTime<Utc>>,
    /// When it was last edited.
    pub edited_at: Option<DateTime<Utc>>,
    /// The message it answers.
    pub reply_to: Option<u64>,
    /// The nonce of the request.
    pub nonce: Option<Value>,
    /// The interaction it answers.
    pub interaction_id: Option<u64>,
    /// How many times it was edited since it was made.
    pub edits: u32,
}

impl FakeMessage {
    pub(crate) fn new(id: u64, channel_id: u64, author_id: u64) -> Self {
        Self {
            id,
            channel_id,
            author_id,
            webhook: None,
            kind: 0,
            content: String::new(),
            embeds: Vec::new(),
            components: Vec::new(),
            attachments: Vec::new(),
            allowed_mentions: None,
            flags: 0,
            pinned: false,
            pinned_at: None,
            edited_at: None,
            reply_to: None,
            nonce: None,
            interaction_id: None,
            edits: 0,
        }
    }

    /// When it was written.
    pub fn timestamp(&self) -> DateTime<Utc> {
        crate::snowflake::time_of(self.id)
    }

    /// Whether only the person who used the interaction sees it.
    pub fn is_ephemeral(&self) -> bool {
        self.flags & FLAG_EPHEMERAL != 0
    }

    /// Whether it is still the "thinking…" placeholder of a deferred reply.
    pub fn is_loading(&self) -> bool {
        self.flags & FLAG_LOADING != 0
    }

    /// Everything a person would read, one part a line: content, then each embed's author, title,
    /// description, fields and footer, then attachment names and component labels.
    pub fn text(&self) -> String {
        let mut lines: Vec<String> = Vec::new();
        let mut push = |value: Option<&str>| {
            if let Some(text) = value.filter(|text| !text.is_empty()) {
                lines.push(text.to_owned());
            }
        };
        push(Some(&self.content));
        for embed in &self.embeds {
            push(embed.pointer("/author/name").and_then(Value::as_str));
            push(embed["title"].as_str());
            push(embed["description"].as_str());
            for field in embed["fields"].as_array().into_iter().flatten() {
                push(field["name"].as_str());
                push(field["value"].as_str());
            }
            push(embed.pointer("/footer/text").and_then(Value::as_str));
        }
        for file in &self.attachments {
            push(file["filename"].as_str());
        }
        let mut queue: VecDeque<&Value> = self.components.iter().collect();
        while let Some(part) = queue.pop_front() {
            for key in ["content", "label", "placeholder"] {
                push(part[key].as_str());
            }
            for option in part["options"].as_array().into_iter().flatten() {
                push(option["label"].as_str());
            }
            queue.extend(part["components"].as_array().into_iter().flatten());
        }
        lines.join("\n")
    }

    /// Every button, top to bottom.
    pub fn buttons(&self) -> Vec<Button> {
        leaves(&self.components)
            .into_iter()
            .filter(|part| part["type"] == 2)
            .map(|part| Button {
                label: part["label"].as_str().unwrap_or_default().to_owned(),
                custom_id: part["custom_id"].as_str().map(str::to_owned),
                url: part["url"].as_str().map(str::to_owned),
                style: part["style"].as_u64().unwrap_or(0),
                disabled: part["disabled"].as_bool().unwrap_or(false),
            })
            .collect()
    }

    /// Every select menu as received, top to bottom.
    pub fn selects(&self) -> Vec<Value> {
        leaves(&self.components)
            .into_iter()
            .filter(|part| matches!(part["type"].as_u64(), Some(3 | 5..=8)))
            .cloned()
            .collect()
    }
}

/// Message flag: only the person who used the interaction sees it.
pub const FLAG_EPHEMERAL: u64 = 1 << 6;
/// Message flag: the "thinking…" placeholder.
pub const FLAG_LOADING: u64 = 1 << 7;

/// A button of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Button {
    /// The text on it ("" when it has only an emoji).
    pub label: String,
    /// Its id; None for a link.
    pub custom_id: Option<String>,
    /// Its address; None unless it is a link.
    pub url: Option<String>,
    /// 1 primary, 2 secondary, 3 success, 4 danger, 5 link.
    pub style: u64,
    /// Whether it is greyed out.
    pub disabled: bool,
}

/// The components inside rows, sections and containers.
pub(crate) fn leaves(components: &[Value]) -> Vec<&Value> {
    let mut found = Vec::new();
    for part in components {
        match part["components"].as_array() {
            Some(inner) => found.extend(leaves(inner)),
            None => found.push(part),
        }
        if part["accessory"].is_object() {
            found.push(&part["accessory"]);
        }
        if part["component"].is_object() {
            found.push(&part["component"]);
        }
    }
    found
}
