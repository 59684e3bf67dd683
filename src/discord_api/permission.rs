//! Discord's permission bits and how they combine.
//!
//! The order is Discord's: <https://discord.com/developers/docs/topics/permissions#permission-overwrites>.

use entity::id::GuildId;

use super::model::{ChannelInfo, GuildInfo, MemberInfo, Overwrite};

/// Make invites.
pub const CREATE_INVITE: u64 = 1 << 0;
/// Remove members, and decide who may join.
pub const KICK_MEMBERS: u64 = 1 << 1;
/// Every right, whatever a channel says.
pub const ADMINISTRATOR: u64 = 1 << 3;
/// Change channels and their overwrites.
pub const MANAGE_CHANNELS: u64 = 1 << 4;
/// Change the server.
pub const MANAGE_SERVER: u64 = 1 << 5;
/// React to messages.
pub const ADD_REACTIONS: u64 = 1 << 6;
/// See the channel.
pub const VIEW_CHANNEL: u64 = 1 << 10;
/// Write in the channel (threads have a bit of their own).
pub const SEND_MESSAGES: u64 = 1 << 11;
/// Write messages that are read aloud.
pub const SEND_TTS_MESSAGES: u64 = 1 << 12;
/// Delete other people's messages.
pub const MANAGE_MESSAGES: u64 = 1 << 13;
/// Show embeds.
pub const EMBED_LINKS: u64 = 1 << 14;
/// Send files.
pub const ATTACH_FILES: u64 = 1 << 15;
/// Read what was written before.
pub const READ_MESSAGE_HISTORY: u64 = 1 << 16;
/// Ping everyone and all roles.
pub const MENTION_EVERYONE: u64 = 1 << 17;
/// Join voice channels.
pub const CONNECT: u64 = 1 << 20;
/// Move members between voice channels.
pub const MOVE_MEMBERS: u64 = 1 << 24;
/// Hand out and change roles.
pub const MANAGE_ROLES: u64 = 1 << 28;
/// Change webhooks.
pub const MANAGE_WEBHOOKS: u64 = 1 << 29;
/// Change, archive and see all threads.
pub const MANAGE_THREADS: u64 = 1 << 34;
/// Start public threads.
pub const CREATE_PUBLIC_THREADS: u64 = 1 << 35;
/// Start private threads.
pub const CREATE_PRIVATE_THREADS: u64 = 1 << 36;
/// Write in threads.
pub const SEND_MESSAGES_IN_THREADS: u64 = 1 << 38;
/// Pin messages; once part of [`MANAGE_MESSAGES`].
pub const PIN_MESSAGES: u64 = 1 << 51;

/// Every right, as an owner or administrator has it.
pub const ALL: u64 = u64::MAX >> 1;

/// What nobody has who may not write.
const NEEDS_SEND_MESSAGES: u64 = SEND_TTS_MESSAGES | EMBED_LINKS | ATTACH_FILES | MENTION_EVERYONE;

/// The names that Discord's own settings show, in the order of the bits.
const NAMES: [(u64, &str); 23] = [
    (CREATE_INVITE, "Create Invite"),
    (KICK_MEMBERS, "Kick Members"),
    (ADMINISTRATOR, "Administrator"),
    (MANAGE_CHANNELS, "Manage Channels"),
    (MANAGE_SERVER, "Manage Server"),
    (ADD_REACTIONS, "Add Reactions"),
    (VIEW_CHANNEL, "View Channel"),
    (SEND_MESSAGES, "Send Messages"),
    (SEND_TTS_MESSAGES, "Send Text-to-Speech Messages"),
    (MANAGE_MESSAGES, "Manage Messages"),
    (EMBED_LINKS, "Embed Links"),
    (ATTACH_FILES, "Attach Files"),
    (READ_MESSAGE_HISTORY, "Read Message History"),
    (MENTION_EVERYONE, "Mention Everyone"),
    (CONNECT, "Connect"),
    (MOVE_MEMBERS, "Move Members"),
    (MANAGE_ROLES, "Manage Roles"),
    (MANAGE_WEBHOOKS, "Manage Webhooks"),
    (MANAGE_THREADS, "Manage Threads"),
    (CREATE_PUBLIC_THREADS, "Create Public Threads"),
    (CREATE_PRIVATE_THREADS, "Create Private Threads"),
    (SEND_MESSAGES_IN_THREADS, "Send Messages in Threads"),
    (PIN_MESSAGES, "Pin Messages"),
];

/// The names of these rights as people see them; bits we do not use have none.
pub fn permission_names(bits: u64) -> Vec<&'static str> {
    NAMES.iter().filter(|(bit, _)| bits & bit != 0).map(|(_, name)| *name).collect()
}

/// What is missing of `needed`.
pub fn missing(actual: u64, needed: u64) -> u64 {
    needed & !actual
}

/// A member's rights in the whole server, before any channel's overwrites.
pub fn guild_permissions(guild: &GuildInfo, member: &MemberInfo) -> u64 {
    if guild.owner_id == Some(member.user_id) {
        return ALL;
    }
    let everyone = guild.id.get();
    let bits = guild
        .roles
        .iter()
        .filter(|role| role.id.get() == everyone || member.roles.contains(&role.id))
        .fold(0, |bits, role| bits | role.permissions);
    if bits & ADMINISTRATOR != 0 { ALL } else { bits }
}

/// A member's rights in a channel. A thread has no overwrites of its own, so its `parent` must be given; without it
/// a thread answers nothing at all. Time-outs and membership of private threads are not looked at.
pub fn channel_permissions(
    guild: &GuildInfo,
    channel: &ChannelInfo,
    parent: Option<&ChannelInfo>,
    member: &MemberInfo,
) -> u64 {
    let base = guild_permissions(guild, member);
    if base == ALL {
        return ALL;
    }
    let is_thread = channel.kind.is_thread();
    let overwrites = match (is_thread, parent) {
        (false, _) => &channel.overwrites,
        (true, Some(parent)) => &parent.overwrites,
        (true, None) => return 0,
    };
    let bits = overwrite(base, overwrites, guild.id, member);
    if bits & VIEW_CHANNEL == 0 {
        return 0;
    }
    let writes = if is_thread { SEND_MESSAGES_IN_THREADS } else { SEND_MESSAGES };
    if bits & writes == 0 { bits & !NEEDS_SEND_MESSAGES } else { bits }
}

/// Everyone's overwrite, then those of all roles together, then the member's own; of each first what it takes.
fn overwrite(base: u64, overwrites: &[Overwrite], guild: GuildId, member: &MemberInfo) -> u64 {
    let sum = |chosen: &dyn Fn(&Overwrite) -> bool| {
        overwrites
            .iter()
            .filter(|overwrite| chosen(overwrite))
            .fold((0, 0), |(allow, deny), overwrite| (allow | overwrite.allow, deny | overwrite.deny))
    };
    let is_everyone = |overwrite: &Overwrite| overwrite.is_role && overwrite.target == guild.get();
    let is_own_role =
        |overwrite: &Overwrite| overwrite.is_role && member.roles.iter().any(|role| role.get() == overwrite.target);
    let is_member = |overwrite: &Overwrite| !overwrite.is_role && overwrite.target == member.user_id.get();
    [sum(&is_everyone), sum(&|one| is_own_role(one) && !is_everyone(one)), sum(&is_member)]
        .into_iter()
        .fold(base, |bits, (allow, deny)| bits & !deny | allow)
}

#[cfg(test)]
mod tests;
