//! `/forms panel`: a message with a button that begins an application.

use entity::id::ChannelId;
use serenity::all::{ButtonStyle, CreateButton, PartialChannel};

use super::argument;
use crate::{
    discord::{Asked, CommandError, Context, Data, Reply, apply, component::custom_id, settings::card, text},
    discord_api::{Lane, permission},
    domain::{
        Actor, Error,
        form::{self, FormRefusal, FormView, INTRO_MAX, PANELS_MAX},
    },
};

/// What the bot needs where it posts.
const NEEDS: u64 = permission::VIEW_CHANNEL | permission::SEND_MESSAGES | permission::EMBED_LINKS;

/// A message with a button that begins an application
#[poise::command(slash_command, subcommand_required, subcommands("post"))]
#[expect(clippy::unused_async, reason = "poise wants a future of every command")]
pub async fn panel(_ctx: Context<'_>) -> Result<(), CommandError> {
    Ok(())
}

/// Post a form's button into a channel
#[poise::command(slash_command)]
async fn post(
    ctx: Context<'_>,
    #[description = "Which form"]
    #[autocomplete = "argument::complete_form"]
    #[max_length = 45]
    form: String,
    #[description = "Where; else here"]
    #[channel_types("Text", "News")]
    channel: Option<PartialChannel>,
) -> Result<(), CommandError> {
    let (data, asked) = (ctx.data(), Asked::command(ctx.data(), ctx.interaction));
    let work = async {
        let (actor, form) = argument::named(data, &asked, &form).await?;
        let named = channel.as_ref().and_then(|channel| ChannelId::new(channel.id.get()));
        let channel = named.or(asked.channel_id).ok_or(CommandError::OnlyInServers)?;
        put(data, &asked, (&actor, &form), channel).await
    };
    asked.answer(Box::pin(work)).await
}

async fn put(
    data: &Data,
    asked: &Asked,
    (actor, form): (&Actor, &FormView),
    channel: ChannelId,
) -> Result<Reply, CommandError> {
    let lane = Lane::Interactive;
    let missing = data.api.missing_for_messages(form.guild_id, channel, NEEDS, lane).await?;
    if missing != 0 {
        return Err(CommandError::BotLacks { channel, missing: permission::permission_names(missing) });
    }
    make_room(data, (actor, form)).await?;
    // The interaction's id makes a repeated try post once.
    let nonce = asked.interaction_id().to_string();
    let posted = data.api.create_message(channel, message(form).into_message(), Some(&nonce), lane).await?;
    let place = (posted.channel_id, posted.message_id);
    form::note_panel(data.app.domain(), actor, (form.guild_id, form.id), place).await?;
    let link = text::message_link(form.guild_id, posted.channel_id, posted.message_id);
    let closed = if form.config.state == entity::form::FormState::Closed {
        format!("\n⚠️ The form is closed: {} opens it.", data.commands.mention("forms open"))
    } else {
        String::new()
    };
    Ok(Reply::text(format!("✅ Posted: {link}{closed}")))
}

/// The message of a panel.
fn message(form: &FormView) -> Reply {
    let intro = text::escape_lines(&form.config.intro, INTRO_MAX);
    let apply = CreateButton::new(custom_id(apply::AREA, "begin", &[&form.id.to_string()]));
    Reply::card(card::card(&form.config.title, card::BLUE, intro))
        .row(card::row(vec![apply.label("Apply").style(ButtonStyle::Primary)]))
}

/// Where there are as many panels as there may be, those whose message is gone are forgotten.
async fn make_room(data: &Data, (actor, form): (&Actor, &FormView)) -> Result<(), CommandError> {
    let (domain, place) = (data.app.domain(), (form.guild_id, form.id));
    let panels = form::panels(domain, actor, place).await?;
    let most = usize::try_from(PANELS_MAX).unwrap_or(usize::MAX);
    if panels.len() < most {
        return Ok(());
    }
    let mut left = panels.len();
    for panel in &panels {
        match data.api.message(panel.channel_id, panel.message_id, Lane::Interactive).await {
            Err(error) if error.is_gone() => {
                form::forget_panel(domain, actor, place, panel.message_id).await?;
                left -= 1;
            }
            Ok(_) => {}
            Err(error) if error.is_permission_loss() => {}
            Err(error) => return Err(error.into()),
        }
    }
    if left < most { Ok(()) } else { Err(Error::from(FormRefusal::TooManyPanels).into()) }
}
