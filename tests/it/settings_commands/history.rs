//! `/settings history` and rolling back.

use serde_json::json;

use super::{Town, assert_says};
use crate::on_both_stores;

/// The value of the menu's entry whose description holds these words; the newest first.
fn revision(message: &fake_discord::FakeMessage, words: &str) -> String {
    let menus = message.selects();
    let menu = menus.iter().find(|menu| menu["custom_id"] == "v1|settings|revision").expect("the menu is there");
    let options = menu["options"].as_array().expect("a menu has options");
    let found = options.iter().find(|option| option["description"].as_str().is_some_and(|text| text.contains(words)));
    found.expect("such a revision")["value"].as_str().expect("a text").to_owned()
}

on_both_stores! {
    /// Every change shows who made it and through which face; rolling back is previewed, then done as a whole.
    async fn changes_are_listed_and_rolled_back(bot: Bot) {
        let town = Town::of(&bot).await;
        let said = town.says("settings history", json!({})).await;
        assert_says(&said, &["Nothing was changed here yet"]);
        town.set("alerts", town.staff).await;
        let body = json!({ "channelId": town.chat.to_string() });
        assert_eq!(bot.api("PUT", &town.address("alerts"), Some(body)).await.status, 200);
        town.says("settings general", json!({ "timezone": "Europe/Berlin" })).await;
        let shown = town.until(&bot, "settings history", json!({}), "general settings changed").await;
        let (owner, staff, chat) = (town.owner, town.staff, town.chat);
        assert_says(&shown.text(), &[
            &format!("slot `alerts` set · <@{owner}> in chat"),
            &format!("channel: – → <#{staff}>"),
            "the root key over the API",
            &format!("channel: <#{staff}> → <#{chat}>"),
            "time zone: UTC → Europe/Berlin",
        ]);

        // The first change is the last one listed.
        let position = shown.message().selects().iter().find(|menu| menu["custom_id"] == "v1|settings|revision")
            .and_then(|menu| menu["options"].as_array()?.last()?["value"].as_str().map(str::to_owned))
            .expect("a revision");
        let preview = town.choose(&shown, "v1|settings|revision", &position).await;
        assert_says(&preview.text(), &[
            "Roll back to revision",
            "2 changes, all or none",
            &format!("channel: <#{chat}> → <#{staff}>"),
            "time zone: Europe/Berlin → UTC",
        ]);
        assert_eq!(bot.get(&town.address("alerts")).await.body["channelId"], chat.to_string(), "nothing happened yet");
        let done = town.press(&preview, "Roll back").await;
        assert_says(&done.text(), &["✅ 2 changes made"]);
        assert_eq!(bot.get(&town.address("alerts")).await.body["channelId"], staff.to_string());
        assert_says(&town.says("settings general", json!({})).await, &["UTC"]);
        town.until(&bot, "settings slot show", json!({ "name": "alerts" }), "✅ ready").await;
        bot.finish().await;
    }

    /// What changed between preview and confirmation is never overwritten.
    async fn a_preview_that_is_out_of_date_does_nothing(bot: Bot) {
        let town = Town::of(&bot).await;
        town.set("alerts", town.staff).await;
        town.set("alerts", town.chat).await;
        let shown = town.until(&bot, "settings history", json!({}), &format!("<#{}> → <#{}>", town.staff, town.chat)).await;
        let first = shown.message().selects().iter().find(|menu| menu["custom_id"] == "v1|settings|revision")
            .and_then(|menu| menu["options"].as_array()?.last()?["value"].as_str().map(str::to_owned))
            .expect("a revision");
        let preview = town.choose(&shown, "v1|settings|revision", &first).await;
        assert_eq!(bot.api("DELETE", &town.address("alerts"), None).await.status, 200);
        let refused = town.press(&preview, "Roll back").await;
        assert_says(&refused.text(), &["was changed meanwhile", "E-STATE"]);
        assert_eq!(bot.get(&town.address("alerts")).await.status, 404);

        let shown = town.until(&bot, "settings history", json!({}), "cleared").await;
        let newest = revision(&shown.message(), "cleared");
        let same = town.choose(&shown, "v1|settings|revision", &newest).await;
        assert_says(&same.text(), &["no changes"]);
        let shown = town.run("settings history", json!({})).await;
        let preview = town.choose(&shown, "v1|settings|revision", &first).await;
        let cancelled = town.press(&preview, "Cancel").await;
        assert_says(&cancelled.text(), &["nothing was changed"]);

        let shown = town.run("settings history", json!({})).await;
        let preview = town.choose(&shown, "v1|settings|revision", &first).await;
        bot.advance(chrono::TimeDelta::minutes(16));
        let late = town.press(&preview, "Roll back").await;
        assert_says(&late.text(), &["This confirmation has ended", "E-GONE"]);
        assert_eq!(bot.get(&town.address("alerts")).await.status, 404);
        bot.finish().await;
    }

    /// A long history has pages.
    async fn a_long_history_has_pages(bot: Bot) {
        let town = Town::of(&bot).await;
        for number in 0..20 {
            let channel = if number % 2 == 0 { town.staff } else { town.chat };
            let body = json!({ "channelId": channel.to_string() });
            assert_eq!(bot.api("PUT", &town.address("ledger"), Some(body)).await.status, 200);
        }
        bot.drain().await;
        let shown = town.run("settings history", json!({})).await;
        let newest = shown.message().buttons().into_iter().find(|button| button.label == "Newest").expect("a button");
        assert!(newest.disabled);
        let first = shown.text();
        let older = town.press(&shown, "Older ▶").await.text();
        assert_says(&older, &["revisions", "slot `ledger`"]);
        assert_ne!(first, older);
        let back = town.press(&shown, "Newest").await.text();
        assert_says(&back, &["revisions"]);
        bot.finish().await;
    }
}
