//! Applications as their applicants file, change, see and take them back.

use chrono::{DateTime, TimeDelta, Utc};
use entity::{
    application::{self, ApplicationStatus, DecidedHow, Model},
    application_vote,
    id::{ApplicationId, DiscordUserId},
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, EntityTrait, IntoActiveModel, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect,
};
use serde_json::{Value, json};

use super::{Applicant, FormView};
use crate::{
    domain::{
        Domain, Error,
        application::{ApplicationRefusal, GivenAnswer},
        counter,
        event::Author,
        user,
    },
    id_source::IdSource,
    store::WriteTransaction,
};

/// Most applications of one page.
const PAGE_MAX: u64 = 25;

/// What events call an application.
fn subject(id: ApplicationId) -> String {
    format!("application/{id}")
}

/// Files an application; says its id and its number.
pub(super) async fn submit_in(
    txn: &WriteTransaction,
    (author, ids): (&Author, &IdSource),
    (form, discord_user_id): (&FormView, DiscordUserId),
    answers: Vec<GivenAnswer>,
) -> Result<(ApplicationId, i64), Error> {
    let policy = &form.config.policy;
    let now = author.at();
    let user_id = user::of_discord(txn, author, ids, discord_user_id).await?;
    let number = counter::next(txn, &format!("application:{}", form.guild_id)).await?;
    let deadline_at = policy.deadline_hours.map(|hours| now + TimeDelta::hours(i64::from(hours)));
    let row = Model {
        id: ApplicationId(ids.uuid()),
        guild_id: Some(form.guild_id),
        number,
        form_id: Some(form.id),
        user_id: Some(user_id),
        discord_user_id: Some(discord_user_id),
        message_id: None,
        native_request_id: None,
        answers: serde_json::to_value(answers)?,
        policy: serde_json::to_value(policy)?,
        status: ApplicationStatus::Pending,
        submitted_at: now,
        deadline_at,
        is_extended: false,
        waits_for_owner: false,
        due_at: deadline_at,
        voters_count: None,
        decision: 0,
        decided_at: None,
        decided_by: None,
        decided_how: None,
        reason: None,
        reminded_at: None,
        review_channel_id: None,
        review_message_id: None,
        review_thread_id: None,
        revision: 1,
        posted_revision: 0,
        post_due_at: Some(now),
        post_leased_until: None,
        post_attempts: 0,
        post_code: None,
        updated_at: now,
    };
    let id = row.id;
    application::Entity::insert(row.into_active_model()).exec_without_returning(txn.connection()).await?;
    let after = json!({ "number": number, "form_id": form.id, "status": "pending" });
    let event = author.event("application.created", form.guild_id, subject(id), (Value::Null, after));
    txn.append_event(event).await?;
    Ok((id, number))
}

/// One's own application, held, if its answers may still change.
pub(super) async fn editable(
    connection: &impl ConnectionTrait,
    (id, user_id): (ApplicationId, DiscordUserId),
) -> Result<Model, Error> {
    let row = held(connection, (id, user_id)).await?;
    if row.status != ApplicationStatus::Pending {
        return Err(ApplicationRefusal::NotPending { status: row.status }.into());
    }
    let votes = application_vote::Entity::find().filter(application_vote::COLUMN.application_id.eq(id));
    if votes.count(connection).await? > 0 {
        return Err(ApplicationRefusal::HasVotes.into());
    }
    Ok(row)
}

async fn held(
    connection: &impl ConnectionTrait,
    (id, user_id): (ApplicationId, DiscordUserId),
) -> Result<Model, Error> {
    let found = application::Entity::find_by_id(id)
        .filter(application::COLUMN.discord_user_id.eq(user_id))
        .lock_exclusive()
        .one(connection)
        .await?;
    found.ok_or_else(|| ApplicationRefusal::NotFound.into())
}

/// Gives an application other answers; says its number.
pub(super) async fn edit_in(
    txn: &WriteTransaction,
    author: &Author,
    own: (ApplicationId, DiscordUserId),
    answers: Vec<GivenAnswer>,
) -> Result<i64, Error> {
    let row = editable(txn.connection(), own).await?;
    let changed = application::ActiveModel { answers: Set(serde_json::to_value(answers)?), ..Default::default() };
    change(txn, author, &row, ("application.edited", Value::Null), changed).await?;
    Ok(row.number)
}

async fn change(
    txn: &WriteTransaction,
    author: &Author,
    row: &Model,
    (kind, after): (&'static str, Value),
    changed: application::ActiveModel,
) -> Result<(), Error> {
    let now = author.at();
    let changed = application::ActiveModel {
        revision: Set(row.revision + 1),
        post_due_at: Set(Some(now)),
        post_attempts: Set(0),
        updated_at: Set(now),
        ..changed
    };
    application::Entity::update_many()
        .set(changed)
        .filter(application::COLUMN.id.eq(row.id))
        .exec(txn.connection())
        .await?;
    let before = json!({ "number": row.number });
    Ok(txn.append_event(author.event(kind, row.guild_id, subject(row.id), (before, after))).await?)
}

struct Withdraw {
    author: Author,
    user_id: DiscordUserId,
    id: ApplicationId,
}

/// Takes one's own application back; says its number.
pub async fn withdraw(domain: &Domain, applicant: &Applicant, id: ApplicationId) -> Result<i64, Error> {
    let author = Author::new(domain, &applicant.actor);
    let input = Withdraw { author, user_id: applicant.user_id()?, id };
    domain.store.write(input, |txn, input| Box::pin(withdraw_in(txn, input))).await
}

async fn withdraw_in(txn: &WriteTransaction, input: &Withdraw) -> Result<i64, Error> {
    let Withdraw { author, user_id, id } = input;
    let row = held(txn.connection(), (*id, *user_id)).await?;
    if row.status != ApplicationStatus::Pending {
        return Err(ApplicationRefusal::NotPending { status: row.status }.into());
    }
    let changed = application::ActiveModel {
        status: Set(ApplicationStatus::Withdrawn),
        decided_at: Set(Some(author.at())),
        decided_by: Set(Some(author.actor().to_owned())),
        decided_how: Set(Some(DecidedHow::Applicant)),
        due_at: Set(None),
        ..Default::default()
    };
    let after = json!({ "number": row.number, "status": "withdrawn" });
    change(txn, author, &row, ("application.withdrawn", after), changed).await?;
    Ok(row.number)
}

/// One's own application, and whether somebody has voted on it.
#[derive(Clone, Debug, PartialEq)]
pub struct Mine {
    /// The application.
    pub row: Model,
    /// The title of its form, as long as there is one.
    pub title: Option<String>,
    /// What was asked and answered.
    pub answers: Vec<GivenAnswer>,
    /// Whether its answers may still change.
    pub is_editable: bool,
}

/// One's own applications in all guilds, the newest first; those before one, if it is given.
pub async fn mine(
    domain: &Domain,
    applicant: &Applicant,
    before: Option<(DateTime<Utc>, ApplicationId)>,
    limit: u64,
) -> Result<Vec<Mine>, Error> {
    let reader = domain.store.reader();
    let mut query = application::Entity::find().filter(application::COLUMN.discord_user_id.eq(applicant.user_id()?));
    if let Some((at, id)) = before {
        let earlier = Condition::all().add(application::COLUMN.submitted_at.eq(at)).add(application::COLUMN.id.lt(id));
        query = query.filter(Condition::any().add(application::COLUMN.submitted_at.lt(at)).add(earlier));
    }
    let rows = query
        .order_by_desc(application::COLUMN.submitted_at)
        .order_by_desc(application::COLUMN.id)
        .limit(limit.clamp(1, PAGE_MAX))
        .all(reader)
        .await?;
    let mut all = Vec::with_capacity(rows.len());
    for row in rows {
        all.push(shown(reader, row).await?);
    }
    Ok(all)
}

/// One of one's own applications.
pub async fn my_application(domain: &Domain, applicant: &Applicant, id: ApplicationId) -> Result<Mine, Error> {
    let reader = domain.store.reader();
    let found = application::Entity::find_by_id(id)
        .filter(application::COLUMN.discord_user_id.eq(applicant.user_id()?))
        .one(reader)
        .await?;
    shown(reader, found.ok_or(ApplicationRefusal::NotFound)?).await
}

async fn shown(reader: &impl ConnectionTrait, row: Model) -> Result<Mine, Error> {
    let title = match row.form_id {
        Some(id) => entity::form::Entity::find_by_id(id).one(reader).await?.map(|form| form.title),
        None => None,
    };
    let votes = application_vote::Entity::find().filter(application_vote::COLUMN.application_id.eq(row.id));
    let is_editable = row.status == ApplicationStatus::Pending && title.is_some() && votes.count(reader).await? == 0;
    let answers = serde_json::from_value(row.answers.clone())?;
    Ok(Mine { row, title, answers, is_editable })
}
