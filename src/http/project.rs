//! Projects over HTTP.

mod body;
mod view;

use axum::{
    Json as Answer,
    extract::State,
    http::{StatusCode, Uri},
    response::Response,
};
use entity::id::{ProjectId, UserId};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

use super::{
    Routes,
    auth::{Caller, OptionalCaller},
    error::Problem,
    extract::{Json, Path, Query},
    page::{Asked, PageQuery},
    view::Success,
};
use crate::domain::{
    Domain, Error,
    project::{self, ProjectFilter, ProjectRefusal, Shown},
    vanish::PageRequest,
};
use body::{ChangeProject, CreateProject};
use view::{ListedProject, Names, Project};

/// Rows of a list that does not say how many it wants.
const LIMIT_DEFAULT: u64 = 50;

pub(super) fn routes() -> Routes {
    vec![routes!(list, create), routes!(popular_tags), routes!(of_person), routes!(show, change, remove)]
}

/// Which of the projects that the caller may see.
#[derive(Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Public {
    /// Those that everybody sees.
    #[default]
    True,
    /// The caller's own that are private; those of all for administrators.
    False,
    /// Both.
    All,
}

/// Which projects to list.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
struct Filter {
    /// Those whose title or description has this text, in large or small letters.
    #[param(max_length = 200, example = "bot")]
    search: Option<String>,
    /// Those that have all of these tags, with commas between them.
    #[param(example = "rust,discord")]
    tags: Option<String>,
    /// Those of this person.
    #[param(value_type = Option<String>, format = "uuid")]
    user_id: Option<UserId>,
    /// Those that everybody sees, private ones that the caller may see, or both.
    #[param(inline)]
    public: Option<Public>,
    /// Rows of the page.
    #[param(minimum = 1, maximum = 100, default = 50)]
    limit: Option<u64>,
    /// Rows to pass over.
    #[param(minimum = 0, default = 0)]
    offset: Option<u64>,
}

/// A part of a list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Part {
    /// Rows of the page.
    #[param(minimum = 1, maximum = 100, default = 50)]
    limit: Option<u64>,
    /// Rows to pass over.
    #[param(minimum = 0, default = 0)]
    offset: Option<u64>,
}

/// A tag, and how many public projects have it.
#[derive(Serialize, ToSchema)]
struct PopularTag {
    /// The tag.
    #[schema(example = "rust")]
    tag: String,
    /// Public projects.
    #[schema(example = 12)]
    count: i64,
}

/// The page that was asked for, and how its links are made.
fn page(limit: Option<u64>, offset: Option<u64>) -> Result<(PageQuery, PageRequest), Problem> {
    let query = PageQuery { limit: Some(limit.unwrap_or(LIMIT_DEFAULT)), offset };
    let whole = PageRequest { limit: LIMIT_DEFAULT, offset: 0 };
    Ok((query, query.request()?.unwrap_or(whole)))
}

/// The query without the part that says which page: it is the same on every page.
fn kept(uri: &Uri) -> Option<String> {
    let pairs = uri.query()?.split('&');
    let kept: Vec<&str> = pairs.filter(|pair| !pair.starts_with("limit=") && !pair.starts_with("offset=")).collect();
    (!kept.is_empty()).then(|| kept.join("&"))
}

/// A filter that cannot be one is a fault of the query, not of a body.
fn of_query(error: Error) -> Problem {
    let code = error.code();
    for (refusal, parameter) in [(ProjectRefusal::BadTags, "tags"), (ProjectRefusal::BadSearch, "search")] {
        if code == Some(crate::domain::Refusal::code(&refusal)) {
            return super::extract::invalid_parameter(parameter, &refusal.to_string());
        }
    }
    error.into()
}

/// List projects
///
/// Newest first. Private ones are shown to their owner and to administrators.
#[utoipa::path(get, path = "", tag = "projects", operation_id = "listProjects",
    extensions(("x-scope" = json!("optional"))),
    params(Filter),
    responses((status = 200, description = "They, each with its owner", body = Vec<ListedProject>)))]
async fn list(
    OptionalCaller(actor): OptionalCaller,
    State(domain): State<Domain>,
    Query(filter): Query<Filter>,
    asked: Asked,
    uri: Uri,
) -> Result<Response, Problem> {
    let (query, request) = page(filter.limit, filter.offset)?;
    let tags = filter.tags.as_deref().unwrap_or_default().split(',').map(str::trim);
    let wanted = ProjectFilter {
        search: filter.search,
        tags: tags.filter(|tag| !tag.is_empty()).map(str::to_owned).collect(),
        user_id: filter.user_id,
        shown: match filter.public.unwrap_or_default() {
            Public::True => Shown::Public,
            Public::False => Shown::Private,
            Public::All => Shown::All,
        },
        page: request,
    };
    let found = project::projects(&domain, actor.as_ref(), &wanted).await.map_err(of_query)?;
    let names = if actor.is_some() { Names::Shown } else { Names::LeftOut };
    let view: Vec<ListedProject> = found.rows.into_iter().map(|one| ListedProject::of(one, names)).collect();
    Ok(asked.list(&view, query, (&uri, kept(&uri).as_deref()), found.more))
}

/// Read a project
#[utoipa::path(get, path = "/{id}", tag = "projects", operation_id = "getProject",
    extensions(("x-scope" = json!("optional"))),
    params(("id" = String, Path, description = "The project", format = "uuid")),
    responses((status = 200, description = "The project, with its owner", body = ListedProject)))]
async fn show(
    OptionalCaller(actor): OptionalCaller,
    State(domain): State<Domain>,
    Path(id): Path<ProjectId>,
    asked: Asked,
) -> Result<Response, Problem> {
    let found = project::project(&domain, actor.as_ref(), id).await?;
    Ok(asked.configuration(&ListedProject::of(found, Names::Shown)))
}

/// List the projects of a person
///
/// Newest first. Private ones are shown to their owner and to administrators.
#[utoipa::path(get, path = "/user/{userId}", tag = "projects", operation_id = "listProjectsOfUser",
    extensions(("x-scope" = json!("optional"))),
    params(("userId" = String, Path, description = "The person", format = "uuid"), Part),
    responses((status = 200, description = "They", body = Vec<Project>)))]
async fn of_person(
    OptionalCaller(actor): OptionalCaller,
    State(domain): State<Domain>,
    Path(user_id): Path<UserId>,
    Query(part): Query<Part>,
    asked: Asked,
    uri: Uri,
) -> Result<Response, Problem> {
    let (query, request) = page(part.limit, part.offset)?;
    let wanted =
        ProjectFilter { search: None, tags: Vec::new(), user_id: Some(user_id), shown: Shown::All, page: request };
    let found = project::projects(&domain, actor.as_ref(), &wanted).await?;
    let view: Vec<Project> = found.rows.into_iter().map(|one| one.project.into()).collect();
    Ok(asked.list(&view, query, (&uri, kept(&uri).as_deref()), found.more))
}

/// List the tags that most projects have
///
/// Public projects are counted.
#[utoipa::path(get, path = "/tags/popular", tag = "projects", operation_id = "listPopularTags",
    extensions(("x-scope" = json!("public"))),
    responses((status = 200, description = "At most 20, the most frequent first", body = Vec<PopularTag>)))]
async fn popular_tags(State(domain): State<Domain>) -> Result<Answer<Vec<PopularTag>>, Problem> {
    let tags = project::popular_tags(&domain).await?;
    Ok(Answer(tags.into_iter().map(|(tag, count)| PopularTag { tag, count }).collect()))
}

/// Make a project
///
/// Of the person whose Bearer token comes with the request. A key stands for nobody, so that it cannot make one.
#[utoipa::path(post, path = "", tag = "projects", operation_id = "createProject",
    extensions(("x-scope" = json!("user"))),
    request_body = CreateProject,
    responses((status = 201, description = "It is made", body = Project)))]
async fn create(
    Caller(actor): Caller,
    State(domain): State<Domain>,
    Json(body): Json<CreateProject>,
) -> Result<(StatusCode, Answer<Project>), Problem> {
    let made = project::create(&domain, &actor, body.into()).await?;
    Ok((StatusCode::CREATED, Answer(made.into())))
}

/// Change a project
///
/// What the body does not name stays as it is. For its owner and administrators.
#[utoipa::path(patch, path = "/{id}", tag = "projects", operation_id = "changeProject",
    extensions(("x-scope" = json!("authenticated"))),
    params(("id" = String, Path, description = "The project", format = "uuid")),
    request_body = ChangeProject,
    responses((status = 200, description = "It is changed", body = Project)))]
async fn change(
    Caller(actor): Caller,
    State(domain): State<Domain>,
    Path(id): Path<ProjectId>,
    Json(body): Json<ChangeProject>,
) -> Result<Answer<Project>, Problem> {
    Ok(Answer(project::change(&domain, &actor, id, body.into()).await?.into()))
}

/// Take a project away
///
/// For its owner and administrators.
#[utoipa::path(delete, path = "/{id}", tag = "projects", operation_id = "deleteProject",
    extensions(("x-scope" = json!("authenticated"))),
    params(("id" = String, Path, description = "The project", format = "uuid")),
    responses((status = 200, description = "It is gone", body = Success)))]
async fn remove(
    Caller(actor): Caller,
    State(domain): State<Domain>,
    Path(id): Path<ProjectId>,
) -> Result<Answer<Success>, Problem> {
    project::delete(&domain, &actor, id).await?;
    Ok(Answer(Success::DONE))
}
