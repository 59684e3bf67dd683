//! An interaction that waits for its answer, and who asks.

use std::{future::Future, pin::pin, time::Duration};

use chrono::{DateTime, Utc};
use entity::id::{ChannelId, DiscordUserId, GuildId, RoleId};
use serenity::all::{
    self as serenity, CommandInteraction, ComponentInteraction, CreateModal, ModalInteraction, PartialChannel,
};
use tokio::time::timeout;

use super::{
    Data, Reply,
    error_reply::{self, CommandError},
};
use crate::{
    discord_api::{DiscordApi, Lane, Payload},
    domain::{
        Account, Actor, Domain, Member,
        guild::role::{self, GivenRights},
    },
};

/// How long the answer may take before we say that it takes longer. Discord gives up after 3 s.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long a person may wait at most. The token lives 15 minutes.
const WAIT_MAX: Duration = Duration::from_mins(14);

/// Which first answers fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// A new message.
    Command,
    /// The message that holds the button is changed.
    Component,
    /// Sent from a modal that a command opened, or that a button of a private message opened.
    Modal {
        /// There is a message to change.
        has_message: bool,
    },
}

/// An interaction.
#[derive(Clone)]
pub struct Asked {
    api: DiscordApi,
    domain: Domain,
    application_id: u64,
    interaction_id: u64,
    token: String,
    form: Form,
    /// Who asks; none in a direct message.
    pub member: Option<Member>,
    /// Since when they are in the server.
    pub joined_at: Option<DateTime<Utc>>,
    /// Who asks.
    pub user_id: Option<DiscordUserId>,
    /// The name of their account, as Discord tells it now.
    pub user_name: String,
    /// The channel where it was asked.
    pub channel_id: Option<ChannelId>,
    /// Whether that channel is the chat of a voice or stage channel.
    pub in_voice_chat: bool,
    /// Permission bits of the bot in that channel.
    pub app_permissions: u64,
}

impl Asked {
    /// From a slash command or a menu.
    pub fn command(data: &Data, interaction: &CommandInteraction) -> Self {
        Self::new(data, interaction.id, &interaction.token, Form::Command).by(
            interaction.guild_id,
            interaction.member.as_deref(),
            &interaction.user,
            interaction.channel_id,
            interaction.channel.as_ref(),
            interaction.app_permissions,
        )
    }

    /// From a button or a select menu.
    pub fn component(data: &Data, interaction: &ComponentInteraction) -> Self {
        Self::new(data, interaction.id, &interaction.token, Form::Component).by(
            interaction.guild_id,
            interaction.member.as_ref(),
            &interaction.user,
            interaction.channel_id,
            interaction.channel.as_ref(),
            interaction.app_permissions,
        )
    }

    /// From a modal.
    pub fn modal(data: &Data, interaction: &ModalInteraction) -> Self {
        let form = Form::Modal { has_message: interaction.message.is_some() };
        Self::new(data, interaction.id, &interaction.token, form).by(
            interaction.guild_id,
            interaction.member.as_ref(),
            &interaction.user,
            interaction.channel_id,
            interaction.channel.as_ref(),
            interaction.app_permissions,
        )
    }

    fn new(data: &Data, id: serenity::InteractionId, token: &str, form: Form) -> Self {
        Self {
            api: data.api.clone(),
            domain: data.app.domain().clone(),
            application_id: data.application_id,
            interaction_id: id.get(),
            token: token.to_owned(),
            form,
            member: None,
            joined_at: None,
            user_id: None,
            user_name: String::new(),
            channel_id: None,
            in_voice_chat: false,
            app_permissions: 0,
        }
    }

    fn by(
        mut self,
        guild: Option<serenity::GuildId>,
        member: Option<&serenity::Member>,
        user: &serenity::User,
        channel: serenity::ChannelId,
        partial: Option<&PartialChannel>,
        app_permissions: Option<serenity::Permissions>,
    ) -> Self {
        self.user_id = DiscordUserId::new(user.id.get());
        self.user_name.clone_from(&user.name);
        self.channel_id = ChannelId::new(channel.get());
        self.in_voice_chat = partial
            .is_some_and(|channel| matches!(channel.kind, serenity::ChannelType::Voice | serenity::ChannelType::Stage));
        self.app_permissions = app_permissions.map_or(0, |permissions| permissions.bits());
        let joined = member.and_then(|member| member.joined_at);
        self.joined_at = joined.and_then(|joined| DateTime::from_timestamp(joined.unix_timestamp(), 0));
        self.member = guild.zip(member).and_then(|(guild, member)| {
            let permissions = member.permissions.map_or(0, |permissions| permissions.bits());
            Some(Member {
                user_id: self.user_id?,
                guild_id: GuildId::new(guild.get())?,
                permissions,
                // Discord computes these bits for the channel where the interaction happens.
                channel: self.channel_id.map(|channel| (channel, permissions)),
                roles: member.roles.iter().filter_map(|role| RoleId::new(role.get())).collect(),
                given: GivenRights::default(),
                is_bot_admin: false,
            })
        });
        self
    }

    /// Its id, which is the same when it is delivered twice.
    pub fn interaction_id(&self) -> u64 {
        self.interaction_id
    }

    /// The member who asks, or a refusal in direct messages.
    pub fn member(&self) -> Result<&Member, CommandError> {
        self.member.as_ref().ok_or(CommandError::OnlyInServers)
    }

    /// Whoever asks as the domain's actor: a member in a server, an account in a direct message.
    pub async fn actor(&self) -> Result<Actor, CommandError> {
        match &self.member {
            Some(_) => Ok(Actor::Member(self.recognised().await?)),
            None => Ok(Actor::Account(Account { user_id: self.user()?, is_bot_admin: false })),
        }
    }

    /// The member who asks, with what their server has given to their roles.
    pub async fn recognised(&self) -> Result<Member, CommandError> {
        // On the heap: nearly every answer holds this one.
        Ok(Box::pin(role::recognise(&self.domain, self.member()?.clone())).await?)
    }

    /// Who asks.
    pub fn user(&self) -> Result<DiscordUserId, CommandError> {
        self.user_id.ok_or(CommandError::OnlyInServers)
    }

    /// The same actor, who may administer this installation besides.
    pub async fn actor_with_standing(&self, data: &Data) -> Result<Actor, CommandError> {
        let is_bot_admin = data.bot_admins.contains(&data.api, self.user()?).await;
        match self.actor().await? {
            // What they are in their server is enough for most of what they ask.
            Actor::Member(member) => {
                Ok(Actor::Member(Member { is_bot_admin: is_bot_admin.unwrap_or(false), ..member }))
            }
            Actor::Account(account) => Ok(Actor::Account(Account { is_bot_admin: is_bot_admin?, ..account })),
            other => Ok(other),
        }
    }

    /// Who asks about something of this server, from wherever: in a direct message their rights there are read now.
    pub async fn actor_about(&self, data: &Data, guild: Option<GuildId>) -> Result<Actor, CommandError> {
        let actor = self.actor_with_standing(data).await?;
        let (Actor::Account(Account { user_id, is_bot_admin }), Some(guild_id)) = (&actor, guild) else {
            return Ok(actor);
        };
        let permissions = match self.api.current_server_permissions(guild_id, *user_id, Lane::Interactive).await {
            Ok(permissions) => permissions,
            // They have left it, or the bot has.
            Err(error) if error.is_gone() || error.is_permission_loss() => 0,
            Err(error) => return Err(error.into()),
        };
        Ok(Actor::Member(Member {
            user_id: *user_id,
            guild_id,
            permissions,
            channel: None,
            roles: Vec::new(),
            given: GivenRights::default(),
            is_bot_admin: *is_bot_admin,
        }))
    }

    /// The channel that a command names, else the one where it was typed, with the asker's rights **there**.
    pub async fn about_channel(
        &self,
        named: Option<&PartialChannel>,
    ) -> Result<(Actor, GuildId, ChannelId), CommandError> {
        let mut member = self.recognised().await?;
        let channel = match named {
            None => self.channel_id.ok_or(CommandError::OnlyInServers)?,
            Some(named) => {
                let id = ChannelId::new(named.id.get()).ok_or(CommandError::OnlyInServers)?;
                member.channel = named.permissions.map(|permissions| (id, permissions.bits()));
                id
            }
        };
        let guild = member.guild_id;
        Ok((Actor::Member(member), guild, channel))
    }

    /// Who asks, with the rights **in this channel**: for buttons, which may be pressed elsewhere.
    pub async fn actor_in(&self, channel: ChannelId) -> Result<(Actor, GuildId), CommandError> {
        let mut member = self.recognised().await?;
        let guild = member.guild_id;
        if self.channel_id != Some(channel) {
            let who = (member.user_id, member.roles.as_slice());
            let rights = self.api.member_permissions(guild, channel, who, Lane::Interactive).await?;
            member.channel = Some((channel, rights));
        }
        Ok((Actor::Member(member), guild))
    }

    /// Runs the work and shows what comes of it: at once, or after "working on it" when it takes longer.
    ///
    /// The work is never cancelled by Discord's deadline; an error is shown as its text.
    pub async fn answer<W>(&self, work: W) -> Result<(), CommandError>
    where
        W: Future<Output = Result<Reply, CommandError>>,
    {
        self.answer_as(false, work).await
    }

    /// The same for a result that everybody sees.
    pub async fn answer_publicly<W>(&self, work: W) -> Result<(), CommandError>
    where
        W: Future<Output = Result<Reply, CommandError>>,
    {
        self.answer_as(true, work).await
    }

    async fn answer_as<W>(&self, public: bool, work: W) -> Result<(), CommandError>
    where
        W: Future<Output = Result<Reply, CommandError>>,
    {
        let mut work = pin!(work);
        if let Ok(result) = timeout(PATIENCE, &mut work).await {
            let reply = self.show(result);
            let kind = self.first_kind(reply.as_error);
            return Ok(self.send_first(reply.reply.into_callback(kind)).await?);
        }
        let (kind, public) = match self.form {
            Form::Command | Form::Modal { has_message: false } => (5, public),
            Form::Component | Form::Modal { has_message: true } => (6, false),
        };
        self.send_first(Reply::deferral(kind, public)).await?;
        let result = timeout(WAIT_MAX, work).await.unwrap_or(Err(CommandError::TookTooLong));
        let shown = self.show(result);
        if shown.as_error && kind == 6 {
            // The message with the buttons stays as it is; what went wrong comes beside it.
            self.api.create_followup(self.application_id, &self.token, shown.reply.into_followup()).await?;
        } else {
            self.api.edit_original(self.application_id, &self.token, shown.reply.into_message()).await?;
        }
        Ok(())
    }

    fn first_kind(&self, error: bool) -> u8 {
        match self.form {
            Form::Component | Form::Modal { has_message: true } if !error => 7,
            _ => 4,
        }
    }

    fn show(&self, result: Result<Reply, CommandError>) -> Shown {
        match result {
            Ok(reply) => Shown { reply, as_error: false },
            Err(error) => Shown { reply: error_reply::reply(&error, self.interaction_id), as_error: true },
        }
    }

    async fn send_first(&self, payload: Payload) -> Result<(), crate::discord_api::Error> {
        self.api.answer(self.interaction_id, &self.token, payload).await
    }

    /// A new private message instead of a change of the one that holds the button.
    pub async fn answer_beside<W>(&self, work: W) -> Result<(), CommandError>
    where
        W: Future<Output = Result<Reply, CommandError>>,
    {
        Self { form: Form::Command, ..self.clone() }.answer(work).await
    }

    /// Opens a modal. It must be the first answer, so that whoever needs data for it and has none in time gets the
    /// advice to press again.
    pub async fn open<W>(&self, modal: W) -> Result<(), CommandError>
    where
        W: Future<Output = Result<CreateModal, CommandError>>,
    {
        let result = timeout(PATIENCE, modal).await.unwrap_or(Err(CommandError::PressAgain));
        let payload = match result {
            Ok(modal) => Payload::new(&serenity::CreateInteractionResponse::Modal(modal)),
            Err(error) => error_reply::reply(&error, self.interaction_id).into_callback(4),
        };
        Ok(self.send_first(payload).await?)
    }

    /// Changes the answer again later, such as when a preview has been counted.
    pub async fn change(&self, reply: Reply) -> Result<(), CommandError> {
        Ok(self.api.edit_original(self.application_id, &self.token, reply.into_message()).await?)
    }
}

struct Shown {
    reply: Reply,
    as_error: bool,
}
