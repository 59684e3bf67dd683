//! Statistics of a person, and of everybody together: sums of days and totals, never of sessions.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use chrono_tz::Tz;
use entity::{
    guild::{self, WeekStart},
    id::{GuildId, UserId},
    practice_day,
    practice_rule::PracticePrivacy,
    practice_total,
};
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::{
    Dates, Person, PracticeRefusal, Streak, bits,
    calendar::{STREAK_DAY_SECONDS, streak},
    person,
    report::is_private,
    rule,
    split::{DaySeconds, local_date, sum},
};
use crate::domain::{Actor, Domain, Error, Right};

/// Most days of one question.
pub(super) const DAYS_MAX: u64 = 3_660;

/// A person whose practice may be seen, and where.
pub(super) struct Seen {
    pub(super) user_id: Option<UserId>,
    pub(super) guild_id: Option<GuildId>,
    pub(super) zone: Tz,
}

impl Seen {
    /// Finds the person, and refuses whoever may not see them. Nobody is made.
    pub(super) async fn find(
        domain: &Domain,
        actor: &Actor,
        person: Person,
        guild_id: Option<GuildId>,
    ) -> Result<Self, Error> {
        let reader = domain.store.reader();
        let user_id = person.find(reader).await?;
        person::require_own_or(actor, (person, user_id), Right::ReadPractice, guild_id)?;
        if let (Actor::Member(_), Some(guild)) = (actor, guild_id)
            && rule::of(reader, guild).await?.privacy == PracticePrivacy::Private
        {
            person::require_own_or(actor, (person, user_id), Right::ManagePractice, guild_id)?;
        }
        if let (Actor::Member(_), Some(user)) = (actor, user_id)
            && person::require_own_or(actor, (person, user_id), Right::ManagePractice, guild_id).is_err()
            && is_private(reader, user).await?
        {
            return Err(PracticeRefusal::Private.into());
        }
        let zone = person::zone(reader, user_id, guild_id).await?;
        Ok(Self { user_id, guild_id, zone })
    }

    fn today(&self, domain: &Domain) -> NaiveDate {
        local_date(self.zone, domain.now())
    }

    async fn days(&self, connection: &impl ConnectionTrait, dates: Dates) -> Result<DaySeconds, DbErr> {
        let Some(user_id) = self.user_id else { return Ok(DaySeconds::new()) };
        let rows = practice_day::Entity::find()
            .filter(practice_day::COLUMN.user_id.eq(user_id))
            .filter(practice_day::COLUMN.guild_bits.eq(bits(self.guild_id)))
            .filter(practice_day::COLUMN.local_date.between(dates.first, dates.last))
            .limit(DAYS_MAX)
            .all(connection)
            .await?;
        Ok(rows.into_iter().map(|day| (day.local_date, day.seconds)).collect())
    }
}

/// Seconds of a person's present day, everywhere or in one guild.
pub async fn today(domain: &Domain, actor: &Actor, person: Person, guild_id: Option<GuildId>) -> Result<i64, Error> {
    let seen = Seen::find(domain, actor, person, guild_id).await?;
    Ok(sum(&seen.days(domain.store.reader(), Dates::day(seen.today(domain))).await?))
}

/// Seconds of each of the seven days that end today.
pub async fn week(
    domain: &Domain,
    actor: &Actor,
    person: Person,
    guild_id: Option<GuildId>,
) -> Result<DaySeconds, Error> {
    let seen = Seen::find(domain, actor, person, guild_id).await?;
    let dates = Dates::last_week(seen.today(domain));
    Ok(dates.filled(&seen.days(domain.store.reader(), dates).await?))
}

/// Seconds of each day of the present month.
pub async fn month(
    domain: &Domain,
    actor: &Actor,
    person: Person,
    guild_id: Option<GuildId>,
) -> Result<DaySeconds, Error> {
    let seen = Seen::find(domain, actor, person, guild_id).await?;
    let dates = Dates::month(seen.today(domain));
    Ok(dates.filled(&seen.days(domain.store.reader(), dates).await?))
}

/// Seconds of each of some days; at most ten years of them.
pub async fn by_day(
    domain: &Domain,
    actor: &Actor,
    (person, guild_id): (Person, Option<GuildId>),
    dates: Dates,
) -> Result<DaySeconds, Error> {
    let seen = Seen::find(domain, actor, person, guild_id).await?;
    let last = dates.first.checked_add_days(chrono::Days::new(DAYS_MAX - 1)).unwrap_or(dates.last);
    let dates = Dates { first: dates.first, last: dates.last.min(last) };
    Ok(dates.filled(&seen.days(domain.store.reader(), dates).await?))
}

/// How much a person has practised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Their present day.
    pub today: NaiveDate,
    /// Seconds of it.
    pub day_seconds: i64,
    /// Seconds of the present week, from the guild's first day of the week on.
    pub week_seconds: i64,
    /// Seconds of the present month.
    pub month_seconds: i64,
    /// Seconds of the present year.
    pub year_seconds: i64,
    /// All of them.
    pub total_seconds: i64,
    /// Days in a row.
    pub streak: Streak,
}

/// Day, week, month, year and all time of a person, and their streaks.
pub async fn summary(
    domain: &Domain,
    actor: &Actor,
    person: Person,
    guild_id: Option<GuildId>,
) -> Result<Summary, Error> {
    let seen = Seen::find(domain, actor, person, guild_id).await?;
    let (reader, today) = (domain.store.reader(), seen.today(domain));
    let week = Dates::week(today, week_start(reader, guild_id).await?);
    // The week may reach into another year.
    let year = Dates { first: Dates::year(today).first.min(week.first), last: Dates::year(today).last.max(week.last) };
    let days = seen.days(reader, year).await?;
    let of = |dates: Dates| days.range(dates.first..=dates.last).map(|(_, seconds)| seconds).sum();
    Ok(Summary {
        today,
        day_seconds: of(Dates::day(today)),
        week_seconds: of(week),
        month_seconds: of(Dates::month(today)),
        year_seconds: of(Dates::year(today)),
        total_seconds: total_of(reader, &seen).await?,
        streak: streak_of(reader, &seen, today).await?,
    })
}

/// Days in a row with a minute at least.
pub async fn streaks(
    domain: &Domain,
    actor: &Actor,
    person: Person,
    guild_id: Option<GuildId>,
) -> Result<Streak, Error> {
    let seen = Seen::find(domain, actor, person, guild_id).await?;
    Ok(streak_of(domain.store.reader(), &seen, seen.today(domain)).await?)
}

async fn streak_of(connection: &impl ConnectionTrait, seen: &Seen, today: NaiveDate) -> Result<Streak, DbErr> {
    let Some(user_id) = seen.user_id else { return Ok(Streak::default()) };
    let days: Vec<NaiveDate> = practice_day::Entity::find()
        .select_only()
        .column(practice_day::Column::LocalDate)
        .filter(practice_day::COLUMN.user_id.eq(user_id))
        .filter(practice_day::COLUMN.guild_bits.eq(bits(seen.guild_id)))
        .filter(practice_day::COLUMN.seconds.gte(STREAK_DAY_SECONDS))
        .order_by_desc(practice_day::COLUMN.local_date)
        .limit(DAYS_MAX)
        .into_tuple()
        .all(connection)
        .await?;
    Ok(streak(&days.into_iter().collect::<BTreeSet<_>>(), today))
}

async fn total_of(connection: &impl ConnectionTrait, seen: &Seen) -> Result<i64, DbErr> {
    let Some(user_id) = seen.user_id else { return Ok(0) };
    let row = practice_total::Entity::find_by_id((user_id, bits(seen.guild_id))).one(connection).await?;
    Ok(row.map_or(0, |row| row.seconds))
}

pub(super) async fn week_start(
    connection: &impl ConnectionTrait,
    guild_id: Option<GuildId>,
) -> Result<WeekStart, DbErr> {
    let Some(guild_id) = guild_id else { return Ok(WeekStart::Monday) };
    let row = guild::Entity::find_by_id(guild_id).one(connection).await?;
    Ok(row.map_or(WeekStart::Monday, |row| row.week_start))
}

/// All seconds of everybody, everywhere or in one guild: one row per person is read.
pub async fn total_seconds(domain: &Domain, actor: &Actor, guild_id: Option<GuildId>) -> Result<i64, Error> {
    use sea_orm::ExprTrait as _;
    actor.require(Right::ReadPractice, guild_id)?;
    let total: Option<Option<i64>> = practice_total::Entity::find()
        .select_only()
        .column_as(practice_total::Column::Seconds.into_expr().sum().cast_as("bigint"), "seconds")
        .filter(practice_total::COLUMN.guild_bits.eq(bits(guild_id)))
        .into_tuple()
        .one(domain.store.reader())
        .await?;
    Ok(total.flatten().unwrap_or(0))
}
