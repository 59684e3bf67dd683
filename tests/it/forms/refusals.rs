//! Who may not apply, and what they are told.

use chrono::TimeDelta;
use entity::id::RoleId;
use guildhall::domain::form::{self, EligibilityChange, FormChange};
use serde_json::json;

use super::{Hall, assert_says, root};
use crate::{harness::Bot, on_both_stores};

const DAY: i64 = 86_400;

async fn rule(bot: &Bot, hall: &Hall, eligibility: EligibilityChange) {
    let view = hall.view(bot, "staff").await;
    let change = FormChange::Rules { policy: Box::default(), eligibility };
    let place = (hall.guild_id(), view.id);
    form::change_form(bot.running().app().domain(), &root(), place, change).await.expect("a rule in bounds");
}

on_both_stores! {
    /// Roles, age of the account, time in the server: each reason is told, with the moment when it ends.
    async fn each_reason_is_told(bot: Bot) {
        let hall = Hall::of(&bot).await;
        hall.form("Staff", &["Why?"]).await;
        let [friends, muted] = ["Friends", "Muted"].map(|name| hall.discord.add_role(hall.guild, name, 0));
        let role = |id| RoleId::new(id).expect("not zero");
        let now = hall.discord.now();
        rule(&bot, &hall, EligibilityChange {
            required_roles: Some([role(friends)].into()),
            blocked_roles: Some([role(muted)].into()),
            account_age_seconds: Some(3 * DAY),
            membership_seconds: Some(DAY),
            ..EligibilityChange::default()
        }).await;
        hall.discord.give_role(hall.guild, hall.ann, muted);
        let shown = hall.apply(hall.ann, "staff").await;
        let account = now + TimeDelta::days(3);
        assert_says(&shown.text(), &[
            "You cannot apply at the moment",
            &format!("for people who have the role <@&{friends}>"),
            &format!("not for people who have the role <@&{muted}>"),
            &format!("old enough <t:{}:R>", account.timestamp()),
            "not been in this server long enough",
        ]);
        assert!(shown.buttons().is_empty(), "{:?}", shown.buttons());
        hall.discord.take_role(hall.guild, hall.ann, muted);
        hall.discord.give_role(hall.guild, hall.ann, friends);
        bot.advance(TimeDelta::days(1) + TimeDelta::seconds(1));
        let shown = hall.apply(hall.ann, "staff").await.text();
        assert!(shown.contains("old enough") && !shown.contains("long enough"), "{shown}");
        bot.advance(TimeDelta::days(2));
        assert_says(&hall.apply(hall.ann, "staff").await.text(), &["✅ You can apply"]);
        // What is asked for in `/forms show` is what holds.
        assert_says(&hall.forms("show", json!({ "form": "staff" })).await, &[
            "account at least 3d old", "here for at least 1d", &format!("with <@&{friends}>"), &format!("without <@&{muted}>"),
        ]);
        bot.finish().await;
    }

    /// A form that closes in the middle of it all lets nobody send, and keeps what was written.
    async fn a_closed_form_takes_nothing(bot: Bot) {
        let hall = Hall::of(&bot).await;
        hall.form("Staff", &["Why?"]).await;
        let shown = hall.apply(hall.ann, "staff").await;
        let done = hall.fill(hall.ann, &shown, "Start", &[("Why?", "Because")]).await;
        assert_says(&hall.forms("close", json!({ "form": "staff" })).await, &["✅ Closed", "⚪"]);
        let sent = hall.discord.press_label(hall.ann, &done, "Submit");
        assert_says(&sent.reply().await.text(), &["This form is closed", "E-STATE"]);
        let page = hall.discord.press_label(hall.ann, &done, "◀ Back");
        assert_says(&page.reply().await.text(), &["This form is closed", "E-STATE"]);
        assert_says(&hall.apply(hall.ann, "staff").await.text(), &["This form is closed", "✅ **Why?** Because"]);
        assert!(hall.discord.autocomplete(hall.ann, hall.chat, "apply", json!({ "form": "" }), "form").await.is_empty());
        assert_says(&hall.says(hall.ann, "apply", json!({})).await, &["No form of this server takes applications"]);
        assert_says(&hall.says(hall.ann, "apply", json!({ "form": "nope" })).await, &["no such form", "E-GONE"]);
        hall.forms("open", json!({ "form": "staff" })).await;
        // With one open form its name may be left out; with two there is a choice.
        assert_says(&hall.says(hall.ann, "apply", json!({})).await, &["✅ **Why?** Because"]);
        hall.form("Guests", &["Who?"]).await;
        let choice = hall.run(hall.ann, "apply", json!({})).await;
        let guests = hall.view(&bot, "guests").await.id.to_string();
        let chosen = hall.discord.select(hall.ann, &choice, "v1|apply|begin", &[&guests]);
        assert_says(&chosen.reply().await.text(), &["▫️ **Who?**"]);
        bot.finish().await;
    }
}
