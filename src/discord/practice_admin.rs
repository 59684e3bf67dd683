//! `/practice-admin`: how a server counts practice, and what its moderators do about it.

mod adjust;
pub(super) mod argument;
mod channels;
mod export;
mod post;
mod queue;
mod rules;
mod season;

use entity::id::GuildId;

use super::{
    Asked, CommandError, Context, Data,
    component::{Press, outdated},
};
use crate::domain::{Actor, practice};

/// Boards on schedule that do not arrive, and why: one line each.
pub(super) async fn board_problems(data: &Data, actor: &Actor, guild: GuildId) -> Result<Vec<String>, CommandError> {
    let mut lines = Vec::new();
    for row in practice::posts(data.app.domain(), actor, guild).await? {
        if let Some(why) = post::problem(data, guild, &row).await? {
            lines.push(format!("❌ The {} practice board · {why}", post::words(row.period)));
        }
    }
    Ok(lines)
}

/// The area of this feature's custom ids.
const AREA: &str = "practice-admin";

/// What counts as practice, requests, seasons, boards
#[poise::command(
    slash_command,
    rename = "practice-admin",
    guild_only,
    subcommand_required,
    install_context = "Guild",
    default_member_permissions = "MANAGE_GUILD",
    subcommands(
        "channels::channels",
        "rules::rules",
        "queue::queue",
        "adjust::adjust",
        "season::season",
        "post::post",
        "export::export"
    )
)]
#[expect(clippy::unused_async, reason = "poise wants a future of every command")]
pub async fn practice_admin(_ctx: Context<'_>) -> Result<(), CommandError> {
    Ok(())
}

/// Buttons and modals of these commands.
pub(super) async fn pressed(data: &Data, asked: &Asked, press: &Press<'_>) -> Result<(), CommandError> {
    match press.verb {
        "save" => asked.answer(rules::save(data, asked, press)).await,
        "cancel" => asked.answer(rules::cancel(data, asked, press)).await,
        "queue" => asked.answer(queue::turned(data, asked, press)).await,
        "approve" => asked.answer(queue::approved(data, asked, press)).await,
        "reject" => asked.open(async { queue::form(press) }).await,
        "rejected" => asked.answer(queue::rejected(data, asked, press)).await,
        "export" => asked.answer_beside(export::next_part(data, asked, press)).await,
        _ => asked.answer_beside(async { Err(outdated()) }).await,
    }
}
