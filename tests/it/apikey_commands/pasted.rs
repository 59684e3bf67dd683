//! Keys that somebody pastes: found and revoked where the bot reads messages, blocked by AutoMod elsewhere.

use fake_discord::{BOT_USER_ID, GatewayAction, MESSAGE_CONTENT, permission};
use guildhall::{app::PrivilegedIntent, domain::api_key::Shape};
use serde_json::json;

use super::{BOT, Stage, assert_says, labels};
use crate::{
    harness::{Bot, Database, beginning},
    on_both_stores,
};

/// With the scanner switched on.
const SCANNING: &[(&str, &str)] = &[("GUILDHALL_DISCORD__MESSAGE_CONTENT", "true")];

/// A bot that reads messages, on both stores in turn.
async fn scanning(database: Database) -> Option<Bot> {
    let discord = fake_discord::FakeDiscord::start().await;
    discord.set_now(beginning());
    discord.declare_intents(MESSAGE_CONTENT);
    Bot::start_against(discord, database, SCANNING).await
}

async fn a_pasted_key_is_revoked_and_removed(bot: Bot) {
    let stage = Stage::build(&bot).await;
    stage.set_alerts().await;
    assert_eq!(bot.running().app().readiness().message_content(), PrivilegedIntent::Granted);
    let key = stage.issue(&bot, "site", BOT).await;
    let harmless = stage.discord.send(stage.lobby, stage.bob, "hall_live_ is how keys begin");
    let begun = std::time::Instant::now();
    let message = stage.discord.send(stage.lobby, stage.bob, &format!("it works with `{key}`!"));
    bot.eventually("it is revoked", async |bot| !stage.opens(bot, &key).await).await;
    assert!(begun.elapsed() < std::time::Duration::from_secs(1), "{:?}", begun.elapsed());
    bot.eventually("it is removed", async |_| stage.discord.message(stage.lobby, message).is_none()).await;
    assert!(stage.discord.message(stage.lobby, harmless).is_some());
    bot.eventually("an alert", async |_| stage.alerts().iter().any(|text| text.contains("was pasted in"))).await;
    assert!(stage.alerts().iter().any(|text| text.contains(&format!("<#{}>", stage.lobby)) && !text.contains(&key)));
    bot.eventually("a letter", async |_| stage.letters(stage.ada).iter().any(|one| one.text().contains("🚨"))).await;
    bot.drain().await;
    assert_eq!(stage.alerts().len(), 1, "once: {:?}", stage.alerts());
    let doctor = stage.discord.command(stage.ada, stage.lobby, "settings doctor", json!({})).reply().await;
    assert_says(&doctor, &["✅ API keys that somebody pastes are found"]);

    // A change counts as well, and so do webhooks; the bot's own messages and other systems' keys do not.
    let (second, third) = (stage.issue(&bot, "two", BOT).await, stage.issue(&bot, "three", BOT).await);
    let edited = stage.discord.send(stage.lobby, stage.bob, "wait");
    stage.discord.edit_message_as_user(stage.lobby, edited, &second);
    let hooked = stage.discord.send_webhook(stage.lobby, "ci", &third);
    bot.eventually("both are removed", async |_| {
        [edited, hooked].iter().all(|id| stage.discord.message(stage.lobby, *id).is_none())
    })
    .await;
    assert!(!stage.opens(&bot, &second).await && !stage.opens(&bot, &third).await);
    let strange = guildhall::domain::api_key::format::mint(Shape::Live);
    let strange = stage.discord.send(stage.lobby, stage.bob, strange.secret.expose());
    let fourth = stage.issue(&bot, "four", BOT).await;
    stage.discord.send(stage.lobby, BOT_USER_ID, &fourth);
    bot.drain().await;
    assert!(stage.discord.message(stage.lobby, strange).is_some());
    assert!(stage.opens(&bot, &fourth).await);
    bot.finish().await;
}

/// Found in any channel, within a second; owner and alerts are told, once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pasted_key_is_revoked_and_removed_on_sqlite() {
    a_pasted_key_is_revoked_and_removed(scanning(Database::Sqlite).await.expect("SQLite is built in")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pasted_key_is_revoked_and_removed_on_postgres() {
    if let Some(bot) = scanning(Database::Postgres).await {
        a_pasted_key_is_revoked_and_removed(bot).await;
    }
}

/// Where the bot may not remove the message, the key is dead all the same, and the alerts say what is missing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_cannot_be_removed_is_told() {
    let bot = scanning(Database::Sqlite).await.expect("SQLite is built in");
    let stage = Stage::build(&bot).await;
    stage.set_alerts().await;
    let key = stage.issue(&bot, "site", BOT).await;
    stage.discord.set_overwrite(stage.lobby, BOT_USER_ID, 0, permission::MANAGE_MESSAGES);
    stage.discord.send(stage.lobby, stage.bob, &key);
    bot.eventually("an alert", async |_| stage.alerts().iter().any(|text| text.contains("could not remove it"))).await;
    assert!(!stage.opens(&bot, &key).await);
    bot.finish().await;
}

/// 4014: the bot connects without what Discord refuses, and says so.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_intent_is_said_and_the_rest_works() {
    // The portal's flag says no: the intent is not even asked for.
    let bot = Bot::start_with(Database::Sqlite, SCANNING).await.expect("SQLite is built in");
    let stage = Stage::build(&bot).await;
    let doctor = stage.discord.command(stage.ada, stage.lobby, "settings doctor", json!({})).reply().await;
    assert_says(&doctor, &["4014", "Message Content Intent", "Block pasted keys"]);
    let asked: Vec<_> = stage.discord.identifies().into_iter().map(|one| one.action).collect();
    assert!(
        asked
            .iter()
            .all(|one| matches!(one, GatewayAction::Identify { intents, .. } if intents & MESSAGE_CONTENT == 0))
    );
    bot.finish().await;

    // The flag says yes, and the gateway refuses all the same.
    let discord = fake_discord::FakeDiscord::start().await;
    discord.set_now(beginning());
    discord.declare_intents(MESSAGE_CONTENT);
    discord.refuse_identify(Some(4014));
    let later = discord.clone();
    let mend = tokio::spawn(async move {
        later.wait_identifies(1, std::time::Duration::from_secs(10)).await;
        later.refuse_identify(None);
    });
    let bot = Bot::start_against(discord, Database::Sqlite, SCANNING).await.expect("SQLite is built in");
    mend.await.expect("the first try was refused");
    assert_eq!(bot.running().app().readiness().message_content(), PrivilegedIntent::Refused);
    bot.finish().await;
}

on_both_stores! {
    /// Without reading messages, a button sets up a rule of AutoMod that blocks pasted keys; pressing twice makes one.
    async fn auto_moderation_blocks_pasted_keys(bot: Bot) {
        let stage = Stage::build(&bot).await;
        let key = stage.issue(&bot, "site", BOT).await;
        let asked = stage.run("list", json!({}));
        assert!(labels(&asked.reply().await).contains(&"Block pasted keys".to_owned()));
        let refused = stage.discord.press_label(stage.ada, &asked, "Block pasted keys").reply().await;
        assert_says(&refused, &["Manage Server", "E-INPUT"]);
        assert_eq!(stage.discord.invalid_count(), 0, "a refused call would cost the bot's standing");

        let bits = permission::BOT_DEFAULT | permission::MANAGE_GUILD;
        stage.discord.set_bot_permissions(stage.guild, bits);
        let presses = [0; 2].map(|_| stage.discord.press_label(stage.ada, &asked, "Block pasted keys"));
        for press in &presses {
            assert_says(&press.reply().await, &["✅", "AutoMod blocks messages that hold a key"]);
        }
        let rules = stage.discord.auto_moderation_rules(stage.guild);
        assert_eq!(rules.len(), 1, "{rules:?}");
        for shape in [Shape::Live, Shape::Test, Shape::Cartel, Shape::KeyKingdomDiscord, Shape::KeyKingdomAdmin] {
            let key = guildhall::domain::api_key::format::mint(shape);
            let text = format!("look: {}!", key.secret.expose());
            let blocked = stage.discord.try_send(stage.lobby, stage.bob, &text);
            assert_eq!(blocked, Err("Pasted API keys".to_owned()), "{shape:?}");
        }
        assert!(stage.discord.try_send(stage.lobby, stage.bob, &key).is_err());
        assert!(stage.discord.try_send(stage.lobby, stage.bob, "hall_live_ is how keys begin").is_ok());
        let doctor = stage.discord.command(stage.ada, stage.lobby, "settings doctor", json!({})).reply().await;
        assert_says(&doctor, &["AutoMod blocks messages with API keys"]);
        assert!(!labels(&doctor).contains(&"Block pasted keys".to_owned()));
        bot.finish().await;
    }

    /// Whoever may not manage keys is not offered the rule, and cannot set it up.
    async fn only_administrators_set_up_the_rule(bot: Bot) {
        let stage = Stage::build(&bot).await;
        let doctor = stage.discord.command(stage.mona, stage.lobby, "settings doctor", json!({})).reply().await;
        assert_says(&doctor, &["An administrator can let AutoMod block them"]);
        assert!(!labels(&doctor).contains(&"Block pasted keys".to_owned()));
        bot.finish().await;
    }
}
