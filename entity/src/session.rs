//! One sign-in of a person, and the family of all tokens that came from it.

use sea_orm::entity::prelude::*;

use crate::id::{ApiKeyId, SessionId, UserId};

/// How somebody has shown who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum Method {
    /// By a message that their wallet has signed.
    #[sea_orm(string_value = "wallet")]
    Wallet,
    /// By e-mail address and password.
    #[sea_orm(string_value = "password")]
    Password,
    /// By their Discord account.
    #[sea_orm(string_value = "discord")]
    Discord,
    /// The operator has made a token for them.
    #[sea_orm(string_value = "operator")]
    Operator,
}

/// Why a session has ended before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum EndReason {
    /// The person has signed out everywhere.
    #[sea_orm(string_value = "signed_out")]
    SignedOut,
    /// A refresh token came for the second time: somebody else may have it.
    #[sea_orm(string_value = "reuse_detected")]
    ReuseDetected,
    /// The person has got a new password.
    #[sea_orm(string_value = "password_changed")]
    PasswordChanged,
    /// The person is gone.
    #[sea_orm(string_value = "user_gone")]
    UserGone,
}

/// One session.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "session")]
pub struct Model {
    /// Its id, which access tokens carry.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: SessionId,
    /// Whose it is.
    pub user_id: UserId,
    /// How they have shown who they are.
    pub method: Method,
    /// The key of the program that they signed in with.
    pub api_key_id: Option<ApiKeyId>,
    /// The name of that program.
    pub client_name: Option<String>,
    /// The value of the counter `auth` at its last change, 0 before the first one; other processes follow it.
    pub generation: i64,
    /// Signed in.
    pub created_at: DateTimeUtc,
    /// Its end, however often it is refreshed.
    pub expires_at: DateTimeUtc,
    /// Its end, where it came early.
    pub revoked_at: Option<DateTimeUtc>,
    /// Why it came early.
    pub revoked_reason: Option<EndReason>,
    /// The person.
    #[sea_orm(belongs_to, from = "user_id", to = "id")]
    pub user: BelongsTo<super::user::Entity>,
    /// Its refresh tokens.
    #[sea_orm(has_many)]
    pub refresh_tokens: HasMany<super::refresh_token::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
