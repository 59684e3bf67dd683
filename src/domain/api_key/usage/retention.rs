//! How long counts are kept: minutes for two days, hours for 90, days for 400; addresses for 90 days.

use chrono::{DateTime, TimeDelta, Utc};
use entity::{
    api_key_caller,
    api_key_usage::{self, Step},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::domain::{Domain, Error};

/// Rows that one transaction forgets, and all others of the last one's moment.
const BATCH: u64 = 1_000;

/// How long counts of a step are kept.
fn kept(step: Step) -> TimeDelta {
    match step {
        Step::Minute => TimeDelta::hours(48),
        Step::Hour => TimeDelta::days(90),
        Step::Day => TimeDelta::days(400),
    }
}

/// How long an address is remembered after its last call.
const CALLERS_KEPT: TimeDelta = TimeDelta::days(90);

/// Forgets a bounded part of what is too old; says whether there may be more.
pub async fn forget_old(domain: &Domain) -> Result<bool, Error> {
    let now = domain.now();
    let mut more = false;
    for step in [Step::Minute, Step::Hour, Step::Day] {
        more |= forget_counts(domain, step, now - kept(step)).await?;
    }
    Ok(forget_callers(domain, now - CALLERS_KEPT).await? || more)
}

async fn forget_counts(domain: &Domain, step: Step, before: DateTime<Utc>) -> Result<bool, Error> {
    let ends: Vec<DateTime<Utc>> = api_key_usage::Entity::find()
        .select_only()
        .column(api_key_usage::Column::StartsAt)
        .filter(api_key_usage::Column::Step.eq(step))
        .filter(api_key_usage::COLUMN.starts_at.lt(before))
        .order_by_asc(api_key_usage::Column::StartsAt)
        .limit(BATCH)
        .into_tuple()
        .all(domain.store.reader())
        .await?;
    let Some(last) = ends.last() else { return Ok(false) };
    domain
        .store
        .write((step, *last), |txn, (step, last)| {
            Box::pin(async move {
                api_key_usage::Entity::delete_many()
                    .filter(api_key_usage::Column::Step.eq(*step))
                    .filter(api_key_usage::COLUMN.starts_at.lte(*last))
                    .exec(txn.connection())
                    .await?;
                Ok::<_, Error>(())
            })
        })
        .await?;
    Ok(ends.len() as u64 == BATCH)
}

async fn forget_callers(domain: &Domain, before: DateTime<Utc>) -> Result<bool, Error> {
    let ends: Vec<DateTime<Utc>> = api_key_caller::Entity::find()
        .select_only()
        .column(api_key_caller::Column::LastSeenAt)
        .filter(api_key_caller::COLUMN.last_seen_at.lt(before))
        .order_by_asc(api_key_caller::Column::LastSeenAt)
        .limit(BATCH)
        .into_tuple()
        .all(domain.store.reader())
        .await?;
    let Some(last) = ends.last() else { return Ok(false) };
    domain
        .store
        .write(*last, |txn, last| {
            Box::pin(async move {
                api_key_caller::Entity::delete_many()
                    .filter(api_key_caller::COLUMN.last_seen_at.lte(*last))
                    .exec(txn.connection())
                    .await?;
                Ok::<_, Error>(())
            })
        })
        .await?;
    Ok(ends.len() as u64 == BATCH)
}
