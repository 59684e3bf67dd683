//! What follows a decision: rows that commit with it, each carried out by a worker, tried again, or given up visibly.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use entity::{
    application::{self, Model},
    application_step::{self, StepKind, StepState},
    id::{ApplicationId, ApplicationStepId},
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, Condition, EntityTrait, ExprTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    sea_query::{Expr, LockBehavior, LockType},
};
use serde_json::{Value, json};

use super::{
    ApplicationRefusal,
    change::{Change, lock},
    decide::require_or_hide,
    read::get,
};
use crate::{
    domain::{
        Actor, Domain, Error, Right,
        announcement::pause,
        event::{Author, spelled},
    },
    id_source::IdSource,
    store::WriteTransaction,
};

/// How long a claimed step belongs to its claimer.
const LEASE: TimeDelta = TimeDelta::seconds(60);
/// Most tries before a step waits for somebody who asks for it.
const ATTEMPTS_MAX: i32 = 8;
/// Longest code that is kept.
const CODE_MAX: usize = 64;
/// Most steps of one application that are shown.
const STEPS_MAX: u64 = 200;

impl Change<'_> {
    /// Adds what follows the application's present decision; what is there already is not added twice.
    pub(super) async fn add_steps(&self, row: &Model, steps: &[(StepKind, String)]) -> Result<(), Error> {
        use application_step::Column as C;
        if steps.is_empty() {
            return Ok(());
        }
        let now = self.now();
        let step = |(kind, argument): &(StepKind, String)| application_step::Model {
            id: ApplicationStepId(self.ids.uuid()),
            application_id: row.id,
            decision: row.decision,
            kind: *kind,
            argument: argument.clone(),
            state: StepState::Waiting,
            attempts: 0,
            due_at: Some(now),
            leased_until: None,
            last_code: None,
            created_at: now,
            settled_at: None,
        };
        application_step::Entity::insert_many(steps.iter().map(step).map(IntoActiveModel::into_active_model))
            .on_conflict_do_nothing_on([C::ApplicationId, C::Decision, C::Kind, C::Argument])
            .exec_without_returning(self.txn.connection())
            .await?;
        Ok(())
    }
}

/// A step to be carried out, with its application.
#[derive(Clone, Debug)]
pub struct ClaimedStep {
    /// It.
    pub step: application_step::Model,
    /// The application.
    pub application: Model,
}

/// Takes at most `limit` due steps for a minute; a claimer that dies loses them to the next one.
pub async fn claim_steps(domain: &Domain, limit: u64) -> Result<Vec<ClaimedStep>, Error> {
    let now = domain.now();
    let reader = domain.store.reader();
    let waiting = application_step::Entity::find().filter(claimable(now)).limit(1).one(reader).await?;
    if waiting.is_none() {
        return Ok(Vec::new());
    }
    domain.store.write((now, limit), |txn, (now, limit)| Box::pin(claim_in(txn, *now, *limit))).await
}

async fn claim_in(txn: &WriteTransaction, now: DateTime<Utc>, limit: u64) -> Result<Vec<ClaimedStep>, Error> {
    use application_step::{COLUMN, Column, Entity};
    let due = Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(claimable(now))
        .order_by_asc(COLUMN.due_at)
        .order_by_asc(COLUMN.id)
        .limit(limit)
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
        .into_query();
    let mut steps = Entity::update_many()
        .col_expr(Column::LeasedUntil, Expr::value(now + LEASE))
        .col_expr(Column::Attempts, Expr::col(Column::Attempts).add(1))
        .filter(Column::Id.in_subquery(due))
        .filter(claimable(now))
        .exec_with_returning(txn.connection())
        .await?;
    steps.sort_by_key(|step| (step.due_at, step.kind, step.id));
    let of_steps = application::Column::Id.is_in(steps.iter().map(|step| step.application_id.0));
    let rows = application::Entity::find().filter(of_steps).all(txn.connection()).await?;
    let with_row = |step: application_step::Model| {
        let application = rows.iter().find(|row| row.id == step.application_id)?.clone();
        Some(ClaimedStep { step, application })
    };
    Ok(steps.into_iter().filter_map(with_row).collect())
}

/// Due, and held by nobody.
fn claimable(now: DateTime<Utc>) -> Condition {
    use application_step::COLUMN;
    Condition::all()
        .add(COLUMN.due_at.lte(now))
        .add(Condition::any().add(COLUMN.leased_until.is_null()).add(COLUMN.leased_until.lte(now)))
}

/// What became of a claimed step.
#[derive(Clone, Debug)]
pub enum StepOutcome {
    /// It was done.
    Done,
    /// There was nothing to do, for the reason that a short code says.
    Skipped {
        /// The code.
        code: String,
    },
    /// It was not done.
    Failed {
        /// A short code, such as `50013`.
        code: String,
        /// Discord's own wish, which lengthens our pause.
        retry_in: Option<Duration>,
        /// Trying again by ourselves helps nobody: a closed direct message, a role above ours.
        is_final: bool,
    },
}

struct Settle {
    author: Author,
    ids: IdSource,
    id: ApplicationStepId,
    outcome: StepOutcome,
}

/// Records what became of a claimed step; says whether it was still waiting.
pub async fn settle_step(domain: &Domain, id: ApplicationStepId, outcome: StepOutcome) -> Result<bool, Error> {
    let input = Settle { author: Author::system(domain), ids: domain.ids.clone(), id, outcome };
    domain.store.write(input, |txn, input| Box::pin(settle_in(txn, input))).await
}

async fn settle_in(txn: &WriteTransaction, input: &Settle) -> Result<bool, Error> {
    let change = Change { txn, author: &input.author, ids: &input.ids };
    let Some(step) = application_step::Entity::find_by_id(input.id).one(txn.connection()).await? else {
        return Ok(false);
    };
    let now = change.now();
    let (state, code, due_at) = match &input.outcome {
        StepOutcome::Done => (StepState::Done, None, None),
        StepOutcome::Skipped { code } => (StepState::Skipped, Some(code), None),
        StepOutcome::Failed { code, retry_in, is_final } if !is_final && step.attempts < ATTEMPTS_MAX => {
            (StepState::Waiting, Some(code), Some(now + pause(step.attempts, *retry_in)))
        }
        StepOutcome::Failed { code, .. } => (StepState::Failed, Some(code), None),
    };
    let settled = application_step::ActiveModel {
        state: Set(state),
        due_at: Set(due_at),
        leased_until: Set(None),
        last_code: Set(code.map(|code| code.chars().take(CODE_MAX).collect())),
        settled_at: Set(due_at.is_none().then_some(now)),
        ..Default::default()
    };
    let written = application_step::Entity::update_many()
        .set(settled)
        .filter(application_step::COLUMN.id.eq(input.id))
        .filter(application_step::Column::State.eq(StepState::Waiting))
        .exec(txn.connection())
        .await?;
    if written.rows_affected == 0 {
        return Ok(false);
    }
    show(change, &step, state).await?;
    Ok(true)
}

/// Lets the post show how the step stands, and tells of one that was given up.
async fn show(change: Change<'_>, step: &application_step::Model, state: StepState) -> Result<(), Error> {
    let mut row = lock(change.txn, step.application_id).await?;
    let was = row.status;
    change.save(&mut row, was).await?;
    let kind = match state {
        StepState::Failed => "application.step_failed",
        StepState::Skipped => "application.step_skipped",
        StepState::Done => "application.step_done",
        StepState::Waiting => "application.step_waits",
    };
    let after = json!({ "number": row.number, "decision": step.decision, "step": spelled(step.kind) });
    change.tell(kind, &row, (Value::Null, after)).await
}

struct Press {
    author: Author,
    ids: IdSource,
    actor: Actor,
    id: ApplicationStepId,
    is_retry: bool,
}

/// Tries a step again that was given up.
pub async fn retry_step(domain: &Domain, actor: &Actor, id: ApplicationStepId) -> Result<(), Error> {
    press(domain, actor, id, true).await
}

/// Gives up a step for good.
pub async fn skip_step(domain: &Domain, actor: &Actor, id: ApplicationStepId) -> Result<(), Error> {
    press(domain, actor, id, false).await
}

async fn press(domain: &Domain, actor: &Actor, id: ApplicationStepId, is_retry: bool) -> Result<(), Error> {
    actor.require_somewhere(Right::WriteApplications)?;
    let author = Author::new(domain, actor);
    let input = Press { author, ids: domain.ids.clone(), actor: actor.clone(), id, is_retry };
    domain.store.write(input, |txn, input| Box::pin(press_in(txn, input))).await
}

async fn press_in(txn: &WriteTransaction, input: &Press) -> Result<(), Error> {
    let change = Change { txn, author: &input.author, ids: &input.ids };
    let found = application_step::Entity::find_by_id(input.id).one(txn.connection()).await?;
    let step = found.ok_or(ApplicationRefusal::NoStep)?;
    let row = lock(txn, step.application_id).await?;
    require_or_hide(&input.actor, Right::WriteApplications, &row)?;
    let now = change.now();
    let (state, from): (_, &[StepState]) = if input.is_retry {
        (StepState::Waiting, &[StepState::Failed])
    } else {
        (StepState::Skipped, &[StepState::Failed, StepState::Waiting])
    };
    let pressed = application_step::ActiveModel {
        state: Set(state),
        attempts: Set(0),
        due_at: Set(input.is_retry.then_some(now)),
        leased_until: Set(None),
        settled_at: Set((!input.is_retry).then_some(now)),
        ..Default::default()
    };
    // What an older decision asked for is not carried out any more.
    let written = application_step::Entity::update_many()
        .set(pressed)
        .filter(application_step::COLUMN.id.eq(step.id))
        .filter(application_step::Column::State.is_in(from.iter().copied()))
        .filter(application_step::COLUMN.decision.eq(row.decision))
        .exec(txn.connection())
        .await?;
    if written.rows_affected == 0 {
        return Err(ApplicationRefusal::StepSettled.into());
    }
    show(change, &step, state).await
}

/// The steps of an application, in their order, for those who decide about it.
pub async fn steps(domain: &Domain, actor: &Actor, id: ApplicationId) -> Result<Vec<application_step::Model>, Error> {
    let row = get(domain, actor, id).await?;
    Ok(steps_of(domain.store.reader(), row.id).await?)
}

pub(super) async fn steps_of(
    connection: &impl sea_orm::ConnectionTrait,
    id: ApplicationId,
) -> Result<Vec<application_step::Model>, sea_orm::DbErr> {
    let mut steps = application_step::Entity::find()
        .filter(application_step::COLUMN.application_id.eq(id))
        .order_by_desc(application_step::COLUMN.decision)
        .limit(STEPS_MAX)
        .all(connection)
        .await?;
    steps.sort_by_key(|step| (step.decision, step.created_at, step.kind, step.id));
    Ok(steps)
}
