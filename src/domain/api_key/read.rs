//! Seeing keys: one, or many, with their owners.

use std::collections::{BTreeMap, BTreeSet};

use entity::{
    api_key::{self, KeyState, Preset},
    id::{ApiKeyId, GuildId, UserId},
    identity,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::{refusal::KeyRefusal, specification::require};
use crate::domain::{Actor, Domain, Error, vanish::PageRequest};

/// Most keys of a list without a page.
const LIST_MAX: u64 = 10_000;
/// Owners that are asked for at once.
const OWNERS_BATCH: usize = 500;

/// Which keys to list.
#[derive(Clone, Copy, Debug, Default)]
pub struct KeyFilter {
    /// Those of this person.
    pub user_id: Option<UserId>,
    /// Those that are bound to this guild.
    pub guild_id: Option<GuildId>,
    /// Those that were made with this preset.
    pub preset: Option<Preset>,
    /// Those that are revoked, or those that are not.
    pub revoked: Option<bool>,
}

/// A key as its managers see it.
#[derive(Clone, Debug)]
pub struct KeyView {
    /// Its row; requests and last use with those that are not written yet.
    pub row: api_key::Model,
    /// Its owner's accounts, the primary ones first.
    pub identities: Vec<identity::Model>,
}

/// A list of keys.
#[derive(Clone, Debug)]
pub struct Keys {
    /// They, newest first.
    pub rows: Vec<KeyView>,
    /// There are more behind them.
    pub more: bool,
}

/// The keys that the actor may manage, newest first; whole without a page, up to 10 000.
pub async fn keys(domain: &Domain, actor: &Actor, filter: KeyFilter, page: Option<PageRequest>) -> Result<Keys, Error> {
    require(actor, filter.guild_id)?;
    let page = page.unwrap_or(PageRequest { limit: LIST_MAX, offset: 0 });
    let _turn = domain.usage.hold_flush().await;
    let mut rows = select(filter)
        .order_by_desc(api_key::Column::CreatedAt)
        .order_by_desc(api_key::Column::Id)
        .limit(page.limit + 1)
        .offset(page.offset)
        .all(domain.store.reader())
        .await?;
    let limit = usize::try_from(page.limit).unwrap_or(usize::MAX);
    let more = rows.len() > limit;
    rows.truncate(limit);
    for row in &mut rows {
        domain.usage.add_waiting(row);
    }
    let mut owners = identities(domain, &rows).await?;
    let view = |row: api_key::Model| {
        let identities = row.user_id.and_then(|id| owners.get(&id).cloned()).unwrap_or_default();
        KeyView { row, identities }
    };
    let rows = rows.into_iter().map(view).collect();
    owners.clear();
    Ok(Keys { rows, more })
}

fn select(filter: KeyFilter) -> sea_orm::Select<api_key::Entity> {
    use api_key::Column as C;
    let mut select = api_key::Entity::find();
    if let Some(user) = filter.user_id {
        select = select.filter(C::UserId.eq(user));
    }
    if let Some(guild) = filter.guild_id {
        select = select.filter(C::GuildId.eq(guild));
    }
    if let Some(preset) = filter.preset {
        select = select.filter(C::Preset.eq(preset));
    }
    match filter.revoked {
        Some(true) => select.filter(C::State.eq(KeyState::Revoked)),
        Some(false) => select.filter(C::State.ne(KeyState::Revoked)),
        None => select,
    }
}

/// The key of this id.
pub async fn key(domain: &Domain, actor: &Actor, id: ApiKeyId) -> Result<KeyView, Error> {
    let _turn = domain.usage.hold_flush().await;
    let mut row = visible(actor, api_key::Entity::find_by_id(id).one(domain.store.reader()).await?)?;
    domain.usage.add_waiting(&mut row);
    let identities = identities(domain, std::slice::from_ref(&row)).await?.into_values().next().unwrap_or_default();
    Ok(KeyView { row, identities })
}

/// The row, if the actor may know of it: whoever manages one guild learns nothing of other keys, not even that they
/// exist.
pub(super) fn visible(actor: &Actor, row: Option<api_key::Model>) -> Result<api_key::Model, Error> {
    if require(actor, None).is_ok() {
        return Ok(row.ok_or(KeyRefusal::NotFound)?);
    }
    let guild = actor.bound_guild();
    require(actor, guild)?;
    Ok(row.filter(|row| guild.is_some() && row.guild_id == guild).ok_or(KeyRefusal::NotFound)?)
}

async fn identities(domain: &Domain, rows: &[api_key::Model]) -> Result<BTreeMap<UserId, Vec<identity::Model>>, Error> {
    let owners: Vec<UserId> = rows.iter().filter_map(|row| row.user_id).collect::<BTreeSet<_>>().into_iter().collect();
    let mut found: BTreeMap<UserId, Vec<identity::Model>> = BTreeMap::new();
    for batch in owners.chunks(OWNERS_BATCH) {
        let accounts = identity::Entity::find()
            .filter(identity::COLUMN.user_id.is_in(batch.iter().copied()))
            .order_by_desc(identity::Column::IsPrimary)
            .order_by_asc(identity::Column::CreatedAt)
            .limit(LIST_MAX)
            .all(domain.store.reader())
            .await?;
        for account in accounts {
            found.entry(account.user_id).or_default().push(account);
        }
    }
    Ok(found)
}
