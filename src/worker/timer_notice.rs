//! What people are told about their timers, as Discord is given it.

use chrono::{DateTime, Utc};
use entity::id::PracticeSessionId;
use serde_json::{Value, json};

use crate::{
    discord_api,
    domain::{
        duration,
        practice::{NoticeFacts, NoticeKind},
    },
};

/// Discord's numbers of button styles.
const SUCCESS: u8 = 3;
const SECONDARY: u8 = 2;

/// Where a notice is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::worker) enum Place {
    /// In a channel, where it pings the one person whose timer it is.
    Channel,
    /// In a direct message.
    Direct,
}

/// The message, with buttons that work after a restart.
pub(in crate::worker) fn message(kind: NoticeKind, facts: &NoticeFacts, place: Place) -> Value {
    let (who, pinged) = match place {
        Place::Channel => (format!("<@{}> ", facts.discord_user_id), vec![facts.discord_user_id]),
        Place::Direct => (String::new(), Vec::new()),
    };
    let buttons: &[(&str, &str, u8)] = match kind {
        NoticeKind::Asked => &[("touch", "Still practising", SUCCESS), ("stop", "Stop", SECONDARY)],
        NoticeKind::RoundEnded => &[("skip", "Skip the break", SECONDARY), ("stop", "Stop", SECONDARY)],
        NoticeKind::BreakEnded => &[("pause", "Pause", SECONDARY), ("stop", "Stop", SECONDARY)],
        NoticeKind::RoundsEnded => &[],
    };
    json!({
        "content": format!("{who}{}", words(kind, facts)),
        "components": row(facts.session_id, buttons),
        "allowed_mentions": { "parse": [], "users": pinged },
    })
}

fn words(kind: NoticeKind, facts: &NoticeFacts) -> String {
    let until = facts.until.map_or_else(String::new, relative);
    let rounds = match facts.rounds_left {
        1 => "One round is left".to_owned(),
        left => format!("{left} rounds are left"),
    };
    match kind {
        NoticeKind::Asked => format!(
            "⏱️ Do you still practise? Your timer began {} and I have had no sign of you since. Without an answer I \
             pause it {until}.",
            relative(facts.started_at)
        ),
        NoticeKind::RoundEnded => format!("☕ That round is done. {rounds}; the next one begins {until}."),
        NoticeKind::BreakEnded => format!("🎯 The break is over. This round ends {until}. {rounds}, with this one."),
        NoticeKind::RoundsEnded => {
            format!("🏁 That was the last round. Your timer has stopped at **{}**.", duration::format(facts.seconds))
        }
    }
}

fn relative(at: DateTime<Utc>) -> String {
    format!("<t:{}:R>", at.timestamp())
}

fn row(session: PracticeSessionId, buttons: &[(&str, &str, u8)]) -> Value {
    if buttons.is_empty() {
        return json!([]);
    }
    let id = session.to_string();
    let buttons: Vec<_> = buttons
        .iter()
        .map(|(verb, label, style)| {
            let custom_id = discord_api::custom_id("practice", verb, &[&id, "notice"]);
            json!({ "type": 2, "style": style, "label": label, "custom_id": custom_id })
        })
        .collect();
    json!([{ "type": 1, "components": buttons }])
}
