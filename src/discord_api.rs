//! Every call to Discord's REST interface, behind one governor.
//!
//! Owns the connection pool, the pacing of all requests, the buckets learned from headers and the breaker on
//! refused requests. Invariant: no request leaves without having passed the breaker, its bucket and, interaction
//! answers apart, the global limit.

mod account;
mod attachment;
mod auto_moderation;
mod body;
mod breaker;
mod bucket;
mod call;
mod custom_id;
mod error;
mod guilds;
mod interactions;
mod markdown;
mod members;
mod messages;
mod model;
mod oauth;
mod pace;
pub mod permission;
mod rights;
mod route;
mod secret;
mod threads;
mod transport;
mod wire;

use std::{fmt, sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use tokio::{
    sync::{Semaphore, watch},
    time::Instant,
};

pub use self::{
    attachment::FETCHED_BYTES_MAX,
    auto_moderation::AUTO_MODERATION_RULES_MAX,
    body::{ATTACHMENT_BYTES_MAX, NONCE_CHARACTERS_MAX, Payload},
    breaker::ApiHealth,
    custom_id::{CUSTOM_ID_VERSION, custom_id},
    error::{Error, SetupError},
    markdown::{bounded, escape},
    members::{NewInvite, REJECTION_REASON_MAX},
    messages::{BULK_DELETE_MAX, PAGE_MAX},
    model::{
        ApplicationInfo, Attachment, AutoModerationRule, ChannelInfo, ChannelKind, GuildInfo, JoinRequest, JoinState,
        MemberInfo, Message, Overwrite, Page, PostedMessage, RegisteredCommand, RoleInfo, UserInfo,
    },
    oauth::{OAuth, OAuthError},
    secret::BotToken,
    threads::THREAD_NAME_MAX,
};
use self::{breaker::Breaker, bucket::Buckets, pace::Pace, rights::Rights, transport::Transport};

/// Result of a call to Discord.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Calls that may wait or be under way at once, interaction answers apart.
const CALLS_MAX: usize = 4_096;
/// Interaction answers that may wait or be under way at once.
const INTERACTION_CALLS_MAX: usize = 1_024;

/// Who waits for a call, which decides how it is paced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lane {
    /// Answers to interactions: outside Discord's global limit, never held by it. At most 15 s in all.
    Interaction,
    /// A person waits for it (previews, tests of a slot): at most 15 s in all.
    Interactive,
    /// Sweeps and announcements: at most 60 s in all.
    Normal,
    /// Deletions of old messages: a few a second, at most 60 s in all.
    Background,
}

impl Lane {
    /// The label in metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Interaction => "interaction",
            Self::Interactive => "interactive",
            Self::Normal => "normal",
            Self::Background => "background",
        }
    }

    /// Longest time a call may take, waiting and retries included.
    pub fn time_limit(self) -> Duration {
        match self {
            Self::Interaction | Self::Interactive => Duration::from_secs(15),
            Self::Normal | Self::Background => Duration::from_mins(1),
        }
    }
}

/// How to reach Discord and how fast.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The bot token.
    pub token: BotToken,
    /// Replaces `https://discord.com` (an HTTP proxy for the API); routes stay `/api/v10/…`.
    pub base_url: Option<String>,
    /// Global limit for everything but interaction answers.
    pub requests_per_second: u32,
    /// Limit of [`Lane::Background`] within the global one.
    pub background_per_second: u32,
    /// Longest wait for a connection.
    pub connect_timeout: Duration,
    /// Longest wait for one answer, connecting included.
    pub request_timeout: Duration,
    /// Refused requests (401, 403, 429) in ten minutes at which the breaker opens.
    pub invalid_requests_max: u32,
}

impl Settings {
    /// The defaults: 45 requests a second, 5 of them background, 5 s to connect, 20 s in all, breaker at 500.
    pub fn new(token: impl Into<BotToken>) -> Self {
        Self {
            token: token.into(),
            base_url: None,
            requests_per_second: 45,
            background_per_second: 5,
            connect_timeout: Duration::from_secs(5),
            request_timeout: Duration::from_secs(20),
            invalid_requests_max: 500,
        }
    }
}

/// What Discord's clock said, and when it was heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerTime {
    /// Discord's time, to the second.
    pub at: DateTime<Utc>,
    /// The moment it arrived.
    pub heard_at: Instant,
}

/// Discord's REST interface. Clones share one governor and one connection pool.
#[derive(Clone)]
pub struct DiscordApi(Arc<Inner>);

struct Inner {
    transport: Transport,
    pace: Pace,
    buckets: Buckets,
    breaker: Breaker,
    rights: Rights,
    calls: Semaphore,
    interaction_calls: Semaphore,
    server_time: watch::Sender<Option<ServerTime>>,
}

impl fmt::Debug for DiscordApi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DiscordApi").finish_non_exhaustive()
    }
}

impl DiscordApi {
    /// Prepares the client; sends nothing.
    pub fn new(settings: &Settings) -> Result<Self, SetupError> {
        Ok(Self(Arc::new(Inner {
            transport: Transport::new(settings)?,
            pace: Pace::new(settings.requests_per_second, settings.background_per_second)?,
            buckets: Buckets::default(),
            breaker: Breaker::new(settings.invalid_requests_max)?,
            rights: Rights::default(),
            calls: Semaphore::new(CALLS_MAX),
            interaction_calls: Semaphore::new(INTERACTION_CALLS_MAX),
            server_time: watch::Sender::new(None),
        })))
    }

    /// The bot's standing with Discord at this moment.
    pub fn health(&self) -> ApiHealth {
        self.0.breaker.health(Instant::now())
    }

    /// Tells of each change of [`health`](Self::health): a refused request, the breaker, the token latch.
    pub fn watch_health(&self) -> watch::Receiver<ApiHealth> {
        self.0.breaker.watch()
    }

    /// Lets calls go out again after Discord refused the bot token.
    pub fn clear_token_refused(&self) {
        self.0.breaker.clear_token_refused(Instant::now());
    }

    /// Discord's clock as the newest answer gave it.
    pub fn server_time(&self) -> Option<ServerTime> {
        *self.0.server_time.borrow()
    }
}

#[cfg(test)]
mod tests;
