//! What people are told about their timers: that they may have been forgotten, and that a round or a break is over.
//!
//! Invariant: a notice is made in the transaction that makes it true. What is private is told to its person alone.

use chrono::{DateTime, Utc};
use entity::{
    direct_message,
    id::{DiscordUserId, GuildId, PracticeSessionId},
    practice_session::{self, EndReason, Model, SessionState},
};
use sea_orm::{DbErr, EntityTrait};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    ANSWER_TIME,
    change::{Change, seconds_of},
    person::accounts,
};
use crate::{
    domain::{
        Domain, Error,
        announcement::{self, NewAnnouncement},
        direct_message::{self as messages, NewDirectMessage},
    },
    id_source::IdSource,
    store::WriteTransaction,
};

/// The slot that receives what concerns timers.
const SLOT: &str = "practice";

/// What a notice says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoticeKind {
    /// Asks whether the person still practises.
    Asked,
    /// A round is over and a break begins.
    RoundEnded,
    /// A break is over and a round begins.
    BreakEnded,
    /// The last round is over.
    RoundsEnded,
}

impl NoticeKind {
    const ALL: [Self; 4] = [Self::Asked, Self::RoundEnded, Self::BreakEnded, Self::RoundsEnded];

    /// As rows spell it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Asked => "practice.asked",
            Self::RoundEnded => "practice.round_ended",
            Self::BreakEnded => "practice.break_ended",
            Self::RoundsEnded => "practice.rounds_ended",
        }
    }

    /// The kind that a row spells.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// What a notice is made of, as rows hold it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NoticeFacts {
    /// The session.
    pub session_id: PracticeSessionId,
    /// Whose it is.
    pub discord_user_id: DiscordUserId,
    /// Where it is credited.
    pub guild_id: Option<GuildId>,
    /// Nobody else may read it.
    pub is_private: bool,
    /// When the session began.
    pub started_at: DateTime<Utc>,
    /// When the phase that has begun is over, or until when an answer is awaited; none once all is done.
    pub until: Option<DateTime<Utc>>,
    /// Whole seconds that it has counted.
    pub seconds: i64,
    /// Rounds that are left.
    pub rounds_left: i32,
    /// It could not be told the first way.
    #[serde(default)]
    pub is_second_try: bool,
}

/// Asks the person whether they still practise, in a direct message.
pub(super) async fn asked(change: Change<'_>, row: &Model) -> Result<(), Error> {
    let until = row.asked_at.map(|asked| asked + ANSWER_TIME);
    let Some(facts) = facts(change, row, until).await? else { return Ok(()) };
    send(change, NoticeKind::Asked, &facts).await
}

/// Tells that a round is over, if it ended as rounds do.
pub(super) async fn round_ended(change: Change<'_>, row: &Model) -> Result<(), Error> {
    let kind = match (row.state, row.end_reason) {
        (SessionState::Paused, _) => NoticeKind::RoundEnded,
        (SessionState::Done, Some(EndReason::Rounds)) => NoticeKind::RoundsEnded,
        _ => return Ok(()),
    };
    tell(change, kind, row).await
}

/// Tells that a break is over.
pub(super) async fn break_ended(change: Change<'_>, row: &Model) -> Result<(), Error> {
    tell(change, NoticeKind::BreakEnded, row).await
}

/// In the slot of the guild; in a direct message where it is private.
async fn tell(change: Change<'_>, kind: NoticeKind, row: &Model) -> Result<(), Error> {
    let Some(facts) = facts(change, row, row.phase_ends_at).await? else { return Ok(()) };
    match facts.guild_id.filter(|_| !facts.is_private) {
        Some(guild_id) => {
            let dedupe_key = dedupe_key(kind, &facts);
            post(change.txn, change.ids, change.now(), (guild_id, kind.name(), &facts), dedupe_key).await?;
            Ok(())
        }
        None => send(change, kind, &facts).await,
    }
}

fn dedupe_key(kind: NoticeKind, facts: &NoticeFacts) -> String {
    let moment = facts.until.map_or(0, |until| until.timestamp_millis());
    format!("{}:{}:{moment}", kind.name(), facts.session_id)
}

/// None for a person without an account that could be told.
async fn facts(change: Change<'_>, row: &Model, until: Option<DateTime<Utc>>) -> Result<Option<NoticeFacts>, DbErr> {
    let account = accounts(change.txn.connection(), &[row.user_id]).await?.get(&row.user_id).copied();
    Ok(account.map(|discord_user_id| NoticeFacts {
        session_id: row.id,
        discord_user_id,
        guild_id: row.guild_id,
        is_private: row.is_private,
        started_at: row.started_at,
        until,
        seconds: seconds_of(row),
        rounds_left: row.rounds_left.unwrap_or(0),
        is_second_try: false,
    }))
}

async fn send(change: Change<'_>, kind: NoticeKind, facts: &NoticeFacts) -> Result<(), Error> {
    let new = NewDirectMessage {
        discord_user_id: facts.discord_user_id,
        kind: kind.name(),
        data: json!(facts),
        dedupe_key: dedupe_key(kind, facts),
        at: change.now(),
    };
    messages::insert(change.txn, change.ids, new).await?;
    Ok(())
}

async fn post(
    txn: &WriteTransaction,
    ids: &IdSource,
    at: DateTime<Utc>,
    (guild_id, kind, facts): (GuildId, &'static str, &NoticeFacts),
    dedupe_key: String,
) -> Result<(), DbErr> {
    let new = NewAnnouncement { guild_id, slot_key: SLOT.into(), kind, data: json!(facts), dedupe_key, at };
    announcement::insert(txn, ids, new).await?;
    Ok(())
}

/// Who takes no direct messages is told in the slot, unless it is private.
pub(in crate::domain) async fn not_sent(
    txn: &WriteTransaction,
    ids: &IdSource,
    at: DateTime<Utc>,
    row: &direct_message::Model,
) -> Result<(), DbErr> {
    let Some((kind, facts)) = read(&row.kind, &row.data) else { return Ok(()) };
    let Some(guild_id) = facts.guild_id.filter(|_| !facts.is_private && !facts.is_second_try) else { return Ok(()) };
    let facts = NoticeFacts { is_second_try: true, ..facts };
    post(txn, ids, at, (guild_id, kind.name(), &facts), format!("direct_message:{}", row.id)).await
}

/// A guild that has nowhere to post it leaves it to a direct message.
pub(in crate::domain) async fn not_posted(
    txn: &WriteTransaction,
    ids: &IdSource,
    at: DateTime<Utc>,
    row: &entity::announcement::Model,
) -> Result<(), DbErr> {
    let Some((kind, facts)) = read(&row.kind, &row.data) else { return Ok(()) };
    if facts.is_second_try {
        return Ok(());
    }
    let new = NewDirectMessage {
        discord_user_id: facts.discord_user_id,
        kind: kind.name(),
        data: json!(NoticeFacts { is_second_try: true, ..facts }),
        dedupe_key: format!("announcement:{}", row.id),
        at,
    };
    messages::insert(txn, ids, new).await?;
    Ok(())
}

/// A notice as a row spells it; none for rows of other kinds.
pub fn read(kind: &str, data: &Value) -> Option<(NoticeKind, NoticeFacts)> {
    let kind = NoticeKind::of_name(kind)?;
    serde_json::from_value(data.clone()).ok().map(|facts| (kind, facts))
}

/// Whether a notice is still true, so that nobody is told what has passed.
pub async fn is_true(domain: &Domain, kind: NoticeKind, facts: &NoticeFacts) -> Result<bool, Error> {
    let found = practice_session::Entity::find_by_id(facts.session_id).one(domain.store.reader()).await?;
    let Some(row) = found else { return Ok(false) };
    Ok(match kind {
        NoticeKind::Asked => {
            let until = row.asked_at.map(|asked| asked + ANSWER_TIME);
            row.state == SessionState::Open && is_same(until, facts.until)
        }
        NoticeKind::RoundEnded => row.state == SessionState::Paused && is_same(row.phase_ends_at, facts.until),
        NoticeKind::BreakEnded => row.state == SessionState::Open && is_same(row.phase_ends_at, facts.until),
        NoticeKind::RoundsEnded => true,
    })
}

/// The engines keep moments to different fractions of a second.
fn is_same(one: Option<DateTime<Utc>>, other: Option<DateTime<Utc>>) -> bool {
    one.map(|at| at.timestamp_millis()) == other.map(|at| at.timestamp_millis())
}
