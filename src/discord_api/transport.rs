//! One exchange with Discord over HTTP.
//!
//! Invariant: every exchange ends within the request timeout and the caller's deadline, follows no redirect and
//! reads a bounded body.

use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::{
    Client, Response, Url,
    header::{AUTHORIZATION, CONTENT_TYPE, DATE, HeaderMap, HeaderValue, RETRY_AFTER},
    multipart::{Form, Part},
    redirect::Policy,
};
use tokio::time::{Instant, timeout_at};

use super::{
    Settings,
    body::Body,
    bucket::{RateHeaders, Window},
    call::Call,
    error::SetupError,
    route::PREFIX,
};

/// Largest answer that is read, in bytes; a page of 100 messages with embeds stays under 3 MiB.
const ANSWER_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Idle connections that are kept.
const IDLE_CONNECTIONS_MAX: usize = 32;
/// The longest wait that a header can ask for.
const WAIT_MAX: Duration = Duration::from_hours(24);

pub(super) const USER_AGENT: &str =
    concat!("DiscordBot (https://github.com/guildhall/guildhall, ", env!("CARGO_PKG_VERSION"), ")");

/// An answer of whatever status.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
    pub(super) rate: RateHeaders,
    /// The `Retry-After` header.
    pub(super) retry_after: Option<Duration>,
    /// Whose limit a 429 is about: `user`, `global` or `shared`.
    pub(super) scope: Option<Scope>,
    pub(super) server_time: Option<DateTime<Utc>>,
}

/// `X-RateLimit-Scope`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    User,
    Global,
    Shared,
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) again: Again,
    pub(super) reason: &'static str,
}

/// Whether another try makes sense after a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Again {
    /// Nothing reached Discord.
    Always,
    /// Discord may have done what was asked.
    IfRepeatable,
    /// The next try would end the same way.
    Never,
}

impl Failure {
    const UNREACHABLE: Self = Self { again: Again::Always, reason: "no connection could be made" };
    const BROKEN: Self = Self { again: Again::IfRepeatable, reason: "the connection broke" };
    const TIMED_OUT: Self = Self { again: Again::IfRepeatable, reason: "it did not answer in time" };
    const TOO_LARGE: Self = Self { again: Again::Never, reason: "its answer was too large" };
    const BAD_REQUEST: Self = Self { again: Again::Never, reason: "the request could not be built" };

    /// The library's error text can hold the address, so only its kind is kept.
    fn of(error: &reqwest::Error) -> Self {
        if error.is_connect() {
            Self::UNREACHABLE
        } else if error.is_timeout() {
            Self::TIMED_OUT
        } else if error.is_builder() {
            Self::BAD_REQUEST
        } else {
            Self::BROKEN
        }
    }
}

pub(super) struct Transport {
    client: Client,
    /// Without a slash at its end.
    base_url: String,
    authorization: HeaderValue,
}

impl Transport {
    pub(super) fn new(settings: &Settings) -> Result<Self, SetupError> {
        if !settings.token.is_sendable() {
            return Err(SetupError::Token);
        }
        let mut authorization =
            HeaderValue::from_str(&settings.token.authorization()).map_err(|_| SetupError::Token)?;
        authorization.set_sensitive(true);
        let mut builder = Client::builder()
            .use_rustls_tls()
            .user_agent(USER_AGENT)
            .redirect(Policy::none())
            .connect_timeout(settings.connect_timeout)
            .timeout(settings.request_timeout)
            .pool_max_idle_per_host(IDLE_CONNECTIONS_MAX)
            .pool_idle_timeout(Duration::from_mins(1))
            .tcp_keepalive(Duration::from_secs(30));
        let base_url = match &settings.base_url {
            // The address is a proxy itself, so the system's proxy is left out.
            Some(base_url) => {
                builder = builder.no_proxy();
                checked_base_url(base_url)?
            }
            None => "https://discord.com".to_owned(),
        };
        let client = builder.build().map_err(|_| SetupError::Client)?;
        Ok(Self { client, base_url, authorization })
    }

    /// The connections; nothing goes out on them with the bot token unless it is put there.
    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// Where the API is, without a slash at its end.
    pub(super) fn base_url(&self) -> &str {
        &self.base_url
    }

    /// Sends one request and reads the whole answer.
    pub(super) async fn send(&self, call: &Call, deadline: Instant) -> Result<Answer, Failure> {
        timeout_at(deadline, self.exchange(call)).await.unwrap_or(Err(Failure::TIMED_OUT))
    }

    async fn exchange(&self, call: &Call) -> Result<Answer, Failure> {
        let address = format!("{}{PREFIX}{}", self.base_url, call.route.path);
        let mut request = self.client.request(call.route.key.method.clone(), address);
        if call.route.with_bot_token {
            request = request.header(AUTHORIZATION, self.authorization.clone());
        }
        if let Some(reason) = &call.reason {
            request = request.header("X-Audit-Log-Reason", reason);
        }
        request = match &call.body {
            Body::Empty => request,
            Body::Json(text) => request.header(CONTENT_TYPE, "application/json").body(text.clone()),
            Body::Form(..) => request.multipart(form(&call.body)?),
        };
        let response = request.send().await.map_err(|error| Failure::of(&error))?;
        read(response).await
    }
}

/// Origin and optional path prefix, without a slash at the end.
fn checked_base_url(text: &str) -> Result<String, SetupError> {
    let url = Url::parse(text).map_err(|_| SetupError::BaseUrl)?;
    let is_plain =
        matches!(url.scheme(), "http" | "https") && url.has_host() && url.query().is_none() && url.fragment().is_none();
    if is_plain { Ok(url.as_str().trim_end_matches('/').to_owned()) } else { Err(SetupError::BaseUrl) }
}

fn form(body: &Body) -> Result<Form, Failure> {
    let Body::Form(json, attachments) = body else {
        return Err(Failure::BAD_REQUEST);
    };
    let json = Part::bytes(json.clone()).mime_str("application/json").map_err(|_| Failure::BAD_REQUEST)?;
    let form = Form::new().part("payload_json", json);
    Ok(attachments.iter().enumerate().fold(form, |form, (id, attachment)| {
        let file = Part::bytes(attachment.bytes.clone()).file_name(attachment.filename.clone());
        form.part(format!("files[{id}]"), file)
    }))
}

async fn read(mut response: Response) -> Result<Answer, Failure> {
    let status = response.status().as_u16();
    let headers = std::mem::take(response.headers_mut());
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| Failure::of(&error))? {
        if body.len() + chunk.len() > ANSWER_BYTES_MAX {
            return Err(Failure::TOO_LARGE);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Answer {
        status,
        body,
        rate: rate_headers(&headers),
        retry_after: seconds(&headers, RETRY_AFTER.as_str()),
        scope: scope(&headers),
        server_time: text(&headers, DATE.as_str())
            .and_then(|date| DateTime::parse_from_rfc2822(date).ok())
            .map(|date| date.with_timezone(&Utc)),
    })
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn seconds(headers: &HeaderMap, name: &str) -> Option<Duration> {
    let seconds: f64 = text(headers, name)?.parse().ok()?;
    Duration::try_from_secs_f64(seconds).ok().map(|wait| wait.min(WAIT_MAX))
}

fn scope(headers: &HeaderMap) -> Option<Scope> {
    match text(headers, "x-ratelimit-scope") {
        Some("shared") => Some(Scope::Shared),
        Some("global") => Some(Scope::Global),
        Some(_) => Some(Scope::User),
        None => headers.contains_key("x-ratelimit-global").then_some(Scope::Global),
    }
}

fn rate_headers(headers: &HeaderMap) -> RateHeaders {
    let number = |name| text(headers, name).and_then(|text| text.parse().ok());
    let window = || {
        Some(Window {
            limit: number("x-ratelimit-limit")?,
            remaining: number("x-ratelimit-remaining")?,
            reset_after: seconds(headers, "x-ratelimit-reset-after")?,
        })
    };
    RateHeaders { bucket: text(headers, "x-ratelimit-bucket").map(str::to_owned), window: window() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_an_origin_with_an_optional_prefix() {
        assert_eq!(checked_base_url("http://127.0.0.1:80/x/").unwrap(), "http://127.0.0.1/x");
        for bad in ["", "discord.com", "ftp://a", "http://a?b=c", "http://a#b", "file:///a"] {
            assert_eq!(checked_base_url(bad), Err(SetupError::BaseUrl), "{bad}");
        }
    }

    #[test]
    fn headers_that_make_no_sense_are_no_headers() {
        let mut headers = HeaderMap::new();
        headers.insert("retry-after", HeaderValue::from_static("-1"));
        assert_eq!(seconds(&headers, "retry-after"), None);
        headers.insert("retry-after", HeaderValue::from_static("1e300"));
        assert!(seconds(&headers, "retry-after").is_none_or(|wait| wait <= WAIT_MAX));
        headers.insert("x-ratelimit-limit", HeaderValue::from_static("5"));
        assert_eq!(rate_headers(&headers), RateHeaders::default());
    }
}
