//! Applications: what people ask for, who votes on it, how it is decided, and what follows.
//!
//! Invariants: an application is decided once until it is reopened, by a change that holds its row; whoever votes has
//! one vote; what follows a decision are rows that commit with it; a decision by vote can be worked out again from the
//! votes and the policy, both of which stay as they were.

pub mod policy;
mod refusal;

pub use policy::{
    Ballot, FollowUp, Invite, OnLeave, Outcome, Policy, Quorum, Reasons, Tally, Threshold, Tie, Voters, outcome,
    quorum_needed,
};
pub use refusal::ApplicationRefusal;

use serde::{Deserialize, Serialize};

/// The name of the form that programs apply with, which no guild's own form has.
pub const BUILT_IN: &str = "http";

/// Whether a form of this name would be taken for the built-in one.
pub fn is_built_in(name: &str) -> bool {
    name.trim().eq_ignore_ascii_case(BUILT_IN)
}

/// Most characters of a reason.
pub const REASON_MAX: usize = 1_000;
/// Most characters of a note.
pub const NOTE_MAX: usize = 1_000;

/// One answer, with its question as it was asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GivenAnswer {
    /// The question's id: the one of a form, or the name of a field of the built-in form.
    pub question_id: String,
    /// The question.
    pub label: String,
    /// What was answered.
    pub answer: String,
}
