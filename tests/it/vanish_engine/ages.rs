//! Which endpoint deletes what: by number and by age.

use chrono::TimeDelta;
use guildhall::domain::vanish::{Backlog, NewRule};

use super::{Scene, deleted, new_rule};
use crate::{harness::beginning, on_both_stores};

const BULK: &str = "/channels/{channel_id}/messages/bulk-delete";
const SINGLE: &str = "/channels/{channel_id}/messages/{message_id}";

on_both_stores! {
    /// D35: one message goes by itself, two to a hundred together, a hundred and one in two calls.
    async fn one_two_and_a_hundred_and_one(bot: Bot) {
        let discord = bot.discord().clone();
        let scene = Scene::new(&bot);
        scene.rule(&bot, scene.channel, 60).await;
        for (count, bulk, single) in [(1, 0, 1), (2, 1, 0), (101, 1, 1), (150, 2, 0)] {
            discord.clear_journal();
            for _ in 0..count {
                discord.send(scene.channel, scene.ada, "hello");
            }
            bot.drain().await;
            bot.live_through(TimeDelta::seconds(80), TimeDelta::seconds(20)).await;
            assert!(discord.messages(scene.channel).is_empty(), "{count}");
            assert_eq!((discord.count("POST", BULK), discord.count("DELETE", SINGLE)), (bulk, single), "{count}");
        }
        bot.finish().await;
    }

    /// D35: what is older than 13 d 23 h goes one by one, what is younger together.
    async fn old_messages_go_one_by_one(bot: Bot) {
        let discord = bot.discord().clone();
        let scene = Scene::new(&bot);
        let hours = TimeDelta::hours(1);
        for age in [hours * 24 * 30, hours * 24 * 14, hours * (24 * 14 - 1)] {
            discord.send_at(scene.channel, scene.ada, "old", beginning() - age, false);
        }
        for age in [hours * (24 * 14 - 2), hours * 3] {
            discord.send_at(scene.channel, scene.ada, "young", beginning() - age, false);
        }
        bot.advance(TimeDelta::seconds(1));
        let rule = NewRule { backlog: Backlog::Everything, ..new_rule(scene.guild, scene.channel, 3_600) };
        scene.rule_with(&bot, rule).await;
        bot.live_through(TimeDelta::seconds(280), TimeDelta::seconds(70)).await;
        assert_eq!(discord.messages(scene.channel).len(), 5, "the backlog waits until the arm delay is over");
        bot.live_through(TimeDelta::seconds(60), TimeDelta::seconds(30)).await;
        assert!(discord.messages(scene.channel).is_empty());
        assert_eq!((discord.count("POST", BULK), discord.count("DELETE", SINGLE)), (1, 3));
        assert_eq!(deleted(&bot, scene.channel).await, 5);
        let lateness = bot.running().app().domain().lateness();
        assert!(lateness.is_none(), "messages from before the rule say nothing about its delay: {lateness:?}");
        bot.finish().await;
    }

    /// The last fourteen days only: older messages stay.
    async fn a_backlog_of_fourteen_days_leaves_older_messages(bot: Bot) {
        let discord = bot.discord().clone();
        let scene = Scene::new(&bot);
        let old = discord.send_at(scene.channel, scene.ada, "old", beginning() - TimeDelta::days(15), false);
        let young = discord.send_at(scene.channel, scene.ada, "young", beginning() - TimeDelta::days(2), false);
        let fresh = discord.send_at(scene.channel, scene.ada, "fresh", beginning() - TimeDelta::minutes(30), false);
        bot.advance(TimeDelta::seconds(1));
        let rule = NewRule { backlog: Backlog::LastFourteenDays, ..new_rule(scene.guild, scene.channel, 3_600) };
        scene.rule_with(&bot, rule).await;
        bot.live_through(TimeDelta::seconds(330), TimeDelta::seconds(110)).await;
        assert!(discord.message(scene.channel, old).is_some());
        assert!(discord.message(scene.channel, young).is_none());
        assert!(discord.message(scene.channel, fresh).is_some(), "half an hour old is not an hour old");
        bot.live_through(TimeDelta::minutes(30), TimeDelta::minutes(5)).await;
        assert!(discord.message(scene.channel, fresh).is_none(), "it goes when its own hour is over");
        bot.finish().await;
    }

    /// D35: what bulk deletion refuses is deleted one by one; what is gone already counts as done.
    async fn refused_together_means_one_by_one(bot: Bot) {
        let discord = bot.discord().clone();
        let scene = Scene::new(&bot);
        scene.rule(&bot, scene.channel, 60).await;
        for _ in 0..3 {
            discord.send(scene.channel, scene.ada, "hello");
        }
        let refusal = fake_discord::Failure::discord(400, 50_034, "You can only bulk delete messages that are under 14 days old.");
        discord.fail_next("POST", BULK, refusal, 1);
        let gone = fake_discord::Failure::discord(404, 10_008, "Unknown Message");
        discord.fail_next("DELETE", SINGLE, gone.applied(), 1);
        bot.drain().await;
        bot.live_through(TimeDelta::seconds(80), TimeDelta::seconds(20)).await;
        assert!(discord.messages(scene.channel).is_empty());
        assert_eq!(deleted(&bot, scene.channel).await, 3);
        discord.clear_violations();
        bot.finish().await;
    }

    /// `keep_last` keeps that many, whatever their age, and age still counts.
    async fn only_the_newest_stay(bot: Bot) {
        let discord = bot.discord().clone();
        let scene = Scene::new(&bot);
        let rule = NewRule { keep_last: Some(3), ..new_rule(scene.guild, scene.channel, 3_600) };
        scene.rule_with(&bot, rule).await;
        let ids: Vec<u64> = (0..6).map(|_| discord.send(scene.channel, scene.ada, "hello")).collect();
        bot.drain().await;
        bot.live_through(TimeDelta::seconds(60), TimeDelta::seconds(20)).await;
        let left: Vec<u64> = discord.messages(scene.channel).iter().map(|message| message.id).collect();
        assert_eq!(left.len(), 3);
        assert!(ids[3..].iter().all(|id| left.contains(id)));
        bot.live_through(TimeDelta::seconds(3_660), TimeDelta::seconds(610)).await;
        assert!(discord.messages(scene.channel).is_empty());
        bot.finish().await;
    }
}
