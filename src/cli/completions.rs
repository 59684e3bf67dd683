//! `guildhall completions SHELL`.

use std::process::ExitCode;

use clap::CommandFactory;
use clap_complete::Shell;

use super::{Cli, Exit, output};

/// Prints the completion script.
pub(super) fn run(shell: Shell) -> anyhow::Result<ExitCode> {
    output::print(&script(shell))?;
    Ok(Exit::Done.into())
}

/// The script as a text: `clap_complete` panics when it writes to a closed pipe itself.
pub(super) fn script(shell: Shell) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "guildhall", &mut script);
    String::from_utf8_lossy(&script).into_owned()
}
