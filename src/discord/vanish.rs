//! `/vanish`: channels whose messages vanish.
//!
//! What destroys something is shown first, with counts, and happens on a button; the button carries a proposal's id,
//! so that it works after a restart and only once.

pub(super) mod argument;
mod card;
mod defaults;
mod exempt;
mod hold;
mod list;
mod off;
mod run;
mod set;
mod show;
mod tally;

use std::fmt::Display;

use entity::id::{ChannelId, ProposalId};
use serde::{Serialize, de::DeserializeOwned};
use serenity::all::{ButtonStyle, CreateActionRow, CreateButton};

use super::{
    Asked, CommandError, Context, Data, Reply,
    component::{self, Press, custom_id},
};
use crate::domain::proposal;

/// The area of this feature's custom ids.
const AREA: &str = "vanish";

/// Let messages of a channel vanish after a time
#[poise::command(
    slash_command,
    guild_only,
    subcommand_required,
    install_context = "Guild",
    default_member_permissions = "MANAGE_MESSAGES",
    subcommands(
        "set::set",
        "defaults::default",
        "show::show",
        "list::list",
        "exempt::exempt",
        "hold::pause",
        "hold::resume",
        "run::run",
        "off::off"
    )
)]
#[expect(clippy::unused_async, reason = "the framework wants an async function")]
pub async fn vanish(_: Context<'_>) -> Result<(), CommandError> {
    Ok(())
}

/// Buttons, modals and pages of `/vanish`.
pub async fn pressed(data: &Data, asked: &Asked, press: &Press<'_>) -> Result<(), CommandError> {
    match press.verb {
        "apply" => asked.answer(set::apply(data, asked, press)).await,
        "change" => asked.open(set::change(data, asked, press)).await,
        "changed" => asked.answer(set::changed(data, asked, press)).await,
        "edit" => asked.open(set::edit(data, asked, press)).await,
        "edited" => asked.answer(set::edited(data, asked, press)).await,
        "abort" => asked.answer(set::abort(data, asked, press)).await,
        "cancel" => asked.answer(cancel(data, asked, press)).await,
        "default" => asked.answer(defaults::apply(data, asked, press)).await,
        "unexempt" => asked.answer(exempt::apply_removal(data, asked, press)).await,
        "pause" => asked.answer(hold::pause_pressed(data, asked, press)).await,
        "resume" => asked.answer(hold::resume_pressed(data, asked, press)).await,
        "ask_run" => asked.answer(run::asked_again(data, asked, press)).await,
        "run" => asked.answer(run::apply(data, asked, press)).await,
        "off" => asked.answer(off::apply(data, asked, press)).await,
        "show" => asked.answer(show::pressed(data, asked, press)).await,
        "list" => asked.answer(list::turned(data, asked, press)).await,
        _ => asked.answer_beside(async { Err(component::outdated()) }).await,
    }
}

/// Takes the proposal away and the buttons with it.
async fn cancel(data: &Data, asked: &Asked, press: &Press<'_>) -> Result<Reply, CommandError> {
    proposal::take(data.app.domain(), &asked.actor().await?, press.argument(0)?).await?;
    Ok(Reply::text("Cancelled. Nothing was changed."))
}

/// Remembers what is previewed, for its buttons.
async fn propose<T: Serialize>(
    data: &Data,
    asked: &Asked,
    kind: &'static str,
    what: &T,
) -> Result<ProposalId, CommandError> {
    let what = serde_json::to_value(what).map_err(crate::domain::Error::from)?;
    Ok(proposal::propose(data.app.domain(), asked.member()?, kind, what).await?)
}

/// Looks at what the button's proposal holds.
async fn peek<T: DeserializeOwned>(data: &Data, asked: &Asked, press: &Press<'_>) -> Result<T, CommandError> {
    let row = proposal::peek(data.app.domain(), asked.member()?, press.argument(0)?).await?;
    Ok(serde_json::from_value(row.data).map_err(crate::domain::Error::from)?)
}

/// Uses up the button's proposal. It is looked at first: what cannot be done now may be pressed again.
async fn take(data: &Data, asked: &Asked, press: &Press<'_>) -> Result<(), CommandError> {
    proposal::take(data.app.domain(), &asked.actor().await?, press.argument(0)?).await?;
    Ok(())
}

fn button(verb: &str, argument: impl Display, label: &str, style: ButtonStyle) -> CreateButton {
    CreateButton::new(custom_id(AREA, verb, &[&argument.to_string()])).label(label).style(style)
}

/// The row under a preview: the verb, and the way out.
fn confirm_row(verb: &str, id: ProposalId, label: &str, style: ButtonStyle) -> CreateActionRow {
    CreateActionRow::Buttons(vec![
        button(verb, id, label, style),
        button("cancel", id, "Cancel", ButtonStyle::Secondary),
    ])
}

fn show_button(channel: ChannelId) -> CreateButton {
    button("show", channel, "Show rule", ButtonStyle::Secondary)
}
