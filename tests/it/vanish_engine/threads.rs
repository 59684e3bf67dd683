//! Threads, forums and voice channels under a rule.

use chrono::TimeDelta;
use fake_discord::ChannelKind;
use guildhall::domain::vanish::NewRule;

use super::{Scene, new_rule};
use crate::on_both_stores;

on_both_stores! {
    /// A rule reaches into threads where it says so: those that are there, and those that come.
    async fn threads_follow_their_channel(bot: Bot) {
        let discord = bot.discord().clone();
        let scene = Scene::new(&bot);
        let there = discord.add_thread(scene.channel, "there already");
        let rule = NewRule { threads: Some("include".to_owned()), ..new_rule(scene.guild, scene.channel, 60) };
        scene.rule_with(&bot, rule).await;
        let later = discord.add_thread(scene.channel, "made later");
        bot.drain().await;
        bot.advance(TimeDelta::seconds(1));
        let first = discord.send(there, scene.ada, "in the old thread");
        let second = discord.send(later, scene.ada, "in the new thread");
        bot.drain().await;
        bot.live_through(TimeDelta::seconds(100), TimeDelta::seconds(20)).await;
        assert!(discord.message(there, first).is_none());
        assert!(discord.message(later, second).is_none());
        bot.finish().await;
    }

    /// Threads are left alone where the rule says so.
    async fn threads_are_skipped_where_the_rule_says_so(bot: Bot) {
        let discord = bot.discord().clone();
        let scene = Scene::new(&bot);
        let rule = NewRule { threads: Some("skip".to_owned()), ..new_rule(scene.guild, scene.channel, 60) };
        scene.rule_with(&bot, rule).await;
        let thread = discord.add_thread(scene.channel, "a thread");
        let message = discord.send(thread, scene.ada, "stays");
        bot.drain().await;
        bot.live_through(TimeDelta::seconds(120), TimeDelta::seconds(30)).await;
        assert!(discord.message(thread, message).is_some());
        bot.finish().await;
    }

    /// The first message of a forum post stays, its answers vanish; an archived post is left alone until it wakes.
    async fn a_forum_post_keeps_its_opening(bot: Bot) {
        let discord = bot.discord().clone();
        let scene = Scene::new(&bot);
        let forum = discord.add_channel(scene.guild, "questions", ChannelKind::Forum);
        let rule = NewRule { threads: Some("include".to_owned()), ..new_rule(scene.guild, forum, 60) };
        scene.rule_with(&bot, rule).await;
        let post = discord.add_thread(forum, "a question");
        bot.drain().await;
        bot.advance(TimeDelta::seconds(1));
        let answer = discord.send(post, scene.ada, "an answer");
        bot.drain().await;
        bot.live_through(TimeDelta::seconds(100), TimeDelta::seconds(20)).await;
        assert!(discord.message(post, answer).is_none());
        assert!(discord.message(post, post).is_some(), "the opening stays");
        let second = discord.send(post, scene.ada, "another answer");
        discord.archive_thread(post, true);
        bot.drain().await;
        bot.live_through(TimeDelta::seconds(100), TimeDelta::seconds(20)).await;
        assert!(discord.message(post, second).is_some(), "an archived post is left alone");
        discord.archive_thread(post, false);
        bot.eventually("the woken post is swept", async |bot| {
            bot.advance(TimeDelta::seconds(2));
            bot.drain().await;
            discord.message(post, second).is_none()
        }).await;
        bot.finish().await;
    }

    /// The chat of a voice channel is a channel like any other.
    async fn voice_chat_vanishes(bot: Bot) {
        let discord = bot.discord().clone();
        let scene = Scene::new(&bot);
        let voice = discord.add_channel(scene.guild, "talk", ChannelKind::Voice);
        scene.rule(&bot, voice, 60).await;
        let message = discord.send(voice, scene.ada, "hello");
        bot.drain().await;
        bot.live_through(TimeDelta::seconds(80), TimeDelta::seconds(20)).await;
        assert!(discord.message(voice, message).is_none());
        bot.finish().await;
    }

    /// A deleted channel takes its rule along.
    async fn a_deleted_channel_takes_its_rule_along(bot: Bot) {
        let discord = bot.discord().clone();
        let scene = Scene::new(&bot);
        scene.rule(&bot, scene.channel, 60).await;
        discord.delete_channel(scene.channel);
        bot.eventually("the rule is gone", async |bot| {
            bot.get(&format!("/api/discord/vanish/{}", scene.channel)).await.status == 404
        }).await;
        bot.finish().await;
    }
}
