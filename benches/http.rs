//! Drives the control plane and the bare ceilings in turn, round by round, and prints the ratios.
//!
//! Each figure is the median of its rounds; each ratio is taken within a round, because machines are noisy.

use std::{process::Command, sync::Arc, time::Duration};

use anyhow::Context as _;
use benches::{
    child::{self, KEY, Server},
    figures::{Figures, print_head, print_line, print_row},
    load, rules,
};
use clap::Parser;
use sea_orm::{ConnectionTrait as _, Database};
use tempfile::TempDir;

/// Connections at once.
const CONNECTIONS: [usize; 3] = [1, 16, 64];
/// Connections of every pool on PostgreSQL: the default of the settings.
const POOL: u32 = 16;

#[derive(Parser)]
struct Arguments {
    /// Rounds.
    #[arg(long, default_value_t = 5)]
    rounds: u32,
    /// Seconds of one measurement.
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    /// A PostgreSQL server that databases may be made on; without it, SQLite alone is measured.
    #[arg(long, env = "TEST_POSTGRES_URL")]
    postgres: Option<String>,
    /// Measure only rows whose name contains this.
    #[arg(long, default_value = "")]
    only: String,
}

impl Arguments {
    fn wants(&self, row: &str) -> bool {
        row.contains(&self.only)
    }

    fn duration(&self) -> Duration {
        Duration::from_secs_f64(self.seconds)
    }
}

/// The requests of one workload.
type Requests = Arc<Vec<Vec<u8>>>;

fn get_by_id() -> Requests {
    let paths = rules::listed().map(|rule| format!("/api/discord/vanish/{}", rule.channel));
    Arc::new(paths.map(|path| load::request("GET", &path, KEY, None)).collect())
}

fn list() -> Requests {
    let path = format!("/api/discord/vanish?guildId={}", rules::LISTED_GUILD);
    Arc::new(vec![load::request("GET", &path, KEY, None)])
}

/// A thousand writes; `round` makes them differ from those of the round before.
fn upserts(round: u32) -> Requests {
    set(rules::written(u64::from(round)))
}

fn set(rules: impl Iterator<Item = rules::Rule>) -> Requests {
    Arc::new(rules.map(|rule| load::request("POST", "/api/discord/vanish", KEY, Some(&rule.body()))).collect())
}

/// Sets the rules, each at least once.
async fn seed(server: &Server, requests: Requests) -> anyhow::Result<()> {
    let mut before = 0.0;
    let wanted = requests.len();
    while before < f64::from(u32::try_from(wanted)?) {
        let outcome = load::run(server.address, 1, Duration::from_millis(500), requests.clone()).await?;
        before += outcome.per_second / 2.0;
    }
    Ok(())
}

/// Everything that is measured on SQLite, and the bare axum.
struct Sqlite {
    folder: TempDir,
    guildhall: Server,
    axum: Server,
}

impl Sqlite {
    async fn start() -> anyhow::Result<Self> {
        let folder = TempDir::new()?;
        let port = child::free_port()?;
        let guildhall =
            Server::start(&mut Server::guildhall(folder.path(), "sqlite://guildhall.db", port)?, port).await?;
        seed(&guildhall, set(rules::listed())).await?;
        seed(&guildhall, upserts(0)).await?;
        // The ceiling writes to a database of the same schema and contents.
        let port = child::free_port()?;
        let bare = folder.path().join("bare");
        std::fs::create_dir(&bare)?;
        drop(Server::start(&mut Server::guildhall(&bare, "sqlite://bare.db", port)?, port).await?);
        let port = child::free_port()?;
        let mut axum = Command::new(child::program("ceiling_axum")?);
        let axum = Server::start(axum.args(["--port", &port.to_string()]), port).await?;
        Ok(Self { folder, guildhall, axum })
    }

    async fn bare(&self, mode: &str, clients: usize, seconds: f64) -> anyhow::Result<f64> {
        let database = self.folder.path().join("bare/bare.db");
        bare(mode, database.as_os_str().to_str().context("the folder's name is text")?, clients, seconds).await
    }

    async fn round(&self, arguments: &Arguments, round: u32, figures: &mut Figures) -> anyhow::Result<()> {
        for connections in CONNECTIONS {
            for (name, requests) in [("GET by id", get_by_id()), ("list of 20", list())] {
                let row = format!("{name}, {connections}");
                if !arguments.wants(&row) {
                    continue;
                }
                for (target, server) in [("guildhall", &self.guildhall), ("axum", &self.axum)] {
                    let outcome =
                        load::run(server.address, connections, arguments.duration(), requests.clone()).await?;
                    add(figures, &row, target, &outcome);
                }
            }
            let row = format!("upsert SQLite, {connections}");
            if !arguments.wants(&row) {
                continue;
            }
            let server = &self.guildhall;
            let outcome = load::run(server.address, connections, arguments.duration(), upserts(round)).await?;
            add(figures, &row, "guildhall", &outcome);
            for mode in ["grouped", "single"] {
                figures.add(&row, mode, self.bare(mode, connections, arguments.seconds).await?);
            }
        }
        Ok(())
    }
}

async fn bare(mode: &str, database: &str, clients: usize, seconds: f64) -> anyhow::Result<f64> {
    let mut command = Command::new(child::program("ceiling_store")?);
    command.args([mode, database, "--clients", &clients.to_string(), "--seconds", &seconds.to_string()]);
    command.args(["--pool", &POOL.to_string()]);
    child::measure(command).await
}

fn add(figures: &mut Figures, row: &str, target: &str, outcome: &load::Outcome) {
    figures.add(row, target, outcome.per_second);
    figures.add(row, &format!("{target} p50"), outcome.p50.as_secs_f64() * 1000.0);
    figures.add(row, &format!("{target} p99"), outcome.p99.as_secs_f64() * 1000.0);
}

/// Two databases on one PostgreSQL server, each with its program.
struct Postgres {
    server: String,
    guildhall: Server,
    axum: Server,
    _folder: TempDir,
}

const OURS: &str = "guildhall_bench_ours";
const BARE: &str = "guildhall_bench_bare";

impl Postgres {
    async fn start(url: &str) -> anyhow::Result<Self> {
        let folder = TempDir::new()?;
        let (server, _) = url.rsplit_once('/').context("the address of PostgreSQL names a database")?;
        let admin = Database::connect(url).await?;
        for name in [OURS, BARE] {
            admin.execute_unprepared(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await?;
            admin.execute_unprepared(&format!("CREATE DATABASE {name}")).await?;
        }
        admin.close().await?;
        let port = child::free_port()?;
        let bare = format!("{server}/{BARE}");
        drop(Server::start(&mut Server::guildhall(folder.path(), &bare, port)?, port).await?);
        let port = child::free_port()?;
        let ours = format!("{server}/{OURS}");
        let guildhall = Server::start(&mut Server::guildhall(folder.path(), &ours, port)?, port).await?;
        seed(&guildhall, upserts(0)).await?;
        let port = child::free_port()?;
        let mut axum = Command::new(child::program("ceiling_axum")?);
        axum.args(["--port", &port.to_string(), "--postgres", &bare, "--pool", &POOL.to_string()]);
        let axum = Server::start(&mut axum, port).await?;
        seed(&axum, upserts(0)).await?;
        Ok(Self { server: server.to_owned(), guildhall, axum, _folder: folder })
    }

    async fn round(&self, arguments: &Arguments, round: u32, figures: &mut Figures) -> anyhow::Result<()> {
        for connections in CONNECTIONS {
            let row = format!("upsert PostgreSQL, {connections}");
            if !arguments.wants(&row) {
                continue;
            }
            for (target, server) in [("guildhall", &self.guildhall), ("axum", &self.axum)] {
                let outcome = load::run(server.address, connections, arguments.duration(), upserts(round)).await?;
                add(figures, &row, target, &outcome);
            }
            let database = format!("{}/{BARE}", self.server);
            figures.add(&row, "bare", bare("postgres", &database, connections, arguments.seconds).await?);
        }
        Ok(())
    }
}

fn show(figures: &Figures, name: &str, targets: &[(&str, Option<f64>)]) {
    print_line("");
    let mut head = vec![name, "guildhall/s", "p50 ms", "p99 ms"];
    let columns: Vec<[String; 2]> =
        targets.iter().map(|(target, _)| [format!("{target}/s"), format!("ratio to {target}")]).collect();
    head.extend(columns.iter().flatten().map(String::as_str));
    print_head(&head);
    for connections in CONNECTIONS {
        let row = format!("{name}, {connections}");
        let Some(ours) = figures.median(&row, "guildhall") else { continue };
        let milliseconds = |which: &str| figures.median(&row, which).unwrap_or_default();
        let mut cells = vec![
            format!("{connections} connections"),
            format!("{ours:.0}"),
            format!("{:.2}", milliseconds("guildhall p50")),
            format!("{:.2}", milliseconds("guildhall p99")),
        ];
        for (target, goal) in targets {
            let Some((ratio, lowest, highest)) = figures.ratio(&row, "guildhall", target) else { continue };
            cells.push(format!("{:.0}", figures.median(&row, target).unwrap_or_default()));
            let verdict = match goal {
                Some(goal) if ratio >= *goal => format!(" ≥ {goal}"),
                Some(goal) => format!(" misses {goal}"),
                None => String::new(),
            };
            cells.push(format!("{ratio:.2} ({lowest:.2}–{highest:.2}){verdict}"));
        }
        print_row(&cells);
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let sqlite = Sqlite::start().await?;
    let postgres = match &arguments.postgres {
        Some(url) if arguments.wants("upsert PostgreSQL") => Some(Postgres::start(url).await?),
        _ => None,
    };
    let mut figures = Figures::default();
    for round in 1..=arguments.rounds {
        sqlite.round(&arguments, round, &mut figures).await?;
        if let Some(postgres) = &postgres {
            postgres.round(&arguments, round, &mut figures).await?;
        }
    }
    report(&figures);
    Ok(())
}

fn report(figures: &Figures) {
    show(figures, "GET by id", &[("axum", Some(0.6))]);
    show(figures, "list of 20", &[("axum", Some(0.3))]);
    show(figures, "upsert SQLite", &[("grouped", Some(0.35)), ("single", Some(1.3))]);
    show(figures, "upsert PostgreSQL", &[("axum", Some(0.9)), ("bare", None)]);
}
