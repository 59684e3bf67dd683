//! `/forms`, `/apply` and `/my applications`, as people meet them.

mod applying;
mod making;
mod refusals;
mod sent;

use entity::{
    application::{ApplicationStatus, Model},
    id::{DiscordUserId, GuildId},
};
use fake_discord::{ChannelKind, FakeDiscord, Interaction, permission};
use guildhall::domain::{
    Actor, Source,
    application::{self, ApplicationFilter, Block, Verdict},
    form::{self, FormView},
    vanish::PageRequest,
};
use serde_json::{Value, json};

use crate::harness::Bot;

/// A server with people who apply.
pub struct Hall {
    pub discord: FakeDiscord,
    pub guild: u64,
    pub chat: u64,
    /// Where nobody talks.
    pub desk: u64,
    pub ann: u64,
    pub ben: u64,
    /// May manage the server.
    pub mona: u64,
}

impl Hall {
    pub async fn of(bot: &Bot) -> Self {
        let discord = bot.discord().clone();
        discord.wait_command("forms").await;
        let guild = discord.add_guild("Northwind");
        let chat = discord.add_channel(guild, "chat", ChannelKind::Text);
        let desk = discord.add_channel(guild, "desk", ChannelKind::Text);
        let managers = discord.add_role(guild, "Managers", permission::MANAGE_GUILD);
        let [ann, ben, mona] = ["ann", "ben", "mona"].map(|name| discord.add_member(guild, name));
        discord.give_role(guild, mona, managers);
        bot.drain().await;
        Self { discord, guild, chat, desk, ann, ben, mona }
    }

    pub fn guild_id(&self) -> GuildId {
        GuildId::new(self.guild).expect("not zero")
    }

    /// Somebody uses a command, answered for their eyes only.
    pub async fn run(&self, who: u64, path: &str, options: Value) -> Interaction {
        let asked = self.discord.command(who, self.chat, path, options);
        let reply = asked.reply().await;
        assert!(reply.is_ephemeral(), "/{path} answered in public: {}", reply.text());
        asked
    }

    pub async fn says(&self, who: u64, path: &str, options: Value) -> String {
        self.run(who, path, options).await.text()
    }

    /// Mona uses a command of `/forms`.
    pub async fn forms(&self, command: &str, options: Value) -> String {
        self.says(self.mona, &format!("forms {command}"), options).await
    }

    /// An open form that asks this, one line each.
    pub async fn form(&self, name: &str, labels: &[&str]) {
        assert_says(&self.forms("create", json!({ "name": name, "intro": "Read me." })).await, &["✅ Made"]);
        for label in labels {
            let added = self.forms("question add", json!({ "form": name, "label": label })).await;
            assert_says(&added, &["✅ Added", label]);
        }
        assert_says(&self.forms("open", json!({ "form": name })).await, &["✅ Open", "🟢"]);
    }

    /// Somebody begins, or goes on.
    pub async fn apply(&self, who: u64, name: &str) -> Interaction {
        self.run(who, "apply", json!({ "form": name })).await
    }

    /// Opens the page behind a button, fills in its fields by their labels, and sends it.
    pub async fn fill(&self, who: u64, shown: &Interaction, button: &str, answers: &[(&str, &str)]) -> Interaction {
        let opened = self.discord.press_label(who, shown, button);
        let fields = fields(&opened.modal().await);
        let values: serde_json::Map<String, Value> = answers
            .iter()
            .map(|(label, answer)| {
                let field = fields.iter().find(|field| field.label == *label);
                let field = field.unwrap_or_else(|| panic!("no field {label:?} in {fields:?}"));
                (field.id.clone(), json!(answer))
            })
            .collect();
        let sent = self.discord.submit_modal(who, &opened, Value::Object(values));
        sent.reply().await;
        sent
    }

    /// All open applications of somebody are turned down.
    pub async fn reject(&self, bot: &Bot, who: u64) {
        let domain = bot.running().app().domain();
        let page = PageRequest { limit: 100, offset: 0 };
        let all = application::list(domain, &root(), ApplicationFilter::all(page)).await.expect("the store answers");
        let who = DiscordUserId::new(who);
        let open = |row: &&Model| row.discord_user_id == who && row.status == ApplicationStatus::Pending;
        for row in all.rows.iter().filter(open) {
            let verdict = Verdict { status: ApplicationStatus::Rejected, reason: Some("not **yet**".to_owned()) };
            application::decide(domain, &root(), row.id, verdict).await.expect("it is open");
        }
    }

    /// Somebody may not apply here any more.
    pub async fn block(&self, bot: &Bot, who: u64) {
        let discord_user_id = DiscordUserId::new(who).expect("not zero");
        let block = Block { guild_id: self.guild_id(), discord_user_id, until: None, reason: None };
        application::block(bot.running().app().domain(), &root(), block).await.expect("it is a block");
    }

    /// A form as the store has it.
    pub async fn view(&self, bot: &Bot, name: &str) -> FormView {
        let domain = bot.running().app().domain();
        form::form_named(domain, &root(), self.guild_id(), name).await.expect("the form is there")
    }
}

/// A field of a modal.
#[derive(Debug)]
pub struct Field {
    pub label: String,
    pub id: String,
    /// What stands in it already.
    pub value: String,
}

pub fn fields(modal: &Value) -> Vec<Field> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let rows = modal["components"].as_array().expect("a modal has rows");
    rows.iter()
        .map(|row| &row["components"][0])
        .map(|input| Field {
            label: text(&input["label"]),
            id: text(&input["custom_id"]),
            value: text(&input["value"]),
        })
        .collect()
}

pub fn root() -> Actor {
    Actor::Root { source: Source::Cli }
}

/// Fails with the whole text unless all words are in it.
pub fn assert_says(said: &str, words: &[&str]) {
    for word in words {
        assert!(said.contains(word), "{word:?} is missing in:\n{said}");
    }
}
