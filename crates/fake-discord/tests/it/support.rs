//! A bare REST caller and a ready world.

use fake_discord::{ChannelKind, FakeDiscord, TOKEN};
use reqwest::{Client, Method};
use serde_json::Value;

/// A guild with one text channel, and a caller.
pub struct World {
    pub fake: FakeDiscord,
    pub guild: u64,
    pub owner: u64,
    pub channel: u64,
    pub http: Client,
}

impl World {
    pub async fn new() -> Self {
        let fake = FakeDiscord::start().await;
        let guild = fake.add_guild("Home");
        let channel = fake.add_channel(guild, "general", ChannelKind::Text);
        let owner = fake.owner(guild);
        let http = Client::builder().user_agent("DiscordBot (test, 1)").build().unwrap();
        Self { fake, guild, owner, channel, http }
    }

    /// One call with the bot's token: the status and the JSON answer.
    pub async fn call(&self, method: Method, path: &str, body: Value) -> (u16, Value) {
        let url = format!("{}/api/v10{path}", self.fake.base_url());
        let mut request = self.http.request(method, url).header("authorization", format!("Bot {TOKEN}"));
        if !body.is_null() {
            request = request.json(&body);
        }
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        (status, answer.json().await.unwrap_or_default())
    }

    pub async fn get(&self, path: &str) -> (u16, Value) {
        self.call(Method::GET, path, Value::Null).await
    }

    pub async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        self.call(Method::POST, path, body).await
    }

    pub async fn delete(&self, path: &str) -> (u16, Value) {
        self.call(Method::DELETE, path, Value::Null).await
    }
}

/// Whether `work` panics with a message that contains `wanted`.
pub fn panics_with(wanted: &str, work: impl FnOnce()) -> bool {
    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
    let text = caught.err().and_then(|panic| panic.downcast_ref::<String>().cloned());
    text.is_some_and(|text| text.contains(wanted))
}
