//! The control plane over real sockets.

mod abuse;
mod access;
mod admission;
mod bodies;
mod browsers;
mod contract;
mod document;
mod edges;
mod idempotency;
mod key_kingdom;
mod key_usage;
mod keys;
mod limits;
mod people;
mod projects;
mod sign_in;

use std::{net::SocketAddr, time::Duration};

use axum::Router;
use reqwest::{
    Method, StatusCode,
    header::{HeaderMap, HeaderName, HeaderValue},
};
use serde_json::Value;
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

use super::{HttpSettings, router, serve};
use crate::secret::DatabaseUrl;
use crate::{
    app::{App, Parts, Readiness, RootKey},
    clock::Clock,
    domain::{Domain, KeyDialect, Limits},
    id_source::IdSource,
    limits::{RateLimits, Settings as LimitSettings},
    store::{Settings, Store},
};

/// The root key of all tests.
const KEY: &str = "root-key-of-the-tests-0123456789abcdef";
/// The secret of administrators, where there is one.
const ADMIN_SECRET: &str = "admin-secret-of-the-tests";
/// No wait of a test is longer.
const PATIENCE: Duration = Duration::from_secs(20);

/// A control plane on a socket of its own, over a store of its own.
struct Server {
    address: SocketAddr,
    app: App,
    shutdown: CancellationToken,
    task: JoinHandle<()>,
    client: reqwest::Client,
    _folder: TempDir,
}

/// An answer, read to its end.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("no JSON ({error}): {:?}", self.body))
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("a plain header"))
    }

    /// The problem, after a check of everything that all problems share.
    fn problem(&self, status: u16, code: &str) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        assert_eq!(self.header("content-type"), "application/problem+json");
        let problem = self.json();
        assert_eq!(problem["status"], status);
        assert_eq!(problem["code"], code, "{problem}");
        assert_eq!(problem["type"], format!("/errors/{code}"));
        assert_eq!(problem["error"], problem["detail"]);
        assert_eq!(problem["request_id"], self.header("x-request-id"));
        assert!(problem["title"].is_string() && problem["instance"].is_string());
        problem
    }
}

/// What a test may choose.
struct Choice {
    http: HttpSettings,
    limits: LimitSettings,
    keys: KeyDialect,
    admin_secret: Option<&'static str>,
    creates_users_on_read: bool,
}

impl Default for Choice {
    /// Limits are lifted, unless a test is about them.
    fn default() -> Self {
        let (http, limits) = (HttpSettings::default(), LimitSettings::lifted());
        Self { http, limits, keys: KeyDialect::Live, admin_secret: None, creates_users_on_read: true }
    }
}

async fn app(settings: HttpSettings) -> (App, TempDir) {
    let (app, _, folder) = app_of(Choice { http: settings, ..Choice::default() }).await;
    (app, folder)
}

async fn app_of(choice: Choice) -> (App, Clock, TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(Settings {
        url: DatabaseUrl::parse(&format!("sqlite://{}", folder.path().join("test.db").display())).unwrap(),
        readers_max: 2,
        pool_connections_max: 2,
        acquire_timeout: PATIENCE,
        statement_timeout: PATIENCE,
        idle_in_transaction_timeout: PATIENCE,
        copies_kept: 0,
    })
    .await
    .expect("a store");
    store.migrate().await.expect("a schema");
    let clock = Clock::frozen("2026-11-21T23:37:29.418Z".parse().expect("a moment"));
    let mut limits =
        Limits { arm_delay: Duration::ZERO, old_deletes_per_second: 1, preview_messages_max: 100, ..Limits::default() };
    limits.keys.shape = choice.keys;
    limits.creates_users_on_read = choice.creates_users_on_read;
    let app = App::new(Parts {
        domain: Domain::new(store, clock.clone(), IdSource::counting(clock.clone()), limits),
        http: choice.http,
        root_key: RootKey::from_key(KEY),
        admin_secret: choice.admin_secret.map(RootKey::from_key),
        limits: RateLimits::new(choice.limits, clock.clone()),
        readiness: Readiness::default(),
        discord: None,
        oauth: None,
        metrics: None,
    });
    (app, clock, folder)
}

impl Server {
    async fn start() -> Self {
        Self::start_with(HttpSettings::default()).await
    }

    /// Of an operator who mints keys of other systems, and has set the secret of administrators.
    async fn compatible() -> Self {
        let choice = Choice { keys: KeyDialect::Compatible, admin_secret: Some(ADMIN_SECRET), ..Choice::default() };
        Self::start_as(choice).await.0
    }

    async fn start_with(settings: HttpSettings) -> Self {
        Self::start_as(Choice { http: settings, ..Choice::default() }).await.0
    }

    /// With the clock that it goes by.
    async fn start_as(choice: Choice) -> (Self, Clock) {
        let (app, clock, folder) = app_of(choice).await;
        let routes = router(app.clone());
        (Self::start_router(app, folder, routes).await, clock)
    }

    /// The same sockets around other routes.
    async fn start_router(app: App, folder: TempDir, router: Router) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let shutdown = CancellationToken::new();
        let (settings, token) = (app.http().clone(), shutdown.clone());
        let task = tokio::spawn(async move { serve(listener, router, &settings, token).await });
        let client = reqwest::Client::builder()
            .timeout(PATIENCE)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .expect("a client");
        Self { address, app, shutdown, task, client, _folder: folder }
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        let response = request.send().await.expect("an answer");
        Answer {
            status: response.status(),
            headers: response.headers().clone(),
            body: response.text().await.expect("a body"),
        }
    }

    fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        self.client.request(method, format!("http://{}{path}", self.address))
    }

    /// Without a credential.
    async fn anonymous(&self, method: &str, path: &str) -> Answer {
        self.send(self.request(method, path)).await
    }

    /// With the root key.
    async fn call(&self, method: &str, path: &str) -> Answer {
        self.send(self.request(method, path).header("x-api-key", KEY)).await
    }

    /// With any key.
    async fn call_with(&self, key: &str, method: &str, path: &str) -> Answer {
        self.send(self.request(method, path).header("x-api-key", key)).await
    }

    /// With the root key and a body.
    async fn json(&self, method: &str, path: &str, body: impl Into<Value>) -> Answer {
        self.text(method, path, body.into().to_string()).await
    }

    /// With the root key and a body that may be no JSON.
    async fn text(&self, method: &str, path: &str, body: impl Into<reqwest::Body>) -> Answer {
        let request =
            self.request(method, path).header("x-api-key", KEY).header("content-type", "application/json").body(body);
        self.send(request).await
    }

    /// With a key of the store and perhaps a body.
    async fn with_key(&self, key: &str, method: &str, path: &str, body: Option<Value>) -> Answer {
        let request = self.request(method, path).header("x-api-key", key);
        self.send(match body {
            Some(body) => request.json(&body),
            None => request,
        })
        .await
    }

    async fn with_header(&self, method: &str, path: &str, name: &str, value: &str) -> Answer {
        let name = HeaderName::try_from(name).expect("a name");
        let value = HeaderValue::try_from(value).expect("a value");
        let request = self.request(method, path).header("x-api-key", KEY);
        self.send(request.header(name, value)).await
    }

    async fn socket(&self) -> TcpStream {
        TcpStream::connect(self.address).await.expect("a connection")
    }
}

/// Sends bytes as they are.
async fn write(socket: &mut TcpStream, text: impl AsRef<[u8]>) {
    socket.write_all(text.as_ref()).await.expect("written");
}

/// Reads until the server closes; a reset ends the text too.
async fn read_to_end(socket: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let reading = async {
        let mut part = [0; 4096];
        while let Ok(count @ 1..) = socket.read(&mut part).await {
            bytes.extend_from_slice(&part[..count]);
        }
    };
    tokio::time::timeout(PATIENCE, reading).await.expect("closed in time");
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Reads one answer without waiting for the end of the connection.
async fn read_answer(socket: &mut TcpStream) -> String {
    let mut bytes = vec![0; 4096];
    let reading = socket.read(&mut bytes);
    let count = tokio::time::timeout(PATIENCE, reading).await.expect("in time").expect("readable");
    String::from_utf8_lossy(&bytes[..count]).into_owned()
}
