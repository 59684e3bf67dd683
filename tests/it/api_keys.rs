//! API keys through the edges: over HTTP and on the command line, on both stores, by time and in races.

mod command_line;
mod life;
mod races;
mod usage;

use guildhall::domain::{Actor, Domain, Source};
use serde_json::{Value, json};

use crate::harness::{Answer, Bot, answer};

const KEYS: &str = "/api/admin/keys";

/// A key that HTTP has made.
struct Key {
    id: String,
    secret: String,
}

impl Key {
    fn path(&self) -> String {
        format!("{KEYS}/{}", self.id)
    }
}

fn root() -> Actor {
    Actor::Root { source: Source::Cli }
}

fn domain(bot: &Bot) -> &Domain {
    bot.running().app().domain()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("a text: {value}")).to_owned()
}

async fn make(bot: &Bot, body: Value) -> Key {
    let made = bot.post(KEYS, body).await;
    assert_eq!(made.status, 200, "{:?}", made.body);
    Key { id: text(&made.body["id"]), secret: text(&made.body["apiKey"]) }
}

async fn make_plain(bot: &Bot) -> Key {
    make(bot, json!({ "name": "A key" })).await
}

/// What a key gets on a route that reads.
async fn with(bot: &Bot, secret: &str) -> Answer {
    answer(bot.client().get(bot.url("/api/discord/vanish")).header("X-API-Key", secret).send()).await
}

async fn opens(bot: &Bot, secret: &str) -> u16 {
    with(bot, secret).await.status
}
