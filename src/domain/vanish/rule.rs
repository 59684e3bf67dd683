//! Setting, reading, pausing and removing rules.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use entity::{
    id::{ChannelId, GuildId, MessageId},
    vanish_default, vanish_place,
    vanish_rule::{self, Pins, RuleState, Schedule, Threads},
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter, QuerySelect,
    sea_query::{Expr, OnConflict},
};
use serde_json::Value;

use super::{
    RULES_PER_GUILD_MAX, VanishRefusal, rule_settings,
    schedule::{AFTER_SECONDS, KEEP_LAST, KEEP_LAST_OFF},
    subject,
};
use crate::{
    domain::{Actor, Domain, Error, Right, guild},
    store::{NewEvent, RowChange, WriteTransaction},
};

/// A rule as the control plane's existing clients set it.
#[derive(Clone, Debug)]
pub struct NewDuration {
    /// The channel.
    pub channel_id: ChannelId,
    /// Its guild, as the client claims it.
    pub guild_id: GuildId,
    /// Age in seconds.
    pub after_seconds: i64,
}

/// What happens to the messages that were there before the rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Backlog {
    /// They stay.
    NewOnly,
    /// Those that bulk deletion reaches vanish too.
    LastFourteenDays,
    /// All of them vanish.
    Everything,
}

/// A rule as a moderator sets it; `None` leaves an existing rule's value, and the default's on a new one.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct NewRule {
    /// The channel, which Discord has confirmed to be the guild's.
    pub channel_id: ChannelId,
    /// Its guild.
    pub guild_id: GuildId,
    /// Age in seconds.
    pub after_seconds: Option<i64>,
    /// At most this many messages stay; [`KEEP_LAST_OFF`] takes the count away.
    pub keep_last: Option<i32>,
    /// `rolling`, `every` or `daily`.
    pub schedule: Option<String>,
    /// Minute of the guild's day.
    pub at_minute: Option<i32>,
    /// `keep` or `delete`.
    pub pins: Option<String>,
    /// `include` or `skip`.
    pub threads: Option<String>,
    /// The messages that are there already.
    pub backlog: Backlog,
}

impl NewRule {
    fn schedule(&self) -> Option<Schedule> {
        parse_enum(self.schedule.as_deref())
    }

    fn pins(&self) -> Option<Pins> {
        parse_enum(self.pins.as_deref())
    }

    fn threads(&self) -> Option<Threads> {
        parse_enum(self.threads.as_deref())
    }
}

fn parse_enum<E: sea_orm::ActiveEnum<Value = String>>(text: Option<&str>) -> Option<E> {
    text.and_then(|text| E::try_from_value(&text.to_owned()).ok())
}

fn check_bounds(after_seconds: Option<i64>, keep_last: Option<i32>) -> Result<(), VanishRefusal> {
    if after_seconds.is_some_and(|after| !AFTER_SECONDS.contains(&after)) {
        return Err(VanishRefusal::AfterOutOfBounds);
    }
    if keep_last.is_some_and(|keep| keep != KEEP_LAST_OFF && !KEEP_LAST.contains(&keep)) {
        return Err(VanishRefusal::KeepLastOutOfBounds);
    }
    Ok(())
}

pub(super) struct Write<C> {
    pub(super) domain: Domain,
    actor: Actor,
    pub(super) now: DateTime<Utc>,
    pub(super) change: C,
}

impl<C> Write<C> {
    pub(super) fn new(domain: &Domain, actor: &Actor, change: C) -> Self {
        Self { domain: domain.clone(), actor: actor.clone(), now: domain.now(), change }
    }

    /// Whether the actor has the right in this guild.
    pub(super) fn may(&self, right: Right, guild: GuildId) -> bool {
        self.actor.may(right, Some(guild))
    }

    pub(super) async fn log(
        &self,
        txn: &WriteTransaction,
        kind: &'static str,
        channel: ChannelId,
        guild: GuildId,
        states: (Value, Value),
    ) -> Result<(), Error> {
        Ok(txn.append_event(self.event(kind, channel, guild, states)).await?)
    }

    fn event(
        &self,
        kind: &'static str,
        channel: ChannelId,
        guild: GuildId,
        (before, after): (Value, Value),
    ) -> NewEvent {
        NewEvent {
            kind,
            guild_id: Some(guild),
            subject: subject(channel),
            actor: self.actor.to_string(),
            source: self.actor.source().name(),
            before,
            after,
            at: self.now,
        }
    }
}

/// Sets a channel's lifetime over HTTP. A new rule acts only once Discord has confirmed the channel.
pub async fn set_duration(domain: &Domain, actor: &Actor, new: NewDuration) -> Result<(), Error> {
    actor.require(Right::ManageVanish(new.channel_id), Some(new.guild_id))?;
    check_bounds(Some(new.after_seconds), None)?;
    let written = &domain.caches.vanish_written;
    let guess = written.get(&new.channel_id).filter(|guess| guess.guild_id == new.guild_id);
    let write = Write::new(domain, actor, new);
    if let Some(guess) = guess
        && let Some(rule) = change_guessed(domain, &write, &guess).await?
    {
        written.insert(rule.channel_id, Arc::new(rule));
        return Ok(());
    }
    let rule = domain.store.write(write, |txn, write| Box::pin(upsert_duration(txn, write))).await?;
    written.insert(rule.channel_id, Arc::new(rule));
    Ok(())
}

/// Changes the lifetime of a rule that is exactly as guessed and has nothing to do yet, without a look before; `None`
/// where it is not.
async fn change_guessed(
    domain: &Domain,
    write: &Write<NewDuration>,
    guess: &vanish_rule::Model,
) -> Result<Option<vanish_rule::Model>, Error> {
    use vanish_rule::Column;
    let after = vanish_rule::Model {
        after_seconds: Some(write.change.after_seconds),
        revision: guess.revision + 1,
        updated_at: write.now,
        ..guess.clone()
    };
    if is_to_be_looked_at(guess, &after) {
        return Ok(None);
    }
    let settings = (rule_settings(guess), rule_settings(&after));
    let event = write.event("vanish.rule_set", after.channel_id, after.guild_id, settings);
    let change = RowChange::new(vanish_rule::Entity, Column::ChannelId, after.channel_id.get().cast_signed(), event)
        .expecting(Column::Revision, guess.revision)
        // A rule that was removed and made anew begins to count again.
        .expecting(Column::CreatedAt, guess.created_at)
        .expecting(Column::AfterSeconds, guess.after_seconds)
        .expecting(Column::State, guess.state)
        .setting(Column::AfterSeconds, after.after_seconds)
        .setting(Column::Revision, after.revision)
        .setting(Column::UpdatedAt, after.updated_at);
    Ok(domain.store.change_row::<Error>(change).await?.then_some(after))
}

async fn upsert_duration(txn: &WriteTransaction, write: &Write<NewDuration>) -> Result<vanish_rule::Model, Error> {
    let new = &write.change;
    let before = locked(txn, new.channel_id).await?;
    let Some(before) = before else {
        let rule = vanish_rule::Model {
            after_seconds: Some(new.after_seconds),
            state: RuleState::Unconfirmed,
            confirmed_at: None,
            ..blank(new.channel_id, new.guild_id, write.now)
        };
        insert(txn, write, &rule).await?;
        return Ok(rule);
    };
    let mut after = before.clone();
    after.after_seconds = Some(new.after_seconds);
    if before.guild_id != new.guild_id {
        return Err(VanishRefusal::OtherGuild.into());
    }
    update(txn, write, "vanish.rule_set", &before, after).await
}

/// The rule, held until the end of the transaction, so that parallel changes of one rule come one after the other.
pub(super) async fn locked(
    txn: &WriteTransaction,
    channel: ChannelId,
) -> Result<Option<vanish_rule::Model>, sea_orm::DbErr> {
    vanish_rule::Entity::find_by_id(channel).lock_exclusive().one(txn.connection()).await
}

/// A rule with nothing set, whose business begins now.
pub(crate) fn blank(channel_id: ChannelId, guild_id: GuildId, now: DateTime<Utc>) -> vanish_rule::Model {
    vanish_rule::Model {
        channel_id,
        guild_id,
        after_seconds: None,
        keep_last: None,
        schedule: Schedule::Rolling,
        at_minute: None,
        pins: None,
        threads: None,
        state: RuleState::Active,
        confirmed_at: Some(now),
        problem: None,
        paused_until: None,
        starts_after: snowflake_at(now),
        messages_deleted: 0,
        last_deletion: None,
        revision: 1,
        created_at: now,
        updated_at: now,
    }
}

/// The id before every message sent from this moment on.
pub(super) fn snowflake_at(at: DateTime<Utc>) -> MessageId {
    let first = MessageId::at_milliseconds(at.timestamp_millis());
    first.and_then(|id| MessageId::new(id.get() - 1)).unwrap_or_else(first_message)
}

/// The id before every message there can be.
pub(super) fn first_message() -> MessageId {
    MessageId::new(1).expect("one is not zero")
}

async fn insert<C>(txn: &WriteTransaction, write: &Write<C>, rule: &vanish_rule::Model) -> Result<(), Error> {
    guild::ensure(txn, rule.guild_id, write.now).await?;
    let count = vanish_rule::Entity::find()
        .filter(vanish_rule::COLUMN.guild_id.eq(rule.guild_id))
        .count(txn.connection())
        .await?;
    if count >= RULES_PER_GUILD_MAX {
        return Err(VanishRefusal::TooManyRules.into());
    }
    let inserted = vanish_rule::Entity::insert(rule.clone().into_active_model())
        .on_conflict(OnConflict::column(vanish_rule::Column::ChannelId).do_nothing().to_owned())
        .exec_without_returning(txn.connection())
        .await?;
    if inserted == 0 {
        return Err(changed_meanwhile());
    }
    let place = vanish_place::Model {
        place_id: rule.channel_id,
        rule_channel_id: rule.channel_id,
        guild_id: rule.guild_id,
        cursor: rule.starts_after,
        passed_over: None,
        // Looked at once, to find what arrives before the engine knows of the rule.
        due_at: Some(write.now),
        backlog_after: None,
        backlog_until: None,
        backlog_due_at: None,
        ignore_schedule: false,
        leased_until: None,
        attempts: 0,
    };
    vanish_place::Entity::insert(place.into_active_model()).exec_without_returning(txn.connection()).await?;
    write.log(txn, "vanish.rule_set", rule.channel_id, rule.guild_id, (Value::Null, rule_settings(rule))).await
}

/// Writes a changed rule if nobody has changed it in between.
pub(super) async fn update<C>(
    txn: &WriteTransaction,
    write: &Write<C>,
    kind: &'static str,
    before: &vanish_rule::Model,
    mut after: vanish_rule::Model,
) -> Result<vanish_rule::Model, Error> {
    after.revision = before.revision + 1;
    after.updated_at = write.now;
    let changed = vanish_rule::ActiveModel {
        after_seconds: Set(after.after_seconds),
        keep_last: Set(after.keep_last),
        schedule: Set(after.schedule),
        at_minute: Set(after.at_minute),
        pins: Set(after.pins),
        threads: Set(after.threads),
        state: Set(after.state),
        confirmed_at: Set(after.confirmed_at),
        problem: Set(after.problem.clone()),
        paused_until: Set(after.paused_until),
        revision: Set(after.revision),
        updated_at: Set(after.updated_at),
        ..Default::default()
    };
    let result = vanish_rule::Entity::update_many()
        .set(changed)
        .filter(vanish_rule::COLUMN.channel_id.eq(before.channel_id))
        .filter(vanish_rule::COLUMN.revision.eq(before.revision))
        .exec(txn.connection())
        .await?;
    if result.rows_affected == 0 {
        return Err(changed_meanwhile());
    }
    follow(txn, write, kind, before, &after).await?;
    Ok(after)
}

/// What a changed rule brings about: the engine looks or rests, and the log remembers.
async fn follow<C>(
    txn: &WriteTransaction,
    write: &Write<C>,
    kind: &'static str,
    before: &vanish_rule::Model,
    after: &vanish_rule::Model,
) -> Result<(), Error> {
    if is_to_be_looked_at(before, after) {
        wake_place(txn, after.channel_id, write.now).await?;
    }
    if matches!(after.state, RuleState::Paused) {
        rest_places(txn, after.channel_id).await?;
    }
    write.log(txn, kind, after.channel_id, after.guild_id, (rule_settings(before), rule_settings(after))).await
}

/// A held rule has nothing due, so that the engine's index holds only what it may sweep.
pub(super) async fn rest_places(txn: &WriteTransaction, channel: ChannelId) -> Result<(), Error> {
    vanish_place::Entity::update_many()
        .col_expr(vanish_place::Column::DueAt, Expr::value(None::<DateTime<Utc>>))
        .filter(vanish_place::COLUMN.rule_channel_id.eq(channel))
        .exec(txn.connection())
        .await?;
    Ok(())
}

/// Somebody else changed the row between our look and our write: the store repeats the transaction, which then sees it.
fn changed_meanwhile() -> Error {
    Error::Store(sea_orm::DbErr::RecordNotUpdated)
}

/// Whether the engine's next look would find something else than before.
fn is_to_be_looked_at(before: &vanish_rule::Model, after: &vanish_rule::Model) -> bool {
    if !matches!(after.state, RuleState::Active | RuleState::Unconfirmed) {
        return false;
    }
    // An unconfirmed rule sweeps nothing: only its state matters.
    if before.state == RuleState::Unconfirmed && after.state == RuleState::Unconfirmed {
        return false;
    }
    let key = |rule: &vanish_rule::Model| {
        (rule.after_seconds, rule.keep_last, rule.schedule, rule.at_minute, rule.pins, rule.threads, rule.state)
    };
    key(before) != key(after)
}

/// Makes the engine look at all places of a rule again.
pub(super) async fn wake_place(txn: &WriteTransaction, channel: ChannelId, now: DateTime<Utc>) -> Result<(), Error> {
    vanish_place::Entity::update_many()
        .col_expr(vanish_place::Column::DueAt, Expr::value(now))
        .col_expr(vanish_place::Column::Attempts, Expr::value(0))
        .filter(vanish_place::COLUMN.rule_channel_id.eq(channel))
        .exec(txn.connection())
        .await?;
    Ok(())
}

/// Sets a rule from Discord, where the channel is known to be the guild's.
pub async fn set_rule(domain: &Domain, actor: &Actor, new: NewRule) -> Result<Arc<vanish_rule::Model>, Error> {
    actor.require(Right::ManageVanish(new.channel_id), Some(new.guild_id))?;
    check_bounds(new.after_seconds, new.keep_last)?;
    let write = Write::new(domain, actor, new);
    domain.store.write(write, |txn, write| Box::pin(upsert_rule(txn, write))).await.map(Arc::new)
}

/// The rule that a change makes of what is there.
pub(super) fn merged(
    new: &NewRule,
    existing: Option<&vanish_rule::Model>,
    now: DateTime<Utc>,
) -> Result<vanish_rule::Model, VanishRefusal> {
    check_bounds(new.after_seconds, new.keep_last)?;
    let base = match existing {
        Some(rule) if rule.guild_id != new.guild_id => return Err(VanishRefusal::OtherGuild),
        Some(rule) => rule.clone(),
        None => blank(new.channel_id, new.guild_id, now),
    };
    Ok(vanish_rule::Model {
        after_seconds: new.after_seconds.or(base.after_seconds),
        keep_last: new.keep_last.or(base.keep_last),
        schedule: new.schedule().unwrap_or(base.schedule),
        at_minute: new.at_minute.or(base.at_minute),
        pins: new.pins().or(base.pins),
        threads: new.threads().or(base.threads),
        state: RuleState::Active,
        confirmed_at: base.confirmed_at.or(Some(now)),
        problem: None,
        paused_until: None,
        ..base
    })
}

async fn upsert_rule(txn: &WriteTransaction, write: &Write<NewRule>) -> Result<vanish_rule::Model, Error> {
    let new = &write.change;
    let existing = locked(txn, new.channel_id).await?;
    let after = merged(new, existing.as_ref(), write.now)?;
    if after.after_seconds.is_none() {
        let default = vanish_default::Entity::find_by_id(new.guild_id).one(txn.connection()).await?;
        if default.is_none_or(|default| default.after_seconds.is_none()) {
            return Err(VanishRefusal::AfterMissing.into());
        }
    }
    let rule = match existing {
        None => {
            insert(txn, write, &after).await?;
            after
        }
        Some(before) => update(txn, write, "vanish.rule_set", &before, after).await?,
    };
    super::backlog::arm_backlog(txn, write, &rule).await?;
    Ok(rule)
}

/// Takes a rule away; says whether there was one that the actor may touch.
pub async fn remove(domain: &Domain, actor: &Actor, channel: ChannelId) -> Result<bool, Error> {
    actor.require_somewhere(Right::ManageVanish(channel))?;
    let write = Write::new(domain, actor, channel);
    domain.store.write(write, |txn, write| Box::pin(delete(txn, write))).await
}

async fn delete(txn: &WriteTransaction, write: &Write<ChannelId>) -> Result<bool, Error> {
    let channel = write.change;
    let found = locked(txn, channel).await?;
    let Some(before) = found.filter(|rule| write.may(Right::ManageVanish(channel), rule.guild_id)) else {
        return Ok(false);
    };
    let result = vanish_rule::Entity::delete_by_id(channel).exec(txn.connection()).await?;
    if result.rows_affected == 0 {
        return Ok(false);
    }
    let change = (rule_settings(&before), Value::Null);
    write.log(txn, "vanish.rule_removed", channel, before.guild_id, change).await?;
    Ok(true)
}
