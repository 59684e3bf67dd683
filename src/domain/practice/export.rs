//! Sessions as rows of a table, in bounded pages: a whole guild's for its moderators, or a person's own.

use chrono::{DateTime, NaiveDate, Utc};
use entity::{
    id::{DiscordUserId, GuildId, PracticeCorrectionId, PracticeSessionId, UserId},
    practice_correction::{self, CorrectionKind},
    practice_session::{self, SessionSource, SessionState},
};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::{
    Dates, Person, SessionView,
    person::{accounts, require_own_or, zone},
    split::midnight,
};
use crate::domain::{Actor, Domain, Error, Right};

/// Rows of a page.
const PAGE: u64 = 500;

/// Where the next page begins: after this session.
pub type ExportCursor = (DateTime<Utc>, PracticeSessionId);

/// One session of an export. What members wrote is only in their own.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of the session")]
pub struct CsvRow {
    pub session_id: PracticeSessionId,
    pub user_id: UserId,
    pub discord_user_id: Option<DiscordUserId>,
    pub guild_id: Option<GuildId>,
    pub source: SessionSource,
    pub started_at: DateTime<Utc>,
    pub ended_at: Option<DateTime<Utc>>,
    pub seconds: i64,
    pub activity: Option<String>,
    pub note: Option<String>,
}

/// The next page of ended sessions, the oldest first, and where the one after it begins. Without a person it is that of
/// a guild, for whoever may manage it.
pub async fn export_page(
    domain: &Domain,
    actor: &Actor,
    who: (Option<Person>, Option<GuildId>),
    after: Option<ExportCursor>,
) -> Result<(Vec<CsvRow>, Option<ExportCursor>), Error> {
    page_within(domain, actor, who, None, after).await
}

/// The same of one person's sessions that began on some of their days.
pub async fn export_days(
    domain: &Domain,
    actor: &Actor,
    (person, guild_id): (Person, Option<GuildId>),
    dates: Dates,
    after: Option<ExportCursor>,
) -> Result<(Vec<CsvRow>, Option<ExportCursor>), Error> {
    page_within(domain, actor, (Some(person), guild_id), Some(dates), after).await
}

async fn page_within(
    domain: &Domain,
    actor: &Actor,
    (person, guild_id): (Option<Person>, Option<GuildId>),
    dates: Option<Dates>,
    after: Option<ExportCursor>,
) -> Result<(Vec<CsvRow>, Option<ExportCursor>), Error> {
    let reader = domain.store.reader();
    let mut select = practice_session::Entity::find();
    match person {
        Some(person) => {
            let user = person.find(reader).await?;
            require_own_or(actor, (person, user), Right::ManagePractice, guild_id)?;
            let Some(user) = user else { return Ok((Vec::new(), None)) };
            select = select.filter(practice_session::COLUMN.user_id.eq(user));
            if let Some(dates) = dates {
                let zone = zone(reader, Some(user), guild_id).await?;
                let midnight = |date: NaiveDate| midnight(zone, date);
                let end = dates.last.succ_opt().unwrap_or(dates.last);
                select = select
                    .filter(practice_session::COLUMN.started_at.gte(midnight(dates.first)))
                    .filter(practice_session::COLUMN.started_at.lt(midnight(end)));
            }
        }
        None => actor.require(Right::ManagePractice, guild_id)?,
    }
    if let Some(guild_id) = guild_id {
        select = select.filter(practice_session::COLUMN.guild_id.eq(guild_id));
    }
    if let Some((started_at, id)) = after {
        use sea_orm::ExprTrait as _;
        let later = practice_session::COLUMN.started_at.gt(started_at);
        let beside = practice_session::COLUMN.started_at.eq(started_at).and(practice_session::COLUMN.id.gt(id));
        select = select.filter(Condition::any().add(later).add(beside));
    }
    let rows = select
        .filter(practice_session::Column::State.eq(SessionState::Done))
        .order_by_asc(practice_session::COLUMN.started_at)
        .order_by_asc(practice_session::COLUMN.id)
        .limit(PAGE)
        .all(reader)
        .await?;
    let next = rows.last().filter(|_| rows.len() as u64 == PAGE).map(|row| (row.started_at, row.id));
    let mut users: Vec<UserId> = rows.iter().map(|row| row.user_id).collect();
    users.sort_unstable();
    users.dedup();
    let accounts = accounts(reader, &users).await?;
    let is_own = person.is_some();
    let rows = rows.into_iter().map(|row| {
        let SessionView { row, seconds, .. } = row.into();
        CsvRow {
            session_id: row.id,
            user_id: row.user_id,
            discord_user_id: accounts.get(&row.user_id).copied(),
            guild_id: row.guild_id,
            source: row.source,
            started_at: row.started_at,
            ended_at: row.ended_at,
            seconds,
            activity: row.activity.filter(|_| is_own || !row.is_private),
            note: row.note.filter(|_| is_own),
        }
    });
    Ok((rows.collect(), next))
}

/// Where the next page of adjustments begins: after this one.
pub type AdjustmentCursor = PracticeCorrectionId;

/// Time that a moderator added or took, which belongs to no session.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of the correction")]
pub struct AdjustmentRow {
    pub id: PracticeCorrectionId,
    pub user_id: UserId,
    pub discord_user_id: Option<DiscordUserId>,
    pub at: DateTime<Utc>,
    pub seconds: i64,
}

/// The next page of a guild's adjustments, the oldest first: with the sessions they sum up to what is counted.
pub async fn adjustments_page(
    domain: &Domain,
    actor: &Actor,
    guild_id: GuildId,
    after: Option<AdjustmentCursor>,
) -> Result<(Vec<AdjustmentRow>, Option<AdjustmentCursor>), Error> {
    actor.require(Right::ManagePractice, Some(guild_id))?;
    let reader = domain.store.reader();
    let mut select = practice_correction::Entity::find()
        .filter(practice_correction::COLUMN.guild_id.eq(guild_id))
        .filter(practice_correction::Column::Kind.eq(CorrectionKind::Adjust));
    if let Some(after) = after {
        select = select.filter(practice_correction::COLUMN.id.gt(after));
    }
    let rows = select.order_by_asc(practice_correction::COLUMN.id).limit(PAGE).all(reader).await?;
    let next = rows.last().filter(|_| rows.len() as u64 == PAGE).map(|row| row.id);
    let mut users: Vec<UserId> = rows.iter().map(|row| row.user_id).collect();
    users.sort_unstable();
    users.dedup();
    let accounts = accounts(reader, &users).await?;
    let rows = rows.into_iter().map(|row| AdjustmentRow {
        id: row.id,
        user_id: row.user_id,
        discord_user_id: accounts.get(&row.user_id).copied(),
        at: row.created_at,
        seconds: row.delta_seconds,
    });
    Ok((rows.collect(), next))
}
