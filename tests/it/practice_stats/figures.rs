//! Figures: each period, each kind of time, picture, text and file.

use chrono::TimeDelta;
use entity::practice_session::SessionSource;
use fake_discord::FakeMessage;
use serde_json::{Value, json};

use super::{ALL, CUSTOM, DAY, MONTH, Stage, WEEK, YEAR, assert_says, menu};
use crate::{harness::Bot, on_both_stores};

/// The picture of a card is whole, and says and shows what stands beside it.
#[track_caller]
fn assert_pictured(stage: &Stage, card: &FakeMessage, numbers: &[&str]) {
    let picture = card.attachments.first().expect("a picture");
    assert_eq!(card.attachments.len(), 1, "an older picture stays");
    assert_eq!(card.embeds[0]["image"]["url"], "attachment://practice.png");
    let bytes = stage.discord.file(picture).expect("it was sent");
    let reader = png::Decoder::new(std::io::Cursor::new(bytes)).read_info().expect("a PNG");
    assert_eq!((reader.info().width, reader.info().height), (800, 420));
    let description = picture["description"].as_str().expect("words for those who do not see it");
    for number in numbers {
        assert!(description.contains(number), "{number:?} is missing in {description:?}");
        assert!(card.text().contains(number), "{number:?} is missing in:\n{}", card.text());
    }
}

/// Ten minutes on Sunday the 22nd, twenty in a voice channel on Monday, thirty of scales on Tuesday, which is today.
async fn three_days(bot: &Bot, stage: &Stage) {
    stage.practise(bot, stage.ada, 600, None).await;
    bot.advance(TimeDelta::days(1) - TimeDelta::seconds(600));
    stage.begin(bot, stage.ada, SessionSource::Voice, None).await;
    bot.live_through(TimeDelta::minutes(20), TimeDelta::seconds(60)).await;
    stage.end(bot, stage.ada).await;
    bot.advance(TimeDelta::days(1) - TimeDelta::minutes(20));
    stage.practise(bot, stage.ada, 1_800, Some("scales")).await;
}

on_both_stores! {
    /// Day, week, month, year, all time and any two dates agree with each other and with what HTTP says.
    async fn periods_agree_with_each_other_and_with_http(bot: Bot) {
        let stage = Stage::build(&bot).await;
        let nothing = stage.stats(stage.ada, json!({ "period": WEEK })).await;
        assert_says(&nothing, &["Nothing was practised in this time", "**0s**"]);
        assert!(nothing.attachments.is_empty() && nothing.is_ephemeral());
        three_days(&bot, &stage).await;
        let all = ["Sun 22 Nov: 10m", "Mon 23 Nov: 20m", "Tue 24 Nov: 30m"];
        for (period, total, numbers) in [
            (DAY, "**30m**", &all[..]),
            (WEEK, "**50m**", &all[1..]),
            (MONTH, "**1h**", &all[..]),
            (YEAR, "**1h**", &["Nov 2026: 1h"][..]),
            (ALL, "**1h**", &all[..]),
        ] {
            let card = stage.stats(stage.ada, json!({ "period": period })).await;
            assert_says(&card, &[total, "3 (longest 3)", "Rank\n#1"]);
            assert_pictured(&stage, &card, numbers);
        }
        let custom = json!({ "period": CUSTOM, "from": "2026-11-22", "to": "2026-11-23" });
        let card = stage.stats(stage.ada, custom).await;
        assert_says(&card, &["22 to 23 Nov 2026", "**30m**"]);
        assert_pictured(&stage, &card, &all[..2]);

        let of = async |period: &str| {
            let path = format!("/api/sessions/practice/stats/{period}/discord/{}?guildId={}", stage.ada, stage.guild);
            bot.get(&path).await.body
        };
        let sum = |days: &Value| days.as_object().expect("days").values().filter_map(Value::as_i64).sum::<i64>();
        assert_eq!(of("daily").await["totalDuration"], 1_800);
        let week = of("weekly").await;
        assert_eq!((&week["2026-11-22"], &week["2026-11-23"], &week["2026-11-24"]), (&json!(600), &json!(1_200), &json!(1_800)));
        assert_eq!((sum(&week), sum(&of("monthly").await)), (3_600, 3_600));
        for wrong in [
            json!({ "period": CUSTOM, "from": "2026-11-22" }),
            json!({ "period": CUSTOM, "from": "22.11.26", "to": "2026-11-23" }),
            json!({ "period": CUSTOM, "from": "2026-11-23", "to": "2026-11-22" }),
            json!({ "period": CUSTOM, "from": "1000-01-01", "to": "9999-12-31" }),
            json!({ "period": WEEK, "from": "2026-11-22" }),
        ] {
            assert_says(&stage.stats(stage.ada, wrong).await, &["E-INPUT"]);
        }
        bot.finish().await;
    }

    /// Voice, timers and one activity are parts of the whole; the buttons lead through time, also after a restart.
    async fn a_card_is_turned_and_filtered(bot: Bot) {
        let mut bot = bot;
        let stage = Stage::build(&bot).await;
        three_days(&bot, &stage).await;
        let scales = stage.stats(stage.ada, json!({ "period": MONTH, "activity": "scales" })).await;
        assert_says(&scales, &["activity **scales**", "**30m**"]);
        assert_pictured(&stage, &scales, &["Tue 24 Nov: 30m"]);
        assert!(!scales.text().contains("Mon 23"));
        let offered = stage.discord.autocomplete(stage.ada, stage.chat, "practice stats", json!({ "period": MONTH, "activity": "SC" }), "activity").await;
        assert_eq!(offered.iter().map(|choice| choice.name.as_str()).collect::<Vec<_>>(), ["scales"]);

        let asked = stage.run(stage.ada, "practice stats", json!({ "period": WEEK }));
        let week = asked.reply().await;
        assert_says(&week, &["23 to 29 Nov 2026", "This week"]);
        let metric = |message: &FakeMessage| menu(message, "stats_metric");
        let voice = stage.discord.select(stage.ada, &asked, &metric(&week), &["v"]).reply().await;
        assert_says(&voice, &["in voice channels", "**20m**"]);
        let timer = stage.discord.select(stage.ada, &voice, &metric(&voice), &["t"]).reply().await;
        assert_says(&timer, &["by timer", "**30m**"]);
        assert_pictured(&stage, &timer, &["Tue 24 Nov: 30m"]);
        let back = stage.discord.press_label(stage.ada, &timer, "◀").reply().await;
        assert_says(&back, &["by timer", "16 to 22 Nov 2026", "**10m**"]);
        bot.restart().await;
        let on = stage.discord.press_label(stage.ada, &back, "▶").reply().await;
        assert_says(&on, &["23 to 29 Nov 2026", "**30m**"]);
        let month = stage.discord.select(stage.ada, &on, &menu(&on, "stats_period"), &["m"]).reply().await;
        assert_says(&month, &["by timer", "1 to 30 Nov 2026", "**40m**"]);
        let older = stage.discord.press_label(stage.ada, &month, "◀").reply().await;
        assert_says(&older, &["1 to 31 Oct 2026", "Nothing was practised"]);
        assert!(older.attachments.is_empty(), "the picture of another month is still there");
        let now = stage.discord.press_label(stage.ada, &older, "This month").reply().await;
        assert_says(&now, &["1 to 30 Nov 2026", "**40m**"]);
        bot.finish().await;
    }

    /// What runs counts as far as it was observed, and is shown beside.
    async fn what_runs_is_shown_and_counted(bot: Bot) {
        let stage = Stage::build(&bot).await;
        stage.begin(&bot, stage.ada, SessionSource::Command, Some("etudes")).await;
        bot.live_through(TimeDelta::minutes(5), TimeDelta::seconds(60)).await;
        let card = stage.stats(stage.ada, json!({ "period": DAY })).await;
        assert_says(&card, &["**5m**", "Running now", "5m counted, begun <t:"]);
        assert_pictured(&stage, &card, &["Sun 22 Nov: 5m"]);
        let etudes = stage.stats(stage.ada, json!({ "period": DAY, "activity": "etudes" })).await;
        assert_says(&etudes, &["**5m**"]);
        bot.finish().await;
    }

    /// [CSV] is one's own sessions of that time, whole, and harmless in a spreadsheet.
    async fn own_sessions_come_as_a_file(bot: Bot) {
        let stage = Stage::build(&bot).await;
        three_days(&bot, &stage).await;
        stage.practise(&bot, stage.ada, 60, Some("=1+1")).await;
        let asked = stage.run(stage.ada, "practice stats", json!({ "period": WEEK }));
        let week = asked.reply().await;
        let file = stage.discord.press_label(stage.ada, &asked, "CSV").reply().await;
        assert_says(&file, &["3 ended sessions of yours that began 23 to 29 Nov 2026", "practice.csv"]);
        assert!(file.is_ephemeral() && file.id != week.id);
        let bytes = stage.discord.file(&file.attachments[0]).expect("it was sent");
        let text = String::from_utf8(bytes).expect("text");
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 4, "{text}");
        assert_eq!(lines[0], "session,server,source,started,ended,seconds,activity,note");
        assert!(lines[1].contains(&format!(",{},voice,2026-11-23T12:00:00Z,2026-11-23T12:20:00Z,1200,,", stage.guild)), "{text}");
        assert!(lines[2].ends_with(",1800,scales,"), "{text}");
        assert!(lines[3].ends_with(",60,\"'=1+1\","), "{text}");
        let of_bob = stage.stats(stage.ada, json!({ "period": WEEK, "user": stage.bob.to_string() })).await;
        assert!(!of_bob.buttons().iter().any(|button| button.label == "CSV"), "the file of somebody else is offered");
        bot.finish().await;
    }
}
