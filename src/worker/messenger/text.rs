//! What direct messages say: what happened, why, what to do.

use chrono::{DateTime, Utc};
use entity::api_key;
use serde_json::{Value, json};

use super::buttons;
use crate::domain::{api_key::shown, direct_message::Kind};

/// Discord's numbers of button styles.
const SECONDARY: u8 = 2;
const PRIMARY: u8 = 1;
const DANGER: u8 = 4;

/// The message about a key, with its buttons.
pub(in crate::worker) fn message(kind: Kind, key: &api_key::Model, data: &Value) -> Value {
    let (content, verbs): (String, &[_]) = match kind {
        Kind::ExpiresSoon => (
            format!(
                "⏳ {} expires {}. **Rotate** gives you a new key with the same rights, and the old one works on for a \
                 while.",
                yours(key),
                moment(&data["expires_at"], 'R')
            ),
            &[("rotate", "Rotate…", PRIMARY), ("revoke", "Revoke…", DANGER)],
        ),
        Kind::Old => (
            format!(
                "🕰️ {} is in use since {}. Keys that are replaced now and then do less harm when one gets lost.",
                yours(key),
                moment(&data["created_at"], 'D')
            ),
            &[("rotate", "Rotate…", PRIMARY), ("revoke", "Revoke…", DANGER)],
        ),
        Kind::NewNetwork => (
            format!(
                "🌐 {} was used from a new network, {}, {}. If that was not you or a program of yours, revoke it.",
                yours(key),
                network(data),
                moment(&data["at"], 'R')
            ),
            &[("revoke", "Revoke…", DANGER), ("rotate", "Rotate…", SECONDARY)],
        ),
        Kind::Leaked => (
            format!(
                "🚨 {} was found where it does not belong, and is revoked since {}: it opens nothing any more. Make a \
                 new one with `/apikey create`, and look at what the old one did with `/apikey log`.",
                yours(key),
                moment(&data["at"], 'f')
            ),
            &[],
        ),
    };
    let components = if verbs.is_empty() { json!([]) } else { buttons(key.id, verbs) };
    json!({ "content": content, "components": components, "allowed_mentions": { "parse": [] } })
}

/// The same for a guild's slot, about a key whose owner could not be told.
pub(in crate::worker) fn announcement(kind: Kind, key: Option<&api_key::Model>, data: &Value) -> String {
    let subject = key.map_or_else(|| "An API key".to_owned(), |key| format!("The API key {}", named(key)));
    let owner = data["discord_user_id"].as_str().map(|id| format!(" <@{id}> takes no direct messages from me."));
    let what = match kind {
        Kind::ExpiresSoon => {
            format!("⏳ {subject} expires {}. `/apikey rotate` gives a new one.", moment(&data["expires_at"], 'R'))
        }
        Kind::Old => format!("🕰️ {subject} is in use since {}.", moment(&data["created_at"], 'D')),
        Kind::NewNetwork => format!(
            "🌐 {subject} was used from a new network, {}, {}. `/apikey revoke` ends it.",
            network(data),
            moment(&data["at"], 'R')
        ),
        Kind::Leaked => match data["channel_id"].as_str() {
            Some(channel) => format!(
                "🚨 {subject} was pasted in <#{channel}>. It is revoked, so that it opens nothing any more, and I \
                 remove the message."
            ),
            None => format!("🚨 {subject} was found where it does not belong, and is revoked."),
        },
    };
    format!("{what}{}", owner.unwrap_or_default())
}

fn yours(key: &api_key::Model) -> String {
    format!("Your API key {}", named(key))
}

/// A key as people know it: its name, which holds nothing that Discord would format, and what is kept of the key.
fn named(key: &api_key::Model) -> String {
    format!("**{}** (`{}`)", plain(&key.name), shown(key))
}

/// Letters, digits and a few signs of a name; the rest could be formatting or a mention.
fn plain(name: &str) -> String {
    name.chars().map(|one| if one.is_alphanumeric() || " .-".contains(one) { one } else { '\u{b7}' }).collect()
}

fn network(data: &Value) -> String {
    let network = data["network"].as_str().unwrap_or("an unknown one");
    format!("`{}`", network.chars().filter(|one| *one != '`').take(64).collect::<String>())
}

fn moment(value: &Value, style: char) -> String {
    let at = value.as_str().and_then(|at| at.parse::<DateTime<Utc>>().ok());
    at.map_or_else(|| "at an unknown time".to_owned(), |at| format!("<t:{}:{style}>", at.timestamp()))
}
