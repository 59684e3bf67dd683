//! Claim links: a page that asks for a code and shows a new key once.

use chrono::TimeDelta;
use serde_json::json;

use super::{
    BOT, CUSTOM, LINK, READ_ONLY, Stage, WITH_LINKS, assert_says, enter, find_key, key_in, labels, link_in, page,
    with_key,
};
use crate::{harness::answer, on_both_stores};

on_both_stores! { with WITH_LINKS;
    /// The usual way: link and code by two ways, the key once on the page, nothing secret before.
    async fn a_link_shows_its_key_once(bot: Bot) {
        let stage = Stage::build(&bot).await;
        let reply = stage.run("create", json!({ "name": "<b>site</b>", "preset": READ_ONLY })).reply().await;
        assert_says(&reply, &["works once", "asks for this code"]);
        assert_eq!(key_in(&reply), None);
        let (path, code) = link_in(&reply);
        assert_eq!(bot.get("/api/discord/vanish").await.status, 200);

        let shown = answer(bot.client().get(bot.url(&path)).header("Accept", "text/html").send()).await;
        assert_eq!(shown.status, 200);
        assert!(page(&shown).contains("&lt;b&gt;site&lt;/b&gt;") && !page(&shown).contains("<b>site</b>"));
        assert!(!page(&shown).contains("<script") && find_key(page(&shown)).is_none());
        let header = |name: &str| shown.headers.get(name).map_or("", |value| value.to_str().unwrap_or_default());
        assert!(header("content-security-policy").starts_with("default-src 'none'; style-src 'sha256-"));
        assert_eq!((header("cache-control"), header("referrer-policy")), ("no-store", "no-referrer"));
        // Programs that look at links use nothing up.
        assert_eq!(bot.client().head(bot.url(&path)).send().await.expect("an answer").status(), 200);

        let revealed = enter(&bot, &path, &code).await;
        assert_eq!(revealed.status, 200, "{}", page(&revealed));
        let header = |name: &str| revealed.headers.get(name).map_or("", |value| value.to_str().unwrap_or_default());
        assert_eq!((header("cache-control"), header("referrer-policy")), ("no-store", "no-referrer"));
        let key = find_key(page(&revealed)).expect("the key");
        assert!(stage.opens(&bot, &key).await);
        let again = enter(&bot, &path, &code).await;
        assert_eq!(again.status, 410);
        assert!(find_key(page(&again)).is_none() && page(&again).contains("No key here"));
        let gone = bot.client().get(bot.url(&path)).send().await.expect("an answer");
        assert_eq!(gone.status(), 410);
        assert_eq!(gone.headers()["content-type"], "application/problem+json");
        // A key of a server knows no other one.
        let other = stage.discord.add_guild("Southwind");
        assert_eq!(with_key(&bot, &key, &format!("/api/discord/channels/{other}")).await.status, 403);
        bot.finish().await;
    }

    /// Five wrong codes end a link; whoever tries learns no more than that.
    async fn five_wrong_codes_end_a_link(bot: Bot) {
        let stage = Stage::build(&bot).await;
        let reply = stage.run("create", json!({ "name": "site", "preset": BOT, "delivery": LINK })).reply().await;
        let (path, code) = link_in(&reply);
        let wrong = format!("{:06}", (code.parse::<u32>().expect("six digits") + 1) % 1_000_000);
        for left in ["4 more", "3 more", "2 more", "1 more"] {
            let refused = enter(&bot, &path, &wrong).await;
            assert_eq!(refused.status, 403);
            assert!(page(&refused).contains(left) && page(&refused).contains("<form"), "{}", page(&refused));
        }
        assert_eq!(enter(&bot, &path, &wrong).await.status, 410);
        assert_eq!(enter(&bot, &path, &code).await.status, 410, "the right code comes too late");
        for bad in ["", "12345", "1234567", "abcdef"] {
            assert_eq!(enter(&bot, "/claim/x", bad).await.status, 422, "{bad}");
        }
        assert_eq!(enter(&bot, "/claim/x", "123456").await.status, 410);
        bot.finish().await;
    }

    /// A link ends after ten minutes, and a cancelled one at once.
    async fn a_link_ends_by_itself_and_when_it_is_cancelled(bot: Bot) {
        let stage = Stage::build(&bot).await;
        let late = stage.run("create", json!({ "name": "late", "preset": BOT })).reply().await;
        let (path, code) = link_in(&late);
        bot.advance(TimeDelta::minutes(10));
        assert_eq!(enter(&bot, &path, &code).await.status, 410);
        let asked = stage.run("create", json!({ "name": "never", "preset": BOT }));
        let (path, code) = link_in(&asked.reply().await);
        let cancelled = stage.discord.press_label(stage.ada, &asked, "Cancel").reply().await;
        assert_says(&cancelled, &["No key was made"]);
        assert_eq!(enter(&bot, &path, &code).await.status, 410);
        bot.finish().await;
    }

    /// Of browsers that send the right code at the same time, one gets the key.
    async fn a_link_is_used_once_by_whoever_is_first(bot: Bot) {
        let stage = Stage::build(&bot).await;
        let (path, code) = link_in(&stage.run("create", json!({ "name": "site", "preset": BOT })).reply().await);
        let all = futures_util::future::join_all((0..8).map(|_| enter(&bot, &path, &code))).await;
        let keys: Vec<_> = all.iter().filter_map(|answer| find_key(page(answer))).collect();
        assert_eq!(keys.len(), 1);
        assert_eq!(all.iter().filter(|answer| answer.status == 410).count(), 7);
        let listed = stage.run("list", json!({})).reply().await;
        assert_eq!(listed.text().matches("hall_live_").count(), 1, "{}", listed.text());
        bot.finish().await;
    }

    /// Scopes are chosen in a menu, which works after a restart, and so does the link.
    async fn scopes_of_ones_own_choice_survive_restarts(bot: Bot) {
        let mut bot = bot;
        let stage = Stage::build(&bot).await;
        let asked = stage.run("create", json!({ "name": "watcher", "preset": CUSTOM, "rate": "5/1m", "ips": "127.0.0.0/8" }));
        let shown = asked.reply().await;
        assert_says(&shown, &["Choose all that the key needs", "discord:vanish:read", "discord:channels:write"]);
        assert_eq!(labels(&shown), ["Cancel"]);
        bot.restart().await;
        let menu = shown.selects()[0]["custom_id"].as_str().unwrap_or_default().to_owned();
        let chosen = stage.discord.select(stage.ada, &asked, &menu, &["discord:vanish:read"]).reply().await;
        let (path, code) = link_in(&chosen);
        bot.restart().await;
        let key = find_key(page(&enter(&bot, &path, &code).await)).expect("the key");
        let rules = format!("/api/discord/vanish?guildId={}", stage.guild);
        assert_eq!(with_key(&bot, &key, &rules).await.status, 200);
        assert!(!stage.opens(&bot, &key).await, "it may not read channels");
        bot.finish().await;
    }
}
