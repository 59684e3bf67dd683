//! `/apikey`, claim links, direct messages and pasted keys, as people meet them.

mod delivery;
mod links;
mod managing;
mod notices;
mod pasted;
mod rights;
mod secrecy;

use fake_discord::{ChannelKind, FakeDiscord, FakeMessage, Interaction, permission};
use serde_json::{Value, json};

use crate::harness::{Answer, Bot, answer};

/// Choices of `preset`, by their place in the list.
pub const READ_ONLY: u8 = 0;
pub const BOT: u8 = 1;
pub const ADMIN: u8 = 2;
pub const CUSTOM: u8 = 3;
/// Choices of `delivery`.
pub const LINK: u8 = 0;
pub const DM: u8 = 1;
pub const HERE: u8 = 2;
/// Choices of `reach`.
pub const EVERYWHERE: u8 = 1;

/// Characters of a key.
const KEY_CHARACTERS: usize = 50;
/// With an address for links.
pub const WITH_LINKS: &[(&str, &str)] = &[("GUILDHALL_HTTP__PUBLIC_URL", "https://hall.example.org")];

/// A server with an administrator and somebody who is none, and another server.
pub struct Stage {
    pub discord: FakeDiscord,
    pub guild: u64,
    pub lobby: u64,
    /// Where `alerts` lead.
    pub staff: u64,
    /// An administrator.
    pub ada: u64,
    /// May manage the server, which is not enough.
    pub mona: u64,
    /// May nothing in particular.
    pub bob: u64,
}

impl Stage {
    /// Builds the server before the bot's eyes.
    pub async fn build(bot: &Bot) -> Self {
        let discord = bot.discord().clone();
        discord.wait_command("apikey").await;
        let guild = discord.add_guild("Northwind");
        let lobby = discord.add_channel(guild, "lobby", ChannelKind::Text);
        let staff = discord.add_channel(guild, "staff", ChannelKind::Text);
        let administrators = discord.add_role(guild, "Administrators", permission::ADMINISTRATOR);
        let managers = discord.add_role(guild, "Managers", permission::MANAGE_GUILD | permission::MANAGE_MESSAGES);
        let [ada, mona, bob] = ["ada", "mona", "bob"].map(|name| discord.add_member(guild, name));
        discord.give_role(guild, ada, administrators);
        discord.give_role(guild, mona, managers);
        bot.drain().await;
        Self { discord, guild, lobby, staff, ada, mona, bob }
    }

    /// Ada uses a command of `/apikey` in the lobby.
    pub fn run(&self, command: &str, options: Value) -> Interaction {
        self.discord.command(self.ada, self.lobby, &format!("apikey {command}"), options)
    }

    /// A key of this name that Ada gets in the answer; it is good when this returns.
    pub async fn issue(&self, bot: &Bot, name: &str, preset: u8) -> String {
        let options = json!({ "name": name, "preset": preset, "delivery": HERE });
        let key = key_in(&self.run("create", options).reply().await).expect("a key in the answer");
        self.becomes_good(bot, &key).await;
        key
    }

    /// Waits until a key opens what it may: a moment after it was shown.
    pub async fn becomes_good(&self, bot: &Bot, key: &str) {
        bot.eventually("the key is good", async |bot| self.opens(bot, key).await).await;
    }

    /// The direct messages of somebody with the bot.
    pub fn letters(&self, user: u64) -> Vec<FakeMessage> {
        self.discord.messages(self.discord.dm(user))
    }

    /// Leads `alerts` to the staff's channel.
    pub async fn set_alerts(&self) {
        let options = json!({ "name": "alerts", "channel": self.staff.to_string() });
        self.discord.command(self.ada, self.lobby, "settings slot set", options).reply().await;
    }

    /// What the staff was told.
    pub fn alerts(&self) -> Vec<String> {
        self.discord.messages(self.staff).iter().map(FakeMessage::text).collect()
    }

    /// Whether a key reads the settings of this server.
    pub async fn opens(&self, bot: &Bot, key: &str) -> bool {
        with_key(bot, key, &format!("/api/discord/channels/{}", self.guild)).await.status == 200
    }
}

/// GET with a key.
pub async fn with_key(bot: &Bot, key: &str, path: &str) -> Answer {
    answer(bot.client().get(bot.url(path)).header("X-API-Key", key).send()).await
}

/// The key in a text.
pub fn find_key(text: &str) -> Option<String> {
    let from = text.find("hall_live_")?;
    let key: String = text[from..].chars().take(KEY_CHARACTERS).collect();
    (key.len() == KEY_CHARACTERS && !key.contains('…')).then_some(key)
}

/// The key that a message holds.
pub fn key_in(message: &FakeMessage) -> Option<String> {
    find_key(&message.content)
}

/// The id that the menu of `list`, or a completion, gives a key.
pub async fn id_of(stage: &Stage, name: &str) -> String {
    let found = stage.discord.autocomplete(stage.ada, stage.lobby, "apikey log", json!({ "key": name }), "key").await;
    let one = found.first().unwrap_or_else(|| panic!("no key {name}"));
    one.value.as_str().expect("an id").to_owned()
}

/// Fails with the whole text where a part is missing.
#[track_caller]
pub fn assert_says(message: &FakeMessage, parts: &[&str]) {
    for part in parts {
        assert!(message.text().contains(part), "{part:?} is missing in:\n{}", message.text());
    }
    assert!(message.is_ephemeral(), "only who asked should see:\n{}", message.text());
}

/// Labels of the buttons that can be pressed.
pub fn labels(message: &FakeMessage) -> Vec<String> {
    message.buttons().into_iter().filter(|button| !button.disabled).map(|button| button.label).collect()
}

/// The link of an answer, as a path, and its code.
pub fn link_in(message: &FakeMessage) -> (String, String) {
    let url = message.buttons().into_iter().find_map(|button| button.url).expect("a link");
    let path = url.strip_prefix("https://hall.example.org").expect("the public address").to_owned();
    let (_, rest) = message.content.split_once("\n# ").expect("a code");
    (path, rest.lines().next().unwrap_or_default().to_owned())
}

/// What a browser sends with a code.
pub async fn enter(bot: &Bot, path: &str, code: &str) -> Answer {
    let form = format!("code={code}");
    let request = bot.client().post(bot.url(path)).header("Accept", "text/html,*/*");
    answer(request.header("Content-Type", "application/x-www-form-urlencoded").body(form).send()).await
}

/// The text of a page.
pub fn page(answer: &Answer) -> &str {
    answer.body.as_str().unwrap_or_default()
}
