//! A whole bot for one story: real `serve::start`, its own database, its own stand-in Discord, a clock that stands.

pub mod database;
pub mod keys;

use std::{future::Future, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use fake_discord::FakeDiscord;
use guildhall::{
    clock::Clock,
    config::{Config, Sources},
    id_source::IdSource,
    serve::{self, Running},
};
use serde_json::Value;

pub use database::{Database, TestDatabase};

/// The root key of every story.
pub const ROOT_KEY: &str = "root-key-of-the-tests-0123456789abcdef";
/// Longest wait for anything.
const PATIENCE: Duration = Duration::from_secs(15);

/// Writes a story once and tells it on both stores.
#[macro_export]
macro_rules! on_both_stores {
    ($($(#[$meta:meta])* async fn $name:ident($bot:ident: Bot) $body:block)*) => {
        $crate::on_both_stores! { with &[]; $($(#[$meta])* async fn $name($bot: Bot) $body)* }
    };
    // Settings by the names of the environment, the same for all stories.
    (with $settings:expr; $($(#[$meta:meta])* async fn $name:ident($bot:ident: Bot) $body:block)*) => {$(
        $(#[$meta])*
        mod $name {
            #[allow(unused_imports, reason = "stories differ in what they use")]
            use super::*;

            async fn story($bot: $crate::harness::Bot) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_sqlite() {
                let bot = $crate::harness::Bot::start_with($crate::harness::Database::Sqlite, $settings).await;
                story(bot.expect("SQLite is built in")).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_postgres() {
                if let Some(bot) = $crate::harness::Bot::start_with($crate::harness::Database::Postgres, $settings).await {
                    story(bot).await;
                }
            }
        }
    )*};
}

/// A bot under test.
pub struct Bot {
    discord: FakeDiscord,
    clock: Clock,
    config: Config,
    running: Option<Running>,
    client: reqwest::Client,
    database: TestDatabase,
}

/// An HTTP answer.
#[derive(Debug)]
pub struct Answer {
    /// Status code.
    pub status: u16,
    /// Headers, names in lower case.
    pub headers: reqwest::header::HeaderMap,
    /// The body; null where there is none.
    pub body: Value,
}

/// The moment at which stories begin.
pub fn beginning() -> DateTime<Utc> {
    "2026-11-22T12:00:00Z".parse().expect("a constant")
}

impl Bot {
    /// Starts everything and waits until the gateway is ready. `None` when there is no PostgreSQL (never in CI).
    pub async fn start(database: Database) -> Option<Self> {
        Self::start_with(database, &[]).await
    }

    /// The same with settings, by the names of the environment.
    pub async fn start_with(database: Database, settings: &[(&str, &str)]) -> Option<Self> {
        let discord = FakeDiscord::start().await;
        discord.set_now(beginning());
        Self::start_against(discord, database, settings).await
    }

    /// The same against a stand-in that has been prepared.
    pub async fn start_against(discord: FakeDiscord, database: Database, settings: &[(&str, &str)]) -> Option<Self> {
        // `RUST_LOG=warn cargo test …` shows what the bot says.
        let filter = tracing_subscriber::EnvFilter::from_default_env();
        let _ = tracing_subscriber::fmt().with_env_filter(filter).with_test_writer().try_init();
        let database = TestDatabase::make(database).await?;
        let config = config(&database, &discord, settings);
        let client = reqwest::Client::builder().timeout(PATIENCE).build().expect("a client without options");
        let clock = Clock::frozen(discord.now());
        let mut bot = Self { discord, clock, config, running: None, client, database };
        bot.run().await;
        Some(bot)
    }

    async fn run(&mut self) {
        let ids = IdSource::random(self.clock.clone());
        let running = serve::start(&self.config, self.clock.clone(), ids).await;
        self.running = Some(running.unwrap_or_else(|error| panic!("the bot does not start: {error:?}")));
        self.eventually("the gateway is ready", async |bot| {
            bot.running().app().readiness().gateway() == guildhall::app::Gateway::Ready
        })
        .await;
    }

    /// Another process's server on the same store, against the same Discord.
    pub async fn start_beside(&self) -> Running {
        let ids = IdSource::random(self.clock.clone());
        let started = serve::start(&self.config, self.clock.clone(), ids).await;
        started.unwrap_or_else(|error| panic!("the second server does not start: {error:?}"))
    }

    /// The address of the store.
    pub fn database_url(&self) -> &str {
        self.database.url()
    }

    /// The stand-in.
    pub fn discord(&self) -> &FakeDiscord {
        &self.discord
    }

    /// The running server.
    pub fn running(&self) -> &Running {
        self.running.as_ref().expect("the bot runs between start and stop")
    }

    /// The bot's own clock, which a story may move apart from Discord's.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Moves both clocks.
    pub fn advance(&self, by: TimeDelta) {
        self.discord.advance(by);
        self.clock.advance(by);
    }

    /// Waits until every worker has twice in a row found nothing to do.
    pub async fn drain(&self) {
        // They look seldom, and none of a story's work waits for them.
        let seldom = ["cache_tailer", "key_usage_writer", "key_keeper", "session_clearer"];
        let before = self.running().board().read();
        self.eventually("all workers are idle", async |bot| {
            let now = bot.running().board().read();
            !now.is_empty()
                && now.iter().filter(|(name, _)| !seldom.contains(*name)).all(|(name, status)| {
                    let steps = before.get(name).map_or(0, |before| before.steps);
                    status.steps >= steps + 3 && status.idle_steps >= 2
                })
        })
        .await;
    }

    /// Moves both clocks in steps, draining after each, as time really passes.
    pub async fn live_through(&self, span: TimeDelta, step: TimeDelta) {
        let mut lived = TimeDelta::zero();
        while lived < span {
            self.advance(step);
            self.drain().await;
            lived += step;
        }
    }

    /// Waits until the condition holds; fails the story when it never does.
    pub async fn eventually<C>(&self, what: &str, condition: C)
    where
        C: AsyncFn(&Self) -> bool,
    {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        while !condition(self).await {
            assert!(
                tokio::time::Instant::now() < deadline,
                "waited {PATIENCE:?} in vain: {what}\n{}",
                self.discord.summary()
            );
            pause(Duration::from_millis(10)).await;
        }
    }

    /// Stops gracefully and starts again on the same store, against the same Discord.
    pub async fn restart(&mut self) {
        self.stop().await;
        self.run().await;
    }

    /// Stops gracefully, within the grace.
    pub async fn stop(&mut self) {
        if let Some(running) = self.running.take() {
            assert!(running.stop().await, "the bot did not stop within its grace");
        }
    }

    /// Starts again after a stop.
    pub async fn start_again(&mut self) {
        self.run().await;
    }

    /// Ends the story: the bot stops, and everything it said to Discord was valid and pinged nobody.
    pub async fn finish(mut self) {
        self.stop().await;
        self.discord.assert_clean();
        assert_eq!(self.discord.mention_violations(), Vec::<String>::new());
    }

    /// The address of a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.running().started.address)
    }

    /// A request with the root key.
    pub async fn api(&self, method: &str, path: &str, body: Option<Value>) -> Answer {
        let method = method.parse().expect("a method of HTTP");
        let mut request = self.client.request(method, self.url(path)).header("X-API-Key", ROOT_KEY);
        if let Some(body) = body {
            request = request.json(&body);
        }
        answer(request.send()).await
    }

    /// GET with the root key.
    pub async fn get(&self, path: &str) -> Answer {
        self.api("GET", path, None).await
    }

    /// POST with the root key.
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.api("POST", path, Some(body)).await
    }

    /// A client for requests of another kind.
    pub fn client(&self) -> &reqwest::Client {
        &self.client
    }
}

/// Reads an answer whole.
pub async fn answer(sent: impl Future<Output = reqwest::Result<reqwest::Response>>) -> Answer {
    let response = sent.await.expect("the server answers");
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let text = response.text().await.expect("the body arrives whole");
    Answer { status, headers, body: serde_json::from_str(&text).unwrap_or(Value::String(text)) }
}

/// Real time passes.
#[expect(clippy::disallowed_methods, reason = "a test waits for real sockets")]
pub async fn pause(duration: Duration) {
    tokio::time::sleep(duration).await;
}

fn config(database: &TestDatabase, discord: &FakeDiscord, settings: &[(&str, &str)]) -> Config {
    let mut sources = Sources::new(database.folder().to_owned())
        .variable("DATABASE_URL", database.url())
        .variable("PORT", "0")
        .variable("API_KEY", ROOT_KEY)
        .variable("JWT_SECRET", "secret-of-the-tests-0123456789abcdef")
        .variable("DISCORD_TOKEN", fake_discord::TOKEN)
        .variable("GUILDHALL_DISCORD__API_PROXY", discord.base_url())
        .variable("GUILDHALL_VANISH__SWEEP_PERIOD_MILLISECONDS", "20")
        // Stories are not about limits, unless they set some.
        .variable("GUILDHALL_LIMITS__ROOT_PER_MINUTE", "0")
        .variable("GUILDHALL_LIMITS__ADMIN_PER_MINUTE", "1000000")
        .variable("GUILDHALL_LIMITS__KEY_PER_MINUTE", "1000000")
        .variable("GUILDHALL_LIMITS__USER_PER_MINUTE", "1000000")
        .variable("GUILDHALL_LIMITS__USER_WRITES_PER_MINUTE", "1000000")
        .variable("GUILDHALL_LIMITS__ANONYMOUS_PER_MINUTE", "1000000")
        .variable("GUILDHALL_DATABASE__READERS_MAX", "2")
        .variable("GUILDHALL_DATABASE__POOL_CONNECTIONS_MAX", "6");
    for (name, value) in settings {
        sources = sources.variable(*name, *value);
    }
    match Config::load(&sources) {
        Ok(config) => config,
        Err(error) => panic!("the story's settings are wrong: {error}"),
    }
}
