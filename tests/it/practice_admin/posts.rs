//! Boards on schedule: on time over a change of the clocks, once, and never lost in silence.

use chrono::TimeDelta;
use guildhall::domain::practice;
use serde_json::json;

use super::{Hall, assert_says, at};
use crate::{harness::Bot, on_both_stores};

/// A server in Berlin on the day before summer time begins.
async fn berlin(bot: &Bot) -> Hall {
    let hall = Hall::of(bot).await;
    bot.advance(at("2027-03-27T12:00:00Z") - hall.domain.now());
    assert_says(&hall.says("settings general", json!({ "timezone": "Europe/Berlin" })).await, &["Europe/Berlin"]);
    hall
}

fn boards(hall: &Hall) -> Vec<String> {
    hall.discord
        .messages(hall.staff)
        .iter()
        .map(fake_discord::FakeMessage::text)
        .filter(|text| text.contains("🏆"))
        .collect()
}

on_both_stores! {
    /// 02:30 is skipped that night: the board of the day before comes at 03:00, without those who have left or hide.
    async fn a_board_comes_when_the_clock_on_the_wall_says_so(bot: Bot) {
        let hall = berlin(&bot).await;
        hall.lead("practice", hall.staff).await;
        let [ada, ben, cas, dot] = ["ada", "ben", "cas", "dot"].map(|name| hall.discord.add_member(hall.guild, name));
        for (user, minutes) in [(ada, 60), (ben, 90), (cas, 30), (dot, 120)] {
            hall.practised(user, "2027-03-27T08:00:00Z", minutes).await;
        }
        hall.discord.remove_member(hall.guild, ben);
        hall.discord.command_as_admin_override(true);
        hall.run_as(dot, "my profile", json!({ "privacy": 2 })).await;
        let said = hall.says("practice-admin post", json!({ "period": 0, "when": "02:30" })).await;
        let due = at("2027-03-28T01:00:00Z");
        assert_says(&said, &["✅ Saved", &format!("<t:{}:f>", due.timestamp()), "**daily** at 02:30 into `practice`"]);
        bot.advance(due - hall.domain.now() - TimeDelta::seconds(1));
        bot.drain().await;
        assert!(boards(&hall).is_empty());
        bot.advance(TimeDelta::seconds(1));
        bot.drain().await;
        let expected = format!("🏆 **Practice, 27 March 2027**\n**1.** <@{ada}> · 1h 00m\n**2.** <@{cas}> · 0h 30m");
        assert_eq!(boards(&hall), [expected]);
        // The next day 02:30 is there again.
        bot.advance(at("2027-03-29T00:29:59Z") - hall.domain.now());
        bot.drain().await;
        assert_eq!(boards(&hall).len(), 1);
        bot.advance(TimeDelta::seconds(1));
        bot.drain().await;
        assert_says(&boards(&hall)[1], &["28 March 2027", "Nobody practised"]);
        bot.finish().await;
    }

    /// After five days away one board is made up, the newest, also by two processes that look at once.
    async fn missed_boards_are_made_up_once(bot: Bot) {
        let mut bot = bot;
        let mut hall = berlin(&bot).await;
        hall.lead("practice", hall.staff).await;
        hall.says("practice-admin post", json!({ "period": 0, "when": "09:00" })).await;
        bot.stop().await;
        bot.advance(at("2027-04-01T06:00:00Z") - hall.domain.now());
        bot.start_again().await;
        let beside = bot.start_beside().await;
        hall.domain = bot.running().app().domain().clone();
        let mut looks = tokio::task::JoinSet::new();
        for domain in [&hall.domain, beside.app().domain()] {
            for _ in 0..4 {
                let domain = domain.clone();
                looks.spawn(async move { practice::due_posts(&domain, 10).await.expect("the store answers") });
            }
        }
        assert!(looks.join_all().await.into_iter().sum::<usize>() <= 1);
        bot.drain().await;
        let seen = boards(&hall);
        assert_eq!(seen.len(), 1, "{seen:?}");
        assert_says(&seen[0], &["30 March 2027"]);
        bot.advance(at("2027-04-01T07:00:00Z") - hall.domain.now());
        bot.drain().await;
        assert_says(&boards(&hall)[1], &["31 March 2027"]);
        assert_eq!(boards(&hall).len(), 2);
        assert!(beside.stop().await);
        bot.finish().await;
    }

    /// A board without a channel is told to the alerts, and the doctor names it.
    async fn a_board_that_has_nowhere_to_go_is_told(bot: Bot) {
        let hall = berlin(&bot).await;
        hall.lead("alerts", hall.staff).await;
        let said = hall.says("practice-admin post", json!({ "period": 1, "when": "9:00" })).await;
        assert_says(&said, &["The slot `practice` leads to no channel"]);
        // The last Monday's 09:00 is over; the next one is in summer time.
        bot.advance(at("2027-03-29T07:00:00Z") - hall.domain.now());
        bot.drain().await;
        let lost = "weekly board of practice was not posted";
        hall.discord.wait_message(hall.staff, |message| message.text().contains(lost)).await;
        assert_says(&hall.says("settings doctor", json!({})).await, &["❌ The weekly practice board", "leads to no channel"]);
        hall.lead("practice", hall.staff).await;
        bot.advance(TimeDelta::days(7));
        bot.drain().await;
        assert_says(&boards(&hall).concat(), &["29 March 2027 to 4 April 2027"]);
        let shown = hall.says("practice-admin post", json!({})).await;
        assert!(shown.contains("weekly") && !shown.contains('❌'), "{shown}");
        assert_says(&hall.says("practice-admin post", json!({ "period": 1, "when": "off" })).await, &["✅ No more weekly"]);
        assert_says(&hall.says("practice-admin post", json!({ "period": 1, "when": "25:00" })).await, &["is not a time of day"]);
        assert_says(&hall.says("practice-admin post", json!({ "period": 1 })).await, &["the period and the time of day"]);
        let voice = json!({ "period": 1, "slot": "voice", "when": "09:00" });
        assert_says(&hall.says("practice-admin post", voice).await, &["holds no text channel", "E-INPUT"]);
        bot.finish().await;
    }
}
