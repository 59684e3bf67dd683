//! The engine's book-keeping: which channels to look at, and what came of it.
//!
//! A place (channel or thread) is claimed under a lease, swept by a worker, and settled. Between claim and settle a
//! new message may set the next look; a lease that ends without a settlement makes the place due again.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use entity::{
    id::{ChannelId, GuildId, MessageId},
    vanish_default,
    vanish_exemption::{self, ExemptionKind},
    vanish_message::{self, Fate},
    vanish_place,
    vanish_rule::{self, RuleState, Threads},
};
use sea_orm::{
    ColumnTrait, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, LockBehavior, LockType, Query},
};
use serde_json::json;

use super::{
    counter, hold,
    plan::{Exemptions, Judge},
    rule,
    schedule::Effective,
};
use crate::{
    domain::{Actor, Domain, Error, guild},
    store::{NewEvent, WriteTransaction},
};

/// How long a worker may take over one place, in seconds.
const LEASE_SECONDS: i64 = 120;
/// Until an armed backlog is looked at again in a guild that the bot is not in, in seconds.
const ABSENT_SECONDS: i64 = 300;
/// Most messages of a place with a fate of their own.
const KEPT_MAX: u64 = 10_000;
/// Longest pause between two tries, as a power of two of five seconds.
const BACKOFF_POWER_MAX: i32 = 6;

/// A place under lease.
#[derive(Clone, Debug)]
pub struct Claim {
    /// The place as it was claimed.
    pub place: vanish_place::Model,
    /// Its rule.
    pub rule: vanish_rule::Model,
    /// The rule with defaults; none where no age is named, so that nothing can be due.
    pub effective: Option<Effective>,
    /// Messages after the cursor are to be looked at.
    pub newest_due: bool,
    /// The armed backlog is to be looked at.
    pub backlog_due: bool,
    /// The bot is in the guild; elsewhere every call would be refused.
    pub is_member: bool,
    lease: DateTime<Utc>,
}

/// Why a sweep stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problem {
    /// The bot may not do there what it must; holds the missing permission's name.
    Permission(&'static str),
    /// The channel or thread no longer exists.
    Gone,
    /// An archived thread, or a forum, which holds no messages itself: left alone until something happens there.
    Resting,
    /// Discord does not answer well; try again after this long, at least.
    Transient(TimeDelta),
}

/// What came of a claim.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Everything up to here is decided.
    pub cursor: Option<MessageId>,
    /// Oldest message that stays for a reason that may end.
    pub passed_over: Option<MessageId>,
    /// When to look next; none until a message arrives.
    pub next_look: Option<DateTime<Utc>>,
    /// How far the backlog has come, and when it goes on; `None` inside ends it.
    pub backlog: Option<Option<(MessageId, DateTime<Utc>)>>,
    /// Messages that are gone.
    pub deleted: i64,
    /// Why it stopped early.
    pub problem: Option<Problem>,
}

/// What Discord says of a channel.
#[derive(Clone, Copy, Debug)]
pub struct ChannelFacts {
    /// The guild it belongs to.
    pub guild_id: Option<GuildId>,
}

/// Leases the places whose time has come, the longest overdue first.
pub async fn claim_due(domain: &Domain, limit: u64) -> Result<Vec<Claim>, Error> {
    hold::resume_due(domain, limit).await?;
    let now = domain.discord_now();
    // Looking costs no write: most ticks find nothing.
    if !anything_due(domain, now).await? {
        return Ok(Vec::new());
    }
    let places = domain.store.write((now, limit), |txn, (now, limit)| Box::pin(lease(txn, *now, *limit))).await?;
    let mut claims = Vec::with_capacity(places.len());
    let mut zones = HashMap::new();
    for place in places {
        domain.caches.places.forget(&place.place_id);
        let Some(rule) = vanish_rule::Entity::find_by_id(place.rule_channel_id).one(domain.store.reader()).await?
        else {
            continue;
        };
        let (zone, is_member) = match zones.get(&place.guild_id) {
            Some(known) => *known,
            None => *zones.entry(place.guild_id).or_insert(guild::zone_and_membership(domain, place.guild_id).await?),
        };
        let default = vanish_default::Entity::find_by_id(place.guild_id).one(domain.store.reader()).await?;
        claims.push(Claim {
            effective: effective_at(&rule, default.as_ref(), zone, &place),
            newest_due: place.leased_until.is_some() || place.due_at.is_some_and(|due_at| due_at <= now),
            backlog_due: place.backlog_due_at.is_some_and(|due_at| due_at <= now),
            is_member,
            lease: now + TimeDelta::seconds(LEASE_SECONDS),
            rule,
            place,
        });
    }
    Ok(claims)
}

/// The rule as it holds in this place now; none where it does not reach.
pub(super) fn effective_at(
    rule: &vanish_rule::Model,
    default: Option<&vanish_default::Model>,
    zone: chrono_tz::Tz,
    place: &vanish_place::Model,
) -> Option<Effective> {
    let mut effective = Effective::of(rule, default, zone)?;
    if place.place_id != place.rule_channel_id && effective.threads == Threads::Skip {
        return None;
    }
    if place.ignore_schedule {
        effective.schedule = vanish_rule::Schedule::Rolling;
    }
    Some(effective)
}

/// Looks at the beginning of three indexes, so that an idle tick costs the same for ten rules and fifty thousand.
async fn anything_due(domain: &Domain, now: DateTime<Utc>) -> Result<bool, Error> {
    use vanish_place::COLUMN as P;
    let free = || P.leased_until.is_null().or(P.leased_until.lte(now));
    for due in [P.due_at.lte(now), P.backlog_due_at.lte(now), P.leased_until.lte(now)] {
        let found = vanish_place::Entity::find().filter(due).filter(free()).one(domain.store.reader()).await?;
        if found.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

fn due_places(now: DateTime<Utc>, limit: u64) -> sea_orm::Select<vanish_place::Entity> {
    use vanish_place::COLUMN as P;
    let may_act = Query::select()
        .expr(Expr::val(1))
        .from(vanish_rule::Entity)
        .and_where(
            Expr::col((vanish_rule::Entity, vanish_rule::Column::ChannelId))
                .equals((vanish_place::Entity, vanish_place::Column::RuleChannelId)),
        )
        .and_where(vanish_rule::COLUMN.state.is_in([RuleState::Active, RuleState::Unconfirmed]))
        .to_owned();
    vanish_place::Entity::find()
        .filter(P.due_at.lte(now).or(P.backlog_due_at.lte(now)).or(P.leased_until.lte(now)))
        .filter(P.leased_until.is_null().or(P.leased_until.lte(now)))
        .filter(Expr::exists(may_act))
        .order_by_asc(vanish_place::Column::DueAt)
        .limit(limit)
}

/// Returns the places as they were before the lease.
async fn lease(txn: &WriteTransaction, now: DateTime<Utc>, limit: u64) -> Result<Vec<vanish_place::Model>, Error> {
    use vanish_place::Column as C;
    let places = due_places(now, limit)
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
        .all(txn.connection())
        .await?;
    let ids = || places.iter().map(|place| place.place_id);
    vanish_place::Entity::update_many()
        .col_expr(C::LeasedUntil, Expr::value(now + TimeDelta::seconds(LEASE_SECONDS)))
        .filter(vanish_place::COLUMN.place_id.is_in(ids()))
        .exec(txn.connection())
        .await?;
    // Taken up by this claim: a message that arrives from now on sets the next look itself.
    vanish_place::Entity::update_many()
        .col_expr(C::DueAt, Expr::value(None::<DateTime<Utc>>))
        .filter(vanish_place::COLUMN.place_id.is_in(ids()))
        .filter(vanish_place::COLUMN.due_at.lte(now))
        .exec(txn.connection())
        .await?;
    Ok(places)
}

/// Everything that decides about the messages of a claimed place.
pub async fn load_judge(domain: &Domain, claim: &Claim, effective: Effective) -> Result<Judge, Error> {
    judge_of(domain, (claim.rule.guild_id, claim.rule.channel_id), claim.place.place_id, effective).await
}

/// The same for a channel or thread under the rule of a channel.
pub(super) async fn judge_of(
    domain: &Domain,
    (guild, channel): (GuildId, ChannelId),
    place_id: ChannelId,
    effective: Effective,
) -> Result<Judge, Error> {
    let channel = channel.get().cast_signed();
    let rows = vanish_exemption::Entity::find()
        .filter(vanish_exemption::COLUMN.guild_id.eq(guild))
        .filter(vanish_exemption::COLUMN.channel_bits.is_in([0, channel]))
        .all(domain.store.reader())
        .await?;
    let mut exemptions = Exemptions::default();
    for row in rows {
        let id = row.target_bits.cast_unsigned();
        match row.kind {
            ExemptionKind::User => exemptions.users.extend(entity::id::DiscordUserId::new(id)),
            ExemptionKind::Role => exemptions.roles.extend(entity::id::RoleId::new(id)),
            kind => {
                exemptions.kinds.insert(kind);
            }
        }
    }
    let kept: Vec<MessageId> = vanish_message::Entity::find()
        .filter(vanish_message::COLUMN.channel_id.eq(place_id))
        .filter(vanish_message::COLUMN.fate.is_in([Fate::Keep, Fate::OwnPost]))
        .select_only()
        .column(vanish_message::Column::MessageId)
        .limit(KEPT_MAX)
        .into_tuple()
        .all(domain.store.reader())
        .await?;
    Ok(Judge { rule: effective, exemptions, place_id, kept: kept.into_iter().collect(), roles: HashMap::new() })
}

/// Whether the rule is still the one that was claimed; a pause or a change stops a sweep before its next deletion.
pub async fn still_holds(domain: &Domain, claim: &Claim) -> bool {
    let rule = super::read::cached(domain, claim.rule.channel_id).await;
    rule.is_ok_and(|rule| {
        rule.as_ref()
            .as_ref()
            .is_some_and(|rule| rule.revision == claim.rule.revision && rule.state == RuleState::Active)
    })
}

/// Leaves a place alone until its guild is seen again.
pub async fn rest(domain: &Domain, claim: Claim) -> Result<(), Error> {
    let again = domain.discord_now() + TimeDelta::seconds(ABSENT_SECONDS);
    let backlog = claim.place.backlog_after.filter(|_| claim.backlog_due).map(|after| Some((after, again)));
    settle(domain, claim, Outcome { backlog, problem: Some(Problem::Resting), ..Outcome::default() }).await
}

/// Records what came of a claim, if the lease is still ours; one event per batch of deletions.
pub async fn settle(domain: &Domain, claim: Claim, outcome: Outcome) -> Result<(), Error> {
    let place_id = claim.place.place_id;
    let input = (claim, outcome, domain.discord_now());
    let result = domain
        .store
        .write(input, |txn, (claim, outcome, now)| Box::pin(write_outcome(txn, claim, outcome, *now)))
        .await;
    domain.caches.places.forget(&place_id);
    result
}

async fn write_outcome(
    txn: &WriteTransaction,
    claim: &Claim,
    outcome: &Outcome,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    use vanish_place::Column as C;
    if outcome.deleted > 0
        && let Some(rule) = counter::count_deleted(txn, claim.rule.channel_id, outcome.deleted, now).await?
    {
        let after =
            json!({ "place_id": claim.place.place_id, "deleted": outcome.deleted, "total": rule.messages_deleted });
        log(txn, claim, "vanish.swept", serde_json::Value::Null, after, now).await?;
    }
    match outcome.problem {
        Some(Problem::Gone) => return forget_place(txn, claim, now).await,
        Some(Problem::Permission(name)) => suspend(txn, claim, name, now).await?,
        _ => {}
    }
    let mut update = vanish_place::Entity::update_many()
        .filter(vanish_place::COLUMN.place_id.eq(claim.place.place_id))
        .filter(vanish_place::COLUMN.leased_until.eq(claim.lease));
    update = update.col_expr(C::LeasedUntil, Expr::value(None::<DateTime<Utc>>));
    if let Some(cursor) = outcome.cursor {
        update = update.col_expr(C::Cursor, Expr::value(cursor));
    }
    if let Some(passed_over) = outcome.passed_over {
        let oldest = claim.place.passed_over.map_or(passed_over, |known| Ord::min(known, passed_over));
        update = update.col_expr(C::PassedOver, Expr::value(oldest));
    }
    match outcome.backlog {
        Some(Some((after, due_at))) => {
            update =
                update.col_expr(C::BacklogAfter, Expr::value(after)).col_expr(C::BacklogDueAt, Expr::value(due_at));
        }
        Some(None) => {
            update = update
                .col_expr(C::BacklogAfter, Expr::value(None::<MessageId>))
                .col_expr(C::BacklogUntil, Expr::value(None::<MessageId>))
                .col_expr(C::BacklogDueAt, Expr::value(None::<DateTime<Utc>>));
        }
        None => {}
    }
    let next_look = match outcome.problem {
        Some(Problem::Transient(least)) => {
            update = update.col_expr(C::Attempts, Expr::col(C::Attempts).add(1));
            let backoff = TimeDelta::seconds(5 << claim.place.attempts.clamp(0, BACKOFF_POWER_MAX));
            Some(now + backoff.max(least))
        }
        Some(_) => None,
        None => {
            update = update.col_expr(C::Attempts, Expr::value(0)).col_expr(C::IgnoreSchedule, Expr::value(false));
            outcome.next_look
        }
    };
    if let Some(next_look) = next_look {
        update = update.col_expr(C::DueAt, earlier_of_due_and(next_look));
    }
    update.exec(txn.connection()).await?;
    Ok(())
}

/// The earlier of the column and this moment, where an empty column is later than anything.
pub(super) fn earlier_of_due_and(moment: DateTime<Utc>) -> sea_orm::sea_query::SimpleExpr {
    let due_at = || Expr::col(vanish_place::Column::DueAt);
    Expr::case(due_at().is_null().or(due_at().gt(moment)), Expr::value(moment)).finally(due_at()).into()
}

async fn log(
    txn: &WriteTransaction,
    claim: &Claim,
    kind: &'static str,
    before: serde_json::Value,
    after: serde_json::Value,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let event = NewEvent {
        kind,
        guild_id: Some(claim.rule.guild_id),
        subject: super::subject(claim.rule.channel_id),
        actor: Actor::System.to_string(),
        source: Actor::System.source().name(),
        before,
        after,
        at: now,
    };
    Ok(txn.append_event(event).await?)
}

/// A lost permission holds the rule; who tells the guild reads the event.
async fn suspend(
    txn: &WriteTransaction,
    claim: &Claim,
    missing: &'static str,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let held = vanish_rule::Entity::update_many()
        .col_expr(vanish_rule::Column::State, Expr::value(RuleState::Suspended))
        .col_expr(vanish_rule::Column::Problem, Expr::value(missing))
        .col_expr(vanish_rule::Column::Revision, Expr::col(vanish_rule::Column::Revision).add(1))
        .col_expr(vanish_rule::Column::UpdatedAt, Expr::value(now))
        .filter(vanish_rule::COLUMN.channel_id.eq(claim.rule.channel_id))
        .filter(vanish_rule::COLUMN.state.is_in([RuleState::Active, RuleState::Unconfirmed]))
        .exec(txn.connection())
        .await?;
    if held.rows_affected == 0 {
        return Ok(());
    }
    rule::rest_places(txn, claim.rule.channel_id).await?;
    let after = json!({ "missing": missing, "place_id": claim.place.place_id });
    log(txn, claim, "vanish.suspended", serde_json::Value::Null, after, now).await
}

/// A deleted thread is forgotten; a deleted channel takes its rule along.
async fn forget_place(txn: &WriteTransaction, claim: &Claim, now: DateTime<Utc>) -> Result<(), Error> {
    if claim.place.place_id != claim.rule.channel_id {
        vanish_place::Entity::delete_by_id(claim.place.place_id).exec(txn.connection()).await?;
        return Ok(());
    }
    let gone = vanish_rule::Entity::delete_by_id(claim.rule.channel_id).exec(txn.connection()).await?;
    if gone.rows_affected > 0 {
        let before = super::rule_settings(&claim.rule);
        log(txn, claim, "vanish.rule_removed", before, serde_json::Value::Null, now).await?;
    }
    Ok(())
}

/// Lets a rule made over HTTP act, once Discord has said where the channel belongs; only on messages from now on.
pub async fn confirm(domain: &Domain, claim: Claim, facts: Option<ChannelFacts>) -> Result<(), Error> {
    let input = (claim, facts, domain.discord_now());
    domain.store.write(input, |txn, (claim, facts, now)| Box::pin(write_confirmation(txn, claim, *facts, *now))).await
}

async fn write_confirmation(
    txn: &WriteTransaction,
    claim: &Claim,
    facts: Option<ChannelFacts>,
    now: DateTime<Utc>,
) -> Result<(), Error> {
    use vanish_place::Column as C;
    let problem = match facts {
        Some(facts) if facts.guild_id == Some(claim.rule.guild_id) => None,
        Some(_) => Some("channel_of_another_server"),
        None => Some("channel_unknown"),
    };
    let state = if problem.is_none() { RuleState::Active } else { RuleState::Unconfirmed };
    let start = rule::snowflake_at(now);
    vanish_rule::Entity::update_many()
        .col_expr(vanish_rule::Column::State, Expr::value(state))
        .col_expr(vanish_rule::Column::ConfirmedAt, Expr::value(problem.is_none().then_some(now)))
        .col_expr(vanish_rule::Column::Problem, Expr::value(problem))
        .col_expr(vanish_rule::Column::Revision, Expr::col(vanish_rule::Column::Revision).add(1))
        .filter(vanish_rule::COLUMN.channel_id.eq(claim.rule.channel_id))
        .filter(vanish_rule::COLUMN.state.eq(RuleState::Unconfirmed))
        .exec(txn.connection())
        .await?;
    let mut place = vanish_place::Entity::update_many()
        .col_expr(C::LeasedUntil, Expr::value(None::<DateTime<Utc>>))
        .filter(vanish_place::COLUMN.place_id.eq(claim.place.place_id))
        .filter(vanish_place::COLUMN.leased_until.eq(claim.lease));
    if problem.is_none() {
        place = place.col_expr(C::DueAt, Expr::value(None::<DateTime<Utc>>)).col_expr(C::Attempts, Expr::value(0));
        // Messages that were there before somebody confirmed are not the rule's business.
        if claim.rule.starts_after == claim.place.cursor {
            place = place.col_expr(C::Cursor, Expr::value(Ord::max(start, claim.place.cursor)));
        }
    } else {
        let backoff = TimeDelta::minutes(5 << claim.place.attempts.clamp(0, BACKOFF_POWER_MAX));
        place = place
            .col_expr(C::DueAt, earlier_of_due_and(now + backoff))
            .col_expr(C::Attempts, Expr::col(C::Attempts).add(1));
    }
    place.exec(txn.connection()).await?;
    let kind = if problem.is_none() { "vanish.confirmed" } else { "vanish.not_confirmed" };
    log(txn, claim, kind, serde_json::Value::Null, json!({ "problem": problem }), now).await
}
