//! `/apikey`: keys for programs, issued, replaced, watched and ended from chat.
//!
//! Invariants: a key is minted only when the way to its owner works, opens nothing before it has arrived, and is
//! revoked when it did not; what somebody pastes is neither repeated nor kept.

mod argument;
mod card;
mod create;
mod deliver;
mod guard;
mod list;
mod log;
mod panic;
mod report;
mod revoke;
mod rotate;

pub(super) use guard::{Guard, row as guard_row, state as guard_state};

use entity::id::{ApiKeyId, GuildId};

use super::{
    Asked, CommandError, Context, Data,
    component::{self, Press},
};
use crate::domain::{Actor, Right, api_key};

/// The area of this feature's custom ids; notices that workers send use it too.
const AREA: &str = "apikey";

/// API keys: issue, list, rotate, revoke, watch
#[poise::command(
    slash_command,
    subcommand_required,
    install_context = "Guild",
    interaction_context = "Guild|BotDm",
    default_member_permissions = "ADMINISTRATOR",
    subcommands(
        "create::create",
        "list::list",
        "rotate::rotate",
        "revoke::revoke",
        "log::log",
        "report::report",
        "panic::panic"
    )
)]
#[expect(clippy::unused_async, reason = "the framework wants an async function")]
pub async fn apikey(_: Context<'_>) -> Result<(), CommandError> {
    Ok(())
}

/// Buttons, menus and forms of `/apikey`, and of what the bot says about keys in direct messages.
pub(super) async fn pressed(data: &Data, asked: &Asked, press: &Press<'_>) -> Result<(), CommandError> {
    match press.verb {
        "scopes" => create::chosen(data, asked, press).await,
        "link" => deliver::again(data, asked, press, deliver::Way::Link).await,
        "dm" => deliver::again(data, asked, press, deliver::Way::DirectMessage).await,
        "here" => deliver::again(data, asked, press, deliver::Way::Here).await,
        "cancel" => asked.answer(deliver::cancel(data, asked, press)).await,
        "saved" => asked.answer_beside(deliver::saved(data, asked, press)).await,
        "rotate" => asked.answer_beside(Box::pin(rotate::asked_for(data, asked, press))).await,
        "revoke" => asked.open(revoke::form(data, asked, press)).await,
        "revoked" => asked.answer_beside(revoke::submitted(data, asked, press)).await,
        "log" => asked.answer_beside(log::asked_for(data, asked, press)).await,
        "list" => asked.answer(list::turned(data, asked, press)).await,
        "key" => asked.answer_beside(list::chosen(data, asked, press)).await,
        "guard" => asked.answer_beside(guard::install(data, asked)).await,
        "panic" => asked.answer_beside(panic::submitted(data, asked, press)).await,
        _ => asked.answer_beside(async { Err(component::outdated()) }).await,
    }
}

/// Who asks, and which keys they see: those of the server, and in a direct message all, for bot admins.
async fn manager(data: &Data, asked: &Asked) -> Result<(Actor, Option<GuildId>), CommandError> {
    let actor = asked.actor_with_standing(data).await?;
    let guild = asked.member.as_ref().map(|member| member.guild_id);
    actor.require(Right::ManageKeys, guild)?;
    Ok((actor, guild))
}

/// Who asks about a key, which may be a guild's while they are in a direct message; and the key, if they may see it.
async fn about(data: &Data, asked: &Asked, id: ApiKeyId) -> Result<(Actor, api_key::KeyView), CommandError> {
    let guild = match &asked.member {
        Some(member) => Some(member.guild_id),
        None => api_key::guild_of(data.app.domain(), id).await?,
    };
    let actor = asked.actor_about(data, guild).await?;
    let view = api_key::key(data.app.domain(), &actor, id).await?;
    Ok((actor, view))
}
