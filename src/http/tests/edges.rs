//! Faults, panics, limits of time, and how the process is doing.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    routing::{get, post},
};
use serde_json::json;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::{KEY, Server, app, read_answer, write};
use crate::{
    app::{App, Gateway},
    domain,
    http::{HttpSettings, error::Problem, extract::Json, metrics::serve_metrics, observe::Observe},
};

async fn fault() -> Result<(), Problem> {
    let error = serde_json::from_str::<u8>("SECRET").expect_err("no number");
    Err(domain::Error::from(error).into())
}

async fn around(settings: HttpSettings, bare: Router<App>) -> Server {
    let (app, folder) = app(settings).await;
    let observe = Observe::new(app.http().request_timeout);
    let router = bare.layer(observe).with_state(app.clone());
    Server::start_router(app, folder, router).await
}

#[tokio::test]
async fn faults_and_panics_are_500_and_the_process_lives() {
    let routes = Router::new().route("/fault", get(fault)).route(
        "/panic",
        get(|| async {
            assert!(std::hint::black_box(false), "SECRET");
        }),
    );
    let server = around(HttpSettings::default(), routes).await;
    for path in ["/fault", "/panic", "/fault", "/panic"] {
        let answer = server.anonymous("GET", path).await;
        let problem = answer.problem(500, "internal");
        assert_eq!(problem["error"], "Internal server error");
        assert!(!answer.body.contains("SECRET"));
    }
}

#[tokio::test]
async fn slow_work_is_504_and_others_are_served() {
    let routes = Router::new().route("/slow", get(std::future::pending::<()>)).route("/quick", get(|| async {}));
    let settings = HttpSettings { request_timeout: Duration::from_millis(200), ..HttpSettings::default() };
    let server = around(settings, routes).await;
    let (slow, quick) = tokio::join!(server.anonymous("GET", "/slow"), server.anonymous("GET", "/quick"));
    assert_eq!(quick.status, 200);
    slow.problem(504, "timeout");
    assert_eq!(slow.header("retry-after"), "1");
}

#[tokio::test]
async fn a_slow_body_does_not_count_as_slow_work() {
    async fn echo(_: Json<serde_json::Value>) {}
    let routes = Router::new().route("/echo", post(echo)).route("/slow", post(std::future::pending::<()>));
    let settings = HttpSettings {
        request_timeout: Duration::from_millis(200),
        body_timeout: Duration::from_secs(20),
        ..HttpSettings::default()
    };
    let server = around(settings, routes).await;
    let head = |path: &str| {
        format!("POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{{")
    };
    let mut slow_body = server.socket().await;
    write(&mut slow_body, head("/echo")).await;
    // Nobody reads this body, so it must not delay the limit.
    let mut slow_work = server.socket().await;
    write(&mut slow_work, head("/slow")).await;
    assert!(read_answer(&mut slow_work).await.starts_with("HTTP/1.1 504 "));
    tokio::time::timeout(Duration::from_millis(400), std::future::pending::<()>()).await.ok();
    write(&mut slow_body, "}").await;
    assert!(read_answer(&mut slow_body).await.starts_with("HTTP/1.1 200 "));
}

/// Collects what is logged on this thread.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("a log").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn logs_name_the_request_and_hold_nothing_of_the_client() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .json()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let routes = Router::new().route("/fault/{id}", get(fault)).merge(Router::from(crate::http::routes()));
    let server = around(HttpSettings::default(), routes).await;
    let body = r#"{"channelId":"CANARY","guildId":"1","duration":1}"#;
    let requests = [
        "GET /fault/CANARY?q=CANARY HTTP/1.1\r\nhost: CANARY\r\nx-request-id: known-id\r\n\r\n".to_owned(),
        "GET /CANARY HTTP/1.1\r\nhost: x\r\ncookie: CANARY\r\nx-request-id: CANARY\x7f\r\n\r\n".to_owned(),
        "GET /CANARY HTTP/1.1\r\nhost: x\r\nuser-agent: CANARY\r\nx-request-id: CANARY two\r\n\r\n".to_owned(),
        "GET /api/discord/vanish?guildId=CANARY HTTP/1.1\r\nhost: x\r\nx-api-key: CANARY\r\nauthorization: Bearer CANARY\r\n\r\n".to_owned(),
        "CANARY /health HTTP/1.1\r\nhost: x\r\n\r\n".to_owned(),
        format!(
            "POST /api/discord/vanish HTTP/1.1\r\nhost: x\r\nx-api-key: {KEY}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        ),
    ];
    // Tests of other threads may have met our log lines first, when nobody listened: ask who listens anew.
    server.call("GET", "/fault/1").await;
    tracing::callsite::rebuild_interest_cache();
    log.0.lock().expect("a log").clear();
    for request in requests {
        let mut socket = server.socket().await;
        write(&mut socket, request).await;
        assert!(read_answer(&mut socket).await.starts_with("HTTP/1.1 "));
    }
    let text = String::from_utf8(log.0.lock().expect("a log").clone()).expect("UTF-8");
    assert!(!text.contains("CANARY") && !text.contains(KEY), "{text}");
    let lines: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).expect("one event per line")).collect();
    let faults: Vec<_> = lines.iter().filter(|line| line["level"] == "ERROR").collect();
    assert_eq!(faults.len(), 1, "{text}");
    assert_eq!(faults[0]["span"]["request_id"], "known-id");
    let access: Vec<_> = lines.iter().filter(|line| line["fields"]["message"] == "answered").collect();
    // The one with a control character did not get past the parser.
    assert_eq!(access.len(), 5, "{text}");
    assert_eq!(access[0]["span"]["request_id"], "known-id");
    assert_eq!(access[0]["fields"]["route"], "/fault/{id}");
    assert_eq!(access[0]["fields"]["status"], 500);
    assert!(faults[0]["fields"]["error"].as_str().expect("a chain").contains(": "));
}

#[tokio::test]
async fn wrong_methods_and_paths_are_problems() {
    let server = Server::start().await;
    let answer = server.call("PUT", "/api/discord/vanish").await;
    answer.problem(405, "method_not_allowed");
    let mut allowed: Vec<&str> = answer.header("allow").split(',').collect();
    allowed.sort_unstable();
    assert_eq!(allowed, ["GET", "HEAD", "POST"]);
    for path in
        ["/nowhere", "/v1/vanish", "/api/treasuries", "/metrics", "/healthz", "/api/discord/vanish/1/2/3", "//", "/%00"]
    {
        let problem = server.call("GET", path).await.problem(404, "not_found");
        assert_eq!(problem["error"], "Not found");
    }
    assert_eq!(server.call("PROPFIND", "/health").await.status, 405);
}

#[tokio::test]
async fn health_and_readiness() {
    let server = Server::start().await;
    let health = server.anonymous("GET", "/health").await;
    assert_eq!(health.json(), json!({"status": "ok", "timestamp": "2026-11-21T23:37:29.418Z"}));

    let readiness = server.app.readiness();
    let expected = |gateway: &str, ready: bool| json!({"ready": ready, "database": "ok", "migrations": "ok", "gateway": gateway, "leader": false});
    let answer = server.anonymous("GET", "/ready").await;
    assert_eq!((answer.status.as_u16(), answer.json()), (200, expected("off", true)));
    readiness.set_gateway(Gateway::Connecting);
    let answer = server.anonymous("GET", "/ready").await;
    assert_eq!((answer.status.as_u16(), answer.json()), (503, expected("connecting", false)));
    readiness.set_gateway(Gateway::Ready);
    readiness.set_leader(true);
    let answer = server.anonymous("GET", "/ready").await;
    assert_eq!((answer.status.as_u16(), &answer.json()["leader"]), (200, &json!(true)));
    readiness.set_gateway(Gateway::Lost("token_rejected".to_owned()));
    let answer = server.anonymous("GET", "/ready").await;
    assert_eq!((answer.status.as_u16(), &answer.json()["gatewayProblem"]), (503, &json!("token_rejected")));
    readiness.set_gateway(Gateway::Off);
    server.app.domain().store().close().await;
    let answer = server.anonymous("GET", "/ready").await;
    assert_eq!((answer.status.as_u16(), &answer.json()["database"]), (503, &json!("unavailable")));
    assert_eq!(server.anonymous("GET", "/health").await.status, 200);
}

#[tokio::test]
async fn metrics_have_a_listener_of_their_own() {
    let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
    let _guard = metrics::set_default_local_recorder(&recorder);
    let server = Server::start().await;
    server.anonymous("GET", "/nowhere/CANARY").await;
    server.call("GET", "/api/discord/vanish/1").await;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let shutdown = CancellationToken::new();
    let task = tokio::spawn(serve_metrics(listener, recorder.handle(), shutdown.clone()));
    let url = format!("http://{address}/metrics");
    let text = server.send(server.client.get(url)).await.body;
    assert!(text.contains(r#"http_requests_total{route="unmatched",method="GET",status="404"} 1"#), "{text}");
    assert!(text.contains(r#"route="/api/discord/vanish/{channelId}""#), "{text}");
    assert!(text.contains("http_request_duration_seconds") && !text.contains("CANARY"));
    shutdown.cancel();
    task.await.expect("ended");
}
