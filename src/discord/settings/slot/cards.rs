//! How slots are shown.

use entity::channel_slot::SlotState;
use serenity::all::{CreateActionRow, CreateButton, CreateEmbed, CreateModal, CreateSelectMenu, CreateSelectMenuKind};

use super::act;
use crate::{
    discord::{
        Asked, CommandError, Data, Reply,
        component::custom_id,
        settings::{card, channel, panel},
        text,
    },
    domain::slot::{self as slots, SlotKey, SlotProblem, SlotView},
};

/// Longest purpose in a list.
const PURPOSE_MAX: usize = 80;

/// A state as a sign and a word, so that colour alone never says it.
pub fn state(view: &SlotView) -> (&'static str, &'static str) {
    match view.state {
        SlotState::Empty => ("➖", "no channel"),
        SlotState::Unconfirmed => ("⏳", "waits for Discord to confirm its channel"),
        SlotState::Ready => ("✅", "ready"),
        SlotState::Broken => ("❌", "broken"),
    }
}

/// A slot's health in words.
fn health(view: &SlotView) -> String {
    let (_, word) = state(view);
    match view.problem.map(SlotProblem::words) {
        Some(problem) => format!("{word}: {problem}"),
        None => word.to_owned(),
    }
}

fn line(view: &SlotView) -> String {
    let (sign, _) = state(view);
    let place = view.channel_id.map(|channel| format!(" → {}", text::channel(channel))).unwrap_or_default();
    let purpose = view.purpose.as_deref().map(|purpose| text::escape(purpose, PURPOSE_MAX));
    let purpose = purpose.map(|purpose| format!("\n-# {purpose}")).unwrap_or_default();
    format!("{sign} `{}`{place} · {}{purpose}", view.key, health(view))
}

/// One page of a server's slots.
pub async fn list(data: &Data, asked: &Asked, page: usize) -> Result<Reply, CommandError> {
    let guild = asked.member()?.guild_id;
    let views = slots::all_slots(data.app.domain(), &asked.actor().await?, guild).await?;
    let pages = views.len().div_ceil(card::PAGE_ROWS).max(1);
    let page = page.min(pages - 1);
    let shown: Vec<_> = views.iter().skip(page * card::PAGE_ROWS).take(card::PAGE_ROWS).collect();
    let broken = views.iter().filter(|view| view.state == SlotState::Broken).count();
    let colour = if broken > 0 { card::AMBER } else { card::BLUE };
    let embed = card::card("Slots", colour, text::lines(shown.iter().map(|view| line(view)), card::TEXT_MAX));
    let footer = format!("page {}/{pages} · {}", page + 1, card::count(broken, "broken slot", "broken slots"));
    let options = shown.iter().map(|view| {
        let (sign, word) = state(view);
        card::choice(&format!("{sign} {}", view.key), view.key.as_str(), Some(word))
    });
    let menu = card::menu(custom_id("slot", "open", &[""]), "Choose a slot to change", options.collect());
    Ok(Reply::card(embed.footer(serenity::all::CreateEmbedFooter::new(footer)))
        .row(panel::menu("slots"))
        .row(menu)
        .row(card::row(pager(page, pages))))
}

fn pager(page: usize, pages: usize) -> Vec<CreateButton> {
    let mut buttons = vec![card::button("New slot…", custom_id("slot", "new", &[]))];
    if pages > 1 {
        let to = |page: usize| custom_id("slot", "list", &[&page.to_string()]);
        // Two buttons of one message never share an id.
        let back = page.checked_sub(1);
        let back_id = to(back.unwrap_or(pages));
        buttons.insert(0, card::button("◀ Back", back_id).disabled(back.is_none()));
        buttons.insert(1, card::button("Next ▶", to(page + 1)).disabled(page + 1 == pages));
    }
    buttons
}

/// A slot with what can be done about it.
pub async fn one(data: &Data, asked: &Asked, name: &str) -> Result<Reply, CommandError> {
    one_with(data, asked, &act::key(name)?, "").await
}

/// The same under a line that says what has just happened.
pub async fn one_with(data: &Data, asked: &Asked, key: &SlotKey, said: &str) -> Result<Reply, CommandError> {
    let guild = asked.member()?.guild_id;
    let view = slots::view(data.app.domain(), &asked.actor().await?, guild, key).await?;
    let reply = Reply::text(said).and_card(embed(&view)).row(channel_menu(&view)).row(card::row(actions(&view)));
    Ok(match view.channel_id {
        Some(channel) => reply.row(card::row(vec![card::open_channel("Open the channel", guild, channel)])),
        None => reply,
    })
}

fn embed(view: &SlotView) -> CreateEmbed {
    let (sign, _) = state(view);
    let colour = match view.state {
        SlotState::Ready => card::GREEN,
        SlotState::Broken => card::AMBER,
        SlotState::Empty | SlotState::Unconfirmed => card::BLUE,
    };
    let purpose = match &view.purpose {
        Some(purpose) => text::escape(purpose, 200),
        None => "Made over the API.".to_owned(),
    };
    let place = view.channel_id.map_or_else(|| "none".to_owned(), text::channel);
    let needs = slots::permission::words(view.needs).join(", ");
    let embed = card::card(&format!("Slot {}", view.key), colour, purpose)
        .field("Channel", place, true)
        .field("State", format!("{sign} {}", health(view)), true)
        .field("Needs", format!("{}, where I may: {needs}", slots::type_words(view.slot_type)), false);
    match view.fallback {
        Some(fallback) => embed.field("Without it", format!("posts go to the slot `{fallback}`"), false),
        None => embed,
    }
}

fn channel_menu(view: &SlotView) -> CreateActionRow {
    let kind =
        CreateSelectMenuKind::Channel { channel_types: channel::offered(view.slot_type), default_channels: None };
    let menu = CreateSelectMenu::new(custom_id("slot", "pick", &[view.key.as_str()]), kind);
    CreateActionRow::SelectMenu(menu.placeholder("Choose its channel"))
}

fn actions(view: &SlotView) -> Vec<CreateButton> {
    let id = |verb: &str| custom_id("slot", verb, &[view.key.as_str()]);
    let mut buttons = Vec::new();
    if view.channel_id.is_some() {
        buttons.push(card::button("Test", id("test")));
        buttons.push(card::danger("Clear", id("clear")));
    } else if !view.known {
        buttons.push(card::danger("Remove this slot", id("remove")));
    }
    buttons.push(card::button("All slots", custom_id("slot", "list", &["0"])));
    buttons
}

/// The form for a new slot.
pub fn new_slot_form() -> CreateModal {
    let inputs = vec![
        card::input("Name: a-z, 0-9, _ and -", "name", "", 64).min_length(1).placeholder("announcements"),
        card::input("Type of channel", "type", "text", 20)
            .placeholder("text, voice, stage, forum, category, thread or any"),
        card::input("What it is for, in one line", "purpose", "", 200).min_length(1),
    ];
    card::form(custom_id("slot", "create", &[]), "New slot", inputs)
}
