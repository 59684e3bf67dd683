//! Tells guilds what they must know: events become announcements, announcements become posts in their slot.

use std::time::Duration;

use chrono::{DateTime, Utc};
use entity::{announcement, id::ChannelId};
use serde_json::{Value, json};

use super::{
    Progress, Worker, messenger,
    practice_board::{self, BoardError},
    timer_notice::{self, Place},
};
use crate::{
    discord_api::{self, DiscordApi, Lane},
    domain::{
        Actor, Domain, Error,
        announcement::{self as announcements, Outcome},
        application,
        direct_message::Kind,
        guild, practice,
        slot::{self, SlotKey, SlotProblem},
    },
};

/// Most events and posts of one step.
const BATCH: u64 = 50;

/// Most people whom one reminder pings.
const REMINDED_MAX: usize = 50;

/// Dispatches and posts.
pub struct Announcer {
    domain: Domain,
    api: DiscordApi,
    period: Duration,
}

impl Announcer {
    /// Made once per lease; looks at least once per `period`.
    pub fn new(domain: Domain, api: DiscordApi, period: Duration) -> Self {
        Self { domain, api, period }
    }

    async fn about_key(&self, kind: Kind, data: &Value) -> Result<String, Error> {
        let key = messenger::key_of(&self.domain, data).await?;
        Ok(messenger::text::announcement(kind, key.as_ref(), data))
    }

    async fn post(&self, row: &announcement::Model) -> Result<Outcome, Error> {
        let Ok(key) = row.slot_key.parse::<SlotKey>() else { return Ok(Outcome::NoSlot) };
        let Some(resolved) = slot::resolve(&self.domain, row.guild_id, &key).await? else {
            return Ok(Outcome::NoSlot);
        };
        // A channel that a client merely named is never posted to before Discord says whose it is.
        if !resolved.confirmed {
            return Ok(Outcome::Failed { code: "unconfirmed".to_owned(), retry_in: None });
        }
        let body = match practice::read_notice(&row.kind, &row.data) {
            Some((kind, facts)) if practice::notice_is_true(&self.domain, kind, &facts).await? => {
                timer_notice::message(kind, &facts, Place::Channel)
            }
            Some(_) => return Ok(Outcome::Moot),
            None => {
                let content = match (Kind::of_name(&row.kind), practice::announced(&row.data)) {
                    (Some(kind), _) => self.about_key(kind, &row.data).await?,
                    _ if row.kind == announcements::REMINDED => match self.reminder(row).await? {
                        Some(body) => return Ok(self.create(row, resolved.channel_id, body).await),
                        None => return Ok(Outcome::Moot),
                    },
                    (None, Some(what)) if row.kind == practice::BOARD_KIND => {
                        match practice_board::text(&self.domain, &self.api, row.guild_id, what).await {
                            Ok(content) => content,
                            // Practice has become private in the meantime.
                            Err(BoardError::Domain(Error::Refused(_))) => return Ok(Outcome::Moot),
                            Err(BoardError::Domain(error)) => return Err(error),
                            Err(BoardError::Discord(error)) => return Ok(failed(row, &error)),
                        }
                    }
                    _ => text(row),
                };
                json!({ "content": content, "allowed_mentions": { "parse": [] } })
            }
        };
        Ok(self.create(row, resolved.channel_id, body).await)
    }

    async fn create(&self, row: &announcement::Model, channel: ChannelId, body: Value) -> Outcome {
        // At most 25 characters: the row's own randomness.
        let nonce: String = row.id.0.simple().to_string().chars().skip(7).collect();
        match self.api.create_message(channel, body, Some(&nonce), Lane::Normal).await {
            Ok(posted) => Outcome::Posted { message_id: posted.message_id, channel_id: posted.channel_id },
            Err(error) => failed(row, &error),
        }
    }

    /// Who owes a vote in this moment, and nobody else, is pinged; none where nobody does any more.
    async fn reminder(&self, row: &announcement::Model) -> Result<Option<Value>, Error> {
        let id = row.data["subject"].as_str().and_then(|subject| subject.strip_prefix("application/")?.parse().ok());
        let Some(id) = id else { return Ok(None) };
        let review = match application::review(&self.domain, &Actor::System, id).await {
            Err(error) if error.code() == Some("application.not_found") => return Ok(None),
            review => review?,
        };
        let accounts: Vec<_> = review.owing.accounts.into_iter().take(REMINDED_MAX).collect();
        if accounts.is_empty() {
            return Ok(None);
        }
        let names: Vec<_> = accounts.iter().map(|account| format!("<@{account}>")).collect();
        let number = review.application.number;
        let end =
            review.application.due_at.map_or_else(String::new, |at| format!(" It ends <t:{}:R>.", at.timestamp()));
        let link = match (review.application.review_channel_id, review.application.review_message_id) {
            (Some(channel), Some(message)) => {
                format!(" https://discord.com/channels/{}/{channel}/{message}", row.guild_id)
            }
            _ => String::new(),
        };
        Ok(Some(json!({
            "content": format!("🔔 {}: application **#{number}** waits for your vote.{end}{link}", names.join(" ")),
            "allowed_mentions": { "parse": [], "users": accounts },
        })))
    }
}

fn failed(row: &announcement::Model, error: &discord_api::Error) -> Outcome {
    tracing::warn!(error = error as &dyn std::error::Error, kind = row.kind, "an announcement failed");
    let code = if error.is_permission_loss() { "missing_permissions" } else { "discord" };
    Outcome::Failed { code: code.to_owned(), retry_in: error.retry_after() }
}

impl Worker for Announcer {
    const NAME: &'static str = "announcer";

    fn period(&self) -> Duration {
        self.period
    }

    async fn step(&mut self) -> Result<Progress, Error> {
        guild::due_digests(&self.domain, BATCH).await?;
        practice::due_posts(&self.domain, BATCH).await?;
        let handled = announcements::dispatch(&self.domain, BATCH).await? as u64;
        for row in announcements::claim(&self.domain, BATCH).await? {
            let outcome = self.post(&row).await?;
            announcements::settle(&self.domain, row.id, outcome).await?;
        }
        Ok(if handled == BATCH { Progress::MoreWaiting } else { Progress::Drained })
    }
}

/// What an announcement says: what happened, why, what to do.
fn text(row: &announcement::Model) -> String {
    let data = &row.data;
    let subject = data["subject"].as_str().unwrap_or_default();
    let state = &data["state"];
    match row.kind.as_str() {
        "vanish.suspended" => {
            let channel = subject.strip_prefix("vanish/").unwrap_or_default();
            let missing = state["missing"].as_str().unwrap_or("a permission");
            format!(
                "⏸️ Messages in {} no longer vanish: I lack **{missing}** there. Allow it for my role in the \
                 channel's settings and I go on by myself.",
                channel.parse::<ChannelId>().map_or_else(|_| "a channel".to_owned(), |id| format!("<#{id}>"))
            )
        }
        "api_key.leak_stays" => {
            let channel = state["channel_id"].as_str().unwrap_or_default();
            format!(
                "⚠️ A message with an API key is still in <#{channel}>: I could not remove it. The key is revoked. \
                 Allow **Manage Messages** for my role there."
            )
        }
        "slot.broken" => {
            let key = subject.strip_prefix("slot/").unwrap_or_default();
            let problem = state["problem"].as_str().and_then(SlotProblem::of_code);
            let words = problem.map_or("it cannot be used", SlotProblem::words);
            format!("⚠️ The slot `{key}` is broken: {words}. `/settings slot set` gives it a new channel.")
        }
        application::UNPOSTED_KIND => {
            let why = match state["code"].as_str() {
                Some("no_slot") => "the slot `applications` leads to no channel: `/settings slot set` gives it one",
                Some("no_thread") => "I may not start threads or write in them where applications are reviewed",
                _ => "I may not post where applications are reviewed: `/settings doctor` shows what is missing",
            };
            format!("⚠️ Applications are not shown as they should be: {why}. `/applications queue` has them meanwhile.")
        }
        "application.step_failed" => {
            let number = state["number"].as_i64().unwrap_or_default();
            format!(
                "⚠️ Something that follows the decision on application **#{number}** could not be done. Its review post \
                 and `/applications view number:{number}` say what and why, and have **Retry**."
            )
        }
        guild::digest::DIGEST_KIND => digest_text(data),
        "practice.post_failed" => {
            let period = state["period"]
                .as_str()
                .and_then(|period| ["daily", "weekly", "monthly"].into_iter().find(|one| *one == period));
            let why = match state["code"].as_str() {
                Some("no_slot") => "its slot leads to no channel: `/settings slot set` gives it one",
                Some("private") => "practice is private here: `/practice-admin rules` changes that",
                Some("missing_permissions") => "I may not post there: `/settings doctor` shows what is missing",
                _ => "Discord did not take it, however often I tried",
            };
            let period = period.unwrap_or("due");
            format!(
                "⚠️ The {period} board of practice was not posted: {why}. `/practice-admin post` shows what is set."
            )
        }
        other => format!("ℹ️ {other}"),
    }
}

fn digest_text(data: &Value) -> String {
    let count = |name: &str| data[name].as_i64().unwrap_or(0);
    let since = data["since"].as_str().and_then(|at| at.parse::<DateTime<Utc>>().ok());
    let since = since.map_or_else(|| "so far".to_owned(), |at| format!("since <t:{}:f>", at.timestamp()));
    format!(
        "📋 **Summary** {since}\n• {} messages vanished\n• {} channels vanish, {} are paused, {} lack a permission\n\
         • {} slots are broken",
        count("messages_deleted"),
        count("rules_active"),
        count("rules_paused"),
        count("rules_suspended"),
        count("slots_broken"),
    )
}
