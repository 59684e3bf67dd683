//! How keys are shown.

use chrono::{DateTime, Utc};
use entity::api_key;
use serenity::all::{ButtonStyle, CreateActionRow, CreateButton, CreateEmbed};

use super::AREA;
use crate::{
    discord::{component::custom_id, text},
    domain::{
        api_key::{KeyStatus, KeyView, RateLimit, ends_at, shown},
        duration,
    },
};

/// All is well.
pub const GREEN: u32 = 0x002E_CC71;
/// Nothing to be said about it.
pub const BLUE: u32 = 0x0034_98DB;
/// Somebody should look.
pub const AMBER: u32 = 0x00F3_9C12;
/// It opens nothing.
pub const GREY: u32 = 0x0095_A5A6;

/// A state as a sign; its word stands beside it, so that colour alone never says it.
pub fn sign(status: KeyStatus) -> &'static str {
    match status {
        KeyStatus::Active => "✅",
        KeyStatus::Retiring => "♻️",
        KeyStatus::Delivering => "📨",
        KeyStatus::Disabled => "⏸️",
        KeyStatus::Expired => "⌛",
        KeyStatus::Revoked => "⛔",
    }
}

/// A key's name and what is kept of it.
pub fn name(row: &api_key::Model) -> String {
    format!("**{}** `{}`", text::escape(&row.name, 60), shown(row))
}

/// What a key may do.
pub fn scopes(row: &api_key::Model, max: usize) -> String {
    let guild = row.guild_id.map(|guild| format!("guild:{guild}:")).unwrap_or_default();
    // The guild of a bound key is said once, not with each scope.
    let names = row.scopes.as_array().into_iter().flatten().filter_map(serde_json::Value::as_str);
    let names: Vec<_> = names.map(|name| format!("`{}`", name.strip_prefix(&guild).unwrap_or(name))).collect();
    if names.is_empty() { "nothing".to_owned() } else { text::bounded(&names.join(", "), max) }
}

/// When it was used last.
pub fn used(row: &api_key::Model) -> String {
    row.last_used_at.map_or_else(|| "never used".to_owned(), |at| format!("used {}", text::relative(at)))
}

/// When it ends.
pub fn end(row: &api_key::Model) -> String {
    ends_at(row).map_or_else(|| "never expires".to_owned(), |at| format!("expires {}", text::relative(at)))
}

/// A key on one line of a list.
pub fn line(view: &KeyView, now: DateTime<Utc>) -> String {
    let row = &view.row;
    let status = KeyStatus::of(row, now);
    let end = match status {
        KeyStatus::Revoked | KeyStatus::Disabled => text::relative(row.state_at),
        _ => end(row),
    };
    format!("{} {} · {status}\n　{} · {} · {end}", sign(status), name(row), scopes(row, 120), used(row))
}

/// All about one key.
pub fn card(view: &KeyView, now: DateTime<Utc>) -> CreateEmbed {
    let row = &view.row;
    let status = KeyStatus::of(row, now);
    let colour = match status {
        KeyStatus::Active => GREEN,
        KeyStatus::Retiring | KeyStatus::Delivering => AMBER,
        _ => GREY,
    };
    let owner = view.identities.iter().find_map(|one| one.identity.parse().ok().map(text::user));
    let place = row.guild_id.map_or("every server", |_| "this server");
    let mut card = CreateEmbed::new()
        .title(text::bounded(&format!("{} {}", sign(status), row.name), 256))
        .colour(colour)
        .description(format!("`{}`", shown(row)))
        .field("State", format!("{status}, since {}", text::relative(row.state_at)), true)
        .field("Works in", place, true)
        .field("Owner", owner.unwrap_or_else(|| "nobody".to_owned()), true)
        .field("May", scopes(row, 1_000), false)
        .field("Use", format!("{}, {} requests", used(row), row.total_requests), true)
        .field("End", end(row), true)
        .field("Made", text::absolute(row.created_at), true);
    let networks: Vec<_> = row.ip_allowlist.as_array().into_iter().flatten().filter_map(|one| one.as_str()).collect();
    if !networks.is_empty() {
        card = card.field("Only from", text::bounded(&networks.join(", "), 1_000), false);
    }
    let limits: Vec<RateLimit> = serde_json::from_value(row.rate_limits.clone()).unwrap_or_default();
    if !limits.is_empty() {
        let limits: Vec<_> = limits.iter().map(limit).collect();
        card = card.field("At most", limits.join(", "), false);
    }
    match &row.state_reason {
        Some(reason) => card.field("Why", text::escape(reason, 500), false),
        None => card,
    }
}

fn limit(limit: &RateLimit) -> String {
    let seconds = i64::try_from(limit.window_ms / 1_000).unwrap_or(i64::MAX);
    format!("{} requests in {}", limit.limit, duration::format(seconds))
}

/// A button of this area.
pub fn button(verb: &str, arguments: &[&str], label: &str, style: ButtonStyle) -> CreateButton {
    CreateButton::new(custom_id(AREA, verb, arguments)).label(label).style(style)
}

/// What can be done about a key.
pub fn actions(view: &KeyView, now: DateTime<Utc>) -> CreateActionRow {
    let id = view.row.id.to_string();
    let status = KeyStatus::of(&view.row, now);
    let mut buttons = Vec::new();
    if status == KeyStatus::Active {
        buttons.push(button("rotate", &[&id], "Rotate…", ButtonStyle::Primary));
    }
    if status != KeyStatus::Revoked {
        buttons.push(button("revoke", &[&id], "Revoke…", ButtonStyle::Danger));
    }
    buttons.push(button("log", &[&id], "Log", ButtonStyle::Secondary));
    CreateActionRow::Buttons(buttons)
}
