//! Stand-in until the feature is merged.
use super::{Actor, Domain, Error, Kind, Refusal, Right};
use entity::{
    id::{ChannelId, GuildId, MessageId},
    vanish_rule,
};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};
/// Window.
#[derive(Clone, Copy)]
pub struct PageRequest {
    /// Rows.
    pub limit: u64,
    /// Passed over.
    pub offset: u64,
}
/// New.
pub struct NewDuration {
    /// c
    pub channel_id: ChannelId,
    /// g
    pub guild_id: GuildId,
    /// s
    pub after_seconds: i64,
}
/// Rows.
pub struct Rules {
    /// r
    pub rows: Arc<Vec<vanish_rule::Model>>,
    /// m
    pub more: bool,
}
#[derive(Debug, thiserror::Error)]
enum No {
    #[error("Channel not found")]
    Missing,
    #[error("duration must be from 1 to 31536000 seconds")]
    Duration,
    #[error("deletedCount must be positive")]
    Count,
    #[error("this channel belongs to another server")]
    Guild,
}
impl Refusal for No {
    fn kind(&self) -> Kind {
        match self {
            Self::Missing => Kind::NotFound,
            Self::Guild => Kind::Conflict,
            _ => Kind::Invalid,
        }
    }
    fn code(&self) -> &'static str {
        "vanish.refused"
    }
    fn pointer(&self) -> Option<&'static str> {
        match self {
            Self::Duration => Some("/duration"),
            Self::Count => Some("/deletedCount"),
            _ => None,
        }
    }
}
static ROWS: Mutex<BTreeMap<u64, vanish_rule::Model>> = Mutex::new(BTreeMap::new());
/// set
pub async fn set_duration(
    domain: &Domain,
    actor: &Actor,
    new: NewDuration,
) -> Result<Arc<vanish_rule::Model>, Error> {
    actor.require(Right::ManageVanish(new.channel_id), Some(new.guild_id))?;
    if !(1..=31_536_000).contains(&new.after_seconds) {
        return Err(No::Duration.into());
    }
    let mut rows = ROWS.lock().expect("unpoisoned");
    let row = rows
        .entry(new.channel_id.get())
        .or_insert_with(|| vanish_rule::Model {
            channel_id: new.channel_id,
            guild_id: new.guild_id,
            after_seconds: None,
            keep_last: None,
            schedule: vanish_rule::Schedule::Rolling,
            at_minute: None,
            pins: None,
            threads: None,
            state: vanish_rule::RuleState::Unconfirmed,
            problem: None,
            paused_until: None,
            starts_after: MessageId::new(1).expect("one"),
            messages_deleted: 0,
            last_deletion: None,
            revision: 0,
            created_at: domain.now(),
            updated_at: domain.now(),
        });
    if row.guild_id != new.guild_id {
        return Err(No::Guild.into());
    }
    row.after_seconds = Some(new.after_seconds);
    Ok(Arc::new(row.clone()))
}
/// one
pub async fn rule(
    _: &Domain,
    actor: &Actor,
    channel: ChannelId,
) -> Result<Arc<vanish_rule::Model>, Error> {
    actor.require(Right::ReadVanish, None)?;
    ROWS.lock()
        .expect("unpoisoned")
        .get(&channel.get())
        .cloned()
        .map(Arc::new)
        .ok_or_else(|| No::Missing.into())
}
/// all
pub async fn rules(
    _: &Domain,
    actor: &Actor,
    guild: Option<GuildId>,
    page: Option<PageRequest>,
) -> Result<Rules, Error> {
    actor.require(Right::ReadVanish, guild)?;
    let page = page.unwrap_or(PageRequest {
        limit: 10_000,
        offset: 0,
    });
    let all: Vec<_> = ROWS
        .lock()
        .expect("unpoisoned")
        .values()
        .filter(|row| guild.is_none_or(|guild| guild == row.guild_id))
        .cloned()
        .collect();
    let (from, limit) = (
        usize::try_from(page.offset).unwrap_or(0),
        usize::try_from(page.limit).unwrap_or(0),
    );
    let more = all.len() > from + limit;
    Ok(Rules {
        rows: Arc::new(all.into_iter().skip(from).take(limit).collect()),
        more,
    })
}
/// remove
pub async fn remove(_: &Domain, actor: &Actor, channel: ChannelId) -> Result<bool, Error> {
    actor.require(Right::ManageVanish(channel), None)?;
    Ok(ROWS
        .lock()
        .expect("unpoisoned")
        .remove(&channel.get())
        .is_some())
}
/// add
pub async fn add_deleted(
    _: &Domain,
    actor: &Actor,
    channel: ChannelId,
    count: i64,
) -> Result<i64, Error> {
    actor.require(Right::ManageVanish(channel), None)?;
    if count < 1 {
        return Err(No::Count.into());
    }
    let mut rows = ROWS.lock().expect("unpoisoned");
    let row = rows.get_mut(&channel.get()).ok_or(No::Missing)?;
    row.messages_deleted += count;
    Ok(row.messages_deleted)
}
