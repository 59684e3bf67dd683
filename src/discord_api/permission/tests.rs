use entity::id::{ChannelId, DiscordUserId, RoleId};

use super::*;
use crate::discord_api::model::{ChannelKind, RoleInfo};

const GUILD: u64 = 1;
const OWNER: u64 = 10;
const ADA: u64 = 11;
const MODS: u64 = 20;
const MUTED: u64 = 21;
const BASIC: u64 = VIEW_CHANNEL | SEND_MESSAGES | EMBED_LINKS | READ_MESSAGE_HISTORY;

fn role(id: u64, permissions: u64) -> RoleInfo {
    let id = RoleId::new(id).unwrap();
    RoleInfo { id, name: String::new(), permissions, position: 0, managed: false }
}

fn guild(everyone: u64, mods: u64) -> GuildInfo {
    GuildInfo {
        id: GuildId::new(GUILD).unwrap(),
        name: String::new(),
        owner_id: DiscordUserId::new(OWNER),
        roles: vec![role(GUILD, everyone), role(MODS, mods), role(MUTED, 0)],
    }
}

fn member(id: u64, roles: &[u64]) -> MemberInfo {
    MemberInfo {
        user_id: DiscordUserId::new(id).unwrap(),
        roles: roles.iter().filter_map(|id| RoleId::new(*id)).collect(),
        is_bot: true,
        display_name: String::new(),
    }
}

fn channel(kind: ChannelKind, overwrites: &[(u64, bool, u64, u64)]) -> ChannelInfo {
    let overwrite = |&(target, is_role, allow, deny): &_| Overwrite { target, is_role, allow, deny };
    ChannelInfo {
        id: ChannelId::new(30).unwrap(),
        guild_id: GuildId::new(GUILD),
        kind,
        name: String::new(),
        parent_id: None,
        owner_id: None,
        overwrites: overwrites.iter().map(overwrite).collect(),
        last_message_id: None,
        archived: false,
        locked: false,
        nsfw: false,
        position: 0,
    }
}

fn text(overwrites: &[(u64, bool, u64, u64)]) -> ChannelInfo {
    channel(ChannelKind::TEXT, overwrites)
}

#[test]
fn owner_and_administrator_have_everything_whatever_the_channel_says() {
    let closed = text(&[(GUILD, true, 0, u64::MAX), (OWNER, false, 0, u64::MAX)]);
    assert_eq!(channel_permissions(&guild(0, 0), &closed, None, &member(OWNER, &[])), ALL);
    let admins = guild(0, ADMINISTRATOR);
    assert_eq!(channel_permissions(&admins, &closed, None, &member(ADA, &[MODS])), ALL);
    assert_eq!(channel_permissions(&admins, &closed, None, &member(ADA, &[])), 0);
}

#[test]
fn overwrites_apply_in_discords_order() {
    let guild = guild(BASIC, MANAGE_MESSAGES);
    let rights =
        |overwrites: &[_], roles: &[u64]| channel_permissions(&guild, &text(overwrites), None, &member(ADA, roles));
    assert_eq!(rights(&[], &[]), BASIC);
    assert_eq!(rights(&[], &[MODS]), BASIC | MANAGE_MESSAGES);
    // Everyone loses it, a role gets it back.
    let hidden = [(GUILD, true, 0, VIEW_CHANNEL), (MODS, true, VIEW_CHANNEL, 0)];
    assert_eq!(rights(&hidden, &[]), 0);
    assert_eq!(rights(&hidden, &[MODS]), BASIC | MANAGE_MESSAGES);
    // Among roles what one grants outweighs what another takes, whatever their places.
    let torn = [(MODS, true, SEND_MESSAGES, 0), (MUTED, true, 0, SEND_MESSAGES)];
    assert_eq!(rights(&torn, &[MODS, MUTED]) & SEND_MESSAGES, SEND_MESSAGES);
    assert_eq!(rights(&torn, &[MUTED]) & SEND_MESSAGES, 0);
    // The member's own overwrite has the last word.
    let own = [(MODS, true, MANAGE_MESSAGES, 0), (ADA, false, 0, MANAGE_MESSAGES)];
    assert_eq!(rights(&own, &[MODS]), BASIC);
    // Roles and members are told apart even with equal numbers.
    assert_eq!(rights(&[(ADA, true, 0, VIEW_CHANNEL)], &[]), BASIC);
}

#[test]
fn whoever_cannot_see_or_write_has_nothing_that_follows_from_it() {
    let guild = guild(BASIC | ATTACH_FILES | MANAGE_MESSAGES, 0);
    let blind = text(&[(GUILD, true, 0, VIEW_CHANNEL)]);
    assert_eq!(channel_permissions(&guild, &blind, None, &member(ADA, &[])), 0);
    let silent = text(&[(GUILD, true, 0, SEND_MESSAGES)]);
    let rights = channel_permissions(&guild, &silent, None, &member(ADA, &[]));
    assert_eq!(rights, VIEW_CHANNEL | READ_MESSAGE_HISTORY | MANAGE_MESSAGES);
}

#[test]
fn a_thread_has_the_rights_of_its_parent() {
    let guild = guild(BASIC | SEND_MESSAGES_IN_THREADS, 0);
    let thread = channel(ChannelKind::PUBLIC_THREAD, &[]);
    let parent = text(&[(GUILD, true, MANAGE_THREADS, SEND_MESSAGES)]);
    let rights = channel_permissions(&guild, &thread, Some(&parent), &member(ADA, &[]));
    assert_eq!(missing(rights, EMBED_LINKS | MANAGE_THREADS | SEND_MESSAGES_IN_THREADS), 0);
    assert_eq!(channel_permissions(&guild, &thread, None, &member(ADA, &[])), 0);
}

#[test]
fn rights_have_the_names_people_see() {
    let needed = VIEW_CHANNEL | MANAGE_MESSAGES | READ_MESSAGE_HISTORY;
    assert_eq!(permission_names(needed), ["View Channel", "Manage Messages", "Read Message History"]);
    assert_eq!(permission_names(missing(VIEW_CHANNEL, needed)), ["Manage Messages", "Read Message History"]);
    assert!(permission_names(1 << 62).is_empty());
}
