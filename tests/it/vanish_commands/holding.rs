//! Pausing, sweeping now, turning off, exempting.

use chrono::TimeDelta;
use serde_json::json;

use super::{EVERYTHING, Stage, assert_says, labels};
use crate::on_both_stores;

on_both_stores! {
    /// A pause keeps messages; it ends by itself, or by hand, and what is overdue goes then.
    async fn a_pause_holds_and_ends(bot: Bot) {
        let stage = Stage::build(&bot).await;
        stage.set(json!({ "after": "1m" })).await;
        let options = json!({ "for": "1h", "reason": "elections" });
        let paused = stage.run(stage.mona, "pause", options).reply().await;
        assert_says(&paused, &["⏸️", "Paused until <t:", "elections"]);
        assert_eq!(labels(&paused), ["Resume", "Show rule"]);
        // A sweep that was under way when the clock jumps would see the message as old at once.
        bot.drain().await;
        let message = stage.discord.send(stage.lobby, stage.ada, "held");
        bot.live_through(TimeDelta::minutes(10), TimeDelta::minutes(2)).await;
        assert!(stage.lives(message));
        let shown = stage.run(stage.mona, "show", json!({})).reply().await;
        assert_says(&shown, &["⏸️ paused", "elections", "Why it does not act"]);
        assert_eq!(labels(&shown), ["Resume", "Edit"]);
        let refused = stage.run(stage.mona, "run", json!({})).reply().await;
        assert_says(&refused, &["paused: resume it first", "E-STATE"]);
        let resumed = stage.discord.press_label(stage.mona, &shown, "Resume").reply().await;
        assert_says(&resumed, &["messages vanish again"]);
        bot.live_through(TimeDelta::minutes(1), TimeDelta::seconds(15)).await;
        assert!(!stage.lives(message));
        let again = stage.run(stage.mona, "resume", json!({})).reply().await;
        assert_says(&again, &["not paused", "E-STATE"]);
        stage.run(stage.mona, "pause", json!({ "for": "10m" })).reply().await;
        bot.drain().await;
        let message = stage.discord.send(stage.lobby, stage.ada, "held again");
        bot.live_through(TimeDelta::minutes(9), TimeDelta::minutes(3)).await;
        assert!(stage.lives(message));
        bot.live_through(TimeDelta::minutes(3), TimeDelta::seconds(30)).await;
        assert!(!stage.lives(message), "the pause is over");
        bot.finish().await;
    }

    /// A reason is other people's text: it pings nobody, links nowhere and breaks no layout (D43).
    async fn a_hostile_reason_is_shown_inert(bot: Bot) {
        let stage = Stage::build(&bot).await;
        stage.set(json!({ "after": "1h" })).await;
        let (ada, guild) = (stage.ada, stage.guild);
        let reason = format!("@everyone <@{ada}> <@&{guild}> [x](http://evil.example) `c` ||s|| \u{202e}gnp");
        stage.run(stage.mona, "pause", json!({ "reason": reason })).reply().await;
        let shown = stage.run(stage.mona, "show", json!({})).reply().await;
        let text = shown.text();
        for forbidden in ["@everyone", &format!("<@{}>", stage.ada), "](http", "\u{202e}", " `c` ", " ||s|| "] {
            assert!(!text.contains(forbidden), "{forbidden:?} is alive in:\n{text}");
        }
        assert_says(&shown, &["@\u{200b}everyone"]);
        let long = "`".repeat(200);
        let paused = stage.run(stage.mona, "pause", json!({ "reason": long })).reply().await;
        assert_says(&paused, &["⏸️"]);
        bot.finish().await;
    }

    /// A dry run only counts; [Run now] sweeps, whatever the schedule's hour.
    async fn a_run_counts_first(bot: Bot) {
        let stage = Stage::build(&bot).await;
        stage.set(json!({ "after": "1h", "at": "03:00" })).await;
        let message = stage.discord.send(stage.lobby, stage.ada, "one");
        bot.live_through(TimeDelta::hours(2), TimeDelta::minutes(30)).await;
        assert!(stage.lives(message), "it is not three o'clock");
        let dry = stage.run(stage.mona, "run", json!({}));
        assert_says(&dry.reply().await, &["Dry run", "under 14 days: **1**"]);
        bot.drain().await;
        assert!(stage.lives(message));
        let ran = stage.discord.press_label(stage.mona, &dry, "Run now").reply().await;
        assert_says(&ran, &["Sweeping"]);
        bot.live_through(TimeDelta::seconds(30), TimeDelta::seconds(10)).await;
        assert!(!stage.lives(message));
        let empty = stage.run(stage.mona, "run", json!({ "dry_run": false })).reply().await;
        assert_says(&empty, &["none"]);
        assert_eq!(labels(&empty), ["Show rule"]);
        bot.finish().await;
    }

    /// `off` asks first; afterwards messages stay.
    async fn off_asks_and_ends_the_rule(bot: Bot) {
        let stage = Stage::build(&bot).await;
        let nothing = stage.run(stage.mona, "off", json!({})).reply().await;
        assert_says(&nothing, &["Channel not found", "E-GONE"]);
        stage.set(json!({ "after": "1m" })).await;
        let asked = stage.run(stage.mona, "off", json!({}));
        let shown = asked.reply().await;
        assert_says(&shown, &["Turn vanishing off here?", "**0** messages were deleted"]);
        assert_eq!(shown.buttons()[0].style, 4, "danger");
        assert_eq!(bot.get(&format!("/api/discord/vanish/{}", stage.lobby)).await.status, 200);
        let done = stage.discord.press_label(stage.mona, &asked, "Turn off").reply().await;
        assert_says(&done, &["Turned off", "</vanish set:"]);
        assert_eq!(bot.get(&format!("/api/discord/vanish/{}", stage.lobby)).await.status, 404);
        let message = stage.discord.send(stage.lobby, stage.ada, "stays");
        bot.live_through(TimeDelta::minutes(5), TimeDelta::minutes(1)).await;
        assert!(stage.lives(message));
        bot.finish().await;
    }

    /// Members, roles and kinds can be exempt; taking an exemption away is asked for first.
    async fn exemptions_spare_and_end(bot: Bot) {
        let stage = Stage::build(&bot).await;
        let heroes = stage.discord.add_role(stage.guild, "Heroes", 0);
        stage.discord.give_role(stage.guild, stage.bob, heroes);
        stage.set(json!({ "after": "1m" })).await;
        let none = stage.run(stage.mona, "exempt list", json!({})).reply().await;
        assert_says(&none, &["Nobody is exempt", "</vanish exempt add:"]);
        let here = json!({ "target": heroes.to_string(), "channel": stage.lobby.to_string() });
        let added = stage.run(stage.mona, "exempt add", here.clone()).reply().await;
        assert_says(&added, &[&format!("<@&{heroes}>"), "stay in"]);
        let again = stage.run(stage.mona, "exempt add", here.clone()).reply().await;
        assert_says(&again, &["exempt", "already"]);
        let server_wide = json!({ "target": stage.ada.to_string() });
        let refused = stage.run(stage.mona, "exempt add", server_wide).reply().await;
        assert_says(&refused, &["Manage Server", "E-PERM-USER"]);
        let bots = stage.run(stage.owner, "exempt add", json!({ "kind": 1 })).reply().await;
        assert_says(&bots, &["all webhooks", "whole server"]);
        let contradiction = json!({ "kind": 0, "target": stage.ada.to_string() });
        let everyone = json!({ "target": stage.guild.to_string() });
        for wrong in [json!({}), contradiction, everyone] {
            let answer = stage.run(stage.owner, "exempt add", wrong).reply().await;
            assert_says(&answer, &["E-INPUT"]);
        }
        let list = stage.run(stage.mona, "exempt list", json!({})).reply().await;
        assert_says(&list, &[&format!("<@&{heroes}> in <#{}>", stage.lobby), "all webhooks in the whole server"]);
        let by_hero = stage.discord.send(stage.lobby, stage.bob, "a");
        let plain = stage.discord.send(stage.lobby, stage.ada, "b");
        let hook = stage.discord.send_webhook(stage.lobby, "feed", "c");
        bot.live_through(TimeDelta::minutes(3), TimeDelta::seconds(30)).await;
        assert_eq!([by_hero, plain, hook].map(|id| stage.lives(id)), [true, false, true]);
        let asked = stage.run(stage.mona, "exempt remove", here);
        assert_says(&asked.reply().await, &["Take the exemption away?", "**1** channels"]);
        bot.drain().await;
        assert!(stage.lives(by_hero));
        let removed = stage.discord.press_label(stage.mona, &asked, "Remove exemption").reply().await;
        assert_says(&removed, &["vanish again"]);
        bot.live_through(TimeDelta::minutes(2), TimeDelta::seconds(30)).await;
        assert!(!stage.lives(by_hero));
        bot.finish().await;
    }

    /// The preview spares what the exemptions spare.
    async fn a_preview_knows_exemptions(bot: Bot) {
        let stage = Stage::build(&bot).await;
        let heroes = stage.discord.add_role(stage.guild, "Heroes", 0);
        stage.discord.give_role(stage.guild, stage.ada, heroes);
        let day_ago = stage.discord.now() - TimeDelta::days(1);
        stage.seed(4, day_ago);
        stage.discord.seed(stage.lobby, stage.bob, 2, day_ago, TimeDelta::minutes(1));
        let here = json!({ "target": heroes.to_string(), "channel": stage.lobby.to_string() });
        stage.run(stage.mona, "exempt add", here).reply().await;
        let options = json!({ "after": "1h", "backlog": EVERYTHING });
        let shown = stage.run(stage.mona, "set", options).reply().await;
        assert_says(&shown, &["under 14 days: **2**", "exempt): **4**"]);
        bot.finish().await;
    }
}
