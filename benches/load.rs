//! A closed loop of HTTP requests over keep-alive connections: each sends its next request when it has its answer.
//!
//! It runs on one thread and parses no more of an answer than its status and length, so that the machine is left to
//! the server.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    task::JoinSet,
};

use crate::figures::percentile;

/// Longest answer that is read.
const ANSWER_MAX: usize = 64 * 1024;

/// What a load found.
#[derive(Clone, Copy, Debug)]
pub struct Outcome {
    /// Answers per second.
    pub per_second: f64,
    /// Half of the answers took at most this long.
    pub p50: Duration,
    /// Ninety-nine of a hundred did.
    pub p99: Duration,
}

/// A request with the key, ready to be sent.
pub fn request(method: &str, path: &str, key: &str, body: Option<&str>) -> Vec<u8> {
    let body = body.map_or("\r\n".to_owned(), |body| {
        format!("Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}", body.len())
    });
    format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nX-API-Key: {key}\r\n{body}").into_bytes()
}

/// Sends the requests in turn over this many connections for this long; any answer but 200 is an error.
pub async fn run(
    address: SocketAddr,
    connections: usize,
    duration: Duration,
    requests: Arc<Vec<Vec<u8>>>,
) -> anyhow::Result<Outcome> {
    let work = drive(address, connections, duration, requests);
    // Its own thread, so that it never shares a worker with a server in this process.
    tokio::task::spawn_blocking(move || {
        tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work)
    })
    .await?
}

async fn drive(
    address: SocketAddr,
    connections: usize,
    duration: Duration,
    requests: Arc<Vec<Vec<u8>>>,
) -> anyhow::Result<Outcome> {
    let next = Arc::new(AtomicUsize::new(0));
    let mut streams = Vec::new();
    for _ in 0..connections {
        let stream = TcpStream::connect(address).await.with_context(|| format!("connecting to {address}"))?;
        stream.set_nodelay(true)?;
        streams.push(stream);
    }
    let started = Instant::now();
    let end = started + duration;
    let mut clients = JoinSet::new();
    for stream in streams {
        clients.spawn(client(stream, end, requests.clone(), next.clone()));
    }
    let mut latencies = Vec::new();
    while let Some(ended) = clients.join_next().await {
        latencies.extend(ended??);
    }
    let elapsed = started.elapsed();
    latencies.sort_unstable();
    #[expect(clippy::cast_precision_loss, reason = "a count of requests")]
    let per_second = latencies.len() as f64 / elapsed.as_secs_f64();
    let (Some(p50), Some(p99)) = (percentile(&latencies, 50), percentile(&latencies, 99)) else {
        bail!("{address} answered nothing");
    };
    Ok(Outcome { per_second, p50, p99 })
}

async fn client(
    mut stream: TcpStream,
    end: Instant,
    requests: Arc<Vec<Vec<u8>>>,
    next: Arc<AtomicUsize>,
) -> anyhow::Result<Vec<Duration>> {
    let mut latencies = Vec::new();
    let mut buffer = vec![0; ANSWER_MAX];
    let mut sent = Instant::now();
    while sent < end {
        let request = &requests[next.fetch_add(1, Ordering::Relaxed) % requests.len()];
        stream.write_all(request).await?;
        read_answer(&mut stream, &mut buffer).await?;
        let now = Instant::now();
        latencies.push(now - sent);
        sent = now;
    }
    Ok(latencies)
}

async fn read_answer(stream: &mut TcpStream, buffer: &mut [u8]) -> anyhow::Result<()> {
    let mut filled = 0;
    loop {
        let count = stream.read(&mut buffer[filled..]).await?;
        if count == 0 {
            bail!("the server closed the connection after {:?}", String::from_utf8_lossy(&buffer[..filled]));
        }
        filled += count;
        if let Some(length) = answer_length(&buffer[..filled])
            && filled >= length
        {
            if !buffer.starts_with(b"HTTP/1.1 200") {
                bail!("not 200: {}", String::from_utf8_lossy(&buffer[..filled]));
            }
            return Ok(());
        }
    }
}

/// How long the whole answer is, once its head is there.
fn answer_length(read: &[u8]) -> Option<usize> {
    const LENGTH: &[u8] = b"\r\ncontent-length: ";
    let head = read.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let at = read[..head].windows(LENGTH.len()).position(|window| window.eq_ignore_ascii_case(LENGTH))?;
    let digits = read[at + LENGTH.len()..head].iter().take_while(|byte| byte.is_ascii_digit());
    Some(head + digits.fold(0, |length, digit| length * 10 + usize::from(digit - b'0')))
}
