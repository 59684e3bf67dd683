//! Two people who turn out to be one.
//!
//! Invariants: a merge is one transaction that moves everything the registry names; the source stays as a tombstone,
//! and every older tombstone leads to the target as well; nobody is let in again by a merge, and nobody may do more
//! after it.

use entity::{
    id::UserId,
    identity,
    user::{self, DirectMessages, Privacy},
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter, QuerySelect,
    sea_query::Expr,
};
use serde_json::{Value, json};

use super::{UserRefusal, change, holdings, resolve, subject};
use crate::{
    domain::{Actor, Domain, Error, Right, counter, event::Author},
    store::WriteTransaction,
};

/// What a merge has done.
#[derive(Clone, Debug)]
pub struct Merged {
    /// Who is left.
    pub target: user::Model,
    /// Accounts that moved.
    pub identities: u64,
}

struct Input {
    author: Author,
    source: UserId,
    target: UserId,
}

/// Makes two people one: everything of the source is the target's, and the source's id leads there.
pub async fn merge(domain: &Domain, actor: &Actor, source: UserId, target: UserId) -> Result<Merged, Error> {
    actor.require(Right::ManageUsers, None)?;
    let input = Input { author: Author::new(domain, actor), source, target };
    domain.store.write(input, |txn, input| Box::pin(merge_in(txn, input))).await
}

async fn merge_in(txn: &WriteTransaction, input: &Input) -> Result<Merged, Error> {
    let source = resolve(txn.connection(), input.source).await?.ok_or(UserRefusal::NotFound)?;
    let target = resolve(txn.connection(), input.target).await?.ok_or(UserRefusal::NotFound)?;
    if source.id == target.id {
        return Err(UserRefusal::MergeSame.into());
    }
    // In the order of their ids, so that two merges at once do not wait for each other.
    let first = lock(txn, source.id.min(target.id)).await?;
    let second = lock(txn, source.id.max(target.id)).await?;
    let (source, target) = if first.id == source.id { (first, second) } else { (second, first) };
    let held = identity::Entity::find().filter(identity::COLUMN.user_id.eq(source.id)).count(txn.connection()).await?;
    if held == 0 {
        return Err(UserRefusal::MergeNone.into());
    }
    let target = merge_locked(txn, &input.author, source, target).await?;
    Ok(Merged { target, identities: held })
}

/// A living person's row, held. One who went while it was waited for makes the transaction begin again.
async fn lock(txn: &WriteTransaction, id: UserId) -> Result<user::Model, Error> {
    let found = user::Entity::find_by_id(id).lock_exclusive().one(txn.connection()).await?;
    let row = found.ok_or(UserRefusal::NotFound)?;
    match row.merged_into {
        Some(_) => Err(sea_orm::DbErr::RecordNotUpdated.into()),
        None if row.deleted_at.is_some() => Err(UserRefusal::NotFound.into()),
        None => Ok(row),
    }
}

/// Merges two living people whose rows are locked.
pub(super) async fn merge_locked(
    txn: &WriteTransaction,
    author: &Author,
    source: user::Model,
    target: user::Model,
) -> Result<user::Model, Error> {
    for holding in holdings::HOLDINGS {
        if let holdings::Rule::Work(work) = &holding.merge {
            work(txn, author, (source.id, target.id)).await?;
        }
    }
    let generation = counter::next(txn, counter::AUTH).await?;
    // A chain of tombstones would grow with every merge.
    user::Entity::update_many()
        .col_expr(user::Column::MergedInto, Expr::value(Some(target.id)))
        .col_expr(user::Column::Generation, Expr::value(generation))
        .filter(user::COLUMN.merged_into.eq(source.id))
        .exec(txn.connection())
        .await?;
    let mut after = target.clone();
    after.disabled_at = target.disabled_at.or(source.disabled_at);
    after.time_zone = target.time_zone.clone().or_else(|| source.time_zone.clone());
    after.language = target.language.clone().or_else(|| source.language.clone());
    after.privacy = stricter(target.privacy, source.privacy);
    after.direct_messages = fewer(target.direct_messages, source.direct_messages);
    after.ens_name = target.ens_name.clone().or_else(|| source.ens_name.clone());
    after.ens_avatar = target.ens_avatar.clone().or_else(|| source.ens_avatar.clone());
    after.generation = generation;
    after.updated_at = author.at();
    after.clone().into_active_model().reset_all().update(txn.connection()).await?;
    let mut tombstone = source.clone();
    tombstone.merged_into = Some(target.id);
    tombstone.generation = generation;
    tombstone.updated_at = author.at();
    (tombstone.time_zone, tombstone.language, tombstone.privacy) = (None, None, None);
    tombstone.direct_messages = None;
    (tombstone.ens_name, tombstone.ens_avatar, tombstone.ens_due_at) = (None, None, None);
    tombstone.into_active_model().reset_all().update(txn.connection()).await?;
    let merged = (Value::Null, json!({ "merged_into": target.id }));
    txn.append_event(author.event("user.merged", None, subject(source.id), merged)).await?;
    let changed = change::states(&target, &after);
    txn.append_event(author.event("user.changed", None, subject(target.id), changed)).await?;
    Ok(after)
}

/// Whoever hid something as one of the two has hidden it.
fn stricter(one: Option<Privacy>, other: Option<Privacy>) -> Option<Privacy> {
    let both = [one, other];
    let strictest = [Privacy::Private, Privacy::Members].into_iter().find(|level| both.contains(&Some(*level)));
    match strictest {
        Some(level) => Some(level),
        // Only one of them was public: the other one had the default.
        None if both.contains(&None) => None,
        None => Some(Privacy::Public),
    }
}

/// Whoever wanted fewer messages as one of the two goes on getting fewer.
fn fewer(one: Option<DirectMessages>, other: Option<DirectMessages>) -> Option<DirectMessages> {
    one.into_iter().chain(other).min()
}
