//! What happens in Discord, told to the domain.

use entity::id::{ChannelId, GuildId, MessageId};
use serenity::all::{self as serenity, FullEvent};

use super::{CommandError, Data, component, invite};
use crate::{
    app::Gateway,
    discord_api::{Lane, permission},
    domain::vanish,
};

type FrameworkContext<'a> = poise::FrameworkContext<'a, Data, CommandError>;

/// Handles one event. Delivered twice it has one effect.
pub async fn handle(context: FrameworkContext<'_>, event: &FullEvent) -> Result<(), CommandError> {
    let data = context.user_data;
    match event {
        FullEvent::InteractionCreate { interaction } => interact(data, interaction).await,
        FullEvent::Message { new_message } => note_message(data, new_message).await,
        FullEvent::Ready { .. } | FullEvent::Resume { .. } => {
            data.app.readiness().set_gateway(Gateway::Ready);
            Ok(())
        }
        FullEvent::GuildCreate { guild, .. } => guild_create(data, guild).await,
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
    Ok(vanish::note_message(data.app.domain(), channel, id).await?)
}

async fn guild_create(data: &Data, guild: &serenity::Guild) -> Result<(), CommandError> {
    let Some(guild_id) = GuildId::new(guild.id.get()) else { return Ok(()) };
    let domain = data.app.domain();
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
    vanish::guild_seen(domain, guild_id, &newest).await?;
    restore_suspended(data, guild_id).await
}

async fn thread_seen(data: &Data, thread: &serenity::GuildChannel) -> Result<(), CommandError> {
    let archived = thread.thread_metadata.is_some_and(|metadata| metadata.archived);
    let ids = (thread.parent_id.and_then(|id| ChannelId::new(id.get())), ChannelId::new(thread.id.get()));
    match ids {
        (Some(parent), Some(thread)) if !archived => Ok(vanish::note_thread(data.app.domain(), parent, thread).await?),
        _ => Ok(()),
    }
}

async fn channel_gone(
    data: &Data,
    _guild: serenity::GuildId,
    channel: serenity::ChannelId,
) -> Result<(), CommandError> {
    match ChannelId::new(channel.get()) {
        Some(channel) => Ok(vanish::channel_gone(data.app.domain(), channel).await?),
        None => Ok(()),
    }
}

/// The bot may be able to do more or less than before.
async fn rights_changed(data: &Data, guild: serenity::GuildId) -> Result<(), CommandError> {
    let Some(guild) = GuildId::new(guild.get()) else { return Ok(()) };
    data.api.forget_permissions(guild);
    restore_suspended(data, guild).await
}

/// Looks at the rights before it tries, because every refused call costs the bot's standing.
async fn restore_suspended(data: &Data, guild: GuildId) -> Result<(), CommandError> {
    for channel in vanish::suspended(data.app.domain(), guild).await? {
        let rights = data.api.own_permissions(guild, channel, Lane::Normal).await?;
        if permission::missing(rights, invite::SWEEP_NEEDS) == 0 {
            vanish::channel_restored(data.app.domain(), guild, channel).await?;
        }
    }
    Ok(())
}
