//! Seeing people: lists, one, and whoever has an account.
//!
//! Invariants: deleted, erased and merged people are in no list; an old id leads to whom it was merged into; what a
//! person hides is shown to themself and to administrators; looking makes nobody.

use std::collections::BTreeMap;

use entity::{
    id::UserId,
    identity::{self, Platform},
    user::{self, Privacy, Role},
};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, Select};

use super::{UserRefusal, is_there, resolve, spelling::canonical};
use crate::domain::{Actor, Domain, Error, Right, vanish::PageRequest};

/// Most accounts that are read at once: those of a page of people.
const IDENTITIES_MAX: u64 = 10_000;

/// A person as others see them.
#[derive(Clone, Debug)]
pub struct UserView {
    /// Their row.
    pub row: user::Model,
    /// Their primary address, else their oldest one.
    pub address: Option<String>,
    /// Their accounts, the primary one first; empty where they were not asked for or are hidden.
    pub identities: Vec<identity::Model>,
    /// Their accounts are hidden from whoever asks.
    pub is_hidden: bool,
}

/// A page of people.
#[derive(Clone, Debug)]
pub struct UserPage {
    /// They, newest first.
    pub rows: Vec<UserView>,
    /// How many there are on all pages.
    pub total: u64,
}

/// Whom to list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UserFilter {
    /// Everybody.
    #[default]
    All,
    /// Those of one role.
    Role(Role),
    /// Members and administrators.
    Members,
}

/// Whoever has an account.
#[derive(Clone, Debug)]
pub struct Found {
    /// The person.
    pub user: UserView,
    /// The account by which they were found.
    pub identity: identity::Model,
}

fn living(filter: UserFilter) -> Select<user::Entity> {
    use user::Column as C;
    let living = user::Entity::find().filter(C::DeletedAt.is_null()).filter(C::MergedInto.is_null());
    match filter {
        UserFilter::All => living,
        UserFilter::Role(role) => living.filter(C::Role.eq(role)),
        UserFilter::Members => living.filter(C::Role.is_in([Role::Member, Role::Admin])),
    }
}

/// A page of people, newest first.
pub async fn users(domain: &Domain, actor: &Actor, filter: UserFilter, page: PageRequest) -> Result<UserPage, Error> {
    actor.require(Right::ReadUsers, None)?;
    let reader = domain.store.reader();
    let total = living(filter).count(reader).await?;
    let rows = living(filter)
        // Ids of version 7 grow with time, and have an index.
        .order_by_desc(user::Column::Id)
        .limit(page.limit)
        .offset(page.offset)
        .all(reader)
        .await?;
    Ok(UserPage { rows: views(domain, actor, rows).await?, total })
}

/// A person. Who may not see people in general sees themself, and those who show themselves to everybody.
pub async fn get(domain: &Domain, actor: &Actor, id: UserId) -> Result<UserView, Error> {
    let row = resolve(domain.store.reader(), id).await?.filter(is_there);
    let may_see = row.as_ref().is_some_and(|row| is_self(actor, row) || row.privacy == Some(Privacy::Public));
    if !may_see {
        actor.require(Right::ReadUsers, None)?;
    }
    let row = row.ok_or(UserRefusal::NotFound)?;
    views(domain, actor, vec![row]).await?.pop().ok_or_else(|| UserRefusal::NotFound.into())
}

/// A person's accounts, the primary one first.
pub async fn identities(domain: &Domain, actor: &Actor, id: UserId) -> Result<Vec<identity::Model>, Error> {
    let view = get(domain, actor, id).await?;
    if view.identities.is_empty() { Err(UserRefusal::NoIdentities.into()) } else { Ok(view.identities) }
}

/// One's own accounts, the primary one first.
pub async fn own_identities(domain: &Domain, actor: &Actor) -> Result<Vec<identity::Model>, Error> {
    Ok(get(domain, actor, super::identity::own_id(actor)?).await?.identities)
}

/// Whoever has this account, in whatever spelling. What is no account of the platform is nobody's.
pub async fn find(domain: &Domain, actor: &Actor, platform: Platform, text: &str) -> Result<Found, Error> {
    let identity = match canonical(platform, text) {
        Ok(spelled) => identity::Entity::find_by_id((platform, spelled)).one(domain.store.reader()).await?,
        Err(_) => None,
    };
    let Some(identity) = identity else {
        actor.require(Right::ReadUsers, None)?;
        return Err(UserRefusal::NotFound.into());
    };
    let user = get(domain, actor, identity.user_id).await?;
    // Knowing an address of somebody is not being told which person it is.
    if platform == Platform::Email && !is_self(actor, &user.row) {
        actor.require(Right::ManageUsers, None)?;
    }
    Ok(Found { user, identity })
}

fn is_self(actor: &Actor, row: &user::Model) -> bool {
    matches!(actor, Actor::User(user) if user.id == row.id)
}

async fn views(domain: &Domain, actor: &Actor, rows: Vec<user::Model>) -> Result<Vec<UserView>, Error> {
    let manages = actor.may(Right::ManageUsers, None);
    let ids: Vec<UserId> = rows.iter().map(|row| row.id).collect();
    let mut accounts: BTreeMap<UserId, Vec<identity::Model>> = BTreeMap::new();
    let found = identity::Entity::find()
        .filter(identity::COLUMN.user_id.is_in(ids))
        .order_by_desc(identity::Column::IsPrimary)
        .order_by_asc(identity::Column::CreatedAt)
        .order_by_asc(identity::Column::Platform)
        .order_by_asc(identity::Column::Identity)
        .limit(IDENTITIES_MAX)
        .all(domain.store.reader())
        .await?;
    for account in found {
        accounts.entry(account.user_id).or_default().push(account);
    }
    let view = |row: user::Model| {
        let sees_all = manages || is_self(actor, &row);
        let is_hidden = row.privacy == Some(Privacy::Private) && !sees_all;
        let mut identities = accounts.remove(&row.id).filter(|_| !is_hidden).unwrap_or_default();
        // An e-mail address is nobody's business, however open a person is.
        identities.retain(|one| sees_all || one.platform != Platform::Email);
        let address = identities.iter().find(|one| one.platform == Platform::Evm).map(|one| one.identity.clone());
        UserView { row, address, identities, is_hidden }
    };
    Ok(rows.into_iter().map(view).collect())
}
