//! What applications cost: votes, and the list of those that wait, beside what the bare store takes for the same rows.
//!
//! Goal: neither depends on how many applications there are; a vote costs at most five times the bare upsert.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use benches::figures::{Figures, print_head, print_line, print_row};
use clap::Parser;
use entity::{
    application, application::ApplicationStatus, application_vote, application_vote::VoteChoice, id::ApplicationId,
};
use guildhall::{
    clock::Clock,
    domain::{
        Actor, Domain, Error, Limits, Source,
        application::{self as rules, ApplicationFilter, HttpApplication, HttpForm, NewVote, Policy, Quorum},
        vanish::PageRequest,
    },
    id_source::IdSource,
    secret::DatabaseUrl,
    store::{Settings, Store},
};
use sea_orm::{
    ColumnTrait as _, EntityTrait as _, IntoActiveModel as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
    sea_query::OnConflict,
};

#[derive(Parser)]
struct Arguments {
    /// Where to measure: a PostgreSQL address; a new SQLite file without it.
    #[arg(long)]
    url: Option<String>,
    /// Applications in the store at each measurement, in rising order.
    #[arg(long, value_delimiter = ',', default_value = "100,10000")]
    applications: Vec<usize>,
    /// Calls of one measurement.
    #[arg(long, default_value_t = 500)]
    times: usize,
}

struct Bench {
    domain: Domain,
    ids: Vec<ApplicationId>,
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
    // Nothing is decided, so that all goes on.
    let policy = Policy { quorum: Quorum::Count(100), deadline_hours: None, ..Policy::default() };
    let limits = Limits { applications: HttpForm { guild_id: None, policy }, ..Limits::default() };
    Ok(Domain::new(store, clock.clone(), IdSource::random(clock), limits))
}

impl Bench {
    async fn seed_to(&mut self, applications: usize) -> anyhow::Result<()> {
        while self.ids.len() < applications {
            let new = HttpApplication {
                wallet_address: format!("0x{:040x}", self.ids.len()),
                excitement: "Everything".to_owned(),
                motivation: "To learn".to_owned(),
                signature: "0x00".to_owned(),
                ..HttpApplication::default()
            };
            self.ids.push(rules::create(&self.domain, &root(), new).await?.id);
        }
        Ok(())
    }

    /// Twenty voters in turn, each of whom changes their mind each time.
    fn ballot(&self, index: usize) -> (ApplicationId, String, VoteChoice) {
        let id = self.ids[(index * 7_919) % self.ids.len()];
        let choice = if (index / 20).is_multiple_of(2) { VoteChoice::Approve } else { VoteChoice::Reject };
        (id, format!("voter {}", index % 20), choice)
    }

    async fn call(&self, case: &str, index: usize) -> anyhow::Result<()> {
        match case {
            "vote" => {
                let (id, voter, choice) = self.ballot(index);
                let new = NewVote { voter: Some(voter), voter_name: None, choice, reason: None };
                rules::vote(&self.domain, &root(), id, new).await?;
            }
            "bare vote" => self.bare_vote(index).await?,
            "pending" => {
                let page = PageRequest { limit: 50, offset: 0 };
                let filter =
                    ApplicationFilter { status: Some(ApplicationStatus::Pending), ..ApplicationFilter::all(page) };
                let found = rules::list(&self.domain, &root(), filter).await?;
                anyhow::ensure!(found.rows.len() == 50, "the page is full");
            }
            "bare pending" => {
                let rows = application::Entity::find()
                    .filter(application::Column::Status.eq(ApplicationStatus::Pending))
                    .order_by_desc(application::COLUMN.submitted_at)
                    .limit(51)
                    .all(self.domain.store().reader())
                    .await?;
                anyhow::ensure!(rows.len() == 51, "the page is full");
            }
            other => anyhow::bail!("there is no case {other}"),
        }
        Ok(())
    }

    /// The upsert alone, in a transaction of its own.
    async fn bare_vote(&self, index: usize) -> anyhow::Result<()> {
        let (id, voter, choice) = self.ballot(index);
        let now = self.domain.now();
        let row = application_vote::Model {
            id: entity::id::ApplicationVoteId(uuid::Uuid::from_u128(0x7000_u128 << 64 | index as u128)),
            application_id: id,
            voter: format!("bare {voter}"),
            voter_name: None,
            choice,
            weight: 1,
            is_veto: false,
            reason: None,
            created_at: now,
            changed_at: now,
        };
        self.domain.store().write(row, |txn, row| Box::pin(upsert(txn, row.clone()))).await.context("the bare upsert")
    }
}

async fn upsert(txn: &guildhall::store::WriteTransaction, row: application_vote::Model) -> Result<(), Error> {
    use application_vote::Column as C;
    let conflict =
        OnConflict::columns([C::ApplicationId, C::Voter]).update_columns([C::Choice, C::ChangedAt]).to_owned();
    application_vote::Entity::insert(row.into_active_model())
        .on_conflict(conflict)
        .exec_without_returning(txn.connection())
        .await?;
    Ok(())
}

const CASES: [&str; 4] = ["vote", "bare vote", "pending", "bare pending"];

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let folder = tempfile::tempdir()?;
    let file = format!("sqlite://{}", folder.path().join("bench.db").display());
    let mut bench = Bench { domain: open(arguments.url.as_deref().unwrap_or(&file)).await?, ids: Vec::new() };
    let mut figures = Figures::default();
    let mut index = 0;
    for applications in &arguments.applications {
        bench.seed_to(*applications).await?;
        // What the seed has left for the disk to write would be waited for by the first commits.
        tokio::task::spawn_blocking(|| std::process::Command::new("sync").status()).await??;
        for _ in 0..arguments.times {
            index += 1;
            for case in CASES {
                let begun = Instant::now();
                bench.call(case, index).await?;
                figures.add(&applications.to_string(), case, begun.elapsed().as_secs_f64() * 1e6);
            }
        }
    }
    report(&arguments, &figures);
    Ok(())
}

fn report(arguments: &Arguments, figures: &Figures) {
    print_line("medians in microseconds");
    print_head(&["applications", "vote", "bare vote", "pending", "bare pending"]);
    for applications in &arguments.applications {
        let group = applications.to_string();
        let mut row = vec![group.clone()];
        row.extend(CASES.iter().map(|case| format!("{:.0}", figures.median(&group, case).unwrap_or_default())));
        print_row(&row);
    }
    let Some(last) = arguments.applications.last() else { return };
    let of = |case: &str| figures.median(&last.to_string(), case).unwrap_or(f64::NAN);
    for (case, bare, goal) in [("vote", "bare vote", 5.0), ("pending", "bare pending", 1.5)] {
        let ratio = of(case) / of(bare);
        let verdict = if ratio <= goal { "met" } else { "MISSED" };
        print_line(&format!("{case} at {last}: {ratio:.2} times the bare store, goal {goal}: {verdict}"));
    }
}
