//! The look that the cards of `/settings` share.

use entity::id::{ChannelId, GuildId};
use serenity::all::{
    ButtonStyle, CreateActionRow, CreateButton, CreateEmbed, CreateInputText, CreateModal, CreateSelectMenu,
    CreateSelectMenuKind, CreateSelectMenuOption, InputTextStyle,
};

use crate::discord::text;

/// All is well.
pub const GREEN: u32 = 0x002E_CC71;
/// Nothing to be said about it.
pub const BLUE: u32 = 0x0034_98DB;
/// Somebody should look.
pub const AMBER: u32 = 0x00F3_9C12;
/// Most characters of a card's text.
pub const TEXT_MAX: usize = 3_800;
/// Rows of one page of a list.
pub const PAGE_ROWS: usize = 10;

/// A card with a title and a text.
pub fn card(title: &str, colour: u32, description: impl Into<String>) -> CreateEmbed {
    let description = text::bounded(&description.into(), TEXT_MAX);
    CreateEmbed::new().title(text::bounded(title, 256)).colour(colour).description(description)
}

/// A grey button.
pub fn button(label: &str, id: String) -> CreateButton {
    CreateButton::new(id).label(text::bounded(label, 80)).style(ButtonStyle::Secondary)
}

/// The button for what most people want next.
pub fn primary(label: &str, id: String) -> CreateButton {
    button(label, id).style(ButtonStyle::Primary)
}

/// The button for what takes something away.
pub fn danger(label: &str, id: String) -> CreateButton {
    button(label, id).style(ButtonStyle::Danger)
}

/// A link to a channel, as a button.
pub fn open_channel(label: &str, guild: GuildId, channel: ChannelId) -> CreateButton {
    CreateButton::new_link(format!("https://discord.com/channels/{guild}/{channel}")).label(text::bounded(label, 80))
}

/// A row of buttons.
pub fn row(buttons: Vec<CreateButton>) -> CreateActionRow {
    CreateActionRow::Buttons(buttons)
}

/// An entry of a menu; its texts are cut to what Discord takes.
pub fn choice(label: &str, value: &str, description: Option<&str>) -> CreateSelectMenuOption {
    let choice = CreateSelectMenuOption::new(text::bounded(label, 100), value);
    match description.filter(|description| !description.is_empty()) {
        Some(description) => choice.description(text::bounded(description, 100)),
        None => choice,
    }
}

/// A menu of 1 to 25 entries.
pub fn menu(id: String, placeholder: &str, options: Vec<CreateSelectMenuOption>) -> CreateActionRow {
    let menu = CreateSelectMenu::new(id, CreateSelectMenuKind::String { options });
    CreateActionRow::SelectMenu(menu.placeholder(text::bounded(placeholder, 150)))
}

/// One line to be filled in.
pub fn input(label: &str, id: &str, value: &str, max: u16) -> CreateInputText {
    CreateInputText::new(InputTextStyle::Short, text::bounded(label, 45), id).value(value).max_length(max)
}

/// A form.
pub fn form(id: String, title: &str, inputs: Vec<CreateInputText>) -> CreateModal {
    let rows = inputs.into_iter().map(CreateActionRow::InputText).collect();
    CreateModal::new(id, text::bounded(title, 45)).components(rows)
}

/// A count with its noun: `1 slot`, `2 slots`.
pub fn count(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}
