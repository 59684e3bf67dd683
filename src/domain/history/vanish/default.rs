//! A guild's vanish defaults as history and files hold them.

use entity::{
    id::GuildId,
    vanish_default,
    vanish_rule::{Pins, Threads},
};
use sea_orm::{ActiveValue::Set, ConnectionTrait, DbErr, EntityTrait, sea_query::OnConflict};
use serde::Deserialize;
use serde_json::{Value, json};

use super::wake_guild;
use crate::{
    domain::{
        Error,
        event::{spelled, unspelled},
        guild,
        history::subject::{Hold, Scope},
    },
    store::WriteTransaction,
};

/// A guild's defaults.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::domain::history) struct DefaultConfig {
    pub(in crate::domain::history) after_seconds: Option<i64>,
    pub(in crate::domain::history) keep_last: Option<i32>,
    pub(in crate::domain::history) pins: Option<Pins>,
    pub(in crate::domain::history) threads: Option<Threads>,
    /// The shortest and the longest time that members may choose for their own messages, in seconds: both or none.
    pub(in crate::domain::history) own_min_seconds: Option<i64>,
    pub(in crate::domain::history) own_max_seconds: Option<i64>,
}

#[derive(Deserialize)]
struct DefaultSpelling {
    after_seconds: Option<i64>,
    keep_last: Option<i32>,
    pins: Option<String>,
    threads: Option<String>,
    own_min_seconds: Option<i64>,
    own_max_seconds: Option<i64>,
}

impl DefaultConfig {
    pub(in crate::domain::history) fn of_row(row: &vanish_default::Model) -> Self {
        Self {
            after_seconds: row.after_seconds,
            keep_last: row.keep_last,
            pins: row.pins,
            threads: row.threads,
            own_min_seconds: row.own_min_seconds,
            own_max_seconds: row.own_max_seconds,
        }
    }

    pub(in crate::domain::history) fn of_json(value: &Value) -> Result<Self, serde_json::Error> {
        let Some(default) = Option::<DefaultSpelling>::deserialize(value)? else {
            return Ok(Self::default());
        };
        Ok(Self {
            after_seconds: default.after_seconds,
            keep_last: default.keep_last,
            pins: default.pins.as_deref().and_then(unspelled),
            threads: default.threads.as_deref().and_then(unspelled),
            own_min_seconds: default.own_min_seconds,
            own_max_seconds: default.own_max_seconds,
        })
    }

    pub(in crate::domain::history) fn to_json(&self, guild_id: GuildId) -> Value {
        json!({
            "guild_id": guild_id,
            "after_seconds": self.after_seconds,
            "keep_last": self.keep_last,
            "pins": self.pins.map(spelled),
            "threads": self.threads.map(spelled),
            "own_min_seconds": self.own_min_seconds,
            "own_max_seconds": self.own_max_seconds,
        })
    }
}

pub(in crate::domain::history) async fn present_default(
    connection: &impl ConnectionTrait,
    guild_id: GuildId,
    hold: Hold,
) -> Result<DefaultConfig, DbErr> {
    let row = hold.on(vanish_default::Entity::find_by_id(guild_id)).one(connection).await?;
    Ok(row.as_ref().map(DefaultConfig::of_row).unwrap_or_default())
}

/// Brings the defaults to a state; rules that take from them are looked at again.
pub(in crate::domain::history) async fn restore_default(
    txn: &WriteTransaction,
    scope: &Scope,
    wanted: &DefaultConfig,
) -> Result<(), Error> {
    use vanish_default::Column as C;
    let guild_id = scope.guild_id;
    let before = present_default(txn.connection(), guild_id, Hold::Rows).await?;
    guild::ensure(txn, guild_id, scope.author.at()).await?;
    let row = vanish_default::ActiveModel {
        guild_id: Set(guild_id),
        after_seconds: Set(wanted.after_seconds),
        keep_last: Set(wanted.keep_last),
        pins: Set(wanted.pins),
        threads: Set(wanted.threads),
        own_min_seconds: Set(wanted.own_min_seconds),
        own_max_seconds: Set(wanted.own_max_seconds),
        updated_at: Set(scope.author.at()),
    };
    let all = [C::AfterSeconds, C::KeepLast, C::Pins, C::Threads, C::OwnMinSeconds, C::OwnMaxSeconds, C::UpdatedAt];
    let replace = OnConflict::column(C::GuildId).update_columns(all).to_owned();
    vanish_default::Entity::insert(row).on_conflict(replace).exec_without_returning(txn.connection()).await?;
    wake_guild(txn, scope).await?;
    let change = (before.to_json(guild_id), wanted.to_json(guild_id));
    let subject = format!("vanish_default/{guild_id}");
    let event = scope.author.event("vanish.default_set", guild_id, subject, change);
    Ok(txn.append_event(event).await?)
}
