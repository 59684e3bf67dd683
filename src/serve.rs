//! The composition root: builds everything, supervises it, and shuts it down in order.
//!
//! Order of a stop: the listener and the gateway take nothing new, workers finish the batch in hand, the lease is
//! given back, the store waits for open transactions.

mod bot;
mod leader;
mod secrets;

pub use secrets::NewRootKey;

use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use chrono::TimeDelta;
use tokio::{net::TcpListener, task::JoinSet, time::timeout};
use tokio_util::sync::CancellationToken;

use crate::{
    app::{App, HttpSettings, Parts, Readiness, RootKey},
    clock::Clock,
    config::{ApplicationThreshold, Config, KeyShape, KeysConfig},
    discord_api::{self, DiscordApi, OAuth},
    domain::{
        Domain, KeyDialect, KeyLimits, Limits, SigningKeys, api_key,
        application::{HttpForm, Policy, Quorum, Threshold},
        sign_in::SignInLimits,
    },
    ens_client::{EnsClient, EnsError},
    http,
    id_source::IdSource,
    limits::{self, RateLimits},
    store::{self, MigrateError, Store},
    telemetry,
    worker::{self, Board, cache_tailer::CacheTailer, key_follower::KeyFollower, key_usage_writer::KeyUsageWriter},
};

/// Why the server does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The database does not open.
    #[error("the database at {url} does not open")]
    Store {
        /// Its address, without a password.
        url: String,
        /// Why.
        source: sea_orm::DbErr,
    },
    /// The schema is not ours, or newer.
    #[error(transparent)]
    Migrate(#[from] MigrateError),
    /// The database works not long enough to start.
    #[error("the store failed while starting")]
    Domain(#[from] crate::domain::Error),
    /// The port is taken, or the address is not ours.
    #[error("cannot listen on {address}: choose another port with PORT or another address with http.host")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// A secret cannot be written to its file.
    #[error("cannot write {}", path.display())]
    SecretFile {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file of the root key holds something else.
    #[error(
        "{} holds no root key that this program made, and none is stored: move it away, or set API_KEY",
        path.display()
    )]
    ForeignRootKey {
        /// The file.
        path: PathBuf,
    },
    /// The settings of the Discord client are wrong.
    #[error("the calls to Discord cannot be set up")]
    DiscordSetup(#[from] discord_api::SetupError),
    /// The client for the Ethereum node cannot be made.
    #[error("the names of wallets cannot be looked up: see ens.rpc_url")]
    Names(#[from] EnsError),
    /// Discord does not know the token.
    #[error("Discord refused DISCORD_TOKEN: copy it anew from the developer portal, section Bot")]
    TokenRefused,
}

/// What the operator is told after a start.
pub struct Started {
    /// Where HTTP is served.
    pub address: SocketAddr,
    /// A root key that holds from this start on; it is shown once.
    pub new_root_key: Option<NewRootKey>,
    /// Where metrics are served.
    pub metrics_address: Option<SocketAddr>,
    /// The bot's name and the link that invites it; none while Discord is off or silent.
    pub bot: Option<BotIdentity>,
}

/// Who the bot is.
#[derive(Clone, Debug)]
pub struct BotIdentity {
    /// The application's name.
    pub name: String,
    /// The link that brings it into a server.
    pub invite_link: String,
    /// Discord lets it read messages, where the settings ask for that.
    pub may_read_messages: bool,
    /// Discord lets it see who is in a server, where the settings ask for that.
    pub may_see_members: bool,
}

/// A running server.
pub struct Running {
    /// What the operator is told.
    pub started: Started,
    app: App,
    board: Board,
    shutdown: CancellationToken,
    tasks: JoinSet<&'static str>,
    grace: Duration,
}

/// Opens, migrates, listens and starts everything.
pub async fn start(config: &Config, clock: Clock, ids: IdSource) -> Result<Running, StartError> {
    let store = open_store(config).await?;
    store.migrate().await?;
    let rate_limits = RateLimits::new(limit_settings(config), clock.clone());
    let domain = Domain::new(store, clock, ids, limits(config)).with_signing_keys(signing_keys(config)?);
    let api = discord_api(config)?;
    let names = config.ens.rpc_url.as_deref().map(EnsClient::new).transpose()?;
    let identity = match &api {
        Some(api) => bot::identify(api).await?,
        None => None,
    };
    let listener = listen(config.http.address()).await?;
    let address =
        listener.local_addr().map_err(|source| StartError::Listen { address: config.http.address(), source })?;
    let metrics_listener = match config.metrics.listen {
        Some(address) => Some(listen(address).await?),
        None => None,
    };
    let metrics_address = metrics_listener.as_ref().and_then(|listener| listener.local_addr().ok());
    let metrics = metrics_listener.as_ref().and_then(|_| telemetry::metrics_handle());
    // Last of all that may fail: a key that was made must also be shown.
    let root_key = secrets::root_key(config, &domain).await?;
    let app = App::new(Parts {
        domain,
        http: http_settings(config, address),
        root_key: root_key.key,
        admin_secret: config.secrets.admin_secret_key.as_ref().map(|secret| RootKey::from_key(secret.expose())),
        limits: rate_limits,
        readiness: Readiness::default(),
        metrics: metrics.clone(),
        discord: api,
        oauth: oauth(config)?,
    });
    let mut running = Running {
        started: Started {
            address,
            new_root_key: root_key.new,
            metrics_address,
            bot: identity.as_ref().map(bot::Identity::public),
        },
        app,
        board: Board::default(),
        shutdown: CancellationToken::new(),
        tasks: JoinSet::new(),
        grace: config.shutdown.grace(),
    };
    running.spawn_http(listener);
    let sweeps = running.app.limits().clone().keep_swept(running.shutdown.clone());
    running.spawn("limits", sweeps);
    if let (Some(listener), Some(handle)) = (metrics_listener, metrics) {
        let shutdown = running.shutdown.clone();
        running.spawn("metrics", async move { http::metrics::serve_metrics(listener, handle, shutdown).await });
    }
    running.spawn_workers(config, identity, names);
    Ok(running)
}

/// Opens the store that the settings name.
pub async fn open_store(config: &Config) -> Result<Store, StartError> {
    let database = &config.database;
    let settings = store::Settings {
        url: database.url.clone(),
        readers_max: database.readers_max,
        pool_connections_max: database.pool_connections_max,
        acquire_timeout: database.acquire_timeout(),
        statement_timeout: database.statement_timeout(),
        idle_in_transaction_timeout: database.idle_in_transaction_timeout(),
        copies_kept: database.copies_kept,
    };
    Store::open(settings).await.map_err(|source| StartError::Store { url: database.url.to_string(), source })
}

fn limit_settings(config: &Config) -> limits::Settings {
    let given = &config.limits;
    limits::Settings {
        root_per_minute: given.root_per_minute,
        admin_per_minute: given.admin_per_minute.get(),
        key_per_minute: given.key_per_minute.get(),
        user_per_minute: given.user_per_minute.get(),
        user_writes_per_minute: given.user_writes_per_minute.get(),
        anonymous_per_minute: given.anonymous_per_minute.get(),
        documents_per_minute: given.documents_per_minute.get(),
        sign_in_per_15_minutes: given.sign_in_per_15_minutes.get(),
        sign_in_address_per_15_minutes: given.sign_in_address_per_15_minutes.get(),
        refresh_per_15_minutes: given.refresh_per_15_minutes.get(),
        callers_max: given.callers_max,
    }
}

/// The domain's limits, as the settings give them.
pub fn limits(config: &Config) -> Limits {
    Limits {
        arm_delay: config.vanish.arm_delay(),
        sweep_calls_per_second_max: config.vanish.calls_per_second_max.get(),
        old_deletes_per_second: config.vanish.old_deletes_per_second.get(),
        preview_messages_max: config.vanish.preview_messages_max as usize,
        keys: key_limits(&config.keys),
        creates_users_on_read: config.compat.autocreate,
        sign_in: SignInLimits { chain_ids: config.sign_in.chains.clone() },
        applications: http_form(config),
    }
}

fn http_form(config: &Config) -> HttpForm {
    let given = &config.applications;
    let threshold = match given.threshold {
        ApplicationThreshold::Majority => Threshold::Majority,
        ApplicationThreshold::TwoThirds => Threshold::TwoThirds,
        ApplicationThreshold::Unanimous => Threshold::Unanimous,
        ApplicationThreshold::Quorum => Threshold::Count(given.quorum),
    };
    let deadline_hours = Some(given.deadline_hours).filter(|hours| *hours > 0);
    let policy = Policy { quorum: Quorum::Count(given.quorum), threshold, deadline_hours, ..Policy::default() };
    // The rule of the setting has read it as an id.
    HttpForm { guild_id: config.compat.guild_id.as_ref().and_then(|id| id.parse().ok()), policy }
}

fn key_limits(keys: &KeysConfig) -> KeyLimits {
    KeyLimits {
        max_active_per_user: Some(keys.max_active_per_user).filter(|max| *max > 0),
        shape: match keys.shape {
            KeyShape::Live => KeyDialect::Live,
            KeyShape::Test => KeyDialect::Test,
            KeyShape::Compatible => KeyDialect::Compatible,
        },
        chat_lifetime: TimeDelta::days(keys.chat_lifetime_days.into()),
        chat_overlap: TimeDelta::hours(keys.chat_overlap_hours.into()),
        chat_active_max: keys.chat_active_max,
        claim_lifetime: TimeDelta::minutes(keys.claim_lifetime_minutes.into()),
    }
}

/// The secrets that sign access tokens, the first of which is made where none is set.
pub fn signing_keys(config: &Config) -> Result<SigningKeys, StartError> {
    let present = secrets::jwt_secret(config)?;
    Ok(SigningKeys::new(&present, config.secrets.jwt_secret_previous.as_ref()))
}

/// The client for Discord's REST interface; none without a token.
pub fn discord_api(config: &Config) -> Result<Option<DiscordApi>, discord_api::SetupError> {
    let Some(token) = &config.secrets.discord_token else { return Ok(None) };
    let discord = &config.discord;
    let settings = discord_api::Settings {
        base_url: discord.api_proxy.clone(),
        requests_per_second: discord.requests_per_second.get(),
        background_per_second: config.vanish.old_deletes_per_second.get(),
        connect_timeout: discord.connect_timeout(),
        request_timeout: discord.request_timeout(),
        invalid_requests_max: discord.invalid_requests_max,
        ..discord_api::Settings::new(token.expose())
    };
    DiscordApi::new(&settings).map(Some)
}

/// Signing in with Discord; none without the application's id and secret.
fn oauth(config: &Config) -> Result<Option<OAuth>, discord_api::SetupError> {
    let discord = &config.discord;
    let (Some(id), Some(secret)) = (&discord.client_id, &config.secrets.discord_client_secret) else { return Ok(None) };
    OAuth::new(discord.oauth_url.as_deref(), id, secret.expose(), discord.connect_timeout()).map(Some)
}

fn http_settings(config: &Config, address: SocketAddr) -> HttpSettings {
    let http = &config.http;
    HttpSettings {
        allowed_origins: http.allowed_origins.clone(),
        body_bytes_max: http.body_bytes_max,
        header_bytes_max: http.header_bytes_max,
        header_timeout: http.header_timeout(),
        body_timeout: http.body_timeout(),
        request_timeout: http.request_timeout(),
        connections_max: http.connections_max,
        trusted_proxies: http.trusted_proxies.clone(),
        public_address: http.public_url.clone().unwrap_or_else(|| format!("http://{address}")),
        public_url: http.public_url.clone(),
    }
}

async fn listen(address: SocketAddr) -> Result<TcpListener, StartError> {
    TcpListener::bind(address).await.map_err(|source| StartError::Listen { address, source })
}

impl Running {
    fn spawn(&mut self, name: &'static str, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(async move {
            task.await;
            name
        });
    }

    fn spawn_http(&mut self, listener: TcpListener) {
        let (app, shutdown) = (self.app.clone(), self.shutdown.clone());
        self.spawn("http", async move {
            let router = http::router(app.clone());
            http::server::serve(listener, router, app.http(), shutdown).await;
        });
    }

    fn spawn_workers(&mut self, config: &Config, identity: Option<bot::Identity>, names: Option<EnsClient>) {
        let domain = self.app.domain().clone();
        let commits = domain.store().commits();
        let follower = KeyFollower::new(domain.clone());
        let usage = KeyUsageWriter::new(domain.clone());
        let tailer = CacheTailer::new(domain);
        let (board, shutdown) = (self.board.clone(), self.shutdown.clone());
        let follow = worker::run(follower, commits.clone(), board.clone(), shutdown.clone());
        self.spawn("key_follower", follow);
        let write_usage = worker::run(usage, worker::no_commits(), board.clone(), shutdown.clone());
        self.spawn("key_usage_writer", write_usage);
        self.spawn("cache_tailer", async move { worker::run(tailer, commits, board, shutdown).await });
        let leader = leader::Leader {
            app: self.app.clone(),
            board: self.board.clone(),
            names,
            lease: config.leases.duration(),
            sweeper: worker::vanish_sweeper::Settings {
                period: config.vanish.sweep_period(),
                channels_at_once: config.vanish.channels_at_once,
            },
            bot: bot::Settings {
                token: config.secrets.discord_token.clone().map(Arc::new),
                api_proxy: config.discord.api_proxy.clone(),
                identity,
                bot_admins: config.discord.bot_admins.clone(),
                wishes: bot::Wishes {
                    message_content: config.discord.message_content,
                    members: config.discord.members,
                },
            },
        };
        let shutdown = self.shutdown.clone();
        self.spawn("leader", async move { leader.run(shutdown).await });
    }

    /// What the faces share.
    pub fn app(&self) -> &App {
        &self.app
    }

    /// How the workers are doing.
    pub fn board(&self) -> &Board {
        &self.board
    }

    /// Waits until a task ends by itself, which none should; says which.
    pub async fn ended(&mut self) -> String {
        match self.tasks.join_next().await {
            Some(Ok(name)) => name.to_owned(),
            Some(Err(error)) => error.to_string(),
            None => "everything".to_owned(),
        }
    }

    /// Stops everything within the grace; says whether it all ended in time.
    pub async fn stop(mut self) -> bool {
        self.shutdown.cancel();
        let drained = timeout(self.grace, async {
            while let Some(ended) = self.tasks.join_next().await {
                if let Err(error) = ended {
                    tracing::error!(%error, "a task ended badly");
                }
            }
            // Requests have ended by now: nothing is counted after this.
            if let Err(error) = api_key::usage::flush(self.app.domain()).await {
                tracing::error!(error = &error as &dyn std::error::Error, "usage of keys is lost");
            }
            self.app.domain().store().close().await;
        });
        let in_time = drained.await.is_ok();
        if !in_time {
            tracing::warn!("not everything ended within the grace");
        }
        in_time
    }
}
