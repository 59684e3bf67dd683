//! Connecting to either engine.

use std::{fs::OpenOptions, os::unix::fs::OpenOptionsExt, path::Path, time::Duration};

use sea_orm::{
    ConnectOptions, Database, DatabaseConnection, DbErr, RuntimeErr,
    sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};

use super::Settings;

/// How long SQLite waits for another process's write, in seconds.
const BUSY_TIMEOUT_SECONDS: u64 = 5;
/// How long a batch of writes waits for somebody else's lock on PostgreSQL before its writes go each by itself.
const BATCH_LOCK_TIMEOUT: Duration = Duration::from_millis(100);
/// Few writers make large batches; more of them work while others wait for the disk or for an answer.
const CONNECTIONS_PER_WRITER: u32 = 4;
/// A connection that was idle longer is asked for a sign of life before it is used: a round trip.
const TRUSTED_IDLE: Duration = Duration::from_secs(1);

fn internal(message: &str) -> DbErr {
    DbErr::Conn(RuntimeErr::Internal(message.to_owned()))
}

/// The writing connection and the pool of readers.
pub(super) async fn sqlite(
    settings: &Settings,
    path: &Path,
) -> Result<(DatabaseConnection, DatabaseConnection), DbErr> {
    create_private(path).map_err(|error| internal(&format!("cannot open {}: {error}", path.display())))?;
    if super::migrate::is_foreign(&peek(settings, path).await?).await? {
        // Switching to WAL would write into somebody else's file; whoever asks for the schema refuses it.
        let connection = peek(settings, path).await?;
        return Ok((connection.clone(), connection));
    }
    // The writer opens first: it switches the file to WAL, which readers then find.
    let writer = Database::connect(sqlite_options(settings, path, false)).await?;
    let reader = Database::connect(sqlite_options(settings, path, true)).await?;
    Ok((writer, reader))
}

/// A look at a file that changes nothing in it.
async fn peek(settings: &Settings, path: &Path) -> Result<DatabaseConnection, DbErr> {
    let mut options = ConnectOptions::new(format!("sqlite://{}", path.display()));
    options.max_connections(1).acquire_timeout(settings.acquire_timeout).sqlx_logging(false).map_sqlx_sqlite_opts(
        |sqlite| sqlite.busy_timeout(Duration::from_secs(BUSY_TIMEOUT_SECONDS)).pragma("query_only", "ON"),
    );
    Database::connect(options).await
}

/// Members' data is nobody else's business on a shared machine: mode 0600 from the first byte.
fn create_private(path: &Path) -> std::io::Result<()> {
    OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path).map(drop)
}

pub(super) fn sqlite_options(settings: &Settings, path: &Path, read_only: bool) -> ConnectOptions {
    let mut options = ConnectOptions::new(format!("sqlite://{}", path.display()));
    options
        .max_connections(if read_only { settings.readers_max } else { 1 })
        .min_connections(1)
        .acquire_timeout(settings.acquire_timeout)
        .test_before_acquire(false)
        .sqlx_logging(false)
        .map_sqlx_sqlite_opts(move |sqlite| {
            let sqlite = sqlite
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Full)
                .foreign_keys(true)
                .busy_timeout(Duration::from_secs(BUSY_TIMEOUT_SECONDS));
            if read_only { sqlite.pragma("query_only", "ON") } else { for_batches(sqlite) }
        });
    options
}

/// A batch touches some hundred pages: they stay in memory until the commit, so does what undoes a statement (which
/// would else be a temporary file for each batch), and a page that batch after batch changes is copied into the
/// database less often.
fn for_batches(sqlite: SqliteConnectOptions) -> SqliteConnectOptions {
    sqlite.pragma("cache_size", "-16000").pragma("temp_store", "MEMORY").pragma("wal_autocheckpoint", "4000")
}

/// The pool of the writers on PostgreSQL, with their number, and the pool for the rest.
pub(super) async fn postgres(settings: &Settings) -> Result<(DatabaseConnection, u32, DatabaseConnection), DbErr> {
    let writers = (settings.pool_connections_max / CONNECTIONS_PER_WRITER).max(1);
    let write = Settings { pool_connections_max: writers, ..settings.clone() };
    let write = Database::connect(postgres_options(&write, BATCH_LOCK_TIMEOUT)).await?;
    let others = settings.pool_connections_max.saturating_sub(writers).max(1);
    let rest = Settings { pool_connections_max: others, ..settings.clone() };
    Ok((write, writers, Database::connect(postgres_options(&rest, Duration::ZERO)).await?))
}

/// One connection of its own that may wait for a lock as long as it takes.
pub(super) async fn postgres_session(settings: &Settings) -> Result<DatabaseConnection, DbErr> {
    let patient = Settings { pool_connections_max: 1, statement_timeout: Duration::ZERO, ..settings.clone() };
    Database::connect(postgres_options(&patient, Duration::ZERO)).await
}

/// A `lock_timeout` of zero waits as long as a statement may take.
fn postgres_options(settings: &Settings, lock_timeout: Duration) -> ConnectOptions {
    let lock_timeout = lock_timeout.as_millis().to_string();
    let statement_timeout = settings.statement_timeout.as_millis().to_string();
    let idle_timeout = settings.idle_in_transaction_timeout.as_millis().to_string();
    let mut options = ConnectOptions::new(settings.url.expose().to_owned());
    options
        .max_connections(settings.pool_connections_max)
        .min_connections(1)
        .connect_timeout(settings.acquire_timeout)
        .acquire_timeout(settings.acquire_timeout)
        .test_before_acquire_if_idle_for(TRUSTED_IDLE)
        .sqlx_logging(false)
        .map_sqlx_postgres_opts(move |postgres| {
            postgres.application_name("guildhall").options([
                ("statement_timeout", statement_timeout.as_str()),
                ("lock_timeout", lock_timeout.as_str()),
                ("idle_in_transaction_session_timeout", idle_timeout.as_str()),
                ("timezone", "UTC"),
                // The log's unnumbered events are asked for all the time; only an index scan remembers which of their
                // entries are dead, a bitmap scan would visit each of them again until the next vacuum.
                ("enable_bitmapscan", "off"),
            ])
        });
    options
}
