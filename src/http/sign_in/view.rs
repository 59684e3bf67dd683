//! How people and their tokens look to clients of `/api/auth`.

use entity::{id::UserId, user::Role};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    domain::sign_in::{self, IssuedNonce, Tokens},
    http::view::Timestamp,
};

/// A nonce.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Nonce {
    /// To stand in the message.
    #[schema(example = "k3fR9xQ2aVb7LmN8pT4sW60af3c41b2e")]
    nonce: String,
    /// Its end.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
}

impl From<IssuedNonce> for Nonce {
    fn from(issued: IssuedNonce) -> Self {
        Self { nonce: issued.nonce, expires_at: Timestamp(issued.expires_at) }
    }
}

/// Tokens of a person who has just signed in.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct SignedIn {
    #[serde(flatten)]
    tokens: Refreshed,
    /// The person.
    #[schema(value_type = String, format = "uuid")]
    user_id: UserId,
    /// Their wallet, in lower case.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    address: Option<String>,
    /// The program that they signed in with.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    client_name: Option<String>,
}

impl SignedIn {
    pub(super) fn new(tokens: &Tokens, address: Option<String>) -> Self {
        let client_name = tokens.session.client_name.clone();
        Self { tokens: Refreshed::from(tokens), user_id: tokens.user.id, address, client_name }
    }
}

/// New tokens.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Refreshed {
    /// For the header `Authorization`.
    access_token: String,
    /// For the next ones, once.
    #[schema(example = "crt_ref_3fR9xQ2aVb7LmN8pT4sW6yZ1cD5eG0hJkU00aB1cXyZ")]
    refresh_token: String,
    /// Seconds that the access token lives.
    #[schema(example = 900)]
    expires_in: i64,
    /// Always `Bearer`.
    #[schema(value_type = String, example = "Bearer")]
    token_type: &'static str,
}

impl From<&Tokens> for Refreshed {
    fn from(tokens: &Tokens) -> Self {
        Self {
            access_token: tokens.access.expose().to_owned(),
            refresh_token: tokens.refresh.expose().to_owned(),
            expires_in: tokens.expires_in,
            token_type: "Bearer",
        }
    }
}

/// Who is signed in.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Me {
    /// The person.
    #[schema(value_type = String, format = "uuid")]
    user_id: UserId,
    /// Their wallet, in lower case.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    address: Option<String>,
    /// The same as an object.
    user: Person,
}

/// A person.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Person {
    #[schema(value_type = String, format = "uuid")]
    id: UserId,
    /// What they may do.
    #[schema(value_type = String, example = "member")]
    role: &'static str,
    /// Their wallet, in lower case.
    address: Option<String>,
    /// Their name on the chain, where it is known.
    ens_name: Option<String>,
    /// Their picture on the chain, where it is known.
    ens_avatar: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

impl From<sign_in::Me> for Me {
    fn from(me: sign_in::Me) -> Self {
        let user = Person {
            id: me.user.id,
            role: role(me.user.role),
            address: me.address.clone(),
            ens_name: None,
            ens_avatar: None,
            created_at: Timestamp(me.user.created_at),
            updated_at: Timestamp(me.user.updated_at),
        };
        Self { user_id: me.user.id, address: me.address, user }
    }
}

fn role(role: Role) -> &'static str {
    match role {
        Role::Authenticated => "authenticated",
        Role::Member => "member",
        Role::Admin => "admin",
    }
}

/// All sessions have ended.
#[derive(Serialize, ToSchema)]
pub(super) struct SignedOut {
    /// For people.
    #[schema(value_type = String, example = "All tokens revoked successfully")]
    message: &'static str,
    /// Always true.
    #[schema(example = true)]
    success: bool,
}

impl SignedOut {
    /// The only value.
    pub(super) const DONE: Self = Self { message: "All tokens revoked successfully", success: true };
}
