//! Figures for Prometheus, on a listener of their own: they are for the operator, not for callers.

use std::{
    sync::{OnceLock, PoisonError, RwLock},
    time::Duration,
};

use axum::{Router, http::StatusCode, http::header, response::IntoResponse, routing::get};
use metrics::{Counter, Histogram};
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::server;
use crate::app::HttpSettings;

/// Answers, by route, method and status.
pub const REQUESTS: &str = "http_requests_total";
/// Seconds from the head of a request to its answer, by route.
pub const DURATION: &str = "http_request_duration_seconds";
/// Bounds for the histogram [`DURATION`], in seconds; whoever installs the recorder sets them.
pub const DURATION_BUCKETS: [f64; 12] =
    [0.000_1, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.1, 0.25, 1.0, 5.0, 15.0];

/// How often recorded samples are folded, whether somebody scrapes or not.
const UPKEEP_PERIOD: Duration = Duration::from_secs(5);

/// The media type of the text format: <https://prometheus.io/docs/instrumenting/exposition_formats/>.
const TEXT_FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The figures of one route. Looking them up in the recorder for each request would cost more than many a handler.
#[derive(Default)]
pub(super) struct Meter {
    first: OnceLock<(String, Histogram)>,
    answers: RwLock<Vec<(&'static str, StatusCode, Counter)>>,
}

impl Meter {
    /// Accounts for one answer.
    pub(super) fn record(&self, route: &str, method: &'static str, status: StatusCode, duration: Duration) {
        let (known, durations) = self.first.get_or_init(|| (route.to_owned(), histogram(route)));
        if known != route {
            // A layer around more than one route: right, if slower.
            histogram(route).record(duration.as_secs_f64());
            counter(route, method, status).increment(1);
            return;
        }
        durations.record(duration.as_secs_f64());
        if !self.count(method, status) {
            let counter = counter(route, method, status);
            counter.increment(1);
            let mut answers = self.answers.write().unwrap_or_else(PoisonError::into_inner);
            answers.push((method, status, counter));
        }
    }

    /// Counts an answer of a kind that has been counted before.
    fn count(&self, method: &str, status: StatusCode) -> bool {
        let answers = self.answers.read().unwrap_or_else(PoisonError::into_inner);
        let known = answers.iter().find(|(of_method, of_status, _)| (*of_method, *of_status) == (method, status));
        known.is_some_and(|(.., counter)| {
            counter.increment(1);
            true
        })
    }
}

fn histogram(route: &str) -> Histogram {
    metrics::histogram!(DURATION, "route" => route.to_owned())
}

fn counter(route: &str, method: &'static str, status: StatusCode) -> Counter {
    let status = status.as_str().to_owned();
    metrics::counter!(REQUESTS, "route" => route.to_owned(), "method" => method, "status" => status)
}

/// Serves `/metrics` until `shutdown`.
pub async fn serve_metrics(listener: TcpListener, handle: PrometheusHandle, shutdown: CancellationToken) {
    let rendering = handle.clone();
    let page = move || {
        let text = rendering.render();
        async move { ([(header::CONTENT_TYPE, TEXT_FORMAT)], text).into_response() }
    };
    let router = Router::new().route("/metrics", get(page));
    let settings = HttpSettings { connections_max: 16, ..HttpSettings::default() };
    tokio::join!(server::serve(listener, router, &settings, shutdown.clone()), keep_up(&handle, &shutdown),);
}

/// Samples wait in memory until they are folded.
async fn keep_up(handle: &PrometheusHandle, shutdown: &CancellationToken) {
    let mut ticks = tokio::time::interval(UPKEEP_PERIOD);
    while shutdown.run_until_cancelled(ticks.tick()).await.is_some() {
        handle.run_upkeep();
    }
}
