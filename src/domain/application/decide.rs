//! Deciding: by votes, in spite of them, or because the applicant went; once, with all that follows.

use entity::{
    application::{self, ApplicationStatus, DecidedHow, Model},
    application_step::StepKind,
    id::{ApplicationId, GuildId},
};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::{Value, json};

use super::{
    ApplicationRefusal, Invite, Policy, REASON_MAX,
    change::{Change, facts, lock, require_pending},
    counter_name,
    create::message_id,
    read::policy_of,
    text,
    voter::{Voter, has_one_of},
};
use crate::{
    domain::{
        Actor, Domain, Error, Right, counter,
        event::{Author, spelled},
    },
    id_source::IdSource,
    store::WriteTransaction,
};

/// What a decision says, and by what it came.
pub(super) struct Decision {
    pub(super) status: ApplicationStatus,
    pub(super) how: DecidedHow,
    pub(super) reason: Option<String>,
}

impl Change<'_> {
    /// Decides a pending application: its state, what follows, and the one event that tells of it.
    pub(super) async fn decide(&self, row: &mut Model, policy: &Policy, decision: Decision) -> Result<(), Error> {
        let before = facts(row);
        row.status = decision.status;
        row.decided_how = Some(decision.how);
        row.decided_by = Some(self.author.actor().to_owned());
        row.decided_at = Some(self.now());
        row.reason = decision.reason;
        row.decision += 1;
        row.due_at = None;
        row.is_tied = false;
        self.save(row, ApplicationStatus::Pending).await?;
        self.add_steps(row, &follow_up(row, policy)).await?;
        let kind = match row.status {
            ApplicationStatus::Withdrawn => "application.withdrawn",
            ApplicationStatus::Left => "application.left",
            _ => "application.decided",
        };
        let mut after = facts(row);
        after["decision"] = json!(row.decision);
        after["how"] = json!(spelled(decision.how));
        self.tell(kind, row, (before, after)).await
    }

    /// The vote is over, and whoever may decide in spite of votes has to.
    pub(super) fn leave_to_owner(row: &mut Model) {
        row.is_tied = true;
        row.due_at = None;
    }

    /// Whether the form has accepted as many as it may. No other one is decided meanwhile.
    pub(super) async fn is_full(&self, row: &Model, policy: &Policy) -> Result<bool, Error> {
        let Some(limit) = policy.accept_limit else { return Ok(false) };
        counter::hold(self.txn, &counter_name(row.guild_id)).await?;
        Ok(accepted(self.txn, row.guild_id, row.form_id).await? >= u64::from(limit))
    }
}

/// How many applications a form has accepted.
pub(super) async fn accepted(
    txn: &WriteTransaction,
    guild_id: Option<GuildId>,
    form_id: Option<entity::id::FormId>,
) -> Result<u64, Error> {
    let of_form = match form_id {
        Some(id) => application::COLUMN.form_id.eq(id),
        None => application::COLUMN.form_id.is_null(),
    };
    let of_guild = match guild_id {
        Some(id) => application::COLUMN.guild_id.eq(id),
        None => application::COLUMN.guild_id.is_null(),
    };
    let all = application::Entity::find()
        .filter(of_form)
        .filter(of_guild)
        .filter(application::Column::Status.eq(ApplicationStatus::Approved));
    Ok(all.count(txn.connection()).await?)
}

/// What follows a decision.
fn follow_up(row: &Model, policy: &Policy) -> Vec<(StepKind, String)> {
    let mut steps = Vec::new();
    let has_account = row.discord_user_id.is_some();
    if row.status == ApplicationStatus::Approved && has_account && row.guild_id.is_some() {
        let follow_up = &policy.follow_up;
        steps.extend(follow_up.roles_add.iter().map(|role| (StepKind::RoleAdd, role.to_string())));
        steps.extend(follow_up.roles_remove.iter().map(|role| (StepKind::RoleRemove, role.to_string())));
        if follow_up.invite == Invite::Targeted {
            steps.push((StepKind::Invite, String::new()));
        }
    }
    let is_verdict = matches!(row.status, ApplicationStatus::Approved | ApplicationStatus::Rejected);
    if row.native_request_id.is_some() && is_verdict && row.decided_how != Some(DecidedHow::Native) {
        steps.push((StepKind::NativeRequest, String::new()));
    }
    if has_account && (is_verdict || row.status == ApplicationStatus::Expired) {
        steps.push((StepKind::DirectMessage, String::new()));
    }
    if row.guild_id.is_some() {
        steps.push((StepKind::ThreadLock, String::new()));
    }
    steps
}

/// Yes or no, by somebody who may say so alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Approved or rejected.
    pub status: ApplicationStatus,
    /// Why.
    pub reason: Option<String>,
}

/// What is to be different of an application; what is none stays as it is.
#[derive(Clone, Debug, Default)]
pub struct ApplicationChange {
    /// It is decided.
    pub verdict: Option<Verdict>,
    /// It is bound to a message of a program, or to none.
    pub message_id: Option<Option<String>>,
}

/// An application after a change.
#[derive(Clone, Debug)]
pub struct Changed {
    /// It.
    pub application: Model,
    /// Whether anything is different.
    pub is_changed: bool,
}

struct Input {
    author: Author,
    ids: IdSource,
    actor: Actor,
    id: ApplicationId,
    change: ApplicationChange,
}

/// Decides an application in spite of its votes, or binds it to a message. To decide once more what was decided the
/// same way changes nothing; the other way is refused.
pub async fn change(
    domain: &Domain,
    actor: &Actor,
    id: ApplicationId,
    mut change: ApplicationChange,
) -> Result<Changed, Error> {
    // Members whom a policy lets decide need no right of the guild: that is seen on the application.
    if !matches!(actor, Actor::Member(_)) {
        if change.verdict.is_some() {
            actor.require_somewhere(Right::DecideApplications)?;
        }
        if change.message_id.is_some() {
            actor.require_somewhere(Right::WriteApplications)?;
        }
    }
    if let Some(verdict) = &mut change.verdict {
        if !matches!(verdict.status, ApplicationStatus::Approved | ApplicationStatus::Rejected) {
            return Err(ApplicationRefusal::BadDecision.into());
        }
        verdict.reason = text(verdict.reason.as_deref(), REASON_MAX, ApplicationRefusal::BadReason)?;
    }
    change.message_id = change.message_id.map(message_id).transpose()?;
    let input = Input { author: Author::new(domain, actor), ids: domain.ids.clone(), actor: actor.clone(), id, change };
    domain.store.write(input, |txn, input| Box::pin(change_in(txn, input))).await
}

/// The same with a verdict only.
pub async fn decide(domain: &Domain, actor: &Actor, id: ApplicationId, verdict: Verdict) -> Result<Changed, Error> {
    change(domain, actor, id, ApplicationChange { verdict: Some(verdict), message_id: None }).await
}

async fn change_in(txn: &WriteTransaction, input: &Input) -> Result<Changed, Error> {
    let change = Change { txn, author: &input.author, ids: &input.ids };
    let mut row = lock(txn, input.id).await?;
    let mut is_changed = false;
    if let Some(message_id) = &input.change.message_id {
        require_or_hide(&input.actor, Right::WriteApplications, &row)?;
        if row.message_id != *message_id {
            row.message_id.clone_from(message_id);
            require_free(txn, &row).await?;
            let was = row.status;
            change.save(&mut row, was).await?;
            let after = json!({ "number": row.number, "is_bound": row.message_id.is_some() });
            change.tell("application.bound", &row, (Value::Null, after)).await?;
            is_changed = true;
        }
    }
    if let Some(verdict) = &input.change.verdict {
        is_changed |= decide_in(change, &mut row, input, verdict).await?;
    }
    Ok(Changed { application: row, is_changed })
}

/// A row that the actor may not see is not there for them.
pub(super) fn require_or_hide(actor: &Actor, right: Right, row: &Model) -> Result<(), Error> {
    match actor {
        Actor::Member(member) if Some(member.guild_id) == row.guild_id => actor.require(right, row.guild_id),
        Actor::Key(_) | Actor::Member(_) if !actor.may(right, row.guild_id) => Err(ApplicationRefusal::NotFound.into()),
        _ => actor.require(right, row.guild_id),
    }
}

/// A message belongs to one application. The counter is held, so that no other one takes it meanwhile.
pub(super) async fn require_free(txn: &WriteTransaction, row: &Model) -> Result<(), Error> {
    let Some(message) = &row.message_id else { return Ok(()) };
    counter::hold(txn, &counter_name(row.guild_id)).await?;
    let of_guild = match row.guild_id {
        Some(id) => application::COLUMN.guild_id.eq(id),
        None => application::COLUMN.guild_id.is_null(),
    };
    let taken = application::Entity::find()
        .filter(application::Column::MessageId.eq(message.as_str()))
        .filter(of_guild)
        .filter(application::COLUMN.id.ne(row.id))
        .count(txn.connection())
        .await?;
    if taken == 0 { Ok(()) } else { Err(ApplicationRefusal::MessageTaken.into()) }
}

async fn decide_in(change: Change<'_>, row: &mut Model, input: &Input, verdict: &Verdict) -> Result<bool, Error> {
    let policy = policy_of(row)?;
    let actor = &input.actor;
    let how = match actor {
        Actor::Member(member) if Some(member.guild_id) == row.guild_id => {
            if !has_one_of(member, &policy.override_roles) {
                actor.require(Right::DecideApplications, row.guild_id)?;
            }
            DecidedHow::Override
        }
        _ => {
            require_or_hide(actor, Right::DecideApplications, row)?;
            DecidedHow::Http
        }
    };
    if matches!(actor, Actor::Member(_) | Actor::User(_))
        && Voter::of(change.txn.connection(), actor, None).await?.applies(row)
    {
        return Err(ApplicationRefusal::OwnApplication.into());
    }
    if row.status == verdict.status {
        return Ok(false);
    }
    require_pending(row)?;
    if verdict.status == ApplicationStatus::Approved && change.is_full(row, &policy).await? {
        return Err(ApplicationRefusal::Full { limit: policy.accept_limit.unwrap_or_default() }.into());
    }
    change.decide(row, &policy, Decision { status: verdict.status, how, reason: verdict.reason.clone() }).await?;
    Ok(true)
}

struct Native {
    author: Author,
    ids: IdSource,
    request_id: String,
    status: ApplicationStatus,
}

/// A join request was decided in Discord's own list, or taken back there; says whether an open application mirrored it.
pub async fn decide_natively(domain: &Domain, request_id: &str, status: ApplicationStatus) -> Result<bool, Error> {
    let author = Author::system(domain);
    let input = Native { author, ids: domain.ids.clone(), request_id: request_id.to_owned(), status };
    domain.store.write(input, |txn, input| Box::pin(decide_natively_in(txn, input))).await
}

async fn decide_natively_in(txn: &WriteTransaction, input: &Native) -> Result<bool, Error> {
    let change = Change { txn, author: &input.author, ids: &input.ids };
    let mirrors = application::Column::NativeRequestId.eq(input.request_id.as_str());
    let Some(found) = application::Entity::find().filter(mirrors).one(txn.connection()).await? else {
        return Ok(false);
    };
    let mut row = lock(txn, found.id).await?;
    if row.status != ApplicationStatus::Pending {
        return Ok(false);
    }
    let policy = policy_of(&row)?;
    change.decide(&mut row, &policy, Decision { status: input.status, how: DecidedHow::Native, reason: None }).await?;
    Ok(true)
}

/// The applicant takes it back.
pub async fn withdraw(domain: &Domain, actor: &Actor, id: ApplicationId) -> Result<Model, Error> {
    let input = Input {
        author: Author::new(domain, actor),
        ids: domain.ids.clone(),
        actor: actor.clone(),
        id,
        change: ApplicationChange::default(),
    };
    domain.store.write(input, |txn, input| Box::pin(withdraw_in(txn, input))).await
}

async fn withdraw_in(txn: &WriteTransaction, input: &Input) -> Result<Model, Error> {
    let change = Change { txn, author: &input.author, ids: &input.ids };
    let mut row = lock(txn, input.id).await?;
    super::read::require_applicant(txn.connection(), &input.actor, &row).await?;
    require_pending(&row)?;
    let policy = policy_of(&row)?;
    let decision = Decision { status: ApplicationStatus::Withdrawn, how: DecidedHow::Applicant, reason: None };
    change.decide(&mut row, &policy, decision).await?;
    Ok(row)
}

/// Deletes an application with its votes, notes and steps. Its number is not given again.
pub async fn delete(domain: &Domain, actor: &Actor, id: ApplicationId) -> Result<(), Error> {
    actor.require_somewhere(Right::DecideApplications)?;
    let input = Input {
        author: Author::new(domain, actor),
        ids: domain.ids.clone(),
        actor: actor.clone(),
        id,
        change: ApplicationChange::default(),
    };
    domain.store.write(input, |txn, input| Box::pin(delete_in(txn, input))).await
}

async fn delete_in(txn: &WriteTransaction, input: &Input) -> Result<(), Error> {
    let change = Change { txn, author: &input.author, ids: &input.ids };
    let row = lock(txn, input.id).await?;
    require_or_hide(&input.actor, Right::DecideApplications, &row)?;
    application::Entity::delete_by_id(row.id).exec(txn.connection()).await?;
    change.tell("application.deleted", &row, (facts(&row), Value::Null)).await
}
