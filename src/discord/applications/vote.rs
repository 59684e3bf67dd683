//! Votes: by the buttons of a review post, and by `/applications vote`.

use entity::{
    application::{ApplicationStatus, Model},
    application_vote::VoteChoice,
    id::ApplicationId,
};
use serenity::all::{CreateActionRow, CreateInputText, CreateModal, InputTextStyle};

use super::{AREA, argument};
use crate::{
    discord::{
        Asked, CommandError, Context, Data, Reply,
        component::{Press, custom_id, outdated},
    },
    domain::{
        Actor,
        application::{self, NewVote, Voted},
    },
};

/// Longest reason that the form takes.
const REASON_MAX: u16 = 1_000;

/// What a vote says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, poise::ChoiceParameter)]
pub(super) enum ChoiceOption {
    /// Yes.
    #[name = "approve"]
    Approve,
    /// No.
    #[name = "reject"]
    Reject,
    /// Neither.
    #[name = "abstain"]
    Abstain,
    /// Does not take part.
    #[name = "recuse"]
    Recuse,
}

impl From<ChoiceOption> for VoteChoice {
    fn from(choice: ChoiceOption) -> Self {
        match choice {
            ChoiceOption::Approve => Self::Approve,
            ChoiceOption::Reject => Self::Reject,
            ChoiceOption::Abstain => Self::Abstain,
            ChoiceOption::Recuse => Self::Recuse,
        }
    }
}

fn choice_of(word: &str) -> Result<VoteChoice, CommandError> {
    let all = [VoteChoice::Approve, VoteChoice::Reject, VoteChoice::Abstain, VoteChoice::Recuse];
    all.into_iter().find(|choice| application::choice_words(*choice) == word).ok_or_else(outdated)
}

/// Vote on an application, or vote otherwise than before
#[poise::command(slash_command)]
pub async fn vote(
    ctx: Context<'_>,
    #[description = "Its number"]
    #[autocomplete = "argument::complete_open"]
    #[min = 1]
    number: i64,
    #[description = "What you vote"] choice: ChoiceOption,
    #[description = "Why, where it is asked for"]
    #[max_length = 1000]
    reason: Option<String>,
) -> Result<(), CommandError> {
    let (data, asked) = (ctx.data(), Asked::command(ctx.data(), ctx.interaction));
    let work = async {
        let row = argument::numbered(data, &asked, number).await?;
        cast(data, &asked, row.id, choice.into(), reason).await
    };
    asked.answer(Box::pin(work)).await
}

/// A button of a review post.
pub(super) async fn pressed(data: &Data, asked: &Asked, press: &Press<'_>) -> Result<Reply, CommandError> {
    let choice = choice_of(press.arguments.get(1).copied().unwrap_or_default())?;
    cast(data, asked, press.argument(0)?, choice, None).await
}

/// A button whose vote needs a reason.
pub(super) fn form(press: &Press<'_>) -> Result<CreateModal, CommandError> {
    let id: ApplicationId = press.argument(0)?;
    let word = application::choice_words(choice_of(press.arguments.get(1).copied().unwrap_or_default())?);
    let input = CreateInputText::new(InputTextStyle::Paragraph, "Why?", "reason").required(true).max_length(REASON_MAX);
    Ok(CreateModal::new(custom_id(AREA, "voted", &[&id.to_string(), word]), format!("Vote to {word}"))
        .components(vec![CreateActionRow::InputText(input)]))
}

/// The reason was sent.
pub(super) async fn explained(data: &Data, asked: &Asked, press: &Press<'_>) -> Result<Reply, CommandError> {
    let choice = choice_of(press.arguments.get(1).copied().unwrap_or_default())?;
    cast(data, asked, press.argument(0)?, choice, Some(press.input("reason").to_owned())).await
}

async fn cast(
    data: &Data,
    asked: &Asked,
    id: ApplicationId,
    choice: VoteChoice,
    reason: Option<String>,
) -> Result<Reply, CommandError> {
    let actor = asked.actor().await?;
    let voted = application::vote(data.app.domain(), &actor, id, NewVote::own(choice, reason)).await?;
    let missing = if voted.has_decided { decided(&voted.application) } else { missing(data, &actor, id).await? };
    Ok(Reply::text(format!("{}\n{missing}", said(&voted))))
}

fn said(voted: &Voted) -> String {
    let word = application::choice_words(voted.vote.choice);
    let number = voted.application.number;
    match (voted.is_changed, voted.vote.choice) {
        (false, _) => format!("Your vote on **#{number}** says **{word}** already."),
        (true, VoteChoice::Recuse) => {
            format!("🙈 You do not take part in **#{number}**. Voting after all is possible.")
        }
        (true, _) => format!("🗳️ Your vote on **#{number}**: **{word}**. You can change it while the vote goes on."),
    }
}

/// How it was decided.
pub(super) fn decided(row: &Model) -> String {
    let (sign, word) = application::status_words(row.status);
    let how = row.decided_how.map_or("", application::how_words);
    format!("{sign} **#{}** is **{word}** {how}.", row.number)
}

/// What is still missing, as far as it is no secret.
async fn missing(data: &Data, actor: &Actor, id: ApplicationId) -> Result<String, CommandError> {
    let review = application::review(data.app.domain(), actor, id).await?;
    let row = &review.application;
    if row.status != ApplicationStatus::Pending {
        return Ok(decided(row));
    }
    if row.is_tied {
        return Ok("⚖️ The vote has ended in a tie: whoever may decide in spite of votes decides now.".to_owned());
    }
    let end = row.due_at.map_or_else(String::new, |at| format!(" The vote ends <t:{}:R>.", at.timestamp()));
    let of = match review.needed {
        Some(needed) if review.voted < needed => {
            format!("{} of {needed} votes are there, {} still missing.", review.voted, needed - review.voted)
        }
        Some(_) => format!("{} votes are there, which is enough; they do not decide it yet.", review.voted),
        None => format!("{} votes are there.", review.voted),
    };
    Ok(format!("{of}{end}"))
}
