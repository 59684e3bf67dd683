//! Timers by command and by button.

use chrono::TimeDelta;
use entity::practice_session::EndReason;
use serde_json::json;

use super::{PRIVATE, Stage, assert_says, labels, live, running, sessions};
use crate::on_both_stores;

on_both_stores! {
    /// From start to stop, by buttons that work after a restart.
    async fn a_timer_runs_pauses_and_stops_by_its_buttons(bot: Bot) {
        let mut bot = bot;
        let stage = Stage::of(&bot).await;
        let options = json!({ "activity": "scales", "goal": "1h", "note": "slowly" });
        let card = stage.run(stage.ann, "start", options).await;
        assert_says(&card.text(), &["Your timer runs", "**0s** of 1h", "scales", "slowly"]);
        assert_eq!(labels(&card.message()), ["Pause", "Stop", "Change note"]);
        live(&bot, 10).await;
        bot.restart().await;
        let paused = stage.discord.press_label(stage.ann, &card, "Pause").reply().await;
        assert_says(&paused.text(), &["Your timer is paused", "**10m** of 1h"]);
        assert_eq!(labels(&paused), ["Resume", "Stop", "Change note"]);
        bot.advance(TimeDelta::minutes(7));
        bot.restart().await;
        let resumed = stage.discord.press_label(stage.ann, &paused, "Resume").reply().await;
        assert_says(&resumed.text(), &["Your timer runs", "**10m** of 1h"]);
        live(&bot, 5).await;
        let form = stage.discord.press_label(stage.ann, &resumed, "Change note");
        assert_says(&form.modal().await.to_string(), &["slowly"]);
        let noted = stage.discord.submit_modal(stage.ann, &form, json!({ "note": "with *both* hands" })).reply().await;
        assert_says(&noted.text(), &["with \\*both\\* hands"]);
        let stopped = stage.discord.press_label(stage.ann, &noted, "Stop").reply().await;
        assert_says(&stopped.text(), &["🏁 Done", "**15m** of 1h", "stopped", "with \\*both\\* hands"]);
        assert!(stopped.buttons().is_empty(), "there is nothing left to press");
        assert_eq!(running(&bot, stage.ann).await, None);
        bot.finish().await;
    }

    /// A second start gives the one that runs, unchanged; commands do what buttons do.
    async fn a_second_start_gives_the_timer_that_runs(bot: Bot) {
        let stage = Stage::of(&bot).await;
        for command in ["stop", "pause", "resume"] {
            assert_says(&stage.says(stage.ann, command, json!({})).await, &["No timer of yours runs", "practice start"]);
        }
        stage.run(stage.ann, "start", json!({ "activity": "scales" })).await;
        let first = running(&bot, stage.ann).await.expect("it runs");
        let said = stage.says(stage.ann, "start", json!({ "activity": "études" })).await;
        assert_says(&said, &["A timer of yours runs already", "scales"]);
        assert_eq!(running(&bot, stage.ann).await.expect("it runs").row, first.row);
        live(&bot, 3).await;
        assert_says(&stage.says(stage.ann, "pause", json!({})).await, &["is paused", "**3m**"]);
        assert_says(&stage.says(stage.ann, "pause", json!({})).await, &["The session is paused already", "E-STATE"]);
        assert_says(&stage.says(stage.ann, "resume", json!({})).await, &["Your timer runs"]);
        assert_says(&stage.says(stage.ann, "resume", json!({})).await, &["The session is not paused", "E-STATE"]);
        assert_says(&stage.says(stage.ann, "stop", json!({ "note": "good" })).await, &["✅ Stopped", "**3m**", "good"]);
        for (options, words) in [
            (json!({ "goal": "long" }), "“long” is not a length of time"),
            (json!({ "goal": "25h" }), "A goal must be"),
            (json!({ "focus": "5h" }), "Rounds are 1 to 12"),
        ] {
            assert_says(&stage.says(stage.ann, "start", options).await, &[words, "E-INPUT"]);
        }
        assert_eq!(sessions(&bot, stage.ann).await.len(), 1);
        bot.finish().await;
    }

    /// The peer's defect 19, in chat: sixteen starts at once of a new person are one session, and none fails.
    async fn parallel_starts_of_a_new_person_are_one_session(bot: Bot) {
        let stage = Stage::of(&bot).await;
        let asked: Vec<_> = (0..16).map(|_| stage.ask(stage.ben, "start", json!({}))).collect();
        let mut new = 0;
        for one in asked {
            let said = one.reply().await.text();
            assert_says(&said, &["Your timer runs"]);
            new += usize::from(!said.contains("A timer of yours runs already"));
        }
        assert_eq!((new, sessions(&bot, stage.ben).await.len()), (1, 1));
        bot.finish().await;
    }

    /// The card of an old timer does nothing to a newer one, and nobody's button works for others.
    async fn a_button_touches_only_its_own_timer(bot: Bot) {
        let stage = Stage::of(&bot).await;
        let old = stage.run(stage.ann, "start", json!({ "note": "secret" })).await;
        live(&bot, 2).await;
        stage.run(stage.ann, "stop", json!({})).await;
        stage.run(stage.ann, "start", json!({})).await;
        let newer = running(&bot, stage.ann).await.expect("it runs");
        let said = stage.discord.press_label(stage.ann, &old, "Stop").reply().await;
        assert_says(&said.text(), &["This timer has ended already", "**2m**"]);
        assert_eq!(running(&bot, stage.ann).await.expect("it runs").row.id, newer.row.id);
        bot.finish().await;
    }

    /// Who practises is shown to everybody, but for those who do it privately.
    async fn now_shows_who_practises_and_hides_what_is_private(bot: Bot) {
        let stage = Stage::of(&bot).await;
        let now = async || {
            let reply = stage.ask(stage.mona, "now", json!({})).reply().await;
            assert!(!reply.is_ephemeral());
            reply.text()
        };
        assert_says(&now().await, &["Nobody is practising right now"]);
        stage.run(stage.ann, "start", json!({ "activity": "@everyone *loud*", "note": "my own" })).await;
        let private = stage.says(stage.ben, "start", json!({ "visibility": PRIVATE })).await;
        assert_says(&private, &["nobody but you"]);
        live(&bot, 12).await;
        let said = now().await;
        assert_says(&said, &["Practising right now", &format!("<@{}>", stage.ann), "\\*loud\\*", "12m"]);
        assert!(!said.contains(&stage.ben.to_string()) && !said.contains("my own"), "{said}");
        for n in 0..30 {
            let other = stage.discord.add_member(stage.guild, &format!("member{n}"));
            stage.run(other, "start", json!({})).await;
        }
        let said = now().await;
        assert_eq!(said.matches("<@").count(), 25);
        assert_says(&said, &["… and more"]);
        bot.finish().await;
    }

    /// What people may type is offered, and what they practised of late.
    async fn options_are_offered(bot: Bot) {
        let stage = Stage::of(&bot).await;
        stage.run(stage.ann, "start", json!({ "activity": "Scales" })).await;
        stage.run(stage.ann, "stop", json!({})).await;
        for (option, typed, first) in [
            ("activity", "", "Scales"),
            ("activity", "sca", "sca"),
            ("goal", "90", "1h 30m"),
            ("goal", "", "15m"),
            ("focus", "5", "5m"),
            ("break", "1h", "1h"),
        ] {
            let options = json!({ option: typed });
            let offered = stage.discord.autocomplete(stage.ann, stage.chat, "practice start", options, option).await;
            assert_eq!(offered[0].value, first, "{option}: {typed:?}");
        }
        bot.finish().await;
    }

    /// Rounds and breaks follow each other, can be skipped, and end by themselves.
    async fn rounds_come_and_go(bot: Bot) {
        let stage = Stage::of(&bot).await;
        let options = json!({ "focus": "10m", "break": "5m", "rounds": 3 });
        let card = stage.run(stage.ann, "start", options).await;
        assert_says(&card.text(), &["3 left of 10m, this one ends <t:"]);
        assert_eq!(labels(&card.message()), ["Pause", "Stop", "Add note", "Skip"]);
        live(&bot, 4).await;
        let pause = stage.discord.press_label(stage.ann, &card, "Skip").reply().await;
        assert_says(&pause.text(), &["☕ Break", "**4m**", "2 left of 10m, the next one begins <t:"]);
        live(&bot, 6).await;
        let view = running(&bot, stage.ann).await.expect("the second round");
        assert_eq!((view.seconds, view.row.rounds_left), (5 * 60, Some(2)));
        live(&bot, 9).await;
        let view = running(&bot, stage.ann).await.expect("the second break");
        assert_eq!((view.seconds, view.row.rounds_left), (14 * 60, Some(1)));
        let again = stage.run(stage.ann, "start", json!({})).await;
        let last = stage.discord.press_label(stage.ann, &again, "Skip the break").reply().await;
        assert_says(&last.text(), &["Your timer runs", "1 left of 10m"]);
        live(&bot, 11).await;
        let done = sessions(&bot, stage.ann).await.remove(0);
        assert_eq!((done.seconds, done.row.end_reason), (24 * 60, Some(EndReason::Rounds)));
        bot.finish().await;
    }
}
