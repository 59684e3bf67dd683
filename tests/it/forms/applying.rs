//! From [Start] to the last page: pages, menus, drafts, restarts.

use chrono::TimeDelta;
use serde_json::json;

use super::{Hall, assert_says, fields};
use crate::on_both_stores;

pub const SEVEN: [&str; 7] = ["One", "Two", "Three", "Four", "Five", "Six", "Seven"];
pub const FIRST: [(&str, &str); 5] = [("One", "1"), ("Two", "2"), ("Three", "3"), ("Four", "4"), ("Five", "5")];

on_both_stores! {
    /// Seven questions take two pages; what was written survives a restart between them, and days of rest.
    async fn answers_are_kept_from_page_to_page(bot: Bot) {
        let mut bot = bot;
        let hall = Hall::of(&bot).await;
        hall.form("Staff", &SEVEN).await;
        let shown = hall.apply(hall.ann, "staff").await;
        assert_says(&shown.text(), &["Read me", "▫️ **One**", "✅ You can apply", "page 1 of 2"]);
        assert_eq!(shown.buttons().len(), 1, "nothing but [Start]: {:?}", shown.buttons());
        let opened = hall.discord.press_label(hall.ann, &shown, "Start");
        assert_eq!(fields(&opened.modal().await).len(), 5);
        let after = hall.fill(hall.ann, &shown, "Start", &FIRST).await;
        assert_says(&after.text(), &["✅ **Five** 5", "▫️ **Six**", "page 2 of 2"]);
        assert!(after.buttons().iter().any(|button| button.label == "Submit" && button.disabled));
        bot.restart().await;
        let opened = hall.discord.press_label(hall.ann, &after, "◀ Back");
        let kept: Vec<_> = fields(&opened.modal().await).into_iter().map(|field| field.value).collect();
        assert_eq!(kept, ["1", "2", "3", "4", "5"]);
        let kept = hall.discord.press_label(hall.ann, &after, "Save draft");
        assert_says(&kept.reply().await.text(), &["are kept until"]);
        bot.advance(TimeDelta::days(6));
        let again = hall.apply(hall.ann, "staff").await;
        assert_says(&again.text(), &["✅ **One** 1", "page 2 of 2"]);
        let done = hall.fill(hall.ann, &again, "Next page", &[("Six", "6"), ("Seven", "7")]).await;
        assert_says(&done.text(), &["✅ **Seven** 7", "all pages"]);
        assert!(done.buttons().iter().any(|button| button.label == "Submit" && !button.disabled));
        // Nobody else sees any of it.
        assert_says(&hall.apply(hall.ben, "staff").await.text(), &["▫️ **One**", "page 1 of 2"]);
        bot.finish().await;
    }

    /// Choices are made in menus of the message, between the pages of texts.
    async fn choices_are_made_between_the_pages(bot: Bot) {
        let hall = Hall::of(&bot).await;
        hall.form("Staff", &["Why?"]).await;
        hall.forms("question add", json!({ "form": "staff", "label": "Team", "choices": "Red | Green" })).await;
        let colour = json!({ "form": "staff", "label": "Colour", "choices": "Blue", "required": false });
        hall.forms("question add", colour).await;
        hall.forms("question add", json!({ "form": "staff", "label": "Anything else?", "required": false })).await;
        let view = hall.view(&bot, "staff").await;
        let menu = |index: usize| format!("v1|apply|choose|{}|{}", view.id, view.config.questions[index].id);
        let shown = hall.apply(hall.ann, "staff").await;
        let after = hall.fill(hall.ann, &shown, "Start", &[("Why?", "Because")]).await;
        assert_says(&after.text(), &["page 2 of 3", "▫️ **Team**"]);
        let chosen = hall.discord.select(hall.ann, &after, &menu(1), &["Green"]);
        assert_says(&chosen.reply().await.text(), &["✅ **Team** Green", "page 2 of 3"]);
        let chosen = hall.discord.select(hall.ann, &chosen, &menu(2), &["Blue"]);
        assert_says(&chosen.reply().await.text(), &["✅ **Colour** Blue"]);
        // What is optional can be taken back.
        let chosen = hall.discord.select(hall.ann, &chosen, &menu(2), &[]);
        assert_says(&chosen.reply().await.text(), &["▫️ **Colour** (optional)"]);
        assert!(chosen.buttons().iter().any(|button| button.label == "Submit" && !button.disabled));
        let done = hall.fill(hall.ann, &chosen, "Next page", &[]).await;
        assert_says(&done.text(), &["all pages", "▫️ **Anything else?** (optional)"]);
        let back = hall.discord.press_label(hall.ann, &done, "◀ Back");
        assert_eq!(fields(&back.modal().await).len(), 1);
        bot.finish().await;
    }

    /// A draft can be thrown away, and is forgotten after seven days without a sign.
    async fn a_draft_ends(bot: Bot) {
        let hall = Hall::of(&bot).await;
        hall.form("Staff", &["Why?", "Who?"]).await;
        let shown = hall.apply(hall.ann, "staff").await;
        let after = hall.fill(hall.ann, &shown, "Start", &[("Why?", "Because"), ("Who?", "Me")]).await;
        let gone = hall.discord.press_label(hall.ann, &after, "Discard");
        assert_says(&gone.reply().await.text(), &["Your draft is gone"]);
        let shown = hall.apply(hall.ann, "staff").await;
        assert_says(&shown.text(), &["▫️ **Why?**"]);
        let after = hall.fill(hall.ann, &shown, "Start", &[("Why?", "Because"), ("Who?", "Me")]).await;
        bot.advance(TimeDelta::days(7));
        bot.drain().await;
        let late = hall.discord.press_label(hall.ann, &after, "Submit");
        assert_says(&late.reply().await.text(), &["There is no draft of this form", "E-GONE"]);
        assert_says(&hall.apply(hall.ann, "staff").await.text(), &["▫️ **Why?**", "page 1 of 1"]);
        bot.finish().await;
    }

    /// A question that is taken out in the middle of it all is not asked for any more.
    async fn a_form_may_change_meanwhile(bot: Bot) {
        let hall = Hall::of(&bot).await;
        hall.form("Staff", &["Why?", "Who?"]).await;
        let shown = hall.apply(hall.ann, "staff").await;
        let opened = hall.discord.press_label(hall.ann, &shown, "Start");
        let all = fields(&opened.modal().await);
        let asked = hall.run(hall.mona, "forms question remove", json!({ "form": "staff", "question": "Who?" })).await;
        hall.discord.press_label(hall.mona, &asked, "Remove").reply().await;
        let values = json!({ all[0].id.as_str(): "Because", all[1].id.as_str(): "Me" });
        let sent = hall.discord.submit_modal(hall.ann, &opened, values);
        let text = sent.reply().await.text();
        assert!(text.contains("✅ **Why?** Because") && !text.contains("Who?"), "{text}");
        bot.finish().await;
    }
}
