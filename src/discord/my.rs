//! `/my`: what a person says of themself, and what is held about them.
//!
//! Invariant: everything here is about whoever asks, and nobody else sees the answer.

mod applications;
mod data;
mod profile;
mod vanish;

use super::{
    Asked, CommandError, Context, Data,
    component::{Press, outdated},
    practice::stats,
};

/// Your settings and your data
#[poise::command(
    slash_command,
    subcommand_required,
    install_context = "Guild",
    interaction_context = "Guild|BotDm",
    subcommands("profile::profile", "vanish::vanish", "practice", "applications::applications", "data::data")
)]
#[expect(clippy::unused_async, reason = "poise wants a future of every command")]
pub async fn my(_ctx: Context<'_>) -> Result<(), CommandError> {
    Ok(())
}

/// What you have practised in all servers
#[poise::command(slash_command)]
async fn practice(ctx: Context<'_>) -> Result<(), CommandError> {
    let (data, asked) = (ctx.data(), Asked::command(ctx.data(), ctx.interaction));
    let work = async { stats::week(data, &asked, asked.user()?, true).await };
    asked.answer(Box::pin(work)).await
}

/// A button of these commands.
pub(super) async fn pressed(data: &Data, asked: &Asked, press: &Press<'_>) -> Result<(), CommandError> {
    match press.verb {
        "applications" => Box::pin(asked.answer(applications::turned(data, asked, press))).await,
        "application" => Box::pin(asked.answer(applications::chosen(data, asked, press))).await,
        "application_edit" => Box::pin(asked.answer(applications::edited(data, asked, press))).await,
        "application_end" => asked.answer(applications::ending(data, asked, press)).await,
        "application_ended" => Box::pin(asked.answer(applications::ended(data, asked, press))).await,
        "erase" => asked.open(async { data::form(data, asked, press) }).await,
        "erased" => asked.answer(async { data::erased(data, asked, press).await }).await,
        "keep" => asked.answer(async { Ok(data::kept()) }).await,
        _ => asked.answer_beside(async { Err(outdated()) }).await,
    }
}
