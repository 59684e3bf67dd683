//! How often callers may call, over sockets. The clock stands, so that nothing comes back by itself.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{Answer, Choice, KEY, Server};
use crate::{domain::testing, http::HttpSettings, limits::Settings};

const PATH: &str = "/api/discord/vanish";
const QUOTA_EXCEEDED: &str = "https://iana.org/assignments/http-problem-types#quota-exceeded";

/// The figures of the contract.
fn figures() -> Settings {
    Settings {
        root_per_minute: 1000,
        admin_per_minute: 1000,
        key_per_minute: 100,
        user_per_minute: 60,
        user_writes_per_minute: 20,
        anonymous_per_minute: 20,
        documents_per_minute: 600,
        ..Settings::lifted()
    }
}

async fn limited(limits: Settings) -> (Server, crate::clock::Clock) {
    Server::start_as(Choice { limits, ..Choice::default() }).await
}

fn assert_refused(answer: &Answer, policy: &str, seconds: u64) {
    assert_eq!(answer.status, 429, "{}", answer.body);
    assert_eq!(answer.header("retry-after"), seconds.to_string());
    let problem = answer.json();
    assert_eq!((&problem["type"], &problem["code"]), (&json!(QUOTA_EXCEEDED), &json!("rate_limited")));
    assert_eq!((&problem["status"], &problem["violated-policies"]), (&json!(429), &json!([policy])));
    assert_eq!((&problem["retry_after"], &problem["retryAfter"]), (&json!(seconds), &json!(seconds)));
    assert_eq!(problem["error"], problem["detail"]);
    assert_eq!(answer.header("x-ratelimit-remaining"), "0");
}

/// D09: of two hundred calls at once exactly the limit is served, and who waits as told is admitted.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn exactly_the_limit_of_a_burst_is_served() {
    let (server, clock) = limited(Settings { key_per_minute: 50, ..Settings::lifted() }).await;
    let key = testing::keys::insert(server.app.domain(), &["read"], |_| {}).await;
    let server = Arc::new(server);
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..200 {
        let (server, secret) = (server.clone(), key.secret.clone());
        calls.spawn(async move { server.call_with(&secret, "GET", PATH).await });
    }
    let answers = calls.join_all().await;
    let (admitted, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 200);
    assert_eq!((admitted.len(), refused.len()), (50, 150));
    // 60 s / 50 is 1.2 s, told in whole seconds.
    for answer in refused {
        assert_refused(answer, "key", 2);
    }
    clock.advance(TimeDelta::seconds(2));
    assert_eq!(server.call_with(&key.secret, "GET", PATH).await.status, 200);
    assert_eq!(server.call_with(&key.secret, "GET", PATH).await.status, 429);
}

#[tokio::test]
async fn answers_say_how_many_are_left() {
    let (server, _clock) = limited(figures()).await;
    let now = server.app.domain().now().timestamp();
    let key = testing::keys::insert(server.app.domain(), &["read"], |_| {}).await;
    server.call_with(&key.secret, "GET", PATH).await;
    let answer = server.call_with(&key.secret, "GET", PATH).await;
    assert_eq!((answer.header("x-ratelimit-limit"), answer.header("x-ratelimit-remaining")), ("100", "98"));
    assert_eq!(answer.header("x-ratelimit-reset"), (now + 2).to_string(), "two requests come back in 1.2 s");
    assert_eq!(answer.header("ratelimit-policy"), r#""key";q=100;w=60"#);
    assert_eq!(answer.header("ratelimit"), r#""key";r=98;t=2"#);
    for (path, policy) in [
        ("/ready", r#""documents";q=600;w=60"#),
        ("/openapi.json", r#""documents";q=600;w=60"#),
        ("/", r#""documents";q=600;w=60"#),
        ("/errors/not_found", r#""documents";q=600;w=60"#),
        ("/nowhere", r#""anonymous";q=20;w=60"#),
        (PATH, r#""anonymous";q=20;w=60"#),
        ("/health", ""),
    ] {
        assert_eq!(server.anonymous("GET", path).await.header("ratelimit-policy"), policy, "{path}");
    }
    assert_eq!(server.call("GET", PATH).await.header("ratelimit-policy"), r#""root";q=1000;w=60"#);
    let admin = testing::keys::insert(server.app.domain(), &["admin"], |_| {}).await;
    let answer = server.call_with(&admin.secret, "GET", PATH).await;
    assert_eq!(answer.header("ratelimit-policy"), r#""admin";q=1000;w=60"#);
}

#[tokio::test]
async fn limits_of_a_key_count_together_and_change_while_it_is_used() {
    let (server, _clock) = limited(figures()).await;
    let own = |limit: u32| json!([{"name": "default", "limit": limit, "windowMs": 60_000}, {"name": "daily", "limit": 1000, "windowMs": 86_400_000}]);
    let key = testing::keys::insert(server.app.domain(), &["read"], |row| row.rate_limits = own(5)).await;
    let count = async || {
        let mut admitted = 0;
        for _ in 0..10 {
            admitted += usize::from(server.call_with(&key.secret, "GET", PATH).await.status == 200);
        }
        admitted
    };
    assert_eq!(count().await, 5);
    let answer = server.call_with(&key.secret, "GET", PATH).await;
    assert_refused(&answer, "default", 12);
    assert_eq!(answer.header("ratelimit-policy"), r#""default";q=5;w=60, "daily";q=1000;w=86400"#);
    assert!(answer.header("ratelimit").contains(r#""daily";r=995;"#), "{}", answer.header("ratelimit"));
    testing::keys::change(server.app.domain(), key.id, |row| row.rate_limits = own(8)).await;
    assert_eq!(count().await, 3, "what was used stays used");
}

/// The root key's limit is a setting, and 0 lifts it.
#[tokio::test]
async fn the_root_keys_limit_can_be_lifted() {
    let (server, _clock) = limited(Settings { root_per_minute: 3, ..Settings::lifted() }).await;
    let statuses = async |server: &Server| {
        let mut statuses = Vec::new();
        for _ in 0..5 {
            statuses.push(server.call("GET", PATH).await.status.as_u16());
        }
        statuses
    };
    assert_eq!(statuses(&server).await, [200, 200, 200, 429, 429]);
    let (server, _clock) = limited(Settings { root_per_minute: 0, ..figures() }).await;
    assert_eq!(statuses(&server).await, [200; 5]);
    assert_eq!(server.call("GET", PATH).await.header("ratelimit"), "");
}

/// D11: without a trusted proxy no header gives a stranger more; behind one each client has a count of its own.
#[tokio::test]
async fn a_stranger_cannot_get_more_by_naming_addresses() {
    let (server, _clock) = limited(figures()).await;
    let ask = async |server: &Server, nth: u32| {
        let address = format!("198.51.{}.{}", nth / 250, nth % 250);
        let request = server
            .request("GET", PATH)
            .header("x-forwarded-for", &address)
            .header("x-real-ip", &address)
            .header("forwarded", format!("for={address}"));
        server.send(request).await.status.as_u16()
    };
    let mut answered = 0;
    for nth in 0..1_000 {
        answered += u32::from(ask(&server, nth).await == 401);
    }
    assert_eq!(answered, 20);

    let trusted_proxies = vec!["127.0.0.1/32".parse().expect("a network")];
    let http = HttpSettings { trusted_proxies, ..HttpSettings::default() };
    let (server, _clock) = Server::start_as(Choice { http, limits: figures(), ..Choice::default() }).await;
    let ask = async |forwarded: &str| {
        server.send(server.request("GET", PATH).header("x-forwarded-for", forwarded)).await.status.as_u16()
    };
    for nth in 0..20 {
        assert_eq!(ask(&format!("192.0.2.{nth}, 203.0.113.9")).await, 401, "the left-most is the client's word");
    }
    assert_eq!(ask("192.0.2.99, 203.0.113.9").await, 429);
    assert_eq!(ask("203.0.113.10").await, 401);
    // One household: a /64.
    for nth in 0..20 {
        assert_eq!(ask(&format!("2001:db8::{nth}")).await, 401);
    }
    assert_eq!((ask("2001:db8::ffff:1").await, ask("2001:db8:0:1::1").await), (429, 401));
    for nth in 0..20 {
        assert_eq!(ask(&format!("garbage-{nth}")).await, 401, "garbage counts on the proxy");
    }
    assert_eq!(ask("garbage-again").await, 429);
}

/// D12: who guesses is stopped, and a valid client behind the same address is not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_guesses_keys_is_stopped_and_harms_nobody() {
    let (server, _clock) = limited(figures()).await;
    let key = testing::keys::insert(server.app.domain(), &["read"], |_| {}).await;
    let mut refused = [0, 0];
    for nth in 0..2_000_u32 {
        let guess = if nth % 2 == 0 {
            format!("guess-{nth:08}")
        } else {
            crate::domain::api_key::format::mint(crate::domain::api_key::format::Shape::Live).secret.expose().to_owned()
        };
        match server.call_with(&guess, "GET", PATH).await.status.as_u16() {
            401 => refused[0] += 1,
            429 => refused[1] += 1,
            other => panic!("a guess was answered {other}"),
        }
        if nth % 25 == 0 {
            assert_eq!(server.call_with(&key.secret, "GET", PATH).await.status, 200);
        }
    }
    assert_eq!(refused, [20, 1_980]);
    assert!(server.app.limits().callers() <= 2, "{}", server.app.limits().callers());
    let token = server.request("GET", PATH).header("authorization", "Bearer guessed");
    assert_eq!(server.send(token).await.status, 429, "tokens are guesses too");
    assert_eq!(server.call("GET", PATH).await.status, 200);
}

/// A stranger who is refused is refused before the body is read, and the same goes for limits.
#[tokio::test]
async fn a_limit_is_decided_before_the_body() {
    let (server, _clock) = limited(Settings { root_per_minute: 1, ..Settings::lifted() }).await;
    assert_eq!(server.call("GET", PATH).await.status, 200);
    let mut socket = server.socket().await;
    let head = format!(
        "POST {PATH} HTTP/1.1\r\nhost: x\r\nx-api-key: {KEY}\r\ncontent-type: application/json\r\ncontent-length: 60000\r\n\r\n{{"
    );
    super::write(&mut socket, head).await;
    let answer = super::read_to_end(&mut socket).await;
    assert!(answer.starts_with("HTTP/1.1 429 "), "{answer}");
}

/// The rest of an answer's shape is tested with the limiter; here, that figures are kept.
#[tokio::test]
async fn decisions_are_counted() {
    let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
    let _guard = metrics::set_default_local_recorder(&recorder);
    let (server, clock) = limited(Settings { anonymous_per_minute: 1, ..figures() }).await;
    let key = testing::keys::insert(server.app.domain(), &["read"], |_| {}).await;
    server.call_with(&key.secret, "GET", PATH).await;
    server.call_with("wrong-key", "GET", PATH).await;
    server.call_with("wrong-key", "GET", PATH).await;
    server.call("GET", PATH).await;
    server.app.limits().sweep();
    let text = recorder.handle().render();
    for line in [
        r#"auth_decisions_total{kind="key",outcome="accepted"} 1"#,
        r#"auth_decisions_total{kind="key",outcome="refused"} 2"#,
        r#"auth_decisions_total{kind="root",outcome="accepted"} 1"#,
        r#"ratelimit_decisions_total{policy="key",outcome="admitted"} 1"#,
        r#"ratelimit_decisions_total{policy="anonymous",outcome="admitted"} 1"#,
        r#"ratelimit_decisions_total{policy="anonymous",outcome="refused"} 1"#,
        r#"ratelimit_callers{population="known"} 2"#,
        r#"ratelimit_callers{population="strangers"} 1"#,
    ] {
        assert!(text.contains(line), "{line} is missing in {text}");
    }
    assert!(!text.contains("wrong-key") && !text.contains(&key.id.to_string()), "{text}");
    clock.advance(TimeDelta::from_std(Duration::from_mins(2)).expect("two minutes"));
    server.app.limits().sweep();
    assert!(recorder.handle().render().contains(r#"ratelimit_callers{population="known"} 0"#));
}

/// Several limits of one caller: reads and changes of a person.
#[tokio::test]
async fn changes_of_people_have_a_limit_of_their_own() {
    use crate::domain::{sign_in, user};
    let (server, _clock) = limited(figures()).await;
    let domain = server.app.domain();
    let new = user::NewUser { role: entity::user::Role::Admin, discord_user_id: None };
    let row = user::create(domain, &testing::root(), new).await.expect("a user");
    let token = sign_in::issue_access_token(domain, &testing::root(), row.id, 900, None).await.expect("a token");
    let bearer = format!("Bearer {}", token.expose());
    let mut last = None;
    for nth in 0..21 {
        let request = server.request("DELETE", &format!("{PATH}/1")).header("authorization", &bearer);
        let answer = server.send(request).await;
        assert_eq!(answer.status, if nth < 20 { 200 } else { 429 });
        last = Some(answer);
    }
    let last = last.expect("the last answer");
    assert_refused(&last, "write", 3);
    assert_eq!(last.header("ratelimit-policy"), r#""user";q=60;w=60, "write";q=20;w=60"#);
    assert_eq!(last.header("ratelimit"), r#""user";r=40;t=20, "write";r=0;t=60"#);
    // A key beside the token says which program calls, and its limit counts.
    let key = testing::keys::insert(domain, &[], |_| {}).await;
    let both = server.request("GET", PATH).header("authorization", &bearer).header("x-api-key", &key.secret);
    let both = server.send(both).await;
    assert_eq!((both.status.as_u16(), both.header("ratelimit-policy")), (200, r#""key";q=100;w=60"#));
    let body: Value = both.json();
    assert!(body.is_array());
}
