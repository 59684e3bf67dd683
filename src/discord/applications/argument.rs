//! Options of `/applications`, as people type them.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use entity::{
    application::{ApplicationStatus, Model},
    id::FormId,
};
use serenity::all::CreateAutocompleteResponse;

use crate::{
    discord::{Asked, CommandError, Context, Data, forms, text},
    domain::{
        application::{self, ApplicationFilter, ApplicationOrder},
        duration, form,
        vanish::PageRequest,
    },
};

/// Choices that Discord shows.
const CHOICES_MAX: usize = 25;
/// Applications that are searched for what somebody types.
const SEARCHED_MAX: u64 = 100;
/// How long a search may take; Discord waits 3 s.
const PATIENCE: Duration = Duration::from_secs(2);
/// Longest block with an end.
const BLOCK_MAX: i64 = 5 * 365 * 86_400;

/// The application of a number.
pub(super) async fn numbered(data: &Data, asked: &Asked, number: i64) -> Result<Model, CommandError> {
    let guild = asked.member()?.guild_id;
    Ok(application::by_number(data.app.domain(), &asked.actor().await?, Some(guild), number).await?)
}

/// The form that somebody names, if they name one.
pub(super) async fn form(data: &Data, asked: &Asked, name: Option<&str>) -> Result<Option<FormId>, CommandError> {
    let Some(name) = name else { return Ok(None) };
    let guild = asked.member()?.guild_id;
    let form = form::form_named(data.app.domain(), &asked.actor().await?, guild, name).await?;
    Ok(Some(form.id))
}

/// Forms for what somebody has typed so far.
pub(super) async fn complete_form(ctx: Context<'_>, typed: &str) -> CreateAutocompleteResponse {
    let asked = Asked::command(ctx.data(), ctx.interaction);
    let (Ok(actor), Ok(guild)) = (asked.actor().await, asked.member().map(|member| member.guild_id)) else {
        return CreateAutocompleteResponse::new();
    };
    let forms = form::forms(ctx.data().app.domain(), &actor, guild).await.unwrap_or_default();
    forms::argument::names(&forms, typed)
}

/// Numbers of open applications.
pub(super) async fn complete_open(ctx: Context<'_>, typed: &str) -> CreateAutocompleteResponse {
    complete(ctx, typed, Some(ApplicationStatus::Pending)).await
}

/// Numbers of all applications.
pub(super) async fn complete_any(ctx: Context<'_>, typed: &str) -> CreateAutocompleteResponse {
    complete(ctx, typed, None).await
}

/// Suggestions decide nothing: where the store does not answer in time, there are none.
async fn complete(ctx: Context<'_>, typed: &str, status: Option<ApplicationStatus>) -> CreateAutocompleteResponse {
    let asked = Asked::command(ctx.data(), ctx.interaction);
    let found = tokio::time::timeout(PATIENCE, async {
        let page = PageRequest { limit: SEARCHED_MAX, offset: 0 };
        let order = ApplicationOrder::Newest;
        let guild_id = Some(asked.member()?.guild_id);
        let filter = ApplicationFilter { guild_id, status, order, ..ApplicationFilter::all(page) };
        let found = application::list(ctx.data().app.domain(), &asked.actor().await?, filter).await?;
        Ok::<_, CommandError>(found.rows)
    });
    let rows = match found.await {
        Ok(Ok(rows)) => rows,
        _ => Vec::new(),
    };
    let typed = typed.trim().trim_start_matches('#');
    let fits = rows.iter().filter(|row| row.number.to_string().starts_with(typed)).take(CHOICES_MAX);
    fits.fold(CreateAutocompleteResponse::new(), |choices, row| choices.add_int_choice(label(row), row.number))
}

/// An application in a line of plain text.
pub(super) fn label(row: &Model) -> String {
    let (sign, word) = application::status_words(row.status);
    let day = row.submitted_at.format("%-d %b %Y");
    text::bounded(&format!("{sign} #{} · {word} · {day}", row.number), 100)
}

/// Whoever applies, as a card names them.
pub(super) fn applicant(row: &Model) -> String {
    row.discord_user_id.map_or_else(|| "somebody without a Discord account".to_owned(), text::user)
}

/// Somebody as the event log names them.
pub(super) fn author(name: &str) -> String {
    match name.split_once(':') {
        Some(("member", id)) => id.parse().map_or_else(|_| "a member".to_owned(), text::user),
        Some(("key", _)) => "a program".to_owned(),
        Some(("user", _)) => "somebody on the web".to_owned(),
        _ => "the operator".to_owned(),
    }
}

/// Until when, for a length of time from now.
pub(super) fn until(typed: &str, now: DateTime<Utc>) -> Result<DateTime<Utc>, CommandError> {
    let seconds = duration::parse(typed).filter(|seconds| (1..=BLOCK_MAX).contains(seconds));
    let until = seconds.and_then(|seconds| now.checked_add_signed(TimeDelta::seconds(seconds)));
    until.ok_or_else(|| CommandError::Input {
        problem: format!("“{}” is not a length of time that I can read", text::escape(typed.trim(), 40)),
        example: "30d",
    })
}
