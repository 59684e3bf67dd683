//! What it costs to find a person by their Discord account among many: against the bare read of the store.

use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use axum::{
    Router,
    body::Body,
    http::{Request, StatusCode},
};
use benches::figures::{Figures, print_head, print_line, print_row};
use clap::Parser;
use entity::{
    id::UserId,
    identity::{self, Platform},
    user::{self, Role},
};
use guildhall::{
    app::{App, HttpSettings, Parts, Readiness, RootKey},
    clock::Clock,
    domain::{Actor, Domain, Error, Limits, Source, user as people},
    http,
    id_source::IdSource,
    limits::{RateLimits, Settings as LimitSettings},
    secret::DatabaseUrl,
    store::{Settings, Store},
};
use sea_orm::{EntityTrait as _, IntoActiveModel as _};
use tower::ServiceExt as _;

const ROOT: &str = benches::child::KEY;
/// People that one transaction writes.
const BATCH: u64 = 500;
/// The first account.
const FIRST: u64 = 100_000_000_000_000_000;

#[derive(Parser)]
struct Arguments {
    /// People in the store.
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1..))]
    people: u64,
    /// Lookups of one measurement.
    #[arg(long, default_value_t = 5_000)]
    times: u64,
    /// Rounds.
    #[arg(long, default_value_t = 5)]
    rounds: u32,
    /// Where they are, such as `postgres://USER@HOST/EMPTY_DATABASE`; without it, a SQLite file of its own.
    #[arg(long)]
    url: Option<String>,
}

const CASES: [&str; 4] = ["bare", "found", "request", "nobody"];

struct Bench {
    domain: Domain,
    router: Router,
    people: u64,
    _folder: tempfile::TempDir,
}

impl Bench {
    async fn new(arguments: &Arguments) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let file = format!("sqlite://{}", folder.path().join("bench.db").display());
        let timeout = Duration::from_secs(10);
        let store = Store::open(Settings {
            url: DatabaseUrl::parse(arguments.url.as_ref().unwrap_or(&file)).ok().context("an address")?,
            readers_max: 2,
            pool_connections_max: 4,
            acquire_timeout: timeout,
            statement_timeout: timeout,
            idle_in_transaction_timeout: timeout,
            copies_kept: 1,
        })
        .await?;
        store.migrate().await?;
        let clock = Clock::system();
        let domain = Domain::new(store, clock.clone(), IdSource::random(clock.clone()), Limits::default());
        for first in (0..arguments.people).step_by(usize::try_from(BATCH)?) {
            fill(&domain, first, BATCH.min(arguments.people - first)).await?;
        }
        let app = App::new(Parts {
            domain: domain.clone(),
            http: HttpSettings::default(),
            root_key: RootKey::from_key(ROOT),
            limits: RateLimits::new(LimitSettings::lifted(), clock),
            admin_secret: None,
            readiness: Readiness::default(),
            metrics: None,
            discord: None,
            oauth: None,
        });
        Ok(Self { domain, router: http::router(app), people: arguments.people, _folder: folder })
    }

    async fn run(&self, case: &str, times: u64) -> anyhow::Result<()> {
        let root = Actor::Root { source: Source::Http };
        for n in 0..times {
            // A step that shares no factor with the number of people: each is asked for in turn, far from the last.
            let account = (FIRST + n * 7_919 % self.people).to_string();
            match case {
                "bare" => {
                    let key = (Platform::Discord, account);
                    let row = identity::Entity::find_by_id(key).one(self.domain.store().reader()).await?;
                    ensure!(row.is_some(), "the bare read found nobody");
                }
                "found" => drop(people::find(&self.domain, &root, Platform::Discord, &account).await?),
                "request" => self.request(&account, StatusCode::OK).await?,
                _ => self.request(&format!("9{account}"), StatusCode::NOT_FOUND).await?,
            }
        }
        Ok(())
    }

    async fn request(&self, account: &str, expected: StatusCode) -> anyhow::Result<()> {
        let path = format!("/api/users/id/by-discord/{account}");
        let request = Request::get(path).header("x-api-key", ROOT).body(Body::empty())?;
        let Ok(response) = self.router.clone().oneshot(request).await;
        ensure!(response.status() == expected, "{} instead of {expected}", response.status());
        Ok(())
    }
}

/// People with a Discord account each, written past the rules that would make them.
async fn fill(domain: &Domain, first: u64, count: u64) -> anyhow::Result<()> {
    let now = domain.now();
    let rows: Vec<(user::Model, identity::Model)> = (first..first + count)
        .map(|n| {
            let id = UserId(uuid::Uuid::from_u128(u128::from(n) << 64 | 1));
            let person = user::Model {
                id,
                role: Role::Authenticated,
                disabled_at: None,
                generation: 0,
                merged_into: None,
                deleted_at: None,
                erased_at: None,
                time_zone: None,
                language: None,
                privacy: None,
                direct_messages: None,
                ens_name: None,
                ens_avatar: None,
                ens_due_at: None,
                created_at: now,
                updated_at: now,
            };
            let account = identity::Model {
                platform: Platform::Discord,
                identity: (FIRST + n).to_string(),
                user_id: id,
                is_primary: true,
                metadata: None,
                verified_at: Some(now),
                created_at: now,
                updated_at: now,
            };
            (person, account)
        })
        .collect();
    let written: Result<(), Error> = domain
        .store()
        .write(rows, |txn, rows| {
            Box::pin(async move {
                let people = rows.iter().map(|(person, _)| person.clone().into_active_model());
                user::Entity::insert_many(people).exec_without_returning(txn.connection()).await?;
                let accounts = rows.iter().map(|(_, account)| account.clone().into_active_model());
                identity::Entity::insert_many(accounts).exec_without_returning(txn.connection()).await?;
                Ok(())
            })
        })
        .await;
    written.context("people can be written")
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let bench = Bench::new(&arguments).await?;
    let mut figures = Figures::default();
    for case in CASES {
        bench.run(case, arguments.times.min(500)).await?;
    }
    for _ in 0..arguments.rounds {
        for case in CASES {
            let begun = Instant::now();
            bench.run(case, arguments.times).await?;
            #[expect(clippy::cast_precision_loss, reason = "a count of lookups")]
            let times = arguments.times as f64;
            figures.add("time", case, begun.elapsed().as_secs_f64() * 1_000_000.0 / times);
        }
    }
    print_line(&format!("{} people", arguments.people));
    print_line("");
    print_head(&["one lookup after the other", "µs", "against the bare read"]);
    for case in CASES {
        let microseconds = figures.median("time", case).unwrap_or_default();
        let ratio = figures.ratio("time", case, "bare").map_or(0.0, |(ratio, ..)| ratio);
        print_row(&[case.to_owned(), format!("{microseconds:.1}"), format!("{ratio:.2}")]);
    }
    Ok(())
}
