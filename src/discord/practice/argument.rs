//! Options of `/practice`, as people type them.

use std::{
    future::{Ready, ready},
    time::Duration,
};

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone as _, Utc};
use chrono_tz::Tz;
use serenity::all::{AutocompleteChoice, CreateAutocompleteResponse};

use super::{card, oneself};
use crate::{
    discord::{Asked, CommandError, Context, text},
    domain::{
        duration,
        practice::{self, Rounds, SessionView},
    },
};

/// Lengths that are offered.
const GOALS: [&str; 7] = ["15m", "30m", "45m", "1h", "1h 30m", "2h", "3h"];
const DAILY: [&str; 9] = ["15m", "30m", "45m", "1h", "1h 30m", "2h", "3h", "5h", "10h"];
const FOCUS: [&str; 7] = ["15m", "20m", "25m", "30m", "45m", "50m", "1h 30m"];
const BREAKS: [&str; 5] = ["3m", "5m", "10m", "15m", "30m"];
/// Rounds, where only a part of them is said.
const USUAL: Rounds = Rounds { focus_seconds: 25 * 60, break_seconds: 5 * 60, rounds: 4 };
/// Moments that are offered.
const MOMENTS: [&str; 6] = ["just now", "1h ago", "2h ago", "today 09:00", "yesterday 09:00", "yesterday 18:00"];
/// Longest length that is offered for what somebody types.
const OFFERED_MAX: i64 = 31 * 86_400;
/// Characters of a wrong value that are shown again.
const ECHO_MAX: usize = 40;
/// Choices that Discord shows.
const CHOICES_MAX: usize = 25;
/// Sessions that are searched for what somebody types.
const SEARCHED_MAX: u64 = 100;
/// How long a search may take; Discord waits 3 s.
const PATIENCE: Duration = Duration::from_secs(2);

/// A length of time.
pub(super) fn seconds(typed: &str) -> Result<i64, CommandError> {
    duration::parse(typed).filter(|seconds| *seconds > 0).ok_or_else(|| CommandError::Input {
        problem: format!("“{}” is not a length of time that I can read", text::escape(typed.trim(), ECHO_MAX)),
        example: "90m, 1h30 or 2h",
    })
}

/// Rounds, if any part of them is said.
pub(super) fn rounds(
    focus: Option<&str>,
    pause: Option<&str>,
    rounds: Option<i32>,
) -> Result<Option<Rounds>, CommandError> {
    if focus.is_none() && pause.is_none() && rounds.is_none() {
        return Ok(None);
    }
    Ok(Some(Rounds {
        focus_seconds: focus.map(seconds).transpose()?.unwrap_or(USUAL.focus_seconds),
        break_seconds: pause.map(seconds).transpose()?.unwrap_or(USUAL.break_seconds),
        rounds: rounds.unwrap_or(USUAL.rounds),
    }))
}

/// When something of this length began: a time of day in the reader's zone, so long ago, or such that it ends now.
pub(super) fn begin(typed: &str, now: DateTime<Utc>, zone: Tz, seconds: i64) -> Result<DateTime<Utc>, CommandError> {
    let text = typed.trim().to_lowercase();
    let unreadable = || CommandError::Input {
        problem: format!("“{}” is not a moment that I can read", text::escape(typed.trim(), ECHO_MAX)),
        example: "18:30, yesterday 18:30, 2026-11-22 18:30, 2h ago or just now",
    };
    if text == "just now" || text == "now" {
        return Ok(now - TimeDelta::seconds(seconds.clamp(0, OFFERED_MAX)));
    }
    if let Some(ago) = text.strip_suffix("ago") {
        let ago = duration::parse(ago).filter(|ago| *ago <= OFFERED_MAX).ok_or_else(unreadable)?;
        return Ok(now - TimeDelta::seconds(ago));
    }
    let today = now.with_timezone(&zone).date_naive();
    let yesterday = today.pred_opt().unwrap_or(today);
    let (date, time) = match text.split_once(' ') {
        Some(("today", time)) => (today, time),
        Some(("yesterday", time)) => (yesterday, time),
        Some((date, time)) => (date.parse::<NaiveDate>().map_err(|_| unreadable())?, time),
        None => {
            let time = clock(&text).ok_or_else(unreadable)?;
            let at = local(zone, today.and_time(time)).ok_or_else(unreadable)?;
            // A bare time of day is the last one that has been.
            let at = if at <= now { Some(at) } else { local(zone, yesterday.and_time(time)) };
            return at.ok_or_else(unreadable);
        }
    };
    clock(time).and_then(|time| local(zone, date.and_time(time))).ok_or_else(unreadable)
}

/// A date with a time of day, as forms show them.
pub(super) fn moment(typed: &str, zone: Tz) -> Result<DateTime<Utc>, CommandError> {
    let parts = typed.trim().split_once(' ');
    let read = parts.and_then(|(date, time)| Some(date.parse::<NaiveDate>().ok()?.and_time(clock(time)?)));
    read.and_then(|local_time| local(zone, local_time)).ok_or_else(|| CommandError::Input {
        problem: format!("“{}” is not a date with a time of day", text::escape(typed.trim(), ECHO_MAX)),
        example: "2026-11-22 18:30:00",
    })
}

/// As [`moment`] reads it.
pub(super) fn written(at: DateTime<Utc>, zone: Tz) -> String {
    at.with_timezone(&zone).format("%Y-%m-%d %H:%M:%S").to_string()
}

fn clock(text: &str) -> Option<NaiveTime> {
    let text = text.trim();
    NaiveTime::parse_from_str(text, "%H:%M:%S").or_else(|_| NaiveTime::parse_from_str(text, "%H:%M")).ok()
}

/// The first moment at which clocks there show this; none where they skip it.
fn local(zone: Tz, time: NaiveDateTime) -> Option<DateTime<Utc>> {
    zone.from_local_datetime(&time).earliest().map(|at| at.with_timezone(&Utc))
}

/// Lengths of a session's goal.
pub(super) fn complete_goal(_: Context<'_>, typed: &str) -> Ready<CreateAutocompleteResponse> {
    ready(lengths(&GOALS, typed))
}

/// Lengths of a day's, week's or month's goal, and of what was practised.
pub(super) fn complete_length(_: Context<'_>, typed: &str) -> Ready<CreateAutocompleteResponse> {
    ready(lengths(&DAILY, typed))
}

/// Lengths of a round.
pub(super) fn complete_focus(_: Context<'_>, typed: &str) -> Ready<CreateAutocompleteResponse> {
    ready(lengths(&FOCUS, typed))
}

/// Lengths of a break.
pub(super) fn complete_break(_: Context<'_>, typed: &str) -> Ready<CreateAutocompleteResponse> {
    ready(lengths(&BREAKS, typed))
}

/// What was typed in its normal form, a bare number as minutes and hours, then common lengths that begin like it.
fn lengths(common: &[&str], typed: &str) -> CreateAutocompleteResponse {
    let typed = typed.trim().to_lowercase();
    let is_number = (1..=3).contains(&typed.len()) && typed.bytes().all(|byte| byte.is_ascii_digit());
    let with_units = ["m", "h"].into_iter().filter(|_| is_number).map(|unit| format!("{typed}{unit}"));
    let read = std::iter::once(typed.clone()).chain(with_units).filter_map(|text| duration::parse(&text));
    let own = read.filter(|seconds| (1..=OFFERED_MAX).contains(seconds)).map(duration::format);
    let common = common.iter().filter(|one| one.starts_with(&typed)).map(|one| (*one).to_owned());
    let mut seen = std::collections::HashSet::new();
    strings(own.chain(common).filter(|text| seen.insert(duration::parse(text))).collect::<Vec<_>>())
}

/// Moments for what somebody has typed so far.
pub(super) fn complete_when(_: Context<'_>, typed: &str) -> Ready<CreateAutocompleteResponse> {
    let own = text::bounded(typed.trim(), 64);
    let typed = own.to_lowercase();
    let fits = begin(&own, DateTime::UNIX_EPOCH + TimeDelta::days(40), Tz::UTC, 0).is_ok();
    let common = MOMENTS.iter().filter(|one| one.starts_with(&typed) && **one != typed).map(|one| (*one).to_owned());
    ready(strings(Some(own).filter(|_| fits).into_iter().chain(common).collect::<Vec<_>>()))
}

/// What one has practised of late.
pub(super) async fn complete_activity(ctx: Context<'_>, typed: &str) -> CreateAutocompleteResponse {
    let wanted = typed.trim().to_lowercase();
    let mut names = Vec::new();
    for name in recent(ctx).await.into_iter().filter_map(|view| view.row.activity) {
        if name.to_lowercase().contains(&wanted) && !names.contains(&name) {
            names.push(name);
        }
    }
    let own = text::bounded(typed.trim(), practice::ACTIVITY_MAX);
    if !own.is_empty() && !names.contains(&own) {
        names.insert(0, own);
    }
    strings(names)
}

/// One's sessions that have ended, as a choice.
pub(super) async fn complete_session(ctx: Context<'_>, typed: &str) -> CreateAutocompleteResponse {
    let wanted = typed.trim().to_lowercase();
    let asked = Asked::command(ctx.data(), ctx.interaction);
    let Ok(zone) = reader_zone(ctx, &asked).await else { return CreateAutocompleteResponse::new() };
    let ended = recent(ctx).await.into_iter().filter(|view| view.row.ended_at.is_some());
    let choices = ended.map(|view| (label(&view, zone), view.row.id.to_string()));
    let fitting = choices.filter(|(label, _)| label.to_lowercase().contains(&wanted)).take(CHOICES_MAX);
    let choices = fitting.map(|(label, id)| AutocompleteChoice::new(label, id)).collect();
    CreateAutocompleteResponse::new().set_choices(choices)
}

/// A session in a line of plain text.
pub(super) fn label(view: &SessionView, zone: Tz) -> String {
    let began = view.row.started_at.with_timezone(&zone).format("%a %-d %b %H:%M");
    let activity = view.row.activity.as_ref().map_or_else(String::new, |name| format!(" · {name}"));
    text::bounded(&format!("{began} · {}{activity}", card::span(view.seconds)), 100)
}

/// The zone in which whoever asks reads times.
pub(super) async fn reader_zone(ctx: Context<'_>, asked: &Asked) -> Result<Tz, CommandError> {
    let (_, person) = oneself(asked)?;
    let guild_id = asked.member.as_ref().map(|member| member.guild_id);
    Ok(practice::time_zone(ctx.data().app.domain(), person, guild_id).await?)
}

/// One's own newest sessions; none where they do not come in time.
async fn recent(ctx: Context<'_>) -> Vec<SessionView> {
    let asked = Asked::command(ctx.data(), ctx.interaction);
    let found = tokio::time::timeout(PATIENCE, async {
        let (actor, person) = oneself(&asked)?;
        let domain = ctx.data().app.domain();
        Ok::<_, CommandError>(practice::history(domain, &actor, (person, None), None, SEARCHED_MAX).await?)
    });
    found.await.ok().and_then(Result::ok).map_or_else(Vec::new, |page| page.sessions)
}

fn strings(texts: impl IntoIterator<Item = String>) -> CreateAutocompleteResponse {
    let texts = texts.into_iter().filter(|text| !text.is_empty()).take(CHOICES_MAX);
    let choices = texts.map(|text| AutocompleteChoice::new(text.clone(), text)).collect();
    CreateAutocompleteResponse::new().set_choices(choices)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> DateTime<Utc> {
        "2026-11-22T12:00:00Z".parse().unwrap()
    }

    #[test]
    fn moments_are_read_in_the_readers_zone() {
        let zone = Tz::Europe__Berlin;
        for (typed, expected) in [
            ("just now", "2026-11-22T11:00:00Z"),
            ("2h ago", "2026-11-22T10:00:00Z"),
            ("1h30 ago", "2026-11-22T10:30:00Z"),
            ("09:30", "2026-11-22T08:30:00Z"),
            ("18:00", "2026-11-21T17:00:00Z"),
            ("today 9:30", "2026-11-22T08:30:00Z"),
            ("Yesterday 18:00", "2026-11-21T17:00:00Z"),
            ("2026-10-25 02:30", "2026-10-25T00:30:00Z"),
        ] {
            let at: DateTime<Utc> = expected.parse().unwrap();
            assert_eq!(begin(typed, now(), zone, 3_600).unwrap(), at, "{typed}");
        }
        for typed in ["", "soon", "25:00", "2026-13-01 10:00", "2026-03-29 02:30", "ago", "999999w ago"] {
            assert!(begin(typed, now(), zone, 3_600).is_err(), "{typed}");
        }
    }

    #[test]
    fn forms_read_what_they_show() {
        let zone = Tz::America__St_Johns;
        assert_eq!(moment(&written(now(), zone), zone).unwrap(), now());
        for typed in ["", "2026-11-22", "12:00", "22.11.2026 12:00", "2026-11-22 12"] {
            assert!(moment(typed, zone).is_err(), "{typed}");
        }
    }

    #[test]
    fn rounds_have_usual_parts() {
        assert_eq!(rounds(None, None, None).unwrap(), None);
        assert_eq!(rounds(None, None, Some(2)).unwrap(), Some(Rounds { rounds: 2, ..USUAL }));
        assert_eq!(rounds(Some("50m"), None, None).unwrap(), Some(Rounds { focus_seconds: 3_000, ..USUAL }));
        assert!(rounds(Some("long"), None, None).is_err() && rounds(Some("0m"), None, None).is_err());
    }
}
