//! Rights that a guild gives to roles of its own: each right to one role.
//!
//! Invariants: who may say so has Manage Server by Discord's own word, so that no right begets another; a right that is
//! given here holds in its guild only, and opens no API key.

use entity::{
    guild_role::{self, RoleKind},
    id::{GuildId, RoleId},
};
use sea_orm::{
    ActiveEnum as _, ColumnTrait as _, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, Iterable as _,
    QueryFilter, QueryOrder, QuerySelect, sea_query::OnConflict,
};
use serde_json::{Value, json};

use super::GuildRefusal;
use crate::{
    domain::{Actor, Domain, Error, Member, Right, event::Author},
    store::WriteTransaction,
};

/// The rights that a member has by their roles.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GivenRights(u8);

impl GivenRights {
    fn of(roles: &[(RoleKind, RoleId)], held: &[RoleId]) -> Self {
        let own = roles.iter().filter(|(_, role)| held.contains(role));
        Self(own.fold(0, |bits, (kind, _)| bits | Self::bit(*kind)))
    }

    fn bit(kind: RoleKind) -> u8 {
        1 << match kind {
            RoleKind::Reviewer => 0,
            RoleKind::Voter => 1,
            RoleKind::Member => 2,
            RoleKind::Treasurer => 3,
            RoleKind::NoTrack => 4,
            RoleKind::Manager => 5,
        }
    }

    /// Whether this one is among them.
    pub fn has(self, kind: RoleKind) -> bool {
        self.0 & Self::bit(kind) != 0
    }
}

/// The rights that a guild has given, and to which roles.
pub async fn roles(domain: &Domain, actor: &Actor, guild_id: GuildId) -> Result<Vec<(RoleKind, RoleId)>, Error> {
    actor.require(Right::ReadSettings, Some(guild_id))?;
    Ok(cached(domain, guild_id).await?.to_vec())
}

/// The member with the rights that their roles have been given.
pub async fn recognise(domain: &Domain, member: Member) -> Result<Member, Error> {
    let roles = cached(domain, member.guild_id).await?;
    Ok(Member { given: GivenRights::of(&roles, &member.roles), ..member })
}

/// The role that has a right in a guild, for those who know a member's roles and nothing else of them.
pub(in crate::domain) async fn role_of(
    domain: &Domain,
    guild_id: GuildId,
    kind: RoleKind,
) -> Result<Option<RoleId>, Error> {
    let roles = cached(domain, guild_id).await?;
    Ok(roles.iter().find(|(given, _)| *given == kind).map(|(_, role)| *role))
}

async fn cached(domain: &Domain, guild_id: GuildId) -> Result<std::sync::Arc<Vec<(RoleKind, RoleId)>>, Error> {
    let load = async { Ok(all(domain.store.reader(), guild_id).await?) };
    domain.caches.guild_roles.get_or_load(guild_id, load).await
}

/// All rights that a guild has given, in their order.
pub(in crate::domain) async fn all(
    connection: &impl ConnectionTrait,
    guild_id: GuildId,
) -> Result<Vec<(RoleKind, RoleId)>, DbErr> {
    let rows = guild_role::Entity::find()
        .filter(guild_role::COLUMN.guild_id.eq(guild_id))
        .order_by_asc(guild_role::Column::Kind)
        .limit(RoleKind::iter().count() as u64)
        .all(connection)
        .await?;
    Ok(rows.into_iter().map(|row| (row.kind, row.role_id)).collect())
}

struct SetRole {
    author: Author,
    guild_id: GuildId,
    kind: RoleKind,
    role_id: Option<RoleId>,
}

/// Gives a right to a role instead of the one that has it; to none takes it away. Says which role had it.
pub async fn set_role(
    domain: &Domain,
    actor: &Actor,
    guild_id: GuildId,
    kind: RoleKind,
    role_id: Option<RoleId>,
) -> Result<Option<RoleId>, Error> {
    actor.require(Right::ManageGuildRoles, Some(guild_id))?;
    checked(guild_id, role_id)?;
    let input = SetRole { author: Author::new(domain, actor), guild_id, kind, role_id };
    domain
        .store
        .write(input, |txn, input| {
            Box::pin(async move { store_in(txn, &input.author, input.guild_id, input.kind, input.role_id).await })
        })
        .await
}

/// The role that everybody has has the id of its guild: a right for it would be one for strangers.
pub(in crate::domain) fn checked(guild_id: GuildId, role_id: Option<RoleId>) -> Result<(), GuildRefusal> {
    if role_id.is_some_and(|role| role.get() == guild_id.get()) { Err(GuildRefusal::RoleOfEverybody) } else { Ok(()) }
}

/// The role that has a right now.
pub(in crate::domain) async fn present(
    connection: &impl ConnectionTrait,
    guild_id: GuildId,
    kind: RoleKind,
) -> Result<Option<RoleId>, DbErr> {
    let row = guild_role::Entity::find_by_id((guild_id, kind)).one(connection).await?;
    Ok(row.map(|row| row.role_id))
}

/// The same from inside a transaction, with the event of the change.
pub(in crate::domain) async fn store_in(
    txn: &WriteTransaction,
    author: &Author,
    guild_id: GuildId,
    kind: RoleKind,
    role_id: Option<RoleId>,
) -> Result<Option<RoleId>, Error> {
    // Two changes at once wait for each other, also where there is no row yet.
    super::lock(txn, guild_id, author.at()).await?;
    let before = present(txn.connection(), guild_id, kind).await?;
    if before == role_id {
        return Ok(before);
    }
    match role_id {
        Some(role_id) => {
            use guild_role::Column as C;
            let row = guild_role::Model { guild_id, kind, role_id, updated_at: author.at() };
            let replace =
                OnConflict::columns([C::GuildId, C::Kind]).update_columns([C::RoleId, C::UpdatedAt]).to_owned();
            guild_role::Entity::insert(row.into_active_model())
                .on_conflict(replace)
                .exec_without_returning(txn.connection())
                .await?;
        }
        None => {
            guild_role::Entity::delete_by_id((guild_id, kind)).exec(txn.connection()).await?;
        }
    }
    let change = (to_json(guild_id, before), to_json(guild_id, role_id));
    let what = if role_id.is_some() { "guild_role.set" } else { "guild_role.cleared" };
    txn.append_event(author.event(what, guild_id, subject(guild_id, kind), change)).await?;
    Ok(before)
}

/// What events call the right of a guild.
pub(in crate::domain) fn subject(guild_id: GuildId, kind: RoleKind) -> String {
    format!("guild_role/{guild_id}/{}", kind.to_value())
}

/// As events spell it; null where no role has the right.
pub(in crate::domain) fn to_json(guild_id: GuildId, role_id: Option<RoleId>) -> Value {
    role_id.map_or(Value::Null, |role_id| json!({ "guild_id": guild_id, "role_id": role_id }))
}

/// Reads what events spell.
pub(in crate::domain) fn of_json(value: &Value) -> Result<Option<RoleId>, serde_json::Error> {
    if value.is_null() { Ok(None) } else { serde_json::from_value(value["role_id"].clone()).map(Some) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{actor::permission, testing};

    fn role(id: u64) -> RoleId {
        RoleId::new(id).unwrap()
    }

    async fn with_roles(domain: &Domain, permissions: u64, roles: &[RoleId]) -> Actor {
        let Actor::Member(member) = testing::member(permissions) else { unreachable!() };
        Actor::Member(recognise(domain, Member { roles: roles.to_vec(), ..member }).await.unwrap())
    }

    #[tokio::test]
    async fn a_manager_may_what_manage_server_allows_and_no_more() {
        let domain = testing::domain().await;
        let (admin, guild) = (testing::admin(), testing::guild());
        assert_eq!(set_role(&domain, &admin, guild, RoleKind::Manager, Some(role(5))).await.unwrap(), None);
        let manager = with_roles(&domain, 0, &[role(4), role(5)]).await;
        for right in [Right::ManageSettings, Right::ManageVanishDefaults] {
            assert!(manager.may(right, Some(guild)), "{right:?}");
            assert!(!manager.may(right, GuildId::new(701)), "{right:?} elsewhere");
            assert!(!with_roles(&domain, 0, &[role(4)]).await.may(right, Some(guild)));
        }
        for right in [Right::ManageKeys, Right::ManageUsers, Right::ManageProjects, Right::ManageGuildRoles] {
            assert!(!manager.may(right, Some(guild)), "{right:?}");
        }
        // Manage Server does not allow to delete messages in a channel where Discord has said what one may do.
        let Actor::Member(there) = &manager else { unreachable!() };
        let there = Actor::Member(Member { channel: Some((testing::channel(9), 0)), ..there.clone() });
        assert!(!there.may(Right::ManageVanish(testing::channel(9)), Some(guild)));
        let refused = set_role(&domain, &manager, guild, RoleKind::Manager, Some(role(4))).await.unwrap_err();
        assert_eq!(refused.code(), Some("forbidden"));
        // It ends at once.
        assert_eq!(set_role(&domain, &admin, guild, RoleKind::Manager, None).await.unwrap(), Some(role(5)));
        assert!(!with_roles(&domain, 0, &[role(5)]).await.may(Right::ManageSettings, Some(guild)));
    }

    #[tokio::test]
    async fn each_right_has_one_role_and_each_change_one_event() {
        let domain = testing::domain().await;
        let (admin, guild) = (testing::admin(), testing::guild());
        for id in [5, 5, 6] {
            set_role(&domain, &admin, guild, RoleKind::Reviewer, Some(role(id))).await.unwrap();
        }
        set_role(&domain, &admin, guild, RoleKind::NoTrack, Some(role(5))).await.unwrap();
        let member = testing::member(0);
        let all = roles(&domain, &member, guild).await.unwrap();
        assert_eq!(all, [(RoleKind::NoTrack, role(5)), (RoleKind::Reviewer, role(6))]);
        let Actor::Member(reviewer) = with_roles(&domain, 0, &[role(6)]).await else { unreachable!() };
        assert!(reviewer.given.has(RoleKind::Reviewer) && !reviewer.given.has(RoleKind::NoTrack));
        let refused = set_role(&domain, &admin, guild, RoleKind::Voter, RoleId::new(guild.get())).await.unwrap_err();
        assert_eq!(refused.code(), Some("guild.role_of_everybody"));
        let refused = set_role(&domain, &member, guild, RoleKind::Voter, Some(role(5))).await.unwrap_err();
        assert_eq!(refused.code(), Some("forbidden"));
        assert!(!testing::member(permission::MANAGE_GUILD).may(Right::ManageGuildRoles, GuildId::new(1)));
        let events = crate::domain::event::events_after(&domain, 0, 100).await.unwrap();
        let kinds: Vec<_> = events.iter().map(|event| event.kind.as_str()).collect();
        assert_eq!(kinds, ["guild_role.set"; 3], "the same once more is no change");
        assert_eq!(events[1].data["before"]["role_id"], "5");
    }
}
