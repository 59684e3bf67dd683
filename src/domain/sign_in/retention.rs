//! Forgetting what has ended.

use chrono::{DateTime, TimeDelta, Utc};
use entity::{auth_nonce, oauth_state, refresh_token, session};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::{
    domain::{Domain, Error},
    store::WriteTransaction,
};

/// How long the traces of sessions and their tokens are kept after their end.
const KEPT: TimeDelta = TimeDelta::days(90);
/// Rows of one table that one step deletes.
const BATCH: u64 = 1_000;

/// Deletes numbers and ways to Discord that have ended, and sessions and refresh tokens that ended 90 days ago. A bounded
/// number of them: says whether there may be more.
pub async fn clear(domain: &Domain) -> Result<bool, Error> {
    domain.store.write(domain.now(), |txn, now| Box::pin(clear_in(txn, *now))).await
}

async fn clear_in(txn: &WriteTransaction, now: DateTime<Utc>) -> Result<bool, Error> {
    let connection = txn.connection();
    let old = now - KEPT;
    let nonces: Vec<Vec<u8>> = auth_nonce::Entity::find()
        .select_only()
        .column(auth_nonce::Column::Digest)
        .filter(auth_nonce::COLUMN.expires_at.lte(now))
        .limit(BATCH)
        .into_tuple()
        .all(connection)
        .await?;
    let states: Vec<Vec<u8>> = oauth_state::Entity::find()
        .select_only()
        .column(oauth_state::Column::Digest)
        .filter(oauth_state::COLUMN.expires_at.lte(now))
        .limit(BATCH)
        .into_tuple()
        .all(connection)
        .await?;
    let tokens: Vec<Vec<u8>> = refresh_token::Entity::find()
        .select_only()
        .column(refresh_token::Column::Digest)
        .filter(refresh_token::COLUMN.expires_at.lte(old))
        .order_by_asc(refresh_token::COLUMN.expires_at)
        .limit(BATCH)
        .into_tuple()
        .all(connection)
        .await?;
    let ended = Condition::any().add(session::COLUMN.expires_at.lte(old)).add(session::COLUMN.revoked_at.lte(old));
    let sessions: Vec<entity::id::SessionId> = session::Entity::find()
        .select_only()
        .column(session::Column::Id)
        .filter(ended)
        .limit(BATCH)
        .into_tuple()
        .all(connection)
        .await?;
    let counts = [nonces.len(), states.len(), tokens.len(), sessions.len()];
    if !nonces.is_empty() {
        auth_nonce::Entity::delete_many().filter(auth_nonce::Column::Digest.is_in(nonces)).exec(connection).await?;
    }
    if !states.is_empty() {
        oauth_state::Entity::delete_many().filter(oauth_state::Column::Digest.is_in(states)).exec(connection).await?;
    }
    if !tokens.is_empty() {
        refresh_token::Entity::delete_many()
            .filter(refresh_token::Column::Digest.is_in(tokens))
            .exec(connection)
            .await?;
    }
    if !sessions.is_empty() {
        // Their tokens go with them.
        session::Entity::delete_many().filter(session::COLUMN.id.is_in(sessions)).exec(connection).await?;
    }
    Ok(counts.iter().any(|count| *count as u64 == BATCH))
}
