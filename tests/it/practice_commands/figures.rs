//! Time that is written down, mended and claimed; goals; and the history of it all.

use chrono::{DateTime, TimeDelta, Utc};
use guildhall::domain::practice::{self, RuleChange};
use serde_json::json;

use super::{Stage, WEEK, assert_says, labels, live, root, running, sessions};
use crate::{harness::Bot, on_both_stores};

impl Stage {
    async fn lets_members_log(&self, bot: &Bot, seconds: i64) {
        self.set_rule(bot, RuleChange { manual_auto_seconds: Some(seconds), ..RuleChange::default() }).await;
    }

    async fn waiting(&self, bot: &Bot) -> usize {
        let domain = bot.running().app().domain();
        practice::queue(domain, &root(), self.guild_id(), None, 100).await.expect("the store answers").len()
    }
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().expect("a moment")
}

on_both_stores! {
    /// Time that was not timed counts at once as far as the server lets it, and is flagged; the rest waits.
    async fn time_is_written_down(bot: Bot) {
        let stage = Stage::of(&bot).await;
        stage.lets_members_log(&bot, 2 * 3_600).await;
        stage.discord.wait_command("my").await;
        stage.discord.command(stage.ann, stage.chat, "my profile", json!({ "timezone": "Europe/Berlin" })).reply().await;
        let entry = |duration: &str, when: &str| json!({ "duration": duration, "when": when, "note": "by the sea", "activity": "oboe" });
        let said = stage.says(stage.ann, "log", entry("1h 30m", "09:00")).await;
        assert_says(&said, &["✅ It counts: **1h 30m**", "practice history"]);
        let logged = sessions(&bot, stage.ann).await.remove(0);
        assert_eq!((logged.row.started_at, logged.seconds), (at("2026-11-22T08:00:00Z"), 5_400), "in her own zone");
        let said = stage.says(stage.ann, "log", entry("1h", "yesterday 18:00")).await;
        assert_says(&said, &["📨 **1h**", "waits for a reviewer"]);
        assert_eq!((sessions(&bot, stage.ann).await.len(), stage.waiting(&bot).await), (1, 1));
        for (duration, when, words, code) in [
            ("1h", "09:30", "Another session of yours has a part of this time already", "E-STATE"),
            ("1h", "2026-11-23 10:00", "not lie ahead", "E-INPUT"),
            ("1h", "soon", "“soon” is not a moment", "E-INPUT"),
            ("a lot", "09:00", "“a lot” is not a length of time", "E-INPUT"),
            ("9000000w", "09:00", "", "E-INPUT"),
        ] {
            assert_says(&stage.says(stage.ann, "log", entry(duration, when)).await, &[words, code]);
        }
        for (option, typed, first) in [("duration", "45", "45m"), ("when", "", "just now"), ("when", "yest", "yesterday 09:00")] {
            let mut options = entry("1h", "09:00");
            options[option] = json!(typed);
            let offered = stage.discord.autocomplete(stage.ann, stage.chat, "practice log", options, option).await;
            assert_eq!(offered[0].value, first, "{option}: {typed:?}");
        }
        let card = stage.run(stage.ann, "history", json!({})).await;
        assert_says(&card.text(), &["✍️", "**1h 30m** · oboe"]);
        bot.finish().await;
    }

    /// Begin and end are mended in a form: less counts at once, more waits for a reviewer.
    async fn a_session_is_mended(bot: Bot) {
        let stage = Stage::of(&bot).await;
        stage.run(stage.ann, "start", json!({ "activity": "oboe" })).await;
        let id = running(&bot, stage.ann).await.expect("it runs").row.id.to_string();
        assert_says(
            &stage.says(stage.ben, "fix", json!({ "session": &id })).await, &["Session not found", "E-GONE"],
        );
        assert_says(&stage.says(stage.ann, "fix", json!({ "session": &id })).await, &["still runs", "E-STATE"]);
        assert_says(&stage.says(stage.ann, "fix", json!({ "session": "that one" })).await, &["Choose one", "E-INPUT"]);
        live(&bot, 20).await;
        stage.run(stage.ann, "stop", json!({})).await;
        let options = json!({ "session": "" });
        let offered = stage.discord.autocomplete(stage.ann, stage.chat, "practice fix", options, "session").await;
        assert_eq!((offered.len(), &offered[0].name), (1, &"Sun 22 Nov 12:00 · 20m · oboe".to_owned()));
        let form = stage.ask(stage.ann, "fix", json!({ "session": offered[0].value.clone() }));
        assert_says(&form.modal().await.to_string(), &["2026-11-22 12:00:00", "2026-11-22 12:20:00"]);
        let less = json!({ "ended": "2026-11-22 12:15", "reason": "I had left" });
        let said = stage.discord.submit_modal(stage.ann, &form, less).reply().await;
        assert_says(&said.text(), &["✅ It counts: **−5m**"]);
        assert_eq!(sessions(&bot, stage.ann).await[0].seconds, 900);
        let form = stage.ask(stage.ann, "fix", json!({ "session": id }));
        form.modal().await;
        let more = json!({ "began": "2026-11-22 11:00", "reason": "I forgot to start" });
        let said = stage.discord.submit_modal(stage.ann, &form, more).reply().await;
        assert_says(&said.text(), &["📨 **1h**", "waits for a reviewer"]);
        assert_eq!((sessions(&bot, stage.ann).await[0].seconds, stage.waiting(&bot).await), (900, 1));
        let form = stage.ask(stage.ann, "fix", json!({ "session": form_id(&bot, &stage).await }));
        form.modal().await;
        let odd = stage.discord.submit_modal(stage.ann, &form, json!({ "began": "at noon" })).reply().await;
        assert_says(&odd.text(), &["“at noon” is not a date", "E-INPUT"]);
        bot.finish().await;
    }

    /// What was not counted while the bot was away is shown, and claimed once.
    async fn a_gap_is_claimed(bot: Bot) {
        let mut bot = bot;
        let stage = Stage::of(&bot).await;
        stage.run(stage.ann, "start", json!({})).await;
        live(&bot, 10).await;
        bot.stop().await;
        bot.advance(TimeDelta::minutes(30));
        bot.start_again().await;
        live(&bot, 10).await;
        let card = stage.run(stage.ann, "stop", json!({})).await;
        assert_says(&card.text(), &["Not counted, because I was away", " for 3"]);
        assert_eq!(labels(&card.message()), ["Claim gap"]);
        bot.restart().await;
        let form = stage.discord.press_label(stage.ann, &card, "Claim gap");
        form.modal().await;
        let said = stage.discord.submit_modal(stage.ann, &form, json!({ "note": "scales" })).reply().await;
        assert!(said.is_ephemeral());
        assert_says(&said.text(), &["📨", "waits for a reviewer"]);
        assert_eq!(stage.waiting(&bot).await, 1);
        let again = stage.discord.press_label(stage.ann, &card, "Claim gap");
        again.modal().await;
        let said = stage.discord.submit_modal(stage.ann, &again, json!({})).reply().await;
        assert_says(&said.text(), &["it was claimed already", "E-GONE"]);
        let list = stage.run(stage.ann, "history", json!({})).await;
        let id = sessions(&bot, stage.ann).await[0].row.id.to_string();
        let shown = stage.discord.select(stage.ann, &list, "v1|practice|session", &[&id]).reply().await;
        assert_says(&shown.text(), &["you have claimed it"]);
        assert_eq!(labels(&shown), ["◀ Sessions", "Correct…"]);
        let back = stage.discord.press_label(stage.ann, &shown, "◀ Sessions").reply().await;
        assert_says(&back.text(), &["Your practice in this server"]);
        bot.finish().await;
    }

    /// Ten sessions a page, by buttons that work after a restart.
    async fn history_turns_its_pages(bot: Bot) {
        let mut bot = bot;
        let stage = Stage::of(&bot).await;
        assert_says(&stage.says(stage.ann, "history", json!({})).await, &["You have not practised in this server yet"]);
        for number in 1..=23 {
            stage.run(stage.ann, "start", json!({ "activity": format!("piece {number}") })).await;
            bot.advance(TimeDelta::minutes(1));
            stage.run(stage.ann, "stop", json!({})).await;
        }
        let first = stage.run(stage.ann, "history", json!({})).await;
        assert_eq!(first.text().matches("· piece").count(), 2 * 10, "each in the list and in the menu");
        assert_says(&first.text(), &["piece 23", "piece 14"]);
        bot.restart().await;
        let second = stage.discord.press_label(stage.ann, &first, "Older ▶").reply().await;
        assert_says(&second.text(), &["piece 13", "piece 4"]);
        let third = stage.discord.press_label(stage.ann, &second, "Older ▶").reply().await;
        assert_says(&third.text(), &["piece 3", "piece 1"]);
        assert!(third.buttons().iter().any(|button| button.label == "Older ▶" && button.disabled));
        let newest = stage.discord.press_label(stage.ann, &third, "⏮ Newest").reply().await;
        assert_says(&newest.text(), &["piece 23"]);
        bot.finish().await;
    }

    /// Goals are set, shown with how far they are, and taken away.
    async fn goals_show_how_far_one_is(bot: Bot) {
        let stage = Stage::of(&bot).await;
        assert_says(&stage.says(stage.ann, "goal list", json!({})).await, &["You have no goal in this server"]);
        assert_says(&stage.says(stage.ann, "goal set", json!({ "period": 0, "amount": "15m" })).await, &["✅ Set", "**0s** of 15m (0 %)"]);
        stage.run(stage.ann, "goal set", json!({ "period": WEEK, "amount": "1h" })).await;
        assert_says(&stage.says(stage.ann, "goal set", json!({ "period": 0, "amount": "25h" })).await, &["A goal must be", "E-INPUT"]);
        stage.run(stage.ann, "start", json!({})).await;
        live(&bot, 15).await;
        stage.run(stage.ann, "stop", json!({})).await;
        let said = stage.says(stage.ann, "goal list", json!({})).await;
        assert_says(&said, &["✅ Today: **15m** of 15m (100 %)", "▫️ This week: **15m** of 1h (25 %)"]);
        let said = stage.says(stage.ann, "goal clear", json!({ "period": 0 })).await;
        assert!(said.contains("✅ That goal is gone") && !said.contains("Today"), "{said}");
        bot.finish().await;
    }
}

async fn form_id(bot: &Bot, stage: &Stage) -> String {
    sessions(bot, stage.ann).await[0].row.id.to_string()
}
