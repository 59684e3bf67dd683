//! Reading sessions: the one that runs, those that were, and who practises now.

use chrono::{DateTime, NaiveDate, Utc};
use entity::{
    id::{DiscordUserId, GuildId, PracticeSessionId, UserId},
    practice_rule::PracticePrivacy,
    practice_segment::{self, SegmentKind},
    practice_session::{self, Model, SessionState},
    user::{self as account, Privacy},
};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect,
    QueryTrait, sea_query::Expr,
};

use super::{
    Person, PracticeRefusal,
    change::seconds_of,
    ledger::zone_of,
    person::{accounts, require_own_or},
    rule,
    split::local_date,
    stats::Seen,
};
use crate::domain::{Actor, Domain, Error, Right};

/// Most rows of a page.
const PAGE_MAX: u64 = 100;

/// A session with what follows from its row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionView {
    /// The row.
    pub row: Model,
    /// Whole seconds that it has counted, as far as it was observed.
    pub seconds: i64,
    /// The day of its start, in its own zone.
    pub date: NaiveDate,
}

impl From<Model> for SessionView {
    fn from(row: Model) -> Self {
        Self { seconds: seconds_of(&row), date: local_date(zone_of(&row), row.started_at), row }
    }
}

impl SessionView {
    /// Its whole seconds once it has ended.
    pub fn final_seconds(&self) -> Option<i64> {
        (self.row.state == SessionState::Done).then_some(self.seconds)
    }
}

/// A page of sessions, the newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryPage {
    /// They.
    pub sessions: Vec<SessionView>,
    /// Where the next page begins.
    pub next: Option<(DateTime<Utc>, PracticeSessionId)>,
}

/// The session of a person that runs or is paused.
pub async fn running(domain: &Domain, actor: &Actor, person: Person) -> Result<Option<SessionView>, Error> {
    let reader = domain.store.reader();
    let user = person.find(reader).await?;
    let found = running_in(reader, user).await?;
    let guild_id = found.as_ref().and_then(|view| view.row.guild_id).or_else(|| actor.bound_guild());
    require_own_or(actor, (person, user), Right::ReadPractice, guild_id)?;
    Ok(found)
}

/// The same for whoever may see it.
pub(super) async fn running_in(
    connection: &impl ConnectionTrait,
    user: Option<UserId>,
) -> Result<Option<SessionView>, DbErr> {
    let Some(user) = user else { return Ok(None) };
    let open = practice_session::COLUMN.open_user_id.eq(user);
    Ok(practice_session::Entity::find().filter(open).one(connection).await?.map(Into::into))
}

/// One session, for whoever may see it, with its gaps.
pub async fn session(
    domain: &Domain,
    actor: &Actor,
    id: PracticeSessionId,
) -> Result<(SessionView, Vec<practice_segment::Model>), Error> {
    let reader = domain.store.reader();
    let row = practice_session::Entity::find_by_id(id).one(reader).await?.ok_or(PracticeRefusal::NoSession)?;
    let account = accounts(reader, &[row.user_id]).await?.get(&row.user_id).copied();
    let person = account.map_or(Person::User(row.user_id), Person::Discord);
    // Whose it is not, for them it is not there.
    require_own_or(actor, (person, Some(row.user_id)), Right::ManagePractice, row.guild_id)
        .map_err(|_| PracticeRefusal::NoSession)?;
    let gaps = practice_segment::Entity::find()
        .filter(practice_segment::COLUMN.session_id.eq(id))
        .filter(practice_segment::Column::Kind.eq(SegmentKind::Gap))
        .order_by_asc(practice_segment::COLUMN.started_at)
        .limit(PAGE_MAX)
        .all(reader)
        .await?;
    Ok((row.into(), gaps))
}

/// A page of a person's sessions, everywhere or in one guild, the newest first.
pub async fn history(
    domain: &Domain,
    actor: &Actor,
    (person, guild_id): (Person, Option<GuildId>),
    before: Option<(DateTime<Utc>, PracticeSessionId)>,
    limit: u64,
) -> Result<HistoryPage, Error> {
    let seen = Seen::find(domain, actor, person, guild_id).await?;
    let Some(user_id) = seen.user_id else { return Ok(HistoryPage { sessions: Vec::new(), next: None }) };
    let limit = limit.clamp(1, PAGE_MAX);
    let mut select = practice_session::Entity::find().filter(practice_session::COLUMN.user_id.eq(user_id));
    if let Some(guild_id) = guild_id {
        select = select.filter(practice_session::COLUMN.guild_id.eq(guild_id));
    }
    if require_own_or(actor, (person, Some(user_id)), Right::ManagePractice, guild_id).is_err() {
        select = select.filter(practice_session::COLUMN.is_private.eq(false));
    }
    if let Some((started_at, id)) = before {
        use sea_orm::ExprTrait as _;
        let earlier = practice_session::COLUMN.started_at.lt(started_at);
        let beside = practice_session::COLUMN.started_at.eq(started_at).and(practice_session::COLUMN.id.lt(id));
        select = select.filter(Condition::any().add(earlier).add(beside));
    }
    let mut rows = select
        .order_by_desc(practice_session::COLUMN.started_at)
        .order_by_desc(practice_session::COLUMN.id)
        .limit(limit + 1)
        .all(domain.store.reader())
        .await?;
    let more = rows.len() as u64 > limit;
    rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    let next = rows.last().filter(|_| more).map(|row| (row.started_at, row.id));
    Ok(HistoryPage { sessions: rows.into_iter().map(Into::into).collect(), next })
}

/// Who practises in a guild now, to be shown to everybody there: without private sessions and private people; at most
/// `limit`.
pub async fn now_practising(
    domain: &Domain,
    actor: &Actor,
    guild_id: GuildId,
    limit: u64,
) -> Result<Vec<(Option<DiscordUserId>, SessionView)>, Error> {
    actor.require(Right::ReadPractice, Some(guild_id))?;
    let reader = domain.store.reader();
    if rule::of(reader, guild_id).await?.privacy == PracticePrivacy::Private {
        return Err(PracticeRefusal::BoardIsPrivate.into());
    }
    let private_people = account::Entity::find()
        .select_only()
        .column(account::Column::Id)
        .filter(account::Column::Id.into_expr().eq(practice_session::Column::UserId.into_expr()))
        .filter(account::Column::Privacy.eq(Privacy::Private))
        .into_query();
    let rows = practice_session::Entity::find()
        .filter(practice_session::COLUMN.guild_id.eq(guild_id))
        // As a range, so that the index on both finds it on either engine.
        .filter(practice_session::COLUMN.open_user_id.gte(UserId(uuid::Uuid::nil())))
        .filter(practice_session::COLUMN.is_private.eq(false))
        .filter(Expr::exists(private_people).not())
        .order_by_asc(practice_session::COLUMN.started_at)
        .limit(limit.clamp(1, PAGE_MAX))
        .all(reader)
        .await?;
    let users: Vec<UserId> = rows.iter().map(|row| row.user_id).collect();
    let accounts = accounts(reader, &users).await?;
    Ok(rows.into_iter().map(|row| (accounts.get(&row.user_id).copied(), row.into())).collect())
}
