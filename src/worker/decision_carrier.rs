//! Carries out what follows decisions: roles, invites, join requests, direct messages and threads.

mod text;

use std::time::Duration;

use chrono::TimeDelta;
use entity::{
    application::{ApplicationStatus, Model},
    application_step::{self, StepKind},
    id::{ChannelId, DiscordUserId, GuildId, RoleId},
};
use serde_json::Value;

use super::{Progress, Worker};
use crate::{
    discord_api::{self, DiscordApi, GuildInfo, JoinState, Lane, MemberInfo, NewInvite, permission},
    domain::{
        Domain, Error,
        application::{self, ClaimedStep, Invite, StepOutcome},
        direct_message::{self as messages, Purpose, Reach},
    },
};

/// Most steps of one look: Discord minds who opens many conversations quickly.
const BATCH: u64 = 10;
/// How long an invite is good.
const INVITE_SECONDS: u32 = 7 * 86_400;
/// How long a step waits for somebody who is being let in, or for its post.
const SOON: Duration = Duration::from_secs(30);

/// Carries out steps.
pub struct DecisionCarrier {
    domain: Domain,
    api: DiscordApi,
    period: Duration,
    me: Option<DiscordUserId>,
}

/// What a step came to; a refusal of Discord's becomes an outcome in one place.
type Carried = discord_api::Result<StepOutcome>;

fn skipped(code: &str) -> StepOutcome {
    StepOutcome::Skipped { code: code.to_owned() }
}

fn given_up(code: impl Into<String>) -> StepOutcome {
    StepOutcome::Failed { code: code.into(), retry_in: None, is_final: true }
}

fn later(code: &str) -> StepOutcome {
    StepOutcome::Failed { code: code.to_owned(), retry_in: Some(SOON), is_final: false }
}

fn outcome_of(error: &discord_api::Error) -> StepOutcome {
    tracing::warn!(error = error as &dyn std::error::Error, "a step after a decision failed");
    match error {
        discord_api::Error::CannotSendToUser => given_up("closed"),
        error if error.is_permission_loss() => given_up("missing_permissions"),
        error if error.is_gone() => given_up("gone"),
        error => StepOutcome::Failed { code: "discord".to_owned(), retry_in: error.retry_after(), is_final: false },
    }
}

impl DecisionCarrier {
    /// Made once per lease; looks at least once per `period`.
    pub fn new(domain: Domain, api: DiscordApi, period: Duration) -> Self {
        Self { domain, api, period, me: None }
    }

    async fn carry(&mut self, claimed: &ClaimedStep) -> Result<StepOutcome, Error> {
        let ClaimedStep { step, application: row } = claimed;
        let Some(guild) = row.guild_id else { return Ok(skipped("gone")) };
        if matches!(step.kind, StepKind::ThreadLock | StepKind::ThreadUnlock) {
            let closed = step.kind == StepKind::ThreadLock;
            return Ok(self.thread(row, closed).await.unwrap_or_else(|error| outcome_of(&error)));
        }
        let Some(account) = row.discord_user_id else { return Ok(skipped("gone")) };
        let carried = match step.kind {
            StepKind::RoleAdd | StepKind::RoleRemove => self.role(row, (guild, account), step).await?,
            StepKind::Invite => self.invite(row, (guild, account), step).await?,
            StepKind::NativeRequest => self.answer_request(row, guild).await,
            StepKind::DirectMessage => {
                let name = self.api.guild(guild, Lane::Normal).await.map(|info| info.name);
                match name {
                    Ok(name) => self.tell(account, step, text::decision(row, &name)).await?,
                    Err(error) => Err(error),
                }
            }
            StepKind::ThreadLock | StepKind::ThreadUnlock => Ok(StepOutcome::Done),
        };
        Ok(carried.unwrap_or_else(|error| outcome_of(&error)))
    }

    async fn thread(&self, row: &Model, closed: bool) -> Carried {
        let Some(thread) = row.review_thread_id else {
            // One that was decided before it was posted waits for its post.
            let is_coming = row.review_message_id.is_none() && row.post_due_at.is_some();
            return Ok(if is_coming { later("no_thread") } else { skipped("no_thread") });
        };
        match self.api.close_thread(thread, closed, Some(&text::reason(row)), Lane::Normal).await {
            Ok(()) => Ok(StepOutcome::Done),
            Err(error) if error.is_gone() => Ok(skipped("gone")),
            Err(error) => Err(error),
        }
    }

    async fn role(
        &mut self,
        row: &Model,
        (guild, account): (GuildId, DiscordUserId),
        step: &application_step::Model,
    ) -> Result<Carried, Error> {
        let follow_up = application::policy_of(row)?.follow_up;
        let Ok(role) = step.argument.parse::<RoleId>() else { return Ok(Ok(skipped("gone"))) };
        let member = match self.member(guild, account).await {
            Ok(member) => member,
            Err(error) => return Ok(Err(error)),
        };
        let Some(member) = member else {
            let is_let_in = row.native_request_id.is_some() && row.status == ApplicationStatus::Approved;
            // An invite brings its roles with it.
            let is_invited = follow_up.invite == Invite::Targeted && row.status == ApplicationStatus::Approved;
            return Ok(Ok(if is_let_in && !is_invited { later("not_member_yet") } else { skipped("not_member") }));
        };
        let gives = step.kind == StepKind::RoleAdd;
        if member.roles.contains(&role) == gives {
            return Ok(Ok(StepOutcome::Done));
        }
        Ok(self.change_role((guild, &member), role, gives, &text::reason(row)).await)
    }

    async fn change_role(
        &mut self,
        (guild, member): (GuildId, &MemberInfo),
        role: RoleId,
        gives: bool,
        reason: &str,
    ) -> Carried {
        let info = self.api.guild(guild, Lane::Normal).await?;
        let me = self.own_id().await?;
        let own = self.api.member(guild, me, Lane::Normal).await?;
        if let Some(code) = obstacle(&info, &own, role) {
            return Ok(given_up(code));
        }
        let ids = (guild, member.user_id, role);
        if gives {
            self.api.give_role(ids, Some(reason), Lane::Normal).await?;
        } else {
            self.api.take_role(ids, Some(reason), Lane::Normal).await?;
        }
        Ok(StepOutcome::Done)
    }

    async fn own_id(&mut self) -> discord_api::Result<DiscordUserId> {
        if let Some(me) = self.me {
            return Ok(me);
        }
        let me = self.api.current_user(Lane::Normal).await?.id;
        self.me = Some(me);
        Ok(me)
    }

    /// The applicant, while they are in the guild.
    async fn member(&self, guild: GuildId, account: DiscordUserId) -> discord_api::Result<Option<MemberInfo>> {
        match self.api.member(guild, account, Lane::Normal).await {
            Ok(member) => Ok(Some(member)),
            Err(error) if error.is_gone() => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn invite(
        &self,
        row: &Model,
        (guild, account): (GuildId, DiscordUserId),
        step: &application_step::Model,
    ) -> Result<Carried, Error> {
        match self.member(guild, account).await {
            Ok(None) => {}
            Ok(Some(_)) => return Ok(Ok(skipped("member"))),
            Err(error) => return Ok(Err(error)),
        }
        let roles = application::policy_of(row)?.follow_up.roles_add;
        // One that could not be handed over is good for a week and is handed over again.
        let known = step.last_code.as_deref().and_then(|code| code.strip_prefix("closed:"));
        let is_good = step.settled_at.is_none_or(|at| self.domain.now() < at + TimeDelta::days(6));
        let code = match known.filter(|code| !code.is_empty() && is_good) {
            Some(code) => code.to_owned(),
            None => match self.new_invite(row, (guild, account), roles).await {
                Ok(code) => code,
                Err(error) => return Ok(Err(error)),
            },
        };
        let name = match self.api.guild(guild, Lane::Normal).await {
            Ok(info) => info.name,
            Err(error) => return Ok(Err(error)),
        };
        let told = self.tell(account, step, text::invite(row, &name, &code)).await?;
        Ok(Ok(match told {
            Ok(StepOutcome::Done) => StepOutcome::Done,
            // Reviewers see it on the post, and hand it over in another way.
            _ => given_up(format!("closed:{code}")),
        }))
    }

    async fn new_invite(
        &self,
        row: &Model,
        (guild, account): (GuildId, DiscordUserId),
        roles: Vec<RoleId>,
    ) -> discord_api::Result<String> {
        let channel = self.landing(row, guild).await?;
        let invite = NewInvite { users: vec![account], roles, max_age_seconds: INVITE_SECONDS, max_uses: 1 };
        self.api.create_invite(channel, &invite, Some(&text::reason(row)), Lane::Normal).await
    }

    /// The first channel that everybody sees, which is where newcomers belong; else the one of the review.
    async fn landing(&self, row: &Model, guild: GuildId) -> discord_api::Result<ChannelId> {
        let info = self.api.guild(guild, Lane::Normal).await?;
        let mut channels = self.api.guild_channels(guild, Lane::Normal).await?;
        channels.sort_by_key(|channel| (channel.position, channel.id.get()));
        let stranger = MemberInfo {
            user_id: row.discord_user_id.unwrap_or(info.owner_id.ok_or(discord_api::Error::MissingAccess)?),
            roles: Vec::new(),
            is_bot: false,
            display_name: String::new(),
        };
        let is_open = |channel: &&discord_api::ChannelInfo| {
            let rights = permission::channel_permissions(&info, channel, None, &stranger);
            channel.kind == discord_api::ChannelKind::TEXT && rights & permission::VIEW_CHANNEL != 0
        };
        let open = channels.iter().find(is_open).map(|channel| channel.id);
        open.or(row.review_channel_id).ok_or(discord_api::Error::MissingAccess)
    }

    async fn answer_request(&self, row: &Model, guild: GuildId) -> Carried {
        let Some(request) = row.native_request_id.as_deref().and_then(|id| id.parse::<u64>().ok()) else {
            return Ok(skipped("gone"));
        };
        let approved = row.status == ApplicationStatus::Approved;
        let reason = row.reason.as_deref();
        match self.api.decide_join_request((guild, request), approved, reason, Lane::Normal).await {
            Ok(now) if (now.state == JoinState::Approved) == approved => Ok(StepOutcome::Done),
            Ok(_) => Ok(skipped("decided_otherwise")),
            Err(error) if error.is_gone() => Ok(skipped("gone")),
            Err(error) => Err(error),
        }
    }

    /// Writes to a person as far as they want it.
    async fn tell(
        &self,
        account: DiscordUserId,
        step: &application_step::Model,
        body: Value,
    ) -> Result<Carried, Error> {
        let was_closed = step.last_code.as_deref().is_some_and(|code| code.starts_with("closed"));
        match messages::reach(&self.domain, account, Purpose::Decision).await? {
            Reach::Unwanted => return Ok(Ok(skipped("unwanted"))),
            // Somebody asks for another try, because they have opened their messages.
            Reach::Closed if !was_closed => return Ok(Ok(given_up("closed"))),
            Reach::Closed | Reach::Open => {}
        }
        let sent = self.send(account, step, body).await;
        if matches!(sent, Err(discord_api::Error::CannotSendToUser)) {
            messages::closed_to_secrets(&self.domain, account).await?;
        }
        Ok(sent)
    }

    async fn send(&self, account: DiscordUserId, step: &application_step::Model, body: Value) -> Carried {
        let nonce: String = step.id.0.simple().to_string().chars().skip(7).collect();
        let channel = self.api.create_dm(account, Lane::Normal).await?;
        self.api.create_message(channel, body, Some(&nonce), Lane::Normal).await?;
        Ok(StepOutcome::Done)
    }
}

/// Why the bot cannot hand this role out; calls that would be refused cost its standing.
fn obstacle(guild: &GuildInfo, own: &MemberInfo, role: RoleId) -> Option<String> {
    let Some(wanted) = guild.roles.iter().find(|one| one.id == role) else { return Some("role_gone".to_owned()) };
    if wanted.managed {
        return Some("role_managed".to_owned());
    }
    if permission::missing(permission::guild_permissions(guild, own), permission::MANAGE_ROLES) != 0 {
        return Some("missing_permissions".to_owned());
    }
    let of_ours = guild.roles.iter().filter(|one| own.roles.contains(&one.id));
    let highest = of_ours.max_by_key(|one| (one.position, std::cmp::Reverse(one.id.get())));
    match highest {
        Some(highest) if wanted.position < highest.position => None,
        Some(highest) => Some(format!("role_order:{}", highest.id)),
        None => Some(format!("role_order:{}", guild.id)),
    }
}

impl Worker for DecisionCarrier {
    const NAME: &'static str = "decision_carrier";

    fn period(&self) -> Duration {
        self.period
    }

    async fn step(&mut self) -> Result<Progress, Error> {
        let claimed = application::claim_steps(&self.domain, BATCH).await?;
        for step in &claimed {
            let outcome = self.carry(step).await?;
            application::settle_step(&self.domain, step.step.id, outcome).await?;
        }
        Ok(if claimed.len() as u64 == BATCH { Progress::MoreWaiting } else { Progress::Drained })
    }
}
