//! Who has practised how much.

use axum::{extract::State, response::Response};
use chrono::NaiveDate;
use entity::id::{DiscordUserId, GuildId, UserId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

use crate::{
    domain::{
        Actor, Domain,
        practice::{self, LeaderboardQuery, Person, Standing, split::DaySeconds},
    },
    http::{
        Routes,
        auth::Caller,
        error::Problem,
        extract::{Path, Query, invalid_parameter},
        page::Asked,
    },
};

/// Rows of the leaderboard unless fewer or more are asked for.
const BOARD_DEFAULT: u64 = 10;
/// Most of them.
const BOARD_MAX: u64 = 100;
/// Digits of a Discord id, where nothing else tells it from other ids.
const DISCORD_DIGITS: std::ops::RangeInclusive<usize> = 1..=20;

pub(super) fn routes() -> Routes {
    vec![
        routes!(daily_of_discord),
        routes!(daily_of_user),
        routes!(daily),
        routes!(weekly_of_discord),
        routes!(weekly_of_user),
        routes!(weekly),
        routes!(monthly_of_discord),
        routes!(monthly_of_user),
        routes!(monthly),
        routes!(leaderboard),
        routes!(total_hours),
    ]
}

/// What is looked at.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
struct Filter {
    /// Only what was credited to this server; that of a key which is bound to one.
    #[param(value_type = Option<String>, pattern = "^[1-9][0-9]{0,19}$", example = "42")]
    guild_id: Option<GuildId>,
}

impl Filter {
    fn guild(&self, actor: &Actor) -> Option<GuildId> {
        self.guild_id.or_else(|| actor.bound_guild())
    }
}

/// Which board.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
struct BoardFilter {
    /// The board of this server; that of a key which is bound to one.
    #[param(value_type = Option<String>, pattern = "^[1-9][0-9]{0,19}$", example = "42")]
    guild_id: Option<GuildId>,
    /// Rows, 1 to 100; 10 unless it is given.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u64>,
    /// Rows to pass over.
    #[param(minimum = 0)]
    offset: Option<u64>,
}

/// A day's practice.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct DailyPractice {
    /// Whole seconds of the person's present day.
    #[schema(example = 1800)]
    total_duration: i64,
}

/// Whole seconds by day.
#[derive(Serialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = BTreeMap<String, i64>, example = json!({"2026-11-21": 0, "2026-11-22": 1800}))]
struct PracticeByDay(BTreeMap<NaiveDate, i64>);

impl From<DaySeconds> for PracticeByDay {
    fn from(days: DaySeconds) -> Self {
        Self(days)
    }
}

/// A place on the leaderboard.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct PracticeStanding {
    /// The person's Discord account; their own id where they have none.
    #[schema(example = "80351110224678912")]
    identity: String,
    /// Whole seconds.
    total_duration: i64,
    /// The person.
    #[schema(value_type = String, format = "uuid")]
    user_id: UserId,
    /// From 1; equals share one.
    rank: u64,
}

/// What everybody has practised together.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct TotalHours {
    /// Hours, to one decimal.
    #[schema(example = 12.5)]
    total_hours: f64,
}

/// 400, as clients of this address know it.
fn user_in_path(id: &str) -> Result<Person, Problem> {
    id.parse().map(Person::User).map_err(|_| Problem::bad_request("invalid_id", "userId must be a UUID"))
}

/// A Discord account by its digits, or a person by their UUID; what cannot be either is not there.
fn anybody_in_path(id: &str) -> Result<Person, Problem> {
    if DISCORD_DIGITS.contains(&id.len()) {
        return id.parse().map(Person::Discord).map_err(|_| Problem::not_found());
    }
    id.parse().map(Person::User).map_err(|_| Problem::not_found())
}

async fn day_of(
    domain: &Domain,
    actor: &Actor,
    person: Person,
    filter: &Filter,
    asked: &Asked,
) -> Result<Response, Problem> {
    let total_duration = practice::today(domain, actor, person, filter.guild(actor)).await?;
    Ok(asked.configuration(&DailyPractice { total_duration }))
}

async fn week_of(
    domain: &Domain,
    actor: &Actor,
    person: Person,
    filter: &Filter,
    asked: &Asked,
) -> Result<Response, Problem> {
    let days = practice::week(domain, actor, person, filter.guild(actor)).await?;
    Ok(asked.configuration(&PracticeByDay::from(days)))
}

async fn month_of(
    domain: &Domain,
    actor: &Actor,
    person: Person,
    filter: &Filter,
    asked: &Asked,
) -> Result<Response, Problem> {
    let days = practice::month(domain, actor, person, filter.guild(actor)).await?;
    Ok(asked.configuration(&PracticeByDay::from(days)))
}

/// Today's practice of a Discord account
///
/// Whole seconds of the day as the person's zone has it; 0 for somebody who is not known.
#[utoipa::path(get, path = "/stats/daily/discord/{id}", tag = "practice", operation_id = "getDailyPracticeOfDiscord",
    extensions(("x-scope" = json!("practice:read")), ("x-guild" = json!(true))),
    params(("id" = String, Path, description = "The Discord account"), Filter),
    responses((status = 200, description = "The practice of a present day", body = DailyPractice)))]
async fn daily_of_discord(
    Caller(actor): Caller,
    State(domain): State<Domain>,
    Path(id): Path<DiscordUserId>,
    Query(filter): Query<Filter>,
    asked: Asked,
) -> Result<Response, Problem> {
    let person = Person::Discord(id);
    day_of(&domain, &actor, person, &filter, &asked).await
}

/// Today's practice of a person
///
/// Whole seconds of the day as the person's zone has it; 0 for somebody who is not known.
#[utoipa::path(get, path = "/stats/daily/user/{id}", tag = "practice", operation_id = "getDailyPracticeOfUser",
    extensions(("x-scope" = json!("practice:read")), ("x-guild" = json!(true))),
    params(("id" = String, Path, description = "The person"), Filter),
    responses((status = 200, description = "The practice of a present day", body = DailyPractice)))]
async fn daily_of_user(
    Caller(actor): Caller,
    State(domain): State<Domain>,
    Path(id): Path<String>,
    Query(filter): Query<Filter>,
    asked: Asked,
) -> Result<Response, Problem> {
    let person = user_in_path(&id)?;
    day_of(&domain, &actor, person, &filter, &asked).await
}

/// Today's practice of a Discord account or a person
///
/// Whole seconds of the day as the person's zone has it; 0 for somebody who is not known.
#[utoipa::path(get, path = "/stats/daily/{id}", tag = "practice", operation_id = "getDailyPractice",
    extensions(("x-scope" = json!("practice:read")), ("x-guild" = json!(true)),
        ("x-alias-of" = json!("GET /api/sessions/practice/stats/daily/discord/{id}"))),
    params(("id" = String, Path, description = "A Discord account or a person"), Filter),
    responses((status = 200, description = "The practice of a present day", body = DailyPractice)))]
async fn daily(
    Caller(actor): Caller,
    State(domain): State<Domain>,
    Path(id): Path<String>,
    Query(filter): Query<Filter>,
    asked: Asked,
) -> Result<Response, Problem> {
    let person = anybody_in_path(&id)?;
    day_of(&domain, &actor, person, &filter, &asked).await
}

/// Practice of the last seven days of a Discord account
///
/// Each of the seven days that end today has its key.
#[utoipa::path(get, path = "/stats/weekly/discord/{id}", tag = "practice", operation_id = "getWeeklyPracticeOfDiscord",
    extensions(("x-scope" = json!("practice:read")), ("x-guild" = json!(true))),
    params(("id" = String, Path, description = "The Discord account"), Filter),
    responses((status = 200, description = "The practice of the last seven days", body = PracticeByDay)))]
async fn weekly_of_discord(
    Caller(actor): Caller,
    State(domain): State<Domain>,
    Path(id): Path<DiscordUserId>,
    Query(filter): Query<Filter>,
    asked: Asked,
) -> Result<Response, Problem> {
    let person = Person::Discord(id);
    week_of(&domain, &actor, person, &filter, &asked).await
}

/// Practice of the last seven days of a person
///
/// Each of the seven days that end today has its key.
#[utoipa::path(get, path = "/stats/weekly/user/{id}", tag = "practice", operation_id = "getWeeklyPracticeOfUser",
    extensions(("x-scope" = json!("practice:read")), ("x-guild" = json!(true))),
    params(("id" = String, Path, description = "The person"), Filter),
    responses((status = 200, description = "The practice of the last seven days", body = PracticeByDay)))]
async fn weekly_of_user(
    Caller(actor): Caller,
    State(domain): State<Domain>,
    Path(id): Path<String>,
    Query(filter): Query<Filter>,
    asked: Asked,
) -> Result<Response, Problem> {
    let person = user_in_path(&id)?;
    week_of(&domain, &actor, person, &filter, &asked).await
}

/// Practice of the last seven days of a Discord account or a person
///
/// Each of the seven days that end today has its key.
#[utoipa::path(get, path = "/stats/weekly/{id}", tag = "practice", operation_id = "getWeeklyPractice",
    extensions(("x-scope" = json!("practice:read")), ("x-guild" = json!(true)),
        ("x-alias-of" = json!("GET /api/sessions/practice/stats/weekly/discord/{id}"))),
    params(("id" = String, Path, description = "A Discord account or a person"), Filter),
    responses((status = 200, description = "The practice of the last seven days", body = PracticeByDay)))]
async fn weekly(
    Caller(actor): Caller,
    State(domain): State<Domain>,
    Path(id): Path<String>,
    Query(filter): Query<Filter>,
    asked: Asked,
) -> Result<Response, Problem> {
    let person = anybody_in_path(&id)?;
    week_of(&domain, &actor, person, &filter, &asked).await
}

/// Practice of the present month of a Discord account
///
/// Each day of the month has its key.
#[utoipa::path(get, path = "/stats/monthly/discord/{id}", tag = "practice", operation_id = "getMonthlyPracticeOfDiscord",
    extensions(("x-scope" = json!("practice:read")), ("x-guild" = json!(true))),
    params(("id" = String, Path, description = "The Discord account"), Filter),
    responses((status = 200, description = "The practice of the present month", body = PracticeByDay)))]
async fn monthly_of_discord(
    Caller(actor): Caller,
    State(domain): State<Domain>,
    Path(id): Path<DiscordUserId>,
    Query(filter): Query<Filter>,
    asked: Asked,
) -> Result<Response, Problem> {
    let person = Person::Discord(id);
    month_of(&domain, &actor, person, &filter, &asked).await
}

/// Practice of the present month of a person
///
/// Each day of the month has its key.
#[utoipa::path(get, path = "/stats/monthly/user/{id}", tag = "practice", operation_id = "getMonthlyPracticeOfUser",
    extensions(("x-scope" = json!("practice:read")), ("x-guild" = json!(true))),
    params(("id" = String, Path, description = "The person"), Filter),
    responses((status = 200, description = "The practice of the present month", body = PracticeByDay)))]
async fn monthly_of_user(
    Caller(actor): Caller,
    State(domain): State<Domain>,
    Path(id): Path<String>,
    Query(filter): Query<Filter>,
    asked: Asked,
) -> Result<Response, Problem> {
    let person = user_in_path(&id)?;
    month_of(&domain, &actor, person, &filter, &asked).await
}

/// Practice of the present month of a Discord account or a person
///
/// Each day of the month has its key.
#[utoipa::path(get, path = "/stats/monthly/{id}", tag = "practice", operation_id = "getMonthlyPractice",
    extensions(("x-scope" = json!("practice:read")), ("x-guild" = json!(true)),
        ("x-alias-of" = json!("GET /api/sessions/practice/stats/monthly/discord/{id}"))),
    params(("id" = String, Path, description = "A Discord account or a person"), Filter),
    responses((status = 200, description = "The practice of the present month", body = PracticeByDay)))]
async fn monthly(
    Caller(actor): Caller,
    State(domain): State<Domain>,
    Path(id): Path<String>,
    Query(filter): Query<Filter>,
    asked: Asked,
) -> Result<Response, Problem> {
    let person = anybody_in_path(&id)?;
    month_of(&domain, &actor, person, &filter, &asked).await
}

/// Who has practised most
///
/// Sessions that run count as far as they were last observed.
#[utoipa::path(get, path = "/leaderboard", tag = "practice", operation_id = "getPracticeLeaderboard",
    extensions(("x-scope" = json!("practice:read")), ("x-guild" = json!(true))),
    params(BoardFilter),
    responses((status = 200, description = "They, the most first", body = Vec<PracticeStanding>)))]
async fn leaderboard(
    Caller(actor): Caller,
    State(domain): State<Domain>,
    Query(filter): Query<BoardFilter>,
    asked: Asked,
) -> Result<Response, Problem> {
    let limit = filter.limit.unwrap_or(BOARD_DEFAULT);
    if !(1..=BOARD_MAX).contains(&limit) {
        return Err(invalid_parameter("limit", "must be from 1 to 100"));
    }
    let offset = filter.offset.unwrap_or(0);
    if i64::try_from(offset).is_err() {
        return Err(invalid_parameter("offset", "is too large"));
    }
    let guild_id = filter.guild_id.or_else(|| actor.bound_guild());
    let query = LeaderboardQuery { guild_id, limit, offset, ..LeaderboardQuery::default() };
    let board = practice::leaderboard(&domain, &actor, &query).await?;
    let view: Vec<PracticeStanding> = board.standings.into_iter().map(Into::into).collect();
    Ok(asked.configuration(&view))
}

impl From<Standing> for PracticeStanding {
    fn from(standing: Standing) -> Self {
        let account = standing.discord_user_id.map(|account| account.to_string());
        Self {
            identity: account.unwrap_or_else(|| standing.user_id.to_string()),
            total_duration: standing.seconds,
            user_id: standing.user_id,
            rank: standing.rank,
        }
    }
}

/// Hours that everybody has practised
#[utoipa::path(get, path = "/total-hours", tag = "practice", operation_id = "getPracticeTotalHours",
    extensions(("x-scope" = json!("practice:read")), ("x-guild" = json!(true))),
    params(Filter),
    responses((status = 200, description = "They", body = TotalHours)))]
async fn total_hours(
    Caller(actor): Caller,
    State(domain): State<Domain>,
    Query(filter): Query<Filter>,
    asked: Asked,
) -> Result<Response, Problem> {
    let seconds = practice::total_seconds(&domain, &actor, filter.guild(&actor)).await?;
    Ok(asked.configuration(&TotalHours { total_hours: hours(seconds) }))
}

/// Hours to one decimal, halves up.
fn hours(seconds: i64) -> f64 {
    let tenths = (seconds + 180).div_euclid(360);
    #[expect(clippy::cast_precision_loss, reason = "exact up to a billion years of practice")]
    let tenths = tenths as f64;
    tenths / 10.0
}
