//! The link that brings the bot into a server, with exactly the permissions it needs.

use crate::discord_api::permission;

/// What the features need: to see and read channels, delete messages, post where a slot says so, and reach threads.
pub const NEEDED: u64 = permission::VIEW_CHANNEL
    | permission::READ_MESSAGE_HISTORY
    | permission::MANAGE_MESSAGES
    | permission::SEND_MESSAGES
    | permission::EMBED_LINKS
    | permission::ATTACH_FILES
    | permission::MANAGE_THREADS;

/// What a sweep needs in its channel.
pub const SWEEP_NEEDS: u64 = permission::VIEW_CHANNEL | permission::READ_MESSAGE_HISTORY | permission::MANAGE_MESSAGES;

/// The invite link of an application.
pub fn link(application_id: u64) -> String {
    format!(
        "https://discord.com/oauth2/authorize?client_id={application_id}&scope=bot+applications.commands&permissions={NEEDED}"
    )
}
