//! The answer to a request that may be repeated.

use sea_orm::entity::prelude::*;

/// One answer, written in the transaction of its effect.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "idempotency_record")]
pub struct Model {
    /// Who sent it, as the event log names them.
    #[sea_orm(primary_key, auto_increment = false)]
    pub principal: String,
    /// Method and path.
    #[sea_orm(primary_key, auto_increment = false)]
    pub operation: String,
    /// The client's `Idempotency-Key`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub key: String,
    /// A keyed digest of query and body: the same key for another request is a mistake.
    pub fingerprint: Vec<u8>,
    /// The answer's status.
    pub status: i32,
    /// The answer's media type.
    pub content_type: Option<String>,
    /// The answer; none where it held a secret or was too large.
    pub body: Option<Vec<u8>>,
    /// What was made, where the answer cannot be repeated.
    pub subject: Option<String>,
    /// When it is forgotten.
    pub expires_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
