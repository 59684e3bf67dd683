//! Menus on a message.

use chrono::TimeDelta;
use fake_discord::{BOT_USER_ID, ChannelKind, permission};
use serde_json::json;

use super::{Stage, assert_says};
use crate::on_both_stores;

on_both_stores! {
    /// A kept message outlives the rule until it is released.
    async fn a_message_can_be_kept_and_released(bot: Bot) {
        let stage = Stage::build(&bot).await;
        stage.set(json!({ "after": "1m" })).await;
        let message = stage.discord.send(stage.lobby, stage.ada, "keep me");
        let refused = stage.discord.message_menu(stage.ada, stage.lobby, "Keep message", message).reply().await;
        assert_says(&refused, &["Manage Messages", "E-PERM-USER"]);
        let kept = stage.discord.message_menu(stage.mona, stage.lobby, "Keep message", message).reply().await;
        let link = format!("/{}/{}/{message}", stage.guild, stage.lobby);
        assert_says(&kept, &["📌", &format!("<@{}>", stage.ada), &link]);
        bot.live_through(TimeDelta::minutes(3), TimeDelta::seconds(30)).await;
        assert!(stage.lives(message));
        let released = stage.discord.message_menu(stage.mona, stage.lobby, "Keep message", message).reply().await;
        assert_says(&released, &["Released"]);
        bot.live_through(TimeDelta::minutes(1), TimeDelta::seconds(15)).await;
        assert!(!stage.lives(message));
        bot.finish().await;
    }

    /// The author lets a message vanish without any rule; others may not.
    async fn an_author_times_a_message(bot: Bot) {
        let stage = Stage::build(&bot).await;
        let message = stage.discord.send(stage.lobby, stage.ada, "for ten minutes");
        let refused = stage.discord.message_menu(stage.bob, stage.lobby, "Vanish in…", message).reply().await;
        assert_says(&refused, &["Only the author", "E-PERM-USER"]);
        let asked = stage.discord.message_menu(stage.ada, stage.lobby, "Vanish in…", message);
        let shown = asked.reply().await;
        assert_says(&shown, &["in 10m", "in 1h", "in 1d", "in 1w"]);
        let menu = shown.selects()[0]["custom_id"].as_str().unwrap_or_default().to_owned();
        let timed = stage.discord.select(stage.ada, &asked, &menu, &["600"]).reply().await;
        assert_says(&timed, &["⏳", "<t:"]);
        bot.live_through(TimeDelta::minutes(9), TimeDelta::minutes(3)).await;
        assert!(stage.lives(message));
        bot.live_through(TimeDelta::minutes(2), TimeDelta::seconds(30)).await;
        assert!(!stage.lives(message));
        bot.finish().await;
    }

    /// A time that somebody gave a message can be taken away again.
    async fn a_timed_message_can_be_untimed(bot: Bot) {
        let stage = Stage::build(&bot).await;
        let message = stage.discord.send(stage.lobby, stage.ada, "for ten minutes, or not");
        let asked = stage.discord.message_menu(stage.ada, stage.lobby, "Vanish in…", message);
        let shown = asked.reply().await;
        assert!(!shown.text().contains("no time of its own"), "{}", shown.text());
        let menu = shown.selects()[0]["custom_id"].as_str().unwrap_or_default().to_owned();
        stage.discord.select(stage.ada, &asked, &menu, &["600"]).reply().await;
        let asked = stage.discord.message_menu(stage.ada, stage.lobby, "Vanish in…", message);
        let shown = asked.reply().await;
        assert_says(&shown, &["so far", "at no time of its own"]);
        let menu = shown.selects()[0]["custom_id"].as_str().unwrap_or_default().to_owned();
        let untimed = stage.discord.select(stage.ada, &asked, &menu, &["never"]).reply().await;
        assert_says(&untimed, &["has no time of its own any more"]);
        bot.live_through(TimeDelta::minutes(15), TimeDelta::minutes(1)).await;
        assert!(stage.lives(message));
        bot.finish().await;
    }

    /// In a thread the message's channel is the thread; a moderator may time anybody's.
    async fn a_moderator_times_a_message_in_a_thread(bot: Bot) {
        let stage = Stage::build(&bot).await;
        let thread = stage.discord.add_thread(stage.lobby, "side talk");
        let message = stage.discord.send(thread, stage.ada, "hello");
        let asked = stage.discord.message_menu(stage.mona, thread, "Vanish in…", message);
        let shown = asked.reply().await;
        let menu = shown.selects()[0]["custom_id"].as_str().unwrap_or_default().to_owned();
        stage.discord.delete_message_as_user(thread, message);
        let gone = stage.discord.select(stage.mona, &asked, &menu, &["600"]).reply().await;
        assert_says(&gone, &["no longer exists", "E-GONE"]);
        let message = stage.discord.send(thread, stage.ada, "again");
        let asked = stage.discord.message_menu(stage.mona, thread, "Vanish in…", message);
        let shown = asked.reply().await;
        let menu = shown.selects()[0]["custom_id"].as_str().unwrap_or_default().to_owned();
        bot.drain().await;
        stage.discord.select(stage.mona, &asked, &menu, &["3600"]).reply().await;
        bot.live_through(TimeDelta::minutes(61), TimeDelta::minutes(10)).await;
        assert!(stage.discord.message(thread, message).is_none());
        bot.finish().await;
    }

    /// What the bot could not delete is not promised.
    async fn nothing_is_promised_without_the_bots_right(bot: Bot) {
        let stage = Stage::build(&bot).await;
        let message = stage.discord.send(stage.lobby, stage.ada, "hello");
        stage.discord.set_overwrite(stage.lobby, BOT_USER_ID, 0, permission::MANAGE_MESSAGES);
        let refused = stage.discord.message_menu(stage.ada, stage.lobby, "Vanish in…", message).reply().await;
        assert_says(&refused, &["**Manage Messages**", "E-PERM-BOT"]);
        let voice = stage.discord.add_channel(stage.guild, "talk", ChannelKind::Voice);
        let message = stage.discord.send(voice, stage.ada, "hello");
        stage.discord.set_overwrite(voice, BOT_USER_ID, 0, permission::CONNECT);
        let refused = stage.discord.message_menu(stage.ada, voice, "Vanish in…", message).reply().await;
        assert_says(&refused, &["**Connect**", "E-PERM-BOT"]);
        bot.finish().await;
    }
}
