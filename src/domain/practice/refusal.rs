//! What practice refuses.

use super::{ACTIVITY_MAX, NOTE_MAX};
use crate::domain::{Kind, Refusal};

/// What practice refuses.
#[derive(Clone, Debug, thiserror::Error)]
pub enum PracticeRefusal {
    /// The person has no open session.
    #[error("No active session found")]
    NoActiveSession,
    /// There is no such session.
    #[error("Session not found")]
    NoSession,
    /// The note is too long.
    #[error("A note must have at most {NOTE_MAX} characters")]
    BadNote,
    /// The activity is too long.
    #[error("An activity must have at most {ACTIVITY_MAX} characters on one line")]
    BadActivity,
    /// Neither a Discord account nor a user was named, or both were.
    #[error("Either discordId or userId is needed")]
    NobodyNamed,
    /// It is paused already.
    #[error("The session is paused already")]
    AlreadyPaused,
    /// It is not paused.
    #[error("The session is not paused")]
    NotPaused,
    /// It has no rounds, or none that runs.
    #[error("No round and no break runs that could be skipped")]
    NoRounds,
    /// The day is full.
    #[error("This day has reached the {hours} hours that the server counts in a day")]
    DayCapReached {
        /// How many.
        hours: i64,
    },
    /// Rounds out of bounds.
    #[error("Rounds are 1 to 12, of 1 minute to 4 hours, with breaks of 1 minute to 1 hour")]
    BadRounds,
    /// A rule out of bounds.
    #[error("{what} must be {bounds}")]
    BadRule {
        /// Which one.
        what: &'static str,
        /// What it may be.
        bounds: &'static str,
    },
    /// A goal out of bounds.
    #[error("A goal must be 1 minute to 24 hours a day")]
    BadGoal,
    /// The times are no stretch that can be counted.
    #[error("The time must end after its begin, not lie ahead, and be at most 24 hours, of the last 31 days")]
    BadSpan,
    /// Another session has this time already.
    #[error("Another session of yours has a part of this time already")]
    Overlaps,
    /// A session that still runs cannot be changed.
    #[error("The session still runs: stop it first")]
    StillOpen,
    /// No such gap, or one that was claimed.
    #[error("There is no such gap, or it was claimed already")]
    NoGap,
    /// Too much waits.
    #[error("You have {max} requests that wait for a reviewer, which is the most")]
    QueueFull {
        /// How many.
        max: u64,
    },
    /// No such request.
    #[error("Request not found")]
    NoCorrection,
    /// It was decided.
    #[error("This request was decided already")]
    AlreadyDecided,
    /// More is taken than there is.
    #[error("There are only {seconds} seconds to take")]
    TooLittle {
        /// How many.
        seconds: i64,
    },
    /// An adjustment of nothing, or of very much.
    #[error("An adjustment must be 1 second to 24 hours, up or down, with a reason of at most {NOTE_MAX} characters")]
    BadAdjustment,
    /// A season runs already.
    #[error("A season runs already: end it first")]
    SeasonRuns,
    /// No season runs.
    #[error("No season runs")]
    NoSeason,
    /// Days that are no stretch.
    #[error("The days must be two dates such as 2026-11-01 and 2026-11-30, the first one first, ten years at most")]
    BadDates,
    /// Somebody keeps it to themself.
    #[error("This person keeps their practice to themself")]
    Private,
    /// A name out of bounds.
    #[error("The name of a season must have 1 to {ACTIVITY_MAX} characters on one line")]
    BadSeason,
    /// A reviewer decides about others only.
    #[error("This request is your own: somebody else has to decide it")]
    OwnRequest,
    /// No time of day.
    #[error("A board is due at a time of day, from 00:00 to 23:59")]
    BadPostTime,
    /// Boards go to text channels.
    #[error("The slot `{slot}` holds no text channel, so that it cannot receive boards")]
    BadPostSlot {
        /// Its name.
        slot: String,
    },
    /// Nobody may see the board.
    #[error("Practice is private here, so that no board is posted. Change the privacy first")]
    BoardIsPrivate,
}

impl Refusal for PracticeRefusal {
    fn kind(&self) -> Kind {
        match self {
            Self::NoActiveSession | Self::NoSession | Self::NoGap | Self::NoCorrection | Self::NoSeason => {
                Kind::NotFound
            }
            Self::BadNote
            | Self::BadActivity
            | Self::NobodyNamed
            | Self::BadRounds
            | Self::BadRule { .. }
            | Self::BadGoal
            | Self::BadSpan
            | Self::BadAdjustment
            | Self::BadPostTime
            | Self::BadPostSlot { .. }
            | Self::BadDates
            | Self::BadSeason => Kind::Invalid,
            Self::AlreadyPaused
            | Self::NotPaused
            | Self::NoRounds
            | Self::DayCapReached { .. }
            | Self::Overlaps
            | Self::StillOpen
            | Self::AlreadyDecided
            | Self::TooLittle { .. }
            | Self::BoardIsPrivate
            | Self::SeasonRuns => Kind::Conflict,
            Self::OwnRequest | Self::Private => Kind::Forbidden,
            Self::QueueFull { .. } => Kind::LimitReached,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::NoActiveSession => "practice.no_active_session",
            Self::NoSession => "practice.no_session",
            Self::BadNote => "practice.bad_note",
            Self::BadActivity => "practice.bad_activity",
            Self::NobodyNamed => "practice.nobody_named",
            Self::AlreadyPaused => "practice.already_paused",
            Self::NotPaused => "practice.not_paused",
            Self::NoRounds => "practice.no_rounds",
            Self::DayCapReached { .. } => "practice.day_cap_reached",
            Self::BadRounds => "practice.bad_rounds",
            Self::BadRule { .. } => "practice.bad_rule",
            Self::BadGoal => "practice.bad_goal",
            Self::BadSpan => "practice.bad_span",
            Self::Overlaps => "practice.overlaps",
            Self::StillOpen => "practice.still_open",
            Self::NoGap => "practice.no_gap",
            Self::QueueFull { .. } => "practice.queue_full",
            Self::NoCorrection => "practice.no_correction",
            Self::AlreadyDecided => "practice.already_decided",
            Self::TooLittle { .. } => "practice.too_little",
            Self::BadAdjustment => "practice.bad_adjustment",
            Self::SeasonRuns => "practice.season_runs",
            Self::NoSeason => "practice.no_season",
            Self::BadSeason => "practice.bad_season",
            Self::OwnRequest => "practice.own_request",
            Self::BadPostTime => "practice.bad_post_time",
            Self::BadPostSlot { .. } => "practice.bad_post_slot",
            Self::BoardIsPrivate => "practice.board_is_private",
            Self::BadDates => "practice.bad_dates",
            Self::Private => "practice.private",
        }
    }

    fn pointer(&self) -> Option<&'static str> {
        match self {
            Self::BadNote => Some("/notes"),
            Self::BadActivity => Some("/activity"),
            Self::NobodyNamed => Some("/discordId"),
            _ => None,
        }
    }
}
