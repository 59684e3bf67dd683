//! Calls about AutoMod, Discord's own filter of messages.

use entity::id::GuildId;
use reqwest::Method;
use serde_json::Value;

use super::{DiscordApi, Lane, Result, body::Payload, call::Call, model::AutoModerationRule, route::Route, wire};

/// Most rules with keywords or patterns that Discord lets a server have.
pub const AUTO_MODERATION_RULES_MAX: usize = 6;

const RULES: &str = "/guilds/{guild}/auto-moderation/rules";
const RULE: &str = "/guilds/{guild}/auto-moderation/rules/{rule}";

impl DiscordApi {
    /// The server's rules; needs Manage Server.
    pub async fn auto_moderation_rules(&self, guild: GuildId, lane: Lane) -> Result<Vec<AutoModerationRule>> {
        let path = format!("/guilds/{guild}/auto-moderation/rules");
        let answer = self.execute(Call::new(Route::new(Method::GET, RULES, path, guild.get()), lane)).await?;
        wire::auto_moderation_rules(&answer.body)
    }

    /// Adds a rule; needs Manage Server.
    pub async fn create_auto_moderation_rule(
        &self,
        guild: GuildId,
        rule: &Value,
        reason: Option<&str>,
        lane: Lane,
    ) -> Result<()> {
        let path = format!("/guilds/{guild}/auto-moderation/rules");
        let body = Payload::new(rule).into_plain()?;
        let route = Route::new(Method::POST, RULES, path, guild.get());
        self.execute(Call::new(route, lane).body(body).reason(reason)).await?;
        Ok(())
    }

    /// Changes a rule; fields left out stay as they are.
    pub async fn edit_auto_moderation_rule(
        &self,
        (guild, rule): (GuildId, u64),
        change: &Value,
        reason: Option<&str>,
        lane: Lane,
    ) -> Result<()> {
        let path = format!("/guilds/{guild}/auto-moderation/rules/{rule}");
        let body = Payload::new(change).into_plain()?;
        let route = Route::new(Method::PATCH, RULE, path, guild.get());
        self.execute(Call::new(route, lane).body(body).reason(reason)).await?;
        Ok(())
    }
}
