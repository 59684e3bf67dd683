//! Opening a decided application again, and undoing what its decision has done.

use entity::{
    application::{ApplicationStatus, Model},
    application_step::{self, StepKind, StepState},
    id::ApplicationId,
};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter};
use serde_json::json;

use super::{
    ApplicationRefusal, REASON_MAX,
    change::{Change, facts, lock},
    create::deadline,
    decide::require_or_hide,
    read::policy_of,
    step::steps_of,
    text,
    voter::has_one_of,
};
use crate::{
    domain::{Actor, Domain, Error, Right, event::Author},
    id_source::IdSource,
    store::WriteTransaction,
};

struct Input {
    author: Author,
    ids: IdSource,
    actor: Actor,
    id: ApplicationId,
    reason: Option<String>,
}

/// Opens a decided application again. The votes stay and may be changed; the next one that changes something is
/// counted. Roles that the decision gave or took are put back; what it had not done yet is not done any more.
pub async fn reopen(domain: &Domain, actor: &Actor, id: ApplicationId, reason: Option<String>) -> Result<Model, Error> {
    if !matches!(actor, Actor::Member(_)) {
        actor.require_somewhere(Right::DecideApplications)?;
    }
    let reason = text(reason.as_deref(), REASON_MAX, ApplicationRefusal::BadReason)?;
    let author = Author::new(domain, actor);
    let input = Input { author, ids: domain.ids.clone(), actor: actor.clone(), id, reason };
    domain.store.write(input, |txn, input| Box::pin(reopen_in(txn, input))).await
}

async fn reopen_in(txn: &WriteTransaction, input: &Input) -> Result<Model, Error> {
    let change = Change { txn, author: &input.author, ids: &input.ids };
    let mut row = lock(txn, input.id).await?;
    let policy = policy_of(&row)?;
    match &input.actor {
        Actor::Member(member)
            if Some(member.guild_id) == row.guild_id && has_one_of(member, &policy.override_roles) => {}
        actor => require_or_hide(actor, Right::DecideApplications, &row)?,
    }
    let was = row.status;
    if was == ApplicationStatus::Pending {
        return Err(ApplicationRefusal::StillPending.into());
    }
    let before = facts(&row);
    row.status = ApplicationStatus::Pending;
    row.decided_at = None;
    row.decided_by = None;
    row.decided_how = None;
    row.reason = None;
    row.is_extended = false;
    row.waits_for_owner = false;
    row.deadline_at = deadline(&policy, change.now());
    row.due_at = row.deadline_at;
    change.save(&mut row, was).await?;
    undo(change, &row).await?;
    if let Some(text) = &input.reason {
        super::note::add_in(change, row.id, text).await?;
    }
    let mut after = facts(&row);
    after["decision"] = json!(row.decision);
    change.tell("application.reopened", &row, (before, after)).await?;
    Ok(row)
}

async fn undo(change: Change<'_>, row: &Model) -> Result<(), Error> {
    let connection = change.txn.connection();
    let mut steps = steps_of(connection, row.id).await?;
    steps.retain(|step| step.decision == row.decision);
    let given_up = application_step::ActiveModel {
        state: Set(StepState::Skipped),
        due_at: Set(None),
        leased_until: Set(None),
        last_code: Set(Some("reopened".to_owned())),
        settled_at: Set(Some(change.now())),
        ..Default::default()
    };
    application_step::Entity::update_many()
        .set(given_up)
        .filter(application_step::COLUMN.application_id.eq(row.id))
        .filter(application_step::Column::State.is_in([StepState::Waiting, StepState::Failed]))
        .exec(connection)
        .await?;
    // One that a worker holds in this moment may have been done.
    let may_be_done = |step: &&application_step::Model| {
        step.state == StepState::Done || step.state == StepState::Waiting && step.leased_until.is_some()
    };
    let opposite = |step: &application_step::Model| {
        let kind = match step.kind {
            StepKind::RoleAdd => StepKind::RoleRemove,
            StepKind::RoleRemove => StepKind::RoleAdd,
            StepKind::ThreadLock => StepKind::ThreadUnlock,
            _ => return None,
        };
        Some((kind, step.argument.clone()))
    };
    let opposites: Vec<_> = steps.iter().filter(may_be_done).filter_map(opposite).collect();
    change.add_steps(row, &opposites).await
}
