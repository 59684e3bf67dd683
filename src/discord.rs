//! The Discord face: slash commands, buttons, menus and gateway events. It translates; the domain decides.
//!
//! Invariants: the first answer to an interaction leaves within 2.5 s, whatever the store does; nothing pings; every
//! button carries its whole state, so that it works after a restart.

mod apikey;
mod applications;
mod apply;
mod asked;
mod bot_admin;
mod component;
mod error_reply;
mod event_handler;
mod forms;
mod gateway;
mod help;
pub mod invite;
mod join_requests;
mod leak_scanner;
mod menu;
mod my;
mod practice;
mod practice_admin;
mod registration;
mod reply;
mod settings;
mod status;
mod text;
mod vanish;
mod voice;

use std::{sync::Arc, time::Duration};

use bot_admin::BotAdmins;
use chrono::{DateTime, Utc};
use entity::id::{DiscordUserId, GuildId, RoleId};
use event_handler::Rechecks;
use moka::sync::Cache;
use serenity::all as serenity;
use voice::VoiceWatch;

pub use asked::Asked;
pub use error_reply::CommandError;
pub use gateway::{Gateway, GatewayEnd, GatewaySettings};
pub use registration::{Commands, command_list, register_if_changed};
pub use reply::Reply;

use crate::{
    app::App,
    chart::Charts,
    discord_api::DiscordApi,
    domain::{Account, Actor, user},
};

/// Interactions that are remembered so that one delivered twice has one effect.
const SEEN_MAX: u64 = 10_000;
/// How long an interaction can be answered.
const INTERACTION_LIFETIME: Duration = Duration::from_mins(15);

/// Members whose roles are remembered.
const ROLES_MAX: u64 = 10_000;
/// Roles whose holders are remembered.
const ROLE_BOARDS_MAX: u64 = 20;
/// How long a member's roles are believed.
const ROLES_LIFETIME: Duration = Duration::from_mins(5);

/// What every command has at hand.
pub struct Data {
    /// The domain and the process's state.
    pub app: App,
    /// Calls to Discord.
    pub api: DiscordApi,
    /// The application's id.
    pub application_id: u64,
    /// Who administers this installation.
    bot_admins: BotAdmins,
    /// Whether messages are looked at for API keys.
    scans_messages: bool,
    /// Whether Discord says who is in a server.
    sees_members: bool,
    /// Whoever sets up a rule of AutoMod holds it.
    guard_turn: tokio::sync::Mutex<()>,
    /// Ids of the registered commands, for clickable mentions.
    pub commands: Arc<Commands>,
    /// When this connection was made.
    since: DateTime<Utc>,
    rechecks: Rechecks,
    /// Who is in which voice channel.
    voice: Arc<VoiceWatch>,
    seen: Cache<u64, ()>,
    /// Roles of authors, for the exemptions that previews judge by.
    roles: Cache<(GuildId, DiscordUserId), Vec<RoleId>>,
    /// Who has a role, for the boards of it.
    role_holders: Cache<(GuildId, RoleId), Arc<Vec<DiscordUserId>>>,
    /// Draws pictures.
    charts: Charts,
}

impl Data {
    /// Puts the parts together.
    pub fn new(app: App, api: DiscordApi, settings: GatewaySettings, commands: Arc<Commands>) -> Self {
        let GatewaySettings {
            application_id, bot_admins, message_content: scans_messages, members: sees_members, ..
        } = settings;
        let seen = Cache::builder().max_capacity(SEEN_MAX).time_to_live(INTERACTION_LIFETIME).build();
        let roles = Cache::builder().max_capacity(ROLES_MAX).time_to_live(ROLES_LIFETIME).build();
        let role_holders = Cache::builder().max_capacity(ROLE_BOARDS_MAX).time_to_live(ROLES_LIFETIME).build();
        let since = app.domain().now();
        let voice = Arc::new(VoiceWatch::new(app.domain().clone()));
        Self {
            app,
            api,
            application_id,
            bot_admins: BotAdmins::new(bot_admins),
            scans_messages,
            sees_members,
            guard_turn: tokio::sync::Mutex::default(),
            commands,
            since,
            rechecks: Rechecks::default(),
            voice,
            seen,
            roles,
            role_holders,
            charts: Charts::default(),
        }
    }

    /// Whether this interaction is delivered for the first time.
    fn first_time(&self, interaction: u64) -> bool {
        // Two deliveries may be handled at once: only `or_insert_with` lets them wait for each other.
        self.seen.entry(interaction).or_insert_with(|| ()).is_fresh()
    }
}

/// The context of a slash command.
pub type Context<'a> = poise::ApplicationContext<'a, Data, CommandError>;
/// A command of this bot.
pub type Command = poise::Command<Data, CommandError>;

/// All commands, in the order of `/help`.
pub fn commands() -> Vec<Command> {
    vec![
        vanish::vanish(),
        practice::practice(),
        apply::apply(),
        settings::settings(),
        my::my(),
        practice_admin::practice_admin(),
        forms::forms(),
        applications::applications(),
        apikey::apikey(),
        help::help(),
        status::status(),
        menu::keep_message(),
        menu::vanish_in(),
        practice::practice_card(),
        applications::applications_of(),
    ]
}

/// What the gateway may send us: no privileged intent, unless the operator wants pasted API keys to be found, or boards
/// to be filtered by role.
fn intents(settings: &GatewaySettings) -> serenity::GatewayIntents {
    use serenity::GatewayIntents as Intents;
    let content = if settings.message_content { Intents::MESSAGE_CONTENT } else { Intents::empty() };
    let members = if settings.members { Intents::GUILD_MEMBERS } else { Intents::empty() };
    Intents::GUILDS
        | Intents::GUILD_MESSAGES
        | Intents::GUILD_VOICE_STATES
        | Intents::GUILD_MODERATION
        | content
        | members
}

fn framework_options() -> poise::FrameworkOptions<Data, CommandError> {
    poise::FrameworkOptions {
        commands: commands(),
        on_error: |error| Box::pin(error_reply::on_error(error)),
        pre_command: |ctx| {
            note_use(ctx);
            Box::pin(async {})
        },
        command_check: Some(|ctx| Box::pin(async move { Ok(delivered_once(ctx).await) })),
        event_handler: |context, event| Box::pin(event_handler::handle(context, event)),
        allowed_mentions: Some(serenity::CreateAllowedMentions::new()),
        ..Default::default()
    }
}

/// Whoever uses a command is a person of the store. It happens beside the command, whose answer waits for no write; one
/// that is lost with the process happens at the next command.
fn note_use(ctx: poise::Context<'_, Data, CommandError>) {
    let poise::Context::Application(command) = ctx else { return };
    let Some(user_id) = DiscordUserId::new(command.interaction.user.id.get()) else { return };
    let actor = Actor::Account(Account { user_id, is_bot_admin: false });
    let domain = command.data().app.domain().clone();
    tokio::spawn(async move {
        if let Err(error) = user::note_use(&domain, &actor).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "a member who uses a command stays unknown");
        }
    });
}

/// Marks an invocation whose interaction was new.
struct New;

/// poise asks once for each level of a command's tree, so that the answer is kept with the invocation.
async fn delivered_once(ctx: poise::Context<'_, Data, CommandError>) -> bool {
    if ctx.invocation_data::<New>().await.is_some() {
        return true;
    }
    let new = ctx.data().first_time(ctx.id());
    if new {
        ctx.set_invocation_data(New).await;
    }
    new
}
