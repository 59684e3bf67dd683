//! Calls about servers, channels and members.

use entity::id::{ChannelId, DiscordUserId, GuildId};
use reqwest::Method;

use super::{
    DiscordApi, Lane, Result,
    call::Call,
    model::{ChannelInfo, GuildInfo, MemberInfo},
    route::Route,
    wire,
};

impl DiscordApi {
    /// A channel or thread.
    pub async fn channel(&self, channel: ChannelId, lane: Lane) -> Result<ChannelInfo> {
        let route = Route::new(Method::GET, "/channels/{channel}", format!("/channels/{channel}"), channel.get());
        let answer = self.execute(Call::new(route, lane)).await?;
        wire::channel(&answer.body)
    }

    /// A server with its roles.
    pub async fn guild(&self, guild: GuildId, lane: Lane) -> Result<GuildInfo> {
        let route = Route::new(Method::GET, "/guilds/{guild}", format!("/guilds/{guild}"), guild.get());
        let answer = self.execute(Call::new(route, lane)).await?;
        wire::guild(&answer.body)
    }

    /// The server's channels, hidden ones included, threads left out.
    pub async fn guild_channels(&self, guild: GuildId, lane: Lane) -> Result<Vec<ChannelInfo>> {
        let path = format!("/guilds/{guild}/channels");
        let route = Route::new(Method::GET, "/guilds/{guild}/channels", path, guild.get());
        let answer = self.execute(Call::new(route, lane)).await?;
        wire::channels(&answer.body, guild)
    }

    /// The server's threads that are not archived and that the bot can see.
    pub async fn active_threads(&self, guild: GuildId, lane: Lane) -> Result<Vec<ChannelInfo>> {
        let path = format!("/guilds/{guild}/threads/active");
        let route = Route::new(Method::GET, "/guilds/{guild}/threads/active", path, guild.get());
        let answer = self.execute(Call::new(route, lane)).await?;
        wire::threads(&answer.body, guild)
    }

    /// A member of the server.
    pub async fn member(&self, guild: GuildId, user: DiscordUserId, lane: Lane) -> Result<MemberInfo> {
        let path = format!("/guilds/{guild}/members/{user}");
        let route = Route::new(Method::GET, "/guilds/{guild}/members/{user}", path, guild.get());
        let answer = self.execute(Call::new(route, lane)).await?;
        wire::member(&answer.body, user)
    }
}
