//! People: who they are, whatever accounts they have elsewhere, and what they may do in this installation.
//!
//! Invariants: the table of identities is the only one that says whose an account is; an id that was given once leads
//! to its person for ever, through the tombstone of a merge.

mod change;
mod ens;
mod erase;
mod first_use;
pub mod holdings;
mod identity;
mod merge;
mod profile;
mod read;
mod refusal;
mod spelling;
#[cfg(test)]
mod tests;

use entity::{
    id::{DiscordUserId, UserId},
    identity::{Entity as Identity, Platform},
    user::{self, Role},
};
use sea_orm::{ConnectionTrait, EntityTrait, IntoActiveModel, QuerySelect};
use serde_json::{Value, json};

use super::{
    Actor, Domain, Error, Right, counter,
    event::{Author, spelled},
};
use crate::{id_source::IdSource, store::WriteTransaction};

pub use change::{delete, set_disabled, set_role};
pub use ens::{DueName, NameOutcome, claim_names, note_wallets, settle_name};
pub use erase::{erase, erase_part, export};
pub use first_use::{KnownAccounts, note_use};
pub use identity::{
    Connected, IdentityKey, NewIdentity, Upserted, connect, connect_claimed, creates_on_read, disconnect, set_primary,
    upsert,
};
pub(in crate::domain) use identity::{connect_proved, mark_primary, of_identity};
pub use merge::{Merged, merge};
pub use profile::{Profile, ProfileChange, profile, set_profile};
pub use read::{Found, UserFilter, UserPage, UserView, find, get, identities, own_identities, users};
pub use refusal::UserRefusal;
pub use spelling::{canonical, platform_name};

/// Most tombstones on the way from an id to its person. A merge leads them all to the end, so that one is usual.
const TOMBSTONES_MAX: usize = 8;

/// What events call a person.
pub(in crate::domain) fn subject(id: UserId) -> String {
    format!("user/{id}")
}

/// Whether a person may do anything.
pub(in crate::domain) fn is_active(row: &user::Model) -> bool {
    is_there(row) && row.disabled_at.is_none()
}

/// Whether a person is still one of their own.
pub(in crate::domain) fn is_there(row: &user::Model) -> bool {
    row.deleted_at.is_none() && row.merged_into.is_none()
}

/// The person of an id, through tombstones; they may be disabled or deleted.
pub(in crate::domain) async fn resolve(
    connection: &impl ConnectionTrait,
    id: UserId,
) -> Result<Option<user::Model>, Error> {
    let mut id = id;
    for _ in 0..TOMBSTONES_MAX {
        let row = user::Entity::find_by_id(id).one(connection).await?;
        match row.as_ref().and_then(|row| row.merged_into) {
            Some(target) => id = target,
            None => return Ok(row),
        }
    }
    Ok(None)
}

/// The same, with the row held until the transaction ends.
pub(in crate::domain) async fn lock(txn: &WriteTransaction, id: UserId) -> Result<user::Model, Error> {
    let mut id = id;
    for _ in 0..TOMBSTONES_MAX {
        let found = user::Entity::find_by_id(id).lock_exclusive().one(txn.connection()).await?;
        let row = found.ok_or(UserRefusal::NotFound)?;
        match row.merged_into {
            Some(target) => id = target,
            None => return Ok(row),
        }
    }
    Err(UserRefusal::NotFound.into())
}

/// The same; refuses whoever was deleted.
pub(in crate::domain) async fn lock_living(txn: &WriteTransaction, id: UserId) -> Result<user::Model, Error> {
    let row = lock(txn, id).await?;
    if row.deleted_at.is_some() { Err(UserRefusal::NotFound.into()) } else { Ok(row) }
}

/// The person that an actor is: a signed-in one, or the one of a Discord account. None where nobody knows them.
pub async fn own(domain: &Domain, actor: &Actor) -> Result<Option<UserId>, Error> {
    if let Actor::User(user) = actor {
        return Ok(Some(user.id));
    }
    let Some(discord) = actor.discord_user() else { return Ok(None) };
    let known = Identity::find_by_id((Platform::Discord, discord.to_string())).one(domain.store.reader()).await?;
    Ok(known.map(|identity| identity.user_id))
}

/// A person to be made.
#[derive(Clone, Copy, Debug)]
pub struct NewUser {
    /// What they may do.
    pub role: Role,
    /// Their Discord account.
    pub discord_user_id: Option<DiscordUserId>,
}

struct Create {
    author: Author,
    ids: IdSource,
    new: NewUser,
}

/// Makes a person.
pub async fn create(domain: &Domain, actor: &Actor, new: NewUser) -> Result<user::Model, Error> {
    actor.require(Right::ManageUsers, None)?;
    let input = Create { author: Author::new(domain, actor), ids: domain.ids.clone(), new };
    domain
        .store
        .write(input, |txn, input| {
            Box::pin(async move {
                let row = insert_person(txn, &input.author, &input.ids, input.new.role).await?;
                if let Some(discord) = input.new.discord_user_id {
                    let account = discord.to_string();
                    identity::connect_new(txn, &input.author, row.id, (Platform::Discord, &account)).await?;
                }
                Ok(row)
            })
        })
        .await
}

async fn insert_person(
    txn: &WriteTransaction,
    author: &Author,
    ids: &IdSource,
    role: Role,
) -> Result<user::Model, Error> {
    let row = user::Model {
        id: UserId(ids.uuid()),
        role,
        disabled_at: None,
        generation: counter::next(txn, counter::AUTH).await?,
        merged_into: None,
        deleted_at: None,
        erased_at: None,
        time_zone: None,
        language: None,
        privacy: None,
        direct_messages: None,
        ens_name: None,
        ens_avatar: None,
        ens_due_at: None,
        created_at: author.at(),
        updated_at: author.at(),
    };
    user::Entity::insert(row.clone().into_active_model()).exec_without_returning(txn.connection()).await?;
    let change = (Value::Null, json!({ "role": spelled(role) }));
    txn.append_event(author.event("user.registered", None, subject(row.id), change)).await?;
    Ok(row)
}

/// The person of a Discord account.
pub(in crate::domain) async fn of_discord(
    txn: &WriteTransaction,
    author: &Author,
    ids: &IdSource,
    discord: DiscordUserId,
) -> Result<UserId, Error> {
    of_identity(txn, author, ids, (Platform::Discord, &discord.to_string())).await
}

/// The row of this id, through tombstones, whatever became of the person.
pub async fn user(domain: &Domain, actor: &Actor, id: UserId) -> Result<user::Model, Error> {
    actor.require(Right::ManageUsers, None)?;
    Ok(resolve(domain.store.reader(), id).await?.ok_or(UserRefusal::NotFound)?)
}
