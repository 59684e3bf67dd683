//! Holding rules, letting them go on, and sweeping at once.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use entity::{
    id::{ChannelId, GuildId},
    vanish_place,
    vanish_rule::{self, RuleState},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect, sea_query::Expr};
use serde_json::Value;

use super::{
    REASON_MAX, VanishRefusal,
    rule::{Write, locked, update, wake_place},
};
use crate::{
    domain::{Actor, Domain, Error, Right, error::CommonRefusal},
    store::WriteTransaction,
};

/// How long a rule is held.
#[derive(Clone, Debug)]
pub struct Pause {
    /// End; none lasts until somebody resumes it.
    pub until: Option<DateTime<Utc>>,
    /// Why, at most 200 characters.
    pub reason: Option<String>,
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
                let before = of_guild(txn, *guild, *channel).await?;
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
                let before = of_guild(txn, guild, channel).await?;
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
                let rule = of_guild(txn, guild, channel).await?;
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

async fn of_guild(txn: &WriteTransaction, guild: GuildId, channel: ChannelId) -> Result<vanish_rule::Model, Error> {
    let rule = locked(txn, channel).await?.filter(|rule| rule.guild_id == guild);
    rule.ok_or_else(|| VanishRefusal::NoRule.into())
}
