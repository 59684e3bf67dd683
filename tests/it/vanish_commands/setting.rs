//! Setting rules and defaults: preview, apply, change, abort.

use std::time::Duration;

use chrono::TimeDelta;
use fake_discord::ChannelKind;
use serde_json::json;

use super::{DAILY, EVERYTHING, INCLUDE, Stage, assert_says, labels};
use crate::{
    harness::{Bot, pause},
    on_both_stores,
};

on_both_stores! {
    /// Nothing happens before [Apply]; the backlog waits for the arm delay; a pin stays.
    async fn old_messages_vanish_after_preview_apply_and_arm_delay(bot: Bot) {
        let stage = Stage::build(&bot).await;
        let day_ago = stage.discord.now() - TimeDelta::days(1);
        let old = stage.seed(3, day_ago);
        let ancient = stage.seed(2, day_ago - TimeDelta::days(30));
        stage.discord.pin(stage.lobby, old[0]);
        let preview =
            stage.run(stage.mona, "set", json!({ "after": "1h 0m", "backlog": EVERYTHING }));
        let shown = preview.reply().await;
        assert_says(&shown, &[
            "nothing has changed yet", "**1h** after", "under 14 days: **2**", "older, one by one: **2**",
            "stay (pinned, kept or exempt): **1**", "5m after you apply", "at most 1m 1s past its time",
        ]);
        assert_eq!(labels(&shown), ["Apply", "Change…", "Cancel"]);
        bot.drain().await;
        assert_eq!(bot.get(&format!("/api/discord/vanish/{}", stage.lobby)).await.status, 404);
        let applied = stage.discord.press_label(stage.mona, &preview, "Apply").reply().await;
        assert_says(&applied, &["✅ The rule is set", "begin to vanish <t:"]);
        assert_eq!(labels(&applied), ["Abort", "Show rule"]);
        bot.live_through(TimeDelta::minutes(4), TimeDelta::minutes(1)).await;
        assert!(old.iter().all(|id| stage.lives(*id)), "the arm delay is not over");
        bot.live_through(TimeDelta::minutes(3), TimeDelta::seconds(30)).await;
        let left: Vec<_> = old.iter().chain(&ancient).filter(|id| stage.lives(**id)).collect();
        assert_eq!(left, [&old[0]], "only the pin stays");
        let new = stage.discord.send(stage.lobby, stage.ada, "new");
        bot.live_through(TimeDelta::minutes(59), TimeDelta::minutes(10)).await;
        bot.live_through(TimeDelta::minutes(5), TimeDelta::minutes(1)).await;
        assert!(!stage.lives(new));
        bot.finish().await;
    }

    /// [Abort] within the arm delay keeps the old messages; the rule itself stays.
    async fn an_armed_backlog_can_be_aborted(bot: Bot) {
        let stage = Stage::build(&bot).await;
        let old = stage.seed(3, stage.discord.now() - TimeDelta::days(1));
        let applied = stage.set(json!({ "after": "1h", "backlog": EVERYTHING })).await;
        let aborted = stage.discord.press_label(stage.mona, &applied, "Abort").reply().await;
        assert_says(&aborted, &["Aborted"]);
        bot.live_through(TimeDelta::minutes(8), TimeDelta::minutes(1)).await;
        assert!(old.iter().all(|id| stage.lives(*id)));
        assert_eq!(bot.get(&format!("/api/discord/vanish/{}", stage.lobby)).await.status, 200);
        bot.finish().await;
    }

    /// A second press of [Abort] says that there is nothing to abort.
    async fn new_only_is_the_default_and_has_nothing_to_abort(bot: Bot) {
        let stage = Stage::build(&bot).await;
        let old = stage.seed(3, stage.discord.now() - TimeDelta::days(1));
        let applied = stage.set(json!({ "after": "1h" })).await;
        assert_eq!(labels(&applied), ["Show rule"]);
        bot.live_through(TimeDelta::minutes(10), TimeDelta::minutes(2)).await;
        assert!(old.iter().all(|id| stage.lives(*id)));
        bot.finish().await;
    }

    /// [Change…] opens the values in a form; its preview takes the place of the old one.
    async fn a_preview_can_be_changed_in_a_form(bot: Bot) {
        let stage = Stage::build(&bot).await;
        let preview = stage.run(stage.mona, "set", json!({ "after": "1h", "keep_last": 5 }));
        preview.reply().await;
        let form = stage.discord.press_label(stage.mona, &preview, "Change…");
        let modal = form.modal().await;
        assert!(modal.to_string().contains(r#""value":"1h""#), "{modal}");
        assert!(modal.to_string().contains(r#""value":"5""#), "{modal}");
        let wrong = stage.discord.submit_modal(stage.mona, &form, json!({ "after": "soon" })).reply().await;
        assert_says(&wrong, &["“soon” is not a duration", "E-INPUT"]);
        let form = stage.discord.press_label(stage.mona, &preview, "Change…");
        form.modal().await;
        let again = stage.discord.submit_modal(stage.mona, &form, json!({ "after": "2 days", "at": "4:30" }));
        let shown = again.reply().await;
        assert_says(&shown, &["nothing has changed yet", "Once a day at **04:30** (UTC)"]);
        assert_says(&shown, &["older than **2d**", "newest **5**"]);
        stage.discord.press_label(stage.mona, &again, "Apply").reply().await;
        let rule = bot.get(&format!("/api/discord/vanish/{}", stage.lobby)).await;
        assert_eq!(rule.body["vanishAfter"], 172_800);
        bot.finish().await;
    }

    /// `keep_last:0` takes the count away, even one that the server's default would bring, and in the form as well.
    async fn keep_last_can_be_switched_off(bot: Bot) {
        let stage = Stage::build(&bot).await;
        let default = stage.run(stage.owner, "default", json!({ "keep_last": 2 }));
        default.reply().await;
        stage.discord.press_label(stage.owner, &default, "Apply").reply().await;
        let limited = stage.set(json!({ "after": "1h" })).await;
        assert_says(&limited, &["newest **2**"]);
        let off = stage.set(json!({ "keep_last": 0 })).await;
        assert!(!off.text().contains("newest"), "{}", off.text());
        let shown = stage.run(stage.mona, "show", json!({})).reply().await;
        assert_says(&shown, &["keep\\_last: off", "keep\\_last: 2"]);
        let sent: Vec<u64> = (0..5).map(|_| stage.discord.send(stage.lobby, stage.ada, "stays")).collect();
        bot.live_through(TimeDelta::minutes(10), TimeDelta::minutes(1)).await;
        assert!(sent.iter().all(|id| stage.lives(*id)), "nothing but age takes them");
        let again = stage.run(stage.mona, "set", json!({ "keep_last": 3 }));
        again.reply().await;
        let form = stage.discord.press_label(stage.mona, &again, "Change…");
        form.modal().await;
        let wrong = stage.discord.submit_modal(stage.mona, &form, json!({ "keep_last": "1001" })).reply().await;
        assert_says(&wrong, &["from 1 to 1000", "E-INPUT"]);
        let form = stage.discord.press_label(stage.mona, &again, "Change…");
        form.modal().await;
        let off = stage.discord.submit_modal(stage.mona, &form, json!({ "keep_last": "0" })).reply().await;
        assert!(!off.text().contains("newest"), "{}", off.text());
        bot.finish().await;
    }

    /// [Cancel] ends a preview for good.
    async fn a_cancelled_preview_cannot_be_applied(bot: Bot) {
        let stage = Stage::build(&bot).await;
        let preview = stage.run(stage.mona, "set", json!({ "after": "1h" }));
        preview.reply().await;
        let cancelled = stage.discord.press_label(stage.mona, &preview, "Cancel").reply().await;
        assert_says(&cancelled, &["Nothing was changed"]);
        assert!(cancelled.buttons().is_empty());
        assert_eq!(bot.get(&format!("/api/discord/vanish/{}", stage.lobby)).await.status, 404);
        bot.finish().await;
    }

    /// A preview lives as long as Discord lets it be answered, and survives a restart of the bot.
    async fn buttons_work_after_a_restart(bot: Bot) {
        let mut bot = bot;
        let stage = Stage::build(&bot).await;
        let preview = stage.run(stage.mona, "set", json!({ "after": "1h" }));
        preview.reply().await;
        bot.restart().await;
        let applied = stage.discord.press_label(stage.mona, &preview, "Apply").reply().await;
        assert_says(&applied, &["✅ The rule is set"]);
        bot.restart().await;
        let shown = stage.discord.press_label(stage.mona, &applied, "Show rule").reply().await;
        assert_says(&shown, &["🟢 active", "after: 1h"]);
        bot.finish().await;
    }

    /// The server's default fills a rule that names no lifetime; its change is previewed as well.
    async fn a_default_is_inherited_and_shown(bot: Bot) {
        let stage = Stage::build(&bot).await;
        let without = stage.run(stage.mona, "set", json!({}));
        assert_says(&without.reply().await, &["A lifetime is needed", "E-INPUT"]);
        let preview = stage.run(stage.owner, "default", json!({ "after": "1d", "keep_last": 50 }));
        assert_says(&preview.reply().await, &["Change the server default?", "**0** vanishing channels", "after: 1d"]);
        let applied = stage.discord.press_label(stage.owner, &preview, "Apply").reply().await;
        assert_says(&applied, &["✅", "after: 1d", "keep\\_last: 50"]);
        stage.set(json!({ "threads": INCLUDE })).await;
        let shown = stage.run(stage.mona, "show", json!({})).reply().await;
        assert_says(&shown, &["after: –", "after: 1d", "**1d** after they were sent"]);
        assert_says(&shown, &["newest **50**", "Threads are included"]);
        let cleared = stage.run(stage.owner, "default", json!({ "clear": 0 }));
        assert_says(&cleared.reply().await, &["**1** vanishing channels take it over"]);
        stage.discord.press_label(stage.owner, &cleared, "Apply").reply().await;
        let shown = stage.run(stage.mona, "show", json!({})).reply().await;
        assert_says(&shown, &["⚪ no lifetime"]);
        let refused = stage.run(stage.mona, "default", json!({ "after": "1h" })).reply().await;
        assert_says(&refused, &["Manage Server", "E-PERM-USER"]);
        bot.finish().await;
    }

    /// Values that mean nothing are answered with what was read and a good example.
    async fn nonsense_is_answered_with_an_example(bot: Bot) {
        let stage = Stage::build(&bot).await;
        for (options, parts) in [
            (json!({ "after": "@everyone" }), vec!["@\u{200b}everyone", "not a duration", "1d 6h"]),
            (json!({ "after": "`@here".repeat(600) }), vec!["not a duration", "…"]),
            (json!({ "after": "2s" }), vec!["as 2s", "between 10 seconds and 365 days"]),
            (json!({ "after": "400d" }), vec!["as 400d", "between 10 seconds and 365 days"]),
            (json!({ "after": "1d", "at": "25:00" }), vec!["“25\\:00” is not a time of day", "04:30"]),
            (json!({ "after": "1d", "at": "04:00", "schedule": 0 }), vec!["schedule:rolling", "schedule:daily"]),
        ] {
            let answer = stage.run(stage.mona, "set", options).reply().await;
            assert_says(&answer, &["E-INPUT"]);
            assert_says(&answer, &parts);
        }
        bot.finish().await;
    }

    /// A daily rule says its hour in the server's zone.
    async fn a_time_of_day_alone_means_daily(bot: Bot) {
        let stage = Stage::build(&bot).await;
        let options = json!({ "after": "1d", "at": "03:15" });
        let shown = stage.run(stage.mona, "set", options).reply().await;
        assert_says(&shown, &["Once a day at **03:15** (UTC)"]);
        let options = json!({ "after": "1d", "schedule": DAILY });
        let shown = stage.run(stage.mona, "set", options).reply().await;
        assert_says(&shown, &["Once a day at **00:00** (UTC)"]);
        bot.finish().await;
    }

    /// In a thread the rule is that of the channel above; a forum's rule reaches its posts by itself.
    async fn rules_belong_to_channels_not_threads(bot: Bot) {
        let stage = Stage::build(&bot).await;
        let thread = stage.discord.add_thread(stage.lobby, "side talk");
        let options = json!({ "after": "1h", "threads": INCLUDE });
        let preview = stage.discord.command(stage.mona, thread, "vanish set", options);
        assert_says(&preview.reply().await, &[&format!("<#{}>", stage.lobby), "Threads are included"]);
        let applied = stage.discord.press_label(stage.mona, &preview, "Apply").reply().await;
        assert_says(&applied, &["✅ The rule is set"]);
        let note = stage.discord.send(thread, stage.ada, "in the thread");
        bot.live_through(TimeDelta::minutes(64), TimeDelta::minutes(8)).await;
        assert!(stage.discord.message(thread, note).is_none());
        let forum = stage.discord.add_channel(stage.guild, "questions", ChannelKind::Forum);
        let post = stage.discord.add_thread(forum, "how do I …?");
        let options = json!({ "after": "1h", "channel": forum.to_string() });
        let preview = stage.run(stage.mona, "set", options);
        assert_says(&preview.reply().await, &["Threads are included"]);
        stage.discord.press_label(stage.mona, &preview, "Apply").reply().await;
        bot.drain().await;
        let answer = stage.discord.send(post, stage.ada, "like this");
        bot.live_through(TimeDelta::minutes(64), TimeDelta::minutes(8)).await;
        assert!(stage.discord.message(post, answer).is_none());
        let options = json!({ "channel": forum.to_string() });
        assert_says(&stage.run(stage.mona, "show", options).reply().await, &["🟢 active", "deleted so far: **1**"]);
        let options = json!({ "after": "1d", "channel": forum.to_string(), "threads": 1 });
        let shown = stage.run(stage.mona, "set", options).reply().await;
        assert_says(&shown, &["A forum holds nothing but posts", "E-INPUT"]);
        bot.finish().await;
    }

    /// A shorter lifetime reaches messages under the rule at once, which the preview says.
    async fn a_shorter_lifetime_is_previewed(bot: Bot) {
        let stage = Stage::build(&bot).await;
        stage.set(json!({ "after": "7d" })).await;
        stage.discord.send(stage.lobby, stage.ada, "one");
        stage.discord.send(stage.lobby, stage.ada, "two");
        bot.live_through(TimeDelta::hours(2), TimeDelta::hours(1)).await;
        let shown = stage.run(stage.mona, "set", json!({ "after": "1h" })).reply().await;
        assert_says(&shown, &["due as soon as you apply", "under 14 days: **2**"]);
        bot.finish().await;
    }

    /// A slow Discord: the first answer leaves in time, the preview follows.
    async fn a_slow_preview_is_announced_in_time(bot: Bot) {
        let stage = Stage::build(&bot).await;
        stage.seed(1, stage.discord.now() - TimeDelta::days(1));
        stage.discord.slow("GET", "/channels/{channel}/messages", Duration::from_secs(4), 1);
        let options = json!({ "after": "1h", "backlog": EVERYTHING });
        let preview = stage.run(stage.mona, "set", options);
        let first = preview.first_callback().await;
        assert_eq!(first.kind, 5);
        assert!(first.after < Duration::from_millis(2_900), "{:?}", first.after);
        let shown = preview.reply_within(Duration::from_secs(10)).await;
        assert_says(&shown, &["under 14 days: **1**"]);
        bot.finish().await;
    }

    /// Suggestions: what was typed in its normal form, then common values.
    async fn durations_are_completed(bot: Bot) {
        let stage = Stage::build(&bot).await;
        for (typed, first) in [("90m", "1h 30m"), ("", "10m"), ("5", "5m")] {
            let options = json!({ "after": typed });
            let choices = stage.discord.autocomplete(stage.mona, stage.lobby, "vanish set", options, "after").await;
            assert_eq!(choices.first().map(|choice| choice.name.as_str()), Some(first), "{typed}");
            assert!(choices.len() <= 25);
        }
        let options = json!({ "for": "x" });
        let none = stage.discord.autocomplete(stage.mona, stage.lobby, "vanish pause", options, "for").await;
        assert!(none.is_empty());
        bot.finish().await;
    }
}

/// The preview stops reading at its limit and says so.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_preview_reads_no_more_than_its_limit() {
    let settings = [("GUILDHALL_VANISH__PREVIEW_MESSAGES_MAX", "150")];
    let bot = Bot::start_with(crate::harness::Database::Sqlite, &settings).await.expect("SQLite is built in");
    let stage = Stage::build(&bot).await;
    stage.seed(300, stage.discord.now() - TimeDelta::days(2));
    stage.discord.clear_journal();
    let options = json!({ "after": "1h", "backlog": EVERYTHING });
    let shown = stage.run(stage.mona, "set", options).reply().await;
    assert_says(&shown, &["under 14 days: more than **150**", "stopped counting after 150"]);
    assert_eq!(stage.discord.count("GET", "/channels/{channel}/messages"), 2);
    bot.finish().await;
}

/// While the store is stalled the first answer leaves in time; the result follows, once (D40).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stalled_store_delays_the_result_not_the_answer() {
    let bot = Bot::start(crate::harness::Database::Sqlite).await.expect("SQLite is built in");
    let stage = Stage::build(&bot).await;
    stage.set(json!({ "after": "1h" })).await;
    let preview = stage.run(stage.mona, "set", json!({ "after": "2h" }));
    preview.reply().await;
    bot.drain().await;
    let domain = bot.running().app().domain().clone();
    let stall = tokio::spawn(async move {
        domain
            .store()
            .write((), |_, ()| {
                Box::pin(async {
                    pause(Duration::from_secs(6)).await;
                    Ok::<_, guildhall::domain::Error>(())
                })
            })
            .await
    });
    pause(Duration::from_millis(200)).await;
    stage.discord.clear_journal();
    let paused = stage.run(stage.mona, "pause", json!({}));
    let applied = stage.discord.press_label(stage.mona, &preview, "Apply");
    let kinds = [(&paused, 5), (&applied, 6)];
    for (interaction, kind) in kinds {
        let first = interaction.first_callback().await;
        assert_eq!(first.kind, kind);
        assert!(first.after < Duration::from_millis(2_900), "{:?}", first.after);
    }
    assert_says(&paused.reply_within(Duration::from_secs(12)).await, &["⏸️"]);
    let said = |message: &fake_discord::FakeMessage| message.text().contains("✅ The rule is set");
    applied.wait_for_within(Duration::from_secs(12), said).await;
    assert_eq!(stage.discord.count("POST", "/interactions/{interaction}/{token}/callback"), 2);
    stall.await.expect("the stall ends").expect("it does no harm");
    bot.finish().await;
}
