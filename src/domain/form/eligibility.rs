//! Who may apply, and why not.

use chrono::{DateTime, TimeDelta, Utc};
use entity::{
    application::{self, ApplicationStatus},
    application_block,
    form::FormState,
    id::{DiscordUserId, GuildId},
};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};

use super::{FormRefusal, FormView};
use crate::domain::{Actor, Domain, Error, Member};

/// Somebody who applies, as Discord shows them in this moment.
#[derive(Clone, Debug)]
pub struct Applicant {
    /// Who they are: a member where they apply, an account where they only look at what they have written.
    pub actor: Actor,
    /// Since when they are in the guild; none where Discord does not say.
    pub joined_at: Option<DateTime<Utc>>,
}

impl Applicant {
    /// Their account.
    pub fn user_id(&self) -> Result<DiscordUserId, Error> {
        self.actor.discord_user().ok_or_else(|| FormRefusal::OnlyMembers.into())
    }

    /// Whether they are in this guild, as far as the request shows.
    pub(super) fn member_of(&self, guild_id: GuildId) -> Option<&Member> {
        match &self.actor {
            Actor::Member(member) if member.guild_id == guild_id => Some(member),
            _ => None,
        }
    }

    /// What keeps them from applying, by what Discord and the form say.
    pub(super) fn obstacles(&self, form: &FormView, now: DateTime<Utc>) -> Vec<FormRefusal> {
        let Some(member) = self.member_of(form.guild_id) else { return vec![FormRefusal::OnlyMembers] };
        let rules = &form.config.eligibility;
        let mut found = Vec::new();
        if form.config.state == FormState::Closed {
            found.push(FormRefusal::Closed);
        }
        let lacks = rules.required_roles.iter().filter(|role| !member.roles.contains(role));
        found.extend(lacks.map(|role| FormRefusal::LacksRole { role: *role }));
        let has = rules.blocked_roles.iter().filter(|role| member.roles.contains(role));
        found.extend(has.map(|role| FormRefusal::HasBlockedRole { role: *role }));
        let made = DateTime::from_timestamp_millis(member.user_id.created_at_milliseconds());
        if let Some(at) = made.and_then(|made| after(made, rules.account_age_seconds, now)) {
            found.push(FormRefusal::AccountTooYoung { at });
        }
        // Who is not known to have joined has joined just now.
        if let Some(at) = after(self.joined_at.unwrap_or(now), rules.membership_seconds, now) {
            found.push(FormRefusal::MemberTooNew { at });
        }
        found
    }
}

/// What keeps somebody from applying; nothing lets them. It is looked at again when they send.
pub async fn obstacles(domain: &Domain, applicant: &Applicant, form: &FormView) -> Result<Vec<FormRefusal>, Error> {
    found(domain.store.reader(), applicant, form, domain.now()).await
}

/// The same, for whoever is about to write.
pub(super) async fn found(
    connection: &impl ConnectionTrait,
    applicant: &Applicant,
    form: &FormView,
    now: DateTime<Utc>,
) -> Result<Vec<FormRefusal>, Error> {
    let mut found = applicant.obstacles(form, now);
    let user_id = applicant.user_id()?;
    let rules = &form.config.eligibility;
    let block = application_block::Entity::find_by_id((form.guild_id, user_id)).one(connection).await?;
    if let Some(block) = block.filter(|block| block.until.is_none_or(|until| until > now)) {
        found.push(FormRefusal::Blocked { until: block.until });
    }
    let with_form = |status: ApplicationStatus| {
        application::Entity::find()
            .filter(application::COLUMN.form_id.eq(form.id))
            .filter(application::COLUMN.status.eq(status))
    };
    let own = application::COLUMN.discord_user_id.eq(user_id);
    let open = with_form(ApplicationStatus::Pending).filter(own.clone()).count(connection).await?;
    if i64::try_from(open).is_ok_and(|open| open >= rules.open_max) {
        found.push(FormRefusal::TooManyOpen { open, max: rules.open_max });
    }
    let last = with_form(ApplicationStatus::Rejected)
        .filter(own)
        .order_by_desc(application::Column::DecidedAt)
        .limit(1)
        .one(connection)
        .await?;
    if let Some(until) = last.and_then(|last| last.decided_at).and_then(|at| after(at, rules.cooldown_seconds, now)) {
        found.push(FormRefusal::CoolingDown { until });
    }
    if let Some(limit) = form.config.policy.accept_limit
        && with_form(ApplicationStatus::Approved).count(connection).await? >= u64::from(limit)
    {
        found.push(FormRefusal::Full { limit });
    }
    Ok(found)
}

/// The end of a wait that has not ended yet.
fn after(since: DateTime<Utc>, seconds: i64, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let end = TimeDelta::try_seconds(seconds).and_then(|wait| since.checked_add_signed(wait));
    end.filter(|end| *end > now)
}
