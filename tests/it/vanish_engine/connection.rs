//! The gateway breaks in every way it can, and nothing is lost.

use std::time::Duration;

use chrono::TimeDelta;

use super::Scene;
use crate::{
    harness::{Bot, Database},
    on_both_stores,
};

on_both_stores! {
    /// D41: a dropped socket is resumed, and what was missed is replayed.
    async fn a_dropped_socket_is_resumed(bot: Bot) {
        let discord = bot.discord().clone();
        let scene = Scene::new(&bot);
        scene.rule(&bot, scene.channel, 60).await;
        discord.drop_sockets();
        discord.send(scene.channel, scene.ada, "while nobody listened");
        bot.eventually("the session is resumed", async |_| !discord.resumes().is_empty()).await;
        bot.eventually("the missed message vanishes", async |bot| {
            bot.advance(TimeDelta::seconds(10));
            bot.drain().await;
            discord.messages(scene.channel).is_empty()
        }).await;
        assert_eq!(discord.identifies().len(), 1, "resumed, not identified anew");
        bot.finish().await;
    }
}

/// D41: op 7 and close 4000 are answered by a resume.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wish_to_reconnect_is_followed() {
    let bot = Bot::start(Database::Sqlite).await.expect("SQLite is built in");
    let discord = bot.discord().clone();
    discord.request_reconnect();
    bot.eventually("resumed after op 7", async |_| discord.resumes().len() == 1).await;
    discord.wait_connected().await;
    discord.close_sockets(4000);
    bot.eventually("resumed after close 4000", async |_| discord.resumes().len() == 2).await;
    assert_eq!(discord.identifies().len(), 1);
    bot.finish().await;
}

/// D41: an invalid session is identified anew, five seconds apart, and messages sent in between are found in the store of Discord.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_invalid_session_loses_no_message() {
    let bot = Bot::start(Database::Sqlite).await.expect("SQLite is built in");
    let discord = bot.discord().clone();
    let scene = Scene::new(&bot);
    scene.rule(&bot, scene.channel, 60).await;
    discord.forget_sessions();
    discord.drop_sockets();
    discord.send(scene.channel, scene.ada, "never told over the gateway");
    bot.eventually("identified anew", async |_| discord.identifies().len() == 2).await;
    discord.forget_sessions();
    discord.drop_sockets();
    bot.eventually("and once more", async |_| discord.identifies().len() == 3).await;
    let identifies: Vec<_> = discord.identifies().iter().map(|identify| identify.at).collect();
    // Discord allows one in five seconds; a moment of slack for who measures.
    let gaps = identifies.windows(2).map(|pair| pair[1] - pair[0]);
    assert!(gaps.clone().all(|gap| gap >= Duration::from_millis(4_900)), "{:?}", gaps.collect::<Vec<_>>());
    bot.eventually("the message vanishes", async |bot| {
        bot.advance(TimeDelta::seconds(10));
        bot.drain().await;
        discord.messages(scene.channel).is_empty()
    })
    .await;
    bot.finish().await;
}

/// D41: a fatal close code ends the bot with a message; HTTP stays.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fatal_close_stops_the_bot_only() {
    let mut bot = Bot::start(Database::Sqlite).await.expect("SQLite is built in");
    let discord = bot.discord().clone();
    discord.refuse_identify(Some(4014));
    discord.forget_sessions();
    discord.drop_sockets();
    bot.eventually("the bot is off", async |bot| bot.get("/ready").await.status == 503).await;
    assert_eq!(bot.get("/health").await.status, 200);
    bot.stop().await;
}

/// While Discord cannot be reached, `/ready` says so, and it recovers by itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unreachable_gateway_is_not_called_ready() {
    let bot = Bot::start(Database::Sqlite).await.expect("SQLite is built in");
    let discord = bot.discord().clone();
    discord.refuse_identify(Some(4000));
    discord.forget_sessions();
    discord.drop_sockets();
    bot.eventually("it is not ready", async |bot| {
        let answer = bot.get("/ready").await;
        answer.status == 503 && answer.body["gateway"] == "connecting"
    })
    .await;
    discord.refuse_identify(None);
    bot.eventually("it is ready again", async |bot| bot.get("/ready").await.status == 200).await;
    bot.finish().await;
}

/// Commands are registered once, and again only when they have changed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_are_registered_only_when_they_changed() {
    let mut bot = Bot::start(Database::Sqlite).await.expect("SQLite is built in");
    let registrations = |bot: &Bot| bot.discord().count("PUT", "/applications/{application_id}/commands");
    assert_eq!(registrations(&bot), 1);
    bot.restart().await;
    assert_eq!(registrations(&bot), 1, "the same list is not sent twice");
    bot.finish().await;
}
