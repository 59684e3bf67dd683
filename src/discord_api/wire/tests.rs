use serde_json::json;

use super::*;

fn channel_id() -> ChannelId {
    ChannelId::new(5).unwrap()
}

fn page_of(entries: &Value, limit: u8) -> Page {
    page(entries.to_string().as_bytes(), channel_id(), limit).unwrap()
}

#[test]
fn a_message_is_read_with_what_we_use() {
    let body = json!([{
        "id": "175928847299117063", "channel_id": "5", "author": { "id": "7", "username": "ada", "bot": true },
        "type": 19, "pinned": true, "flags": 32, "timestamp": "2016-04-30T11:18:25.796000+00:00",
        "content": "", "something_new": { "a": [1, 2] },
    }]);
    let page = page_of(&body, 1);
    let message = &page.messages[0];
    assert_eq!((message.id.get(), message.channel_id, message.kind), (175_928_847_299_117_063, channel_id(), 19));
    assert_eq!(message.author_id, DiscordUserId::new(7));
    assert!(message.pinned && message.author_is_bot && message.has_thread() && page.is_full);
    assert_eq!(message.timestamp.timestamp_millis(), 1_462_015_105_796);
}

#[test]
fn odd_values_cost_their_field_only() {
    let body = json!([{
        "id": "175928847299117063", "author": null, "webhook_id": "9", "type": 4_000, "pinned": null,
        "flags": { "new": true }, "timestamp": "yesterday",
    }]);
    let page = page_of(&body, 100);
    let message = &page.messages[0];
    assert_eq!((message.webhook_id, message.kind, message.flags), (Some(9), u8::MAX, 0));
    assert_eq!(message.channel_id, channel_id());
    assert!(message.author_is_bot && !message.pinned && !page.is_full);
    assert_eq!(message.timestamp.timestamp_millis(), 1_462_015_105_796);
}

#[test]
fn one_unreadable_message_does_not_fail_the_page() {
    let body = json!([
        { "id": "30", "type": 0 }, { "id": "20", "author": 5 }, { "type": 0 }, "?", { "id": "10", "type": 0 },
    ]);
    let page = page_of(&body, 5);
    let ids: Vec<u64> = page.messages.iter().map(|message| message.id.get()).collect();
    assert_eq!(ids, [30, 10]);
    assert_eq!(page.unreadable, [MessageId::new(20).unwrap()]);
    assert_eq!((page.oldest_id, page.newest_id), (MessageId::new(10), MessageId::new(30)));
    assert!(page.is_full);
}

#[test]
fn what_is_no_list_is_garbled() {
    for body in [&b"[{\"id\": \"1\""[..], b"", b"{}", b"<html>"] {
        assert_eq!(page(body, channel_id(), 1), Err(GARBLED));
    }
}

#[test]
fn a_channel_is_read_with_its_overwrites() {
    let body = json!({
        "id": "5", "guild_id": "2", "type": 11, "name": "plans", "parent_id": "4", "owner_id": "7", "nsfw": null,
        "last_message_id": null, "thread_metadata": { "archived": true, "locked": false },
        "permission_overwrites": [
            { "id": "2", "type": 0, "allow": "0", "deny": "1024" },
            { "id": "7", "type": 1, "allow": "1024", "deny": "0" },
            { "id": "8", "type": "role", "allow": "2251799813685248", "deny": "0" },
        ],
    });
    let info = channel(body.to_string().as_bytes()).unwrap();
    assert!(info.archived && !info.locked && !info.nsfw && info.kind.is_thread());
    assert_eq!((info.guild_id, info.parent_id), (GuildId::new(2), ChannelId::new(4)));
    assert_eq!(info.overwrites[0], Overwrite { target: 2, is_role: true, allow: 0, deny: 1 << 10 });
    assert_eq!(info.overwrites[1], Overwrite { target: 7, is_role: false, allow: 1 << 10, deny: 0 });
    assert_eq!(info.overwrites[2], Overwrite { target: 8, is_role: true, allow: 1 << 51, deny: 0 });
}

#[test]
fn guilds_members_and_commands_are_read() {
    let body = json!({ "id": "2", "name": "G", "owner_id": "7", "roles": [
        { "id": "2", "name": "@everyone", "permissions": "1024", "position": 0, "managed": false },
    ] });
    let info = guild(body.to_string().as_bytes()).unwrap();
    assert_eq!((info.roles[0].permissions, info.owner_id), (1024, DiscordUserId::new(7)));
    let user = DiscordUserId::new(7).unwrap();
    let body = json!({ "user": { "id": "7", "username": "ada", "global_name": "Ada" }, "roles": ["3"], "nick": null });
    let info = member(body.to_string().as_bytes(), user).unwrap();
    assert_eq!((info.display_name.as_str(), info.is_bot, info.roles.len()), ("Ada", false, 1));
    let body = json!([{ "id": "1", "name": "vanish" }, { "id": "2", "name": "Keep", "type": 3 }]);
    let registered = commands(body.to_string().as_bytes()).unwrap();
    assert_eq!((registered[0].kind, registered[1].kind), (1, 3));
}

#[test]
fn an_application_belongs_to_its_owner_or_to_its_team() {
    let read = |body: &Value| application(body.to_string().as_bytes()).unwrap();
    let ids = |ids: &[u64]| ids.iter().filter_map(|id| DiscordUserId::new(*id)).collect::<Vec<_>>();
    let owned =
        read(&json!({ "id": "1", "name": "x", "owner": { "id": "7" }, "team": null, "flags": 1 << 19 | 1 << 15 }));
    assert_eq!(owned.administrators, ids(&[7]));
    assert!(owned.may_read_messages() && owned.may_see_members());
    let member = |id: u64, state: u64, role: &str| json!({ "user": { "id": id.to_string() }, "membership_state": state, "role": role });
    let team = json!({
        "owner_user_id": "8",
        "members": [member(9, 2, "admin"), member(10, 2, "developer"), member(11, 2, "read_only"), member(12, 1, "admin")],
    });
    // The owner of a team's application is no person.
    let teams = read(&json!({ "id": "1", "owner": { "id": "7" }, "team": team, "flags": 0 }));
    assert_eq!(teams.administrators, ids(&[9, 10, 8]));
    assert!(!teams.may_read_messages() && !teams.may_see_members());
}

#[test]
fn rules_of_auto_moderation_are_read_with_what_we_use() {
    let body = json!([
        { "id": "5", "creator_id": "6", "name": "x", "enabled": true, "trigger_type": 1,
          "trigger_metadata": { "regex_patterns": ["a+"] }, "actions": [{ "type": 1, "metadata": {} }] },
        { "id": "7", "trigger_type": 5, "trigger_metadata": { "mention_total_limit": 5 }, "actions": [{ "type": 2 }] },
        null,
    ]);
    let rules = auto_moderation_rules(body.to_string().as_bytes()).unwrap();
    assert_eq!(rules.len(), 2);
    assert!(rules[0].blocks && rules[0].enabled && rules[0].patterns == ["a+"] && rules[0].creator_id == 6);
    assert!(!rules[1].blocks && !rules[1].enabled && rules[1].patterns.is_empty());
}
