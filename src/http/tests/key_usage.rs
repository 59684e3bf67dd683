//! How often keys are used, over HTTP.

use std::time::Duration;

use serde_json::{Value, json};

use super::Server;
use crate::domain::api_key::usage::{KeyUse, Outcome, record};

const ROUTE: &str = "GET /api/discord/vanish";

async fn used(server: &Server, name: &str, uses: &[(Outcome, &str)]) -> String {
    let key = server.json("POST", "/api/admin/keys", json!({"name": name})).await.json();
    let id = key["id"].as_str().expect("an id");
    for (outcome, address) in uses {
        let address = address.parse().expect("an address");
        let one = KeyUse {
            key: id.parse().expect("an id"),
            route: ROUTE,
            outcome: *outcome,
            address,
            latency: Duration::from_micros(400),
        };
        record(server.app.domain(), &one);
    }
    id.to_owned()
}

#[tokio::test]
async fn the_use_of_keys_is_shown_one_by_one_and_together() {
    use Outcome::{Forbidden, Ok};
    let server = Server::start().await;
    let busy = used(&server, "busy", &[(Ok, "192.0.2.1"), (Ok, "192.0.2.2"), (Forbidden, "2001:db8::5")]).await;
    let calm = used(&server, "=calm, \"really\"", &[(Ok, "192.0.2.1")]).await;

    let listed = server.call("GET", &format!("/api/admin/keys/{busy}")).await.json();
    assert_eq!((&listed["totalRequests"], &listed["lastUsedAt"]), (&json!(3), &json!("2026-11-21T23:37:00.000Z")));

    let usage = server.call("GET", &format!("/api/admin/keys/{busy}/usage?groupBy=outcome")).await;
    assert_eq!((usage.status.as_u16(), usage.header("cache-control")), (200, "no-store"));
    let usage = usage.json();
    assert_eq!((&usage["keyId"], &usage["step"], &usage["groupBy"]), (&json!(busy), &json!("hour"), &json!("outcome")));
    assert_eq!((&usage["totalRequests"], &usage["truncated"]), (&json!(3), &json!(false)));
    let row = json!({
        "startsAt": "2026-11-21T23:00:00.000Z", "outcome": "ok", "requests": 2,
        "averageMicroseconds": 400, "maxMicroseconds": 400,
    });
    assert!(usage["rows"].as_array().expect("rows").contains(&row), "{usage}");
    let minutes = server.call("GET", &format!("/api/admin/keys/{busy}/usage?step=minute&groupBy=route")).await.json();
    assert_eq!((&minutes["rows"][0]["route"], &minutes["rows"][0]["requests"]), (&json!(ROUTE), &json!(3)));
    assert_eq!(minutes["rows"].as_array().map(Vec::len), Some(1));

    let all = server.call("GET", "/api/admin/usage?groupBy=key").await.json();
    let counts: Vec<(&Value, &Value, &Value)> = all["keys"]
        .as_array()
        .expect("keys")
        .iter()
        .map(|key| (&key["keyId"], &key["requests"], &key["refused"]))
        .collect();
    assert_eq!(counts, [(&json!(busy), &json!(3), &json!(1)), (&json!(calm), &json!(1), &json!(0))]);
    let page = server.call("GET", "/api/admin/usage?limit=1&offset=1").await.json();
    assert_eq!((&page["keys"][0]["keyId"], &page["more"]), (&json!(calm), &json!(false)));

    let callers = server.call("GET", &format!("/api/admin/keys/{busy}/callers")).await.json();
    let addresses: Vec<&Value> =
        callers.as_array().expect("an array").iter().map(|caller| &caller["address"]).collect();
    assert_eq!(addresses, ["192.0.2.1", "192.0.2.2", "2001:db8::/64"]);
    assert_eq!((&callers[0]["lastRoute"], &callers[0]["network"]), (&json!(ROUTE), &json!("192.0.2.0/24")));

    let csv = server.with_header("GET", "/api/admin/usage", "accept", "text/csv, */*;q=0.1").await;
    assert_eq!((csv.header("content-type"), csv.header("vary")), ("text/csv; charset=utf-8", "Accept"));
    let lines: Vec<&str> = csv.body.split("\r\n").collect();
    assert!(lines[0].starts_with("keyId,name,"), "{lines:?}");
    assert!(lines[2].contains(r#","'=calm, ""really""","#), "no formula, and quotes doubled: {lines:?}");
    for path in ["usage?groupBy=route", "callers"] {
        let csv = server.with_header("GET", &format!("/api/admin/keys/{busy}/{path}"), "accept", "text/csv").await;
        assert!(csv.body.lines().count() >= 2 && csv.body.contains(ROUTE), "{}", csv.body);
    }
}

#[tokio::test]
async fn wrong_questions_about_usage_are_refused() {
    let server = Server::start().await;
    let key = used(&server, "a", &[]).await;
    for query in ["step=second", "groupBy=ip", "from=yesterday", "to=1", "groupBy=key"] {
        let answer = server.call("GET", &format!("/api/admin/keys/{key}/usage?{query}")).await;
        answer.problem(400, "invalid_query");
    }
    server.call("GET", "/api/admin/usage?groupBy=route").await.problem(400, "invalid_query");
    for query in [
        "from=2026-11-21T00:00:00Z&to=2026-11-20T00:00:00Z",
        "step=minute&from=2026-11-01T00:00:00Z",
        "from=-262000-01-01T00:00:00Z",
        "step=day&to=-262143-01-01T00:00:00Z",
        "step=day&from=%2B262142-01-01T00:00:00Z",
    ] {
        for path in [format!("/api/admin/keys/{key}/usage"), "/api/admin/usage".to_owned()] {
            let answer = server.call("GET", &format!("{path}?{query}")).await;
            assert!(matches!(answer.status.as_u16(), 400 | 422), "{path}?{query}: {}", answer.body);
        }
    }
    // Times that one of the stores does not know.
    let far = "step=day&from=-200000-01-01T00:00:00Z&to=-199999-01-01T00:00:00Z";
    server.call("GET", &format!("/api/admin/keys/{key}/usage?{far}")).await.problem(422, "key.bad_range");
}
