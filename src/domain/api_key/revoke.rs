//! The end of keys: one, all of a guild, all of the installation, and one that somebody has found.
//!
//! Invariant: a revoked key stays as it is: who revoked it first, when and why does not change.

use std::sync::Arc;

use entity::{
    api_key::{self, KeyState},
    id::{ApiKeyId, ChannelId, GuildId, UserId},
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect, sea_query::Expr,
};
use serde_json::{Value, json};

use super::{
    format,
    issue::logged,
    read,
    refusal::KeyRefusal,
    specification::{require, text},
};
use crate::{
    domain::{Actor, Domain, Error, KeyActor, counter, event::Author, scope::Scopes},
    store::WriteTransaction,
};

/// Keys that one transaction of a panic revokes.
const PANIC_BATCH: u64 = 500;

/// Why a key was revoked that somebody has reported.
const LEAKED: &str = "Reported as leaked";
/// Why a key was revoked whose owner was deleted or erased.
const OWNER_GONE: &str = "Its owner is gone";

/// Which keys a panic revokes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Panic {
    /// All that are bound to a guild.
    Guild(GuildId),
    /// All.
    Instance,
}

/// What became of a key that somebody has found.
#[derive(Clone, Debug)]
pub struct ReportedKey {
    /// Its row; it is revoked.
    pub row: api_key::Model,
    /// It was revoked before.
    pub was_revoked: bool,
}

struct Input {
    author: Author,
    actor: Actor,
    id: ApiKeyId,
    reason: Option<String>,
}

/// Revokes a key for good; the next request with it is refused.
pub async fn revoke(
    domain: &Domain,
    actor: &Actor,
    id: ApiKeyId,
    reason: Option<String>,
) -> Result<api_key::Model, Error> {
    let reason = text("/reason", "The reason", reason.as_deref())?;
    let input = Input { author: Author::new(domain, actor), actor: actor.clone(), id, reason };
    domain
        .store
        .write(input, |txn, input| {
            Box::pin(async move {
                let found = api_key::Entity::find_by_id(input.id).lock_exclusive().one(txn.connection()).await?;
                let row = read::visible(&input.actor, found)?;
                kill(txn, &input.author, row, input.reason.clone()).await
            })
        })
        .await
}

/// Revokes every key of a guild, or of the installation; returns how many. One that fails half-way can be repeated.
pub async fn revoke_where(domain: &Domain, actor: &Actor, which: Panic, reason: Option<String>) -> Result<u64, Error> {
    let guild = match which {
        Panic::Guild(guild) => Some(guild),
        Panic::Instance => None,
    };
    require(actor, guild)?;
    let reason = text("/reason", "The reason", reason.as_deref())?;
    let input = (Author::new(domain, actor), guild, reason);
    let mut revoked = 0;
    loop {
        let count = domain.store.write(input.clone(), |txn, input| Box::pin(panic_in(txn, input))).await?;
        revoked += count;
        if count < PANIC_BATCH {
            return Ok(revoked);
        }
    }
}

async fn panic_in(
    txn: &WriteTransaction,
    (author, guild, reason): &(Author, Option<GuildId>, Option<String>),
) -> Result<u64, Error> {
    let mut living = api_key::Entity::find().filter(api_key::Column::State.ne(KeyState::Revoked));
    if let Some(guild) = guild {
        living = living.filter(api_key::COLUMN.guild_id.eq(*guild));
    }
    let living = living.order_by_asc(api_key::Column::Id).limit(PANIC_BATCH).lock_exclusive();
    let rows = living.all(txn.connection()).await?;
    let count = rows.len() as u64;
    for row in rows {
        kill(txn, author, row, reason.clone()).await?;
    }
    Ok(count)
}

/// Revokes every key of a person, in the transaction that takes them away.
pub(in crate::domain) async fn revoke_of_owner(
    txn: &WriteTransaction,
    author: &Author,
    owner: UserId,
) -> Result<(), Error> {
    loop {
        let living = api_key::Entity::find()
            .filter(api_key::COLUMN.user_id.eq(owner))
            .filter(api_key::Column::State.ne(KeyState::Revoked));
        let living = living.order_by_asc(api_key::Column::Id).limit(PANIC_BATCH).lock_exclusive();
        let rows = living.all(txn.connection()).await?;
        let is_last = (rows.len() as u64) < PANIC_BATCH;
        for row in rows {
            kill(txn, author, row, Some(OWNER_GONE.to_owned())).await?;
        }
        if is_last {
            return Ok(());
        }
    }
}

/// Revokes the key that is shown: holding it is the right to end it, whatever its state. None where nobody knows it.
pub async fn report_leak(domain: &Domain, presented: &str) -> Result<Option<ReportedKey>, Error> {
    report(domain, presented, None).await
}

/// The same for a key that was found in a channel of a guild, which is told.
pub async fn report_pasted(
    domain: &Domain,
    presented: &str,
    place: (GuildId, ChannelId),
) -> Result<Option<ReportedKey>, Error> {
    report(domain, presented, Some(place)).await
}

async fn report(
    domain: &Domain,
    presented: &str,
    place: Option<(GuildId, ChannelId)>,
) -> Result<Option<ReportedKey>, Error> {
    if !format::is_plausible(presented) {
        return Ok(None);
    }
    let digest = format::digest(presented);
    let Some(id) = domain.caches.keyring.id(domain, &digest).await? else { return Ok(None) };
    let finder = KeyActor { id, scopes: Scopes::default(), guild_id: None };
    let author = Author::new(domain, &Actor::Key(Arc::new(finder)));
    domain.store.write((author, id, place), |txn, (author, id, place)| Box::pin(end(txn, author, *id, *place))).await
}

/// Ends a key that was found; where it was found is told to that guild.
async fn end(
    txn: &WriteTransaction,
    author: &Author,
    id: ApiKeyId,
    place: Option<(GuildId, ChannelId)>,
) -> Result<Option<ReportedKey>, Error> {
    let found = api_key::Entity::find_by_id(id).lock_exclusive().one(txn.connection()).await?;
    let Some(row) = found else { return Ok(None) };
    let was_revoked = row.state == KeyState::Revoked;
    if let Some((guild, channel)) = place
        && !was_revoked
    {
        // Before the end, so that the word that says where comes first.
        let change = (Value::Null, json!({ "channel_id": channel }));
        txn.append_event(author.event("api_key.leak_found", guild, super::subject(id), change)).await?;
    }
    let row = kill(txn, author, row, Some(LEAKED.to_owned())).await?;
    Ok(Some(ReportedKey { row, was_revoked }))
}

/// A message with a key could not be removed; its guild is told, once a day.
pub async fn leak_stays(domain: &Domain, guild: GuildId, channel: ChannelId) -> Result<(), Error> {
    let change = (Value::Null, json!({ "channel_id": channel }));
    let event = Author::system(domain).event("api_key.leak_stays", guild, format!("channel/{channel}"), change);
    domain.store.write(event, |txn, event| Box::pin(async move { Ok(txn.append_event(event.clone()).await?) })).await
}

/// Revokes a locked row, unless it is revoked.
pub(super) async fn kill(
    txn: &WriteTransaction,
    author: &Author,
    before: api_key::Model,
    reason: Option<String>,
) -> Result<api_key::Model, Error> {
    if before.state == KeyState::Revoked {
        return Ok(before);
    }
    let mut after = before.clone();
    after.state = KeyState::Revoked;
    after.state_at = author.at();
    author.actor().clone_into(&mut after.state_by);
    after.state_reason = reason;
    after.slot = None;
    after.generation = counter::next(txn, counter::AUTH).await?;
    after.updated_at = author.at();
    after.clone().into_active_model().reset_all().update(txn.connection()).await?;
    let length = after.state_reason.as_ref().map_or(0, |reason| reason.chars().count());
    let states = (logged(&before)["state"].clone(), logged(&after)["state"].clone());
    let change = (json!({ "state": states.0 }), json!({ "state": states.1, "reason_characters": length }));
    txn.append_event(author.event("api_key.revoked", after.guild_id, super::subject(after.id), change)).await?;
    if before.state == KeyState::Delivering
        && let Some(old) = before.rotated_from
    {
        forget_rotation(txn, old, before.id).await?;
    }
    Ok(after)
}

/// The key that a lost one should have replaced goes on as if nothing had been asked for.
async fn forget_rotation(txn: &WriteTransaction, old: ApiKeyId, lost: ApiKeyId) -> Result<(), Error> {
    api_key::Entity::update_many()
        .col_expr(api_key::Column::ReplacedBy, Expr::value(None::<ApiKeyId>))
        .col_expr(api_key::Column::GraceEndsAt, Expr::value(None::<chrono::DateTime<chrono::Utc>>))
        .filter(api_key::COLUMN.id.eq(old))
        .filter(api_key::COLUMN.replaced_by.eq(lost))
        .filter(api_key::Column::State.eq(KeyState::Active))
        .exec(txn.connection())
        .await?;
    Ok(())
}

/// Says that a key is on its way no longer, if it was.
pub(super) fn require_delivering(row: &api_key::Model, now: chrono::DateTime<chrono::Utc>) -> Result<(), KeyRefusal> {
    if row.state == KeyState::Delivering {
        return Ok(());
    }
    Err(KeyRefusal::NotDelivering(super::status::KeyStatus::of(row, now)))
}
