//! Stand-in until the feature is merged.
use super::{Actor, Domain, Error, Kind, Refusal, Right};
use entity::{
    channel_slot::{self, SlotState, SlotType},
    id::{ChannelId, ChannelSlotId, GuildId},
};
use std::{collections::BTreeMap, str::FromStr, sync::Mutex};
/// Key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SlotKey(String);
/// Why not.
#[derive(Debug, thiserror::Error)]
#[error("no key")]
pub struct BadKey;
impl FromStr for SlotKey {
    type Err = BadKey;
    fn from_str(text: &str) -> Result<Self, BadKey> {
        let plain = text.bytes().all(|byte| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b'-')
        });
        if plain && (1..=64).contains(&text.len()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(BadKey)
        }
    }
}
#[derive(Debug, thiserror::Error)]
#[error("Channel setting not found")]
struct Missing;
impl Refusal for Missing {
    fn kind(&self) -> Kind {
        Kind::NotFound
    }
    fn code(&self) -> &'static str {
        "slot.not_found"
    }
}
static ROWS: Mutex<BTreeMap<(u64, SlotKey), channel_slot::Model>> = Mutex::new(BTreeMap::new());
/// all
pub async fn slots(
    _: &Domain,
    actor: &Actor,
    guild: GuildId,
) -> Result<Vec<channel_slot::Model>, Error> {
    actor.require(Right::ReadSettings, Some(guild))?;
    Ok(ROWS
        .lock()
        .expect("unpoisoned")
        .values()
        .filter(|row| row.guild_id == guild)
        .cloned()
        .collect())
}
/// one
pub async fn slot(
    _: &Domain,
    actor: &Actor,
    guild: GuildId,
    key: &SlotKey,
) -> Result<channel_slot::Model, Error> {
    actor.require(Right::ReadSettings, Some(guild))?;
    ROWS.lock()
        .expect("unpoisoned")
        .get(&(guild.get(), key.clone()))
        .cloned()
        .ok_or_else(|| Missing.into())
}
/// set
pub async fn set_over_http(
    domain: &Domain,
    actor: &Actor,
    guild: GuildId,
    key: &SlotKey,
    channel: ChannelId,
) -> Result<channel_slot::Model, Error> {
    actor.require(Right::ManageSettings, Some(guild))?;
    let row = channel_slot::Model {
        id: ChannelSlotId(uuid::Uuid::nil()),
        guild_id: guild,
        key: key.0.clone(),
        channel_id: Some(channel),
        slot_type: SlotType::Any,
        purpose: None,
        state: SlotState::Unconfirmed,
        problem: None,
        created_at: domain.now(),
        updated_at: domain.now(),
    };
    ROWS.lock()
        .expect("unpoisoned")
        .insert((guild.get(), key.clone()), row.clone());
    Ok(row)
}
/// clear
pub async fn clear(_: &Domain, actor: &Actor, guild: GuildId, key: &SlotKey) -> Result<(), Error> {
    actor.require(Right::ManageSettings, Some(guild))?;
    ROWS.lock()
        .expect("unpoisoned")
        .remove(&(guild.get(), key.clone()))
        .map(drop)
        .ok_or_else(|| Missing.into())
}
/// clear all
pub async fn clear_all(_: &Domain, actor: &Actor, guild: GuildId) -> Result<u64, Error> {
    actor.require(Right::ManageSettings, Some(guild))?;
    let mut rows = ROWS.lock().expect("unpoisoned");
    let before = rows.len();
    rows.retain(|(of, _), _| *of != guild.get());
    Ok((before - rows.len()) as u64)
}
