//! Who sees whose figures.

use serde_json::json;

use super::{MONTH, Stage, WEEK, assert_says};
use crate::on_both_stores;

/// The choice `private` of `/my profile`.
const PRIVATE: u8 = 2;

on_both_stores! {
    /// Who is private is hidden from other members wherever figures are shown, and sees themself.
    async fn a_private_person_is_hidden_from_others_and_sees_themself(bot: Bot) {
        let stage = Stage::build(&bot).await;
        stage.practise(&bot, stage.bob, 600, None).await;
        stage.practise(&bot, stage.ada, 300, None).await;
        let of_bob = json!({ "period": WEEK, "user": stage.bob.to_string() });
        assert_says(&stage.stats(stage.ada, of_bob.clone()).await, &["**10m**", "Rank\n#1"]);
        let kept = stage.run(stage.bob, "my profile", json!({ "privacy": PRIVATE })).reply().await;
        assert_says(&kept, &["✅ Saved"]);

        let refused = stage.stats(stage.ada, of_bob.clone()).await;
        assert_says(&refused, &["keeps their practice to themself", "E-PERM-USER"]);
        assert!(refused.attachments.is_empty());
        let card = stage.discord.user_menu(stage.ada, stage.chat, "Practice card", stage.bob).reply().await;
        assert_says(&card, &["keeps their practice to themself"]);
        let own = stage.stats(stage.bob, json!({ "period": WEEK })).await;
        assert_says(&own, &["**10m**", "Rank\n#1"]);
        assert_says(&stage.stats(stage.discord.owner(stage.guild), of_bob).await, &["**10m**"]);

        let board = stage.run(stage.ada, "practice leaderboard", json!({ "period": MONTH }));
        let shown = board.reply().await;
        assert_says(&shown, &[&format!("**#1** <@{}> · 5m", stage.ada)]);
        assert!(!shown.text().contains(&stage.bob.to_string()), "{}", shown.text());
        let rank = stage.discord.press_label(stage.bob, &board, "My rank").reply().await;
        assert_says(&rank, &["You are **#1** with **10m**"]);
        assert!(rank.is_ephemeral());
        bot.finish().await;
    }

    /// A card is private unless it is shared; under a shared one everybody opens their own view.
    async fn a_card_is_private_unless_it_is_shared(bot: Bot) {
        let stage = Stage::build(&bot).await;
        stage.practise(&bot, stage.ada, 600, None).await;
        assert!(stage.stats(stage.ada, json!({ "period": WEEK })).await.is_ephemeral());
        let shared = stage.run(stage.ada, "practice stats", json!({ "period": WEEK, "share": true }));
        let card = shared.reply().await;
        assert!(!card.is_ephemeral());
        assert_says(&card, &[&format!("<@{}>", stage.ada), "**10m**", "Look closer"]);
        let closer = stage.discord.press_label(stage.bob, &shared, "Look closer").reply().await;
        assert!(closer.is_ephemeral() && closer.id != card.id);
        assert_says(&closer, &[&format!("<@{}>", stage.ada), "**10m**", "◀"]);
        bot.finish().await;
    }

    /// `/my practice` is over all servers, in a server and in direct messages; the menu of a person is for everybody.
    async fn own_practice_of_all_servers_and_the_menu_of_a_person(bot: Bot) {
        let stage = Stage::build(&bot).await;
        stage.practise(&bot, stage.ada, 600, None).await;
        bot.post("/api/sessions/practice/start", json!({ "discordId": stage.ada.to_string() })).await;
        bot.advance(chrono::TimeDelta::seconds(300));
        bot.post("/api/sessions/practice/stop", json!({ "discordId": stage.ada.to_string() })).await;
        let here = stage.stats(stage.ada, json!({ "period": WEEK })).await;
        assert_says(&here, &["**10m**"]);
        for place in [stage.chat, stage.discord.dm(stage.ada)] {
            let everywhere = stage.discord.command(stage.ada, place, "my practice", json!({}));
            let card = everywhere.reply().await;
            assert!(card.is_ephemeral());
            assert_says(&card, &["in all servers", "**15m**", "Sun 22 Nov: 15m"]);
            let before = stage.discord.press_label(stage.ada, &everywhere, "◀").reply().await;
            assert_says(&before, &["in all servers", "9 to 15 Nov 2026"]);
        }
        let menu = stage.discord.user_menu(stage.bob, stage.chat, "Practice card", stage.ada).reply().await;
        assert!(menu.is_ephemeral());
        assert_says(&menu, &[&format!("<@{}>", stage.ada), "**10m**"]);
        bot.finish().await;
    }
}
