//! People: who they are, whatever accounts they have elsewhere, and what they may do in this installation.

use entity::{
    id::{DiscordUserId, UserId},
    identity::{self, Platform},
    user::{self, Role},
};
use sea_orm::{ActiveModelTrait, EntityTrait, IntoActiveModel, QuerySelect, TryInsertResult};
use serde_json::{Value, json};

use super::{
    Actor, Domain, Error, Kind, Refusal, Right, counter,
    event::{Author, spelled},
};
use crate::{id_source::IdSource, store::WriteTransaction};

/// What people are refused.
#[derive(Clone, Copy, Debug, thiserror::Error)]
pub enum UserRefusal {
    /// There is no such person.
    #[error("User not found")]
    NotFound,
    /// The Discord account belongs to somebody already.
    #[error("That Discord account belongs to another user already")]
    IdentityTaken,
}

impl Refusal for UserRefusal {
    fn kind(&self) -> Kind {
        match self {
            Self::NotFound => Kind::NotFound,
            Self::IdentityTaken => Kind::Conflict,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::NotFound => "user.not_found",
            Self::IdentityTaken => "user.identity_taken",
        }
    }
}

/// What events call a person.
pub(in crate::domain) fn subject(id: UserId) -> String {
    format!("user/{id}")
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
                let row = insert(txn, &input.author, &input.ids, input.new.role).await?;
                if let Some(discord) = input.new.discord_user_id
                    && !connect(txn, &input.author, row.id, (Platform::Discord, &discord.to_string())).await?
                {
                    return Err(UserRefusal::IdentityTaken.into());
                }
                Ok(row)
            })
        })
        .await
}

async fn insert(txn: &WriteTransaction, author: &Author, ids: &IdSource, role: Role) -> Result<user::Model, Error> {
    let row = user::Model {
        id: UserId(ids.uuid()),
        role,
        disabled_at: None,
        generation: counter::next(txn, counter::AUTH).await?,
        created_at: author.at(),
        updated_at: author.at(),
    };
    user::Entity::insert(row.clone().into_active_model()).exec_without_returning(txn.connection()).await?;
    let change = (Value::Null, json!({ "role": spelled(role) }));
    txn.append_event(author.event("user.registered", None, subject(row.id), change)).await?;
    Ok(row)
}

/// Connects an account that nobody has, its ownership proved at this moment; says whether it did.
async fn connect(
    txn: &WriteTransaction,
    author: &Author,
    user_id: UserId,
    (platform, identity): (Platform, &str),
) -> Result<bool, Error> {
    let row = identity::Model {
        platform,
        identity: identity.to_owned(),
        user_id,
        is_primary: true,
        metadata: None,
        verified_at: Some(author.at()),
        created_at: author.at(),
        updated_at: author.at(),
    };
    let inserted = identity::Entity::insert(row.into_active_model())
        .on_conflict_do_nothing()
        .exec_without_returning(txn.connection())
        .await?;
    Ok(matches!(inserted, TryInsertResult::Inserted(1..)))
}

/// The person of an account that has just been proved, in the platform's canonical spelling; made on their first act.
pub(in crate::domain) async fn of_identity(
    txn: &WriteTransaction,
    author: &Author,
    ids: &IdSource,
    (platform, identity): (Platform, &str),
) -> Result<UserId, Error> {
    let known = identity::Entity::find_by_id((platform, identity.to_owned()));
    if let Some(identity) = known.one(txn.connection()).await? {
        return Ok(identity.user_id);
    }
    let row = insert(txn, author, ids, Role::Authenticated).await?;
    if connect(txn, author, row.id, (platform, identity)).await? {
        return Ok(row.id);
    }
    // Another transaction was faster: this one is repeated and finds the person.
    Err(sea_orm::DbErr::RecordNotUpdated.into())
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

/// The person of this id.
pub async fn user(domain: &Domain, actor: &Actor, id: UserId) -> Result<user::Model, Error> {
    actor.require(Right::ManageUsers, None)?;
    let row = user::Entity::find_by_id(id).one(domain.store.reader()).await?;
    Ok(row.ok_or(UserRefusal::NotFound)?)
}

struct Change {
    author: Author,
    id: UserId,
    role: Option<Role>,
    disabled: Option<bool>,
}

/// Changes what a person may do; it counts from the next request on.
pub async fn set_role(domain: &Domain, actor: &Actor, id: UserId, role: Role) -> Result<user::Model, Error> {
    change(domain, actor, id, Some(role), None).await
}

/// Switches a person off or on again; it counts from the next request on.
pub async fn set_disabled(domain: &Domain, actor: &Actor, id: UserId, disabled: bool) -> Result<user::Model, Error> {
    change(domain, actor, id, None, Some(disabled)).await
}

async fn change(
    domain: &Domain,
    actor: &Actor,
    id: UserId,
    role: Option<Role>,
    disabled: Option<bool>,
) -> Result<user::Model, Error> {
    actor.require(Right::ManageUsers, None)?;
    let input = Change { author: Author::new(domain, actor), id, role, disabled };
    domain.store.write(input, |txn, input| Box::pin(change_in(txn, input))).await
}

async fn change_in(txn: &WriteTransaction, input: &Change) -> Result<user::Model, Error> {
    let found = user::Entity::find_by_id(input.id).lock_exclusive().one(txn.connection()).await?;
    let before = found.ok_or(UserRefusal::NotFound)?;
    let now = input.author.at();
    let mut after = before.clone();
    after.role = input.role.unwrap_or(before.role);
    after.disabled_at = match input.disabled {
        Some(true) => before.disabled_at.or(Some(now)),
        Some(false) => None,
        None => before.disabled_at,
    };
    if after == before {
        return Ok(before);
    }
    after.generation = counter::next(txn, counter::AUTH).await?;
    after.updated_at = now;
    after.clone().into_active_model().reset_all().update(txn.connection()).await?;
    let state = |row: &user::Model| json!({ "role": spelled(row.role), "disabled_at": row.disabled_at });
    let change = (state(&before), state(&after));
    txn.append_event(input.author.event("user.changed", None, subject(before.id), change)).await?;
    Ok(after)
}
