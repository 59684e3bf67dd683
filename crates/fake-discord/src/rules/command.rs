//! Application commands.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{items, length, may_text, need_text};
use crate::rest::request::{ApiError, Problems, Result};

/// The most characters one command may hold in names, descriptions and choice values.
const MAX_CHARACTERS: usize = 8000;

/// Checks a command registered or edited by itself.
pub(crate) fn check_one(command: &Value) -> Result<()> {
    let mut problems = Problems::default();
    check_command(&mut problems, "", command);
    problems.check()
}

/// Checks the list of a bulk registration.
pub(crate) fn check_all(commands: &[Value]) -> Result<()> {
    let mut problems = Problems::default();
    let mut names = BTreeSet::new();
    let mut counts = [0_usize; 5];
    for (index, command) in commands.iter().enumerate() {
        let kind = command["type"].as_u64().unwrap_or(1);
        check_command(&mut problems, &format!("{index}."), command);
        if !names.insert((kind, command["name"].as_str().unwrap_or_default())) {
            problems.add(
                &format!("{index}.name"),
                "APPLICATION_COMMANDS_DUPLICATE_NAME",
                "Application command names must be unique",
            );
        }
        if let Some(count) = usize::try_from(kind).ok().and_then(|kind| counts.get_mut(kind)) {
            *count += 1;
        }
    }
    problems.check()?;
    if counts[1] > 100 || counts[2] > 15 || counts[3] > 15 {
        return Err(ApiError::new(400, 30032, "Maximum number of application commands reached"));
    }
    Ok(())
}

fn check_command(problems: &mut Problems, prefix: &str, command: &Value) {
    let kind = command["type"].as_u64().unwrap_or(1);
    let at = |part: &str| format!("{prefix}{part}");
    if kind == 1 {
        check_name(problems, &at("name"), &command["name"]);
        need_text(problems, &at("description"), &command["description"], 100);
        check_options(problems, prefix, &command["options"], 0);
        if characters(command) > MAX_CHARACTERS {
            problems.add(&at("options"), "APPLICATION_COMMAND_TOO_LARGE", "Command exceeds maximum size (8000)");
        }
    } else {
        need_text(problems, &at("name"), &command["name"], 32);
        if length(&command["description"]) > 0 {
            problems.add(
                &at("description"),
                "APPLICATION_COMMAND_DESCRIPTION_NOT_ALLOWED",
                "Context menu commands cannot have description",
            );
        }
        if items(&command["options"]).count() > 0 {
            problems.add(
                &at("options"),
                "APPLICATION_COMMAND_OPTIONS_NOT_ALLOWED",
                "Context menu commands cannot have options",
            );
        }
    }
    check_translations(problems, prefix, command, kind == 1);
}

fn check_translations(problems: &mut Problems, prefix: &str, part: &Value, strict: bool) {
    for (locale, name) in part["name_localizations"].as_object().into_iter().flatten() {
        let path = format!("{prefix}name_localizations.{locale}");
        if strict {
            check_name(problems, &path, name);
        } else {
            need_text(problems, &path, name, 32);
        }
    }
    for (locale, text) in part["description_localizations"].as_object().into_iter().flatten() {
        need_text(problems, &format!("{prefix}description_localizations.{locale}"), text, 100);
    }
}

fn check_name(problems: &mut Problems, path: &str, name: &Value) {
    need_text(problems, path, name, 32);
    let text = name.as_str().unwrap_or_default();
    let plain = |one: char| matches!(one, '-' | '_' | '\'') || one.is_alphanumeric();
    if !text.chars().all(plain) || text.chars().any(char::is_uppercase) {
        problems.add(path, "APPLICATION_COMMAND_INVALID_NAME", "Command name is invalid");
    }
}

fn check_options(problems: &mut Problems, prefix: &str, options: &Value, depth: usize) {
    if items(options).count() > 25 {
        problems.too_long(&format!("{prefix}options"), 25);
    }
    let mut names = BTreeSet::new();
    let mut optional_seen = false;
    let nested = items(options).filter(|one| matches!(one["type"].as_u64(), Some(1 | 2))).count();
    if nested > 0 && nested != items(options).count() {
        problems.add(
            &format!("{prefix}options"),
            "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID",
            "Sub-command and sub-command group option types are mutually exclusive to all other types",
        );
    }
    for (index, option) in items(options).enumerate() {
        let here = format!("{prefix}options.{index}.");
        let at = |part: &str| format!("{here}{part}");
        check_name(problems, &at("name"), &option["name"]);
        need_text(problems, &at("description"), &option["description"], 100);
        check_translations(problems, &here, option, true);
        if !names.insert(option["name"].as_str().unwrap_or_default()) {
            problems.add(&at("name"), "APPLICATION_COMMAND_OPTIONS_NAME_ALREADY_EXISTS", "Option name already exists");
        }
        let kind = option["type"].as_u64().unwrap_or(0);
        match kind {
            1 if depth > 1 => {
                problems.add(&at("type"), "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID", "Invalid option type");
            }
            2 if depth > 0 => {
                problems.add(&at("type"), "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID", "Invalid option type");
            }
            1 => check_options(problems, &here, &option["options"], 2),
            2 => check_options(problems, &here, &option["options"], 1),
            3..=11 => {
                let required = option["required"].as_bool().unwrap_or(false);
                if required && optional_seen {
                    problems.add(
                        &at("required"),
                        "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID",
                        "Required options must be placed before non-required options",
                    );
                }
                optional_seen |= !required;
                check_leaf(problems, &here, option, kind);
            }
            _ => problems.add(&at("type"), "BASE_TYPE_CHOICES", "Invalid option type"),
        }
    }
}

fn check_leaf(problems: &mut Problems, here: &str, option: &Value, kind: u64) {
    let choices = items(&option["choices"]).count();
    if choices > 25 {
        problems.too_long(&format!("{here}choices"), 25);
    }
    let completes = option["autocomplete"].as_bool().unwrap_or(false);
    let choosable = matches!(kind, 3 | 4 | 10);
    if completes && (choices > 0 || !choosable) {
        problems.add(
            &format!("{here}autocomplete"),
            "APPLICATION_COMMAND_AUTOCOMPLETE_INVALID",
            "Autocomplete needs a string or number option without choices",
        );
    }
    let mut names = BTreeSet::new();
    for (index, choice) in items(&option["choices"]).enumerate() {
        let path = format!("{here}choices.{index}.name");
        need_text(problems, &path, &choice["name"], 100);
        may_text(problems, &format!("{here}choices.{index}.value"), &choice["value"], 100);
        if !names.insert(choice["name"].as_str().unwrap_or_default()) {
            problems.add(
                &path,
                "APPLICATION_COMMAND_OPTIONS_CHOICE_NAME_ALREADY_EXISTS",
                "Option choice name already exists",
            );
        }
    }
}

/// The longest of a text and its translations.
fn longest(part: &Value, key: &str) -> usize {
    let translations = part[format!("{key}_localizations")].as_object();
    let longest = translations.into_iter().flatten().map(|(_, text)| length(text)).max();
    length(&part[key]).max(longest.unwrap_or(0))
}

/// Names, descriptions and choice values of a command and all below it, in characters.
pub(crate) fn characters(part: &Value) -> usize {
    let choices: usize = items(&part["choices"]).map(|one| longest(one, "name") + length(&one["value"])).sum();
    let below: usize = items(&part["options"]).map(characters).sum();
    longest(part, "name") + longest(part, "description") + choices + below
}
