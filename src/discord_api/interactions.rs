//! Answers to interactions.
//!
//! Their routes are opened by the interaction's own token, so the bot token never goes with them.

use entity::id::MessageId;
use reqwest::Method;

use super::{
    DiscordApi, Lane, Result,
    body::Payload,
    call::Call,
    model::Message,
    route::{Route, encode},
    wire,
};

const ORIGINAL: &str = "/webhooks/{application}/{token}/messages/@original";
const FOLLOW_UP: &str = "/webhooks/{application}/{token}";

impl DiscordApi {
    /// The first answer. Never sent twice unless the first one surely did not arrive.
    pub async fn answer(&self, interaction: u64, token: &str, body: impl Into<Payload>) -> Result<()> {
        const TEMPLATE: &str = "/interactions/{interaction}/{token}/callback";
        let path = format!("/interactions/{interaction}/{}/callback", encode(token));
        let route = Route::of_interaction(Method::POST, TEMPLATE, path, interaction, token).without_bucket();
        let body = body.into().into_answer()?;
        self.execute(Call::new(route, Lane::Interaction).body(body)).await?;
        Ok(())
    }

    /// Changes the first answer, or gives a deferred one its content.
    pub async fn edit_original(&self, application: u64, token: &str, body: impl Into<Payload>) -> Result<()> {
        let body = body.into().into_message(None)?;
        let route = original(Method::PATCH, application, token);
        self.execute(Call::new(route, Lane::Interaction).body(body)).await?;
        Ok(())
    }

    /// The first answer as a message.
    pub async fn original(&self, application: u64, token: &str) -> Result<Message> {
        let route = original(Method::GET, application, token);
        let answer = self.execute(Call::new(route, Lane::Interaction)).await?;
        wire::message(&answer.body, None)
    }

    /// Takes the first answer away.
    pub async fn delete_original(&self, application: u64, token: &str) -> Result<()> {
        let route = original(Method::DELETE, application, token);
        self.execute(Call::new(route, Lane::Interaction)).await?;
        Ok(())
    }

    /// Adds another message to the interaction.
    pub async fn create_followup(&self, application: u64, token: &str, body: impl Into<Payload>) -> Result<MessageId> {
        let body = body.into().into_message(None)?;
        let path = format!("/webhooks/{application}/{}", encode(token));
        let route = Route::of_interaction(Method::POST, FOLLOW_UP, path, application, token);
        let answer = self.execute(Call::new(route, Lane::Interaction).body(body)).await?;
        Ok(wire::posted(&answer.body)?.0)
    }
}

fn original(method: Method, application: u64, token: &str) -> Route {
    let path = format!("/webhooks/{application}/{}/messages/@original", encode(token));
    Route::of_interaction(method, ORIGINAL, path, application, token)
}
