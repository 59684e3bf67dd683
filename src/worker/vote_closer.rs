//! Ends votes whose time is over, with or without Discord at hand.

use std::time::Duration;

use entity::{application::Model, id::GuildId};

use super::{Progress, Worker};
use crate::{
    discord_api::{DiscordApi, Lane},
    domain::{
        Actor, Domain, Error,
        application::{self, DueVote, Invite, OnLeave, Quorum},
    },
};

/// Most votes of one step.
const BATCH: u64 = 20;

/// Ends votes.
pub struct VoteCloser {
    domain: Domain,
    /// None where the bot is not in Discord: then roles are not counted, and nobody is looked for.
    api: Option<DiscordApi>,
    period: Duration,
}

impl VoteCloser {
    /// Made once per lease; looks at least once per `period`.
    pub fn new(domain: Domain, api: Option<DiscordApi>, period: Duration) -> Self {
        Self { domain, api, period }
    }

    /// Whether the vote can end now. Where Discord is out of order it waits, because it would end otherwise than it should.
    async fn prepare(&self, vote: &DueVote) -> Result<bool, Error> {
        let Some((api, guild)) = self.api.as_ref().zip(vote.guild_id) else { return Ok(true) };
        let row = application::get(&self.domain, &Actor::System, vote.id).await?;
        if let Quorum::Percent { role, .. } = vote.policy.quorum {
            match api.role_member_count(guild, role, Lane::Normal).await {
                Ok(count) => {
                    let count = u32::try_from(count).unwrap_or(u32::MAX);
                    application::note_voters(&self.domain, vote.id, count).await?;
                }
                Err(error) if error.is_transient() => return Ok(false),
                Err(error) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "a role could not be counted");
                }
            }
        }
        self.look_for_applicant(api, guild, vote, &row).await
    }

    /// Whoever has left without a word is found at the end of their vote.
    async fn look_for_applicant(
        &self,
        api: &DiscordApi,
        guild: GuildId,
        vote: &DueVote,
        row: &Model,
    ) -> Result<bool, Error> {
        // Who is to be let in or invited has never been there.
        let comes_later = row.native_request_id.is_some() || vote.policy.follow_up.invite == Invite::Targeted;
        let Some(account) = row.discord_user_id.filter(|_| !comes_later) else { return Ok(true) };
        if vote.policy.on_leave == OnLeave::Nothing {
            return Ok(true);
        }
        match api.member(guild, account, Lane::Normal).await {
            Err(error) if error.is_gone() => {
                application::note_left(&self.domain, guild, &[account]).await?;
                Ok(true)
            }
            Err(error) if error.is_transient() => Ok(false),
            _ => Ok(true),
        }
    }
}

impl Worker for VoteCloser {
    const NAME: &'static str = "vote_closer";

    fn period(&self) -> Duration {
        self.period
    }

    async fn step(&mut self) -> Result<Progress, Error> {
        let (mut ended, due) = (0, application::due(&self.domain, BATCH).await?);
        for vote in &due {
            if self.prepare(vote).await? {
                ended += u64::from(application::close(&self.domain, vote.id).await?);
            }
        }
        Ok(if ended == BATCH { Progress::MoreWaiting } else { Progress::Drained })
    }
}
