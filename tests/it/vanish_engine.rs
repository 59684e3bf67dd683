//! What the vanish engine promises: never early, never a pin, nothing lost, few calls.

mod ages;
mod connection;
mod faults;
mod threads;

use chrono::TimeDelta;
use entity::id::{ChannelId, GuildId};
use guildhall::domain::{
    Actor, Source,
    vanish::{self, Backlog, NewRule},
};
use serde_json::json;

use crate::{harness::Bot, on_both_stores};

/// A guild with its channels and somebody who writes.
struct Scene {
    guild: u64,
    channel: u64,
    ada: u64,
}

impl Scene {
    fn new(bot: &Bot) -> Self {
        let discord = bot.discord();
        let guild = discord.add_guild("Northwind");
        let channel = discord.add_channel(guild, "lobby", fake_discord::ChannelKind::Text);
        Self { guild, channel, ada: discord.add_member(guild, "ada") }
    }

    /// A rule as a moderator sets it.
    async fn rule(&self, bot: &Bot, channel: u64, seconds: i64) {
        self.rule_with(bot, new_rule(self.guild, channel, seconds)).await;
    }

    async fn rule_with(&self, bot: &Bot, rule: NewRule) {
        let root = Actor::Root { source: Source::Cli };
        vanish::set_rule(bot.running().app().domain(), &root, rule).await.expect("the rule is in bounds");
        bot.drain().await;
    }
}

fn new_rule(guild: u64, channel: u64, seconds: i64) -> NewRule {
    NewRule {
        channel_id: ChannelId::new(channel).expect("not zero"),
        guild_id: GuildId::new(guild).expect("not zero"),
        after_seconds: Some(seconds),
        keep_last: None,
        schedule: None,
        at_minute: None,
        pins: None,
        threads: None,
        backlog: Backlog::NewOnly,
    }
}

/// The state of a channel's rule as the control plane shows it.
async fn deleted(bot: &Bot, channel: u64) -> i64 {
    bot.get(&format!("/api/discord/vanish/{channel}")).await.body["messagesDeleted"].as_i64().unwrap_or(-1)
}

on_both_stores! {
    /// A rule set over HTTP acts only on messages that come after Discord has confirmed the channel.
    async fn a_rule_made_over_http_is_confirmed_and_deletes_on_time(bot: Bot) {
        let discord = bot.discord().clone();
        let guild = discord.add_guild("Northwind");
        let channel = discord.add_channel(guild, "lobby", fake_discord::ChannelKind::Text);
        let ada = discord.add_member(guild, "ada");
        let before = discord.send(channel, ada, "from before the rule");
        bot.advance(TimeDelta::seconds(5));
        let answer = bot
            .post("/api/discord/vanish", json!({ "channelId": channel.to_string(), "guildId": guild.to_string(), "duration": 60 }))
            .await;
        assert_eq!((answer.status, &answer.body), (200, &json!({ "success": true })));
        bot.drain().await;
        bot.advance(TimeDelta::seconds(1));
        let message = discord.send(channel, ada, "goes after a minute");
        bot.drain().await;
        bot.live_through(TimeDelta::seconds(55), TimeDelta::seconds(5)).await;
        assert!(discord.message(channel, message).is_some(), "nothing goes early");
        bot.live_through(TimeDelta::seconds(20), TimeDelta::seconds(5)).await;
        assert!(discord.message(channel, message).is_none(), "due at 60 s, gone within 30 s more");
        assert!(discord.message(channel, before).is_some(), "messages from before the rule are none of its business");
        let rule = bot.get(&format!("/api/discord/vanish/{channel}")).await;
        assert_eq!(rule.body["messagesDeleted"], 1);
        bot.finish().await;
    }

    /// D34: each deletion falls into [T, T + 30 s]; pins and exempt authors stay.
    async fn five_hundred_messages_vanish_in_time_and_pins_stay(bot: Bot) {
        let discord = bot.discord().clone();
        let scene = Scene::new(&bot);
        let bert = discord.add_member(scene.guild, "bert");
        let mut channels = vec![scene.channel];
        channels.extend((0..2).map(|n| {
            discord.add_channel(scene.guild, &format!("more-{n}"), fake_discord::ChannelKind::Text)
        }));
        for channel in &channels {
            scene.rule(&bot, *channel, 60).await;
        }
        let root = Actor::Root { source: Source::Cli };
        let exemption = vanish::ExemptionChange {
            guild_id: GuildId::new(scene.guild).expect("not zero"),
            channel_id: None,
            target: vanish::ExemptionTarget::User(entity::id::DiscordUserId::new(bert).expect("not zero")),
            add: true,
        };
        vanish::change_exemption(bot.running().app().domain(), &root, exemption).await.expect("in bounds");
        let mut stay = Vec::new();
        for nth in 0..500_usize {
            let channel = channels[nth % 3];
            let author = if nth % 50 == 7 { bert } else { scene.ada };
            let message = discord.send(channel, author, "hello");
            if nth % 50 == 3 {
                discord.pin(channel, message);
            }
            if nth % 50 == 3 || nth % 50 == 7 {
                stay.push((channel, message));
            }
            if nth % 25 == 24 {
                bot.advance(TimeDelta::seconds(1));
            }
        }
        bot.live_through(TimeDelta::seconds(180), TimeDelta::seconds(5)).await;
        let left: usize = channels.iter().map(|channel| discord.messages(*channel).len()).sum();
        assert_eq!(left, stay.len(), "everything else is gone");
        for (channel, message) in stay {
            assert!(discord.message(channel, message).is_some(), "pinned and exempt messages stay");
        }
        let lateness = bot.running().app().domain().lateness().expect("deletions were measured");
        assert_eq!(lateness.samples, 480);
        assert!(lateness.p99 <= TimeDelta::seconds(30), "{lateness:?}");
        assert!(lateness.p50 >= TimeDelta::zero(), "never early: {lateness:?}");
        bot.finish().await;
    }

    /// A rule survives a restart: what came meanwhile vanishes, on time or at once, and nothing goes early.
    async fn a_restart_loses_nothing_and_deletes_nothing_early(bot: Bot) {
        let mut bot = bot;
        let discord = bot.discord().clone();
        let scene = Scene::new(&bot);
        scene.rule(&bot, scene.channel, 600).await;
        let first = discord.send(scene.channel, scene.ada, "before the stop");
        bot.drain().await;
        bot.stop().await;
        bot.advance(TimeDelta::seconds(300));
        let second = discord.send(scene.channel, scene.ada, "while the bot was down");
        bot.advance(TimeDelta::seconds(200));
        bot.start_again().await;
        bot.live_through(TimeDelta::seconds(90), TimeDelta::seconds(10)).await;
        assert!(discord.message(scene.channel, second).is_some(), "not due yet");
        bot.live_through(TimeDelta::seconds(60), TimeDelta::seconds(10)).await;
        assert!(discord.message(scene.channel, first).is_none());
        assert!(discord.message(scene.channel, second).is_some());
        bot.live_through(TimeDelta::seconds(300), TimeDelta::seconds(20)).await;
        assert!(discord.message(scene.channel, second).is_none());
        assert_eq!(deleted(&bot, scene.channel).await, 2);
        bot.finish().await;
    }

    /// A message whose pin ends is found again.
    async fn an_unpinned_message_vanishes_after_all(bot: Bot) {
        let discord = bot.discord().clone();
        let scene = Scene::new(&bot);
        scene.rule(&bot, scene.channel, 60).await;
        let message = discord.send(scene.channel, scene.ada, "pinned for a while");
        discord.pin(scene.channel, message);
        bot.drain().await;
        bot.live_through(TimeDelta::seconds(120), TimeDelta::seconds(20)).await;
        assert!(discord.message(scene.channel, message).is_some());
        discord.unpin(scene.channel, message);
        bot.eventually("the unpinned message vanishes", async |bot| {
            bot.advance(TimeDelta::seconds(2));
            bot.drain().await;
            discord.message(scene.channel, message).is_none()
        }).await;
        bot.finish().await;
    }

    /// Clock steps: a bot whose clock runs ahead deletes nothing early; one that lags is not late.
    async fn a_wrong_clock_of_ours_changes_nothing(bot: Bot) {
        let discord = bot.discord().clone();
        let scene = Scene::new(&bot);
        scene.rule(&bot, scene.channel, 600).await;
        let message = discord.send(scene.channel, scene.ada, "hello");
        bot.drain().await;
        bot.clock().advance(TimeDelta::hours(1));
        bot.drain().await;
        let looked = discord.count("GET", "/channels/{channel_id}/messages");
        bot.live_through(TimeDelta::seconds(580), TimeDelta::seconds(20)).await;
        assert!(discord.message(scene.channel, message).is_some(), "an hour ahead deletes nothing early");
        let looks = discord.count("GET", "/channels/{channel_id}/messages") - looked;
        assert!(looks <= 3, "a wrong clock does not make the engine look all the time: {looks}");
        bot.live_through(TimeDelta::seconds(60), TimeDelta::seconds(5)).await;
        assert!(discord.message(scene.channel, message).is_none(), "and it is deleted on time");
        bot.finish().await;
    }

    /// D42: events that are delivered twice have one effect.
    async fn doubled_events_have_one_effect(bot: Bot) {
        let discord = bot.discord().clone();
        let scene = Scene::new(&bot);
        scene.rule(&bot, scene.channel, 60).await;
        discord.set_duplicate_events(true);
        for _ in 0..5 {
            discord.send(scene.channel, scene.ada, "twice told");
        }
        bot.drain().await;
        bot.live_through(TimeDelta::seconds(80), TimeDelta::seconds(10)).await;
        assert!(discord.messages(scene.channel).is_empty());
        assert_eq!(deleted(&bot, scene.channel).await, 5);
        assert_eq!(discord.count("POST", "/channels/{channel_id}/messages/bulk-delete"), 1);
        bot.finish().await;
    }
}
