//! Calls about messages of a channel.

use entity::id::{ChannelId, DiscordUserId, MessageId};
use reqwest::Method;
use serde_json::json;

use super::{
    DiscordApi, Lane, Result,
    body::Payload,
    call::Call,
    error::Error,
    model::{Message, Page, PostedMessage},
    route::Route,
    wire,
};

/// Most messages in one page.
pub const PAGE_MAX: u8 = 100;
/// Most messages in one bulk delete.
pub const BULK_DELETE_MAX: usize = 100;

const MESSAGES: &str = "/channels/{channel}/messages";
const MESSAGE: &str = "/channels/{channel}/messages/{message}";
const BULK_DELETE: &str = "/channels/{channel}/messages/bulk-delete";

/// The variant of the deletion route that counts messages over two weeks old.
const OLD_MESSAGE: u8 = 1;

impl DiscordApi {
    /// The oldest messages newer than `after` (from the channel's beginning without it), oldest first.
    /// `limit` is taken into 1 to 100.
    pub async fn messages_after(
        &self,
        channel: ChannelId,
        after: Option<MessageId>,
        limit: u8,
        lane: Lane,
    ) -> Result<Page> {
        let limit = limit.clamp(1, PAGE_MAX);
        // 1 is older than every message, and no stand-in can take it for "no id" as it could 0.
        let after = after.map_or(1, MessageId::get);
        let mut page = self.page(channel, limit, &format!("&after={after}"), lane).await?;
        page.messages.sort_unstable_by_key(|message| message.id);
        page.unreadable.sort_unstable();
        Ok(page)
    }

    /// The newest messages older than `before` (the channel's newest without it), newest first.
    /// `limit` is taken into 1 to 100.
    pub async fn messages_before(
        &self,
        channel: ChannelId,
        before: Option<MessageId>,
        limit: u8,
        lane: Lane,
    ) -> Result<Page> {
        let limit = limit.clamp(1, PAGE_MAX);
        let before = before.map_or_else(String::new, |before| format!("&before={before}"));
        let mut page = self.page(channel, limit, &before, lane).await?;
        page.messages.sort_unstable_by_key(|message| std::cmp::Reverse(message.id));
        page.unreadable.sort_unstable_by(|one, other| other.cmp(one));
        Ok(page)
    }

    async fn page(&self, channel: ChannelId, limit: u8, rest: &str, lane: Lane) -> Result<Page> {
        let path = format!("/channels/{channel}/messages?limit={limit}{rest}");
        let route = Route::new(Method::GET, MESSAGES, path, channel.get());
        let answer = self.execute(Call::new(route, lane)).await?;
        let mut page = wire::page(&answer.body, channel, limit)?;
        page.server_time = answer.server_time;
        Ok(page)
    }

    /// One message as it is now.
    pub async fn message(&self, channel: ChannelId, id: MessageId, lane: Lane) -> Result<Message> {
        let answer = self.execute(Call::new(message_route(Method::GET, channel, id), lane)).await?;
        wire::message(&answer.body, Some(channel))
    }

    /// Deletes 2 to 100 different messages, none older than two weeks; those already gone do no harm.
    pub async fn bulk_delete(
        &self,
        channel: ChannelId,
        ids: &[MessageId],
        reason: Option<&str>,
        lane: Lane,
    ) -> Result<()> {
        let mut sorted = ids.to_vec();
        sorted.sort_unstable();
        sorted.dedup();
        if sorted.len() != ids.len() || !(2..=BULK_DELETE_MAX).contains(&ids.len()) {
            return Err(Error::Invalid { reason: "a bulk delete takes 2 to 100 different messages" });
        }
        let path = format!("/channels/{channel}/messages/bulk-delete");
        let route = Route::new(Method::POST, BULK_DELETE, path, channel.get());
        let body = Payload::from(json!({ "messages": ids })).into_plain()?;
        self.execute(Call::new(route, lane).body(body).reason(reason).repeatable()).await?;
        Ok(())
    }

    /// Deletes one message. `is_old` (over two weeks) only picks the bucket: Discord counts those apart.
    pub async fn delete_message(
        &self,
        channel: ChannelId,
        id: MessageId,
        is_old: bool,
        reason: Option<&str>,
        lane: Lane,
    ) -> Result<()> {
        let variant = if is_old { OLD_MESSAGE } else { 0 };
        let route = message_route(Method::DELETE, channel, id).variant(variant);
        self.execute(Call::new(route, lane).reason(reason)).await?;
        Ok(())
    }

    /// Posts a message. With a nonce (1 to 25 characters) Discord drops a second copy for some minutes, so that the
    /// call is tried again after a broken connection; without one it is not.
    pub async fn create_message(
        &self,
        channel: ChannelId,
        body: impl Into<Payload>,
        nonce: Option<&str>,
        lane: Lane,
    ) -> Result<PostedMessage> {
        let route = Route::new(Method::POST, MESSAGES, format!("/channels/{channel}/messages"), channel.get());
        let body = body.into().into_message(nonce)?;
        let call = Call::new(route, lane).body(body);
        let call = if nonce.is_some() { call.repeatable() } else { call };
        let answer = self.execute(call).await?;
        let (message_id, channel_id) = wire::posted(&answer.body)?;
        Ok(PostedMessage { message_id, channel_id: channel_id.unwrap_or(channel) })
    }

    /// Changes a message of the bot's own; fields left out stay as they are.
    pub async fn edit_message(
        &self,
        channel: ChannelId,
        id: MessageId,
        body: impl Into<Payload>,
        lane: Lane,
    ) -> Result<()> {
        let body = body.into().into_message(None)?;
        self.execute(Call::new(message_route(Method::PATCH, channel, id), lane).body(body)).await?;
        Ok(())
    }

    /// Opens the direct channel with a person; whether it takes messages shows only on sending.
    pub async fn create_dm(&self, user: DiscordUserId, lane: Lane) -> Result<ChannelId> {
        let route = Route::new(Method::POST, "/users/@me/channels", "/users/@me/channels".into(), 0);
        let body = Payload::from(json!({ "recipient_id": user })).into_plain()?;
        // Opening a channel that is open gives the same one.
        let answer = self.execute(Call::new(route, lane).body(body).repeatable()).await?;
        wire::channel(&answer.body).map(|channel| channel.id)
    }
}

fn message_route(method: Method, channel: ChannelId, id: MessageId) -> Route {
    Route::new(method, MESSAGE, format!("/channels/{channel}/messages/{id}"), channel.get())
}
