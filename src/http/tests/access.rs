//! Every word of `x-scope`, on routes made for the purpose.

use axum::{Extension, Json};
use serde_json::{Value, json};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Answer, Choice, KEY, Server, app_of};
use crate::{
    app::App,
    domain::{sign_in, testing, user},
    http::{
        access::Table,
        auth::{Caller, Known, OptionalCaller},
        guard::Guard,
        observe::Observe,
        throttle::Allowance,
    },
    limits::Settings,
};

#[utoipa::path(post, path = "/public", extensions(("x-scope" = json!("public"))), responses((status = 200)))]
async fn public(OptionalCaller(caller): OptionalCaller) -> Json<Value> {
    Json(json!({"caller": caller.map(|actor| actor.to_string())}))
}

#[utoipa::path(get, path = "/optional", extensions(("x-scope" = json!("optional"))), responses((status = 200)))]
async fn optional(OptionalCaller(caller): OptionalCaller) -> Json<Value> {
    Json(json!({"caller": caller.map(|actor| actor.to_string())}))
}

#[utoipa::path(get, path = "/any", extensions(("x-scope" = json!("authenticated"))), responses((status = 200)))]
async fn any(Caller(actor): Caller) -> Json<Value> {
    Json(json!({"caller": actor.to_string()}))
}

#[utoipa::path(get, path = "/key", extensions(("x-scope" = json!("key"))), responses((status = 200)))]
async fn key(Known(principal): Known) -> Json<Value> {
    Json(json!({"clientName": principal.client_name(), "allowedOrigins": principal.allowed_origins()}))
}

#[utoipa::path(get, path = "/user", extensions(("x-scope" = json!("user"))), responses((status = 200)))]
async fn person(Known(principal): Known) -> Json<Value> {
    Json(json!({
        "session": principal.signed_in().map(|signed_in| signed_in.claims.sid),
        "clientName": principal.client_name(),
    }))
}

#[utoipa::path(get, path = "/left", extensions(("x-scope" = json!("admin"))), responses((status = 200)))]
async fn left(allowance: Option<Extension<Allowance>>) -> Json<Value> {
    Json(json!({"rateLimit": allowance.map(|Extension(allowance)| allowance)}))
}

#[utoipa::path(get, path = "/nonsense", extensions(("x-scope" = json!("nonsense"))), responses((status = 200)))]
async fn nonsense() {}

struct Place {
    server: Server,
    app: App,
}

impl Place {
    async fn with(choice: Choice) -> Self {
        let (app, _, folder) = app_of(choice).await;
        let router = OpenApiRouter::<App>::new().routes(routes!(public)).routes(routes!(optional)).routes(routes!(any));
        let router = router.routes(routes!(key)).routes(routes!(person)).routes(routes!(left));
        let (router, api) = router.routes(routes!(nonsense)).split_for_parts();
        let router = router
            .layer(Guard::new(app.clone(), Table::of(&api)))
            .layer(Observe::new(app.http().request_timeout))
            .with_state(app.clone());
        Self { server: Server::start_router(app.clone(), folder, router).await, app }
    }

    async fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
        let request = self.server.request(method, path);
        self.server.send(headers.iter().fold(request, |request, (name, value)| request.header(*name, *value))).await
    }

    async fn token(&self, role: entity::user::Role) -> String {
        let new = user::NewUser { role, discord_user_id: None };
        let row = user::create(self.app.domain(), &testing::root(), new).await.expect("a user");
        let token =
            sign_in::issue_access_token(self.app.domain(), &testing::root(), row.id, 900, None).await.expect("a token");
        format!("Bearer {}", token.expose())
    }
}

#[tokio::test]
async fn each_word_lets_in_whom_it_names() {
    let place = Place::with(Choice::default()).await;
    let stored = testing::keys::insert(place.app.domain(), &[], |row| {
        row.client_name = Some("panel".to_owned());
        row.allowed_origins = json!(["panel.example"]);
    })
    .await;
    let bound = testing::keys::insert(place.app.domain(), &["admin"], |row| {
        row.guild_id = entity::id::GuildId::new(42);
    })
    .await;
    let token = place.token(entity::user::Role::Member).await;
    let shown: [(&str, Vec<(&str, &str)>); 7] = [
        ("nothing", vec![]),
        ("root", vec![("x-api-key", KEY)]),
        ("key", vec![("x-api-key", &stored.secret)]),
        ("bound key", vec![("x-api-key", &bound.secret)]),
        ("token", vec![("authorization", &token)]),
        ("both", vec![("authorization", &token), ("x-api-key", &stored.secret)]),
        ("bad", vec![("authorization", "Bearer expired")]),
    ];
    let columns = [
        ("POST", "/public", [200, 200, 200, 200, 200, 200, 200]),
        ("GET", "/optional", [200, 200, 200, 403, 200, 200, 401]),
        ("GET", "/any", [401, 200, 200, 403, 200, 200, 401]),
        ("GET", "/key", [401, 200, 200, 403, 401, 200, 401]),
        ("GET", "/user", [401, 401, 401, 401, 200, 200, 401]),
        ("GET", "/nonsense", [405, 405, 405, 405, 405, 405, 405]),
    ];
    for (method, path, statuses) in columns {
        for ((kind, headers), status) in shown.iter().zip(statuses) {
            let answer = place.ask(method, path, headers).await;
            assert_eq!(answer.status, status, "{path} with {kind}: {}", answer.body);
        }
    }
    for (path, text) in [
        ("/any", "Authentication required. Provide either Bearer token or API key"),
        ("/key", "API key required"),
        ("/user", "Not authenticated"),
    ] {
        assert_eq!(place.ask("GET", path, &[]).await.json()["error"], text);
    }
    let both = &shown[5].1;
    let signed_in = place.ask("GET", "/user", both).await.json();
    assert_eq!((&signed_in["clientName"], signed_in["session"].is_string()), (&json!("panel"), true), "{signed_in}");
    let key = place.ask("GET", "/key", both).await.json();
    assert_eq!(key, json!({"clientName": "panel", "allowedOrigins": ["panel.example"]}));
    let caller = place.ask("GET", "/optional", both).await.json();
    assert!(caller["caller"].as_str().is_some_and(|caller| caller.starts_with("user:")), "{caller}");
}

/// What is left is also there for handlers that tell it in their answer.
#[tokio::test]
async fn handlers_learn_what_is_left() {
    let limits = Settings { admin_per_minute: 10, ..Settings::lifted() };
    let place = Place::with(Choice { limits, ..Choice::default() }).await;
    let now = place.app.domain().now().timestamp_millis();
    let admin = testing::keys::insert(place.app.domain(), &["admin"], |_| {}).await;
    let answer = place.ask("GET", "/left", &[("x-api-key", &admin.secret)]).await;
    assert_eq!(answer.json(), json!({"rateLimit": {"remaining": 9, "resetAt": now + 6_000}}));
    let lifted = place.ask("GET", "/left", &[("x-api-key", KEY)]).await;
    assert_eq!(lifted.json(), json!({"rateLimit": null}));
}
