//! `/practice`: timers, time that is written down, what one wants to practise, and who has practised how much.
//!
//! Invariants: whoever presses a button of a timer acts for themself, and only with the session that the button names;
//! what somebody writes about a session is shown to nobody else; a button carries all of what it shows.

mod argument;
mod card;
mod claim;
mod fix;
mod goal;
mod history;
mod leaderboard;
mod log;
mod now;
mod person_menu;
mod picture;
mod start;
pub(super) mod stats;
mod timer;
mod view;

pub(super) use person_menu::practice_card;

use super::{
    Asked, Command, CommandError, Context, Data,
    component::{self, Press},
};
use crate::domain::{Account, Actor, practice::Person};

/// The area of this feature's custom ids; notices that workers send use it too.
const AREA: &str = "practice";

/// Time your practice, and look at what you have done
#[poise::command(
    slash_command,
    guild_only,
    subcommand_required,
    install_context = "Guild",
    subcommands(
        "start::start",
        "timer::stop",
        "timer::pause",
        "timer::resume",
        "now::now",
        "log::log",
        "fix::fix",
        "goal::goal",
        "history::history",
        "stats::stats",
        "leaderboard::leaderboard"
    )
)]
#[expect(clippy::unused_async, reason = "the framework wants an async function")]
pub async fn practice(_: Context<'_>) -> Result<(), CommandError> {
    Ok(())
}

/// Buttons, menus and forms of `/practice`, and of what people are told about their timers.
pub(super) async fn pressed(data: &Data, asked: &Asked, press: &Press<'_>) -> Result<(), CommandError> {
    match press.verb {
        "pause" | "resume" | "stop" | "skip" if timer::is_of_notice(press) => {
            Box::pin(asked.answer_beside(timer::pressed(data, asked, press))).await
        }
        "pause" | "resume" | "stop" | "skip" => Box::pin(asked.answer(timer::pressed(data, asked, press))).await,
        "note" => asked.open(timer::note_form(data, asked, press)).await,
        "noted" => asked.answer(timer::noted(data, asked, press)).await,
        "touch" => asked.answer(timer::touched(data, asked, press)).await,
        "history" => asked.answer(history::turned(data, asked, press)).await,
        "session" => asked.answer(history::chosen(data, asked, press)).await,
        "claim" => asked.open(claim::form(data, asked, press)).await,
        "claimed" => asked.answer_beside(claim::submitted(data, asked, press)).await,
        "fix" => asked.open(fix::form(data, asked, press)).await,
        "fixed" => asked.answer_beside(fix::submitted(data, asked, press)).await,
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

/// Takes away what needs a bot that sees members.
pub(super) fn without_role_filter(commands: &mut [Command]) {
    let tree = commands.iter_mut().find(|command| command.name == "practice");
    let board = tree.and_then(|tree| tree.subcommands.iter_mut().find(|command| command.name == "leaderboard"));
    if let Some(board) = board {
        board.parameters.retain(|parameter| parameter.name != "role");
    }
}

/// Who asks, and whose practice it is: their own. What they may do with that of others in their server does not count
/// here, so that a button that others can press shows them nothing.
fn oneself(asked: &Asked) -> Result<(Actor, Person), CommandError> {
    let user_id = asked.user()?;
    Ok((Actor::Account(Account { user_id, is_bot_admin: false }), Person::Discord(user_id)))
}
