//! What votes decide under a policy: a function of nothing else.

use entity::application_vote::VoteChoice;

use super::{Policy, Quorum, Threshold};

/// One vote, as far as it counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ballot {
    /// What it says.
    pub choice: VoteChoice,
    /// For how many.
    pub weight: u32,
    /// Whether a no of this voter decides alone.
    pub is_veto: bool,
}

/// What votes decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing yet.
    Undecided,
    /// Yes.
    Approved,
    /// No.
    Rejected,
    /// No, by one vote that nothing outweighs.
    Vetoed,
    /// Neither yes nor no: the policy says what becomes of ties.
    Tied,
    /// The vote has ended, and too few have voted.
    NoQuorum,
}

/// Votes, counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// The weight of those who say yes.
    pub approve: u64,
    /// The weight of those who say no.
    pub reject: u64,
    /// Who abstains.
    pub abstain: u64,
    /// Who does not take part.
    pub recuse: u64,
    /// How many have voted, whatever they weigh; who has recused themself has not.
    pub voted: u64,
    /// Somebody has used a veto.
    pub is_vetoed: bool,
}

impl Tally {
    /// Counts.
    pub fn of(votes: &[Ballot]) -> Self {
        let mut tally = Self::default();
        for vote in votes {
            let weight = u64::from(vote.weight);
            match vote.choice {
                VoteChoice::Approve => tally.approve += weight,
                VoteChoice::Reject => {
                    tally.reject += weight;
                    tally.is_vetoed |= vote.is_veto;
                }
                VoteChoice::Abstain => tally.abstain += 1,
                VoteChoice::Recuse => tally.recuse += 1,
            }
            tally.voted += u64::from(vote.choice != VoteChoice::Recuse);
        }
        tally
    }
}

/// How many must vote; none where it is a part of a role that nobody has counted.
pub fn quorum_needed(policy: &Policy, base: Option<u32>) -> Option<u64> {
    match policy.quorum {
        Quorum::Count(count) => Some(u64::from(count)),
        Quorum::Percent { percent, .. } => base.map(|base| (u64::from(base) * u64::from(percent)).div_ceil(100).max(1)),
    }
}

/// What these votes decide. `base` is how many members may vote, where that is known: those of the role of a quorum in
/// percent, else all voters. `closed` says that the vote has ended.
///
/// A veto decides at once. Else nothing is decided before the quorum is met; if the vote ends without, that is
/// [`Outcome::NoQuorum`], also where the quorum is a part of a role that nobody has counted. While the vote goes on and
/// the policy lets it close early, the votes that were given stand, and it is decided as soon as
/// - with a known `base`: no choice of those who have not voted, each of the highest weight, leads elsewhere; a tie
///   when all have voted;
/// - with an unknown `base`: the votes of the quorum decide by themselves, so that the first voters speak for all. A
///   tie waits for the next vote, and a threshold of `n` for `n` votes that say the same.
pub fn outcome(policy: &Policy, votes: &[Ballot], base: Option<u32>, closed: bool) -> Outcome {
    let tally = Tally::of(votes);
    if tally.is_vetoed {
        return Outcome::Vetoed;
    }
    let has_quorum = quorum_needed(policy, base).is_some_and(|needed| tally.voted >= needed);
    if closed {
        return if has_quorum { sides(policy.threshold, tally.approve, tally.reject) } else { Outcome::NoQuorum };
    }
    if !has_quorum || !policy.early_close {
        return Outcome::Undecided;
    }
    match base {
        Some(base) => certain(policy, tally, base),
        None => first_voters(policy.threshold, tally),
    }
}

/// What yes and no decide at the end.
fn sides(threshold: Threshold, approve: u64, reject: u64) -> Outcome {
    let is_enough = match threshold {
        // Nobody has said anything.
        _ if approve + reject == 0 => return Outcome::Tied,
        Threshold::Majority if approve == reject => return Outcome::Tied,
        Threshold::Majority => approve > reject,
        Threshold::TwoThirds => 3 * approve >= 2 * (approve + reject),
        Threshold::Unanimous => reject == 0,
        Threshold::Count(count) => approve >= u64::from(count),
    };
    if is_enough { Outcome::Approved } else { Outcome::Rejected }
}

/// What holds whatever the others vote: more yes only helps a yes and more no only a no, so that both ends suffice.
fn certain(policy: &Policy, tally: Tally, base: u32) -> Outcome {
    let left = u64::from(base).saturating_sub(tally.voted + tally.recuse) * u64::from(policy.weight_max());
    let (worst, best) = (
        sides(policy.threshold, tally.approve, tally.reject + left),
        sides(policy.threshold, tally.approve + left, tally.reject),
    );
    // With nobody who has said yes or no, the others may also all abstain.
    let now = sides(policy.threshold, tally.approve, tally.reject);
    if worst == best && worst == now { worst } else { Outcome::Undecided }
}

fn first_voters(threshold: Threshold, tally: Tally) -> Outcome {
    match (threshold, sides(threshold, tally.approve, tally.reject)) {
        (Threshold::Count(count), Outcome::Rejected) if tally.reject < u64::from(count) => Outcome::Undecided,
        (_, Outcome::Tied) => Outcome::Undecided,
        (_, decided) => decided,
    }
}
