//! `/practice-admin channels`, `rules` and who may use them.

use serde_json::json;

use super::{Hall, assert_says};
use crate::on_both_stores;

on_both_stores! {
    /// What the preview says of the last 7 days is what the same practice counts once the rules are saved; nothing is
    /// saved before the button, and the button works once.
    async fn the_preview_says_what_saving_does(bot: Bot) {
        let hall = Hall::of(&bot).await;
        let [ada, ben, cas, dot] = ["ada", "ben", "cas", "dot"].map(|name| hall.discord.add_member(hall.guild, name));
        let shown = hall.run("practice-admin rules", json!({ "bridge_gap": "15m" })).await;
        assert_says(&shown.text(), &["Bridged gap: 2m → 15m", "Nobody practised here"]);
        assert_says(&hall.press(&shown, "Save").await, &["✅", "Bridged gap: 15m"]);
        hall.timed(&bot, ada, 4).await;
        hall.timed(&bot, ben, 14).await;
        assert_eq!(hall.counted().await, 18 * 60);

        let shown = hall.run("practice-admin rules", json!({ "min_session": "10m", "alone": true })).await;
        assert_says(&shown.text(), &[
            "Shortest session: off → 10m",
            "Alone: does not count → counts",
            "2 sessions: 0h 18m → 0h 14m (−4m), for 1 person different",
            "is not recorded",
        ]);
        assert_says(&hall.says("practice-admin rules", json!({})).await, &["Shortest session: off"]);
        assert_says(&hall.press(&shown, "Save").await, &["✅", "Shortest session: 10m"]);
        assert_eq!(hall.counted().await, 18 * 60, "what was counted stays");
        hall.timed(&bot, cas, 4).await;
        hall.timed(&bot, dot, 14).await;
        assert_eq!(hall.counted().await, (18 + 14) * 60, "the same practice under the new rules");

        let shown = hall.run("practice-admin rules", json!({ "daily_cap": "2h" })).await;
        assert_says(&hall.press(&shown, "Cancel").await, &["Nothing was changed"]);
        assert_says(&hall.says("practice-admin rules", json!({})).await, &["Most of a day: 16h", "Shortest session: 10m"]);
        for (options, words) in [
            (json!({ "min_session": "2h" }), ["The shortest session must be 0 to 60 minutes", "E-INPUT"]),
            (json!({ "bridge_gap": "long" }), ["is not a duration", "E-INPUT"]),
        ] {
            assert_says(&hall.says("practice-admin rules", options).await, &words);
        }
        bot.finish().await;
    }

    /// The mode and the list; all of it is in the history, and comes back.
    async fn channels_are_listed_and_rolled_back(bot: Bot) {
        let hall = Hall::of(&bot).await;
        let room = hall.discord.add_channel(hall.guild, "study", fake_discord::ChannelKind::Voice);
        assert_says(&hall.says("practice-admin channels mode", json!({ "mode": 1 })).await, &["allow", "list is empty"]);
        let channel = json!({ "channel": room.to_string() });
        assert_says(&hall.says("practice-admin channels add", channel.clone()).await, &["✅", &format!("<#{room}>")]);
        assert_says(&hall.says("practice-admin channels list", json!({})).await, &[&format!("<#{room}>")]);
        bot.drain().await;
        let shown = hall.run("settings history", json!({})).await;
        assert_says(&shown.text(), &["practice rules set", "channel mode: off → allow", &format!("→ <#{room}>")]);
        let menus = shown.message().selects();
        let menu = menus.iter().find(|menu| menu["custom_id"] == "v1|settings|revision").expect("the menu is there");
        let first = menu["options"].as_array().and_then(|all| all.last()).expect("a revision")["value"].clone();
        let first = first.as_str().expect("a text");
        let preview = hall.discord.select(hall.owner, &shown, "v1|settings|revision", &[first]);
        assert_says(&preview.reply().await.text(), &["1 change", &format!("<#{room}> →")]);
        assert_says(&hall.press(&preview, "Roll back").await, &["✅ 1 change made"]);
        let said = hall.says("practice-admin channels list", json!({})).await;
        assert_says(&said, &["allow", "list is empty"]);
        assert_says(&hall.says("practice-admin channels remove", channel).await, &["✅"]);
        bot.finish().await;
    }

    /// Discord may show the command to everybody: the domain still refuses.
    async fn members_without_the_right_are_refused(bot: Bot) {
        let hall = Hall::of(&bot).await;
        let mona = hall.discord.add_member(hall.guild, "mona");
        hall.discord.command_as_admin_override(true);
        for (path, options) in [
            ("channels mode", json!({ "mode": 3 })),
            ("rules", json!({ "muted": false })),
            ("queue", json!({})),
            ("adjust", json!({ "user": mona.to_string(), "delta": "+30m", "reason": "please" })),
            ("season start", json!({ "name": "Mine" })),
            ("season end", json!({})),
            ("post", json!({ "period": 0, "when": "09:00" })),
            ("post", json!({ "period": 0, "when": "off" })),
            ("export", json!({})),
        ] {
            let said = hall.run_as(mona, &format!("practice-admin {path}"), options).await.text();
            assert_says(&said, &["Manage Server", "E-PERM-USER"]);
        }
        assert_eq!(hall.counted().await, 0);
        bot.finish().await;
    }
}
