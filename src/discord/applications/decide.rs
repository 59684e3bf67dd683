//! Decisions in spite of votes, opening again, and trying steps again.

use entity::{
    application::ApplicationStatus,
    id::{ApplicationId, ApplicationStepId},
};
use serenity::all::{CreateActionRow, CreateInputText, CreateModal, InputTextStyle};

use super::{AREA, argument, vote};
use crate::{
    discord::{
        Asked, CommandError, Context, Data, Reply,
        component::{Press, custom_id, outdated},
    },
    domain::application::{self, Verdict},
};

/// Longest reason that the form takes.
const REASON_MAX: u16 = 1_000;

/// Yes or no.
#[derive(Clone, Copy, Debug, PartialEq, Eq, poise::ChoiceParameter)]
pub(super) enum OutcomeOption {
    /// Yes.
    #[name = "approve"]
    Approve,
    /// No.
    #[name = "reject"]
    Reject,
}

/// Decide an application in spite of its votes; a form asks why
#[poise::command(slash_command)]
pub async fn decide(
    ctx: Context<'_>,
    #[description = "Its number"]
    #[autocomplete = "argument::complete_open"]
    #[min = 1]
    number: i64,
    #[description = "What you decide"] outcome: OutcomeOption,
) -> Result<(), CommandError> {
    let (data, asked) = (ctx.data(), Asked::command(ctx.data(), ctx.interaction));
    let word = match outcome {
        OutcomeOption::Approve => "approve",
        OutcomeOption::Reject => "reject",
    };
    asked.open(async { Ok(form(argument::numbered(data, &asked, number).await?.id, word)) }).await
}

/// The menu of a review post.
pub(super) fn form_of(press: &Press<'_>) -> Result<CreateModal, CommandError> {
    let word = press.values.first().map(String::as_str).ok_or_else(outdated)?;
    verdict(word)?;
    Ok(form(press.argument(0)?, word))
}

fn form(id: ApplicationId, word: &str) -> CreateModal {
    let input = CreateInputText::new(InputTextStyle::Paragraph, "Why? The applicant is told", "reason")
        .placeholder("May be left empty")
        .required(false)
        .max_length(REASON_MAX);
    CreateModal::new(custom_id(AREA, "decided", &[&id.to_string(), word]), format!("Decide: {word}, in spite of votes"))
        .components(vec![CreateActionRow::InputText(input)])
}

fn verdict(word: &str) -> Result<ApplicationStatus, CommandError> {
    match word {
        "approve" => Ok(ApplicationStatus::Approved),
        "reject" => Ok(ApplicationStatus::Rejected),
        _ => Err(outdated()),
    }
}

/// The form was sent.
pub(super) async fn decided(data: &Data, asked: &Asked, press: &Press<'_>) -> Result<Reply, CommandError> {
    let status = verdict(press.arguments.get(1).copied().unwrap_or_default())?;
    let verdict = Verdict { status, reason: Some(press.input("reason").to_owned()) };
    let (domain, actor) = (data.app.domain(), asked.actor().await?);
    let changed = application::decide(domain, &actor, press.argument(0)?, verdict).await?;
    let again = if changed.is_changed { "" } else { " It was so already." };
    Ok(Reply::text(format!("{}{again}", vote::decided(&changed.application))))
}

/// Open a decided application again: votes may change, roles are put back
#[poise::command(slash_command)]
pub async fn reopen(
    ctx: Context<'_>,
    #[description = "Its number"]
    #[autocomplete = "argument::complete_any"]
    #[min = 1]
    number: i64,
    #[description = "Why; it becomes a note"]
    #[max_length = 1000]
    reason: String,
) -> Result<(), CommandError> {
    let (data, asked) = (ctx.data(), Asked::command(ctx.data(), ctx.interaction));
    let work = async {
        let row = argument::numbered(data, &asked, number).await?;
        let actor = asked.actor().await?;
        let row = application::reopen(data.app.domain(), &actor, row.id, Some(reason)).await?;
        let end = row.due_at.map_or_else(String::new, |at| format!(" The vote ends <t:{}:R>.", at.timestamp()));
        Ok(Reply::text(format!(
            "🗳️ **#{}** is open again. Its votes are still there and may be changed; roles of the decision are put \
             back.{end}",
            row.number
        )))
    };
    asked.answer(work).await
}

/// [Retry] of a step.
pub(super) async fn retried(data: &Data, asked: &Asked, press: &Press<'_>) -> Result<Reply, CommandError> {
    let id: ApplicationStepId = press.argument(0)?;
    application::retry_step(data.app.domain(), &asked.actor().await?, id).await?;
    Ok(Reply::text("⏳ I try that again now; the post shows what comes of it."))
}
