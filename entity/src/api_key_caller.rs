//! From where a key was used.

use sea_orm::entity::prelude::*;

use crate::id::ApiKeyId;

/// One address.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "api_key_caller")]
pub struct Model {
    /// The key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub key_id: ApiKeyId,
    /// An IPv4 address, or the /64 network of an IPv6 one.
    #[sea_orm(primary_key, auto_increment = false)]
    pub address: String,
    /// The network that counts as one place: a /24 of IPv4, a /64 of IPv6.
    pub network: String,
    /// Method and template of the last route.
    pub last_route: String,
    /// Requests so far.
    pub requests: i64,
    /// First seen, to the minute.
    pub first_seen_at: DateTimeUtc,
    /// Last seen, to the minute.
    pub last_seen_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
