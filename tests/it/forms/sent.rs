//! What was sent: numbers, `/my applications`, other answers, withdrawing.

use chrono::TimeDelta;
use entity::application_vote::VoteChoice;
use guildhall::domain::application::{self, NewVote};
use serde_json::json;

use super::{
    Hall,
    applying::{FIRST, SEVEN},
    assert_says, fields, root,
};
use crate::on_both_stores;

/// Somebody answers all of a form and sends it.
async fn send(hall: &Hall, who: u64, name: &str, answers: &[(&str, &str)]) -> String {
    let shown = hall.apply(who, name).await;
    let done = hall.fill(who, &shown, "Start", answers).await;
    hall.discord.press_label(who, &done, "Submit").reply().await.text()
}

on_both_stores! {
    /// Seven answers over two pages become one application, which its applicant sees, changes and takes back.
    async fn an_application_is_sent_changed_and_withdrawn(bot: Bot) {
        let mut bot = bot;
        let hall = Hall::of(&bot).await;
        hall.form("Staff", &SEVEN).await;
        assert_says(&hall.says(hall.ann, "my applications", json!({})).await, &["not applied for anything yet"]);
        let shown = hall.apply(hall.ann, "staff").await;
        let after = hall.fill(hall.ann, &shown, "Start", &FIRST).await;
        let done = hall.fill(hall.ann, &after, "Next page", &[("Six", "**6**"), ("Seven", "7")]).await;
        let sent = hall.discord.press_label(hall.ann, &done, "Submit");
        assert_says(&sent.reply().await.text(), &["number **#1**", "my applications"]);
        bot.restart().await;
        let mine = hall.run(hall.ann, "my applications", json!({})).await;
        assert_says(&mine.text(), &["⏳ **#1** Staff", "waits for a decision"]);
        let menu = "v1|my|application";
        let id = options(&mine)[0].clone();
        let view = hall.discord.select(hall.ann, &mine, menu, &[&id]);
        assert_says(&view.reply().await.text(), &["#1 Staff", "**One**\n1", "**Six**\n\\*\\*6\\*\\*", "the vote ends"]);

        let edit = hall.discord.press_label(hall.ann, &view, "Edit");
        assert_says(&edit.reply().await.text(), &["You change an application", "✅ **One** 1", "page 1 of 2"]);
        let opened = hall.discord.press_label(hall.ann, &edit, "Continue");
        assert_eq!(fields(&opened.modal().await)[0].value, "1");
        let edit = hall.fill(hall.ann, &edit, "Continue", &[("One", "eleven")]).await;
        let saved = hall.discord.press_label(hall.ann, &edit, "Save changes");
        assert_says(&saved.reply().await.text(), &["**#1** has its new answers"]);

        // In a direct message it is the same.
        let dm = hall.discord.dm(hall.ann);
        let mine = hall.discord.command(hall.ann, dm, "my applications", json!({}));
        assert_says(&mine.reply().await.text(), &["**#1** Staff"]);
        let view = hall.discord.select(hall.ann, &mine, menu, &[&id]);
        assert_says(&view.reply().await.text(), &["**One**\neleven", "**Seven**\n7"]);
        let edit = hall.discord.press_label(hall.ann, &view, "Edit");
        edit.reply().await;
        let edit = hall.fill(hall.ann, &edit, "Continue", &[("One", "twelve")]).await;
        hall.discord.press_label(hall.ann, &edit, "Save changes").reply().await;
        let mine = hall.discord.command(hall.ann, dm, "my applications", json!({}));
        mine.reply().await;
        let view = hall.discord.select(hall.ann, &mine, menu, &[&id]);
        assert_says(&view.reply().await.text(), &["**One**\ntwelve"]);
        let other = hall.discord.command(hall.ann, dm, "my applications", json!({}));
        other.reply().await;
        let other = hall.discord.select(hall.ann, &other, menu, &[&id]);
        other.reply().await;
        let ask = hall.discord.press_label(hall.ann, &view, "Withdraw");
        assert_says(&ask.reply().await.text(), &["Withdraw this application?"]);
        let gone = hall.discord.press_label(hall.ann, &ask, "Withdraw");
        assert_says(&gone.reply().await.text(), &["You have withdrawn **#1**", "↩️ withdrawn"]);
        assert!(gone.buttons().iter().all(|button| button.label != "Edit" && button.label != "Withdraw"));
        let late = hall.discord.press_label(hall.ann, &other, "Edit");
        assert_says(&late.reply().await.text(), &["not open any more", "E-STATE"]);
        // Nobody else sees it.
        let strange = hall.run(hall.ben, "my applications", json!({})).await;
        assert_says(&strange.text(), &["not applied for anything yet"]);
        bot.finish().await;
    }

    /// Once somebody has voted, the answers stay as they are; what was begun before is not saved any more.
    async fn answers_stay_once_somebody_has_voted(bot: Bot) {
        let hall = Hall::of(&bot).await;
        hall.form("Staff", &["Why?"]).await;
        send(&hall, hall.ann, "staff", &[("Why?", "Because")]).await;
        let mine = hall.run(hall.ann, "my applications", json!({})).await;
        let id = options(&mine)[0].clone();
        let view = hall.discord.select(hall.ann, &mine, "v1|my|application", &[&id]);
        view.reply().await;
        let edit = hall.discord.press_label(hall.ann, &view, "Edit");
        edit.reply().await;
        let edit = hall.fill(hall.ann, &edit, "Continue", &[("Why?", "Hm")]).await;
        let vote = NewVote { voter: Some("42".to_owned()), voter_name: None, choice: VoteChoice::Approve, reason: None };
        let domain = bot.running().app().domain();
        application::vote(domain, &root(), id.parse().expect("an id"), vote).await.expect("it is open");
        let saved = hall.discord.press_label(hall.ann, &edit, "Save changes");
        assert_says(&saved.reply().await.text(), &["Somebody has voted", "E-STATE"]);
        let mine = hall.run(hall.ann, "my applications", json!({})).await;
        let view = hall.discord.select(hall.ann, &mine, "v1|my|application", &[&id]);
        assert_says(&view.reply().await.text(), &["**Why?**\nBecause"]);
        let labels: Vec<_> = view.buttons().into_iter().map(|button| button.label).collect();
        assert_eq!(labels, ["◀ Applications", "Withdraw"]);
        bot.finish().await;
    }

    /// Two clicks on [Submit] at once make one application, and the next one has the next number.
    async fn a_double_click_sends_once(bot: Bot) {
        let hall = Hall::of(&bot).await;
        hall.form("Staff", &["Why?"]).await;
        let shown = hall.apply(hall.ann, "staff").await;
        let done = hall.fill(hall.ann, &shown, "Start", &[("Why?", "Because")]).await;
        let clicks: Vec<_> = (0..6).map(|_| hall.discord.press_label(hall.ann, &done, "Submit")).collect();
        let mut texts = Vec::new();
        for click in &clicks {
            texts.push(click.reply().await.text());
        }
        assert_eq!(texts.iter().filter(|text| text.contains("number **#1**")).count(), 1, "{texts:?}");
        assert_eq!(texts.iter().filter(|text| text.contains("no draft of this form")).count(), 5, "{texts:?}");
        let mine = hall.says(hall.ann, "my applications", json!({})).await;
        assert!(mine.contains("**#1**") && !mine.contains("**#2**"), "{mine}");
        assert_says(&send(&hall, hall.ben, "staff", &[("Why?", "Me too")]).await, &["number **#2**"]);
        bot.finish().await;
    }

    /// One open application, a wait after a rejection, and a block: each is told, and none lets a draft through.
    async fn who_has_had_enough_waits(bot: Bot) {
        let hall = Hall::of(&bot).await;
        hall.form("Staff", &["Why?"]).await;
        let shown = hall.apply(hall.ann, "staff").await;
        let done = hall.fill(hall.ann, &shown, "Start", &[("Why?", "Because")]).await;
        let other = hall.apply(hall.ann, "staff").await;
        assert_says(&hall.discord.press_label(hall.ann, &done, "Submit").reply().await.text(), &["#1"]);
        assert_says(&hall.apply(hall.ann, "staff").await.text(), &["You have 1 open of the 1 applications"]);
        // Nor does a page that was open in another window let them.
        let page = hall.discord.press_label(hall.ann, &other, "◀ Back");
        assert_says(&page.reply().await.text(), &["You have 1 open of the 1 applications", "E-LIMIT"]);
        let policy = json!({ "form": "staff", "max_open": 2, "cooldown": "3d", "quorum": "50% <@&7>", "threshold": "2/3" });
        let said = hall.forms("policy", policy).await;
        assert_says(&said, &["✅ Saved", "at most 2 open", "again 3d after", "at least 50 % of <@&7> vote", "two thirds say yes"]);
        assert_says(&send(&hall, hall.ann, "staff", &[("Why?", "Again")]).await, &["number **#2**"]);
        assert_says(&hall.apply(hall.ann, "staff").await.text(), &["You have 2 open of the 2 applications"]);
        assert_says(&hall.forms("policy", json!({ "form": "staff", "quorum": "many" })).await, &["is no quorum", "E-INPUT"]);
        assert_says(&hall.forms("policy", json!({ "form": "staff", "deadline": "off", "early_close": false })).await, &["E-INPUT"]);

        hall.reject(&bot, hall.ann).await;
        let until = hall.discord.now() + TimeDelta::days(3);
        let mine = hall.run(hall.ann, "my applications", json!({})).await;
        assert_says(&mine.text(), &["⛔ **#1** Staff · rejected"]);
        let view = hall.discord.select(hall.ann, &mine, "v1|my|application", &[&options(&mine)[0]]);
        assert_says(&view.reply().await.text(), &["⛔ rejected", "They wrote", "not \\*\\*yet\\*\\*"]);
        let shown = hall.apply(hall.ann, "staff").await.text();
        assert_says(&shown, &["was rejected", &format!("<t:{}:R>", until.timestamp())]);
        bot.advance(TimeDelta::days(3));
        assert_says(&hall.apply(hall.ann, "staff").await.text(), &["✅ You can apply"]);
        hall.block(&bot, hall.ann).await;
        assert_says(&hall.apply(hall.ann, "staff").await.text(), &["takes no applications from you"]);
        assert_says(&hall.apply(hall.ben, "staff").await.text(), &["✅ You can apply"]);
        bot.finish().await;
    }
}

/// The values of a message's menu.
fn options(shown: &fake_discord::Interaction) -> Vec<String> {
    let components = serde_json::to_value(&shown.message().components).expect("they are JSON");
    let rows = components.as_array().expect("rows");
    let all = rows.iter().flat_map(|row| row["components"][0]["options"].as_array().into_iter().flatten().cloned());
    all.filter_map(|option| option["value"].as_str().map(str::to_owned)).collect()
}
