//! What a durable write costs at least: bare upserts of the same row without HTTP, checks or events, by clients that
//! each wait for their commit. Prints writes per second.

#![expect(clippy::print_stdout, reason = "its answer is one number")]

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use benches::{
    bare,
    rules::{self, Rule},
};
use clap::{Parser, ValueEnum};
use sea_orm::{
    DatabaseConnection,
    sqlx::{
        self, Connection as _, SqliteConnection,
        sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
    },
};
use tokio::{
    sync::{Mutex, mpsc, oneshot},
    task::JoinSet,
};

/// Most writes that share a commit, as in the store.
const BATCH_MAX: usize = 64;

const UPSERT: &str = "INSERT INTO vanish_rule (channel_id, guild_id, after_seconds, schedule, state, starts_after, \
    messages_deleted, revision, created_at, updated_at) \
    VALUES (?1, ?2, ?3, 'rolling', 'unconfirmed', 1, 0, 1, ?4, ?4) \
    ON CONFLICT (channel_id) DO UPDATE SET after_seconds = excluded.after_seconds, revision = revision + 1, \
    updated_at = excluded.updated_at";

#[derive(Clone, Copy, ValueEnum)]
enum Mode {
    /// SQLite, one commit for each write.
    Single,
    /// SQLite, one commit for all writes that wait.
    Grouped,
    /// PostgreSQL, one statement for each write, over a pool.
    Postgres,
}

#[derive(Parser)]
struct Arguments {
    mode: Mode,
    /// The migrated database: a SQLite file or the address of PostgreSQL.
    database: String,
    /// Clients at once.
    #[arg(long)]
    clients: usize,
    /// How long.
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    /// Connections of the pool on PostgreSQL.
    #[arg(long, default_value_t = 16)]
    pool: u32,
}

type Waiting = (Rule, oneshot::Sender<()>);

#[derive(Clone)]
enum Target {
    Single(Arc<Mutex<SqliteConnection>>),
    Grouped(mpsc::Sender<Waiting>),
    Postgres(DatabaseConnection),
}

impl Target {
    async fn open(arguments: &Arguments) -> anyhow::Result<Self> {
        Ok(match arguments.mode {
            Mode::Single => Self::Single(Arc::new(Mutex::new(sqlite(Path::new(&arguments.database)).await?))),
            Mode::Grouped => {
                let (sender, receiver) = mpsc::channel(1_024);
                tokio::spawn(group(sqlite(Path::new(&arguments.database)).await?, receiver));
                Self::Grouped(sender)
            }
            Mode::Postgres => Self::Postgres(bare::pool(&arguments.database, arguments.pool).await?),
        })
    }

    async fn write(&self, rule: Rule) -> anyhow::Result<()> {
        match self {
            Self::Single(connection) => upsert(&mut *connection.lock().await, rule).await,
            Self::Grouped(queue) => {
                let (done, committed) = oneshot::channel();
                queue.send((rule, done)).await.ok().context("the writer ended")?;
                committed.await.context("the commit failed")
            }
            Self::Postgres(database) => bare::upsert(database, rule).await,
        }
    }
}

async fn sqlite(path: &Path) -> sqlx::Result<SqliteConnection> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true);
    SqliteConnection::connect_with(&options).await
}

async fn upsert(connection: &mut SqliteConnection, rule: Rule) -> anyhow::Result<()> {
    sqlx::query(UPSERT)
        .bind(rule.channel.cast_signed())
        .bind(rule.guild.cast_signed())
        .bind(rule.duration)
        .bind("2026-11-22T12:00:00.000+00:00")
        .execute(connection)
        .await?;
    Ok(())
}

/// Takes what waits, writes it in one transaction, answers all.
async fn group(mut connection: SqliteConnection, mut queue: mpsc::Receiver<Waiting>) -> anyhow::Result<()> {
    let mut batch = Vec::with_capacity(BATCH_MAX);
    while queue.recv_many(&mut batch, BATCH_MAX).await > 0 {
        let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
        for (rule, _) in &batch {
            upsert(&mut transaction, *rule).await?;
        }
        transaction.commit().await?;
        for (_, done) in batch.drain(..) {
            let _ = done.send(());
        }
    }
    Ok(())
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let target = Target::open(&arguments).await?;
    for rule in rules::written(0) {
        target.write(rule).await?;
    }
    let started = Instant::now();
    let end = started + Duration::from_secs_f64(arguments.seconds);
    let mut clients = JoinSet::new();
    for first in 0..arguments.clients {
        let (target, step) = (target.clone(), arguments.clients);
        clients.spawn(async move {
            let mut writes = 0_u32;
            for round in 1.. {
                for rule in rules::written(round).skip(first).step_by(step) {
                    if Instant::now() >= end {
                        return Ok(writes);
                    }
                    target.write(rule).await?;
                    writes += 1;
                }
            }
            anyhow::Ok(writes)
        });
    }
    let mut writes = 0;
    while let Some(ended) = clients.join_next().await {
        writes += ended??;
    }
    println!("{}", f64::from(writes) / started.elapsed().as_secs_f64());
    Ok(())
}
