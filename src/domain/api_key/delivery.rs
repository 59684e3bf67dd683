//! Keys on their way to their owners: good once the way worked, revoked when it did not.

use chrono::TimeDelta;
use entity::{
    api_key::{self, KeyState},
    id::ApiKeyId,
};
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect};
use serde_json::json;

use super::{
    owner_slot,
    refusal::KeyRefusal,
    revoke::{kill, require_delivering},
    rotate::{retire, write},
};
use crate::{
    domain::{Domain, Error, counter, event::Author},
    store::WriteTransaction,
};

/// How long a key may be on its way.
const DELIVERY_MAX: TimeDelta = TimeDelta::seconds(60);
/// Keys that one transaction revokes.
const BATCH: u64 = 100;

/// Why a key ended that never reached its owner.
const LOST: &str = "It could not be delivered";

struct Input {
    author: Author,
    id: ApiKeyId,
    active_max: Option<u32>,
}

/// The key has reached its owner and is good from now on; the one that it replaces begins its grace.
pub async fn activate_delivered(domain: &Domain, id: ApiKeyId) -> Result<api_key::Model, Error> {
    let active_max = owner_slot::allowance(domain, None);
    let input = Input { author: Author::system(domain), id, active_max };
    domain.store.write(input, |txn, input| Box::pin(activate(txn, input))).await
}

async fn activate(txn: &WriteTransaction, input: &Input) -> Result<api_key::Model, Error> {
    let now = input.author.at();
    let found = api_key::Entity::find_by_id(input.id).lock_exclusive().one(txn.connection()).await?;
    let mut row = found.ok_or(KeyRefusal::NotFound)?;
    require_delivering(&row, now)?;
    if let Some(old) = row.rotated_from {
        row.slot = take_over(txn, input, &row, old).await?;
    }
    row.state = KeyState::Active;
    row.state_at = now;
    input.author.actor().clone_into(&mut row.state_by);
    row.generation = counter::next(txn, counter::AUTH).await?;
    row.updated_at = now;
    row.clone().into_active_model().reset_all().update(txn.connection()).await?;
    let change = (json!({ "state": "delivering" }), json!({ "state": "active" }));
    let subject = super::subject(row.id);
    txn.append_event(input.author.event("api_key.enabled", row.guild_id, subject, change)).await?;
    Ok(row)
}

/// The slot of the key that this one replaces. Where that key has ended meanwhile, the slot is claimed like any other.
async fn take_over(
    txn: &WriteTransaction,
    input: &Input,
    new: &api_key::Model,
    old: ApiKeyId,
) -> Result<Option<i32>, Error> {
    let found = api_key::Entity::find_by_id(old).lock_exclusive().one(txn.connection()).await?;
    if let Some(before) = found
        && before.state == KeyState::Active
        && before.replaced_by == Some(new.id)
    {
        let mut after = before.clone();
        retire(&mut after, &input.author);
        write(txn, &input.author, &before, after).await?;
        return Ok(before.slot);
    }
    match new.user_id {
        Some(owner) => owner_slot::claim(txn, owner, input.active_max, input.author.at()).await,
        None => Ok(None),
    }
}

/// The delivery has failed: the key is revoked at once, and one that it should have replaced stays as it was.
pub async fn abandon_delivery(domain: &Domain, id: ApiKeyId) -> Result<api_key::Model, Error> {
    let input = Input { author: Author::system(domain), id, active_max: None };
    domain
        .store
        .write(input, |txn, input| {
            Box::pin(async move {
                let found = api_key::Entity::find_by_id(input.id).lock_exclusive().one(txn.connection()).await?;
                let row = found.ok_or(KeyRefusal::NotFound)?;
                if row.state != KeyState::Revoked {
                    require_delivering(&row, input.author.at())?;
                }
                kill(txn, &input.author, row, Some(LOST.to_owned())).await
            })
        })
        .await
}

/// Revokes the keys whose delivery nobody has confirmed within a minute; returns how many.
pub async fn revoke_undelivered(domain: &Domain) -> Result<u64, Error> {
    let author = Author::system(domain);
    let waiting = api_key::Entity::find()
        .select_only()
        .column(api_key::Column::Id)
        .filter(api_key::Column::State.eq(KeyState::Delivering))
        .filter(api_key::COLUMN.state_at.lte(author.at() - DELIVERY_MAX))
        .limit(1)
        .into_tuple::<ApiKeyId>()
        .one(domain.store.reader())
        .await?;
    if waiting.is_none() {
        return Ok(0);
    }
    domain
        .store
        .write(author, |txn, author| {
            Box::pin(async move {
                let rows = api_key::Entity::find()
                    .filter(api_key::Column::State.eq(KeyState::Delivering))
                    .filter(api_key::COLUMN.state_at.lte(author.at() - DELIVERY_MAX))
                    .order_by_asc(api_key::Column::Id)
                    .limit(BATCH)
                    .lock_exclusive()
                    .all(txn.connection())
                    .await?;
                let count = rows.len() as u64;
                for row in rows {
                    kill(txn, author, row, Some(LOST.to_owned())).await?;
                }
                Ok::<_, Error>(count)
            })
        })
        .await
}
