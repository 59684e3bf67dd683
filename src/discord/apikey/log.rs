//! `/apikey log`: what happened to a key.

use entity::id::ApiKeyId;
use serenity::all::CreateEmbed;

use super::{about, argument, card};
use crate::{
    discord::{Asked, CommandError, Context, Data, Reply, component::Press, settings, text},
    domain::api_key::{self, KeyEvent},
};

/// Most events that are shown.
const EVENTS_MAX: u64 = 25;

/// What happened to a key, newest first
#[poise::command(slash_command)]
pub async fn log(
    ctx: Context<'_>,
    #[description = "The key"]
    #[autocomplete = "argument::complete_key"]
    #[max_length = 100]
    key: String,
) -> Result<(), CommandError> {
    let asked = Asked::command(ctx.data(), ctx.interaction);
    asked.answer(async { page(ctx.data(), &asked, argument::key(ctx, &asked, &key).await?).await }).await
}

/// [Log].
pub(super) async fn asked_for(data: &Data, asked: &Asked, press: &Press<'_>) -> Result<Reply, CommandError> {
    page(data, asked, press.argument(0)?).await
}

async fn page(data: &Data, asked: &Asked, id: ApiKeyId) -> Result<Reply, CommandError> {
    let (actor, view) = about(data, asked, id).await?;
    let domain = data.app.domain();
    let events = api_key::log(domain, &actor, id, EVENTS_MAX).await?;
    let lines = events.iter().map(line);
    let embed = CreateEmbed::new()
        .title(text::bounded(&format!("Log of {}", view.row.name), 256))
        .colour(card::BLUE)
        .description(format!("`{}`\n{}", api_key::shown(&view.row), text::lines(lines, 3_800)));
    Ok(Reply::card(embed).row(card::actions(&view, domain.now())))
}

fn line(event: &KeyEvent) -> String {
    let what = match event.kind.as_str() {
        "api_key.created" => "➕ made",
        "api_key.imported" => "📥 taken in",
        "api_key.enabled" => "✅ switched on",
        "api_key.disabled" => "⏸️ switched off",
        "api_key.changed" => "✏️ changed",
        "api_key.rotated" => "♻️ replaced by another key",
        "api_key.revoked" => "⛔ revoked",
        "api_key.new_network" => "🌐 used from a new network",
        "api_key.leak_found" => "🚨 found in a channel",
        other => other,
    };
    format!("{} · {what} by {}", text::absolute(event.at), settings::actor_in_words(&event.actor, &event.source))
}
