//! What the commands and buttons of slots do.

use chrono::TimeDelta;
use entity::{
    channel_slot::{SlotState, SlotType},
    id::{ChannelId, GuildId},
};
use serde_json::json;

use super::cards;
use crate::{
    discord::{
        Asked, CommandError, Data, Reply,
        component::custom_id,
        settings::{
            card,
            channel::{self, Verdict},
        },
        text,
    },
    discord_api::Lane,
    domain::{
        self, Actor, Right,
        slot::{self as slots, SlotKey, SlotProblem},
        vanish,
    },
};

/// How long a test message stays, in seconds.
const TEST_SECONDS: i64 = 30;

/// Who asks for a change, refused before anything is asked of Discord.
async fn manager(asked: &Asked) -> Result<(Actor, GuildId), CommandError> {
    let guild = asked.member()?.guild_id;
    let actor = asked.actor().await?;
    actor.require(Right::ManageSettings, Some(guild))?;
    Ok((actor, guild))
}

/// Reads a slot's name.
pub fn key(name: &str) -> Result<SlotKey, CommandError> {
    Ok(name.trim().to_ascii_lowercase().parse::<SlotKey>().map_err(domain::Error::from)?)
}

/// Leads a slot to a channel that Discord has been asked about.
pub async fn set(data: &Data, asked: &Asked, name: &str, channel: ChannelId) -> Result<Reply, CommandError> {
    let (actor, guild) = manager(asked).await?;
    let key = key(name)?;
    let view = slots::view(data.app.domain(), &actor, guild, &key).await;
    // Refused with the nearest names before Discord is asked.
    let needs = view?.needs;
    let facts = facts(channel::look(&data.api, guild, channel).await?, channel, needs)?;
    slots::set_confirmed(data.app.domain(), &actor, guild, &key, facts).await?;
    let said = format!("✅ The slot `{key}` leads to {} now.", text::channel(channel));
    cards::one_with(data, asked, &key, &said).await
}

/// The facts, or the refusal that says what is missing.
fn facts(verdict: Verdict, channel: ChannelId, needs: u64) -> Result<slots::ChannelFacts, CommandError> {
    let problem = match verdict {
        Ok(facts) => return Ok(facts),
        Err(problem) => problem,
    };
    Err(match problem {
        SlotProblem::NoAccess => CommandError::BotLacks { channel, missing: slots::permission::words(needs) },
        SlotProblem::ChannelDeleted => CommandError::Input {
            problem: "That channel no longer exists. Choose another one".to_owned(),
            example: "/settings slot set name:alerts channel:#staff",
        },
        other => CommandError::Input {
            problem: format!("{} cannot be the channel of a slot: {}", text::channel(channel), other.words()),
            example: "/settings slot set name:alerts channel:#staff",
        },
    })
}

/// Takes the channel of a slot away, and offers the way back.
pub async fn clear(data: &Data, asked: &Asked, name: &str) -> Result<Reply, CommandError> {
    let (actor, guild) = manager(asked).await?;
    let key = key(name)?;
    let view = slots::view(data.app.domain(), &actor, guild, &key).await?;
    let Some(channel) = view.channel_id else {
        return Err(no_channel(data, &key));
    };
    slots::clear(data.app.domain(), &actor, guild, &key).await?;
    let stays = view.known || view.purpose.is_some();
    let after = match view.fallback {
        Some(fallback) => format!(" Its posts go to the slot `{fallback}` meanwhile."),
        None => " What was posted there is not posted anywhere meanwhile.".to_owned(),
    };
    let gone = if stays { "" } else { " It was made over the API and is gone with it." };
    let said = format!("✅ The slot `{key}` no longer leads to {}.{after}{gone}", text::channel(channel));
    let mut buttons = vec![card::button("All slots", custom_id("slot", "list", &["0"]))];
    if stays {
        let arguments = [key.as_str(), &channel.to_string()];
        buttons.insert(0, card::primary("Undo", custom_id("slot", "undo", &arguments)));
    }
    Ok(Reply::text(said).row(card::row(buttons)))
}

/// Removes a slot that somebody made.
pub async fn remove(data: &Data, asked: &Asked, name: &str) -> Result<Reply, CommandError> {
    let (actor, guild) = manager(asked).await?;
    let key = key(name)?;
    slots::remove(data.app.domain(), &actor, guild, &key).await?;
    let all = card::button("All slots", custom_id("slot", "list", &["0"]));
    Ok(Reply::text(format!("✅ The slot `{key}` is gone. {} brings it back.", history(data))).row(card::row(vec![all])))
}

fn history(data: &Data) -> String {
    data.commands.mention("settings history")
}

/// Makes an empty slot of a server's own.
pub async fn create(
    data: &Data,
    asked: &Asked,
    name: &str,
    slot_type: SlotType,
    purpose: &str,
) -> Result<Reply, CommandError> {
    let (actor, guild) = manager(asked).await?;
    let key = key(name)?;
    slots::create(data.app.domain(), &actor, guild, &key, slot_type, purpose).await?;
    let said = format!("✅ There is a slot `{key}` now. Choose its channel below.");
    cards::one_with(data, asked, &key, &said).await
}

fn no_channel(data: &Data, key: &SlotKey) -> CommandError {
    let set = data.commands.mention("settings slot set");
    CommandError::Input {
        problem: format!("The slot `{key}` has no channel yet. {set} gives it one"),
        example: "/settings slot set name:alerts channel:#staff",
    }
}

/// Posts a message in the slot's channel that deletes itself.
pub async fn test(data: &Data, asked: &Asked, name: &str) -> Result<Reply, CommandError> {
    let (actor, guild) = manager(asked).await?;
    let key = key(name)?;
    let domain = data.app.domain();
    let view = slots::view(domain, &actor, guild, &key).await?;
    let Some(channel) = view.channel_id else {
        return Err(no_channel(data, &key));
    };
    // The state in the store may be older than what is true now.
    let verdict = channel::look(&data.api, guild, channel).await?;
    let row = slots::confirm(domain, guild, &key, channel, verdict).await?;
    let row = row.filter(|row| row.state == SlotState::Ready);
    let (Ok(facts), Some(_)) = (verdict, row) else {
        return broken(data, asked, &key, verdict, view.needs).await;
    };
    let silent = match facts.slot_type {
        SlotType::Category | SlotType::Forum => Some("It holds no messages of its own"),
        _ if facts.missing_permissions & slots::permission::SEND_MESSAGES != 0 => {
            Some("I may not write there, and this slot does not ask for it")
        }
        _ => None,
    };
    if let Some(why) = silent {
        let place = text::channel(channel);
        return Ok(Reply::text(format!("✅ I can use {place} for the slot `{key}`. {why}, so that I posted none.")));
    }
    post_test(data, asked, guild, channel, &key).await
}

/// What a test found wrong, with what is missing where that is the matter.
async fn broken(
    data: &Data,
    asked: &Asked,
    key: &SlotKey,
    verdict: Verdict,
    needs: u64,
) -> Result<Reply, CommandError> {
    let view = slots::view(data.app.domain(), &asked.actor().await?, asked.member()?.guild_id, key).await?;
    let channel = view.channel_id.ok_or_else(|| no_channel(data, key))?;
    let facts = facts(verdict, channel, needs)?;
    let missing = view.needs & facts.missing_permissions;
    if missing != 0 {
        return Err(CommandError::BotLacks { channel, missing: slots::permission::words(missing) });
    }
    let words = view.problem.map_or("its channel cannot be used", SlotProblem::words);
    let problem = format!("The slot `{key}` is broken: {words}");
    Err(CommandError::Input { problem, example: "/settings slot set name:alerts channel:#staff" })
}

async fn post_test(
    data: &Data,
    asked: &Asked,
    guild: GuildId,
    channel: ChannelId,
    key: &SlotKey,
) -> Result<Reply, CommandError> {
    let domain = data.app.domain();
    let until = domain.discord_now() + TimeDelta::seconds(TEST_SECONDS);
    let body = json!({
        "content": format!("🔧 Test of the slot `{key}`: posts for it arrive here. I delete this {}.", text::relative(until)),
        "allowed_mentions": { "parse": [] },
    });
    let nonce = asked.interaction_id().to_string();
    let posted = data.api.create_message(channel, body, Some(&nonce), Lane::Interactive).await?;
    let kept = vanish::keep_own_post(domain, guild, posted.channel_id, posted.message_id, Some(until)).await;
    if let Err(error) = kept {
        // Nobody would delete it later.
        data.api.delete_message(posted.channel_id, posted.message_id, false, None, Lane::Interactive).await?;
        return Err(error.into());
    }
    let link = text::message_link(guild, posted.channel_id, posted.message_id);
    Ok(Reply::text(format!("✅ The slot `{key}` works: {link} deletes itself {}.", text::relative(until)))
        .row(card::row(vec![card::open_channel("Open the channel", guild, channel)])))
}
