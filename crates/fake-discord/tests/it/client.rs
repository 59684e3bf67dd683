//! A real serenity client against the stand-in.

use std::sync::atomic::Ordering;
use std::time::Duration;

use fake_discord::{ChannelKind, FakeDiscord, GatewayAction};
use serde_json::json;
use serenity::prelude::GatewayIntents;

use crate::bot::{Bot, INTENTS, until};
use crate::support::{World, panics_with};

async fn connected() -> (World, Bot) {
    let world = World::new().await;
    let bot = Bot::start(&world.fake, INTENTS).await;
    world.fake.wait_connected().await;
    world.fake.wait_command("Inspect").await;
    (world, bot)
}

#[tokio::test]
async fn commands_of_every_kind() {
    let (world, _bot) = connected().await;
    let (fake, owner, channel) = (&world.fake, world.owner, world.channel);
    let member = fake.add_member(world.guild, "ann");
    let role = fake.add_role(world.guild, "crew", 0);

    let options = json!({"who": member.to_string(), "where": channel, "role": role, "mood": "good", "times": 2});
    let hello = fake.command(owner, channel, "hello", options);
    assert_eq!(hello.reply().await.text(), "hello ann in Some(\"general\")");
    assert!(!hello.is_ephemeral());
    assert_eq!(fake.messages(channel).len(), 1);
    assert!(hello.callback().unwrap().after < Duration::from_secs(3));

    let card = fake.user_menu(owner, channel, "Card", member);
    assert_eq!(card.reply().await.text(), "used Card in true");
    let message = fake.send(channel, member, "look at this");
    let inspect = fake.message_menu(owner, channel, "Inspect", message);
    assert_eq!(inspect.reply().await.text(), "used Inspect in true");

    let choices = fake.autocomplete(owner, channel, "list exempt add", json!({"what": "ab"}), "what").await;
    assert_eq!(choices[0].name, "ab!");
    let list = fake.command(owner, channel, "list exempt add", json!({"what": "ab"}));
    assert_eq!(list.reply().await.text(), "used list in true");

    let dm = fake.dm(member);
    let private = fake.command(member, dm, "hello", json!({"who": owner}));
    assert!(private.reply().await.text().starts_with("hello Home owner"));
    fake.assert_clean();
    assert!(fake.mention_violations().is_empty());
}

#[tokio::test]
async fn panels_forms_and_deferrals() {
    let (world, _bot) = connected().await;
    let (fake, owner, channel) = (&world.fake, world.owner, world.channel);
    let panel = fake.command(owner, channel, "panel", json!({}));
    panel.reply().await;
    assert!(panel.is_ephemeral());
    assert_eq!(panel.buttons().len(), 3);
    assert!(panel.text().contains("Count"));
    let role = fake.add_role(world.guild, "crew", 0).to_string();
    let second = fake.command(owner, channel, "panel", json!({}));
    second.reply().await;
    assert_eq!(fake.select(owner, &second, "role", &[&role]).reply().await.content, "used role");
    let pressed = fake.press_label(owner, &panel, "Bump");
    assert_eq!(pressed.reply().await.text(), "used bump\nPanel\nCount\n0");
    assert!(panel.buttons().is_empty());

    let form = fake.command(owner, channel, "form", json!({}));
    assert_eq!(form.modal().await["title"], "Form");
    let sent = fake.submit_modal(owner, &form, json!({"name": "Bo"}));
    assert_eq!(sent.reply().await.text(), "form says Bo");

    let slow = fake.command(owner, channel, "slow", json!({}));
    assert_eq!(slow.first_callback().await.kind, 5);
    let reply = slow.reply().await;
    assert_eq!(reply.text(), "done\ndata.csv");
    assert!(reply.is_ephemeral());
    assert_eq!(slow.wait_followups(1).await[0].text(), "more");
    fake.assert_clean();
}

#[tokio::test]
async fn a_late_answer_is_refused_and_noted() {
    let (world, _bot) = connected().await;
    world.fake.command(world.owner, world.channel, "late", json!({}));
    tokio::time::sleep(Duration::from_millis(3600)).await;
    let answers = world.fake.calls("POST", "/interactions/{}/{}/callback");
    assert_eq!((answers[0].status, &answers[0].response["code"]), (404, &json!(10062)));
    assert!(world.fake.violations()[0].contains("only after"));
}

#[tokio::test]
async fn what_the_client_would_not_allow_panics() {
    let (world, _bot) = connected().await;
    let (fake, owner, channel) = (&world.fake, world.owner, world.channel);
    let ann = fake.add_member(world.guild, "ann");
    let panel = fake.command(owner, channel, "panel", json!({}));
    panel.reply().await;
    let command = |user, path: &str, options| {
        fake.command(user, channel, path, options);
    };
    let hello = |options| move || command(owner, "hello", options);
    assert!(panics_with("registered are", || command(owner, "nope", json!({}))));
    assert!(panics_with("is required", hello(json!({}))));
    assert!(panics_with("no option", hello(json!({"who": owner, "x": 1}))));
    assert!(panics_with("is not one of", hello(json!({"who": owner, "mood": "bad"}))));
    assert!(panics_with("accepts", hello(json!({"who": owner, "times": 4}))));
    let list = || command(ann, "list exempt add", json!({"what": "a"}));
    assert!(panics_with("would not offer", list));
    let press = |user, label: &str| {
        fake.press_label(user, &panel, label);
    };
    assert!(panics_with("Gone", || press(owner, "Gone")));
    assert!(panics_with("does not see", || press(ann, "Bump")));
    fake.command_as_admin_override(true);
    list();
}

#[tokio::test]
async fn a_silent_gateway_is_left() {
    let builder = FakeDiscord::builder().heartbeat_interval(Duration::from_millis(300));
    let fake = builder.start().await.unwrap();
    fake.add_guild("Home");
    let _bot = Bot::start(&fake, INTENTS).await;
    fake.wait_connected().await;
    fake.stop_acks(true);
    // serenity starts such a shard anew, five seconds after the last start.
    fake.wait_identifies(2, Duration::from_secs(20)).await;
    fake.stop_acks(false);
    fake.wait_connected().await;
}

#[tokio::test]
async fn broken_connections_resume() {
    let (world, bot) = connected().await;
    let fake = &world.fake;
    until(&bot.seen.guilds, 1).await;
    fake.drop_sockets();
    fake.send(world.channel, world.owner, "missed?");
    fake.wait_resumes(1).await;
    until(&bot.seen.messages, 1).await;
    until(&bot.seen.resumes, 1).await;
    fake.request_reconnect();
    fake.wait_resumes(2).await;
    fake.wait_connected().await;
    fake.send(world.channel, world.owner, "still there?");
    until(&bot.seen.messages, 2).await;
    assert_eq!(fake.identifies().len(), 1);
    let accepted = |action: &GatewayAction| matches!(action, GatewayAction::Resume { accepted: true, .. });
    assert!(fake.resumes().iter().all(|one| accepted(&one.action)));
    fake.invalid_session(false);
    fake.wait_identifies(2, Duration::from_secs(15)).await;
    bot.shut_down().await;
}

#[tokio::test]
async fn intents_and_doubled_events() {
    let (world, bot) = connected().await;
    let fake = &world.fake;
    fake.set_duplicate_events(true);
    fake.send(world.channel, world.owner, "hidden");
    until(&bot.seen.messages, 2).await;
    assert_eq!(bot.seen.contents.load(Ordering::SeqCst), 0);
    let mention = format!("hi <@{}>", fake_discord::BOT_USER_ID);
    fake.send(world.channel, world.owner, &mention);
    until(&bot.seen.contents, 2).await;

    let other = FakeDiscord::start().await;
    let guild = other.add_guild("Away");
    let channel = other.add_channel(guild, "talk", ChannelKind::Text);
    let bot = Bot::start(&other, GatewayIntents::GUILDS).await;
    other.wait_connected().await;
    other.send(channel, other.owner(guild), "nobody asked");
    until(&bot.seen.guilds, 1).await;
    assert_eq!(bot.seen.messages.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_refused_token() {
    let world = World::new().await;
    world.fake.refuse_token();
    let (status, body) = world.get("/users/@me").await;
    assert_eq!((status, &body["message"]), (401, &json!("401: Unauthorized")));
    assert_eq!(world.fake.invalid_count(), 1);
}
