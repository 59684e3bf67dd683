//! What the faces share: the domain, limits on callers, and how the process is doing.
//!
//! Invariant: nothing here decides a rule; faces take their part of it by `FromRef`.

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use axum::extract::FromRef;
use chrono::{DateTime, Utc};
use ipnet::IpNet;
use metrics_exporter_prometheus::PrometheusHandle;
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

use crate::{
    discord_api::{DiscordApi, OAuth},
    domain::Domain,
    limits::RateLimits,
};

/// How the control plane listens and what it puts up with.
#[derive(Clone, Debug)]
pub struct HttpSettings {
    /// Origins that browsers may call from: exact ones, or a single `*`; empty sends no CORS header.
    pub allowed_origins: Vec<String>,
    /// Largest body of a request.
    pub body_bytes_max: usize,
    /// Largest head of a request: its first line and all headers.
    pub header_bytes_max: usize,
    /// Longest wait for a complete head; it also ends idle connections.
    pub header_timeout: Duration,
    /// Longest wait for a complete body.
    pub body_timeout: Duration,
    /// Longest work on a request that has arrived completely.
    pub request_timeout: Duration,
    /// Most connections at once.
    pub connections_max: usize,
    /// Networks of reverse proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Where people reach this server, for texts; no trailing slash.
    pub public_address: String,
    /// The same where the operator has set it, so that links in chat lead there; without it there are none.
    pub public_url: Option<String>,
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self {
            allowed_origins: Vec::new(),
            body_bytes_max: 64 * 1024,
            header_bytes_max: 16 * 1024,
            header_timeout: Duration::from_secs(10),
            body_timeout: Duration::from_secs(30),
            request_timeout: Duration::from_secs(15),
            connections_max: 512,
            trusted_proxies: Vec::new(),
            public_address: "http://127.0.0.1:3003".to_owned(),
            public_url: None,
        }
    }
}

/// The digest of the root key; the key itself is not kept.
#[derive(Clone, Debug)]
pub struct RootKey {
    digest: [u8; 32],
}

impl RootKey {
    /// From the key, as `API_KEY` gives it.
    pub fn from_key(key: &str) -> Self {
        Self { digest: Self::digest(key) }
    }

    /// From the SHA-256 digest that the store keeps of a generated key.
    pub fn from_digest(digest: [u8; 32]) -> Self {
        Self { digest }
    }

    /// What to store of a generated key.
    pub fn digest(key: &str) -> [u8; 32] {
        Sha256::digest(key).into()
    }

    /// Whether this is the key, in a time that tells nothing about it.
    pub fn matches(&self, candidate: &str) -> bool {
        let same: Choice = self.digest.ct_eq(&Self::digest(candidate));
        same.into()
    }
}

/// How the connection to Discord is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gateway {
    /// There is none: no token, or another process leads.
    Off,
    /// On its way.
    Connecting,
    /// Events arrive.
    Ready,
    /// It broke for the reason that this code names, such as `token_rejected`.
    Lost(String),
}

/// Whether the bot has a privileged intent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PrivilegedIntent {
    /// The setting is off.
    Off,
    /// It has it.
    Granted,
    /// The setting is on, and Discord does not let it.
    Refused,
}

/// How the process is doing, written by those who know and read by `/ready`.
#[derive(Clone, Debug)]
pub struct Readiness {
    state: Arc<RwLock<State>>,
}

#[derive(Clone, Debug)]
struct State {
    gateway: Gateway,
    leader: bool,
    content: PrivilegedIntent,
    members: PrivilegedIntent,
}

impl Default for Readiness {
    fn default() -> Self {
        let off = PrivilegedIntent::Off;
        let state = State { gateway: Gateway::Off, leader: false, content: off, members: off };
        Self { state: Arc::new(RwLock::new(state)) }
    }
}

impl Readiness {
    /// Says how the gateway is doing.
    pub fn set_gateway(&self, gateway: Gateway) {
        self.write(|state| state.gateway = gateway);
    }

    /// Says whether this process runs the gateway and the workers.
    pub fn set_leader(&self, leader: bool) {
        self.write(|state| state.leader = leader);
    }

    /// Says whether the bot sees what messages say.
    pub fn set_message_content(&self, content: PrivilegedIntent) {
        self.write(|state| state.content = content);
    }

    /// Whether the bot sees what messages say, which it only looks at to find API keys.
    pub fn message_content(&self) -> PrivilegedIntent {
        self.read().content
    }

    /// Says whether the bot sees who is in a server.
    pub fn set_members(&self, members: PrivilegedIntent) {
        self.write(|state| state.members = members);
    }

    /// Whether the bot sees who is in a server and with which roles.
    pub fn members(&self) -> PrivilegedIntent {
        self.read().members
    }

    /// How the gateway is doing.
    pub fn gateway(&self) -> Gateway {
        self.read().gateway
    }

    /// Whether this process runs the gateway and the workers.
    pub fn leader(&self) -> bool {
        self.read().leader
    }

    fn read(&self) -> State {
        self.state.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn write(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.write().unwrap_or_else(PoisonError::into_inner));
    }
}

/// What an [`App`] is made of.
pub struct Parts {
    /// The rules.
    pub domain: Domain,
    /// The control plane's settings.
    pub http: HttpSettings,
    /// The key that may do everything.
    pub root_key: RootKey,
    /// What administrators show beside their token where an operation asks for it; none where it is not set.
    pub admin_secret: Option<RootKey>,
    /// How often callers may call.
    pub limits: RateLimits,
    /// How the process is doing.
    pub readiness: Readiness,
    /// Renders the metrics, where they are recorded.
    pub metrics: Option<PrometheusHandle>,
    /// Calls to Discord; none without a token.
    pub discord: Option<DiscordApi>,
    /// Signing in with Discord; none without the application's id and secret.
    pub oauth: Option<OAuth>,
}

/// What the faces share; cheap to clone.
#[derive(Clone)]
pub struct App {
    parts: Arc<Parts>,
    since: DateTime<Utc>,
}

impl App {
    /// Puts the parts together.
    pub fn new(parts: Parts) -> Self {
        Self { since: parts.domain.now(), parts: Arc::new(parts) }
    }

    /// When this process began its work.
    pub fn since(&self) -> DateTime<Utc> {
        self.since
    }

    /// The rules.
    pub fn domain(&self) -> &Domain {
        &self.parts.domain
    }

    /// The control plane's settings.
    pub fn http(&self) -> &HttpSettings {
        &self.parts.http
    }

    /// The key that may do everything.
    pub fn root_key(&self) -> &RootKey {
        &self.parts.root_key
    }

    /// What administrators show beside their token; none where it is not set.
    pub fn admin_secret(&self) -> Option<&RootKey> {
        self.parts.admin_secret.as_ref()
    }

    /// How often callers may call.
    pub fn limits(&self) -> &RateLimits {
        &self.parts.limits
    }

    /// How the process is doing.
    pub fn readiness(&self) -> &Readiness {
        &self.parts.readiness
    }

    /// Renders the metrics, where they are recorded.
    pub fn metrics(&self) -> Option<&PrometheusHandle> {
        self.parts.metrics.as_ref()
    }
}

impl App {
    /// Calls to Discord; none without a token.
    pub fn discord(&self) -> Option<&DiscordApi> {
        self.parts.discord.as_ref()
    }

    /// Signing in with Discord; none without the application's id and secret.
    pub fn oauth(&self) -> Option<&OAuth> {
        self.parts.oauth.as_ref()
    }
}

impl FromRef<App> for Domain {
    fn from_ref(app: &App) -> Self {
        app.domain().clone()
    }
}
