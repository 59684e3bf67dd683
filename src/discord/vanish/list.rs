//! `/vanish list`: all rules of the server, ten to a page.

use entity::vanish_rule;
use serenity::all::{ButtonStyle, CreateActionRow, CreateEmbed, CreateEmbedFooter};

use super::{button, card, off::set_mention};
use crate::{
    discord::{Asked, CommandError, Context, Data, Reply, component::Press, text},
    domain::{duration, vanish},
};

/// Rules on one page.
const PAGE: usize = 10;

/// List the channels whose messages vanish
#[poise::command(slash_command, guild_only)]
pub async fn list(ctx: Context<'_>) -> Result<(), CommandError> {
    let asked = Asked::command(ctx.data(), ctx.interaction);
    asked.answer(page(ctx.data(), &asked, 0)).await
}

/// ◀ and ▶.
pub(super) async fn turned(data: &Data, asked: &Asked, press: &Press<'_>) -> Result<Reply, CommandError> {
    page(data, asked, press.argument(0)?).await
}

async fn page(data: &Data, asked: &Asked, wanted: usize) -> Result<Reply, CommandError> {
    let (actor, guild) = (asked.actor().await?, asked.member()?.guild_id);
    let rules = vanish::rules(data.app.domain(), &actor, Some(guild), None).await?.rows;
    if rules.is_empty() {
        let text = format!("No channel vanishes yet. {} makes one vanish.", set_mention(data));
        return Ok(Reply::text(text));
    }
    let default_after = vanish::defaults(data.app.domain(), &actor, guild).await?.after_seconds;
    let pages = rules.len().div_ceil(PAGE);
    // Rules may have gone since the page was shown.
    let page = wanted.min(pages - 1);
    let channels = if rules.len() == 1 { "1 channel".to_owned() } else { format!("{} channels", rules.len()) };
    let lines = rules.iter().skip(page * PAGE).take(PAGE).map(|rule| line(rule, default_after));
    let card = CreateEmbed::new()
        .title("Vanishing channels")
        .description(text::lines(lines, 4_000))
        .colour(card::GREY)
        .footer(CreateEmbedFooter::new(format!("page {}/{pages} · {channels}", page + 1)));
    let reply = Reply::card(card);
    if pages == 1 {
        return Ok(reply);
    }
    Ok(reply.row(CreateActionRow::Buttons(vec![
        button("list", page.saturating_sub(1), "◀", ButtonStyle::Secondary).disabled(page == 0),
        button("list", page + 1, "▶", ButtonStyle::Secondary).disabled(page + 1 == pages),
    ])))
}

fn line(rule: &vanish_rule::Model, default_after: Option<i64>) -> String {
    let (_, health) = card::health(rule, rule.after_seconds.or(default_after).is_some());
    let after = match (rule.after_seconds, default_after) {
        (Some(seconds), _) => duration::format(seconds),
        (None, Some(seconds)) => format!("{} by default", duration::format(seconds)),
        (None, None) => "–".to_owned(),
    };
    format!("{health} · {} · {after} · deleted {}", text::channel(rule.channel_id), rule.messages_deleted)
}
