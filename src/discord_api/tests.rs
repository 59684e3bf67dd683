//! Against a small server on loopback that answers as Discord does.

mod pacing;
mod rights;
mod server;
mod standing;
mod tries;

use std::time::Duration;

use axum::http::StatusCode;
use entity::id::{ChannelId, MessageId};
use serde_json::json;

use self::server::{Server, answer};
use super::*;

const TOKEN: &str = "s3cret.bot.token";
const INTERACTION_TOKEN: &str = "s3cret/interaction";

fn api(server: &Server) -> DiscordApi {
    api_with(server, |_| {})
}

fn api_with(server: &Server, change: impl FnOnce(&mut Settings)) -> DiscordApi {
    let mut settings = Settings::new(TOKEN);
    settings.base_url = Some(server.address.clone());
    change(&mut settings);
    DiscordApi::new(&settings).unwrap()
}

fn channel(id: u64) -> ChannelId {
    ChannelId::new(id).unwrap()
}

fn message(id: u64) -> MessageId {
    MessageId::new(id).unwrap()
}

#[tokio::test]
async fn a_request_is_what_discord_expects() {
    let server = Server::start(|_| answer(StatusCode::NO_CONTENT, &json!(null))).await;
    let api = api(&server);
    let reason = Some("after 1 h, für alle");
    api.delete_message(channel(5), message(6), false, reason, Lane::Normal).await.unwrap();
    api.bulk_delete(channel(5), &[message(6), message(7)], None, Lane::Normal).await.unwrap();
    let seen = server.seen();
    assert_eq!((seen[0].method.as_str(), seen[0].path.as_str()), ("DELETE", "/api/v10/channels/5/messages/6"));
    assert_eq!(seen[0].header("authorization"), format!("Bot {TOKEN}"));
    assert!(seen[0].header("user-agent").starts_with("DiscordBot (https://"));
    assert_eq!(seen[0].header("x-audit-log-reason"), "after%201%20h%2C%20f%C3%BCr%20alle");
    assert_eq!(seen[1].path, "/api/v10/channels/5/messages/bulk-delete");
    assert_eq!(seen[1].json(), json!({ "messages": ["6", "7"] }));
}

#[tokio::test]
async fn a_bulk_delete_that_discord_would_refuse_is_not_sent() {
    let server = Server::start(|_| answer(StatusCode::NO_CONTENT, &json!(null))).await;
    let api = api(&server);
    let many: Vec<MessageId> = (1..=101).map(message).collect();
    for ids in [&many[..1], &many[..], &[message(3), message(3)]] {
        let refused = api.bulk_delete(channel(5), ids, None, Lane::Normal).await;
        assert!(matches!(refused, Err(Error::Invalid { .. })));
    }
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn pages_go_on_in_either_direction() {
    let server = Server::start(|_| answer(StatusCode::OK, &json!([{ "id": "9" }, { "id": "8" }]))).await;
    let api = api(&server);
    let page = api.messages_after(channel(5), None, 100, Lane::Normal).await.unwrap();
    assert_eq!(page.messages[0].id, message(8));
    assert!(page.server_time.is_some() && api.server_time().is_some() && !page.is_full);
    let page = api.messages_before(channel(5), Some(message(10)), 2, Lane::Interactive).await.unwrap();
    assert_eq!(page.messages[0].id, message(9));
    assert!(page.is_full);
    let paths: Vec<String> = server.seen().into_iter().map(|seen| seen.path).collect();
    let page_path = "/api/v10/channels/5/messages?limit=";
    assert_eq!(paths, [format!("{page_path}100&after=1"), format!("{page_path}2&before=10")]);
}

#[tokio::test]
async fn every_message_leaves_with_mentions_silenced() {
    let server = Server::start(|_| answer(StatusCode::OK, &json!({ "id": "9", "channel_id": "5" }))).await;
    let api = api(&server);
    let body = json!({ "content": "@everyone" });
    let posted = api.create_message(channel(5), &body, Some("n1"), Lane::Normal).await.unwrap();
    assert_eq!(posted, PostedMessage { message_id: message(9), channel_id: channel(5) });
    api.edit_message(channel(5), message(9), &body, Lane::Normal).await.unwrap();
    api.edit_original(3, INTERACTION_TOKEN, &body).await.unwrap();
    api.create_followup(3, INTERACTION_TOKEN, &body).await.unwrap();
    api.answer(4, INTERACTION_TOKEN, json!({ "type": 4, "data": body })).await.unwrap();
    let seen = server.seen();
    assert_eq!(seen.len(), 5);
    for request in &seen[..4] {
        assert_eq!(request.json()["allowed_mentions"], json!({ "parse": [] }), "{}", request.path);
    }
    assert_eq!(seen[0].json()["nonce"], "n1");
    assert_eq!(seen[4].json()["data"]["allowed_mentions"], json!({ "parse": [] }));
}

#[tokio::test]
async fn interaction_answers_carry_no_bot_token_and_may_carry_files() {
    let server = Server::start(|_| answer(StatusCode::OK, &json!({ "id": "9" }))).await;
    let api = api(&server);
    let file = Attachment { filename: "settings.json".into(), bytes: b"{\"a\":1}".to_vec(), description: None };
    api.edit_original(3, INTERACTION_TOKEN, Payload::new(&json!({ "content": "x" })).attach(file)).await.unwrap();
    api.delete_original(3, INTERACTION_TOKEN).await.unwrap();
    let seen = server.seen();
    assert_eq!(seen[0].path, "/api/v10/webhooks/3/s3cret%2Finteraction/messages/@original");
    assert!(seen.iter().all(|request| request.header("authorization").is_empty()));
    assert!(seen[0].header("content-type").starts_with("multipart/form-data"));
    let form = String::from_utf8(seen[0].body.clone()).unwrap();
    assert!(form.contains("name=\"payload_json\"") && form.contains("\"filename\":\"settings.json\""));
    assert!(form.contains("name=\"files[0]\"; filename=\"settings.json\"") && form.contains("{\"a\":1}"));
}

#[tokio::test]
async fn the_account_and_commands_are_read() {
    let server = Server::start(|request| {
        let body = match request.path.as_str() {
            "/api/v10/users/@me" => json!({ "id": "7", "username": "guildhall", "bot": true }),
            "/api/v10/applications/@me" => {
                json!({ "id": "3", "name": "G", "flags": 8, "bot_public": true })
            }
            "/api/v10/applications/3/commands" => json!([{ "id": "1", "name": "help", "type": 1 }]),
            "/api/v10/users/@me/channels" => json!({ "id": "40", "type": 1 }),
            _ => json!({ "threads": [{ "id": "41", "type": 11, "parent_id": "5" }] }),
        };
        answer(StatusCode::OK, &body)
    })
    .await;
    let api = api(&server);
    let me = api.current_user(Lane::Normal).await.unwrap();
    let application = api.current_application(Lane::Normal).await.unwrap();
    assert!(me.is_bot && application.bot_public);
    let commands = api.bulk_overwrite_global_commands(application.id, &json!([]), Lane::Normal).await.unwrap();
    assert_eq!(commands, [RegisteredCommand { id: 1, name: "help".into(), kind: 1 }]);
    assert_eq!(api.create_dm(me.id, Lane::Normal).await.unwrap(), channel(40));
    let guild = entity::id::GuildId::new(2).unwrap();
    let threads = api.active_threads(guild, Lane::Normal).await.unwrap();
    assert_eq!((threads[0].id, threads[0].guild_id), (channel(41), Some(guild)));
}

#[test]
fn settings_that_cannot_work_are_refused() {
    let refused = |change: fn(&mut Settings)| {
        let mut settings = Settings::new(TOKEN);
        change(&mut settings);
        DiscordApi::new(&settings).map(|_| ()).unwrap_err()
    };
    assert_eq!(refused(|settings| settings.base_url = Some("nowhere".into())), SetupError::BaseUrl);
    assert_eq!(refused(|settings| settings.token = BotToken::new("a\nb")), SetupError::Token);
    assert_eq!(refused(|settings| settings.requests_per_second = 0), SetupError::Limit);
    assert_eq!(refused(|settings| settings.background_per_second = 0), SetupError::Limit);
    assert_eq!(refused(|settings| settings.invalid_requests_max = 0), SetupError::Limit);
}

#[tokio::test]
async fn no_secret_and_no_address_is_printed() {
    let mut settings = Settings::new(format!(" Bot {TOKEN}\n"));
    // Nothing listens on the discard port of loopback.
    settings.base_url = Some("http://127.0.0.1:9".to_owned());
    settings.connect_timeout = Duration::from_millis(200);
    let api = DiscordApi::new(&settings).unwrap();
    let body = Payload::new(&json!({ "content": "s3cret" }));
    let printed = format!("{settings:?} {api:?} {body:?}");
    assert!(!printed.contains("s3cret"), "{printed}");
    let error = api.answer(4, INTERACTION_TOKEN, json!({ "type": 5 })).await.unwrap_err();
    assert!(error.is_transient());
    let printed = format!("{error} {error:?}");
    assert!(!printed.contains("s3cret") && !printed.contains("127.0.0.1"), "{printed}");
}
