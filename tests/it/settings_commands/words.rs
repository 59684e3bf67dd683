//! `/help` and `/status`.

use chrono::TimeDelta;
use serde_json::json;

use super::{Town, assert_says};
use crate::on_both_stores;

on_both_stores! {
    /// People see what they may run, with mentions that can be clicked.
    async fn help_shows_what_the_reader_may_run(bot: Bot) {
        let town = Town::of(&bot).await;
        let ada = town.discord.add_member(town.guild, "ada");
        let said = town.run_as(ada, "help", json!({})).await.text();
        assert_says(&said, &["Privacy", "</status:"]);
        assert!(!said.contains("/settings"), "{said}");
        let refused = town.run_as(ada, "help", json!({ "topic": "settings slot set" })).await.text();
        assert_says(&refused, &["no help about", "E-INPUT"]);

        let shown = town.run("help", json!({})).await;
        assert_says(&shown.text(), &["Is anything broken?", "/settings"]);
        let said = town.says("help", json!({ "topic": "/settings slot" })).await;
        assert_says(&said, &["</settings slot set:", "</settings slot test:", "name:alerts channel:#staff"]);
        let privacy = town.choose(&shown, "v1|help|topic", "privacy").await;
        assert_says(&privacy.text(), &["I never read or store what you write"]);
        let guide = town.choose(&shown, "v1|help|topic", "settings").await;
        assert_says(&guide.text(), &["</settings doctor:"]);
        let said = town.says("help", json!({ "topic": "@everyone **x**" })).await;
        assert_says(&said, &["@\u{200b}everyone \\*\\*x\\*\\*", "E-INPUT"]);
        bot.finish().await;
    }

    /// Topics are offered by name and by what they do.
    async fn topics_are_offered_while_typing(bot: Bot) {
        let town = Town::of(&bot).await;
        let ada = town.discord.add_member(town.guild, "ada");
        let offered = async |user: u64, typed: &str| {
            let options = json!({ "topic": typed });
            let choices = town.discord.autocomplete(user, town.chat, "help", options, "topic").await;
            choices.into_iter().map(|choice| choice.value.as_str().unwrap_or_default().to_owned()).collect::<Vec<_>>()
        };
        assert!(offered(town.owner, "").await.len() <= 25);
        assert_eq!(offered(town.owner, "/settings slot te").await, ["settings slot test"]);
        assert_eq!(offered(ada, "settings slot").await, Vec::<String>::new());
        assert_eq!(offered(ada, "priv").await, ["privacy"]);
        bot.finish().await;
    }

    /// In a direct message there is help, and status, and nothing about servers.
    async fn help_and_status_work_in_direct_messages(bot: Bot) {
        let town = Town::of(&bot).await;
        let ada = town.discord.add_member(town.guild, "ada");
        let channel = town.discord.dm(ada);
        let help = town.discord.command(ada, channel, "help", json!({})).reply().await.text();
        assert_says(&help, &["Privacy", "</help:"]);
        assert!(!help.contains("/settings"), "{help}");
        let status = town.discord.command(ada, channel, "status", json!({})).reply().await.text();
        assert_says(&status, &["Version", "in servers only"]);
        bot.finish().await;
    }

    /// Everybody can see how the bot is doing.
    async fn status_says_how_the_bot_is_doing(bot: Bot) {
        let town = Town::of(&bot).await;
        let ada = town.discord.add_member(town.guild, "ada");
        let said = town.run_as(ada, "status", json!({})).await.text();
        assert_says(&said, &[
            env!("CARGO_PKG_VERSION"),
            "✅ connected",
            "✅ answers in",
            "none refused",
            "0 channels",
            "nothing was deleted since I started",
        ]);
        let rule = json!({ "channelId": town.staff.to_string(), "guildId": town.guild.to_string(), "duration": 10 });
        assert_eq!(bot.post("/api/discord/vanish", rule).await.status, 200);
        bot.drain().await;
        bot.advance(TimeDelta::seconds(1));
        town.discord.send(town.staff, ada, "goes");
        bot.drain().await;
        bot.live_through(TimeDelta::seconds(40), TimeDelta::seconds(5)).await;
        let said = town.run_as(ada, "status", json!({})).await.text();
        assert_says(&said, &["1 channel", "half within", "(last 1)"]);
        bot.finish().await;
    }
}
