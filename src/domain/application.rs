//! Applications: what people ask for, who votes on it, how it is decided, and what follows.
//!
//! Invariants: an application is decided once until it is reopened, by a change that holds its row; whoever votes has
//! one vote; what follows a decision are rows that commit with it; a decision by vote can be worked out again from the
//! votes and the policy, both of which stay as they were.

mod answers;
mod block;
mod change;
mod close;
mod create;
mod decide;
mod departure;
mod note;
pub(in crate::domain) mod people;
pub mod policy;
mod post;
mod read;
mod recount;
mod refusal;
mod remind;
mod reopen;
mod review;
mod statistics;
mod step;
mod upkeep;
mod vote;
mod voter;
mod words;

#[cfg(test)]
mod tests;

pub(in crate::domain) use answers::set_answers_in;
pub use answers::{GivenAnswer, answers_of, set_answers};
pub use block::{Block, block, blocks, unblock};
pub use close::{DueVote, close, due, note_voters};
pub(in crate::domain) use create::submit_in;
pub use create::{HttpApplication, HttpForm, NewApplication, Terms, create, submit};
pub use decide::{ApplicationChange, Changed, Verdict, change, decide, decide_natively, delete, withdraw};
pub use departure::note_left;
pub use note::{add_note, notes};
pub use policy::{
    Ballot, FollowUp, Invite, OnLeave, Outcome, Policy, Quorum, Reasons, Tally, Threshold, Tie, Voters, outcome,
    quorum_needed,
};
pub use post::{PostOutcome, claim_posts, settle_post};
pub use read::{
    ApplicationFilter, ApplicationOrder, Applications, by_message, by_number, by_review_message, get, list, own,
    policy_of, votes,
};
pub use recount::{Mismatch, Recount, recount};
pub use refusal::ApplicationRefusal;
pub use remind::{Reminder, remind};
pub use reopen::reopen;
pub use review::{Owing, Review, own_vote, review};
pub use statistics::{Statistics, StatisticsQuery, VoterCount, statistics};
pub use step::{ClaimedStep, StepOutcome, claim_steps, retry_step, settle_step, skip_step, steps};
pub use upkeep::{UNPOSTED_KIND, follow_slots, of_applicant, put_off_post, rights_changed, tell_unposted};
pub use vote::{NewVote, Voted, vote};
pub use words::{choice_words, code_words, how_words, status_words, step_line, step_words};

use entity::id::{ApplicationId, GuildId};

/// The name of the form that programs apply with, which no guild's own form has.
pub const BUILT_IN: &str = "http";
/// Most characters of a reason.
pub const REASON_MAX: usize = 1_000;
/// Most characters of a note.
pub const NOTE_MAX: usize = 1_000;
/// Most votes on an application.
pub const VOTES_MAX: usize = 1_000;
/// Most rows of a page.
const PAGE_MAX: u64 = 100;

/// Whether a form of this name would be taken for the built-in one.
pub fn is_built_in(name: &str) -> bool {
    name.trim().eq_ignore_ascii_case(BUILT_IN)
}

/// What events call an application.
fn subject(id: ApplicationId) -> String {
    format!("application/{id}")
}

/// The counter of a guild's applications, or of those of none. Who holds it holds off new ones.
fn counter_name(guild_id: Option<GuildId>) -> String {
    format!("application/{}", guild_id.map_or(0, GuildId::get))
}

/// A text of a person, trimmed; none where nothing is left.
fn text(text: Option<&str>, max: usize, refusal: ApplicationRefusal) -> Result<Option<String>, ApplicationRefusal> {
    let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) else { return Ok(None) };
    if fits(text, max) { Ok(Some(text.to_owned())) } else { Err(refusal) }
}

/// Whether a text is short enough; PostgreSQL keeps every character but one.
fn fits(text: &str, max: usize) -> bool {
    text.chars().count() <= max && !text.contains('\0')
}
