//! `/settings`: where the bot posts, how a server counts its days, what was changed, and what is broken.

pub(super) mod card;
mod channel;
mod doctor;
mod general;
mod history;
mod panel;
pub(super) mod plan;
mod role;
mod slot;
pub(super) mod transfer;

pub(super) use history::actor as actor_in_words;
pub(super) use slot::pressed as slot_pressed;

use super::{
    Asked, CommandError, Context, Data,
    component::{Press, outdated},
    invite,
};

/// Where I post, time zone, history, health
///
/// `panel` shows all of it with buttons; the other commands change one thing each.
#[poise::command(
    slash_command,
    guild_only,
    subcommand_required,
    default_member_permissions = "MANAGE_GUILD",
    subcommands(
        "panel::panel",
        "slot::slot",
        "general::general",
        "role::role",
        "history::history",
        "transfer::export",
        "transfer::import",
        "doctor::doctor"
    )
)]
#[expect(clippy::unused_async, reason = "poise wants a future of every command")]
pub async fn settings(_ctx: Context<'_>) -> Result<(), CommandError> {
    Ok(())
}

/// A button, menu or modal of these commands.
pub(super) async fn pressed(data: &Data, asked: &Asked, press: &Press<'_>) -> Result<(), CommandError> {
    match press.verb {
        "panel" => {
            let section = press.values.first().map_or("overview", String::as_str);
            asked.answer(panel::section(data, asked, section)).await
        }
        "invite" => asked.answer_beside(async { Ok(invite::reply(data.application_id)) }).await,
        "doctor" => asked.answer(doctor::recheck(data, asked)).await,
        "edit_general" => asked.open(general::modal(data, asked)).await,
        "set_general" => asked.answer(general::submitted(data, asked, press)).await,
        "history" => asked.answer(async { history::page(data, asked, press.argument(0).ok()).await }).await,
        "revision" => asked.answer(async { history::preview(data, asked, press).await }).await,
        "apply" => asked.answer(async { plan::apply(data, asked, press.argument(0)?).await }).await,
        "cancel" => asked.answer(async { plan::cancel(data, asked, press.argument(0)?).await }).await,
        _ => asked.answer_beside(async { Err(outdated()) }).await,
    }
}
