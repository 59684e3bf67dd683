//! Discord's rules that its published schema does not carry, one by one.

use fake_discord::APPLICATION_ID;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::World;

/// What Discord says to a message with this body: `(status, code)` and the errors as text.
async fn message(body: Value) -> (u16, u64, String) {
    let world = World::new().await;
    let path = format!("/channels/{}/messages", world.channel);
    let (status, answer) = world.post(&path, body).await;
    let noted = world.fake.violations().len();
    assert_eq!(noted, usize::from(status == 400), "{answer}");
    (status, answer["code"].as_u64().unwrap_or(0), answer["errors"].to_string())
}

async fn refused(body: Value, wanted: &str) {
    let (status, code, errors) = message(body).await;
    assert_eq!((status, code), (400, 50035), "{wanted}");
    assert!(errors.contains(wanted), "{wanted}: {errors}");
}

fn button(id: &str) -> Value {
    json!({"type": 2, "style": 1, "label": "Go", "custom_id": id})
}

fn with_rows(rows: Vec<Value>) -> Value {
    let rows: Vec<Value> = rows.into_iter().map(|parts| json!({"type": 1, "components": parts})).collect();
    json!({"content": "x", "components": rows})
}

#[tokio::test]
async fn texts_and_embeds() {
    assert_eq!(message(json!({"content": "x".repeat(2000)})).await.0, 200);
    refused(json!({"content": "x".repeat(2001)}), "BASE_TYPE_MAX_LENGTH").await;
    assert_eq!(message(json!({"content": " "})).await.1, 50006);
    assert_eq!(message(json!({"embeds": [{}]})).await.1, 50006);
    let long = json!({"description": "d".repeat(3001)});
    refused(json!({"embeds": [long, long]}), "MAX_EMBED_SIZE_EXCEEDED").await;
    refused(json!({"embeds": [{"title": "t".repeat(257)}]}), "title").await;
    let field = json!({"name": "", "value": "v"});
    refused(json!({"embeds": [{"fields": [field]}]}), "BASE_TYPE_REQUIRED").await;
    let mentions = json!({"parse": ["users"], "users": ["1"]});
    refused(json!({"content": "x", "allowed_mentions": mentions}), "PARSE_EXCLUSIVE").await;
}

#[tokio::test]
async fn components() {
    let rows = |n: usize| (0..n).map(|one| json!([button(&one.to_string())])).collect();
    assert_eq!(message(with_rows(rows(5))).await.0, 200);
    refused(with_rows(rows(6)), "between 1 and 5").await;
    let six = (0..6).map(|one| button(&one.to_string())).collect();
    refused(with_rows(vec![six]), "between 1 and 5").await;
    refused(with_rows(vec![json!([{"type": 2, "style": 1, "label": "x"}])]), "BASE_TYPE_REQUIRED").await;
    refused(with_rows(vec![json!([{"type": 2, "style": 5, "label": "x"}])]), "URL_REQUIRED").await;
    refused(with_rows(vec![json!([button("a")]), json!([button("a")])]), "DUPLICATED").await;
    refused(with_rows(vec![json!([{"type": 2, "style": 1, "custom_id": "x"}])]), "LABEL_OR_EMOJI").await;
    let menu = json!({"type": 3, "custom_id": "m", "options": [{"label": "a", "value": "a"}]});
    assert_eq!(message(with_rows(vec![json!([menu])])).await.0, 200);
    refused(with_rows(vec![json!([menu, button("b")])]), "WIDTH_EXCEEDED").await;
    let options: Vec<Value> = (0..26).map(|one| json!({"label": "l", "value": one.to_string()})).collect();
    refused(with_rows(vec![json!([{"type": 3, "custom_id": "m", "options": options}])]), "between 1 and 25").await;
}

/// Registers commands; the errors as text, "" when accepted.
async fn register(commands: Value) -> String {
    let world = World::new().await;
    let path = format!("/applications/{APPLICATION_ID}/commands");
    let (status, answer) = world.call(Method::PUT, &path, commands).await;
    if status == 200 {
        world.fake.assert_clean();
        return String::new();
    }
    assert_eq!((status, &answer["code"]), (400, &json!(50035)));
    answer["errors"].to_string()
}

#[tokio::test]
async fn commands() {
    let command = |name: &str| json!({"name": name, "description": "d"});
    assert_eq!(register(json!([command("good-name"), {"name": "Any Name", "type": 3}])).await, "");
    for name in ["Bad", "two words", "", "dot.dot", &"x".repeat(33)] {
        assert_ne!(register(json!([command(name)])).await, "", "{name}");
    }
    assert!(register(json!([{"name": "a"}])).await.contains("description"));
    assert!(register(json!([command("a"), command("a")])).await.contains("DUPLICATE_NAME"));
    let option =
        |name: &str, required: bool| json!({"type": 3, "name": name, "description": "d", "required": required});
    let with = |options: Value| json!([{"name": "a", "description": "d", "options": options}]);
    assert_eq!(register(with(json!([option("a", true), option("b", false)]))).await, "");
    assert!(register(with(json!([option("a", false), option("b", true)]))).await.contains("REQUIRED_INVALID"));
    assert!(register(with(json!([option("a", true), option("a", true)]))).await.contains("ALREADY_EXISTS"));
    let many: Vec<Value> = (0..26).map(|one| option(&format!("o{one}"), true)).collect();
    assert!(register(with(json!(many))).await.contains("25 or fewer"));
    let choices: Vec<Value> =
        (0..25).map(|one| json!({"name": format!("{one:0>90}"), "value": format!("{one:0>90}")})).collect();
    let heavy = |name: &str| json!({"type": 3, "name": name, "description": "d", "choices": choices});
    assert_eq!(register(with(json!([heavy("a")]))).await, "");
    assert!(register(with(json!([heavy("a"), heavy("b")]))).await.contains("8000"));
}

#[tokio::test]
async fn an_edited_message_keeps_what_is_not_named() {
    let world = World::new().await;
    let path = format!("/channels/{}/messages", world.channel);
    let (_, sent) = world.post(&path, json!({"content": "x"})).await;
    let own = format!("{path}/{}", sent["id"].as_str().unwrap());
    let (status, _) = world.call(Method::PATCH, &own, json!({"components": []})).await;
    assert_eq!(status, 200);
    let (status, body) = world.call(Method::PATCH, &own, json!({"content": ""})).await;
    assert_eq!((status, &body["code"]), (400, &json!(50006)));
}
