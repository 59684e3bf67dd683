//! Finds API keys that somebody pasted into a channel: each is revoked at once, and the message removed.
//!
//! Works only where the operator has switched it on, which takes a privileged intent. Invariant: no text of a message
//! leaves this file, except for a key to the domain, which keeps its digest only.

use entity::id::{ChannelId, GuildId, MessageId};
use serenity::all::{Embed, Message, MessageUpdateEvent};

use super::{CommandError, Data};
use crate::{
    discord_api::Lane,
    domain::api_key::{self, format},
};

/// Most keys of one message.
const KEYS_MAX: usize = 20;
/// The words in the server's audit log.
const REASON: &str = "Held an API key, which is revoked";

/// Looks at a new message.
pub async fn scan(data: &Data, message: &Message) -> Result<(), CommandError> {
    if !data.scans_messages || message.author.id.get() == data.application_id {
        return Ok(());
    }
    let texts = texts(Some(&message.content), &message.embeds);
    act(data, message.guild_id, message.channel_id, message.id, &texts).await
}

/// Looks at a message that was changed.
pub async fn scan_change(data: &Data, event: &MessageUpdateEvent) -> Result<(), CommandError> {
    let is_own = event.author.as_ref().is_some_and(|author| author.id.get() == data.application_id);
    if !data.scans_messages || is_own {
        return Ok(());
    }
    let texts = texts(event.content.as_ref(), event.embeds.as_deref().unwrap_or_default());
    act(data, event.guild_id, event.channel_id, event.id, &texts).await
}

/// All that people read in a message.
fn texts<'a>(content: Option<&'a String>, embeds: &'a [Embed]) -> Vec<&'a str> {
    let mut texts: Vec<&str> = content.map(String::as_str).into_iter().collect();
    for embed in embeds {
        texts.extend(embed.title.as_deref());
        texts.extend(embed.description.as_deref());
        texts.extend(embed.footer.as_ref().map(|footer| footer.text.as_str()));
        texts.extend(embed.fields.iter().flat_map(|field| [field.name.as_str(), field.value.as_str()]));
    }
    texts
}

async fn act(
    data: &Data,
    guild: Option<serenity::all::GuildId>,
    channel: serenity::all::ChannelId,
    message: serenity::all::MessageId,
    texts: &[&str],
) -> Result<(), CommandError> {
    let mut keys: Vec<&str> = Vec::new();
    for key in texts.iter().flat_map(|text| format::find(text, KEYS_MAX)).take(KEYS_MAX) {
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    let ids = guild.and_then(|guild| GuildId::new(guild.get()));
    let ids = ids.zip(ChannelId::new(channel.get())).zip(MessageId::new(message.get()));
    let Some(((guild, channel), message)) = ids.filter(|_| !keys.is_empty()) else { return Ok(()) };
    let mut found = false;
    // The key first: a message that is still there does no harm without it.
    for key in keys {
        found |= api_key::report_pasted(data.app.domain(), key, (guild, channel)).await?.is_some();
    }
    if !found {
        return Ok(());
    }
    match data.api.delete_message(channel, message, false, Some(REASON), Lane::Interactive).await {
        Ok(()) => Ok(()),
        Err(error) if error.is_gone() => Ok(()),
        Err(error) => {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                channel = channel.get(),
                "a message with an API key could not be removed"
            );
            Ok(api_key::leak_stays(data.app.domain(), guild, channel).await?)
        }
    }
}
