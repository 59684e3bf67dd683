//! `guildhall migrate`.

use std::process::ExitCode;

use anyhow::Context as _;

use super::{Exit, output};
use crate::{config::Config, serve};

/// Brings the schema up to date.
pub(super) async fn run(config: Config) -> anyhow::Result<ExitCode> {
    let store = serve::open_store(&config).await.map_err(super::serve::with_exit)?;
    let before = store.migration_status().await.context(Exit::Database)?;
    let after = store.migrate().await.context(Exit::Database)?;
    store.close().await;
    output::print(&format!("{}: {} steps applied, {} now\n", config.database.url, before.pending, after.applied))?;
    Ok(Exit::Done.into())
}
