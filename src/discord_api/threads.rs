//! Calls about threads.

use entity::id::{ChannelId, MessageId};
use reqwest::Method;
use serde_json::json;

use super::{DiscordApi, Lane, Result, body::Payload, call::Call, route::Route, wire};

/// Longest name of a thread, in characters.
pub const THREAD_NAME_MAX: usize = 100;

const THREADS: &str = "/channels/{channel}/messages/{message}/threads";
const CHANNEL: &str = "/channels/{channel}";

impl DiscordApi {
    /// Starts a thread at a message, which has one at most; needs Create Public Threads. Its id is the message's.
    pub async fn start_thread(
        &self,
        channel: ChannelId,
        message: MessageId,
        name: &str,
        lane: Lane,
    ) -> Result<ChannelId> {
        let path = format!("/channels/{channel}/messages/{message}/threads");
        let name: String = name.chars().take(THREAD_NAME_MAX).collect();
        let body = Payload::from(json!({ "name": name })).into_plain()?;
        let route = Route::new(Method::POST, THREADS, path, channel.get());
        let answer = self.execute(Call::new(route, lane).body(body)).await?;
        wire::channel(&answer.body).map(|thread| thread.id)
    }

    /// Locks and archives a thread, or opens it again; needs Manage Threads.
    pub async fn close_thread(&self, thread: ChannelId, closed: bool, reason: Option<&str>, lane: Lane) -> Result<()> {
        let body = Payload::from(json!({ "archived": closed, "locked": closed })).into_plain()?;
        let route = Route::new(Method::PATCH, CHANNEL, format!("/channels/{thread}"), thread.get());
        self.execute(Call::new(route, lane).body(body).reason(reason)).await?;
        Ok(())
    }
}
