//! Vanish rules, defaults and exemptions as history and files hold them, and how they are brought back.

mod default;

use std::fmt;

use chrono::{DateTime, Utc};
use entity::{
    id::{ChannelId, GuildId, MessageId},
    vanish_exemption::{self, ExemptionKind},
    vanish_place,
    vanish_rule::{self, Pins, RuleState, Schedule, Threads},
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, ExprTrait, IntoActiveModel,
    QueryFilter, QuerySelect, QueryTrait, TryInsertResult, sea_query::Expr,
};
use serde::Deserialize;
use serde_json::{Value, json};

pub(super) use default::{DefaultConfig, present_default, restore_default};

use super::{
    HistoryRefusal,
    subject::{Hold, Scope},
};
use crate::{
    domain::{
        Error,
        event::{spelled, unspelled},
        guild, vanish,
    },
    store::WriteTransaction,
};

/// What people decide about a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RuleSettings {
    pub(super) after_seconds: Option<i64>,
    pub(super) keep_last: Option<i32>,
    pub(super) schedule: Schedule,
    pub(super) at_minute: Option<i32>,
    pub(super) pins: Option<Pins>,
    pub(super) threads: Option<Threads>,
    pub(super) paused: bool,
    pub(super) paused_until: Option<DateTime<Utc>>,
}

/// A rule, and whether Discord once confirmed that its channel is the guild's.
#[derive(Clone, Debug)]
pub(super) struct RuleConfig {
    pub(super) settings: RuleSettings,
    pub(super) confirmed: bool,
}

/// Nobody decides about a confirmation, so that it makes no difference.
impl PartialEq for RuleConfig {
    fn eq(&self, other: &Self) -> bool {
        self.settings == other.settings
    }
}

impl Eq for RuleConfig {}

#[derive(Deserialize)]
struct RuleSpelling {
    after_seconds: Option<i64>,
    keep_last: Option<i32>,
    schedule: String,
    at_minute: Option<i32>,
    pins: Option<String>,
    threads: Option<String>,
    state: String,
    paused_until: Option<DateTime<Utc>>,
}

impl RuleConfig {
    pub(super) fn of_row(row: &vanish_rule::Model) -> Self {
        let paused = row.state == RuleState::Paused;
        Self {
            settings: RuleSettings {
                after_seconds: row.after_seconds,
                keep_last: row.keep_last,
                schedule: row.schedule,
                at_minute: row.at_minute,
                pins: row.pins,
                threads: row.threads,
                paused,
                paused_until: row.paused_until.filter(|_| paused),
            },
            confirmed: row.state != RuleState::Unconfirmed,
        }
    }

    pub(super) fn of_json(value: &Value) -> Result<Option<Self>, serde_json::Error> {
        let Some(rule) = Option::<RuleSpelling>::deserialize(value)? else {
            return Ok(None);
        };
        let paused = rule.state == "paused";
        Ok(Some(Self {
            settings: RuleSettings {
                after_seconds: rule.after_seconds,
                keep_last: rule.keep_last,
                schedule: unspelled(&rule.schedule).unwrap_or(Schedule::Rolling),
                at_minute: rule.at_minute,
                pins: rule.pins.as_deref().and_then(unspelled),
                threads: rule.threads.as_deref().and_then(unspelled),
                paused,
                paused_until: rule.paused_until.filter(|_| paused),
            },
            confirmed: rule.state != "unconfirmed",
        }))
    }

    pub(super) fn to_json(&self, guild_id: GuildId, channel_id: ChannelId) -> Value {
        let row = self.row(guild_id, channel_id, DateTime::UNIX_EPOCH);
        vanish::rule_settings(&row)
    }

    /// The row of a rule that begins at a moment.
    fn row(&self, guild_id: GuildId, channel_id: ChannelId, now: DateTime<Utc>) -> vanish_rule::Model {
        let settings = &self.settings;
        vanish_rule::Model {
            channel_id,
            guild_id,
            after_seconds: settings.after_seconds,
            keep_last: settings.keep_last,
            schedule: settings.schedule,
            at_minute: settings.at_minute,
            pins: settings.pins,
            threads: settings.threads,
            state: match (settings.paused, self.confirmed) {
                (true, _) => RuleState::Paused,
                (false, true) => RuleState::Active,
                (false, false) => RuleState::Unconfirmed,
            },
            confirmed_at: self.confirmed.then_some(now),
            problem: None,
            paused_until: settings.paused_until,
            starts_after: before_messages_of(now),
            messages_deleted: 0,
            last_deletion: None,
            revision: 1,
            created_at: now,
            updated_at: now,
        }
    }
}

/// The id before every message sent from a moment on; the smallest id before Discord's epoch.
fn before_messages_of(now: DateTime<Utc>) -> MessageId {
    let first = MessageId::at_milliseconds(now.timestamp_millis()).map_or(2, MessageId::get);
    MessageId::new(first - 1).unwrap_or_else(|| MessageId::new(1).expect("one is not zero"))
}

/// Which exemption; zero stands for all, as in the row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ExemptionKey {
    pub(super) channel_bits: i64,
    pub(super) kind: ExemptionKind,
    pub(super) target_bits: i64,
}

impl ExemptionKey {
    /// Reads `<channel or all>/<kind>/<target or all>`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('/');
        let bits = |text: &str| match text {
            "all" => Some(0),
            id => id.parse::<ChannelId>().ok().map(|id| id.get().cast_signed()),
        };
        let channel_bits = bits(parts.next()?)?;
        let kind = unspelled(parts.next()?)?;
        let target_bits = bits(parts.next()?)?;
        parts.next().is_none().then_some(Self { channel_bits, kind, target_bits })
    }

    pub(super) fn to_json(self, guild_id: GuildId) -> Value {
        let id = |bits: i64| (bits != 0).then(|| bits.cast_unsigned().to_string());
        json!({
            "guild_id": guild_id,
            "channel_id": id(self.channel_bits),
            "kind": spelled(self.kind),
            "target_id": id(self.target_bits),
        })
    }
}

impl fmt::Display for ExemptionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let or_all = |bits: i64| match bits {
            0 => "all".to_owned(),
            bits => bits.cast_unsigned().to_string(),
        };
        write!(f, "{}/{}/{}", or_all(self.channel_bits), spelled(self.kind), or_all(self.target_bits))
    }
}

pub(super) async fn present_rule(
    connection: &impl ConnectionTrait,
    guild_id: GuildId,
    channel_id: ChannelId,
    hold: Hold,
) -> Result<Option<RuleConfig>, DbErr> {
    let row = vanish_rule::Entity::find_by_id(channel_id).filter(vanish_rule::COLUMN.guild_id.eq(guild_id));
    Ok(hold.on(row).one(connection).await?.as_ref().map(RuleConfig::of_row))
}

pub(super) async fn is_exempt(
    connection: &impl ConnectionTrait,
    guild_id: GuildId,
    key: ExemptionKey,
) -> Result<bool, DbErr> {
    let id = (guild_id, key.channel_bits, key.kind, key.target_bits);
    Ok(vanish_exemption::Entity::find_by_id(id).one(connection).await?.is_some())
}

/// Brings a rule to its settings, or takes it away.
pub(super) async fn restore_rule(
    txn: &WriteTransaction,
    scope: &Scope,
    channel_id: ChannelId,
    wanted: Option<&RuleConfig>,
) -> Result<(), Error> {
    let row = vanish_rule::Entity::find_by_id(channel_id).lock_exclusive().one(txn.connection()).await?;
    if row.as_ref().is_some_and(|row| row.guild_id != scope.guild_id) {
        return Err(HistoryRefusal::OtherGuildRule { channel: channel_id.to_string() }.into());
    }
    let before = row.as_ref().map_or(Value::Null, vanish::rule_settings);
    let (kind, after) = match (row, wanted) {
        (None, None) => return Ok(()),
        (Some(_), None) => {
            vanish_rule::Entity::delete_by_id(channel_id).exec(txn.connection()).await?;
            ("vanish.rule_removed", Value::Null)
        }
        (Some(row), Some(wanted)) => {
            let row = update_rule(txn, scope, row, wanted).await?;
            ("vanish.rule_set", vanish::rule_settings(&row))
        }
        (None, Some(wanted)) => {
            let row = wanted.row(scope.guild_id, channel_id, scope.author.at());
            insert_rule(txn, scope, &row).await?;
            ("vanish.rule_set", vanish::rule_settings(&row))
        }
    };
    let subject = format!("vanish/{channel_id}");
    let event = scope.author.event(kind, scope.guild_id, subject, (before, after));
    Ok(txn.append_event(event).await?)
}

async fn update_rule(
    txn: &WriteTransaction,
    scope: &Scope,
    row: vanish_rule::Model,
    wanted: &RuleConfig,
) -> Result<vanish_rule::Model, Error> {
    let target = wanted.row(row.guild_id, row.channel_id, scope.author.at());
    let state = match (target.state, row.state) {
        (RuleState::Paused, _) | (_, RuleState::Paused) => target.state,
        // What holds a rule that nobody paused is not a setting, and stays true.
        (_, held) => held,
    };
    let row = vanish_rule::Model {
        after_seconds: target.after_seconds,
        keep_last: target.keep_last,
        schedule: target.schedule,
        at_minute: target.at_minute,
        pins: target.pins,
        threads: target.threads,
        paused_until: target.paused_until,
        problem: row.problem.filter(|_| state == row.state),
        state,
        revision: row.revision + 1,
        updated_at: scope.author.at(),
        ..row
    };
    let changed = vanish_rule::ActiveModel {
        after_seconds: Set(row.after_seconds),
        keep_last: Set(row.keep_last),
        schedule: Set(row.schedule),
        at_minute: Set(row.at_minute),
        pins: Set(row.pins),
        threads: Set(row.threads),
        paused_until: Set(row.paused_until),
        problem: Set(row.problem.clone()),
        state: Set(row.state),
        revision: Set(row.revision),
        updated_at: Set(row.updated_at),
        ..Default::default()
    };
    let updated = vanish_rule::Entity::update_many()
        .set(changed)
        .filter(vanish_rule::COLUMN.channel_id.eq(row.channel_id))
        .filter(vanish_rule::COLUMN.revision.eq(row.revision - 1))
        .exec(txn.connection())
        .await?;
    if updated.rows_affected == 0 {
        return Err(DbErr::RecordNotUpdated.into());
    }
    let due = matches!(row.state, RuleState::Active | RuleState::Unconfirmed).then(|| scope.author.at());
    vanish_place::Entity::update_many()
        .col_expr(vanish_place::Column::DueAt, Expr::value(due))
        .filter(vanish_place::COLUMN.rule_channel_id.eq(row.channel_id))
        .exec(txn.connection())
        .await?;
    Ok(row)
}

async fn insert_rule(txn: &WriteTransaction, scope: &Scope, row: &vanish_rule::Model) -> Result<(), Error> {
    let now = scope.author.at();
    guild::ensure(txn, row.guild_id, now).await?;
    let inserted = vanish_rule::Entity::insert(row.clone().into_active_model().reset_all())
        .on_conflict_do_nothing()
        .exec_without_returning(txn.connection())
        .await?;
    if !matches!(inserted, TryInsertResult::Inserted(1..)) {
        return Err(HistoryRefusal::OtherGuildRule { channel: row.channel_id.to_string() }.into());
    }
    let place = vanish_place::Model {
        place_id: row.channel_id,
        rule_channel_id: row.channel_id,
        guild_id: row.guild_id,
        cursor: row.starts_after,
        passed_over: None,
        due_at: (row.state != RuleState::Paused).then_some(now),
        backlog_after: None,
        backlog_until: None,
        backlog_due_at: None,
        ignore_schedule: false,
        leased_until: None,
        attempts: 0,
    };
    vanish_place::Entity::insert(place.into_active_model().reset_all())
        .on_conflict_do_nothing()
        .exec_without_returning(txn.connection())
        .await?;
    Ok(())
}

/// Adds an exemption, or takes it away; what it spared so far is then looked at again.
pub(super) async fn restore_exemption(
    txn: &WriteTransaction,
    scope: &Scope,
    key: ExemptionKey,
    exempt: bool,
) -> Result<(), Error> {
    let guild_id = scope.guild_id;
    let changed = if exempt {
        guild::ensure(txn, guild_id, scope.author.at()).await?;
        let row = vanish_exemption::ActiveModel {
            guild_id: Set(guild_id),
            channel_bits: Set(key.channel_bits),
            kind: Set(key.kind),
            target_bits: Set(key.target_bits),
            created_at: Set(scope.author.at()),
        };
        let inserted = vanish_exemption::Entity::insert(row)
            .on_conflict_do_nothing()
            .exec_without_returning(txn.connection())
            .await?;
        matches!(inserted, TryInsertResult::Inserted(1..))
    } else {
        let id = (guild_id, key.channel_bits, key.kind, key.target_bits);
        let deleted = vanish_exemption::Entity::delete_by_id(id).exec(txn.connection()).await?;
        deleted.rows_affected > 0
    };
    if !changed {
        return Ok(());
    }
    if !exempt {
        go_back_to_passed_over(txn, guild_id).await?;
        wake_guild(txn, scope).await?;
    }
    let (kind, change) = if exempt {
        ("vanish.exemption_added", (Value::Null, key.to_json(guild_id)))
    } else {
        ("vanish.exemption_removed", (key.to_json(guild_id), Value::Null))
    };
    let subject = format!("vanish_exemption/{guild_id}/{key}");
    let event = scope.author.event(kind, guild_id, subject, change);
    Ok(txn.append_event(event).await?)
}

/// Sets the guild's sweeps back to the first message that they passed over.
async fn go_back_to_passed_over(txn: &WriteTransaction, guild_id: GuildId) -> Result<(), DbErr> {
    use vanish_place::Column as C;
    vanish_place::Entity::update_many()
        .col_expr(C::Cursor, Expr::col(C::PassedOver).sub(1))
        .filter(vanish_place::COLUMN.guild_id.eq(guild_id))
        .filter(vanish_place::COLUMN.passed_over.is_not_null())
        .filter(Expr::col(C::PassedOver).lte(Expr::col(C::Cursor)))
        .exec(txn.connection())
        .await?;
    Ok(())
}

/// Makes the engine look at every place of the guild whose rule may act.
async fn wake_guild(txn: &WriteTransaction, scope: &Scope) -> Result<(), DbErr> {
    let acting = vanish_rule::Entity::find()
        .select_only()
        .column(vanish_rule::Column::ChannelId)
        .filter(vanish_rule::COLUMN.guild_id.eq(scope.guild_id))
        .filter(vanish_rule::COLUMN.state.is_in([RuleState::Active, RuleState::Unconfirmed]))
        .into_query();
    vanish_place::Entity::update_many()
        .col_expr(vanish_place::Column::DueAt, Expr::value(Some(scope.author.at())))
        .filter(vanish_place::Column::RuleChannelId.in_subquery(acting))
        .exec(txn.connection())
        .await?;
    Ok(())
}
