//! An account of a person on some platform.

use sea_orm::entity::prelude::*;

use crate::id::UserId;

/// Where accounts are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum Platform {
    /// A Discord account, by its id.
    #[sea_orm(string_value = "discord")]
    Discord,
    /// An address on a chain of the Ethereum family, in lower case.
    #[sea_orm(string_value = "evm")]
    Evm,
    /// A Lens account, in lower case.
    #[sea_orm(string_value = "lens")]
    Lens,
    /// A Farcaster account.
    #[sea_orm(string_value = "farcaster")]
    Farcaster,
    /// A Telegram account.
    #[sea_orm(string_value = "telegram")]
    Telegram,
    /// A GitHub account.
    #[sea_orm(string_value = "github")]
    Github,
    /// An e-mail address, in lower case.
    #[sea_orm(string_value = "email")]
    Email,
}

/// One account; it belongs to one person.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "identity")]
pub struct Model {
    /// The platform.
    #[sea_orm(primary_key, auto_increment = false)]
    pub platform: Platform,
    /// The account's id there, in the platform's canonical spelling.
    #[sea_orm(primary_key, auto_increment = false)]
    pub identity: String,
    /// Whose it is.
    pub user_id: UserId,
    /// Whether the person is shown by this one.
    pub is_primary: bool,
    /// What the platform says of the account.
    pub metadata: Option<Json>,
    /// When its ownership was proved.
    pub verified_at: Option<DateTimeUtc>,
    /// Connected.
    pub created_at: DateTimeUtc,
    /// Last changed.
    pub updated_at: DateTimeUtc,
    /// The person.
    #[sea_orm(belongs_to, from = "user_id", to = "id")]
    pub user: BelongsTo<super::user::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
