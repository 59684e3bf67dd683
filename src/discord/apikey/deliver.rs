//! How a key reaches its owner: by a link that works once, in a direct message that goes again, or in the answer.
//!
//! Invariant: the notice goes first, then the key is minted, then it is sent; it opens something only after that, and
//! is revoked when a step fails.

use std::sync::{Mutex, PoisonError};

use entity::id::{ApiKeyClaimId, ApiKeyId, ChannelId, DirectMessageId};
use futures_util::future::BoxFuture;
use serde_json::{Value, json};
use serenity::all::{ButtonStyle, CreateActionRow, CreateButton};

use super::card::button;
use crate::{
    discord::{Asked, CommandError, Data, Reply, component::Press, text},
    discord_api::{self, Lane, custom_id},
    domain::{
        Actor,
        api_key::{self, IssuedKey, Wanted},
        direct_message,
    },
};

/// Characters of the word that tells the two messages of one interaction apart, in their nonces.
const NOTICE: &str = "n";
const SECRET: &str = "s";

/// The way that a key takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// A link to a page that shows it once.
    Link,
    /// Two direct messages, of which the second holds it and goes again.
    DirectMessage,
    /// The answer, which only its reader sees.
    Here,
}

impl Way {
    /// As custom ids spell it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Link => "link",
            Self::DirectMessage => "dm",
            Self::Here => "here",
        }
    }

    /// The way that a custom id spells.
    pub fn of_name(name: &str) -> Option<Self> {
        [Self::Link, Self::DirectMessage, Self::Here].into_iter().find(|way| way.name() == name)
    }
}

/// The way that is taken unless somebody chooses another: a link where there are links, else a direct message, which
/// in a direct message is the answer itself.
pub fn usual(data: &Data, asked: &Asked) -> Way {
    match (data.app.http().public_url.is_some(), asked.member.is_some()) {
        (true, _) => Way::Link,
        (false, true) => Way::DirectMessage,
        (false, false) => Way::Here,
    }
}

/// Who presses a button of an order, with their rights where its key will work.
pub async fn owner(data: &Data, asked: &Asked, order: ApiKeyClaimId) -> Result<Actor, CommandError> {
    let view = api_key::view_order(data.app.domain(), &asked.actor().await?, order).await?;
    asked.actor_about(data, view.guild_id).await
}

/// Hands a key over as soon as its order is there.
pub async fn deliver(
    data: &Data,
    asked: &Asked,
    order: BoxFuture<'_, Result<(ApiKeyClaimId, Way), CommandError>>,
) -> Result<(), CommandError> {
    // What was minted for an answer is good only once that answer has arrived.
    let shown: Mutex<Option<(ApiKeyClaimId, ApiKeyId)>> = Mutex::new(None);
    // On the heap: it holds many calls.
    let work = Box::pin(async {
        let (order, way) = order.await?;
        let actor = owner(data, asked, order).await?;
        match way {
            Way::Link => link(data, &actor, order).await,
            Way::DirectMessage => by_direct_message(data, asked, &actor, order).await,
            Way::Here => {
                let issued = api_key::fill_order(data.app.domain(), &actor, order).await?;
                *shown.lock().unwrap_or_else(PoisonError::into_inner) = Some((order, issued.row.id));
                Ok(here(&issued))
            }
        }
    });
    let answered = asked.answer(work).await;
    let Some((order, key)) = shown.into_inner().unwrap_or_else(PoisonError::into_inner) else { return answered };
    if let Err(error) = answered {
        api_key::reopen_order(data.app.domain(), order, key).await?;
        // It may have arrived all the same: whoever sees it is told, if they can be.
        let said = "Discord did not confirm that answer, so that the key in it is revoked. Take another one:";
        if asked.change(Reply::text(said).row(ways(data, order, false))).await.is_err() {
            tracing::debug!("an answer that was lost could not be changed either");
        }
        return Err(error);
    }
    match api_key::activate_delivered(data.app.domain(), key).await {
        Ok(_) => Ok(()),
        Err(error) => {
            tracing::warn!(error = &error as &dyn std::error::Error, "a key that was shown could not be switched on");
            asked
                .change(Reply::text("That key could not be switched on and is revoked. Please ask for another one."))
                .await
        }
    }
}

/// Another way was chosen for an order.
pub async fn again(data: &Data, asked: &Asked, press: &Press<'_>, way: Way) -> Result<(), CommandError> {
    let order = async { Ok((press.argument(0)?, way)) };
    deliver(data, asked, Box::pin(order)).await
}

/// Nobody wants the key any more.
pub async fn cancel(data: &Data, asked: &Asked, press: &Press<'_>) -> Result<Reply, CommandError> {
    api_key::cancel_order(data.app.domain(), &asked.actor().await?, press.argument(0)?).await?;
    Ok(Reply::text("Cancelled. No key was made."))
}

/// The button that ends an order.
pub fn cancel_button(order: ApiKeyClaimId) -> CreateButton {
    button("cancel", &[&order.to_string()], "Cancel", ButtonStyle::Secondary)
}

/// The ways that are open to an order, as buttons.
pub fn ways(data: &Data, order: ApiKeyClaimId, with_direct_message: bool) -> CreateActionRow {
    let id = order.to_string();
    let mut buttons = Vec::new();
    if data.app.http().public_url.is_some() {
        buttons.push(button("link", &[&id], "Get a link", ButtonStyle::Primary));
    }
    if with_direct_message {
        buttons.push(button("dm", &[&id], "Send it to me", ButtonStyle::Secondary));
    }
    buttons.push(button("here", &[&id], "Show it here", ButtonStyle::Secondary));
    buttons.push(cancel_button(order));
    CreateActionRow::Buttons(buttons)
}

async fn link(data: &Data, actor: &Actor, order: ApiKeyClaimId) -> Result<Reply, CommandError> {
    let Some(address) = &data.app.http().public_url else { return Err(super::create::no_links()) };
    let link = api_key::link_order(data.app.domain(), actor, order).await?;
    let address = format!("{address}/claim/{}", link.token.expose());
    Ok(Reply::text(format!(
        "🔑 Your key waits behind the link, which works once and ends {}. The page asks for this code:\n# {}\n\
         The key is made when you enter it, and shown once. Nobody who has only one of the two can get it.",
        text::relative(link.expires_at),
        link.code
    ))
    .row(CreateActionRow::Buttons(vec![CreateButton::new_link(address).label("Open the link"), cancel_button(order)])))
}

/// The key itself, for its reader alone.
fn here(issued: &IssuedKey) -> Reply {
    let row = &issued.row;
    let end = row.expires_at.map(|at| format!(" It expires {}.", text::relative(at))).unwrap_or_default();
    let id = row.id.to_string();
    Reply::text(format!(
        "🔑 **{}** – shown this once, to you alone. Copy it, then dismiss this message.\n```\n{}\n```\n\
         Programs send it as the header `X-API-Key`.{end}",
        text::escape(&row.name, 60),
        issued.secret.expose()
    ))
    .row(CreateActionRow::Buttons(vec![button("revoke", &[&id], "Revoke…", ButtonStyle::Danger)]))
}

/// Two messages: the first proves that the way works, the second holds the key and nothing else.
async fn by_direct_message(
    data: &Data,
    asked: &Asked,
    actor: &Actor,
    order: ApiKeyClaimId,
) -> Result<Reply, CommandError> {
    let (domain, user) = (data.app.domain(), asked.user()?);
    let wanted = api_key::view_order(domain, actor, order).await?.wanted;
    let channel = match announce(data, asked, &wanted).await {
        Ok(channel) => channel,
        Err(error) => return closed(data, asked, order, error).await,
    };
    let issued = api_key::fill_order(domain, actor, order).await?;
    let key = issued.row.id;
    let message = direct_message::expect_secret(domain, user, channel, key).await?;
    match send_secret(data, asked, (channel, message), &issued).await {
        Ok(()) => {}
        Err(error) => {
            api_key::reopen_order(domain, order, key).await?;
            return closed(data, asked, order, error).await;
        }
    }
    Ok(Reply::text(format!(
        "📬 The key is in our [direct messages](https://discord.com/channels/@me/{channel}). I delete that message \
         when you press **I saved it**, or in 15 minutes."
    )))
}

/// Says what comes next; fails where the person takes no messages.
async fn announce(data: &Data, asked: &Asked, wanted: &Wanted) -> Result<ChannelId, discord_api::Error> {
    let channel =
        data.api.create_dm(asked.user_id.ok_or(discord_api::Error::CannotSendToUser)?, Lane::Interactive).await?;
    let what = match wanted {
        Wanted::Key(new) => format!("the new API key **{}**", text::escape(&new.name, 60)),
        Wanted::Rotation { .. } => "the API key that replaces your old one".to_owned(),
    };
    let content = format!(
        "🔑 You asked for {what}. It comes in the next message, alone, so that it is easy to copy. Whoever has it can \
         do what it may: save it where secrets belong. I delete that message when you say that you saved it, or in 15 \
         minutes."
    );
    let body = json!({ "content": content, "allowed_mentions": { "parse": [] } });
    let nonce = format!("{NOTICE}{}", asked.interaction_id());
    data.api.create_message(channel, body, Some(&nonce), Lane::Interactive).await?;
    Ok(channel)
}

async fn send_secret(
    data: &Data,
    asked: &Asked,
    (channel, message): (ChannelId, DirectMessageId),
    issued: &IssuedKey,
) -> Result<(), CommandError> {
    let body = secret_body(message, issued);
    let nonce = format!("{SECRET}{}", asked.interaction_id());
    let posted = data.api.create_message(channel, body, Some(&nonce), Lane::Interactive).await?;
    direct_message::secret_sent(data.app.domain(), message, posted.message_id).await?;
    api_key::activate_delivered(data.app.domain(), issued.row.id).await?;
    Ok(())
}

fn secret_body(message: DirectMessageId, issued: &IssuedKey) -> Value {
    let secret = issued.secret.expose();
    // Only keys of other systems can hold what Discord would take for formatting.
    let content = if secret.contains("__") { format!("`{secret}`") } else { secret.to_owned() };
    let key = issued.row.id.to_string();
    let button =
        |style: u8, label: &str, id: String| json!({ "type": 2, "style": style, "label": label, "custom_id": id });
    json!({
        "content": content,
        "components": [{ "type": 1, "components": [
            button(3, "I saved it", custom_id(super::AREA, "saved", &[&message.to_string()])),
            button(4, "Revoke…", custom_id(super::AREA, "revoke", &[&key])),
        ] }],
        "allowed_mentions": { "parse": [] },
    })
}

/// Offers the other ways where direct messages are closed, or failed half-way.
async fn closed(
    data: &Data,
    asked: &Asked,
    order: ApiKeyClaimId,
    error: impl Into<CommandError>,
) -> Result<Reply, CommandError> {
    let error = error.into();
    let said = match &error {
        CommandError::Discord(discord_api::Error::CannotSendToUser) => {
            direct_message::closed_to_secrets(data.app.domain(), asked.user()?).await?;
            "I cannot send you direct messages: they are closed for this server"
        }
        CommandError::Discord(error) => {
            tracing::warn!(error = error as &dyn std::error::Error, "a key could not be sent");
            "The direct message did not arrive"
        }
        _ => return Err(error),
    };
    let text = format!("📪 {said}. No key is in the world because of it. Take it by another way:\n-# E-DM");
    Ok(Reply::text(text).row(ways(data, order, false)))
}

/// [I saved it]: the message with the key goes.
pub async fn saved(data: &Data, asked: &Asked, press: &Press<'_>) -> Result<Reply, CommandError> {
    let place = direct_message::take_back(data.app.domain(), asked.user()?, press.argument(0)?).await?;
    // Should this fail, the worker does it.
    if let Some((channel, message)) = place
        && let Err(error) = data.api.delete_message(channel, message, false, None, Lane::Interactive).await
        && !error.is_gone()
    {
        tracing::warn!(error = &error as &dyn std::error::Error, "a message with a key stays for now");
    }
    Ok(Reply::text("✅ The message with the key is gone. `/apikey list` in your server shows what it is used for."))
}
