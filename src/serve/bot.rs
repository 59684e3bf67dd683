//! The bot's life in one process: register, connect, reconnect, and stop when Discord says so.

use std::{sync::Arc, time::Duration};

use entity::id::DiscordUserId;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::{BotIdentity, StartError};
use crate::{
    app::{self, App, PrivilegedIntent},
    discord::{self, Commands, Gateway, GatewayEnd, GatewaySettings},
    discord_api::{self, DiscordApi, Lane},
    secret::Secret,
};

/// Pauses between two tries to connect, in seconds; the last one repeats.
const PAUSES_SECONDS: [u64; 5] = [5, 10, 30, 60, 300];
/// How long the shards may take to close.
const CLOSE_MAX: Duration = Duration::from_secs(5);

/// What the bot is started with.
#[derive(Clone)]
pub(super) struct Settings {
    pub(super) token: Option<Arc<Secret>>,
    pub(super) api_proxy: Option<String>,
    pub(super) identity: Option<Identity>,
    pub(super) bot_admins: Vec<u64>,
    /// What the operator wants of privileged intents.
    pub(super) wishes: Wishes,
}

/// Privileged intents that the operator wants.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wishes {
    /// To see what messages say.
    pub(super) message_content: bool,
    /// To see who is in a server.
    pub(super) members: bool,
}

/// The application, as Discord told it.
#[derive(Clone, Debug)]
pub(super) struct Identity {
    id: u64,
    name: String,
    may_read_messages: bool,
    may_see_members: bool,
}

impl Identity {
    pub(super) fn public(&self) -> BotIdentity {
        BotIdentity {
            name: self.name.clone(),
            invite_link: discord::invite::link(self.id),
            may_read_messages: self.may_read_messages,
            may_see_members: self.may_see_members,
        }
    }
}

/// Asks who we are. A refused token ends the start; a Discord that does not answer only delays the bot.
pub(super) async fn identify(api: &DiscordApi) -> Result<Option<Identity>, StartError> {
    match ask(api).await {
        Ok(identity) => Ok(Some(identity)),
        Err(discord_api::Error::Unauthorized | discord_api::Error::TokenRefused) => Err(StartError::TokenRefused),
        Err(error) => {
            tracing::warn!(error = &error as &dyn std::error::Error, "Discord does not answer; the bot tries again");
            Ok(None)
        }
    }
}

async fn ask(api: &DiscordApi) -> discord_api::Result<Identity> {
    let application = api.current_application(Lane::Interactive).await?;
    let (may_read_messages, may_see_members) = (application.may_read_messages(), application.may_see_members());
    Ok(Identity { id: application.id, name: application.name, may_read_messages, may_see_members })
}

/// Stays connected until shutdown, or until Discord refuses the token for good.
pub(super) async fn run(app: App, api: DiscordApi, settings: Settings, shutdown: CancellationToken) {
    let Some(token) = settings.token.clone() else { return };
    let mut settings = settings;
    for tries in 0_usize.. {
        let connection = connect(&app, &api, &token, &settings, &shutdown);
        match connection.await {
            Ok(GatewayEnd::Closed) if shutdown.is_cancelled() => return,
            Ok(GatewayEnd::TokenRefused) => return lost(&app, "token_refused"),
            Ok(GatewayEnd::IntentsRefused) if settings.wishes.message_content || settings.wishes.members => {
                // Discord does not say which one. Without them everything else works.
                if settings.wishes.message_content {
                    content_refused(&app);
                }
                if settings.wishes.members {
                    members_refused(&app);
                }
                settings.wishes = Wishes { message_content: false, members: false };
                continue;
            }
            Ok(GatewayEnd::Refused | GatewayEnd::IntentsRefused) => return lost(&app, "refused"),
            Ok(_) => {}
            Err(Failure::Discord(discord_api::Error::Unauthorized | discord_api::Error::TokenRefused)) => {
                return lost(&app, "token_refused");
            }
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "the bot could not connect");
            }
        }
        app.readiness().set_gateway(app::Gateway::Lost("broken".to_owned()));
        let pause = Duration::from_secs(PAUSES_SECONDS[tries.min(PAUSES_SECONDS.len() - 1)]);
        if timeout(pause, shutdown.cancelled()).await.is_ok() {
            return;
        }
    }
}

fn lost(app: &App, reason: &str) {
    tracing::error!(reason, "Discord refuses the bot; HTTP stays up, the bot stays off until a restart");
    app.readiness().set_gateway(app::Gateway::Lost(reason.to_owned()));
}

/// What to ask for: not what Discord would refuse the whole connection for (4014).
fn asked_for(app: &App, wishes: Wishes, identity: &Identity) -> Wishes {
    let message_content = wishes.message_content && identity.may_read_messages;
    if message_content {
        app.readiness().set_message_content(PrivilegedIntent::Granted);
    } else if wishes.message_content {
        content_refused(app);
    }
    let members = wishes.members && identity.may_see_members;
    if members {
        app.readiness().set_members(PrivilegedIntent::Granted);
    } else if wishes.members {
        members_refused(app);
    }
    Wishes { message_content, members }
}

fn content_refused(app: &App) {
    tracing::error!(
        "discord.message_content is on, but Discord refuses it: switch on Message Content Intent on the page Bot of \
         the developer portal and restart; until then pasted API keys are not found"
    );
    app.readiness().set_message_content(PrivilegedIntent::Refused);
}

fn members_refused(app: &App) {
    tracing::error!(
        "discord.members is on, but Discord refuses it: switch on Server Members Intent on the page Bot of the \
         developer portal and restart; until then boards cannot be filtered by role"
    );
    app.readiness().set_members(PrivilegedIntent::Refused);
}

#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("a call to Discord failed")]
    Discord(#[from] discord_api::Error),
    #[error("the commands could not be registered")]
    Registration(#[from] discord::CommandError),
    #[error("the gateway client could not be built")]
    Client,
}

async fn connect(
    app: &App,
    api: &DiscordApi,
    token: &Secret,
    settings: &Settings,
    shutdown: &CancellationToken,
) -> Result<GatewayEnd, Failure> {
    app.readiness().set_gateway(app::Gateway::Connecting);
    let identity = match &settings.identity {
        Some(identity) => identity.clone(),
        None => ask(api).await?,
    };
    let Wishes { message_content, members } = asked_for(app, settings.wishes, &identity);
    let commands = discord::register_if_changed(app.domain(), api, identity.id, members).await?;
    let commands: Arc<Commands> = Arc::new(commands);
    let connection = GatewaySettings {
        api_proxy: settings.api_proxy.clone(),
        application_id: identity.id,
        bot_admins: settings.bot_admins.iter().copied().filter_map(DiscordUserId::new).collect(),
        message_content,
        members,
    };
    let gateway =
        Gateway::new(app.clone(), api.clone(), token, connection, commands).await.map_err(|_| Failure::Client)?;
    let shards = gateway.shard_manager();
    let mut health = api.watch_health();
    let end = {
        let run = gateway.run(app);
        tokio::pin!(run);
        tokio::select! {
            end = &mut run => end,
            () = shutdown.cancelled() => {
                close(&shards, &mut run).await;
                GatewayEnd::Closed
            }
            () = async { drop(health.wait_for(|health| health.token_refused).await) } => {
                close(&shards, &mut run).await;
                GatewayEnd::TokenRefused
            }
        }
    };
    Ok(end)
}

async fn close(shards: &serenity::all::ShardManager, run: &mut (impl Future<Output = GatewayEnd> + Unpin)) {
    let closing = async {
        shards.shutdown_all().await;
        run.await;
    };
    if timeout(CLOSE_MAX, closing).await.is_err() {
        tracing::warn!("the gateway did not close in time");
    }
}
