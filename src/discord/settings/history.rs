//! `/settings history`: what was changed, by whom, and the way back.

use entity::id::ChannelId;
use serde_json::Value;

use super::{card, panel, plan};
use crate::{
    discord::{
        Asked, CommandError, Context, Data, Reply,
        component::{Press, custom_id, outdated},
        text,
    },
    domain::{
        duration,
        history::{self, FieldChange, Revision},
        slot::SlotKey,
        vanish::schedule::KEEP_LAST_OFF,
    },
};

/// Revisions of one page.
const PAGE: usize = 8;
/// Most fields of one change that are shown.
const FIELDS_MAX: usize = 6;
/// Longest value that is shown.
const VALUE_MAX: usize = 60;
/// Most characters of a list of channels.
const CHANNELS_CHARS_MAX: usize = 240;

/// What was changed, by whom, and the way back
#[poise::command(slash_command)]
pub async fn history(ctx: Context<'_>) -> Result<(), CommandError> {
    let asked = Asked::command(ctx.data(), ctx.interaction);
    asked.answer(page(ctx.data(), &asked, None)).await
}

/// The revisions before one, or the latest ones.
pub async fn page(data: &Data, asked: &Asked, before: Option<i64>) -> Result<Reply, CommandError> {
    let guild = asked.member()?.guild_id;
    let limit = PAGE as u64 + 1;
    let mut revisions = history::revisions(data.app.domain(), &asked.actor().await?, guild, before, limit).await?;
    let more = revisions.len() > PAGE;
    revisions.truncate(PAGE);
    let (Some(newest), Some(oldest)) = (revisions.first(), revisions.last()) else {
        return Ok(empty(data));
    };
    let lines = text::lines(revisions.iter().map(entry), card::TEXT_MAX);
    let footer = format!("revisions {} to {}", newest.position, oldest.position);
    let embed = card::card("History", card::BLUE, lines).footer(serenity::all::CreateEmbedFooter::new(footer));
    let options = revisions.iter().map(|revision| {
        let label = format!("Roll back to after revision {}", revision.position);
        let description = format!("{}, {}", plain_subject(&revision.subject), what(&revision.kind));
        card::choice(&label, &revision.position.to_string(), Some(&description))
    });
    let roll_back = card::menu(custom_id("settings", "revision", &[]), "Roll back…", options.collect());
    let older = custom_id("settings", "history", &[&oldest.position.to_string()]);
    let pager = vec![
        card::button("Newest", custom_id("settings", "history", &[])).disabled(before.is_none()),
        card::button("Older ▶", older).disabled(!more),
    ];
    Ok(Reply::card(embed).row(panel::menu("history")).row(roll_back).row(card::row(pager)))
}

fn empty(data: &Data) -> Reply {
    let set = data.commands.mention("settings slot set");
    let text = format!("Nothing was changed here yet. {set} is a good beginning.");
    Reply::card(card::card("History", card::BLUE, text)).row(panel::menu("history"))
}

/// One revision: what, who, when, and the difference.
fn entry(revision: &Revision) -> String {
    let head = format!(
        "**{}** · {} {} · {} {}",
        revision.position,
        subject(&revision.subject),
        what(&revision.kind),
        actor(&revision.actor, &revision.source),
        text::relative(revision.at)
    );
    let mut entry = head;
    for line in difference(&revision.changes) {
        entry.push_str("\n　");
        entry.push_str(&line);
    }
    entry
}

/// What a change is about, in words.
pub fn subject(spelled: &str) -> String {
    let (area, rest) = spelled.split_once('/').unwrap_or((spelled, ""));
    match area {
        "slot" => match rest.parse::<SlotKey>() {
            Ok(key) => format!("slot `{key}`"),
            Err(_) => "a slot".to_owned(),
        },
        "vanish" => match rest.parse::<ChannelId>() {
            Ok(channel) => format!("vanish rule of {}", text::channel(channel)),
            Err(_) => "a vanish rule".to_owned(),
        },
        _ => plain_subject(spelled),
    }
}

/// The same where nothing is rendered.
fn plain_subject(spelled: &str) -> String {
    let (area, rest) = spelled.split_once('/').unwrap_or((spelled, ""));
    match area {
        "slot" => format!("slot {rest}"),
        "guild" => "general settings".to_owned(),
        "guild_role" => match rest.rsplit_once('/') {
            Some((_, kind)) => format!("role of kind {}", text::escape(kind, 16)),
            None => "a role".to_owned(),
        },
        "vanish" => "vanish rule".to_owned(),
        "vanish_default" => "vanish defaults".to_owned(),
        "vanish_exemption" => "vanish exemption".to_owned(),
        "practice_rule" => "practice rules".to_owned(),
        "practice_post" => match rest.rsplit_once('/') {
            Some((_, period)) => format!("{} practice board", text::escape(period, 16)),
            None => "a practice board".to_owned(),
        },
        "form" => "form".to_owned(),
        _ => "a setting".to_owned(),
    }
}

/// What happened, in words.
fn what(kind: &str) -> &'static str {
    match kind.split_once('.').map_or(kind, |(_, what)| what) {
        "set" | "rule_set" | "default_set" | "post_set" => "set",
        "cleared" => "cleared",
        "created" => "created",
        "confirmed" => "confirmed",
        "broken" => "found broken",
        "repaired" => "works again",
        "exemption_added" => "added",
        "rule_removed" | "exemption_removed" | "post_removed" | "removed" => "removed",
        "opened" => "opened",
        "closed" => "closed",
        "paused" => "paused",
        "resumed" => "resumed",
        _ => "changed",
    }
}

/// Who did it, and through which face.
pub fn actor(actor: &str, source: &str) -> String {
    let who = match actor.split_once(':') {
        Some(("member", id)) => id.parse().map_or_else(|_| "a member".to_owned(), text::user),
        Some(("key", id)) => format!("API key `{}`", text::escape(id.get(..8).unwrap_or(id), 8)),
        Some(("user", _)) => "a signed-in person".to_owned(),
        Some(("actor", _)) => "a currency actor".to_owned(),
        _ if actor == "root" => "the root key".to_owned(),
        _ => "me".to_owned(),
    };
    let face = match source {
        "discord" => "in chat",
        "http" => "over the API",
        "cli" => "at the command line",
        _ => "by myself",
    };
    format!("{who} {face}")
}

/// The fields that differ, one a line.
pub fn difference(changes: &[FieldChange]) -> Vec<String> {
    let mut lines: Vec<String> = changes
        .iter()
        .take(FIELDS_MAX)
        .map(|change| {
            let FieldChange { field, before, after } = change;
            format!("{}: {} → {}", name(field), value(field, before), value(field, after))
        })
        .collect();
    if changes.len() > FIELDS_MAX {
        lines.push(format!("… and {} more", changes.len() - FIELDS_MAX));
    }
    lines
}

/// A field in words.
fn name(field: &str) -> String {
    match field {
        "channel_id" => "channel".to_owned(),
        "role_id" => "role".to_owned(),
        "slot_type" => "type".to_owned(),
        "after_seconds" => "vanish after".to_owned(),
        "at_minute" => "at".to_owned(),
        "target_id" => "who".to_owned(),
        other => text::escape(&other.trim_end_matches("_seconds").replace('_', " "), VALUE_MAX),
    }
}

fn value(field: &str, value: &Value) -> String {
    match (field, value) {
        (_, Value::Null) => "–".to_owned(),
        ("channel_id", Value::String(id)) => id.parse().map_or_else(|_| "a channel".to_owned(), text::channel),
        ("role_id", Value::String(id)) => id.parse().map_or_else(|_| "a role".to_owned(), text::role),
        (_, Value::Array(ids)) if ids.is_empty() => "–".to_owned(),
        ("channels", Value::Array(ids)) => {
            text::lines(ids.iter().filter_map(|id| id.as_str()?.parse().ok()).map(text::channel), CHANNELS_CHARS_MAX)
                .replace('\n', " ")
        }
        (name, Value::Array(ids)) if name.ends_with("roles") || name.ends_with("_add") || name.ends_with("_remove") => {
            text::lines(ids.iter().filter_map(|id| id.as_str()?.parse().ok()).map(text::role), CHANNELS_CHARS_MAX)
                .replace('\n', " ")
        }
        (name, Value::Number(seconds)) if name.ends_with("_seconds") => {
            seconds.as_i64().map_or_else(|| "–".to_owned(), duration::format)
        }
        ("keep_last", Value::Number(count)) if count.as_i64() == Some(KEEP_LAST_OFF.into()) => "off".to_owned(),
        ("paused_until", Value::String(moment)) => moment.parse().map_or_else(|_| "–".to_owned(), text::absolute),
        ("at_minute", Value::Number(minute)) => {
            let minute = minute.as_i64().unwrap_or(0);
            format!("{:02}:{:02}", minute.div_euclid(60), minute.rem_euclid(60))
        }
        (_, Value::String(words)) => text::escape(&words.replace('_', " "), VALUE_MAX),
        (_, other) => text::escape(&other.to_string(), VALUE_MAX),
    }
}

/// A revision was chosen: what rolling back would change.
pub async fn preview(data: &Data, asked: &Asked, press: &Press<'_>) -> Result<Reply, CommandError> {
    let guild = asked.member()?.guild_id;
    let position: i64 = press.values.first().and_then(|value| value.parse().ok()).ok_or_else(outdated)?;
    let planned = history::plan_rollback(data.app.domain(), &asked.actor().await?, guild, position).await?;
    plan::preview(data, asked, plan::Kind::Rollback { position }, planned).await
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn differences_read_like_sentences() {
        let change = |field: &str, before: Value, after: Value| FieldChange { field: field.to_owned(), before, after };
        let lines = difference(&[
            change("channel_id", Value::Null, json!("42")),
            change("after_seconds", json!(60), json!(5400)),
            change("at_minute", json!(61), Value::Null),
            change("purpose", json!("@everyone `x`"), json!("b")),
            change("keep_last", json!(50), json!(0)),
            change("paused_until", Value::Null, json!("2026-11-26T08:34:39.259Z")),
        ]);
        assert_eq!(lines[0], "channel: – → <#42>");
        assert!(lines[1].starts_with("vanish after: 1m → 1h"), "{}", lines[1]);
        assert_eq!(lines[2], "at: 01:01 → –");
        assert_eq!(lines[3], "purpose: @\u{200b}everyone \\`x\\` → b");
        assert_eq!(lines[4..], ["keep last: 50 → off", "paused until: – → <t:1795682079:f>"]);
    }

    #[test]
    fn strange_subjects_and_actors_stay_inert() {
        assert_eq!(subject("slot/`@everyone`"), "a slot");
        assert_eq!(subject("vanish/42"), "vanish rule of <#42>");
        assert_eq!(actor("member:42", "discord"), "<@42> in chat");
        assert_eq!(actor("root", "http"), "the root key over the API");
    }
}
