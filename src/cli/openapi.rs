//! `guildhall openapi`.

use std::process::ExitCode;

use super::{Exit, output};
use crate::http;

/// Prints the OpenAPI document.
pub(super) fn run() -> anyhow::Result<ExitCode> {
    output::print(&format!("{:#}\n", http::openapi::document()))?;
    Ok(Exit::Done.into())
}
