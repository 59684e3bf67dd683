//! What people do with `/settings`, `/help` and `/status`.

mod general;
mod health;
mod history;
mod roles;
mod slots;
mod transfer;
mod words;

use fake_discord::{ChannelKind, FakeDiscord, FakeMessage, Interaction};
use serde_json::Value;

use crate::harness::Bot;

/// A server with somebody who runs it, and the channels that stories need.
struct Town {
    discord: FakeDiscord,
    guild: u64,
    owner: u64,
    /// Where commands are typed.
    chat: u64,
    /// Where slots lead.
    staff: u64,
}

impl Town {
    async fn of(bot: &Bot) -> Self {
        let discord = bot.discord().clone();
        let guild = discord.add_guild("Northwind");
        let chat = discord.add_channel(guild, "chat", ChannelKind::Text);
        let staff = discord.add_channel(guild, "staff", ChannelKind::Text);
        discord.wait_command("settings").await;
        Self { owner: discord.owner(guild), discord, guild, chat, staff }
    }

    /// The owner runs a command and waits for the answer, which nobody else sees.
    async fn run(&self, path: &str, options: Value) -> Interaction {
        self.run_as(self.owner, path, options).await
    }

    async fn run_as(&self, user: u64, path: &str, options: Value) -> Interaction {
        let asked = self.discord.command(user, self.chat, path, options);
        let reply = asked.reply().await;
        assert!(reply.is_ephemeral(), "/{path} answered in public: {}", reply.text());
        asked
    }

    /// The same, for its text.
    async fn says(&self, path: &str, options: Value) -> String {
        self.run(path, options).await.text()
    }

    /// The owner presses a button of an answer.
    async fn press(&self, shown: &Interaction, label: &str) -> FakeMessage {
        self.discord.press_label(self.owner, shown, label).reply().await
    }

    /// The owner chooses in a menu of an answer.
    async fn choose(&self, shown: &Interaction, id: &str, value: &str) -> Interaction {
        let chosen = self.discord.select(self.owner, shown, id, &[value]);
        chosen.reply().await;
        chosen
    }

    /// Leads a slot to a channel.
    async fn set(&self, name: &str, channel: u64) {
        let said =
            self.says("settings slot set", serde_json::json!({ "name": name, "channel": channel.to_string() })).await;
        assert!(said.contains(&format!("The slot `{name}` leads to <#{channel}>")), "{said}");
    }

    /// The address of a slot over HTTP.
    fn address(&self, name: &str) -> String {
        format!("/api/discord/channels/{}/{name}", self.guild)
    }

    /// The owner runs a command until the answer holds some words.
    async fn until(&self, bot: &Bot, path: &str, options: Value, words: &str) -> Interaction {
        let seen = std::sync::Mutex::new(None);
        bot.eventually(&format!("/{path} says {words:?}"), async |_| {
            let asked = self.run(path, options.clone()).await;
            let found = asked.text().contains(words);
            *seen.lock().expect("nothing panics while it is held") = Some(asked);
            found
        })
        .await;
        let seen = seen.into_inner().expect("nothing panicked");
        seen.expect("it was asked at least once")
    }
}

/// Fails with the whole text unless all words are in it.
fn assert_says(said: &str, words: &[&str]) {
    for word in words {
        assert!(said.contains(word), "{word:?} is missing in:\n{said}");
    }
}
