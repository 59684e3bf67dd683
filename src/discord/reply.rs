//! What a person gets to see: one type for first answers, edits and posts.

use serde_json::{Value, json};
use serenity::all::{CreateActionRow, CreateEmbed};

use super::text;
use crate::discord_api::{Attachment, Payload};

/// Discord's flag for an answer that only its reader sees.
const EPHEMERAL: u64 = 1 << 6;

/// A message of the bot.
#[derive(Clone, Debug, Default)]
pub struct Reply {
    content: String,
    embeds: Vec<CreateEmbed>,
    rows: Vec<CreateActionRow>,
    attachments: Vec<Attachment>,
    public: bool,
}

impl Reply {
    /// A private answer of plain text.
    pub fn text(content: impl Into<String>) -> Self {
        Self { content: content.into(), ..Self::default() }
    }

    /// A private answer with a card.
    pub fn card(embed: CreateEmbed) -> Self {
        Self { embeds: vec![embed], ..Self::default() }
    }

    /// Adds a row of buttons or one select menu.
    #[must_use]
    pub fn row(mut self, row: CreateActionRow) -> Self {
        self.rows.push(row);
        self
    }

    /// Adds a card.
    #[must_use]
    pub fn and_card(mut self, embed: CreateEmbed) -> Self {
        self.embeds.push(embed);
        self
    }

    /// Adds a file.
    #[must_use]
    pub fn file(mut self, attachment: Attachment) -> Self {
        self.attachments.push(attachment);
        self
    }

    /// For everybody in the channel to see.
    #[must_use]
    pub fn public(mut self) -> Self {
        self.public = true;
        self
    }

    /// Whether everybody sees it.
    pub fn is_public(&self) -> bool {
        self.public
    }

    fn body(&self) -> Value {
        // Empty lists take away what an edited message had before.
        json!({
            "content": text::bounded(&self.content, text::CONTENT_MAX),
            "embeds": self.embeds,
            "components": self.rows,
            "attachments": [],
            "allowed_mentions": { "parse": [] },
        })
    }

    fn with_files(self, body: &Value) -> Payload {
        self.attachments.into_iter().fold(Payload::new(body), Payload::attach)
    }

    /// As a message, or as the edit of one.
    pub fn into_message(self) -> Payload {
        let body = self.body();
        self.with_files(&body)
    }

    /// As a further private message of an interaction.
    pub fn into_followup(self) -> Payload {
        let mut body = self.body();
        body["flags"] = EPHEMERAL.into();
        self.with_files(&body)
    }

    /// As the first answer of this callback type.
    pub fn into_callback(self, kind: u8) -> Payload {
        let mut data = self.body();
        if !self.public {
            data["flags"] = EPHEMERAL.into();
        }
        self.with_files(&json!({ "type": kind, "data": data }))
    }

    /// The answer that only says "working on it".
    pub fn deferral(kind: u8, public: bool) -> Payload {
        let data = if public { json!({}) } else { json!({ "flags": EPHEMERAL }) };
        Payload::new(&json!({ "type": kind, "data": data }))
    }
}
