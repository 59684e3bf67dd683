//! Figures for Prometheus, on a listener of their own: they are for the operator, not for callers.

use std::time::Duration;

use axum::{Router, http::StatusCode, http::header, response::IntoResponse, routing::get};
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

/// Accounts for one answer.
pub(super) fn record(route: &str, method: &'static str, status: StatusCode, duration: Duration) {
    let route = route.to_owned();
    metrics::histogram!(DURATION, "route" => route.clone()).record(duration.as_secs_f64());
    metrics::counter!(REQUESTS, "route" => route, "method" => method, "status" => status.as_str().to_owned())
        .increment(1);
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
