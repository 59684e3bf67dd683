//! The server: one closure answers everything, and every request is kept.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::Request,
    http::{HeaderMap, Method, StatusCode},
    response::Response,
};
use serde_json::{Value, json};

/// A request as it arrived.
#[derive(Clone)]
pub(super) struct Seen {
    pub(super) method: Method,
    /// With its query.
    pub(super) path: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
    pub(super) at: Instant,
}

impl Seen {
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

pub(super) struct Server {
    pub(super) address: String,
    seen: Arc<Mutex<Vec<Seen>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    pub(super) async fn start(reply: impl Fn(&Seen) -> Response + Send + Sync + 'static) -> Self {
        let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
        let (journal, reply) = (Arc::clone(&seen), Arc::new(reply));
        let app = Router::new().fallback(move |request: Request| {
            let (journal, reply) = (Arc::clone(&journal), Arc::clone(&reply));
            async move {
                let (parts, body) = request.into_parts();
                let body = to_bytes(body, 16 << 20).await.unwrap().to_vec();
                let path = parts.uri.to_string();
                let request = Seen { method: parts.method, path, headers: parts.headers, body, at: Instant::now() };
                let response = reply(&request);
                journal.lock().unwrap().push(request);
                response
            }
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let task = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { address, seen, task }
    }

    pub(super) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    pub(super) fn count(&self) -> usize {
        self.seen.lock().unwrap().len()
    }
}

/// An answer; `null` is an empty body.
pub(super) fn answer(status: StatusCode, body: &Value) -> Response {
    let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
    let date = chrono::DateTime::UNIX_EPOCH.format("%a, %d %b %Y %H:%M:%S GMT").to_string();
    Response::builder().status(status).header("date", date).body(body).unwrap()
}

/// A refusal with one of Discord's codes.
pub(super) fn refusal(status: StatusCode, code: u32) -> Response {
    answer(status, &json!({ "code": code, "message": "refused" }))
}

/// A 429 as Discord writes it.
pub(super) fn limited(scope: &str, wait: Duration) -> Response {
    let body = json!({ "message": "slow", "retry_after": wait.as_secs_f64(), "global": scope == "global" });
    let mut response = answer(StatusCode::TOO_MANY_REQUESTS, &body);
    let headers = response.headers_mut();
    headers.insert("x-ratelimit-scope", scope.parse().unwrap());
    headers.insert("retry-after", wait.as_secs_f64().ceil().to_string().parse().unwrap());
    response
}

/// When each bucket's window opened and what it has used, and when the last requests came.
type Sent = (HashMap<String, (Instant, u32)>, VecDeque<Instant>);

/// Discord's limits: one bucket per path without its last part, and a global one over any second.
pub(super) struct Limits {
    bucket: (u32, Duration),
    global: usize,
    state: Mutex<Sent>,
    limited: Mutex<u32>,
}

impl Limits {
    pub(super) fn new(bucket: u32, window: Duration, global: usize) -> Arc<Self> {
        let (state, limited) = (Mutex::default(), Mutex::default());
        Arc::new(Self { bucket: (bucket, window), global, state, limited })
    }

    /// Answers 429.
    pub(super) fn limited(&self) -> u32 {
        *self.limited.lock().unwrap()
    }

    pub(super) fn reply(&self, request: &Seen) -> Response {
        let (limit, window) = self.bucket;
        let mut state = self.state.lock().unwrap();
        let (buckets, sent) = &mut *state;
        while sent.front().is_some_and(|first| first.elapsed() > Duration::from_secs(1)) {
            sent.pop_front();
        }
        if sent.len() >= self.global {
            *self.limited.lock().unwrap() += 1;
            return limited("global", Duration::from_millis(300));
        }
        sent.push_back(Instant::now());
        let key = request.path.rsplit_once('/').unwrap().0.to_owned();
        let (opened, used) = buckets.entry(key).or_insert((Instant::now(), 0));
        if opened.elapsed() >= window {
            (*opened, *used) = (Instant::now(), 0);
        }
        let left = window.saturating_sub(opened.elapsed());
        if *used >= limit {
            *self.limited.lock().unwrap() += 1;
            return limited("user", left);
        }
        *used += 1;
        let mut response = answer(StatusCode::NO_CONTENT, &Value::Null);
        let headers = response.headers_mut();
        headers.insert("x-ratelimit-bucket", "deletes".parse().unwrap());
        headers.insert("x-ratelimit-limit", limit.into());
        headers.insert("x-ratelimit-remaining", (limit - *used).into());
        headers.insert("x-ratelimit-reset-after", format!("{:.3}", left.as_secs_f64()).parse().unwrap());
        response
    }
}
