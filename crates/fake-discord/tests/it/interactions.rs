//! The life of an interaction, with answers sent bare.

use chrono::TimeDelta;
use fake_discord::{APPLICATION_ID, Interaction};
use reqwest::Method;
use serde_json::{Value, json};

use crate::bot::{Bot, INTENTS};
use crate::support::World;

struct Raw {
    world: World,
    _bot: Bot,
}

impl Raw {
    async fn new() -> Self {
        let world = World::new().await;
        let bot = Bot::start(&world.fake, INTENTS).await;
        world.fake.wait_connected().await;
        world.fake.wait_command("Inspect").await;
        Self { world, _bot: bot }
    }

    fn used(&self) -> Interaction {
        let world = &self.world;
        world.fake.command(world.owner, world.channel, "raw", json!({}))
    }

    async fn answer(&self, to: &Interaction, body: Value) -> (u16, u64) {
        let path = format!("/interactions/{}/{}/callback", to.id(), to.token());
        let (status, answer) = self.world.post(&path, body).await;
        (status, answer["code"].as_u64().unwrap_or(0))
    }

    async fn webhook(&self, method: Method, of: &Interaction, rest: &str, body: Value) -> (u16, Value) {
        let path = format!("/webhooks/{APPLICATION_ID}/{}{rest}", of.token());
        self.world.call(method, &path, body).await
    }
}

#[tokio::test]
async fn one_answer_of_a_fitting_type() {
    let raw = Raw::new().await;
    let fake = &raw.world.fake;
    let used = raw.used();
    let early = raw.webhook(Method::POST, &used, "", json!({"content": "x"})).await;
    assert_eq!((early.0, &early.1["code"]), (404, &json!(10015)));
    for kind in [6, 7, 8, 99] {
        assert_eq!(raw.answer(&used, json!({"type": kind, "data": {}})).await, (400, 50035), "{kind}");
    }
    assert_eq!(raw.answer(&used, json!({"type": 4, "data": {"content": ""}})).await, (400, 50006));
    assert_eq!(raw.answer(&used, json!({"type": 4, "data": {"content": "x"}})).await, (204, 0));
    assert_eq!(raw.answer(&used, json!({"type": 4, "data": {"content": "y"}})).await, (400, 40060));
    assert_eq!(raw.answer(&used, json!({"type": 9, "data": {}})).await, (400, 40060));
    assert_eq!(used.text(), "x");
    assert!(fake.violations().iter().any(|one| one.contains("answered twice")));
    assert_eq!(fake.mention_violations().len(), 1);
    let path = format!("/interactions/{}/{}/callback", used.id(), "wrong");
    assert_eq!(raw.world.post(&path, json!({"type": 4})).await.1["code"], 10062);
}

#[tokio::test]
async fn a_deferral_fixes_who_sees_the_answer() {
    let raw = Raw::new().await;
    let used = raw.used();
    let path = format!("/interactions/{}/{}/callback?with_response=true", used.id(), used.token());
    let (status, shown) = raw.world.post(&path, json!({"type": 5, "data": {"flags": 64}})).await;
    assert_eq!((status, &shown["interaction"]["response_message_loading"]), (200, &json!(true)));
    assert!(used.current().is_none());
    // The first follow-up takes the placeholder's place, and stays as hidden as the deferral.
    let quiet = json!({"content": "first", "allowed_mentions": {"parse": []}});
    raw.webhook(Method::POST, &used, "", quiet.clone()).await;
    assert_eq!(used.reply().await.text(), "first");
    assert!(used.is_ephemeral() && used.followups().is_empty());
    let (_, second) = raw.webhook(Method::POST, &used, "", quiet).await;
    let second = second["id"].as_str().unwrap();
    assert!(!used.followups()[0].is_ephemeral());
    let rest = format!("/messages/{second}");
    let edited = raw.webhook(Method::PATCH, &used, &rest, json!({"content": "second"})).await;
    assert_eq!(edited.1["content"], "second");
    assert_eq!(raw.webhook(Method::DELETE, &used, &rest, Value::Null).await.0, 204);
    assert_eq!(raw.webhook(Method::GET, &used, &rest, Value::Null).await.1["code"], 10008);
    // Some libraries encode the path.
    let original = raw.webhook(Method::GET, &used, "/messages/%40original", Value::Null).await;
    assert_eq!(original.1["content"], "first");
    raw.world.fake.assert_clean();

    raw.world.fake.advance(TimeDelta::minutes(16));
    let late = raw.webhook(Method::PATCH, &used, "/messages/@original", json!({"content": "late"})).await;
    assert_eq!((late.0, &late.1["code"]), (401, &json!(50027)));
}

#[tokio::test]
async fn forms_are_checked() {
    let raw = Raw::new().await;
    let input = |id: usize| json!({"type": 1, "components": [{"type": 4, "style": 1, "label": "L", "custom_id": id.to_string()}]});
    let modal = |rows: usize, title: &str| {
        let rows: Vec<Value> = (0..rows).map(input).collect();
        json!({"type": 9, "data": {"title": title, "custom_id": "m", "components": rows}})
    };
    let used = raw.used();
    for bad in [modal(6, "t"), modal(0, "t"), modal(1, &"t".repeat(46)), modal(1, "")] {
        assert_eq!(raw.answer(&used, bad).await, (400, 50035));
    }
    assert_eq!(raw.answer(&used, modal(5, "t")).await, (204, 0));
    let fields = json!({"0": "a", "1": "b", "2": "c", "3": "d", "4": "e"});
    let fake = &raw.world.fake;
    let sent = fake.submit_modal(raw.world.owner, &used, fields);
    assert_eq!(sent.reply().await.text(), "form says a");
    let deferred = raw.used();
    assert_eq!(raw.answer(&deferred, json!({"type": 5})).await, (204, 0));
    assert_eq!(raw.answer(&deferred, modal(1, "t")).await, (400, 40060));
}

#[tokio::test]
async fn a_breach_of_the_schema_is_found() {
    let raw = Raw::new().await;
    let used = raw.used();
    let data = json!({"content": "x", "tts": "maybe", "allowed_mentions": {"parse": []}});
    raw.answer(&used, json!({"type": 4, "data": data})).await;
    let found = raw.world.fake.validate();
    assert!(found.len() == 1 && found[0].contains("/data/tts"), "{found:?}");
}
