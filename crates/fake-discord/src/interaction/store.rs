//! What is kept of an interaction.

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::Callback;
use crate::model::FakeMessage;
use crate::render;
use crate::state::State;

/// How long the first answer may take.
pub(crate) const FIRST_ANSWER: Duration = Duration::from_secs(3);
/// How long an interaction's token lives, in minutes.
pub(crate) const TOKEN_MINUTES: i64 = 15;

/// Interaction type numbers.
pub(crate) const COMMAND: u8 = 2;
pub(crate) const COMPONENT: u8 = 3;
pub(crate) const AUTOCOMPLETE: u8 = 4;
pub(crate) const MODAL: u8 = 5;

pub(crate) struct InteractionState {
    pub(crate) id: u64,
    pub(crate) token: String,
    pub(crate) kind: u8,
    /// For messages of failed tests, such as `/vanish set`.
    pub(crate) name: String,
    pub(crate) user: u64,
    pub(crate) channel: u64,
    pub(crate) guild: Option<u64>,
    /// The type of the command: 1 chat, 2 user, 3 message.
    pub(crate) command_type: Option<u8>,
    pub(crate) dispatched: Instant,
    pub(crate) dispatched_at: DateTime<Utc>,
    /// The message whose component was used (of a form: whose component opened it).
    pub(crate) source: Option<u64>,
    pub(crate) callback: Option<Callback>,
    /// What `@original` means.
    pub(crate) original: Option<u64>,
    /// The message the person saw first.
    pub(crate) answered: Option<u64>,
    pub(crate) followups: Vec<u64>,
}

impl InteractionState {
    /// Everything the person got to see, first things first.
    pub(crate) fn messages(&self) -> impl Iterator<Item = u64> {
        let rest = self.followups.iter().copied();
        self.answered
            .into_iter()
            .chain(self.original.filter(|id| Some(*id) != self.answered))
            .chain(rest.filter(|id| Some(*id) != self.answered))
    }

    pub(crate) fn is_expired(&self, now: DateTime<Utc>) -> bool {
        now - self.dispatched_at > chrono::Duration::minutes(TOKEN_MINUTES)
    }
}

impl State {
    /// What a message tells of the interaction it answers.
    pub(crate) fn add_interaction_metadata(&self, message: &FakeMessage, value: &mut Value) {
        let Some(one) = message.interaction_id.and_then(|id| self.interactions.get(&id)) else {
            return;
        };
        let owner = one.guild.unwrap_or(0).to_string();
        let mut metadata = json!({
            "id": one.id.to_string(), "type": one.kind,
            "user": self.users.get(&one.user).map(render::user),
            "authorizing_integration_owners": {"0": owner},
        });
        match (one.kind, one.source) {
            (COMMAND, _) => {
                metadata["name"] = json!(one.name.trim_start_matches('/'));
                metadata["command_type"] = json!(one.command_type);
            }
            (COMPONENT, Some(source)) => {
                metadata["interacted_message_id"] = json!(source.to_string());
            }
            (MODAL, _) => {
                let mut trigger = metadata.clone();
                trigger["type"] = json!(COMMAND);
                trigger["name"] = json!("form");
                trigger["command_type"] = json!(1);
                metadata["triggering_interaction_metadata"] = trigger;
            }
            _ => {}
        }
        value["interaction_metadata"] = metadata;
    }
}
