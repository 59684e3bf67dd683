//! What clients see of people.

use entity::{
    id::UserId,
    identity::{self, Platform},
    user::{self, Role},
};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::body::{PlatformName, RoleName};
use crate::{
    domain::user::{Found, Upserted, UserView},
    http::view::Timestamp,
};

/// What stands in lists for the wallets of people.
const MASKED: &str = "***masked***";

impl From<Role> for RoleName {
    fn from(role: Role) -> Self {
        match role {
            Role::Authenticated => Self::Authenticated,
            Role::Member => Self::Member,
            Role::Admin => Self::Admin,
        }
    }
}

/// An account, shortly.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ShortIdentity {
    /// The platform.
    platform: PlatformName,
    /// The account there; in lists, wallets are masked.
    #[schema(example = "80351110224678912")]
    identity: String,
    /// Whether the person is shown by this one.
    is_primary: bool,
}

impl ShortIdentity {
    fn new(row: &identity::Model) -> Self {
        Self { platform: row.platform.into(), identity: row.identity.clone(), is_primary: row.is_primary }
    }

    fn masked(row: &identity::Model) -> Self {
        let is_masked = matches!(row.platform, Platform::Evm | Platform::Lens | Platform::Email);
        let identity = if is_masked { MASKED.to_owned() } else { row.identity.clone() };
        Self { identity, ..Self::new(row) }
    }
}

/// A person.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct UserObject {
    /// Their id.
    #[schema(value_type = String, format = "uuid")]
    id: UserId,
    /// What they may do.
    role: RoleName,
    /// Their primary address, if they have one and show it.
    #[schema(example = "0x71c7656ec7ab88b098defb751b7401b5f6d8976f")]
    address: Option<String>,
    /// The name of that address.
    ens_name: Option<String>,
    /// The picture of that name.
    ens_avatar: Option<String>,
    /// First seen.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// Last changed.
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
    /// Their accounts, the primary one first, where they were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    identities: Option<Vec<ShortIdentity>>,
}

impl UserObject {
    fn bare(row: user::Model, address: Option<String>, is_hidden: bool) -> Self {
        Self {
            id: row.id,
            role: row.role.into(),
            address,
            ens_name: row.ens_name.filter(|_| !is_hidden),
            ens_avatar: row.ens_avatar.filter(|_| !is_hidden),
            created_at: Timestamp(row.created_at),
            updated_at: Timestamp(row.updated_at),
            identities: None,
        }
    }

    /// One who was asked for.
    pub(super) fn new(view: UserView) -> Self {
        let identities = Some(view.identities.iter().map(ShortIdentity::new).collect());
        Self { identities, ..Self::bare(view.row, view.address, view.is_hidden) }
    }

    /// One of a list.
    pub(super) fn listed(view: UserView, with_identities: bool) -> Self {
        let identities = with_identities.then(|| view.identities.iter().map(ShortIdentity::masked).collect());
        Self { identities, ..Self::bare(view.row, view.address, view.is_hidden) }
    }

    /// One whom an account has led to.
    pub(super) fn made(made: Upserted) -> Self {
        let identities = Some(made.identities.iter().map(ShortIdentity::new).collect());
        let address = made.identities.into_iter().find(|one| one.platform == Platform::Evm).map(|one| one.identity);
        Self { identities, ..Self::bare(made.row, address, false) }
    }
}

/// A page of people.
#[derive(Serialize, ToSchema)]
pub(super) struct UserList {
    /// They, newest first.
    pub(super) users: Vec<UserObject>,
    /// How many there are on all pages.
    pub(super) total: u64,
    /// Rows of the page.
    pub(super) limit: u64,
    /// Rows passed over.
    pub(super) offset: u64,
}

/// A page of members.
#[derive(Serialize, ToSchema)]
pub(super) struct MemberList {
    /// They, newest first.
    pub(super) members: Vec<UserObject>,
    /// How many there are on all pages.
    pub(super) total: u64,
    /// Rows of the page.
    pub(super) limit: u64,
    /// Rows passed over.
    pub(super) offset: u64,
}

/// A person, by the account that led to them.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct LookedUp {
    /// Their id.
    #[schema(value_type = String, format = "uuid")]
    id: UserId,
    /// Their primary address, if they have one and show it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    address: Option<String>,
    /// What they may do.
    role: RoleName,
    /// First seen.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// Last changed.
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

impl From<Found> for LookedUp {
    fn from(found: Found) -> Self {
        let UserView { row, address, .. } = found.user;
        Self {
            id: row.id,
            address,
            role: row.role.into(),
            created_at: Timestamp(row.created_at),
            updated_at: Timestamp(row.updated_at),
        }
    }
}

/// When a person came.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct UserTimes {
    /// Their id.
    #[schema(value_type = String, format = "uuid")]
    id: UserId,
    /// First seen.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// Last changed.
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

impl From<&user::Model> for UserTimes {
    fn from(row: &user::Model) -> Self {
        Self { id: row.id, created_at: Timestamp(row.created_at), updated_at: Timestamp(row.updated_at) }
    }
}

/// Whoever has an account.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct FoundUser {
    /// The person.
    #[schema(value_type = String, format = "uuid")]
    user_id: UserId,
    /// The same.
    #[schema(value_type = String, format = "uuid")]
    id: UserId,
    /// When they came.
    user: UserTimes,
    /// The account.
    identity: ShortIdentity,
}

impl FoundUser {
    pub(super) fn new(found: &Found) -> Self {
        Self::of(&found.user.row, &found.identity)
    }

    pub(super) fn made(made: &Upserted) -> Self {
        Self::of(&made.row, &made.identity)
    }

    fn of(row: &user::Model, identity: &identity::Model) -> Self {
        Self { user_id: row.id, id: row.id, user: row.into(), identity: ShortIdentity::new(identity) }
    }
}

/// An account, with whose it is.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct OwnedIdentity {
    /// The person.
    #[schema(value_type = String, format = "uuid")]
    user_id: UserId,
    /// The platform.
    platform: PlatformName,
    /// The account there.
    identity: String,
    /// Whether the person is shown by this one.
    is_primary: bool,
    /// Connected.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// Last changed.
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

/// The person of an account, and whether they are new.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct MadeUser {
    /// The person.
    #[schema(value_type = String, format = "uuid")]
    user_id: UserId,
    /// The same.
    #[schema(value_type = String, format = "uuid")]
    id: UserId,
    /// When they came.
    user: UserTimes,
    /// The account.
    identity: OwnedIdentity,
    /// They were made just now.
    created: bool,
}

impl MadeUser {
    pub(super) fn new(made: Upserted) -> Self {
        let identity = OwnedIdentity {
            user_id: made.row.id,
            platform: made.identity.platform.into(),
            identity: made.identity.identity,
            is_primary: made.identity.is_primary,
            created_at: Timestamp(made.identity.created_at),
            updated_at: Timestamp(made.identity.updated_at),
        };
        let (id, user) = (made.row.id, (&made.row).into());
        Self { user_id: id, id, user, identity, created: made.created }
    }
}

/// An account, whole. No token of any platform is kept, so that none is here.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct IdentityRow {
    /// The person.
    #[schema(value_type = String, format = "uuid")]
    user_id: UserId,
    /// The platform.
    platform: PlatformName,
    /// The account there.
    #[schema(example = "80351110224678912")]
    identity: String,
    /// Whether the person is shown by this one.
    is_primary: bool,
    /// What the platform, or the person, says of it.
    #[schema(value_type = Option<super::body::Metadata>)]
    metadata: Option<Value>,
    /// When its ownership was proved.
    #[schema(value_type = Option<String>, format = DateTime)]
    verified_at: Option<Timestamp>,
    /// Connected.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// Last changed.
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

impl From<identity::Model> for IdentityRow {
    fn from(row: identity::Model) -> Self {
        Self {
            user_id: row.user_id,
            platform: row.platform.into(),
            identity: row.identity,
            is_primary: row.is_primary,
            metadata: row.metadata,
            verified_at: row.verified_at.map(Timestamp),
            created_at: Timestamp(row.created_at),
            updated_at: Timestamp(row.updated_at),
        }
    }
}

/// A word on what was done.
#[derive(Serialize, ToSchema)]
pub(super) struct Message {
    /// For people.
    #[schema(value_type = String)]
    pub(super) message: &'static str,
}

/// A word on what was done, and to whom.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct MessageAbout {
    /// For people.
    #[schema(value_type = String)]
    pub(super) message: &'static str,
    /// The person; not there where nothing was done.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = "uuid", nullable = false)]
    pub(super) user_id: Option<UserId>,
}
