//! The bot's own rights over REST.

use axum::http::StatusCode;
use entity::id::GuildId;
use serde_json::json;

use super::{
    api, channel,
    server::{Seen, Server, answer, refusal},
};
use crate::discord_api::{
    Error, Lane,
    permission::{CONNECT, MANAGE_MESSAGES, SEND_MESSAGES_IN_THREADS, VIEW_CHANNEL},
};

const BASIC: u64 = VIEW_CHANNEL | SEND_MESSAGES_IN_THREADS;

fn reply(request: &Seen) -> axum::response::Response {
    let role = |id: &str, permissions: u64| json!({ "id": id, "permissions": permissions.to_string() });
    let hidden = json!([{ "id": "2", "type": 0, "allow": "0", "deny": VIEW_CHANNEL.to_string() }]);
    let body = match request.path.trim_start_matches("/api/v10") {
        "/users/@me" => json!({ "id": "7", "username": "guildhall", "bot": true }),
        "/guilds/2" => {
            json!({ "id": "2", "owner_id": "1", "roles": [role("2", BASIC), role("3", MANAGE_MESSAGES)] })
        }
        "/guilds/2/members/7" => json!({ "user": { "id": "7" }, "roles": ["3"] }),
        "/guilds/2/channels" => json!([
            { "id": "5", "type": 0 }, { "id": "8", "type": 2 }, { "id": "6", "type": 0, "permission_overwrites": hidden },
        ]),
        "/channels/50" => json!({ "id": "50", "type": 11, "guild_id": "2", "parent_id": "5" }),
        "/channels/60" => json!({ "id": "60", "type": 11, "guild_id": "2", "parent_id": "6" }),
        "/channels/70" => {
            json!({ "id": "70", "type": 0, "guild_id": "2", "permission_overwrites": hidden })
        }
        "/channels/80" => json!({ "id": "80", "type": 0, "guild_id": "9" }),
        _ => return refusal(StatusCode::NOT_FOUND, 10_003),
    };
    answer(StatusCode::OK, &body)
}

#[tokio::test]
async fn rights_come_from_roles_and_overwrites_and_are_kept_for_a_while() {
    let server = Server::start(reply).await;
    let api = api(&server);
    let guild = GuildId::new(2).unwrap();
    let ask = |id| api.own_permissions(guild, channel(id), Lane::Interactive);
    assert_eq!(ask(5).await, Ok(BASIC | MANAGE_MESSAGES));
    assert_eq!(ask(6).await, Ok(0));
    assert_eq!(server.count(), 4);
    // Threads look at their parent; a channel made since, at itself.
    assert_eq!(ask(50).await, Ok(BASIC | MANAGE_MESSAGES));
    assert_eq!(ask(60).await, Ok(0));
    assert_eq!(ask(70).await, Ok(0));
    assert_eq!(ask(50).await, Ok(BASIC | MANAGE_MESSAGES));
    assert_eq!(server.count(), 7);
    // The chat of a voice channel takes Connect, which nobody needs elsewhere.
    let lacks = |id| api.missing_for_messages(guild, channel(id), VIEW_CHANNEL, Lane::Interactive);
    assert_eq!((lacks(5).await, lacks(8).await), (Ok(0), Ok(CONNECT)));
    for foreign_or_unknown in [80, 90] {
        assert_eq!(ask(foreign_or_unknown).await, Err(Error::NotFound { code: 10_003 }));
    }
    api.forget_permissions(guild);
    assert_eq!(ask(5).await, Ok(BASIC | MANAGE_MESSAGES));
    assert_eq!(server.count(), 12);
}
