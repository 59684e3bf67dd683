//! `/practice stats` and `leaderboard`, `/my practice` and the menu of a person, as people use them.

mod boards;
mod figures;
mod privacy;

use chrono::TimeDelta;
use entity::{
    id::{DiscordUserId, GuildId},
    practice_session::SessionSource,
};
use fake_discord::{ChannelKind, FakeDiscord, FakeMessage, Interaction};
use guildhall::domain::{
    Actor, Source,
    practice::{self, NewSession, Person},
};
use serde_json::Value;

use crate::harness::Bot;

/// Choices of `period`, by their place in the list.
pub const DAY: u8 = 0;
pub const WEEK: u8 = 1;
pub const MONTH: u8 = 2;
pub const YEAR: u8 = 3;
pub const ALL: u8 = 4;
pub const CUSTOM: u8 = 5;

/// A server with one channel and two members.
pub struct Stage {
    pub discord: FakeDiscord,
    pub guild: u64,
    pub chat: u64,
    pub ada: u64,
    pub bob: u64,
}

impl Stage {
    pub async fn build(bot: &Bot) -> Self {
        let discord = bot.discord().clone();
        discord.wait_command("practice").await;
        let guild = discord.add_guild("Northwind");
        let chat = discord.add_channel(guild, "chat", ChannelKind::Text);
        let [ada, bob] = ["ada", "bob"].map(|name| discord.add_member(guild, name));
        bot.drain().await;
        Self { discord, guild, chat, ada, bob }
    }

    pub fn run(&self, user: u64, path: &str, options: Value) -> Interaction {
        self.discord.command(user, self.chat, path, options)
    }

    pub async fn stats(&self, user: u64, options: Value) -> FakeMessage {
        self.run(user, "practice stats", options).reply().await
    }

    /// Lets somebody practise in the server from now on.
    pub async fn begin(&self, bot: &Bot, user: u64, source: SessionSource, activity: Option<&str>) {
        let new = NewSession::of(person(user), GuildId::new(self.guild), source);
        let new = NewSession { activity: activity.map(str::to_owned), ..new };
        let begun = practice::start(bot.running().app().domain(), &root(), new).await.expect("it starts");
        assert!(begun.is_new);
    }

    pub async fn end(&self, bot: &Bot, user: u64) {
        practice::stop(bot.running().app().domain(), &root(), person(user), None).await.expect("it ran");
    }

    /// Lets somebody practise for some seconds, in a program that says so.
    pub async fn practise(&self, bot: &Bot, user: u64, seconds: i64, activity: Option<&str>) {
        self.begin(bot, user, SessionSource::Http, activity).await;
        bot.advance(TimeDelta::seconds(seconds));
        self.end(bot, user).await;
    }
}

pub fn root() -> Actor {
    Actor::Root { source: Source::Cli }
}

pub fn person(user: u64) -> Person {
    Person::Discord(DiscordUserId::new(user).expect("an id"))
}

/// Fails with the whole text where a part is missing.
#[track_caller]
pub fn assert_says(message: &FakeMessage, parts: &[&str]) {
    for part in parts {
        assert!(message.text().contains(part), "{part:?} is missing in:\n{}", message.text());
    }
}

/// The id of the menu whose id begins so.
#[track_caller]
pub fn menu(message: &FakeMessage, verb: &str) -> String {
    let menus = message.selects();
    let mut ids = menus.iter().filter_map(|menu| menu["custom_id"].as_str());
    ids.find(|id| id.starts_with(&format!("v1|practice|{verb}|"))).expect("the menu").to_owned()
}
