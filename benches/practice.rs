//! What practice costs: pairs of start and stop, statistics and the leaderboard, with ever more sessions in the store.
//!
//! Goal: the leaderboard and the statistics of a person cost the same, however many sessions there are.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use benches::figures::{Figures, print_head, print_line, print_row};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use clap::Parser;
use entity::{
    id::{DiscordUserId, GuildId, PracticeSegmentId, PracticeSessionId, UserId},
    practice_day, practice_segment,
    practice_segment::SegmentKind,
    practice_session::{self, EndReason, SessionSource, SessionState},
    practice_total,
};
use guildhall::{
    clock::Clock,
    domain::{
        Actor, Domain, Error, Limits, Source,
        practice::{self, LeaderboardQuery, NewSession, Person},
        user::{self, NewUser},
    },
    id_source::IdSource,
    secret::DatabaseUrl,
    store::{Settings, Store},
};
use sea_orm::{EntityTrait as _, IntoActiveModel};

/// Rows of one transaction of the seed.
const CHUNK: usize = 500;
/// The first session of the data set: 2026-08-01.
const FIRST: i64 = 1_785_542_400;

/// Rounds of pairs, of which the median counts.
const PAIR_ROUNDS: usize = 9;

#[derive(Parser)]
struct Arguments {
    /// Where to measure: a PostgreSQL address; a new SQLite file without it.
    #[arg(long)]
    url: Option<String>,
    /// People.
    #[arg(long, default_value_t = 10_000)]
    people: usize,
    /// Sessions in the store at each measurement, in rising order.
    #[arg(long, value_delimiter = ',', default_value = "20000,200000")]
    sessions: Vec<usize>,
    /// Calls of one measurement.
    #[arg(long, default_value_t = 500)]
    times: usize,
    /// Pairs of start and stop at once.
    #[arg(long, default_value_t = 64)]
    at_once: usize,
}

struct Bench {
    domain: Domain,
    people: Vec<UserId>,
    seeded: usize,
}

fn root() -> Actor {
    Actor::Root { source: Source::Cli }
}

async fn open(url: &str) -> anyhow::Result<Domain> {
    let timeout = Duration::from_secs(30);
    let store = Store::open(Settings {
        url: DatabaseUrl::parse(url).map_err(|_| anyhow::anyhow!("no address of a database"))?,
        readers_max: 4,
        pool_connections_max: 16,
        acquire_timeout: timeout,
        statement_timeout: timeout,
        idle_in_transaction_timeout: timeout,
        copies_kept: 1,
    })
    .await?;
    store.migrate().await?;
    let clock = Clock::system();
    Ok(Domain::new(store, clock.clone(), IdSource::random(clock), Limits::default()))
}

/// Who practised, from when, and for how many seconds.
type Practised = (UserId, DateTime<Utc>, i64);

/// Session `k` of the data set, the same numbers that the load scripts for other servers use.
fn session(people: &[UserId], k: usize) -> Practised {
    let user = people[k.wrapping_mul(7_919) % people.len()];
    let start = FIRST + i64::try_from(k % 200_000).unwrap_or(0) * 37;
    let seconds = 60 + i64::try_from((k * 2_654_435_761) % 7_141).unwrap_or(0);
    (user, DateTime::from_timestamp(start, 0).unwrap_or_default(), seconds)
}

impl Bench {
    async fn new(domain: Domain, people: usize) -> anyhow::Result<Self> {
        let mut rows = Vec::new();
        for index in 0..people {
            let account = DiscordUserId::new(4_100_000_000_000_000 + u64::try_from(index)?).context("an id")?;
            let new = NewUser { role: entity::user::Role::Authenticated, discord_user_id: Some(account) };
            rows.push(user::create(&domain, &root(), new).await?.id);
        }
        Ok(Self { domain, people: rows, seeded: 0 })
    }

    async fn seed_to(&mut self, sessions: usize) -> anyhow::Result<()> {
        let mut sums = Sums::default();
        while self.seeded < sessions {
            let end = (self.seeded + CHUNK).min(sessions);
            let chunk: Vec<_> = (self.seeded..end).map(|k| (k, session(&self.people, k))).collect();
            for (_, practised) in &chunk {
                sums.add(practised);
            }
            self.domain
                .store()
                .write(chunk, |txn, chunk| Box::pin(async move { seed(txn.connection(), chunk).await }))
                .await?;
            self.seeded = end;
        }
        for rows in sums.into_rows() {
            let work = self
                .domain
                .store()
                .write(rows, |txn, rows| Box::pin(async move { rows.write(txn.connection()).await }));
            work.await?;
        }
        Ok(())
    }

    async fn call(&self, case: &str, index: usize) -> anyhow::Result<()> {
        let person = Person::User(self.people[(index * 31) % self.people.len()]);
        match case {
            // What one row costs that is always the same: the pace of the machine at that moment.
            "row" => drop(practice::rule(&self.domain, &root(), GuildId::new(1).context("an id")?).await?),
            "day" => drop(practice::today(&self.domain, &root(), person, None).await?),
            "week" => drop(practice::week(&self.domain, &root(), person, None).await?),
            "month" => drop(practice::month(&self.domain, &root(), person, None).await?),
            "board" => {
                let query = LeaderboardQuery { limit: 10, ..LeaderboardQuery::default() };
                let board = practice::leaderboard(&self.domain, &root(), &query).await?;
                anyhow::ensure!(board.standings.len() == 10, "the board has ten rows");
            }
            "total" => drop(practice::total_seconds(&self.domain, &root(), None).await?),
            other => anyhow::bail!("there is no case {other}"),
        }
        Ok(())
    }

    /// Pairs in a second.
    async fn pairs(&self, times: usize, at_once: usize) -> anyhow::Result<f64> {
        let begun = Instant::now();
        let mut tasks = tokio::task::JoinSet::new();
        for lane in 0..at_once {
            let (domain, people) = (self.domain.clone(), self.people.clone());
            tasks.spawn(async move {
                for index in (lane..times).step_by(at_once) {
                    let person = Person::User(people[index % people.len()]);
                    practice::start(&domain, &root(), NewSession::of(person, None, SessionSource::Http)).await?;
                    practice::stop(&domain, &root(), person, None).await?;
                }
                Ok::<_, Error>(())
            });
        }
        while let Some(ended) = tasks.join_next().await {
            ended??;
        }
        #[expect(clippy::cast_precision_loss, reason = "small")]
        let times = times as f64;
        Ok(times / begun.elapsed().as_secs_f64())
    }
}

/// What the seed adds to the sums that boards and statistics read.
#[derive(Default)]
struct Sums {
    days: BTreeMap<(UserId, NaiveDate), i64>,
    totals: BTreeMap<UserId, i64>,
}

/// Rows of one transaction.
enum SumRows {
    Days(Vec<practice_day::Model>),
    Totals(Vec<practice_total::Model>),
}

impl Sums {
    fn add(&mut self, (user_id, started_at, seconds): &Practised) {
        *self.days.entry((*user_id, started_at.date_naive())).or_default() += seconds;
        *self.totals.entry(*user_id).or_default() += seconds;
    }

    fn into_rows(self) -> Vec<SumRows> {
        let day = |((user_id, local_date), seconds)| practice_day::Model {
            user_id,
            guild_bits: 0,
            local_date,
            seconds,
            voice_seconds: 0,
        };
        let total = |(user_id, seconds)| practice_total::Model { user_id, guild_bits: 0, seconds, voice_seconds: 0 };
        let days: Vec<_> = self.days.into_iter().map(day).collect();
        let totals: Vec<_> = self.totals.into_iter().map(total).collect();
        let days = days.chunks(CHUNK).map(|rows| SumRows::Days(rows.to_vec()));
        days.chain(totals.chunks(CHUNK).map(|rows| SumRows::Totals(rows.to_vec()))).collect()
    }
}

impl SumRows {
    async fn write(&self, connection: &sea_orm::DatabaseTransaction) -> Result<(), Error> {
        match self {
            Self::Days(rows) => {
                let rows = rows.iter().cloned().map(IntoActiveModel::into_active_model);
                let insert = practice_day::Entity::insert_many(rows);
                insert
                    .on_conflict(added(&DAY_KEY, practice_day::Column::Seconds))
                    .exec_without_returning(connection)
                    .await?;
            }
            Self::Totals(rows) => {
                let rows = rows.iter().cloned().map(IntoActiveModel::into_active_model);
                let insert = practice_total::Entity::insert_many(rows);
                insert
                    .on_conflict(added(&TOTAL_KEY, practice_total::Column::Seconds))
                    .exec_without_returning(connection)
                    .await?;
            }
        }
        Ok(())
    }
}

/// Writes ended sessions with their parts, past the rules that would make them one by one.
async fn seed(connection: &sea_orm::DatabaseTransaction, chunk: &[(usize, Practised)]) -> Result<(), Error> {
    let (mut sessions, mut segments) = (Vec::new(), Vec::new());
    for (k, (user_id, started_at, seconds)) in chunk {
        let ended_at = *started_at + TimeDelta::seconds(*seconds);
        let id = uuid::Uuid::from_u128(0x7000_u128 << 64 | *k as u128);
        sessions.push(blank(PracticeSessionId(id), *user_id, (*started_at, ended_at)).into_active_model());
        segments.push(
            practice_segment::Model {
                id: PracticeSegmentId(id),
                session_id: PracticeSessionId(id),
                kind: SegmentKind::Counted,
                started_at: *started_at,
                ended_at,
                carried_milliseconds: 0,
                is_claimed: false,
            }
            .into_active_model(),
        );
    }
    practice_session::Entity::insert_many(sessions).exec_without_returning(connection).await?;
    practice_segment::Entity::insert_many(segments).exec_without_returning(connection).await?;
    Ok(())
}

const DAY_KEY: [practice_day::Column; 3] =
    [practice_day::Column::UserId, practice_day::Column::GuildBits, practice_day::Column::LocalDate];
const TOTAL_KEY: [practice_total::Column; 2] = [practice_total::Column::UserId, practice_total::Column::GuildBits];

/// Adds to a sum that is there already.
fn added<C: sea_orm::ColumnTrait>(key: &[C], seconds: C) -> sea_orm::sea_query::OnConflict {
    use sea_orm::{
        ExprTrait as _,
        sea_query::{DynIden, Expr, IntoColumnRef as _, OnConflict},
    };
    let brought = Expr::col(("excluded", DynIden::from(seconds.to_string())).into_column_ref());
    OnConflict::columns(key.iter().copied()).value(seconds, seconds.into_expr().add(brought)).to_owned()
}

fn blank(
    id: PracticeSessionId,
    user_id: UserId,
    (started_at, ended_at): (DateTime<Utc>, DateTime<Utc>),
) -> practice_session::Model {
    practice_session::Model {
        id,
        user_id,
        open_user_id: None,
        guild_id: None,
        channel_id: None,
        source: SessionSource::Http,
        state: SessionState::Done,
        time_zone: "UTC".to_owned(),
        started_at,
        ended_at: Some(ended_at),
        end_reason: Some(EndReason::Stopped),
        running_since: None,
        counted_milliseconds: (ended_at - started_at).num_milliseconds(),
        observed_until: ended_at,
        look_at: None,
        missed_at: None,
        asked_at: None,
        touched_at: started_at,
        session_cap_seconds: 86_400,
        day_cap_seconds: None,
        minimum_seconds: 0,
        bridge_seconds: 120,
        idle_check_seconds: None,
        focus_seconds: None,
        break_seconds: None,
        rounds_left: None,
        phase_ends_at: None,
        is_private: false,
        activity: None,
        note: None,
        goal_seconds: None,
        created_at: started_at,
        updated_at: ended_at,
    }
}

const CASES: [&str; 6] = ["row", "day", "week", "month", "board", "total"];

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let folder = tempfile::tempdir()?;
    let file = format!("sqlite://{}", folder.path().join("bench.db").display());
    let domain = open(arguments.url.as_deref().unwrap_or(&file)).await?;
    let mut bench = Bench::new(domain, arguments.people).await?;
    let mut figures = Figures::default();
    for sessions in &arguments.sessions {
        bench.seed_to(*sessions).await?;
        let group = sessions.to_string();
        for case in CASES {
            // What is read first is cold.
            bench.call(case, 0).await?;
        }
        // In turn, so that all have the same machine.
        for index in 0..arguments.times {
            for case in CASES {
                let begun = Instant::now();
                bench.call(case, index).await?;
                figures.add(&group, case, begun.elapsed().as_secs_f64() * 1e6);
            }
        }
        // What the seed has left for the disk to write would be waited for by every commit of the first rounds.
        tokio::task::spawn_blocking(|| std::process::Command::new("sync").status()).await??;
        for _ in 0..PAIR_ROUNDS {
            figures.add(&group, "pairs", bench.pairs(arguments.times / 2, arguments.at_once).await?);
        }
    }
    report(&arguments, &figures);
    Ok(())
}

fn report(arguments: &Arguments, figures: &Figures) {
    print_line(&format!("{} people; medians in microseconds, pairs in a second", arguments.people));
    print_head(&["sessions", "row", "day", "week", "month", "board", "total", "pairs"]);
    for sessions in &arguments.sessions {
        let group = sessions.to_string();
        let figure = |case: &str| format!("{:.0}", figures.median(&group, case).unwrap_or_default());
        let mut row = vec![group.clone()];
        row.extend(CASES.iter().chain(&["pairs"]).map(|case| figure(case)));
        print_row(&row);
    }
    let (Some(first), Some(last)) = (arguments.sessions.first(), arguments.sessions.last()) else { return };
    let median = |sessions: &usize| {
        let of = |case: &str| figures.median(&sessions.to_string(), case).unwrap_or(f64::NAN);
        of("board") / of("row")
    };
    let growth = median(last) / median(first);
    let verdict = if growth <= 1.5 { "met" } else { "MISSED" };
    print_line(&format!(
        "against one row, the leaderboard costs {growth:.2} times as much, goal 1, noise 0.5: {verdict}"
    ));
}
