//! `/vanish` and the message menus, as people use them: through the gateway, with what they see checked word by word.

mod holding;
mod listing;
mod menus;
mod rights;
mod setting;

use chrono::{DateTime, TimeDelta, Utc};
use fake_discord::{ChannelKind, FakeDiscord, FakeMessage, Interaction, permission};
use serde_json::Value;

use crate::harness::Bot;

/// Choices of `backlog`, by their place in the list.
pub const EVERYTHING: u8 = 2;
/// Choices of `schedule`.
pub const DAILY: u8 = 2;
/// Choices of `threads`.
pub const INCLUDE: u8 = 0;

/// A server with one channel, two members and a moderator.
pub struct Stage {
    /// The stand-in.
    pub discord: FakeDiscord,
    /// The server.
    pub guild: u64,
    /// Its owner.
    pub owner: u64,
    /// A text channel.
    pub lobby: u64,
    /// May manage messages everywhere, and nothing else.
    pub mona: u64,
    /// May nothing in particular.
    pub ada: u64,
    /// The same.
    pub bob: u64,
}

impl Stage {
    /// Builds the server before the bot's eyes.
    pub async fn build(bot: &Bot) -> Self {
        let discord = bot.discord().clone();
        discord.wait_command("vanish").await;
        let guild = discord.add_guild("Northwind");
        let lobby = discord.add_channel(guild, "lobby", ChannelKind::Text);
        let moderators = discord.add_role(guild, "Moderators", permission::MANAGE_MESSAGES);
        let [mona, ada, bob] = ["mona", "ada", "bob"].map(|name| discord.add_member(guild, name));
        discord.give_role(guild, mona, moderators);
        bot.drain().await;
        let owner = discord.owner(guild);
        Self { discord, guild, owner, lobby, mona, ada, bob }
    }

    /// Somebody uses a command of `/vanish` in the lobby.
    pub fn run(&self, user: u64, command: &str, options: Value) -> Interaction {
        self.discord.command(user, self.lobby, &format!("vanish {command}"), options)
    }

    /// Sets a rule for the lobby that is in force when this returns.
    pub async fn set(&self, options: Value) -> FakeMessage {
        let preview = self.run(self.mona, "set", options);
        preview.reply().await;
        let applied = self.discord.press_label(self.mona, &preview, "Apply").reply().await;
        assert!(applied.text().contains("✅ The rule is set"), "{}", applied.text());
        applied
    }

    /// Whether a message of the lobby is still there.
    pub fn lives(&self, message: u64) -> bool {
        self.discord.message(self.lobby, message).is_some()
    }

    /// Messages of `ada` in the lobby, a minute apart.
    pub fn seed(&self, count: usize, from: DateTime<Utc>) -> Vec<u64> {
        self.discord.seed(self.lobby, self.ada, count, from, TimeDelta::minutes(1))
    }
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
