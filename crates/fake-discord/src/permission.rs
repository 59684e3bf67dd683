//! Permission bits and the computation of what a member may do in a channel.

use crate::model::{Channel, Guild};

/// Make invites.
pub const CREATE_INSTANT_INVITE: u64 = 1 << 0;
/// Remove members, and decide who may join.
pub const KICK_MEMBERS: u64 = 1 << 1;
/// Bypasses every permission check and every overwrite.
pub const ADMINISTRATOR: u64 = 1 << 3;
/// Create, edit and delete channels.
pub const MANAGE_CHANNELS: u64 = 1 << 4;
/// Edit the server.
pub const MANAGE_GUILD: u64 = 1 << 5;
/// Read a channel at all.
pub const VIEW_CHANNEL: u64 = 1 << 10;
/// Write in a channel (not in its threads).
pub const SEND_MESSAGES: u64 = 1 << 11;
/// Text to speech.
pub const SEND_TTS_MESSAGES: u64 = 1 << 12;
/// Delete other people's messages.
pub const MANAGE_MESSAGES: u64 = 1 << 13;
/// Embeds in own messages.
pub const EMBED_LINKS: u64 = 1 << 14;
/// Files in own messages.
pub const ATTACH_FILES: u64 = 1 << 15;
/// Read what was written before now.
pub const READ_MESSAGE_HISTORY: u64 = 1 << 16;
/// `@everyone`, `@here` and unmentionable roles.
pub const MENTION_EVERYONE: u64 = 1 << 17;
/// Join a voice channel.
pub const CONNECT: u64 = 1 << 20;
/// Edit and give roles below one's own.
pub const MANAGE_ROLES: u64 = 1 << 28;
/// Use slash commands.
pub const USE_APPLICATION_COMMANDS: u64 = 1 << 31;
/// Edit, archive and delete threads.
pub const MANAGE_THREADS: u64 = 1 << 34;
/// Start public threads.
pub const CREATE_PUBLIC_THREADS: u64 = 1 << 35;
/// Start private threads.
pub const CREATE_PRIVATE_THREADS: u64 = 1 << 36;
/// Write in threads.
pub const SEND_MESSAGES_IN_THREADS: u64 = 1 << 38;
/// Pin and unpin (split from [`MANAGE_MESSAGES`]).
pub const PIN_MESSAGES: u64 = 1 << 51;
/// Every bit Discord knows today.
pub const ALL: u64 = (1 << 53) - 1;

/// What `@everyone` may do in a new guild.
pub const EVERYONE_DEFAULT: u64 = VIEW_CHANNEL
    | SEND_MESSAGES
    | EMBED_LINKS
    | ATTACH_FILES
    | READ_MESSAGE_HISTORY
    | CONNECT
    | USE_APPLICATION_COMMANDS
    | CREATE_PUBLIC_THREADS
    | SEND_MESSAGES_IN_THREADS;

/// What the bot's own role may do in a new guild: everything a well-set-up bot asks for, without
/// being an administrator.
pub const BOT_DEFAULT: u64 = EVERYONE_DEFAULT
    | MANAGE_MESSAGES
    | MANAGE_CHANNELS
    | MANAGE_ROLES
    | MANAGE_THREADS
    | CREATE_PRIVATE_THREADS
    | MENTION_EVERYONE
    | PIN_MESSAGES;

/// What `user` may do in the guild as a whole; 0 for a stranger.
pub(crate) fn base(guild: &Guild, user: u64) -> u64 {
    let Some(member) = guild.members.get(&user) else {
        return 0;
    };
    if guild.owner_id == user {
        return ALL;
    }
    let granted = member
        .roles
        .iter()
        .chain([&guild.id])
        .filter_map(|role| guild.roles.get(role))
        .fold(0, |bits, role| bits | role.permissions);
    if granted & ADMINISTRATOR != 0 { ALL } else { granted }
}

/// What `user` may do in `channel`. For a thread pass its parent: threads have no overwrites.
pub(crate) fn in_channel(guild: &Guild, channel: &Channel, user: u64) -> u64 {
    let mut bits = base(guild, user);
    let Some(member) = guild.members.get(&user) else {
        return 0;
    };
    if bits & ADMINISTRATOR != 0 {
        return ALL;
    }
    if let Some(everyone) = channel.overwrites.get(&guild.id) {
        bits = (bits & !everyone.deny) | everyone.allow;
    }
    let (allow, deny) = member
        .roles
        .iter()
        .filter_map(|role| channel.overwrites.get(role))
        .fold((0, 0), |(allow, deny), one| (allow | one.allow, deny | one.deny));
    bits = (bits & !deny) | allow;
    if let Some(own) = channel.overwrites.get(&user) {
        bits = (bits & !own.deny) | own.allow;
    }
    if bits & VIEW_CHANNEL == 0 {
        return 0;
    }
    if bits & SEND_MESSAGES == 0 {
        bits &= !(MENTION_EVERYONE | SEND_TTS_MESSAGES | ATTACH_FILES | EMBED_LINKS);
    }
    bits
}

/// The highest position among the roles of `user`; owners stand above every role.
pub(crate) fn rank(guild: &Guild, user: u64) -> i64 {
    if guild.owner_id == user {
        return i64::MAX;
    }
    guild
        .members
        .get(&user)
        .into_iter()
        .flat_map(|member| &member.roles)
        .filter_map(|role| guild.roles.get(role))
        .map(|role| role.position)
        .max()
        .unwrap_or(0)
}
