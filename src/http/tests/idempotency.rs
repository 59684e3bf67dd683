//! `Idempotency-Key` on routes made for the purpose; on real ones, and on both stores, it is a story.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use axum::{
    Extension,
    extract::State,
    response::{IntoResponse as _, Response},
};
use chrono::TimeDelta;
use entity::{guild, id::GuildId, idempotency_record};
use sea_orm::{EntityTrait as _, PaginatorTrait as _};
use serde_json::{Value, json};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Answer, Choice, KEY, Server, app_of};
use crate::{
    app::App,
    clock::Clock,
    domain::{Domain, testing},
    http::{
        HttpSettings, access::Table, auth::Caller, error::Problem, extract::Json, guard::Guard,
        idempotency::ContainsSecret, observe::Observe,
    },
};

/// How often a handler ran.
type Runs = Arc<AtomicU32>;

/// Adds a channel rule, so that there is an effect to count, and ends as the body says.
#[utoipa::path(post, path = "/effect", extensions(("x-scope" = json!("authenticated"))), responses((status = 200)))]
async fn effect(
    Caller(actor): Caller,
    State(domain): State<Domain>,
    Extension(runs): Extension<Runs>,
    Json(body): Json<Value>,
) -> Result<Response, Problem> {
    use crate::domain::vanish::{NewDuration, set_duration};
    let run = runs.fetch_add(1, Ordering::SeqCst) + 1;
    let channel = testing::channel(1_000 + u64::from(run));
    let new = NewDuration { channel_id: channel, guild_id: GuildId::new(42).expect("an id"), after_seconds: 60 };
    set_duration(&domain, &actor, new).await?;
    let answer = || axum::Json(json!({"run": run}));
    Ok(match body["end"].as_str().unwrap_or_default() {
        "panic" => panic!("on purpose"),
        "hang" => std::future::pending().await,
        "fault" => Problem::internal().into_response(),
        "busy" => axum::http::StatusCode::TOO_MANY_REQUESTS.into_response(),
        "refused" => Problem::not_found().into_response(),
        "secret" => {
            let mut response = answer().into_response();
            response.extensions_mut().insert(ContainsSecret { subject: "id-of-what-was-made".to_owned() });
            response
        }
        "large" => axum::Json(json!({"text": "x".repeat(65_536)})).into_response(),
        // Two writes at once, one of which nobody waits for.
        "abandon" => {
            let other = NewDuration {
                channel_id: testing::channel(9_000),
                guild_id: GuildId::new(42).expect("an id"),
                after_seconds: 60,
            };
            let write = set_duration(&domain, &actor, other);
            let _ = tokio::time::timeout(Duration::ZERO, write).await;
            answer().into_response()
        }
        _ => answer().into_response(),
    })
}

struct Place {
    server: Server,
    clock: Clock,
    runs: Runs,
}

impl Place {
    async fn new() -> Self {
        Self::with_timeout(Duration::from_secs(3)).await
    }

    async fn with_timeout(request_timeout: Duration) -> Self {
        let http = HttpSettings { request_timeout, ..HttpSettings::default() };
        let (app, clock, folder) = app_of(Choice { http, ..Choice::default() }).await;
        let (router, api) = OpenApiRouter::<App>::new().routes(routes!(effect)).split_for_parts();
        let runs = Runs::default();
        let router = router
            .layer(Extension(runs.clone()))
            .layer(Guard::new(app.clone(), Table::of(&api)))
            .layer(Observe::new(app.http().request_timeout))
            .with_state(app.clone());
        Self { server: Server::start_router(app, folder, router).await, clock, runs }
    }

    async fn send(&self, key: &str, idempotency_key: &str, body: Value) -> Answer {
        let request = self.server.request("POST", "/effect").header("x-api-key", key);
        self.server.send(request.header("idempotency-key", idempotency_key).json(&body)).await
    }

    async fn post(&self, key: &str, end: &str) -> Answer {
        self.send(KEY, key, json!({"end": end})).await
    }

    fn runs(&self) -> u32 {
        self.runs.load(Ordering::SeqCst)
    }

    async fn effects(&self) -> u64 {
        entity::vanish_rule::Entity::find().count(self.server.app.domain().store().reader()).await.expect("a count")
    }

    async fn records(&self) -> u64 {
        idempotency_record::Entity::find().count(self.server.app.domain().store().reader()).await.expect("a count")
    }
}

#[tokio::test]
async fn a_request_that_is_sent_again_has_its_effect_once() {
    let place = Place::new().await;
    let first = place.post("a", "").await;
    assert_eq!(
        (first.status.as_u16(), first.json(), first.header("idempotent-replayed")),
        (200, json!({"run": 1}), "")
    );
    let again = place.post("a", "").await;
    assert_eq!((again.status.as_u16(), again.body.as_str()), (200, first.body.as_str()));
    assert_eq!((again.header("idempotent-replayed"), again.header("content-type")), ("true", "application/json"));
    assert_eq!((place.runs(), place.effects().await), (1, 1));
    // In quotes it is the same key; another key, and none, are other requests.
    assert_eq!(place.post("\"a\"", "").await.json(), json!({"run": 1}));
    assert_eq!(place.post("b", "").await.json(), json!({"run": 2}));
    // Another spelling of the same JSON is the same body; another body is a mistake.
    let request = place.server.request("POST", "/effect").header("x-api-key", KEY).header("idempotency-key", "a");
    let spelt = request.header("content-type", "application/json").body("{ \"end\" : \"\" }");
    assert_eq!(place.server.send(spelt).await.json(), json!({"run": 1}));
    let other = place.send(KEY, "a", json!({"end": "", "more": 1})).await;
    other.problem(422, "idempotency.key_reused");
    let queried = place.server.request("POST", "/effect?x=1").header("x-api-key", KEY).header("idempotency-key", "a");
    place.server.send(queried.json(&json!({"end": ""}))).await.problem(422, "idempotency.key_reused");
    assert_eq!(place.runs(), 2);
}

#[tokio::test]
async fn a_key_belongs_to_who_sends_it_and_for_a_day() {
    let place = Place::new().await;
    let domain = place.server.app.domain();
    let mine = testing::keys::insert(domain, &["admin"], |_| {}).await;
    let theirs = testing::keys::insert(domain, &["admin"], |_| {}).await;
    for (secret, run) in [(KEY, 1), (mine.secret.as_str(), 2), (theirs.secret.as_str(), 3), (mine.secret.as_str(), 2)] {
        assert_eq!(place.send(secret, "a", json!({})).await.json(), json!({"run": run}));
    }
    place.clock.advance(TimeDelta::hours(24) - TimeDelta::milliseconds(1));
    assert_eq!(place.send(KEY, "a", json!({})).await.json(), json!({"run": 1}));
    place.clock.advance(TimeDelta::milliseconds(1));
    assert_eq!(place.send(KEY, "a", json!({})).await.json(), json!({"run": 4}), "a day is over");
    assert_eq!(place.records().await, 3);
    assert!(!crate::domain::idempotency::prune(domain).await.expect("pruned"));
    assert_eq!(place.records().await, 1, "old answers are forgotten, the new one is not");
}

/// What a second try would not change is remembered; what it might is undone and forgotten.
#[tokio::test]
async fn what_failed_is_undone_and_may_be_tried_again() {
    let place = Place::new().await;
    for (key, end, status) in [("f", "fault", 500), ("b", "busy", 429), ("p", "panic", 500), ("h", "hang", 503)] {
        let answer = place.post(key, end).await;
        assert_eq!(answer.status, status, "{end}: {}", answer.body);
        assert_eq!((place.effects().await, place.records().await), (0, 0), "{end} left something");
    }
    let runs = place.runs();
    assert_eq!(place.post("f", "fault").await.status, 500);
    assert_eq!(place.runs(), runs + 1, "it was tried again");
    // The writer lives on.
    assert_eq!(place.post("ok", "").await.status, 200);
    assert_eq!((place.effects().await, place.records().await), (1, 1));
}

#[tokio::test]
async fn refused_answers_are_remembered_word_for_word() {
    let place = Place::new().await;
    let first = place.post("r", "refused").await;
    first.problem(404, "not_found");
    let again = place.post("r", "refused").await;
    assert_eq!((again.status.as_u16(), &again.body), (404, &first.body));
    assert_eq!((again.header("content-type"), place.runs()), ("application/problem+json", 1));
    // A body that the handler refuses is as final.
    for _ in 0..2 {
        let request = place.server.request("POST", "/effect").header("x-api-key", KEY).header("idempotency-key", "bad");
        let answer = place.server.send(request.header("content-type", "application/json").body("{")).await;
        assert_eq!((answer.status.as_u16(), &answer.json()["code"]), (400, &json!("invalid_json")));
    }
    assert_eq!(place.records().await, 2);
}

#[tokio::test]
async fn secrets_and_large_answers_are_not_kept() {
    let place = Place::new().await;
    assert_eq!(place.post("s", "secret").await.json(), json!({"run": 1}));
    let again = place.post("s", "secret").await;
    let problem = again.problem(409, "idempotency.secret_already_shown");
    assert_eq!(problem["id"], "id-of-what-was-made");
    let first = place.post("l", "large").await;
    assert!(first.status == 200 && first.body.len() > 65_536);
    let again = place.post("l", "large").await;
    assert_eq!((again.status.as_u16(), again.body.as_str()), (200, ""));
    assert_eq!((again.header("idempotent-replayed"), place.runs()), ("true", 2));
}

/// On SQLite many writes share a commit: one that is undone, late, or abandoned takes no other one with it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_undone_takes_no_neighbour_with_it() {
    let place = Arc::new(Place::with_timeout(super::PATIENCE).await);
    let mut senders = tokio::task::JoinSet::new();
    for nth in 0..24_u64 {
        let place = place.clone();
        senders.spawn(async move {
            let end = ["hang", "fault", "panic", "refused", "", ""][usize::try_from(nth % 6).expect("small")];
            // One hangs; more would hold up the others for longer than a request may take.
            let end = if nth > 0 && end == "hang" { "busy" } else { end };
            if nth % 6 == 5 {
                let body = json!({"channelId": (5_000 + nth).to_string(), "guildId": "42", "duration": 60});
                let new = crate::domain::vanish::NewDuration {
                    channel_id: testing::channel(5_000 + nth),
                    guild_id: GuildId::new(42).expect("an id"),
                    after_seconds: 60,
                };
                let done = crate::domain::vanish::set_duration(place.server.app.domain(), &testing::root(), new).await;
                assert!(done.is_ok(), "{body}");
                return true;
            }
            place.post(&nth.to_string(), end).await.status == 200
        });
    }
    let kept = senders.join_all().await.into_iter().filter(|kept| *kept).count();
    assert_eq!(kept, 8);
    // Refused answers are remembered, and so is what their handler had written before.
    assert_eq!((place.effects().await, place.records().await), (8 + 4, 4 + 4));
}

#[tokio::test]
async fn a_write_that_nobody_waits_for_is_carried_out() {
    let place = Place::new().await;
    assert_eq!(place.post("x", "abandon").await.status, 200);
    assert_eq!((place.effects().await, place.records().await), (2, 1));
    assert_eq!(guild::Entity::find().count(place.server.app.domain().store().reader()).await.expect("a count"), 1);
}

/// A body may hold what is short enough to be guessed: whoever reads the store alone cannot try guesses on its digest.
#[tokio::test]
async fn records_hold_no_digest_that_can_be_guessed() {
    use sha2::{Digest as _, Sha256};
    let place = Place::new().await;
    let body = r#"{"end":"","password":"hunter2"}"#;
    let request = place.server.request("POST", "/effect").header("x-api-key", KEY).header("idempotency-key", "a");
    let request = request.header("content-type", "application/json").body(body);
    assert_eq!(place.server.send(request).await.status, 200);
    let records = idempotency_record::Entity::find().all(place.server.app.domain().store().reader()).await;
    let record = records.expect("a read").pop().expect("a record");
    // Every way to hash what is known to everybody: kind, length of the query, body.
    let guess = Sha256::new().chain_update(b"j").chain_update(0_u64.to_be_bytes()).chain_update(body).finalize();
    for known in [guess.to_vec(), Sha256::digest(body).to_vec(), Sha256::digest(guess).to_vec()] {
        assert_ne!(record.fingerprint, known);
    }
}

#[tokio::test]
async fn keys_have_a_form() {
    let place = Place::new().await;
    let long = "k".repeat(255);
    for key in ["k", &long, "\"q\"", r#""with-\"quotes\"-and-\\""#, "!#$%&'()*+,-./:;<=>?@[]^_`{|}~"] {
        assert_eq!(place.post(key, "").await.status, 200, "{key}");
    }
    let longer = "k".repeat(256);
    for key in ["", "\"\"", &longer, "a b", "é", "\"open", "\"a\"b", r#""bad \escape""#, "\""] {
        place.post(key, "").await.problem(422, "idempotency.invalid_key");
    }
    let twice = place.server.request("POST", "/effect").header("x-api-key", KEY);
    let twice = twice.header("idempotency-key", "a").header("idempotency-key", "a").json(&json!({}));
    place.server.send(twice).await.problem(422, "idempotency.invalid_key");
    // Strangers have no name: the header is ignored, and they are refused for what they lack.
    let request = place.server.request("POST", "/effect").header("idempotency-key", "");
    assert_eq!(place.server.send(request.json(&json!({}))).await.status, 401);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn duplicates_at_once_have_one_effect() {
    let place = Arc::new(Place::new().await);
    let mut senders = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let place = place.clone();
        senders.spawn(async move { place.post("same", "").await });
    }
    let answers = senders.join_all().await;
    for answer in &answers {
        match answer.status.as_u16() {
            200 => assert_eq!(answer.json(), json!({"run": 1})),
            409 => {
                answer.problem(409, "idempotency.running");
                assert_eq!(answer.header("retry-after"), "1");
            }
            other => panic!("{other}: {}", answer.body),
        }
    }
    let fresh = answers.iter().filter(|answer| answer.status == 200 && answer.header("idempotent-replayed").is_empty());
    assert_eq!((fresh.count(), place.effects().await, place.runs()), (1, 1, 1));
}
