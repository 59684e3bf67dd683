//! `/forms`: what a server asks those who apply, who may, and how it is decided.

pub(super) mod argument;
mod edit;
mod native;
mod panel;
mod policy;
mod question;
mod show;
mod transfer;

use super::{
    Asked, CommandError, Context, Data,
    component::{Press, outdated},
};

/// The area of this feature's custom ids.
const AREA: &str = "forms";

/// Forms for applications: questions, who may apply, how it is decided
#[poise::command(
    slash_command,
    guild_only,
    subcommand_required,
    install_context = "Guild",
    default_member_permissions = "MANAGE_GUILD",
    subcommands(
        "edit::create",
        "edit::edit",
        "question::question",
        "panel::panel",
        "policy::policy",
        "native::link_native",
        "edit::open",
        "edit::close",
        "show::preview",
        "show::show",
        "show::list",
        "transfer::export",
        "transfer::import"
    )
)]
#[expect(clippy::unused_async, reason = "poise wants a future of every command")]
pub async fn forms(_ctx: Context<'_>) -> Result<(), CommandError> {
    Ok(())
}

/// A button, menu or modal of these commands.
pub(super) async fn pressed(data: &Data, asked: &Asked, press: &Press<'_>) -> Result<(), CommandError> {
    match press.verb {
        "show" => Box::pin(asked.answer(show::shown(data, asked, press))).await,
        "edit" => asked.open(edit::form(data, asked, press)).await,
        "edited" => Box::pin(asked.answer(edit::edited(data, asked, press))).await,
        "open" | "close" => Box::pin(asked.answer(edit::switched(data, asked, press))).await,
        "delete" => Box::pin(asked.answer(edit::delete(data, asked, press))).await,
        "deleted" => Box::pin(asked.answer(edit::deleted(data, asked, press))).await,
        "drop" => Box::pin(asked.answer(question::dropped(data, asked, press))).await,
        "preview" => asked.open(show::preview_page(data, asked, press)).await,
        "previewed" => asked.answer_beside(async { Ok(show::previewed()) }).await,
        _ => asked.answer_beside(async { Err(outdated()) }).await,
    }
}
