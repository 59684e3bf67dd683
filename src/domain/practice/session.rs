//! Starting a session.

use chrono::TimeDelta;
use entity::{
    id::{ChannelId, GuildId, PracticeSessionId, UserId},
    practice_session::{self, Model, SessionSource, SessionState},
};
use sea_orm::{DbErr, EntityTrait, IntoActiveModel, TryInsertResult};
use serde_json::Value;

use super::{
    ACTIVITY_MAX, HTTP_CAP_SECONDS, NOTE_MAX, Person, PracticeRefusal, Rule,
    change::{Change, facts, next_look, open_session, text},
    person, rule,
};
use crate::{
    domain::{Actor, Domain, Error, Right, event::Author, guild},
    id_source::IdSource,
    store::WriteTransaction,
};

/// Rounds of work with breaks between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rounds {
    /// Length of a round.
    pub focus_seconds: i64,
    /// Length of a break.
    pub break_seconds: i64,
    /// How many rounds.
    pub rounds: i32,
}

impl Rounds {
    fn check(self) -> Result<Self, PracticeRefusal> {
        let fits = (1..=12).contains(&self.rounds)
            && (60..=4 * 3_600).contains(&self.focus_seconds)
            && (60..=3_600).contains(&self.break_seconds);
        if fits { Ok(self) } else { Err(PracticeRefusal::BadRounds) }
    }
}

/// A session to be started.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// Whose.
    pub person: Person,
    /// The guild that it is credited to.
    pub guild_id: Option<GuildId>,
    /// Where.
    pub channel_id: Option<ChannelId>,
    /// What begins it.
    pub source: SessionSource,
    /// What it is about, in a word.
    pub activity: Option<String>,
    /// What the person writes about it.
    pub note: Option<String>,
    /// What they want to reach in it.
    pub goal_seconds: Option<i64>,
    /// In rounds.
    pub rounds: Option<Rounds>,
    /// Not shown to others.
    pub is_private: bool,
}

impl NewSession {
    /// One of a source, with nothing else said.
    pub fn of(person: Person, guild_id: Option<GuildId>, source: SessionSource) -> Self {
        Self {
            person,
            guild_id,
            channel_id: None,
            source,
            activity: None,
            note: None,
            goal_seconds: None,
            rounds: None,
            is_private: false,
        }
    }
}

/// The session that runs now.
#[derive(Clone, Debug)]
pub struct Started {
    /// It.
    pub session: Model,
    /// It was started by this call; else it ran already, and is unchanged.
    pub is_new: bool,
}

/// What the work of a start needs.
#[derive(Clone)]
pub(super) struct Start {
    pub(super) author: Author,
    pub(super) ids: IdSource,
    pub(super) new: NewSession,
}

/// Starts a session, or returns the one that runs. The person of a Discord account is made on their first act.
pub async fn start(domain: &Domain, actor: &Actor, new: NewSession) -> Result<Started, Error> {
    let known = match actor {
        Actor::User(_) => new.person.find(domain.store.reader()).await?,
        _ => None,
    };
    person::require_own_or(actor, (new.person, known), Right::ManagePractice, new.guild_id)?;
    let note = text(new.note, NOTE_MAX, PracticeRefusal::BadNote)?;
    let activity = text(new.activity, ACTIVITY_MAX, PracticeRefusal::BadActivity)?;
    if activity.as_ref().is_some_and(|activity| activity.chars().any(char::is_control)) {
        return Err(PracticeRefusal::BadActivity.into());
    }
    let rounds = new.rounds.map(Rounds::check).transpose()?;
    if new.goal_seconds.is_some_and(|goal| !(60..=HTTP_CAP_SECONDS).contains(&goal)) {
        return Err(PracticeRefusal::BadGoal.into());
    }
    let new = NewSession { activity, note, rounds, ..new };
    let input = Start { author: Author::new(domain, actor), ids: domain.ids.clone(), new };
    domain.store.write(input, |txn, input| Box::pin(start_in(txn, input))).await
}

pub(super) async fn start_in(txn: &WriteTransaction, input: &Start) -> Result<Started, Error> {
    let user = input.new.person.find_or_make(txn, &input.author, &input.ids).await?;
    let row = blank(txn, input, user).await?;
    let inserted = practice_session::Entity::insert(row.clone().into_active_model())
        .on_conflict_do_nothing_on([practice_session::Column::OpenUserId])
        .exec_without_returning(txn.connection())
        .await?;
    if !matches!(inserted, TryInsertResult::Inserted(1..)) {
        // The other one may have ended in between: then this transaction is repeated.
        let session = open_session(txn, user).await?.ok_or(DbErr::RecordNotUpdated)?;
        return Ok(Started { session, is_new: false });
    }
    let change = Change { txn, author: &input.author, ids: &input.ids };
    if let Some(hours) = full_day(change, &row).await? {
        return Err(PracticeRefusal::DayCapReached { hours }.into());
    }
    change.tell("session.started", &row, (Value::Null, facts(&row))).await?;
    Ok(Started { session: row, is_new: true })
}

/// The hours of a day that is full already.
async fn full_day(change: Change<'_>, row: &Model) -> Result<Option<i64>, DbErr> {
    let Some(cap) = row.day_cap_seconds else { return Ok(None) };
    let known = change.known_days(row, change.now()).await?;
    Ok(known.values().any(|seconds| *seconds >= cap).then_some(cap / 3_600))
}

/// The session at its start, under the rules that hold now.
async fn blank(txn: &WriteTransaction, input: &Start, user_id: UserId) -> Result<Model, Error> {
    let (new, now) = (&input.new, input.author.at());
    let is_http = new.source == SessionSource::Http;
    if let Some(guild_id) = new.guild_id {
        guild::ensure(txn, guild_id, now).await?;
    }
    let rule = match new.guild_id {
        Some(guild_id) if !is_http => rule::of(txn.connection(), guild_id).await?,
        _ => Rule::default(),
    };
    let has_idle_check = new.source == SessionSource::Command && rule.idle_check_seconds > 0;
    let focus = new.rounds.map(|rounds| TimeDelta::seconds(rounds.focus_seconds));
    let mut row = Model {
        id: PracticeSessionId(input.ids.uuid()),
        user_id,
        open_user_id: Some(user_id),
        guild_id: new.guild_id,
        channel_id: new.channel_id,
        source: new.source,
        state: SessionState::Open,
        time_zone: person::zone(txn.connection(), Some(user_id), new.guild_id).await?.name().to_owned(),
        started_at: now,
        ended_at: None,
        end_reason: None,
        running_since: Some(now),
        counted_milliseconds: 0,
        observed_until: now,
        look_at: None,
        missed_at: None,
        asked_at: None,
        touched_at: now,
        session_cap_seconds: if is_http { HTTP_CAP_SECONDS } else { rule.session_cap_seconds },
        day_cap_seconds: new.guild_id.filter(|_| !is_http).map(|_| rule.day_cap_seconds),
        minimum_seconds: if is_http { 0 } else { rule.minimum_seconds },
        bridge_seconds: rule.bridge_seconds,
        idle_check_seconds: has_idle_check.then_some(rule.idle_check_seconds),
        focus_seconds: new.rounds.map(|rounds| rounds.focus_seconds),
        break_seconds: new.rounds.map(|rounds| rounds.break_seconds),
        rounds_left: new.rounds.map(|rounds| rounds.rounds),
        phase_ends_at: focus.map(|focus| now + focus),
        is_private: new.is_private,
        activity: new.activity.clone(),
        note: new.note.clone(),
        goal_seconds: new.goal_seconds,
        created_at: now,
        updated_at: now,
    };
    row.look_at = next_look(&row);
    Ok(row)
}
