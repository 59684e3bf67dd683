//! Keys as Key-Kingdom's clients know them.

use axum::{
    http::HeaderValue,
    response::{IntoResponse as _, Response},
};
use entity::user::Role;
use serde_json::{Value, json};

use super::{ADMIN_SECRET, Answer, KEY, Server};
use crate::{
    domain::{
        Actor, Source, sign_in,
        user::{self, NewUser},
    },
    http::{
        envelope::{self, Data},
        error::Problem,
    },
};

const KEYS: &str = "/api/admin/api-keys";
const NOBODY: &str = "00000000-0000-7000-8000-000000000000";

impl Answer {
    /// What the envelope holds.
    fn data(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        assert_eq!(self.header("content-type"), "application/json");
        let body = self.json();
        assert_eq!(body["success"], true);
        body["data"].clone()
    }

    /// The error in the envelope.
    fn fault(&self, status: u16, code: &str) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        assert_eq!(self.header("content-type"), "application/json");
        let body = self.json();
        assert_eq!((&body["success"], &body["error"]["code"]), (&json!(false), &json!(code)), "{body}");
        assert!(body["error"]["message"].as_str().is_some_and(|text| !text.is_empty()));
        assert_eq!(body["error"]["requestId"], self.header("x-request-id"));
        body["error"].clone()
    }
}

fn names(object: &Value) -> Vec<&str> {
    let mut names: Vec<&str> = object.as_object().expect("an object").keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}

#[tokio::test]
async fn a_typed_key_lives_as_its_clients_expect() {
    let server = Server::compatible().await;
    let body = json!({"type": "discord_bot", "name": "My Discord Bot"});
    let answer = server.json("POST", KEYS, body).await;
    assert_eq!(answer.header("cache-control"), "no-store");
    let made = answer.data(201);
    assert_eq!(names(&made), ["createdAt", "id", "key", "message", "name", "rateLimit", "rateLimitWindow", "type"]);
    assert_eq!((&made["rateLimit"], &made["rateLimitWindow"]), (&json!(100), &json!(60_000)));
    let key = made["key"].as_str().expect("a key").to_owned();
    assert_eq!((key.len(), key.starts_with("kk_discord_")), ("kk_discord_".len() + 64, true));
    assert_eq!(made["message"], "API key created successfully. Save this key securely - it won't be shown again!");

    let admin = json!({"type": "admin", "name": "Dashboard", "rateLimit": 7, "rateLimitWindow": 1500});
    let admin = server.json("POST", KEYS, admin).await.data(201);
    assert_eq!((&admin["rateLimit"], &admin["rateLimitWindow"]), (&json!(7), &json!(1500)));
    assert!(admin["key"].as_str().is_some_and(|key| key.starts_with("kk_admin_")));
    let usual = server.json("POST", KEYS, json!({"type": "admin", "name": "Other"})).await.data(201);
    assert_eq!((&usual["rateLimit"], &usual["rateLimitWindow"]), (&json!(500), &json!(3_600_000)));

    let one = format!("{KEYS}/{}", made["id"].as_str().expect("an id"));
    let shown = server.call("GET", &one).await.data(200);
    let wanted = [
        "createdAt",
        "id",
        "keyPreview",
        "lastUsedAt",
        "name",
        "rateLimit",
        "rateLimitWindow",
        "revoked",
        "totalRequests",
        "type",
    ];
    assert_eq!(names(&shown), wanted);
    assert_eq!(shown["keyPreview"], format!("{}...{}", &key[..10], &key[key.len() - 4..]));
    assert_eq!(
        (&shown["revoked"], &shown["totalRequests"], &shown["lastUsedAt"]),
        (&json!(false), &json!(0), &json!(null))
    );

    let reads = server.with_key(&key, "GET", "/api/discord/vanish", None).await;
    assert_eq!(reads.status, 200, "the type discord_bot reads");
    let rule = json!({"channelId": "1", "guildId": "1", "duration": 60});
    let writes = server.with_key(&key, "POST", "/api/discord/vanish", Some(rule)).await;
    assert_eq!(writes.problem(403, "forbidden")["available"], json!(["read"]));
    server.with_key(&key, "GET", KEYS, None).await.fault(403, "FORBIDDEN");
    // By X-API-Key an admin key needs no further secret.
    let admin_key = admin["key"].as_str().expect("a key");
    assert_eq!(server.with_key(admin_key, "GET", KEYS, None).await.data(200)["total"], 3);

    let gone = server.call("DELETE", &format!("{one}?reason=Security%20breach")).await.data(200);
    assert_eq!(names(&gone), ["id", "message", "name", "reason", "revokedAt", "revokedBy", "type"]);
    assert_eq!((&gone["reason"], &gone["revokedBy"]), (&json!("Security breach"), &json!("root")));
    assert_eq!(gone["message"], "API key has been revoked successfully. It can no longer be used.");
    let again = server.call("DELETE", &format!("{one}?reason=other")).await.data(200);
    assert_eq!((&again["reason"], &again["revokedAt"]), (&gone["reason"], &gone["revokedAt"]));
    assert_eq!(server.call("GET", &one).await.data(200)["revoked"], true);
    server.with_key(&key, "GET", "/api/discord/vanish", None).await.problem(401, "key.revoked");
}

#[tokio::test]
async fn both_addresses_show_the_same_keys() {
    let server = Server::compatible().await;
    let typed = server.json("POST", KEYS, json!({"type": "admin", "name": "typed"})).await.data(201);
    let free = server.json("POST", "/api/admin/keys", json!({"name": "free"})).await.json();
    let list = async |query: &str| {
        let data = server.call("GET", &format!("{KEYS}{query}")).await.data(200);
        let found: Vec<Value> =
            data["apiKeys"].as_array().expect("keys").iter().map(|key| key["name"].clone()).collect();
        assert_eq!(data["total"], found.len());
        (json!(found), data["filters"].clone())
    };
    assert_eq!(list("").await, (json!(["free", "typed"]), json!({"type": null, "revoked": null})));
    assert_eq!(list("?type=admin&revoked=false").await, (json!(["typed"]), json!({"type": "admin", "revoked": false})));
    assert_eq!(list("?revoked=true").await.0, json!([]));
    let shown = server.call("GET", &format!("{KEYS}/{}", free["id"].as_str().expect("an id"))).await.data(200);
    assert_eq!((&shown["type"], &shown["rateLimit"]), (&json!(null), &json!(null)));
    let here = server.call("GET", &format!("/api/admin/keys/{}", typed["id"].as_str().expect("an id"))).await.json();
    assert_eq!((&here["type"], &here["scopes"]), (&json!("admin"), &json!(["admin"])));
}

#[tokio::test]
async fn every_error_wears_the_envelope() {
    let server = Server::start().await;
    server.anonymous("GET", KEYS).await.fault(401, "UNAUTHORIZED");
    server.with_key("wrong-key", "GET", KEYS, None).await.fault(401, "UNAUTHORIZED");
    server.send(server.request("GET", KEYS).header("authorization", "Bearer x")).await.fault(401, "UNAUTHORIZED");
    let missing = server.call("GET", &format!("{KEYS}/{NOBODY}")).await.fault(404, "NOT_FOUND");
    assert_eq!((&missing["message"], &missing["cause"]), (&json!("API key not found"), &json!("key.not_found")));
    server.call("DELETE", &format!("{KEYS}/nonsense")).await.fault(404, "NOT_FOUND");
    server.call("GET", &format!("{KEYS}/a/b/c")).await.fault(404, "NOT_FOUND");
    server.call("PUT", KEYS).await.fault(405, "METHOD_NOT_ALLOWED");
    server.call("GET", &format!("{KEYS}?type=root")).await.fault(400, "BAD_REQUEST");
    server.call("GET", &format!("{KEYS}?revoked=1")).await.fault(400, "BAD_REQUEST");
    server.text("POST", KEYS, "{").await.fault(400, "BAD_REQUEST");
    server.text("POST", KEYS, vec![b' '; 70_000]).await.fault(413, "PAYLOAD_TOO_LARGE");
    for body in [
        json!({"name": "x"}),
        json!({"type": "root", "name": "x"}),
        json!({"type": "admin"}),
        json!({"type": "admin", "name": ""}),
        json!({"type": "admin", "name": "x", "rateLimit": 0}),
        json!({"type": "admin", "name": "x", "rateLimit": -1}),
        json!({"type": "admin", "name": "x", "rateLimit": 1.5}),
        json!({"type": "admin", "name": "x", "rateLimitWindow": 1}),
    ] {
        server.json("POST", KEYS, body).await.fault(422, "VALIDATION_ERROR");
    }
    let neighbour = server.call("GET", "/api/admin/api-keysx").await;
    neighbour.problem(404, "not_found");
}

async fn read(response: Response) -> (u16, Value) {
    let status = response.status().as_u16();
    let body = axum::body::to_bytes(response.into_body(), 10_000).await.expect("a body");
    (status, serde_json::from_slice(&body).expect("JSON"))
}

/// Where the headers tell the caller's limit, the envelope does too, in milliseconds.
#[tokio::test]
async fn the_envelope_tells_the_callers_limit() {
    let limited = |mut response: Response| {
        response.headers_mut().insert("x-ratelimit-remaining", HeaderValue::from_static("499"));
        response.headers_mut().insert("x-ratelimit-reset", HeaderValue::from_static("1732345678"));
        envelope::wrap(response, "r1")
    };
    let limit = json!({"remaining": 499, "resetAt": 1_732_345_678_000_u64});
    let (status, body) = read(limited(Data(axum::http::StatusCode::CREATED, json!({"a": 1})).into_response())).await;
    assert_eq!((status, body), (201, json!({"success": true, "data": {"a": 1}, "rateLimit": limit})));
    let (status, body) = read(limited(Problem::not_found().into_response())).await;
    assert_eq!((status, &body["rateLimit"], &body["error"]["cause"]), (404, &limit, &json!("not_found")));
    let once = envelope::wrap(Problem::not_found().into_response(), "r1");
    let (_, twice) = read(envelope::wrap(once, "r2")).await;
    assert_eq!(twice["error"]["requestId"], "r1", "an answer that is told again stays as it was");
    let plain = envelope::wrap(axum::http::StatusCode::TOO_MANY_REQUESTS.into_response(), "r2");
    let (status, body) = read(plain).await;
    assert_eq!(
        (status, &body["error"]["code"], &body["rateLimit"]),
        (429, &json!("RATE_LIMIT_EXCEEDED"), &Value::Null)
    );
}

/// Without the setting, new keys are ours at this address too.
#[tokio::test]
async fn the_shape_of_keys_is_the_operators_choice() {
    let server = Server::start().await;
    let made = server.with_key(KEY, "POST", KEYS, Some(json!({"type": "admin", "name": "x"}))).await.data(201);
    let key = made["key"].as_str().expect("a key");
    assert!(key.starts_with("hall_live_"));
    let shown = server.call("GET", &format!("{KEYS}/{}", made["id"].as_str().expect("an id"))).await.data(200);
    assert_eq!(shown["keyPreview"], format!("hall_live_...{}", &key[46..]));
}

/// A token opens this address only beside the operator's secret; where none is set, the refusal names it.
#[tokio::test]
async fn a_token_needs_the_secret_of_administrators() {
    let server = Server::compatible().await;
    let admin = token(&server, Role::Admin).await;
    let ask = async |server: &Server, token: &str, secret: Option<&str>| {
        let request = server.request("GET", KEYS).header("authorization", format!("Bearer {token}"));
        server.send(secret.into_iter().fold(request, |request, secret| request.header("x-admin-secret", secret))).await
    };
    ask(&server, &admin, None).await.fault(401, "UNAUTHORIZED");
    ask(&server, &admin, Some("wrong")).await.fault(401, "UNAUTHORIZED");
    assert_eq!(ask(&server, &admin, Some(ADMIN_SECRET)).await.data(200)["total"], 0);
    let member = token(&server, Role::Member).await;
    ask(&server, &member, Some(ADMIN_SECRET)).await.fault(403, "FORBIDDEN");
    let unset = Server::start().await;
    let admin = token(&unset, Role::Admin).await;
    let refused = ask(&unset, &admin, Some(ADMIN_SECRET)).await.fault(403, "FORBIDDEN");
    assert!(refused["message"].as_str().expect("a text").contains("ADMIN_SECRET_KEY"), "{refused}");
}

/// What is sent again under one Idempotency-Key makes one key, whose secret is shown once.
#[tokio::test]
async fn a_secret_is_shown_once_however_often_it_is_asked_for() {
    let server = Server::start().await;
    for (path, body) in [(KEYS, json!({"type": "admin", "name": "x"})), ("/api/admin/keys", json!({"name": "x"}))] {
        let send = async || {
            let request = server.request("POST", path).header("x-api-key", KEY).header("idempotency-key", "once");
            server.send(request.json(&body)).await
        };
        let first = send().await;
        assert!(first.status.is_success(), "{}", first.body);
        let again = send().await;
        assert_eq!(again.status, 409, "{}", again.body);
        assert!(again.body.contains("idempotency.secret_already_shown"), "{}", again.body);
    }
    assert_eq!(server.call("GET", "/api/admin/keys").await.json().as_array().map(Vec::len), Some(2));
}

async fn token(server: &Server, role: Role) -> String {
    let domain = server.app.domain();
    let root = Actor::Root { source: Source::Cli };
    let row = user::create(domain, &root, NewUser { role, discord_user_id: None }).await.expect("a person");
    sign_in::issue_access_token(domain, &root, row.id, 900, None).await.expect("a token").expose().to_owned()
}
