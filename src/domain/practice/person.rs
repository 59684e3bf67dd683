//! Whose practice it is: a Discord account or a person of ours, and who may act for them.

use chrono_tz::Tz;
use entity::{
    guild,
    id::{DiscordUserId, GuildId, UserId},
    identity::{self, Platform},
    user as account,
};
use sea_orm::{ConnectionTrait, DbErr, EntityTrait, QuerySelect};

use crate::{
    domain::{
        Actor, Domain, Error, Right,
        event::Author,
        user::{self, UserRefusal},
    },
    id_source::IdSource,
    store::WriteTransaction,
};

/// Whose practice it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Person {
    /// Whoever has this Discord account.
    Discord(DiscordUserId),
    /// The person of this id.
    User(UserId),
}

impl Person {
    /// The person, if they are known, also by the id of somebody who turned out to be them.
    pub(super) async fn find(self, connection: &impl ConnectionTrait) -> Result<Option<UserId>, Error> {
        match self {
            Self::User(id) => Ok(user::resolve(connection, id).await?.map(|row| row.id)),
            Self::Discord(id) => {
                let key = (Platform::Discord, id.to_string());
                let found = identity::Entity::find_by_id(key).one(connection).await?;
                Ok(found.map(|identity| identity.user_id))
            }
        }
    }

    /// The person; the one of a Discord account is made on their first act, one of ours must exist.
    pub(super) async fn find_or_make(
        self,
        txn: &WriteTransaction,
        author: &Author,
        ids: &IdSource,
    ) -> Result<UserId, Error> {
        match self {
            Self::Discord(id) => user::of_discord(txn, author, ids, id).await,
            Self::User(id) => {
                let row = user::resolve(txn.connection(), id).await?.filter(user::is_there);
                Ok(row.ok_or(UserRefusal::NotFound)?.id)
            }
        }
    }
}

/// Whether the actor acts for themself. `user` is who `person` turned out to be.
pub(super) fn is_own(actor: &Actor, person: Person, user: Option<UserId>) -> bool {
    match (actor, person) {
        (Actor::User(own), _) => Some(own.id) == user,
        (_, Person::Discord(account)) => actor.discord_user() == Some(account),
        _ => false,
    }
}

/// Refuses unless the actor acts for themself, or has the right in the guild.
pub(super) fn require_own_or(
    actor: &Actor,
    (person, user): (Person, Option<UserId>),
    right: Right,
    guild_id: Option<GuildId>,
) -> Result<(), Error> {
    if is_own(actor, person, user) { Ok(()) } else { actor.require(right, guild_id) }
}

/// The zone in which a person's days are counted here, and in which they read and write times of day.
pub async fn time_zone(domain: &Domain, person: Person, guild_id: Option<GuildId>) -> Result<Tz, Error> {
    let reader = domain.store.reader();
    let user = person.find(reader).await?;
    Ok(zone(reader, user, guild_id).await?)
}

/// The zone in which a person's days are counted: their own, else that of the guild, else UTC.
pub(super) async fn zone(
    connection: &impl ConnectionTrait,
    user: Option<UserId>,
    guild_id: Option<GuildId>,
) -> Result<Tz, DbErr> {
    if let Some(user) = user {
        let own: Option<Option<String>> = account::Entity::find_by_id(user)
            .select_only()
            .column(account::Column::TimeZone)
            .into_tuple()
            .one(connection)
            .await?;
        if let Some(zone) = own.flatten().and_then(|name| name.parse().ok()) {
            return Ok(zone);
        }
    }
    let Some(guild_id) = guild_id else { return Ok(Tz::UTC) };
    let row = guild::Entity::find_by_id(guild_id).one(connection).await?;
    Ok(row.and_then(|row| row.time_zone.parse().ok()).unwrap_or(Tz::UTC))
}

/// The Discord accounts of people, the one by which they are shown first.
pub(super) async fn accounts(
    connection: &impl ConnectionTrait,
    users: &[UserId],
) -> Result<std::collections::HashMap<UserId, DiscordUserId>, DbErr> {
    use sea_orm::{ColumnTrait as _, QueryFilter as _, QueryOrder as _};
    let rows = identity::Entity::find()
        .filter(identity::Column::UserId.is_in(users.iter().map(|user| user.0)))
        .filter(identity::Column::Platform.eq(Platform::Discord))
        .order_by_asc(identity::Column::IsPrimary)
        .order_by_desc(identity::Column::CreatedAt)
        .all(connection)
        .await?;
    // The last one of each person stays.
    Ok(rows.into_iter().filter_map(|row| Some((row.user_id, row.identity.parse().ok()?))).collect())
}

/// The people of Discord accounts; who is not known is left out.
pub(super) async fn of_accounts(
    connection: &impl ConnectionTrait,
    accounts: impl Iterator<Item = &DiscordUserId>,
) -> Result<Vec<UserId>, DbErr> {
    use sea_orm::{ColumnTrait as _, QueryFilter as _};
    identity::Entity::find()
        .select_only()
        .column(identity::Column::UserId)
        .filter(identity::Column::Platform.eq(Platform::Discord))
        .filter(identity::Column::Identity.is_in(accounts.map(ToString::to_string)))
        .into_tuple()
        .all(connection)
        .await
}
