//! Settings: every key of `config.toml`, where its value came from, and what is wrong with it.
//!
//! Layers, each over the one before: the compiled-in `config.toml`, a file (named by `--config` or
//! `GUILDHALL_CONFIG`, else `./config.toml` when there is one), the environment. Every problem is
//! collected, so that one start names all of them. Secrets never come from the file.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::time::Duration;

use ipnet::IpNet;
use serde::{Deserialize, Deserializer};

use crate::secret::{DatabaseKind, DatabaseUrl, Secret};

mod applications;
mod catalogue;
mod layers;
mod problem;
mod rules;
mod sources;

pub use applications::{ApplicationThreshold, ApplicationsConfig};
pub use layers::Setting;
pub use problem::{ConfigError, Place, Problem};
pub use sources::Sources;

/// The default layer, and the reference of every key.
pub const DEFAULTS: &str = include_str!("../config.toml");

/// Every setting, checked.
#[derive(Clone)]
pub struct Config {
    /// The control plane's listener.
    pub http: HttpConfig,
    /// The store.
    pub database: DatabaseConfig,
    /// Calls to Discord.
    pub discord: DiscordConfig,
    /// Signing in.
    pub sign_in: SignInConfig,
    /// Names of wallets.
    pub ens: EnsConfig,
    /// API keys.
    pub keys: KeysConfig,
    /// How often callers may call.
    pub limits: LimitsConfig,
    /// The vanish engine.
    pub vanish: VanishConfig,
    /// Leases that instances hold on shared work.
    pub leases: LeasesConfig,
    /// The Prometheus listener.
    pub metrics: MetricsConfig,
    /// Logs.
    pub log: LogConfig,
    /// Stopping.
    pub shutdown: ShutdownConfig,
    /// What clients of other systems expect.
    pub compat: CompatConfig,
    /// Applications that programs make.
    pub applications: ApplicationsConfig,
    /// Secrets, which come from the environment or from files it names.
    pub secrets: Secrets,
    settings: Vec<Setting>,
}

/// The settings of the file, as one value that serde fills.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Tables {
    http: HttpConfig,
    database: DatabaseConfig,
    discord: DiscordConfig,
    sign_in: SignInConfig,
    ens: EnsConfig,
    keys: KeysConfig,
    limits: LimitsConfig,
    vanish: VanishConfig,
    leases: LeasesConfig,
    metrics: MetricsConfig,
    log: LogConfig,
    shutdown: ShutdownConfig,
    compat: CompatConfig,
    applications: ApplicationsConfig,
}

/// `[http]`: the control plane's listener.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpConfig {
    /// An IP address or `localhost`.
    pub host: String,
    /// TCP port; 0 lets the system pick one.
    pub port: u16,
    /// Address for banners and links, without a slash at its end; `None` derives it.
    #[serde(deserialize_with = "without_slash")]
    pub public_url: Option<String>,
    /// Origins that browsers may call from; `*` alone stands for all.
    pub allowed_origins: Vec<String>,
    /// Seconds for request line and headers.
    pub header_timeout_seconds: u64,
    /// Seconds for the body.
    pub body_timeout_seconds: u64,
    /// Seconds for the answer.
    pub request_timeout_seconds: u64,
    /// Connections open at once.
    pub connections_max: usize,
    /// Largest body in bytes.
    pub body_bytes_max: usize,
    /// Networks of reverse proxies whose `X-Forwarded-For` is believed.
    #[serde(deserialize_with = "networks")]
    pub trusted_proxies: Vec<IpNet>,
    /// Largest request line and headers in bytes; at least hyper's minimum of 8192.
    pub header_bytes_max: usize,
}

impl HttpConfig {
    /// The address to bind; `localhost` is 127.0.0.1.
    pub fn address(&self) -> SocketAddr {
        // Checked on load: what is no IP address is `localhost`.
        let ip = self.host.parse().unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
        SocketAddr::new(ip, self.port)
    }

    /// Time for request line and headers.
    pub fn header_timeout(&self) -> Duration {
        Duration::from_secs(self.header_timeout_seconds)
    }

    /// Time for the body.
    pub fn body_timeout(&self) -> Duration {
        Duration::from_secs(self.body_timeout_seconds)
    }

    /// Time for the answer.
    pub fn request_timeout(&self) -> Duration {
        Duration::from_secs(self.request_timeout_seconds)
    }
}

/// `[database]`: the store.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatabaseConfig {
    /// Where the data lives.
    pub url: DatabaseUrl,
    /// Reader connections on SQLite.
    pub readers_max: u32,
    /// Connections in the pool on PostgreSQL.
    pub pool_connections_max: u32,
    /// Seconds to wait for a free connection.
    pub acquire_timeout_seconds: u64,
    /// Seconds that one statement may run on PostgreSQL.
    pub statement_timeout_seconds: u64,
    /// Seconds that a transaction may sit idle on PostgreSQL.
    pub idle_in_transaction_timeout_seconds: u64,
    /// Copies of the SQLite file kept from before migrations.
    pub copies_kept: u32,
}

impl DatabaseConfig {
    /// Time to wait for a free connection.
    pub fn acquire_timeout(&self) -> Duration {
        Duration::from_secs(self.acquire_timeout_seconds)
    }

    /// Time that one statement may run on PostgreSQL.
    pub fn statement_timeout(&self) -> Duration {
        Duration::from_secs(self.statement_timeout_seconds)
    }

    /// Time that a transaction may sit idle on PostgreSQL.
    pub fn idle_in_transaction_timeout(&self) -> Duration {
        Duration::from_secs(self.idle_in_transaction_timeout_seconds)
    }
}

/// `[discord]`: calls to Discord.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DiscordConfig {
    /// HTTP proxy for Discord's API, without a slash at its end; `None` is Discord itself.
    #[serde(deserialize_with = "without_slash")]
    pub api_proxy: Option<String>,
    /// Whether plain http may leave this machine.
    pub allow_insecure_proxy: bool,
    /// Calls per second over all routes.
    pub requests_per_second: NonZeroU32,
    /// Seconds to open a connection.
    pub connect_timeout_seconds: u64,
    /// Seconds for one call in all.
    pub request_timeout_seconds: u64,
    /// Refused calls per 10 minutes before the bot pauses.
    pub invalid_requests_max: u32,
    /// Ids of the accounts that administer this installation, beside the application's owner and team.
    #[serde(deserialize_with = "ids")]
    pub bot_admins: Vec<u64>,
    /// Whether the bot reads messages, to find API keys in them.
    pub message_content: bool,
    /// Whether the bot sees who is in a server and with which roles.
    pub members: bool,
    /// The application's client id; `None` lets nobody sign in with Discord.
    #[serde(deserialize_with = "text_or_none")]
    pub client_id: Option<String>,
    /// Where people sign in with Discord, without a slash at its end; `None` is Discord itself.
    #[serde(deserialize_with = "without_slash")]
    pub oauth_url: Option<String>,
}

/// `[sign_in]`: signing in.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignInConfig {
    /// Ids of the chains whose wallets may sign in.
    #[serde(deserialize_with = "ids")]
    pub chains: Vec<u64>,
}

/// `[ens]`: names of wallets.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnsConfig {
    /// The Ethereum node that is asked; `None` asks nobody.
    #[serde(deserialize_with = "text_or_none")]
    pub rpc_url: Option<String>,
}

impl DiscordConfig {
    /// Time to open a connection.
    pub fn connect_timeout(&self) -> Duration {
        Duration::from_secs(self.connect_timeout_seconds)
    }

    /// Time for one call in all.
    pub fn request_timeout(&self) -> Duration {
        Duration::from_secs(self.request_timeout_seconds)
    }
}

/// In whose shape keys are minted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyShape {
    /// `hall_live_…`.
    Live,
    /// `hall_test_…`.
    Test,
    /// As the systems whose clients we serve.
    Compatible,
}

/// `[keys]`: API keys.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeysConfig {
    /// In whose shape keys are minted.
    pub shape: KeyShape,
    /// Active keys that one person may have; 0 is no limit.
    pub max_active_per_user: u32,
    /// Days that a key from chat lives.
    pub chat_lifetime_days: u32,
    /// Hours that the old key works on after a rotation in chat.
    pub chat_overlap_hours: u32,
    /// Active keys that one person may have from chat.
    pub chat_active_max: u32,
    /// Minutes that a link reveals its key.
    pub claim_lifetime_minutes: u32,
}

/// `[limits]`: how often callers may call.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitsConfig {
    /// With the root key; 0 lifts the limit.
    pub root_per_minute: u32,
    /// With a key that may do everything.
    pub admin_per_minute: NonZeroU32,
    /// With any other key.
    pub key_per_minute: NonZeroU32,
    /// A signed-in person.
    pub user_per_minute: NonZeroU32,
    /// Changes of a signed-in person.
    pub user_writes_per_minute: NonZeroU32,
    /// From an address without a credential.
    pub anonymous_per_minute: NonZeroU32,
    /// From an address, for reference and documents.
    pub documents_per_minute: NonZeroU32,
    /// Tries to sign in, from an address to an account.
    pub sign_in_per_15_minutes: NonZeroU32,
    /// Tries to sign in, from an address to all accounts.
    pub sign_in_address_per_15_minutes: NonZeroU32,
    /// Refreshes of one session.
    pub refresh_per_15_minutes: NonZeroU32,
    /// Callers that are counted at once.
    pub callers_max: usize,
}

/// `[vanish]`: the vanish engine.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VanishConfig {
    /// Seconds between setting a rule and its first deletion.
    pub arm_delay_seconds: u64,
    /// Messages that a preview counts before it says "more than".
    pub preview_messages_max: u32,
    /// Planned calls per second over all channels.
    pub calls_per_second_max: NonZeroU32,
    /// Deletions per second of messages past 14 days.
    pub old_deletes_per_second: NonZeroU32,
    /// Milliseconds between two looks for due channels.
    pub sweep_period_milliseconds: u64,
    /// Channels swept at the same time.
    pub channels_at_once: usize,
}

impl VanishConfig {
    /// Time between setting a rule and its first deletion.
    pub fn arm_delay(&self) -> Duration {
        Duration::from_secs(self.arm_delay_seconds)
    }

    /// Time between two looks for due channels.
    pub fn sweep_period(&self) -> Duration {
        Duration::from_millis(self.sweep_period_milliseconds)
    }
}

/// `[leases]`: leases that instances hold on shared work.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeasesConfig {
    /// Seconds after which a silent holder loses its lease.
    pub duration_seconds: u64,
}

impl LeasesConfig {
    /// Time after which a silent holder loses its lease.
    pub fn duration(&self) -> Duration {
        Duration::from_secs(self.duration_seconds)
    }
}

/// `[metrics]`: the Prometheus listener.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MetricsConfig {
    /// Loopback address to serve metrics on; `None` is off.
    #[serde(deserialize_with = "address_or_none")]
    pub listen: Option<SocketAddr>,
}

/// How a log line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Human on a terminal, JSON otherwise.
    Auto,
    /// One readable line per event.
    Human,
    /// One JSON object per event.
    Json,
}

/// `[log]`: logs.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogConfig {
    /// How a line looks.
    pub format: LogFormat,
    /// `EnvFilter` directives; `RUST_LOG` is already merged in.
    pub level: String,
}

/// `[shutdown]`: stopping.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShutdownConfig {
    /// Seconds that requests and workers get to finish.
    pub grace_seconds: u64,
}

impl ShutdownConfig {
    /// Time that requests and workers get to finish.
    pub fn grace(&self) -> Duration {
        Duration::from_secs(self.grace_seconds)
    }
}

/// `[compat]`: what clients of other systems expect.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CompatConfig {
    /// Whether `GET /api/users/by-discord/{id}` makes the person of an account.
    pub autocreate: bool,
    /// The guild of applications that a program of no guild makes.
    #[serde(deserialize_with = "text_or_none")]
    pub guild_id: Option<String>,
}

/// Secrets: from the environment or from files that it names, never from `config.toml`.
#[derive(Clone, Default)]
pub struct Secrets {
    /// `API_KEY`: the root key, at least 32 characters.
    pub api_key: Option<Secret>,
    /// `JWT_SECRET`: signs sessions, at least 32 bytes.
    pub jwt_secret: Option<Secret>,
    /// `JWT_SECRET_PREVIOUS`: the one before it, which still verifies, at least 32 bytes.
    pub jwt_secret_previous: Option<Secret>,
    /// `ADMIN_SECRET_KEY`: opens administration, at least 16 characters.
    pub admin_secret_key: Option<Secret>,
    /// `DISCORD_TOKEN`: the bot's token; without it Discord is off.
    pub discord_token: Option<Secret>,
    /// `DISCORD_CLIENT_SECRET`: the application's secret; without it nobody signs in with Discord.
    pub discord_client_secret: Option<Secret>,
}

impl Config {
    /// Merges the layers and checks every value.
    pub fn load(sources: &Sources) -> Result<Self, ConfigError> {
        let mut problems = Vec::new();
        let merged = layers::merge(sources, &mut problems);
        let secrets = layers::secrets(sources, &mut problems);
        rules::check(&merged, &mut problems);
        if !problems.is_empty() {
            return Err(ConfigError::new(problems));
        }
        let mut settings = merged.describe();
        settings.extend(secrets.describe());
        let tables: Tables = serde_path_to_error::deserialize(merged.into_table())
            .map_err(|error| ConfigError::new(vec![problem::internal(&error)]))?;
        Ok(Self {
            http: tables.http,
            database: tables.database,
            discord: tables.discord,
            sign_in: tables.sign_in,
            ens: tables.ens,
            keys: tables.keys,
            limits: tables.limits,
            vanish: tables.vanish,
            leases: tables.leases,
            metrics: tables.metrics,
            log: tables.log,
            shutdown: tables.shutdown,
            compat: tables.compat,
            applications: tables.applications,
            secrets: secrets.into_secrets(),
            settings,
        })
    }

    /// Refuses to serve on PostgreSQL without `JWT_SECRET`: instances that share a store must share it,
    /// and each would generate its own.
    pub fn require_shared_secrets(&self) -> Result<(), ConfigError> {
        if self.database.url.kind() == DatabaseKind::Postgres && self.secrets.jwt_secret.is_none() {
            return Err(ConfigError::new(vec![problem::missing_jwt_secret()]));
        }
        Ok(())
    }

    /// Every setting with the value in force and where it came from; secrets are masked.
    pub fn describe(&self) -> &[Setting] {
        &self.settings
    }
}

fn without_slash<'de, D: Deserializer<'de>>(source: D) -> Result<Option<String>, D::Error> {
    let text = String::deserialize(source)?;
    let text = text.trim_end_matches('/');
    Ok((!text.is_empty()).then(|| text.to_owned()))
}

fn text_or_none<'de, D: Deserializer<'de>>(source: D) -> Result<Option<String>, D::Error> {
    Ok(Some(String::deserialize(source)?).filter(|text| !text.is_empty()))
}

fn ids<'de, D: Deserializer<'de>>(source: D) -> Result<Vec<u64>, D::Error> {
    let texts = Vec::<String>::deserialize(source)?;
    texts.iter().map(|text| text.parse()).collect::<Result<_, _>>().map_err(serde::de::Error::custom)
}

/// Networks, or addresses as networks of one.
fn networks<'de, D: Deserializer<'de>>(source: D) -> Result<Vec<IpNet>, D::Error> {
    let texts = Vec::<String>::deserialize(source)?;
    let network = |text: &String| text.parse().or_else(|_| text.parse().map(<IpNet as From<IpAddr>>::from));
    texts.iter().map(network).collect::<Result<_, _>>().map_err(serde::de::Error::custom)
}

fn address_or_none<'de, D: Deserializer<'de>>(source: D) -> Result<Option<SocketAddr>, D::Error> {
    let text = String::deserialize(source)?;
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(serde::de::Error::custom)
}

#[cfg(test)]
mod tests;
