//! Sessions in words, with the buttons that fit how they stand.

use entity::{
    practice_segment,
    practice_session::{EndReason, Model, SessionSource, SessionState},
};
use serenity::all::{ButtonStyle, CreateActionRow, CreateButton, CreateEmbed};

use super::AREA;
use crate::{
    discord::{Reply, component::custom_id, text},
    domain::{duration, practice::SessionView},
};

/// Discord's own colours for good, careful and neutral; each also stands in words.
pub(super) const GREEN: u32 = 0x0024_8046;
pub(super) const YELLOW: u32 = 0x00f0_b232;
pub(super) const GREY: u32 = 0x0080_848e;
pub(super) const BLUE: u32 = 0x0034_98DB;

/// Most characters of a note that a card shows.
const NOTE_MAX: usize = 400;
/// Most gaps that a card offers to claim: the buttons of one row.
const GAPS_MAX: usize = 5;

/// A session as its owner sees it.
pub(super) fn reply(view: &SessionView, gaps: &[practice_segment::Model], said: &str) -> Reply {
    let row = &view.row;
    let (title, colour) = heading(row);
    let mut card = CreateEmbed::new().title(title).colour(colour).field("Counted", counted(view), true).field(
        "Began",
        format!("{} ({})", text::absolute(row.started_at), text::relative(row.started_at)),
        true,
    );
    if let (Some(ended), Some(reason)) = (row.ended_at, row.end_reason) {
        card = card.field("Ended", format!("{}: {}", text::absolute(ended), reason_words(reason)), true);
    }
    if let Some(rounds) = rounds(row) {
        card = card.field("Rounds", rounds, true);
    }
    if let Some(activity) = &row.activity {
        card = card.field("Activity", text::escape(activity, 50), true);
    }
    if let Some(origin) = origin(row) {
        card = card.field("Kind", origin, true);
    }
    if row.is_private {
        card = card.field("Shown to", "nobody but you", true);
    }
    if let Some(note) = &row.note {
        card = card.field("Note", text::escape(note, NOTE_MAX), false);
    }
    if !gaps.is_empty() {
        card = card.field("Not counted, because I was away", text::lines(gaps.iter().map(gap_line), 900), false);
    }
    let mut reply = Reply::text(said).and_card(card);
    if row.state != SessionState::Done {
        reply = reply.row(CreateActionRow::Buttons(timer_buttons(row)));
    }
    let claims: Vec<_> = gaps.iter().filter(|gap| !gap.is_claimed).take(GAPS_MAX).collect();
    if claims.is_empty() {
        return reply;
    }
    let of_several = claims.len() > 1;
    let buttons = claims.iter().enumerate().map(|(index, gap)| {
        let label = if of_several { format!("Claim gap {}", index + 1) } else { "Claim gap".to_owned() };
        button("claim", &gap.id.to_string(), &label, ButtonStyle::Primary)
    });
    reply.row(CreateActionRow::Buttons(buttons.collect()))
}

/// A button of this feature about one thing.
pub(super) fn button(verb: &str, argument: &str, label: &str, style: ButtonStyle) -> CreateButton {
    CreateButton::new(custom_id(AREA, verb, &[argument])).label(label).style(style)
}

/// A sum of time.
pub(super) fn span(seconds: i64) -> String {
    duration::format(seconds)
}

fn counted(view: &SessionView) -> String {
    match view.row.goal_seconds {
        Some(goal) => format!("**{}** of {}", span(view.seconds), span(goal)),
        None => format!("**{}**", span(view.seconds)),
    }
}

fn heading(row: &Model) -> (&'static str, u32) {
    match (row.state, row.source) {
        (SessionState::Open, SessionSource::Voice) => ("🔊 Your time in voice counts", GREEN),
        (SessionState::Open, _) => ("⏱️ Your timer runs", GREEN),
        (SessionState::Paused, _) if row.phase_ends_at.is_some() => ("☕ Break", YELLOW),
        (SessionState::Paused, _) => ("⏸️ Your timer is paused", YELLOW),
        (SessionState::Done, _) => ("🏁 Done", GREY),
    }
}

fn rounds(row: &Model) -> Option<String> {
    let left = row.rounds_left.filter(|left| *left > 0)?;
    let focus = row.focus_seconds.map_or_else(String::new, |seconds| format!(" of {}", span(seconds)));
    let phase = match (row.state, row.phase_ends_at) {
        (SessionState::Open, Some(end)) => format!(", this one ends {}", text::relative(end)),
        (SessionState::Paused, Some(end)) => format!(", the next one begins {}", text::relative(end)),
        _ => String::new(),
    };
    (row.state != SessionState::Done).then(|| format!("{left} left{focus}{phase}"))
}

fn origin(row: &Model) -> Option<String> {
    match row.source {
        SessionSource::Voice => {
            Some(row.channel_id.map_or_else(|| "voice".to_owned(), |id| format!("voice, {}", text::channel(id))))
        }
        SessionSource::Http => Some("begun by a program".to_owned()),
        SessionSource::Manual => Some("✍️ written down afterwards".to_owned()),
        SessionSource::Command => None,
    }
}

/// Why a session ended.
pub(super) fn reason_words(reason: EndReason) -> &'static str {
    match reason {
        EndReason::Stopped => "stopped",
        EndReason::Left => "you left the voice channel",
        EndReason::SessionCap => "it reached the most that one session counts",
        EndReason::DayCap => "the day reached the most that it counts",
        EndReason::Forgotten => "nobody came back to it",
        EndReason::Lost => "I lost sight of you",
        EndReason::Rounds => "all rounds are done",
    }
}

fn gap_line(gap: &practice_segment::Model) -> String {
    let claimed = if gap.is_claimed { " · you have claimed it" } else { "" };
    let seconds = (gap.ended_at - gap.started_at).num_seconds();
    format!("• {} for {}{claimed}", text::absolute(gap.started_at), span(seconds))
}

fn timer_buttons(row: &Model) -> Vec<CreateButton> {
    let id = row.id.to_string();
    let mut buttons = vec![
        match row.state {
            SessionState::Paused => button("resume", &id, "Resume", ButtonStyle::Success),
            _ => button("pause", &id, "Pause", ButtonStyle::Secondary),
        },
        button("stop", &id, "Stop", ButtonStyle::Danger),
        button("note", &id, if row.note.is_some() { "Change note" } else { "Add note" }, ButtonStyle::Secondary),
    ];
    if row.phase_ends_at.is_some() {
        let label = if row.state == SessionState::Paused { "Skip the break" } else { "Skip" };
        buttons.push(button("skip", &id, label, ButtonStyle::Secondary));
    }
    buttons
}
