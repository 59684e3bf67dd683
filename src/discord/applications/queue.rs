//! `/applications queue`: what waits, the most urgent first.

use entity::{
    application::ApplicationStatus,
    id::{ApplicationId, FormId},
};

use super::{AREA, argument, view};
use crate::{
    discord::{
        Asked, CommandError, Context, Data, Reply,
        component::{Press, custom_id, outdated},
        settings::card,
        text,
    },
    domain::{
        application::{self, ApplicationFilter, ApplicationOrder},
        vanish::PageRequest,
    },
};

/// Rows of a page.
const PAGE: u64 = 10;

/// How applications stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, poise::ChoiceParameter)]
pub(super) enum StatusOption {
    /// Those that wait.
    #[name = "open"]
    Open,
    /// Those that were accepted.
    #[name = "approved"]
    Approved,
    /// Those that were not.
    #[name = "rejected"]
    Rejected,
    /// Those that were taken back.
    #[name = "withdrawn"]
    Withdrawn,
    /// Those whose time was over.
    #[name = "expired"]
    Expired,
    /// Those whose applicant left.
    #[name = "left"]
    Left,
    /// All.
    #[name = "all"]
    All,
}

const ALL: [(StatusOption, &str, Option<ApplicationStatus>); 7] = [
    (StatusOption::Open, "o", Some(ApplicationStatus::Pending)),
    (StatusOption::Approved, "a", Some(ApplicationStatus::Approved)),
    (StatusOption::Rejected, "r", Some(ApplicationStatus::Rejected)),
    (StatusOption::Withdrawn, "w", Some(ApplicationStatus::Withdrawn)),
    (StatusOption::Expired, "e", Some(ApplicationStatus::Expired)),
    (StatusOption::Left, "l", Some(ApplicationStatus::Left)),
    (StatusOption::All, "x", None),
];

/// What a page shows; its buttons carry it.
#[derive(Clone, Copy)]
struct Shown {
    page: u64,
    code: &'static str,
    status: Option<ApplicationStatus>,
    is_unvoted: bool,
    form: Option<FormId>,
}

/// Applications, the one that ends next first
#[poise::command(slash_command)]
pub async fn queue(
    ctx: Context<'_>,
    #[description = "Only those of this form"]
    #[autocomplete = "argument::complete_form"]
    #[max_length = 45]
    form: Option<String>,
    #[description = "How they stand; open without it"] status: Option<StatusOption>,
    #[description = "Only those that wait for your vote"] mine: Option<bool>,
) -> Result<(), CommandError> {
    let (data, asked) = (ctx.data(), Asked::command(ctx.data(), ctx.interaction));
    let status = status.unwrap_or(StatusOption::Open);
    let (_, code, status) = ALL.into_iter().find(|(one, _, _)| *one == status).unwrap_or(ALL[0]);
    let work = async {
        let form = argument::form(data, &asked, form.as_deref()).await?;
        let shown = Shown { page: 0, code, status, is_unvoted: mine.unwrap_or(false), form };
        show(data, &asked, shown).await
    };
    asked.answer(Box::pin(work)).await
}

/// ◀ and ▶.
pub(super) async fn turned(data: &Data, asked: &Asked, press: &Press<'_>) -> Result<Reply, CommandError> {
    let wanted = press.arguments.get(1).copied().unwrap_or_default();
    let (_, code, status) = ALL.into_iter().find(|(_, code, _)| *code == wanted).ok_or_else(outdated)?;
    let is_unvoted = press.arguments.get(2) == Some(&"m");
    let form = match press.arguments.get(3) {
        Some(id) => Some(id.parse().map_err(|_| outdated())?),
        None => None,
    };
    show(data, asked, Shown { page: press.argument::<u32>(0)?.into(), code, status, is_unvoted, form }).await
}

async fn show(data: &Data, asked: &Asked, shown: Shown) -> Result<Reply, CommandError> {
    let (actor, guild) = (asked.actor().await?, asked.member()?.guild_id);
    let Shown { page, code, status, is_unvoted, form } = shown;
    let filter = ApplicationFilter {
        guild_id: Some(guild),
        status,
        form_id: form,
        is_unvoted,
        order: ApplicationOrder::Deadline,
        page: PageRequest { limit: PAGE, offset: page * PAGE },
    };
    let found = application::list(data.app.domain(), &actor, filter).await?;
    if found.rows.is_empty() && page == 0 {
        let empty = if is_unvoted { "Nothing waits for your vote." } else { "There are no such applications." };
        return Ok(Reply::text(format!("{empty} {} shows them all.", data.commands.mention("applications queue"))));
    }
    let lines = found.rows.iter().map(|row| {
        let (sign, word) = application::status_words(row.status);
        let end = match (row.status, row.due_at) {
            (ApplicationStatus::Pending, Some(at)) => format!("ends {}", text::relative(at)),
            (ApplicationStatus::Pending, None) if row.is_tied => "a tie: decide it".to_owned(),
            (ApplicationStatus::Pending, None) => "no deadline".to_owned(),
            _ => word.to_owned(),
        };
        let lost = row.post_code.as_deref().map(|code| format!(" · ❌ {}", application::code_words(code)));
        let post = guild_link(row).unwrap_or_default();
        format!(
            "{sign} **#{}** · {} · {} · {end}{post}{}",
            row.number,
            argument::applicant(row),
            text::relative(row.submitted_at),
            lost.unwrap_or_default()
        )
    });
    let mut reply = Reply::card(card::card(
        &format!("Applications · page {}", page + 1),
        card::BLUE,
        text::lines(lines, card::TEXT_MAX),
    ));
    let options =
        found.rows.iter().map(|row| card::choice(&argument::label(row), &row.id.to_string(), None)).collect::<Vec<_>>();
    if !options.is_empty() {
        reply = reply.row(card::menu(custom_id(AREA, "open", &[]), "Open…", options));
    }
    let turn = |label: &str, page: u64| {
        let (page, form) = (page.to_string(), form.map(|form| form.to_string()));
        let state = [page.as_str(), code, if is_unvoted { "m" } else { "-" }];
        let state: Vec<&str> = state.into_iter().chain(form.as_deref()).collect();
        card::button(label, custom_id(AREA, "queue", &state))
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

fn guild_link(row: &entity::application::Model) -> Option<String> {
    let link = text::message_link(row.guild_id?, row.review_channel_id?, row.review_message_id?);
    Some(format!(" · [post]({link})"))
}

/// [Open].
pub(super) async fn opened(data: &Data, asked: &Asked, press: &Press<'_>) -> Result<Reply, CommandError> {
    let id = press.values.first().and_then(|id| id.parse::<ApplicationId>().ok()).ok_or_else(outdated)?;
    view::card(data, asked, id).await
}
