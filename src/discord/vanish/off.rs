//! `/vanish off`: a channel's messages stay from now on.

use entity::id::ChannelId;
use serenity::all::{ButtonStyle, CreateEmbed, PartialChannel};

use super::{argument, card, confirm_row, peek, propose, take};
use crate::{
    discord::{Asked, CommandError, Context, Data, Reply, component::Press, text},
    domain::{
        Right,
        vanish::{self, VanishRefusal},
    },
};

/// Take a channel's rule away: its messages stay
#[poise::command(slash_command, guild_only)]
pub async fn off(
    ctx: Context<'_>,
    #[description = "The channel; else this one"]
    #[channel_types("Text", "News", "Voice", "Stage", "Forum")]
    channel: Option<PartialChannel>,
) -> Result<(), CommandError> {
    let (data, asked) = (ctx.data(), Asked::command(ctx.data(), ctx.interaction));
    let work = async {
        let (actor, guild, channel) = argument::channel(ctx, &asked, channel.as_ref()).await?;
        actor.require(Right::ManageVanish(channel), Some(guild))?;
        let view = vanish::view(data.app.domain(), &actor, guild, channel).await?;
        let rule = view.rule.ok_or(VanishRefusal::NoRule).map_err(crate::domain::Error::from)?;
        let threads = view.places.iter().filter(|place| place.place_id != channel).count();
        let mut lines = vec![
            format!("{}\n• Messages that are there now, and new ones, stay", text::channel(channel)),
            format!("• **{}** messages were deleted so far; the count is forgotten", rule.messages_deleted),
        ];
        if threads > 0 {
            lines.push(format!("• **{threads}** threads are under the rule, too"));
        }
        let armed = view.places.iter().any(|place| place.backlog_due_at.is_some());
        if armed {
            lines.push("• Messages from before the rule that still wait to vanish stay as well".to_owned());
        }
        let card = CreateEmbed::new()
            .title("Turn vanishing off here?")
            .description(text::lines(lines, card::FIELD_MAX))
            .colour(card::YELLOW);
        let id = propose(data, &asked, "vanish.off", &channel).await?;
        Ok(Reply::card(card).row(confirm_row("off", id, "Turn off", ButtonStyle::Danger)))
    };
    asked.answer(work).await
}

/// [Turn off].
pub(super) async fn apply(data: &Data, asked: &Asked, press: &Press<'_>) -> Result<Reply, CommandError> {
    let channel: ChannelId = peek(data, asked, press).await?;
    let (actor, _) = asked.actor_in(channel).await?;
    take(data, asked, press).await?;
    let text = if vanish::remove(data.app.domain(), &actor, channel).await? {
        format!("Turned off: messages of {} stay. {} starts again.", text::channel(channel), set_mention(data))
    } else {
        format!("{} had no rule any more.", text::channel(channel))
    };
    Ok(Reply::text(text))
}

pub(super) fn set_mention(data: &Data) -> String {
    data.commands.mention("vanish set")
}
