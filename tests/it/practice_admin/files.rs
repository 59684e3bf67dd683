//! `/practice-admin export`, and practice in the files of `/settings`.

use guildhall::domain::history;
use serde_json::json;

use super::{Hall, ROOT, assert_says};
use crate::on_both_stores;

on_both_stores! {
    /// One file holds all of it.
    async fn everything_comes_as_a_file(bot: Bot) {
        let hall = Hall::of(&bot).await;
        let ada = hall.discord.add_member(hall.guild, "ada");
        hall.practised(ada, "2026-11-22T08:00:00Z", 45).await;
        let shown = hall.run("practice-admin export", json!({})).await;
        assert_says(&shown.text(), &["All that is counted here", &format!("practice-{}-1.csv", hall.guild)]);
        let size = shown.message().attachments[0]["size"].as_u64().expect("a size");
        assert!(size > 150, "{size} bytes are no session");
        assert!(shown.buttons().is_empty());
        bot.finish().await;
    }

    /// Rules and schedules come back from a file, and a roll back undoes that.
    async fn rules_and_schedules_are_exported_imported_and_rolled_back(bot: Bot) {
        let hall = Hall::of(&bot).await;
        let (domain, guild) = (&hall.domain, hall.guild_id());
        let shown = hall.run("practice-admin rules", json!({ "min_session": "5m", "privacy": 0 })).await;
        hall.press(&shown, "Save").await;
        hall.says("practice-admin post", json!({ "period": 2, "when": "18:30" })).await;
        bot.drain().await;
        let before = history::revision_id(domain, guild).await.expect("a number");
        let mut file = history::export(domain, &ROOT, guild).await.expect("a file");
        assert_eq!(file["practice"]["rule"]["minimum_seconds"], 300);
        assert_eq!(file["practice"]["posts"], json!([{ "period": "monthly", "slot": "practice", "at_minute": 1_110 }]));
        let same = history::plan_import(domain, &ROOT, guild, file.to_string().as_bytes()).await.expect("a plan");
        assert!(same.is_empty(), "{same:?}");

        file["practice"]["rule"]["minimum_seconds"] = json!(600);
        file["practice"]["posts"] = json!([{ "period": "daily", "slot": "practice", "at_minute": 0 }]);
        let plan = history::plan_import(domain, &ROOT, guild, file.to_string().as_bytes()).await.expect("a plan");
        assert_eq!(plan.len(), 3, "{plan:?}");
        history::apply_changes(domain, &ROOT, guild, plan).await.expect("it is as the plan saw it");
        assert_says(&hall.says("practice-admin rules", json!({})).await, &["Shortest session: 10m", "Seen by: everybody"]);
        let posts = hall.says("practice-admin post", json!({})).await;
        assert!(posts.contains("**daily** at 00:00") && !posts.contains("monthly"), "{posts}");

        bot.drain().await;
        let plan = history::plan_rollback(domain, &ROOT, guild, before).await.expect("a plan");
        assert_eq!(plan.len(), 3, "{plan:?}");
        history::apply_changes(domain, &ROOT, guild, plan).await.expect("it is as the plan saw it");
        assert_says(&hall.says("practice-admin rules", json!({})).await, &["Shortest session: 5m"]);
        assert_says(&hall.says("practice-admin post", json!({})).await, &["**monthly** at 18:30"]);

        for (pointer, value, words) in [
            ("/practice/rule/day_cap_seconds", json!(1), "/practice/rule: The most of a day must be"),
            ("/practice/rule/channel_mode", json!("some"), "/practice/rule: The mode of channels must be"),
            ("/practice/posts/0/at_minute", json!(1_440), "/practice/posts/0/at_minute: must be"),
            ("/practice/posts/0/period", json!("hourly"), "/practice/posts/0/period: must be"),
        ] {
            let mut wrong = file.clone();
            *wrong.pointer_mut(pointer).expect("it is there") = value;
            let refused = history::plan_import(domain, &ROOT, guild, wrong.to_string().as_bytes()).await;
            let refused = refused.expect_err("refused").to_string();
            assert!(refused.starts_with(words), "{pointer}: {refused}");
        }
        bot.finish().await;
    }
}
