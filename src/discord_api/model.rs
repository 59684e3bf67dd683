//! The parts of Discord's objects that we use, read tolerantly.
//!
//! Invariant: a field or value that Discord adds never fails an answer.

use chrono::{DateTime, Utc};
use entity::id::{ChannelId, DiscordUserId, GuildId, MessageId, RoleId};

/// A message, without its text (the bot has no intent to read it).
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// Its id, which holds the moment it was sent.
    pub id: MessageId,
    /// Where it is; the channel asked for when Discord leaves it out.
    pub channel_id: ChannelId,
    /// Who sent it; for a webhook the webhook's id.
    pub author_id: Option<DiscordUserId>,
    /// Sent by a bot account or a webhook.
    pub author_is_bot: bool,
    /// The webhook that sent it.
    pub webhook_id: Option<u64>,
    /// Discord's message type; 0 and 19 are what people write.
    pub kind: u8,
    /// Pinned in its channel.
    pub pinned: bool,
    /// Discord's flags; bit 5 = a thread hangs on it.
    pub flags: u64,
    /// When it was sent, by its id when Discord leaves the field out.
    pub timestamp: DateTime<Utc>,
}

impl Message {
    /// Types that Discord refuses to delete: 1 to 5, and 21 (a thread's opening message).
    pub fn is_undeletable(&self) -> bool {
        matches!(self.kind, 1..=5 | 21)
    }

    /// A thread was started from it.
    pub fn has_thread(&self) -> bool {
        self.flags & (1 << 5) != 0
    }
}

/// One page of a channel's messages.
#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    /// The messages that could be read, oldest first for `messages_after`, newest first for `messages_before`.
    pub messages: Vec<Message>,
    /// Ids of messages that could not be read, in the same order.
    pub unreadable: Vec<MessageId>,
    /// The smallest id on the page, read or not: where `messages_before` goes on.
    pub oldest_id: Option<MessageId>,
    /// The greatest id on the page, read or not: where `messages_after` goes on.
    pub newest_id: Option<MessageId>,
    /// The page was full, so there may be more.
    pub is_full: bool,
    /// Discord's clock when it answered, to the second.
    pub server_time: Option<DateTime<Utc>>,
}

/// A message that Discord has taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PostedMessage {
    /// Its id.
    pub message_id: MessageId,
    /// Where it is.
    pub channel_id: ChannelId,
}

/// Discord's channel type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ChannelKind(pub u8);

impl ChannelKind {
    /// A text channel.
    pub const TEXT: Self = Self(0);
    /// A direct message.
    pub const DIRECT_MESSAGE: Self = Self(1);
    /// A voice channel, which has messages too.
    pub const VOICE: Self = Self(2);
    /// A category.
    pub const CATEGORY: Self = Self(4);
    /// An announcement channel.
    pub const ANNOUNCEMENT: Self = Self(5);
    /// A thread of an announcement channel.
    pub const ANNOUNCEMENT_THREAD: Self = Self(10);
    /// A public thread, also a post of a forum.
    pub const PUBLIC_THREAD: Self = Self(11);
    /// A private thread.
    pub const PRIVATE_THREAD: Self = Self(12);
    /// A stage channel, which has messages too.
    pub const STAGE: Self = Self(13);
    /// A forum: holds posts (threads), no messages.
    pub const FORUM: Self = Self(15);
    /// A media channel: holds posts (threads), no messages.
    pub const MEDIA: Self = Self(16);

    /// A thread of any kind.
    pub fn is_thread(self) -> bool {
        matches!(self, Self::ANNOUNCEMENT_THREAD | Self::PUBLIC_THREAD | Self::PRIVATE_THREAD)
    }

    /// Messages of a server can be in it.
    pub fn has_messages(self) -> bool {
        self.is_thread() || matches!(self, Self::TEXT | Self::VOICE | Self::ANNOUNCEMENT | Self::STAGE)
    }

    /// A voice or stage channel, whose chat is for those who may connect.
    pub fn is_voice(self) -> bool {
        matches!(self, Self::VOICE | Self::STAGE)
    }

    /// A forum or media channel.
    pub fn is_forum(self) -> bool {
        matches!(self, Self::FORUM | Self::MEDIA)
    }
}

/// A permission overwrite of a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overwrite {
    /// The role or member, as a number.
    pub target: u64,
    /// `target` is a role.
    pub is_role: bool,
    /// Permission bits granted.
    pub allow: u64,
    /// Permission bits taken.
    pub deny: u64,
}

/// A channel or thread.
#[derive(Clone, Debug, PartialEq)]
pub struct ChannelInfo {
    /// Its id.
    pub id: ChannelId,
    /// The server; `None` for direct messages.
    pub guild_id: Option<GuildId>,
    /// Its type.
    pub kind: ChannelKind,
    /// Its name; empty for direct messages.
    pub name: String,
    /// Its category, or the channel a thread belongs to.
    pub parent_id: Option<ChannelId>,
    /// Who started the thread.
    pub owner_id: Option<DiscordUserId>,
    /// Its permission overwrites; a thread has none of its own.
    pub overwrites: Vec<Overwrite>,
    /// The newest message, which may be deleted since.
    pub last_message_id: Option<MessageId>,
    /// The thread is archived.
    pub archived: bool,
    /// The thread is locked.
    pub locked: bool,
    /// Marked as age-restricted.
    pub nsfw: bool,
    /// Place in the channel list.
    pub position: i64,
}

/// A role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleInfo {
    /// Its id; the server's id for @everyone.
    pub id: RoleId,
    /// Its name.
    pub name: String,
    /// Permission bits.
    pub permissions: u64,
    /// Place in the role list; greater is higher.
    pub position: i64,
    /// Belongs to an integration, so nobody can hand it out.
    pub managed: bool,
}

/// A server.
#[derive(Clone, Debug, PartialEq)]
pub struct GuildInfo {
    /// Its id.
    pub id: GuildId,
    /// Its name.
    pub name: String,
    /// Who owns it.
    pub owner_id: Option<DiscordUserId>,
    /// Its roles, @everyone included.
    pub roles: Vec<RoleInfo>,
}

/// A member of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberInfo {
    /// The account.
    pub user_id: DiscordUserId,
    /// Roles, without @everyone.
    pub roles: Vec<RoleId>,
    /// A bot account.
    pub is_bot: bool,
    /// The name people see: nickname, else display name, else user name.
    pub display_name: String,
}

/// What has become of a request to join.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JoinState {
    /// It was begun and not sent yet.
    Started,
    /// It waits.
    Submitted,
    /// They were let in.
    Approved,
    /// They were not.
    Rejected,
}

/// A request to join a server whose moderators let people in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JoinRequest {
    /// Its id.
    pub id: u64,
    /// Who wants to join.
    pub user_id: DiscordUserId,
    /// What has become of it.
    pub state: JoinState,
    /// What they have answered: the server's question and their words.
    pub answers: Vec<(String, String)>,
    /// Who has decided it.
    pub decided_by: Option<DiscordUserId>,
}

/// An account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserInfo {
    /// Its id.
    pub id: DiscordUserId,
    /// Its user name.
    pub name: String,
    /// A bot account.
    pub is_bot: bool,
}

/// The bot's application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApplicationInfo {
    /// Its id, which command and follow-up routes need.
    pub id: u64,
    /// Its name.
    pub name: String,
    /// Discord's application flags.
    pub flags: u64,
    /// Anybody may add the bot to a server.
    pub bot_public: bool,
    /// The accounts that administer it: its owner, or of its team those who have accepted and may change it.
    pub administrators: Vec<DiscordUserId>,
}

impl ApplicationInfo {
    /// Flags of applications that may read messages, or see members, in many servers or in few:
    /// <https://discord.com/developers/docs/resources/application#application-object-application-flags>.
    const MESSAGE_CONTENT: u64 = 1 << 18 | 1 << 19;

    const MEMBERS: u64 = 1 << 14 | 1 << 15;

    /// Whether the intent Server Members is switched on in the developer portal.
    pub fn may_see_members(&self) -> bool {
        self.flags & Self::MEMBERS != 0
    }

    /// Whether the intent Message Content is switched on in the developer portal.
    pub fn may_read_messages(&self) -> bool {
        self.flags & Self::MESSAGE_CONTENT != 0
    }
}

/// A rule of AutoMod that looks for patterns and keeps messages from being sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AutoModerationRule {
    /// Its id.
    pub id: u64,
    /// The account that made it.
    pub creator_id: u64,
    /// Its name.
    pub name: String,
    /// It is switched on.
    pub enabled: bool,
    /// The patterns that it looks for.
    pub patterns: Vec<String>,
    /// It keeps messages from being sent.
    pub blocks: bool,
}

/// A command as Discord has registered it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegisteredCommand {
    /// Its id, for `</name:id>` mentions.
    pub id: u64,
    /// Its name.
    pub name: String,
    /// 1 = slash command, 2 = on a user, 3 = on a message.
    pub kind: u8,
}

/// A file that goes with a message.
#[derive(Clone, PartialEq, Eq)]
pub struct Attachment {
    /// Its name as people see it.
    pub filename: String,
    /// Its content.
    pub bytes: Vec<u8>,
    /// Its description for screen readers.
    pub description: Option<String>,
}

impl std::fmt::Debug for Attachment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Attachment")
            .field("filename", &self.filename)
            .field("bytes", &self.bytes.len())
            .finish_non_exhaustive()
    }
}
