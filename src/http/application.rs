//! Applications and votes over HTTP.

mod body;
mod view;

use axum::{Json as Answer, extract::State, http::Uri, response::Response};
use entity::{
    application::{ApplicationStatus, Model},
    id::{ApplicationId, GuildId},
};
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
    Actor, Domain, Error,
    application::{self, ApplicationChange, ApplicationFilter},
    vanish::PageRequest,
};
use body::{Cast, ChangeApplication, CreateApplication, Filter, Numbers, PendingFilter, SetStatus};
use view::{Application, ChangedApplication, Created, GivenVote, Votes};

/// Rows of a list that does not say how many it wants.
const LIMIT_DEFAULT: u64 = 50;
/// Rows of the list of those that wait, whose clients expect all of them.
const PENDING_DEFAULT: u64 = 100;

/// Below `/api/users/applications`.
pub(super) fn routes() -> Routes {
    vec![
        routes!(list, create),
        routes!(pending),
        routes!(by_message),
        routes!(message),
        routes!(by_number),
        routes!(number),
        routes!(show, change, remove),
        routes!(set_status),
        routes!(votes, cast),
        routes!(vote),
    ]
}

/// The page that was asked for, and how its links are made.
fn page(limit: Option<u64>, offset: Option<u64>, usual: u64) -> Result<(PageQuery, PageRequest), Problem> {
    let query = PageQuery { limit: Some(limit.unwrap_or(usual)), offset };
    let whole = PageRequest { limit: usual, offset: 0 };
    Ok((query, query.request()?.unwrap_or(whole)))
}

/// The query without the part that says which page: it is the same on every page.
fn kept(uri: &Uri) -> Option<String> {
    let pairs = uri.query()?.split('&');
    let kept: Vec<&str> = pairs.filter(|pair| !pair.starts_with("limit=") && !pair.starts_with("offset=")).collect();
    (!kept.is_empty()).then(|| kept.join("&"))
}

/// List applications
///
/// Newest first.
#[utoipa::path(get, path = "", tag = "applications", operation_id = "listApplications",
    extensions(("x-scope" = json!("applications:read")), ("x-guild" = json!(true))),
    params(Filter),
    responses((status = 200, description = "They", body = Vec<Application>)))]
async fn list(
    Caller(actor): Caller,
    State(domain): State<Domain>,
    Query(filter): Query<Filter>,
    asked: Asked,
    uri: Uri,
) -> Result<Response, Problem> {
    let (query, page) = page(filter.limit, filter.offset, LIMIT_DEFAULT)?;
    let wanted = ApplicationFilter {
        guild_id: filter.guild_id,
        status: filter.status.map(Into::into),
        form_id: filter.form_id,
        ..ApplicationFilter::all(page)
    };
    listed(&domain, &actor, wanted, query, (&asked, &uri)).await
}

/// List applications that wait for a decision
///
/// Newest first.
#[utoipa::path(get, path = "/pending", tag = "applications", operation_id = "listPendingApplications",
    extensions(("x-scope" = json!("applications:read")), ("x-guild" = json!(true))),
    params(PendingFilter),
    responses((status = 200, description = "They", body = Vec<Application>)))]
async fn pending(
    Caller(actor): Caller,
    State(domain): State<Domain>,
    Query(filter): Query<PendingFilter>,
    asked: Asked,
    uri: Uri,
) -> Result<Response, Problem> {
    let (query, page) = page(filter.limit, filter.offset, PENDING_DEFAULT)?;
    let wanted = ApplicationFilter {
        guild_id: filter.guild_id,
        status: Some(ApplicationStatus::Pending),
        ..ApplicationFilter::all(page)
    };
    listed(&domain, &actor, wanted, query, (&asked, &uri)).await
}

async fn listed(
    domain: &Domain,
    actor: &Actor,
    wanted: ApplicationFilter,
    query: PageQuery,
    (asked, uri): (&Asked, &Uri),
) -> Result<Response, Problem> {
    let found = application::list(domain, actor, wanted).await?;
    let view = found.rows.into_iter().map(Application::of).collect::<Result<Vec<_>, Error>>()?;
    Ok(asked.list(&view, query, (uri, kept(uri).as_deref()), found.more))
}

fn shown(row: Model) -> Result<Answer<Application>, Problem> {
    Ok(Answer(Application::of(row)?))
}

/// Read an application by the message that it is bound to
#[utoipa::path(get, path = "/by-message/{messageId}", tag = "applications", operation_id = "getApplicationByMessage",
    extensions(("x-scope" = json!("applications:read")), ("x-guild" = json!(true))),
    params(("messageId" = String, Path, description = "A program's message")),
    responses((status = 200, description = "The application", body = Application)))]
async fn by_message(
    Caller(actor): Caller,
    State(domain): State<Domain>,
    Path(message_id): Path<String>,
) -> Result<Answer<Application>, Problem> {
    shown(application::by_message(&domain, &actor, &message_id).await?)
}

/// Read an application by its message, at the address of other clients
#[utoipa::path(get, path = "/message/{messageId}", tag = "applications", operation_id = "getApplicationOfMessage",
    extensions(("x-scope" = json!("applications:read")), ("x-guild" = json!(true)),
        ("x-alias-of" = json!("GET /api/users/applications/by-message/{messageId}"))),
    params(("messageId" = String, Path, description = "A program's message")),
    responses((status = 200, description = "The application", body = Application)))]
async fn message(
    Caller(actor): Caller,
    State(domain): State<Domain>,
    Path(message_id): Path<String>,
) -> Result<Answer<Application>, Problem> {
    shown(application::by_message(&domain, &actor, &message_id).await?)
}

async fn numbered(
    domain: &Domain,
    actor: &Actor,
    guild_id: Option<GuildId>,
    number: &str,
) -> Result<Answer<Application>, Problem> {
    if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Problem::bad_request("application.bad_number", "Invalid application number"));
    }
    // No application has a number that is larger than this.
    let number = number.parse().unwrap_or(i64::MAX);
    shown(application::by_number(domain, actor, guild_id, number).await?)
}

/// Read an application by its number
#[utoipa::path(get, path = "/by-number/{number}", tag = "applications", operation_id = "getApplicationByNumber",
    extensions(("x-scope" = json!("applications:read")), ("x-guild" = json!(true))),
    params(("number" = String, Path, description = "Its number", pattern = "^[0-9]+$", example = "1"), Numbers),
    responses((status = 200, description = "The application", body = Application)))]
async fn by_number(
    Caller(actor): Caller,
    State(domain): State<Domain>,
    Path(number): Path<String>,
    Query(numbers): Query<Numbers>,
) -> Result<Answer<Application>, Problem> {
    numbered(&domain, &actor, numbers.guild_id, &number).await
}

/// Read an application by its number, at the address of other clients
#[utoipa::path(get, path = "/number/{number}", tag = "applications", operation_id = "getApplicationOfNumber",
    extensions(("x-scope" = json!("applications:read")), ("x-guild" = json!(true)),
        ("x-alias-of" = json!("GET /api/users/applications/by-number/{number}"))),
    params(("number" = String, Path, description = "Its number", pattern = "^[0-9]+$", example = "1"), Numbers),
    responses((status = 200, description = "The application", body = Application)))]
async fn number(
    Caller(actor): Caller,
    State(domain): State<Domain>,
    Path(number): Path<String>,
    Query(numbers): Query<Numbers>,
) -> Result<Answer<Application>, Problem> {
    numbered(&domain, &actor, numbers.guild_id, &number).await
}

/// Read an application
///
/// For those who decide about it, and for whoever has made it.
#[utoipa::path(get, path = "/{id}", tag = "applications", operation_id = "getApplication",
    extensions(("x-scope" = json!("applications:read")), ("x-guild" = json!(true))),
    params(("id" = String, Path, description = "The application", format = "uuid")),
    responses((status = 200, description = "The application", body = Application)))]
async fn show(
    Caller(actor): Caller,
    State(domain): State<Domain>,
    Path(id): Path<ApplicationId>,
) -> Result<Answer<Application>, Problem> {
    shown(application::get(&domain, &actor, id).await?)
}

/// Make an application
///
/// With a Bearer token it is that person's own, of whom five may be open at a time. It gets the next number of its
/// server, or of those of none. How votes decide it says the operator's setting `applications`.
#[utoipa::path(post, path = "", tag = "applications", operation_id = "createApplication",
    extensions(("x-scope" = json!("applications:write")), ("x-guild" = json!(true))),
    request_body = CreateApplication,
    responses((status = 200, description = "It is made", body = Created)))]
async fn create(
    Caller(actor): Caller,
    State(domain): State<Domain>,
    Json(body): Json<CreateApplication>,
) -> Result<Answer<Created>, Problem> {
    Ok(Answer(application::create(&domain, &actor, body.into()).await?.into()))
}

/// Decide an application
///
/// Whatever the votes say. To decide once more what was decided the same way changes nothing; the other way is 409.
#[utoipa::path(patch, path = "/{id}/status", tag = "applications", operation_id = "setApplicationStatus",
    extensions(("x-scope" = json!("applications:decide")), ("x-guild" = json!(true))),
    params(("id" = String, Path, description = "The application", format = "uuid")),
    request_body = SetStatus,
    responses((status = 200, description = "It is decided", body = Success)))]
async fn set_status(
    Caller(actor): Caller,
    State(domain): State<Domain>,
    Path(id): Path<ApplicationId>,
    Json(body): Json<SetStatus>,
) -> Result<Answer<Success>, Problem> {
    application::change(&domain, &actor, id, body.into()).await?;
    Ok(Answer(Success::DONE))
}

/// Decide an application, or bind it to a message
///
/// To decide takes the scope `applications:decide` as well.
#[utoipa::path(patch, path = "/{id}", tag = "applications", operation_id = "changeApplication",
    extensions(("x-scope" = json!("applications:write")), ("x-guild" = json!(true))),
    params(("id" = String, Path, description = "The application", format = "uuid")),
    request_body = ChangeApplication,
    responses((status = 200, description = "The application as it is now", body = ChangedApplication)))]
async fn change(
    Caller(actor): Caller,
    State(domain): State<Domain>,
    Path(id): Path<ApplicationId>,
    Json(body): Json<ChangeApplication>,
) -> Result<Answer<ChangedApplication>, Problem> {
    let change: ApplicationChange = body.into();
    let row = if change.verdict.is_none() && change.message_id.is_none() {
        application::get(&domain, &actor, id).await?
    } else {
        application::change(&domain, &actor, id, change).await?.application
    };
    Ok(Answer(ChangedApplication::of(row)?))
}

/// Delete an application
///
/// With its votes. Its number is not given again.
#[utoipa::path(delete, path = "/{id}", tag = "applications", operation_id = "deleteApplication",
    extensions(("x-scope" = json!("applications:decide")), ("x-guild" = json!(true))),
    params(("id" = String, Path, description = "The application", format = "uuid")),
    responses((status = 200, description = "It is gone", body = Success)))]
async fn remove(
    Caller(actor): Caller,
    State(domain): State<Domain>,
    Path(id): Path<ApplicationId>,
) -> Result<Answer<Success>, Problem> {
    application::delete(&domain, &actor, id).await?;
    Ok(Answer(Success::DONE))
}

/// Vote on an application
///
/// Each `userId` has one vote, of which the last one counts while the application is open; the vote that meets the
/// policy decides. With a Bearer token the voter is whoever signed in.
#[utoipa::path(post, path = "/{id}/votes", tag = "applications", operation_id = "castVote",
    extensions(("x-scope" = json!("applications:vote")), ("x-guild" = json!(true))),
    params(("id" = String, Path, description = "The application", format = "uuid")),
    request_body = Cast,
    responses((status = 200, description = "It is counted", body = Success)))]
async fn cast(
    Caller(actor): Caller,
    State(domain): State<Domain>,
    Path(id): Path<ApplicationId>,
    Json(body): Json<Cast>,
) -> Result<Answer<Success>, Problem> {
    application::vote(&domain, &actor, id, body.into()).await?;
    Ok(Answer(Success::DONE))
}

/// Vote on an application, and read the vote
#[utoipa::path(post, path = "/{id}/vote", tag = "applications", operation_id = "voteOnApplication",
    extensions(("x-scope" = json!("applications:vote")), ("x-guild" = json!(true)),
        ("x-alias-of" = json!("POST /api/users/applications/{id}/votes"))),
    params(("id" = String, Path, description = "The application", format = "uuid")),
    request_body = Cast,
    responses((status = 200, description = "The vote", body = GivenVote)))]
async fn vote(
    Caller(actor): Caller,
    State(domain): State<Domain>,
    Path(id): Path<ApplicationId>,
    Json(body): Json<Cast>,
) -> Result<Answer<GivenVote>, Problem> {
    Ok(Answer(application::vote(&domain, &actor, id, body.into()).await?.vote.into()))
}

/// Read the votes on an application
///
/// While a blind vote goes on, they are hidden: 403.
#[utoipa::path(get, path = "/{id}/votes", tag = "applications", operation_id = "listVotes",
    extensions(("x-scope" = json!("applications:read")), ("x-guild" = json!(true))),
    params(("id" = String, Path, description = "The application", format = "uuid")),
    responses((status = 200, description = "They", body = Votes)))]
async fn votes(
    Caller(actor): Caller,
    State(domain): State<Domain>,
    Path(id): Path<ApplicationId>,
) -> Result<Answer<Votes>, Problem> {
    Ok(Answer(application::votes(&domain, &actor, id).await?.into()))
}
