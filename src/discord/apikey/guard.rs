//! The rule of AutoMod that keeps pasted keys from being sent, for servers where the bot does not read messages.
//!
//! Invariant: however often it is asked for, there is one such rule.

use entity::id::GuildId;
use serde_json::json;
use serenity::all::{ButtonStyle, CreateActionRow};

use super::{card, manager};
use crate::{
    discord::{Asked, CommandError, Data, Reply},
    discord_api::{AUTO_MODERATION_RULES_MAX, AutoModerationRule, Lane, permission},
    domain::api_key::format,
};

/// The rule's name.
const NAME: &str = "Pasted API keys";
/// What whoever is blocked reads: at most 150 characters.
const MESSAGE: &str = "That looks like an API key, which would be everybody's here. If it was seen elsewhere, an \
    administrator ends it with /apikey report.";
/// The words in the server's audit log.
const REASON: &str = "Asked for with a button of /apikey";
/// Discord's numbers: when a message is sent, by keywords and patterns, block it.
const MESSAGE_SEND: u8 = 1;
const KEYWORD: u8 = 1;
const BLOCK_MESSAGE: u8 = 1;

/// Whether a server has the rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guard {
    /// It has, and the rule knows all that keys look like.
    Stands,
    /// It has none, or one that knows less.
    Missing,
    /// The bot may not see.
    Hidden,
}

/// Whether this server has the rule.
pub async fn state(data: &Data, guild: GuildId) -> Result<Guard, CommandError> {
    // A refused call would cost the bot's standing.
    let rights = data.api.own_server_permissions(guild, Lane::Interactive).await?;
    if permission::missing(rights, permission::MANAGE_SERVER) != 0 {
        return Ok(Guard::Hidden);
    }
    let rules = data.api.auto_moderation_rules(guild, Lane::Interactive).await?;
    let own = rules.iter().find(|rule| is_ours(data, rule));
    Ok(if own.is_some_and(is_complete) { Guard::Stands } else { Guard::Missing })
}

fn is_ours(data: &Data, rule: &AutoModerationRule) -> bool {
    rule.creator_id == data.application_id && rule.name == NAME
}

fn is_complete(rule: &AutoModerationRule) -> bool {
    rule.enabled && rule.blocks && format::PATTERNS.iter().all(|pattern| rule.patterns.iter().any(|own| own == pattern))
}

/// The button that sets the rule up.
pub fn row() -> CreateActionRow {
    CreateActionRow::Buttons(vec![card::button("guard", &[], "Block pasted keys", ButtonStyle::Secondary)])
}

/// Sets the rule up, or mends it.
pub async fn install(data: &Data, asked: &Asked) -> Result<Reply, CommandError> {
    let guild = asked.member()?.guild_id;
    manager(data, asked).await?;
    // Two presses at the same time would both find no rule.
    let _turn = data.guard_turn.lock().await;
    data.api.forget_permissions(guild);
    let said = put(data, guild).await?;
    Ok(Reply::text(format!(
        "{said} AutoMod blocks messages that hold a key, before anybody sees them. Members with Manage Server are \
         never blocked: Discord exempts them."
    )))
}

async fn put(data: &Data, guild: GuildId) -> Result<&'static str, CommandError> {
    let rights = data.api.own_server_permissions(guild, Lane::Interactive).await?;
    if permission::missing(rights, permission::MANAGE_SERVER) != 0 {
        return Err(CommandError::Input {
            problem: "Only a role with **Manage Server** may change AutoMod, and mine does not have it. Give it to my \
                      role for a moment, press again, and take it away: the rule stays"
                .to_owned(),
            example: "/settings doctor",
        });
    }
    let rules = data.api.auto_moderation_rules(guild, Lane::Interactive).await?;
    let wanted = json!({
        "name": NAME,
        "event_type": MESSAGE_SEND,
        "trigger_type": KEYWORD,
        "trigger_metadata": { "regex_patterns": format::PATTERNS },
        "actions": [{ "type": BLOCK_MESSAGE, "metadata": { "custom_message": MESSAGE } }],
        "enabled": true,
    });
    match rules.iter().find(|rule| is_ours(data, rule)) {
        Some(rule) if is_complete(rule) => Ok("✅ The rule was there already."),
        Some(rule) => {
            let mut change = wanted;
            if let Some(change) = change.as_object_mut() {
                // The trigger of a rule cannot be changed.
                change.remove("trigger_type");
            }
            data.api.edit_auto_moderation_rule((guild, rule.id), &change, Some(REASON), Lane::Interactive).await?;
            Ok("✅ The rule was there, and knows all keys again.")
        }
        None if rules.len() >= AUTO_MODERATION_RULES_MAX => Err(CommandError::Input {
            problem: "This server has six rules of AutoMod already, all that Discord allows. Remove one first"
                .to_owned(),
            example: "Server Settings, AutoMod",
        }),
        None => {
            data.api.create_auto_moderation_rule(guild, &wanted, Some(REASON), Lane::Interactive).await?;
            Ok("✅ The rule is set up.")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_fit_into_discord() {
        assert!(MESSAGE.chars().count() <= 150, "{}", MESSAGE.chars().count());
        assert!(format::PATTERNS.len() <= 10 && format::PATTERNS.iter().all(|pattern| pattern.len() <= 260));
    }
}
