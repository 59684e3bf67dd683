//! Every event parses into serenity's types. What does not parse is dropped there without a word.

use std::collections::BTreeSet;

use chrono::Utc;
use fake_discord::{ChannelKind, permission};
use serde_json::json;
use serenity::all::{Event, GatewayEvent, GatewayIntents};

use crate::bot::Bot;
use crate::support::World;

#[tokio::test]
async fn every_event() {
    let world = World::new().await;
    let (fake, guild) = (&world.fake, world.guild);
    let ann = fake.add_member(guild, "ann");
    let voice = fake.add_channel(guild, "voice", ChannelKind::Voice);
    let posts = fake.add_channel(guild, "forum", ChannelKind::Forum);
    fake.set_voice(guild, ann, Some(voice));
    fake.add_thread(posts, "before");
    fake.declare_intents(fake_discord::GUILD_MEMBERS | fake_discord::GUILD_PRESENCES | fake_discord::MESSAGE_CONTENT);
    let _bot = Bot::start(fake, GatewayIntents::all()).await;
    fake.wait_connected().await;
    fake.wait_command("Inspect").await;

    change_world(&world, ann, voice, posts);
    write_messages(&world, ann).await;
    use_things(&world, ann).await;
    fake.remove_guild(guild);
    fake.add_bot(guild);

    let parses = |payload: serde_json::Value| {
        let parsed: GatewayEvent = serde_json::from_value(payload).unwrap();
        matches!(&parsed, GatewayEvent::Dispatch(_, event) if !matches!(event, Event::Unknown(_)))
    };
    let mut broken = fake.events().into_iter().find(|one| one["t"] == "INTERACTION_CREATE").unwrap();
    broken["d"]["entitlements"] = json!(null);
    assert!(!parses(broken), "this check finds nothing");

    let mut seen = BTreeSet::new();
    for payload in fake.events() {
        let name = payload["t"].as_str().unwrap().to_owned();
        let good = parses(payload.clone());
        assert!(good, "{name} does not parse: {payload:#}");
        seen.insert(name);
    }
    let wanted = [
        "READY",
        "GUILD_CREATE",
        "GUILD_UPDATE",
        "GUILD_DELETE",
        "CHANNEL_CREATE",
        "CHANNEL_UPDATE",
        "CHANNEL_DELETE",
        "CHANNEL_PINS_UPDATE",
        "THREAD_CREATE",
        "THREAD_UPDATE",
        "THREAD_DELETE",
        "GUILD_ROLE_CREATE",
        "GUILD_ROLE_UPDATE",
        "GUILD_ROLE_DELETE",
        "GUILD_MEMBER_ADD",
        "GUILD_MEMBER_UPDATE",
        "GUILD_MEMBER_REMOVE",
        "MESSAGE_CREATE",
        "MESSAGE_UPDATE",
        "MESSAGE_DELETE",
        "MESSAGE_DELETE_BULK",
        "VOICE_STATE_UPDATE",
        "INTERACTION_CREATE",
    ];
    for name in wanted {
        assert!(seen.contains(name), "{name} was not sent; {seen:?}");
    }
}

fn change_world(world: &World, ann: u64, voice: u64, posts: u64) {
    let (fake, guild, channel) = (&world.fake, world.guild, world.channel);
    for kind in [ChannelKind::Stage, ChannelKind::Category, ChannelKind::Announcement] {
        fake.add_channel(guild, "more", kind);
    }
    let role = fake.add_role(guild, "crew", permission::SEND_MESSAGES);
    fake.move_role(guild, role, 3);
    fake.give_role(guild, ann, role);
    fake.take_role(guild, ann, role);
    fake.delete_role(guild, role);
    fake.set_voice(guild, ann, None);
    fake.set_overwrite(channel, ann, permission::SEND_MESSAGES, 0);
    fake.rename_channel(channel, "lounge");
    fake.rename_guild(guild, "House");
    let thread = fake.add_thread(channel, "thread");
    let post = fake.add_thread(posts, "post");
    fake.archive_thread(thread, true);
    fake.delete_channel(thread);
    fake.delete_channel(posts);
    assert!(!fake.channel_exists(post));
    let bo = fake.add_member(guild, "bo");
    fake.remove_member(guild, bo);
    fake.set_voice(guild, ann, Some(voice));
}

async fn write_messages(world: &World, ann: u64) {
    let (fake, channel) = (&world.fake, world.channel);
    let message = fake.send(channel, ann, "hi");
    fake.send_webhook(channel, "hook", "from outside");
    fake.send_system(channel, ann, 7);
    fake.pin(channel, message);
    fake.unpin(channel, message);
    fake.edit_message_as_user(channel, message, "ho");
    fake.delete_message_as_user(channel, message);
    let more = fake.seed(channel, ann, 2, Utc::now(), chrono::TimeDelta::zero());
    let ids: Vec<String> = more.iter().map(u64::to_string).collect();
    world.post(&format!("/channels/{channel}/messages/bulk-delete"), json!({"messages": ids})).await;
    let dm = fake.dm(ann);
    fake.send(dm, ann, "psst");
}

async fn use_things(world: &World, ann: u64) {
    let (fake, channel, owner) = (&world.fake, world.channel, world.owner);
    let dm = fake.dm(ann);
    let message = fake.send(channel, ann, "target");
    fake.command(owner, channel, "hello", json!({"who": ann, "where": channel})).reply().await;
    fake.command(ann, dm, "hello", json!({"who": ann})).reply().await;
    fake.message_menu(owner, channel, "Inspect", message).reply().await;
    fake.user_menu(owner, channel, "Card", ann).reply().await;
    fake.autocomplete(owner, channel, "list exempt add", json!({"what": "a"}), "what").await;
    let panel = fake.command(owner, channel, "panel", json!({}));
    panel.reply().await;
    fake.press(owner, &panel, "bump").reply().await;
    let form = fake.command(owner, channel, "form", json!({}));
    form.modal().await;
    fake.submit_modal(owner, &form, json!({"name": "x"})).reply().await;
}
