//! Discord's rules that its published schema does not carry: each is refused as Discord does.

pub(crate) mod auto_moderation;
pub(crate) mod command;
pub(crate) mod component;
pub(crate) mod message;
pub(crate) mod modal;

use serde_json::Value;

use crate::rest::request::Problems;

/// Length in characters, as Discord counts.
pub(crate) fn length(value: &Value) -> usize {
    value.as_str().map_or(0, |text| text.chars().count())
}

/// A text that must be there, within bounds.
fn need_text(problems: &mut Problems, path: &str, value: &Value, limit: usize) {
    match length(value) {
        0 => problems.required(path),
        found if found > limit => problems.too_long(path, limit),
        _ => {}
    }
}

/// A text that may be missing.
fn may_text(problems: &mut Problems, path: &str, value: &Value, limit: usize) {
    if length(value) > limit {
        problems.too_long(path, limit);
    }
}

/// The elements of an array; none when it is anything else.
pub(crate) fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}
