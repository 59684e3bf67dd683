//! A person's practice in one stretch of time, with all that a card shows of it.
//!
//! Invariant: it is made of sums of days and totals, so that it costs the same however many sessions there are.

use std::collections::BTreeMap;

use chrono::{Datelike as _, NaiveDate};
use entity::{
    id::UserId,
    practice_activity_day, practice_day,
    practice_rule::PracticePrivacy,
    user::{self as account, Privacy},
};
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::{
    Dates, GoalProgress, LeaderboardQuery, Metric, Period, Person, PracticeRefusal, SessionView, Streak, bits, goals,
    leaderboard, person, read, rule,
    stats::{DAYS_MAX, Seen, week_start},
};
use crate::domain::{Actor, Domain, Error, Right};

/// Most bars; more days than that are put together to months, more months to years.
const BARS_MAX: usize = 31;
/// Most activities that are offered.
const ACTIVITIES_MAX: u64 = 25;

/// Whose practice, of when.
#[derive(Clone, Debug)]
pub struct ReportQuery {
    /// Whose.
    pub person: Person,
    /// What was credited to this guild; none is everywhere.
    pub guild_id: Option<entity::id::GuildId>,
    /// How long a stretch.
    pub period: Period,
    /// A day of it; none is the person's present day.
    pub day: Option<NaiveDate>,
    /// What counts.
    pub metric: Metric,
    /// Only practice of this activity.
    pub activity: Option<String>,
    /// It is shown to everybody in the guild.
    pub is_public: bool,
}

/// How long a bar stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grain {
    /// A day.
    Day,
    /// A month.
    Month,
    /// A year.
    Year,
}

/// One bar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bar {
    /// Its first day.
    pub first: NaiveDate,
    /// Whole seconds.
    pub seconds: i64,
}

/// A person's practice in a stretch of time.
#[derive(Clone, Debug)]
pub struct Report {
    /// The person's present day.
    pub today: NaiveDate,
    /// The days of the stretch.
    pub dates: Dates,
    /// Whole seconds in it.
    pub seconds: i64,
    /// How long each bar stands for.
    pub grain: Grain,
    /// The stretch in bars, those without practice too; of a single day, the seven days that end with it.
    pub bars: Vec<Bar>,
    /// Days in a row, with whatever practice.
    pub streak: Streak,
    /// Goals, and how far each is reached now.
    pub goals: Vec<GoalProgress>,
    /// The person's place among those who are shown in the guild.
    pub rank: Option<u64>,
    /// What runs now; its time is in the figures as far as it was observed.
    pub running: Option<SessionView>,
}

/// A person's practice in a stretch of time. Who is private shows it to themself, and to those who manage practice.
pub async fn report(domain: &Domain, actor: &Actor, query: &ReportQuery) -> Result<Report, Error> {
    let (who, guild_id) = (query.person, query.guild_id);
    let seen = Seen::find(domain, actor, who, guild_id).await?;
    if query.is_public {
        require_showable(domain, actor, &seen, who).await?;
    }
    let (summary, goals) = goals(domain, actor, (who, guild_id)).await?;
    let reader = domain.store.reader();
    let day = query.day.unwrap_or(summary.today);
    let dates = match query.period.dates(day, week_start(reader, guild_id).await?) {
        Some(dates) => dates.checked()?,
        None => Dates { first: first_day(reader, &seen, query).await?.unwrap_or(summary.today), last: summary.today },
    };
    let drawn = if query.period == Period::Day { Dates::last_week(dates.last) } else { dates };
    let days = match seen.user_id {
        Some(user) => days_of(reader, user, query, drawn).await?,
        None => BTreeMap::new(),
    };
    let seconds: i64 = days.range(dates.first..=dates.last).map(|(_, seconds)| seconds).sum();
    let (grain, bars) = bars(drawn, &days);
    let rank = match guild_id {
        Some(_) if seconds > 0 => rank(domain, actor, query, dates).await?,
        _ => None,
    };
    let running = read::running_in(reader, seen.user_id).await?.filter(|session| {
        let is_own = person::require_own_or(actor, (who, seen.user_id), Right::ManagePractice, guild_id).is_ok();
        let is_shown = !session.row.is_private && session.row.guild_id == guild_id;
        is_shown || is_own && !query.is_public
    });
    Ok(Report { today: summary.today, dates, seconds, grain, bars, streak: summary.streak, goals, rank, running })
}

/// Refuses to show somebody to everybody whom not every member may see; people may show themselves.
async fn require_showable(domain: &Domain, actor: &Actor, seen: &Seen, who: Person) -> Result<(), Error> {
    if person::is_own(actor, who, seen.user_id) {
        return Ok(());
    }
    let reader = domain.store.reader();
    let is_private_here = match seen.guild_id {
        Some(guild) => rule::of(reader, guild).await?.privacy == PracticePrivacy::Private,
        None => false,
    };
    let is_private = match seen.user_id {
        Some(user) => is_private(reader, user).await?,
        None => false,
    };
    if is_private_here || is_private { Err(PracticeRefusal::Private.into()) } else { Ok(()) }
}

/// The person's place in the stretch; none where the guild shows no boards to whoever asks.
async fn rank(domain: &Domain, actor: &Actor, query: &ReportQuery, dates: Dates) -> Result<Option<u64>, Error> {
    let board = LeaderboardQuery {
        guild_id: query.guild_id,
        dates: (query.period != Period::All).then_some(dates),
        metric: query.metric,
        activity: query.activity.clone(),
        limit: 1,
        is_public: true,
        own: Some(query.person),
        ..LeaderboardQuery::default()
    };
    match leaderboard(domain, actor, &board).await {
        Ok(board) => Ok(board.own.map(|own| own.rank)),
        Err(Error::Refused(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Seconds of what is asked for, by day.
async fn days_of(
    connection: &impl ConnectionTrait,
    user: UserId,
    query: &ReportQuery,
    dates: Dates,
) -> Result<BTreeMap<NaiveDate, i64>, DbErr> {
    let guild = bits(query.guild_id);
    let rows: Vec<(NaiveDate, i64, i64)> = match &query.activity {
        None => {
            use practice_day::{COLUMN, Column as C};
            practice_day::Entity::find()
                .select_only()
                .columns([C::LocalDate, C::Seconds, C::VoiceSeconds])
                .filter(COLUMN.user_id.eq(user))
                .filter(COLUMN.guild_bits.eq(guild))
                .filter(COLUMN.local_date.between(dates.first, dates.last))
                .order_by_desc(COLUMN.local_date)
                .limit(DAYS_MAX)
                .into_tuple()
                .all(connection)
                .await?
        }
        Some(activity) => {
            use practice_activity_day::{COLUMN, Column as C};
            practice_activity_day::Entity::find()
                .select_only()
                .columns([C::LocalDate, C::Seconds, C::VoiceSeconds])
                .filter(COLUMN.user_id.eq(user))
                .filter(COLUMN.guild_bits.eq(guild))
                .filter(C::Activity.eq(activity.as_str()))
                .filter(COLUMN.local_date.between(dates.first, dates.last))
                .order_by_desc(COLUMN.local_date)
                .limit(DAYS_MAX)
                .into_tuple()
                .all(connection)
                .await?
        }
    };
    Ok(rows.into_iter().map(|(date, all, voice)| (date, query.metric.seconds(all, voice))).collect())
}

/// The first day with practice, at most ten years ago.
async fn first_day(
    connection: &impl ConnectionTrait,
    seen: &Seen,
    query: &ReportQuery,
) -> Result<Option<NaiveDate>, DbErr> {
    let Some(user) = seen.user_id else { return Ok(None) };
    practice_day::Entity::find()
        .select_only()
        .column(practice_day::Column::LocalDate)
        .filter(practice_day::COLUMN.user_id.eq(user))
        .filter(practice_day::COLUMN.guild_bits.eq(bits(query.guild_id)))
        .order_by_asc(practice_day::COLUMN.local_date)
        .limit(1)
        .into_tuple()
        .one(connection)
        .await
}

/// As many bars as fit, without holes.
fn bars(dates: Dates, days: &BTreeMap<NaiveDate, i64>) -> (Grain, Vec<Bar>) {
    let begin = |grain: Grain, date: NaiveDate| match grain {
        Grain::Day => date,
        Grain::Month => date.with_day(1).unwrap_or(date),
        Grain::Year => NaiveDate::from_ymd_opt(date.year(), 1, 1).unwrap_or(date),
    };
    let months = (dates.last.year() - dates.first.year()) * 12 + dates.last.month0().cast_signed()
        - dates.first.month0().cast_signed();
    let grain = if dates.length() <= BARS_MAX as u64 {
        Grain::Day
    } else if usize::try_from(months).is_ok_and(|months| months < BARS_MAX) {
        Grain::Month
    } else {
        Grain::Year
    };
    let mut sums: BTreeMap<NaiveDate, i64> = BTreeMap::new();
    let all = dates.first.iter_days().take_while(|date| *date <= dates.last);
    for date in all {
        *sums.entry(begin(grain, date)).or_default() += days.get(&date).copied().unwrap_or(0);
    }
    (grain, sums.into_iter().map(|(first, seconds)| Bar { first, seconds }).collect())
}

/// Whether a person shows their practice to nobody else.
pub(super) async fn is_private(connection: &impl ConnectionTrait, user: UserId) -> Result<bool, DbErr> {
    let privacy: Option<Option<Privacy>> = account::Entity::find_by_id(user)
        .select_only()
        .column(account::Column::Privacy)
        .into_tuple()
        .one(connection)
        .await?;
    Ok(privacy.flatten() == Some(Privacy::Private))
}

/// One's own activities that begin with what was typed, at most 25.
pub async fn own_activities(
    domain: &Domain,
    actor: &Actor,
    guild_id: Option<entity::id::GuildId>,
    typed: &str,
) -> Result<Vec<String>, Error> {
    let Some(account) = actor.discord_user() else { return Ok(Vec::new()) };
    let reader = domain.store.reader();
    let Some(user) = Person::Discord(account).find(reader).await? else { return Ok(Vec::new()) };
    let names: Vec<String> = practice_activity_day::Entity::find()
        .select_only()
        .column(practice_activity_day::Column::Activity)
        .filter(practice_activity_day::COLUMN.user_id.eq(user))
        .filter(practice_activity_day::COLUMN.guild_bits.eq(bits(guild_id)))
        .distinct()
        .order_by_asc(practice_activity_day::Column::Activity)
        .limit(DAYS_MAX)
        .into_tuple()
        .all(reader)
        .await?;
    let typed = typed.trim().to_lowercase();
    let fits = names.into_iter().filter(|name| name.to_lowercase().starts_with(&typed));
    Ok(fits.take(usize::try_from(ACTIVITIES_MAX).unwrap_or(usize::MAX)).collect())
}
