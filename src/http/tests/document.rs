//! The description says what is served, and what is served is described.

use std::collections::BTreeSet;

use super::{Server, app};
use crate::{
    app::App,
    domain::testing,
    http::{HttpSettings, llms, openapi, routes},
};

/// A path with its parameters filled in.
fn filled(path: &str, id: &str) -> String {
    path.replace("{channelId}", "1")
        .replace("{guildId}", "1")
        .replace("{key}", "k")
        .replace("{code}", "not_found")
        .replace("{topic}", "keys.md")
        .replace("{token}", "t")
        .replace("{discordId}", "1")
        .replace("{platform}", "github")
        .replace("{identity}", "n")
        .replace("{messageId}", "m")
        .replace("{number}", "1")
        .replace("{userId}", "00000000-0000-7000-8000-000000000000")
        .replace("{id}", id)
}

#[tokio::test]
async fn every_documented_operation_is_served() {
    let server = Server::start().await;
    // What strangers may read must be there.
    let project = testing::project(server.app.domain()).await;
    let document = openapi::document();
    let mut ids = BTreeSet::new();
    for (path, method, operation) in openapi::operations(&document) {
        let path = filled(path, &project.id.to_string());
        assert!(!path.contains('{'), "{path}");
        let answer = server.anonymous(&method.to_uppercase(), &path).await;
        let protected = !matches!(operation["x-scope"].as_str(), Some("public" | "optional"));
        // What is switched off says so.
        let is_off = path.starts_with("/api/auth/discord") && answer.json()["code"] == "sign_in.discord_off";
        assert!(!matches!(answer.status.as_u16(), 404 | 405) || is_off, "{method} {path}");
        assert_eq!(answer.status == 401, protected, "{method} {path}: {}", answer.status);
        assert!(ids.insert(operation["operationId"].as_str().expect("an id").to_owned()), "{ids:?}");
        assert!(operation["responses"][answer.status.as_str()].is_object(), "{method} {path}: {}", answer.status);
    }
}

/// axum tells its routes in its debug output only.
fn mounted() -> BTreeSet<String> {
    let router: axum::Router<App> = routes().into();
    let text = format!("{router:?}");
    text.split('"')
        .skip(1)
        .step_by(2)
        .filter(|part| part.starts_with('/') && !part.contains("__private__"))
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_mounted_route_is_documented() {
    let document = openapi::document();
    let documented: BTreeSet<String> = openapi::operations(&document).map(|(path, ..)| path.to_owned()).collect();
    assert_eq!(mounted(), documented);
}

#[test]
fn errors_and_security_are_described() {
    let document = openapi::document();
    assert!(document["openapi"].as_str().expect("a version").starts_with("3.1"));
    assert_eq!(document["components"]["securitySchemes"].as_object().map(serde_json::Map::len), Some(4));
    for (path, method, operation) in openapi::operations(&document) {
        let responses = operation["responses"].as_object().expect("responses");
        for (status, response) in responses.iter().filter(|(status, _)| status.as_str() >= "400") {
            let response = match response["$ref"].as_str() {
                Some(target) => document.pointer(target.trim_start_matches('#')).expect("a target"),
                None => response,
            };
            let content = response["content"].as_object().expect("content");
            let media_type =
                if path.starts_with("/api/admin/api-keys") { "application/json" } else { "application/problem+json" };
            assert!(content.contains_key(media_type) || path == "/ready", "{method} {path} {status}");
        }
        if operation["x-scope"] != "public" {
            assert!(responses.contains_key("401") && responses.contains_key("403"));
        }
        assert_eq!(responses.contains_key("429"), operation["x-limit"] != "none", "{method} {path}");
        if path.starts_with("/api/vanish/discord") {
            let target =
                format!("{} {}", method.to_uppercase(), path.replace("/api/vanish/discord", "/api/discord/vanish"));
            assert_eq!(operation["x-alias-of"], target);
            assert_eq!(operation["deprecated"], true);
        }
    }
}

#[test]
fn every_reference_in_the_document_has_a_target() {
    let document = openapi::document();
    let text = document.to_string();
    for part in text.split(r##""$ref":"#"##).skip(1) {
        let target = part.split('"').next().expect("a target");
        assert!(document.pointer(target).is_some(), "{target}");
    }
}

#[test]
fn the_pages_for_language_models_are_short_and_complete() {
    let document = openapi::document();
    let text = llms::text();
    assert!(text.len() <= 8192, "{}", text.len());
    assert!(text.starts_with("# Guildhall\n\n> "));
    let topics = llms::topics(&document);
    for (page, topic) in &topics {
        assert!(topic.len() <= 8192 && text.contains(&format!("(/llms/{page})")), "{page}: {}", topic.len());
    }
    // Other names of the same cost room and say nothing new, and pages are for people.
    for (path, method, operation) in openapi::operations(&document) {
        let endpoint = format!("`{} {path}`", method.to_uppercase());
        let is_told = operation.get("x-alias-of").is_none() && operation["tags"][0] != "meta";
        let told = topics.values().filter(|topic| topic.contains(&endpoint)).count();
        assert_eq!(told, usize::from(is_told), "{endpoint}");
    }
}

#[tokio::test]
async fn the_index_lists_everything() {
    let server = Server::start().await;
    let index = server.anonymous("GET", "/").await.json();
    assert_eq!(index["name"], "guildhall");
    assert_eq!(index["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(
        (index["documentation"].as_str(), index["openapi"].as_str()),
        (Some("/reference"), Some("/openapi.json"))
    );
    let endpoints = index["endpoints"].as_array().expect("endpoints");
    assert!(endpoints.iter().any(|endpoint| endpoint == "PATCH /api/discord/vanish/{channelId}/stats"));
}

#[tokio::test]
async fn the_type_of_an_error_leads_somewhere() {
    let server = Server::start().await;
    let problem = server.anonymous("GET", "/nowhere").await.json();
    let page = server.anonymous("GET", problem["type"].as_str().expect("a type")).await;
    assert_eq!(page.status, 200);
    assert!(page.body.contains("404"));
    for code in ["vanish.after_too_short", "slot.not_found"] {
        assert_eq!(server.anonymous("GET", &format!("/errors/{code}")).await.status, 200);
    }
    for code in ["nonsense", "vanish.", "vanish.A", "x.y", "%3Cb%3E"] {
        server.anonymous("GET", &format!("/errors/{code}")).await.problem(404, "not_found");
    }
}

#[tokio::test]
async fn the_reference_leads_to_no_other_origin() {
    let server = Server::start().await;
    let page = server.anonymous("GET", "/reference").await;
    let init = server.anonymous("GET", "/reference/init.js").await;
    for text in [&page.body, &init.body] {
        assert!(!text.contains("//www") && !text.contains("http:") && !text.contains("https:"));
        assert!(!text.contains("\"//") && !text.contains("'//"));
    }
    assert!(!page.body.contains("<script>"), "no inline script");
    for off in [
        "telemetry: false",
        "withDefaultFonts: false",
        "proxyUrl: \"\"",
        "agent: { disabled: true }",
        "mcp: { disabled: true }",
    ] {
        assert!(init.body.contains(off), "{off}");
    }
    let policy = page.header("content-security-policy");
    assert!(policy.contains("default-src 'none'") && policy.contains("script-src 'self';"));
    assert!(!policy.contains("http"));
    let script = server.anonymous("GET", "/reference/scalar.js").await;
    assert_eq!((script.status.as_u16(), script.header("content-type")), (200, "text/javascript; charset=utf-8"));
    assert!(script.body.contains("createApiReference"));
    let docs = server.anonymous("GET", "/docs").await;
    assert_eq!((docs.status.as_u16(), docs.header("location")), (308, "/reference"));
}

#[tokio::test]
async fn building_a_router_needs_no_server() {
    let (app, _folder) = app(HttpSettings::default()).await;
    let _ = crate::http::router(app);
}
