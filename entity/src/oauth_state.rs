//! A sign-in that is under way at Discord.

use sea_orm::entity::prelude::*;

use crate::id::UserId;

/// One way there and back. The verifier of PKCE is not here: it is derived from the state, which only the browser has.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "oauth_state")]
pub struct Model {
    /// SHA-256 of the state and of the secret that the browser keeps: 32 bytes.
    #[sea_orm(primary_key, auto_increment = false)]
    pub digest: Vec<u8>,
    /// The signed-in person who connects their account; none for a sign-in.
    pub user_id: Option<UserId>,
    /// Begun.
    pub created_at: DateTimeUtc,
    /// Its end.
    pub expires_at: DateTimeUtc,
    /// The person.
    #[sea_orm(belongs_to, from = "user_id", to = "id")]
    pub user: BelongsTo<Option<super::user::Entity>>,
}

impl ActiveModelBehavior for ActiveModel {}
