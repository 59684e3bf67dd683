//! Brings review posts up to date: posts each application once, starts its thread, and edits the post when votes or the
//! state have changed.

mod card;

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use entity::{
    application::{ApplicationStatus, Model},
    id::{ApplicationId, ChannelId, GuildId, MessageId, RoleId},
};

use self::card::Around;
use super::{Progress, Worker};
use crate::{
    discord_api::{self, DiscordApi, Lane, THREAD_NAME_MAX},
    domain::{
        Actor, Domain, Error,
        application::{self, Policy, PostOutcome, Quorum, Review},
        slot::{self, SlotKey},
    },
};

/// The slot in which applications are reviewed.
pub const SLOT: &str = "applications";
/// Most posts of one step.
const BATCH: u64 = 20;
/// Most events of one step.
const EVENTS_MAX: u64 = 100;
/// Least time between two edits of a post: many votes are one edit.
const PAUSE: TimeDelta = TimeDelta::seconds(3);
/// Posts whose last edit is remembered.
const REMEMBERED_MAX: usize = 10_000;
/// How long the count of a role is believed, and how many are kept.
const COUNTED_FOR: TimeDelta = TimeDelta::minutes(10);
const COUNTS_MAX: usize = 1_000;
/// Discord's code for a message that has a thread already; its id is the message's.
const HAS_THREAD: u32 = 160_004;

/// Posts and edits.
pub struct ReviewPoster {
    domain: Domain,
    api: DiscordApi,
    period: Duration,
    /// Only the pace is remembered here: after a restart a post is edited once more at most.
    edited: HashMap<ApplicationId, DateTime<Utc>>,
    counts: BTreeMap<(u64, u64), (u64, DateTime<Utc>)>,
}

/// What a try came to: an outcome to be settled, or a fault of the store.
type Tried = Result<PostOutcome, Error>;

impl ReviewPoster {
    /// Made once per lease; looks at least once per `period`.
    pub fn new(domain: Domain, api: DiscordApi, period: Duration) -> Self {
        Self { domain, api, period, edited: HashMap::new(), counts: BTreeMap::new() }
    }

    /// Posts or edits; none where the post was edited a moment ago and is put off.
    async fn show(&mut self, row: &Model) -> Result<Option<PostOutcome>, Error> {
        let now = self.domain.now();
        if let Some(at) = self.edited.get(&row.id).filter(|at| now < **at + PAUSE) {
            application::put_off_post(&self.domain, row.id, *at + PAUSE).await?;
            return Ok(None);
        }
        let Some(guild) = row.guild_id else { return Ok(Some(PostOutcome::Shown { place: None })) };
        if row.status == ApplicationStatus::Pending {
            self.count_voters(row, guild).await?;
        }
        let review = application::review(&self.domain, &Actor::System, row.id).await?;
        let around = Around { voters: self.voters(&review.policy, guild).await };
        let outcome = match row.review_channel_id.zip(row.review_message_id) {
            Some(place) => self.edit(&review, around, place).await?,
            None => self.post(&review, around, guild).await?,
        };
        if self.edited.len() >= REMEMBERED_MAX {
            self.edited.retain(|_, at| now < *at + PAUSE);
        }
        self.edited.insert(row.id, now);
        Ok(Some(outcome))
    }

    /// A quorum that is a part of a role needs to know how many have it.
    async fn count_voters(&mut self, row: &Model, guild: GuildId) -> Result<(), Error> {
        let Quorum::Percent { role, .. } = application::policy_of(row)?.quorum else { return Ok(()) };
        let Some(count) = self.count(guild, role).await else { return Ok(()) };
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        if row.voters_count.and_then(|known| u32::try_from(known).ok()) == Some(count) {
            return Ok(());
        }
        application::note_voters(&self.domain, row.id, count).await
    }

    /// How many may vote, where that is who has one role.
    async fn voters(&mut self, policy: &Policy, guild: GuildId) -> Option<u64> {
        match policy.voters.roles.as_slice() {
            [role] => self.count(guild, *role).await,
            _ => None,
        }
    }

    /// As Discord counted a role some minutes ago; none where it does not say.
    async fn count(&mut self, guild: GuildId, role: RoleId) -> Option<u64> {
        let (key, now) = ((guild.get(), role.get()), self.domain.now());
        if let Some((count, _)) = self.counts.get(&key).filter(|(_, at)| now < *at + COUNTED_FOR) {
            return Some(*count);
        }
        let count = self.api.role_member_count(guild, role, Lane::Normal).await.ok()?;
        if self.counts.len() >= COUNTS_MAX {
            self.counts.clear();
        }
        self.counts.insert(key, (count, now));
        Some(count)
    }

    async fn post(&self, review: &Review, around: Around, guild: GuildId) -> Tried {
        let key: SlotKey = SLOT.parse().map_err(Error::from)?;
        let Some(resolved) = slot::resolve(&self.domain, guild, &key).await? else {
            application::tell_unposted(&self.domain, guild, "no_slot").await?;
            return Ok(PostOutcome::NoSlot);
        };
        // A channel that a client merely named is never posted to before Discord says whose it is.
        if !resolved.confirmed {
            return Ok(PostOutcome::Failed { code: "unconfirmed".to_owned(), retry_in: None });
        }
        let nonce = nonce(&review.application);
        let body = card::message(review, around);
        let posted = match self.api.create_message(resolved.channel_id, body, Some(&nonce), Lane::Normal).await {
            Ok(posted) => posted,
            Err(error) => return self.failed(guild, &error).await,
        };
        let place = (posted.channel_id, posted.message_id);
        let thread = match self.thread(review, guild, place).await? {
            Ok(thread) => thread,
            // The same nonce gives the same post at the next try.
            Err(failed) => return Ok(failed),
        };
        Ok(PostOutcome::Shown { place: Some((place.0, place.1, thread)) })
    }

    async fn edit(&self, review: &Review, around: Around, place: (ChannelId, MessageId)) -> Tried {
        let row = &review.application;
        let Some(guild) = row.guild_id else { return Ok(PostOutcome::Shown { place: None }) };
        let body = card::message(review, around);
        match self.api.edit_message(place.0, place.1, body, Lane::Normal).await {
            Ok(()) => {}
            // What was decided long ago is not posted anew because somebody clears the channel.
            Err(error) if error.is_gone() && row.status != ApplicationStatus::Pending => {
                return Ok(PostOutcome::Shown { place: None });
            }
            Err(error) if error.is_gone() => return Ok(PostOutcome::Gone),
            Err(error) => return self.failed(guild, &error).await,
        }
        if row.review_thread_id.is_some() || row.status != ApplicationStatus::Pending {
            return Ok(PostOutcome::Shown { place: None });
        }
        match self.thread(review, guild, place).await? {
            Ok(None) => Ok(PostOutcome::Shown { place: None }),
            Ok(thread) => Ok(PostOutcome::Shown { place: Some((place.0, place.1, thread)) }),
            Err(failed) => Ok(failed),
        }
    }

    /// The thread below a post, with what the post cuts off; none where the bot may not start one.
    async fn thread(
        &self,
        review: &Review,
        guild: GuildId,
        (channel, message): (ChannelId, MessageId),
    ) -> Result<Result<Option<ChannelId>, PostOutcome>, Error> {
        let row = &review.application;
        let name: String = format!("Application #{}", row.number).chars().take(THREAD_NAME_MAX).collect();
        let thread = match self.api.start_thread(channel, message, &name, Lane::Normal).await {
            Ok(thread) => thread,
            Err(discord_api::Error::Rejected { code: HAS_THREAD, .. }) => {
                let Some(thread) = ChannelId::new(message.get()) else { return Ok(Ok(None)) };
                thread
            }
            Err(error) if error.is_transient() => return Ok(Err(self.failed(guild, &error).await?)),
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "a review post stays without a thread");
                application::tell_unposted(&self.domain, guild, "no_thread").await?;
                return Ok(Ok(None));
            }
        };
        let base = nonce(row);
        for (at, part) in card::continued(&review.answers).into_iter().enumerate() {
            let nonce: String = format!("{at}-{base}").chars().take(25).collect();
            if let Err(error) = self.api.create_message(thread, part, Some(&nonce), Lane::Normal).await {
                if error.is_transient() {
                    return Ok(Err(self.failed(guild, &error).await?));
                }
                tracing::warn!(error = &error as &dyn std::error::Error, "a thread stays without long answers");
                application::tell_unposted(&self.domain, guild, "no_thread").await?;
                break;
            }
        }
        Ok(Ok(Some(thread)))
    }

    async fn failed(&self, guild: GuildId, error: &discord_api::Error) -> Tried {
        tracing::warn!(error = error as &dyn std::error::Error, "a review post failed");
        if error.is_permission_loss() {
            application::tell_unposted(&self.domain, guild, "missing_permissions").await?;
        }
        let code = if error.is_permission_loss() { "missing_permissions" } else { "discord" };
        Ok(PostOutcome::Failed { code: code.to_owned(), retry_in: error.retry_after() })
    }
}

/// The application's own randomness, at most 25 characters. A post that is made anew because it went has another one.
fn nonce(row: &Model) -> String {
    let own: String = row.id.0.simple().to_string().chars().skip(8).collect();
    let mark = if row.post_code.as_deref() == Some("gone") { 'b' } else { 'a' };
    format!("{mark}{own}")
}

impl Worker for ReviewPoster {
    const NAME: &'static str = "review_poster";

    fn period(&self) -> Duration {
        self.period
    }

    async fn step(&mut self) -> Result<Progress, Error> {
        let handled = application::follow_slots(&self.domain, EVENTS_MAX).await? as u64;
        let claimed = application::claim_posts(&self.domain, BATCH).await?;
        for row in &claimed {
            let outcome = match self.show(row).await {
                // It was deleted in the meantime.
                Err(error) if error.code() == Some("application.not_found") => continue,
                outcome => outcome?,
            };
            if let Some(outcome) = outcome {
                application::settle_post(&self.domain, row.id, row.revision, outcome).await?;
            }
        }
        let more = handled == EVENTS_MAX || claimed.len() as u64 == BATCH;
        Ok(if more { Progress::MoreWaiting } else { Progress::Drained })
    }
}
