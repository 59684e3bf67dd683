//! The revisions of a guild's settings, as the event log keeps them; rolling back; export and import.
//!
//! Invariant: a roll back or an import is one transaction of ordinary changes, each with its own event, and happens
//! only if everything still is as the preview showed it.

mod document;
mod export;
mod practice;
mod refusal;
mod subject;
mod vanish;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use entity::{event, id::GuildId};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Actor, Domain, Error, Right, event::Author, form};
use crate::store::WriteTransaction;

pub use document::{IMPORT_BYTES_MAX, plan_import};
pub use export::export;
pub use refusal::HistoryRefusal;
use subject::{Hold, Scope, Subject};

/// The events that change settings.
const KINDS: [&str; 24] = [
    "slot.set",
    "slot.cleared",
    "slot.created",
    "slot.confirmed",
    "slot.broken",
    "slot.repaired",
    "guild.settings_changed",
    "guild_role.set",
    "guild_role.cleared",
    "vanish.rule_set",
    "vanish.rule_removed",
    "vanish.default_set",
    "vanish.exemption_added",
    "vanish.exemption_removed",
    "vanish.paused",
    "vanish.resumed",
    "practice.rule_set",
    "practice.post_set",
    "practice.post_removed",
    "form.created",
    "form.changed",
    "form.opened",
    "form.closed",
    "form.removed",
];
/// Most revisions of one page.
const PAGE_MAX: u64 = 25;
/// Most changes that a roll back undoes.
const UNDONE_MAX: u64 = 5_000;

/// One change of a guild's settings.
#[derive(Clone, Debug)]
pub struct Revision {
    /// Its place in the history; the number that people roll back to.
    pub position: i64,
    /// When.
    pub at: DateTime<Utc>,
    /// Who, such as `member:42`.
    pub actor: String,
    /// Through which face: `discord`, `http`, `cli` or `worker`.
    pub source: String,
    /// What happened, such as `slot.set`.
    pub kind: String,
    /// What it happened to, such as `slot/alerts`.
    pub subject: String,
    /// What is different since.
    pub changes: Vec<FieldChange>,
}

/// A setting before and after a change; null where there was nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldChange {
    /// Its name, such as `channel_id`.
    pub field: String,
    /// Before.
    pub before: Value,
    /// After.
    pub after: Value,
}

/// A change that a roll back or an import would make; plain data, so that a proposal can hold it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedChange {
    /// What would change, such as `slot/alerts`.
    pub subject: String,
    /// Its present state; null for what does not exist.
    pub from: Value,
    /// Its state afterwards; null for what would be taken away.
    pub to: Value,
}

impl PlannedChange {
    /// The fields that would differ.
    pub fn changes(&self) -> Vec<FieldChange> {
        legible_differences(&self.subject, &self.from, &self.to)
    }
}

/// Compares two states of a subject as people read them.
fn legible_differences(subject: &str, before: &Value, after: &Value) -> Vec<FieldChange> {
    if subject.starts_with("form/") {
        return differences(&form::row::legible(before), &form::row::legible(after));
    }
    differences(before, after)
}

/// Compares two states field by field; ids that both bear in their name anyway are left out.
fn differences(before: &Value, after: &Value) -> Vec<FieldChange> {
    let fields = |value: &Value| value.as_object().into_iter().flat_map(|map| map.keys().cloned()).collect::<Vec<_>>();
    let all: BTreeSet<String> = fields(before).into_iter().chain(fields(after)).collect();
    all.into_iter()
        .filter(|field| field != "guild_id" && field != "key")
        .map(|field| FieldChange { before: before[&field].clone(), after: after[&field].clone(), field })
        .filter(|change| change.before != change.after)
        .collect()
}

/// The latest revisions of a guild, newest first: at most 25, all before a position if one is given.
pub async fn revisions(
    domain: &Domain,
    actor: &Actor,
    guild_id: GuildId,
    before: Option<i64>,
    limit: u64,
) -> Result<Vec<Revision>, Error> {
    actor.require(Right::ManageSettings, Some(guild_id))?;
    let mut query = event::Entity::find()
        .filter(event::COLUMN.guild_id.eq(guild_id))
        .filter(event::COLUMN.kind.is_in(KINDS))
        .filter(event::COLUMN.position.is_not_null());
    if let Some(before) = before {
        query = query.filter(event::COLUMN.position.lt(before));
    }
    let events =
        query.order_by_desc(event::COLUMN.position).limit(limit.clamp(1, PAGE_MAX)).all(domain.store.reader()).await?;
    Ok(events.into_iter().filter_map(revision).collect())
}

fn revision(event: event::Model) -> Option<Revision> {
    Some(Revision {
        position: event.position?,
        at: event.created_at,
        actor: event.actor,
        source: event.source,
        kind: event.kind,
        changes: legible_differences(&event.subject, &event.data["before"], &event.data["after"]),
        subject: event.subject,
    })
}

/// The number of a guild's latest revision; 0 before the first.
pub async fn revision_id(domain: &Domain, guild_id: GuildId) -> Result<i64, Error> {
    let latest: Option<Option<i64>> = event::Entity::find()
        .select_only()
        .column(event::Column::Position)
        .filter(event::COLUMN.guild_id.eq(guild_id))
        .filter(event::COLUMN.kind.is_in(KINDS))
        .filter(event::COLUMN.position.is_not_null())
        .order_by_desc(event::COLUMN.position)
        .limit(1)
        .into_tuple()
        .one(domain.store.reader())
        .await?;
    Ok(latest.flatten().unwrap_or(0))
}

/// What would change if the settings became again what they were right after a revision.
pub async fn plan_rollback(
    domain: &Domain,
    actor: &Actor,
    guild_id: GuildId,
    to: i64,
) -> Result<Vec<PlannedChange>, Error> {
    actor.require(Right::ManageSettings, Some(guild_id))?;
    let reader = domain.store.reader();
    let target = event::Entity::find()
        .filter(event::COLUMN.guild_id.eq(guild_id))
        .filter(event::COLUMN.kind.is_in(KINDS))
        .filter(event::COLUMN.position.eq(to))
        .one(reader)
        .await?
        .ok_or(HistoryRefusal::NoRevision { position: to })?;
    // A change that has no position yet came after every one that has.
    let later = sea_orm::Condition::any().add(event::COLUMN.position.gt(to)).add(event::COLUMN.position.is_null());
    let later = event::Entity::find()
        .filter(event::COLUMN.guild_id.eq(guild_id))
        .filter(event::COLUMN.kind.is_in(KINDS))
        .filter(event::COLUMN.id.ne(target.id))
        .filter(later)
        // Changes of one subject wait for each other, so that their ids tell their order.
        .order_by_asc(event::COLUMN.id)
        .limit(UNDONE_MAX + 1)
        .all(reader)
        .await?;
    if later.len() as u64 > UNDONE_MAX {
        return Err(HistoryRefusal::TooFar { max: UNDONE_MAX }.into());
    }
    let mut earliest = BTreeMap::new();
    for event in later {
        earliest.entry(event.subject).or_insert(event.data);
    }
    let mut planned = Vec::new();
    for (subject, data) in earliest {
        if let Some(subject) = Subject::parse(&subject, guild_id) {
            let wanted = subject.state(&data["before"])?;
            plan(domain, actor, guild_id, (&subject, wanted), &mut planned).await?;
        }
    }
    Ok(planned)
}

/// Adds a change to a plan, if it would be one.
async fn plan(
    domain: &Domain,
    actor: &Actor,
    guild_id: GuildId,
    (subject, wanted): (&Subject, subject::State),
    planned: &mut Vec<PlannedChange>,
) -> Result<(), Error> {
    let present = subject.present(domain.store.reader(), guild_id, Hold::No).await?;
    if present == wanted {
        return Ok(());
    }
    actor.require(subject.right(), Some(guild_id))?;
    planned.push(PlannedChange {
        subject: subject.spelled(guild_id),
        from: subject.value(guild_id, &present),
        to: subject.value(guild_id, &wanted),
    });
    Ok(())
}

struct Apply {
    scope: Scope,
    changes: Vec<(Subject, subject::State, subject::State)>,
}

/// Makes planned changes, all or none; refused if anything is no longer as the plan saw it.
pub async fn apply_changes(
    domain: &Domain,
    actor: &Actor,
    guild_id: GuildId,
    planned: Vec<PlannedChange>,
) -> Result<(), Error> {
    actor.require(Right::ManageSettings, Some(guild_id))?;
    let mut changes = Vec::with_capacity(planned.len());
    for change in planned {
        let Some(subject) = Subject::parse(&change.subject, guild_id) else {
            return Err(HistoryRefusal::BadSubject { subject: change.subject }.into());
        };
        actor.require(subject.right(), Some(guild_id))?;
        let (from, to) = (subject.state(&change.from)?, subject.state(&change.to)?);
        changes.push((subject, from, to));
    }
    // Every writer takes the rows in one order, so that two of them never wait for each other.
    changes.sort_by_cached_key(|(subject, ..)| subject.spelled(guild_id));
    let scope = Scope { ids: domain.ids.clone(), author: Author::new(domain, actor), guild_id };
    domain.store.write(Apply { scope, changes }, |txn, apply| Box::pin(apply_in(txn, apply))).await
}

async fn apply_in(txn: &WriteTransaction, apply: &Apply) -> Result<(), Error> {
    let Apply { scope, changes } = apply;
    for (subject, from, to) in changes {
        let present = subject.present(txn.connection(), scope.guild_id, Hold::Rows).await?;
        if present != *from {
            return Err(HistoryRefusal::ChangedMeanwhile { subject: subject.to_string() }.into());
        }
        subject.restore(txn, scope, to).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
