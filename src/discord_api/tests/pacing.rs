//! Buckets, lanes and what a 429 does.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use axum::http::StatusCode;
use serde_json::json;

use super::{
    api, api_with, channel, message,
    server::{Limits, Server, answer, limited},
};
use crate::discord_api::{DiscordApi, Error, Lane};

async fn delete(api: &DiscordApi, in_channel: u64, id: u64, lane: Lane) -> Result<(), Error> {
    api.delete_message(channel(in_channel), message(id), false, None, lane).await
}

async fn limited_server(limits: &Arc<Limits>) -> Server {
    let limits = Arc::clone(limits);
    Server::start(move |request| limits.reply(request)).await
}

#[tokio::test]
async fn one_channel_runs_at_the_pace_its_headers_teach() {
    let limits = Limits::new(5, Duration::from_millis(400), 50);
    let server = limited_server(&limits).await;
    let api = api(&server);
    let started = Instant::now();
    for id in 1..=40 {
        delete(&api, 5, id, Lane::Normal).await.unwrap();
    }
    assert!(limits.limited() <= 1, "{} answers 429", limits.limited());
    // Ideal: seven resets of 400 ms.
    assert!(started.elapsed() < Duration::from_millis(4 * 2_800), "{:?}", started.elapsed());
}

#[tokio::test]
async fn many_calls_into_one_channel_keep_to_its_bucket() {
    let limits = Limits::new(5, Duration::from_millis(200), 50);
    let server = limited_server(&limits).await;
    let api = api(&server);
    let calls = (1..=30).map(|id| delete(&api, 5, id, Lane::Normal));
    let results = futures_util::future::join_all(calls).await;
    assert!(results.iter().all(Result::is_ok));
    assert!(limits.limited() <= 1, "{} answers 429", limits.limited());
}

#[tokio::test]
async fn a_purge_over_many_channels_stays_under_the_global_limit() {
    let limits = Limits::new(5, Duration::from_secs(1), 50);
    let server = limited_server(&limits).await;
    let api = api(&server);
    let started = Instant::now();
    let calls = (1..=120).map(|id| delete(&api, id, 1, Lane::Normal));
    let results = futures_util::future::join_all(calls).await;
    assert!(results.iter().all(Result::is_ok));
    assert!(limits.limited() <= 5, "{} answers 429", limits.limited());
    // 40 a second from a burst of 5.
    assert!(started.elapsed() < Duration::from_secs(4 * 3), "{:?}", started.elapsed());
}

#[tokio::test]
async fn a_person_does_not_wait_behind_a_sweep() {
    let server = Server::start(|_| answer(StatusCode::OK, &json!([]))).await;
    let api = api_with(&server, |settings| settings.requests_per_second = 20);
    let sweep = tokio::spawn({
        let api = api.clone();
        async move {
            let pages = (1..=200).map(|id| api.messages_before(channel(id), None, 100, Lane::Normal));
            futures_util::future::join_all(pages).await
        }
    });
    while server.count() < 6 {
        tokio::task::yield_now().await;
    }
    let started = Instant::now();
    // Channel 150 is one whose sweep stands in line, holding a place in the bucket that the person needs.
    api.messages_before(channel(150), None, 100, Lane::Interactive).await.unwrap();
    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
    assert!(server.count() < 100);
    sweep.abort();
}

#[tokio::test]
async fn background_work_is_slow_and_interaction_answers_are_not_paced() {
    let server = Server::start(|_| answer(StatusCode::NO_CONTENT, &json!(null))).await;
    let api = api_with(&server, |settings| settings.requests_per_second = 2);
    let started = Instant::now();
    let answers = (1..=50).map(|id| {
        let api = api.clone();
        async move { api.answer(id, "t", json!({ "type": 5 })).await }
    });
    assert!(futures_util::future::join_all(answers).await.iter().all(Result::is_ok));
    assert!(started.elapsed() < Duration::from_secs(5));
    let api = api_with(&server, |settings| settings.background_per_second = 5);
    let started = Instant::now();
    for id in 1..=4 {
        delete(&api, id, id, Lane::Background).await.unwrap();
    }
    assert!(started.elapsed() >= Duration::from_millis(590), "{:?}", started.elapsed());
}

#[tokio::test]
async fn retry_after_is_obeyed() {
    let calls = AtomicUsize::new(0);
    let server = Server::start(move |_| match calls.fetch_add(1, Ordering::SeqCst) {
        0 => limited("user", Duration::from_millis(700)),
        _ => answer(StatusCode::NO_CONTENT, &json!(null)),
    })
    .await;
    delete(&api(&server), 5, 6, Lane::Normal).await.unwrap();
    let seen = server.seen();
    assert_eq!(seen.len(), 2);
    assert!(seen[1].at - seen[0].at >= Duration::from_millis(690));
}

#[tokio::test]
async fn a_global_429_stops_every_lane_but_interaction_answers() {
    let calls = AtomicUsize::new(0);
    let server = Server::start(move |request| {
        let is_first = !request.path.contains("callback") && calls.fetch_add(1, Ordering::SeqCst) == 0;
        if is_first {
            limited("global", Duration::from_millis(900))
        } else {
            answer(StatusCode::NO_CONTENT, &json!(null))
        }
    })
    .await;
    let api = api(&server);
    let first = tokio::spawn({
        let api = api.clone();
        async move { delete(&api, 5, 6, Lane::Normal).await }
    });
    while server.count() == 0 {
        tokio::task::yield_now().await;
    }
    // The answer is on its way; the latch below it is not set before the client has read it.
    while api.health().invalid_in_window == 0 {
        tokio::task::yield_now().await;
    }
    let (other, ()) = tokio::join!(delete(&api, 7, 8, Lane::Interactive), async {
        api.answer(1, "t", json!({ "type": 5 })).await.unwrap();
    });
    other.unwrap();
    first.await.unwrap().unwrap();
    let seen = server.seen();
    assert!(seen[1].path.contains("callback"));
    assert!(seen[2..].iter().all(|request| request.at - seen[0].at >= Duration::from_millis(850)));
}

#[tokio::test]
async fn a_wait_longer_than_the_lane_allows_is_told_at_once() {
    let server = Server::start(|_| limited("user", Duration::from_mins(5))).await;
    let api = api(&server);
    let started = Instant::now();
    for _ in 0..2 {
        let refused = delete(&api, 5, 6, Lane::Normal).await.unwrap_err();
        assert!(refused.retry_after().unwrap() > Duration::from_mins(4));
    }
    assert_eq!(server.count(), 1);
    assert!(started.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn a_429_without_json_holds_everything() {
    let server = Server::start(|_| {
        let mut page = answer(StatusCode::TOO_MANY_REQUESTS, &json!("error code: 1015"));
        page.headers_mut().insert("retry-after", 120.into());
        page
    })
    .await;
    let api = api(&server);
    delete(&api, 5, 6, Lane::Normal).await.unwrap_err();
    let refused = delete(&api, 7, 8, Lane::Interactive).await.unwrap_err();
    assert!(refused.retry_after().unwrap() > Duration::from_secs(100));
    assert_eq!(server.count(), 1);
}

#[tokio::test]
async fn endless_429s_end_after_a_few_tries() {
    let server = Server::start(|_| limited("shared", Duration::from_millis(10))).await;
    let api = api(&server);
    let refused = delete(&api, 5, 6, Lane::Normal).await.unwrap_err();
    assert!(matches!(refused, Error::RateLimited { .. }));
    assert_eq!(server.count(), 6);
    assert_eq!(api.health().invalid_in_window, 0);
}
