//! The bot's own rights, worked out from what REST says.
//!
//! Three reads per server answer for all its channels for a minute, so that a sweep over hundreds of channels asks
//! no more than a look at one.

use std::{sync::Arc, time::Duration};

use entity::id::{ChannelId, DiscordUserId, GuildId, RoleId};
use moka::sync::Cache;
use tokio::{sync::OnceCell, time::timeout};

use super::{
    DiscordApi, Lane, Result,
    error::Error,
    model::{ChannelInfo, ChannelKind, GuildInfo, MemberInfo},
    permission::{CONNECT, channel_permissions, guild_permissions, missing},
};

/// How long what was read is believed.
const LIFETIME: Duration = Duration::from_mins(1);
/// Servers kept.
const GUILDS_MAX: u64 = 1_000;
/// Threads kept.
const STRAYS_MAX: u64 = 10_000;
/// Discord's code for an unknown channel.
const UNKNOWN_CHANNEL: u32 = 10_003;

/// What decides about rights in one server.
struct GuildRights {
    guild: GuildInfo,
    member: MemberInfo,
    channels: Vec<ChannelInfo>,
}

pub(super) struct Rights {
    me: OnceCell<DiscordUserId>,
    guilds: Cache<GuildId, Arc<OnceCell<GuildRights>>>,
    /// Threads, and channels younger than their server's entry.
    strays: Cache<ChannelId, Arc<ChannelInfo>>,
}

impl Default for Rights {
    fn default() -> Self {
        Self {
            me: OnceCell::new(),
            guilds: Cache::builder().max_capacity(GUILDS_MAX).time_to_live(LIFETIME).build(),
            strays: Cache::builder().max_capacity(STRAYS_MAX).time_to_live(LIFETIME).build(),
        }
    }
}

impl DiscordApi {
    /// The bot's rights in a channel or thread of this server, at most a minute old.
    pub async fn own_permissions(&self, guild: GuildId, channel: ChannelId, lane: Lane) -> Result<u64> {
        self.rights_within(guild, channel, None, lane).await.map(|(rights, _)| rights)
    }

    /// What the bot lacks of `needed` to work on the messages of a channel or thread; the chat of a voice or stage
    /// channel takes Connect besides.
    pub async fn missing_for_messages(
        &self,
        guild: GuildId,
        channel: ChannelId,
        needed: u64,
        lane: Lane,
    ) -> Result<u64> {
        let (rights, kind) = self.rights_within(guild, channel, None, lane).await?;
        let connect = if kind.is_voice() { CONNECT } else { 0 };
        Ok(missing(rights, needed | connect))
    }

    /// The rights of a member with these roles in a channel or thread of this server; what the roles may do is at
    /// most a minute old.
    pub async fn member_permissions(
        &self,
        guild: GuildId,
        channel: ChannelId,
        (user_id, roles): (DiscordUserId, &[RoleId]),
        lane: Lane,
    ) -> Result<u64> {
        let member = MemberInfo { user_id, roles: roles.to_vec(), is_bot: false, display_name: String::new() };
        self.rights_within(guild, channel, Some(&member), lane).await.map(|(rights, _)| rights)
    }

    /// The bot's rights in the whole server, before any channel's overwrites, at most a minute old.
    pub async fn own_server_permissions(&self, guild: GuildId, lane: Lane) -> Result<u64> {
        let work = async {
            let cell = self.0.rights.guilds.get_with(guild, Arc::default);
            let rights = cell.get_or_try_init(|| self.read_rights(guild, lane)).await?;
            Ok(guild_permissions(&rights.guild, &rights.member))
        };
        timeout(lane.time_limit(), work)
            .await
            .unwrap_or(Err(Error::RateLimited { retry_after: Duration::from_secs(1) }))
    }

    /// Another lane's call may be reading the same server, so the wait for it is bounded here.
    async fn rights_within(
        &self,
        guild: GuildId,
        channel: ChannelId,
        member: Option<&MemberInfo>,
        lane: Lane,
    ) -> Result<(u64, ChannelKind)> {
        timeout(lane.time_limit(), self.work_out_permissions(guild, channel, member, lane))
            .await
            .unwrap_or(Err(Error::RateLimited { retry_after: Duration::from_secs(1) }))
    }

    async fn work_out_permissions(
        &self,
        guild: GuildId,
        channel: ChannelId,
        member: Option<&MemberInfo>,
        lane: Lane,
    ) -> Result<(u64, ChannelKind)> {
        let cell = self.0.rights.guilds.get_with(guild, Arc::default);
        let rights = cell.get_or_try_init(|| self.read_rights(guild, lane)).await?;
        let member = member.unwrap_or(&rights.member);
        let find = |id: ChannelId| rights.channels.iter().find(|channel| channel.id == id);
        if let Some(channel) = find(channel) {
            return Ok((channel_permissions(&rights.guild, channel, None, member), channel.kind));
        }
        let stray = self.read_stray(channel, lane).await?;
        let parent = stray.parent_id.and_then(find);
        if stray.guild_id != Some(guild) {
            return Err(Error::NotFound { code: UNKNOWN_CHANNEL });
        }
        Ok((channel_permissions(&rights.guild, &stray, parent, member), stray.kind))
    }

    /// Has the bot's rights in this server read anew at the next question, after a role or channel changed.
    pub fn forget_permissions(&self, guild: GuildId) {
        self.0.rights.guilds.invalidate(&guild);
        self.0.rights.strays.invalidate_all();
    }

    async fn read_rights(&self, guild: GuildId, lane: Lane) -> Result<GuildRights> {
        let me = *self.0.rights.me.get_or_try_init(|| async { Ok(self.current_user(lane).await?.id) }).await?;
        let info = self.guild(guild, lane).await?;
        let member = self.member(guild, me, lane).await?;
        let channels = self.guild_channels(guild, lane).await?;
        Ok(GuildRights { guild: info, member, channels })
    }

    async fn read_stray(&self, channel: ChannelId, lane: Lane) -> Result<Arc<ChannelInfo>> {
        if let Some(stray) = self.0.rights.strays.get(&channel) {
            return Ok(stray);
        }
        let stray = Arc::new(self.channel(channel, lane).await?);
        self.0.rights.strays.insert(channel, Arc::clone(&stray));
        Ok(stray)
    }
}
