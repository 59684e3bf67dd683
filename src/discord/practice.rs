//! `/practice`: who has practised how much.
//!
//! Invariant: a button carries all of what it shows, so that it works after a restart.

mod leaderboard;
mod person_menu;
mod picture;
pub(super) mod stats;
mod view;

pub(super) use person_menu::practice_card;

use super::{
    Asked, CommandError, Context, Data,
    component::{self, Press},
};

/// The area of this feature's custom ids.
const AREA: &str = "practice";

/// Time your practice, and look at what you have done
#[poise::command(
    slash_command,
    guild_only,
    subcommand_required,
    install_context = "Guild",
    subcommands("stats::stats", "leaderboard::leaderboard")
)]
#[expect(clippy::unused_async, reason = "the framework wants an async function")]
pub async fn practice(_: Context<'_>) -> Result<(), CommandError> {
    Ok(())
}

/// Buttons and menus of `/practice`.
pub(super) async fn pressed(data: &Data, asked: &Asked, press: &Press<'_>) -> Result<(), CommandError> {
    match press.verb {
        "stats_back" | "stats_now" | "stats_on" | "stats_metric" | "stats_period" => {
            asked.answer(stats::turned(data, asked, press)).await
        }
        "stats_open" => asked.answer_beside(stats::turned(data, asked, press)).await,
        "stats_csv" => asked.answer_beside(stats::file(data, asked, press)).await,
        "board_back" | "board_on" => asked.answer(leaderboard::turned(data, asked, press)).await,
        "board_own" => asked.answer_beside(leaderboard::own(data, asked, press)).await,
        _ => asked.answer_beside(async { Err(component::outdated()) }).await,
    }
}
