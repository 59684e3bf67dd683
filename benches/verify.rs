//! What it costs to look whether a key is good: CPU time of one thread, per look and per whole request.
//!
//! Goals: a look at a key in memory adds at most 20 µs to a request, and a bad key costs no more than a good one.

use std::{hint::black_box, net::IpAddr, time::Duration};

use anyhow::{Context as _, bail};
use axum::{
    Router,
    body::Body,
    http::{Request, StatusCode},
};
use benches::figures::{Figures, print_head, print_line, print_row};
use clap::Parser;
use entity::{
    api_key::{self, KeyState},
    id::ApiKeyId,
};
use guildhall::{
    app::{App, HttpSettings, Parts, Readiness, RootKey},
    clock::Clock,
    domain::{
        Domain, Error, Limits,
        api_key::{format, verify},
    },
    http,
    id_source::IdSource,
    limits::{RateLimits, Settings as LimitSettings},
    secret::DatabaseUrl,
    store::{NewEvent, Settings, Store},
};
use sea_orm::{EntityTrait as _, IntoActiveModel as _};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use tower::ServiceExt as _;

/// Keys in the store beside the one that is shown.
const OTHER_KEYS: usize = 1_000;
const ROOT: &str = benches::child::KEY;
const PATH: &str = "/api/discord/vanish/1001";

#[derive(Parser)]
struct Arguments {
    /// Looks or requests of one measurement.
    #[arg(long, default_value_t = 20_000)]
    times: u32,
    /// Rounds.
    #[arg(long, default_value_t = 5)]
    rounds: u32,
    /// One case alone: bare, good, unknown, damaged, request-root, request-key or request-unknown.
    #[arg(long)]
    only: Option<String>,
}

const CASES: [&str; 7] = ["bare", "good", "unknown", "damaged", "request-root", "request-key", "request-unknown"];

struct Bench {
    domain: Domain,
    router: Router,
    good: String,
    unknown: String,
    damaged: String,
    _folder: tempfile::TempDir,
}

impl Bench {
    async fn new() -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let store = open(&folder.path().join("bench.db")).await?;
        let clock = Clock::system();
        let domain = Domain::new(store, clock.clone(), IdSource::random(clock.clone()), Limits::default());
        let mut good = String::new();
        for _ in 0..=OTHER_KEYS {
            good = issue(&domain).await?;
        }
        let app = App::new(Parts {
            domain: domain.clone(),
            http: HttpSettings::default(),
            root_key: RootKey::from_key(ROOT),
            // As it ships, but for figures that a measurement would reach.
            limits: RateLimits::new(LimitSettings { key_per_minute: 1_000_000_000, ..LimitSettings::lifted() }, clock),
            admin_secret: None,
            readiness: Readiness::default(),
            metrics: None,
            discord: None,
            oauth: None,
        });
        let unknown = format::mint(format::Shape::Live).secret.expose().to_owned();
        let end = if good.ends_with('0') { '1' } else { '0' };
        let damaged = format!("{}{end}", &good[..good.len() - 1]);
        Ok(Self { domain, router: http::router(app), good, unknown, damaged, _folder: folder })
    }

    async fn run(&self, case: &str, times: u32) -> anyhow::Result<()> {
        let from = IpAddr::from([127, 0, 0, 1]);
        let digest = Sha256::digest(&self.good);
        for _ in 0..times {
            match case {
                "bare" => {
                    let shown = Sha256::digest(black_box(&self.good));
                    if !bool::from(shown.ct_eq(&digest)) {
                        bail!("the bare check refused");
                    }
                }
                "good" => drop(verify(&self.domain, black_box(&self.good), from).await?),
                "unknown" => refused(verify(&self.domain, black_box(&self.unknown), from).await.is_err())?,
                "damaged" => refused(verify(&self.domain, black_box(&self.damaged), from).await.is_err())?,
                "request-root" => self.request(ROOT, StatusCode::NOT_FOUND).await?,
                "request-key" => self.request(&self.good, StatusCode::NOT_FOUND).await?,
                "request-unknown" => self.request(&self.unknown, StatusCode::UNAUTHORIZED).await?,
                other => bail!("there is no case {other}"),
            }
        }
        Ok(())
    }

    async fn request(&self, key: &str, expected: StatusCode) -> anyhow::Result<()> {
        let request = Request::get(PATH).header("x-api-key", key).body(Body::empty())?;
        let Ok(response) = self.router.clone().oneshot(request).await;
        if response.status() != expected {
            bail!("{} instead of {expected}", response.status());
        }
        Ok(())
    }
}

fn refused(is_refused: bool) -> anyhow::Result<()> {
    if is_refused { Ok(()) } else { bail!("a bad key opened") }
}

async fn open(path: &std::path::Path) -> anyhow::Result<Store> {
    let timeout = Duration::from_secs(5);
    let store = Store::open(Settings {
        url: DatabaseUrl::parse(&format!("sqlite://{}", path.display())).map_err(|_| anyhow::anyhow!("an address"))?,
        readers_max: 2,
        pool_connections_max: 2,
        acquire_timeout: timeout,
        statement_timeout: timeout,
        idle_in_transaction_timeout: timeout,
        copies_kept: 1,
    })
    .await?;
    store.migrate().await?;
    Ok(store)
}

/// Writes a key that may read to the store, past the rules that would make it.
async fn issue(domain: &Domain) -> anyhow::Result<String> {
    let minted = format::mint(format::Shape::Live);
    let now = domain.now();
    let bytes: [u8; 16] = minted.facts.digest[..16].try_into()?;
    let row = api_key::Model {
        id: ApiKeyId(uuid::Uuid::from_bytes(bytes)),
        digest: minted.facts.digest.to_vec(),
        brand: minted.facts.brand,
        start: minted.facts.start,
        last_four: minted.facts.last_four,
        user_id: None,
        slot: None,
        guild_id: None,
        name: "bench".to_owned(),
        description: None,
        client_name: None,
        preset: None,
        scopes: json!(["read"]),
        allowed_origins: json!([]),
        ip_allowlist: json!([]),
        rate_limits: json!([]),
        state: KeyState::Active,
        state_at: now,
        state_by: "root".to_owned(),
        state_reason: None,
        expires_at: None,
        grace_ends_at: None,
        rotated_from: None,
        replaced_by: None,
        generation: 0,
        total_requests: 0,
        last_used_at: None,
        created_by: "root".to_owned(),
        created_at: now,
        updated_at: now,
    };
    let written: Result<(), Error> = domain
        .store()
        .write(row, |txn, row| {
            Box::pin(async move {
                api_key::Entity::insert(row.clone().into_active_model())
                    .exec_without_returning(txn.connection())
                    .await?;
                let event = NewEvent {
                    kind: "api_key.created",
                    guild_id: None,
                    subject: format!("api_key/{}", row.id),
                    actor: "root".to_owned(),
                    source: "cli",
                    before: Value::Null,
                    after: Value::Null,
                    at: row.created_at,
                };
                Ok(txn.append_event(event).await?)
            })
        })
        .await;
    written.context("a key can be written")?;
    Ok(minted.secret.expose().to_owned())
}

/// CPU time of this thread so far, in nanoseconds: <https://docs.kernel.org/scheduler/sched-stats.html>.
fn cpu_nanoseconds() -> anyhow::Result<f64> {
    // The kernel brings the figure up to date when a thread gives way, else only a few hundred times a second.
    std::thread::yield_now();
    let text = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    Ok(text.split_whitespace().next().context("a figure")?.parse()?)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let bench = Bench::new().await?;
    // The first look reads the store.
    bench.run("good", 1).await?;
    bench.run("request-key", 1).await?;
    if let Some(case) = &arguments.only {
        return bench.run(case, arguments.times).await;
    }
    let mut figures = Figures::default();
    for _ in 0..arguments.rounds {
        for case in CASES {
            let before = cpu_nanoseconds()?;
            bench.run(case, arguments.times).await?;
            figures.add("cpu", case, (cpu_nanoseconds()? - before) / f64::from(arguments.times) / 1000.0);
        }
    }
    report(&figures);
    Ok(())
}

fn report(figures: &Figures) {
    print_line("");
    print_head(&["CPU of one", "µs", "against"]);
    for (case, other) in [
        ("bare", "bare"),
        ("good", "bare"),
        ("unknown", "good"),
        ("damaged", "good"),
        ("request-root", "request-root"),
        ("request-key", "request-root"),
        ("request-unknown", "request-key"),
    ] {
        let microseconds = figures.median("cpu", case).unwrap_or_default();
        let ratio = figures.ratio("cpu", case, other).map_or(0.0, |(ratio, ..)| ratio);
        print_row(&[case.to_owned(), format!("{microseconds:.2}"), format!("{ratio:.2} × {other}")]);
    }
    let added = figures.median("cpu", "good").unwrap_or_default();
    let bad = figures.ratio("cpu", "unknown", "good").map_or(0.0, |(ratio, ..)| ratio);
    let verdict = |met: bool| if met { "met" } else { "MISSED" };
    print_line("");
    print_line(&format!("a look at a good key: {added:.2} µs, goal 20 µs: {}", verdict(added <= 20.0)));
    print_line(&format!("an unknown key: {bad:.2} of a good one, goal 1, noise 0.05: {}", verdict(bad <= 1.05)));
}
