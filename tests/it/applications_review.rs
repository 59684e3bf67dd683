//! Review posts, votes in chat, and what follows decisions.

mod decisions;
mod requests;
mod steps;

use entity::{
    application::Model,
    application_step::{StepKind, StepState},
    id::{DiscordUserId, GuildId, RoleId},
};
use fake_discord::{ChannelKind, FakeDiscord, FakeMessage, Interaction};
use guildhall::domain::{
    Actor, Domain, Source,
    application::{self, FollowUp, GivenAnswer, NewApplication, Policy, Terms},
};
use serde_json::{Value, json};

use crate::harness::Bot;

const ROOT: Actor = Actor::Root { source: Source::Cli };

/// A server whose reviewers have a role.
struct Hall {
    discord: FakeDiscord,
    domain: Domain,
    guild: u64,
    owner: u64,
    chat: u64,
    review: u64,
    voters: u64,
    /// What who is accepted receives.
    member: u64,
}

impl Hall {
    async fn of(bot: &Bot) -> Self {
        let discord = bot.discord().clone();
        let guild = discord.add_guild("Conservatory");
        let chat = discord.add_channel(guild, "chat", ChannelKind::Text);
        let review = discord.add_channel(guild, "review", ChannelKind::Text);
        let voters = discord.add_role(guild, "Council", 0);
        let member = discord.add_role(guild, "Member", 0);
        discord.wait_command("applications").await;
        discord.command_as_admin_override(true);
        let domain = bot.running().app().domain().clone();
        Self { owner: discord.owner(guild), discord, domain, guild, chat, review, voters, member }
    }

    /// The same with a channel for reviews.
    async fn open(bot: &Bot) -> Self {
        let hall = Self::of(bot).await;
        hall.lead("applications").await;
        hall
    }

    async fn lead(&self, slot: &str) {
        let options = json!({ "name": slot, "channel": self.review.to_string() });
        assert_says(&self.run(self.owner, "settings slot set", options).await.text(), &["leads to"]);
    }

    async fn run(&self, user: u64, path: &str, options: Value) -> Interaction {
        let asked = self.discord.command(user, self.chat, path, options);
        let reply = asked.reply().await;
        assert!(reply.is_ephemeral(), "/{path} answered in public: {}", reply.text());
        asked
    }

    fn policy(&self) -> Policy {
        let role = |id: u64| RoleId::new(id).expect("no id is zero");
        let follow_up = FollowUp { roles_add: vec![role(self.member)], ..FollowUp::default() };
        let mut policy = Policy { follow_up, ..Policy::default() };
        policy.voters.roles = vec![role(self.voters)];
        policy
    }

    fn voter(&self, name: &str) -> u64 {
        let user = self.discord.add_member(self.guild, name);
        self.discord.give_role(self.guild, user, self.voters);
        user
    }

    async fn apply(&self, applicant: u64, policy: Policy) -> Model {
        let answer = GivenAnswer {
            question_id: "why".to_owned(),
            label: "Why?".to_owned(),
            answer: format!("@everyone **{}**", "long ".repeat(200)),
        };
        let new = NewApplication {
            guild_id: GuildId::new(self.guild),
            form_id: None,
            user_id: None,
            discord_user_id: DiscordUserId::new(applicant),
            message_id: None,
            native_request_id: None,
            answers: vec![answer],
            policy,
            terms: Terms::default(),
        };
        application::submit(&self.domain, &ROOT, new).await.expect("it fits")
    }

    fn posts(&self) -> Vec<FakeMessage> {
        let all = self.discord.messages(self.review);
        all.into_iter().filter(|one| one.text().contains("Application #")).collect()
    }

    async fn post(&self) -> FakeMessage {
        self.discord.wait_message(self.review, |one| one.text().contains("Application #")).await
    }

    fn press(&self, user: u64, post: &FakeMessage, label: &str) -> Interaction {
        self.discord.press_label(user, (self.review, post.id), label)
    }

    async fn now(&self, row: &Model) -> Model {
        application::get(&self.domain, &ROOT, row.id).await.expect("it is there")
    }

    async fn step(&self, row: &Model, kind: StepKind) -> (StepState, Option<String>) {
        let steps = application::steps(&self.domain, &ROOT, row.id).await.expect("the store answers");
        let step = steps.into_iter().rfind(|step| step.kind == kind).expect("the decision has such a step");
        (step.state, step.last_code)
    }

    fn has_role(&self, user: u64) -> bool {
        self.discord.roles_of(self.guild, user).is_some_and(|roles| roles.contains(&self.member))
    }
}

fn assert_says(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "“{part}” is missing in:\n{text}");
    }
}
