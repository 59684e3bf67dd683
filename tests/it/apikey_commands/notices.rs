//! What owners are told about their keys, and when.

use std::{net::IpAddr, time::Duration};

use chrono::TimeDelta;
use fake_discord::FakeMessage;
use guildhall::domain::api_key::{self, usage};
use serde_json::json;

use super::{HERE, READ_ONLY, Stage, assert_says, id_of, key_in, labels};
use crate::{harness::Bot, on_both_stores};

fn told(stage: &Stage, user: u64, sign: &str) -> Vec<FakeMessage> {
    stage.letters(user).into_iter().filter(|letter| letter.text().contains(sign)).collect()
}

async fn use_from(bot: &Bot, id: &str, address: &str) {
    let domain = bot.running().app().domain();
    let address: IpAddr = address.parse().expect("an address");
    let key = id.parse().expect("an id");
    let used = usage::KeyUse { key, route: "/api", outcome: usage::Outcome::Ok, address, latency: Duration::ZERO };
    usage::record(domain, &used);
    usage::flush(domain).await.expect("the store answers");
}

on_both_stores! {
    /// 14, 3 and 1 days before the end, once each, with buttons that work after a restart.
    async fn an_end_is_told_in_time_and_can_be_answered(bot: Bot) {
        let mut bot = bot;
        let stage = Stage::build(&bot).await;
        let options = json!({ "name": "site", "preset": READ_ONLY, "delivery": HERE, "expires": "30d" });
        let old = key_in(&stage.run("create", options).reply().await).expect("a key");
        let mut days = Vec::new();
        for day in 0..29 {
            bot.advance(TimeDelta::days(1));
            bot.drain().await;
            let count = told(&stage, stage.ada, "expires").len();
            if count > days.len() {
                days.push(30 - day - 1);
            }
            if day == 20 {
                bot.restart().await;
            }
        }
        assert_eq!(days, [14, 3, 1]);
        let letter = told(&stage, stage.ada, "expires").pop().expect("a notice");
        assert_eq!(labels(&letter), ["Rotate…", "Revoke…"]);
        bot.restart().await;
        let offer = stage.discord.press_label(stage.ada, &letter, "Rotate…");
        assert_says(&offer.reply().await, &["the same rights", "How do you want the new one?"]);
        let shown = stage.discord.press_label(stage.ada, &offer, "Show it here").reply().await;
        let new = key_in(&shown).expect("the new key");
        stage.becomes_good(&bot, &new).await;
        bot.advance(TimeDelta::days(2));
        assert!(!stage.opens(&bot, &old).await);
        assert!(stage.opens(&bot, &new).await, "its life is renewed");
        bot.finish().await;
    }

    /// Whoever takes no messages is left alone; their server's alerts are told instead.
    async fn closed_direct_messages_lead_to_the_alerts(bot: Bot) {
        let stage = Stage::build(&bot).await;
        stage.set_alerts().await;
        let options = json!({ "name": "site", "preset": READ_ONLY, "delivery": HERE, "expires": "20d" });
        stage.run("create", options).reply().await;
        stage.discord.set_dms_open(stage.ada, false);
        bot.live_through(TimeDelta::days(7), TimeDelta::days(1)).await;
        bot.eventually("an alert", async |_| stage.alerts().iter().any(|text| text.contains("expires <t:"))).await;
        let alert = stage.alerts().into_iter().find(|text| text.contains("expires")).expect("an alert");
        assert!(alert.contains(&format!("<@{}> takes no direct messages", stage.ada)), "{alert}");
        let tries = stage.discord.count("POST", &format!("/channels/{}/messages", stage.discord.dm(stage.ada)));
        assert_eq!(tries, 1, "a closed door is not knocked at again");
        bot.finish().await;
    }

    /// Who wants no messages is not reminded, and their server is told instead; what protects their key still comes.
    async fn reminders_can_be_switched_off_and_warnings_cannot(bot: Bot) {
        let stage = Stage::build(&bot).await;
        stage.set_alerts().await;
        let said = stage.discord.command(stage.ada, stage.lobby, "my profile", json!({ "dm": 2 })).reply().await;
        assert_says(&said, &["warnings about your keys only"]);
        let options = json!({ "name": "site", "preset": READ_ONLY, "delivery": HERE, "expires": "20d" });
        stage.run("create", options).reply().await;
        bot.live_through(TimeDelta::days(7), TimeDelta::days(1)).await;
        bot.eventually("an alert", async |_| stage.alerts().iter().any(|text| text.contains("expires <t:"))).await;
        let alert = stage.alerts().into_iter().find(|text| text.contains("expires")).expect("an alert");
        assert!(!alert.contains("<@"), "what she wants is nobody else's business: {alert}");
        assert!(stage.letters(stage.ada).is_empty(), "she wanted no reminders");
        let id = id_of(&stage, "site").await;
        use_from(&bot, &id, "127.0.0.1").await;
        use_from(&bot, &id, "198.51.100.9").await;
        bot.eventually("a letter", async |_| !told(&stage, stage.ada, "new network").is_empty()).await;
        bot.finish().await;
    }

    /// A key that is in use for ninety days is named, once in ninety days.
    async fn an_old_key_is_named(bot: Bot) {
        let stage = Stage::build(&bot).await;
        let options = json!({ "name": "site", "preset": READ_ONLY, "delivery": HERE, "expires": "365d" });
        stage.run("create", options).reply().await;
        bot.live_through(TimeDelta::days(88), TimeDelta::days(22)).await;
        assert_eq!(told(&stage, stage.ada, "🕰️").len(), 0);
        bot.live_through(TimeDelta::days(4), TimeDelta::days(2)).await;
        bot.live_through(TimeDelta::days(4), TimeDelta::days(2)).await;
        assert_eq!(told(&stage, stage.ada, "🕰️").len(), 1);
        bot.finish().await;
    }

    /// The first use from a new network is told with the network, and a key can be ended from there.
    async fn a_new_network_is_told(bot: Bot) {
        let stage = Stage::build(&bot).await;
        let key = stage.issue(&bot, "site", READ_ONLY).await;
        let id = id_of(&stage, "site").await;
        // Where the stage has tried it from.
        use_from(&bot, &id, "127.0.0.1").await;
        use_from(&bot, &id, "198.51.100.9").await;
        bot.eventually("a letter", async |_| !told(&stage, stage.ada, "new network").is_empty()).await;
        let letter = told(&stage, stage.ada, "new network").pop().expect("a letter");
        assert!(letter.text().contains("198.51.100.0/24") && !letter.text().contains(&key), "{}", letter.text());
        let form = stage.discord.press_label(stage.ada, &letter, "Revoke…");
        form.modal().await;
        stage.discord.submit_modal(stage.ada, &form, json!({ "reason": "not me" })).reply().await;
        assert!(!stage.opens(&bot, &key).await);
        bot.drain().await;
        assert_eq!(told(&stage, stage.ada, "new network").len(), 1);
        bot.finish().await;
    }

    /// What is no longer true is not told: a revoked key needs no word about its end.
    async fn nobody_is_told_of_a_dead_key(bot: Bot) {
        let stage = Stage::build(&bot).await;
        let options = json!({ "name": "site", "preset": READ_ONLY, "delivery": HERE, "expires": "30d" });
        let key = key_in(&stage.run("create", options).reply().await).expect("a key");
        bot.drain().await;
        api_key::report_leak(bot.running().app().domain(), &key).await.expect("the store answers");
        bot.live_through(TimeDelta::days(29), TimeDelta::days(7)).await;
        assert!(told(&stage, stage.ada, "expires").is_empty());
        bot.finish().await;
    }
}
