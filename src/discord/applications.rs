//! `/applications`: what reviewers do about applications, and the buttons of review posts.

mod argument;
mod block;
mod decide;
mod note;
mod person_menu;
mod queue;
mod stats;
mod view;
mod vote;

pub use person_menu::applications_of;

use super::{
    Asked, CommandError, Context, Data,
    component::{Press, outdated},
};

/// The area of this feature's custom ids; the worker that posts writes the same ones.
const AREA: &str = "application";

/// Applications of this server: who waits, votes, decisions
#[poise::command(
    slash_command,
    guild_only,
    subcommand_required,
    install_context = "Guild",
    default_member_permissions = "MANAGE_GUILD",
    subcommands(
        "queue::queue",
        "view::view",
        "vote::vote",
        "note::note",
        "note::remind",
        "decide::decide",
        "decide::reopen",
        "block::block",
        "stats::stats"
    )
)]
#[expect(clippy::unused_async, reason = "poise wants a future of every command")]
pub async fn applications(_ctx: Context<'_>) -> Result<(), CommandError> {
    Ok(())
}

/// Buttons, menus and modals of review posts and of these commands. A post is everybody's: what somebody presses there
/// is answered beside it.
pub(super) async fn pressed(data: &Data, asked: &Asked, press: &Press<'_>) -> Result<(), CommandError> {
    match press.verb {
        "vote" => Box::pin(asked.answer_beside(vote::pressed(data, asked, press))).await,
        "why" => asked.open(async { vote::form(press) }).await,
        "voted" => Box::pin(asked.answer_beside(vote::explained(data, asked, press))).await,
        "details" => Box::pin(asked.answer_beside(view::details(data, asked, press))).await,
        "decide" => asked.open(async { decide::form_of(press) }).await,
        "decided" => Box::pin(asked.answer_beside(decide::decided(data, asked, press))).await,
        "retry" => Box::pin(asked.answer_beside(decide::retried(data, asked, press))).await,
        "queue" => Box::pin(asked.answer(queue::turned(data, asked, press))).await,
        "open" => Box::pin(asked.answer(queue::opened(data, asked, press))).await,
        "blocks" => asked.answer(block::turned(data, asked, press)).await,
        "person" => asked.answer(person_menu::turned(data, asked, press)).await,
        _ => asked.answer_beside(async { Err(outdated()) }).await,
    }
}
