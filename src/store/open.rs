//! Connecting to either engine.

use std::{fs::OpenOptions, os::unix::fs::OpenOptionsExt, path::Path};

use sea_orm::{
    ConnectOptions, Database, DatabaseConnection, DbErr, RuntimeErr,
    sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous},
};

use super::Settings;

/// How long SQLite waits for another process's write, in seconds.
const BUSY_TIMEOUT_SECONDS: u64 = 5;

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
        |sqlite| sqlite.busy_timeout(std::time::Duration::from_secs(BUSY_TIMEOUT_SECONDS)).pragma("query_only", "ON"),
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
                .busy_timeout(std::time::Duration::from_secs(BUSY_TIMEOUT_SECONDS));
            if read_only { sqlite.pragma("query_only", "ON") } else { sqlite }
        });
    options
}

/// The pool of PostgreSQL connections.
pub(super) async fn postgres(settings: &Settings) -> Result<DatabaseConnection, DbErr> {
    Database::connect(postgres_options(settings)).await
}

/// One connection of its own that may wait for a lock as long as it takes.
pub(super) async fn postgres_session(settings: &Settings) -> Result<DatabaseConnection, DbErr> {
    let patient =
        Settings { pool_connections_max: 1, statement_timeout: std::time::Duration::ZERO, ..settings.clone() };
    Database::connect(postgres_options(&patient)).await
}

fn postgres_options(settings: &Settings) -> ConnectOptions {
    let statement_timeout = settings.statement_timeout.as_millis().to_string();
    let idle_timeout = settings.idle_in_transaction_timeout.as_millis().to_string();
    let mut options = ConnectOptions::new(settings.url.expose().to_owned());
    options
        .max_connections(settings.pool_connections_max)
        .min_connections(1)
        .connect_timeout(settings.acquire_timeout)
        .acquire_timeout(settings.acquire_timeout)
        .sqlx_logging(false)
        .map_sqlx_postgres_opts(move |postgres| {
            postgres.application_name("guildhall").options([
                ("statement_timeout", statement_timeout.as_str()),
                ("idle_in_transaction_session_timeout", idle_timeout.as_str()),
                ("timezone", "UTC"),
            ])
        });
    options
}
