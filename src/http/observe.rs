//! What surrounds every request, in one layer: its id, its span, its time limit, panics, the body of errors, headers
//! for browsers, the access line and the figures.
//!
//! Invariant: no log line holds a path, a query or a header that the client chose; the route and a harmless id only.

use std::{
    convert::Infallible,
    panic::AssertUnwindSafe,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use axum::{
    body::Body,
    extract::{MatchedPath, Request},
    http::{HeaderName, HeaderValue, Method, StatusCode, Uri, header},
    response::{IntoResponse as _, Response},
};
use futures_util::{FutureExt as _, future::BoxFuture};
use tower::{Layer, Service};
use tracing::Instrument as _;

use super::{
    envelope,
    error::{PROBLEM_JSON, Problem},
    idempotency::REPLAYED,
    metrics::Meter,
    request_id::{RequestId, X_REQUEST_ID, request_id},
    server::{Arrival, Progress},
    sunset::{DEPRECATION, SUNSET},
};

const NOSNIFF: HeaderValue = HeaderValue::from_static("nosniff");
const NO_REFERRER: HeaderValue = HeaderValue::from_static("no-referrer");
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// The route of a request that none matches.
const UNMATCHED: &str = "unmatched";

/// Seconds after which a request that took too long may be sent again.
const RETRY_AFTER_SECONDS: u64 = 1;

/// Wraps the whole router.
#[derive(Clone)]
pub struct Observe {
    request_timeout: Duration,
}

impl Observe {
    /// Ends requests that work longer than this.
    pub fn new(request_timeout: Duration) -> Self {
        Self { request_timeout }
    }
}

impl<S> Layer<S> for Observe {
    type Service = Observed<S>;

    fn layer(&self, inner: S) -> Observed<S> {
        Observed { inner, request_timeout: self.request_timeout, meter: Arc::default() }
    }
}

/// A service that is looked after by [`Observe`].
#[derive(Clone)]
pub struct Observed<S> {
    inner: S,
    request_timeout: Duration,
    meter: Arc<Meter>,
}

impl<S> Service<Request> for Observed<S>
where
    S: Service<Request, Response = Response, Error = Infallible> + Send + 'static,
    S::Future: Send + 'static,
{
    type Response = Response;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response, Infallible>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        let about = About::of(&request);
        request.extensions_mut().insert(RequestId(about.id.clone()));
        // Subscribers format a span's fields at once, logged or not: the id alone, which leads to the access line.
        let span = tracing::info_span!("request", request_id = about.request_id());
        let arrival = request.extensions().get::<Arrival>().cloned();
        let timeout = self.request_timeout;
        let meter = self.meter.clone();
        // Only makes the future: handlers run when it is polled, inside the span.
        let answer = AssertUnwindSafe(self.inner.call(request)).catch_unwind();
        let work = async move {
            let mut answer = pin!(answer);
            let response = match limited(answer.as_mut(), arrival, timeout).await {
                Outcome::Answered(response) => response,
                Outcome::Panicked => {
                    tracing::error!("a handler panicked");
                    Problem::internal().into_response()
                }
                Outcome::TimedOut => timed_out(),
            };
            Ok(about.finish(response, &meter))
        };
        Box::pin(work.instrument(span))
    }
}

enum Outcome {
    Answered(Response),
    Panicked,
    TimedOut,
}

/// The handler's answer, if it comes within `timeout` after the whole request has arrived.
async fn limited<E>(
    mut answer: Pin<&mut impl Future<Output = Result<Result<Response, Infallible>, E>>>,
    arrival: Option<Arrival>,
    timeout: Duration,
) -> Outcome {
    let mut deadline = tokio::time::Instant::now() + timeout;
    loop {
        match tokio::time::timeout_at(deadline, answer.as_mut()).await {
            Ok(Ok(Ok(response))) => return Outcome::Answered(response),
            Ok(Err(_)) => return Outcome::Panicked,
            Err(_) => {}
        }
        // Who reads a body has a limit for that, which ends this loop.
        let now = tokio::time::Instant::now();
        deadline = match arrival.as_ref().map(Arrival::progress) {
            Some(Progress::Reading) => now + timeout,
            Some(Progress::CompleteAt(at)) if at + timeout > now.into_std() => (at + timeout).into(),
            _ => return Outcome::TimedOut,
        };
    }
}

fn timed_out() -> Response {
    tracing::warn!("a request took too long");
    Problem::new(
        StatusCode::GATEWAY_TIMEOUT,
        "timeout",
        "The server took too long. A change that was under way is still carried out",
    )
    .with_retry_after(RETRY_AFTER_SECONDS)
    .into_response()
}

/// What is remembered of a request until its answer leaves.
struct About {
    id: HeaderValue,
    method: &'static str,
    route: Option<MatchedPath>,
    uri: Uri,
    started: Instant,
}

impl About {
    fn of(request: &Request) -> Self {
        Self {
            id: request_id(request.headers()),
            method: method_name(request.method()),
            route: request.extensions().get::<MatchedPath>().cloned(),
            uri: request.uri().clone(),
            started: Instant::now(),
        }
    }

    fn request_id(&self) -> &str {
        self.id.to_str().unwrap_or_default()
    }

    fn route(&self) -> &str {
        self.route.as_ref().map_or(UNMATCHED, MatchedPath::as_str)
    }

    /// Completes the answer and accounts for it.
    fn finish(self, response: Response, meter: &Meter) -> Response {
        let mut response = dressed(response, self.uri.path(), self.request_id());
        let headers = response.headers_mut();
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, NOSNIFF);
        headers.insert(header::REFERRER_POLICY, NO_REFERRER);
        headers.entry(header::CACHE_CONTROL).or_insert(NO_STORE);
        let status = response.status();
        let duration = self.started.elapsed();
        meter.record(self.route(), self.method, status, duration);
        self.log(status, duration);
        response.headers_mut().insert(X_REQUEST_ID, self.id);
        response
    }

    /// The access line: for every request at debug level, for our own failures at info level.
    fn log(&self, status: StatusCode, duration: Duration) {
        let (method, route, status) = (self.method, self.route(), status.as_u16());
        let milliseconds = duration.as_secs_f64() * 1000.0;
        if status >= 500 {
            tracing::info!(method, route, status, milliseconds, "answered");
        } else {
            tracing::debug!(method, route, status, milliseconds, "answered");
        }
    }
}

/// The answer as it is sent: in the envelope that some clients expect, or with the body that an error lacks.
pub(super) fn dressed(response: Response, path: &str, request_id: &str) -> Response {
    if envelope::covers(path) {
        envelope::wrap(response, request_id)
    } else {
        with_problem_body(response, path, request_id)
    }
}

/// Gives an error its body, if it has none of its own.
fn with_problem_body(mut response: Response, path: &str, request_id: &str) -> Response {
    if !response.status().is_client_error() && !response.status().is_server_error() {
        return response;
    }
    let problem = match response.extensions_mut().remove::<Problem>() {
        Some(problem) => problem,
        None if has_own_body(&response) => return response,
        None => Problem::of_status(response.status()),
    };
    let body = problem.render(path, request_id);
    let headers = response.headers_mut();
    headers.remove(header::CONTENT_LENGTH);
    headers.insert(header::CONTENT_TYPE, PROBLEM_JSON);
    *response.body_mut() = Body::from(body);
    response
}

/// Bare statuses and axum's plain texts are no answers of ours.
fn has_own_body(response: &Response) -> bool {
    response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|media_type| !media_type.as_bytes().starts_with(b"text/plain"))
}

/// A name from a fixed list, so that clients cannot invent labels.
fn method_name(method: &Method) -> &'static str {
    const KNOWN: [&str; 7] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];
    KNOWN.into_iter().find(|known| *known == method.as_str()).unwrap_or("OTHER")
}

/// Headers that a browser may show to the page that called.
pub const EXPOSED_HEADERS: [HeaderName; 12] = [
    X_REQUEST_ID,
    header::ETAG,
    header::LINK,
    header::RETRY_AFTER,
    HeaderName::from_static("x-ratelimit-limit"),
    HeaderName::from_static("x-ratelimit-remaining"),
    HeaderName::from_static("x-ratelimit-reset"),
    HeaderName::from_static("ratelimit"),
    HeaderName::from_static("ratelimit-policy"),
    SUNSET,
    DEPRECATION,
    REPLAYED,
];
