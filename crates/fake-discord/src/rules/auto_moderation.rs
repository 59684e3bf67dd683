//! Rules of AutoMod: what Discord takes, and what they block.

use regex::Regex;
use serde_json::Value;

use super::{items, length, may_text, need_text};
use crate::model::Guild;
use crate::permission::{self, MANAGE_GUILD};
use crate::rest::request::{ApiError, Problems, Result, body_id};

/// The only trigger that is served: words and patterns.
pub(crate) const KEYWORD: u64 = 1;
/// The most keyword rules of a guild.
const KEYWORD_RULES_MAX: usize = 6;
/// The action that keeps a message from being sent.
const BLOCK_MESSAGE: u64 = 1;
/// The longest text shown to whoever is blocked, by Discord's documents; its schema says 300.
const CUSTOM_MESSAGE_MAX: usize = 150;

/// Checks the whole of a rule, new or as edited.
pub(crate) fn check(rule: &Value) -> Result<()> {
    let mut problems = Problems::default();
    need_text(&mut problems, "name", &rule["name"], 100);
    if !matches!(rule["event_type"].as_u64(), Some(1)) {
        problems.add("event_type", "BASE_TYPE_CHOICES", "Value must be one of {1}.");
    }
    if rule["trigger_type"] != KEYWORD {
        problems.add("trigger_type", "BASE_TYPE_CHOICES", "Only keyword rules are served here.");
    }
    check_trigger(&mut problems, &rule["trigger_metadata"]);
    if !(1..=5).contains(&items(&rule["actions"]).count()) {
        problems.add("actions", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 5 in length.");
    }
    for (index, action) in items(&rule["actions"]).enumerate() {
        let text = &action["metadata"]["custom_message"];
        may_text(&mut problems, &format!("actions.{index}.metadata.custom_message"), text, CUSTOM_MESSAGE_MAX);
    }
    for (key, limit) in [("exempt_roles", 20), ("exempt_channels", 50)] {
        if items(&rule[key]).count() > limit {
            problems.too_long(key, limit);
        }
    }
    problems.check()
}

fn check_trigger(problems: &mut Problems, trigger: &Value) {
    for (key, limit, characters) in [("keyword_filter", 1000, 60), ("regex_patterns", 10, 260), ("allow_list", 100, 60)]
    {
        if items(&trigger[key]).count() > limit {
            problems.too_long(&format!("trigger_metadata.{key}"), limit);
        }
        for (index, text) in items(&trigger[key]).enumerate() {
            need_text(problems, &format!("trigger_metadata.{key}.{index}"), text, characters);
        }
    }
    if items(&trigger["keyword_filter"]).count() + items(&trigger["regex_patterns"]).count() == 0 {
        problems.required("trigger_metadata");
    }
    for (index, pattern) in items(&trigger["regex_patterns"]).enumerate() {
        // Discord compiles patterns with this very crate.
        if length(pattern) > 0 && Regex::new(pattern.as_str().unwrap_or_default()).is_err() {
            let path = format!("trigger_metadata.regex_patterns.{index}");
            problems.add(&path, "AUTO_MODERATION_INVALID_REGEX", "Invalid regex");
        }
    }
}

/// Fails when the guild has as many keyword rules as Discord allows.
pub(crate) fn check_count(guild: &Guild) -> Result<()> {
    if guild.rules.len() < KEYWORD_RULES_MAX {
        return Ok(());
    }
    Err(ApiError::form(
        "trigger_type",
        "AUTO_MODERATION_MAX_RULES_OF_TYPE_EXCEEDED",
        "Maximum number of rules of this type has been reached",
    ))
}

/// The name of the rule that keeps this message from being sent, if one does. Whoever manages the server, and every
/// bot, may write anything.
pub(crate) fn blocks<'a>(
    guild: &'a Guild,
    (channel, author, is_bot): (u64, u64, bool),
    content: &str,
) -> Option<&'a str> {
    if is_bot || permission::base(guild, author) & (permission::ADMINISTRATOR | MANAGE_GUILD) != 0 {
        return None;
    }
    let roles = guild.members.get(&author).map_or(&[][..], |member| &member.roles);
    let text = content.to_lowercase();
    let applies = |rule: &&Value| {
        let listed = |key: &str, id: u64| items(&rule[key]).any(|one| body_id(one) == Some(id));
        let trigger = &rule["trigger_metadata"];
        let word = items(&trigger["keyword_filter"])
            .filter_map(Value::as_str)
            .any(|one| text.contains(&one.trim_matches('*').to_lowercase()));
        let pattern = items(&trigger["regex_patterns"])
            .filter_map(|one| Regex::new(one.as_str()?).ok())
            .any(|one| one.is_match(content));
        rule["enabled"] == true
            && !listed("exempt_channels", channel)
            && !roles.iter().any(|role| listed("exempt_roles", *role))
            && items(&rule["actions"]).any(|one| one["type"] == BLOCK_MESSAGE)
            && (word || pattern)
    };
    guild.rules.values().find(applies).and_then(|rule| rule["name"].as_str())
}
