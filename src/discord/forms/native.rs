//! `/forms link-native`: Discord's own join requests as applications of a form.

use super::argument;
use crate::{
    discord::{Asked, CommandError, Context, Data, Reply, join_requests, settings::card, text},
    discord_api::{Lane, permission},
    domain::form,
};

/// Whether they come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, poise::ChoiceParameter)]
enum Switch {
    /// They do.
    #[name = "on"]
    On,
    /// They do not.
    #[name = "off"]
    Off,
}

/// Let Discord's own join requests be voted on as applications of a form
#[poise::command(slash_command, rename = "link-native")]
pub async fn link_native(
    ctx: Context<'_>,
    #[description = "on or off"] state: Switch,
    #[description = "As applications of which form"]
    #[autocomplete = "argument::complete_form"]
    #[max_length = 45]
    form: String,
) -> Result<(), CommandError> {
    let (data, asked) = (ctx.data(), Asked::command(ctx.data(), ctx.interaction));
    asked.answer(Box::pin(switch(data, &asked, state, &form))).await
}

async fn switch(data: &Data, asked: &Asked, state: Switch, name: &str) -> Result<Reply, CommandError> {
    let (actor, form) = argument::named(data, asked, name).await?;
    let (domain, place, title) = (data.app.domain(), (form.guild_id, form.id), text::escape(&form.config.title, 45));
    if state == Switch::Off {
        let was_on = form::link_native(domain, &actor, place, false).await?;
        let said = if was_on {
            format!("Join requests do not come in as applications of **{title}** any more. Open votes go on.")
        } else {
            format!("Join requests do not come in as applications of **{title}** as it is.")
        };
        return Ok(Reply::text(said));
    }
    let rights = data.api.own_server_permissions(form.guild_id, Lane::Interactive).await?;
    let missing = permission::missing(rights, permission::KICK_MEMBERS);
    if missing != 0 {
        return Err(CommandError::BotLacksInServer { missing: permission::permission_names(missing) });
    }
    form::link_native(domain, &actor, place, true).await?;
    let waiting = join_requests::read_waiting(domain, &data.api, form.guild_id).await?;
    let slot = data.commands.mention("settings slot set");
    let said = format!(
        "🔗 Whoever asks to join this server is now voted on as an applicant of **{title}**, in the slot `applications` \
         ({slot}). The result goes back to Discord; what a moderator decides in Discord's own list closes the vote.\n{}.",
        card::count(waiting, "request waits", "requests wait")
    );
    Ok(Reply::text(said))
}
