//! Rows, buttons and menus.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{items, length, may_text, need_text};
use crate::rest::request::Problems;

/// Checks the components of a message.
pub(crate) fn check(problems: &mut Problems, components: &Value, v2: bool) {
    let rows = items(components).count();
    if v2 {
        let total: usize = items(components).map(count).sum();
        if total > 40 {
            problems.add(
                "components",
                "COMPONENT_MAX_TOTAL_COMPONENTS_EXCEEDED",
                "The maximum number of components is 40",
            );
        }
    } else if rows > 5 {
        problems.add("components", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 5 in length.");
    }
    let mut seen = BTreeSet::new();
    for (index, row) in items(components).enumerate() {
        let path = format!("components.{index}");
        if row["type"] == 1 {
            check_row(problems, &path, row, &mut seen);
        } else if v2 {
            check_nested(problems, &path, row, &mut seen);
        } else {
            problems.add(&format!("{path}.type"), "BASE_TYPE_CHOICES", "Value of field \"type\" must be one of (1,).");
        }
    }
}

fn count(part: &Value) -> usize {
    1 + items(&part["components"]).map(count).sum::<usize>() + usize::from(part["accessory"].is_object())
}

fn check_nested(problems: &mut Problems, path: &str, part: &Value, seen: &mut BTreeSet<String>) {
    if part["accessory"]["type"] == 2 {
        check_button(problems, &format!("{path}.accessory"), &part["accessory"], seen);
    }
    for (index, inner) in items(&part["components"]).enumerate() {
        let path = format!("{path}.components.{index}");
        if inner["type"] == 1 {
            check_row(problems, &path, inner, seen);
        } else {
            check_nested(problems, &path, inner, seen);
        }
    }
}

fn check_row(problems: &mut Problems, path: &str, row: &Value, seen: &mut BTreeSet<String>) {
    let parts: Vec<&Value> = items(&row["components"]).collect();
    let inside = format!("{path}.components");
    if parts.is_empty() || parts.len() > 5 {
        problems.add(&inside, "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 5 in length.");
    }
    let menus = parts.iter().filter(|part| part["type"] != 2).count();
    if menus > 0 && parts.len() > 1 {
        problems.add(
            &inside,
            "COMPONENT_LAYOUT_WIDTH_EXCEEDED",
            "The total width of the components in this row is too large",
        );
    }
    for (index, part) in parts.into_iter().enumerate() {
        let path = format!("{inside}.{index}");
        match part["type"].as_u64() {
            Some(2) => check_button(problems, &path, part, seen),
            Some(3 | 5..=8) => check_menu(problems, &path, part, seen),
            _ => problems.add(
                &format!("{path}.type"),
                "BASE_TYPE_CHOICES",
                "Value of field \"type\" must be one of (2, 3, 5, 6, 7, 8).",
            ),
        }
    }
}

fn check_button(problems: &mut Problems, path: &str, button: &Value, seen: &mut BTreeSet<String>) {
    may_text(problems, &format!("{path}.label"), &button["label"], 80);
    match button["style"].as_u64() {
        Some(1..=4) => {
            check_id(problems, path, button, seen);
            if button["url"].is_string() {
                problems.add(
                    path,
                    "BUTTON_COMPONENT_CUSTOM_ID_REQUIRED",
                    "A custom id and url cannot both be specified",
                );
            }
        }
        Some(5) if length(&button["url"]) == 0 => {
            problems.add(path, "BUTTON_COMPONENT_URL_REQUIRED", "A url is required");
        }
        Some(5) if button["custom_id"].is_string() => {
            problems.add(
                path,
                "BUTTON_COMPONENT_CUSTOM_ID_URL_MUTUALLY_EXCLUSIVE",
                "A custom id and url cannot both be specified",
            );
        }
        Some(5 | 6) => {}
        _ => problems.add(
            &format!("{path}.style"),
            "BASE_TYPE_CHOICES",
            "Value of field \"style\" must be one of (1, 2, 3, 4, 5, 6).",
        ),
    }
    let styled = button["style"] != 6;
    if styled && length(&button["label"]) == 0 && !button["emoji"].is_object() {
        problems.add(path, "BUTTON_COMPONENT_LABEL_OR_EMOJI_REQUIRED", "A label or emoji is required");
    }
}

fn check_menu(problems: &mut Problems, path: &str, menu: &Value, seen: &mut BTreeSet<String>) {
    check_id(problems, path, menu, seen);
    may_text(problems, &format!("{path}.placeholder"), &menu["placeholder"], 150);
    let low = menu["min_values"].as_u64().unwrap_or(1);
    let high = menu["max_values"].as_u64().unwrap_or(1);
    if low > high || high > 25 {
        problems.add(&format!("{path}.min_values"), "BASE_TYPE_BAD_RANGE", "min_values must not exceed max_values");
    }
    if menu["type"] != 3 {
        return;
    }
    let options = items(&menu["options"]).count();
    if !(1..=25).contains(&options) {
        problems.add(&format!("{path}.options"), "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 25 in length.");
    }
    if usize::try_from(high).is_ok_and(|high| high > options) {
        problems.add(
            &format!("{path}.max_values"),
            "SELECT_COMPONENT_MAX_VALUES_TOO_LARGE",
            "max_values must not exceed the number of options",
        );
    }
    let mut values = BTreeSet::new();
    for (index, option) in items(&menu["options"]).enumerate() {
        let path = format!("{path}.options.{index}");
        need_text(problems, &format!("{path}.label"), &option["label"], 100);
        need_text(problems, &format!("{path}.value"), &option["value"], 100);
        may_text(problems, &format!("{path}.description"), &option["description"], 100);
        if !values.insert(option["value"].as_str().unwrap_or_default()) {
            problems.add(
                &format!("{path}.value"),
                "SELECT_COMPONENT_OPTION_VALUE_DUPLICATED",
                "The specified option value is already used",
            );
        }
    }
}

/// The `custom_id` every component that can be used must have, once per message.
pub(super) fn check_id(problems: &mut Problems, path: &str, part: &Value, seen: &mut BTreeSet<String>) {
    let path = format!("{path}.custom_id");
    need_text(problems, &path, &part["custom_id"], 100);
    if let Some(id) = part["custom_id"].as_str()
        && !seen.insert(id.to_owned())
    {
        problems.add(&path, "COMPONENT_CUSTOM_ID_DUPLICATED", "Component custom id cannot be duplicated");
    }
}
