//! What applicants are told.

use entity::application::{ApplicationStatus, Model};
use serde_json::{Value, json};

use crate::{discord_api::escape, domain::application};

/// Characters of a server's name and of a reason that are shown.
const NAME_SHOWN: usize = 100;
const REASON_SHOWN: usize = 700;

/// What Discord's audit log says.
pub(super) fn reason(row: &Model) -> String {
    format!("Application #{} · {}", row.number, application::status_words(row.status).1)
}

/// The decision.
pub(super) fn decision(row: &Model, guild: &str) -> Value {
    let (sign, _) = application::status_words(row.status);
    let what = match row.status {
        ApplicationStatus::Approved => "was approved",
        ApplicationStatus::Rejected => "was rejected",
        ApplicationStatus::Expired => "has expired: too few had voted at its deadline",
        _ => "was closed",
    };
    let why = match &row.reason {
        Some(reason) => format!("\n> {}", escape(reason, REASON_SHOWN)),
        None => String::new(),
    };
    message(&format!(
        "{sign} Your application #{} in **{}** {what}.{why}\n-# `/my applications` shows all of yours.",
        row.number,
        escape(guild, NAME_SHOWN)
    ))
}

/// The way in.
pub(super) fn invite(row: &Model, guild: &str, code: &str) -> Value {
    message(&format!(
        "🎟️ Your application #{} was approved. This invite to **{}** is good for you alone, once, for seven days: \
         https://discord.gg/{code}",
        row.number,
        escape(guild, NAME_SHOWN)
    ))
}

fn message(content: &str) -> Value {
    json!({ "content": content, "allowed_mentions": { "parse": [] } })
}
