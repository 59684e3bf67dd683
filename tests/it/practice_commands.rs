//! `/practice` and voice channels, as people meet them.

mod figures;
mod notices;
mod timers;
mod voice;

use chrono::TimeDelta;
use entity::{
    id::{DiscordUserId, GuildId},
    practice_rule::ChannelMode,
};
use fake_discord::{ChannelKind, FakeDiscord, FakeMessage, Interaction, permission};
use guildhall::domain::{
    Actor, Source,
    practice::{self, Person, RuleChange, SessionView},
};
use serde_json::{Value, json};

use crate::harness::Bot;

/// Choices of `visibility` and `period`, by their place in the list.
pub const PRIVATE: u8 = 1;
pub const WEEK: u8 = 1;

/// A server with people who practise.
pub struct Stage {
    pub discord: FakeDiscord,
    pub guild: u64,
    pub chat: u64,
    /// Where the slot `practice` leads, once it is set.
    pub practice: u64,
    pub ann: u64,
    pub ben: u64,
    /// May manage the server.
    pub mona: u64,
}

impl Stage {
    pub async fn of(bot: &Bot) -> Self {
        let discord = bot.discord().clone();
        discord.wait_command("practice").await;
        let guild = discord.add_guild("Northwind");
        let chat = discord.add_channel(guild, "chat", ChannelKind::Text);
        let practice = discord.add_channel(guild, "practice", ChannelKind::Text);
        let managers = discord.add_role(guild, "Managers", permission::MANAGE_GUILD);
        let [ann, ben, mona] = ["ann", "ben", "mona"].map(|name| discord.add_member(guild, name));
        discord.give_role(guild, mona, managers);
        bot.drain().await;
        Self { discord, guild, chat, practice, ann, ben, mona }
    }

    pub fn guild_id(&self) -> GuildId {
        GuildId::new(self.guild).expect("not zero")
    }

    /// Somebody uses a command of `/practice`.
    pub fn ask(&self, who: u64, command: &str, options: Value) -> Interaction {
        self.discord.command(who, self.chat, &format!("practice {command}"), options)
    }

    /// The same, answered for their eyes only.
    pub async fn run(&self, who: u64, command: &str, options: Value) -> Interaction {
        let asked = self.ask(who, command, options);
        let reply = asked.reply().await;
        assert!(reply.is_ephemeral(), "/practice {command} answered in public: {}", reply.text());
        asked
    }

    pub async fn says(&self, who: u64, command: &str, options: Value) -> String {
        self.run(who, command, options).await.text()
    }

    /// Mona gives the slot `practice` its channel.
    pub async fn set_slot(&self) {
        let options = json!({ "name": "practice", "channel": self.practice.to_string() });
        let asked = self.discord.command(self.mona, self.chat, "settings slot set", options);
        let said = asked.reply().await.text();
        assert!(!said.contains("E-"), "{said}");
    }

    pub async fn set_rule(&self, bot: &Bot, change: RuleChange) {
        let domain = bot.running().app().domain();
        practice::set_rule(domain, &root(), self.guild_id(), change).await.expect("a rule in bounds");
    }

    /// All voice channels count.
    pub async fn track_all(&self, bot: &Bot) {
        self.set_rule(bot, RuleChange { channel_mode: Some(ChannelMode::All), ..RuleChange::default() }).await;
    }
}

pub fn root() -> Actor {
    Actor::Root { source: Source::Cli }
}

pub fn person(account: u64) -> Person {
    Person::Discord(DiscordUserId::new(account).expect("not zero"))
}

/// What runs for somebody.
pub async fn running(bot: &Bot, account: u64) -> Option<SessionView> {
    let domain = bot.running().app().domain();
    practice::running(domain, &root(), person(account)).await.expect("the store answers")
}

/// All sessions of somebody, the newest first.
pub async fn sessions(bot: &Bot, account: u64) -> Vec<SessionView> {
    let domain = bot.running().app().domain();
    let page = practice::history(domain, &root(), (person(account), None), None, 100).await;
    page.expect("the store answers").sessions
}

/// Waits until somebody's timer runs, or until none does.
pub async fn until_running(bot: &Bot, account: u64, expected: bool) {
    let what = format!("a session of {account} runs: {expected}");
    bot.eventually(&what, async |bot| running(bot, account).await.is_some() == expected).await;
}

pub fn assert_says(said: &str, words: &[&str]) {
    for word in words {
        assert!(said.contains(word), "{word:?} is missing in:\n{said}");
    }
}

pub fn labels(message: &FakeMessage) -> Vec<String> {
    message.buttons().into_iter().map(|button| button.label).collect()
}

/// Time passes with heartbeats.
pub async fn live(bot: &Bot, minutes: i64) {
    bot.live_through(TimeDelta::minutes(minutes), TimeDelta::seconds(60)).await;
}
