//! What the engine does when Discord refuses, fails or slows down.

use std::time::{Duration, Instant};

use chrono::TimeDelta;
use fake_discord::{Failure, FakeDiscord};
use guildhall::domain::vanish::{Backlog, NewRule};

use super::{Scene, deleted, new_rule};
use crate::{
    harness::{Bot, Database, beginning},
    on_both_stores,
};

const BULK: &str = "/channels/{channel_id}/messages/bulk-delete";
const PAGE: &str = "/channels/{channel_id}/messages";
const SINGLE: &str = "/channels/{channel_id}/messages/{message_id}";

on_both_stores! {
    /// D36: errors in the middle are tried again, and the counter is what Discord has seen.
    async fn errors_in_the_middle_are_tried_again(bot: Bot) {
        let discord = bot.discord().clone();
        let scene = Scene::new(&bot);
        scene.rule(&bot, scene.channel, 60).await;
        for _ in 0..250 {
            discord.send(scene.channel, scene.ada, "hello");
        }
        discord.fail_later("POST", BULK, 1, Failure::discord(400, 0, "refused for no reason"), 1);
        discord.reset_next(PAGE);
        bot.drain().await;
        bot.live_through(TimeDelta::seconds(120), TimeDelta::seconds(10)).await;
        assert!(discord.messages(scene.channel).is_empty());
        assert_eq!(deleted(&bot, scene.channel).await, 250);
        bot.finish().await;
    }

    /// D38: a lost permission holds the rule after one refused call, tells the alerts slot once, and heals by itself.
    async fn a_lost_permission_suspends_and_heals(bot: Bot) {
        let discord = bot.discord().clone();
        let scene = Scene::new(&bot);
        let alerts = discord.add_channel(scene.guild, "alerts", fake_discord::ChannelKind::Text);
        let put = bot.api("PUT", &format!("/api/discord/channels/{}/alerts", scene.guild), Some(serde_json::json!({ "channelId": alerts.to_string() }))).await;
        assert_eq!(put.status, 200);
        scene.rule(&bot, scene.channel, 60).await;
        let message = discord.send(scene.channel, scene.ada, "hello");
        bot.drain().await;
        let role = discord.bot_role(scene.guild);
        discord.set_overwrite(scene.channel, role, 0, fake_discord::permission::MANAGE_MESSAGES);
        bot.live_through(TimeDelta::minutes(10), TimeDelta::seconds(30)).await;
        assert!(discord.invalid_count() <= 3, "{}", discord.invalid_count());
        assert!(discord.message(scene.channel, message).is_some());
        let told = discord.messages(alerts);
        assert_eq!(told.len(), 1, "the alerts slot is told once");
        assert!(told[0].text().contains("Manage Messages"), "{}", told[0].text());
        discord.set_overwrite(scene.channel, role, 0, 0);
        bot.eventually("the rule heals by itself", async |bot| {
            bot.advance(TimeDelta::seconds(5));
            bot.drain().await;
            discord.message(scene.channel, message).is_none()
        }).await;
        bot.finish().await;
    }

    /// In a server that the bot was removed from, rules rest without a call, and go on when it is back.
    async fn rules_rest_while_the_bot_is_not_in_the_server(bot: Bot) {
        let discord = bot.discord().clone();
        let scene = Scene::new(&bot);
        scene.rule(&bot, scene.channel, 60).await;
        let message = discord.send(scene.channel, scene.ada, "hello");
        bot.drain().await;
        discord.remove_guild(scene.guild);
        bot.eventually("the bot knows that it was removed", async |bot| {
            let id = entity::id::GuildId::new(scene.guild).expect("not zero");
            let guild = guildhall::domain::guild::general(bot.running().app().domain(), &guildhall::domain::Actor::System, id);
            !guild.await.expect("the store answers").present
        }).await;
        let body = serde_json::json!({ "channelId": "4242", "guildId": "4343", "duration": 60 });
        assert_eq!(bot.post("/api/discord/vanish", body).await.status, 200);
        let calls = discord.journal().len();
        bot.live_through(TimeDelta::minutes(30), TimeDelta::minutes(5)).await;
        assert_eq!(discord.journal().len(), calls, "nobody is asked about servers that the bot is not in");
        discord.add_bot(scene.guild);
        bot.eventually("the rule goes on", async |bot| {
            bot.advance(TimeDelta::seconds(5));
            bot.drain().await;
            discord.message(scene.channel, message).is_none()
        }).await;
        assert_eq!(discord.invalid_count(), 0);
        bot.finish().await;
    }

    /// Without Read Message History Discord shows an empty channel; that is no reason to believe it.
    async fn an_unreadable_history_suspends(bot: Bot) {
        let discord = bot.discord().clone();
        let scene = Scene::new(&bot);
        scene.rule(&bot, scene.channel, 60).await;
        let role = discord.bot_role(scene.guild);
        discord.set_overwrite(scene.channel, role, 0, fake_discord::permission::READ_MESSAGE_HISTORY);
        discord.send(scene.channel, scene.ada, "hello");
        bot.drain().await;
        bot.live_through(TimeDelta::seconds(120), TimeDelta::seconds(30)).await;
        let doctor = guildhall::domain::vanish::suspended(
            bot.running().app().domain(),
            entity::id::GuildId::new(scene.guild).expect("not zero"),
        ).await.expect("the store answers");
        assert_eq!(doctor.len(), 1);
        bot.finish().await;
    }

    /// D39: a refused token stops the bot within three more requests; HTTP stays up and says so.
    async fn a_refused_token_stops_the_bot_only(bot: Bot) {
        let discord = bot.discord().clone();
        let scene = Scene::new(&bot);
        scene.rule(&bot, scene.channel, 60).await;
        discord.send(scene.channel, scene.ada, "hello");
        bot.drain().await;
        discord.refuse_token();
        let before = discord.journal().len();
        bot.eventually("the bot is off", async |bot| {
            bot.advance(TimeDelta::seconds(30));
            bot.get("/ready").await.status == 503
        }).await;
        bot.live_through(TimeDelta::minutes(5), TimeDelta::minutes(1)).await;
        let after = discord.journal().len() - before;
        assert!(after <= 4, "one refused request and at most three more: {after}");
        assert_eq!(bot.get("/health").await.status, 200);
        assert!(bot.get("/ready").await.body.to_string().contains("token_refused"));
        let mut bot = bot;
        bot.stop().await;
    }

    /// A slow and failing Discord does not lose a message.
    async fn five_hundreds_are_waited_out(bot: Bot) {
        let discord = bot.discord().clone();
        let scene = Scene::new(&bot);
        scene.rule(&bot, scene.channel, 60).await;
        for _ in 0..2 {
            discord.send(scene.channel, scene.ada, "hello");
        }
        discord.fail_next("GET", PAGE, Failure::status(503), 6);
        discord.fail_next("GET", PAGE, Failure::truncated(), 1);
        bot.eventually("both are gone", async |bot| {
            bot.advance(TimeDelta::seconds(20));
            bot.drain().await;
            discord.messages(scene.channel).is_empty()
        }).await;
        assert_eq!(deleted(&bot, scene.channel).await, 2);
        bot.finish().await;
    }
}

/// A permission that is lost in a whole server costs a few refused calls, not one for each channel.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_permission_lost_in_a_whole_server_is_noticed_once() {
    let settings = [("GUILDHALL_VANISH__CHANNELS_AT_ONCE", "4")];
    let bot = Bot::start_with(Database::Sqlite, &settings).await.expect("SQLite is built in");
    let discord = bot.discord().clone();
    let scene = Scene::new(&bot);
    let channels: Vec<u64> =
        (0..60).map(|n| discord.add_channel(scene.guild, &format!("c{n}"), fake_discord::ChannelKind::Text)).collect();
    for channel in &channels {
        scene.rule(&bot, *channel, 60).await;
        discord.send(*channel, scene.ada, "hello");
    }
    bot.drain().await;
    let allowed = fake_discord::permission::BOT_DEFAULT;
    discord.set_bot_permissions(scene.guild, allowed & !fake_discord::permission::MANAGE_MESSAGES);
    bot.live_through(TimeDelta::minutes(3), TimeDelta::seconds(30)).await;
    let id = entity::id::GuildId::new(scene.guild).expect("not zero");
    let held = guildhall::domain::vanish::suspended(bot.running().app().domain(), id).await.expect("the store answers");
    assert_eq!(held.len(), channels.len(), "all are held");
    assert!(discord.invalid_count() <= 8, "{}", discord.invalid_count());
    discord.set_bot_permissions(scene.guild, allowed);
    bot.eventually("all go on", async |bot| {
        bot.advance(TimeDelta::seconds(10));
        bot.drain().await;
        channels.iter().all(|channel| discord.messages(*channel).is_empty())
    })
    .await;
    bot.finish().await;
}

/// D37 and F2: many deletions in one channel keep to the bucket that Discord's headers describe.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_purge_keeps_to_its_bucket() {
    let settings = [("GUILDHALL_VANISH__OLD_DELETES_PER_SECOND", "40")];
    let bot = Bot::start_with(Database::Sqlite, &settings).await.expect("SQLite is built in");
    let discord = bot.discord().clone();
    let scene = Scene::new(&bot);
    discord.set_bucket(&format!("DELETE {SINGLE}"), 5, Duration::from_millis(400));
    let from = beginning() - TimeDelta::days(30);
    discord.seed(scene.channel, scene.ada, 50, from, TimeDelta::seconds(1));
    let rule = NewRule { backlog: Backlog::Everything, ..new_rule(scene.guild, scene.channel, 60) };
    scene.rule_with(&bot, rule).await;
    bot.advance(TimeDelta::seconds(301));
    let start = Instant::now();
    bot.eventually("the backlog is gone", async |_| discord.messages(scene.channel).is_empty()).await;
    assert!(discord.rate_limited_count() <= 2, "{}", discord.rate_limited_count());
    // Ten buckets of 400 ms are the ideal; the rest is slack for a busy machine.
    assert!(start.elapsed() < Duration::from_secs(16), "{:?}", start.elapsed());
    bot.finish().await;
}

/// F2: sweeps over 300 channels at once stay under Discord's global limit.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_purge_over_three_hundred_channels_is_hardly_ever_refused() {
    let discord = FakeDiscord::start().await;
    discord.set_now(beginning());
    let guild = discord.add_guild("Northwind");
    let ada = discord.add_member(guild, "ada");
    let channels: Vec<u64> =
        (0..300).map(|n| discord.add_channel(guild, &format!("c{n}"), fake_discord::ChannelKind::Text)).collect();
    discord.set_global_limit(Some(50));
    let bot = Bot::start_against(discord.clone(), Database::Sqlite, &[]).await.expect("SQLite is built in");
    let domain = bot.running().app().domain().clone();
    let root = guildhall::domain::Actor::Root { source: guildhall::domain::Source::Cli };
    for channel in &channels {
        guildhall::domain::vanish::set_rule(&domain, &root, new_rule(guild, *channel, 3_600)).await.expect("in bounds");
    }
    for channel in &channels {
        discord.send(*channel, ada, "hello");
        discord.send(*channel, ada, "again");
    }
    bot.advance(TimeDelta::seconds(3_700));
    let deadline = Instant::now() + Duration::from_mins(1);
    while channels.iter().any(|channel| !discord.messages(*channel).is_empty()) {
        assert!(Instant::now() < deadline, "{}", discord.summary());
        crate::harness::pause(Duration::from_millis(100)).await;
    }
    assert!(discord.rate_limited_count() <= 5, "{}", discord.rate_limited_count());
    bot.finish().await;
}
