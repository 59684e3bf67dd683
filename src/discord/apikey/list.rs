//! `/apikey list`: the keys of the server, ten to a page; in a direct message all, for bot admins.

use entity::id::ApiKeyId;
use serenity::all::{
    ButtonStyle, CreateActionRow, CreateEmbed, CreateEmbedFooter, CreateSelectMenu, CreateSelectMenuKind,
    CreateSelectMenuOption,
};

use super::{AREA, about, card, guard, manager};
use crate::{
    app::PrivilegedIntent,
    discord::{
        Asked, CommandError, Context, Data, Reply,
        component::{Press, custom_id, outdated},
        text,
    },
    domain::{
        api_key::{self, KeyFilter, KeyStatus, KeyView},
        vanish::PageRequest,
    },
};

/// Keys on one page.
const PAGE: u64 = 10;

/// List the keys: what they may do, when they were used, when they end
#[poise::command(slash_command)]
pub async fn list(ctx: Context<'_>) -> Result<(), CommandError> {
    let asked = Asked::command(ctx.data(), ctx.interaction);
    asked.answer(page(ctx.data(), &asked, 0)).await
}

/// ◀ and ▶.
pub(super) async fn turned(data: &Data, asked: &Asked, press: &Press<'_>) -> Result<Reply, CommandError> {
    page(data, asked, press.argument(0)?).await
}

async fn page(data: &Data, asked: &Asked, wanted: u64) -> Result<Reply, CommandError> {
    let (actor, guild_id) = manager(data, asked).await?;
    let domain = data.app.domain();
    let filter = KeyFilter { guild_id, revoked: Some(false), ..KeyFilter::default() };
    let request = |page: u64| PageRequest { limit: PAGE, offset: page.saturating_mul(PAGE) };
    let mut page = wanted;
    let mut keys = api_key::keys(domain, &actor, filter, Some(request(page))).await?;
    // Keys may have gone since the page was shown.
    if keys.rows.is_empty() && page > 0 {
        page = 0;
        keys = api_key::keys(domain, &actor, filter, Some(request(page))).await?;
    }
    let guard = asked.member.is_some() && data.app.readiness().message_content() != PrivilegedIntent::Granted;
    if keys.rows.is_empty() {
        let create = data.commands.mention("apikey create");
        let reply = Reply::text(format!("There are no keys yet. {create} makes one."));
        return Ok(if guard { reply.row(guard::row()) } else { reply });
    }
    let now = domain.now();
    let lines = keys.rows.iter().map(|view| card::line(view, now));
    let place = if guild_id.is_some() { "API keys of this server" } else { "API keys" };
    let embed = CreateEmbed::new()
        .title(place)
        .colour(card::BLUE)
        .description(text::lines(lines, 4_000))
        .footer(CreateEmbedFooter::new(format!("page {} · revoked keys are left out", page + 1)));
    let mut reply = Reply::card(embed).row(CreateActionRow::SelectMenu(menu(&keys.rows, now)));
    if page > 0 || keys.more {
        // Two buttons of one message never share an id.
        let to = |page: u64| page.to_string();
        let back = page.checked_sub(1);
        reply = reply.row(CreateActionRow::Buttons(vec![
            card::button("list", &[&to(back.unwrap_or(page + 2))], "◀", ButtonStyle::Secondary)
                .disabled(back.is_none()),
            card::button("list", &[&to(page + 1)], "▶", ButtonStyle::Secondary).disabled(!keys.more),
        ]));
    }
    Ok(if guard { reply.row(guard::row()) } else { reply })
}

fn menu(rows: &[KeyView], now: chrono::DateTime<chrono::Utc>) -> CreateSelectMenu {
    let options = rows.iter().map(|view| {
        let status = KeyStatus::of(&view.row, now);
        let label = text::bounded(&format!("{} {}", card::sign(status), view.row.name), 100);
        CreateSelectMenuOption::new(label, view.row.id.to_string()).description(api_key::shown(&view.row))
    });
    let kind = CreateSelectMenuKind::String { options: options.collect() };
    CreateSelectMenu::new(custom_id(AREA, "key", &[]), kind).placeholder("Look at a key…")
}

/// A key of the list was chosen.
pub(super) async fn chosen(data: &Data, asked: &Asked, press: &Press<'_>) -> Result<Reply, CommandError> {
    let id: ApiKeyId = press.values.first().and_then(|id| id.parse().ok()).ok_or_else(outdated)?;
    let (_, view) = about(data, asked, id).await?;
    let now = data.app.domain().now();
    Ok(Reply::card(card::card(&view, now)).row(card::actions(&view, now)))
}
