//! `/vanish run`: sweep now.

use entity::id::{ChannelId, GuildId};
use serenity::all::{ButtonStyle, CreateActionRow, CreateEmbed, PartialChannel};

use super::{argument, card, confirm_row, peek, propose, show_button, take, tally};
use crate::{
    discord::{Asked, CommandError, Context, Data, Reply, component::Press, text},
    discord_api::Lane,
    domain::{Actor, vanish},
};

/// Sweep a channel now; first only counts
#[poise::command(slash_command, guild_only)]
pub async fn run(
    ctx: Context<'_>,
    #[description = "The channel; else this one"]
    #[channel_types("Text", "News", "Voice", "Stage", "Forum")]
    channel: Option<PartialChannel>,
    #[description = "Only count what would go (true)"] dry_run: Option<bool>,
) -> Result<(), CommandError> {
    let asked = Asked::command(ctx.data(), ctx.interaction);
    let work = async {
        let (actor, guild, channel) = argument::channel(ctx, &asked, channel.as_ref()).await?;
        count_and_ask(ctx.data(), &asked, &actor, (guild, channel), dry_run.unwrap_or(true)).await
    };
    asked.answer(work).await
}

/// [Run now] of `show`: counts first.
pub(super) async fn asked_again(data: &Data, asked: &Asked, press: &Press<'_>) -> Result<Reply, CommandError> {
    let channel = press.argument(0)?;
    let (actor, guild) = asked.actor_in(channel).await?;
    count_and_ask(data, asked, &actor, (guild, channel), false).await
}

async fn count_and_ask(
    data: &Data,
    asked: &Asked,
    actor: &Actor,
    (guild, channel): (GuildId, ChannelId),
    dry_run: bool,
) -> Result<Reply, CommandError> {
    let domain = data.app.domain();
    let prospect = vanish::run_prospect(domain, actor, guild, channel).await?;
    let is_forum = data.api.channel(channel, Lane::Interactive).await?.kind.is_forum();
    let mut budget = domain.limits().preview_messages_max;
    let mut tally = tally::count(data, (guild, channel), is_forum, prospect.at_once, &mut budget).await?;
    tally.more |= prospect.more_places;
    let title = if dry_run { "Dry run – nothing was deleted" } else { "Sweep now? Nothing was deleted yet" };
    let card = CreateEmbed::new().title(title).colour(card::YELLOW).description(format!(
        "{}: old enough now\n{}",
        text::channel(channel),
        tally.lines(domain.limits().old_deletes_per_second)
    ));
    if tally.due() == 0 && !tally.more {
        return Ok(Reply::card(card).row(CreateActionRow::Buttons(vec![show_button(channel)])));
    }
    let id = propose(data, asked, "vanish.run", &channel).await?;
    Ok(Reply::card(card).row(confirm_row("run", id, "Run now", ButtonStyle::Danger)))
}

/// [Run now], confirmed.
pub(super) async fn apply(data: &Data, asked: &Asked, press: &Press<'_>) -> Result<Reply, CommandError> {
    let channel: ChannelId = peek(data, asked, press).await?;
    let (actor, guild) = asked.actor_in(channel).await?;
    take(data, asked, press).await?;
    vanish::run_now(data.app.domain(), &actor, guild, channel).await?;
    let text = format!("🧹 Sweeping {} now.", text::channel(channel));
    Ok(Reply::text(text).row(CreateActionRow::Buttons(vec![show_button(channel)])))
}
