//! What the developer portal and AutoMod decide: who owns the application, which intents it has, what is blocked.

use std::time::Duration;

use fake_discord::{BOT_USER_ID, FakeDiscord, GatewayAction, HOST_USER_ID, MESSAGE_CONTENT, permission};
use reqwest::Method;
use serde_json::{Value, json};
use serenity::prelude::GatewayIntents;

use crate::bot::{Bot, INTENTS};
use crate::support::World;

fn sessions(fake: &FakeDiscord) -> usize {
    fake.gateway_log().iter().filter(|one| matches!(one.action, GatewayAction::Identify { .. })).count()
}

#[tokio::test]
async fn privileged_intents_work_only_while_they_are_declared() {
    let world = World::new().await;
    let fake = &world.fake;
    let wanted = INTENTS.union(GatewayIntents::MESSAGE_CONTENT);
    let _refused = Bot::start(fake, wanted).await;
    fake.wait_identifies(1, Duration::from_secs(5)).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!((fake.connected(), sessions(fake)), (0, 1), "4014 is for good");
    fake.declare_intents(MESSAGE_CONTENT);
    let (_, application) = world.get("/applications/@me").await;
    assert_eq!(application["flags"], 1 << 19);
    let _accepted = Bot::start(fake, wanted).await;
    fake.wait_connected().await;
    fake.assert_clean();
}

#[tokio::test]
async fn what_messages_say_is_hidden_from_requests_too() {
    let world = World::new().await;
    let (fake, channel) = (&world.fake, world.channel);
    let message = fake.send(channel, world.owner, "hidden");
    let mention = fake.send(channel, world.owner, &format!("hi <@{BOT_USER_ID}>"));
    let path = |id: u64| format!("/channels/{channel}/messages/{id}");
    assert_eq!(world.get(&path(message)).await.1["content"], "");
    assert_ne!(world.get(&path(mention)).await.1["content"], "");
    let (_, list) = world.get(&format!("/channels/{channel}/messages")).await;
    assert_eq!(list[1]["content"], "");
    fake.declare_intents(MESSAGE_CONTENT);
    assert_eq!(world.get(&path(message)).await.1["content"], "hidden");
    fake.assert_clean();
}

#[tokio::test]
async fn the_application_belongs_to_an_account_or_to_a_team() {
    let world = World::new().await;
    let fake = &world.fake;
    let owner = async || world.get("/applications/@me").await.1;
    assert_eq!(owner().await["owner"]["id"], HOST_USER_ID.to_string());
    fake.set_application_owner(world.owner);
    assert_eq!(owner().await["owner"]["id"], world.owner.to_string());
    let [head, guest] = ["head", "guest"].map(|name| fake.add_user(name));
    fake.set_application_team(&[(head, "admin", true), (guest, "read_only", false)]);
    let team = owner().await["team"].clone();
    assert_eq!(
        (&team["owner_user_id"], &team["members"][0]["membership_state"]),
        (&json!(head.to_string()), &json!(2))
    );
    assert_eq!(
        (&team["members"][1]["role"], &team["members"][1]["membership_state"]),
        (&json!("read_only"), &json!(1))
    );
    fake.assert_clean();
}

#[tokio::test]
async fn strangers_cannot_be_written_to() {
    let world = World::new().await;
    let stranger = world.fake.add_user("stranger");
    let (_, dm) = world.post("/users/@me/channels", json!({ "recipient_id": stranger.to_string() })).await;
    let path = format!("/channels/{}/messages", dm["id"].as_str().unwrap());
    let body = json!({ "content": "psst", "allowed_mentions": { "parse": [] } });
    let (status, answer) = world.post(&path, body.clone()).await;
    assert_eq!((status, &answer["code"]), (403, &json!(50278)));
    world.fake.join_guild(world.guild, stranger);
    assert_eq!(world.post(&path, body).await.0, 200);
    world.fake.assert_clean();
}

fn rule(pattern: &str) -> Value {
    json!({
        "name": "no secrets", "event_type": 1, "trigger_type": 1, "enabled": true,
        "trigger_metadata": { "regex_patterns": [pattern] },
        "actions": [{ "type": 1, "metadata": { "custom_message": "No." } }],
    })
}

#[tokio::test]
async fn auto_moderation_blocks_what_its_rules_say() {
    let world = World::new().await;
    let (fake, channel) = (&world.fake, world.channel);
    let ann = fake.add_member(world.guild, "ann");
    let rules = format!("/guilds/{}/auto-moderation/rules", world.guild);
    assert_eq!(world.post(&rules, rule("s[3e]cret")).await.1["code"], 50013, "it takes Manage Server");
    fake.set_bot_permissions(world.guild, permission::BOT_DEFAULT | permission::MANAGE_GUILD);
    for wrong in ["(", "(?=x)"] {
        let (status, body) = world.post(&rules, rule(wrong)).await;
        assert_eq!((status, &body["code"]), (400, &json!(50035)), "{wrong}");
    }
    fake.clear_violations();
    let (status, made) = world.post(&rules, rule("s[3e]cret")).await;
    assert_eq!((status, &made["creator_id"]), (200, &json!(BOT_USER_ID.to_string())));
    assert_eq!(fake.try_send(channel, ann, "my s3cret"), Err("no secrets".to_owned()));
    assert!(fake.try_send(channel, ann, "nothing").is_ok());
    assert!(fake.try_send(channel, world.owner, "my secret").is_ok(), "who manages the server may");
    let path = format!("{rules}/{}", made["id"].as_str().unwrap());
    let off = world.call(Method::PATCH, &path, json!({ "enabled": false })).await;
    assert_eq!((off.0, &off.1["enabled"]), (200, &json!(false)));
    assert!(fake.try_send(channel, ann, "my s3cret").is_ok());
    assert_eq!(world.get(&rules).await.1.as_array().map(Vec::len), Some(1));
    assert_eq!(world.get(&path).await.0, 200);
    assert_eq!(world.delete(&path).await.0, 204);
    assert_eq!(world.get(&path).await.1["code"], 10069);
    for _ in 0..6 {
        assert_eq!(world.post(&rules, rule("x")).await.0, 200);
    }
    assert_eq!(world.post(&rules, rule("x")).await.0, 400, "six are the most");
    fake.clear_violations();
    fake.assert_clean();
}
