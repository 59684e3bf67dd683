//! What happens in Discord, told to the domain.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::{Mutex, MutexGuard, PoisonError},
};

use entity::id::{ChannelId, DiscordUserId, GuildId, MessageId};
use serenity::all::{self as serenity, FullEvent};

use super::{CommandError, Data, component, invite, join_requests, leak_scanner};
use crate::{
    app::Gateway,
    discord_api::{self, Lane, permission},
    domain::{application, guild, practice, slot, vanish},
};

/// Most channels with slots that one look at a guild asks about.
const CHANNELS_MAX: usize = 200;
/// Discord's code for a channel that is gone.
const UNKNOWN_CHANNEL: u32 = 10_003;

type FrameworkContext<'a> = poise::FrameworkContext<'a, Data, CommandError>;

/// Handles one event. Delivered twice it has one effect.
pub async fn handle(context: FrameworkContext<'_>, event: &FullEvent) -> Result<(), CommandError> {
    let data = context.user_data;
    match event {
        FullEvent::InteractionCreate { interaction } => interact(data, interaction).await,
        FullEvent::Message { new_message } => {
            leak_scanner::scan(data, new_message).await?;
            note_message(data, new_message).await
        }
        FullEvent::MessageUpdate { event, .. } => leak_scanner::scan_change(data, event).await,
        FullEvent::Ready { .. } => {
            data.app.readiness().set_gateway(Gateway::Ready);
            Ok(())
        }
        FullEvent::Resume { .. } => {
            data.voice.resumed();
            data.app.readiness().set_gateway(Gateway::Ready);
            Ok(())
        }
        FullEvent::GuildCreate { guild, .. } => guild_create(data, guild).await,
        FullEvent::GuildUpdate { new_data, .. } => {
            data.voice.guild_changed(new_data);
            Ok(())
        }
        FullEvent::GuildDelete { incomplete, .. } => guild_gone(data, *incomplete).await,
        FullEvent::ChannelPinsUpdate { pin } => match ChannelId::new(pin.channel_id.get()) {
            Some(channel) => Ok(vanish::note_pins_changed(data.app.domain(), channel).await?),
            None => Ok(()),
        },
        FullEvent::ThreadCreate { thread } => thread_seen(data, thread).await,
        FullEvent::ThreadUpdate { new, .. } => thread_seen(data, new).await,
        FullEvent::ThreadListSync { thread_list_sync } => {
            for thread in &thread_list_sync.threads {
                thread_seen(data, thread).await?;
            }
            Ok(())
        }
        FullEvent::ThreadDelete { thread, .. } => channel_gone(data, thread.guild_id, thread.id).await,
        FullEvent::ChannelDelete { channel, .. } => channel_gone(data, channel.guild_id, channel.id).await,
        FullEvent::ChannelUpdate { new, .. } => rights_changed(data, new.guild_id).await,
        FullEvent::GuildRoleUpdate { new, .. } => rights_changed(data, new.guild_id).await,
        FullEvent::GuildRoleDelete { guild_id, .. } => rights_changed(data, *guild_id).await,
        FullEvent::GuildMemberUpdate { event, .. } if event.user.id == context.bot_id() => {
            rights_changed(data, event.guild_id).await
        }
        // Told only to a bot that sees members.
        FullEvent::GuildMemberAddition { new_member } => {
            match (GuildId::new(new_member.guild_id.get()), DiscordUserId::new(new_member.user.id.get())) {
                (Some(guild), Some(account)) => Ok(practice::note_present(data.app.domain(), guild, account).await?),
                _ => Ok(()),
            }
        }
        FullEvent::GuildMemberRemoval { guild_id, user, .. } => {
            match (GuildId::new(guild_id.get()), DiscordUserId::new(user.id.get())) {
                (Some(guild), Some(account)) => {
                    application::note_left(data.app.domain(), guild, &[account]).await?;
                    Ok(practice::note_departed(data.app.domain(), guild, &[account]).await?)
                }
                _ => Ok(()),
            }
        }
        _ => Ok(()),
    }
}

async fn interact(data: &Data, interaction: &serenity::Interaction) -> Result<(), CommandError> {
    match interaction {
        serenity::Interaction::Component(pressed) if data.first_time(pressed.id.get()) => {
            component::pressed(data, pressed).await
        }
        serenity::Interaction::Modal(submitted) if data.first_time(submitted.id.get()) => {
            component::submitted(data, submitted).await
        }
        _ => Ok(()),
    }
}

async fn note_message(data: &Data, message: &serenity::Message) -> Result<(), CommandError> {
    let ids = (ChannelId::new(message.channel_id.get()), MessageId::new(message.id.get()));
    let (Some(channel), Some(id)) = ids else { return Ok(()) };
    vanish::note_message(data.app.domain(), channel, id).await?;
    let written = matches!(message.kind, serenity::MessageType::Regular | serenity::MessageType::InlineReply);
    let guild = message.guild_id.and_then(|guild| GuildId::new(guild.get()));
    let author = DiscordUserId::new(message.author.id.get()).filter(|_| written && !message.author.bot);
    if let Some((guild, author)) = guild.zip(author) {
        vanish::note_own_message(data.app.domain(), (guild, channel, id), author).await?;
    }
    Ok(())
}

async fn guild_create(data: &Data, guild: &serenity::Guild) -> Result<(), CommandError> {
    let Some(guild_id) = GuildId::new(guild.id.get()) else { return Ok(()) };
    let domain = data.app.domain();
    data.voice.guild_told(guild);
    data.api.forget_permissions(guild_id);
    let newest: Vec<_> = guild
        .channels
        .values()
        .chain(&guild.threads)
        .filter_map(|channel| {
            Some(vanish::LastMessage {
                place_id: ChannelId::new(channel.id.get())?,
                message_id: MessageId::new(channel.last_message_id?.get())?,
            })
        })
        .collect();
    for thread in &guild.threads {
        thread_seen(data, thread).await?;
    }
    guild::joined(domain, guild_id).await?;
    vanish::guild_seen(domain, guild_id, &newest).await?;
    if let Err(error) = join_requests::read_waiting(domain, &data.api, guild_id).await {
        tracing::warn!(error = &error as &dyn std::error::Error, "who waits to join could not be read");
    }
    recheck(data, guild_id, Lane::Normal).await
}

/// A guild that is merely unavailable comes back by itself.
async fn guild_gone(data: &Data, gone: serenity::UnavailableGuild) -> Result<(), CommandError> {
    data.voice.guild_gone(gone.id);
    let Some(guild) = GuildId::new(gone.id.get()) else { return Ok(()) };
    practice::lose_sight_of(data.app.domain(), guild).await?;
    if gone.unavailable {
        return Ok(());
    }
    data.api.forget_permissions(guild);
    guild::left(data.app.domain(), guild).await?;
    Ok(())
}

async fn thread_seen(data: &Data, thread: &serenity::GuildChannel) -> Result<(), CommandError> {
    let archived = thread.thread_metadata.is_some_and(|metadata| metadata.archived);
    let ids = (thread.parent_id.and_then(|id| ChannelId::new(id.get())), ChannelId::new(thread.id.get()));
    match ids {
        (Some(parent), Some(thread)) if !archived => Ok(vanish::note_thread(data.app.domain(), parent, thread).await?),
        _ => Ok(()),
    }
}

async fn channel_gone(data: &Data, guild: serenity::GuildId, channel: serenity::ChannelId) -> Result<(), CommandError> {
    let (Some(guild), Some(channel)) = (GuildId::new(guild.get()), ChannelId::new(channel.get())) else {
        return Ok(());
    };
    data.api.forget_permissions(guild);
    vanish::channel_gone(data.app.domain(), channel).await?;
    slot::channel_deleted(data.app.domain(), guild, channel).await?;
    Ok(())
}

/// The bot may be able to do more or less than before.
async fn rights_changed(data: &Data, guild: serenity::GuildId) -> Result<(), CommandError> {
    let Some(guild) = GuildId::new(guild.get()) else { return Ok(()) };
    data.api.forget_permissions(guild);
    application::rights_changed(data.app.domain(), guild).await?;
    recheck(data, guild, Lane::Normal).await
}

/// The guilds that are being looked at, each with whether something changed again meanwhile.
#[derive(Default)]
pub(super) struct Rechecks(Mutex<HashMap<GuildId, bool>>);

impl Rechecks {
    /// Whether the caller is to look at the guild; if not, somebody looks at it and will do so once more.
    fn begin(&self, guild: GuildId) -> bool {
        match self.map().entry(guild) {
            Entry::Occupied(mut running) => {
                *running.get_mut() = true;
                false
            }
            Entry::Vacant(vacant) => {
                vacant.insert(false);
                true
            }
        }
    }

    /// Whether something changed since the last look, so that another one is due.
    fn again(&self, guild: GuildId) -> bool {
        let mut map = self.map();
        let again = map.get_mut(&guild).is_some_and(std::mem::take);
        if !again {
            map.remove(&guild);
        }
        again
    }

    fn map(&self) -> MutexGuard<'_, HashMap<GuildId, bool>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Looks at what the bot may do in a guild. However many events ask for it, one look runs at a time.
pub(super) async fn recheck(data: &Data, guild: GuildId, lane: Lane) -> Result<(), CommandError> {
    if !data.rechecks.begin(guild) {
        return Ok(());
    }
    loop {
        let looked = match restore_suspended(data, guild, lane).await {
            Ok(()) => recheck_slots(data, guild, lane).await,
            Err(error) => Err(error),
        };
        if !data.rechecks.again(guild) {
            return looked;
        }
    }
}

/// Looks at the rights before it tries, because every refused call costs the bot's standing.
async fn restore_suspended(data: &Data, guild: GuildId, lane: Lane) -> Result<(), CommandError> {
    for channel in vanish::suspended(data.app.domain(), guild).await? {
        if data.api.missing_for_messages(guild, channel, invite::SWEEP_NEEDS, lane).await? == 0 {
            vanish::channel_restored(data.app.domain(), guild, channel).await?;
        }
    }
    Ok(())
}

/// Marks slots broken whose channel the bot can no longer use, and mends those that it can use again.
async fn recheck_slots(data: &Data, guild: GuildId, lane: Lane) -> Result<(), CommandError> {
    let domain = data.app.domain();
    for channel in slot::watched_channels(domain, guild).await?.into_iter().take(CHANNELS_MAX) {
        match data.api.own_permissions(guild, channel, lane).await {
            Ok(rights) => {
                let missing = permission::missing(rights, permission::ALL);
                slot::channel_works(domain, guild, channel, missing).await?;
            }
            Err(discord_api::Error::NotFound { code: UNKNOWN_CHANNEL }) => {
                slot::channel_deleted(domain, guild, channel).await?;
            }
            // The bot cannot even see it.
            Err(error) if error.is_permission_loss() => {
                slot::channel_works(domain, guild, channel, permission::ALL).await?;
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_events_of_one_guild_cost_one_more_look() {
        let rechecks = Rechecks::default();
        let guild = GuildId::new(7).unwrap();
        assert!(rechecks.begin(guild));
        assert!(!rechecks.begin(guild));
        assert!(!rechecks.begin(guild));
        assert!(rechecks.again(guild));
        assert!(!rechecks.again(guild));
        assert!(rechecks.begin(guild));
    }
}
