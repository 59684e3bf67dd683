//! The REST routes, called bare.

use std::time::Duration;

use chrono::{TimeDelta, Utc};
use fake_discord::{BOT_USER_ID, ChannelKind, Failure, permission};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::World;

fn ids(body: &Value) -> Vec<u64> {
    let all = body.as_array().unwrap().iter();
    all.map(|one| one["id"].as_str().unwrap().parse().unwrap()).collect()
}

#[tokio::test]
async fn every_reading_route_matches_the_description() {
    let world = World::new().await;
    let (fake, guild, channel) = (&world.fake, world.guild, world.channel);
    let ann = fake.add_member(guild, "ann");
    let role = fake.add_role(guild, "crew", 0);
    fake.give_role(guild, ann, role);
    let forum = fake.add_channel(guild, "forum", ChannelKind::Forum);
    for kind in [ChannelKind::Voice, ChannelKind::Stage, ChannelKind::Category, ChannelKind::Announcement] {
        fake.add_channel(guild, "more", kind);
    }
    fake.set_overwrite(channel, ann, permission::SEND_MESSAGES, 0);
    let post = fake.add_thread(forum, "post");
    let thread = fake.add_thread(channel, "old");
    fake.archive_thread(thread, true);
    let message = fake.send(channel, ann, "hi <@&1> <@2>");
    fake.send_webhook(channel, "hook", "from outside");
    fake.send_system(channel, ann, 7);
    fake.pin(channel, message);
    let dm = fake.dm(ann);
    let paths = [
        "/gateway".to_owned(),
        "/gateway/bot".to_owned(),
        "/oauth2/applications/@me".to_owned(),
        "/applications/@me".to_owned(),
        "/users/@me".to_owned(),
        "/users/@me/guilds".to_owned(),
        format!("/users/{ann}"),
        format!("/guilds/{guild}?with_counts=true"),
        format!("/guilds/{guild}/channels"),
        format!("/guilds/{guild}/roles"),
        format!("/guilds/{guild}/roles/{role}"),
        format!("/guilds/{guild}/roles/member-counts"),
        format!("/guilds/{guild}/threads/active"),
        format!("/guilds/{guild}/members?limit=10"),
        format!("/guilds/{guild}/members/{ann}"),
        format!("/guilds/{guild}/members/@me"),
        format!("/channels/{channel}"),
        format!("/channels/{dm}"),
        format!("/channels/{forum}"),
        format!("/channels/{post}"),
        format!("/channels/{post}/messages/{post}"),
        format!("/channels/{post}/thread-members"),
        format!("/channels/{channel}/messages?limit=100"),
        format!("/channels/{channel}/messages/{message}"),
        format!("/channels/{channel}/pins"),
        format!("/channels/{channel}/messages/pins"),
        format!("/channels/{channel}/threads/archived/public"),
        format!("/channels/{channel}/threads/archived/private"),
        format!("/applications/{}/commands", fake_discord::APPLICATION_ID),
    ];
    for path in paths {
        let (status, body) = world.get(&path).await;
        assert_eq!(status, 200, "{path}: {body}");
    }
    fake.assert_clean();
    let (status, body) = world.get("/nowhere/at/all").await;
    assert_eq!((status, &body["message"]), (404, &json!("404: Not Found")));
    assert_eq!(fake.unknown_routes(), ["GET /nowhere/at/all"]);
}

#[tokio::test]
async fn pages_of_messages() {
    let world = World::new().await;
    let (fake, channel) = (&world.fake, world.channel);
    let from = Utc::now() - TimeDelta::days(1);
    let all = fake.seed(channel, world.owner, 250, from, TimeDelta::seconds(1));
    let page = |query: String| {
        let world = &world;
        async move {
            let (status, body) = world.get(&format!("/channels/{channel}/messages?{query}")).await;
            assert_eq!(status, 200, "{body}");
            ids(&body)
        }
    };
    let newest: Vec<u64> = all.iter().rev().take(100).copied().collect();
    assert_eq!(page("limit=100".into()).await, newest);
    assert_eq!(page(String::new()).await.len(), 50);
    assert_eq!(page("limit=1&after=0".into()).await, [all[0]]);
    let next: Vec<u64> = all.iter().rev().skip(100).take(100).copied().collect();
    assert_eq!(page(format!("limit=100&before={}", newest[99])).await, next);
    // `after` gives the messages right after the id, still newest first.
    assert_eq!(page(format!("limit=2&after={}", all[9])).await, [all[11], all[10]]);
    assert_eq!(page(format!("limit=3&around={}", all[9])).await, [all[10], all[9], all[8]]);
    assert_eq!(world.get(&format!("/channels/{channel}/messages?limit=101")).await.0, 400);
}

#[tokio::test]
async fn deleting_by_the_rules() {
    let world = World::new().await;
    let (fake, channel, owner) = (&world.fake, world.channel, world.owner);
    let bulk = |ids: Vec<u64>| {
        let world = &world;
        let ids: Vec<String> = ids.iter().map(u64::to_string).collect();
        async move {
            let path = format!("/channels/{channel}/messages/bulk-delete");
            let (status, body) = world.post(&path, json!({"messages": ids})).await;
            (status, body["code"].as_u64().unwrap_or(0))
        }
    };
    let at = |age: TimeDelta| fake.send_at(channel, owner, "x", Utc::now() - age, false);
    let young = at(TimeDelta::days(14) - TimeDelta::minutes(1));
    let old = at(TimeDelta::days(14) + TimeDelta::minutes(1));
    let fresh = fake.send(channel, owner, "y");
    assert_eq!(bulk(vec![fresh]).await, (400, 50016));
    assert_eq!(bulk((1..=101).map(|n| fresh + n).collect()).await, (400, 50016));
    assert_eq!(bulk(vec![fresh, fresh]).await, (400, 50035));
    assert_eq!(bulk(vec![fresh, old]).await, (400, 50034));
    assert_eq!(bulk(vec![fresh, young, fresh + 12345]).await, (204, 0));
    assert_eq!(fake.messages(channel).len(), 1);
    fake.advance(TimeDelta::days(14));
    let later = fake.send(channel, owner, "z");
    assert_eq!(bulk(vec![later, fresh]).await, (400, 50034));

    let system = fake.send_system(channel, owner, 3);
    let path = |id: u64| format!("/channels/{channel}/messages/{id}");
    let code = |answer: (u16, Value)| (answer.0, answer.1["code"].as_u64().unwrap_or(0));
    assert_eq!(code(world.delete(&path(system)).await), (403, 50021));
    assert_eq!(code(world.delete(&path(old)).await), (204, 0));
    assert_eq!(code(world.delete(&path(old)).await), (404, 10008));

    let thread = fake.add_thread(channel, "t");
    let inside = fake.send(thread, owner, "in");
    fake.archive_thread(thread, true);
    assert_eq!(code(world.delete(&format!("/channels/{thread}/messages/{inside}")).await), (400, 50083));
    assert_eq!(code(world.delete("/channels/1/messages/2").await), (404, 10003));

    // Own messages go without permission, others' do not; no view at all is another error.
    let (_, own) = world
        .post(&format!("/channels/{channel}/messages"), json!({"content": "a", "allowed_mentions": {"parse": []}}))
        .await;
    let own: u64 = own["id"].as_str().unwrap().parse().unwrap();
    fake.set_bot_permissions(world.guild, permission::EVERYONE_DEFAULT);
    assert_eq!(code(world.delete(&path(own)).await), (204, 0));
    assert_eq!(code(world.delete(&path(later)).await), (403, 50013));
    assert_eq!(bulk(vec![later, later + 1]).await, (403, 50013));
    fake.set_overwrite(channel, world.guild, 0, permission::VIEW_CHANNEL);
    assert_eq!(code(world.delete(&path(later)).await), (403, 50001));
    assert!(fake.invalid_count() >= 3);
}

#[tokio::test]
async fn sending_editing_and_direct_messages() {
    let world = World::new().await;
    let (fake, channel) = (&world.fake, world.channel);
    let path = format!("/channels/{channel}/messages");
    let (status, sent) = world.post(&path, json!({"content": "hi", "nonce": "n1", "enforce_nonce": true})).await;
    assert_eq!(status, 200);
    assert_eq!(fake.mention_violations().len(), 1);
    let (_, again) = world.post(&path, json!({"content": "hi", "nonce": "n1", "enforce_nonce": true})).await;
    assert_eq!(sent["id"], again["id"]);
    let own = format!("{path}/{}", sent["id"].as_str().unwrap());
    let (status, edited) = world.call(Method::PATCH, &own, json!({"content": "ho"})).await;
    assert_eq!((status, &edited["content"]), (200, &json!("ho")));
    let reply = json!({"content": "re", "message_reference": {"message_id": sent["id"]}});
    let (_, reply) = world.post(&path, reply).await;
    assert_eq!((&reply["type"], &reply["referenced_message"]["content"]), (&json!(19), &json!("ho")));

    let ann = fake.add_member(world.guild, "ann");
    let (_, dm) = world.post("/users/@me/channels", json!({"recipient_id": ann.to_string()})).await;
    let path = format!("/channels/{}/messages", dm["id"].as_str().unwrap());
    assert_eq!(world.post(&path, json!({"content": "psst"})).await.0, 200);
    fake.set_dms_open(ann, false);
    let (status, body) = world.post(&path, json!({"content": "psst"})).await;
    assert_eq!((status, &body["code"]), (403, &json!(50007)));
    fake.assert_clean();
}

#[tokio::test]
async fn roles_follow_the_hierarchy() {
    let world = World::new().await;
    let (fake, guild) = (&world.fake, world.guild);
    let ann = fake.add_member(guild, "ann");
    let role = fake.add_role(guild, "crew", 0);
    let path = format!("/guilds/{guild}/members/{ann}/roles/{role}");
    assert_eq!(world.call(Method::PUT, &path, Value::Null).await.0, 204);
    assert_eq!(fake.roles_of(guild, ann).unwrap(), [role]);
    fake.move_role(guild, role, 101);
    let (status, body) = world.delete(&path).await;
    assert_eq!((status, &body["code"]), (403, &json!(50013)));
    fake.move_role(guild, role, 1);
    assert_eq!(world.delete(&path).await.0, 204);
    let gone = format!("/guilds/{guild}/members/1234/roles/{role}");
    assert_eq!(world.delete(&gone).await.1["code"], 10007);
    fake.assert_clean();
}

#[tokio::test]
async fn overwrites_pins_and_threads() {
    let world = World::new().await;
    let (fake, channel) = (&world.fake, world.channel);
    let overwrite = format!("/channels/{channel}/permissions/{BOT_USER_ID}");
    let body = json!({"type": 1, "allow": "0", "deny": permission::PIN_MESSAGES.to_string()});
    assert_eq!(world.call(Method::PUT, &overwrite, body).await.0, 204);
    let message = fake.send(channel, world.owner, "pin me");
    let pin = format!("/channels/{channel}/messages/pins/{message}");
    assert_eq!(world.call(Method::PUT, &pin, Value::Null).await.1["code"], 50013);
    let beyond = json!({"type": 1, "allow": permission::ADMINISTRATOR.to_string(), "deny": "0"});
    let (_, refused) = world.call(Method::PUT, &overwrite, beyond).await;
    assert_eq!(refused["code"], 50013);
    assert_eq!(world.delete(&overwrite).await.0, 204);
    assert_eq!(world.call(Method::PUT, &pin, Value::Null).await.0, 204);
    let (_, pins) = world.get(&format!("/channels/{channel}/messages/pins")).await;
    assert_eq!(pins["items"][0]["message"]["id"], message.to_string());
    let (status, thread) =
        world.post(&format!("/channels/{channel}/messages/{message}/threads"), json!({"name": "talk"})).await;
    assert_eq!((status, &thread["id"]), (201, &json!(message.to_string())));
    let path = format!("/channels/{message}");
    let (status, thread) = world.call(Method::PATCH, &path, json!({"archived": true})).await;
    assert_eq!((status, &thread["thread_metadata"]["archived"]), (200, &json!(true)));
    fake.assert_clean();
}

#[tokio::test]
async fn limits_and_faults() {
    let world = World::new().await;
    let (fake, channel) = (&world.fake, world.channel);
    let path = format!("/channels/{channel}");
    fake.set_bucket("GET /channels/{channel}", 2, Duration::from_millis(300));
    let statuses = [world.get(&path).await.0, world.get(&path).await.0, world.get(&path).await.0];
    assert_eq!(statuses, [200, 200, 429]);
    assert_eq!(fake.rate_limited_count(), 1);
    tokio::time::sleep(Duration::from_millis(320)).await;
    assert_eq!(world.get(&path).await.0, 200);
    fake.clear_limits();
    fake.set_global_limit(Some(1));
    assert_eq!(world.get(&path).await.0, 200);
    let (status, body) = world.get(&path).await;
    assert_eq!((status, &body["global"]), (429, &json!(true)));
    fake.clear_limits();

    fake.fail_next("GET", "/channels/{}", Failure::discord(403, 50013, "Missing Permissions"), 1);
    fake.fail_next("GET", &path, Failure::html_rate_limited(1), 1);
    assert_eq!(world.get(&path).await.1["code"], 50013);
    assert_eq!(world.get(&path).await, (429, Value::Null));
    fake.fail_later("GET", "/channels/{channel_id}", 1, Failure::truncated(), 1);
    assert_eq!(world.get(&path).await.1["id"], channel.to_string());
    assert_eq!(world.get(&path).await, (200, Value::Null));
    fake.fail_next("GET", "/channels/*", Failure::status(500), 1);
    assert_eq!(world.get(&path).await.0, 500);
    let waited = fake.wait_calls("GET", &path, 1, Duration::from_secs(1)).await;
    assert_eq!(waited.len(), fake.count("GET", &path));
    fake.slow_next(&path, Duration::from_millis(200));
    let started = std::time::Instant::now();
    assert_eq!(world.get(&path).await.0, 200);
    assert!(started.elapsed() >= Duration::from_millis(200));
    fake.reset_next("*");
    let url = format!("{}/api/v10/gateway", fake.base_url());
    assert!(world.http.get(&url).send().await.is_err());
    assert!(world.http.get(&url).send().await.is_ok());
    fake.reset_after_next("/channels/{}/messages");
    let url = format!("{}/api/v10{path}/messages", fake.base_url());
    let lost = world.http.post(&url).header("authorization", format!("Bot {}", fake_discord::TOKEN));
    assert!(lost.json(&json!({"content": "lost answer"})).send().await.is_err());
    assert_eq!(fake.messages(channel).len(), 1);
    fake.assert_clean();
}

#[tokio::test]
async fn the_date_follows_the_clock() {
    let world = World::new().await;
    world.fake.set_now("2030-01-02T03:04:05Z".parse().unwrap());
    let answer = world.http.get(format!("{}/api/v10/gateway", world.fake.base_url())).send().await.unwrap();
    assert_eq!(answer.headers()["date"], "Wed, 02 Jan 2030 03:04:05 GMT");
    assert_eq!(answer.headers()["x-ratelimit-limit"], "1000");
    let anonymous = reqwest::Client::new();
    anonymous.get(format!("{}/api/v10/gateway", world.fake.base_url())).send().await.unwrap();
    assert!(world.fake.violations()[0].contains("User-Agent"));
}
