//! What applications refuse.

use chrono::{DateTime, SecondsFormat, Utc};
use entity::application::ApplicationStatus;

use super::{NOTE_MAX, REASON_MAX};
use crate::domain::{Kind, Refusal, event::spelled};

/// What applications refuse.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ApplicationRefusal {
    /// There is none, or the actor may not know of it.
    #[error("Application not found")]
    NotFound,
    /// It was decided, or taken back.
    #[error("This application is not open any more: it is {}", spelled(*status))]
    NotPending {
        /// How it stands.
        status: ApplicationStatus,
    },
    /// It is open.
    #[error("This application is open already")]
    StillPending,
    /// The vote has ended in a tie.
    #[error("The vote has ended in a tie: whoever may decide in spite of votes decides now")]
    WaitsForOwner,
    /// Nobody votes on themself.
    #[error("Nobody votes on their own application")]
    OwnApplication,
    /// The policy names others.
    #[error("Only those whom the policy of this application names may vote on it")]
    NoVoter,
    /// Somebody votes for somebody else.
    #[error("Nobody votes in the name of somebody else")]
    OtherVoter,
    /// A program has not said who votes.
    #[error("The one who votes must be named, in 1 to 64 characters")]
    BadVoter,
    /// A name that is too long.
    #[error("The name of a voter must have at most 100 characters")]
    BadVoterName,
    /// The policy asks for reasons.
    #[error("This vote needs a reason")]
    ReasonNeeded,
    /// A reason out of bounds.
    #[error("A reason must have at most {REASON_MAX} characters")]
    BadReason,
    /// A note out of bounds.
    #[error("A note must have 1 to {NOTE_MAX} characters")]
    BadNote,
    /// Only yes and no decide.
    #[error("An application can be approved or rejected")]
    BadDecision,
    /// The id of a message out of bounds.
    #[error("The id of a message must have at most 100 characters")]
    BadMessage,
    /// The message is bound to another one.
    #[error("This message belongs to another application")]
    MessageTaken,
    /// A field of the built-in form is missing, empty or too long.
    #[error("{what} must have {min} to {max} characters")]
    BadField {
        /// Which one.
        what: &'static str,
        /// Where it is.
        pointer: &'static str,
        /// Fewest characters.
        min: usize,
        /// Most characters.
        max: usize,
    },
    /// Answers that are too many or too long.
    #[error("An application has at most 100 answers of at most 10000 characters")]
    BadAnswers,
    /// Somebody has voted already.
    #[error("Somebody has voted on this application, so that its answers stay as they are")]
    HasVotes,
    /// Whoever applies is blocked.
    #[error("{}", blocked(*until))]
    Blocked {
        /// Until when.
        until: Option<DateTime<Utc>>,
    },
    /// Too soon after a rejection.
    #[error("The last application was rejected: another one is possible from {}", moment(*until))]
    CoolingDown {
        /// Until when.
        until: DateTime<Utc>,
    },
    /// As many as one may have.
    #[error("There are {max} open applications already, which is the most")]
    TooManyOpen {
        /// How many.
        max: u64,
    },
    /// The form has accepted as many as it may.
    #[error("This form has accepted {limit} applications, which is the most")]
    Full {
        /// How many.
        limit: u32,
    },
    /// Reminded not long ago.
    #[error("Who owes a vote was reminded already: the next time is possible from {}", moment(*until))]
    RemindedLately {
        /// Until when.
        until: DateTime<Utc>,
    },
    /// As many votes as one application may have.
    #[error("This application has as many votes as it may have")]
    TooManyVotes,
    /// As many notes as one application may have.
    #[error("This application has as many notes as it may have")]
    TooManyNotes,
    /// A blind vote goes on.
    #[error("The votes on this application are hidden until it is decided")]
    Blind,
    /// There is no such step.
    #[error("There is no such step")]
    NoStep,
    /// It is not one that can be tried again.
    #[error("This step does not wait to be tried again")]
    StepSettled,
    /// A policy out of bounds.
    #[error("{} must be {bounds}", pointer.trim_start_matches('/').replace(['/', '_'], " "))]
    BadPolicy {
        /// What is.
        pointer: &'static str,
        /// What it may be.
        bounds: &'static str,
    },
    /// Nobody of this name is blocked.
    #[error("This person is not blocked")]
    NotBlocked,
    /// A block that would have ended.
    #[error("A block must end in the future")]
    BadBlock,
}

fn moment(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn blocked(until: Option<DateTime<Utc>>) -> String {
    match until {
        Some(until) => format!("Applying is not possible here until {}", moment(until)),
        None => "Applying is not possible here".to_owned(),
    }
}

impl Refusal for ApplicationRefusal {
    fn kind(&self) -> Kind {
        match self {
            Self::NotFound | Self::NoStep | Self::NotBlocked => Kind::NotFound,
            Self::NotPending { .. }
            | Self::StillPending
            | Self::WaitsForOwner
            | Self::MessageTaken
            | Self::HasVotes
            | Self::CoolingDown { .. }
            | Self::Full { .. }
            | Self::StepSettled => Kind::Conflict,
            Self::OwnApplication | Self::NoVoter | Self::OtherVoter | Self::Blocked { .. } | Self::Blind => {
                Kind::Forbidden
            }
            Self::TooManyOpen { .. } | Self::RemindedLately { .. } | Self::TooManyVotes | Self::TooManyNotes => {
                Kind::LimitReached
            }
            Self::BadVoter
            | Self::BadVoterName
            | Self::ReasonNeeded
            | Self::BadReason
            | Self::BadNote
            | Self::BadDecision
            | Self::BadMessage
            | Self::BadField { .. }
            | Self::BadAnswers
            | Self::BadPolicy { .. }
            | Self::BadBlock => Kind::Invalid,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::NotFound => "application.not_found",
            Self::NotPending { .. } => "application.not_pending",
            Self::StillPending => "application.still_pending",
            Self::WaitsForOwner => "application.waits_for_owner",
            Self::OwnApplication => "application.own",
            Self::NoVoter => "application.no_voter",
            Self::OtherVoter => "application.other_voter",
            Self::BadVoter => "application.bad_voter",
            Self::BadVoterName => "application.bad_voter_name",
            Self::ReasonNeeded => "application.reason_needed",
            Self::BadReason => "application.bad_reason",
            Self::BadNote => "application.bad_note",
            Self::BadDecision => "application.bad_decision",
            Self::BadMessage => "application.bad_message",
            Self::MessageTaken => "application.message_taken",
            Self::BadField { .. } => "application.bad_field",
            Self::BadAnswers => "application.bad_answers",
            Self::HasVotes => "application.has_votes",
            Self::Blocked { .. } => "application.blocked",
            Self::CoolingDown { .. } => "application.cooling_down",
            Self::TooManyOpen { .. } => "application.too_many_open",
            Self::Full { .. } => "application.full",
            Self::RemindedLately { .. } => "application.reminded_lately",
            Self::TooManyVotes => "application.too_many_votes",
            Self::TooManyNotes => "application.too_many_notes",
            Self::Blind => "application.blind",
            Self::NoStep => "application.no_step",
            Self::StepSettled => "application.step_settled",
            Self::BadPolicy { .. } => "application.bad_policy",
            Self::NotBlocked => "application.not_blocked",
            Self::BadBlock => "application.bad_block",
        }
    }

    fn pointer(&self) -> Option<&'static str> {
        match self {
            Self::BadVoter | Self::OtherVoter => Some("/userId"),
            Self::BadVoterName => Some("/userName"),
            Self::ReasonNeeded | Self::BadReason => Some("/reason"),
            Self::BadDecision => Some("/status"),
            Self::BadMessage | Self::MessageTaken => Some("/messageId"),
            Self::BadField { pointer, .. } | Self::BadPolicy { pointer, .. } => Some(pointer),
            _ => None,
        }
    }
}
