//! What those who run a server do with `/practice-admin`.

mod files;
mod posts;
mod requests;
mod rules;

use chrono::{DateTime, TimeDelta, Utc};
use entity::{
    id::{DiscordUserId, GuildId},
    practice_session::SessionSource,
};
use fake_discord::{ChannelKind, FakeDiscord, Interaction};
use guildhall::domain::{
    Actor, Domain, Member, Source,
    guild::role::{self, GivenRights},
    practice::{self, LeaderboardQuery, NewEntry, NewSession, Person},
};
use serde_json::{Value, json};

use crate::harness::Bot;

const ROOT: Actor = Actor::Root { source: Source::Cli };

/// A server with somebody who runs it.
struct Hall {
    discord: FakeDiscord,
    domain: Domain,
    guild: u64,
    owner: u64,
    /// Where commands are typed.
    chat: u64,
    /// Where slots lead.
    staff: u64,
}

impl Hall {
    async fn of(bot: &Bot) -> Self {
        let discord = bot.discord().clone();
        let guild = discord.add_guild("Conservatory");
        let chat = discord.add_channel(guild, "chat", ChannelKind::Text);
        let staff = discord.add_channel(guild, "staff", ChannelKind::Text);
        discord.wait_command("practice-admin").await;
        let domain = bot.running().app().domain().clone();
        Self { owner: discord.owner(guild), discord, domain, guild, chat, staff }
    }

    fn guild_id(&self) -> GuildId {
        GuildId::new(self.guild).expect("no id is zero")
    }

    /// The owner runs a command; nobody else sees the answer.
    async fn run(&self, path: &str, options: Value) -> Interaction {
        self.run_as(self.owner, path, options).await
    }

    async fn run_as(&self, user: u64, path: &str, options: Value) -> Interaction {
        let asked = self.discord.command(user, self.chat, path, options);
        let reply = asked.reply().await;
        assert!(reply.is_ephemeral(), "/{path} answered in public: {}", reply.text());
        asked
    }

    async fn says(&self, path: &str, options: Value) -> String {
        self.run(path, options).await.text()
    }

    /// The owner presses a button of an answer.
    async fn press(&self, shown: &Interaction, label: &str) -> String {
        self.discord.press_label(self.owner, shown, label).reply().await.text()
    }

    async fn lead(&self, slot: &str, channel: u64) {
        let options = json!({ "name": slot, "channel": channel.to_string() });
        assert_says(&self.says("settings slot set", options).await, &["leads to"]);
    }

    /// A member as the domain sees them.
    async fn member(&self, user: u64) -> Actor {
        let roles = self.discord.roles_of(self.guild, user).unwrap_or_default();
        let member = Member {
            user_id: account(user),
            guild_id: self.guild_id(),
            permissions: 0,
            channel: None,
            roles: roles.into_iter().filter_map(entity::id::RoleId::new).collect(),
            given: GivenRights::default(),
            is_bot_admin: false,
        };
        Actor::Member(role::recognise(&self.domain, member).await.expect("the store answers"))
    }

    /// Practice that counts at once, because the operator writes it down.
    async fn practised(&self, user: u64, from: &str, minutes: i64) {
        let new = entry(self, user, from, minutes);
        let filed = practice::log(&self.domain, &ROOT, new).await.expect("it fits");
        assert!(filed.is_accepted());
    }

    /// A timer that runs for a time.
    async fn timed(&self, bot: &Bot, user: u64, minutes: i64) {
        let person = Person::Discord(account(user));
        let new = NewSession::of(person, Some(self.guild_id()), SessionSource::Command);
        practice::start(&self.domain, &ROOT, new).await.expect("nobody has a session");
        bot.advance(TimeDelta::minutes(minutes));
        practice::stop(&self.domain, &ROOT, person, None).await.expect("it runs");
    }

    /// Seconds of the board of this server.
    async fn counted(&self) -> i64 {
        let guild_id = Some(self.guild_id());
        let query = LeaderboardQuery { guild_id, limit: 100, ..LeaderboardQuery::default() };
        let board = practice::leaderboard(&self.domain, &ROOT, &query).await.expect("the store answers");
        board.standings.iter().map(|standing| standing.seconds).sum()
    }
}

fn entry(hall: &Hall, user: u64, from: &str, minutes: i64) -> NewEntry {
    let started_at = at(from);
    NewEntry {
        person: Person::Discord(account(user)),
        guild_id: hall.guild_id(),
        started_at,
        ended_at: started_at + TimeDelta::minutes(minutes),
        activity: Some("scales".to_owned()),
        note: Some("by **ear**".to_owned()),
    }
}

fn account(user: u64) -> DiscordUserId {
    DiscordUserId::new(user).expect("no id is zero")
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().expect("a moment")
}

/// Fails with the whole text unless all words are in it.
fn assert_says(said: &str, words: &[&str]) {
    for word in words {
        assert!(said.contains(word), "{word:?} is missing in:\n{said}");
    }
}
