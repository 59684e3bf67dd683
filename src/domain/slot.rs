//! Named channels of a guild: where features post, and what such a channel must be.
//!
//! Invariant: a slot is `ready` only after Discord confirmed that its channel belongs to the guild, is of the right
//! type and is open to the bot.

mod health;
mod key;
mod refusal;
mod resolve;
mod row;

use entity::{
    channel_slot::{self, SlotState, SlotType},
    id::{ChannelId, GuildId},
};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::{Actor, Domain, Error, Right, error::CommonRefusal, event::Author};
use crate::store::WriteTransaction;

pub use health::{channel_deleted, channel_works, confirm, unconfirmed, watched_channels};
pub use key::{KNOWN, KnownSlot, SlotKey, needs, permission, type_of_channel, type_words};
pub use refusal::{SlotProblem, SlotRefusal};
pub use resolve::{Resolved, resolve};
pub(in crate::domain) use row::{SlotConfig, SlotWriter};

/// Most slots of a guild.
pub(in crate::domain) const SLOTS_MAX: u64 = 10_000;
/// Longest purpose, in characters.
const PURPOSE_CHARS_MAX: usize = 200;

/// What Discord says about a channel.
#[derive(Clone, Copy, Debug)]
pub struct ChannelFacts {
    /// The channel.
    pub channel_id: ChannelId,
    /// The guild it belongs to.
    pub guild_id: GuildId,
    /// What it is; an announcement channel counts as text, a media channel as forum.
    pub slot_type: SlotType,
    /// Permission bits that the bot lacks there; bits that a slot does not ask for do no harm.
    pub missing_permissions: u64,
}

/// A slot as people see it, whether or not it has a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlotView {
    /// Its name.
    pub key: SlotKey,
    /// A feature of ours uses it.
    pub known: bool,
    /// What fits.
    pub slot_type: SlotType,
    /// Permission bits that the bot needs there.
    pub needs: u64,
    /// What it is for; none for a slot made over HTTP.
    pub purpose: Option<String>,
    /// Which slot takes over while this one cannot be used.
    pub fallback: Option<&'static str>,
    /// Where it leads.
    pub channel_id: Option<ChannelId>,
    /// Whether it works.
    pub state: SlotState,
    /// Why it does not.
    pub problem: Option<SlotProblem>,
}

impl SlotView {
    fn new(key: SlotKey, row: Option<&channel_slot::Model>) -> Self {
        let known = key.known();
        let slot_type = match row {
            Some(row) if known.is_none() => row.slot_type,
            _ => row::needed_type(&key, row),
        };
        Self {
            known: known.is_some(),
            slot_type,
            needs: needs(&key, slot_type),
            purpose: known.map(|known| known.purpose.to_owned()).or_else(|| row.and_then(|row| row.purpose.clone())),
            fallback: known.and_then(|known| known.fallback),
            channel_id: row.and_then(|row| row.channel_id),
            state: row.map_or(SlotState::Empty, |row| row.state),
            problem: row.and_then(row::problem),
            key,
        }
    }
}

/// The slots of a guild that have a channel, by name.
pub async fn slots(domain: &Domain, actor: &Actor, guild_id: GuildId) -> Result<Vec<channel_slot::Model>, Error> {
    actor.require(Right::ReadSettings, Some(guild_id))?;
    Ok(channel_slot::Entity::find()
        .filter(channel_slot::COLUMN.guild_id.eq(guild_id))
        .filter(channel_slot::COLUMN.channel_id.is_not_null())
        .order_by_asc(channel_slot::COLUMN.key)
        .limit(SLOTS_MAX)
        .all(domain.store.reader())
        .await?)
}

/// Every slot that a guild can use: the known ones first, then its own, with or without a channel.
pub async fn all_slots(domain: &Domain, actor: &Actor, guild_id: GuildId) -> Result<Vec<SlotView>, Error> {
    actor.require(Right::ReadSettings, Some(guild_id))?;
    let rows = channel_slot::Entity::find()
        .filter(channel_slot::COLUMN.guild_id.eq(guild_id))
        .order_by_asc(channel_slot::COLUMN.key)
        .limit(SLOTS_MAX)
        .all(domain.store.reader())
        .await?;
    let known = KNOWN.iter().map(|known| {
        let row = rows.iter().find(|row| row.key == known.key);
        SlotView::new(SlotKey::of_row(known.key), row)
    });
    let own = rows.iter().map(|row| SlotView::new(SlotKey::of_row(&row.key), Some(row))).filter(|view| !view.known);
    Ok(known.chain(own).collect())
}

/// The slot of this name; refused unless it has a channel.
pub async fn slot(
    domain: &Domain,
    actor: &Actor,
    guild_id: GuildId,
    key: &SlotKey,
) -> Result<channel_slot::Model, Error> {
    actor.require(Right::ReadSettings, Some(guild_id))?;
    let row = find(domain, guild_id, key).await?;
    row.filter(|row| row.channel_id.is_some()).ok_or_else(|| SlotRefusal::NotFound.into())
}

/// The slot of this name as people see it; refused for a name that nobody made.
pub async fn view(domain: &Domain, actor: &Actor, guild_id: GuildId, key: &SlotKey) -> Result<SlotView, Error> {
    actor.require(Right::ReadSettings, Some(guild_id))?;
    let row = find(domain, guild_id, key).await?;
    if row.is_none() && key.known().is_none() {
        let keys = keys(domain.store.reader(), guild_id).await?;
        return Err(unknown(key, keys).into());
    }
    Ok(SlotView::new(key.clone(), row.as_ref()))
}

async fn find(domain: &Domain, guild_id: GuildId, key: &SlotKey) -> Result<Option<channel_slot::Model>, Error> {
    Ok(channel_slot::Entity::find()
        .filter(channel_slot::COLUMN.guild_id.eq(guild_id))
        .filter(channel_slot::COLUMN.key.eq(key.as_str()))
        .one(domain.store.reader())
        .await?)
}

async fn keys(connection: &impl sea_orm::ConnectionTrait, guild_id: GuildId) -> Result<Vec<String>, sea_orm::DbErr> {
    channel_slot::Entity::find()
        .select_only()
        .column(channel_slot::Column::Key)
        .filter(channel_slot::COLUMN.guild_id.eq(guild_id))
        .limit(SLOTS_MAX)
        .into_tuple()
        .all(connection)
        .await
}

/// A refusal that offers the nearest names.
fn unknown(key: &SlotKey, own: Vec<String>) -> SlotRefusal {
    let known = KNOWN.iter().map(|known| known.key.to_owned());
    let mut nearest: Vec<(usize, String)> = known
        .chain(own)
        .filter(|name| name != key.as_str())
        .map(|name| (strsim::damerau_levenshtein(key.as_str(), &name), name))
        .filter(|(distance, name)| *distance <= 2 && *distance < name.len())
        .collect();
    nearest.sort();
    SlotRefusal::Unknown { key: key.clone(), nearest: nearest.into_iter().take(2).map(|(_, name)| name).collect() }
}

struct SetChannel {
    writer: SlotWriter,
    key: SlotKey,
    channel_id: ChannelId,
}

/// Sets a slot's channel without Discord at hand: it is used, and confirmed or found broken soon after.
pub async fn set_over_http(
    domain: &Domain,
    actor: &Actor,
    guild_id: GuildId,
    key: &SlotKey,
    channel_id: ChannelId,
) -> Result<channel_slot::Model, Error> {
    actor.require(Right::ManageSettings, Some(guild_id))?;
    let input = SetChannel { writer: writer(domain, actor, guild_id), key: key.clone(), channel_id };
    domain.store.write(input, |txn, input| Box::pin(set_unconfirmed_in(txn, input))).await
}

async fn set_unconfirmed_in(txn: &WriteTransaction, input: &SetChannel) -> Result<channel_slot::Model, Error> {
    let (row, before) = input.writer.lock_or_insert(txn, &input.key).await?;
    let works = matches!(row.state, SlotState::Ready | SlotState::Unconfirmed);
    if works && row.channel_id == Some(input.channel_id) {
        return Ok(row);
    }
    let slot_type = row::needed_type(&input.key, Some(&row));
    input
        .writer
        .update(txn, "slot.set", row, before, |row| {
            row.channel_id = Set(Some(input.channel_id));
            row.slot_type = Set(slot_type);
            row.state = Set(SlotState::Unconfirmed);
            row.problem = Set(None);
        })
        .await
}

struct SetConfirmed {
    writer: SlotWriter,
    key: SlotKey,
    facts: ChannelFacts,
}

/// Sets a slot's channel with what Discord says about it; refuses a channel that does not fit.
pub async fn set_confirmed(
    domain: &Domain,
    actor: &Actor,
    guild_id: GuildId,
    key: &SlotKey,
    facts: ChannelFacts,
) -> Result<channel_slot::Model, Error> {
    actor.require(Right::ManageSettings, Some(guild_id))?;
    let input = SetConfirmed { writer: writer(domain, actor, guild_id), key: key.clone(), facts };
    domain.store.write(input, |txn, input| Box::pin(set_confirmed_in(txn, input))).await
}

async fn set_confirmed_in(txn: &WriteTransaction, input: &SetConfirmed) -> Result<channel_slot::Model, Error> {
    let SetConfirmed { writer, key, facts } = input;
    if key.known().is_none() && writer.lock(txn, key).await?.is_none() {
        let keys = keys(txn.connection(), writer.guild_id).await?;
        return Err(unknown(key, keys).into());
    }
    let (row, before) = writer.lock_or_insert(txn, key).await?;
    health::check(writer.guild_id, key, &row, facts)?;
    let slot_type = health::confirmed_type(key, &row, facts);
    let same = row.channel_id == Some(facts.channel_id) && row.slot_type == slot_type;
    if same && row.state == SlotState::Ready {
        return Ok(row);
    }
    writer
        .update(txn, "slot.set", row, before, |row| {
            row.channel_id = Set(Some(facts.channel_id));
            row.slot_type = Set(slot_type);
            row.state = Set(SlotState::Ready);
            row.problem = Set(None);
        })
        .await
}

struct OneSlot {
    writer: SlotWriter,
    key: SlotKey,
}

/// Takes the channel of a slot away; refused if it has none.
pub async fn clear(domain: &Domain, actor: &Actor, guild_id: GuildId, key: &SlotKey) -> Result<(), Error> {
    actor.require(Right::ManageSettings, Some(guild_id))?;
    let input = OneSlot { writer: writer(domain, actor, guild_id), key: key.clone() };
    domain
        .store
        .write(input, |txn, input| {
            Box::pin(async move {
                let row = input.writer.lock(txn, &input.key).await?;
                let row = row.filter(|row| row.channel_id.is_some()).ok_or(SlotRefusal::NotFound)?;
                input.writer.clear(txn, row).await
            })
        })
        .await
}

/// Takes the channels of all slots of a guild away; says how many had one.
pub async fn clear_all(domain: &Domain, actor: &Actor, guild_id: GuildId) -> Result<u64, Error> {
    actor.require(Right::ManageSettings, Some(guild_id))?;
    let writer = writer(domain, actor, guild_id);
    domain
        .store
        .write(writer, |txn, writer| {
            Box::pin(async move {
                let rows = channel_slot::Entity::find()
                    .filter(channel_slot::COLUMN.guild_id.eq(writer.guild_id))
                    .filter(channel_slot::COLUMN.channel_id.is_not_null())
                    .order_by_asc(channel_slot::COLUMN.key)
                    .lock_exclusive()
                    .all(txn.connection())
                    .await?;
                let cleared = rows.len() as u64;
                for row in rows {
                    writer.clear(txn, row).await?;
                }
                Ok(cleared)
            })
        })
        .await
}

/// Removes a slot that somebody created or that was made over HTTP, with or without a channel.
pub async fn remove(domain: &Domain, actor: &Actor, guild_id: GuildId, key: &SlotKey) -> Result<(), Error> {
    actor.require(Right::ManageSettings, Some(guild_id))?;
    let input = OneSlot { writer: writer(domain, actor, guild_id), key: key.clone() };
    domain
        .store
        .write(input, |txn, input| {
            Box::pin(async move {
                let row = input.writer.lock(txn, &input.key).await?;
                let row = row.ok_or(SlotRefusal::NotFound)?;
                input.writer.remove(txn, row).await
            })
        })
        .await
}

struct Create {
    writer: SlotWriter,
    key: SlotKey,
    slot_type: SlotType,
    purpose: String,
}

/// Makes an empty slot of a guild's own.
pub async fn create(
    domain: &Domain,
    actor: &Actor,
    guild_id: GuildId,
    key: &SlotKey,
    slot_type: SlotType,
    purpose: &str,
) -> Result<channel_slot::Model, Error> {
    actor.require(Right::ManageSettings, Some(guild_id))?;
    if key.known().is_some() {
        return Err(SlotRefusal::BuiltIn { key: key.clone() }.into());
    }
    let input = Create {
        writer: writer(domain, actor, guild_id),
        key: key.clone(),
        slot_type,
        purpose: checked_purpose(purpose)?,
    };
    domain
        .store
        .write(input, |txn, input| {
            Box::pin(async move {
                let Create { writer, key, .. } = input;
                if !writer.insert_empty(txn, key).await? {
                    return Err(SlotRefusal::Exists { key: key.clone() }.into());
                }
                let row = writer.lock(txn, key).await?.ok_or(SlotRefusal::NotFound)?;
                let before = serde_json::Value::Null;
                writer
                    .update(txn, "slot.created", row, before, |row| {
                        row.slot_type = Set(input.slot_type);
                        row.purpose = Set(Some(input.purpose.clone()));
                    })
                    .await
            })
        })
        .await
}

/// A purpose is one short line.
pub(in crate::domain) fn checked_purpose(purpose: &str) -> Result<String, CommonRefusal> {
    let purpose = purpose.trim();
    let fits = (1..=PURPOSE_CHARS_MAX).contains(&purpose.chars().count()) && !purpose.chars().any(char::is_control);
    if fits {
        Ok(purpose.to_owned())
    } else {
        Err(CommonRefusal::BadText { what: "The purpose of a slot", max: PURPOSE_CHARS_MAX })
    }
}

pub(in crate::domain) fn writer(domain: &Domain, actor: &Actor, guild_id: GuildId) -> SlotWriter {
    SlotWriter { ids: domain.ids.clone(), author: Author::new(domain, actor), guild_id }
}

#[cfg(test)]
mod tests;
