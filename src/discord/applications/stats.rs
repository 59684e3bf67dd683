//! `/applications stats`: what became of applications, and who votes.

use chrono::TimeDelta;

use super::argument;
use crate::{
    discord::{Asked, CommandError, Context, Reply, settings::card, text},
    domain::{
        application::{self, Statistics, StatisticsQuery},
        duration,
    },
};

/// How long a stretch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, poise::ChoiceParameter)]
pub(super) enum PeriodOption {
    /// Seven days.
    #[name = "week"]
    Week,
    /// Thirty days.
    #[name = "month"]
    Month,
    /// 365 days.
    #[name = "year"]
    Year,
    /// Everything.
    #[name = "all"]
    All,
}

/// What became of applications, how long it took, who votes
#[poise::command(slash_command)]
pub async fn stats(
    ctx: Context<'_>,
    #[description = "Only those of this form"]
    #[autocomplete = "argument::complete_form"]
    #[max_length = 45]
    form: Option<String>,
    #[description = "Of which time; a month without it"] period: Option<PeriodOption>,
) -> Result<(), CommandError> {
    let (data, asked) = (ctx.data(), Asked::command(ctx.data(), ctx.interaction));
    let work = async {
        let domain = data.app.domain();
        let (days, words) = match period.unwrap_or(PeriodOption::Month) {
            PeriodOption::Week => (Some(7), "the last 7 days"),
            PeriodOption::Month => (Some(30), "the last 30 days"),
            PeriodOption::Year => (Some(365), "the last 365 days"),
            PeriodOption::All => (None, "all time"),
        };
        let since = days.map(|days| domain.now() - TimeDelta::days(days));
        let form_id = argument::form(data, &asked, form.as_deref()).await?;
        let query = StatisticsQuery { guild_id: Some(asked.member()?.guild_id), form_id, since };
        let found = application::statistics(domain, &asked.actor().await?, query).await?;
        Ok(Reply::card(card::card(&format!("Applications · {words}"), card::BLUE, said(&found))))
    };
    asked.answer(Box::pin(work)).await
}

fn said(found: &Statistics) -> String {
    if found.by_status.is_empty() {
        return "Nobody has applied.".to_owned();
    }
    let states = found.by_status.iter().map(|(status, count)| {
        let (sign, word) = application::status_words(*status);
        format!("{sign} **{count}** {word}")
    });
    let time =
        found.median_seconds.map(|seconds| format!("Half were decided within **{}**", duration::format(seconds)));
    let voters = found.voters.iter().map(|one| {
        let who = one.voter.parse().map_or_else(|_| "somebody on the web".to_owned(), text::user);
        format!(
            "{who} · {} · {} approvals",
            card::count(usize::try_from(one.votes).unwrap_or(0), "vote", "votes"),
            one.approvals
        )
    });
    let heading = (!found.voters.is_empty()).then(|| "**Who votes**".to_owned());
    text::lines(states.chain(time).chain(heading).chain(voters), card::TEXT_MAX)
}
