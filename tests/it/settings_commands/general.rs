//! `/settings general` and `/settings panel`.

use serde_json::json;

use super::{Town, assert_says};
use crate::on_both_stores;

on_both_stores! {
    /// Without options it shows, with options it sets; a slip of the finger is answered with the right name.
    async fn general_settings_are_shown_and_set(bot: Bot) {
        let town = Town::of(&bot).await;
        let said = town.says("settings general", json!({})).await;
        assert_says(&said, &["General", "UTC", "Monday", "en", "off", "Edit…"]);
        let options = json!({ "timezone": "europe/berlin", "week_start": 1, "digest": 2 });
        let said = town.says("settings general", options).await;
        assert_says(&said, &["✅ Saved", "Europe/Berlin", "13:00", "Sunday", "weekly, next <t:", "leads nowhere yet"]);
        town.set("alerts", town.staff).await;
        let said = town.says("settings general", json!({})).await;
        assert!(!said.contains("leads nowhere"), "{said}");

        let said = town.says("settings general", json!({ "timezone": "Europe/Berlni" })).await;
        assert_says(&said, &["There is no time zone `Europe/Berlni`", "did you mean Europe/Berlin", "E-INPUT"]);
        let said = town.says("settings general", json!({ "timezone": "`@everyone` <@1>" })).await;
        assert_says(&said, &["There is no time zone `everyone 1`"]);
        let said = town.says("settings general", json!({ "language": "tlh" })).await;
        assert_says(&said, &["`tlh` is no language of Discord"]);
        let said = town.says("settings general", json!({})).await;
        assert_says(&said, &["Europe/Berlin", "Sunday"]);
        bot.finish().await;
    }

    /// The form holds the present settings and reads what people write.
    async fn the_form_changes_general_settings(bot: Bot) {
        let town = Town::of(&bot).await;
        let shown = town.run("settings general", json!({})).await;
        let opened = town.discord.press_label(town.owner, &shown, "Edit…");
        let form = opened.modal().await.to_string();
        assert_says(&form, &["UTC", "Monday", "\"off\""]);
        let values = json!({ "timezone": "America/New_York", "week_start": "sunday", "digest": "Daily" });
        let sent = town.discord.submit_modal(town.owner, &opened, values);
        assert_says(&sent.reply().await.text(), &["✅ Saved", "America/New_York", "Sunday", "daily"]);

        let opened = town.discord.press_label(town.owner, &shown, "Edit…");
        opened.modal().await;
        let sent = town.discord.submit_modal(town.owner, &opened, json!({ "digest": "**hourly**" }));
        let refused = sent.reply().await;
        assert_says(&refused.text(), &["\\*\\*hourly\\*\\*", "weekly", "E-INPUT"]);
        assert!(refused.is_ephemeral());
        bot.finish().await;
    }

    /// Zones are offered by city too.
    async fn zones_are_offered_while_typing(bot: Bot) {
        let town = Town::of(&bot).await;
        let offered = async |typed: &str| {
            let options = json!({ "timezone": typed });
            let choices =
                town.discord.autocomplete(town.owner, town.chat, "settings general", options, "timezone").await;
            choices.into_iter().map(|choice| choice.name).collect::<Vec<_>>()
        };
        assert_eq!(offered("").await.len(), 25);
        assert_eq!(offered("berl").await, ["Europe/Berlin"]);
        assert_eq!(offered("Minas Tirith").await, Vec::<String>::new());
        let options = json!({ "language": "pt" });
        let tags = town.discord.autocomplete(town.owner, town.chat, "settings general", options, "language").await;
        assert_eq!(tags.len(), 1);
        bot.finish().await;
    }

    /// Every section of the panel opens, and the slots section leads to a slot's own card.
    async fn the_panel_opens_every_section(bot: Bot) {
        let town = Town::of(&bot).await;
        town.set("alerts", town.staff).await;
        let panel = town.run("settings panel", json!({})).await;
        assert_says(&panel.text(), &["Settings of this server", "1 ready of 6", "Nothing is known to be broken"]);
        for (section, words) in [
            ("slots", "Choose a slot to change"),
            ("vanish", "No channel of this server vanishes yet"),
            ("general", "Week starts on"),
            ("history", "Roll back"),
            ("doctor", "All is well"),
            ("overview", "Settings of this server"),
        ] {
            let shown = town.choose(&panel, "v1|settings|panel", section).await;
            assert_says(&shown.text(), &[words]);
        }
        let list = town.choose(&panel, "v1|settings|panel", "slots").await;
        let slot = town.choose(&list, "v1|slot|open|", "ledger").await;
        assert_says(&slot.text(), &["Slot ledger", "posts go to the slot `alerts`"]);
        let picked = town.choose(&slot, "v1|slot|pick|ledger", &town.chat.to_string()).await;
        assert_says(&picked.text(), &["✅ ready"]);

        let list = town.press_through(&picked, "All slots").await;
        let opened = town.discord.press_label(town.owner, &list, "New slot…");
        opened.modal().await;
        let values = json!({ "name": "feed", "type": "forum", "purpose": "A feed" });
        let made = town.discord.submit_modal(town.owner, &opened, values).reply().await;
        assert_says(&made.text(), &["There is a slot `feed` now", "a forum channel"]);
        bot.finish().await;
    }
}

impl Town {
    /// The owner presses a button and goes on from what it shows.
    async fn press_through(&self, shown: &fake_discord::Interaction, label: &str) -> fake_discord::Interaction {
        let pressed = self.discord.press_label(self.owner, shown, label);
        pressed.reply().await;
        pressed
    }
}
