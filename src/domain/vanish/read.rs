//! Reading rules, from memory where they are read on every request.

use std::sync::Arc;

use entity::{
    id::{ChannelId, GuildId},
    vanish_default, vanish_place, vanish_rule,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::{VanishRefusal, schedule::Effective};
use crate::domain::{Actor, Domain, Error, Right, guild};

/// Most rows of a list without a page.
const LIST_MAX: u64 = 10_000;

/// A part of a list.
#[derive(Clone, Copy, Debug)]
pub struct PageRequest {
    /// Most rows.
    pub limit: u64,
    /// Rows to pass over.
    pub offset: u64,
}

/// A list of rules.
#[derive(Clone, Debug)]
pub struct Rules {
    /// The rows, by channel.
    pub rows: Arc<Vec<vanish_rule::Model>>,
    /// There are more behind them.
    pub more: bool,
}

/// A rule with what it inherits and where its sweep stands.
#[derive(Clone, Debug)]
pub struct RuleView {
    /// The rule; none where the channel has none.
    pub rule: Option<Arc<vanish_rule::Model>>,
    /// The guild's defaults.
    pub default: Option<vanish_default::Model>,
    /// Both together, where they make a rule.
    pub effective: Option<Effective>,
    /// Where it has work.
    pub places: Vec<vanish_place::Model>,
}

/// The rule of a channel, from memory where possible.
pub async fn rule(domain: &Domain, actor: &Actor, channel: ChannelId) -> Result<Arc<vanish_rule::Model>, Error> {
    actor.require_somewhere(Right::ReadVanish)?;
    let found = cached(domain, channel).await?;
    let seen = (*found).as_ref().filter(|rule| actor.may(Right::ReadVanish, Some(rule.guild_id)));
    Ok(seen.cloned().map(Arc::new).ok_or(VanishRefusal::NoRule)?)
}

pub(super) async fn cached(domain: &Domain, channel: ChannelId) -> Result<Arc<Option<vanish_rule::Model>>, Error> {
    domain
        .caches
        .vanish_rule
        .get_or_load(channel, async { Ok(vanish_rule::Entity::find_by_id(channel).one(domain.store.reader()).await?) })
        .await
}

/// The rules of a guild, or of all guilds that the actor may touch, by channel; whole without a page, up to 10 000.
pub async fn rules(
    domain: &Domain,
    actor: &Actor,
    guild: Option<GuildId>,
    page: Option<PageRequest>,
) -> Result<Rules, Error> {
    let guild = guild.or_else(|| actor.bound_guild());
    actor.require(Right::ReadVanish, guild)?;
    if let (Some(guild), None) = (guild, page) {
        let load = async { Ok(list(domain, Some(guild), PageRequest { limit: LIST_MAX, offset: 0 }).await?) };
        let rows = domain.caches.vanish_rules.get_or_load(guild, load).await?;
        return Ok(Rules { rows, more: false });
    }
    let page = page.unwrap_or(PageRequest { limit: LIST_MAX, offset: 0 });
    let mut rows = list(domain, guild, PageRequest { limit: page.limit + 1, ..page }).await?;
    let limit = usize::try_from(page.limit).unwrap_or(usize::MAX);
    let more = rows.len() > limit;
    rows.truncate(limit);
    Ok(Rules { rows: Arc::new(rows), more })
}

async fn list(
    domain: &Domain,
    guild: Option<GuildId>,
    page: PageRequest,
) -> Result<Vec<vanish_rule::Model>, sea_orm::DbErr> {
    let mut query = vanish_rule::Entity::find();
    if let Some(guild) = guild {
        query = query.filter(vanish_rule::COLUMN.guild_id.eq(guild));
    }
    query
        .order_by_asc(vanish_rule::Column::ChannelId)
        .limit(page.limit)
        .offset(page.offset)
        .all(domain.store.reader())
        .await
}

/// A channel's rule with what it inherits and where its sweep stands.
pub async fn view(domain: &Domain, actor: &Actor, guild: GuildId, channel: ChannelId) -> Result<RuleView, Error> {
    actor.require(Right::ReadVanish, Some(guild))?;
    let rule = (*cached(domain, channel).await?).as_ref().filter(|rule| rule.guild_id == guild).cloned().map(Arc::new);
    let default = vanish_default::Entity::find_by_id(guild).one(domain.store.reader()).await?;
    let zone = guild::time_zone(domain, guild).await?;
    let effective = rule.as_ref().and_then(|rule| Effective::of(rule, default.as_ref(), zone));
    let places = vanish_place::Entity::find()
        .filter(vanish_place::COLUMN.rule_channel_id.eq(channel))
        .filter(vanish_place::COLUMN.guild_id.eq(guild))
        .limit(LIST_MAX)
        .all(domain.store.reader())
        .await?;
    Ok(RuleView { rule, default, effective, places })
}
