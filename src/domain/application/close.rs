//! Deadlines: what becomes of a vote when its time is over.

use entity::{
    application::{self, ApplicationStatus, DecidedHow, Model},
    id::{ApplicationId, GuildId},
};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde_json::{Value, json};

use super::{
    Outcome, Policy, Tie,
    change::{Change, ballots, base_of, facts, lock, votes_of},
    create::deadline,
    decide::Decision,
    outcome,
    read::policy_of,
};
use crate::{
    domain::{Domain, Error, event::Author},
    id_source::IdSource,
    store::WriteTransaction,
};

/// A vote whose time is over.
#[derive(Clone, Debug)]
pub struct DueVote {
    /// The application.
    pub id: ApplicationId,
    /// Its guild.
    pub guild_id: Option<GuildId>,
    /// The policy. Where its quorum is a part of a role, the role is to be counted before the vote is closed.
    pub policy: Policy,
}

/// At most `limit` votes whose time is over, the longest over first.
pub async fn due(domain: &Domain, limit: u64) -> Result<Vec<DueVote>, Error> {
    let rows = application::Entity::find()
        .filter(application::COLUMN.due_at.lte(domain.now()))
        .order_by_asc(application::COLUMN.due_at)
        .limit(limit)
        .all(domain.store.reader())
        .await?;
    let view = |row: Model| Ok(DueVote { id: row.id, guild_id: row.guild_id, policy: policy_of(&row)? });
    rows.into_iter().map(view).collect()
}

struct Input {
    author: Author,
    ids: IdSource,
    id: ApplicationId,
}

/// Ends a vote whose time is over; says whether it was still to be ended.
pub async fn close(domain: &Domain, id: ApplicationId) -> Result<bool, Error> {
    let input = Input { author: Author::system(domain), ids: domain.ids.clone(), id };
    domain.store.write(input, |txn, input| Box::pin(close_in(txn, input))).await
}

async fn close_in(txn: &WriteTransaction, input: &Input) -> Result<bool, Error> {
    let change = Change { txn, author: &input.author, ids: &input.ids };
    let Some(_) = application::Entity::find_by_id(input.id).one(txn.connection()).await? else { return Ok(false) };
    let mut row = lock(txn, input.id).await?;
    if row.status != ApplicationStatus::Pending || row.due_at.is_none_or(|due| due > change.now()) {
        return Ok(false);
    }
    let policy = policy_of(&row)?;
    let votes = ballots(&votes_of(txn.connection(), row.id).await?);
    let how = DecidedHow::Deadline;
    let (status, how) = match outcome(&policy, &votes, base_of(&row), true) {
        Outcome::Approved if change.is_full(&row, &policy).await? => (ApplicationStatus::Expired, how),
        Outcome::Approved => (ApplicationStatus::Approved, how),
        Outcome::Vetoed => (ApplicationStatus::Rejected, DecidedHow::Veto),
        Outcome::Rejected => (ApplicationStatus::Rejected, how),
        Outcome::NoQuorum | Outcome::Undecided => (ApplicationStatus::Expired, how),
        Outcome::Tied => match policy.tie {
            Tie::Extend if !row.is_extended => return extend(change, row, &policy).await,
            Tie::Owner => return leave(change, row).await,
            Tie::Reject | Tie::Extend => (ApplicationStatus::Rejected, how),
        },
    };
    change.decide(&mut row, &policy, Decision { status, how, reason: None }).await?;
    Ok(true)
}

async fn extend(change: Change<'_>, mut row: Model, policy: &Policy) -> Result<bool, Error> {
    row.is_extended = true;
    row.deadline_at = deadline(policy, change.now());
    row.due_at = row.deadline_at;
    change.save(&mut row, ApplicationStatus::Pending).await?;
    let mut after = facts(&row);
    after["deadline_at"] = json!(row.deadline_at);
    change.tell("application.extended", &row, (Value::Null, after)).await?;
    Ok(true)
}

async fn leave(change: Change<'_>, mut row: Model) -> Result<bool, Error> {
    Change::leave_to_owner(&mut row);
    change.save(&mut row, ApplicationStatus::Pending).await?;
    change.tell("application.tied", &row, (Value::Null, facts(&row))).await?;
    Ok(true)
}

/// Notes how many may vote on an open application, as Discord counts the role of its quorum, or of its voters.
pub async fn note_voters(domain: &Domain, id: ApplicationId, count: u32) -> Result<(), Error> {
    let count = i32::try_from(count).unwrap_or(i32::MAX);
    domain
        .store
        .write((id, count), |txn, (id, count)| {
            Box::pin(async move {
                let counted = application::ActiveModel { voters_count: Set(Some(*count)), ..Default::default() };
                application::Entity::update_many()
                    .set(counted)
                    .filter(application::COLUMN.id.eq(*id))
                    .filter(application::Column::Status.eq(ApplicationStatus::Pending))
                    .exec(txn.connection())
                    .await?;
                Ok::<_, Error>(())
            })
        })
        .await
}
