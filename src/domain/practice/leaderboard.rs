//! Who has practised most: of all time from the totals, whose first rows are the answer; of some days from the days.

use std::collections::BTreeSet;

use entity::{
    id::{DiscordUserId, GuildId, UserId},
    practice_day,
    practice_rule::PracticePrivacy,
    practice_total,
};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, ExprTrait, Order, QueryFilter, QuerySelect, QueryTrait, Select,
    sea_query::{Alias, Expr, Query, SelectStatement},
};

use super::{Dates, Person, bits, person, rule};
use crate::domain::{Actor, Domain, Error, Right};

/// Most rows of a page.
const PAGE_MAX: u64 = 100;
/// Most people who may be left out.
const HIDDEN_MAX: usize = 5_000;

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
    /// Rows of the page, at most 100.
    pub limit: u64,
    /// Rows to pass over.
    pub offset: u64,
    /// People who are not shown: who has left, and who wants it so.
    pub hidden: BTreeSet<UserId>,
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
    /// The place of whoever asked, if they have one.
    pub own: Option<Standing>,
}

/// A page of a board.
pub async fn leaderboard(domain: &Domain, actor: &Actor, query: &LeaderboardQuery) -> Result<Board, Error> {
    actor.require(Right::ReadPractice, query.guild_id)?;
    let reader = domain.store.reader();
    if let (Actor::Member(_), Some(guild)) = (actor, query.guild_id)
        && rule::of(reader, guild).await?.privacy == PracticePrivacy::Private
    {
        actor.require(Right::ManagePractice, query.guild_id)?;
    }
    let limit = query.limit.clamp(1, PAGE_MAX);
    let statement = query.ranked(limit + 1, query.offset);
    let mut rows = fetch(reader, &statement).await?;
    let more = rows.len() as u64 > limit;
    rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    let own = match query.own {
        Some(person) => person.find(reader).await?.filter(|user| !query.hidden.contains(user)),
        None => None,
    };
    let own_seconds = match own {
        Some(user) => fetch(reader, &query.of_one(user)).await?.first().map(|(_, seconds)| (user, *seconds)),
        None => None,
    };
    let users: Vec<UserId> = rows.iter().map(|(user, _)| *user).chain(own).collect();
    let accounts = person::accounts(reader, &users).await?;
    let mut board = Board { more, ..Board::default() };
    for (place, (user_id, seconds)) in (query.offset + 1..).zip(rows) {
        let rank = match board.standings.last() {
            Some(last) if last.seconds == seconds => last.rank,
            None if query.offset > 0 => query.count_above(reader, seconds).await? + 1,
            _ => place,
        };
        let discord_user_id = accounts.get(&user_id).copied();
        board.standings.push(Standing { rank, user_id, discord_user_id, seconds });
    }
    if let Some((user_id, seconds)) = own_seconds {
        let rank = query.count_above(reader, seconds).await? + 1;
        board.own = Some(Standing { rank, user_id, discord_user_id: accounts.get(&user_id).copied(), seconds });
    }
    Ok(board)
}

async fn fetch(connection: &impl ConnectionTrait, statement: &SelectStatement) -> Result<Vec<(UserId, i64)>, DbErr> {
    let rows = connection.query_all(statement).await?;
    rows.iter().map(|row| Ok((row.try_get("", "user_id")?, row.try_get("", "seconds")?))).collect()
}

impl LeaderboardQuery {
    /// Everybody who is shown, with what they have; unordered.
    fn everybody(&self) -> SelectStatement {
        match self.dates {
            None => self.everybody_ever(),
            Some(dates) => self.everybody_within(dates),
        }
    }

    fn everybody_ever(&self) -> SelectStatement {
        use practice_total::Column as C;
        let seconds = self.metric.of(C::Seconds, C::VoiceSeconds);
        let select: Select<practice_total::Entity> = practice_total::Entity::find()
            .select_only()
            .column(C::UserId)
            .column_as(seconds.clone(), "seconds")
            .filter(C::GuildBits.eq(bits(self.guild_id)))
            .filter(seconds.gt(0))
            .apply_if(self.hidden_users(), |select, users| select.filter(C::UserId.is_not_in(users)));
        select.into_query()
    }

    fn everybody_within(&self, dates: Dates) -> SelectStatement {
        use practice_day::Column as C;
        let seconds = self.metric.of(C::Seconds, C::VoiceSeconds).sum().cast_as("bigint");
        let select: Select<practice_day::Entity> = practice_day::Entity::find()
            .select_only()
            .column(C::UserId)
            .column_as(seconds.clone(), "seconds")
            .filter(C::GuildBits.eq(bits(self.guild_id)))
            .filter(C::LocalDate.between(dates.first, dates.last))
            .apply_if(self.hidden_users(), |select, users| select.filter(C::UserId.is_not_in(users)))
            .group_by(C::UserId)
            .having(seconds.gt(0));
        select.into_query()
    }

    fn hidden_users(&self) -> Option<Vec<uuid::Uuid>> {
        let users: Vec<_> = self.hidden.iter().take(HIDDEN_MAX).map(|user| user.0).collect();
        (!users.is_empty()).then_some(users)
    }

    /// The most first. Equals stand in the order in which the index has them.
    fn ranked(&self, limit: u64, offset: u64) -> SelectStatement {
        let mut statement = self.everybody();
        let order = match (self.dates, self.metric) {
            // By the column itself, so that its index is read backwards.
            (None, Metric::All) => Expr::col(practice_total::Column::Seconds),
            _ => Expr::col(Alias::new("seconds")),
        };
        statement
            .order_by_expr(order, Order::Desc)
            .order_by_expr(Expr::col(Alias::new("user_id")), Order::Desc)
            .limit(limit)
            .offset(offset);
        statement
    }

    fn of_one(&self, user: UserId) -> SelectStatement {
        let mut statement = self.everybody();
        statement.and_where(Expr::col(Alias::new("user_id")).eq(user.0));
        statement
    }

    /// How many people who are shown have more.
    async fn count_above(&self, connection: &impl ConnectionTrait, seconds: i64) -> Result<u64, DbErr> {
        let statement = Query::select()
            .expr_as(Expr::col(Alias::new("user_id")).count(), Alias::new("people"))
            .from_subquery(self.everybody(), Alias::new("everybody"))
            .and_where(Expr::col(Alias::new("seconds")).gt(seconds))
            .take();
        let row = connection.query_one(&statement).await?;
        let people: i64 = row.map_or(Ok(0), |row| row.try_get("", "people"))?;
        Ok(people.cast_unsigned())
    }
}

impl Metric {
    fn of(self, all: impl ColumnTrait, voice: impl ColumnTrait) -> Expr {
        match self {
            Self::All => all.into_expr(),
            Self::Voice => voice.into_expr(),
            Self::Timer => all.into_expr().sub(voice.into_expr()),
        }
    }
}
