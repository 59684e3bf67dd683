//! The breaker and the token latch.

use axum::http::StatusCode;
use serde_json::json;

use super::{
    api, api_with, channel, message,
    server::{Server, answer, refusal},
};
use crate::discord_api::{Error, Lane};

#[tokio::test]
async fn the_breaker_opens_at_its_limit_and_lets_answers_through() {
    let server = Server::start(|request| {
        if request.path.contains("callback") {
            answer(StatusCode::NO_CONTENT, &json!(null))
        } else {
            refusal(StatusCode::FORBIDDEN, 50_013)
        }
    })
    .await;
    let api = api_with(&server, |settings| settings.invalid_requests_max = 4);
    for _ in 0..4 {
        let refused = api.delete_message(channel(5), message(6), false, None, Lane::Normal).await;
        assert!(refused.unwrap_err().is_permission_loss());
    }
    for lane in [Lane::Interactive, Lane::Normal, Lane::Background] {
        let refused = api.message(channel(5), message(6), lane).await.unwrap_err();
        assert!(matches!(refused, Error::BreakerOpen { .. }) && refused.is_transient());
    }
    assert_eq!(server.count(), 4);
    assert!(api.health().breaker_open_until.is_some());
    api.answer(1, "t", json!({ "type": 5 })).await.unwrap();
}

#[tokio::test]
async fn a_refused_token_stops_all_calls_until_cleared() {
    let server = Server::start(|_| refusal(StatusCode::UNAUTHORIZED, 0)).await;
    let api = api(&server);
    let mut told = api.watch_health();
    assert_eq!(api.current_user(Lane::Normal).await, Err(Error::Unauthorized));
    told.wait_for(|health| health.token_refused).await.unwrap();
    assert_eq!(api.current_user(Lane::Normal).await, Err(Error::TokenRefused));
    assert_eq!(server.count(), 1);
    api.clear_token_refused();
    assert!(!api.health().token_refused);
    assert_eq!(api.current_user(Lane::Normal).await, Err(Error::Unauthorized));
}

#[tokio::test]
async fn an_interaction_that_has_run_out_says_nothing_about_the_bot_token() {
    let server = Server::start(|_| refusal(StatusCode::UNAUTHORIZED, 50_027)).await;
    let api = api(&server);
    assert!(api.edit_original(3, "t", json!({})).await.unwrap_err().is_gone());
    assert!(!api.health().token_refused);
    assert_eq!(api.health().invalid_in_window, 1);
}

#[tokio::test]
async fn many_calls_at_once_cause_few_refusals_once_the_token_is_gone() {
    let server = Server::start(|_| refusal(StatusCode::UNAUTHORIZED, 0)).await;
    let api = api(&server);
    let calls = (1..=60).map(|id| api.message(channel(id), message(1), Lane::Normal));
    futures_util::future::join_all(calls).await;
    // Those of the first burst may be under way together.
    assert!(server.count() <= 10, "{} calls", server.count());
}
