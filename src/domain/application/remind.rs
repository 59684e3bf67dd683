//! Reminding those who owe a vote, not too often.

use chrono::{DateTime, TimeDelta, Utc};
use entity::{
    application::{self, ApplicationStatus, Model},
    id::ApplicationId,
};
use sea_orm::{ActiveValue::Set, ColumnTrait, Condition, EntityTrait, QueryFilter};
use serde_json::{Value, json};

use super::{
    ApplicationRefusal, Owing,
    change::{Change, lock, require_pending, votes_of},
    decide::require_or_hide,
    read::policy_of,
    review::owing,
};
use crate::{
    domain::{Actor, Domain, Error, Right, event::Author},
    id_source::IdSource,
    store::WriteTransaction,
};

/// Least time between two reminders.
const PAUSE: TimeDelta = TimeDelta::hours(12);

/// Who is to be reminded.
#[derive(Clone, Debug)]
pub struct Reminder {
    /// Of which application.
    pub application: Model,
    /// They.
    pub owing: Owing,
}

struct Input {
    author: Author,
    ids: IdSource,
    actor: Actor,
    id: ApplicationId,
}

/// Says who is to be reminded of their vote, at most every twelve hours.
pub async fn remind(domain: &Domain, actor: &Actor, id: ApplicationId) -> Result<Reminder, Error> {
    actor.require_somewhere(Right::WriteApplications)?;
    let input = Input { author: Author::new(domain, actor), ids: domain.ids.clone(), actor: actor.clone(), id };
    domain.store.write(input, |txn, input| Box::pin(remind_in(txn, input))).await
}

async fn remind_in(txn: &WriteTransaction, input: &Input) -> Result<Reminder, Error> {
    let change = Change { txn, author: &input.author, ids: &input.ids };
    let mut row = lock(txn, input.id).await?;
    require_or_hide(&input.actor, Right::WriteApplications, &row)?;
    require_pending(&row)?;
    if row.waits_for_owner {
        return Err(ApplicationRefusal::WaitsForOwner.into());
    }
    let now: DateTime<Utc> = change.now();
    let long_ago = Condition::any()
        .add(application::COLUMN.reminded_at.is_null())
        .add(application::COLUMN.reminded_at.lte(now - PAUSE));
    let reminded = application::ActiveModel { reminded_at: Set(Some(now)), ..Default::default() };
    let written = application::Entity::update_many()
        .set(reminded)
        .filter(application::COLUMN.id.eq(row.id))
        .filter(application::Column::Status.eq(ApplicationStatus::Pending))
        .filter(long_ago)
        .exec(txn.connection())
        .await?;
    if written.rows_affected == 0 {
        return Err(ApplicationRefusal::RemindedLately { until: row.reminded_at.unwrap_or(now) + PAUSE }.into());
    }
    row.reminded_at = Some(now);
    let votes = votes_of(txn.connection(), row.id).await?;
    let owing = owing(txn.connection(), &row, &policy_of(&row)?, &votes).await?;
    let after = json!({ "number": row.number, "people": owing.accounts.len() });
    change.tell("application.reminded", &row, (Value::Null, after)).await?;
    Ok(Reminder { application: row, owing })
}
