//! What Discord says about a channel that a slot shall lead to.

use entity::{
    channel_slot::SlotType,
    id::{ChannelId, GuildId},
};
use serenity::all::ChannelType;

use crate::{
    discord_api::{DiscordApi, Lane, Result, permission},
    domain::slot::{ChannelFacts, SlotProblem, type_of_channel},
};

/// What a slot can make of a channel: its facts, or why it is none.
pub type Verdict = Result<ChannelFacts, SlotProblem>;

/// Asks Discord about a channel. Its rights are looked at first, because every refused call costs the bot's standing.
pub async fn look(api: &DiscordApi, guild: GuildId, channel_id: ChannelId) -> Result<Verdict> {
    let lane = Lane::Interactive;
    let rights = match api.own_permissions(guild, channel_id, lane).await {
        Ok(rights) if rights & permission::VIEW_CHANNEL == 0 => return Ok(Err(SlotProblem::NoAccess)),
        Ok(rights) => rights,
        // A channel of another server gives no rights here: whose it is tells the channel itself.
        Err(error) if error.is_gone() => 0,
        Err(error) if error.is_permission_loss() => return Ok(Err(SlotProblem::NoAccess)),
        Err(error) => return Err(error),
    };
    let info = match api.channel(channel_id, lane).await {
        Ok(info) => info,
        Err(error) if error.is_gone() => return Ok(Err(SlotProblem::ChannelDeleted)),
        Err(error) if error.is_permission_loss() => return Ok(Err(SlotProblem::NoAccess)),
        Err(error) => return Err(error),
    };
    let (Some(guild_id), Some(slot_type)) = (info.guild_id, type_of_channel(info.kind.0)) else {
        return Ok(Err(SlotProblem::WrongType));
    };
    let missing_permissions = permission::missing(rights, permission::ALL);
    Ok(Ok(ChannelFacts { channel_id, guild_id, slot_type, missing_permissions }))
}

/// What a channel menu offers for a slot; none offers all.
pub fn offered(slot_type: SlotType) -> Option<Vec<ChannelType>> {
    Some(match slot_type {
        SlotType::Any => return None,
        SlotType::Text => vec![ChannelType::Text, ChannelType::News],
        SlotType::Voice => vec![ChannelType::Voice],
        SlotType::Stage => vec![ChannelType::Stage],
        // A media channel would fit too, but Discord's own description of menus does not know it.
        SlotType::Forum => vec![ChannelType::Forum],
        SlotType::Category => vec![ChannelType::Category],
        SlotType::Thread => vec![ChannelType::PublicThread, ChannelType::PrivateThread, ChannelType::NewsThread],
    })
}
