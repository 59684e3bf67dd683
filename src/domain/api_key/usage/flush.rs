//! Writing what was counted: one transaction for as many keys as fit into it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use entity::{
    api_key,
    api_key_caller::{self, Model as CallerRow},
    api_key_usage::{self, Model as UsageRow, Step},
    id::{ApiKeyId, GuildId},
};
use sea_orm::{
    ColumnTrait, EntityTrait, ExprTrait, IntoActiveModel, QueryFilter, QuerySelect,
    sea_query::{CaseStatement, Expr, IntoColumnRef, OnConflict},
};
use serde_json::{Value, json};

use super::{Tally, Waiting, address_text, begin_of, network_text};
use crate::{
    domain::{Domain, Error, api_key::subject, event::Author},
    store::WriteTransaction,
};

/// Most details of one transaction; a single key may have a few more.
const BATCH_DETAILS: usize = 4_096;
/// Rows of one statement: their parameters stay far below what both engines take.
const ROWS: usize = 1_000;
/// Most networks of one key that one transaction reports as new.
const NEW_NETWORKS_MAX: usize = 10;
const MINUTES_PER_HOUR: i64 = 60;
const MINUTES_PER_DAY: i64 = 24 * MINUTES_PER_HOUR;

type Batch = Arc<Vec<(ApiKeyId, Waiting)>>;

/// Writes what was counted; returns for how many keys. What a failed write held stays for the next one.
///
/// A write whose answer is lost, because the connection broke at its end, is counted twice: usage is no bill.
pub async fn flush(domain: &Domain) -> Result<usize, Error> {
    let _turn = domain.usage.hold_flush().await;
    let taken = domain.usage.take();
    let keys = taken.len();
    let mut batches = batches(taken).into_iter();
    while let Some(batch) = batches.next() {
        let input = (Author::system(domain), batch.clone());
        let written = domain.store.write(input, |txn, (author, batch)| Box::pin(write(txn, author, batch))).await;
        if let Err(error) = written {
            domain.usage.put_back(&batch);
            batches.for_each(|batch| domain.usage.put_back(&batch));
            return Err(error);
        }
    }
    Ok(keys)
}

fn batches(taken: Vec<(ApiKeyId, Waiting)>) -> Vec<Batch> {
    let mut batches = Vec::new();
    let mut open = Vec::new();
    let mut details = 0;
    for (key, waiting) in taken {
        details += waiting.details() + 1;
        open.push((key, waiting));
        if details >= BATCH_DETAILS {
            batches.push(Arc::new(std::mem::take(&mut open)));
            details = 0;
        }
    }
    if !open.is_empty() {
        batches.push(Arc::new(open));
    }
    batches
}

async fn write(txn: &WriteTransaction, author: &Author, batch: &Batch) -> Result<(), Error> {
    for (key, waiting) in batch.iter() {
        write_totals(txn, *key, waiting).await?;
    }
    for rows in usage_rows(batch).chunks(ROWS) {
        write_usage(txn, rows).await?;
    }
    // The rows of the keys are locked by now: of two processes the second one sees what the first has found.
    report_networks(txn, author, batch).await?;
    let callers: Vec<CallerRow> = batch.iter().flat_map(|(key, waiting)| caller_rows(*key, waiting)).collect();
    for rows in callers.chunks(ROWS) {
        write_callers(txn, rows).await?;
    }
    Ok(())
}

async fn write_totals(txn: &WriteTransaction, key: ApiKeyId, waiting: &Waiting) -> Result<(), Error> {
    use api_key::Column as C;
    api_key::Entity::update_many()
        .col_expr(C::TotalRequests, Expr::col(C::TotalRequests).add(waiting.requests))
        .filter(api_key::COLUMN.id.eq(key))
        .exec(txn.connection())
        .await?;
    let last = begin_of(waiting.last_minute);
    api_key::Entity::update_many()
        .col_expr(C::LastUsedAt, Expr::value(last))
        .filter(api_key::COLUMN.id.eq(key))
        .filter(C::LastUsedAt.is_null().or(C::LastUsedAt.lt(last)))
        .exec(txn.connection())
        .await?;
    Ok(())
}

/// The counts of a batch by minute, hour and day.
fn usage_rows(batch: &Batch) -> Vec<UsageRow> {
    let mut sums: BTreeMap<(ApiKeyId, Step, i64, &str, &'static str), Tally> = BTreeMap::new();
    for (key, waiting) in batch.iter() {
        for ((minute, outcome), routes) in &waiting.tallies {
            for (route, tally) in routes {
                for (step, length) in [(Step::Minute, 1), (Step::Hour, MINUTES_PER_HOUR), (Step::Day, MINUTES_PER_DAY)]
                {
                    let begin = minute.div_euclid(length) * length;
                    sums.entry((*key, step, begin, route, outcome.name())).or_default().add(*tally);
                }
            }
        }
    }
    let row = |((key_id, step, begin, route, outcome), tally): ((ApiKeyId, Step, i64, &str, &str), Tally)| UsageRow {
        key_id,
        step,
        starts_at: begin_of(begin),
        route: route.to_owned(),
        outcome: outcome.to_owned(),
        requests: tally.requests,
        latency_total_microseconds: tally.latency_total_microseconds,
        latency_max_microseconds: tally.latency_max_microseconds,
    };
    sums.into_iter().map(row).collect()
}

/// The value that an insert brought along when it met a row.
fn brought<C: ColumnTrait>(column: C) -> Expr {
    Expr::col(("excluded", sea_orm::sea_query::DynIden::from(column.to_string())).into_column_ref())
}

/// The row's own value and what was brought, added.
fn added<C: ColumnTrait>(column: C) -> Expr {
    column.into_expr().add(brought(column))
}

/// The larger one of the row's own value and what was brought.
fn larger<C: ColumnTrait>(column: C) -> Expr {
    let is_larger = brought(column).gt(column.into_expr());
    CaseStatement::new().case(is_larger, brought(column)).finally(column.into_expr()).into()
}

async fn write_usage(txn: &WriteTransaction, rows: &[UsageRow]) -> Result<(), Error> {
    use api_key_usage::Column as C;
    let conflict = OnConflict::columns([C::KeyId, C::Step, C::StartsAt, C::Route, C::Outcome])
        .value(C::Requests, added(C::Requests))
        .value(C::LatencyTotalMicroseconds, added(C::LatencyTotalMicroseconds))
        .value(C::LatencyMaxMicroseconds, larger(C::LatencyMaxMicroseconds))
        .to_owned();
    api_key_usage::Entity::insert_many(rows.iter().cloned().map(IntoActiveModel::into_active_model))
        .on_conflict(conflict)
        .exec_without_returning(txn.connection())
        .await?;
    Ok(())
}

fn caller_rows(key_id: ApiKeyId, waiting: &Waiting) -> Vec<CallerRow> {
    let mut rows: Vec<CallerRow> = waiting
        .callers
        .iter()
        .map(|(address, call)| CallerRow {
            key_id,
            address: address_text(*address),
            network: network_text(*address),
            last_route: call.route.clone(),
            requests: call.requests,
            first_seen_at: begin_of(call.first_minute),
            last_seen_at: begin_of(call.last_minute),
        })
        .collect();
    rows.sort_unstable_by(|one, other| one.address.cmp(&other.address));
    rows
}

async fn write_callers(txn: &WriteTransaction, rows: &[CallerRow]) -> Result<(), Error> {
    use api_key_caller::Column as C;
    let conflict = OnConflict::columns([C::KeyId, C::Address])
        .value(C::Requests, added(C::Requests))
        .value(C::LastRoute, brought(C::LastRoute))
        .value(C::LastSeenAt, larger(C::LastSeenAt))
        .to_owned();
    api_key_caller::Entity::insert_many(rows.iter().cloned().map(IntoActiveModel::into_active_model))
        .on_conflict(conflict)
        .exec_without_returning(txn.connection())
        .await?;
    Ok(())
}

/// Writes an event for each network from which a key was never used before, but for its very first one.
async fn report_networks(txn: &WriteTransaction, author: &Author, batch: &Batch) -> Result<(), Error> {
    for (key, waiting) in batch.iter().filter(|(_, waiting)| !waiting.callers.is_empty()) {
        let mut networks = by_first_use(waiting);
        let known = known_networks(txn, *key, &networks).await?;
        if known.is_empty() && is_unused(txn, *key).await? {
            networks.remove(0);
        }
        networks.retain(|network| !known.contains(network));
        if networks.is_empty() {
            continue;
        }
        let guild = guild_of(txn, *key).await?;
        for network in networks.into_iter().take(NEW_NETWORKS_MAX) {
            let change = (Value::Null, json!({ "network": network }));
            txn.append_event(author.event("api_key.new_network", guild, subject(*key), change)).await?;
        }
    }
    Ok(())
}

/// The networks of a key's new calls, each once, the first used one first.
fn by_first_use(waiting: &Waiting) -> Vec<String> {
    let mut first: BTreeMap<String, i64> = BTreeMap::new();
    for (address, call) in &waiting.callers {
        let minute = first.entry(network_text(*address)).or_insert(call.first_minute);
        *minute = Ord::min(call.first_minute, *minute);
    }
    let mut networks: Vec<(i64, String)> = first.into_iter().map(|(network, minute)| (minute, network)).collect();
    networks.sort_unstable();
    networks.into_iter().map(|(_, network)| network).collect()
}

async fn known_networks(txn: &WriteTransaction, key: ApiKeyId, networks: &[String]) -> Result<BTreeSet<String>, Error> {
    let mut known = BTreeSet::new();
    for networks in networks.chunks(ROWS) {
        let found: Vec<String> = api_key_caller::Entity::find()
            .select_only()
            .column(api_key_caller::Column::Network)
            .distinct()
            .filter(api_key_caller::COLUMN.key_id.eq(key))
            .filter(api_key_caller::COLUMN.network.is_in(networks.iter().map(String::as_str)))
            .into_tuple()
            .all(txn.connection())
            .await?;
        known.extend(found);
    }
    Ok(known)
}

async fn is_unused(txn: &WriteTransaction, key: ApiKeyId) -> Result<bool, Error> {
    let callers = api_key_caller::Entity::find().filter(api_key_caller::COLUMN.key_id.eq(key));
    Ok(callers.one(txn.connection()).await?.is_none())
}

async fn guild_of(txn: &WriteTransaction, key: ApiKeyId) -> Result<Option<GuildId>, Error> {
    let guild: Option<Option<GuildId>> = api_key::Entity::find_by_id(key)
        .select_only()
        .column(api_key::Column::GuildId)
        .into_tuple()
        .one(txn.connection())
        .await?;
    Ok(guild.flatten())
}
