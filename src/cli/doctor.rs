//! `guildhall doctor`.

use std::process::ExitCode;

use super::{Exit, output};
use crate::config::Config;

/// Runs the command.
#[expect(clippy::unused_async, reason = "the body that waits is still to come")]
pub(super) async fn run(config: Config, json: bool) -> anyhow::Result<ExitCode> {
    drop((config, json));
    output::complain("doctor is not part of this build\n");
    Ok(Exit::Failed.into())
}
