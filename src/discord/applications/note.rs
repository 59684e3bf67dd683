//! Notes that the applicant does not see, and reminders of votes.

use super::argument;
use crate::{
    discord::{Asked, CommandError, Context, Reply, settings::card},
    domain::application,
};

/// Write something about an application that its applicant does not see
#[poise::command(slash_command)]
pub async fn note(
    ctx: Context<'_>,
    #[description = "Its number"]
    #[autocomplete = "argument::complete_any"]
    #[min = 1]
    number: i64,
    #[description = "What reviewers should know"]
    #[max_length = 1000]
    text: String,
) -> Result<(), CommandError> {
    let (data, asked) = (ctx.data(), Asked::command(ctx.data(), ctx.interaction));
    let work = async {
        let row = argument::numbered(data, &asked, number).await?;
        application::add_note(data.app.domain(), &asked.actor().await?, row.id, &text).await?;
        let view = data.commands.mention("applications view");
        Ok(Reply::text(format!("📝 Noted on **#{}**. {view} shows it to reviewers.", row.number)))
    };
    asked.answer(work).await
}

/// Remind those who have not voted, at most every 12 hours
#[poise::command(slash_command)]
pub async fn remind(
    ctx: Context<'_>,
    #[description = "Its number"]
    #[autocomplete = "argument::complete_open"]
    #[min = 1]
    number: i64,
) -> Result<(), CommandError> {
    let (data, asked) = (ctx.data(), Asked::command(ctx.data(), ctx.interaction));
    let work = async {
        let row = argument::numbered(data, &asked, number).await?;
        let reminder = application::remind(data.app.domain(), &asked.actor().await?, row.id).await?;
        let people = reminder.owing.accounts.len();
        if people == 0 {
            return Ok(Reply::text(format!(
                "I know nobody who owes a vote on **#{}**: those whom its policy names, or who voted before, have voted.",
                row.number
            )));
        }
        Ok(Reply::text(format!(
            "🔔 I remind {} of **#{}**. The next reminder is possible in 12 hours.",
            card::count(people, "member", "members"),
            row.number
        )))
    };
    asked.answer(work).await
}
