//! One sweep of one channel or thread.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use entity::{
    id::{ChannelId, DiscordUserId, GuildId, MessageId, RoleId},
    vanish_rule::{self, RuleState, Threads},
};
use moka::sync::Cache;

use crate::{
    discord_api::{self, DiscordApi, Lane, Page, permission},
    domain::{
        Domain, Error,
        vanish::{
            self, Claim, Outcome, Problem,
            plan::{self, Conclusion, Judge, MessageFacts, Walk},
            schedule::Effective,
        },
    },
};

/// Most pages read in one sweep: enough for `keep_last` at its most.
const PAGES_MAX: usize = 12;
/// Messages of a page.
const PAGE: u8 = 100;
/// Most young messages deleted in one sweep; the rest follows in the next.
const YOUNG_MAX: usize = 500;
/// Most old messages deleted in one sweep: ten seconds of the slow lane.
const OLD_MAX: usize = 50;
/// How long a member's roles are believed.
const ROLES_LIFETIME: Duration = Duration::from_mins(5);
/// Members whose roles are remembered.
const ROLES_MAX: u64 = 20_000;
/// Channels whose threads have been listed.
const LISTED_MAX: usize = 10_000;
/// How long a guild's list of threads is believed; those made later announce themselves.
const THREADS_LIFETIME: Duration = Duration::from_secs(30);
/// How long a guild that has refused a call is asked for the rights first.
const REFUSED_LIFETIME: Duration = Duration::from_mins(10);
/// What a sweep needs in its channel.
const NEEDED: u64 = permission::VIEW_CHANNEL | permission::READ_MESSAGE_HISTORY | permission::MANAGE_MESSAGES;
/// Guilds of which something is remembered.
const GUILDS_MAX: u64 = 2_000;
/// Discord's code for a channel that holds no messages itself, such as a forum.
const WRONG_CHANNEL_TYPE: u32 = 50_024;
/// Somebody changed or paused the rule in the middle of its sweep: the next one goes by the new rule.
const HELD: discord_api::Error = discord_api::Error::Unavailable { reason: "the rule was changed meanwhile" };
/// What goes into Discord's audit log.
const REASON: &str = "Vanishing channel";

/// What all sweeps share.
pub(super) struct Sweeper {
    domain: Domain,
    api: DiscordApi,
    roles: Cache<(GuildId, DiscordUserId), Vec<RoleId>>,
    /// The revision of each rule at which the active threads were listed.
    listed: Mutex<HashMap<ChannelId, i64>>,
    /// Guilds that have refused a call lately.
    refused: Cache<GuildId, ()>,
    /// Active threads, so that the rules of one guild share a call.
    threads: Cache<GuildId, Arc<ThreadList>>,
}

/// The active threads of a guild at a moment.
struct ThreadList {
    read_at: DateTime<Utc>,
    /// Channel and thread.
    threads: Vec<(ChannelId, ChannelId)>,
}

impl Sweeper {
    pub(super) fn new(domain: Domain, api: DiscordApi) -> Self {
        let roles = Cache::builder().max_capacity(ROLES_MAX).time_to_live(ROLES_LIFETIME).build();
        let threads = Cache::builder().max_capacity(GUILDS_MAX).time_to_live(THREADS_LIFETIME).build();
        let refused = Cache::builder().max_capacity(GUILDS_MAX).time_to_live(REFUSED_LIFETIME).build();
        Self { domain, api, roles, listed: Mutex::default(), refused, threads }
    }

    /// Sweeps what was claimed and records the outcome. An error of the store leaves the lease to end by itself.
    pub(super) async fn sweep(&self, claim: Claim) {
        let channel = claim.place.place_id;
        if let Err(error) = self.sweep_and_settle(claim).await {
            tracing::error!(error = &error as &dyn std::error::Error, %channel, "a sweep could not be recorded");
        }
    }

    async fn sweep_and_settle(&self, claim: Claim) -> Result<(), Error> {
        if !claim.is_member {
            return vanish::rest(&self.domain, claim).await;
        }
        if claim.rule.state == RuleState::Unconfirmed {
            return self.confirm(claim).await;
        }
        let Some(effective) = claim.effective.clone() else {
            return vanish::settle(&self.domain, claim, Outcome::default()).await;
        };
        let mut judge = vanish::load_judge(&self.domain, &claim, effective).await?;
        let mut outcome = Outcome::default();
        let swept = async {
            self.look_before(&claim).await?;
            self.list_threads(&claim, &judge.rule).await?;
            if claim.newest_due {
                self.sweep_newest(&claim, &mut judge, &mut outcome).await?;
            }
            if claim.backlog_due {
                self.sweep_backlog(&claim, &mut judge, &mut outcome).await?;
            }
            Ok::<_, discord_api::Error>(())
        };
        if let Err(error) = swept.await {
            outcome.problem = Some(self.problem_there(&claim, &error).await);
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                channel = %claim.place.place_id,
                "a sweep stopped early"
            );
        }
        vanish::settle(&self.domain, claim, outcome).await
    }

    async fn confirm(&self, claim: Claim) -> Result<(), Error> {
        let facts = match self.api.channel(claim.rule.channel_id, Lane::Normal).await {
            Ok(channel) => Some(vanish::ChannelFacts { guild_id: channel.guild_id }),
            Err(error) if error.is_gone() || error.is_permission_loss() => None,
            Err(error) => {
                let outcome = Outcome { problem: Some(problem_of(&error)), ..Outcome::default() };
                return vanish::settle(&self.domain, claim, outcome).await;
            }
        };
        vanish::confirm(&self.domain, claim, facts).await
    }

    /// Finds the active threads once for each change of a rule that reaches into them; later ones announce themselves.
    async fn list_threads(&self, claim: &Claim, rule: &Effective) -> discord_api::Result<()> {
        let channel = claim.rule.channel_id;
        if rule.threads == Threads::Skip || claim.place.place_id != channel {
            return Ok(());
        }
        let known = |listed: &Mutex<HashMap<ChannelId, i64>>| {
            listed.lock().is_ok_and(|listed| listed.get(&channel) == Some(&claim.rule.revision))
        };
        if known(&self.listed) {
            return Ok(());
        }
        for (parent, thread) in &self.active_threads(&claim.rule).await?.threads {
            if *parent == channel
                && let Err(error) = vanish::note_thread(&self.domain, channel, *thread).await
            {
                tracing::error!(error = &error as &dyn std::error::Error, "a thread could not be noted");
            }
        }
        if let Ok(mut listed) = self.listed.lock() {
            if listed.len() >= LISTED_MAX {
                listed.clear();
            }
            listed.insert(channel, claim.rule.revision);
        }
        Ok(())
    }

    /// A list from before the rule's last change may lack threads that nobody announced to it.
    async fn active_threads(&self, rule: &vanish_rule::Model) -> discord_api::Result<Arc<ThreadList>> {
        if let Some(list) = self.threads.get(&rule.guild_id).filter(|list| list.read_at > rule.updated_at) {
            return Ok(list);
        }
        let read_at = self.domain.now();
        let threads = self.api.active_threads(rule.guild_id, Lane::Normal).await?;
        let threads = threads.iter().filter_map(|thread| Some((thread.parent_id?, thread.id))).collect();
        let list = Arc::new(ThreadList { read_at, threads });
        self.threads.insert(rule.guild_id, list.clone());
        Ok(list)
    }

    async fn sweep_newest(&self, claim: &Claim, judge: &mut Judge, outcome: &mut Outcome) -> discord_api::Result<()> {
        let conclusion = self.walk(claim, judge, claim.place.cursor, None).await?;
        outcome.passed_over = conclusion.passed_over;
        let window = judge.rule.window(self.domain.widening());
        match self.delete(claim, Some(&judge.rule), &conclusion, outcome).await {
            Ok(()) => {
                outcome.cursor = Some(conclusion.cursor);
                let next = conclusion.next_due.map(|due_at| due_at + window);
                outcome.next_look = if conclusion.more { Some(self.domain.discord_now()) } else { next };
                Ok(())
            }
            Err((reached, error)) => {
                outcome.cursor = Some(reached);
                Err(error)
            }
        }
    }

    async fn sweep_backlog(&self, claim: &Claim, judge: &mut Judge, outcome: &mut Outcome) -> discord_api::Result<()> {
        let (Some(after), Some(until)) = (claim.place.backlog_after, claim.place.backlog_until) else {
            outcome.backlog = Some(None);
            return Ok(());
        };
        let conclusion = self.walk(claim, judge, after, Some(until)).await?;
        let now = self.domain.discord_now();
        // No bound is promised for these: they were due before the rule was.
        match self.delete(claim, None, &conclusion, outcome).await {
            Ok(()) => {
                let window = judge.rule.window(self.domain.widening());
                let next = conclusion.next_due.map(|due_at| due_at + window);
                let next = if conclusion.more { Some(now) } else { next };
                outcome.backlog = Some(next.map(|due_at| (conclusion.cursor, due_at)));
                Ok(())
            }
            Err((reached, error)) => {
                outcome.backlog = Some(Some((reached, now + TimeDelta::seconds(10))));
                Err(error)
            }
        }
    }

    /// Reads pages from the cursor upwards until everything that is due has been seen.
    async fn walk(
        &self,
        claim: &Claim,
        judge: &mut Judge,
        cursor: MessageId,
        until: Option<MessageId>,
    ) -> discord_api::Result<Conclusion> {
        let mut walk = Walk::new(self.domain.discord_now(), cursor, until);
        for nth in 0..PAGES_MAX {
            let page =
                self.api.messages_after(claim.place.place_id, Some(walk.read_up_to()), PAGE, Lane::Normal).await?;
            if nth == 0 {
                self.check_history(claim, &page).await?;
                walk = Walk::new(self.earlier_now(&page), cursor, until);
            }
            let full = page.is_full;
            let facts = facts(page);
            self.resolve_roles(claim.rule.guild_id, judge, &facts).await?;
            walk.read_page(judge, facts, full);
            let gathered = walk.gathered();
            let enough = gathered.young.len() >= YOUNG_MAX || gathered.old.len() >= OLD_MAX;
            if walk.finished() || (enough && judge.rule.keep_last.is_none()) {
                break;
            }
        }
        Ok(walk.conclude(YOUNG_MAX, OLD_MAX))
    }

    /// The earlier of our clock and Discord's, so that a clock that runs ahead deletes nothing too early.
    fn earlier_now(&self, page: &Page) -> DateTime<Utc> {
        if let Some(server_time) = page.server_time {
            self.domain.learn_discord_time(server_time);
        }
        let now = self.domain.discord_now();
        // The header tells whole seconds: its second has begun.
        page.server_time.map_or(now, |server_time| now.min(server_time + TimeDelta::milliseconds(999)))
    }

    /// Without Read Message History, Discord shows an empty channel instead of refusing.
    async fn check_history(&self, claim: &Claim, page: &Page) -> discord_api::Result<()> {
        if !page.messages.is_empty() {
            return Ok(());
        }
        let place = claim.place.place_id;
        let rights = self.api.own_permissions(claim.rule.guild_id, place, Lane::Normal).await?;
        if permission::missing(rights, permission::READ_MESSAGE_HISTORY) == 0 {
            Ok(())
        } else {
            Err(discord_api::Error::MissingAccess)
        }
    }

    async fn resolve_roles(&self, guild: GuildId, judge: &mut Judge, page: &[MessageFacts]) -> discord_api::Result<()> {
        for author in judge.authors_to_resolve(page) {
            let key = (guild, author);
            let roles = if let Some(roles) = self.roles.get(&key) {
                roles
            } else {
                let roles = match self.api.member(guild, author, Lane::Normal).await {
                    Ok(member) => member.roles,
                    // Who has left has no roles.
                    Err(error) if error.is_gone() => Vec::new(),
                    Err(error) => return Err(error),
                };
                self.roles.insert(key, roles.clone());
                roles
            };
            judge.roles.insert(author, roles);
        }
        Ok(())
    }

    /// Deletes, young ones first, and measures the delay by the rule, if one is given. On failure says up to where
    /// everything is decided.
    async fn delete(
        &self,
        claim: &Claim,
        measured_by: Option<&Effective>,
        conclusion: &Conclusion,
        outcome: &mut Outcome,
    ) -> Result<(), (MessageId, discord_api::Error)> {
        let deletions = &conclusion.deletions;
        let place = claim.place.place_id;
        let mut left: Vec<MessageId> = deletions.young.iter().chain(&deletions.old).copied().collect();
        left.sort_unstable();
        let mut done = |ids: &[MessageId], outcome: &mut Outcome| {
            outcome.deleted += i64::try_from(ids.len()).unwrap_or(i64::MAX);
            left.retain(|id| !ids.contains(id));
            if let Some(rule) = measured_by {
                self.measure(rule, ids);
            }
        };
        let mut failure = None;
        for chunk in deletions.young.chunks(100) {
            if !vanish::still_holds(&self.domain, claim).await {
                failure = Some(HELD);
                break;
            }
            match self.delete_young(place, chunk).await {
                Ok(()) => done(chunk, outcome),
                Err(error) => {
                    failure = Some(error);
                    break;
                }
            }
        }
        if failure.is_none() {
            for id in &deletions.old {
                if !vanish::still_holds(&self.domain, claim).await {
                    failure = Some(HELD);
                    break;
                }
                match self.delete_one(place, *id, true).await {
                    Ok(()) => done(&[*id], outcome),
                    Err(error) => {
                        failure = Some(error);
                        break;
                    }
                }
            }
        }
        match (failure, left.first()) {
            (None, _) => Ok(()),
            (Some(error), None) => Err((conclusion.cursor, error)),
            (Some(error), Some(first)) => Err((MessageId::new(first.get() - 1).unwrap_or(*first), error)),
        }
    }

    async fn delete_young(&self, place: ChannelId, ids: &[MessageId]) -> discord_api::Result<()> {
        if let [id] = ids {
            return self.delete_one(place, *id, false).await;
        }
        match self.api.bulk_delete(place, ids, Some(REASON), Lane::Normal).await {
            // Discord's clock found one too old: one by one works for any age.
            Err(discord_api::Error::TooOldForBulk) => {
                for id in ids {
                    self.delete_one(place, *id, true).await?;
                }
                Ok(())
            }
            outcome => outcome,
        }
    }

    /// A message that is gone already, or that nobody can delete, is done.
    async fn delete_one(&self, place: ChannelId, id: MessageId, old: bool) -> discord_api::Result<()> {
        let lane = if old { Lane::Background } else { Lane::Normal };
        match self.api.delete_message(place, id, old, Some(REASON), lane).await {
            Err(discord_api::Error::NotFound { code: 10_008 } | discord_api::Error::NotDeletable) => Ok(()),
            outcome => outcome,
        }
    }

    /// Where one channel was refused, others of its guild may be: every refused call costs the bot's standing, so that
    /// for a while their rights are looked at first.
    async fn look_before(&self, claim: &Claim) -> discord_api::Result<()> {
        let (guild, place) = (claim.rule.guild_id, claim.place.place_id);
        if !self.refused.contains_key(&guild) {
            return Ok(());
        }
        match self.api.missing_for_messages(guild, place, NEEDED, Lane::Normal).await? {
            0 => Ok(()),
            permission::MANAGE_MESSAGES => Err(discord_api::Error::MissingPermissions),
            _ => Err(discord_api::Error::MissingAccess),
        }
    }

    /// Discord refuses a voice channel's chat without a word about Connect, so the rights are looked at to name it.
    async fn problem_there(&self, claim: &Claim, error: &discord_api::Error) -> Problem {
        let (guild, place) = (claim.rule.guild_id, claim.place.place_id);
        if error.is_permission_loss() && !self.refused.contains_key(&guild) {
            self.refused.insert(guild, ());
            self.api.forget_permissions(guild);
        }
        if matches!(error, discord_api::Error::MissingAccess) {
            let missing = self.api.missing_for_messages(guild, place, NEEDED, Lane::Normal).await;
            if missing == Ok(permission::CONNECT) {
                return Problem::Permission("Connect");
            }
        }
        problem_of(error)
    }

    fn measure(&self, rule: &Effective, ids: &[MessageId]) {
        let now = self.domain.discord_now();
        for id in ids {
            let late = now - rule.due_at(plan::sent_at(*id));
            self.domain.record_lateness(late);
        }
    }
}

fn facts(page: Page) -> Vec<MessageFacts> {
    let unreadable = page.unreadable.into_iter().map(|id| MessageFacts {
        id,
        author_id: None,
        by_bot: false,
        by_webhook: false,
        // What we cannot read we do not delete: a type that nobody can.
        kind: 1,
        pinned: true,
    });
    let readable = page.messages.into_iter().map(|message| MessageFacts {
        id: message.id,
        author_id: message.author_id,
        by_bot: message.author_is_bot,
        by_webhook: message.webhook_id.is_some(),
        kind: message.kind,
        pinned: message.pinned,
    });
    readable.chain(unreadable).collect()
}

fn problem_of(error: &discord_api::Error) -> Problem {
    match error {
        discord_api::Error::MissingAccess => Problem::Permission("View Channel and Read Message History"),
        discord_api::Error::MissingPermissions => Problem::Permission("Manage Messages"),
        discord_api::Error::NotFound { code: 10_003 } => Problem::Gone,
        discord_api::Error::ThreadArchived | discord_api::Error::Rejected { code: WRONG_CHANNEL_TYPE, .. } => {
            Problem::Resting
        }
        error => {
            let wait = error.retry_after().and_then(|wait| TimeDelta::from_std(wait).ok());
            Problem::Transient(wait.unwrap_or(TimeDelta::zero()))
        }
    }
}
