//! What every change of an application is made of, inside a transaction.
//!
//! Invariant: rows that are handed in are locked, and are as the store has them; they are written back by `save`.

use chrono::{DateTime, Utc};
use entity::{
    application::{self, ApplicationStatus, Model},
    application_vote,
    id::ApplicationId,
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
};
use serde_json::{Value, json};

use super::{ApplicationRefusal, Ballot, VOTES_MAX, subject};
use crate::{
    domain::{
        Error,
        event::{Author, spelled},
    },
    id_source::IdSource,
    store::WriteTransaction,
};

/// A transaction that changes applications, and who does it.
#[derive(Clone, Copy)]
pub(super) struct Change<'a> {
    pub(super) txn: &'a WriteTransaction,
    pub(super) author: &'a Author,
    pub(super) ids: &'a IdSource,
}

/// The application, held until the transaction ends.
pub(super) async fn lock(txn: &WriteTransaction, id: ApplicationId) -> Result<Model, Error> {
    let found = application::Entity::find_by_id(id).lock_exclusive().one(txn.connection()).await?;
    Ok(found.ok_or(ApplicationRefusal::NotFound)?)
}

/// Refuses unless it is open.
pub(super) fn require_pending(row: &Model) -> Result<(), ApplicationRefusal> {
    let status = row.status;
    if status == ApplicationStatus::Pending { Ok(()) } else { Err(ApplicationRefusal::NotPending { status }) }
}

/// Its votes, the oldest first.
pub(super) async fn votes_of(
    connection: &impl ConnectionTrait,
    id: ApplicationId,
) -> Result<Vec<application_vote::Model>, DbErr> {
    application_vote::Entity::find()
        .filter(application_vote::COLUMN.application_id.eq(id))
        .order_by_asc(application_vote::COLUMN.created_at)
        .order_by_asc(application_vote::COLUMN.id)
        .limit(VOTES_MAX as u64)
        .all(connection)
        .await
}

/// Votes, as far as they count.
pub(super) fn ballots(votes: &[application_vote::Model]) -> Vec<Ballot> {
    let ballot = |vote: &application_vote::Model| Ballot {
        choice: vote.choice,
        weight: u32::try_from(vote.weight).unwrap_or(0),
        is_veto: vote.is_veto,
    };
    votes.iter().map(ballot).collect()
}

/// How many may vote, as a policy reads it.
pub(super) fn base_of(row: &Model) -> Option<u32> {
    row.voters_count.and_then(|count| u32::try_from(count).ok())
}

/// What events tell of an application: no word of what anybody wrote.
pub(super) fn facts(row: &Model) -> Value {
    json!({ "number": row.number, "form_id": row.form_id, "status": spelled(row.status) })
}

impl Change<'_> {
    pub(super) fn now(&self) -> DateTime<Utc> {
        self.author.at()
    }

    /// Writes what may have changed, while the application stands as it did; the post is to show it.
    pub(super) async fn save(&self, row: &mut Model, was: ApplicationStatus) -> Result<(), DbErr> {
        row.updated_at = self.now();
        row.revision += 1;
        row.post_due_at = row.guild_id.map(|_| self.now());
        row.post_attempts = 0;
        let changed = application::ActiveModel {
            message_id: Set(row.message_id.clone()),
            answers: Set(row.answers.clone()),
            status: Set(row.status),
            deadline_at: Set(row.deadline_at),
            is_extended: Set(row.is_extended),
            waits_for_owner: Set(row.waits_for_owner),
            due_at: Set(row.due_at),
            decision: Set(row.decision),
            decided_at: Set(row.decided_at),
            decided_by: Set(row.decided_by.clone()),
            decided_how: Set(row.decided_how),
            reason: Set(row.reason.clone()),
            revision: Set(row.revision),
            post_due_at: Set(row.post_due_at),
            post_attempts: Set(row.post_attempts),
            updated_at: Set(row.updated_at),
            ..Default::default()
        };
        let written = application::Entity::update_many()
            .set(changed)
            .filter(application::COLUMN.id.eq(row.id))
            .filter(application::Column::Status.eq(was))
            .exec(self.txn.connection())
            .await?;
        if written.rows_affected == 1 { Ok(()) } else { Err(DbErr::RecordNotUpdated) }
    }

    pub(super) async fn tell(&self, kind: &'static str, row: &Model, change: (Value, Value)) -> Result<(), Error> {
        Ok(self.txn.append_event(self.author.event(kind, row.guild_id, subject(row.id), change)).await?)
    }
}
