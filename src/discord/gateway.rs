//! The connection to Discord's gateway, over serenity, from first identify to the last close.

use std::{convert::Infallible, sync::Arc, time::Duration};

use entity::id::DiscordUserId;
use serenity::{
    Client, Error as SerenityError,
    all::{GatewayError, HttpBuilder, ShardManager},
    gateway::ConnectionStage,
};

use super::{Commands, Data, framework_options, intents, join_requests::JoinRequests, voice::VoiceWatch};
use crate::{
    app::{self, App},
    discord_api::DiscordApi,
    secret::Secret,
};

/// Time between two looks at the connection.
const LOOK_PERIOD: Duration = Duration::from_secs(1);
/// Looks without a connection until it counts as lost: a session that is resumed at once is no news.
const LOOKS_AWAY: u32 = 3;

/// Why the gateway ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GatewayEnd {
    /// We closed it.
    Closed,
    /// Discord refused the token.
    TokenRefused,
    /// Discord does not let this application see what messages say (4014).
    IntentsRefused,
    /// Discord refuses this connection for good: sharding or version.
    Refused,
    /// It broke and could not be mended; trying again later may help.
    Broken,
}

/// What a connection is made with.
#[derive(Clone, Debug)]
pub struct GatewaySettings {
    /// Replaces `https://discord.com`.
    pub api_proxy: Option<String>,
    /// The application's id.
    pub application_id: u64,
    /// Accounts that administer this installation, beside the application's owner and team.
    pub bot_admins: Vec<DiscordUserId>,
    /// Whether to ask for what messages say, a privileged intent.
    pub message_content: bool,
    /// Whether to ask who comes, goes and has which roles, a privileged intent.
    pub members: bool,
}

/// A prepared connection.
pub struct Gateway {
    client: Client,
    voice: Arc<VoiceWatch>,
}

impl Gateway {
    /// Prepares the connection.
    pub async fn new(
        app: App,
        api: DiscordApi,
        token: &Secret,
        settings: GatewaySettings,
        commands: Arc<Commands>,
    ) -> Result<Self, SerenityError> {
        let mut http = HttpBuilder::new(token.expose());
        if let Some(proxy) = &settings.api_proxy {
            // serenity ignores its proxy while its own limiter is on; the limits are ours anyway.
            http = http.proxy(proxy).ratelimiter_disabled(true);
        }
        let intents = intents(&settings);
        let data = Data::new(app, api, settings, commands);
        let voice = data.voice.clone();
        let requests = JoinRequests::new(data.app.domain().clone());
        let framework = poise::Framework::builder()
            .options(framework_options())
            .initialize_owners(false)
            // Nothing fallible happens here: a setup that fails would leave the bot deaf.
            .setup(|_, _, _| Box::pin(async move { Ok(data) }))
            .build();
        let client = serenity::all::ClientBuilder::new_with_http(http.build(), intents)
            .framework(framework)
            .voice_manager_arc(voice.clone())
            .raw_event_handler(requests)
            .await?;
        Ok(Self { client, voice })
    }

    /// What closes the connection from elsewhere.
    pub fn shard_manager(&self) -> Arc<ShardManager> {
        self.client.shard_manager.clone()
    }

    /// Stays connected until somebody closes it or Discord refuses.
    pub async fn run(mut self, app: &App) -> GatewayEnd {
        app.readiness().set_gateway(app::Gateway::Connecting);
        let shards = self.shard_manager();
        let end = tokio::select! {
            ended = self.client.start_autosharded() => ended.map_or_else(|error| end_of(&error), |()| GatewayEnd::Closed),
            never = watch(&shards, app) => match never {},
            never = self.voice.follow() => match never {},
        };
        let state = match end {
            GatewayEnd::Closed => app::Gateway::Off,
            GatewayEnd::TokenRefused => app::Gateway::Lost("token_refused".to_owned()),
            GatewayEnd::IntentsRefused => app::Gateway::Lost("intents_refused".to_owned()),
            GatewayEnd::Refused => app::Gateway::Lost("refused".to_owned()),
            GatewayEnd::Broken => app::Gateway::Lost("broken".to_owned()),
        };
        app.readiness().set_gateway(state);
        end
    }
}

/// serenity reconnects without a word, for as long as it takes; meanwhile nobody may be told that all is well.
async fn watch(shards: &ShardManager, app: &App) -> Infallible {
    let mut ticks = tokio::time::interval(LOOK_PERIOD);
    let mut away = 0;
    loop {
        ticks.tick().await;
        let connected = shards.runners.lock().await.values().any(|shard| shard.stage == ConnectionStage::Connected);
        away = if connected { 0 } else { away + 1 };
        match app.readiness().gateway() {
            app::Gateway::Ready if away >= LOOKS_AWAY => app.readiness().set_gateway(app::Gateway::Connecting),
            app::Gateway::Connecting if connected => app.readiness().set_gateway(app::Gateway::Ready),
            _ => {}
        }
    }
}

fn end_of(error: &SerenityError) -> GatewayEnd {
    // Never `{error:?}`: serenity's errors can carry routes with tokens.
    match error {
        SerenityError::Gateway(GatewayError::InvalidAuthentication | GatewayError::NoAuthentication) => {
            GatewayEnd::TokenRefused
        }
        SerenityError::Gateway(GatewayError::DisallowedGatewayIntents) => GatewayEnd::IntentsRefused,
        SerenityError::Gateway(
            GatewayError::InvalidGatewayIntents | GatewayError::InvalidShardData | GatewayError::OverloadedShard,
        ) => GatewayEnd::Refused,
        _ => GatewayEnd::Broken,
    }
}
