//! `/api/auth/discord`: the way to Discord and back.

use axum::{
    Json as Answer,
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use entity::id::DiscordUserId;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

use super::{NO_STORE, view::SignedIn};
use crate::{
    app::App,
    domain::sign_in,
    http::{Routes, auth::Known, error::Problem, extract::Query, throttle},
    secret::Secret,
};

/// Where Discord sends people back to.
const CALLBACK: &str = "/api/auth/discord/callback";
/// The cookie by which a browser is recognised when it comes back.
const COOKIE: &str = "guildhall_discord";
/// Seconds that it is kept.
const COOKIE_SECONDS: u32 = 600;
/// What the limit on signing in calls the account, which is not known before Discord has said it.
const ACCOUNT: &str = "discord";
/// Longest text in the query of who comes back.
const TEXT_BYTES_MAX: usize = 512;

pub(super) fn routes() -> Routes {
    vec![routes!(begin), routes!(callback)]
}

fn off() -> Problem {
    let text =
        "Signing in with Discord is off: the operator has set neither discord.client_id nor DISCORD_CLIENT_SECRET";
    Problem::new(StatusCode::NOT_FOUND, "sign_in.discord_off", text)
}

fn redirect_uri(app: &App) -> String {
    format!("{}{CALLBACK}", app.http().public_address)
}

/// The cookie, or its end.
fn cookie(app: &App, value: Option<&Secret>) -> Result<HeaderValue, Problem> {
    let secure = if app.http().public_address.starts_with("https:") { "; Secure" } else { "" };
    let (value, seconds) = value.map_or(("", 0), |value| (value.expose(), COOKIE_SECONDS));
    let text = format!("{COOKIE}={value}; Path={CALLBACK}; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}");
    let mut header = HeaderValue::from_str(&text).map_err(|_| Problem::internal())?;
    header.set_sensitive(true);
    Ok(header)
}

fn shown_cookie(headers: &HeaderMap) -> Option<&str> {
    let pairs = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    pairs.flat_map(|text| text.split(';')).find_map(|pair| pair.trim().strip_prefix(COOKIE)?.strip_prefix('='))
}

/// Where to go.
#[derive(Serialize, ToSchema)]
struct Way {
    /// Discord's page, for the browser that has the cookie of this answer.
    #[schema(example = "https://discord.com/oauth2/authorize?response_type=code")]
    url: String,
}

/// Sign in with Discord
///
/// Leads a browser to Discord, from where it comes back to the callback. With a token, the account is connected to the
/// signed-in person instead. With `Accept: application/json` the address comes in the body.
#[utoipa::path(get, path = "/discord", tag = "sign-in", operation_id = "beginDiscord",
    extensions(("x-scope" = json!("optional"))),
    responses(
        (status = 200, description = "Where to go, for those who accept JSON", body = Way),
        (status = 303, description = "To Discord"),
        (status = 404, description = "The operator has not set it up")))]
async fn begin(State(app): State<App>, Known(principal): Known, headers: HeaderMap) -> Result<Response, Problem> {
    let oauth = app.oauth().ok_or_else(off)?;
    let person = principal.signed_in().map(|signed_in| signed_in.actor);
    let begun = sign_in::begin_discord(app.domain(), person).await?;
    let url = oauth.authorize_url(&redirect_uri(&app), begun.state.expose(), &begun.challenge);
    let cookie = [(header::SET_COOKIE, cookie(&app, Some(&begun.browser))?)];
    let accepts = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if accepts.contains("application/json") {
        return Ok((NO_STORE, cookie, Answer(Way { url })).into_response());
    }
    let location = HeaderValue::from_str(&url).map_err(|_| Problem::internal())?;
    Ok((StatusCode::SEE_OTHER, NO_STORE, cookie, [(header::LOCATION, location)]).into_response())
}

/// What Discord sends back.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Returned {
    /// What the person's consent is exchanged for.
    code: Option<String>,
    /// What was sent there.
    state: Option<String>,
    /// Why there is no code.
    error: Option<String>,
}

/// Come back from Discord
///
/// Signs in the person of the account, who is made on their first time.
#[utoipa::path(get, path = "/discord/callback", tag = "sign-in", operation_id = "returnFromDiscord",
    extensions(("x-scope" = json!("public"))),
    params(Returned),
    responses(
        (status = 200, description = "Tokens", body = SignedIn),
        (status = 400, description = "What came back from Discord is incomplete"),
        (status = 401, description = "The person or Discord has refused, or the way began elsewhere or took too long"),
        (status = 404, description = "The operator has not set it up"),
        (status = 409, description = "The account belongs to another person"),
        (status = 503, description = "Discord does not answer")))]
async fn callback(
    State(app): State<App>,
    Known(principal): Known,
    Query(returned): Query<Returned>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let oauth = app.oauth().ok_or_else(off)?;
    let fits = |text: &String| (1..=TEXT_BYTES_MAX).contains(&text.len());
    let state = returned.state.filter(fits);
    let (Some(state), true) = (state, returned.code.is_some() != returned.error.is_some()) else {
        return Err(Problem::bad_request("invalid_query", "Discord sends `state`, and either `code` or `error`"));
    };
    throttle::admit_sign_in(app.limits(), principal.address(), ACCOUNT)?;
    let browser = shown_cookie(&headers).unwrap_or_default();
    let way = sign_in::return_from_discord(app.domain(), &state, browser).await?;
    let code = returned.code.filter(fits).ok_or_else(|| {
        Problem::new(StatusCode::UNAUTHORIZED, "sign_in.denied", "Discord says that you have not agreed")
    })?;
    let account = oauth.account(&redirect_uri(&app), &code, way.verifier.expose()).await.map_err(|error| {
        let text = error.to_string();
        tracing::warn!(error = &error as &dyn std::error::Error, "a sign-in with Discord failed");
        if error.is_refusal() {
            return Problem::new(StatusCode::UNAUTHORIZED, "sign_in.refused_by_discord", text);
        }
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "sign_in.discord_unavailable", text).with_retry_after(5)
    })?;
    let account = DiscordUserId::new(account).ok_or_else(Problem::internal)?;
    let ended = [(header::SET_COOKIE, cookie(&app, None)?)];
    let tokens = match way.person {
        Some(person) => sign_in::connect_discord(app.domain(), person, account).await?,
        None => sign_in::sign_in_with_discord(app.domain(), account).await?,
    };
    Ok((NO_STORE, ended, Answer(SignedIn::new(&tokens, None))).into_response())
}
