//! Bringing the schema up to date: once, never over somebody else's data, never backwards.

use std::{collections::BTreeSet, fs::File, path::Path};

use migration::{Migrator, MigratorTrait};
use sea_orm::{ConnectionTrait, Database, DatabaseConnection, DbBackend, DbErr, Statement};
use thiserror::Error;

use super::{Store, open};

/// The key of the advisory lock that starters take on PostgreSQL: "guild" in ASCII.
const POSTGRES_LOCK: i64 = 0x0067_7569_6c64;

/// Where the schema stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MigrationStatus {
    /// Steps that the database has.
    pub applied: usize,
    /// Steps that it lacks.
    pub pending: usize,
}

/// Why a schema is not touched.
#[derive(Debug, Error)]
pub enum MigrateError {
    /// Somebody else's tables are there.
    #[error(
        "the database holds tables that are not Guildhall's ({tables}): nothing was changed. \
         Point DATABASE_URL at an empty database, such as sqlite://guildhall.db"
    )]
    Foreign {
        /// Some of their names.
        tables: String,
    },
    /// A newer program has been here.
    #[error(
        "the database has the schema step {step}, which this program does not know: nothing was changed. \
         Install the newer version again, or restore a copy from the folder `backups`"
    )]
    Newer {
        /// The first unknown step.
        step: String,
    },
    /// The copy before the change could not be made.
    #[error("copying the database before changing its schema failed, so nothing was changed")]
    Copy(#[source] std::io::Error),
    /// The database failed.
    #[error("the database failed while its schema was brought up to date")]
    Database(#[from] DbErr),
}

pub(super) async fn status(store: &Store) -> Result<MigrationStatus, MigrateError> {
    inspect(store.reader()).await
}

pub(super) async fn migrate(store: &Store) -> Result<MigrationStatus, MigrateError> {
    match store.sqlite_file() {
        Some(path) => migrate_sqlite(store, path).await,
        None => migrate_postgres(store).await,
    }
}

async fn migrate_sqlite(store: &Store, path: &Path) -> Result<MigrationStatus, MigrateError> {
    let lock_path = path.with_extension("migrating");
    let lock = File::create(&lock_path).map_err(MigrateError::Copy)?;
    // Waiting for another starter would block a thread of the runtime.
    let lock = tokio::task::spawn_blocking(move || lock.lock().map(|()| lock))
        .await
        .map_err(|error| MigrateError::Copy(error.into()))?
        .map_err(MigrateError::Copy)?;
    let before = inspect(store.reader()).await?;
    if before.pending > 0 {
        let connection = Database::connect(open::sqlite_options(&store.inner.settings, path, false)).await?;
        if before.applied > 0 {
            copy_before(&connection, path, store.inner.settings.copies_kept).await?;
        }
        Migrator::up(&connection, None).await?;
        connection.close().await?;
    }
    drop(lock);
    inspect(store.reader()).await
}

async fn migrate_postgres(store: &Store) -> Result<MigrationStatus, MigrateError> {
    // An advisory lock belongs to a session: one connection holds it while another works.
    let guard = open::postgres_session(&store.inner.settings).await?;
    guard.execute_unprepared(&format!("SELECT pg_advisory_lock({POSTGRES_LOCK})")).await?;
    let outcome = async {
        if inspect(store.reader()).await?.pending > 0 {
            Migrator::up(store.reader(), None).await?;
        }
        inspect(store.reader()).await
    }
    .await;
    guard.close().await?;
    outcome
}

/// Reads only.
async fn inspect(connection: &DatabaseConnection) -> Result<MigrationStatus, MigrateError> {
    let known: BTreeSet<String> = Migrator::migrations().iter().map(|step| step.name().to_owned()).collect();
    let tables = tables(connection).await?;
    if !tables.iter().any(|table| table == "seaql_migrations") {
        if tables.is_empty() {
            return Ok(MigrationStatus { applied: 0, pending: known.len() });
        }
        return Err(MigrateError::Foreign { tables: tables[..tables.len().min(3)].join(", ") });
    }
    let applied = column(connection, "SELECT version FROM seaql_migrations ORDER BY version").await?;
    if let Some(step) = applied.iter().find(|step| !known.contains(*step)) {
        return Err(MigrateError::Newer { step: step.clone() });
    }
    Ok(MigrationStatus { applied: applied.len(), pending: known.len() - applied.len() })
}

/// Whether the database is somebody else's: it has tables, and none of them lists our steps.
pub(super) async fn is_foreign(connection: &DatabaseConnection) -> Result<bool, DbErr> {
    let tables = tables(connection).await?;
    Ok(!tables.is_empty() && !tables.iter().any(|table| table == "seaql_migrations"))
}

async fn tables(connection: &DatabaseConnection) -> Result<Vec<String>, DbErr> {
    let query = match connection.get_database_backend() {
        DbBackend::Sqlite => {
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"
        }
        _ => "SELECT tablename::text FROM pg_tables WHERE schemaname = current_schema() ORDER BY tablename",
    };
    column(connection, query).await
}

async fn column(connection: &DatabaseConnection, query: &str) -> Result<Vec<String>, DbErr> {
    let statement = Statement::from_string(connection.get_database_backend(), query);
    let rows = connection.query_all_raw(statement).await?;
    rows.iter().map(|row| row.try_get_by_index(0)).collect()
}

/// Keeps a copy beside the database, and the newest few of them.
async fn copy_before(connection: &DatabaseConnection, path: &Path, kept: u32) -> Result<(), MigrateError> {
    if kept == 0 {
        return Ok(());
    }
    let folder = path.parent().unwrap_or(Path::new("")).join("backups");
    std::fs::create_dir_all(&folder).map_err(MigrateError::Copy)?;
    let version = env!("CARGO_PKG_VERSION");
    let stamp = crate::clock::Clock::system().now().format("%Y%m%dT%H%M%S%3f");
    let target = folder.join(format!("before-{version}-{stamp}.db"));
    super::backup::vacuum_into(connection, &target).await?;
    let mut copies: Vec<_> = std::fs::read_dir(&folder)
        .map_err(MigrateError::Copy)?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("before-"))
                && path.extension().is_some_and(|extension| extension == "db")
        })
        .collect();
    copies.sort_by_key(|path| path.metadata().and_then(|metadata| metadata.modified()).ok());
    for old in copies.iter().rev().skip(kept as usize) {
        std::fs::remove_file(old).map_err(MigrateError::Copy)?;
    }
    Ok(())
}
