//! A stand-in for Discord's REST API (v10) and gateway, for end-to-end tests.
//!
//! [`FakeDiscord::start`] listens on a free local port. A test builds a small world (guilds,
//! channels, members, messages), lets the bot connect, acts as people ([`FakeDiscord::command`],
//! [`FakeDiscord::press`], …) and reads what the bot answered. Every exchange is kept in a journal
//! and can be checked against Discord's published description ([`FakeDiscord::assert_clean`]).
//!
//! Ids are `u64` here and strings in JSON, as on Discord. Waits end after [`WAIT`] with a panic
//! that lists what was seen instead.

#![expect(
    clippy::disallowed_methods,
    reason = "the stand-in is no part of the product: it keeps its own time, and tests of it wait for sockets"
)]

mod fault;
mod gateway;
mod interaction;
mod journal;
mod model;
mod multipart;
mod oauth;
pub mod permission;
mod rate_limit;
mod render;
mod rest;
mod rules;
mod schema;
mod server;
pub mod snowflake;
mod state;
mod world;

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::net::TcpListener;
use tokio::task::AbortHandle;

pub use fault::Failure;
pub use gateway::{
    DIRECT_MESSAGES, GUILD_MEMBERS, GUILD_MESSAGES, GUILD_MODERATION, GUILD_PRESENCES, GUILD_VOICE_STATES, GUILDS,
    GatewayAction, GatewayRecord, MESSAGE_CONTENT,
};
pub use interaction::{Callback, Choice, Interaction, Target};
pub use journal::Exchange;
pub use model::{Button, ChannelKind, FLAG_EPHEMERAL, FLAG_LOADING, FakeMessage, WebhookAuthor};
pub use oauth::Consent;

use state::{Shared, State};

/// The application's id. As for every recent application, its bot user has the same id.
pub const APPLICATION_ID: u64 = 1_100_000_000_000_000_001;
/// The bot user's id.
pub const BOT_USER_ID: u64 = APPLICATION_ID;
/// The account that owns the application, unless a test says otherwise. It is in no guild.
pub const HOST_USER_ID: u64 = 1_000_000_000_000_000_001;
/// The one bot token that is accepted. Its first part is the bot's id, as in real tokens.
pub const TOKEN: &str = "MTEwMDAwMDAwMDAwMDAwMDAwMQ.Gguild.stand-in-token-that-opens-nothing-at-all";
/// The secret by which the application proves itself when people sign in. Its client id is [`APPLICATION_ID`].
pub const CLIENT_SECRET: &str = "stand-in-secret-that-opens-nothing";
/// How long waits last before they panic.
pub const WAIT: Duration = Duration::from_secs(5);

/// How a stand-in starts; see [`FakeDiscord::builder`].
#[derive(Clone, Debug)]
pub struct Builder {
    port: u16,
    heartbeat: Duration,
}

impl Builder {
    /// Listens on this port instead of a free one.
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// The heartbeat interval told to clients; 41.25 s unless set.
    pub fn heartbeat_interval(mut self, interval: Duration) -> Self {
        self.heartbeat = interval;
        self
    }

    /// Starts to listen, in the current runtime.
    pub async fn start(self) -> std::io::Result<FakeDiscord> {
        let listener = TcpListener::bind(("127.0.0.1", self.port)).await?;
        let base_url = format!("http://{}", listener.local_addr()?);
        let state = State::new(base_url.clone(), self.heartbeat);
        let shared = Arc::new(Shared::new(state));
        let task = tokio::spawn(async {});
        let mut fake = FakeDiscord { shared, base_url: base_url.into(), server: task.abort_handle() };
        fake.server = tokio::spawn(server::serve(listener, fake.clone())).abort_handle();
        Ok(fake)
    }
}

/// A running stand-in. Clones share one world.
#[derive(Clone)]
pub struct FakeDiscord {
    shared: Arc<Shared>,
    base_url: Arc<str>,
    server: AbortHandle,
}

impl FakeDiscord {
    /// Starts on a free local port with an empty world.
    ///
    /// # Panics
    ///
    /// When no local port can be opened.
    pub async fn start() -> Self {
        let started = Self::builder().start().await;
        started.expect("a free port on 127.0.0.1 can be opened")
    }

    /// Options before the start.
    pub fn builder() -> Builder {
        Builder { port: 0, heartbeat: Duration::from_millis(41_250) }
    }

    /// `http://127.0.0.1:PORT`: what a client puts in place of `https://discord.com`.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// Stops listening and drops every websocket.
    pub fn stop(&self) {
        self.drop_sockets();
        self.server.abort();
    }

    /// The time on the stand-in's clock.
    pub fn now(&self) -> DateTime<Utc> {
        self.peek(State::now)
    }

    /// Stops the stand-in's clock at `now`; from here it moves only by [`Self::advance`].
    pub fn set_now(&self, now: DateTime<Utc>) {
        self.with(|state| state.clock.set(now));
    }

    /// Moves the stand-in's clock; it keeps following the system's unless it was set.
    pub fn advance(&self, by: chrono::Duration) {
        self.with(|state| state.clock.advance(by));
    }

    pub(crate) fn with<R>(&self, work: impl FnOnce(&mut State) -> R) -> R {
        self.shared.with(work)
    }

    pub(crate) fn peek<R>(&self, look: impl FnOnce(&State) -> R) -> R {
        self.shared.peek(look)
    }

    pub(crate) async fn wait<R>(&self, limit: Duration, look: impl FnMut(&State) -> Option<R>) -> Option<R> {
        self.shared.wait(limit, look).await
    }

    /// Ends a test with what was seen of late.
    pub(crate) fn give_up(&self, what: &str) -> ! {
        panic!("{what}\n{}", self.summary());
    }

    /// The last exchanges and gateway actions, for messages of failed tests.
    pub fn summary(&self) -> String {
        self.peek(|state| {
            let mut lines = vec![format!(
                "connected sessions: {:?}",
                state.gateway.sessions.iter().map(|one| (&one.id, one.seq, one.connection)).collect::<Vec<_>>()
            )];
            lines.push("last gateway actions:".into());
            let skip = state.gateway.records.len().saturating_sub(8);
            let last = state.gateway.records.iter().skip(skip);
            lines.extend(last.map(|one| format!("  {:?}", one.action)));
            lines.push("last exchanges:".into());
            let skip = state.journal.exchanges.len().saturating_sub(20);
            for one in state.journal.exchanges.iter().skip(skip) {
                let request: String = one.request.to_string().chars().take(300).collect();
                let answer = if one.status >= 400 { one.response.to_string() } else { String::new() };
                let line = format!("  {} {} -> {} {answer} {request}", one.method, one.path, one.status);
                lines.push(line);
            }
            lines.extend(state.journal.violations.iter().map(|one| format!("violation: {one}")));
            lines.join("\n")
        })
    }
}

impl std::fmt::Debug for FakeDiscord {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_tuple("FakeDiscord").field(&self.base_url).finish()
    }
}
