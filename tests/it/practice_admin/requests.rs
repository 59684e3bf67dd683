//! `/practice-admin queue`, `adjust` and `season`.

use chrono::TimeDelta;
use guildhall::domain::practice::{self, Dates, Person};
use serde_json::json;

use super::{Hall, ROOT, account, assert_says, entry};
use crate::on_both_stores;

on_both_stores! {
    /// Ten clicks at once decide a request once; what is rejected counts nothing.
    async fn a_request_is_decided_once(bot: Bot) {
        let hall = Hall::of(&bot).await;
        let ada = hall.discord.add_member(hall.guild, "ada");
        assert_says(&hall.says("practice-admin queue", json!({})).await, &["Nothing waits"]);
        for from in ["2026-11-22T08:00:00Z", "2026-11-22T10:00:00Z"] {
            let filed = practice::log(&hall.domain, &hall.member(ada).await, entry(&hall, ada, from, 30)).await;
            assert!(!filed.expect("it is filed").is_accepted());
        }
        let mut shown = Vec::new();
        for _ in 0..10 {
            let one = hall.run("practice-admin queue", json!({})).await;
            assert_says(&one.text(), &["2 requests wait", &format!("<@{ada}>"), "+30m", "by \\*\\*ear\\*\\*"]);
            shown.push(one);
        }
        let clicks: Vec<_> =
            shown.iter().map(|one| hall.discord.press_label(hall.owner, one, "Approve")).collect();
        let mut said = Vec::new();
        for click in &clicks {
            said.push(click.reply().await.text());
        }
        assert_eq!(said.iter().filter(|said| said.contains("✅ Approved: +30m")).count(), 1, "{said:?}");
        assert_eq!(said.iter().filter(|said| said.contains("decided already")).count(), 9, "{said:?}");
        assert_eq!(hall.counted().await, 1_800);

        let left = hall.run("practice-admin queue", json!({})).await;
        assert_says(&left.text(), &["1 request waits"]);
        let form = hall.discord.press_label(hall.owner, &left, "Reject…");
        form.modal().await;
        let sent = hall.discord.submit_modal(hall.owner, &form, json!({ "reason": "nobody saw it" }));
        assert_says(&sent.reply().await.text(), &["⛔ Rejected", "Nothing else waits"]);
        assert_eq!(hall.counted().await, 1_800);
        bot.finish().await;
    }

    /// Who has the role of reviewers decides about others, and about nothing else.
    async fn reviewers_decide_about_others(bot: Bot) {
        let hall = Hall::of(&bot).await;
        let [ada, rex] = ["ada", "rex"].map(|name| hall.discord.add_member(hall.guild, name));
        let role = hall.discord.add_role(hall.guild, "jury", 0);
        hall.discord.give_role(hall.guild, rex, role);
        hall.discord.command_as_admin_override(true);
        let given = json!({ "kind": 0, "role": role.to_string() });
        assert_says(&hall.says("settings role set", given).await, &["is `reviewer` now"]);
        for (user, hour) in [(rex, "08"), (ada, "09")] {
            let new = entry(&hall, user, &format!("2026-11-22T{hour}:00:00Z"), 20);
            practice::log(&hall.domain, &hall.member(user).await, new).await.expect("it is filed");
            bot.advance(TimeDelta::seconds(1));
        }
        let shown = hall.run_as(rex, "practice-admin queue", json!({})).await;
        let own = hall.discord.press_label(rex, &shown, "Approve").reply().await.text();
        assert_says(&own, &["is your own", "E-PERM-USER"]);
        let next = hall.discord.press_label(rex, &shown, "Later ▶");
        assert_says(&next.reply().await.text(), &[&format!("<@{ada}>")]);
        assert_says(&hall.discord.press_label(rex, &next, "Approve").reply().await.text(), &["✅ Approved"]);
        assert_eq!(hall.counted().await, 1_200);
        let rules = hall.run_as(rex, "practice-admin rules", json!({ "muted": false })).await.text();
        assert_says(&rules, &["E-PERM-USER"]);
        bot.finish().await;
    }

    /// An adjustment is in every sum.
    async fn adjustments_change_all_sums(bot: Bot) {
        let hall = Hall::of(&bot).await;
        let ada = hall.discord.add_member(hall.guild, "ada");
        let sums = async || {
            let (person, guild) = (Person::Discord(account(ada)), Some(hall.guild_id()));
            let day = practice::today(&hall.domain, &ROOT, person, guild).await.expect("seconds");
            let week = practice::week(&hall.domain, &ROOT, person, guild).await.expect("days");
            let month = practice::month(&hall.domain, &ROOT, person, guild).await.expect("days");
            let today = Dates::day(hall.domain.now().date_naive());
            let days = practice::by_day(&hall.domain, &ROOT, (person, guild), today).await.expect("days");
            let total = practice::total_seconds(&hall.domain, &ROOT, guild).await.expect("seconds");
            let all = [day, week.values().sum(), month.values().sum(), days.values().sum(), total, hall.counted().await];
            assert!(all.iter().all(|one| *one == all[0]), "{all:?}");
            all[0]
        };
        let adjust = async |delta: &str| {
            let options = json!({ "user": ada.to_string(), "delta": delta, "reason": "the clock stood" });
            hall.says("practice-admin adjust", options).await
        };
        assert_says(&adjust("+1h30").await, &["✅ +1h 30m", &format!("<@{ada}>")]);
        assert_eq!(sums().await, 5_400);
        assert_says(&adjust("-30m").await, &["✅ −30m"]);
        assert_eq!(sums().await, 3_600);
        assert_says(&adjust("-2h").await, &["There are only 3600 seconds", "E-STATE"]);
        assert_says(&adjust("a lot").await, &["is no time to add or take", "E-INPUT"]);
        assert_eq!(sums().await, 3_600);
        bot.finish().await;
    }

    /// A server has one season at a time.
    async fn seasons_begin_and_end(bot: Bot) {
        let hall = Hall::of(&bot).await;
        let start = async || hall.says("practice-admin season start", json!({ "name": "*Winter*" })).await;
        assert_says(&start().await, &["✅", "\\*Winter\\*", "2026-11-22"]);
        assert_says(&start().await, &["A season runs already", "E-STATE"]);
        assert_says(&hall.says("practice-admin season end", json!({})).await, &["🏁", "2026-11-22 to 2026-11-22"]);
        assert_says(&hall.says("practice-admin season end", json!({})).await, &["No season runs"]);
        bot.finish().await;
    }
}
