//! Asks Discord about channels that were put into slots over HTTP.

use std::time::Duration;

use super::{Progress, Worker};
use crate::{
    discord_api::{DiscordApi, Lane, permission},
    domain::{
        Domain, Error,
        slot::{self, ChannelFacts, SlotKey, SlotProblem},
    },
};

/// Most slots of one step.
const BATCH: u64 = 20;

/// Turns unconfirmed slots into ready or broken ones.
pub struct SlotConfirmer {
    domain: Domain,
    api: DiscordApi,
    period: Duration,
}

impl SlotConfirmer {
    /// Made once per lease; looks at least once per `period`.
    pub fn new(domain: Domain, api: DiscordApi, period: Duration) -> Self {
        Self { domain, api, period }
    }
}

impl Worker for SlotConfirmer {
    const NAME: &'static str = "slot_confirmer";

    fn period(&self) -> Duration {
        self.period
    }

    async fn step(&mut self) -> Result<Progress, Error> {
        for row in slot::unconfirmed(&self.domain, BATCH).await? {
            let (Some(channel_id), Ok(key)) = (row.channel_id, row.key.parse::<SlotKey>()) else { continue };
            let verdict = match self.api.channel(channel_id, Lane::Normal).await {
                Ok(channel) => match (channel.guild_id, slot::type_of_channel(channel.kind.0)) {
                    (Some(guild_id), Some(slot_type)) => {
                        let rights = match self.api.own_permissions(guild_id, channel_id, Lane::Normal).await {
                            Ok(rights) => rights,
                            Err(error) if error.is_permission_loss() => 0,
                            // No word from Discord is no verdict: ask again at the next look.
                            Err(_) => continue,
                        };
                        let missing_permissions = permission::missing(rights, permission::ALL);
                        Ok(ChannelFacts { channel_id, guild_id, slot_type, missing_permissions })
                    }
                    _ => Err(SlotProblem::WrongType),
                },
                Err(error) if error.is_gone() => Err(SlotProblem::ChannelDeleted),
                Err(error) if error.is_permission_loss() => Err(SlotProblem::NoAccess),
                Err(error) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "a slot's channel could not be read");
                    continue;
                }
            };
            slot::confirm(&self.domain, row.guild_id, &key, channel_id, verdict).await?;
        }
        Ok(Progress::Drained)
    }
}
