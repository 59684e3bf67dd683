//! Listing, rotating, revoking, watching and ending keys.

use chrono::TimeDelta;
use serde_json::json;

use super::{
    ADMIN, BOT, HERE, READ_ONLY, Stage, WITH_LINKS, assert_says, enter, find_key, id_of, key_in, labels, link_in, page,
    with_key,
};
use crate::on_both_stores;

on_both_stores! {
    /// The list shows what each key may do, when it was used and when it ends; never a key.
    async fn the_list_shows_all_but_the_keys(bot: Bot) {
        let stage = Stage::build(&bot).await;
        let options = json!({ "name": "@everyone `x`", "preset": READ_ONLY, "delivery": HERE, "expires": "30d" });
        let key = key_in(&stage.run("create", options).reply().await).expect("a key");
        stage.issue(&bot, "writer", BOT).await;
        let asked = stage.run("list", json!({}));
        let listed = asked.reply().await;
        let shown = format!("{}…{}", &key[..18], &key[46..]);
        assert_says(&listed, &[&shown, "`read`", "`read`, `write`", "never used", "expires <t:", "@\u{200b}everyone"]);
        assert!(!listed.text().contains(&key) && !listed.text().contains("guild:"));
        let id = id_of(&stage, "writer").await;
        let one = stage.discord.select(stage.ada, &asked, "v1|apikey|key", &[&id]);
        assert_says(&one.reply().await, &["writer", "this server", &format!("<@{}>", stage.ada)]);
        assert_eq!(labels(&one.message()), ["Rotate…", "Revoke…", "Log"]);
        bot.finish().await;
    }

    /// Ten to a page, with buttons that go on.
    async fn long_lists_have_pages(bot: Bot) {
        let stage = Stage::build(&bot).await;
        let domain = bot.running().app().domain();
        for n in 0..12 {
            let guild_id = entity::id::GuildId::new(stage.guild);
            let new = guildhall::domain::api_key::NewKey {
                guild_id,
                ..guildhall::domain::api_key::NewKey::named(format!("key-{n:02}"), guildhall::domain::api_key::Shape::Live)
            };
            guildhall::domain::api_key::create(domain, &guildhall::domain::Actor::System, new).await.expect("a key");
            bot.advance(TimeDelta::seconds(1));
        }
        let asked = stage.run("list", json!({}));
        assert_says(&asked.reply().await, &["key-11", "key-02", "page 1"]);
        let next = stage.discord.press_label(stage.ada, &asked, "▶").reply().await;
        assert_says(&next, &["key-01", "key-00", "page 2"]);
        assert!(!next.text().contains("key-02"));
        assert_eq!(labels(&next), ["◀", "Block pasted keys"]);
        bot.finish().await;
    }

    /// A revoked key is dead at once; the reason stands in the key's card, and the log tells who did it.
    async fn a_key_is_revoked_in_a_form(bot: Bot) {
        let stage = Stage::build(&bot).await;
        let key = stage.issue(&bot, "site", BOT).await;
        let id = id_of(&stage, "site").await;
        let form = stage.run("revoke", json!({ "key": id, "reason": "no longer used" }));
        let modal = form.modal().await;
        assert!(modal.to_string().contains("no longer used"), "{modal}");
        assert!(stage.opens(&bot, &key).await, "nothing happens before the form is sent");
        assert_says(&stage.discord.submit_modal(stage.ada, &form, json!({})).reply().await, &["is revoked"]);
        assert!(!stage.opens(&bot, &key).await);
        let log = stage.run("log", json!({ "key": id })).reply().await;
        assert_says(&log, &["⛔ revoked by", "➕ made by", &format!("<@{}> in chat", stage.ada)]);
        assert!(!log.text().contains("no longer used"), "events hold no text of people");
        assert!(!stage.run("list", json!({})).reply().await.text().contains("site"));
        let again = stage.run("rotate", json!({ "key": id, "overlap": "1h" })).reply().await;
        assert_says(&again, &["Only an active key can be rotated", "E-STATE"]);
        bot.finish().await;
    }

    /// The old key works on for the overlap, and not longer; the new one has its rights and a life as long.
    async fn a_rotation_lets_the_old_key_work_on_for_a_while(bot: Bot) {
        let stage = Stage::build(&bot).await;
        let old = stage.issue(&bot, "site", READ_ONLY).await;
        let id = id_of(&stage, "site").await;
        let offered = stage.discord.autocomplete(stage.ada, stage.lobby, "apikey rotate", json!({ "key": id, "overlap": "2" }), "overlap").await;
        let offered: Vec<_> = offered.iter().map(|choice| choice.name.as_str()).collect();
        assert_eq!(offered, ["2h", "2d"]);
        let refused = stage.run("rotate", json!({ "key": id, "overlap": "8d" })).reply().await;
        assert_says(&refused, &["8d", "E-INPUT"]);
        // Without links the new key comes by direct message.
        let said = stage.run("rotate", json!({ "key": "site", "overlap": "1h" })).reply().await;
        assert_says(&said, &["direct messages"]);
        let new = stage.letters(stage.ada).iter().find_map(key_in).expect("the new key");
        assert!(stage.opens(&bot, &old).await && stage.opens(&bot, &new).await);
        bot.advance(TimeDelta::minutes(61));
        assert!(!stage.opens(&bot, &old).await && stage.opens(&bot, &new).await);
        bot.finish().await;
    }

    /// When the new key does not arrive, the old one goes on as if nothing had been asked for.
    async fn a_rotation_that_does_not_arrive_leaves_the_old_key_alone(bot: Bot) {
        let stage = Stage::build(&bot).await;
        let old = stage.issue(&bot, "site", READ_ONLY).await;
        stage.discord.set_dms_open(stage.ada, false);
        let id = id_of(&stage, "site").await;
        let asked = stage.run("rotate", json!({ "key": id, "overlap": "0s" }));
        assert_says(&asked.reply().await, &["E-DM"]);
        bot.advance(TimeDelta::days(2));
        bot.drain().await;
        assert!(stage.opens(&bot, &old).await);
        let late = stage.discord.press_label(stage.ada, &asked, "Show it here");
        assert_says(&late.reply().await, &["ended", "E-GONE"]);
        stage.discord.clear_violations();
        bot.finish().await;
    }

    /// Whoever has found a key ends it; what was pasted is not repeated.
    async fn a_reported_key_is_revoked_and_never_repeated(bot: Bot) {
        let stage = Stage::build(&bot).await;
        let key = stage.issue(&bot, "site", BOT).await;
        let foreign = guildhall::domain::api_key::format::mint(guildhall::domain::api_key::Shape::Live);
        let text = format!("I found `{key}` and {} in a log", foreign.secret.expose());
        let said = stage.run("report", json!({ "text": text })).reply().await;
        assert_says(&said, &["is revoked now", "1 of what you pasted is no key of mine"]);
        assert!(!said.text().contains(&key) && !said.text().contains("in a log"));
        assert!(!stage.opens(&bot, &key).await);
        let again = stage.run("report", json!({ "text": key })).reply().await;
        assert_says(&again, &["was revoked already"]);
        let nothing = stage.run("report", json!({ "text": "there is nothing in here" })).reply().await;
        assert_says(&nothing, &["no key in that text"]);
        // Its owner is told.
        bot.eventually("a letter", async |_| stage.letters(stage.ada).iter().any(|one| one.text().contains("🚨"))).await;
        bot.drain().await;
        bot.finish().await;
    }

    /// Nothing happens without the word; with it every key of the server is dead, and none of another.
    async fn a_panic_ends_every_key_of_the_server_alone(bot: Bot) {
        let stage = Stage::build(&bot).await;
        let keys = [stage.issue(&bot, "one", BOT).await, stage.issue(&bot, "two", ADMIN).await];
        let domain = bot.running().app().domain();
        let other = guildhall::domain::api_key::NewKey::named("elsewhere", guildhall::domain::api_key::Shape::Live);
        let other = guildhall::domain::api_key::create(domain, &guildhall::domain::Actor::System, other).await.expect("a key");
        let form = stage.run("panic", json!({}));
        assert!(form.modal().await["title"].as_str().unwrap_or_default().contains("this server"));
        let refused = stage.discord.submit_modal(stage.ada, &form, json!({ "word": "revoke" })).reply().await;
        assert_says(&refused, &["Nothing was revoked"]);
        assert!(stage.opens(&bot, &keys[0]).await);
        let form = stage.run("panic", json!({}));
        form.modal().await;
        let said = stage.discord.submit_modal(stage.ada, &form, json!({ "word": "REVOKE" })).reply().await;
        assert_says(&said, &["All 2 keys of this server are revoked"]);
        for key in &keys {
            assert!(!stage.opens(&bot, key).await);
        }
        assert!(stage.opens(&bot, other.secret.expose()).await);
        bot.finish().await;
    }

    /// At most five active keys for one person from chat.
    async fn five_keys_are_enough_for_one_person(bot: Bot) {
        let stage = Stage::build(&bot).await;
        for n in 0..5 {
            stage.issue(&bot, &format!("key-{n}"), BOT).await;
        }
        let sixth = stage.run("create", json!({ "name": "sixth", "preset": BOT, "delivery": HERE })).reply().await;
        assert_says(&sixth, &["5 active keys already", "E-STATE"]);
        bot.finish().await;
    }
}

mod with_links {
    use super::*;

    on_both_stores! { with WITH_LINKS;
        /// The new key of a rotation comes by link too; until it is taken nothing changes.
        async fn a_rotation_by_link_happens_when_the_code_is_entered(bot: Bot) {
            let stage = Stage::build(&bot).await;
            let old = stage.issue(&bot, "site", READ_ONLY).await;
            let id = id_of(&stage, "site").await;
            let (path, code) = link_in(&stage.run("rotate", json!({ "key": id, "overlap": "0s" })).reply().await);
            stage.becomes_good(&bot, &old).await;
            let new = find_key(page(&enter(&bot, &path, &code).await)).expect("the new key");
            assert!(!stage.opens(&bot, &old).await && stage.opens(&bot, &new).await);
            bot.finish().await;
        }

        /// A panic ends links that were not taken yet.
        async fn a_panic_ends_links(bot: Bot) {
            let stage = Stage::build(&bot).await;
            let (path, code) = link_in(&stage.run("create", json!({ "name": "site", "preset": BOT })).reply().await);
            let form = stage.run("panic", json!({}));
            form.modal().await;
            stage.discord.submit_modal(stage.ada, &form, json!({ "word": "REVOKE" })).reply().await;
            assert_eq!(enter(&bot, &path, &code).await.status, 410);
            assert_eq!(with_key(&bot, "hall_live_x", "/api/discord/vanish").await.status, 401);
            bot.finish().await;
        }
    }
}
