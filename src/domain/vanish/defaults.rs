//! What the rules of a guild take where they leave something out.

use chrono::{DateTime, Utc};
use entity::{
    id::GuildId,
    vanish_default::{self, Model},
    vanish_rule::{self, Pins, Threads},
};
use sea_orm::{ActiveEnum, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QuerySelect, sea_query::OnConflict};
use serde_json::{Value, json};

use super::{
    VanishRefusal,
    rule::wake_place,
    schedule::{AFTER_SECONDS, KEEP_LAST},
};
use crate::{
    domain::{Actor, Domain, Error, Right, guild},
    store::{NewEvent, WriteTransaction},
};

/// A change of the defaults: the outer `None` leaves a value, the inner one clears it.
#[derive(Clone, Debug, Default)]
pub struct DefaultChange {
    /// Age in seconds.
    pub after_seconds: Option<Option<i64>>,
    /// At most this many messages stay.
    pub keep_last: Option<Option<i32>>,
    /// Pinned messages.
    pub pins: Option<Option<Pins>>,
    /// Threads.
    pub threads: Option<Option<Threads>>,
}

/// The guild's defaults; empty where nobody has set any.
pub async fn defaults(domain: &Domain, actor: &Actor, guild: GuildId) -> Result<Model, Error> {
    actor.require(Right::ReadVanish, Some(guild))?;
    let row = vanish_default::Entity::find_by_id(guild).one(domain.store.reader()).await?;
    Ok(row.unwrap_or_else(|| empty(guild, domain.now())))
}

fn empty(guild_id: GuildId, now: DateTime<Utc>) -> Model {
    Model { guild_id, after_seconds: None, keep_last: None, pins: None, threads: None, updated_at: now }
}

/// Defaults as the event log shows them.
pub(crate) fn default_settings(row: &Model) -> Value {
    json!({
        "guild_id": row.guild_id,
        "after_seconds": row.after_seconds,
        "keep_last": row.keep_last,
        "pins": row.pins.map(|pins| pins.to_value()),
        "threads": row.threads.map(|threads| threads.to_value()),
    })
}

/// Changes the guild's defaults. A channel without a rule still never vanishes.
pub async fn set_defaults(
    domain: &Domain,
    actor: &Actor,
    guild: GuildId,
    change: DefaultChange,
) -> Result<Model, Error> {
    actor.require(Right::ManageVanishDefaults, Some(guild))?;
    if change.after_seconds.flatten().is_some_and(|after| !AFTER_SECONDS.contains(&after)) {
        return Err(VanishRefusal::AfterOutOfBounds.into());
    }
    if change.keep_last.flatten().is_some_and(|keep| !KEEP_LAST.contains(&keep)) {
        return Err(VanishRefusal::KeepLastOutOfBounds.into());
    }
    let input = (actor.clone(), guild, change, domain.now());
    domain
        .store
        .write(input, |txn, (actor, guild, change, now)| Box::pin(write(txn, actor, *guild, change, *now)))
        .await
}

async fn write(
    txn: &WriteTransaction,
    actor: &Actor,
    guild_id: GuildId,
    change: &DefaultChange,
    now: DateTime<Utc>,
) -> Result<Model, Error> {
    use vanish_default::Column as C;
    guild::ensure(txn, guild_id, now).await?;
    let before = vanish_default::Entity::find_by_id(guild_id).one(txn.connection()).await?;
    let base = before.clone().unwrap_or_else(|| empty(guild_id, now));
    let after = Model {
        guild_id,
        after_seconds: change.after_seconds.unwrap_or(base.after_seconds),
        keep_last: change.keep_last.unwrap_or(base.keep_last),
        pins: change.pins.unwrap_or(base.pins),
        threads: change.threads.unwrap_or(base.threads),
        updated_at: now,
    };
    vanish_default::Entity::insert(after.clone().into_active_model())
        .on_conflict(
            OnConflict::column(C::GuildId)
                .update_columns([C::AfterSeconds, C::KeepLast, C::Pins, C::Threads, C::UpdatedAt])
                .to_owned(),
        )
        .exec_without_returning(txn.connection())
        .await?;
    let channels: Vec<entity::id::ChannelId> = vanish_rule::Entity::find()
        .filter(vanish_rule::COLUMN.guild_id.eq(guild_id))
        .select_only()
        .column(vanish_rule::Column::ChannelId)
        .into_tuple()
        .all(txn.connection())
        .await?;
    for channel in channels {
        wake_place(txn, channel, now).await?;
    }
    txn.append_event(NewEvent {
        kind: "vanish.default_set",
        guild_id: Some(guild_id),
        subject: format!("vanish_default/{guild_id}"),
        actor: actor.to_string(),
        source: actor.source().name(),
        before: before.as_ref().map_or(Value::Null, default_settings),
        after: default_settings(&after),
        at: now,
    })
    .await?;
    Ok(after)
}
