//! The password of an e-mail address.

use sea_orm::entity::prelude::*;

use crate::identity::Platform;

/// One password. It belongs to the address and goes with it, so that no later owner of the address is opened by it.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "password_credential")]
pub struct Model {
    /// Always [`Platform::Email`].
    #[sea_orm(primary_key, auto_increment = false)]
    pub platform: Platform,
    /// The address, in lower case.
    #[sea_orm(primary_key, auto_increment = false)]
    pub identity: String,
    /// The digest with its parameters and salt, in the format of the password hashing competition.
    pub phc: String,
    /// First set.
    pub created_at: DateTimeUtc,
    /// Last changed.
    pub updated_at: DateTimeUtc,
    /// The address.
    #[sea_orm(belongs_to, from = "(platform, identity)", to = "(platform, identity)")]
    pub account: BelongsTo<super::identity::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
