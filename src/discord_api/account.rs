//! Calls about the bot itself.

use reqwest::Method;

use super::{
    DiscordApi, Lane, Result,
    body::Payload,
    call::Call,
    model::{ApplicationInfo, RegisteredCommand, UserInfo},
    route::Route,
    wire,
};

impl DiscordApi {
    /// The bot's account.
    pub async fn current_user(&self, lane: Lane) -> Result<UserInfo> {
        let route = Route::new(Method::GET, "/users/@me", "/users/@me".into(), 0);
        let answer = self.execute(Call::new(route, lane)).await?;
        wire::user(&answer.body)
    }

    /// The bot's application.
    pub async fn current_application(&self, lane: Lane) -> Result<ApplicationInfo> {
        let route = Route::new(Method::GET, "/applications/@me", "/applications/@me".into(), 0);
        let answer = self.execute(Call::new(route, lane)).await?;
        wire::application(&answer.body)
    }

    /// Replaces all global commands by these (a JSON array) and returns them as registered.
    pub async fn bulk_overwrite_global_commands(
        &self,
        application: u64,
        commands: &serde_json::Value,
        lane: Lane,
    ) -> Result<Vec<RegisteredCommand>> {
        let path = format!("/applications/{application}/commands");
        let route = Route::new(Method::PUT, "/applications/{application}/commands", path, application);
        let body = Payload::new(commands).into_plain()?;
        let answer = self.execute(Call::new(route, lane).body(body)).await?;
        wire::commands(&answer.body)
    }
}
