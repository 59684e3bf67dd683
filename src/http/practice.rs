//! Practice sessions over HTTP.

mod stats;

use axum::{Json as Answer, extract::State};
use chrono::NaiveDate;
use entity::{
    id::{DiscordUserId, GuildId, PracticeSessionId, UserId},
    practice_session::SessionSource,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::routes;

use super::{Routes, auth::Caller, error::Problem, extract::Json, view::Timestamp};
use crate::domain::{
    Actor, Domain,
    practice::{self, NewSession, Person, PracticeRefusal, SessionView},
};

/// Below `/api/sessions/practice`, and where other clients look for it.
pub(super) fn routes() -> Routes {
    let mut routes = vec![routes!(start), routes!(start_at_root), routes!(stop)];
    routes.extend(stats::routes());
    routes
}

/// Whose session it is. One of `discordId` and `userId` is needed.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct StartSession {
    /// Their Discord account; a person who is new is made.
    #[serde(default)]
    #[schema(value_type = Option<String>, pattern = "^[1-9][0-9]{0,19}$", example = "80351110224678912")]
    discord_id: Option<DiscordUserId>,
    /// The person.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = "uuid")]
    user_id: Option<UserId>,
    /// What they write about it.
    #[serde(default)]
    #[schema(max_length = 1000, example = "scales")]
    notes: Option<String>,
    /// The server that the time is credited to as well; that of a key which is bound to one.
    #[serde(default)]
    #[schema(value_type = Option<String>, pattern = "^[1-9][0-9]{0,19}$")]
    guild_id: Option<GuildId>,
}

/// Whose session is to end. One of `discordId` and `userId` is needed.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct StopSession {
    /// Their Discord account.
    #[serde(default)]
    #[schema(value_type = Option<String>, pattern = "^[1-9][0-9]{0,19}$", example = "80351110224678912")]
    discord_id: Option<DiscordUserId>,
    /// The person.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = "uuid")]
    user_id: Option<UserId>,
}

/// A practice session.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct PracticeSession {
    /// Its id.
    #[schema(value_type = String, format = "uuid")]
    id: PracticeSessionId,
    /// Whose it is.
    #[schema(value_type = String, format = "uuid")]
    user_id: UserId,
    /// Its start.
    #[schema(value_type = String, format = DateTime)]
    start_time: Timestamp,
    /// Its end; null while it runs.
    #[schema(value_type = Option<String>, format = DateTime)]
    end_time: Option<Timestamp>,
    /// Whole seconds that it counted; null while it runs.
    duration: Option<i64>,
    /// The day of its start, in the zone of its statistics.
    #[schema(value_type = String, format = "date", example = "2026-11-22")]
    date: NaiveDate,
    /// What the person wrote about it.
    notes: Option<String>,
}

impl From<SessionView> for PracticeSession {
    fn from(view: SessionView) -> Self {
        let duration = view.final_seconds();
        Self {
            id: view.row.id,
            user_id: view.row.user_id,
            start_time: Timestamp(view.row.started_at),
            end_time: view.row.ended_at.map(Timestamp),
            duration,
            date: view.date,
            notes: view.row.note,
        }
    }
}

/// Exactly one of both.
fn person(discord: Option<DiscordUserId>, user: Option<UserId>) -> Result<Person, Problem> {
    match (discord, user) {
        (Some(account), None) => Ok(Person::Discord(account)),
        (None, Some(id)) => Ok(Person::User(id)),
        _ => Err(crate::domain::Error::from(PracticeRefusal::NobodyNamed).into()),
    }
}

async fn start_session(domain: &Domain, actor: &Actor, body: StartSession) -> Result<Answer<PracticeSession>, Problem> {
    let person = person(body.discord_id, body.user_id)?;
    let guild_id = body.guild_id.or_else(|| actor.bound_guild());
    let new = NewSession { note: body.notes, ..NewSession::of(person, guild_id, SessionSource::Http) };
    let started = practice::start(domain, actor, new).await?;
    Ok(Answer(SessionView::from(started.session).into()))
}

/// Start a session
///
/// A person has one session at a time: if one runs, it is the answer, unchanged. It counts until it is stopped, 24 hours
/// at most.
#[utoipa::path(post, path = "/start", tag = "practice", operation_id = "startPractice",
    extensions(("x-scope" = json!("practice:write")), ("x-guild" = json!(true))),
    request_body = StartSession,
    responses(
        (status = 200, description = "The session that runs", body = PracticeSession),
        (status = 404, description = "There is no such user")))]
async fn start(
    Caller(actor): Caller,
    State(domain): State<Domain>,
    Json(body): Json<StartSession>,
) -> Result<Answer<PracticeSession>, Problem> {
    start_session(&domain, &actor, body).await
}

/// Start a session, at the address of other clients
#[utoipa::path(post, path = "", tag = "practice", operation_id = "startPracticeAtRoot",
    extensions(("x-scope" = json!("practice:write")), ("x-guild" = json!(true)),
        ("x-alias-of" = json!("POST /api/sessions/practice/start"))),
    request_body = StartSession,
    responses(
        (status = 200, description = "The session that runs", body = PracticeSession),
        (status = 404, description = "There is no such user")))]
async fn start_at_root(
    Caller(actor): Caller,
    State(domain): State<Domain>,
    Json(body): Json<StartSession>,
) -> Result<Answer<PracticeSession>, Problem> {
    start_session(&domain, &actor, body).await
}

/// Stop the session that runs
#[utoipa::path(post, path = "/stop", tag = "practice", operation_id = "stopPractice",
    extensions(("x-scope" = json!("practice:write")), ("x-guild" = json!(true))),
    request_body = StopSession,
    responses(
        (status = 200, description = "It has ended", body = PracticeSession),
        (status = 404, description = "No active session found")))]
async fn stop(
    Caller(actor): Caller,
    State(domain): State<Domain>,
    Json(body): Json<StopSession>,
) -> Result<Answer<PracticeSession>, Problem> {
    let person = person(body.discord_id, body.user_id)?;
    let session = practice::stop(&domain, &actor, person, None).await?;
    Ok(Answer(SessionView::from(session).into()))
}
