//! Sends the direct messages that the bot owes, and takes back those that hold a secret.

pub(in crate::worker) mod text;

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use entity::{
    api_key as api_key_row, direct_message,
    id::{ApiKeyId, ChannelId},
};
use serde_json::{Value, json};

use super::{
    Progress, Worker,
    timer_notice::{self, Place},
};
use crate::{
    discord_api::{self, DiscordApi, Lane},
    domain::{
        Actor, Domain, Error, api_key,
        direct_message::{self as messages, DueMessage, Kind, Outcome},
        practice,
    },
};

/// Most events of one step.
const EVENTS_MAX: u64 = 50;
/// Most messages of one step: Discord minds who opens many conversations quickly.
const SENT_MAX: u64 = 5;
/// Most messages that one step takes back.
const TAKEN_BACK_MAX: u64 = 20;
/// Time between two looks at the ends and ages of keys.
const SCAN_MINUTES: i64 = 10;

/// Sends direct messages and takes them back.
pub struct Messenger {
    domain: Domain,
    api: DiscordApi,
    period: Duration,
    /// The looks are harmless to repeat: only their pace is remembered here.
    scan_at: Option<DateTime<Utc>>,
}

impl Messenger {
    /// Made once per lease; looks at least once per `period`.
    pub fn new(domain: Domain, api: DiscordApi, period: Duration) -> Self {
        Self { domain, api, period, scan_at: None }
    }

    async fn scan(&mut self) -> Result<(), Error> {
        let now = self.domain.now();
        if self.scan_at.is_some_and(|at| at > now) {
            return Ok(());
        }
        messages::scan(&self.domain).await?;
        messages::clear_old(&self.domain).await?;
        self.scan_at = Some(now + TimeDelta::minutes(SCAN_MINUTES));
        Ok(())
    }

    async fn send(&self, due: &DueMessage) -> Result<Outcome, Error> {
        let row = &due.row;
        if let Some((kind, facts)) = practice::read_notice(&row.kind, &row.data) {
            if !practice::notice_is_true(&self.domain, kind, &facts).await? {
                return Ok(Outcome::Moot);
            }
            return Ok(self.hand_over(due, &timer_notice::message(kind, &facts, Place::Direct)).await);
        }
        let Some((kind, key)) = Kind::of_name(&row.kind).zip(key_of(&self.domain, &row.data).await?) else {
            return Ok(Outcome::Moot);
        };
        let is_good = api_key::KeyStatus::of(&key, self.domain.now()).is_good();
        if kind.is_about_a_good_key() && !is_good {
            return Ok(Outcome::Moot);
        }
        Ok(self.hand_over(due, &text::message(kind, &key, &row.data)).await)
    }

    async fn hand_over(&self, due: &DueMessage, body: &Value) -> Outcome {
        let row = &due.row;
        if !due.is_wanted {
            return Outcome::Unwanted;
        }
        if due.is_closed {
            return Outcome::Closed;
        }
        // At most 25 characters: the row's own randomness.
        let nonce: String = row.id.0.simple().to_string().chars().skip(7).collect();
        match self.deliver(row, body, &nonce).await {
            Ok(outcome) => outcome,
            Err(discord_api::Error::CannotSendToUser) => Outcome::Closed,
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, kind = row.kind, "a direct message failed");
                let code = if error.is_gone() { "unknown_user" } else { "discord" };
                Outcome::Failed { code: code.to_owned(), retry_in: error.retry_after() }
            }
        }
    }

    async fn deliver(&self, row: &direct_message::Model, body: &Value, nonce: &str) -> discord_api::Result<Outcome> {
        let channel = self.api.create_dm(row.discord_user_id, Lane::Normal).await?;
        let posted = self.api.create_message(channel, body, Some(nonce), Lane::Normal).await?;
        Ok(Outcome::Sent { message_id: posted.message_id, channel_id: posted.channel_id })
    }

    /// Whether the message with the secret is gone from Discord.
    async fn take_back(&self, row: &direct_message::Model) -> bool {
        // Without an id it was never seen to arrive; its key was revoked, so that what may be there opens nothing.
        let Some((channel, message)) = row.channel_id.zip(row.message_id) else { return true };
        match self.api.delete_message(channel, message, false, None, Lane::Normal).await {
            Ok(()) => true,
            Err(error) if error.is_gone() => true,
            Err(error) => {
                let channel = ChannelId::get(channel);
                tracing::warn!(error = &error as &dyn std::error::Error, channel, "a message with a key stays for now");
                false
            }
        }
    }
}

impl Worker for Messenger {
    const NAME: &'static str = "messenger";

    fn period(&self) -> Duration {
        self.period
    }

    async fn step(&mut self) -> Result<Progress, Error> {
        let handled = messages::dispatch(&self.domain, EVENTS_MAX).await? as u64;
        self.scan().await?;
        let expired = messages::claim_expired(&self.domain, TAKEN_BACK_MAX).await?;
        for row in &expired {
            let is_gone = self.take_back(row).await;
            messages::settle_expired(&self.domain, row, is_gone).await?;
        }
        let due = messages::claim(&self.domain, SENT_MAX).await?;
        for message in &due {
            let outcome = self.send(message).await?;
            messages::settle(&self.domain, message.row.id, outcome).await?;
        }
        let more = handled == EVENTS_MAX || due.len() as u64 == SENT_MAX || expired.len() as u64 == TAKEN_BACK_MAX;
        Ok(if more { Progress::MoreWaiting } else { Progress::Drained })
    }
}

/// The key that a message is about, while it exists.
pub(in crate::worker) async fn key_of(domain: &Domain, data: &Value) -> Result<Option<api_key_row::Model>, Error> {
    let Some(id) = data["key_id"].as_str().and_then(|id| id.parse::<ApiKeyId>().ok()) else { return Ok(None) };
    match api_key::key(domain, &Actor::System, id).await {
        Ok(view) => Ok(Some(view.row)),
        Err(error) if error.code() == Some("key.not_found") => Ok(None),
        Err(error) => Err(error),
    }
}

/// Buttons under a notice; they work after a restart.
fn buttons(key: ApiKeyId, verbs: &[(&str, &str, u8)]) -> Value {
    let id = key.to_string();
    let buttons: Vec<_> = verbs
        .iter()
        .map(|(verb, label, style)| {
            let custom_id = discord_api::custom_id("apikey", verb, &[&id]);
            json!({ "type": 2, "style": style, "label": label, "custom_id": custom_id })
        })
        .collect();
    json!([{ "type": 1, "components": buttons }])
}
