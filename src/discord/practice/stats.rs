//! `/practice stats`: a person's figures with a picture, and their sessions as a file.

use std::fmt::Write as _;

use entity::{
    id::{DiscordUserId, GuildId},
    practice_goal::GoalPeriod,
};
use serenity::all::{
    self as serenity, ButtonStyle, CreateActionRow, CreateAutocompleteResponse, CreateButton, CreateEmbed,
};

use super::{
    picture,
    view::{self, PeriodChoice, PersonView, Stretch},
};
use crate::{
    csv,
    discord::{
        Asked, CommandError, Context, Data, Reply,
        component::{Press, outdated},
        text,
    },
    discord_api::Attachment,
    domain::{
        duration,
        practice::{
            self, CsvRow, Dates, ExportCursor, GoalProgress, Metric, Period, Person, Report, ReportQuery, note_present,
        },
    },
};

const EXAMPLE: &str = "/practice stats period:custom from:2026-11-01 to:2026-11-30";
/// Most characters of a field of a card.
const FIELD_MAX: usize = 1_000;
const GREEN: u32 = 0x003b_a55d;
/// Largest file of sessions, in bytes; Discord takes 10 MiB.
const FILE_BYTES_MAX: usize = 8 * 1024 * 1024;

/// How much somebody has practised, day by day
#[poise::command(slash_command, guild_only)]
pub(in crate::discord) async fn stats(
    ctx: Context<'_>,
    #[description = "How long a stretch"] period: PeriodChoice,
    #[description = "Whose; yours without it"] user: Option<serenity::User>,
    #[description = "Only practice of this activity"]
    #[autocomplete = "complete_activity"]
    #[max_length = 50]
    activity: Option<String>,
    #[description = "Show it to everybody here"] share: Option<bool>,
    #[description = "For custom: the first day, such as 2026-11-01"]
    #[max_length = 10]
    from: Option<String>,
    #[description = "For custom: the last day, such as 2026-11-30"]
    #[max_length = 10]
    to: Option<String>,
) -> Result<(), CommandError> {
    let (data, asked) = (ctx.data(), Asked::command(ctx.data(), ctx.interaction));
    let is_shared = share == Some(true);
    let work = async {
        let period = view::period(period, from.as_deref(), to.as_deref(), EXAMPLE)?;
        let person = match &user {
            Some(user) => DiscordUserId::new(user.id.get()).ok_or_else(outdated)?,
            None => asked.user()?,
        };
        let activity = activity.map(|activity| activity.trim().to_owned()).filter(|activity| !activity.is_empty());
        let stretch = Stretch { period, day: None, metric: Metric::All, activity };
        show(data, &asked, PersonView { person, is_everywhere: false, stretch }, is_shared).await
    };
    // On the heap: a command holds all its options besides.
    let work = Box::pin(work);
    if is_shared { asked.answer_publicly(work).await } else { asked.answer(work).await }
}

/// One's own activities, for what somebody has typed so far.
pub(super) async fn complete_activity(ctx: Context<'_>, typed: &str) -> CreateAutocompleteResponse {
    let asked = Asked::command(ctx.data(), ctx.interaction);
    let work = async {
        let (actor, guild) = (asked.actor().await?, asked.member()?.guild_id);
        let names = practice::own_activities(ctx.data().app.domain(), &actor, Some(guild), typed).await?;
        Ok::<_, CommandError>(names)
    };
    let names = work.await.unwrap_or_default();
    names.into_iter().fold(CreateAutocompleteResponse::new(), |all, name| all.add_string_choice(name.clone(), name))
}

/// A button or menu of a card.
pub(super) async fn turned(data: &Data, asked: &Asked, press: &Press<'_>) -> Result<Reply, CommandError> {
    let mut view = PersonView::of(press)?;
    view.stretch = view::chosen(view.stretch, press)?;
    show(data, asked, view, false).await
}

/// The figures of the week of somebody, or of whoever asks, in this server or everywhere.
pub(in crate::discord) async fn week(
    data: &Data,
    asked: &Asked,
    person: DiscordUserId,
    is_everywhere: bool,
) -> Result<Reply, CommandError> {
    let stretch = Stretch { period: Period::Week, day: None, metric: Metric::All, activity: None };
    show(data, asked, PersonView { person, is_everywhere, stretch }, false).await
}

/// The guild that a view is about; none is everywhere.
fn guild_of(asked: &Asked, view: &PersonView) -> Result<Option<GuildId>, CommandError> {
    if view.is_everywhere { Ok(None) } else { Ok(Some(asked.member()?.guild_id)) }
}

async fn show(data: &Data, asked: &Asked, view: PersonView, is_shared: bool) -> Result<Reply, CommandError> {
    let (domain, actor, guild_id) = (data.app.domain(), asked.actor().await?, guild_of(asked, &view)?);
    if let Some(guild) = guild_id {
        // Whoever asks is here.
        note_present(domain, guild, asked.user()?).await?;
    }
    let Stretch { period, day, metric, activity } = view.stretch.clone();
    let person = Person::Discord(view.person);
    let query = ReportQuery { person, guild_id, period, day, metric, activity, is_public: is_shared };
    let report = practice::report(domain, &actor, &query).await?;
    let title = title(&report, &view);
    let mut card = card(data, &report, &view, &title);
    let mut reply = Reply::default();
    if let Some(bars) = picture::bars(&report, title.clone()) {
        match data.charts.png(bars).await {
            Ok(picture) => {
                card = card.attachment(picture::FILE);
                let description = Some(picture::description(&report, &title));
                let (filename, bytes) = (picture::FILE.to_owned(), picture.to_vec());
                reply = reply.file(Attachment { filename, bytes, description });
            }
            // The text has every number.
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "a picture of practice is missing");
            }
        }
    }
    reply = reply.and_card(card);
    let is_own = asked.user()? == view.person;
    let rows = if is_shared { shared_rows(&view) } else { rows(&report, &view, is_own) };
    reply = rows.into_iter().fold(reply, Reply::row);
    Ok(if is_shared { reply.public() } else { reply })
}

/// What is shown, in the words of picture and card. A member's own words stand on the card alone.
fn title(report: &Report, view: &PersonView) -> String {
    let metric = match view.stretch.metric {
        Metric::All => "Practice",
        Metric::Voice => "Practice in voice channels",
        Metric::Timer => "Practice by timer",
    };
    match view.stretch.period {
        Period::Day => {
            let Dates { last, .. } = report.dates;
            format!("{metric}, the week up to {}", picture::dates(Dates::day(last)))
        }
        Period::All => format!("{metric}, all time"),
        _ => format!("{metric}, {}", picture::dates(report.dates)),
    }
}

fn card(data: &Data, report: &Report, view: &PersonView, title: &str) -> CreateEmbed {
    let mut about = text::user(view.person);
    if view.is_everywhere {
        about.push_str(" · in all servers");
    }
    if view.stretch.period == Period::Day {
        let _ = write!(about, " · {}", picture::dates(report.dates));
    }
    if let Some(activity) = &view.stretch.activity {
        let _ = write!(about, " · activity **{}**", text::escape(activity, 50));
    }
    if report.seconds == 0 {
        let start = data.commands.mention("practice start");
        let _ = write!(about, "\nNothing was practised in this time. {start} starts a timer.");
    }
    let mut card = CreateEmbed::new()
        .title(title)
        .colour(GREEN)
        .description(about)
        .field("Time", format!("**{}**", duration::format(report.seconds)), true)
        .field("Days in a row", format!("{} (longest {})", report.streak.current, report.streak.longest), true);
    if let Some(rank) = report.rank {
        card = card.field("Rank", format!("#{rank}"), true);
    }
    if let Some(running) = &report.running {
        let counted = duration::format(running.seconds);
        let begun = text::relative(running.row.started_at);
        card = card.field("Running now", format!("⏱️ {counted} counted, begun {begun}"), false);
    }
    if !report.goals.is_empty() {
        card = card.field("Goals", text::lines(report.goals.iter().map(goal), FIELD_MAX), false);
    }
    if report.bars.iter().any(|bar| bar.seconds > 0) {
        card = card.field("In numbers", text::lines(picture::lines(report), FIELD_MAX), false);
    }
    card
}

fn goal(progress: &GoalProgress) -> String {
    let GoalProgress { goal, seconds } = progress;
    let period = match goal.period {
        GoalPeriod::Day => "today",
        GoalPeriod::Week => "this week",
        GoalPeriod::Month => "this month",
    };
    let mark = if *seconds >= goal.seconds { "✅" } else { "▫️" };
    format!("{mark} {period}: {} of {}", duration::format(*seconds), duration::format(goal.seconds))
}

/// Under a card that everybody sees: everybody opens their own view of it.
fn shared_rows(view: &PersonView) -> Vec<CreateActionRow> {
    let open = view.id("stats_open").map(|id| CreateButton::new(id).label("Look closer").style(ButtonStyle::Secondary));
    open.map(|button| CreateActionRow::Buttons(vec![button])).into_iter().collect()
}

/// Back and on, what counts, and another period. An activity may have too long a name for any of it.
fn rows(report: &Report, view: &PersonView, is_own: bool) -> Vec<CreateActionRow> {
    let stretch = &view.stretch;
    let turn = |verb: &str, to: Option<(Period, Option<chrono::NaiveDate>)>, label: &str| {
        let turned = to.map(|(period, day)| Stretch { period, day, ..stretch.clone() });
        let (is_off, shown) = (turned.is_none(), turned.unwrap_or_else(|| stretch.clone()));
        let id = PersonView { stretch: shown, ..view.clone() }.id(verb)?;
        Some(CreateButton::new(id).label(label).style(ButtonStyle::Secondary).disabled(is_off))
    };
    let beside = |is_before| {
        let (period, day) = stretch.period.beside(report.dates, is_before)?;
        Some((period, Some(day)))
    };
    let is_now = report.dates.last >= report.today;
    let now = match stretch.period {
        Period::Day => "Today",
        Period::Week => "This week",
        Period::Month => "This month",
        Period::Year => "This year",
        Period::All => "All time",
        Period::Custom(_) => "These days",
    };
    let can_return = !is_now && !matches!(stretch.period, Period::All | Period::Custom(_));
    let mut buttons = vec![
        turn("stats_back", beside(true), "◀"),
        turn("stats_now", can_return.then_some((stretch.period, None)), now),
        turn("stats_on", beside(false).filter(|_| !is_now), "▶"),
    ];
    if is_own {
        let dates = Stretch { period: Period::Custom(report.dates), day: None, ..stretch.clone() };
        let id = PersonView { stretch: dates, ..view.clone() }.id("stats_csv");
        buttons.push(id.map(|id| CreateButton::new(id).label("CSV").style(ButtonStyle::Secondary)));
    }
    let buttons: Vec<_> = buttons.into_iter().flatten().collect();
    let mut rows = Vec::new();
    if !buttons.is_empty() {
        rows.push(CreateActionRow::Buttons(buttons));
    }
    let metric = view.id("stats_metric").map(|id| view::metric_menu(id, stretch.metric));
    // Another period is shown around the day that is looked at.
    let day = Some(report.dates.last.min(report.today));
    let around = PersonView { stretch: Stretch { day, ..stretch.clone() }, ..view.clone() };
    let period = around.id("stats_period").map(|id| view::period_menu(id, stretch.period));
    rows.extend(metric.into_iter().chain(period).map(CreateActionRow::SelectMenu));
    rows
}

/// [CSV]: one's own sessions that began in the stretch.
pub(super) async fn file(data: &Data, asked: &Asked, press: &Press<'_>) -> Result<Reply, CommandError> {
    let view = PersonView::of(press)?;
    let (domain, actor, guild_id) = (data.app.domain(), asked.actor().await?, guild_of(asked, &view)?);
    let Period::Custom(dates) = view.stretch.period else { return Err(outdated()) };
    let own = Person::Discord(asked.user()?);
    let mut table = csv::line(&["session", "server", "source", "started", "ended", "seconds", "activity", "note"]);
    let (mut after, mut count): (Option<ExportCursor>, usize) = (None, 0);
    let is_whole = loop {
        let (rows, next) = practice::export_days(domain, &actor, (own, guild_id), dates, after).await?;
        let rows = rows.iter().filter(|row| view.stretch.activity.is_none() || row.activity == view.stretch.activity);
        for row in rows {
            table.push_str(&line(row));
            count += 1;
        }
        match next {
            None => break true,
            Some(_) if table.len() > FILE_BYTES_MAX => break false,
            next => after = next,
        }
    };
    let ended = if count == 1 { "1 ended session".to_owned() } else { format!("{count} ended sessions") };
    let mut said = format!("{ended} of yours that began {}.", picture::dates(dates));
    if !is_whole {
        said.push_str(" That is as much as fits into one file: choose a shorter period for the rest.");
    }
    let description = Some("Your practice sessions, as CSV".to_owned());
    let file = Attachment { filename: "practice.csv".to_owned(), bytes: table.into_bytes(), description };
    Ok(Reply::text(said).file(file))
}

fn line(row: &CsvRow) -> String {
    let time = |at: chrono::DateTime<chrono::Utc>| at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    let source = match row.source {
        entity::practice_session::SessionSource::Http => "program",
        entity::practice_session::SessionSource::Command => "timer",
        entity::practice_session::SessionSource::Voice => "voice",
        entity::practice_session::SessionSource::Manual => "written down",
    };
    csv::line(&[
        row.session_id.to_string(),
        row.guild_id.map_or_else(String::new, |guild| guild.to_string()),
        source.to_owned(),
        time(row.started_at),
        row.ended_at.map_or_else(String::new, time),
        row.seconds.to_string(),
        row.activity.clone().unwrap_or_default(),
        row.note.clone().unwrap_or_default(),
    ])
}
