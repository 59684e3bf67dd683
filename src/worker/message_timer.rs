//! Deletes single messages whose own time has come.

use std::time::Duration;

use entity::vanish_message::{self, Fate};

use super::{Progress, Worker};
use crate::{
    discord_api::{self, DiscordApi, Lane, permission},
    domain::{
        Domain, Error,
        vanish::{self, plan},
    },
};

/// Most messages of one step.
const BATCH: u64 = 20;

/// Carries out "Vanish in…", the times that members choose for their own messages, and the end of test posts.
pub struct MessageTimer {
    domain: Domain,
    api: DiscordApi,
    period: Duration,
}

impl MessageTimer {
    /// Made once per lease; looks at least once per `period`.
    pub fn new(domain: Domain, api: DiscordApi, period: Duration) -> Self {
        Self { domain, api, period }
    }
}

impl MessageTimer {
    /// Asked before the messages of a member, which are many: each refused call would cost the bot's standing.
    async fn may_delete(&self, row: &vanish_message::Model) -> bool {
        let needed = permission::VIEW_CHANNEL | permission::MANAGE_MESSAGES;
        let missing = self.api.missing_for_messages(row.guild_id, row.channel_id, needed, Lane::Normal).await;
        // A channel that is gone, and whatever else is wrong, is for the call itself to find out.
        missing.map_or(true, |missing| missing == 0)
    }
}

impl Worker for MessageTimer {
    const NAME: &'static str = "message_timer";

    fn period(&self) -> Duration {
        self.period
    }

    async fn step(&mut self) -> Result<Progress, Error> {
        let due = vanish::claim_due_messages(&self.domain, BATCH).await?;
        let count = due.len() as u64;
        for message in due {
            let row = &message.row;
            if row.fate == Fate::Own && !self.may_delete(row).await {
                vanish::settle_message(&self.domain, &message, false).await?;
                continue;
            }
            let old = self.domain.discord_now() - plan::sent_at(row.message_id) >= vanish::schedule::BULK_AGE;
            let lane = if old { Lane::Background } else { Lane::Normal };
            let reason = Some("This message's own time is over");
            let outcome = self.api.delete_message(row.channel_id, row.message_id, old, reason, lane).await;
            let gone = match &outcome {
                Ok(()) | Err(discord_api::Error::NotDeletable) => true,
                Err(error) => error.is_gone(),
            };
            if let Err(error) = outcome
                && !gone
            {
                tracing::warn!(error = &error as &dyn std::error::Error, "a timed message could not be deleted");
            }
            vanish::settle_message(&self.domain, &message, gone).await?;
        }
        Ok(if count == BATCH { Progress::MoreWaiting } else { Progress::Drained })
    }
}
