//! Seeing how often keys are used, and from where.

use std::collections::HashMap;

use chrono::{DateTime, Datelike as _, TimeDelta, Utc};
use entity::{
    api_key, api_key_caller,
    api_key_usage::{self, Step},
    id::ApiKeyId,
};
use sea_orm::{
    ColumnTrait, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect, Select,
    sea_query::{Expr, SimpleExpr},
};

use super::flush;
use crate::domain::{
    Actor, Domain, Error,
    api_key::{read::visible, refusal::KeyRefusal, specification::require},
    vanish::PageRequest,
};

/// Most moments of one answer: two days of minutes.
const MOMENTS_MAX: i64 = 2_880;
/// Years that both stores know, and in which times have four digits.
const YEARS: std::ops::RangeInclusive<i32> = 1970..=9999;
/// Most rows of one answer.
const ROWS_MAX: u64 = 10_000;
/// Keys that are asked for at once.
const KEYS_BATCH: usize = 500;
/// Most addresses of one answer.
const CALLERS_MAX: u64 = 1_000;

/// Begin, group, requests, and the sum and the maximum of their times.
type Counted = (DateTime<Utc>, Option<String>, i64, i64, i64);

/// By what counts are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// By nothing but their time.
    None,
    /// By route.
    Route,
    /// By outcome.
    Outcome,
}

/// Which counts to see.
#[derive(Clone, Copy, Debug)]
pub struct UsageQuery {
    /// From this moment on; none is as long before `to` as there is a good view of.
    pub from: Option<DateTime<Utc>>,
    /// Up to this moment, without it; none is now.
    pub to: Option<DateTime<Utc>>,
    /// How much time one row covers.
    pub step: Step,
    /// By what rows are told apart.
    pub group: Group,
}

/// Counts of a stretch of time.
#[derive(Clone, Debug)]
pub struct Usage {
    /// Its begin: the step that the asked one lies in.
    pub from: DateTime<Utc>,
    /// Its end.
    pub to: DateTime<Utc>,
    /// The counts, oldest first.
    pub rows: Vec<UsageRow>,
    /// There would have been more of them.
    pub truncated: bool,
}

/// One count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageRow {
    /// Its begin.
    pub starts_at: DateTime<Utc>,
    /// The route, or the outcome, where rows are told apart.
    pub group: Option<String>,
    /// How many requests.
    pub requests: i64,
    /// The sum of their times.
    pub latency_total_microseconds: i64,
    /// The longest.
    pub latency_max_microseconds: i64,
}

/// How often all keys were used.
#[derive(Clone, Debug)]
pub struct KeyTotals {
    /// The begin of the time.
    pub from: DateTime<Utc>,
    /// Its end.
    pub to: DateTime<Utc>,
    /// The keys, the most used one first.
    pub rows: Vec<KeyTotal>,
    /// There are more behind them.
    pub more: bool,
}

/// How often one key was used.
#[derive(Clone, Debug)]
pub struct KeyTotal {
    /// The key.
    pub key: api_key::Model,
    /// How many requests.
    pub requests: i64,
    /// How many of them were not served.
    pub refused: i64,
    /// The sum of their times.
    pub latency_total_microseconds: i64,
    /// The longest.
    pub latency_max_microseconds: i64,
}

impl UsageQuery {
    /// The stretch of time, from the begin of a step on.
    fn range(&self, now: DateTime<Utc>) -> Result<(DateTime<Utc>, DateTime<Utc>), KeyRefusal> {
        let (length, usual) = match self.step {
            Step::Minute => (TimeDelta::minutes(1), TimeDelta::hours(1)),
            Step::Hour => (TimeDelta::hours(1), TimeDelta::days(1)),
            Step::Day => (TimeDelta::days(1), TimeDelta::days(30)),
        };
        let to = self.to.unwrap_or(now + TimeDelta::milliseconds(1));
        if [Some(to), self.from].into_iter().flatten().any(|at| !YEARS.contains(&at.year())) {
            return Err(KeyRefusal::BadRange("Times must lie between the years 1970 and 9999"));
        }
        let from = self.from.unwrap_or(to - usual);
        if from >= to {
            return Err(KeyRefusal::BadRange("from must lie before to"));
        }
        if (to - from).num_seconds() / length.num_seconds() > MOMENTS_MAX {
            return Err(KeyRefusal::BadRange(
                "At most 2880 steps can be seen at once: take a longer step or a shorter time",
            ));
        }
        let seconds = from.timestamp().div_euclid(length.num_seconds()) * length.num_seconds();
        Ok((DateTime::from_timestamp(seconds, 0).unwrap_or(from), to))
    }
}

/// How often a key was used. Includes what this process has not written yet.
pub async fn usage(domain: &Domain, actor: &Actor, id: ApiKeyId, query: UsageQuery) -> Result<Usage, Error> {
    use api_key_usage::Column as C;
    visible(actor, api_key::Entity::find_by_id(id).one(domain.store.reader()).await?)?;
    let (from, to) = query.range(domain.now())?;
    write_waiting(domain).await;
    let mut select = within(query.step, from, to).filter(C::KeyId.eq(id)).column(C::StartsAt).group_by(C::StartsAt);
    let group = match query.group {
        Group::None => None,
        Group::Route => Some(C::Route),
        Group::Outcome => Some(C::Outcome),
    };
    select = match group {
        Some(column) => select.column_as(column, "group").group_by(column),
        None => select.column_as(Expr::value(None::<String>).cast_as("text"), "group"),
    };
    select = sums(select).order_by_asc(C::StartsAt);
    if let Some(column) = group {
        select = select.order_by_asc(column);
    }
    let mut found: Vec<Counted> = select.limit(ROWS_MAX + 1).into_tuple().all(domain.store.reader()).await?;
    let truncated = found.len() as u64 > ROWS_MAX;
    found.truncate(usize::try_from(ROWS_MAX).unwrap_or(usize::MAX));
    let row = |(starts_at, group, requests, latency_total_microseconds, latency_max_microseconds)| UsageRow {
        starts_at,
        group,
        requests,
        latency_total_microseconds,
        latency_max_microseconds,
    };
    Ok(Usage { from, to, rows: found.into_iter().map(row).collect(), truncated })
}

/// How often every key was used, the most used one first; in one look at the store.
pub async fn by_key(
    domain: &Domain,
    actor: &Actor,
    query: UsageQuery,
    page: Option<PageRequest>,
) -> Result<KeyTotals, Error> {
    use api_key_usage::Column as C;
    require(actor, None)?;
    let (from, to) = query.range(domain.now())?;
    let page = page.unwrap_or(PageRequest { limit: ROWS_MAX, offset: 0 });
    write_waiting(domain).await;
    let refused = Expr::case(C::Outcome.ne("ok"), C::Requests.into_expr()).finally(0_i64);
    let select = within(query.step, from, to).column(C::KeyId).group_by(C::KeyId);
    let select = sums(select).column_as(total(refused.into()), "refused");
    let mut found: Vec<(ApiKeyId, i64, i64, i64, i64)> = select
        .order_by_desc(C::Requests.sum())
        .order_by_asc(C::KeyId)
        .limit(page.limit + 1)
        .offset(page.offset)
        .into_tuple()
        .all(domain.store.reader())
        .await?;
    let limit = usize::try_from(page.limit).unwrap_or(usize::MAX);
    let more = found.len() > limit;
    found.truncate(limit);
    let mut keys = HashMap::new();
    for ids in found.chunks(KEYS_BATCH) {
        let rows = api_key::Entity::find().filter(api_key::Column::Id.is_in(ids.iter().map(|row| row.0)));
        keys.extend(rows.all(domain.store.reader()).await?.into_iter().map(|row| (row.id, row)));
    }
    let total = |(id, requests, latency_total_microseconds, latency_max_microseconds, refused)| {
        keys.remove(&id).map(|key| KeyTotal {
            key,
            requests,
            refused,
            latency_total_microseconds,
            latency_max_microseconds,
        })
    };
    Ok(KeyTotals { from, to, rows: found.into_iter().filter_map(total).collect(), more })
}

/// The addresses that use a key, the last one first. Includes what this process has not written yet.
pub async fn callers(domain: &Domain, actor: &Actor, id: ApiKeyId) -> Result<Vec<api_key_caller::Model>, Error> {
    visible(actor, api_key::Entity::find_by_id(id).one(domain.store.reader()).await?)?;
    write_waiting(domain).await;
    Ok(api_key_caller::Entity::find()
        .filter(api_key_caller::COLUMN.key_id.eq(id))
        .order_by_desc(api_key_caller::Column::LastSeenAt)
        .order_by_asc(api_key_caller::Column::Address)
        .limit(CALLERS_MAX)
        .all(domain.store.reader())
        .await?)
}

/// A store that cannot be written to can still be read.
async fn write_waiting(domain: &Domain) {
    if let Err(error) = flush(domain).await {
        tracing::warn!(error = &error as &dyn std::error::Error, "usage of keys could not be written");
    }
}

fn within(step: Step, from: DateTime<Utc>, to: DateTime<Utc>) -> Select<api_key_usage::Entity> {
    use api_key_usage::Column as C;
    api_key_usage::Entity::find()
        .select_only()
        .filter(C::Step.eq(step))
        .filter(C::StartsAt.gte(from))
        .filter(C::StartsAt.lt(to))
}

fn sums(select: Select<api_key_usage::Entity>) -> Select<api_key_usage::Entity> {
    use api_key_usage::Column as C;
    select
        .column_as(total(C::Requests.into_expr()), "requests")
        .column_as(total(C::LatencyTotalMicroseconds.into_expr()), "latency_total")
        .column_as(C::LatencyMaxMicroseconds.max(), "latency_max")
}

/// A sum as a whole number: PostgreSQL makes a decimal one of it.
fn total(expression: SimpleExpr) -> SimpleExpr {
    expression.sum().cast_as("bigint")
}
