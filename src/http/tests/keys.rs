//! Keys as cartel's clients know them.

use serde_json::{Value, json};

use super::{Answer, KEY, Server};
use crate::domain::{
    Actor, Source,
    user::{self, NewUser},
};

const KEYS: &str = "/api/admin/keys";
const VANISH: &str = "/api/discord/vanish";
const NOBODY: &str = "00000000-0000-7000-8000-000000000000";

/// What every view of a key holds.
const FACTS: [&str; 21] = [
    "createdAt",
    "createdBy",
    "expiresAt",
    "graceEndsAt",
    "guildId",
    "id",
    "ipAllowlist",
    "isActive",
    "keyPrefix",
    "lastUsedAt",
    "name",
    "rateLimits",
    "replacedBy",
    "revokedAt",
    "revokedBy",
    "revokedReason",
    "rotatedFrom",
    "scopes",
    "status",
    "totalRequests",
    "type",
];

fn assert_names(object: &Value, more: &[&str]) {
    let mut names: Vec<&str> = object.as_object().expect("an object").keys().map(String::as_str).collect();
    let mut wanted: Vec<&str> = FACTS.iter().chain(&["userId"]).chain(more).copied().collect();
    names.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(names, wanted);
}

impl Server {
    async fn make(&self, body: Value) -> Value {
        let answer = self.json("POST", KEYS, body).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert_eq!(answer.header("cache-control"), "no-store");
        answer.json()
    }

    async fn person(&self) -> String {
        let root = Actor::Root { source: Source::Cli };
        let discord_user_id = entity::id::DiscordUserId::new(4_242);
        let new = NewUser { role: entity::user::Role::Member, discord_user_id };
        user::create(self.app.domain(), &root, new).await.expect("a person").id.to_string()
    }

    /// All keys, but for how often they were used.
    async fn unused_keys(&self) -> Value {
        let mut keys = self.call("GET", KEYS).await.json();
        for key in keys.as_array_mut().expect("a list") {
            key["totalRequests"] = Value::Null;
            key["lastUsedAt"] = Value::Null;
        }
        keys
    }

    /// The status that a key gets on a route that reads.
    async fn opens(&self, key: &Value) -> Answer {
        self.with_key(text(key), "GET", VANISH, None).await
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("a text: {value}"))
}

fn path(key: &Value) -> String {
    format!("{KEYS}/{}", text(&key["id"]))
}

#[tokio::test]
async fn a_key_is_made_listed_and_read() {
    let server = Server::start().await;
    let owner = server.person().await;
    let made = server
        .make(json!({
            "userId": owner, "name": "Stats page", "description": "Reads", "clientName": "stats",
            "allowedOrigins": ["App.example.org"], "scopes": ["read"], "expiresIn": 2,
        }))
        .await;
    assert_names(&made, &["apiKey", "message", "description", "clientName", "allowedOrigins"]);
    assert_eq!(made["userId"], owner);
    assert_eq!((&made["scopes"], &made["expiresAt"]), (&json!(["read"]), &json!("2026-11-21T23:37:31.418Z")));
    let secret = text(&made["apiKey"]);
    assert!(secret.starts_with("hall_live_") && secret.len() == 50, "{secret}");
    assert_eq!(made["keyPrefix"], format!("{}...", &secret[..18]));
    assert_eq!(server.opens(&made["apiKey"]).await.status, 200);

    let bare = server.make(json!({"name": "Bare"})).await;
    assert_names(&bare, &["apiKey", "message"]);
    assert_eq!(
        (&bare["scopes"], &bare["expiresAt"], &bare["userId"]),
        (&json!(["read", "write"]), &json!(null), &json!(null))
    );

    let list = server.call("GET", KEYS).await;
    assert!(!list.body.contains(secret));
    let list = list.json();
    let names: Vec<&Value> = list.as_array().expect("a bare array").iter().map(|key| &key["name"]).collect();
    assert_eq!(names, ["Bare", "Stats page"], "newest first");
    assert_names(&list[0], &["description", "clientName", "allowedOrigins"]);
    assert_eq!((&list[0]["description"], &list[0]["clientName"]), (&json!(null), &json!(null)), "null in lists");
    assert_names(&list[1], &["description", "clientName", "allowedOrigins", "user"]);
    assert_eq!(list[1]["allowedOrigins"], json!(["app.example.org"]));
    let identity = json!({"platform": "discord", "identity": "4242", "isPrimary": true});
    assert_eq!(list[1]["user"], json!({"id": owner, "identities": [identity]}));

    let one = server.call("GET", &path(&made)).await.json();
    assert_names(&one, &["description", "clientName", "allowedOrigins", "user", "updatedAt"]);
    let one = server.call("GET", &path(&bare)).await.json();
    assert_names(&one, &["updatedAt"]);
    assert_eq!((&one["isActive"], &one["status"]), (&json!(true), &json!("active")));
}

#[tokio::test]
async fn lists_are_filtered() {
    let server = Server::start().await;
    let owner = server.person().await;
    server.make(json!({"name": "a", "userId": owner})).await;
    server.make(json!({"name": "b", "guildId": "42", "scopes": ["read"]})).await;
    let admin = server.make(json!({"name": "c", "type": "admin"})).await;
    server.call("DELETE", &path(&admin)).await;
    for (query, names) in [
        (format!("userId={owner}"), "a"),
        ("guildId=42".to_owned(), "b"),
        ("type=admin".to_owned(), "c"),
        ("revoked=true".to_owned(), "c"),
        ("revoked=false".to_owned(), "b a"),
        ("type=admin&revoked=false".to_owned(), ""),
        ("limit=1&offset=1".to_owned(), "b"),
    ] {
        let list = server.call("GET", &format!("{KEYS}?{query}")).await.json();
        let found: Vec<_> = list.as_array().expect("an array").iter().map(|key| text(&key["name"])).collect();
        assert_eq!(found.join(" "), names, "{query}");
    }
    let page = server.call("GET", &format!("{KEYS}?revoked=false&limit=1")).await;
    assert_eq!(page.header("link"), r#"</api/admin/keys?revoked=false&limit=1&offset=1>; rel="next""#);
    for query in ["userId=1", "guildId=0", "type=root", "revoked=yes", "limit=0", "limit=101"] {
        server.call("GET", &format!("{KEYS}?{query}")).await.problem(400, "invalid_query");
    }
}

#[tokio::test]
async fn wrong_values_of_a_key_point_at_themselves() {
    let server = Server::start().await;
    let long = "x".repeat(501);
    let many = vec!["read"; 65];
    let hosts: Vec<String> = (0..65).map(|n| format!("h{n}.org")).collect();
    let limit = |name: &str, limit: i64, window: i64| json!({"name": name, "limit": limit, "windowMs": window});
    let limits: Vec<Value> = (0..11).map(|n| limit(&format!("l{n}"), 1, 1000)).collect();
    for (field, value) in [
        ("name", json!("")),
        ("name", json!("x".repeat(101))),
        ("name", json!("a\u{0}b")),
        ("name", json!(5)),
        ("name", json!(null)),
        ("description", json!(long)),
        ("description", json!("a\u{0}b")),
        ("clientName", json!("")),
        ("userId", json!("not-a-uuid")),
        ("userId", json!(7)),
        ("guildId", json!(42)),
        ("type", json!("root")),
        ("scopes", json!(["read", "fly"])),
        ("scopes", json!("read")),
        ("scopes", json!(many)),
        ("allowedOrigins", json!(["https://app.example.org"])),
        ("allowedOrigins", json!(hosts)),
        ("ipAllowlist", json!(["10.0.0.0/33"])),
        ("rateLimits", json!(limits)),
        ("rateLimits", json!([limit("a", 0, 1000)])),
        ("rateLimits", json!([limit("a", 1, 999)])),
        ("rateLimits", json!([limit("A", 1, 1000)])),
        ("rateLimits", json!([limit("a", 1, 1000), limit("a", 2, 1000)])),
        ("expiresIn", json!(0)),
        ("expiresIn", json!(-1)),
        ("expiresIn", json!(1.5)),
        ("expiresIn", json!(1_000_000_000_000_i64)),
        ("expiresAt", json!("yesterday")),
        ("expiresAt", json!("2020-01-01T00:00:00Z")),
        ("expiresAt", json!("9999-01-01T00:00:00Z")),
        ("id", json!(NOBODY)),
        ("keyHash", json!("00")),
        ("createdBy", json!("me")),
    ] {
        let mut body = json!({"name": "A key"});
        body[field] = value.clone();
        let answer = server.json("POST", KEYS, body).await;
        assert_eq!(answer.status, 422, "{field} = {value}: {}", answer.body);
        let pointer = answer.json()["errors"][0]["pointer"].clone();
        assert!(text(&pointer).starts_with(&format!("/{field}")), "{field} = {value}: {pointer}");
    }
    let both = json!({"name": "x", "expiresIn": 5, "expiresAt": "2027-01-01T00:00:00Z"});
    server.json("POST", KEYS, both).await.problem(422, "invalid_body");
    let unknown = server.json("POST", KEYS, json!({"name": "x", "scopes": ["fly", "swim"]})).await;
    assert!(text(&unknown.problem(422, "key.unknown_scopes")["error"]).contains("fly, swim"));
    let nobody = server.json("POST", KEYS, json!({"name": "x", "userId": NOBODY})).await;
    assert_eq!(nobody.problem(404, "user.not_found")["error"], "User not found");
    let ignored = server.make(json!({"name": "x", "unknown": {"deep": [1]}})).await;
    assert_eq!(ignored["name"], "x");
    assert_eq!(server.call("GET", KEYS).await.json().as_array().map(Vec::len), Some(1), "nothing else was made");
}

/// The peer's defect 16: null clears, and a key that was revoked stays so.
#[tokio::test]
async fn a_key_is_changed_disabled_and_enabled() {
    let server = Server::start().await;
    let key =
        server.make(json!({"name": "old", "description": "words", "expiresIn": 60, "allowedOrigins": ["a.org"]})).await;
    let one = path(&key);
    let patch = async |body: Value| server.json("PATCH", &one, body).await;
    let changed = patch(json!({"name": "new", "scopes": ["read"]})).await.json();
    assert_names(&changed, &["description", "allowedOrigins", "updatedAt"]);
    assert_eq!((&changed["name"], &changed["description"]), (&json!("new"), &json!("words")));
    assert!(changed["expiresAt"].is_string(), "what is not named stays");
    let changed =
        patch(json!({"description": null, "clientName": null, "allowedOrigins": null, "expiresAt": null})).await.json();
    assert_names(&changed, &["updatedAt"]);
    assert_eq!(changed["expiresAt"], json!(null), "null clears");

    let disabled = patch(json!({"isActive": false, "reason": "holiday"})).await.json();
    assert_eq!(
        (&disabled["isActive"], &disabled["status"], &disabled["revokedAt"]),
        (&json!(false), &json!("disabled"), &json!(null))
    );
    server.opens(&key["apiKey"]).await.problem(401, "key.disabled");
    assert_eq!(patch(json!({"isActive": true})).await.json()["status"], "active");
    assert_eq!(server.opens(&key["apiKey"]).await.status, 200);

    for (field, value) in [
        ("name", json!(null)),
        ("isActive", json!("yes")),
        ("id", json!(NOBODY)),
        ("userId", json!(NOBODY)),
        ("scopes", json!(null)),
    ] {
        let answer = patch(json!({field: value})).await;
        assert_eq!(answer.problem(422, "invalid_body")["errors"][0]["pointer"], format!("/{field}"));
    }
    for _ in 0..2 {
        let gone = server.call("DELETE", &format!("{one}?reason=lost")).await;
        assert_eq!(gone.status, 200);
        assert_eq!(gone.json()["success"], true);
        assert_eq!(gone.json()["message"], "API key deactivated successfully");
    }
    server.call("DELETE", &format!("{one}?reason=other")).await;
    let dead = server.call("GET", &one).await.json();
    assert_eq!((&dead["status"], &dead["isActive"]), (&json!("revoked"), &json!(false)));
    assert_eq!(
        (&dead["revokedReason"], &dead["revokedBy"]),
        (&json!("lost"), &json!("root")),
        "the first reason stays"
    );
    patch(json!({"isActive": true})).await.problem(409, "key.revoked_for_good");
    server.opens(&key["apiKey"]).await.problem(401, "key.revoked");
    let long = "x".repeat(501);
    server.call("DELETE", &format!("{one}?reason={long}")).await.problem(422, "key.bad_text");
}

#[tokio::test]
async fn what_is_not_there_is_404() {
    let server = Server::start().await;
    for id in [NOBODY, "1", "x", "%00"] {
        for (method, rest, body) in [
            ("GET", "", None),
            ("PATCH", "", Some(json!({"name": "x"}))),
            ("DELETE", "", None),
            ("POST", "/rotate", None),
            ("GET", "/usage", None),
            ("GET", "/callers", None),
        ] {
            let answer = server.with_key(KEY, method, &format!("{KEYS}/{id}{rest}"), body).await;
            assert_eq!(answer.status, 404, "{method} {id}{rest}");
            if id == NOBODY {
                assert_eq!(answer.json()["error"], "API key not found");
            }
        }
    }
}

/// D05, and the peer's defect 16.
#[tokio::test]
async fn a_key_is_replaced() {
    let server = Server::start().await;
    let old = server.make(json!({"name": "Bot", "expiresIn": 86400, "ipAllowlist": ["127.0.0.1"]})).await;
    let rotate = format!("{}/rotate", path(&old));
    for grace in ["-1", "abc", "1000000000000", "604801", "1.5", ""] {
        let answer = server.call("POST", &format!("{rotate}?gracePeriod={grace}")).await;
        let problem = answer.problem(422, "key.bad_grace");
        assert_eq!(problem["errors"][0]["parameter"], "gracePeriod", "{grace}");
    }
    let answer = server.call("POST", &rotate).await;
    assert_eq!((answer.status.as_u16(), answer.header("cache-control")), (200, "no-store"));
    let new = answer.json();
    assert_eq!(new["expiresAt"], "2026-11-21T23:42:29.418Z", "300 seconds");
    assert_eq!(new["rotatedFrom"], old["id"]);
    for key in [&old["apiKey"], &new["newApiKey"]] {
        assert_eq!(server.opens(key).await.status, 200);
    }
    let (old_now, new_now) =
        (server.call("GET", &path(&old)).await.json(), server.call("GET", &path(&new)).await.json());
    assert_eq!(
        (&old_now["status"], &old_now["replacedBy"], &old_now["isActive"]),
        (&json!("retiring"), &new["id"], &json!(true))
    );
    for field in ["name", "scopes", "ipAllowlist", "rateLimits", "expiresAt", "userId", "guildId", "type"] {
        assert_eq!(new_now[field], old_now[field], "{field}");
    }
    server.call("POST", &rotate).await.problem(409, "key.not_rotatable");
    let killed = server.call("POST", &format!("{}/rotate?gracePeriod=0", path(&new))).await.json();
    assert_eq!(killed["expiresAt"], "2026-11-21T23:37:29.418Z");
    server.opens(&new["newApiKey"]).await.problem(401, "key.revoked");
    assert_eq!(server.opens(&killed["newApiKey"]).await.status, 200);
    for body in [json!({"isActive": false}), json!({})] {
        server.json("PATCH", &path(&killed), body).await;
        server.call("POST", &format!("{}/rotate", path(&killed))).await.problem(409, "key.not_rotatable");
    }
}

/// D07: nobody raises themselves.
#[tokio::test]
async fn a_key_without_the_scope_changes_nothing() {
    let server = Server::start().await;
    let writer = server.make(json!({"name": "writer", "scopes": ["read", "write"]})).await;
    let bound = server.make(json!({"name": "bound", "guildId": "42", "type": "admin"})).await;
    let before = server.unused_keys().await;
    for key in [&writer, &bound] {
        let secret = text(&key["apiKey"]);
        for (method, path, body) in [
            ("GET", KEYS.to_owned(), None),
            ("POST", KEYS.to_owned(), Some(json!({"name": "mine", "type": "admin"}))),
            ("POST", KEYS.to_owned(), Some(json!({"name": "mine", "guildId": "42", "scopes": ["read"]}))),
            ("GET", path(key), None),
            ("PATCH", path(key), Some(json!({"scopes": ["admin"]}))),
            ("PATCH", path(key), Some(json!({"name": "x"}))),
            ("DELETE", path(key), None),
            ("POST", format!("{}/rotate", path(key)), None),
            ("GET", format!("{}/usage", path(key)), None),
            ("GET", format!("{}/callers", path(key)), None),
            ("GET", "/api/admin/usage".to_owned(), None),
        ] {
            let problem = server.with_key(secret, method, &path, body).await.problem(403, "forbidden");
            assert_eq!(problem["required"], json!(["admin"]), "{method} {path}");
            assert_eq!(problem["available"], key["scopes"], "{method} {path}");
        }
    }
    assert_eq!(server.unused_keys().await, before);
    let admin = server.make(json!({"name": "admin", "scopes": ["admin"]})).await;
    let secret = text(&admin["apiKey"]);
    let fields = json!({"id": NOBODY, "keyHash": "00", "createdBy": "root", "scopes": ["read"]});
    server.with_key(secret, "PATCH", &path(&admin), Some(fields)).await.problem(422, "invalid_body");
    // The peer's defect 2: a key of the store reaches administration.
    let made = server.with_key(secret, "POST", KEYS, Some(json!({"name": "made by a key"}))).await;
    assert_eq!((made.status.as_u16(), &made.json()["createdBy"]), (200, &json!(format!("key:{}", text(&admin["id"])))));
}

/// The peer's defect 1: what was revoked is dead at once, however often it was used before.
#[tokio::test]
async fn a_used_key_is_dead_from_its_end_on() {
    let server = Server::start().await;
    let key = server.make(json!({"name": "busy"})).await;
    for _ in 0..50 {
        assert_eq!(server.opens(&key["apiKey"]).await.status, 200);
    }
    server.call("DELETE", &path(&key)).await;
    for _ in 0..20 {
        server.opens(&key["apiKey"]).await.problem(401, "key.revoked");
    }
}

#[tokio::test]
async fn a_found_key_is_ended_by_whoever_holds_it() {
    const REPORT: &str = "/api/keys/report-leak";
    let server = Server::start().await;
    let (one, other) = (server.make(json!({"name": "one"})).await, server.make(json!({"name": "other"})).await);
    let in_body = server.request("POST", REPORT).json(&json!({"key": one["apiKey"]}));
    let answer = server.send(in_body).await;
    assert_eq!((answer.status.as_u16(), &answer.json()["alreadyRevoked"]), (200, &json!(false)));
    server.opens(&one["apiKey"]).await.problem(401, "key.revoked");
    for already in [false, true] {
        let in_header = server.request("POST", REPORT).header("x-api-key", text(&other["apiKey"]));
        let answer = server.send(in_header).await.json();
        assert_eq!(
            (&answer["success"], &answer["alreadyRevoked"], &answer["id"]),
            (&json!(true), &json!(already), &other["id"])
        );
    }
    let dead = server.call("GET", &path(&other)).await.json();
    assert_eq!(dead["revokedBy"], format!("key:{}", text(&other["id"])));
    let report = async |key: &str| server.send(server.request("POST", REPORT).json(&json!({"key": key}))).await;
    for unknown in ["hall_live_nothing", "", "x", &"x".repeat(300)] {
        report(unknown).await.problem(404, "key.not_found");
    }
    report(KEY).await.problem(409, "root_key");
    server.send(server.request("POST", REPORT).json(&json!({}))).await.problem(422, "invalid_body");
    server.anonymous("POST", REPORT).await.problem(415, "unsupported_media_type");
}

#[tokio::test]
async fn keys_of_other_systems_are_minted_where_the_operator_wants_them() {
    let server = Server::compatible().await;
    let key = server.make(json!({"name": "a"})).await;
    let secret = text(&key["apiKey"]);
    assert_eq!(secret.len(), "cartel_".len() + 32);
    assert_eq!(key["keyPrefix"], format!("cartel_{}...", &secret[7..15]));
    assert_eq!(server.opens(&key["apiKey"]).await.status, 200);
    let rotated = server.call("POST", &format!("{}/rotate", path(&key))).await.json();
    assert!(text(&rotated["newApiKey"]).starts_with("cartel_"));
}
