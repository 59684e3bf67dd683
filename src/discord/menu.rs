//! Menus on a message: keep it, or let it vanish at a time of its own.

use entity::id::{ChannelId, DiscordUserId, GuildId, MessageId};
use serenity::all::{
    self as serenity, CreateActionRow, CreateSelectMenu, CreateSelectMenuKind, CreateSelectMenuOption,
};

use super::{
    Asked, CommandError, Context, Data, Reply,
    component::{self, Press, custom_id},
    text,
};
use crate::{
    discord_api::{Lane, permission},
    domain::{Error, duration, vanish},
};

/// The area of these menus' custom ids.
const AREA: &str = "menu";
/// Lifetimes that are offered, in seconds: 10 minutes, an hour, a day, a week.
const OFFERED: [i64; 4] = [600, 3_600, 86_400, 604_800];
/// The choice that takes a message's time away again.
const NEVER: &str = "never";

/// Keep a message whatever the channel's rule says, or release it
#[poise::command(context_menu_command = "Keep message", guild_only, install_context = "Guild")]
pub async fn keep_message(ctx: Context<'_>, message: serenity::Message) -> Result<(), CommandError> {
    let (data, asked) = (ctx.data(), Asked::command(ctx.data(), ctx.interaction));
    let work = async {
        let (guild, channel, message_id) = ids(&asked, &message)?;
        let kept = vanish::keep_message(data.app.domain(), &asked.actor().await?, guild, channel, message_id).await?;
        let what = format!(
            "[this message]({}) of {}",
            text::message_link(guild, channel, message_id),
            DiscordUserId::new(message.author.id.get()).map_or_else(|| "somebody".to_owned(), text::user)
        );
        Ok(Reply::text(if kept {
            format!("📌 You keep {what}: it stays whatever the channel's rule says. Use the menu again to release it.")
        } else {
            format!("Released: {what} vanishes by the channel's rule again.")
        }))
    };
    asked.answer(work).await
}

/// Let a message vanish at a time of its own
#[poise::command(context_menu_command = "Vanish in…", guild_only, install_context = "Guild")]
pub async fn vanish_in(ctx: Context<'_>, message: serenity::Message) -> Result<(), CommandError> {
    let (data, asked) = (ctx.data(), Asked::command(ctx.data(), ctx.interaction));
    let work = async {
        let (guild, channel, message_id) = ids(&asked, &message)?;
        let author = message.webhook_id.is_none().then(|| DiscordUserId::new(message.author.id.get())).flatten();
        vanish::may_time(&asked.actor().await?, guild, channel, author).map_err(Error::from)?;
        check_bot(data, &asked, channel, author)?;
        let timed_until = vanish::timed_until(data.app.domain(), message_id).await?;
        let mut options = OFFERED.map(offer).to_vec();
        let mut question =
            format!("When should [this message]({}) vanish?", text::message_link(guild, channel, message_id));
        if let Some(due_at) = timed_until {
            options.push(CreateSelectMenuOption::new("at no time of its own", NEVER));
            question = format!("{question} It vanishes {} so far.", text::relative(due_at));
        }
        let id = custom_id(AREA, "vanish", &[&channel.to_string(), &message_id.to_string()]);
        let menu =
            CreateSelectMenu::new(id, CreateSelectMenuKind::String { options }).placeholder("When should it vanish?");
        Ok(Reply::text(question).row(CreateActionRow::SelectMenu(menu)))
    };
    asked.answer(work).await
}

fn offer(seconds: i64) -> CreateSelectMenuOption {
    CreateSelectMenuOption::new(format!("in {}", duration::format(seconds)), seconds.to_string())
}

/// A choice in a menu of this area.
pub async fn chosen(data: &Data, asked: &Asked, press: &Press<'_>) -> Result<(), CommandError> {
    match press.verb {
        "vanish" => asked.answer(time(data, asked, press)).await,
        _ => asked.answer_beside(async { Err(component::outdated()) }).await,
    }
}

async fn time(data: &Data, asked: &Asked, press: &Press<'_>) -> Result<Reply, CommandError> {
    let (channel, message_id): (ChannelId, MessageId) = (press.argument(0)?, press.argument(1)?);
    let choice = press.values.first().ok_or_else(component::outdated)?;
    let guild = asked.member()?.guild_id;
    // Read anew: it may be gone, and it tells the author for certain.
    let message = data.api.message(channel, message_id, Lane::Interactive).await?;
    if message.is_undeletable() {
        return Err(CommandError::Input {
            problem: "Discord lets nobody delete a message of this kind".to_owned(),
            example: "Vanish in… on a message that somebody wrote",
        });
    }
    let author = message.author_id.filter(|_| message.webhook_id.is_none());
    let (ids, actor, domain) = ((guild, channel, message_id), asked.actor().await?, data.app.domain());
    let link = text::message_link(guild, channel, message_id);
    if *choice == NEVER {
        vanish::untime_message(domain, &actor, ids, author).await?;
        return Ok(Reply::text(format!("[This message]({link}) has no time of its own any more.")));
    }
    check_bot(data, asked, channel, author)?;
    let seconds = choice.parse().map_err(|_| component::outdated())?;
    let due_at = vanish::time_message(domain, &actor, ids, author, seconds).await?;
    Ok(Reply::text(format!(
        "⏳ [This message]({link}) vanishes {} ({}), or sooner if the channel's rule says so. Use the menu again to \
         change that.",
        text::relative(due_at),
        text::absolute(due_at)
    )))
}

fn ids(asked: &Asked, message: &serenity::Message) -> Result<(GuildId, ChannelId, MessageId), CommandError> {
    let guild = asked.member()?.guild_id;
    let ids = ChannelId::new(message.channel_id.get()).zip(MessageId::new(message.id.get()));
    ids.map(|(channel, message)| (guild, channel, message)).ok_or_else(component::outdated)
}

/// The bot needs Manage Messages for everything but its own messages, and in a voice chat Connect.
fn check_bot(
    data: &Data,
    asked: &Asked,
    channel: ChannelId,
    author: Option<DiscordUserId>,
) -> Result<(), CommandError> {
    let own = author.is_some_and(|author| author.get() == data.application_id);
    let connect = if asked.in_voice_chat { permission::CONNECT } else { 0 };
    let needed = if own { connect } else { connect | permission::MANAGE_MESSAGES };
    let missing = permission::missing(asked.app_permissions, needed);
    if missing == 0 || asked.app_permissions & permission::ADMINISTRATOR != 0 {
        return Ok(());
    }
    Err(CommandError::BotLacks { channel, missing: permission::permission_names(missing) })
}
