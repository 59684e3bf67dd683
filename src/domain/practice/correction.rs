//! The queue of changes that members ask for, and what becomes of them.
//!
//! Invariant: a request is decided once; what it changes and its event commit together.

use chrono::{DateTime, Utc};
use entity::{
    id::{DiscordUserId, GuildId, PracticeCorrectionId, PracticeSegmentId, PracticeSessionId, UserId},
    practice_correction::{self, CorrectionKind, CorrectionState, Model},
    practice_segment::{self, SegmentKind},
    practice_session::{self, SessionState},
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
    Select, sea_query::Expr,
};
use serde_json::{Value, json};

use super::{
    NOTE_MAX, Person, PracticeRefusal,
    change::{Change, seconds_of, text},
    entry,
    ledger::{self, Credit, segment_days, zone_of},
    person::{accounts, require_own_or},
    split::sum,
    subject,
};
use crate::{
    domain::{
        Actor, Domain, Error, Right,
        event::{Author, spelled},
    },
    id_source::IdSource,
    store::WriteTransaction,
};

/// Most requests of one person that wait.
const WAITING_MAX: u64 = 20;
/// Most rows of a page.
const PAGE_MAX: u64 = 100;

/// A change with nothing said but whose it is.
pub(super) fn blank(change: Change<'_>, user_id: UserId, guild_id: Option<GuildId>, kind: CorrectionKind) -> Model {
    Model {
        id: PracticeCorrectionId(change.ids.uuid()),
        user_id,
        guild_id,
        session_id: None,
        segment_id: None,
        kind,
        state: CorrectionState::Waiting,
        started_at: None,
        ended_at: None,
        delta_seconds: 0,
        activity: None,
        note: None,
        reason: None,
        decided_by: None,
        decided_at: None,
        created_at: change.now(),
    }
}

/// Writes a request, unless too many of the same person wait.
pub(super) async fn file(change: Change<'_>, row: &Model) -> Result<(), Error> {
    if row.state == CorrectionState::Waiting {
        let waiting = practice_correction::Entity::find()
            .filter(practice_correction::COLUMN.user_id.eq(row.user_id))
            .filter(practice_correction::Column::State.eq(CorrectionState::Waiting))
            .count(change.txn.connection())
            .await?;
        if waiting >= WAITING_MAX {
            return Err(PracticeRefusal::QueueFull { max: WAITING_MAX }.into());
        }
    }
    practice_correction::Entity::insert(row.clone().into_active_model())
        .exec_without_returning(change.txn.connection())
        .await?;
    Ok(())
}

/// What the log says of a correction that was made.
pub(super) async fn tell(
    change: Change<'_>,
    row: &Model,
    (before, after): (Option<i64>, Option<i64>),
) -> Result<(), Error> {
    let subject = match row.session_id {
        Some(session) => subject(session),
        None => format!("practice_correction/{}", row.id),
    };
    let state = json!({
        "user_id": row.user_id,
        "guild_id": row.guild_id,
        "correction_id": row.id,
        "kind": spelled(row.kind),
        "delta_seconds": row.delta_seconds,
        "seconds": after,
    });
    let before = before.map_or(Value::Null, |seconds| json!({ "seconds": seconds }));
    let event = change.author.event("session.corrected", row.guild_id, subject, (before, state));
    Ok(change.txn.append_event(event).await?)
}

struct Claim {
    author: Author,
    ids: IdSource,
    actor: Actor,
    segment_id: PracticeSegmentId,
    note: Option<String>,
}

/// Asks for a gap of one's own session to count.
pub async fn claim_gap(
    domain: &Domain,
    actor: &Actor,
    segment_id: PracticeSegmentId,
    note: Option<String>,
) -> Result<Model, Error> {
    let note = text(note, NOTE_MAX, PracticeRefusal::BadNote)?;
    let author = Author::new(domain, actor);
    let input = Claim { author, ids: domain.ids.clone(), actor: actor.clone(), segment_id, note };
    domain.store.write(input, |txn, input| Box::pin(claim_in(txn, input))).await
}

async fn claim_in(txn: &WriteTransaction, input: &Claim) -> Result<Model, Error> {
    let change = Change { txn, author: &input.author, ids: &input.ids };
    let segment = practice_segment::Entity::find_by_id(input.segment_id).one(txn.connection()).await?;
    let segment = segment.ok_or(PracticeRefusal::NoGap)?;
    let session = practice_session::Entity::find_by_id(segment.session_id).one(txn.connection()).await?;
    let session = session.ok_or(PracticeRefusal::NoGap)?;
    let account = accounts(txn.connection(), &[session.user_id]).await?.get(&session.user_id).copied();
    let person = account.map_or(Person::User(session.user_id), Person::Discord);
    require_own_or(&input.actor, (person, Some(session.user_id)), Right::ManagePractice, session.guild_id)
        .map_err(|_| PracticeRefusal::NoGap)?;
    let claimed = practice_segment::Entity::update_many()
        .col_expr(practice_segment::Column::IsClaimed, Expr::val(true))
        .filter(practice_segment::COLUMN.id.eq(segment.id))
        .filter(practice_segment::Column::Kind.eq(SegmentKind::Gap))
        .filter(practice_segment::COLUMN.is_claimed.eq(false))
        .exec(txn.connection())
        .await?;
    if claimed.rows_affected == 0 {
        return Err(PracticeRefusal::NoGap.into());
    }
    let row = Model {
        session_id: Some(session.id),
        segment_id: Some(segment.id),
        started_at: Some(segment.started_at),
        ended_at: Some(segment.ended_at),
        delta_seconds: (segment.ended_at - segment.started_at).num_seconds(),
        note: input.note.clone(),
        ..blank(change, session.user_id, session.guild_id, CorrectionKind::Gap)
    };
    file(change, &row).await?;
    Ok(row)
}

/// What waits for a reviewer of a guild, the oldest first, after a request.
pub async fn queue(
    domain: &Domain,
    actor: &Actor,
    guild_id: GuildId,
    after: Option<PracticeCorrectionId>,
    limit: u64,
) -> Result<Vec<Model>, Error> {
    actor.require(Right::ReviewPractice, Some(guild_id))?;
    let mut select = all_waiting(guild_id);
    if let Some(after) = after {
        select = select.filter(practice_correction::COLUMN.id.gt(after));
    }
    let select = select.order_by_asc(practice_correction::COLUMN.id).limit(limit.clamp(1, PAGE_MAX));
    Ok(select.all(domain.store.reader()).await?)
}

fn all_waiting(guild_id: GuildId) -> Select<practice_correction::Entity> {
    practice_correction::Entity::find()
        .filter(practice_correction::COLUMN.guild_id.eq(guild_id))
        .filter(practice_correction::Column::State.eq(CorrectionState::Waiting))
}

/// A request that waits.
#[derive(Clone, Debug)]
pub struct Waiting {
    /// It.
    pub request: Model,
    /// Whose it is, if they have an account.
    pub discord_user_id: Option<DiscordUserId>,
    /// How many wait, this one included.
    pub count: u64,
}

/// The oldest request that waits behind another one, else the oldest of all.
pub async fn waiting(
    domain: &Domain,
    actor: &Actor,
    guild_id: GuildId,
    after: Option<PracticeCorrectionId>,
) -> Result<Option<Waiting>, Error> {
    let mut found = queue(domain, actor, guild_id, after, 1).await?.pop();
    if found.is_none() && after.is_some() {
        found = queue(domain, actor, guild_id, None, 1).await?.pop();
    }
    let Some(request) = found else { return Ok(None) };
    let reader = domain.store.reader();
    let discord_user_id = accounts(reader, &[request.user_id]).await?.get(&request.user_id).copied();
    let count = all_waiting(guild_id).count(reader).await?;
    Ok(Some(Waiting { request, discord_user_id, count }))
}

struct Decide {
    author: Author,
    ids: IdSource,
    actor: Actor,
    id: PracticeCorrectionId,
    state: CorrectionState,
    reason: Option<String>,
}

/// Lets a request count.
pub async fn accept(
    domain: &Domain,
    actor: &Actor,
    id: PracticeCorrectionId,
    reason: Option<String>,
) -> Result<Model, Error> {
    decide(domain, actor, id, CorrectionState::Accepted, reason).await
}

/// Refuses a request.
pub async fn reject(
    domain: &Domain,
    actor: &Actor,
    id: PracticeCorrectionId,
    reason: Option<String>,
) -> Result<Model, Error> {
    decide(domain, actor, id, CorrectionState::Rejected, reason).await
}

async fn decide(
    domain: &Domain,
    actor: &Actor,
    id: PracticeCorrectionId,
    state: CorrectionState,
    reason: Option<String>,
) -> Result<Model, Error> {
    actor.require_somewhere(Right::ReviewPractice)?;
    let reason = text(reason, NOTE_MAX, PracticeRefusal::BadNote)?;
    let author = Author::new(domain, actor);
    let input = Decide { author, ids: domain.ids.clone(), actor: actor.clone(), id, state, reason };
    domain.store.write(input, |txn, input| Box::pin(decide_in(txn, input))).await
}

async fn decide_in(txn: &WriteTransaction, input: &Decide) -> Result<Model, Error> {
    let change = Change { txn, author: &input.author, ids: &input.ids };
    let found = practice_correction::Entity::find_by_id(input.id).one(txn.connection()).await?;
    let mut row = found.ok_or(PracticeRefusal::NoCorrection)?;
    // A request of another guild is not there for whoever may not see it.
    if !input.actor.may(Right::ReviewPractice, row.guild_id) {
        return Err(PracticeRefusal::NoCorrection.into());
    }
    if !input.actor.may(Right::ManagePractice, row.guild_id)
        && let Some(own) = input.actor.discord_user()
        && Person::Discord(own).find(txn.connection()).await? == Some(row.user_id)
    {
        return Err(PracticeRefusal::OwnRequest.into());
    }
    row.state = input.state;
    row.reason.clone_from(&input.reason);
    row.decided_by = Some(input.author.actor().to_owned());
    row.decided_at = Some(change.now());
    let decided = practice_correction::ActiveModel {
        state: Set(row.state),
        reason: Set(row.reason.clone()),
        decided_by: Set(row.decided_by.clone()),
        decided_at: Set(row.decided_at),
        ..Default::default()
    };
    let changed = practice_correction::Entity::update_many()
        .set(decided)
        .filter(practice_correction::COLUMN.id.eq(row.id))
        .filter(practice_correction::Column::State.eq(CorrectionState::Waiting))
        .exec(txn.connection())
        .await?;
    if changed.rows_affected == 0 {
        return Err(PracticeRefusal::AlreadyDecided.into());
    }
    if row.state == CorrectionState::Accepted {
        carry_out(change, &mut row).await?;
        practice_correction::Entity::update_many()
            .col_expr(practice_correction::Column::DeltaSeconds, Expr::val(row.delta_seconds))
            .col_expr(practice_correction::Column::SessionId, Expr::val(row.session_id.map(|id| id.0)))
            .filter(practice_correction::COLUMN.id.eq(row.id))
            .exec(txn.connection())
            .await?;
    } else {
        let state = json!({ "user_id": row.user_id, "kind": spelled(row.kind), "state": spelled(row.state) });
        let subject = format!("practice_correction/{}", row.id);
        let event = change.author.event("practice.request_rejected", row.guild_id, subject, (Value::Null, state));
        txn.append_event(event).await?;
    }
    Ok(row)
}

/// Makes an accepted request true.
pub(super) async fn carry_out(change: Change<'_>, row: &mut Model) -> Result<(), Error> {
    match row.kind {
        CorrectionKind::Gap => count_gap(change, row).await,
        CorrectionKind::Log => entry::carry_out_log(change, row).await,
        CorrectionKind::Fix => entry::carry_out_fix(change, row).await,
        CorrectionKind::Adjust => Ok(()),
    }
}

/// The session of a request, locked.
pub(super) async fn lock_session(
    change: Change<'_>,
    id: Option<PracticeSessionId>,
) -> Result<practice_session::Model, Error> {
    let Some(id) = id else { return Err(PracticeRefusal::NoSession.into()) };
    let found = practice_session::Entity::find_by_id(id).lock_exclusive().one(change.txn.connection()).await?;
    Ok(found.ok_or(PracticeRefusal::NoSession)?)
}

async fn count_gap(change: Change<'_>, row: &mut Model) -> Result<(), Error> {
    let mut session = lock_session(change, row.session_id).await?;
    let connection = change.txn.connection();
    let Some(segment_id) = row.segment_id else { return Err(PracticeRefusal::NoGap.into()) };
    let segment = practice_segment::Entity::find_by_id(segment_id).one(connection).await?;
    // A session that was changed in between may have lost it.
    let mut segment = segment.filter(|one| one.kind == SegmentKind::Gap).ok_or(PracticeRefusal::NoGap)?;
    if session.state == SessionState::Open {
        // What runs was counted without the gap: it ends here, and goes on behind it.
        let at: DateTime<Utc> = session.observed_until;
        change.close_counted(&mut session, at).await?;
        session.running_since = Some(at);
    }
    let before = seconds_of(&session);
    segment.carried_milliseconds = session.counted_milliseconds;
    practice_segment::Entity::update_many()
        .col_expr(practice_segment::Column::Kind, Expr::val(spelled(SegmentKind::Counted)))
        .col_expr(practice_segment::Column::CarriedMilliseconds, Expr::val(segment.carried_milliseconds))
        .filter(practice_segment::COLUMN.id.eq(segment.id))
        .exec(connection)
        .await?;
    let days = segment_days(zone_of(&session), &segment);
    row.delta_seconds = sum(&days);
    session.counted_milliseconds += (segment.ended_at - segment.started_at).num_milliseconds();
    ledger::apply(change.txn, &[Credit::of(&session, days)]).await?;
    change.save(&mut session).await?;
    tell(change, row, (Some(before), Some(seconds_of(&session)))).await
}
