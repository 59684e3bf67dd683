//! People over HTTP: `/api/users`, their accounts, and one's own page below `/api/users/me`.
//!
//! Invariants: a read makes nobody, but at the one address that `compat.autocreate` is about; what platforms gave to a
//! client as tokens is neither kept nor returned.

mod admin;
mod body;
mod identity;
mod me;
mod view;

use axum::{
    Json as Answer,
    extract::State,
    http::{Method, StatusCode},
    response::{IntoResponse, Response},
};
use entity::{id::UserId, identity::Platform};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::routes;

use super::{
    Routes,
    auth::Caller,
    error::Problem,
    extract::{Json, Path, Query},
    page::{Asked, PageQuery},
    view::Success,
};
use crate::domain::{
    Actor, Domain,
    user::{self, NewIdentity, UserFilter, UserPage},
    vanish::PageRequest,
};
use body::{NamedAccount, NewUserBody, RoleName};
use view::{FoundUser, MadeUser, MemberList, UserList, UserObject};

/// Rows of a page where nobody says how many.
const PAGE: PageRequest = PageRequest { limit: 50, offset: 0 };

/// Below `/api/users`.
pub(super) fn routes() -> Routes {
    let mut routes = vec![
        routes!(list, create),
        routes!(members),
        routes!(show, remove),
        routes!(by_discord),
        routes!(id_by_discord),
        routes!(id_by_evm),
        routes!(id_by_lens),
        routes!(id_by_farcaster),
        routes!(id_by_telegram),
        routes!(id_by_github),
        routes!(id_discord),
        routes!(make_id),
    ];
    routes.extend(identity::routes());
    routes.extend(me::routes());
    routes
}

/// Below `/api/admin/identities`.
pub(super) fn admin_routes() -> Routes {
    admin::routes()
}

/// Which people to list.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// Only those of this role.
    role: Option<RoleName>,
    /// Rows of the page.
    #[param(minimum = 1, maximum = 100, default = 50)]
    limit: Option<u64>,
    /// Rows to pass over.
    #[param(minimum = 0, default = 0)]
    offset: Option<u64>,
    /// Whether to show their accounts, wallets masked.
    #[serde(default)]
    include_identities: bool,
}

/// Which members to list.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
struct MembersQuery {
    /// Rows of the page.
    #[param(minimum = 1, maximum = 100, default = 50)]
    limit: Option<u64>,
    /// Rows to pass over.
    #[param(minimum = 0, default = 0)]
    offset: Option<u64>,
    /// Whether to show their accounts, wallets masked.
    #[serde(default)]
    include_identities: bool,
}

/// Whether a person may be made.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct CreateQuery {
    /// `false` makes nobody, whatever the caller may do.
    #[serde(default = "yes")]
    #[param(default = true)]
    create: bool,
}

fn yes() -> bool {
    true
}

fn page(limit: Option<u64>, offset: Option<u64>) -> Result<PageRequest, Problem> {
    Ok(PageQuery { limit, offset }.request()?.unwrap_or(PAGE))
}

/// List people
///
/// The newest first; deleted and merged ones are not there. People whose accounts are private show none of them.
#[utoipa::path(get, path = "", tag = "users", operation_id = "listUsers",
    extensions(("x-scope" = json!("users:read"))),
    params(ListQuery),
    responses((status = 200, description = "A page of them", body = UserList)))]
async fn list(
    Caller(actor): Caller,
    State(domain): State<Domain>,
    Query(query): Query<ListQuery>,
    asked: Asked,
) -> Result<Response, Problem> {
    let filter = query.role.map_or(UserFilter::All, |role| UserFilter::Role(role.into()));
    let page = page(query.limit, query.offset)?;
    let UserPage { rows, total } = user::users(&domain, &actor, filter, page).await?;
    let users = rows.into_iter().map(|row| UserObject::listed(row, query.include_identities)).collect();
    Ok(asked.configuration(&UserList { users, total, limit: page.limit, offset: page.offset }))
}

/// List members
///
/// Members and administrators, the newest first.
#[utoipa::path(get, path = "/members", tag = "users", operation_id = "listMembers",
    extensions(("x-scope" = json!("users:read"))),
    params(MembersQuery),
    responses((status = 200, description = "A page of them", body = MemberList)))]
async fn members(
    Caller(actor): Caller,
    State(domain): State<Domain>,
    Query(query): Query<MembersQuery>,
    asked: Asked,
) -> Result<Response, Problem> {
    let page = page(query.limit, query.offset)?;
    let UserPage { rows, total } = user::users(&domain, &actor, UserFilter::Members, page).await?;
    let members = rows.into_iter().map(|row| UserObject::listed(row, query.include_identities)).collect();
    Ok(asked.configuration(&MemberList { members, total, limit: page.limit, offset: page.offset }))
}

/// Read a person
///
/// The id of somebody who was merged leads to whom they are now.
#[utoipa::path(get, path = "/{userId}", tag = "users", operation_id = "getUser",
    extensions(("x-scope" = json!("users:read"))),
    params(("userId" = String, Path, format = "uuid", description = "The person")),
    responses((status = 200, description = "They", body = UserObject)))]
async fn show(
    Caller(actor): Caller,
    State(domain): State<Domain>,
    Path(id): Path<UserId>,
    asked: Asked,
) -> Result<Response, Problem> {
    Ok(asked.configuration(&UserObject::new(user::get(&domain, &actor, id).await?)))
}

/// Make the person of an account
///
/// Somebody who has it already is answered as they are.
#[utoipa::path(post, path = "", tag = "users", operation_id = "createUser",
    extensions(("x-scope" = json!("users:write"))),
    request_body = NewUserBody,
    responses(
        (status = 200, description = "The account has a person", body = UserObject),
        (status = 201, description = "The person was made", body = UserObject)))]
async fn create(
    Caller(actor): Caller,
    State(domain): State<Domain>,
    Json(body): Json<NewUserBody>,
) -> Result<Response, Problem> {
    let made = user::upsert(&domain, &actor, body.account()?).await?;
    let status = if made.created { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Answer(UserObject::made(made))).into_response())
}

/// Delete a person
///
/// Their keys and sessions end, and they are in no list any more. Their history stays.
#[utoipa::path(delete, path = "/{userId}", tag = "users", operation_id = "deleteUser",
    extensions(("x-scope" = json!("admin"))),
    params(("userId" = String, Path, format = "uuid", description = "The person")),
    responses((status = 200, description = "They are gone", body = Success)))]
async fn remove(
    Caller(actor): Caller,
    State(domain): State<Domain>,
    Path(id): Path<UserId>,
) -> Result<Answer<Success>, Problem> {
    user::delete(&domain, &actor, id).await?;
    Ok(Answer(Success::DONE))
}

/// Make the person of an account, with the account in the answer
#[utoipa::path(post, path = "/id", tag = "users", operation_id = "makeUserId",
    extensions(("x-scope" = json!("users:write"))),
    request_body = NamedAccount,
    responses(
        (status = 200, description = "The account has a person", body = MadeUser),
        (status = 201, description = "The person was made", body = MadeUser)))]
async fn make_id(
    Caller(actor): Caller,
    State(domain): State<Domain>,
    Json(body): Json<NamedAccount>,
) -> Result<Response, Problem> {
    let made = user::upsert(&domain, &actor, body.account()).await?;
    let status = if made.created { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Answer(MadeUser::new(made))).into_response())
}

/// Find the person of a Discord account, by its old address
///
/// The only read that may make somebody: where the setting `compat.autocreate` is on and the caller may make people, a
/// Discord account without a person gets one.
#[utoipa::path(get, path = "/by-discord/{discordId}", tag = "users", operation_id = "getUserByDiscord",
    extensions(("x-scope" = json!("users:read")),
        ("x-alias-of" = json!("GET /api/users/id/by-discord/{identity}"))),
    params(("discordId" = String, Path, description = "The account", example = "80351110224678912"), CreateQuery),
    responses((status = 200, description = "They", body = FoundUser)))]
async fn by_discord(
    Caller(actor): Caller,
    State(domain): State<Domain>,
    Path(account): Path<String>,
    Query(CreateQuery { create }): Query<CreateQuery>,
    method: Method,
    asked: Asked,
) -> Result<Response, Problem> {
    if create && method == Method::GET && user::creates_on_read(&domain, &actor) {
        let named = NewIdentity { platform: Platform::Discord, identity: account, is_primary: true, metadata: None };
        return match user::upsert(&domain, &actor, named).await {
            Ok(made) => Ok(asked.configuration(&FoundUser::made(&made))),
            // What is no account is nobody's.
            Err(error) if error.code() == Some("identity.malformed") => Err(Problem::not_found()),
            Err(error) => Err(error.into()),
        };
    }
    found(&domain, &actor, Platform::Discord, &account, &asked).await
}

async fn found(
    domain: &Domain,
    actor: &Actor,
    platform: Platform,
    account: &str,
    asked: &Asked,
) -> Result<Response, Problem> {
    let found = user::find(domain, actor, platform, account).await?;
    Ok(asked.configuration(&FoundUser::new(&found)))
}

/// Finding a person by an account: one address per platform, which all do the same.
macro_rules! find_by {
    ($(#[$doc:meta] $name:ident, $platform:ident, $path:tt, $id:tt, $example:tt;)*) => {$(
        #[$doc]
        #[utoipa::path(get, path = $path, tag = "users", operation_id = $id,
            extensions(("x-scope" = json!("users:read"))),
            params(("identity" = String, Path, description = "The account", example = $example)),
            responses((status = 200, description = "They", body = FoundUser)))]
        async fn $name(
            Caller(actor): Caller,
            State(domain): State<Domain>,
            Path(account): Path<String>,
            asked: Asked,
        ) -> Result<Response, Problem> {
            found(&domain, &actor, Platform::$platform, &account, &asked).await
        }
    )*};
}

find_by! {
    /// Find the person of a Discord account
    id_by_discord, Discord, "/id/by-discord/{identity}", "getUserIdByDiscord", "80351110224678912";
    /// Find the person of a wallet
    id_by_evm, Evm, "/id/by-evm/{identity}", "getUserIdByEvm", "0x71c7656ec7ab88b098defb751b7401b5f6d8976f";
    /// Find the person of a Lens account
    id_by_lens, Lens, "/id/by-lens/{identity}", "getUserIdByLens", "ada.lens";
    /// Find the person of a Farcaster account
    id_by_farcaster, Farcaster, "/id/by-farcaster/{identity}", "getUserIdByFarcaster", "1234";
    /// Find the person of a Telegram account
    id_by_telegram, Telegram, "/id/by-telegram/{identity}", "getUserIdByTelegram", "ada_l";
    /// Find the person of a GitHub account
    id_by_github, Github, "/id/by-github/{identity}", "getUserIdByGithub", "ada-l";
}

/// Find the person of a Discord account, as an older client asks
#[utoipa::path(get, path = "/id/discord/{discordId}", tag = "users", operation_id = "getUserIdOfDiscord",
    extensions(("x-scope" = json!("users:read")),
        ("x-alias-of" = json!("GET /api/users/id/by-discord/{identity}"))),
    params(("discordId" = String, Path, description = "The account", example = "80351110224678912")),
    responses((status = 200, description = "They", body = FoundUser)))]
async fn id_discord(
    Caller(actor): Caller,
    State(domain): State<Domain>,
    Path(account): Path<String>,
    asked: Asked,
) -> Result<Response, Problem> {
    found(&domain, &actor, Platform::Discord, &account, &asked).await
}
