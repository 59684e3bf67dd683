//! What Discord says about the channels of slots, and what that does to them.

use entity::{
    channel_slot::{self, SlotState, SlotType},
    guild,
    id::{ChannelId, GuildId},
};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait};

use super::{ChannelFacts, SLOTS_MAX, SlotKey, SlotProblem, SlotRefusal, SlotWriter, needs, row, writer};
use crate::{
    domain::{Actor, Domain, Error},
    store::WriteTransaction,
};

/// Refuses a channel that a slot cannot use.
pub(super) fn check(
    guild_id: GuildId,
    key: &SlotKey,
    row: &channel_slot::Model,
    facts: &ChannelFacts,
) -> Result<(), SlotRefusal> {
    let channel_id = facts.channel_id;
    if facts.guild_id != guild_id {
        return Err(SlotRefusal::OtherGuild { channel_id });
    }
    let needed = row::needed_type(key, Some(row));
    if needed != SlotType::Any && needed != facts.slot_type {
        return Err(SlotRefusal::WrongType { key: key.clone(), channel_id, needed, actual: facts.slot_type });
    }
    let missing = needs(key, facts.slot_type) & facts.missing_permissions;
    if missing != 0 {
        return Err(SlotRefusal::MissingPermissions { key: key.clone(), channel_id, missing });
    }
    Ok(())
}

/// The type that a confirmed slot has: its own, or its channel's where nobody chose one.
pub(super) fn confirmed_type(key: &SlotKey, row: &channel_slot::Model, facts: &ChannelFacts) -> SlotType {
    match row::needed_type(key, Some(row)) {
        SlotType::Any if row.purpose.is_none() => facts.slot_type,
        needed => needed,
    }
}

/// Slots that wait for Discord's word, longest first, in guilds where the bot is a member.
pub async fn unconfirmed(domain: &Domain, limit: u64) -> Result<Vec<channel_slot::Model>, Error> {
    let present = guild::Entity::find()
        .select_only()
        .column(guild::Column::GuildId)
        .filter(guild::COLUMN.present.eq(true))
        .into_query();
    Ok(channel_slot::Entity::find()
        .filter(channel_slot::COLUMN.state.eq(SlotState::Unconfirmed))
        .filter(channel_slot::Column::GuildId.in_subquery(present))
        .order_by_asc(channel_slot::COLUMN.updated_at)
        .limit(limit)
        .all(domain.store.reader())
        .await?)
}

/// The channels of a guild that slots lead to; their permissions are worth another look when roles change.
pub async fn watched_channels(domain: &Domain, guild_id: GuildId) -> Result<Vec<ChannelId>, Error> {
    let channels: Vec<Option<ChannelId>> = channel_slot::Entity::find()
        .select_only()
        .distinct()
        .column(channel_slot::Column::ChannelId)
        .filter(channel_slot::COLUMN.guild_id.eq(guild_id))
        .filter(channel_slot::COLUMN.channel_id.is_not_null())
        .limit(SLOTS_MAX)
        .into_tuple()
        .all(domain.store.reader())
        .await?;
    Ok(channels.into_iter().flatten().collect())
}

struct Confirm {
    writer: SlotWriter,
    key: SlotKey,
    channel_id: ChannelId,
    verdict: Result<ChannelFacts, SlotProblem>,
}

/// Records what Discord says about the channel of a slot; `None` if the slot has another channel by now.
pub async fn confirm(
    domain: &Domain,
    guild_id: GuildId,
    key: &SlotKey,
    channel_id: ChannelId,
    verdict: Result<ChannelFacts, SlotProblem>,
) -> Result<Option<channel_slot::Model>, Error> {
    let input = Confirm { writer: writer(domain, &Actor::System, guild_id), key: key.clone(), channel_id, verdict };
    domain.store.write(input, |txn, input| Box::pin(confirm_in(txn, input))).await
}

async fn confirm_in(txn: &WriteTransaction, input: &Confirm) -> Result<Option<channel_slot::Model>, Error> {
    let Confirm { writer, key, .. } = input;
    let row = writer.lock(txn, key).await?;
    let Some(row) = row.filter(|row| row.channel_id == Some(input.channel_id)) else {
        return Ok(None);
    };
    let facts = match input.verdict {
        Ok(facts) => facts,
        Err(problem) => return break_row(txn, writer, row, problem).await.map(Some),
    };
    if let Err(refusal) = check(writer.guild_id, key, &row, &facts) {
        let problem = match refusal {
            SlotRefusal::OtherGuild { .. } => SlotProblem::OtherGuild,
            SlotRefusal::WrongType { .. } => SlotProblem::WrongType,
            _ => SlotProblem::MissingPermissions,
        };
        return break_row(txn, writer, row, problem).await.map(Some);
    }
    let slot_type = confirmed_type(key, &row, &facts);
    mend_row(txn, writer, row, slot_type).await.map(Some)
}

/// Marks a locked slot broken, unless it is for the same reason already.
async fn break_row(
    txn: &WriteTransaction,
    writer: &SlotWriter,
    row: channel_slot::Model,
    problem: SlotProblem,
) -> Result<channel_slot::Model, Error> {
    if row.state == SlotState::Broken && row.problem.as_deref() == Some(problem.code()) {
        return Ok(row);
    }
    let before = row::state(&row);
    writer
        .update(txn, "slot.broken", row, before, |row| {
            row.state = Set(SlotState::Broken);
            row.problem = Set(Some(problem.code().to_owned()));
        })
        .await
}

/// Marks a locked slot ready, unless it is.
async fn mend_row(
    txn: &WriteTransaction,
    writer: &SlotWriter,
    row: channel_slot::Model,
    slot_type: SlotType,
) -> Result<channel_slot::Model, Error> {
    let kind = match row.state {
        SlotState::Ready if row.slot_type == slot_type => return Ok(row),
        SlotState::Broken => "slot.repaired",
        _ => "slot.confirmed",
    };
    let before = row::state(&row);
    writer
        .update(txn, kind, row, before, |row| {
            row.slot_type = Set(slot_type);
            row.state = Set(SlotState::Ready);
            row.problem = Set(None);
        })
        .await
}

struct OfChannel {
    writer: SlotWriter,
    channel_id: ChannelId,
    missing_permissions: u64,
}

impl OfChannel {
    async fn rows(&self, txn: &WriteTransaction) -> Result<Vec<channel_slot::Model>, Error> {
        Ok(channel_slot::Entity::find()
            .filter(channel_slot::COLUMN.guild_id.eq(self.writer.guild_id))
            .filter(channel_slot::COLUMN.channel_id.eq(self.channel_id))
            .order_by_asc(channel_slot::COLUMN.key)
            .lock_exclusive()
            .all(txn.connection())
            .await?)
    }
}

/// Marks the slots of a deleted channel broken; names those that were not.
pub async fn channel_deleted(domain: &Domain, guild_id: GuildId, channel_id: ChannelId) -> Result<Vec<SlotKey>, Error> {
    if !leads_a_slot(domain, guild_id, channel_id).await? {
        return Ok(Vec::new());
    }
    let input = OfChannel { writer: writer(domain, &Actor::System, guild_id), channel_id, missing_permissions: 0 };
    domain
        .store
        .write(input, |txn, input| {
            Box::pin(async move {
                let mut broken = Vec::new();
                for row in input.rows(txn).await? {
                    let before = (row.state, row.problem.clone());
                    let problem = SlotProblem::ChannelDeleted;
                    let row = break_row(txn, &input.writer, row, problem).await?;
                    if before != (row.state, row.problem) {
                        broken.push(SlotKey::of_row(&row.key));
                    }
                }
                Ok(broken)
            })
        })
        .await
}

/// Looks at the slots of a channel after a change of permissions; names those that broke or were mended.
pub async fn channel_works(
    domain: &Domain,
    guild_id: GuildId,
    channel_id: ChannelId,
    missing_permissions: u64,
) -> Result<Vec<SlotKey>, Error> {
    if !leads_a_slot(domain, guild_id, channel_id).await? {
        return Ok(Vec::new());
    }
    let input = OfChannel { writer: writer(domain, &Actor::System, guild_id), channel_id, missing_permissions };
    domain
        .store
        .write(input, |txn, input| {
            Box::pin(async move {
                let mut changed = Vec::new();
                for row in input.rows(txn).await? {
                    let key = SlotKey::of_row(&row.key);
                    let missing = needs(&key, row.slot_type) & input.missing_permissions;
                    if follow_permissions(txn, &input.writer, row, missing).await? {
                        changed.push(key);
                    }
                }
                Ok(changed)
            })
        })
        .await
}

/// Moves one slot between ready and broken; a deleted channel or a wrong type is not a matter of permissions.
async fn follow_permissions(
    txn: &WriteTransaction,
    writer: &SlotWriter,
    row: channel_slot::Model,
    missing: u64,
) -> Result<bool, Error> {
    match (row.state, row::problem(&row)) {
        (SlotState::Ready, _) if missing != 0 => {
            break_row(txn, writer, row, SlotProblem::MissingPermissions).await?;
        }
        (SlotState::Broken, Some(SlotProblem::MissingPermissions)) if missing == 0 => {
            let slot_type = row.slot_type;
            mend_row(txn, writer, row, slot_type).await?;
        }
        // The channel was never seen: its type is still to be confirmed.
        (SlotState::Broken, Some(SlotProblem::NoAccess)) if missing == 0 => {
            let before = row::state(&row);
            writer
                .update(txn, "slot.repaired", row, before, |row| {
                    row.state = Set(SlotState::Unconfirmed);
                    row.problem = Set(None);
                })
                .await?;
        }
        _ => return Ok(false),
    }
    Ok(true)
}

async fn leads_a_slot(domain: &Domain, guild_id: GuildId, channel_id: ChannelId) -> Result<bool, Error> {
    Ok(channel_slot::Entity::find()
        .filter(channel_slot::COLUMN.guild_id.eq(guild_id))
        .filter(channel_slot::COLUMN.channel_id.eq(channel_id))
        .one(domain.store.reader())
        .await?
        .is_some())
}
