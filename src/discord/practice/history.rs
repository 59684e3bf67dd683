//! `/practice history`: one's sessions, page by page, and each with what can still be done about it.

use entity::{
    id::PracticeSessionId,
    practice_session::{SessionSource, SessionState},
};
use serenity::all::{
    ButtonStyle, CreateActionRow, CreateButton, CreateEmbed, CreateSelectMenu, CreateSelectMenuKind,
    CreateSelectMenuOption,
};

use super::{AREA, argument, card, oneself};
use crate::{
    discord::{
        Asked, CommandError, Context, Data, Reply,
        component::{Press, custom_id, outdated},
        text,
    },
    domain::practice::{self, SessionView},
};

/// Sessions of a page.
const PAGE: u64 = 10;

/// Show your sessions in this server
#[poise::command(slash_command, guild_only)]
pub(super) async fn history(ctx: Context<'_>) -> Result<(), CommandError> {
    let (data, asked) = (ctx.data(), Asked::command(ctx.data(), ctx.interaction));
    asked.answer(page(data, &asked, None)).await
}

/// Another page; without an argument the first one.
pub(super) async fn turned(data: &Data, asked: &Asked, press: &Press<'_>) -> Result<Reply, CommandError> {
    let before = match press.arguments.first() {
        Some(_) => Some(press.argument(0)?),
        None => None,
    };
    page(data, asked, before).await
}

async fn page(data: &Data, asked: &Asked, before: Option<PracticeSessionId>) -> Result<Reply, CommandError> {
    let (actor, person) = oneself(asked)?;
    let guild_id = Some(asked.member()?.guild_id);
    let domain = data.app.domain();
    let cursor = match before {
        Some(id) => Some(practice::session(domain, &actor, id).await?.0).map(|view| (view.row.started_at, id)),
        None => None,
    };
    let page = practice::history(domain, &actor, (person, guild_id), cursor, PAGE).await?;
    if page.sessions.is_empty() && before.is_none() {
        let start = data.commands.mention("practice start");
        return Ok(Reply::text(format!("You have not practised in this server yet. {start} starts a timer.")));
    }
    let zone = practice::time_zone(domain, person, guild_id).await?;
    let lines = text::lines(page.sessions.iter().map(line), 3_900);
    let card = CreateEmbed::new().title("Your practice in this server").colour(card::BLUE).description(lines);
    let mut reply = Reply::card(card);
    if !page.sessions.is_empty() {
        let options = page
            .sessions
            .iter()
            .map(|view| CreateSelectMenuOption::new(argument::label(view, zone), view.row.id.to_string()));
        let kind = CreateSelectMenuKind::String { options: options.collect() };
        let menu = CreateSelectMenu::new(custom_id(AREA, "session", &[]), kind).placeholder("Look at a session…");
        reply = reply.row(CreateActionRow::SelectMenu(menu));
    }
    if before.is_none() && page.next.is_none() {
        return Ok(reply);
    }
    let newest = newest().label("⏮ Newest").disabled(before.is_none());
    let older = match page.next {
        Some((_, id)) => card::button("history", &id.to_string(), "Older ▶", ButtonStyle::Secondary),
        // Two buttons of one message never share an id.
        None => CreateButton::new(custom_id(AREA, "end", &[])).label("Older ▶").disabled(true),
    };
    Ok(reply.row(CreateActionRow::Buttons(vec![newest, older.style(ButtonStyle::Secondary)])))
}

fn newest() -> CreateButton {
    CreateButton::new(custom_id(AREA, "history", &[])).style(ButtonStyle::Secondary)
}

fn line(view: &SessionView) -> String {
    let row = &view.row;
    let sign = match (row.state, row.source) {
        (SessionState::Open, _) => "🟢",
        (SessionState::Paused, _) => "⏸️",
        (_, SessionSource::Voice) => "🔊",
        (_, SessionSource::Manual) => "✍️",
        _ => "⏱️",
    };
    let activity = row.activity.as_ref().map_or_else(String::new, |name| format!(" · {}", text::escape(name, 50)));
    let private = if row.is_private { " · 🔒" } else { "" };
    format!("{sign} {} · **{}**{activity}{private}", text::absolute(row.started_at), card::span(view.seconds))
}

/// A session of the list was chosen.
pub(super) async fn chosen(data: &Data, asked: &Asked, press: &Press<'_>) -> Result<Reply, CommandError> {
    let id: PracticeSessionId = press.values.first().and_then(|id| id.parse().ok()).ok_or_else(outdated)?;
    let (actor, _) = oneself(asked)?;
    let (view, gaps) = practice::session(data.app.domain(), &actor, id).await?;
    let mut buttons = vec![newest().label("◀ Sessions")];
    if view.row.state == SessionState::Done {
        buttons.push(card::button("fix", &id.to_string(), "Correct…", ButtonStyle::Secondary));
    }
    Ok(card::reply(&view, &gaps, "").row(CreateActionRow::Buttons(buttons)))
}
