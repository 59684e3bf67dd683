//! A small bot on serenity.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use fake_discord::{FakeDiscord, TOKEN};
use serenity::all::{
    ActionRowComponent, ClientBuilder, Command, CommandInteraction, CommandOptionType, CommandType,
    ComponentInteraction, Context, CreateActionRow, CreateAllowedMentions, CreateAttachment,
    CreateAutocompleteResponse, CreateButton, CreateCommand, CreateCommandOption, CreateEmbed, CreateInputText,
    CreateInteractionResponse, CreateInteractionResponseFollowup, CreateInteractionResponseMessage, CreateModal,
    CreateSelectMenu, CreateSelectMenuKind, EditInteractionResponse, EventHandler, Guild, HttpBuilder, InputTextStyle,
    Interaction, Message, ModalInteraction, Permissions, Ready, ShardManager,
};
use serenity::prelude::GatewayIntents;

pub const INTENTS: GatewayIntents = GatewayIntents::GUILDS
    .union(GatewayIntents::GUILD_MESSAGES)
    .union(GatewayIntents::GUILD_VOICE_STATES)
    .union(GatewayIntents::DIRECT_MESSAGES);

#[derive(Default)]
pub struct Seen {
    pub guilds: AtomicUsize,
    pub messages: AtomicUsize,
    pub contents: AtomicUsize,
    pub interactions: AtomicUsize,
    pub resumes: AtomicUsize,
}

/// A running bot; it stops when dropped.
pub struct Bot {
    pub seen: Arc<Seen>,
    manager: Arc<ShardManager>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Bot {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Bot {
    pub async fn start(fake: &FakeDiscord, intents: GatewayIntents) -> Self {
        let seen = Arc::new(Seen::default());
        let http = HttpBuilder::new(TOKEN).proxy(fake.base_url()).ratelimiter_disabled(true).build();
        let mut client =
            ClientBuilder::new_with_http(http, intents).event_handler(Handler(Arc::clone(&seen))).await.unwrap();
        let manager = Arc::clone(&client.shard_manager);
        let task = tokio::spawn(async move {
            client.start_autosharded().await.ok();
        });
        Self { seen, manager, task }
    }

    pub async fn shut_down(&self) {
        self.manager.shutdown_all().await;
    }
}

/// Waits until a counter got to `count`.
pub async fn until(counter: &AtomicUsize, count: usize) {
    for _ in 0..500 {
        if counter.load(Ordering::SeqCst) >= count {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("only {} of {count}", counter.load(Ordering::SeqCst));
}

struct Handler(Arc<Seen>);

fn commands() -> Vec<CreateCommand> {
    let text = |name: &str| CreateCommandOption::new(CommandOptionType::String, name, name);
    vec![
        CreateCommand::new("hello")
            .description("Greets")
            .add_option(CreateCommandOption::new(CommandOptionType::User, "who", "who").required(true))
            .add_option(CreateCommandOption::new(CommandOptionType::Channel, "where", "where"))
            .add_option(CreateCommandOption::new(CommandOptionType::Role, "role", "role"))
            .add_option(text("mood").add_string_choice("good", "good"))
            .add_option(CreateCommandOption::new(CommandOptionType::Integer, "times", "times").max_int_value(3)),
        CreateCommand::new("panel").description("Shows a panel"),
        CreateCommand::new("form").description("Opens a form"),
        CreateCommand::new("slow").description("Defers"),
        CreateCommand::new("raw").description("Leaves the answer to the test"),
        CreateCommand::new("late").description("Answers too late"),
        CreateCommand::new("list")
            .description("Lists")
            .default_member_permissions(Permissions::MANAGE_MESSAGES)
            .add_option(
                CreateCommandOption::new(CommandOptionType::SubCommandGroup, "exempt", "exempt").add_sub_option(
                    CreateCommandOption::new(CommandOptionType::SubCommand, "add", "add")
                        .add_sub_option(text("what").set_autocomplete(true).required(true)),
                ),
            ),
        CreateCommand::new("Inspect").kind(CommandType::Message),
        CreateCommand::new("Card").kind(CommandType::User),
    ]
}

#[serenity::async_trait]
impl EventHandler for Handler {
    async fn ready(&self, ctx: Context, _: Ready) {
        Command::set_global_commands(&ctx.http, commands()).await.unwrap();
    }

    async fn guild_create(&self, _: Context, _: Guild, _: Option<bool>) {
        self.0.guilds.fetch_add(1, Ordering::SeqCst);
    }

    async fn resume(&self, _: Context, _: serenity::all::ResumedEvent) {
        self.0.resumes.fetch_add(1, Ordering::SeqCst);
    }

    async fn message(&self, _: Context, message: Message) {
        self.0.messages.fetch_add(1, Ordering::SeqCst);
        if !message.content.is_empty() {
            self.0.contents.fetch_add(1, Ordering::SeqCst);
        }
    }

    async fn interaction_create(&self, ctx: Context, interaction: Interaction) {
        self.0.interactions.fetch_add(1, Ordering::SeqCst);
        match interaction {
            Interaction::Command(command) => on_command(&ctx, &command).await,
            Interaction::Component(component) => on_component(&ctx, &component).await,
            Interaction::Modal(modal) => on_modal(&ctx, &modal).await,
            Interaction::Autocomplete(completion) => {
                let typed = completion.data.autocomplete().unwrap().value.to_owned();
                let response = CreateAutocompleteResponse::new().add_string_choice(format!("{typed}!"), typed);
                let response = CreateInteractionResponse::Autocomplete(response);
                completion.create_response(&ctx.http, response).await.unwrap();
            }
            _ => {}
        }
    }
}

fn quiet(text: impl Into<String>) -> CreateInteractionResponseMessage {
    CreateInteractionResponseMessage::new().content(text).allowed_mentions(CreateAllowedMentions::new())
}

fn say(text: impl Into<String>) -> CreateInteractionResponse {
    CreateInteractionResponse::Message(quiet(text))
}

async fn on_command(ctx: &Context, command: &CommandInteraction) {
    let response = match command.data.name.as_str() {
        "hello" => {
            let user = command.data.resolved.users.values().next().unwrap();
            let names: Vec<_> = command.data.resolved.channels.values().collect();
            say(format!("hello {} in {:?}", user.name, names.first().and_then(|one| one.name.clone())))
        }
        "panel" => {
            let buttons = CreateActionRow::Buttons(vec![
                CreateButton::new("bump").label("Bump"),
                CreateButton::new("gone").label("Gone").disabled(true),
                CreateButton::new_link("https://example.org").label("Link"),
            ]);
            let kind = CreateSelectMenuKind::Role { default_roles: None };
            let menu = CreateActionRow::SelectMenu(CreateSelectMenu::new("role", kind));
            let embed = CreateEmbed::new().title("Panel").field("Count", "0", true);
            let data = quiet("panel").embed(embed).components(vec![buttons, menu]).ephemeral(true);
            CreateInteractionResponse::Message(data)
        }
        "form" => {
            let input = CreateInputText::new(InputTextStyle::Short, "Name", "name");
            let modal = CreateModal::new("form", "Form").components(vec![CreateActionRow::InputText(input)]);
            CreateInteractionResponse::Modal(modal)
        }
        "slow" => {
            command.defer_ephemeral(&ctx.http).await.unwrap();
            tokio::time::sleep(Duration::from_millis(50)).await;
            let file = CreateAttachment::bytes(b"1,2".to_vec(), "data.csv");
            let edit = EditInteractionResponse::new()
                .content("done")
                .new_attachment(file)
                .allowed_mentions(CreateAllowedMentions::new());
            command.edit_response(&ctx.http, edit).await.unwrap();
            let more =
                CreateInteractionResponseFollowup::new().content("more").allowed_mentions(CreateAllowedMentions::new());
            command.create_followup(&ctx.http, more).await.unwrap();
            return;
        }
        "late" => {
            tokio::time::sleep(Duration::from_millis(3200)).await;
            let refused = command.create_response(&ctx.http, say("late")).await;
            assert!(refused.is_err());
            return;
        }
        "raw" => return,
        other => say(format!("used {other} in {}", command.guild_id.is_some())),
    };
    command.create_response(&ctx.http, response).await.unwrap();
}

async fn on_component(ctx: &Context, component: &ComponentInteraction) {
    let text = format!("used {}", component.data.custom_id);
    let response = CreateInteractionResponse::UpdateMessage(quiet(text).components(Vec::new()));
    component.create_response(&ctx.http, response).await.unwrap();
}

async fn on_modal(ctx: &Context, modal: &ModalInteraction) {
    let ActionRowComponent::InputText(input) = &modal.data.components[0].components[0] else {
        panic!("not a text");
    };
    let text = format!("form says {}", input.value.clone().unwrap());
    modal.create_response(&ctx.http, say(text)).await.unwrap();
}
