//! Voting: one vote for each voter, the last one counts, and the vote that meets the policy decides.

use entity::{
    application::{ApplicationStatus, DecidedHow, Model},
    application_vote::{self, VoteChoice},
    id::{ApplicationId, ApplicationVoteId},
};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter};
use serde_json::{Value, json};

use super::{
    ApplicationRefusal, Outcome, Policy, REASON_MAX, Reasons, Tie, VOTES_MAX,
    change::{Change, ballots, base_of, lock, require_pending, votes_of},
    decide::Decision,
    fits, outcome,
    read::policy_of,
    text,
    voter::Voter,
};
use crate::{
    domain::{
        Actor, Domain, Error, Right,
        event::{Author, spelled},
    },
    id_source::IdSource,
    store::WriteTransaction,
};

/// Longest name that a program gives a voter.
const NAME_MAX: usize = 100;

/// A vote to be given.
#[derive(Clone, Debug)]
pub struct NewVote {
    /// Who votes, where a program says it; else whoever acts.
    pub voter: Option<String>,
    /// How a program says they are called.
    pub voter_name: Option<String>,
    /// What it says.
    pub choice: VoteChoice,
    /// Why.
    pub reason: Option<String>,
}

impl NewVote {
    /// The vote of whoever acts.
    pub fn own(choice: VoteChoice, reason: Option<String>) -> Self {
        Self { voter: None, voter_name: None, choice, reason }
    }
}

/// What became of a vote.
#[derive(Clone, Debug)]
pub struct Voted {
    /// It.
    pub vote: application_vote::Model,
    /// The application, as it stands now.
    pub application: Model,
    /// Whether it says something else than before.
    pub is_changed: bool,
    /// Whether this vote has decided.
    pub has_decided: bool,
}

struct Input {
    author: Author,
    ids: IdSource,
    actor: Actor,
    id: ApplicationId,
    new: NewVote,
}

/// Votes, or votes otherwise than before. The vote that meets the policy decides in the same transaction.
pub async fn vote(domain: &Domain, actor: &Actor, id: ApplicationId, new: NewVote) -> Result<Voted, Error> {
    // Members whom a policy names need no right of the guild: that is seen on the application.
    if !matches!(actor, Actor::Member(_)) {
        actor.require_somewhere(Right::VoteApplications)?;
    }
    let reason = text(new.reason.as_deref(), REASON_MAX, ApplicationRefusal::BadReason)?;
    if new.voter_name.as_ref().is_some_and(|name| !fits(name, NAME_MAX)) {
        return Err(ApplicationRefusal::BadVoterName.into());
    }
    let new = NewVote { reason, ..new };
    let input = Input { author: Author::new(domain, actor), ids: domain.ids.clone(), actor: actor.clone(), id, new };
    domain.store.write(input, |txn, input| Box::pin(vote_in(txn, input))).await
}

async fn vote_in(txn: &WriteTransaction, input: &Input) -> Result<Voted, Error> {
    let change = Change { txn, author: &input.author, ids: &input.ids };
    let mut row = lock(txn, input.id).await?;
    if matches!(input.actor, Actor::Key(_)) && !input.actor.may(Right::VoteApplications, row.guild_id) {
        return Err(ApplicationRefusal::NotFound.into());
    }
    let policy = policy_of(&row)?;
    let caller = Voter::of(txn.connection(), &input.actor, input.new.voter.as_deref()).await?;
    caller.require(&input.actor, &row, &policy)?;
    if caller.applies(&row) {
        return Err(ApplicationRefusal::OwnApplication.into());
    }
    require_pending(&row)?;
    if row.is_tied {
        return Err(ApplicationRefusal::WaitsForOwner.into());
    }
    require_reason(&policy, &input.new)?;
    let mut votes = votes_of(txn.connection(), row.id).await?;
    let (at, is_changed) = store(change, &mut votes, &caller, input, &policy).await?;
    let mut has_decided = false;
    if is_changed {
        has_decided = count(change, &mut row, &policy, &votes).await?;
        if !has_decided {
            change.save(&mut row, ApplicationStatus::Pending).await?;
        }
        tell(change, &row, &policy, &votes[at]).await?;
    }
    Ok(Voted { vote: votes.swap_remove(at), application: row, is_changed, has_decided })
}

fn require_reason(policy: &Policy, new: &NewVote) -> Result<(), ApplicationRefusal> {
    let is_needed = match policy.reasons {
        Reasons::None => false,
        Reasons::Rejection => new.choice == VoteChoice::Reject,
        Reasons::Always => matches!(new.choice, VoteChoice::Approve | VoteChoice::Reject),
    };
    if is_needed && new.reason.is_none() { Err(ApplicationRefusal::ReasonNeeded) } else { Ok(()) }
}

/// Keeps the vote among the others; says where it is, and whether it says something new.
async fn store(
    change: Change<'_>,
    votes: &mut Vec<application_vote::Model>,
    caller: &Voter,
    input: &Input,
    policy: &Policy,
) -> Result<(usize, bool), Error> {
    let (new, now) = (&input.new, change.now());
    let (weight, is_veto) = match &input.actor {
        Actor::Member(member) => {
            let is_veto = policy.veto_role.is_some_and(|role| member.roles.contains(&role));
            (policy.weight_of(&member.roles), is_veto)
        }
        _ => (1, false),
    };
    let weight = i32::try_from(weight).unwrap_or(i32::MAX);
    let Some(at) = votes.iter().position(|vote| caller.is_called(&vote.voter)) else {
        if votes.len() >= VOTES_MAX {
            return Err(ApplicationRefusal::TooManyVotes.into());
        }
        let row = application_vote::Model {
            id: ApplicationVoteId(change.ids.uuid()),
            application_id: input.id,
            voter: caller.name.clone(),
            voter_name: new.voter_name.clone(),
            choice: new.choice,
            weight,
            is_veto,
            reason: new.reason.clone(),
            created_at: now,
            changed_at: now,
        };
        let insert = application_vote::Entity::insert(row.clone().into_active_model());
        insert.exec_without_returning(change.txn.connection()).await?;
        votes.push(row);
        return Ok((votes.len() - 1, true));
    };
    let vote = &mut votes[at];
    let before = vote.clone();
    vote.choice = new.choice;
    vote.weight = weight;
    vote.is_veto = is_veto;
    vote.reason.clone_from(&new.reason);
    vote.voter_name = new.voter_name.clone().or_else(|| vote.voter_name.take());
    if *vote == before {
        return Ok((at, false));
    }
    vote.changed_at = now;
    let changed = application_vote::ActiveModel {
        voter_name: Set(vote.voter_name.clone()),
        choice: Set(vote.choice),
        weight: Set(vote.weight),
        is_veto: Set(vote.is_veto),
        reason: Set(vote.reason.clone()),
        changed_at: Set(now),
        ..Default::default()
    };
    application_vote::Entity::update_many()
        .set(changed)
        .filter(application_vote::COLUMN.id.eq(vote.id))
        .exec(change.txn.connection())
        .await?;
    Ok((at, true))
}

/// Decides, if these votes do; says whether they did.
async fn count(
    change: Change<'_>,
    row: &mut Model,
    policy: &Policy,
    votes: &[application_vote::Model],
) -> Result<bool, Error> {
    let (status, how) = match outcome(policy, &ballots(votes), base_of(row), false) {
        Outcome::Approved => (ApplicationStatus::Approved, DecidedHow::Vote),
        Outcome::Rejected => (ApplicationStatus::Rejected, DecidedHow::Vote),
        Outcome::Vetoed => (ApplicationStatus::Rejected, DecidedHow::Veto),
        Outcome::Tied if policy.tie == Tie::Reject => (ApplicationStatus::Rejected, DecidedHow::Vote),
        Outcome::Tied if policy.tie == Tie::Owner => {
            Change::leave_to_owner(row);
            return Ok(false);
        }
        Outcome::Undecided | Outcome::Tied | Outcome::NoQuorum => return Ok(false),
    };
    // A form that has accepted as many as it may waits for its deadline, or for whoever changes that.
    if status == ApplicationStatus::Approved && change.is_full(row, policy).await? {
        return Ok(false);
    }
    change.decide(row, policy, Decision { status, how, reason: None }).await?;
    Ok(true)
}

async fn tell(change: Change<'_>, row: &Model, policy: &Policy, vote: &application_vote::Model) -> Result<(), Error> {
    // A vote that is hidden is hidden in the log as well.
    let choice = (!policy.blind).then(|| spelled(vote.choice));
    let after = json!({ "number": row.number, "vote_id": vote.id, "choice": choice });
    change.tell("application.voted", row, (Value::Null, after)).await
}
