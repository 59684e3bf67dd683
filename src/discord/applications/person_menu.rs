//! The menu of a person: what they have applied for here.

use entity::id::DiscordUserId;
use serenity::all::User;

use super::{AREA, argument};
use crate::{
    discord::{
        Asked, CommandError, Context, Data, Reply,
        component::{Press, custom_id, outdated},
        settings::card,
        text,
    },
    domain::{application, vanish::PageRequest},
};

/// Rows of a page.
const PAGE: u64 = 10;

/// What somebody has applied for here, for reviewers
#[poise::command(
    context_menu_command = "Applications",
    guild_only,
    install_context = "Guild",
    default_member_permissions = "MANAGE_GUILD"
)]
pub async fn applications_of(ctx: Context<'_>, user: User) -> Result<(), CommandError> {
    let (data, asked) = (ctx.data(), Asked::command(ctx.data(), ctx.interaction));
    let work = async { show(data, &asked, DiscordUserId::new(user.id.get()).ok_or_else(outdated)?, 0).await };
    asked.answer(work).await
}

/// ◀ and ▶.
pub(super) async fn turned(data: &Data, asked: &Asked, press: &Press<'_>) -> Result<Reply, CommandError> {
    show(data, asked, press.argument(0)?, press.argument::<u32>(1)?.into()).await
}

async fn show(data: &Data, asked: &Asked, account: DiscordUserId, page: u64) -> Result<Reply, CommandError> {
    let (actor, guild) = (asked.actor().await?, asked.member()?.guild_id);
    let request = PageRequest { limit: PAGE, offset: page * PAGE };
    let found = application::of_applicant(data.app.domain(), &actor, (guild, account), request).await?;
    if found.rows.is_empty() && page == 0 {
        return Ok(Reply::text(format!("{} has applied for nothing here.", text::user(account))));
    }
    let lines = found.rows.iter().map(|row| {
        let (sign, word) = application::status_words(row.status);
        format!("{sign} **#{}** · {word} · {}", row.number, text::relative(row.submitted_at))
    });
    let lines = std::iter::once(text::user(account)).chain(lines);
    let mut reply = Reply::card(card::card("Applications", card::BLUE, text::lines(lines, card::TEXT_MAX)));
    if !found.rows.is_empty() {
        let options = found.rows.iter().map(|row| card::choice(&argument::label(row), &row.id.to_string(), None));
        reply = reply.row(card::menu(custom_id(AREA, "open", &[]), "Open…", options.collect()));
    }
    let turn = |label: &str, page: u64| {
        card::button(label, custom_id(AREA, "person", &[&account.to_string(), &page.to_string()]))
    };
    let mut buttons = Vec::new();
    if page > 0 {
        buttons.push(turn("◀", page - 1));
    }
    if found.more {
        buttons.push(turn("▶", page + 1));
    }
    Ok(if buttons.is_empty() { reply } else { reply.row(card::row(buttons)) })
}
