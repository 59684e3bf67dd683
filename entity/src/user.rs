//! A person, whatever accounts they have elsewhere.

use sea_orm::entity::prelude::*;

use crate::id::UserId;

/// What a person may do in the whole installation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum Role {
    /// Has signed in, or used a command.
    #[sea_orm(string_value = "authenticated")]
    Authenticated,
    /// Is one of the community.
    #[sea_orm(string_value = "member")]
    Member,
    /// Administers the installation.
    #[sea_orm(string_value = "admin")]
    Admin,
}

/// One person. The table is not called `user`, which is a reserved word.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "user_account")]
pub struct Model {
    /// Their id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: UserId,
    /// What they may do.
    pub role: Role,
    /// Since when they may do nothing.
    pub disabled_at: Option<DateTimeUtc>,
    /// The value of the counter `auth` at the last change of role or state; other processes follow it.
    pub generation: i64,
    /// First seen.
    pub created_at: DateTimeUtc,
    /// Last changed.
    pub updated_at: DateTimeUtc,
    /// Their accounts elsewhere.
    #[sea_orm(has_many)]
    pub identities: HasMany<super::identity::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
