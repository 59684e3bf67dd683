//! Reading applications: for those who decide about them, and for those who have made them.

use entity::{
    application::{self, ApplicationStatus, Model},
    application_vote,
    id::{ApplicationId, FormId, GuildId, MessageId},
};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Select,
    sea_query::NullOrdering,
};
use serde::Deserialize as _;

use super::{
    ApplicationRefusal, PAGE_MAX, Policy,
    change::votes_of,
    voter::{Voter, has_one_of, names},
};
use crate::domain::{Actor, Domain, Error, Right, vanish::PageRequest};

/// Most applications of one message that are looked at.
const SAME_MESSAGE_MAX: u64 = 100;

/// In which order applications are listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ApplicationOrder {
    /// The newest first.
    #[default]
    Newest,
    /// The one whose vote ends next first; those without an end last.
    Deadline,
}

/// Which applications to list.
#[derive(Clone, Debug)]
pub struct ApplicationFilter {
    /// Those of this guild.
    pub guild_id: Option<GuildId>,
    /// Those that stand so.
    pub status: Option<ApplicationStatus>,
    /// Those of this form.
    pub form_id: Option<FormId>,
    /// Only those that the caller has not voted on.
    pub is_unvoted: bool,
    /// In which order.
    pub order: ApplicationOrder,
    /// Which part of the list.
    pub page: PageRequest,
}

impl ApplicationFilter {
    /// All of a page, the newest first.
    pub fn all(page: PageRequest) -> Self {
        Self { guild_id: None, status: None, form_id: None, is_unvoted: false, order: ApplicationOrder::Newest, page }
    }
}

/// A list of applications.
#[derive(Clone, Debug)]
pub struct Applications {
    /// They.
    pub rows: Vec<Model>,
    /// There are more behind them.
    pub more: bool,
}

/// The policy under which an application is decided.
pub fn policy_of(row: &Model) -> Result<Policy, Error> {
    Ok(Policy::deserialize(&row.policy)?)
}

/// Applications; those of the caller's guild, where they are bound to one.
pub async fn list(domain: &Domain, actor: &Actor, filter: ApplicationFilter) -> Result<Applications, Error> {
    let guild_id = filter.guild_id.or_else(|| actor.bound_guild());
    actor.require(Right::ReadApplications, guild_id)?;
    let reader = domain.store.reader();
    let mut found = application::Entity::find()
        .apply_if(guild_id, |rows, id| rows.filter(application::COLUMN.guild_id.eq(id)))
        .apply_if(filter.status, |rows, status| rows.filter(application::Column::Status.eq(status)))
        .apply_if(filter.form_id, |rows, id| rows.filter(application::COLUMN.form_id.eq(id)));
    if filter.is_unvoted {
        let voter = Voter::of(reader, actor, None).await?;
        let own = application_vote::Entity::find()
            .select_only()
            .column(application_vote::Column::ApplicationId)
            .filter(application_vote::Column::Voter.is_in(voter.names()))
            .into_query();
        found = found.filter(application::Column::Id.not_in_subquery(own));
    }
    if filter.order == ApplicationOrder::Deadline {
        found = found.order_by_with_nulls(application::COLUMN.deadline_at, sea_orm::Order::Asc, NullOrdering::Last);
    }
    part(reader, newest(found), filter.page).await
}

/// The caller's own, the newest first.
pub async fn own(domain: &Domain, actor: &Actor, page: PageRequest) -> Result<Applications, Error> {
    let reader = domain.store.reader();
    let voter = match actor {
        Actor::Account(account) => Voter::known_as(reader, account.user_id.to_string()).await?,
        _ => Voter::of(reader, actor, None).await?,
    };
    let theirs = Condition::any()
        .add_option(voter.user_id.map(|id| application::COLUMN.user_id.eq(id)))
        .add(application::COLUMN.discord_user_id.is_in(voter.accounts.iter().copied()));
    part(reader, newest(application::Entity::find().filter(theirs)), page).await
}

fn newest(found: Select<application::Entity>) -> Select<application::Entity> {
    found.order_by_desc(application::COLUMN.submitted_at).order_by_desc(application::COLUMN.id)
}

async fn part(
    connection: &impl ConnectionTrait,
    found: Select<application::Entity>,
    page: PageRequest,
) -> Result<Applications, Error> {
    let limit = page.limit.clamp(1, PAGE_MAX);
    let mut rows = found.offset(page.offset).limit(limit + 1).all(connection).await?;
    let more = rows.len() as u64 > limit;
    rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok(Applications { rows, more })
}

/// Refuses unless the actor has made this application; to others it is not there.
pub(super) async fn require_applicant(
    connection: &impl ConnectionTrait,
    actor: &Actor,
    row: &Model,
) -> Result<(), Error> {
    if is_applicant(connection, actor, row).await? { Ok(()) } else { Err(ApplicationRefusal::NotFound.into()) }
}

async fn is_applicant(connection: &impl ConnectionTrait, actor: &Actor, row: &Model) -> Result<bool, Error> {
    let voter = match actor {
        Actor::Account(account) => Voter::known_as(connection, account.user_id.to_string()).await?,
        Actor::Member(_) | Actor::User(_) => Voter::of(connection, actor, None).await?,
        _ => return Ok(false),
    };
    Ok(voter.applies(row))
}

/// Whether the actor is among those who decide about this application.
pub(super) fn judges(actor: &Actor, row: &Model, policy: &Policy) -> bool {
    if actor.may(Right::ReadApplications, row.guild_id) {
        return true;
    }
    match actor {
        Actor::Member(member) if Some(member.guild_id) == row.guild_id => {
            names(policy, member) || has_one_of(member, &policy.override_roles)
        }
        _ => false,
    }
}

/// One application, for those who decide about it and for whoever has made it.
pub async fn get(domain: &Domain, actor: &Actor, id: ApplicationId) -> Result<Model, Error> {
    if matches!(actor, Actor::Key(_)) {
        actor.require_somewhere(Right::ReadApplications)?;
    }
    let found = application::Entity::find_by_id(id).one(domain.store.reader()).await?;
    seen(domain, actor, found).await
}

async fn seen(domain: &Domain, actor: &Actor, found: Option<Model>) -> Result<Model, Error> {
    let row = found.ok_or(ApplicationRefusal::NotFound)?;
    if judges(actor, &row, &policy_of(&row)?) || is_applicant(domain.store.reader(), actor, &row).await? {
        Ok(row)
    } else {
        Err(ApplicationRefusal::NotFound.into())
    }
}

/// The application of a number: in the guild that is named, else in the caller's, else in the operator's, else of none.
pub async fn by_number(domain: &Domain, actor: &Actor, guild_id: Option<GuildId>, number: i64) -> Result<Model, Error> {
    if matches!(actor, Actor::Key(_)) {
        actor.require_somewhere(Right::ReadApplications)?;
    }
    let guild_id = guild_id.or_else(|| actor.bound_guild()).or(domain.limits().applications.guild_id);
    let of_guild = match guild_id {
        Some(id) => application::COLUMN.guild_id.eq(id),
        None => application::COLUMN.guild_id.is_null(),
    };
    let found = application::Entity::find()
        .filter(application::COLUMN.number.eq(number))
        .filter(of_guild)
        .one(domain.store.reader())
        .await?;
    seen(domain, actor, found).await
}

/// The application that a program has bound to a message.
pub async fn by_message(domain: &Domain, actor: &Actor, message_id: &str) -> Result<Model, Error> {
    if matches!(actor, Actor::Key(_)) {
        actor.require_somewhere(Right::ReadApplications)?;
    }
    if !super::fits(message_id, usize::MAX) {
        return Err(ApplicationRefusal::NotFound.into());
    }
    let found = application::Entity::find()
        .filter(application::Column::MessageId.eq(message_id))
        .apply_if(actor.bound_guild(), |rows, id| rows.filter(application::COLUMN.guild_id.eq(id)))
        .limit(SAME_MESSAGE_MAX);
    for row in newest(found).all(domain.store.reader()).await? {
        if let Ok(row) = seen(domain, actor, Some(row)).await {
            return Ok(row);
        }
    }
    Err(ApplicationRefusal::NotFound.into())
}

/// The application that a review post of ours shows, for members of its guild.
pub async fn by_review_message(domain: &Domain, actor: &Actor, message_id: MessageId) -> Result<Model, Error> {
    let found = application::Entity::find()
        .filter(application::COLUMN.review_message_id.eq(message_id))
        .one(domain.store.reader())
        .await?;
    let is_there = |row: &Model| match actor {
        Actor::Member(member) => row.guild_id == Some(member.guild_id),
        Actor::System => true,
        _ => false,
    };
    Ok(found.filter(is_there).ok_or(ApplicationRefusal::NotFound)?)
}

/// The votes on an application, the oldest first. While a blind vote goes on, nobody sees them.
pub async fn votes(domain: &Domain, actor: &Actor, id: ApplicationId) -> Result<Vec<application_vote::Model>, Error> {
    let row = get(domain, actor, id).await?;
    let policy = policy_of(&row)?;
    if !judges(actor, &row, &policy) {
        actor.require(Right::ReadApplications, row.guild_id)?;
    }
    if is_hidden(&row, &policy) && !matches!(actor, Actor::System) {
        return Err(ApplicationRefusal::Blind.into());
    }
    Ok(votes_of(domain.store.reader(), id).await?)
}

/// Whether votes are not shown yet.
pub(super) fn is_hidden(row: &Model, policy: &Policy) -> bool {
    policy.blind && row.status == ApplicationStatus::Pending
}
