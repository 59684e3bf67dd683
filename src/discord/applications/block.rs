//! `/applications block`: who may not apply here.

use entity::id::DiscordUserId;
use serenity::all::User;

use super::{AREA, argument};
use crate::{
    discord::{
        Asked, CommandError, Context, Data, Reply,
        component::{Press, custom_id},
        settings::card,
        text,
    },
    domain::{
        application::{self, Block},
        vanish::PageRequest,
    },
};

/// Rows of a page.
const PAGE: u64 = 10;

/// Who may not apply here
#[poise::command(slash_command, subcommand_required, subcommands("add", "remove", "list"))]
#[expect(clippy::unused_async, reason = "poise wants a future of every command")]
pub async fn block(_ctx: Context<'_>) -> Result<(), CommandError> {
    Ok(())
}

fn account(user: &User) -> Result<DiscordUserId, CommandError> {
    DiscordUserId::new(user.id.get()).ok_or(CommandError::OnlyInServers)
}

/// Let somebody make no more applications; what they have applied for stays
#[poise::command(slash_command)]
async fn add(
    ctx: Context<'_>,
    #[description = "Whom"] user: User,
    #[description = "For how long, such as 30d; for good without it"]
    #[max_length = 32]
    until: Option<String>,
    #[description = "Why, for other reviewers"]
    #[max_length = 1000]
    reason: Option<String>,
) -> Result<(), CommandError> {
    let (data, asked) = (ctx.data(), Asked::command(ctx.data(), ctx.interaction));
    let work = async {
        let domain = data.app.domain();
        let until = until.as_deref().map(|typed| argument::until(typed, domain.now())).transpose()?;
        let block = Block { guild_id: asked.member()?.guild_id, discord_user_id: account(&user)?, until, reason };
        let row = application::block(domain, &asked.actor().await?, block).await?;
        let end = row.until.map_or_else(|| "for good".to_owned(), |until| format!("until {}", text::absolute(until)));
        Ok(Reply::text(format!("🚫 {} may not apply here {end}.", text::user(row.discord_user_id))))
    };
    asked.answer(work).await
}

/// Let somebody apply again
#[poise::command(slash_command)]
async fn remove(ctx: Context<'_>, #[description = "Whom"] user: User) -> Result<(), CommandError> {
    let (data, asked) = (ctx.data(), Asked::command(ctx.data(), ctx.interaction));
    let work = async {
        let (guild, account) = (asked.member()?.guild_id, account(&user)?);
        application::unblock(data.app.domain(), &asked.actor().await?, guild, account).await?;
        Ok(Reply::text(format!("✅ {} may apply here again.", text::user(account))))
    };
    asked.answer(work).await
}

/// Who may not apply here, and until when
#[poise::command(slash_command)]
async fn list(ctx: Context<'_>) -> Result<(), CommandError> {
    let asked = Asked::command(ctx.data(), ctx.interaction);
    asked.answer(page(ctx.data(), &asked, 0)).await
}

/// ◀ and ▶.
pub(super) async fn turned(data: &Data, asked: &Asked, press: &Press<'_>) -> Result<Reply, CommandError> {
    page(data, asked, press.argument::<u32>(0)?.into()).await
}

async fn page(data: &Data, asked: &Asked, page: u64) -> Result<Reply, CommandError> {
    let (actor, guild) = (asked.actor().await?, asked.member()?.guild_id);
    let request = PageRequest { limit: PAGE, offset: page * PAGE };
    let (rows, more) = application::blocks(data.app.domain(), &actor, guild, request).await?;
    if rows.is_empty() && page == 0 {
        let add = data.commands.mention("applications block add");
        return Ok(Reply::text(format!("Nobody is blocked: everybody may apply here. {add} blocks somebody.")));
    }
    let lines = rows.iter().map(|row| {
        let end = row.until.map_or_else(|| "for good".to_owned(), |until| format!("until {}", text::absolute(until)));
        let why = row.reason.as_deref().map(|why| format!(" · {}", text::escape(why, 100))).unwrap_or_default();
        format!("{} · {end} · by {}{why}", text::user(row.discord_user_id), argument::author(&row.blocked_by))
    });
    let title = format!("Blocked · page {}", page + 1);
    let reply = Reply::card(card::card(&title, card::BLUE, text::lines(lines, card::TEXT_MAX)));
    let turn = |label: &str, page: u64| card::button(label, custom_id(AREA, "blocks", &[&page.to_string()]));
    let mut buttons = Vec::new();
    if page > 0 {
        buttons.push(turn("◀", page - 1));
    }
    if more {
        buttons.push(turn("▶", page + 1));
    }
    Ok(if buttons.is_empty() { reply } else { reply.row(card::row(buttons)) })
}
