//! The database: how it is opened, and the one way to write to it.
//!
//! Invariants: every write goes through [`Store::write`] or [`Store::change_row`], which run apart from the caller, so
//! that a caller who hangs up cancels nothing; a change and its events commit together; writes that wait share a commit.

mod backup;
mod event_log;
mod group_writer;
mod migrate;
mod open;
mod row_change;
#[cfg(test)]
mod tests;
mod transaction;
mod within;

use std::{path::PathBuf, sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use sea_orm::{Database, DatabaseConnection, DbBackend, DbErr};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use crate::secret::DatabaseUrl;

pub use event_log::{EventNote, EventOrder, NewEvent, sequence_events};
pub use migrate::{MigrateError, MigrationStatus};
pub use row_change::RowChange;
pub use transaction::{CommitHook, WriteTransaction};
pub use within::Within;

use group_writer::GroupWriter;

/// How to open the store.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where it is.
    pub url: DatabaseUrl,
    /// Reading connections on SQLite.
    pub readers_max: u32,
    /// Connections on PostgreSQL.
    pub pool_connections_max: u32,
    /// How long to wait for a connection.
    pub acquire_timeout: Duration,
    /// Longest statement on PostgreSQL.
    pub statement_timeout: Duration,
    /// Longest pause inside a transaction on PostgreSQL.
    pub idle_in_transaction_timeout: Duration,
    /// Copies of a SQLite file kept from before migrations.
    pub copies_kept: u32,
}

/// What a failed write can be asked: was it the database?
pub trait WriteError: From<DbErr> + Send + 'static {
    /// The database's error, where that is what failed.
    fn database_error(&self) -> Option<&DbErr>;
}

/// The work of one transaction. All it needs is in its input, so that it can be repeated after a conflict.
pub type Work<I, T, E> = for<'a> fn(&'a WriteTransaction, &'a I) -> BoxFuture<'a, Result<T, E>>;

/// The open database.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    reader: DatabaseConnection,
    writer: GroupWriter,
    hook: CommitHook,
    path: Option<PathBuf>,
    settings: Settings,
    /// Transactions that may read beside themselves: two in each of which waits for the other's connection would wait
    /// in vain, so that some connections are never theirs.
    long_transactions: Arc<Semaphore>,
}

impl Store {
    /// Connects without touching the schema.
    pub async fn open(settings: Settings) -> Result<Self, DbErr> {
        let hook = CommitHook::start();
        let inner = if let Some(path) = settings.url.sqlite_path() {
            let (write, reader) = open::sqlite(&settings, &path).await?;
            Inner {
                reader,
                writer: GroupWriter::sqlite(write, hook.clone()),
                hook,
                path: Some(path),
                settings,
                // Readers have connections of their own.
                long_transactions: Arc::new(Semaphore::new(Semaphore::MAX_PERMITS)),
            }
        } else {
            let (write, writers, pool) = open::postgres(&settings).await?;
            let half = usize::try_from(settings.pool_connections_max.saturating_sub(writers) / 2).unwrap_or(1).max(1);
            Inner {
                reader: pool.clone(),
                writer: GroupWriter::postgres(write, writers, pool, hook.clone()),
                hook,
                path: None,
                settings,
                long_transactions: Arc::new(Semaphore::new(half)),
            }
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// For reading only; SQLite refuses a write here.
    pub fn reader(&self) -> &DatabaseConnection {
        &self.inner.reader
    }

    /// Which engine it is.
    pub fn backend(&self) -> DbBackend {
        self.inner.reader.get_database_backend()
    }

    /// The SQLite file; none on PostgreSQL.
    pub fn sqlite_file(&self) -> Option<&std::path::Path> {
        self.inner.path.as_deref()
    }

    /// Runs one transaction to its end, whatever becomes of the caller, and repeats it after a conflict.
    ///
    /// An error of `work` rolls everything back. When this returns `Ok`, state and events are durable and
    /// the caches of this process know. Within a transaction ([`Store::within`]) both wait for that one's commit.
    pub async fn write<I, T, E>(&self, input: I, work: Work<I, T, E>) -> Result<T, E>
    where
        I: Send + Sync + 'static,
        T: Send + 'static,
        E: WriteError,
    {
        match self.write_within(input, work).await {
            Ok(outcome) => outcome,
            Err(input) => self.inner.writer.write(input, work).await,
        }
    }

    /// Makes a change of one row if the row is as expected; false: it is not, and nothing was done.
    ///
    /// As durable as [`Store::write`], and cheaper: all such changes that wait are made together.
    pub async fn change_row<E: WriteError>(&self, change: RowChange) -> Result<bool, E> {
        let work: Work<RowChange, bool, E> = |txn, change| Box::pin(async { Ok(change.apply(txn).await?) });
        match self.write_within(change, work).await {
            Ok(outcome) => outcome,
            Err(change) => self.inner.writer.change_row(change).await,
        }
    }

    /// A place among the transactions that read beside themselves; it is given back by dropping it after the commit.
    pub async fn long_transaction(&self) -> Result<OwnedSemaphorePermit, DbErr> {
        let closed = |_| DbErr::Custom("the store is closed".to_owned());
        self.inner.long_transactions.clone().acquire_owned().await.map_err(closed)
    }

    /// Calls `listener` with the events of every commit of this process, before the writer is answered.
    pub fn on_commit(&self, listener: impl Fn(&[EventNote]) + Send + Sync + 'static) {
        self.inner.hook.listen(listener);
    }

    /// Changes soon after this process has committed events, at most twenty times a second.
    pub fn commits(&self) -> watch::Receiver<u64> {
        self.inner.hook.commits()
    }

    /// Brings the schema up to date; one starter does it, others wait for it.
    pub async fn migrate(&self) -> Result<MigrationStatus, MigrateError> {
        migrate::migrate(self).await
    }

    /// Compares the schema with what this program knows, without changing anything.
    pub async fn migration_status(&self) -> Result<MigrationStatus, MigrateError> {
        migrate::status(self).await
    }

    /// Copies a SQLite store to a new file while it is in use; an error on PostgreSQL, which has `pg_dump`.
    pub async fn backup(&self, target: &std::path::Path) -> Result<(), DbErr> {
        let Some(path) = self.sqlite_file() else {
            return Err(DbErr::Custom("PostgreSQL is backed up with pg_dump".to_owned()));
        };
        // Readers may not write, and for SQLite that forbids writing another file too.
        let connection = Database::connect(open::sqlite_options(&self.inner.settings, path, false)).await?;
        backup::vacuum_into(&connection, target).await?;
        connection.close().await
    }

    /// What the engine's own check finds wrong; empty when all is well, and always on PostgreSQL.
    pub async fn integrity_problems(&self) -> Result<Vec<String>, DbErr> {
        if self.backend() != DbBackend::Sqlite {
            return Ok(Vec::new());
        }
        backup::integrity_problems(&self.inner.reader).await
    }

    /// Refuses new writes, lets the running ones finish, and closes the connections.
    pub async fn close(&self) {
        self.inner.writer.close().await;
        if let Err(error) = self.inner.reader.clone().close().await {
            tracing::warn!(%error, "closing the database failed");
        }
    }
}

/// Whether the same transaction may succeed when it is repeated: a conditional update that found the row changed,
/// serialization failure (40001), deadlock (40P01), and SQLite's BUSY family (primary code 5).
pub(crate) fn transaction_conflict(error: &DbErr) -> bool {
    if matches!(error, DbErr::RecordNotUpdated) {
        return true;
    }
    let Some(code) = engine_code(error) else {
        return false;
    };
    match code.parse::<i32>() {
        Ok(number) if code.len() < 5 => number & 0xff == 5,
        _ => code == "40001" || code == "40P01",
    }
}

/// Whether the database does not answer at all: waiting helps, and nobody can say what it holds.
pub(crate) fn unreachable(error: &DbErr) -> bool {
    use sea_orm::sqlx::Error;
    if matches!(error, DbErr::ConnectionAcquire(_) | DbErr::Conn(_)) {
        return true;
    }
    let lost = |error: &Error| {
        matches!(
            error,
            Error::Io(_)
                | Error::Tls(_)
                | Error::Protocol(_)
                | Error::PoolTimedOut
                | Error::PoolClosed
                | Error::WorkerCrashed
        )
    };
    // Connection exceptions, no resources left, and a server that starts or stops:
    // https://www.postgresql.org/docs/current/errcodes-appendix.html
    let server = |code: &str| code.len() == 5 && ["08", "53", "57P"].iter().any(|class| code.starts_with(class));
    engine_error(error).is_some_and(lost) || engine_code(error).is_some_and(|code| server(&code))
}

fn engine_error(error: &DbErr) -> Option<&sea_orm::sqlx::Error> {
    match error {
        DbErr::Exec(sea_orm::RuntimeErr::SqlxError(error))
        | DbErr::Query(sea_orm::RuntimeErr::SqlxError(error))
        | DbErr::Conn(sea_orm::RuntimeErr::SqlxError(error)) => Some(error),
        _ => None,
    }
}

fn engine_code(error: &DbErr) -> Option<std::borrow::Cow<'_, str>> {
    engine_error(error)?.as_database_error()?.code()
}
