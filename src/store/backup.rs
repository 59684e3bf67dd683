//! Copies and checks of a SQLite file, while it is in use.

use std::{fs::OpenOptions, os::unix::fs::OpenOptionsExt, path::Path};

use sea_orm::{ConnectionTrait, DatabaseConnection, DbErr, RuntimeErr, Statement};

/// Writes a complete copy to a new file of mode 0600; an existing file is left alone and is an error.
pub(super) async fn vacuum_into(connection: &DatabaseConnection, target: &Path) -> Result<(), DbErr> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(target)
        .map_err(|error| DbErr::Conn(RuntimeErr::Internal(format!("cannot create {}: {error}", target.display()))))?;
    let statement = Statement::from_sql_and_values(
        connection.get_database_backend(),
        "VACUUM INTO ?",
        [target.display().to_string().into()],
    );
    let copied = connection.execute_raw(statement).await.map(drop);
    if copied.is_err() {
        // Half a copy would pass for one; the error says more than a failure to remove it.
        let _ = std::fs::remove_file(target);
    }
    copied
}

/// What SQLite's own check finds; empty when all is well.
pub(super) async fn integrity_problems(connection: &DatabaseConnection) -> Result<Vec<String>, DbErr> {
    let backend = connection.get_database_backend();
    let mut problems = Vec::new();
    for check in ["PRAGMA integrity_check", "PRAGMA foreign_key_check"] {
        for row in connection.query_all_raw(Statement::from_string(backend, check)).await? {
            let finding: String = row.try_get_by_index(0)?;
            if finding != "ok" {
                problems.push(format!("{check}: {finding}"));
            }
        }
    }
    Ok(problems)
}
