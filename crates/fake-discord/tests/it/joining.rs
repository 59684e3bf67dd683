//! Requests to join, and invites.

use fake_discord::permission;
use reqwest::Method;
use serde_json::json;

use crate::support::World;

#[tokio::test]
async fn a_join_request_is_listed_and_decided_once() {
    let world = World::new().await;
    let (fake, guild) = (&world.fake, world.guild);
    let [ann, ben] = ["ann", "ben"].map(|name| fake.add_user(name));
    let first = fake.submit_join_request(guild, ann, &[("Why?", "To play")]);
    let second = fake.submit_join_request(guild, ben, &[]);
    let list = format!("/guilds/{guild}/requests?status=SUBMITTED&limit=100");
    assert_eq!(world.get(&list).await.0, 403, "the bot has no Kick Members");
    fake.set_bot_permissions(guild, permission::BOT_DEFAULT | permission::KICK_MEMBERS);
    let (status, body) = world.get(&list).await;
    assert_eq!((status, body["total"].as_u64()), (200, Some(2)));
    assert_eq!(body["guild_join_requests"][0]["form_responses"][0]["response"], "To play");
    let (_, rest) = world.get(&format!("{list}&after={first}")).await;
    assert_eq!(rest["guild_join_requests"][0]["id"], second.to_string());

    let path = |id: u64| format!("/guilds/{guild}/requests/{id}");
    let (status, body) = world.call(Method::PATCH, &path(first), json!({ "action": "APPROVED" })).await;
    assert_eq!((status, body["application_status"].as_str()), (200, Some("APPROVED")));
    assert!(fake.roles_of(guild, ann).is_some(), "she is a member now");
    let no = json!({ "action": "REJECTED", "rejection_reason": "no" });
    let (status, body) = world.call(Method::PATCH, &path(first), no.clone()).await;
    assert_eq!((status, body["application_status"].as_str()), (200, Some("APPROVED")), "it stays decided");
    let (_, body) = world.call(Method::PATCH, &path(second), no).await;
    assert_eq!(
        (body["application_status"].as_str(), body["rejection_reason"].as_str()),
        (Some("REJECTED"), Some("no"))
    );
    assert!(fake.roles_of(guild, ben).is_none());
    fake.assert_clean();
    let (status, _) = world.call(Method::PATCH, &path(first), json!({ "action": "LATER" })).await;
    assert_eq!(status, 400);
    let reason = json!({ "action": "REJECTED", "rejection_reason": "x".repeat(161) });
    assert_eq!(world.call(Method::PATCH, &path(first), reason).await.0, 400);
}

#[tokio::test]
async fn an_invite_says_whom_it_is_for() {
    let world = World::new().await;
    let (fake, guild, channel) = (&world.fake, world.guild, world.channel);
    let ann = fake.add_user("ann");
    let role = fake.add_role(guild, "crew", 0);
    let path = format!("/channels/{channel}/invites");
    let body = json!({
        "max_age": 86_400, "max_uses": 1, "target_user_ids": [ann.to_string()], "role_ids": [role.to_string()],
    });
    assert_eq!(world.post(&path, body.clone()).await.0, 403, "the bot may not make invites");
    fake.set_bot_permissions(guild, permission::BOT_DEFAULT | permission::CREATE_INSTANT_INVITE);
    let (status, made) = world.post(&path, body).await;
    assert_eq!(status, 200);
    let code = made["code"].as_str().unwrap_or_default().to_owned();
    assert_eq!(fake.invites(guild), [(code, vec![ann], vec![role])]);
    fake.assert_clean();
    assert_eq!(world.post(&path, json!({ "max_age": 604_801 })).await.0, 400);
}
