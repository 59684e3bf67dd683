//! Parses the arguments, runs what they ask for, ends with its exit code.

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use guildhall::cli::{self, Cli, Exit};

/// Time that blocking work gets after everything else has stopped.
const STRAGGLERS: Duration = Duration::from_secs(1);

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return cli::refuse(&error),
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            cli::output::complain(&format!("error: cannot start threads: {error}\n"));
            return Exit::Failed.into();
        }
    };
    let code = runtime.block_on(cli::run(cli));
    // A lookup of a host name cannot be interrupted and must not hold the exit up.
    runtime.shutdown_timeout(STRAGGLERS);
    code
}
