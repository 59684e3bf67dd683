//! What browsers and caches are told.

use super::{KEY, Server};
use crate::http::HttpSettings;

async fn with_origins(origins: &[&str]) -> Server {
    let allowed_origins = origins.iter().map(|&origin| origin.to_owned()).collect();
    Server::start_with(HttpSettings { allowed_origins, ..HttpSettings::default() }).await
}

#[tokio::test]
async fn origins() {
    let (ours, theirs) = ("https://panel.example", "https://evil.example");
    // Configured, asking, Access-Control-Allow-Origin, Access-Control-Allow-Credentials.
    let cases: [(&[&str], &str, &str, &str); 6] = [
        (&[], ours, "", ""),
        (&[ours], ours, ours, "true"),
        (&["https://panel.example/"], ours, ours, "true"),
        (&[ours], theirs, "", "true"),
        (&[ours], "https://panel.example.evil.example", "", "true"),
        (&["*"], theirs, "*", ""),
    ];
    for (configured, asking, origin, credentials) in cases {
        let server = with_origins(configured).await;
        let answer = server.with_header("GET", "/api/discord/vanish", "origin", asking).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("access-control-allow-origin"), origin, "{configured:?} {asking}");
        assert_eq!(answer.header("access-control-allow-credentials"), credentials);
        let exposed = answer.header("access-control-expose-headers").contains("x-request-id");
        assert_eq!(exposed, !configured.is_empty());

        let request = server.request("OPTIONS", "/api/discord/vanish/1").header("origin", asking);
        let request = request.header("access-control-request-method", "PATCH");
        let preflight = server.send(request.header("access-control-request-headers", "x-api-key")).await;
        assert_eq!(preflight.header("access-control-allow-origin"), origin);
        if configured.is_empty() {
            preflight.problem(405, "method_not_allowed");
        } else {
            assert_eq!(preflight.status, 200);
            assert!(preflight.header("access-control-allow-methods").contains("PATCH"));
            assert!(preflight.header("access-control-allow-headers").contains("x-api-key"));
        }
        // A page must be able to read why it was refused.
        let refused = server.send(server.request("GET", "/api/discord/vanish").header("origin", asking)).await;
        refused.problem(401, "unauthenticated");
        assert_eq!(refused.header("access-control-allow-origin"), origin);
    }
}

#[tokio::test]
async fn every_answer_is_guarded() {
    let server = Server::start().await;
    for path in ["/", "/health", "/reference", "/nowhere", "/api/discord/vanish", "/openapi.json", "/errors/not_found"]
    {
        let answer = server.anonymous("GET", path).await;
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("referrer-policy"), "no-referrer");
        assert_eq!(answer.header("x-request-id").len(), 36);
        assert_eq!(answer.header("server"), "");
        assert!(!answer.header("cache-control").is_empty());
    }
}

#[tokio::test]
async fn configuration_is_revalidated() {
    let server = Server::start().await;
    let path = "/api/discord/channels/55";
    let first = server.call("GET", path).await;
    let tag = first.header("etag").to_owned();
    assert_eq!((tag.len(), first.header("cache-control")), (18, "private, no-cache"));
    for known in [tag.clone(), format!("W/{tag}"), format!("\"x\", {tag}"), "*".to_owned()] {
        let again = server.with_header("GET", path, "if-none-match", &known).await;
        assert_eq!((again.status.as_u16(), again.body.as_str()), (304, ""), "{known}");
        assert_eq!(again.header("etag"), tag);
    }
    server.json("PUT", &format!("{path}/alerts"), serde_json::json!({"channelId": "1"})).await;
    let changed = server.with_header("GET", path, "if-none-match", &tag).await;
    assert_eq!(changed.status, 200);
    assert_ne!(changed.header("etag"), tag);

    for path in ["/openapi.json", "/llms.txt", "/llms/keys.md", "/reference/init.js", "/reference/scalar.js"] {
        let tag = server.anonymous("GET", path).await.header("etag").to_owned();
        let again = server.with_header("GET", path, "if-none-match", &tag).await;
        assert_eq!(again.status, 304, "{path}");
    }
}

#[tokio::test]
async fn head_is_get_without_the_body() {
    let server = Server::start().await;
    for path in ["/health", "/api/discord/channels/55", "/nowhere", "/api/discord/vanish/1"] {
        let get = server.call("GET", path).await;
        let head = server.call("HEAD", path).await;
        assert_eq!((head.status, head.body.as_str()), (get.status, ""), "{path}");
        for name in ["content-type", "content-length", "etag"] {
            assert_eq!(head.header(name), get.header(name), "{name} of {path}");
        }
    }
    let unauthenticated = server.send(server.request("HEAD", "/api/discord/vanish")).await;
    assert_eq!((unauthenticated.status.as_u16(), unauthenticated.body.len()), (401, 0));
}

#[tokio::test]
async fn request_ids() {
    let server = Server::start().await;
    for id in ["a", "abc-DEF_123", &"x".repeat(64)] {
        let answer = server.with_header("GET", "/nowhere", "x-request-id", id).await;
        assert_eq!(answer.problem(404, "not_found")["request_id"], id);
    }
    for id in ["", "a b", "ä", "a;b", "../x", &"x".repeat(65)] {
        let answer = server.with_header("GET", "/nowhere", "x-request-id", id).await;
        assert_eq!(answer.header("x-request-id").len(), 36, "{id:?}");
        answer.problem(404, "not_found");
    }
    let request = server.request("GET", "/health").header("x-api-key", KEY);
    assert_ne!(
        server.send(request).await.header("x-request-id"),
        server.anonymous("GET", "/health").await.header("x-request-id")
    );
}
