//! `guildhall backup FILE`.

use std::{path::PathBuf, process::ExitCode};

use anyhow::Context as _;

use super::{Exit, output};
use crate::{config::Config, serve};

/// Copies a SQLite database while it is in use.
pub(super) async fn run(config: Config, file: PathBuf) -> anyhow::Result<ExitCode> {
    if config.database.url.sqlite_path().is_none() {
        output::complain("PostgreSQL brings its own tool: pg_dump --format=custom --file=FILE \"$DATABASE_URL\"\n");
        return Ok(Exit::Failed.into());
    }
    let store = serve::open_store(&config).await.map_err(super::serve::with_exit)?;
    store.migration_status().await.context(Exit::Database)?;
    store.backup(&file).await.context(Exit::Database)?;
    store.close().await;
    output::print(&format!("{} holds a complete copy of {}\n", file.display(), config.database.url))?;
    Ok(Exit::Done.into())
}
