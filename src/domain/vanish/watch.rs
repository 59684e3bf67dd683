//! What happens in Discord, as the engine must know it: messages, pins, threads, channels, permissions.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use entity::{
    id::{ChannelId, GuildId, MessageId},
    vanish_default, vanish_message, vanish_own, vanish_place,
    vanish_rule::{self, RuleState},
};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, ExprTrait, IntoActiveModel, QueryFilter, QuerySelect,
    sea_query::{Expr, OnConflict},
};

use super::{
    hold::resume,
    read::cached,
    rule::remove,
    sweep::{earlier_of_due_and, effective_at},
};
use crate::{
    domain::{Actor, Domain, Error, cache::PlaceHint, guild},
    store::WriteTransaction,
};

/// The newest message of a channel or thread.
#[derive(Clone, Copy, Debug)]
pub struct LastMessage {
    /// The channel or thread.
    pub place_id: ChannelId,
    /// Its newest message.
    pub message_id: MessageId,
}

/// A message was sent. Costs no write while the place already knows when to look.
pub async fn note_message(domain: &Domain, place_id: ChannelId, message: MessageId) -> Result<(), Error> {
    let hint = domain.caches.places.get_or_load(place_id, load_hint(domain, place_id)).await?;
    let Some(hint) = hint.as_ref() else { return Ok(()) };
    let window = hint.effective.window(domain.widening());
    let due_at = if hint.effective.keep_last.is_some() {
        domain.discord_now() + window
    } else {
        hint.effective.due_at(super::plan::sent_at(message)) + window
    };
    if hint.due_at.is_some_and(|known| known <= due_at) {
        return Ok(());
    }
    domain
        .store
        .write((place_id, due_at), |txn, (place_id, due_at)| {
            Box::pin(async move {
                vanish_place::Entity::update_many()
                    .col_expr(vanish_place::Column::DueAt, earlier_of_due_and(*due_at))
                    .filter(vanish_place::COLUMN.place_id.eq(*place_id))
                    .exec(txn.connection())
                    .await?;
                Ok::<_, Error>(())
            })
        })
        .await?;
    domain.caches.places.forget(&place_id);
    Ok(())
}

async fn load_hint(domain: &Domain, place_id: ChannelId) -> Result<Option<PlaceHint>, Error> {
    let found = vanish_place::Entity::find_by_id(place_id)
        .find_also_related(vanish_rule::Entity)
        .one(domain.store.reader())
        .await?;
    let Some((place, Some(rule))) = found else { return Ok(None) };
    if rule.state != RuleState::Active {
        return Ok(None);
    }
    let default = vanish_default::Entity::find_by_id(rule.guild_id).one(domain.store.reader()).await?;
    let zone = guild::time_zone(domain, rule.guild_id).await?;
    Ok(effective_at(&rule, default.as_ref(), zone, &place)
        .map(|effective| PlaceHint { effective, due_at: place.due_at }))
}

/// Pins changed: what was passed over because of a pin may be due now.
pub async fn note_pins_changed(domain: &Domain, place_id: ChannelId) -> Result<(), Error> {
    let hint = domain.caches.places.get_or_load(place_id, load_hint(domain, place_id)).await?;
    if hint.is_none() {
        return Ok(());
    }
    let now = domain.discord_now();
    domain
        .store
        .write((place_id, now), |txn, (place_id, now)| {
            Box::pin(async move {
                rescan(txn, *place_id).await?;
                wake_one(txn, *place_id, *now + TimeDelta::seconds(5)).await
            })
        })
        .await?;
    domain.caches.places.forget(&place_id);
    Ok(())
}

async fn wake_one(txn: &WriteTransaction, place_id: ChannelId, at: DateTime<Utc>) -> Result<(), Error> {
    vanish_place::Entity::update_many()
        .col_expr(vanish_place::Column::DueAt, earlier_of_due_and(at))
        .filter(vanish_place::COLUMN.place_id.eq(place_id))
        .exec(txn.connection())
        .await?;
    Ok(())
}

/// Sets the cursors of a channel and its threads back to before what was passed over.
pub(super) async fn rescan(txn: &WriteTransaction, channel: ChannelId) -> Result<(), Error> {
    let places = Condition::any()
        .add(vanish_place::COLUMN.place_id.eq(channel))
        .add(vanish_place::COLUMN.rule_channel_id.eq(channel));
    rescan_where(txn, places).await
}

/// The same for a whole guild, whose places are then looked at.
pub(super) async fn rescan_guild(txn: &WriteTransaction, guild: GuildId, now: DateTime<Utc>) -> Result<(), Error> {
    rescan_where(txn, Condition::all().add(vanish_place::COLUMN.guild_id.eq(guild))).await?;
    vanish_place::Entity::update_many()
        .col_expr(vanish_place::Column::DueAt, earlier_of_due_and(now))
        .filter(vanish_place::COLUMN.guild_id.eq(guild))
        .exec(txn.connection())
        .await?;
    Ok(())
}

async fn rescan_where(txn: &WriteTransaction, places: Condition) -> Result<(), Error> {
    use vanish_place::Column as C;
    vanish_place::Entity::update_many()
        .col_expr(C::Cursor, Expr::col(C::PassedOver).sub(1))
        .filter(places)
        .filter(vanish_place::COLUMN.passed_over.is_not_null())
        .filter(Expr::col(C::PassedOver).lte(Expr::col(C::Cursor)))
        .exec(txn.connection())
        .await?;
    Ok(())
}

/// A kept message is released: look again from there.
pub(super) async fn rescan_from(
    txn: &WriteTransaction,
    place_id: ChannelId,
    message: MessageId,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let before = MessageId::new(message.get() - 1).unwrap_or(message);
    vanish_place::Entity::update_many()
        .col_expr(vanish_place::Column::Cursor, Expr::value(before))
        .filter(vanish_place::COLUMN.place_id.eq(place_id))
        .filter(vanish_place::COLUMN.cursor.gte(message))
        .exec(txn.connection())
        .await?;
    wake_one(txn, place_id, now).await
}

/// A thread under a channel was made, found or woken: it gets a place of its own where the rule reaches threads.
pub async fn note_thread(domain: &Domain, parent: ChannelId, thread: ChannelId) -> Result<(), Error> {
    let rule = cached(domain, parent).await?;
    let Some(rule) = rule.as_ref() else { return Ok(()) };
    let place = vanish_place::Model {
        place_id: thread,
        rule_channel_id: parent,
        guild_id: rule.guild_id,
        cursor: rule.starts_after,
        passed_over: None,
        due_at: Some(domain.discord_now()),
        backlog_after: None,
        backlog_until: None,
        backlog_due_at: None,
        ignore_schedule: false,
        leased_until: None,
        attempts: 0,
    };
    domain
        .store
        .write(place, |txn, place| {
            Box::pin(async move {
                // A rule that was removed meanwhile refuses the row by its foreign key.
                let known = vanish_rule::Entity::find_by_id(place.rule_channel_id).one(txn.connection()).await?;
                if known.is_none() {
                    return Ok(());
                }
                vanish_place::Entity::insert(place.clone().into_active_model())
                    .on_conflict(
                        OnConflict::column(vanish_place::Column::PlaceId)
                            .update_column(vanish_place::Column::DueAt)
                            .to_owned(),
                    )
                    .exec_without_returning(txn.connection())
                    .await?;
                Ok::<_, Error>(())
            })
        })
        .await?;
    domain.caches.places.forget(&thread);
    Ok(())
}

/// A channel or thread was deleted: its rule, its place, its marked messages and the times chosen there go.
pub async fn channel_gone(domain: &Domain, channel: ChannelId) -> Result<(), Error> {
    match remove(domain, &Actor::System, channel).await {
        Err(error) if error.code().is_none() => return Err(error),
        _ => {}
    }
    domain
        .store
        .write(channel, |txn, channel| {
            Box::pin(async move {
                vanish_place::Entity::delete_by_id(*channel).exec(txn.connection()).await?;
                vanish_message::Entity::delete_many()
                    .filter(vanish_message::COLUMN.channel_id.eq(*channel))
                    .exec(txn.connection())
                    .await?;
                vanish_own::Entity::delete_many()
                    .filter(vanish_own::COLUMN.channel_bits.eq(channel.get().cast_signed()))
                    .exec(txn.connection())
                    .await?;
                Ok(())
            })
        })
        .await
}

/// The channels of a guild whose rules are held because a permission is missing.
pub async fn suspended(domain: &Domain, guild: GuildId) -> Result<Vec<ChannelId>, Error> {
    Ok(vanish_rule::Entity::find()
        .filter(vanish_rule::COLUMN.guild_id.eq(guild))
        .filter(vanish_rule::COLUMN.state.eq(RuleState::Suspended))
        .select_only()
        .column(vanish_rule::Column::ChannelId)
        .into_tuple()
        .all(domain.store.reader())
        .await?)
}

/// The bot may do again what a suspended rule needs.
pub async fn channel_restored(domain: &Domain, guild: GuildId, channel: ChannelId) -> Result<(), Error> {
    match resume(domain, &Actor::System, guild, channel).await {
        Err(error) if error.code().is_none() => Err(error),
        _ => Ok(()),
    }
}

/// A guild is seen anew: places that miss the newest message are looked at; rules waiting for Discord too.
pub async fn guild_seen(domain: &Domain, guild: GuildId, newest: &[LastMessage]) -> Result<(), Error> {
    let newest: HashMap<_, _> = newest.iter().map(|last| (last.place_id, last.message_id)).collect();
    let places = vanish_place::Entity::find()
        .filter(vanish_place::COLUMN.guild_id.eq(guild))
        .filter(vanish_place::COLUMN.due_at.is_null())
        .all(domain.store.reader())
        .await?;
    let behind: Vec<ChannelId> = places
        .iter()
        .filter(|place| newest.get(&place.place_id).is_some_and(|message| *message > place.cursor))
        .map(|place| place.place_id)
        .collect();
    let unconfirmed = vanish_rule::Entity::find()
        .filter(vanish_rule::COLUMN.guild_id.eq(guild))
        .filter(vanish_rule::COLUMN.state.eq(RuleState::Unconfirmed))
        .all(domain.store.reader())
        .await?;
    let wake: Vec<ChannelId> = behind.into_iter().chain(unconfirmed.iter().map(|rule| rule.channel_id)).collect();
    if wake.is_empty() {
        return Ok(());
    }
    let input = (wake.clone(), domain.discord_now());
    domain
        .store
        .write(input, |txn, (wake, now)| {
            Box::pin(async move {
                for place_id in wake {
                    wake_one(txn, *place_id, *now).await?;
                }
                Ok::<_, Error>(())
            })
        })
        .await?;
    for place_id in &wake {
        domain.caches.places.forget(place_id);
    }
    Ok(())
}

/// Measures how many calls per second the rules plan, two for each window of a place that has messages, and widens
/// the windows so that the plan stays under the operator's limit. Returns the factor, at least 1.
pub async fn planned_widening(domain: &Domain) -> Result<f64, Error> {
    let rows: Vec<(Option<i64>, i64)> = vanish_place::Entity::find()
        .inner_join(vanish_rule::Entity)
        .filter(vanish_place::COLUMN.due_at.is_not_null())
        .filter(vanish_rule::COLUMN.state.eq(RuleState::Active))
        .select_only()
        .column_as(vanish_rule::Column::AfterSeconds, "after_seconds")
        .column_as(ColumnTrait::count(&vanish_place::Column::PlaceId), "places")
        .group_by(vanish_rule::Column::AfterSeconds)
        .into_tuple()
        .all(domain.store.reader())
        .await?;
    #[expect(clippy::cast_precision_loss, reason = "counts of channels")]
    let planned: f64 = rows
        .iter()
        .map(|(after, places)| {
            let window = (after.unwrap_or(0) / 100).clamp(5, 300);
            2.0 * *places as f64 / window as f64
        })
        .sum();
    let most = f64::from(Ord::max(domain.limits.sweep_calls_per_second_max, 1));
    let factor = f64::max(planned / most, 1.0);
    domain.set_widening(factor);
    Ok(factor)
}
