//! Working out again what votes have decided.

use entity::{
    application::{self, ApplicationStatus, DecidedHow, Model},
    id::ApplicationId,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait};

use super::{
    Outcome,
    change::{ballots, base_of, votes_of},
    outcome,
    read::policy_of,
};
use crate::domain::{Domain, Error};

/// Applications of one look.
const PAGE: u64 = 200;

/// An application that was decided otherwise than its votes say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// It.
    pub id: ApplicationId,
    /// Its number.
    pub number: i64,
    /// How it stands.
    pub status: ApplicationStatus,
    /// What its votes say; none where its policy or a vote cannot be read.
    pub outcome: Option<Outcome>,
}

/// What a recount has found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recount {
    /// How many were looked at.
    pub checked: u64,
    /// Those that were decided otherwise.
    pub mismatches: Vec<Mismatch>,
    /// There are more than were looked at.
    pub more: bool,
}

/// Works out again, from votes and policy, what became of the newest `limit` applications that votes have decided.
pub async fn recount(domain: &Domain, limit: u64) -> Result<Recount, Error> {
    let mut found = Recount::default();
    let mut after = None::<ApplicationId>;
    loop {
        let rows = by_vote(domain, after).await?;
        let is_last = (rows.len() as u64) < PAGE;
        for row in &rows {
            if found.checked == limit {
                return Ok(Recount { more: true, ..found });
            }
            found.checked += 1;
            if let Some(mismatch) = check(domain, row).await? {
                found.mismatches.push(mismatch);
            }
        }
        after = rows.last().map(|row| row.id);
        if is_last {
            return Ok(found);
        }
    }
}

/// Ids grow with time, so that they are the order.
async fn by_vote(domain: &Domain, after: Option<ApplicationId>) -> Result<Vec<Model>, Error> {
    let by_vote = [DecidedHow::Vote, DecidedHow::Deadline, DecidedHow::Veto];
    Ok(application::Entity::find()
        .filter(application::Column::DecidedHow.is_in(by_vote))
        .apply_if(after, |rows, id| rows.filter(application::COLUMN.id.lt(id)))
        .order_by_desc(application::COLUMN.id)
        .limit(PAGE)
        .all(domain.store.reader())
        .await?)
}

async fn check(domain: &Domain, row: &Model) -> Result<Option<Mismatch>, Error> {
    let mismatch = |outcome| Some(Mismatch { id: row.id, number: row.number, status: row.status, outcome });
    let Ok(policy) = policy_of(row) else { return Ok(mismatch(None)) };
    let votes = ballots(&votes_of(domain.store.reader(), row.id).await?);
    let is_closed = row.decided_how == Some(DecidedHow::Deadline);
    let outcome = outcome(&policy, &votes, base_of(row), is_closed);
    let agrees = match outcome {
        // A form that had accepted enough let it expire.
        Outcome::Approved if policy.accept_limit.is_some() && row.status == ApplicationStatus::Expired => is_closed,
        Outcome::Approved => row.status == ApplicationStatus::Approved,
        Outcome::Rejected | Outcome::Tied | Outcome::Vetoed => row.status == ApplicationStatus::Rejected,
        Outcome::NoQuorum => row.status == ApplicationStatus::Expired,
        Outcome::Undecided => false,
    };
    Ok(if agrees { None } else { mismatch(Some(outcome)) })
}
