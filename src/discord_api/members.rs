//! Calls about who is let in and with which roles.

use entity::id::{ChannelId, DiscordUserId, GuildId, RoleId};
use reqwest::Method;
use serde_json::json;

use super::{DiscordApi, Lane, Result, body::Payload, call::Call, model::JoinRequest, route::Route, wire};

/// Longest reason that Discord shows to whoever is rejected, in characters.
pub const REJECTION_REASON_MAX: usize = 160;

const MEMBER_ROLE: &str = "/guilds/{guild}/members/{user}/roles/{role}";
const REQUESTS: &str = "/guilds/{guild}/requests";
const REQUEST: &str = "/guilds/{guild}/requests/{request}";
const INVITES: &str = "/channels/{channel}/invites";

/// Requests of a page, the most that Discord gives.
const REQUEST_PAGE: usize = 100;

/// What an invite is for.
#[derive(Clone, Debug)]
pub struct NewInvite {
    /// Only these accounts can use it; empty for anybody.
    pub users: Vec<DiscordUserId>,
    /// Roles of whoever comes by it.
    pub roles: Vec<RoleId>,
    /// Seconds until it ends, at most 604 800.
    pub max_age_seconds: u32,
    /// Uses until it ends, at most 100.
    pub max_uses: u32,
}

impl DiscordApi {
    /// Gives a member a role below the bot's own; needs Manage Roles. Giving it again changes nothing.
    pub async fn give_role(
        &self,
        (guild, user, role): (GuildId, DiscordUserId, RoleId),
        reason: Option<&str>,
        lane: Lane,
    ) -> Result<()> {
        self.change_role(Method::PUT, (guild, user, role), reason, lane).await
    }

    /// Takes a role from a member; needs Manage Roles. Taking it again changes nothing.
    pub async fn take_role(
        &self,
        (guild, user, role): (GuildId, DiscordUserId, RoleId),
        reason: Option<&str>,
        lane: Lane,
    ) -> Result<()> {
        self.change_role(Method::DELETE, (guild, user, role), reason, lane).await
    }

    async fn change_role(
        &self,
        method: Method,
        (guild, user, role): (GuildId, DiscordUserId, RoleId),
        reason: Option<&str>,
        lane: Lane,
    ) -> Result<()> {
        let path = format!("/guilds/{guild}/members/{user}/roles/{role}");
        let route = Route::new(method, MEMBER_ROLE, path, guild.get());
        self.execute(Call::new(route, lane).reason(reason)).await?;
        Ok(())
    }

    /// How many members have a role; needs no privileged intent. Zero for a role that nobody has.
    pub async fn role_member_count(&self, guild: GuildId, role: RoleId, lane: Lane) -> Result<u64> {
        let path = format!("/guilds/{guild}/roles/member-counts");
        let route = Route::new(Method::GET, "/guilds/{guild}/roles/member-counts", path, guild.get());
        let answer = self.execute(Call::new(route, lane)).await?;
        Ok(wire::role_counts(&answer.body)?.get(&role).copied().unwrap_or(0))
    }

    /// Makes an invite to a channel's server and returns its code; needs Create Invite, with roles Manage Roles too.
    /// A broken connection can leave an invite behind that nobody knows of, which ends by itself.
    pub async fn create_invite(
        &self,
        channel: ChannelId,
        invite: &NewInvite,
        reason: Option<&str>,
        lane: Lane,
    ) -> Result<String> {
        let mut body = json!({
            "max_age": invite.max_age_seconds, "max_uses": invite.max_uses, "unique": true,
        });
        if !invite.users.is_empty() {
            body["target_user_ids"] = json!(invite.users);
        }
        if !invite.roles.is_empty() {
            body["role_ids"] = json!(invite.roles);
        }
        let route = Route::new(Method::POST, INVITES, format!("/channels/{channel}/invites"), channel.get());
        let body = Payload::from(body).into_plain()?;
        let answer = self.execute(Call::new(route, lane).body(body).reason(reason).repeatable()).await?;
        wire::invite_code(&answer.body)
    }

    /// Requests to join that wait, after this one, the oldest first, at most 100; needs Kick Members.
    pub async fn join_requests(&self, guild: GuildId, after: u64, lane: Lane) -> Result<Vec<JoinRequest>> {
        let path = format!("/guilds/{guild}/requests?status=SUBMITTED&limit={REQUEST_PAGE}&after={after}");
        let answer = self.execute(Call::new(Route::new(Method::GET, REQUESTS, path, guild.get()), lane)).await?;
        wire::join_requests(&answer.body)
    }

    /// Lets somebody in or rejects them; needs Kick Members. Returns the request as it is now: one that somebody else has
    /// decided stays as they decided it. The reason is cut to what Discord shows.
    pub async fn decide_join_request(
        &self,
        (guild, request): (GuildId, u64),
        approved: bool,
        reason: Option<&str>,
        lane: Lane,
    ) -> Result<JoinRequest> {
        let path = format!("/guilds/{guild}/requests/{request}");
        let mut body = json!({ "action": if approved { "APPROVED" } else { "REJECTED" } });
        if let Some(reason) = reason.filter(|_| !approved) {
            body["rejection_reason"] = json!(reason.chars().take(REJECTION_REASON_MAX).collect::<String>());
        }
        let body = Payload::from(body).into_plain()?;
        let route = Route::new(Method::PATCH, REQUEST, path, guild.get());
        let answer = self.execute(Call::new(route, lane).body(body)).await?;
        wire::join_request(&answer.body)
    }
}
