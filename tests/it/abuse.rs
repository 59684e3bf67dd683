//! Clients that mean no good, against the whole program on both stores.

use std::{
    convert::Infallible,
    time::{Duration, Instant},
};

use axum::body::Bytes;
use http_body_util::StreamBody;
use hyper::body::Frame;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

use crate::harness::{Bot, Database, ROOT_KEY, answer, pause};

const VANISH: &str = "/api/discord/vanish";
/// Limits of the server under test, in seconds; waits are fourfold.
const HEADER_TIMEOUT: u64 = 2;
const BODY_TIMEOUT: u64 = 3;

/// D51: what cannot be read is refused at once, with its place, and costs nothing.
async fn bodies(bot: &Bot) {
    let deep = format!(r#"{{"x":{}1{}}}"#, "[".repeat(10_000), "]".repeat(10_000));
    let large = vec![b' '; 64 * 1024 + 1];
    let twice = br#"{"channelId":"1","channelId":"2","guildId":"1","duration":60}"#;
    let cases: [(&[u8], &str, Option<&str>, u16); 7] = [
        (&large, "application/json", None, 413),
        (deep.as_bytes(), "application/json", None, 400),
        (b"{\"channelId\":\"\xff\xfe\"}", "application/json", None, 400),
        (twice, "application/json", None, 400),
        (b"<channel>1</channel>", "text/xml", None, 415),
        (b"\x1f\x8b\x08\x00", "application/json", Some("gzip"), 415),
        (br#"{"channelId":"1","guildId":"1","duration":"60"}"#, "application/json", None, 422),
    ];
    for (body, media_type, encoding, status) in cases {
        for chunked in [false, true] {
            let request = bot.client().post(bot.url(VANISH)).header("X-API-Key", ROOT_KEY);
            let mut request = request.header("Content-Type", media_type);
            if let Some(encoding) = encoding {
                request = request.header("Content-Encoding", encoding);
            }
            let body = if chunked { in_chunks(body) } else { body.to_vec().into() };
            let begun = Instant::now();
            let refused = answer(request.body(body).send()).await;
            assert_eq!(refused.status, status, "{:?}", refused.body);
            assert!(begun.elapsed() < Duration::from_millis(4 * 100), "{status} took {:?}", begun.elapsed());
        }
    }
}

/// A body whose length nobody is told.
fn in_chunks(body: &[u8]) -> reqwest::Body {
    let chunks = body.chunks(1_000).map(|chunk| Ok::<_, Infallible>(Frame::data(Bytes::copy_from_slice(chunk))));
    reqwest::Body::wrap(StreamBody::new(futures_util::stream::iter(chunks.collect::<Vec<_>>())))
}

/// D52: hundreds of sockets that dawdle are cut, and nobody else notices them.
async fn sockets(bot: &Bot) {
    let address = bot.running().started.address;
    let head = format!(
        "POST {VANISH} HTTP/1.1\r\nhost: x\r\nx-api-key: {ROOT_KEY}\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{{"
    );
    let half = "GET /health HTTP/1.1\r\nhost: x\r\nx-slow: ";
    let mut sockets = Vec::new();
    for (count, sent) in [(300, half), (300, head.as_str()), (200, "")] {
        for _ in 0..count {
            let mut socket = TcpStream::connect(address).await.expect("a connection");
            socket.write_all(sent.as_bytes()).await.expect("written");
            sockets.push(socket);
        }
    }
    let begun = Instant::now();
    for nth in 0..40_u64 {
        let (begun, path) = (Instant::now(), format!("{VANISH}/{}", 900 + nth));
        assert_eq!(bot.get("/health").await.status, 200);
        let set = json!({ "channelId": (900 + nth).to_string(), "guildId": "1", "duration": 60 });
        assert_eq!(bot.post(VANISH, set).await.status, 200);
        assert_eq!(bot.get(&path).await.status, 200);
        assert!(begun.elapsed() < Duration::from_secs(1), "others are served: {:?}", begun.elapsed());
        pause(Duration::from_millis(25)).await;
    }
    let longest = Duration::from_secs(4 * BODY_TIMEOUT);
    let cut = async {
        for socket in &mut sockets {
            // Answered 408 or closed without a word; a reset is an end, too.
            while let Ok(1..) = socket.read(&mut [0; 4096]).await {}
        }
    };
    timeout(longest, cut).await.expect("every one of them is cut");
    assert!(begun.elapsed() < longest, "{:?}", begun.elapsed());
}

async fn told_on(database: Database) {
    let (header, body) = (HEADER_TIMEOUT.to_string(), BODY_TIMEOUT.to_string());
    let settings = [
        ("GUILDHALL_HTTP__HEADER_TIMEOUT_SECONDS", header.as_str()),
        ("GUILDHALL_HTTP__BODY_TIMEOUT_SECONDS", body.as_str()),
    ];
    let Some(bot) = Bot::start_with(database, &settings).await else { return };
    bodies(&bot).await;
    sockets(&bot).await;
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn abuse_is_refused_and_unnoticed_on_sqlite() {
    told_on(Database::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn abuse_is_refused_and_unnoticed_on_postgres() {
    told_on(Database::Postgres).await;
}
