//! The link that brings the bot into a server, with exactly the permissions it needs.

use serenity::all::{CreateActionRow, CreateButton};

use super::{Reply, component::custom_id};
use crate::discord_api::permission;

/// What the features need: to see and read channels, delete messages, post where a slot says so, and reach threads and the chats of
/// voice channels.
pub const NEEDED: u64 = permission::VIEW_CHANNEL
    | permission::READ_MESSAGE_HISTORY
    | permission::MANAGE_MESSAGES
    | permission::SEND_MESSAGES
    | permission::EMBED_LINKS
    | permission::ATTACH_FILES
    | permission::CONNECT
    | permission::MANAGE_THREADS
    | permission::MANAGE_ROLES
    | permission::CREATE_PUBLIC_THREADS
    | permission::SEND_MESSAGES_IN_THREADS;

/// What a sweep needs in its channel.
pub const SWEEP_NEEDS: u64 = permission::VIEW_CHANNEL | permission::READ_MESSAGE_HISTORY | permission::MANAGE_MESSAGES;

/// The invite link of an application.
pub fn link(application_id: u64) -> String {
    format!(
        "https://discord.com/oauth2/authorize?client_id={application_id}&scope=bot+applications.commands&permissions={NEEDED}"
    )
}

/// The button that shows the link, so that it can be copied or handed to whoever may use it.
pub(super) fn button() -> CreateButton {
    CreateButton::new(custom_id("settings", "invite", &[]))
        .label("Copy invite link")
        .style(serenity::all::ButtonStyle::Secondary)
}

/// That button in a row of its own.
pub(super) fn row() -> CreateActionRow {
    CreateActionRow::Buttons(vec![button()])
}

/// The link, ready to be copied.
pub(super) fn reply(application_id: u64) -> Reply {
    let link = link(application_id);
    Reply::text(format!(
        "Whoever has Manage Server can open this link and choose this server again: that gives my role exactly what \
         I need, and changes nothing else.\n```\n{link}\n```"
    ))
    .row(CreateActionRow::Buttons(vec![CreateButton::new_link(link).label("Open the link")]))
}
