//! Names of people's wallets: when they are looked up, and what comes of it.
//!
//! Invariants: a name is looked up once a day at most, but for a wallet that is new; a failure changes nothing that is
//! stored; what was found counts only while the wallet is still the person's.

use chrono::{DateTime, TimeDelta, Utc};
use entity::{
    event,
    id::UserId,
    identity::{self, Platform},
    user,
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder,
    QuerySelect, QueryTrait,
    sea_query::{Expr, LockBehavior, LockType},
};
use serde_json::{Value, json};

use super::{holdings::Part, is_active, lock, subject};
use crate::{
    domain::{
        Domain, Error, counter,
        event::{Author, reader},
    },
    store::WriteTransaction,
};

/// The reader's name among those of the event log.
const READER: &str = "ens";
/// Time between two looks at the same wallet.
const DAY: TimeDelta = TimeDelta::days(1);
/// How long a look may take before somebody else tries.
const LEASE: TimeDelta = TimeDelta::minutes(10);
/// When a look that failed is tried again.
const RETRY: TimeDelta = TimeDelta::hours(1);

/// A wallet whose name is to be looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueName {
    /// Whose it is.
    pub user_id: UserId,
    /// Its address, in lower case.
    pub address: String,
}

/// What came of a look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NameOutcome {
    /// It is called so, and shown by this picture.
    Found {
        /// The name.
        name: String,
        /// The picture's address.
        avatar: Option<String>,
    },
    /// It is called nothing.
    Nameless,
    /// Nobody could say.
    Failed,
}

/// Makes due whose wallets at most `batch` events tell of; says how many events it handled.
pub async fn note_wallets(domain: &Domain, batch: u64) -> Result<usize, Error> {
    if !reader::has_more(domain, READER).await? {
        return Ok(0);
    }
    domain.store.write((domain.now(), batch), |txn, (now, batch)| Box::pin(note_in(txn, *now, *batch))).await
}

async fn note_in(txn: &WriteTransaction, now: DateTime<Utc>, batch: u64) -> Result<usize, Error> {
    let events = reader::take(txn, READER, batch).await?;
    for event in &events {
        let person = |text: &str| text.strip_prefix("user/").and_then(|id| id.parse::<UserId>().ok());
        let (id, is_new) = match event.kind.as_str() {
            // Whose wallets changed may be called otherwise now.
            "identity.connected" | "identity.disconnected" | "identity.primary_set" => (person(&event.subject), true),
            "user.part_erased" if event.data["after"]["part"] == Part::Accounts.name() => {
                (person(&event.subject), true)
            }
            "user.merged" => {
                (event.data["after"]["merged_into"].as_str().and_then(|id| id.parse::<UserId>().ok()), true)
            }
            "session.started" => (wallet_user(event), false),
            _ => continue,
        };
        let Some(id) = id else { continue };
        let mut due = user::Entity::update_many()
            .col_expr(user::Column::EnsDueAt, Expr::value(Some(now)))
            .filter(user::COLUMN.id.eq(id))
            .filter(user::COLUMN.deleted_at.is_null())
            .filter(user::COLUMN.merged_into.is_null());
        if !is_new {
            // Whoever was looked up before has their next look already.
            due = due.filter(user::COLUMN.ens_due_at.is_null());
        }
        due.exec(txn.connection()).await?;
    }
    Ok(events.len())
}

fn wallet_user(event: &event::Model) -> Option<UserId> {
    let after = &event.data["after"];
    (after["method"] == "wallet").then(|| after["user_id"].as_str()?.parse().ok()).flatten()
}

/// Takes at most `limit` wallets whose look is due; a look that comes to no end is due again in ten minutes.
pub async fn claim_names(domain: &Domain, limit: u64) -> Result<Vec<DueName>, Error> {
    let now = domain.now();
    let is_due = || user::COLUMN.ens_due_at.lte(now);
    if user::Entity::find().filter(is_due()).limit(1).one(domain.store.reader()).await?.is_none() {
        return Ok(Vec::new());
    }
    domain
        .store
        .write((Author::system(domain), limit), |txn, (author, limit)| {
            Box::pin(async move {
                let now = &author.at();
                let due = user::Entity::find()
                    .select_only()
                    .column(user::Column::Id)
                    .filter(user::COLUMN.ens_due_at.lte(*now))
                    .order_by_asc(user::Column::EnsDueAt)
                    .limit(*limit)
                    .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
                    .into_query();
                let claimed = user::Entity::update_many()
                    .col_expr(user::Column::EnsDueAt, Expr::value(Some(*now + LEASE)))
                    .filter(user::Column::Id.in_subquery(due))
                    .filter(user::COLUMN.ens_due_at.lte(*now))
                    .exec_with_returning(txn.connection())
                    .await?;
                let mut names = Vec::with_capacity(claimed.len());
                for row in claimed {
                    match wallet(txn.connection(), row.id).await?.filter(|_| is_active(&row)) {
                        Some(address) => names.push(DueName { user_id: row.id, address }),
                        None => nameless(txn, author, row.id).await?,
                    }
                }
                Ok(names)
            })
        })
        .await
}

/// The wallet that a person is called by: the one that they are shown by, else the oldest.
async fn wallet(connection: &impl ConnectionTrait, id: UserId) -> Result<Option<String>, DbErr> {
    let found = identity::Entity::find()
        .filter(identity::COLUMN.user_id.eq(id))
        .filter(identity::COLUMN.platform.eq(Platform::Evm))
        .order_by_desc(identity::Column::IsPrimary)
        .order_by_asc(identity::Column::CreatedAt)
        .limit(1)
        .one(connection)
        .await?;
    Ok(found.map(|wallet| wallet.identity))
}

/// Without a wallet, there is nothing to be called by and nothing to look up.
async fn nameless(txn: &WriteTransaction, author: &Author, id: UserId) -> Result<(), Error> {
    let row = lock(txn, id).await?;
    store(txn, (author, None), row, None).await
}

/// Records what came of a look.
pub async fn settle_name(domain: &Domain, due: &DueName, outcome: NameOutcome) -> Result<(), Error> {
    let input = (due.clone(), outcome, Author::system(domain));
    domain.store.write(input, |txn, (due, outcome, author)| Box::pin(settle_in(txn, due, outcome, author))).await
}

async fn settle_in(txn: &WriteTransaction, due: &DueName, outcome: &NameOutcome, author: &Author) -> Result<(), Error> {
    let now = author.at();
    let row = lock(txn, due.user_id).await?;
    // They may have another wallet by now, or be another person.
    let is_theirs = wallet(txn.connection(), row.id).await?.as_ref() == Some(&due.address);
    if row.id != due.user_id || !is_active(&row) || !is_theirs {
        return Ok(());
    }
    match outcome {
        NameOutcome::Found { name, avatar } => {
            store(txn, (author, Some(now + DAY)), row, Some((name.clone(), avatar.clone()))).await
        }
        NameOutcome::Nameless => store(txn, (author, Some(now + DAY)), row, None).await,
        NameOutcome::Failed => {
            user::Entity::update_many()
                .col_expr(user::Column::EnsDueAt, Expr::value(Some(now + RETRY)))
                .filter(user::COLUMN.id.eq(row.id))
                .exec(txn.connection())
                .await?;
            Ok(())
        }
    }
}

async fn store(
    txn: &WriteTransaction,
    (author, next): (&Author, Option<DateTime<Utc>>),
    before: user::Model,
    named: Option<(String, Option<String>)>,
) -> Result<(), Error> {
    let (name, avatar) = named.map_or((None, None), |(name, avatar)| (Some(name), avatar));
    let is_same = before.ens_name == name && before.ens_avatar == avatar;
    let mut after = user::Model { ens_name: name, ens_avatar: avatar, ens_due_at: next, ..before };
    if !is_same {
        after.generation = counter::next(txn, counter::AUTH).await?;
        after.updated_at = author.at();
    }
    let id = after.id;
    after.into_active_model().reset_all().update(txn.connection()).await?;
    if !is_same {
        let change = (Value::Null, json!({ "fields": ["ens_name", "ens_avatar"] }));
        txn.append_event(author.event("user.ens_changed", None, subject(id), change)).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
