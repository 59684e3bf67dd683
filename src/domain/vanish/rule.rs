//! Setting, reading, pausing and removing rules.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use entity::{
    id::{ChannelId, GuildId, MessageId},
    vanish_default, vanish_place,
    vanish_rule::{self, Pins, RuleState, Schedule, Threads},
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, IntoActiveModel, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect,
    sea_query::{Expr, OnConflict},
};
use serde_json::Value;

use super::{
    REASON_MAX, RULES_PER_GUILD_MAX, VanishRefusal, rule_settings,
    schedule::{AFTER_SECONDS, BULK_AGE, Effective, KEEP_LAST},
    subject,
};
use crate::{
    domain::{Actor, Domain, Error, Right, error::CommonRefusal, guild},
    store::{NewEvent, WriteTransaction},
};

/// Most rows of a list without a page.
const LIST_MAX: u64 = 10_000;

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
    /// At most this many messages stay.
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

/// A part of a list.
#[derive(Clone, Copy, Debug)]
pub struct PageRequest {
    /// Most rows.
    pub limit: u64,
    /// Rows to pass over.
    pub offset: u64,
}

/// A list of rules.
#[derive(Clone, Debug)]
pub struct Rules {
    /// The rows, by channel.
    pub rows: Arc<Vec<vanish_rule::Model>>,
    /// There are more behind them.
    pub more: bool,
}

/// A rule with what it inherits and where its sweep stands.
#[derive(Clone, Debug)]
pub struct RuleView {
    /// The rule; none where the channel has none.
    pub rule: Option<Arc<vanish_rule::Model>>,
    /// The guild's defaults.
    pub default: Option<vanish_default::Model>,
    /// Both together, where they make a rule.
    pub effective: Option<Effective>,
    /// Where it has work.
    pub places: Vec<vanish_place::Model>,
}

/// How long a rule is held.
#[derive(Clone, Debug)]
pub struct Pause {
    /// End; none lasts until somebody resumes it.
    pub until: Option<DateTime<Utc>>,
    /// Why, at most 200 characters.
    pub reason: Option<String>,
}

fn check_bounds(after_seconds: Option<i64>, keep_last: Option<i32>) -> Result<(), VanishRefusal> {
    if after_seconds.is_some_and(|after| !AFTER_SECONDS.contains(&after)) {
        return Err(VanishRefusal::AfterOutOfBounds);
    }
    if keep_last.is_some_and(|keep| !KEEP_LAST.contains(&keep)) {
        return Err(VanishRefusal::KeepLastOutOfBounds);
    }
    Ok(())
}

struct Write<C> {
    domain: Domain,
    actor: Actor,
    now: DateTime<Utc>,
    change: C,
}

impl<C> Write<C> {
    fn new(domain: &Domain, actor: &Actor, change: C) -> Self {
        Self { domain: domain.clone(), actor: actor.clone(), now: domain.now(), change }
    }

    async fn log(
        &self,
        txn: &WriteTransaction,
        kind: &'static str,
        channel: ChannelId,
        guild: GuildId,
        (before, after): (Value, Value),
    ) -> Result<(), Error> {
        let event = NewEvent {
            kind,
            guild_id: Some(guild),
            subject: subject(channel),
            actor: self.actor.to_string(),
            source: self.actor.source().name(),
            before,
            after,
            at: self.now,
        };
        Ok(txn.append_event(event).await?)
    }
}

/// Sets a channel's lifetime over HTTP. A new rule acts only once Discord has confirmed the channel.
pub async fn set_duration(domain: &Domain, actor: &Actor, new: NewDuration) -> Result<Arc<vanish_rule::Model>, Error> {
    actor.require(Right::ManageVanish(new.channel_id), Some(new.guild_id))?;
    check_bounds(Some(new.after_seconds), None)?;
    let write = Write::new(domain, actor, new);
    domain.store.write(write, |txn, write| Box::pin(upsert_duration(txn, write))).await.map(Arc::new)
}

async fn upsert_duration(txn: &WriteTransaction, write: &Write<NewDuration>) -> Result<vanish_rule::Model, Error> {
    let new = &write.change;
    let before = vanish_rule::Entity::find_by_id(new.channel_id).one(txn.connection()).await?;
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
async fn update<C>(
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
    let may_act = matches!(after.state, RuleState::Active | RuleState::Unconfirmed);
    if may_act && settings_matter_to_sweep(before, &after) {
        wake_place(txn, after.channel_id, write.now).await?;
    }
    if matches!(after.state, RuleState::Paused) {
        rest_places(txn, after.channel_id).await?;
    }
    write.log(txn, kind, after.channel_id, after.guild_id, (rule_settings(before), rule_settings(&after))).await?;
    Ok(after)
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

fn settings_matter_to_sweep(before: &vanish_rule::Model, after: &vanish_rule::Model) -> bool {
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
    let existing = vanish_rule::Entity::find_by_id(new.channel_id).one(txn.connection()).await?;
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
    arm_backlog(txn, write, &rule).await?;
    Ok(rule)
}

/// Behind which message the backlog begins; none where old messages stay.
pub(super) fn backlog_after(backlog: Backlog, now: DateTime<Utc>) -> Option<MessageId> {
    match backlog {
        Backlog::NewOnly => None,
        Backlog::LastFourteenDays => Some(snowflake_at(now - BULK_AGE)),
        Backlog::Everything => Some(first_message()),
    }
}

/// Puts the messages from before this moment under the rule, once the arm delay is over.
async fn arm_backlog(txn: &WriteTransaction, write: &Write<NewRule>, rule: &vanish_rule::Model) -> Result<(), Error> {
    let Some(after) = backlog_after(write.change.backlog, write.now) else { return Ok(()) };
    let delay = TimeDelta::from_std(write.domain.limits.arm_delay).unwrap_or(TimeDelta::minutes(5));
    vanish_place::Entity::update_many()
        .set(vanish_place::ActiveModel {
            backlog_after: Set(Some(after)),
            backlog_until: Set(Some(rule.starts_after)),
            backlog_due_at: Set(Some(write.now + delay)),
            ..Default::default()
        })
        .filter(vanish_place::COLUMN.place_id.eq(rule.channel_id))
        .exec(txn.connection())
        .await?;
    Ok(())
}

/// Lets the old messages stay after all, while they still wait.
pub async fn abort_backlog(domain: &Domain, actor: &Actor, guild: GuildId, channel: ChannelId) -> Result<(), Error> {
    actor.require(Right::ManageVanish(channel), Some(guild))?;
    let write = Write::new(domain, actor, (guild, channel));
    domain.store.write(write, |txn, write| Box::pin(drop_backlog(txn, write))).await
}

async fn drop_backlog(txn: &WriteTransaction, write: &Write<(GuildId, ChannelId)>) -> Result<(), Error> {
    let (guild, channel) = write.change;
    let result = vanish_place::Entity::update_many()
        .set(vanish_place::ActiveModel {
            backlog_after: Set(None),
            backlog_until: Set(None),
            backlog_due_at: Set(None),
            ..Default::default()
        })
        .filter(vanish_place::COLUMN.place_id.eq(channel))
        .filter(vanish_place::COLUMN.guild_id.eq(guild))
        .filter(vanish_place::COLUMN.backlog_due_at.gt(write.now))
        .exec(txn.connection())
        .await?;
    if result.rows_affected == 0 {
        return Err(VanishRefusal::NothingArmed.into());
    }
    write.log(txn, "vanish.backlog_aborted", channel, guild, (Value::Null, Value::Null)).await
}

/// The rule of a channel, from memory where possible.
pub async fn rule(domain: &Domain, actor: &Actor, channel: ChannelId) -> Result<Arc<vanish_rule::Model>, Error> {
    let found = cached(domain, channel).await?;
    let found = (*found).as_ref().map(Clone::clone).map(Arc::new);
    actor.require(Right::ReadVanish, found.as_ref().map(|rule| rule.guild_id))?;
    found.ok_or_else(|| VanishRefusal::NoRule.into())
}

pub(super) async fn cached(domain: &Domain, channel: ChannelId) -> Result<Arc<Option<vanish_rule::Model>>, Error> {
    domain
        .caches
        .vanish_rule
        .get_or_load(channel, async { Ok(vanish_rule::Entity::find_by_id(channel).one(domain.store.reader()).await?) })
        .await
}

/// The rules of a guild, or of all guilds, by channel; whole without a page, up to 10 000.
pub async fn rules(
    domain: &Domain,
    actor: &Actor,
    guild: Option<GuildId>,
    page: Option<PageRequest>,
) -> Result<Rules, Error> {
    actor.require(Right::ReadVanish, guild)?;
    if let (Some(guild), None) = (guild, page) {
        let load = async { Ok(list(domain, Some(guild), PageRequest { limit: LIST_MAX, offset: 0 }).await?) };
        let rows = domain.caches.vanish_rules.get_or_load(guild, load).await?;
        return Ok(Rules { rows, more: false });
    }
    let page = page.unwrap_or(PageRequest { limit: LIST_MAX, offset: 0 });
    let mut rows = list(domain, guild, PageRequest { limit: page.limit + 1, ..page }).await?;
    let limit = usize::try_from(page.limit).unwrap_or(usize::MAX);
    let more = rows.len() > limit;
    rows.truncate(limit);
    Ok(Rules { rows: Arc::new(rows), more })
}

async fn list(
    domain: &Domain,
    guild: Option<GuildId>,
    page: PageRequest,
) -> Result<Vec<vanish_rule::Model>, sea_orm::DbErr> {
    let mut query = vanish_rule::Entity::find();
    if let Some(guild) = guild {
        query = query.filter(vanish_rule::COLUMN.guild_id.eq(guild));
    }
    query
        .order_by_asc(vanish_rule::Column::ChannelId)
        .limit(page.limit)
        .offset(page.offset)
        .all(domain.store.reader())
        .await
}

/// A channel's rule with what it inherits and where its sweep stands.
pub async fn view(domain: &Domain, actor: &Actor, guild: GuildId, channel: ChannelId) -> Result<RuleView, Error> {
    actor.require(Right::ReadVanish, Some(guild))?;
    let rule = (*cached(domain, channel).await?).as_ref().filter(|rule| rule.guild_id == guild).cloned().map(Arc::new);
    let default = vanish_default::Entity::find_by_id(guild).one(domain.store.reader()).await?;
    let zone = guild::time_zone(domain, guild).await?;
    let effective = rule.as_ref().and_then(|rule| Effective::of(rule, default.as_ref(), zone));
    let places = vanish_place::Entity::find()
        .filter(vanish_place::COLUMN.rule_channel_id.eq(channel))
        .filter(vanish_place::COLUMN.guild_id.eq(guild))
        .limit(LIST_MAX)
        .all(domain.store.reader())
        .await?;
    Ok(RuleView { rule, default, effective, places })
}

/// Takes a rule away; says whether there was one.
pub async fn remove(domain: &Domain, actor: &Actor, channel: ChannelId) -> Result<bool, Error> {
    let guild = (*cached(domain, channel).await?).as_ref().map(|rule| rule.guild_id);
    actor.require(Right::ManageVanish(channel), guild)?;
    let write = Write::new(domain, actor, channel);
    domain.store.write(write, |txn, write| Box::pin(delete(txn, write))).await
}

async fn delete(txn: &WriteTransaction, write: &Write<ChannelId>) -> Result<bool, Error> {
    let channel = write.change;
    let Some(before) = vanish_rule::Entity::find_by_id(channel).one(txn.connection()).await? else {
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

/// Adds what another bot has deleted to a rule's counter; returns the new count.
pub async fn add_deleted(domain: &Domain, actor: &Actor, channel: ChannelId, count: i64) -> Result<i64, Error> {
    let guild = (*cached(domain, channel).await?).as_ref().map(|rule| rule.guild_id);
    actor.require(Right::ManageVanish(channel), guild)?;
    if count <= 0 {
        return Err(VanishRefusal::BadCount.into());
    }
    let write = Write::new(domain, actor, (channel, count));
    domain
        .store
        .write(write, |txn, write| {
            Box::pin(async move {
                let (channel, count) = write.change;
                let rule = count_deleted(txn, channel, count, write.now).await?.ok_or(VanishRefusal::NoRule)?;
                let change = (Value::Null, serde_json::json!({ "deleted": count, "total": rule.messages_deleted }));
                write.log(txn, "vanish.counted", channel, rule.guild_id, change).await?;
                Ok(rule.messages_deleted)
            })
        })
        .await
}

/// Adds to the counter in one statement, so that no parallel addition is lost (the peer's defect 4).
pub(super) async fn count_deleted(
    txn: &WriteTransaction,
    channel: ChannelId,
    count: i64,
    now: DateTime<Utc>,
) -> Result<Option<vanish_rule::Model>, Error> {
    let mut updated = vanish_rule::Entity::update_many()
        .col_expr(vanish_rule::Column::MessagesDeleted, Expr::col(vanish_rule::Column::MessagesDeleted).add(count))
        .col_expr(vanish_rule::Column::LastDeletion, Expr::value(now))
        .col_expr(vanish_rule::Column::UpdatedAt, Expr::value(now))
        .filter(vanish_rule::COLUMN.channel_id.eq(channel))
        // The counter stops at the top instead of failing.
        .filter(vanish_rule::COLUMN.messages_deleted.lte(i64::MAX - count))
        .exec_with_returning(txn.connection())
        .await?;
    Ok(updated.pop())
}

/// Holds a rule.
pub async fn pause(
    domain: &Domain,
    actor: &Actor,
    guild: GuildId,
    channel: ChannelId,
    pause: Pause,
) -> Result<Arc<vanish_rule::Model>, Error> {
    actor.require(Right::ManageVanish(channel), Some(guild))?;
    if pause.until.is_some_and(|until| until <= domain.now()) {
        return Err(VanishRefusal::TimePassed.into());
    }
    if pause.reason.as_ref().is_some_and(|reason| reason.chars().count() > REASON_MAX) {
        return Err(CommonRefusal::BadText { what: "The reason", max: REASON_MAX }.into());
    }
    let write = Write::new(domain, actor, (guild, channel, pause));
    domain
        .store
        .write(write, |txn, write| {
            Box::pin(async move {
                let (guild, channel, pause) = &write.change;
                let before = of_guild(txn.connection(), *guild, *channel).await?;
                let after = vanish_rule::Model {
                    state: RuleState::Paused,
                    paused_until: pause.until,
                    problem: pause.reason.clone(),
                    ..before.clone()
                };
                update(txn, write, "vanish.paused", &before, after).await
            })
        })
        .await
        .map(Arc::new)
}

/// Lets a paused or suspended rule act again.
pub async fn resume(
    domain: &Domain,
    actor: &Actor,
    guild: GuildId,
    channel: ChannelId,
) -> Result<Arc<vanish_rule::Model>, Error> {
    actor.require(Right::ManageVanish(channel), Some(guild))?;
    let write = Write::new(domain, actor, (guild, channel));
    domain
        .store
        .write(write, |txn, write| {
            Box::pin(async move {
                let (guild, channel) = write.change;
                let before = of_guild(txn.connection(), guild, channel).await?;
                reactivate(txn, write, before).await
            })
        })
        .await
        .map(Arc::new)
}

async fn reactivate<C>(
    txn: &WriteTransaction,
    write: &Write<C>,
    before: vanish_rule::Model,
) -> Result<vanish_rule::Model, Error> {
    if !matches!(before.state, RuleState::Paused | RuleState::Suspended) {
        return Err(VanishRefusal::NotPaused.into());
    }
    // A pause is no way around Discord's word.
    let state = if before.confirmed_at.is_some() { RuleState::Active } else { RuleState::Unconfirmed };
    let after = vanish_rule::Model { state, paused_until: None, problem: None, ..before.clone() };
    update(txn, write, "vanish.resumed", &before, after).await
}

/// Ends the pauses whose time is over, at most `limit`; returns how many.
pub(super) async fn resume_due(domain: &Domain, limit: u64) -> Result<usize, Error> {
    let due = vanish_rule::Entity::find()
        .filter(vanish_rule::COLUMN.state.eq(RuleState::Paused))
        .filter(vanish_rule::COLUMN.paused_until.lte(domain.now()))
        .limit(limit)
        .all(domain.store.reader())
        .await?;
    let count = due.len();
    for rule in due {
        match resume(domain, &Actor::System, rule.guild_id, rule.channel_id).await {
            // Somebody was faster.
            Err(error) if error.code().is_none() => return Err(error),
            _ => {}
        }
    }
    Ok(count)
}

/// Sweeps a channel at once: what is old enough goes now, whatever the schedule's hour.
pub async fn run_now(domain: &Domain, actor: &Actor, guild: GuildId, channel: ChannelId) -> Result<(), Error> {
    actor.require(Right::ManageVanish(channel), Some(guild))?;
    let write = Write::new(domain, actor, (guild, channel));
    domain
        .store
        .write(write, |txn, write| {
            Box::pin(async move {
                let (guild, channel) = write.change;
                let rule = of_guild(txn.connection(), guild, channel).await?;
                if matches!(rule.state, RuleState::Paused | RuleState::Suspended) {
                    return Err(VanishRefusal::Held.into());
                }
                wake_place(txn, channel, write.now).await?;
                vanish_place::Entity::update_many()
                    .col_expr(vanish_place::Column::IgnoreSchedule, Expr::value(true))
                    .filter(vanish_place::COLUMN.rule_channel_id.eq(channel))
                    .exec(txn.connection())
                    .await?;
                let change = (Value::Null, Value::Null);
                write.log(txn, "vanish.run_requested", channel, rule.guild_id, change).await
            })
        })
        .await
}

async fn of_guild(
    connection: &impl ConnectionTrait,
    guild: GuildId,
    channel: ChannelId,
) -> Result<vanish_rule::Model, Error> {
    vanish_rule::Entity::find_by_id(channel)
        .filter(vanish_rule::COLUMN.guild_id.eq(guild))
        .one(connection)
        .await?
        .ok_or_else(|| VanishRefusal::NoRule.into())
}
