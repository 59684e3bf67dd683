//! Calls about servers, channels and members.

use entity::id::{ChannelId, DiscordUserId, GuildId, RoleId};
use reqwest::Method;

use super::{
    DiscordApi, Lane, Result,
    call::Call,
    model::{ChannelInfo, GuildInfo, MemberInfo},
    route::Route,
    wire,
};

/// Members of a page, the most that Discord gives.
const MEMBER_PAGE: usize = 1_000;
/// Most pages that one look reads.
const MEMBER_PAGES_MAX: usize = 50;

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

    /// Who has a role in a server of at most 50 000 members; none where there are more. Needs the intent Server Members.
    pub async fn role_holders(&self, guild: GuildId, role: RoleId, lane: Lane) -> Result<Option<Vec<DiscordUserId>>> {
        let mut holders = Vec::new();
        let mut after = 0;
        for _ in 0..MEMBER_PAGES_MAX {
            let path = format!("/guilds/{guild}/members?limit={MEMBER_PAGE}&after={after}");
            let route = Route::new(Method::GET, "/guilds/{guild}/members", path, guild.get());
            let answer = self.execute(Call::new(route, lane)).await?;
            let page = wire::members(&answer.body)?;
            let (read, last) = (page.len(), page.last().map_or(after, |one| one.user_id.get()));
            holders.extend(page.into_iter().filter(|one| one.roles.contains(&role)).map(|one| one.user_id));
            if read < MEMBER_PAGE || last <= after {
                return Ok(Some(holders));
            }
            after = last;
        }
        Ok(None)
    }
}
