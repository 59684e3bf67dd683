//! Signing in when many act at once, and in two processes.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use entity::refresh_token;
use sea_orm::{ColumnTrait as _, EntityTrait as _, PaginatorTrait as _, QueryFilter as _};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::{LIFTED, domain, kinds, me, panel, post, refresh, verify, wallet::Wallet};
use crate::{
    harness::{Answer, Bot, Database, answer, pause},
    on_both_stores,
};

/// Until then another process has heard of a change.
const HEARD_MAX: Duration = Duration::from_secs(1);

on_both_stores! {
    with LIFTED;
    /// D26 and the peer's defect 13: of twenty uses of one token at once comes one next token, and it works.
    async fn twenty_refreshes_leave_one_live_token(bot: Bot) {
        let key = panel(&bot).await;
        let first = verify(&bot, &key, &Wallet::of(1), "abcdefgh").await.body;
        let bot = Arc::new(bot);
        let mut tasks = JoinSet::new();
        for _ in 0..20 {
            let (bot, token) = (bot.clone(), first["refreshToken"].clone());
            tasks.spawn(async move { refresh(&bot, &token).await });
        }
        let answers = tasks.join_all().await;
        assert!(answers.iter().all(|answer| answer.status == 200), "{answers:?}");
        let next = &answers[0].body["refreshToken"];
        assert!(answers.iter().all(|answer| answer.body["refreshToken"] == *next), "all of them are the same");
        let live = refresh_token::Entity::find()
            .filter(refresh_token::Column::UsedAt.is_null())
            .count(domain(&bot).store().reader())
            .await
            .expect("a count");
        assert_eq!(live, 1);
        assert_eq!(refresh(&bot, next).await.status, 200);
        assert!(!kinds(&bot).await.contains(&"session.reuse_detected".to_owned()));
        Arc::into_inner(bot).expect("the callers are gone").finish().await;
    }

    /// Of ten uses of one signed message at once exactly one signs in.
    async fn one_of_ten_signs_in(bot: Bot) {
        let key = panel(&bot).await;
        let nonce = post(&bot, "/api/auth/nonce", None, &json!({})).await.body["nonce"].clone();
        let bot = Arc::new(bot);
        for nonce in [nonce.as_str().expect("a nonce"), "clientmade"] {
            let mut tasks = JoinSet::new();
            for _ in 0..10 {
                let (bot, key, nonce) = (bot.clone(), key.clone(), nonce.to_owned());
                tasks.spawn(async move { verify(&bot, &key, &Wallet::of(1), &nonce).await.status });
            }
            let mut statuses = tasks.join_all().await;
            statuses.sort_unstable();
            assert_eq!(statuses, [&[200][..], &[401; 9]].concat());
        }
        Arc::into_inner(bot).expect("the callers are gone").finish().await;
    }

    /// Of ten people with one address exactly one registers.
    async fn one_of_ten_registers(bot: Bot) {
        let bot = Arc::new(bot);
        let mut tasks = JoinSet::new();
        for nth in 0..6 {
            let bot = bot.clone();
            let body = json!({"email": "ada@example.org", "password": format!("correct horse {nth}")});
            tasks.spawn(async move { post(&bot, "/v1/auth/register", None, &body).await.status });
        }
        let mut statuses = tasks.join_all().await;
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 409, 409, 409, 409, 409]);
        Arc::into_inner(bot).expect("the callers are gone").finish().await;
    }
}

async fn to(base: &str, path: &str, key: Option<&str>, body: &Value) -> Answer {
    let request = reqwest::Client::new().post(format!("{base}{path}")).json(body);
    answer(key.iter().fold(request, |request, key| request.header("X-API-Key", *key)).send()).await
}

/// Two processes on one PostgreSQL: a nonce is burnt once by both, and what ends in one has ended in the other.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_act_as_one() {
    let Some(bot) = Bot::start_with(Database::Postgres, LIFTED).await else { return };
    let other = bot.start_beside().await;
    let bases = [bot.url(""), format!("http://{}", other.started.address)];
    let key = panel(&bot).await;
    let wallet = Wallet::of(1);
    for round in 0..5 {
        let nonce = to(&bases[round % 2], "/api/auth/nonce", None, &json!({})).await.body["nonce"].clone();
        for nonce in [nonce.as_str().expect("a nonce").to_owned(), format!("clientmade{round}")] {
            let body = wallet.signed(&nonce, bot.clock().now());
            let mut tasks = JoinSet::new();
            for nth in 0..6 {
                let (base, key, body) = (bases[nth % 2].clone(), key.clone(), body.clone());
                tasks.spawn(async move { to(&base, "/api/auth/verify", Some(&key), &body).await.status });
            }
            let mut statuses = tasks.join_all().await;
            statuses.sort_unstable();
            assert_eq!(statuses, [200, 401, 401, 401, 401, 401], "round {round}");
        }
    }
    // Refreshed by both at once, it is one token.
    let tokens = verify(&bot, &key, &wallet, "abcdefgh").await.body;
    let mut tasks = JoinSet::new();
    for nth in 0..10 {
        let (base, body) = (bases[nth % 2].clone(), json!({"refreshToken": tokens["refreshToken"]}));
        tasks.spawn(async move { to(&base, "/api/auth/refresh", None, &body).await });
    }
    let answers = tasks.join_all().await;
    assert!(answers.iter().all(|answer| answer.body["refreshToken"] == answers[0].body["refreshToken"]), "{answers:?}");
    let next = answers[0].body.clone();
    // The other process has copied the session before it ends here.
    let seen_there = async || {
        let token = next["accessToken"].as_str().expect("a token");
        answer(reqwest::Client::new().get(format!("{}/api/auth/me", bases[1])).bearer_auth(token).send()).await.status
    };
    assert_eq!(seen_there().await, 200);
    let token = next["accessToken"].as_str().expect("a token");
    let out = answer(bot.client().post(bot.url("/api/auth/revoke")).bearer_auth(token).send()).await;
    assert_eq!(out.status, 200);
    assert_eq!(me(&bot, &next).await.status, 401, "at once where it ended");
    let ended = Instant::now();
    while seen_there().await != 401 {
        assert!(ended.elapsed() < 4 * HEARD_MAX, "the other process has not heard of it");
        pause(Duration::from_millis(10)).await;
    }
    assert!(other.stop().await);
    bot.finish().await;
}
