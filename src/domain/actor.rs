//! Who acts, through which face, and what they may do.

use std::{fmt, sync::Arc};

use entity::{
    guild_role::RoleKind,
    id::{ApiKeyId, ChannelId, DiscordUserId, GuildId, RoleId, UserId},
    user::Role,
};
use uuid::Uuid;

use super::{
    Error,
    error::CommonRefusal,
    guild::role::GivenRights,
    scope::{ADMIN, Scopes},
};

/// Discord's permission bits that rules ask for: <https://discord.com/developers/docs/topics/permissions>.
pub mod permission {
    /// May do everything.
    pub const ADMINISTRATOR: u64 = 1 << 3;
    /// Manage Server.
    pub const MANAGE_GUILD: u64 = 1 << 5;
    /// Manage Messages.
    pub const MANAGE_MESSAGES: u64 = 1 << 13;
}

/// The face through which a request came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A slash command, button or menu.
    Discord,
    /// The control plane.
    Http,
    /// The command line.
    Cli,
    /// Our own workers.
    Worker,
}

impl Source {
    /// As the event log spells it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Discord => "discord",
            Self::Http => "http",
            Self::Cli => "cli",
            Self::Worker => "worker",
        }
    }
}

/// A member of a guild, with the permissions that Discord computed for this very interaction.
#[derive(Clone, Debug)]
pub struct Member {
    /// The account.
    pub user_id: DiscordUserId,
    /// The guild.
    pub guild_id: GuildId,
    /// Permission bits in the guild, as the interaction carries them.
    pub permissions: u64,
    /// Permission bits in the channel that the request is about, where Discord resolved one.
    pub channel: Option<(ChannelId, u64)>,
    /// The member's roles.
    pub roles: Vec<RoleId>,
    /// What the guild has given to these roles; nothing, until the domain has recognised the member.
    pub given: GivenRights,
    /// Whether they administer this installation: the application's owner or team, or named in the settings.
    pub is_bot_admin: bool,
}

/// A person who talks to the bot outside of any guild.
#[derive(Clone, Debug)]
pub struct Account {
    /// The account.
    pub user_id: DiscordUserId,
    /// Whether they administer this installation.
    pub is_bot_admin: bool,
}

/// An API key, as it was verified for this request.
#[derive(Clone, Debug)]
pub struct KeyActor {
    /// Its id.
    pub id: ApiKeyId,
    /// What it may do.
    pub scopes: Scopes,
    /// The only guild it may touch, if it is bound to one.
    pub guild_id: Option<GuildId>,
}

/// A signed-in person, as their row says at this moment.
#[derive(Clone, Copy, Debug)]
pub struct UserActor {
    /// The person.
    pub id: UserId,
    /// What they may do.
    pub role: Role,
}

/// Who acts.
#[derive(Clone, Debug)]
pub enum Actor {
    /// The holder of the root key, and the operator at the command line.
    Root {
        /// The face.
        source: Source,
    },
    /// An API key.
    Key(Arc<KeyActor>),
    /// A signed-in person.
    User(UserActor),
    /// A currency actor.
    CurrencyActor {
        /// The actor.
        id: Uuid,
    },
    /// A member who uses a command.
    Member(Member),
    /// A person who uses a command in a direct message.
    Account(Account),
    /// Our own workers.
    System,
}

/// What a domain function may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Right {
    /// See vanish rules: `discord:vanish:read`.
    ReadVanish,
    /// Change the vanish rule of a channel: Manage Messages there.
    ManageVanish(ChannelId),
    /// Change what applies to a whole guild's vanishing: Manage Server.
    ManageVanishDefaults,
    /// See channel slots: `discord:channels:read`.
    ReadSettings,
    /// Change slots and general settings: Manage Server.
    ManageSettings,
    /// Give rights of a guild to its roles: Manage Server, by Discord's own word.
    ManageGuildRoles,
    /// Issue, see, change and revoke API keys: Administrator for those of a guild.
    ManageKeys,
    /// See people: `users:read`, or a member of the community.
    ReadUsers,
    /// Make the person of an account: `users:write`.
    WriteUsers,
    /// Change people, their accounts and their roles.
    ManageUsers,
    /// See who has practised how much: `practice:read`.
    ReadPractice,
    /// Time the practice of others, change what it counts, and rule how it is counted: Manage Server.
    ManagePractice,
    /// Decide what members ask to be counted: Manage Server, or the role of reviewers.
    ReviewPractice,
    /// See and change the projects of everybody.
    ManageProjects,
    /// See applications and votes: `applications:read`, or somebody who votes on them.
    ReadApplications,
    /// Make applications, bind and annotate them, and say who may not apply: Manage Server, or the role of reviewers.
    WriteApplications,
    /// Vote on applications: Manage Server, or the role of voters or reviewers.
    VoteApplications,
    /// Decide applications in spite of votes: Manage Server.
    DecideApplications,
}

impl Right {
    /// The scope an API key needs.
    pub fn scope(self) -> &'static str {
        match self {
            Self::ReadVanish => "discord:vanish:read",
            Self::ManageVanish(_) | Self::ManageVanishDefaults => "discord:vanish:write",
            Self::ReadSettings => "discord:channels:read",
            Self::ManageSettings => "discord:channels:write",
            Self::ReadPractice => "practice:read",
            Self::ManagePractice | Self::ReviewPractice => "practice:write",
            Self::ReadUsers => "users:read",
            Self::WriteUsers => "users:write",
            Self::ReadApplications => "applications:read",
            Self::WriteApplications => "applications:write",
            Self::VoteApplications => "applications:vote",
            Self::DecideApplications => "applications:decide",
            Self::ManageGuildRoles | Self::ManageKeys | Self::ManageUsers | Self::ManageProjects => ADMIN,
        }
    }

    /// Whether it is about the installation, so that whoever administers the bot has it wherever they are.
    fn is_the_hosts(self) -> bool {
        matches!(self, Self::ManageKeys | Self::ReadUsers | Self::WriteUsers | Self::ManageUsers | Self::ManageProjects)
    }

    /// Whether every signed-in member of the community has it.
    fn belongs_to_members(self) -> bool {
        matches!(self, Self::ReadUsers | Self::ReadApplications | Self::VoteApplications)
    }

    /// What a member needs, in Discord's words.
    fn words(self) -> &'static str {
        match self {
            Self::ReadVanish | Self::ReadSettings | Self::ReadPractice => "membership of this server",
            Self::ManageVanish(_) => "the permission Manage Messages in that channel",
            Self::ManageVanishDefaults | Self::ManageSettings | Self::ManagePractice | Self::DecideApplications => {
                "the permission Manage Server, or the role that /settings role gives its rights"
            }
            Self::ReadApplications | Self::VoteApplications => {
                "the permission Manage Server, or a role that /settings role makes manager, reviewer or voter"
            }
            Self::ReviewPractice | Self::WriteApplications => {
                "the permission Manage Server, or a role that /settings role makes manager or reviewer"
            }
            Self::ManageGuildRoles => "the permission Manage Server",
            Self::ManageKeys => "the permission Administrator in a server, or to administer this bot",
            Self::ReadUsers | Self::WriteUsers | Self::ManageUsers | Self::ManageProjects => "to administer this bot",
        }
    }
}

impl Actor {
    /// Refuses unless this actor has the right in this guild; `None` stands for every guild.
    pub fn require(&self, right: Right, guild_id: Option<GuildId>) -> Result<(), Error> {
        if self.may(right, guild_id) { Ok(()) } else { Err(self.lacks(right)) }
    }

    /// Refuses unless this actor has the right in some guild. What it may not see elsewhere is then not there for it,
    /// so that a refusal does not tell what exists.
    pub fn require_somewhere(&self, right: Right) -> Result<(), Error> {
        let allowed = match self {
            Self::Key(key) => match key.guild_id {
                Some(bound) => key.scopes.cover(right.scope(), Some(bound)),
                None => key.scopes.cover_somewhere(right.scope()),
            },
            Self::Member(member) => self.may(right, Some(member.guild_id)),
            _ => self.may(right, None),
        };
        if allowed { Ok(()) } else { Err(self.lacks(right)) }
    }

    /// Whether this actor has the right in this guild; `None` stands for every guild.
    pub fn may(&self, right: Right, guild_id: Option<GuildId>) -> bool {
        match self {
            Self::Root { .. } | Self::System => true,
            Self::Key(key) => {
                key.guild_id.is_none_or(|bound| Some(bound) == guild_id) && key.scopes.cover(right.scope(), guild_id)
            }
            Self::User(user) => user.role == Role::Admin || user.role == Role::Member && right.belongs_to_members(),
            Self::CurrencyActor { .. } => false,
            Self::Member(member) => {
                Some(member.guild_id) == guild_id && member.has(right) || member.is_bot_admin && right.is_the_hosts()
            }
            Self::Account(account) => account.is_bot_admin && right.is_the_hosts(),
        }
    }

    fn lacks(&self, right: Right) -> Error {
        let (required, available) = match self {
            Self::Key(key) => (right.scope(), key.scopes.names()),
            Self::Member(_) | Self::Account(_) => (right.words(), Vec::new()),
            _ => (right.scope(), Vec::new()),
        };
        CommonRefusal::Forbidden { required: required.to_owned(), available }.into()
    }

    /// The face that this actor uses.
    pub fn source(&self) -> Source {
        match self {
            Self::Root { source } => *source,
            Self::Key(_) | Self::User(_) | Self::CurrencyActor { .. } => Source::Http,
            Self::Member(_) | Self::Account(_) => Source::Discord,
            Self::System => Source::Worker,
        }
    }

    /// The Discord account, where the actor is one.
    pub fn discord_user(&self) -> Option<DiscordUserId> {
        match self {
            Self::Member(member) => Some(member.user_id),
            Self::Account(account) => Some(account.user_id),
            _ => None,
        }
    }

    /// The only guild that this actor may touch; none for those who may touch any.
    pub fn bound_guild(&self) -> Option<GuildId> {
        match self {
            Self::Key(key) => key.guild_id,
            Self::Member(member) if !member.is_bot_admin => Some(member.guild_id),
            _ => None,
        }
    }
}

impl Member {
    fn has(&self, right: Right) -> bool {
        let bits = |bits: u64, needed: u64| bits & permission::ADMINISTRATOR != 0 || bits & needed == needed;
        let manages = || bits(self.permissions, permission::MANAGE_GUILD) || self.given.has(RoleKind::Manager);
        match right {
            Right::ReadVanish | Right::ReadSettings | Right::ReadPractice => true,
            Right::ManageVanish(channel) => match self.channel {
                Some((resolved, permissions)) if resolved == channel => bits(permissions, permission::MANAGE_MESSAGES),
                // Without a resolved channel only the right over the whole guild is certain.
                _ => manages(),
            },
            Right::ManageVanishDefaults | Right::ManageSettings | Right::ManagePractice | Right::DecideApplications => {
                manages()
            }
            Right::ReadApplications | Right::VoteApplications => {
                manages() || self.given.has(RoleKind::Reviewer) || self.given.has(RoleKind::Voter)
            }
            Right::ReviewPractice | Right::WriteApplications => manages() || self.given.has(RoleKind::Reviewer),
            Right::ManageGuildRoles => bits(self.permissions, permission::MANAGE_GUILD),
            Right::ManageKeys => bits(self.permissions, permission::ADMINISTRATOR),
            Right::ReadUsers | Right::WriteUsers | Right::ManageUsers | Right::ManageProjects => false,
        }
    }
}

/// As the event log names the actor.
impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root { .. } => f.write_str("root"),
            Self::Key(key) => write!(f, "key:{}", key.id),
            Self::User(user) => write!(f, "user:{}", user.id),
            Self::CurrencyActor { id } => write!(f, "actor:{id}"),
            Self::Member(Member { user_id, .. }) | Self::Account(Account { user_id, .. }) => {
                write!(f, "member:{user_id}")
            }
            Self::System => f.write_str("system"),
        }
    }
}
