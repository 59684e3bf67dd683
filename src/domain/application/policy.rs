//! How applications are decided, as data: who may vote, how many must, what is enough, and what follows.
//!
//! Invariant: an application keeps the policy that held when it came, so that its outcome can be worked out again.

mod outcome;
#[cfg(test)]
mod tests;

use std::ops::RangeInclusive;

use entity::id::{DiscordUserId, RoleId};
use serde::{Deserialize, Serialize};

use super::ApplicationRefusal;

pub use outcome::{Ballot, Outcome, Tally, outcome, quorum_needed};

/// The way in which policies are spelled now.
pub const VERSION: u8 = 1;
/// Most roles of a list.
pub const ROLES_MAX: usize = 25;
/// Most members who are named as voters.
pub const MEMBERS_MAX: usize = 100;
/// Longest time of a vote, in hours.
pub const DEADLINE_HOURS_MAX: u32 = 24 * 90;
/// Votes that a quorum or a threshold can ask for.
pub const COUNT: RangeInclusive<u32> = 1..=100;
/// For how many a vote can count.
pub const WEIGHT: RangeInclusive<u32> = 1..=100;
/// Most applications that a form can accept.
pub const ACCEPT_LIMIT_MAX: u32 = 1_000_000;

/// How many must have voted. Who abstains has voted; who recuses themself has not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quorum {
    /// So many.
    Count(u32),
    /// So many of a hundred members with this role, rounded up.
    Percent {
        /// The role.
        role: RoleId,
        /// How many of a hundred.
        percent: u8,
    },
}

/// How many of those who say yes or no must say yes. Who abstains is none of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Threshold {
    /// More than half; half is a tie.
    Majority,
    /// Two thirds.
    TwoThirds,
    /// All.
    Unanimous,
    /// So many, however many say no.
    Count(u32),
}

/// What becomes of a vote that says neither yes nor no.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tie {
    /// It is a no.
    Reject,
    /// The vote goes on for the same time, once; then it is a no.
    Extend,
    /// Whoever may decide in spite of votes decides.
    Owner,
}

/// Which votes need a reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reasons {
    /// None.
    None,
    /// A no.
    Rejection,
    /// Yes and no.
    Always,
}

/// What becomes of the application of somebody who leaves the guild.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnLeave {
    /// Nothing.
    Nothing,
    /// It is turned down.
    Reject,
    /// It counts as taken back, by its own state `left`.
    Withdraw,
}

/// Whether who is accepted and is not in the guild receives an invite.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Invite {
    /// No.
    #[default]
    None,
    /// One that is good for them only.
    Targeted,
}

/// Who may vote. With neither roles nor members named, it is who has the guild's role of voters or of reviewers, or
/// manages the guild.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Voters {
    /// Those with one of these roles.
    pub roles: Vec<RoleId>,
    /// And these.
    pub members: Vec<DiscordUserId>,
}

impl Voters {
    /// Whether nobody is named, so that the guild's own roles say who may vote.
    pub fn is_empty(&self) -> bool {
        self.roles.is_empty() && self.members.is_empty()
    }
}

/// What follows when an application is approved.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FollowUp {
    /// Roles that the applicant receives.
    pub roles_add: Vec<RoleId>,
    /// Roles that the applicant loses.
    pub roles_remove: Vec<RoleId>,
    /// Whether who is not in the guild receives an invite.
    pub invite: Invite,
}

/// How applications are decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// The way in which it is spelled.
    pub version: u8,
    /// How many must have voted.
    pub quorum: Quorum,
    /// How many must say yes.
    pub threshold: Threshold,
    /// What becomes of a tie.
    pub tie: Tie,
    /// How long the vote lasts; none ends with the vote that decides.
    pub deadline_hours: Option<u32>,
    /// Whether the vote ends as soon as it is decided.
    pub early_close: bool,
    /// Whether counts are hidden until it is decided.
    pub blind: bool,
    /// Which votes need a reason.
    pub reasons: Reasons,
    /// Who may vote.
    pub voters: Voters,
    /// Who may decide in spite of votes, beside those who manage the guild.
    pub override_roles: Vec<RoleId>,
    /// Whose no decides alone.
    pub veto_role: Option<RoleId>,
    /// For how many the votes of roles count; the highest one of a member. Others count once.
    pub weights: Vec<(RoleId, u32)>,
    /// What becomes of the application of somebody who leaves.
    pub on_leave: OnLeave,
    /// How many applications the form accepts; none is no limit.
    pub accept_limit: Option<u32>,
    /// What follows when an application is approved.
    pub follow_up: FollowUp,
}

impl Default for Policy {
    /// That of a form for which nobody has said anything.
    fn default() -> Self {
        Self {
            version: VERSION,
            quorum: Quorum::Count(3),
            threshold: Threshold::Majority,
            tie: Tie::Reject,
            deadline_hours: Some(72),
            early_close: true,
            blind: false,
            reasons: Reasons::None,
            voters: Voters::default(),
            override_roles: Vec::new(),
            veto_role: None,
            weights: Vec::new(),
            on_leave: OnLeave::Nothing,
            accept_limit: None,
            follow_up: FollowUp::default(),
        }
    }
}

impl Policy {
    /// The same, if it is in bounds and can decide.
    pub fn checked(self) -> Result<Self, ApplicationRefusal> {
        let refuse = |pointer, bounds| Err(ApplicationRefusal::BadPolicy { pointer, bounds });
        if self.version != VERSION {
            return refuse("/version", "1");
        }
        match self.quorum {
            Quorum::Count(count) if !COUNT.contains(&count) => return refuse("/quorum", "1 to 100 votes"),
            Quorum::Percent { percent, .. } if !(1..=100).contains(&percent) => {
                return refuse("/quorum", "1 to 100 percent of a role");
            }
            _ => {}
        }
        if matches!(self.threshold, Threshold::Count(count) if !COUNT.contains(&count)) {
            return refuse("/threshold", "majority, two thirds, unanimous, or 1 to 100 votes");
        }
        if self.deadline_hours.is_some_and(|hours| !(1..=DEADLINE_HOURS_MAX).contains(&hours)) {
            return refuse("/deadline_hours", "1 hour to 90 days");
        }
        if self.deadline_hours.is_none() && (!self.early_close || self.tie == Tie::Extend) {
            return refuse("/deadline_hours", "set, where votes do not end early or ties go on for the same time");
        }
        if self.accept_limit.is_some_and(|limit| !(1..=ACCEPT_LIMIT_MAX).contains(&limit)) {
            return refuse("/accept_limit", "1 to 1000000");
        }
        for (pointer, roles) in [
            ("/voters/roles", &self.voters.roles),
            ("/override_roles", &self.override_roles),
            ("/follow_up/roles_add", &self.follow_up.roles_add),
            ("/follow_up/roles_remove", &self.follow_up.roles_remove),
        ] {
            if !are_few_and_different(roles, ROLES_MAX) {
                return refuse(pointer, "at most 25 roles, each once");
            }
        }
        if !are_few_and_different(&self.voters.members, MEMBERS_MAX) {
            return refuse("/voters/members", "at most 100 members, each once");
        }
        let weighed: Vec<_> = self.weights.iter().map(|(role, _)| *role).collect();
        let in_bounds = self.weights.iter().all(|(_, weight)| WEIGHT.contains(weight));
        if !in_bounds || !are_few_and_different(&weighed, ROLES_MAX) {
            return refuse("/weights", "at most 25 roles, each once, with 1 to 100 votes");
        }
        if self.follow_up.roles_add.iter().any(|role| self.follow_up.roles_remove.contains(role)) {
            return refuse("/follow_up/roles_remove", "other roles than those that are added");
        }
        Ok(self)
    }

    /// For how many a member with these roles counts.
    pub fn weight_of(&self, roles: &[RoleId]) -> u32 {
        let own = self.weights.iter().filter(|(role, _)| roles.contains(role));
        own.map(|(_, weight)| *weight).max().unwrap_or(1)
    }

    /// For how many a voter can count at most.
    fn weight_max(&self) -> u32 {
        self.weights.iter().map(|(_, weight)| *weight).max().unwrap_or(1).max(1)
    }
}

fn are_few_and_different<T: Ord + Copy>(values: &[T], max: usize) -> bool {
    let different: std::collections::BTreeSet<T> = values.iter().copied().collect();
    values.len() <= max && different.len() == values.len()
}
