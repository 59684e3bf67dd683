//! Places of a person's active keys, where their number is limited.
//!
//! Invariant: whoever counts a person's keys holds the lock on that person's row, and the unique index over owner and
//! slot stands behind the count.

use chrono::{DateTime, Utc};
use entity::{
    api_key::{self, KeyState},
    id::UserId,
    user,
};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, ExprTrait, PaginatorTrait, QueryFilter, QuerySelect, sea_query::Expr,
};

use super::refusal::KeyRefusal;
use crate::{
    domain::{Domain, Error, user::UserRefusal},
    store::WriteTransaction,
};

/// Most slots of one person; the settings allow no more.
const SLOTS_MAX: u64 = 1_000;

/// How many active keys the settings allow one person, and how many this face does.
pub(super) fn allowance(domain: &Domain, face: Option<u32>) -> Option<u32> {
    [domain.limits.keys.max_active_per_user, face].into_iter().flatten().min()
}

/// A slot for one more active key; none where their number is free. Refuses where all are taken.
pub(super) async fn claim(
    txn: &WriteTransaction,
    owner: UserId,
    max: Option<u32>,
    now: DateTime<Utc>,
) -> Result<Option<i32>, Error> {
    let found = user::Entity::find_by_id(owner).lock_exclusive().one(txn.connection()).await?;
    found.ok_or(UserRefusal::NotFound)?;
    let Some(max) = max else { return Ok(None) };
    free_the_ended(txn, owner, now).await?;
    let held = api_key::Entity::find().filter(is_counted(owner, now)).count(txn.connection()).await?;
    if held >= u64::from(max) {
        return Err(KeyRefusal::TooManyActive(max).into());
    }
    let taken: Vec<Option<i32>> = api_key::Entity::find()
        .select_only()
        .column(api_key::Column::Slot)
        .filter(api_key::COLUMN.user_id.eq(owner))
        .filter(api_key::COLUMN.slot.is_not_null())
        .limit(SLOTS_MAX)
        .into_tuple()
        .all(txn.connection())
        .await?;
    let mut slots = 0..i32::try_from(max).unwrap_or(i32::MAX);
    let free = slots.find(|slot| !taken.contains(&Some(*slot)));
    Ok(Some(free.ok_or(KeyRefusal::TooManyActive(max))?))
}

/// Active keys, and those on their way unless they only replace one that is counted itself.
fn is_counted(owner: UserId, now: DateTime<Utc>) -> Condition {
    let arriving = api_key::Column::State.eq(KeyState::Delivering).and(api_key::Column::RotatedFrom.is_null());
    let lives = api_key::Column::ExpiresAt.is_null().or(api_key::Column::ExpiresAt.gt(now));
    Condition::all()
        .add(api_key::Column::UserId.eq(owner))
        .add(api_key::Column::State.eq(KeyState::Active).or(arriving))
        .add(lives)
}

/// A key whose life is over holds no slot.
async fn free_the_ended(txn: &WriteTransaction, owner: UserId, now: DateTime<Utc>) -> Result<(), Error> {
    api_key::Entity::update_many()
        .col_expr(api_key::Column::Slot, Expr::value(None::<i32>))
        .filter(api_key::COLUMN.user_id.eq(owner))
        .filter(api_key::COLUMN.slot.is_not_null())
        .filter(api_key::COLUMN.expires_at.lte(now))
        .exec(txn.connection())
        .await?;
    Ok(())
}
