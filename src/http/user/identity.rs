//! Accounts of people, for whoever may see them or manages people.

use axum::{Json as Answer, extract::State, http::StatusCode, response::Response};
use entity::id::UserId;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::routes;

use super::{
    body::{AccountFor, Lookup, PlatformName},
    view::{IdentityRow, LookedUp},
};
use crate::{
    domain::{
        Domain,
        user::{self, UserRefusal},
    },
    http::{
        Routes,
        auth::Caller,
        error::Problem,
        extract::{Json, Path},
        page::Asked,
        view::Success,
    },
};

/// Below `/api/users`.
pub(super) fn routes() -> Routes {
    vec![routes!(list), routes!(lookup), routes!(add), routes!(remove)]
}

/// A person's accounts.
#[derive(Serialize, ToSchema)]
struct IdentityList {
    /// They, the primary one first.
    identities: Vec<IdentityRow>,
}

/// List a person's accounts
///
/// Those that the person shows to whoever asks. An e-mail address is shown to themself and to administrators.
#[utoipa::path(get, path = "/identities/{userId}", tag = "identities", operation_id = "listIdentities",
    extensions(("x-scope" = json!("users:read"))),
    params(("userId" = String, Path, format = "uuid", description = "The person")),
    responses((status = 200, description = "They", body = IdentityList)))]
async fn list(
    Caller(actor): Caller,
    State(domain): State<Domain>,
    Path(id): Path<UserId>,
    asked: Asked,
) -> Result<Response, Problem> {
    let identities = user::identities(&domain, &actor, id).await?.into_iter().map(Into::into).collect();
    Ok(asked.configuration(&IdentityList { identities }))
}

/// Find a person by one of several accounts
///
/// The first that has a person counts, in the order evm, lens, farcaster, telegram, discord, github.
#[utoipa::path(post, path = "/identities/lookup", tag = "identities", operation_id = "lookupUser",
    extensions(("x-scope" = json!("users:read"))),
    request_body = Lookup,
    responses(
        (status = 200, description = "They", body = LookedUp),
        (status = 404, description = "None of the accounts has a person")))]
async fn lookup(
    Caller(actor): Caller,
    State(domain): State<Domain>,
    Json(body): Json<Lookup>,
) -> Result<Answer<LookedUp>, Problem> {
    for (platform, account) in body.accounts() {
        match user::find(&domain, &actor, platform, &account).await {
            Ok(found) => return Ok(Answer(found.into())),
            Err(error) if error.code() == Some("user.not_found") => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(Problem::from(crate::domain::Error::from(UserRefusal::NotFound)))
}

/// Connect an account to a person
#[utoipa::path(post, path = "/identities", tag = "identities", operation_id = "addIdentity",
    extensions(("x-scope" = json!("admin")), ("x-alias-of" = json!("POST /api/admin/identities/connect"))),
    request_body = AccountFor,
    responses(
        (status = 201, description = "It is connected", body = IdentityRow),
        (status = 404, description = "There is no such person"),
        (status = 409, description = "The account belongs to somebody")))]
async fn add(
    Caller(actor): Caller,
    State(domain): State<Domain>,
    Json(body): Json<AccountFor>,
) -> Result<(StatusCode, Answer<IdentityRow>), Problem> {
    let row = user::connect(&domain, &actor, body.user_id, body.account()).await?;
    Ok((StatusCode::CREATED, Answer(row.into())))
}

/// Take an account from a person
///
/// For administrators, and for the person.
#[utoipa::path(delete, path = "/identities/{userId}/{platform}/{identity}", tag = "identities",
    operation_id = "removeIdentity",
    extensions(("x-scope" = json!("admin")), ("x-alias-of" = json!("DELETE /api/admin/identities/disconnect"))),
    params(("userId" = String, Path, format = "uuid", description = "The person"),
        ("platform" = PlatformName, Path, description = "The platform"),
        ("identity" = String, Path, description = "The account there")),
    responses(
        (status = 200, description = "It is nobody's", body = Success),
        (status = 409, description = "The person has no other account")))]
async fn remove(
    Caller(actor): Caller,
    State(domain): State<Domain>,
    Path((id, platform, identity)): Path<(UserId, PlatformName, String)>,
) -> Result<Answer<Success>, Problem> {
    user::disconnect(&domain, &actor, Some(id), (platform.into(), &identity)).await?;
    Ok(Answer(Success::DONE))
}
