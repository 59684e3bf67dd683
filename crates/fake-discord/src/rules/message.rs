//! What a message may be made of.

use serde_json::Value;

use super::{component, items, length, may_text, need_text};
use crate::model::FakeMessage;
use crate::rest::request::{ApiError, Problems, Result};

/// Message flag: made of components only (version 2).
pub(crate) const FLAG_V2: u64 = 1 << 15;

/// Checks a message's body. `current` is the message being edited.
pub(crate) fn check(body: &Value, files: usize, current: Option<&FakeMessage>) -> Result<()> {
    let mut problems = Problems::default();
    may_text(&mut problems, "content", &body["content"], 2000);
    check_embeds(&mut problems, &body["embeds"]);
    let flags = body["flags"].as_u64().unwrap_or(0) | current.map_or(0, |one| one.flags);
    component::check(&mut problems, &body["components"], flags & FLAG_V2 != 0);
    if flags & FLAG_V2 != 0 && (length(&body["content"]) > 0 || items(&body["embeds"]).count() > 0) {
        problems.add(
            "content",
            "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2",
            "The 'content' and 'embeds' fields cannot be used when using MessageFlags.IS_COMPONENTS_V2",
        );
    }
    check_mentions(&mut problems, &body["allowed_mentions"]);
    if length(&body["nonce"]) > 25 {
        problems.too_long("nonce", 25);
    }
    problems.check()?;
    if is_empty(body, files, current, flags & FLAG_V2 != 0) {
        return Err(ApiError::new(400, 50006, "Cannot send an empty message"));
    }
    Ok(())
}

fn is_empty(body: &Value, files: usize, current: Option<&FakeMessage>, v2: bool) -> bool {
    let has = |key: &str, kept: bool| match body.get(key) {
        None => kept,
        Some(Value::String(text)) => !text.trim().is_empty(),
        Some(Value::Array(list)) => list.iter().any(|one| one.as_object().is_some_and(|map| !map.is_empty())),
        Some(_) => false,
    };
    let kept = |look: fn(&FakeMessage) -> bool| current.is_some_and(look);
    let with_content = has("content", kept(|one| !one.content.is_empty()))
        || has("embeds", kept(|one| !one.embeds.is_empty()))
        || has("attachments", kept(|one| !one.attachments.is_empty()))
        || body["poll"].is_object()
        || items(&body["sticker_ids"]).count() > 0
        || files > 0;
    let with_parts = v2 && has("components", kept(|one| !one.components.is_empty()));
    // A system message or a placeholder edited with nothing new stays what it was.
    !with_content && !with_parts
}

fn check_embeds(problems: &mut Problems, embeds: &Value) {
    if items(embeds).count() > 10 {
        problems.too_long("embeds", 10);
    }
    let mut sum = 0;
    for (index, embed) in items(embeds).enumerate() {
        let path = |part: &str| format!("embeds.{index}.{part}");
        may_text(problems, &path("title"), &embed["title"], 256);
        may_text(problems, &path("description"), &embed["description"], 4096);
        may_text(problems, &path("footer.text"), &embed["footer"]["text"], 2048);
        may_text(problems, &path("author.name"), &embed["author"]["name"], 256);
        if items(&embed["fields"]).count() > 25 {
            problems.too_long(&path("fields"), 25);
        }
        for (row, field) in items(&embed["fields"]).enumerate() {
            need_text(problems, &path(&format!("fields.{row}.name")), &field["name"], 256);
            need_text(problems, &path(&format!("fields.{row}.value")), &field["value"], 1024);
            sum += length(&field["name"]) + length(&field["value"]);
        }
        sum += length(&embed["title"])
            + length(&embed["description"])
            + length(&embed["footer"]["text"])
            + length(&embed["author"]["name"]);
    }
    if sum > 6000 {
        problems.add("embeds", "MAX_EMBED_SIZE_EXCEEDED", "Embed size exceeds maximum size of 6000");
    }
}

fn check_mentions(problems: &mut Problems, allowed: &Value) {
    for key in ["users", "roles"] {
        if items(&allowed[key]).count() > 100 {
            problems.too_long(&format!("allowed_mentions.{key}"), 100);
        }
        let parsed = items(&allowed["parse"]).any(|one| one == key);
        if parsed && items(&allowed[key]).count() > 0 {
            problems.add(
                "allowed_mentions",
                "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE",
                &format!("parse:[\"{key}\"] and {key}: [ids...] are mutually exclusive."),
            );
        }
    }
}

/// Whether a text could ping somebody if mentions were not restricted.
pub(crate) fn could_ping(body: &Value) -> bool {
    let text = body["content"].as_str().unwrap_or_default();
    text.contains("<@") || text.contains("@everyone") || text.contains("@here")
}
