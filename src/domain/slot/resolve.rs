//! Where a post for a slot goes.

use entity::{
    channel_slot::{self, SlotState},
    id::{ChannelId, GuildId},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use super::{SlotKey, key};
use crate::domain::{Domain, Error};

/// Most slots that are asked, the first included.
const DEPTH_MAX: usize = 4;

/// The channel that receives what a slot is owed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resolved {
    /// Where to post.
    pub channel_id: ChannelId,
    /// Another slot than the one that was asked for.
    pub via_fallback: bool,
    /// Discord has confirmed that the channel belongs to the guild; ask it before posting where it has not.
    pub confirmed: bool,
}

/// The slot's channel, or that of the first fallback that can be used; `None` when there is nowhere to post.
pub async fn resolve(domain: &Domain, guild_id: GuildId, key: &SlotKey) -> Result<Option<Resolved>, Error> {
    let chain = chain(key.as_str(), |key| key::known(key)?.fallback);
    let rows = channel_slot::Entity::find()
        .filter(channel_slot::COLUMN.guild_id.eq(guild_id))
        .filter(channel_slot::COLUMN.key.is_in(chain.iter().copied()))
        .filter(channel_slot::COLUMN.state.is_in([SlotState::Ready, SlotState::Unconfirmed]))
        .all(domain.store.reader())
        .await?;
    Ok(chain.iter().find_map(|asked| {
        let row = rows.iter().find(|row| row.key == *asked)?;
        Some(Resolved {
            channel_id: row.channel_id?,
            via_fallback: *asked != key.as_str(),
            confirmed: row.state == SlotState::Ready,
        })
    }))
}

/// The slots to ask, in order; ends at a slot that was asked already.
fn chain<'a>(key: &'a str, fallback: impl Fn(&str) -> Option<&'a str>) -> Vec<&'a str> {
    let mut chain = vec![key];
    while chain.len() < DEPTH_MAX
        && let Some(next) = chain.last().and_then(|key| fallback(key))
        && !chain.contains(&next)
    {
        chain.push(next);
    }
    chain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_follows_fallbacks_and_survives_cycles() {
        let known = |key: &str| key::known(key)?.fallback;
        assert_eq!(chain("ledger", known), ["ledger", "alerts"]);
        assert_eq!(chain("stage", known), ["stage"]);
        let circle = |key: &str| match key {
            "a" => Some("b"),
            "b" => Some("c"),
            _ => Some("a"),
        };
        assert_eq!(chain("a", circle), ["a", "b", "c"]);
        assert_eq!(chain("a", |_| Some("a")), ["a"]);
        let line = |key: &str| match key {
            "1" => Some("2"),
            "2" => Some("3"),
            "3" => Some("4"),
            "4" => Some("5"),
            _ => None,
        };
        assert_eq!(chain("1", line), ["1", "2", "3", "4"]);
    }
}
