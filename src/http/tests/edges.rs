//! Faults, panics, limits of time, and how the process is doing.

use std::time::Duration;

use axum::{Router, routing::get};
use serde_json::json;

use super::{Server, app};
use crate::{
    app::{App, Gateway},
    domain,
    http::{HttpSettings, error::Problem, observe::Observe},
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
