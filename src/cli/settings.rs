//! `guildhall config check` and `guildhall config show`.

use std::fmt::Write;
use std::process::ExitCode;

use super::{Exit, output};
use crate::config::{Config, Setting};

/// Says that the settings are valid for `serve`, and which of them are not the defaults.
pub(super) fn check(config: &Config) -> anyhow::Result<ExitCode> {
    config.require_shared_secrets()?;
    output::print(&summary(config.describe()))?;
    Ok(Exit::Done.into())
}

/// Prints every setting in the notation of the file.
pub(super) fn show(config: &Config) -> anyhow::Result<ExitCode> {
    output::print(&listing(config.describe()))?;
    Ok(Exit::Done.into())
}

pub(super) fn summary(settings: &[Setting]) -> String {
    let mut text = "The settings are valid.\n".to_owned();
    let changed: Vec<&Setting> = settings.iter().filter(|setting| !setting.is_default).collect();
    if changed.is_empty() {
        text.push_str("All of them are the defaults.\n");
    }
    for Setting { key, value, origin, .. } in changed {
        let _ = writeln!(text, "  {key} = {value}  # {origin}");
    }
    text
}

pub(super) fn listing(settings: &[Setting]) -> String {
    let mut text = String::new();
    let mut current = None;
    for Setting { key, value, origin, .. } in settings {
        // A secret has no section: it cannot stand in the file, and the listing can be copied into one.
        let (section, name) = key.split_once('.').unwrap_or(("", key));
        if current != Some(section) {
            let gap = if current.is_some() { "\n" } else { "" };
            let head = match section {
                "" => "# Secrets, from the environment only".to_owned(),
                _ => format!("[{section}]"),
            };
            let _ = writeln!(text, "{gap}{head}");
            current = Some(section);
        }
        let _ = match (section, value.as_str()) {
            ("", "") => writeln!(text, "# {name}: {origin}"),
            ("", _) => writeln!(text, "# {name}: {value}  # {origin}"),
            _ => writeln!(text, "{name} = {value}  # {origin}"),
        };
    }
    text
}
