//! Slots as rows, as events tell of them, and the one way to change one inside a transaction.

use chrono::{DateTime, Utc};
use entity::{
    channel_slot::{self, SlotState, SlotType},
    id::{ChannelId, ChannelSlotId, GuildId},
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, DbErr, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter,
    QuerySelect, TryInsertResult,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{SLOTS_MAX, SlotKey, SlotProblem, SlotRefusal};
use crate::{
    domain::{
        Error,
        event::{Author, spelled, unspelled},
    },
    id_source::IdSource,
    store::WriteTransaction,
};

/// What an administrator decides about a slot; its health is not part of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::domain) struct SlotConfig {
    /// Where it leads.
    pub(in crate::domain) channel_id: Option<ChannelId>,
    /// Type and purpose of a slot that somebody created.
    pub(in crate::domain) created: Option<(SlotType, String)>,
}

/// The part of an event's JSON that configures.
#[derive(Deserialize)]
struct Spelling {
    channel_id: Option<ChannelId>,
    slot_type: String,
    purpose: Option<String>,
}

impl SlotConfig {
    pub(in crate::domain) fn of_row(row: &channel_slot::Model) -> Self {
        Self { channel_id: row.channel_id, created: row.purpose.clone().map(|purpose| (row.slot_type, purpose)) }
    }

    /// Reads an event's state; null is a slot that does not exist.
    pub(in crate::domain) fn of_json(value: &Value) -> Result<Self, serde_json::Error> {
        let Some(spelling) = Option::<Spelling>::deserialize(value)? else {
            return Ok(Self::default());
        };
        let slot_type = unspelled(&spelling.slot_type).unwrap_or(SlotType::Any);
        Ok(Self { channel_id: spelling.channel_id, created: spelling.purpose.map(|purpose| (slot_type, purpose)) })
    }

    /// The same as an event would spell it; null when there is nothing to keep.
    pub(in crate::domain) fn to_json(&self, guild_id: GuildId, key: &SlotKey) -> Value {
        if *self == Self::default() {
            return Value::Null;
        }
        let slot_type = match &self.created {
            Some((slot_type, _)) => *slot_type,
            None => key.known().map_or(SlotType::Any, |known| known.slot_type),
        };
        json!({
            "guild_id": guild_id,
            "key": key.as_str(),
            "channel_id": self.channel_id,
            "slot_type": spelled(slot_type),
            "purpose": self.created.as_ref().map(|(_, purpose)| purpose),
        })
    }
}

/// A slot's settings and health, as events tell them.
pub(super) fn state(row: &channel_slot::Model) -> Value {
    json!({
        "guild_id": row.guild_id,
        "key": row.key,
        "channel_id": row.channel_id,
        "slot_type": spelled(row.slot_type),
        "purpose": row.purpose,
        "state": spelled(row.state),
        "problem": row.problem,
    })
}

/// What a slot asks of its channel.
pub(super) fn needed_type(key: &SlotKey, row: Option<&channel_slot::Model>) -> SlotType {
    match (key.known(), row) {
        (Some(known), _) => known.slot_type,
        (None, Some(row)) if row.purpose.is_some() => row.slot_type,
        _ => SlotType::Any,
    }
}

/// Where a slot is written from, and by whom.
#[derive(Clone)]
pub(in crate::domain) struct SlotWriter {
    pub(in crate::domain) ids: IdSource,
    pub(in crate::domain) author: Author,
    pub(in crate::domain) guild_id: GuildId,
}

impl SlotWriter {
    fn now(&self) -> DateTime<Utc> {
        self.author.at()
    }

    /// The row, locked until the transaction ends.
    pub(in crate::domain) async fn lock(
        &self,
        txn: &WriteTransaction,
        key: &SlotKey,
    ) -> Result<Option<channel_slot::Model>, DbErr> {
        channel_slot::Entity::find()
            .filter(channel_slot::COLUMN.guild_id.eq(self.guild_id))
            .filter(channel_slot::COLUMN.key.eq(key.as_str()))
            .lock_exclusive()
            .one(txn.connection())
            .await
    }

    /// Makes an empty row where there is none; says whether it did.
    pub(super) async fn insert_empty(&self, txn: &WriteTransaction, key: &SlotKey) -> Result<bool, Error> {
        let row = channel_slot::ActiveModel {
            id: Set(ChannelSlotId(self.ids.uuid())),
            guild_id: Set(self.guild_id),
            key: Set(key.as_str().to_owned()),
            channel_id: Set(None),
            slot_type: Set(needed_type(key, None)),
            purpose: Set(None),
            state: Set(SlotState::Empty),
            problem: Set(None),
            created_at: Set(self.now()),
            updated_at: Set(self.now()),
        };
        let inserted = channel_slot::Entity::insert(row)
            .on_conflict_do_nothing_on([channel_slot::Column::GuildId, channel_slot::Column::Key])
            .exec_without_returning(txn.connection())
            .await?;
        let new = matches!(inserted, TryInsertResult::Inserted(1..));
        if new && self.count(txn).await? > SLOTS_MAX {
            return Err(SlotRefusal::TooMany { max: SLOTS_MAX }.into());
        }
        Ok(new)
    }

    async fn count(&self, txn: &WriteTransaction) -> Result<u64, DbErr> {
        channel_slot::Entity::find()
            .filter(channel_slot::COLUMN.guild_id.eq(self.guild_id))
            .count(txn.connection())
            .await
    }

    /// The locked row, made where it is missing, with its state before.
    pub(super) async fn lock_or_insert(
        &self,
        txn: &WriteTransaction,
        key: &SlotKey,
    ) -> Result<(channel_slot::Model, Value), Error> {
        let new = self.insert_empty(txn, key).await?;
        let row = self.lock(txn, key).await?.ok_or(SlotRefusal::NotFound)?;
        let before = if new { Value::Null } else { state(&row) };
        Ok((row, before))
    }

    /// Changes a locked row and tells of it.
    pub(super) async fn update(
        &self,
        txn: &WriteTransaction,
        kind: &'static str,
        row: channel_slot::Model,
        before: Value,
        change: impl FnOnce(&mut channel_slot::ActiveModel) + Send,
    ) -> Result<channel_slot::Model, Error> {
        let mut active = row.into_active_model();
        change(&mut active);
        active.updated_at = Set(self.now());
        let row = active.update(txn.connection()).await?;
        self.tell(txn, kind, &row.key, (before, state(&row))).await?;
        Ok(row)
    }

    /// Takes the channel away; a slot that somebody created stays, empty.
    pub(super) async fn clear(&self, txn: &WriteTransaction, row: channel_slot::Model) -> Result<(), Error> {
        if row.purpose.is_none() {
            return self.remove(txn, row).await;
        }
        let before = state(&row);
        self.update(txn, "slot.cleared", row, before, |row| {
            row.channel_id = Set(None);
            row.state = Set(SlotState::Empty);
            row.problem = Set(None);
        })
        .await?;
        Ok(())
    }

    /// Deletes a locked row and tells of it.
    pub(super) async fn remove(&self, txn: &WriteTransaction, row: channel_slot::Model) -> Result<(), Error> {
        let deleted = channel_slot::Entity::delete_by_id(row.id).exec(txn.connection()).await?;
        if deleted.rows_affected == 0 {
            return Err(SlotRefusal::NotFound.into());
        }
        let change = (state(&row), Value::Null);
        self.tell(txn, "slot.cleared", &row.key, change).await
    }

    async fn tell(
        &self,
        txn: &WriteTransaction,
        kind: &'static str,
        key: &str,
        change: (Value, Value),
    ) -> Result<(), Error> {
        let subject = format!("slot/{key}");
        let event = self.author.event(kind, self.guild_id, subject, change);
        Ok(txn.append_event(event).await?)
    }

    /// Brings a slot to a configuration; its channel waits for Discord's word again.
    pub(in crate::domain) async fn restore(
        &self,
        txn: &WriteTransaction,
        key: &SlotKey,
        config: &SlotConfig,
    ) -> Result<(), Error> {
        if *config == SlotConfig::default() {
            return match self.lock(txn, key).await? {
                Some(row) => self.remove(txn, row).await,
                None => Ok(()),
            };
        }
        let (row, before) = self.lock_or_insert(txn, key).await?;
        let kind = match config.channel_id {
            Some(_) => "slot.set",
            None => "slot.cleared",
        };
        let config = config.clone();
        let undeclared = needed_type(key, None);
        self.update(txn, kind, row, before, move |row| {
            let (slot_type, purpose) = match config.created {
                Some((slot_type, purpose)) => (slot_type, Some(purpose)),
                None => (undeclared, None),
            };
            row.slot_type = Set(slot_type);
            row.purpose = Set(purpose);
            row.channel_id = Set(config.channel_id);
            row.problem = Set(None);
            row.state = Set(match config.channel_id {
                Some(_) => SlotState::Unconfirmed,
                None => SlotState::Empty,
            });
        })
        .await?;
        Ok(())
    }
}

/// The problem of a row, if it is one that this program knows.
pub(super) fn problem(row: &channel_slot::Model) -> Option<SlotProblem> {
    row.problem.as_deref().and_then(SlotProblem::of_code)
}
