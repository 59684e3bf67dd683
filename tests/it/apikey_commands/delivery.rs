//! Keys in direct messages and in answers, with ways that are open, closed, or break half-way.

use chrono::TimeDelta;
use fake_discord::{Failure, FakeMessage};
use guildhall::domain::{
    Account, Actor,
    api_key::{self, NewKey, Shape, Wanted},
};
use serde_json::json;

use super::{
    BOT, DM, HERE, LINK, READ_ONLY, Stage, WITH_LINKS, assert_says, enter, find_key, key_in, labels, link_in, page,
};
use crate::on_both_stores;

fn texts(letters: &[FakeMessage]) -> Vec<String> {
    letters.iter().map(FakeMessage::text).collect()
}

on_both_stores! {
    /// Without an address for links a key comes in two direct messages: the notice, then the key alone, which goes
    /// when it was saved.
    async fn a_key_comes_alone_in_the_second_message_and_goes_when_it_was_saved(bot: Bot) {
        let stage = Stage::build(&bot).await;
        let reply = stage.run("create", json!({ "name": "site", "preset": READ_ONLY })).reply().await;
        assert_says(&reply, &["direct messages", "I saved it"]);
        assert_eq!(key_in(&reply), None);
        let letters = stage.letters(stage.ada);
        assert_eq!(letters.len(), 2, "{:?}", texts(&letters));
        assert!(letters[0].content.contains("comes in the next message") && key_in(&letters[0]).is_none());
        let key = key_in(&letters[1]).expect("the key");
        assert_eq!(letters[1].content, key, "nothing but the key");
        assert_eq!(labels(&letters[1]), ["I saved it", "Revoke…"]);
        assert!(stage.opens(&bot, &key).await);
        let saved = stage.discord.press_label(stage.ada, &letters[1], "I saved it").reply().await;
        assert_says(&saved, &["is gone"]);
        assert_eq!(stage.letters(stage.ada).iter().filter(|letter| key_in(letter).is_some()).count(), 0);
        bot.drain().await;
        assert!(stage.opens(&bot, &key).await);
        bot.finish().await;
    }

    /// Nobody pressed: the message goes after a quarter of an hour, whatever restarts in between.
    async fn a_forgotten_message_goes_after_a_quarter_of_an_hour(bot: Bot) {
        let mut bot = bot;
        let stage = Stage::build(&bot).await;
        stage.run("create", json!({ "name": "site", "preset": BOT, "delivery": DM })).reply().await;
        let holds_key = |stage: &Stage| stage.letters(stage.ada).iter().any(|letter| key_in(letter).is_some());
        bot.live_through(TimeDelta::minutes(14), TimeDelta::minutes(7)).await;
        assert!(holds_key(&stage));
        bot.stop().await;
        bot.advance(TimeDelta::minutes(2));
        bot.start_again().await;
        bot.eventually("the message is gone", async |_| !holds_key(&stage)).await;
        bot.drain().await;
        bot.finish().await;
    }

    /// A key can be ended from the message that brought it.
    async fn a_key_is_revoked_from_its_message(bot: Bot) {
        let stage = Stage::build(&bot).await;
        stage.run("create", json!({ "name": "site", "preset": BOT, "delivery": DM })).reply().await;
        let letter = stage.letters(stage.ada).pop().expect("the key's message");
        let key = key_in(&letter).expect("the key");
        let form = stage.discord.press_label(stage.ada, &letter, "Revoke…");
        assert!(form.modal().await["title"].as_str().unwrap_or_default().starts_with("Revoke hall_live_"));
        let said = stage.discord.submit_modal(stage.ada, &form, json!({ "reason": "by mistake" })).reply().await;
        assert_says(&said, &["is revoked"]);
        assert!(!stage.opens(&bot, &key).await);
        bot.finish().await;
    }

    /// In the answer: shown once, good from then on.
    async fn a_key_in_the_answer_is_good_once_it_was_shown(bot: Bot) {
        let stage = Stage::build(&bot).await;
        let reply = stage.run("create", json!({ "name": "site", "preset": BOT, "delivery": HERE })).reply().await;
        assert_says(&reply, &["shown this once", "X-API-Key"]);
        let key = key_in(&reply).expect("the key");
        stage.becomes_good(&bot, &key).await;
        bot.finish().await;
    }

    /// When the answer cannot be given, the key that was in it opens nothing.
    async fn a_key_whose_answer_was_lost_is_revoked(bot: Bot) {
        let stage = Stage::build(&bot).await;
        let lost = Failure::status(500).applied();
        stage.discord.fail_next("POST", "/interactions/{interaction_id}/{interaction_token}/callback", lost, 1);
        let asked = stage.run("create", json!({ "name": "site", "preset": BOT, "delivery": HERE }));
        let changed = asked.wait_for(|message| message.text().contains("did not confirm")).await;
        assert_says(&changed, &["is revoked", "Show it here"]);
        let callbacks = stage.discord.calls("POST", "/interactions/{interaction_id}/{interaction_token}/callback");
        let key = callbacks.iter().find_map(|one| find_key(&one.request.to_string())).expect("Discord took it");
        bot.eventually("the key is revoked", async |bot| {
            let keys = api_key::keys(bot.running().app().domain(), &Actor::System, api_key::KeyFilter::default(), None);
            let keys = keys.await.expect("the store answers").rows;
            keys.first().is_some_and(|view| view.row.state == entity::api_key::KeyState::Revoked)
        })
        .await;
        assert!(!stage.opens(&bot, &key).await);
        bot.finish().await;
    }

    /// Closed direct messages: no key is minted, and another way is offered, which works after a restart.
    async fn closed_direct_messages_mint_nothing(bot: Bot) {
        let mut bot = bot;
        let stage = Stage::build(&bot).await;
        stage.discord.set_dms_open(stage.ada, false);
        let asked = stage.run("create", json!({ "name": "site", "preset": BOT, "delivery": DM }));
        let offer = asked.reply().await;
        assert_says(&offer, &["cannot send you direct messages", "E-DM"]);
        assert_eq!(labels(&offer), ["Show it here", "Cancel"], "there is no address for links");
        assert!(stage.letters(stage.ada).is_empty());
        let listed = stage.run("list", json!({})).reply().await;
        assert_says(&listed, &["There are no keys yet"]);
        bot.restart().await;
        let shown = stage.discord.press_label(stage.ada, &asked, "Show it here").reply().await;
        let key = key_in(&shown).expect("the key");
        stage.becomes_good(&bot, &key).await;
        bot.finish().await;
    }

    /// The notice arrives and the key does not: the key is revoked, whether Discord refused it or lost its answer.
    async fn a_delivery_that_fails_half_way_leaves_no_good_key(bot: Bot) {
        let stage = Stage::build(&bot).await;
        let messages = format!("/channels/{}/messages", stage.discord.dm(stage.ada));
        let closed = Failure::discord(403, 50_007, "Cannot send messages to this user");
        stage.discord.fail_later("POST", &messages, 1, closed, 1);
        let asked = stage.run("create", json!({ "name": "one", "preset": BOT, "delivery": DM }));
        assert_says(&asked.reply().await, &["closed for this server", "Show it here"]);
        let letters = stage.letters(stage.ada);
        assert_eq!(letters.len(), 1, "the notice alone: {:?}", texts(&letters));

        // Discord took the message and its answer was lost, each time that the bot tried.
        stage.discord.fail_later("POST", &messages, 1, Failure::status(502).applied(), 10);
        let asked = stage.run("create", json!({ "name": "two", "preset": BOT, "delivery": DM }));
        let offer = asked.reply_within(std::time::Duration::from_secs(20)).await;
        assert_says(&offer, &["did not arrive", "Show it here"]);
        stage.discord.clear_faults();
        let seen = stage.letters(stage.ada).iter().find_map(key_in).expect("what Discord took");
        assert!(!stage.opens(&bot, &seen).await);
        let shown = stage.discord.press_label(stage.ada, &asked, "Show it here").reply().await;
        let key = key_in(&shown).expect("the key");
        assert_ne!(key, seen);
        stage.becomes_good(&bot, &key).await;
        bot.live_through(TimeDelta::minutes(16), TimeDelta::minutes(8)).await;
        bot.finish().await;
    }

    /// 40003: Discord does not even open the conversation.
    async fn a_conversation_that_cannot_be_opened_mints_nothing(bot: Bot) {
        let stage = Stage::build(&bot).await;
        let fast = json!({ "code": 40_003, "message": "You are opening direct messages too fast.", "retry_after": 60.0 });
        stage.discord.fail_next("POST", "/users/@me/channels", Failure::json(429, &fast), 1);
        let reply = stage.run("create", json!({ "name": "one", "preset": BOT, "delivery": DM })).reply().await;
        assert_says(&reply, &["E-DM", "Show it here"]);
        assert!(stage.letters(stage.ada).is_empty());
        bot.finish().await;
    }

    /// A key that is on its way for a minute is revoked, also when the process that sent it is gone.
    async fn a_key_that_nobody_confirms_is_revoked_after_a_minute(bot: Bot) {
        let mut bot = bot;
        let stage = Stage::build(&bot).await;
        let domain = bot.running().app().domain().clone();
        let user_id = entity::id::DiscordUserId::new(stage.ada).expect("an id");
        let ada = Actor::Account(Account { user_id, is_bot_admin: true });
        let order = api_key::order(&domain, &ada, Wanted::Key(NewKey::named("lost", Shape::Live))).await.expect("an order");
        let key = api_key::fill_order(&domain, &ada, order).await.expect("a key");
        bot.restart().await;
        let domain = bot.running().app().domain().clone();
        let now = async || api_key::key(&domain, &Actor::System, key.row.id).await.expect("the key").row.state;
        bot.live_through(TimeDelta::seconds(58), TimeDelta::seconds(29)).await;
        assert_eq!(now().await, entity::api_key::KeyState::Delivering);
        bot.advance(TimeDelta::seconds(4));
        bot.eventually("it is revoked", async |_| now().await == entity::api_key::KeyState::Revoked).await;
        bot.finish().await;
    }

    /// A link is refused in words where there is no address for links.
    async fn links_need_an_address(bot: Bot) {
        let stage = Stage::build(&bot).await;
        let reply = stage.run("create", json!({ "name": "one", "preset": BOT, "delivery": LINK })).reply().await;
        assert_says(&reply, &["http.public_url", "E-INPUT"]);
        bot.finish().await;
    }
}

mod with_links {
    use super::*;

    on_both_stores! { with WITH_LINKS;
        /// A closed direct message can be exchanged for a link.
        async fn a_closed_direct_message_becomes_a_link(bot: Bot) {
            let stage = Stage::build(&bot).await;
            stage.discord.set_dms_open(stage.ada, false);
            let asked = stage.run("create", json!({ "name": "site", "preset": BOT, "delivery": DM }));
            assert_eq!(labels(&asked.reply().await), ["Get a link", "Show it here", "Cancel"]);
            let linked = stage.discord.press_label(stage.ada, &asked, "Get a link").reply().await;
            let (path, code) = link_in(&linked);
            let key = find_key(page(&enter(&bot, &path, &code).await)).expect("the key");
            assert!(stage.opens(&bot, &key).await);
            bot.finish().await;
        }
    }
}
