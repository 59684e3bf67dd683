//! A refresh token: everything but the token itself, of which only a digest is kept.

use sea_orm::entity::prelude::*;

use crate::id::SessionId;

/// One token. Of a session, at most one has not been used.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "refresh_token")]
pub struct Model {
    /// SHA-256 of the token: 32 bytes.
    #[sea_orm(primary_key, auto_increment = false)]
    pub digest: Vec<u8>,
    /// Its family.
    pub session_id: SessionId,
    /// The digest of the token that it was given for; none for the first one.
    #[sea_orm(unique)]
    pub predecessor: Option<Vec<u8>>,
    /// Given.
    pub created_at: DateTimeUtc,
    /// Its end, if nobody uses it.
    pub expires_at: DateTimeUtc,
    /// When its successor was given for it.
    pub used_at: Option<DateTimeUtc>,
    /// Its family.
    #[sea_orm(belongs_to, from = "session_id", to = "id")]
    pub session: BelongsTo<super::session::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
