//! Who has practised most: of all time from the totals, whose first rows are the answer; of some days, or of one
//! activity, from the days.

use std::{collections::BTreeSet, sync::Arc};

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use entity::{
    guild_departure,
    id::{DiscordUserId, GuildId, UserId},
    identity::{self, Platform},
    practice_rule::PracticePrivacy,
    user::{self as account, Privacy},
};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, ExprTrait, Order, QueryFilter, QuerySelect,
    QueryTrait,
    sea_query::{Alias, Expr, Query, SelectStatement},
};

use super::{Dates, Period, Person, PracticeRefusal, bits, person, rule, split::local_date, stats::week_start};
use crate::domain::{Actor, Domain, Error, Right};

/// Most rows of a page.
const PAGE_MAX: u64 = 100;
/// Most people who may be left out.
const HIDDEN_MAX: usize = 5_000;
/// Most accounts that a board may be narrowed to: each is a parameter of the statement, of which SQLite takes 32 766.
pub const AMONG_MAX: usize = 10_000;
/// How long it is believed that somebody has left, since it was last found out.
pub(super) const DEPARTURE_BELIEVED: TimeDelta = TimeDelta::days(1);

/// What is ranked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Metric {
    /// All time that counts.
    #[default]
    All,
    /// Time in voice channels.
    Voice,
    /// All other time.
    Timer,
}

/// Which page of which board.
#[derive(Clone, Debug, Default)]
pub struct LeaderboardQuery {
    /// The board of this guild; none ranks everybody.
    pub guild_id: Option<GuildId>,
    /// Of these days; none is all time.
    pub dates: Option<Dates>,
    /// By what.
    pub metric: Metric,
    /// Only practice of this activity.
    pub activity: Option<String>,
    /// Rows of the page, at most 100.
    pub limit: u64,
    /// Rows to pass over.
    pub offset: u64,
    /// People who are not shown.
    pub hidden: BTreeSet<UserId>,
    /// Only these Discord accounts, at most 10 000; none leaves nobody out.
    pub among: Option<Arc<Vec<DiscordUserId>>>,
    /// To be shown to everybody: whoever is private or has left is not on it, and a private guild has none. What members
    /// ask for is without those people too.
    pub is_public: bool,
    /// Whose own place is asked for.
    pub own: Option<Person>,
}

/// A place on the board; equals share one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// From 1.
    pub rank: u64,
    /// The person.
    pub user_id: UserId,
    /// Their Discord account, if they have one.
    pub discord_user_id: Option<DiscordUserId>,
    /// Whole seconds.
    pub seconds: i64,
}

/// A page of the board.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Board {
    /// The page.
    pub standings: Vec<Standing>,
    /// There are more behind it.
    pub more: bool,
    /// The place of whoever asked, if they have one. Who is private sees it too, among those who are shown.
    pub own: Option<Standing>,
}

/// A page of a board.
pub async fn leaderboard(domain: &Domain, actor: &Actor, query: &LeaderboardQuery) -> Result<Board, Error> {
    actor.require(Right::ReadPractice, query.guild_id)?;
    let reader = domain.store.reader();
    let is_public = query.is_public || matches!(actor, Actor::Member(_));
    if let Some(guild) = query.guild_id.filter(|_| is_public)
        && rule::of(reader, guild).await?.privacy == PracticePrivacy::Private
    {
        // Whoever may see it may not show it to everybody.
        if query.is_public {
            return Err(PracticeRefusal::BoardIsPrivate.into());
        }
        actor.require(Right::ManagePractice, query.guild_id)?;
    }
    let ranking = Ranking { query, departed_after: is_public.then(|| domain.now() - DEPARTURE_BELIEVED) };
    let limit = query.limit.clamp(1, PAGE_MAX);
    let mut rows = fetch(reader, &ranking.ranked(limit + 1, query.offset)).await?;
    let more = rows.len() as u64 > limit;
    rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    let own = match query.own {
        Some(person) => person.find(reader).await?.filter(|user| !query.hidden.contains(user)),
        None => None,
    };
    let own_seconds = match own {
        Some(user) => fetch(reader, &ranking.of_one(user)).await?.first().map(|(_, seconds)| (user, *seconds)),
        None => None,
    };
    let users: Vec<UserId> = rows.iter().map(|(user, _)| *user).chain(own).collect();
    let accounts = person::accounts(reader, &users).await?;
    let mut board = Board { more, ..Board::default() };
    for (place, (user_id, seconds)) in (query.offset + 1..).zip(rows) {
        let rank = match board.standings.last() {
            Some(last) if last.seconds == seconds => last.rank,
            None if query.offset > 0 => ranking.count_above(reader, seconds).await? + 1,
            _ => place,
        };
        let discord_user_id = accounts.get(&user_id).copied();
        board.standings.push(Standing { rank, user_id, discord_user_id, seconds });
    }
    if let Some((user_id, seconds)) = own_seconds {
        let rank = ranking.count_above(reader, seconds).await? + 1;
        board.own = Some(Standing { rank, user_id, discord_user_id: accounts.get(&user_id).copied(), seconds });
    }
    Ok(board)
}

/// The days of a guild's board: of a period in which a day lies, of the guild's present one without it; none is all time.
pub async fn board_dates(
    domain: &Domain,
    guild_id: GuildId,
    period: Period,
    day: Option<NaiveDate>,
) -> Result<Option<Dates>, Error> {
    let reader = domain.store.reader();
    let zone = person::zone(reader, None, Some(guild_id)).await?;
    let day = day.unwrap_or_else(|| local_date(zone, domain.now()));
    let dates = period.dates(day, week_start(reader, Some(guild_id)).await?);
    Ok(dates.map(Dates::checked).transpose()?)
}

async fn fetch(connection: &impl ConnectionTrait, statement: &SelectStatement) -> Result<Vec<(UserId, i64)>, DbErr> {
    let rows = connection.query_all(statement).await?;
    rows.iter().map(|row| Ok((row.try_get("", "user_id")?, row.try_get("", "seconds")?))).collect()
}

/// A board as statements.
struct Ranking<'a> {
    query: &'a LeaderboardQuery,
    /// Whoever is private is left out, and who was found to have left after this moment; none shows all.
    departed_after: Option<DateTime<Utc>>,
}

impl Ranking<'_> {
    /// The sums that hold the answer.
    fn table(&self) -> &'static str {
        match (&self.query.activity, self.query.dates) {
            (Some(_), _) => "practice_activity_day",
            (None, Some(_)) => "practice_day",
            (None, None) => "practice_total",
        }
    }

    fn column(&self, name: &'static str) -> Expr {
        Expr::col((Alias::new(self.table()), Alias::new(name)))
    }

    /// Everybody with what they have, whoever sees it; unordered.
    fn everybody(&self) -> SelectStatement {
        let query = self.query;
        let mut seconds = query.metric.of(self.column("seconds"), self.column("voice_seconds"));
        let is_summed = query.activity.is_some() || query.dates.is_some();
        if is_summed {
            seconds = seconds.sum().cast_as("bigint");
        }
        let mut statement = Query::select()
            .expr(self.column("user_id"))
            .expr_as(seconds.clone(), "seconds")
            .from(self.table())
            .and_where(self.column("guild_bits").eq(bits(query.guild_id)))
            .take();
        if let Some(activity) = &query.activity {
            statement.and_where(self.column("activity").eq(activity.as_str()));
        }
        if let Some(dates) = query.dates {
            statement.and_where(self.column("local_date").between(dates.first, dates.last));
        }
        let hidden: Vec<_> = query.hidden.iter().take(HIDDEN_MAX).map(|user| user.0).collect();
        if !hidden.is_empty() {
            statement.and_where(self.column("user_id").is_not_in(hidden));
        }
        if let Some(among) = &query.among {
            let accounts = among.iter().take(AMONG_MAX).map(ToString::to_string);
            let people = identity::Entity::find()
                .select_only()
                .column(identity::Column::UserId)
                .filter(identity::Column::Platform.eq(Platform::Discord))
                .filter(identity::Column::Identity.is_in(accounts))
                .into_query();
            statement.and_where(self.column("user_id").in_subquery(people));
        }
        if is_summed {
            statement.add_group_by([self.column("user_id")]).and_having(seconds.gt(0));
        } else {
            statement.and_where(seconds.gt(0));
        }
        statement
    }

    /// The same without those whom nobody is to see: each is looked up by its key, as far as the board is read.
    fn shown(&self) -> SelectStatement {
        let mut statement = self.everybody();
        let Some(departed_after) = self.departed_after else { return statement };
        let withdrawn = account::Entity::find()
            .select_only()
            .column(account::Column::Id)
            .filter(account::Column::Id.into_expr().eq(self.column("user_id")))
            .filter(
                Condition::any()
                    .add(account::Column::Privacy.eq(Privacy::Private))
                    .add(account::Column::DeletedAt.is_not_null()),
            )
            .into_query();
        statement.and_where(Expr::exists(withdrawn).not());
        if let Some(guild_id) = self.query.guild_id {
            let departed = guild_departure::Entity::find()
                .select_only()
                .column(guild_departure::Column::UserId)
                .filter(guild_departure::Column::UserId.into_expr().eq(self.column("user_id")))
                .filter(guild_departure::COLUMN.guild_id.eq(guild_id))
                .filter(guild_departure::COLUMN.noted_at.gt(departed_after))
                .into_query();
            statement.and_where(Expr::exists(departed).not());
        }
        statement
    }

    /// The most first. Equals stand in the order in which the index has them.
    fn ranked(&self, limit: u64, offset: u64) -> SelectStatement {
        let mut statement = self.shown();
        let order = match (self.table(), self.query.metric) {
            // By the column itself, so that its index is read backwards.
            ("practice_total", Metric::All) => self.column("seconds"),
            _ => Expr::col(Alias::new("seconds")),
        };
        statement
            .order_by_expr(order, Order::Desc)
            .order_by_expr(self.column("user_id"), Order::Desc)
            .limit(limit)
            .offset(offset);
        statement
    }

    fn of_one(&self, user: UserId) -> SelectStatement {
        let mut statement = self.everybody();
        statement.and_where(self.column("user_id").eq(user.0));
        statement
    }

    /// How many people who are shown have more.
    async fn count_above(&self, connection: &impl ConnectionTrait, seconds: i64) -> Result<u64, DbErr> {
        let statement = Query::select()
            .expr_as(Expr::col(Alias::new("user_id")).count(), Alias::new("people"))
            .from_subquery(self.shown(), Alias::new("everybody"))
            .and_where(Expr::col(Alias::new("seconds")).gt(seconds))
            .take();
        let row = connection.query_one(&statement).await?;
        let people: i64 = row.map_or(Ok(0), |row| row.try_get("", "people"))?;
        Ok(people.cast_unsigned())
    }
}

impl Metric {
    fn of(self, all: Expr, voice: Expr) -> Expr {
        match self {
            Self::All => all,
            Self::Voice => voice,
            Self::Timer => all.sub(voice),
        }
    }

    /// What of a sum is ranked, given all of its seconds and those in voice channels.
    pub(super) fn seconds(self, all: i64, voice: i64) -> i64 {
        match self {
            Self::All => all,
            Self::Voice => voice,
            Self::Timer => all - voice,
        }
    }
}
