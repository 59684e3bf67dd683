//! `/settings slot`: the channels that features post in.

mod act;
mod cards;

use entity::{channel_slot::SlotType, id::ChannelId};
use serenity::all::{CreateAutocompleteResponse, PartialChannel};

pub use cards::list;

use crate::{
    discord::{
        Asked, CommandError, Context, Data,
        component::{Press, outdated},
        text,
    },
    domain::slot as slots,
};

/// Longest wait for the names that a person is offered while typing.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(2);
/// Most names offered at once.
const CHOICES_MAX: usize = 25;

/// The channels that features post in
#[poise::command(slash_command, subcommand_required, subcommands("set", "show", "clear", "create", "test"))]
#[expect(clippy::unused_async, reason = "poise wants a future of every command")]
pub async fn slot(_ctx: Context<'_>) -> Result<(), CommandError> {
    Ok(())
}

/// Choose the channel of a slot
#[poise::command(slash_command)]
async fn set(
    ctx: Context<'_>,
    #[description = "Which slot"]
    #[autocomplete = "complete_name"]
    #[max_length = 64]
    name: String,
    #[description = "Its channel"]
    #[channel_types(
        "Text",
        "News",
        "Voice",
        "Stage",
        "Forum",
        "Category",
        "PublicThread",
        "PrivateThread",
        "NewsThread"
    )]
    channel: PartialChannel,
) -> Result<(), CommandError> {
    let asked = Asked::command(ctx.data(), ctx.interaction);
    asked
        .answer(async {
            let channel = ChannelId::new(channel.id.get()).ok_or(CommandError::OnlyInServers)?;
            act::set(ctx.data(), &asked, &name, channel).await
        })
        .await
}

/// Show one slot, or all of them
#[poise::command(slash_command)]
async fn show(
    ctx: Context<'_>,
    #[description = "Which slot; all without it"]
    #[autocomplete = "complete_name"]
    #[max_length = 64]
    name: Option<String>,
) -> Result<(), CommandError> {
    let asked = Asked::command(ctx.data(), ctx.interaction);
    asked
        .answer(async {
            match &name {
                Some(name) => cards::one(ctx.data(), &asked, name).await,
                None => cards::list(ctx.data(), &asked, 0).await,
            }
        })
        .await
}

/// Take the channel of a slot away
#[poise::command(slash_command)]
async fn clear(
    ctx: Context<'_>,
    #[description = "Which slot"]
    #[autocomplete = "complete_name"]
    #[max_length = 64]
    name: String,
) -> Result<(), CommandError> {
    let asked = Asked::command(ctx.data(), ctx.interaction);
    asked.answer(act::clear(ctx.data(), &asked, &name)).await
}

/// Make a slot of your own, for clients of the API
#[poise::command(slash_command)]
async fn create(
    ctx: Context<'_>,
    #[description = "Its name: a-z, 0-9, _ and -"]
    #[max_length = 64]
    name: String,
    #[description = "What kind of channel fits"]
    #[rename = "type"]
    kind: Kind,
    #[description = "What it is for, in one line"]
    #[max_length = 200]
    purpose: String,
) -> Result<(), CommandError> {
    let asked = Asked::command(ctx.data(), ctx.interaction);
    asked.answer(act::create(ctx.data(), &asked, &name, kind.into(), &purpose)).await
}

/// Post a message that deletes itself after 30 seconds
#[poise::command(slash_command)]
async fn test(
    ctx: Context<'_>,
    #[description = "Which slot"]
    #[autocomplete = "complete_name"]
    #[max_length = 64]
    name: String,
) -> Result<(), CommandError> {
    let asked = Asked::command(ctx.data(), ctx.interaction);
    asked.answer(act::test(ctx.data(), &asked, &name)).await
}

/// The types that a person can choose.
#[derive(Clone, Copy, Debug, poise::ChoiceParameter)]
pub enum Kind {
    /// Text or announcement channel.
    #[name = "Text channel"]
    Text,
    /// Voice channel.
    #[name = "Voice channel"]
    Voice,
    /// Stage channel.
    #[name = "Stage channel"]
    Stage,
    /// Forum or media channel.
    #[name = "Forum channel"]
    Forum,
    /// Category.
    #[name = "Category"]
    Category,
    /// Thread.
    #[name = "Thread"]
    Thread,
    /// Whatever.
    #[name = "Any channel"]
    Any,
}

impl From<Kind> for SlotType {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Text => Self::Text,
            Kind::Voice => Self::Voice,
            Kind::Stage => Self::Stage,
            Kind::Forum => Self::Forum,
            Kind::Category => Self::Category,
            Kind::Thread => Self::Thread,
            Kind::Any => Self::Any,
        }
    }
}

/// The type that a person wrote in a form.
fn typed_kind(text: &str) -> Result<SlotType, CommandError> {
    Ok(match text.trim().to_ascii_lowercase().as_str() {
        "text" => SlotType::Text,
        "voice" => SlotType::Voice,
        "stage" => SlotType::Stage,
        "forum" => SlotType::Forum,
        "category" => SlotType::Category,
        "thread" => SlotType::Thread,
        "any" | "" => SlotType::Any,
        other => {
            let problem = format!("`{}` is no type of channel", text::escape(other, 30));
            return Err(CommandError::Input { problem, example: "text, voice, stage, forum, category, thread or any" });
        }
    })
}

/// Names of slots for what somebody has typed so far, each with its purpose; empty on trouble.
async fn complete_name(ctx: Context<'_>, typed: &str) -> CreateAutocompleteResponse {
    let asked = Asked::command(ctx.data(), ctx.interaction);
    let names = tokio::time::timeout(PATIENCE, names(ctx.data(), &asked, typed)).await;
    let names = names.ok().and_then(Result::ok).unwrap_or_default();
    names
        .into_iter()
        .fold(CreateAutocompleteResponse::new(), |choices, (label, name)| choices.add_string_choice(label, name))
}

async fn names(data: &Data, asked: &Asked, typed: &str) -> Result<Vec<(String, String)>, CommandError> {
    let member = asked.member()?;
    let typed = typed.trim().to_ascii_lowercase();
    let mut views = slots::all_slots(data.app.domain(), &asked.actor().await?, member.guild_id).await?;
    views.retain(|view| view.key.as_str().contains(&typed));
    // What begins like it comes first; the order among equals stays.
    views.sort_by_key(|view| !view.key.as_str().starts_with(&typed));
    Ok(views
        .into_iter()
        .take(CHOICES_MAX)
        .map(|view| {
            let label = match &view.purpose {
                // Shown as plain text, where escapes would be seen.
                Some(purpose) => format!("{} – {purpose}", view.key),
                None => view.key.to_string(),
            };
            (text::bounded(&label, 100), view.key.to_string())
        })
        .collect())
}

/// A button, menu or form of a slot.
pub async fn pressed(data: &Data, asked: &Asked, press: &Press<'_>) -> Result<(), CommandError> {
    let key = press.arguments.first().copied().unwrap_or_default();
    let chosen = press.values.first().map_or("", String::as_str);
    match press.verb {
        "list" => asked.answer(async { cards::list(data, asked, press.argument(0)?).await }).await,
        "open" if chosen.is_empty() => asked.answer(cards::one(data, asked, key)).await,
        "open" => asked.answer(cards::one(data, asked, chosen)).await,
        "pick" => {
            asked.answer(async { act::set(data, asked, key, chosen.parse().map_err(|_| outdated())?).await }).await
        }
        "undo" => asked.answer(async { act::set(data, asked, key, press.argument(1)?).await }).await,
        "clear" => asked.answer(act::clear(data, asked, key)).await,
        "remove" => asked.answer(act::remove(data, asked, key)).await,
        "test" => asked.answer_beside(act::test(data, asked, key)).await,
        "new" => asked.open(async { Ok(cards::new_slot_form()) }).await,
        "create" => {
            let create = async {
                let slot_type = typed_kind(press.input("type"))?;
                act::create(data, asked, press.input("name"), slot_type, press.input("purpose")).await
            };
            asked.answer(create).await
        }
        _ => asked.answer_beside(async { Err(outdated()) }).await,
    }
}
