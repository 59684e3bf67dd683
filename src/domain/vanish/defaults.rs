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
    own::checked_bounds,
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
    /// The shortest time, in seconds, that members may choose for their own messages.
    pub own_min_seconds: Option<Option<i64>>,
    /// The longest one.
    pub own_max_seconds: Option<Option<i64>>,
}

impl DefaultChange {
    /// The defaults as they would be; refuses what cannot be.
    pub fn on(&self, base: &Model) -> Result<Model, VanishRefusal> {
        if self.after_seconds.flatten().is_some_and(|after| !AFTER_SECONDS.contains(&after)) {
            return Err(VanishRefusal::AfterOutOfBounds);
        }
        if self.keep_last.flatten().is_some_and(|keep| !KEEP_LAST.contains(&keep)) {
            return Err(VanishRefusal::KeepLastOutOfBounds);
        }
        let own = checked_bounds(
            self.own_min_seconds.unwrap_or(base.own_min_seconds),
            self.own_max_seconds.unwrap_or(base.own_max_seconds),
        )?;
        Ok(Model {
            guild_id: base.guild_id,
            after_seconds: self.after_seconds.unwrap_or(base.after_seconds),
            keep_last: self.keep_last.unwrap_or(base.keep_last),
            pins: self.pins.unwrap_or(base.pins),
            threads: self.threads.unwrap_or(base.threads),
            own_min_seconds: own.as_ref().map(|own| *own.start()),
            own_max_seconds: own.as_ref().map(|own| *own.end()),
            updated_at: base.updated_at,
        })
    }
}

/// The guild's defaults; empty where nobody has set any.
pub async fn defaults(domain: &Domain, actor: &Actor, guild: GuildId) -> Result<Model, Error> {
    actor.require(Right::ReadVanish, Some(guild))?;
    let row = vanish_default::Entity::find_by_id(guild).one(domain.store.reader()).await?;
    Ok(row.unwrap_or_else(|| empty(guild, domain.now())))
}

fn empty(guild_id: GuildId, now: DateTime<Utc>) -> Model {
    Model {
        guild_id,
        after_seconds: None,
        keep_last: None,
        pins: None,
        threads: None,
        own_min_seconds: None,
        own_max_seconds: None,
        updated_at: now,
    }
}

/// Defaults as the event log shows them.
pub(crate) fn default_settings(row: &Model) -> Value {
    json!({
        "guild_id": row.guild_id,
        "after_seconds": row.after_seconds,
        "keep_last": row.keep_last,
        "pins": row.pins.map(|pins| pins.to_value()),
        "threads": row.threads.map(|threads| threads.to_value()),
        "own_min_seconds": row.own_min_seconds,
        "own_max_seconds": row.own_max_seconds,
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
    let after = Model { updated_at: now, ..change.on(&base)? };
    vanish_default::Entity::insert(after.clone().into_active_model())
        .on_conflict(
            OnConflict::column(C::GuildId)
                .update_columns([
                    C::AfterSeconds,
                    C::KeepLast,
                    C::Pins,
                    C::Threads,
                    C::OwnMinSeconds,
                    C::OwnMaxSeconds,
                    C::UpdatedAt,
                ])
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
