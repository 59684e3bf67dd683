//! Keeps review posts and steps going: what waits for a channel or a right goes on when it is there, and what cannot go
//! on is told to the guild, once a day.

use chrono::{DateTime, Utc};
use entity::{
    application::{self, ApplicationStatus, Model},
    application_step::{self, StepState},
    event,
    id::{ApplicationId, DiscordUserId, GuildId},
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    sea_query::Expr,
};
use serde_json::json;

use super::{Applications, PAGE_MAX};
use crate::{
    domain::{
        Actor, Domain, Error, Right,
        announcement::{self, ALERTS, NewAnnouncement},
        event::reader,
        vanish::PageRequest,
    },
    id_source::IdSource,
    store::WriteTransaction,
};

/// The kind of announcements about review posts that have nowhere to go.
pub const UNPOSTED_KIND: &str = "application.unposted";
/// The reader's name among those of the event log.
const READER: &str = "application_posts";
/// Most posts or steps that one change makes due.
const AGAIN_MAX: u64 = 500;

/// A post that was changed a moment ago is looked at later, so that many votes are one edit. The claim is given back.
pub async fn put_off_post(domain: &Domain, id: ApplicationId, until: DateTime<Utc>) -> Result<(), Error> {
    domain
        .store
        .write((id, until), |txn, (id, until)| {
            Box::pin(async move {
                application::Entity::update_many()
                    .col_expr(application::Column::PostDueAt, Expr::value(*until))
                    .col_expr(application::Column::PostLeasedUntil, Expr::value(None::<DateTime<Utc>>))
                    .col_expr(application::Column::PostAttempts, Expr::value(0))
                    .filter(application::COLUMN.id.eq(*id))
                    .exec(txn.connection())
                    .await?;
                Ok::<_, Error>(())
            })
        })
        .await
}

struct Untold {
    ids: IdSource,
    guild_id: GuildId,
    code: String,
    now: DateTime<Utc>,
}

/// Tells a guild that applications have nowhere to be reviewed, or lack their thread; once a day for each reason.
pub async fn tell_unposted(domain: &Domain, guild_id: GuildId, code: &str) -> Result<(), Error> {
    let input = Untold { ids: domain.ids.clone(), guild_id, code: code.to_owned(), now: domain.now() };
    domain
        .store
        .write(input, |txn, input| {
            Box::pin(async move {
                let Untold { ids, guild_id, code, now } = input;
                let new = NewAnnouncement {
                    guild_id: *guild_id,
                    slot_key: ALERTS.into(),
                    kind: UNPOSTED_KIND,
                    data: json!({ "subject": "application", "state": { "code": code } }),
                    dedupe_key: format!("{UNPOSTED_KIND}:{guild_id}:{code}:{}", now.date_naive()),
                    at: *now,
                };
                announcement::insert(txn, ids, new).await?;
                Ok::<_, Error>(())
            })
        })
        .await
}

/// Looks at at most `batch` events: a slot that leads somewhere again makes posts due. Says how many it handled.
pub async fn follow_slots(domain: &Domain, batch: u64) -> Result<usize, Error> {
    if !reader::has_more(domain, READER).await? {
        return Ok(0);
    }
    domain.store.write((domain.now(), batch), |txn, (now, batch)| Box::pin(follow_in(txn, *now, *batch))).await
}

async fn follow_in(txn: &WriteTransaction, now: DateTime<Utc>, batch: u64) -> Result<usize, Error> {
    let events = reader::take(txn, READER, batch).await?;
    let mut guilds: Vec<GuildId> = events.iter().filter_map(mended).collect();
    guilds.sort_unstable_by_key(|guild| guild.get());
    guilds.dedup();
    for guild_id in guilds {
        posts_again(txn, guild_id, now).await?;
    }
    Ok(events.len())
}

/// The guild whose applications may have a channel now.
fn mended(event: &event::Model) -> Option<GuildId> {
    let is_ours = matches!(event.subject.as_str(), "slot/applications" | "slot/alerts");
    let is_better = matches!(event.kind.as_str(), "slot.set" | "slot.confirmed" | "slot.repaired");
    event.guild_id.filter(|_| is_ours && is_better)
}

async fn posts_again(txn: &WriteTransaction, guild_id: GuildId, now: DateTime<Utc>) -> Result<(), Error> {
    let behind = application::Entity::find()
        .select_only()
        .column(application::Column::Id)
        .filter(application::COLUMN.guild_id.eq(guild_id))
        .filter(application::COLUMN.post_code.is_not_null())
        .filter(
            Condition::any()
                .add(application::Column::Status.eq(ApplicationStatus::Pending))
                .add(application::COLUMN.review_message_id.is_not_null()),
        )
        .order_by_desc(application::COLUMN.submitted_at)
        .limit(AGAIN_MAX)
        .into_query();
    application::Entity::update_many()
        .col_expr(application::Column::PostDueAt, Expr::value(now))
        .col_expr(application::Column::PostAttempts, Expr::value(0))
        .filter(application::Column::Id.in_subquery(behind))
        .exec(txn.connection())
        .await?;
    Ok(())
}

/// The bot may be able to do more than before: what failed for want of a right is tried again.
pub async fn rights_changed(domain: &Domain, guild_id: GuildId) -> Result<(), Error> {
    if blocked(guild_id).limit(1).one(domain.store.reader()).await?.is_none() {
        return Ok(());
    }
    domain
        .store
        .write((guild_id, domain.now()), |txn, (guild_id, now)| {
            Box::pin(async move {
                let blocked =
                    blocked(*guild_id).select_only().column(application_step::Column::Id).limit(AGAIN_MAX).into_query();
                let again = application_step::ActiveModel {
                    state: Set(StepState::Waiting),
                    attempts: Set(0),
                    due_at: Set(Some(*now)),
                    leased_until: Set(None),
                    settled_at: Set(None),
                    ..Default::default()
                };
                application_step::Entity::update_many()
                    .set(again)
                    .filter(application_step::Column::Id.in_subquery(blocked))
                    .filter(application_step::Column::State.eq(StepState::Failed))
                    .exec(txn.connection())
                    .await?;
                posts_again(txn, *guild_id, *now).await
            })
        })
        .await
}

/// Steps of present decisions that failed for want of a right.
fn blocked(guild_id: GuildId) -> sea_orm::Select<application_step::Entity> {
    let of_guild = application::Entity::find()
        .select_only()
        .column(application::Column::Id)
        .filter(application::COLUMN.guild_id.eq(guild_id))
        .filter(
            Expr::col((application::Entity, application::Column::Decision))
                .eq(Expr::col((application_step::Entity, application_step::Column::Decision))),
        )
        .into_query();
    application_step::Entity::find()
        .filter(application_step::Column::State.eq(StepState::Failed))
        .filter(
            Condition::any()
                .add(application_step::COLUMN.last_code.eq("missing_permissions"))
                .add(application_step::Column::LastCode.like("role_order:%")),
        )
        .filter(application_step::Column::ApplicationId.in_subquery(of_guild))
}

/// What somebody has applied for in a guild, the newest first, for those who decide about it.
pub async fn of_applicant(
    domain: &Domain,
    actor: &Actor,
    (guild_id, account): (GuildId, DiscordUserId),
    page: PageRequest,
) -> Result<Applications, Error> {
    actor.require(Right::ReadApplications, Some(guild_id))?;
    let limit = page.limit.clamp(1, PAGE_MAX);
    let mut rows: Vec<Model> = application::Entity::find()
        .filter(application::COLUMN.guild_id.eq(guild_id))
        .filter(application::COLUMN.discord_user_id.eq(account))
        .order_by_desc(application::COLUMN.submitted_at)
        .order_by_desc(application::COLUMN.id)
        .offset(page.offset)
        .limit(limit + 1)
        .all(domain.store.reader())
        .await?;
    let more = rows.len() as u64 > limit;
    rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok(Applications { rows, more })
}
