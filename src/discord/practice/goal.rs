//! `/practice goal`: what one wants to practise in a day, a week or a month.

use entity::practice_goal::GoalPeriod;
use serenity::all::CreateEmbed;

use super::{argument, card, oneself};
use crate::{
    discord::{Asked, CommandError, Context, Data, Reply},
    domain::practice::{self, GoalProgress},
};

/// In which time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, poise::ChoiceParameter)]
enum Period {
    /// Each day.
    #[name = "day"]
    Day,
    /// Each week.
    #[name = "week"]
    Week,
    /// Each month.
    #[name = "month"]
    Month,
}

impl From<Period> for GoalPeriod {
    fn from(period: Period) -> Self {
        match period {
            Period::Day => Self::Day,
            Period::Week => Self::Week,
            Period::Month => Self::Month,
        }
    }
}

/// What you want to practise in a day, a week or a month
#[poise::command(slash_command, guild_only, subcommand_required, subcommands("set", "clear", "list"))]
#[expect(clippy::unused_async, reason = "the framework wants an async function")]
pub(super) async fn goal(_: Context<'_>) -> Result<(), CommandError> {
    Ok(())
}

/// Set a goal of yours in this server
#[poise::command(slash_command, guild_only)]
async fn set(
    ctx: Context<'_>,
    #[description = "In which time"] period: Period,
    #[description = "How much, such as 1h 30m"]
    #[autocomplete = "argument::complete_length"]
    #[max_length = 64]
    amount: String,
) -> Result<(), CommandError> {
    let (data, asked) = (ctx.data(), Asked::command(ctx.data(), ctx.interaction));
    let work = async {
        let (actor, person) = oneself(&asked)?;
        let guild_id = Some(asked.member()?.guild_id);
        let seconds = argument::seconds(&amount)?;
        practice::set_goal(data.app.domain(), &actor, (person, guild_id), period.into(), seconds).await?;
        goals(data, &asked, "✅ Set.").await
    };
    asked.answer(work).await
}

/// Take a goal of yours away
#[poise::command(slash_command, guild_only)]
async fn clear(ctx: Context<'_>, #[description = "Which one"] period: Period) -> Result<(), CommandError> {
    let (data, asked) = (ctx.data(), Asked::command(ctx.data(), ctx.interaction));
    let work = async {
        let (actor, person) = oneself(&asked)?;
        let guild_id = Some(asked.member()?.guild_id);
        practice::clear_goal(data.app.domain(), &actor, (person, guild_id), period.into()).await?;
        goals(data, &asked, "✅ That goal is gone.").await
    };
    asked.answer(work).await
}

/// Show your goals and how far you are
#[poise::command(slash_command, guild_only)]
async fn list(ctx: Context<'_>) -> Result<(), CommandError> {
    let (data, asked) = (ctx.data(), Asked::command(ctx.data(), ctx.interaction));
    asked.answer(goals(data, &asked, "")).await
}

async fn goals(data: &Data, asked: &Asked, said: &str) -> Result<Reply, CommandError> {
    let (actor, person) = oneself(asked)?;
    let guild_id = Some(asked.member()?.guild_id);
    let (_, goals) = practice::goals(data.app.domain(), &actor, (person, guild_id)).await?;
    if goals.is_empty() {
        let set = data.commands.mention("practice goal set");
        return Ok(Reply::text(format!("{said} You have no goal in this server. {set} sets one.").trim().to_owned()));
    }
    let lines: Vec<_> = goals.iter().map(line).collect();
    let card = CreateEmbed::new().title("Your goals in this server").colour(card::BLUE).description(lines.join("\n"));
    Ok(Reply::text(said).and_card(card))
}

fn line(progress: &GoalProgress) -> String {
    let period = match progress.goal.period {
        GoalPeriod::Day => "Today",
        GoalPeriod::Week => "This week",
        GoalPeriod::Month => "This month",
    };
    let (seconds, wanted) = (progress.seconds, progress.goal.seconds.max(1));
    let sign = if seconds >= wanted { "✅" } else { "▫️" };
    let percent = seconds.saturating_mul(100) / wanted;
    format!("{sign} {period}: **{}** of {} ({percent} %)", card::span(seconds), card::span(wanted))
}
