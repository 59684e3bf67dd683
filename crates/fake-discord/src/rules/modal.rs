//! Modals.

use std::collections::BTreeSet;

use serde_json::Value;

use super::component::check_id;
use super::{items, may_text, need_text};
use crate::rest::request::{Problems, Result};

/// Component type numbers a label may wrap.
const LABELLED: [u64; 10] = [3, 4, 5, 6, 7, 8, 19, 21, 22, 23];

/// Checks the data of a modal.
pub(crate) fn check(data: &Value) -> Result<()> {
    let mut problems = Problems::default();
    need_text(&mut problems, "data.title", &data["title"], 45);
    need_text(&mut problems, "data.custom_id", &data["custom_id"], 100);
    let rows = items(&data["components"]).count();
    if !(1..=5).contains(&rows) {
        problems.add("data.components", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 5 in length.");
    }
    let mut seen = BTreeSet::new();
    for (index, row) in items(&data["components"]).enumerate() {
        let path = format!("data.components.{index}");
        match row["type"].as_u64() {
            Some(1) => {
                let parts: Vec<&Value> = items(&row["components"]).collect();
                if parts.len() != 1 {
                    problems.add(
                        &format!("{path}.components"),
                        "BASE_TYPE_BAD_LENGTH",
                        "Must be between 1 and 1 in length.",
                    );
                }
                for part in parts {
                    let path = format!("{path}.components.0");
                    need_text(&mut problems, &format!("{path}.label"), &part["label"], 45);
                    if part["type"] == 4 {
                        check_input(&mut problems, &path, part, &mut seen);
                    } else {
                        problems.add(
                            &format!("{path}.type"),
                            "BASE_TYPE_CHOICES",
                            "Value of field \"type\" must be one of (4,).",
                        );
                    }
                }
            }
            Some(18) => check_label(&mut problems, &path, row, &mut seen),
            Some(10) => need_text(&mut problems, &format!("{path}.content"), &row["content"], 4000),
            _ => problems.add(
                &format!("{path}.type"),
                "BASE_TYPE_CHOICES",
                "Value of field \"type\" must be one of (1, 10, 18).",
            ),
        }
    }
    problems.check()
}

fn check_label(problems: &mut Problems, path: &str, row: &Value, seen: &mut BTreeSet<String>) {
    need_text(problems, &format!("{path}.label"), &row["label"], 45);
    may_text(problems, &format!("{path}.description"), &row["description"], 100);
    let part = &row["component"];
    let path = format!("{path}.component");
    match part["type"].as_u64() {
        Some(4) => check_input(problems, &path, part, seen),
        Some(kind) if LABELLED.contains(&kind) => check_id(problems, &path, part, seen),
        _ => problems.add(&path, "BASE_TYPE_REQUIRED", "This field is required"),
    }
}

fn check_input(problems: &mut Problems, path: &str, input: &Value, seen: &mut BTreeSet<String>) {
    check_id(problems, path, input, seen);
    may_text(problems, &format!("{path}.placeholder"), &input["placeholder"], 100);
    may_text(problems, &format!("{path}.value"), &input["value"], 4000);
    if !matches!(input["style"].as_u64(), Some(1 | 2)) {
        problems.add(&format!("{path}.style"), "BASE_TYPE_CHOICES", "Value of field \"style\" must be one of (1, 2).");
    }
    let low = input["min_length"].as_u64().unwrap_or(0);
    let high = input["max_length"].as_u64().unwrap_or(4000);
    if high == 0 || high > 4000 || low > high {
        problems.add(
            &format!("{path}.max_length"),
            "NUMBER_TYPE_MAX",
            "int value should be between min_length and 4000.",
        );
    }
}
