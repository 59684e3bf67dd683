//! Time that is written down afterwards, sessions whose times are mended, and what moderators add or take.

use chrono::{DateTime, TimeDelta, Utc};
use entity::{
    id::{GuildId, PracticeSessionId, UserId},
    practice_correction::{self, CorrectionKind, CorrectionState, Model},
    practice_day, practice_segment,
    practice_segment::SegmentKind,
    practice_session::{self, EndReason, SessionSource, SessionState},
    practice_total,
};
use sea_orm::{ColumnTrait, Condition, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect};

use super::{
    ACTIVITY_MAX, NOTE_MAX, Person, PracticeRefusal, Rule, bits,
    change::{Change, seconds_of, text},
    correction::{self, blank, file, lock_session},
    ledger::{self, Credit, credited, zone_of},
    person, rule,
    split::{DaySeconds, difference, local_date, seconds_by_day, sum},
};
use crate::{
    domain::{Actor, Domain, Error, Right, event::Author, guild},
    id_source::IdSource,
    store::WriteTransaction,
};

/// How far back time may be written down or mended.
const BACK_MAX: TimeDelta = TimeDelta::days(31);
/// The longest stretch.
const SPAN_MAX: TimeDelta = TimeDelta::hours(24);
/// Most days from which an adjustment takes.
const TAKEN_DAYS_MAX: u64 = 3_660;
const ADJUSTMENT_MAX: i64 = 24 * 3_600;

/// Practice that nobody timed.
#[derive(Clone, Debug)]
pub struct NewEntry {
    /// Whose.
    pub person: Person,
    /// Where.
    pub guild_id: GuildId,
    /// From when.
    pub started_at: DateTime<Utc>,
    /// Until when.
    pub ended_at: DateTime<Utc>,
    /// What it was about.
    pub activity: Option<String>,
    /// What the person says.
    pub note: Option<String>,
}

/// What became of an entry: accepted at once, or waiting for a reviewer.
#[derive(Clone, Debug)]
pub struct Filed {
    /// The request.
    pub correction: Model,
}

impl Filed {
    /// It counts already.
    pub fn is_accepted(&self) -> bool {
        self.correction.state == CorrectionState::Accepted
    }
}

struct Input<T> {
    author: Author,
    ids: IdSource,
    actor: Actor,
    what: T,
}

impl<T> Input<T> {
    fn new(domain: &Domain, actor: &Actor, what: T) -> Self {
        Self { author: Author::new(domain, actor), ids: domain.ids.clone(), actor: actor.clone(), what }
    }

    fn change<'a>(&'a self, txn: &'a WriteTransaction) -> Change<'a> {
        Change { txn, author: &self.author, ids: &self.ids }
    }
}

fn check_span(now: DateTime<Utc>, from: DateTime<Utc>, to: DateTime<Utc>) -> Result<(), PracticeRefusal> {
    let fits = from < to && to <= now && to - from <= SPAN_MAX && from >= now - BACK_MAX;
    if fits { Ok(()) } else { Err(PracticeRefusal::BadSpan) }
}

/// Writes down practice afterwards: it counts at once as far as the guild's rule lets it, else a reviewer decides.
pub async fn log(domain: &Domain, actor: &Actor, new: NewEntry) -> Result<Filed, Error> {
    let known = new.person.find(domain.store.reader()).await?;
    person::require_own_or(actor, (new.person, known), Right::ManagePractice, Some(new.guild_id))?;
    check_span(domain.now(), new.started_at, new.ended_at)?;
    let note = text(new.note, NOTE_MAX, PracticeRefusal::BadNote)?;
    let activity = text(new.activity, ACTIVITY_MAX, PracticeRefusal::BadActivity)?;
    let input = Input::new(domain, actor, NewEntry { activity, note, ..new });
    domain.store.write(input, |txn, input| Box::pin(log_in(txn, input))).await
}

async fn log_in(txn: &WriteTransaction, input: &Input<NewEntry>) -> Result<Filed, Error> {
    let (change, new) = (input.change(txn), &input.what);
    let user = new.person.find_or_make(txn, &input.author, &input.ids).await?;
    refuse_overlap(change, user, None, (new.started_at, new.ended_at)).await?;
    guild::ensure(txn, new.guild_id, change.now()).await?;
    let rule = rule::of(txn.connection(), new.guild_id).await?;
    let mut row = Model {
        started_at: Some(new.started_at),
        ended_at: Some(new.ended_at),
        delta_seconds: (new.ended_at - new.started_at).num_seconds(),
        activity: new.activity.clone(),
        note: new.note.clone(),
        ..blank(change, user, Some(new.guild_id), CorrectionKind::Log)
    };
    settle(change, &input.actor, &rule, &mut row).await
}

/// Accepts a request at once where the rule or the actor's right allows it, and files it.
async fn settle(change: Change<'_>, actor: &Actor, rule: &Rule, row: &mut Model) -> Result<Filed, Error> {
    let may = actor.may(Right::ManagePractice, row.guild_id);
    if may || row.delta_seconds <= 0 || row.delta_seconds <= left_today(change, rule, row).await? {
        row.state = CorrectionState::Accepted;
        row.decided_by = Some(change.author.actor().to_owned());
        row.decided_at = Some(change.now());
        correction::carry_out(change, row).await?;
    }
    file(change, row).await?;
    Ok(Filed { correction: row.clone() })
}

/// Seconds that the person may still write down by themself on the day of a request.
async fn left_today(change: Change<'_>, rule: &Rule, row: &Model) -> Result<i64, Error> {
    use sea_orm::ExprTrait as _;
    if rule.manual_auto_seconds == 0 {
        return Ok(0);
    }
    let since = row.created_at - TimeDelta::hours(24);
    let used: Option<Option<i64>> = practice_correction::Entity::find()
        .select_only()
        .column_as(practice_correction::Column::DeltaSeconds.into_expr().sum().cast_as("bigint"), "seconds")
        .filter(practice_correction::COLUMN.user_id.eq(row.user_id))
        .filter(practice_correction::Column::State.eq(CorrectionState::Accepted))
        .filter(practice_correction::COLUMN.guild_id.eq(row.guild_id))
        .filter(practice_correction::COLUMN.created_at.gt(since))
        .filter(practice_correction::Column::Kind.is_in([CorrectionKind::Log, CorrectionKind::Fix]))
        .filter(practice_correction::COLUMN.delta_seconds.gt(0))
        .into_tuple()
        .one(change.txn.connection())
        .await?;
    Ok(rule.manual_auto_seconds - used.flatten().unwrap_or(0))
}

async fn refuse_overlap(
    change: Change<'_>,
    user: UserId,
    but: Option<PracticeSessionId>,
    (from, to): (DateTime<Utc>, DateTime<Utc>),
) -> Result<(), Error> {
    use practice_session::COLUMN as C;
    let mut select = practice_session::Entity::find()
        .filter(C.user_id.eq(user))
        .filter(C.started_at.lt(to))
        .filter(Condition::any().add(C.ended_at.gt(from)).add(C.ended_at.is_null()));
    if let Some(but) = but {
        select = select.filter(C.id.ne(but));
    }
    match select.limit(1).one(change.txn.connection()).await? {
        Some(_) => Err(PracticeRefusal::Overlaps.into()),
        None => Ok(()),
    }
}

fn span_of(row: &Model) -> Result<(DateTime<Utc>, DateTime<Utc>), PracticeRefusal> {
    row.started_at.zip(row.ended_at).ok_or(PracticeRefusal::BadSpan)
}

/// Makes the session of an accepted entry.
pub(super) async fn carry_out_log(change: Change<'_>, row: &mut Model) -> Result<(), Error> {
    let (from, to) = span_of(row)?;
    refuse_overlap(change, row.user_id, None, (from, to)).await?;
    let zone = person::zone(change.txn.connection(), Some(row.user_id), row.guild_id).await?;
    let rule = match row.guild_id {
        Some(guild_id) => rule::of(change.txn.connection(), guild_id).await?,
        None => Rule::default(),
    };
    let now = change.now();
    let mut session = practice_session::Model {
        id: PracticeSessionId(change.ids.uuid()),
        user_id: row.user_id,
        open_user_id: None,
        guild_id: row.guild_id,
        channel_id: None,
        source: SessionSource::Manual,
        state: SessionState::Done,
        time_zone: zone.name().to_owned(),
        started_at: from,
        ended_at: Some(to),
        end_reason: Some(EndReason::Stopped),
        running_since: None,
        counted_milliseconds: 0,
        observed_until: from,
        look_at: None,
        missed_at: None,
        asked_at: None,
        touched_at: now,
        session_cap_seconds: rule.session_cap_seconds,
        day_cap_seconds: Some(rule.day_cap_seconds),
        minimum_seconds: 0,
        bridge_seconds: 0,
        idle_check_seconds: None,
        focus_seconds: None,
        break_seconds: None,
        rounds_left: None,
        phase_ends_at: None,
        is_private: false,
        activity: row.activity.clone(),
        note: row.note.clone(),
        goal_seconds: None,
        created_at: now,
        updated_at: now,
    };
    let days = seconds_by_day(zone, 0, from, to);
    let known = change.known_days(&session, to).await?;
    let is_full =
        days.iter().any(|(date, seconds)| known.get(date).copied().unwrap_or(0) + seconds > rule.day_cap_seconds);
    if is_full {
        return Err(PracticeRefusal::DayCapReached { hours: rule.day_cap_seconds / 3_600 }.into());
    }
    session.observed_until = to;
    session.counted_milliseconds = (to - from).num_milliseconds();
    practice_session::Entity::insert(session.clone().into_active_model())
        .exec_without_returning(change.txn.connection())
        .await?;
    insert_counted(change, session.id, 0, (from, to)).await?;
    ledger::apply(change.txn, &[Credit::of(&session, days.clone())]).await?;
    (row.session_id, row.delta_seconds) = (Some(session.id), sum(&days));
    correction::tell(change, row, (None, Some(seconds_of(&session)))).await
}

async fn insert_counted(
    change: Change<'_>,
    session_id: PracticeSessionId,
    carried_milliseconds: i64,
    (started_at, ended_at): (DateTime<Utc>, DateTime<Utc>),
) -> Result<(), Error> {
    let segment = practice_segment::Model {
        id: entity::id::PracticeSegmentId(change.ids.uuid()),
        session_id,
        kind: SegmentKind::Counted,
        started_at,
        ended_at,
        carried_milliseconds,
        is_claimed: false,
    };
    practice_segment::Entity::insert(segment.into_active_model())
        .exec_without_returning(change.txn.connection())
        .await?;
    Ok(())
}

struct Fix {
    session_id: PracticeSessionId,
    started_at: DateTime<Utc>,
    ended_at: DateTime<Utc>,
    note: Option<String>,
}

/// Mends begin and end of a session that has ended. Less time counts at once, more as [`log`] does.
pub async fn fix(
    domain: &Domain,
    actor: &Actor,
    session_id: PracticeSessionId,
    (started_at, ended_at): (DateTime<Utc>, DateTime<Utc>),
    note: Option<String>,
) -> Result<Filed, Error> {
    let note = text(note, NOTE_MAX, PracticeRefusal::BadNote)?;
    check_span(domain.now(), started_at, ended_at)?;
    let input = Input::new(domain, actor, Fix { session_id, started_at, ended_at, note });
    domain.store.write(input, |txn, input| Box::pin(fix_in(txn, input))).await
}

async fn fix_in(txn: &WriteTransaction, input: &Input<Fix>) -> Result<Filed, Error> {
    let (change, what) = (input.change(txn), &input.what);
    let session = lock_session(change, Some(what.session_id)).await?;
    let account = person::accounts(txn.connection(), &[session.user_id]).await?.get(&session.user_id).copied();
    let person = account.map_or(Person::User(session.user_id), Person::Discord);
    person::require_own_or(&input.actor, (person, Some(session.user_id)), Right::ManagePractice, session.guild_id)
        .map_err(|_| PracticeRefusal::NoSession)?;
    if session.state != SessionState::Done {
        return Err(PracticeRefusal::StillOpen.into());
    }
    let (from, to) = (what.started_at, what.ended_at);
    refuse_overlap(change, session.user_id, Some(session.id), (from, to)).await?;
    let parts = mended(change, &session, (from, to)).await?;
    let milliseconds: i64 = parts.iter().map(|(from, to)| (*to - *from).num_milliseconds()).sum();
    let rule = match session.guild_id {
        Some(guild_id) => rule::of(txn.connection(), guild_id).await?,
        None => Rule::default(),
    };
    let mut row = Model {
        session_id: Some(session.id),
        started_at: Some(from),
        ended_at: Some(to),
        delta_seconds: milliseconds.div_euclid(1_000) - seconds_of(&session),
        note: what.note.clone(),
        ..blank(change, session.user_id, session.guild_id, CorrectionKind::Fix)
    };
    settle(change, &input.actor, &rule, &mut row).await
}

/// The counted stretches of a session with another begin and end: its own within them, and what is new at both ends.
async fn mended(
    change: Change<'_>,
    session: &practice_session::Model,
    (from, to): (DateTime<Utc>, DateTime<Utc>),
) -> Result<Vec<(DateTime<Utc>, DateTime<Utc>)>, Error> {
    let segments = practice_segment::Entity::find()
        .filter(practice_segment::COLUMN.session_id.eq(session.id))
        .filter(practice_segment::Column::Kind.is_in([SegmentKind::Counted, SegmentKind::Short]))
        .order_by_asc(practice_segment::COLUMN.started_at)
        .all(change.txn.connection())
        .await?;
    let end = session.ended_at.unwrap_or(session.observed_until);
    let mut parts = vec![(from, to.min(session.started_at))];
    parts.extend(segments.iter().map(|segment| (segment.started_at.max(from), segment.ended_at.min(to))));
    parts.push((from.max(end), to));
    parts.retain(|(from, to)| from < to);
    Ok(parts)
}

/// Gives a session the begin and end of an accepted request.
pub(super) async fn carry_out_fix(change: Change<'_>, row: &mut Model) -> Result<(), Error> {
    let (from, to) = span_of(row)?;
    let mut session = lock_session(change, row.session_id).await?;
    if session.state != SessionState::Done {
        return Err(PracticeRefusal::StillOpen.into());
    }
    refuse_overlap(change, session.user_id, Some(session.id), (from, to)).await?;
    let parts = mended(change, &session, (from, to)).await?;
    let (before_days, before) = (credited(change.txn, &session).await?, seconds_of(&session));
    practice_segment::Entity::delete_many()
        .filter(practice_segment::COLUMN.session_id.eq(session.id))
        .filter(practice_segment::Column::Kind.is_in([SegmentKind::Counted, SegmentKind::Short]))
        .exec(change.txn.connection())
        .await?;
    let (mut days, mut carried) = (DaySeconds::new(), 0);
    for (from, to) in parts {
        insert_counted(change, session.id, carried, (from, to)).await?;
        super::split::add(&mut days, &seconds_by_day(zone_of(&session), carried, from, to));
        carried += (to - from).num_milliseconds();
    }
    session.started_at = from;
    session.ended_at = Some(to);
    session.observed_until = to;
    session.counted_milliseconds = carried;
    change.save(&mut session).await?;
    ledger::apply(change.txn, &[Credit::of(&session, difference(&before_days, &days))]).await?;
    row.delta_seconds = seconds_of(&session) - before;
    correction::tell(change, row, (Some(before), Some(seconds_of(&session)))).await
}

struct Adjust {
    guild_id: GuildId,
    person: Person,
    delta_seconds: i64,
    reason: String,
}

/// Adds time to a member's present day, or takes it from their newest days, with a reason.
pub async fn adjust(
    domain: &Domain,
    actor: &Actor,
    (person, guild_id): (Person, GuildId),
    delta_seconds: i64,
    reason: String,
) -> Result<Model, Error> {
    actor.require(Right::ManagePractice, Some(guild_id))?;
    let reason = text(Some(reason), NOTE_MAX, PracticeRefusal::BadAdjustment)?;
    let reason = reason.ok_or(PracticeRefusal::BadAdjustment)?;
    if delta_seconds == 0 || !(-ADJUSTMENT_MAX..=ADJUSTMENT_MAX).contains(&delta_seconds) {
        return Err(PracticeRefusal::BadAdjustment.into());
    }
    let input = Input::new(domain, actor, Adjust { guild_id, person, delta_seconds, reason });
    domain.store.write(input, |txn, input| Box::pin(adjust_in(txn, input))).await
}

async fn adjust_in(txn: &WriteTransaction, input: &Input<Adjust>) -> Result<Model, Error> {
    let (change, what) = (input.change(txn), &input.what);
    let user_id = what.person.find_or_make(txn, &input.author, &input.ids).await?;
    let guild_id = Some(what.guild_id);
    let days = if what.delta_seconds > 0 {
        let zone = person::zone(txn.connection(), Some(user_id), guild_id).await?;
        DaySeconds::from([(local_date(zone, change.now()), what.delta_seconds)])
    } else {
        take_from_newest(change, user_id, what.guild_id, -what.delta_seconds).await?
    };
    ledger::apply(txn, &[Credit { user_id, guild_id, is_voice: false, activity: None, days }]).await?;
    let row = Model {
        state: CorrectionState::Accepted,
        delta_seconds: what.delta_seconds,
        reason: Some(what.reason.clone()),
        decided_by: Some(input.author.actor().to_owned()),
        decided_at: Some(change.now()),
        ..blank(change, user_id, guild_id, CorrectionKind::Adjust)
    };
    file(change, &row).await?;
    correction::tell(change, &row, (None, None)).await?;
    Ok(row)
}

/// Which days give how much, the newest first. No day falls below nothing.
async fn take_from_newest(
    change: Change<'_>,
    user_id: UserId,
    guild_id: GuildId,
    seconds: i64,
) -> Result<DaySeconds, Error> {
    let connection = change.txn.connection();
    let key = (user_id, bits(Some(guild_id)));
    let total = practice_total::Entity::find_by_id(key).lock_exclusive().one(connection).await?;
    let total = total.map_or(0, |row| row.seconds);
    if total < seconds {
        return Err(PracticeRefusal::TooLittle { seconds: total.max(0) }.into());
    }
    let rows = practice_day::Entity::find()
        .filter(practice_day::COLUMN.user_id.eq(user_id))
        .filter(practice_day::COLUMN.guild_bits.eq(key.1))
        .filter(practice_day::COLUMN.seconds.gt(0))
        .order_by_desc(practice_day::COLUMN.local_date)
        .limit(TAKEN_DAYS_MAX)
        .lock_exclusive()
        .all(connection)
        .await?;
    let (mut days, mut left) = (DaySeconds::new(), seconds);
    for row in rows {
        let taken = row.seconds.min(left);
        left -= taken;
        days.insert(row.local_date, -taken);
        if left == 0 {
            return Ok(days);
        }
    }
    Err(PracticeRefusal::TooLittle { seconds: seconds - left }.into())
}
