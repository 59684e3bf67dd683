//! Accounts as administrators change them: `/api/admin/identities`.
//!
//! Clients of these addresses are told 400 where the state does not fit.

use axum::{Json as Answer, extract::State, http::StatusCode};
use entity::id::UserId;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::routes;

use super::{
    body::{AccountFor, MergeUsers, NamedAccount},
    view::{IdentityRow, MessageAbout},
};
use crate::{
    domain::{Actor, Domain, Error, user},
    http::{Routes, auth::Caller, error::Problem, extract::Json},
};

pub(super) fn routes() -> Routes {
    vec![routes!(connect), routes!(disconnect), routes!(set_primary), routes!(merge), routes!(merge_alias)]
}

/// What does not fit the present state, in the status that these clients know.
pub(super) fn as_bad_request(error: Error) -> Problem {
    let problem = Problem::from(error);
    if problem.status() == StatusCode::CONFLICT { problem.with_status(StatusCode::BAD_REQUEST) } else { problem }
}

/// An account has come to a person.
#[derive(Serialize, ToSchema)]
struct ConnectedIdentity {
    /// For people.
    #[schema(value_type = String)]
    message: &'static str,
    /// The account.
    identity: IdentityRow,
}

/// Two people are one.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct MergedUsers {
    /// For people.
    #[schema(value_type = String)]
    message: &'static str,
    /// Who stays.
    #[schema(value_type = String, format = "uuid")]
    target_user_id: UserId,
    /// Accounts that moved.
    merged_identities: u64,
}

/// Connect an account to a person, on an administrator's word
#[utoipa::path(post, path = "/connect", tag = "identities", operation_id = "connectIdentity",
    extensions(("x-scope" = json!("admin"))),
    request_body = AccountFor,
    responses(
        (status = 201, description = "It is connected", body = ConnectedIdentity),
        (status = 400, description = "It belongs to this person, or to another one"),
        (status = 404, description = "There is no such person")))]
async fn connect(
    Caller(actor): Caller,
    State(domain): State<Domain>,
    Json(body): Json<AccountFor>,
) -> Result<(StatusCode, Answer<ConnectedIdentity>), Problem> {
    let row = user::connect(&domain, &actor, body.user_id, body.account()).await.map_err(as_bad_request)?;
    let view = ConnectedIdentity { message: "Identity connected successfully", identity: row.into() };
    Ok((StatusCode::CREATED, Answer(view)))
}

/// Take an account from whoever has it
#[utoipa::path(delete, path = "/disconnect", tag = "identities", operation_id = "disconnectIdentity",
    extensions(("x-scope" = json!("admin"))),
    request_body = NamedAccount,
    responses(
        (status = 200, description = "It is nobody's", body = MessageAbout),
        (status = 400, description = "The person has no other account"),
        (status = 404, description = "It is nobody's already")))]
async fn disconnect(
    Caller(actor): Caller,
    State(domain): State<Domain>,
    Json(body): Json<NamedAccount>,
) -> Result<Answer<MessageAbout>, Problem> {
    let key = (body.platform.into(), body.identity.as_str());
    let user_id = user::disconnect(&domain, &actor, None, key).await.map_err(as_bad_request)?;
    Ok(Answer(MessageAbout { message: "Identity disconnected successfully", user_id: Some(user_id) }))
}

/// Show a person by this account
#[utoipa::path(put, path = "/set-primary", tag = "identities", operation_id = "setPrimaryIdentity",
    extensions(("x-scope" = json!("admin"))),
    request_body = NamedAccount,
    responses(
        (status = 200, description = "It is the primary one", body = MessageAbout),
        (status = 404, description = "It is nobody's")))]
async fn set_primary(
    Caller(actor): Caller,
    State(domain): State<Domain>,
    Json(body): Json<NamedAccount>,
) -> Result<Answer<MessageAbout>, Problem> {
    let key = (body.platform.into(), body.identity.as_str());
    Ok(Answer(match user::set_primary(&domain, &actor, None, key).await? {
        (user_id, true) => MessageAbout { message: "Primary identity set successfully", user_id: Some(user_id) },
        (_, false) => MessageAbout { message: "Identity is already primary", user_id: None },
    }))
}

async fn merged(domain: &Domain, actor: &Actor, body: &MergeUsers) -> Result<Answer<MergedUsers>, Problem> {
    let merge = user::merge(domain, actor, body.source_user_id, body.target_user_id);
    let merged = merge.await.map_err(as_bad_request)?;
    Ok(Answer(MergedUsers {
        message: "Users merged successfully",
        target_user_id: merged.target.id,
        merged_identities: merged.identities,
    }))
}

/// Make two people one
///
/// Everything of the source is the target's afterwards, and the source's id leads to the target. The target's role
/// stays; somebody who was disabled stays so.
#[utoipa::path(post, path = "/merge-users", tag = "identities", operation_id = "mergeUsers",
    extensions(("x-scope" = json!("admin"))),
    request_body = MergeUsers,
    responses(
        (status = 200, description = "They are one", body = MergedUsers),
        (status = 400, description = "They are the same, or the source has no account"),
        (status = 404, description = "There is no such person")))]
async fn merge(
    Caller(actor): Caller,
    State(domain): State<Domain>,
    Json(body): Json<MergeUsers>,
) -> Result<Answer<MergedUsers>, Problem> {
    merged(&domain, &actor, &body).await
}

/// Make two people one, as an older client asks
#[utoipa::path(post, path = "/merge", tag = "identities", operation_id = "mergeUsersShort",
    extensions(("x-scope" = json!("admin")), ("x-alias-of" = json!("POST /api/admin/identities/merge-users"))),
    request_body = MergeUsers,
    responses(
        (status = 200, description = "They are one", body = MergedUsers),
        (status = 400, description = "They are the same, or the source has no account"),
        (status = 404, description = "There is no such person")))]
async fn merge_alias(
    Caller(actor): Caller,
    State(domain): State<Domain>,
    Json(body): Json<MergeUsers>,
) -> Result<Answer<MergedUsers>, Problem> {
    merged(&domain, &actor, &body).await
}
