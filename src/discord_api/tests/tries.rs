//! What is tried again, what is not, and answers that are none.

use std::sync::atomic::{AtomicUsize, Ordering};

use axum::http::StatusCode;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{
    TOKEN, api, channel, message,
    server::{Server, answer, refusal},
};
use crate::discord_api::{DiscordApi, Error, Lane, Settings};

/// Fails the first `failures` requests with a server error.
async fn failing(failures: usize) -> Server {
    let calls = AtomicUsize::new(0);
    Server::start(move |_| {
        if calls.fetch_add(1, Ordering::SeqCst) < failures {
            answer(StatusCode::BAD_GATEWAY, &json!("upstream"))
        } else {
            answer(StatusCode::OK, &json!({ "id": "9", "channel_id": "5", "type": 0 }))
        }
    })
    .await
}

#[tokio::test]
async fn server_errors_are_retried_where_that_is_harmless() {
    let server = failing(2).await;
    assert!(api(&server).message(channel(5), message(9), Lane::Normal).await.is_ok());
    assert_eq!(server.count(), 3);
    let server = failing(9).await;
    let failed = api(&server).delete_message(channel(5), message(9), true, None, Lane::Normal).await;
    assert!(matches!(failed, Err(Error::Unavailable { .. })));
    assert_eq!(server.count(), 4);
}

#[tokio::test]
async fn a_message_is_posted_once_unless_discord_can_tell_the_copy() {
    let server = failing(1).await;
    let body = json!({ "content": "x" });
    let failed = api(&server).create_message(channel(5), &body, None, Lane::Normal).await;
    assert!(failed.unwrap_err().is_transient());
    assert_eq!(server.count(), 1);
    let server = failing(1).await;
    api(&server).create_message(channel(5), &body, Some("once"), Lane::Normal).await.unwrap();
    let nonces: Vec<_> = server.seen().iter().map(|request| request.json()["nonce"].clone()).collect();
    assert_eq!(nonces, [json!("once"), json!("once")]);
    let server = failing(1).await;
    assert!(api(&server).answer(1, "t", json!({ "type": 5 })).await.is_err());
    assert_eq!(server.count(), 1);
}

#[tokio::test]
async fn refusals_are_not_retried() {
    let server = Server::start(|_| refusal(StatusCode::NOT_FOUND, 10_008)).await;
    let gone = api(&server).message(channel(5), message(9), Lane::Normal).await;
    assert_eq!(gone, Err(Error::NotFound { code: 10_008 }));
    assert_eq!(server.count(), 1);
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let server = Server::start(|_| {
        let mut response = answer(StatusCode::FOUND, &json!(null));
        response.headers_mut().insert("location", "/elsewhere".parse().unwrap());
        response
    })
    .await;
    let failed = api(&server).channel(channel(5), Lane::Normal).await.unwrap_err();
    assert!(failed.is_transient());
    assert_eq!(server.count(), 1);
}

#[tokio::test]
async fn garbled_answers_are_no_answers() {
    let server = Server::start(|_| answer(StatusCode::OK, &json!("<html>"))).await;
    let api = api(&server);
    assert!(api.channel(channel(5), Lane::Normal).await.unwrap_err().is_transient());
    assert!(api.messages_after(channel(5), None, 10, Lane::Normal).await.unwrap_err().is_transient());
}

#[tokio::test]
async fn an_answer_that_breaks_off_or_never_ends_is_an_error() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut settings = Settings::new(TOKEN);
    settings.base_url = Some(format!("http://{}", listener.local_addr().unwrap()));
    let task = tokio::spawn(async move {
        for attempt in 0.. {
            let (mut stream, _) = listener.accept().await.unwrap();
            let _ = stream.read(&mut [0; 4_096]).await;
            let (length, body) =
                if attempt < 4 { (100, b"[{\"id\":".to_vec()) } else { (9 << 20, vec![b' '; 9 << 20]) };
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n");
            let _ = stream.write_all(head.as_bytes()).await;
            let _ = stream.write_all(&body).await;
        }
    });
    let api = DiscordApi::new(&settings).unwrap();
    let broken = api.messages_after(channel(5), None, 10, Lane::Normal).await;
    assert_eq!(broken, Err(Error::Unavailable { reason: "the connection broke" }));
    let large = api.bulk_overwrite_global_commands(3, &json!([]), Lane::Normal).await;
    assert_eq!(large, Err(Error::Unavailable { reason: "its answer was too large" }));
    task.abort();
}
