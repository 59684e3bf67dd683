//! Showing and listing rules.

use fake_discord::ChannelKind;
use serde_json::json;

use super::{Stage, assert_says, labels};
use crate::on_both_stores;

on_both_stores! {
    /// Ten rules to a page; the page is in the button, so that it works after a restart.
    async fn twenty_five_rules_fill_three_pages(bot: Bot) {
        let mut bot = bot;
        let stage = Stage::build(&bot).await;
        let empty = stage.run(stage.mona, "list", json!({})).reply().await;
        assert_says(&empty, &["No channel vanishes yet", "</vanish set:"]);
        let mut channels = Vec::new();
        for number in 0..25 {
            let channel = stage.discord.add_channel(stage.guild, &format!("room-{number}"), ChannelKind::Text);
            let (id, guild) = (channel.to_string(), stage.guild.to_string());
            let body = json!({ "channelId": id, "guildId": guild, "duration": 3_600 + number });
            assert_eq!(bot.post("/api/discord/vanish", body).await.status, 200);
            channels.push(channel);
        }
        bot.drain().await;
        let list = stage.run(stage.mona, "list", json!({}));
        let first = list.reply().await;
        assert_says(&first, &["page 1/3 · 25 channels", &format!("🟢 active · <#{}> · 1h · deleted 0", channels[0])]);
        assert_eq!(first.text().matches("<#").count(), 10);
        assert_eq!(labels(&first), ["▶"]);
        let second = stage.discord.press_label(stage.mona, &list, "▶").reply().await;
        assert_says(&second, &["page 2/3"]);
        assert_eq!(labels(&second), ["◀", "▶"]);
        bot.restart().await;
        let third = stage.discord.press_label(stage.mona, &second, "▶").reply().await;
        assert_says(&third, &["page 3/3", &format!("<#{}>", channels[24])]);
        assert_eq!(third.text().matches("<#").count(), 5);
        assert_eq!(labels(&third), ["◀"]);
        let back = stage.discord.press_label(stage.mona, &third, "◀").reply().await;
        assert_says(&back, &["page 2/3"]);
        bot.finish().await;
    }

    /// `show` tells the rule's own values, the server's and both together, and how it is doing.
    async fn show_tells_everything_and_edits(bot: Bot) {
        let stage = Stage::build(&bot).await;
        let none = stage.run(stage.mona, "show", json!({})).reply().await;
        assert_says(&none, &["do not vanish", "</vanish set:"]);
        stage.set(json!({ "after": "10m", "keep_last": 3 })).await;
        for _ in 0..5 {
            stage.discord.send(stage.lobby, stage.ada, "hello");
        }
        bot.live_through(chrono::TimeDelta::minutes(1), chrono::TimeDelta::seconds(10)).await;
        let show = stage.run(stage.mona, "show", json!({}));
        let shown = show.reply().await;
        assert_says(&shown, &[
            "🟢 active", "after: 10m", "keep\\_last: 3", "Server default", "Effective", "Exempt", "nobody",
            "deleted so far: **2**", "last deletion: <t:", "oldest that waits: [this message](", "next look: <t:", "at most 31s past its time",
        ]);
        assert_eq!(labels(&shown), ["Pause", "Run now", "Edit"]);
        let form = stage.discord.press_label(stage.mona, &show, "Edit");
        form.modal().await;
        let preview = stage.discord.submit_modal(stage.mona, &form, json!({ "after": "20m" }));
        assert_says(&preview.reply().await, &["nothing has changed yet", "**20m**", "newest **3**"]);
        stage.discord.press_label(stage.mona, &preview, "Apply").reply().await;
        let rule = bot.get(&format!("/api/discord/vanish/{}", stage.lobby)).await;
        assert_eq!(rule.body["vanishAfter"], 1_200);
        bot.finish().await;
    }
}
