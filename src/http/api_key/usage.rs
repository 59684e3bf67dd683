//! How often keys are used, and from where.

use axum::{
    Json as Answer,
    extract::State,
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse, Response},
};
use chrono::{DateTime, Utc};
use entity::{
    api_key_caller,
    api_key_usage::Step,
    id::{ApiKeyId, UserId},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

use crate::{
    csv,
    domain::{
        Domain,
        api_key::usage::{self, Group, KeyTotal, UsageQuery},
    },
    http::{
        Routes,
        auth::Caller,
        error::Problem,
        extract::{Path, Query},
        page::PageQuery,
        view::Timestamp,
    },
};

const CSV: HeaderValue = HeaderValue::from_static("text/csv; charset=utf-8");

/// Below the keys.
pub(in crate::http) fn routes_of_a_key() -> Routes {
    vec![routes!(of_key), routes!(callers)]
}

/// For all keys together.
pub(in crate::http) fn routes() -> Routes {
    vec![routes!(of_all)]
}

/// How much time one row covers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum UsageStep {
    /// Kept 48 hours.
    Minute,
    /// Kept 90 days.
    #[default]
    Hour,
    /// Kept 400 days.
    Day,
}

impl From<UsageStep> for Step {
    fn from(step: UsageStep) -> Self {
        match step {
            UsageStep::Minute => Self::Minute,
            UsageStep::Hour => Self::Hour,
            UsageStep::Day => Self::Day,
        }
    }
}

/// By what rows are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum UsageGroup {
    /// By route.
    Route,
    /// By outcome: `ok`, `client_error`, `server_error`, `forbidden`, `rate_limited`.
    Outcome,
}

/// By what all keys' rows are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum TotalGroup {
    /// By key.
    Key,
}

/// Which counts of a key to see.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
struct Asked {
    /// From the step on that this moment lies in; without it an hour of minutes, a day of hours or 30 days.
    from: Option<DateTime<Utc>>,
    /// Up to this moment; without it, now.
    to: Option<DateTime<Utc>>,
    /// How much time one row covers.
    step: Option<UsageStep>,
    /// By what rows are told apart besides their time.
    group_by: Option<UsageGroup>,
}

/// Which counts of all keys to see.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
struct AskedOfAll {
    /// From the step on that this moment lies in; without it an hour of minutes, a day of hours or 30 days.
    from: Option<DateTime<Utc>>,
    /// Up to this moment; without it, now.
    to: Option<DateTime<Utc>>,
    /// By which counts: the longer the step, the longer they are kept.
    step: Option<UsageStep>,
    /// By what rows are told apart: by key.
    #[param(inline)]
    #[expect(dead_code, reason = "there is one choice, and others are refused while it is read")]
    group_by: Option<TotalGroup>,
    /// Rows of the page, 1 to 100; without it the list comes whole, up to 10 000 rows.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u64>,
    /// Rows to pass over.
    #[param(minimum = 0)]
    offset: Option<u64>,
}

/// How often a key was used.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct KeyUsage {
    /// The key.
    #[schema(value_type = String, format = "uuid")]
    key_id: ApiKeyId,
    /// The begin of the time.
    #[schema(value_type = String, format = DateTime)]
    from: Timestamp,
    /// Its end.
    #[schema(value_type = String, format = DateTime)]
    to: Timestamp,
    /// How much time one row covers.
    step: UsageStep,
    /// By what rows are told apart.
    group_by: Option<UsageGroup>,
    /// Requests of all rows.
    total_requests: i64,
    /// The counts, oldest first; times without a request have none.
    rows: Vec<UsageCount>,
    /// There would have been more than 10 000.
    truncated: bool,
}

/// One count.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct UsageCount {
    /// Its begin.
    #[schema(value_type = String, format = DateTime)]
    starts_at: Timestamp,
    /// Method and template of the route, where rows are told apart by it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "GET /api/discord/vanish")]
    route: Option<String>,
    /// How the requests ended, where rows are told apart by it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "ok")]
    outcome: Option<String>,
    /// How many requests.
    requests: i64,
    /// How long one took in the middle.
    average_microseconds: i64,
    /// How long the longest took.
    max_microseconds: i64,
}

/// How often all keys were used.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct AllUsage {
    /// The begin of the time.
    #[schema(value_type = String, format = DateTime)]
    from: Timestamp,
    /// Its end.
    #[schema(value_type = String, format = DateTime)]
    to: Timestamp,
    /// The keys that were used, the most used one first.
    keys: Vec<UsedKey>,
    /// There are more behind them.
    more: bool,
}

/// How often one key was used.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct UsedKey {
    /// The key.
    #[schema(value_type = String, format = "uuid")]
    key_id: ApiKeyId,
    /// For people.
    name: String,
    /// Its begin.
    key_prefix: String,
    /// Whose key it is.
    #[schema(value_type = Option<String>, format = "uuid")]
    user_id: Option<UserId>,
    /// How many requests.
    requests: i64,
    /// How many of them were not served.
    refused: i64,
    /// How long one took in the middle.
    average_microseconds: i64,
    /// How long the longest took.
    max_microseconds: i64,
    /// The minute of the last request ever.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_used_at: Option<Timestamp>,
}

impl From<KeyTotal> for UsedKey {
    fn from(total: KeyTotal) -> Self {
        Self {
            key_id: total.key.id,
            key_prefix: format!("{}{}...", total.key.brand, total.key.start),
            name: total.key.name,
            user_id: total.key.user_id,
            requests: total.requests,
            refused: total.refused,
            average_microseconds: average(total.latency_total_microseconds, total.requests),
            max_microseconds: total.latency_max_microseconds,
            last_used_at: total.key.last_used_at.map(Timestamp),
        }
    }
}

/// An address that uses a key.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct KeyCaller {
    /// An IPv4 address, or the /64 network of an IPv6 one.
    #[schema(example = "203.0.113.7")]
    address: String,
    /// The network that counts as one place.
    #[schema(example = "203.0.113.0/24")]
    network: String,
    /// Method and template of the last route.
    #[schema(example = "GET /api/discord/vanish")]
    last_route: String,
    /// Requests so far.
    requests: i64,
    /// First seen, to the minute.
    #[schema(value_type = String, format = DateTime)]
    first_seen_at: Timestamp,
    /// Last seen, to the minute.
    #[schema(value_type = String, format = DateTime)]
    last_seen_at: Timestamp,
}

impl From<api_key_caller::Model> for KeyCaller {
    fn from(row: api_key_caller::Model) -> Self {
        Self {
            address: row.address,
            network: row.network,
            last_route: row.last_route,
            requests: row.requests,
            first_seen_at: Timestamp(row.first_seen_at),
            last_seen_at: Timestamp(row.last_seen_at),
        }
    }
}

fn average(total: i64, count: i64) -> i64 {
    total.checked_div(count).unwrap_or(0)
}

/// See how often a key is used
///
/// As JSON, or as CSV where `Accept` names `text/csv`.
#[utoipa::path(get, path = "/{id}/usage", tag = "keys", operation_id = "getKeyUsage",
    extensions(("x-scope" = json!("admin"))),
    params(("id" = String, Path, format = "uuid", description = "The key's id"), Asked),
    responses(
        (status = 200, description = "The counts", content(
            (KeyUsage = "application/json"), (String = "text/csv"))),
        (status = 422, description = "The stretch of time has no length, or too many steps")))]
async fn of_key(
    Caller(actor): Caller,
    State(domain): State<Domain>,
    Path(id): Path<ApiKeyId>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let step = asked.step.unwrap_or_default();
    let group = match asked.group_by {
        None => Group::None,
        Some(UsageGroup::Route) => Group::Route,
        Some(UsageGroup::Outcome) => Group::Outcome,
    };
    let query = UsageQuery { from: asked.from, to: asked.to, step: step.into(), group };
    let found = usage::usage(&domain, &actor, id, query).await?;
    let count = |row: usage::UsageRow| {
        let (route, outcome) = match group {
            Group::Outcome => (None, row.group),
            _ => (row.group, None),
        };
        UsageCount {
            starts_at: Timestamp(row.starts_at),
            route,
            outcome,
            requests: row.requests,
            average_microseconds: average(row.latency_total_microseconds, row.requests),
            max_microseconds: row.latency_max_microseconds,
        }
    };
    let rows: Vec<UsageCount> = found.rows.into_iter().map(count).collect();
    if wants_csv(&headers) {
        let head = "startsAt,route,outcome,requests,averageMicroseconds,maxMicroseconds";
        return Ok(table(
            head,
            rows.iter().map(|row| {
                [
                    text(&row.starts_at),
                    row.route.clone().unwrap_or_default(),
                    row.outcome.clone().unwrap_or_default(),
                    row.requests.to_string(),
                    row.average_microseconds.to_string(),
                    row.max_microseconds.to_string(),
                ]
            }),
        ));
    }
    Ok(json(KeyUsage {
        key_id: id,
        from: Timestamp(found.from),
        to: Timestamp(found.to),
        step,
        group_by: asked.group_by,
        total_requests: rows.iter().map(|row| row.requests).sum(),
        rows,
        truncated: found.truncated,
    }))
}

/// See how often all keys are used
///
/// In one call, the most used key first. As JSON, or as CSV where `Accept` names `text/csv`.
#[utoipa::path(get, path = "", tag = "keys", operation_id = "getUsage",
    extensions(("x-scope" = json!("admin"))),
    params(AskedOfAll),
    responses(
        (status = 200, description = "The counts", content(
            (AllUsage = "application/json"), (String = "text/csv"))),
        (status = 422, description = "The stretch of time has no length, or too many steps")))]
async fn of_all(
    Caller(actor): Caller,
    State(domain): State<Domain>,
    Query(asked): Query<AskedOfAll>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let page = PageQuery { limit: asked.limit, offset: asked.offset };
    let step = asked.step.unwrap_or_default();
    let query = UsageQuery { from: asked.from, to: asked.to, step: step.into(), group: Group::None };
    let found = usage::by_key(&domain, &actor, query, page.request()?).await?;
    let keys: Vec<UsedKey> = found.rows.into_iter().map(Into::into).collect();
    if wants_csv(&headers) {
        let head = "keyId,name,keyPrefix,userId,requests,refused,averageMicroseconds,maxMicroseconds,lastUsedAt";
        return Ok(table(
            head,
            keys.iter().map(|key| {
                [
                    key.key_id.to_string(),
                    key.name.clone(),
                    key.key_prefix.clone(),
                    key.user_id.map(|id| id.to_string()).unwrap_or_default(),
                    key.requests.to_string(),
                    key.refused.to_string(),
                    key.average_microseconds.to_string(),
                    key.max_microseconds.to_string(),
                    key.last_used_at.as_ref().map(text).unwrap_or_default(),
                ]
            }),
        ));
    }
    Ok(json(AllUsage { from: Timestamp(found.from), to: Timestamp(found.to), keys, more: found.more }))
}

/// See who uses a key
///
/// Above all who still uses one that was replaced: the addresses, the one seen last first, up to 1000.
#[utoipa::path(get, path = "/{id}/callers", tag = "keys", operation_id = "getKeyCallers",
    extensions(("x-scope" = json!("admin"))),
    params(("id" = String, Path, format = "uuid", description = "The key's id")),
    responses((status = 200, description = "The addresses", content(
        (Vec<KeyCaller> = "application/json"), (String = "text/csv")))))]
async fn callers(
    Caller(actor): Caller,
    State(domain): State<Domain>,
    Path(id): Path<ApiKeyId>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let found = usage::callers(&domain, &actor, id).await?;
    let callers: Vec<KeyCaller> = found.into_iter().map(Into::into).collect();
    if wants_csv(&headers) {
        let head = "address,network,lastRoute,requests,firstSeenAt,lastSeenAt";
        return Ok(table(
            head,
            callers.iter().map(|caller| {
                [
                    caller.address.clone(),
                    caller.network.clone(),
                    caller.last_route.clone(),
                    caller.requests.to_string(),
                    text(&caller.first_seen_at),
                    text(&caller.last_seen_at),
                ]
            }),
        ));
    }
    Ok(json(callers))
}

/// JSON that might have been CSV.
fn json(view: impl Serialize) -> Response {
    ([(header::VARY, HeaderValue::from_static("Accept"))], Answer(view)).into_response()
}

/// Whether the client names CSV among what it takes.
fn wants_csv(headers: &HeaderMap) -> bool {
    let ranges = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let mut names = ranges.flat_map(|ranges| ranges.split(',')).filter_map(|range| range.split(';').next());
    names.any(|name| name.trim().eq_ignore_ascii_case("text/csv"))
}

/// Rows as CSV: <https://www.rfc-editor.org/rfc/rfc4180>.
fn table<const N: usize>(head: &str, rows: impl Iterator<Item = [String; N]>) -> Response {
    let lines = rows.map(|row| csv::line(&row));
    let body: String = std::iter::once(format!("{head}\r\n")).chain(lines).collect();
    let headers = [(header::CONTENT_TYPE, CSV), (header::VARY, HeaderValue::from_static("Accept"))];
    (headers, body).into_response()
}

/// A time as JSON has it.
fn text(at: &Timestamp) -> String {
    at.0.to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
}
