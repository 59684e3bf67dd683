//! A number that may stand in one signed message only.

use sea_orm::entity::prelude::*;

use crate::id::ApiKeyId;

/// One nonce: one of ours that waits to be used, or a client's that was used.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "auth_nonce")]
pub struct Model {
    /// SHA-256 of the nonce: 32 bytes.
    #[sea_orm(primary_key, auto_increment = false)]
    pub digest: Vec<u8>,
    /// Whether it is a client's that was used. One of ours is deleted by its use.
    pub is_used: bool,
    /// The key that has asked for it, and the only one that may use it.
    pub api_key_id: Option<ApiKeyId>,
    /// The only address that may use it, in lower case.
    pub address: Option<String>,
    /// Made, or used.
    pub created_at: DateTimeUtc,
    /// Its end.
    pub expires_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
