//! A whole bot on a database of its own, against a stand-in of its own.

use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use chrono::{DateTime, TimeDelta, Utc};
use entity::id::{ChannelId, GuildId};
use fake_discord::{ChannelKind, Exchange, FakeDiscord};
use guildhall::{
    app::Gateway,
    clock::Clock,
    config::{Config, Sources},
    domain::{
        Actor, Source,
        vanish::{self, Backlog, NewRule},
    },
    id_source::IdSource,
    serve::{self, Running},
};
use tempfile::TempDir;

/// Longest wait for a calm moment.
const PATIENCE: Duration = Duration::from_mins(5);
/// The worker that is measured.
const SWEEPER: &str = "vanish_sweeper";
/// Channels of one guild.
const CHANNELS_PER_GUILD: usize = 100;

/// A running bot with its Discord.
pub struct Bot {
    /// The stand-in.
    pub discord: FakeDiscord,
    /// The bot.
    pub running: Running,
    clock: Clock,
    _folder: TempDir,
}

/// A channel with a rule.
pub struct Channel {
    /// Its id.
    pub id: u64,
    /// Who writes there.
    pub author: u64,
    /// The rule's age in seconds.
    pub after: i64,
}

impl Channel {
    /// When a message of this id is due.
    pub fn due_at(&self, message: u64) -> DateTime<Utc> {
        fake_discord::snowflake::time_of(message) + TimeDelta::seconds(self.after)
    }
}

/// Settings of a bot without secrets of its own.
pub fn config(folder: &TempDir, more: &[(&str, &str)]) -> anyhow::Result<Config> {
    let mut sources = Sources::new(folder.path())
        .variable("DATABASE_URL", format!("sqlite://{}", folder.path().join("guildhall.db").display()))
        .variable("PORT", "0")
        .variable("API_KEY", benches::child::KEY)
        .variable("JWT_SECRET", "secret-of-the-benches-0123456789abcdef");
    for (name, value) in more {
        sources = sources.variable(*name, *value);
    }
    Ok(Config::load(&sources)?)
}

impl Bot {
    /// Starts with these ages of rules, one channel each; `now` freezes both clocks.
    pub async fn start(
        ages: &[i64],
        now: Option<DateTime<Utc>>,
        settings: &[(&str, &str)],
    ) -> anyhow::Result<(Self, Vec<Channel>)> {
        let discord = FakeDiscord::start().await;
        let clock = now.map_or_else(Clock::system, Clock::frozen);
        if let Some(now) = now {
            discord.set_now(now);
        }
        let mut channels = Vec::new();
        let mut guilds = Vec::new();
        for (nth, ages) in ages.chunks(CHANNELS_PER_GUILD).enumerate() {
            let guild = discord.add_guild(&format!("Guild {nth}"));
            let author = discord.add_member(guild, "ada");
            for (nth, after) in ages.iter().enumerate() {
                let id = discord.add_channel(guild, &format!("channel-{nth}"), ChannelKind::Text);
                channels.push(Channel { id, author, after: *after });
                guilds.push(guild);
            }
        }
        let folder = TempDir::new()?;
        let proxy = discord.base_url().to_owned();
        let mut all = vec![("DISCORD_TOKEN", fake_discord::TOKEN), ("GUILDHALL_DISCORD__API_PROXY", proxy.as_str())];
        all.extend_from_slice(settings);
        let config = config(&folder, &all)?;
        let running = serve::start(&config, clock.clone(), IdSource::random(clock.clone())).await?;
        let bot = Self { discord, running, clock, _folder: folder };
        bot.wait("the gateway", |bot| bot.running.app().readiness().gateway() == Gateway::Ready).await?;
        for (channel, guild) in channels.iter().zip(guilds) {
            bot.set_rule(channel, guild).await?;
        }
        Ok((bot, channels))
    }

    async fn set_rule(&self, channel: &Channel, guild: u64) -> anyhow::Result<()> {
        let rule = NewRule {
            channel_id: ChannelId::new(channel.id).context("an id is not zero")?,
            guild_id: GuildId::new(guild).context("an id is not zero")?,
            after_seconds: Some(channel.after),
            keep_last: None,
            schedule: None,
            at_minute: None,
            pins: None,
            threads: None,
            backlog: Backlog::NewOnly,
        };
        vanish::set_rule(self.running.app().domain(), &Actor::Root { source: Source::Cli }, rule).await?;
        Ok(())
    }

    /// Moves both clocks.
    pub fn advance(&self, by: TimeDelta) {
        self.discord.advance(by);
        self.clock.advance(by);
    }

    /// Waits until the sweeper has found nothing to do twice in a row. Workers that seldom look are not waited for.
    pub async fn drain(&self) -> anyhow::Result<()> {
        let before = self.running.board().read();
        self.wait("the sweeper is idle", |bot| {
            let now = bot.running.board().read();
            now.get(SWEEPER).is_some_and(|status| {
                let steps = before.get(SWEEPER).map_or(0, |before| before.steps);
                status.steps >= steps + 3 && status.idle_steps >= 2
            })
        })
        .await
    }

    async fn wait(&self, what: &str, condition: impl Fn(&Self) -> bool) -> anyhow::Result<()> {
        let deadline = Instant::now() + PATIENCE;
        while !condition(self) {
            if Instant::now() > deadline {
                bail!("waited in vain for {what}\n{}", self.discord.summary());
            }
            pause(Duration::from_millis(3)).await;
        }
        Ok(())
    }

    /// Stops; what it said to Discord must have been valid.
    pub async fn stop(self) -> anyhow::Result<()> {
        if !self.running.stop().await {
            bail!("the bot did not stop in time");
        }
        let violations = self.discord.violations();
        if !violations.is_empty() {
            bail!("the bot broke rules of Discord: {violations:?}");
        }
        Ok(())
    }
}

/// Messages that a successful exchange deleted, with their channel.
pub fn deleted_by(exchange: &Exchange) -> Option<(u64, Vec<u64>)> {
    if !(200..300).contains(&exchange.status) {
        return None;
    }
    let mut parts = exchange.path.trim_matches('/').split('/');
    let (Some("channels"), Some(channel), Some("messages"), Some(last), None) =
        (parts.next(), parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return None;
    };
    let channel = channel.parse().ok()?;
    match (exchange.method.as_str(), last) {
        ("POST", "bulk-delete") => {
            let ids = exchange.request.get("messages")?.as_array()?;
            Some((channel, ids.iter().filter_map(|id| id.as_str()?.parse().ok()).collect()))
        }
        ("DELETE", id) => Some((channel, vec![id.parse().ok()?])),
        _ => None,
    }
}

/// Real time passes.
#[expect(clippy::disallowed_methods, reason = "a bench lets real time pass")]
pub async fn pause(duration: Duration) {
    tokio::time::sleep(duration).await;
}

/// Numbers that look random and are the same on every run.
pub struct Dice(u64);

impl Dice {
    /// Starts the sequence.
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// True once in `times`, on average.
    pub fn once_in(&mut self, times: u64) -> bool {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11).is_multiple_of(times)
    }
}
