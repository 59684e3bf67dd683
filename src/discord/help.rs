//! `/help`: what the bot can do for the person who asks, and how.

mod guide;
mod topic;

use serenity::all::{
    ButtonStyle, CreateActionRow, CreateAutocompleteResponse, CreateButton, CreateEmbed, CreateSelectMenu,
    CreateSelectMenuKind, CreateSelectMenuOption,
};

use self::{
    guide::GUIDES,
    topic::{Reader, Topic},
};
use super::{
    Asked, CommandError, Context, Data, Reply,
    component::{Press, custom_id, outdated},
    text,
};

/// The colour of help.
const BLUE: u32 = 0x0034_98DB;
/// Most characters of a card's text.
const TEXT_MAX: usize = 3_800;
/// Most choices that Discord shows.
const CHOICES_MAX: usize = 25;

/// What I can do, with examples
#[poise::command(slash_command, interaction_context = "Guild|BotDm", install_context = "Guild")]
pub async fn help(
    ctx: Context<'_>,
    #[description = "A command or a subject"]
    #[autocomplete = "complete_topic"]
    #[max_length = 64]
    topic: Option<String>,
) -> Result<(), CommandError> {
    let asked = Asked::command(ctx.data(), ctx.interaction);
    asked.answer(async { page(ctx.data(), &asked, topic.as_deref().unwrap_or_default()) }).await
}

/// Subjects and commands for what somebody has typed so far.
#[expect(clippy::unused_async, reason = "poise wants a future")]
async fn complete_topic(ctx: Context<'_>, typed: &str) -> CreateAutocompleteResponse {
    let asked = Asked::command(ctx.data(), ctx.interaction);
    let typed = wanted(typed);
    let reader = Reader::of(&asked);
    let guides = GUIDES.iter().map(|guide| (guide.title.to_owned(), guide.name.to_owned()));
    let commands =
        topic::all().iter().filter(|topic| reader.may(topic)).map(|topic| (topic.label(), topic.name.clone()));
    guides
        .chain(commands)
        .filter(|(label, name)| name.contains(&typed) || label.to_lowercase().contains(&typed))
        .take(CHOICES_MAX)
        .fold(CreateAutocompleteResponse::new(), |all, (label, name)| {
            all.add_string_choice(text::bounded(&label, 100), name)
        })
}

fn wanted(typed: &str) -> String {
    text::bounded(typed.trim().trim_start_matches('/'), 64).to_lowercase()
}

/// The menu was used.
pub async fn pressed(data: &Data, asked: &Asked, press: &Press<'_>) -> Result<(), CommandError> {
    if press.verb != "topic" {
        return asked.answer_beside(async { Err(outdated()) }).await;
    }
    let chosen = press.values.first().map(String::as_str).unwrap_or_default();
    asked.answer(async { page(data, asked, chosen) }).await
}

/// The page of a topic, or the first one.
fn page(data: &Data, asked: &Asked, typed: &str) -> Result<Reply, CommandError> {
    let reader = Reader::of(asked);
    let name = wanted(typed);
    if name.is_empty() || name == "overview" {
        return Ok(with_menu(overview(data, &reader), &reader, "overview"));
    }
    if let Some(guide) = GUIDES.iter().find(|guide| guide.name == name) {
        let text = guide.text(|command| data.commands.mention(command));
        return Ok(with_menu(card(guide.title, &text), &reader, guide.name));
    }
    let found: Vec<_> = topic::all().iter().filter(|topic| topic.is_in(&name) && reader.may(topic)).collect();
    let Some(first) = found.first() else {
        return Err(unknown(&name, &reader));
    };
    let lines = found.iter().map(|topic| entry(data, topic));
    let embed = card(&format!("/{name}"), &text::lines(lines, TEXT_MAX));
    Ok(with_menu(embed, &reader, &first.category))
}

fn unknown(name: &str, reader: &Reader) -> CommandError {
    let near = topic::all()
        .iter()
        .filter(|topic| reader.may(topic))
        .map(|topic| (strsim::damerau_levenshtein(name, &topic.name), topic))
        .min_by_key(|(distance, _)| *distance)
        .filter(|(distance, _)| *distance <= 3);
    let hint = near.map(|(_, topic)| format!(": did you mean `{}`?", topic.name)).unwrap_or_default();
    let problem = format!("There is no help about “{}” for you{hint}", text::escape(name, 40));
    CommandError::Input { problem, example: "/help topic:vanish" }
}

fn card(title: &str, description: &str) -> CreateEmbed {
    CreateEmbed::new().title(text::bounded(title, 256)).colour(BLUE).description(text::bounded(description, TEXT_MAX))
}

/// A command with what it does and an example.
fn entry(data: &Data, topic: &Topic) -> String {
    let name = if topic.is_menu {
        format!("**{}** (in the Apps menu of a message)", topic.name)
    } else {
        data.commands.mention(&topic.name)
    };
    let example = guide::example(&topic.name).map(|example| format!("\n-# `{example}`")).unwrap_or_default();
    format!("{name} {}{example}", topic.description)
}

fn overview(data: &Data, reader: &Reader) -> CreateEmbed {
    let mut lines = vec![
        "I let messages vanish, post where you tell me to, and can be driven over HTTP as well. Choose below, or \
         start here:"
            .to_owned(),
    ];
    for category in topic::categories().iter().filter(|category| reader.may_any(category)) {
        let about = topic::about(category);
        let open = topic::all().iter().find(|topic| topic.category == *category && reader.may(topic));
        let name = open
            .filter(|topic| topic.name == *category)
            .map_or_else(|| format!("**/{category}**"), |topic| data.commands.mention(&topic.name));
        lines.push(format!("{name} {about}"));
    }
    card("Help", &text::lines(lines, TEXT_MAX))
}

fn with_menu(embed: CreateEmbed, reader: &Reader, shown: &str) -> Reply {
    let choice = |label: &str, value: &str, about: &str| {
        let choice = CreateSelectMenuOption::new(text::bounded(label, 100), value).default_selection(value == shown);
        if about.is_empty() { choice } else { choice.description(text::bounded(about, 100)) }
    };
    let guides = GUIDES.iter().map(|guide| choice(guide.title, guide.name, ""));
    let commands = topic::categories()
        .iter()
        .filter(|category| reader.may_any(category))
        .filter(|category| GUIDES.iter().all(|guide| guide.name != category.as_str()))
        .map(|category| choice(&format!("/{category}"), category, topic::about(category)));
    let options: Vec<_> =
        std::iter::once(choice("Overview", "overview", "")).chain(guides).chain(commands).take(CHOICES_MAX).collect();
    let menu = CreateSelectMenu::new(custom_id("help", "topic", &[]), CreateSelectMenuKind::String { options });
    let reply = Reply::card(embed).row(CreateActionRow::SelectMenu(menu.placeholder("Choose a subject")));
    // For those who can mend what is broken.
    if reader.is_manager() {
        let doctor = CreateButton::new(custom_id("settings", "doctor", &[])).label("Is anything broken?");
        return reply.row(CreateActionRow::Buttons(vec![doctor.style(ButtonStyle::Secondary)]));
    }
    reply
}
