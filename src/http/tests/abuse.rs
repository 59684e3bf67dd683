//! Sockets that do not behave, and the end of the server. Limits are small here, and waits fourfold.

use std::time::{Duration, Instant};

use tokio::net::TcpStream;

use super::{KEY, Server, read_answer, read_to_end, write};
use crate::http::HttpSettings;

const HEALTH: &str = "GET /health HTTP/1.1\r\nhost: x\r\n\r\n";
const HALF: &str = "GET /health HTTP/1.1\r\nhost: x\r\nx-slow: ";

fn post(content_length: usize) -> String {
    format!(
        "POST /api/discord/vanish HTTP/1.1\r\nhost: x\r\nx-api-key: {KEY}\r\n\
         content-type: application/json\r\ncontent-length: {content_length}\r\n\r\n"
    )
}

#[tokio::test]
async fn slow_and_idle_sockets_are_cut_while_others_are_served() {
    let server = Server::start_with(HttpSettings {
        header_timeout: Duration::from_millis(400),
        body_timeout: Duration::from_millis(800),
        ..HttpSettings::default()
    })
    .await;
    let mut sockets = Vec::new();
    for index in 0..90 {
        let mut socket = server.socket().await;
        match index % 3 {
            0 => write(&mut socket, HALF).await,
            1 => write(&mut socket, post(100) + "{").await,
            _ => {}
        }
        sockets.push(socket);
    }
    let started = Instant::now();
    assert_eq!(server.anonymous("GET", "/health").await.status, 200);
    assert!(started.elapsed() < Duration::from_secs(1));
    for (index, socket) in sockets.iter_mut().enumerate() {
        let answer = read_to_end(socket).await;
        match index % 3 {
            1 => assert!(answer.starts_with("HTTP/1.1 408 ") && answer.contains("body_timeout"), "{answer}"),
            _ => assert_eq!(answer, ""),
        }
    }
    assert!(started.elapsed() < Duration::from_millis(4 * 800), "{:?}", started.elapsed());
}

#[tokio::test]
async fn a_full_server_closes_who_waits_longest() {
    let server = Server::start_with(HttpSettings { connections_max: 4, ..HttpSettings::default() }).await;
    let mut waiting = Vec::new();
    for text in ["", HALF, &(post(100) + "{"), HALF] {
        let mut socket = server.socket().await;
        write(&mut socket, text).await;
        // They must be taken in this order.
        tokio::time::timeout(Duration::from_millis(50), std::future::pending::<()>()).await.ok();
        waiting.push(socket);
    }
    // The last one comes to life and is therefore no longer the one waiting longest.
    for mut old in waiting.drain(..3) {
        let mut new = server.socket().await;
        write(&mut new, HEALTH).await;
        assert!(read_answer(&mut new).await.starts_with("HTTP/1.1 200 "));
        assert_eq!(read_to_end(&mut old).await, "");
        std::mem::forget(new);
    }
    let last = &mut waiting[0];
    write(last, "1\r\n\r\n").await;
    assert!(read_answer(last).await.starts_with("HTTP/1.1 200 "));
}

#[tokio::test]
async fn heads_that_are_too_large_or_malformed() {
    let server = Server::start().await;
    let many = format!("GET /health HTTP/1.1\r\nhost: x\r\nx-large: {}\r\n\r\n", "a".repeat(16 * 1024));
    let escape = "GET /health HTTP/1.1\r\nhost: x\r\nuser-agent: a\x1b[31mb\r\n\r\n";
    let feed = "GET /health HTTP/1.1\r\nhost: x\r\nuser-agent: a\nb\r\n\r\n";
    let both = "POST /health HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ntransfer-encoding: chunked, x\r\n\r\n1";
    for (head, status) in
        [(many.as_str(), "431"), (escape, "400"), (feed, "400"), (both, "400"), ("NONSENSE\r\n\r\n", "400")]
    {
        let mut socket = server.socket().await;
        write(&mut socket, head).await;
        let answer = read_to_end(&mut socket).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{status}: {answer}");
    }
    let fitting = format!("GET /health HTTP/1.1\r\nhost: x\r\nx-large: {}\r\n\r\n", "a".repeat(15 * 1024));
    let mut socket = server.socket().await;
    write(&mut socket, fitting).await;
    assert!(read_answer(&mut socket).await.starts_with("HTTP/1.1 200 "));
}

#[tokio::test]
async fn a_client_may_close_its_half() {
    use tokio::io::AsyncWriteExt as _;
    let server = Server::start().await;
    let mut socket = server.socket().await;
    write(&mut socket, HEALTH).await;
    socket.shutdown().await.expect("closed");
    assert!(read_to_end(&mut socket).await.starts_with("HTTP/1.1 200 "));
}

#[tokio::test]
async fn stopping_answers_what_has_arrived_and_closes_the_rest() {
    let server = Server::start().await;
    let mut idle = server.socket().await;
    write(&mut idle, HEALTH).await;
    assert!(read_answer(&mut idle).await.starts_with("HTTP/1.1 200 "));
    let body = r#"{"channelId":"4001","guildId":"1","duration":60}"#;
    let mut working = server.socket().await;
    write(&mut working, post(body.len())).await;
    // Connected, and its request on the way.
    let mut late = server.socket().await;
    server.shutdown.cancel();
    write(&mut late, HEALTH).await;
    write(&mut working, body).await;
    let started = Instant::now();
    let answer = read_to_end(&mut working).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert!(answer.to_ascii_lowercase().contains("connection: close"), "{answer}");
    assert!(read_to_end(&mut late).await.starts_with("HTTP/1.1 200 "));
    assert_eq!(read_to_end(&mut idle).await, "");
    server.task.await.expect("ended");
    assert!(started.elapsed() < Duration::from_secs(4));
    assert!(TcpStream::connect(server.address).await.is_err());
}

#[tokio::test]
async fn stopping_does_not_wait_for_half_a_request() {
    let server = Server::start().await;
    let mut slow = server.socket().await;
    write(&mut slow, HALF).await;
    let mut slower = server.socket().await;
    write(&mut slower, post(100)).await;
    assert_eq!(server.anonymous("GET", "/health").await.status, 200);
    let started = Instant::now();
    server.shutdown.cancel();
    server.task.await.expect("ended");
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
}
