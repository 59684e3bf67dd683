//! `/my applications`: what one has applied for, how it stands, and what can still be done about it.

use std::fmt::Write as _;

use entity::{application::ApplicationStatus, id::ApplicationId};

use crate::{
    discord::{
        Asked, CommandError, Context, Data, Reply, apply,
        component::{Press, custom_id, outdated},
        settings::card,
        text,
    },
    domain::{
        application,
        form::{self, Mine, TITLE_MAX},
        vanish::PageRequest,
    },
};

/// Applications of a page.
const PAGE: u64 = 10;
/// Longest reason that is shown.
const REASON_SHOWN: usize = 1_000;

/// Your applications: how they stand, other answers, withdrawing
#[poise::command(slash_command)]
pub(super) async fn applications(ctx: Context<'_>) -> Result<(), CommandError> {
    let (data, asked) = (ctx.data(), Asked::command(ctx.data(), ctx.interaction));
    asked.answer(Box::pin(page(data, &asked, 0, ""))).await
}

/// [Applications], [Newer], [Older].
pub(super) async fn turned(data: &Data, asked: &Asked, press: &Press<'_>) -> Result<Reply, CommandError> {
    page(data, asked, press.argument(0)?, "").await
}

async fn page(data: &Data, asked: &Asked, offset: u64, said: &str) -> Result<Reply, CommandError> {
    let (domain, applicant) = (data.app.domain(), apply::applicant(asked).await?);
    let (rows, more) = form::mine(domain, &applicant, PageRequest { limit: PAGE, offset }).await?;
    if rows.is_empty() {
        let words = if offset > 0 { "There is nothing older." } else { "You have not applied for anything yet." };
        let apply = data.commands.mention("apply");
        return Ok(Reply::text(format!("{said}\n{words} {apply} shows what this server offers.").trim().to_owned()));
    }
    let lines = rows.iter().map(|mine| {
        let (sign, word, _) = state(mine.row.status);
        let place = place(asked, mine);
        format!(
            "{sign} **#{}** {} · {word} · {}{place}",
            mine.row.number,
            title(mine),
            text::relative(mine.row.submitted_at)
        )
    });
    let embed = card::card("Your applications", card::BLUE, text::lines(lines, card::TEXT_MAX));
    let options = rows.iter().map(|mine| {
        let label = format!("#{} {}", mine.row.number, mine.title.as_deref().unwrap_or("application"));
        card::choice(&label, &mine.row.id.to_string(), Some(state(mine.row.status).1))
    });
    let menu = card::menu(custom_id("my", "application", &[]), "View…", options.collect());
    let to = |offset: u64| custom_id("my", "applications", &[&offset.to_string()]);
    let mut reply = Reply::text(said).and_card(embed).row(menu);
    if more || offset > 0 {
        // Two buttons of one message never share an id.
        reply = reply.row(card::row(vec![
            card::button("◀ Newer", to(offset.saturating_sub(PAGE))).disabled(offset == 0),
            card::button("Older ▶", to(offset + PAGE)).disabled(!more),
        ]));
    }
    Ok(reply)
}

fn title(mine: &Mine) -> String {
    text::escape(mine.title.as_deref().unwrap_or("a form that is gone"), TITLE_MAX)
}

/// Where it was, if not here.
fn place(asked: &Asked, mine: &Mine) -> &'static str {
    let here = asked.member.as_ref().map(|member| member.guild_id);
    if here.is_none() || mine.row.guild_id == here { "" } else { " · in another server" }
}

fn state(status: ApplicationStatus) -> (&'static str, &'static str, u32) {
    match status {
        ApplicationStatus::Pending => ("⏳", "waits for a decision", card::BLUE),
        ApplicationStatus::Approved => ("✅", "approved", card::GREEN),
        ApplicationStatus::Rejected => ("⛔", "rejected", card::AMBER),
        ApplicationStatus::Withdrawn => ("↩️", "withdrawn", card::AMBER),
        ApplicationStatus::Expired => ("⌛", "expired: too few have voted", card::AMBER),
        ApplicationStatus::Left => ("🚪", "ended, because you left", card::AMBER),
    }
}

/// [View…]: one was chosen.
pub(super) async fn chosen(data: &Data, asked: &Asked, press: &Press<'_>) -> Result<Reply, CommandError> {
    let chosen = press.values.first().and_then(|id| id.parse().ok());
    view(data, asked, chosen.map_or_else(|| press.argument(0), Ok)?, "").await
}

async fn view(data: &Data, asked: &Asked, id: ApplicationId, said: &str) -> Result<Reply, CommandError> {
    let mine = form::my_application(data.app.domain(), &apply::applicant(asked).await?, id).await?;
    let row = &mine.row;
    let (sign, word, colour) = state(row.status);
    let mut head = format!("{sign} {word} · sent {}", text::absolute(row.submitted_at));
    if let Some(at) = row.decided_at {
        let _ = write!(head, " · since {}", text::absolute(at));
    } else if let Some(at) = row.deadline_at {
        let _ = write!(head, " · the vote ends {}", text::relative(at));
    }
    let answers: Vec<_> = mine.answers.iter().map(|given| (given.label.clone(), given.answer.clone())).collect();
    let name = format!("#{} {}", row.number, mine.title.as_deref().unwrap_or("application"));
    let mut embed = apply::answers_card(&name, colour, &head, &answers);
    if let Some(reason) = row.reason.as_deref().filter(|reason| !reason.is_empty()) {
        embed = embed.field(
            "They wrote",
            text::bounded(&text::escape_lines(reason, REASON_SHOWN / 2), REASON_SHOWN),
            false,
        );
    }
    let id = id.to_string();
    let mut buttons = vec![card::button("◀ Applications", custom_id("my", "applications", &["0"]))];
    if mine.is_editable {
        buttons.push(card::button("Edit", custom_id("my", "application_edit", &[&id])));
    }
    if row.status == ApplicationStatus::Pending {
        buttons.push(card::danger("Withdraw", custom_id("my", "application_end", &[&id])));
    }
    Ok(Reply::text(said).and_card(embed).row(card::row(buttons)))
}

/// [Edit]: its answers become a draft.
pub(super) async fn edited(data: &Data, asked: &Asked, press: &Press<'_>) -> Result<Reply, CommandError> {
    let (domain, applicant) = (data.app.domain(), apply::applicant(asked).await?);
    let form_id = form::begin_edit(domain, &applicant, press.argument(0)?).await?;
    let form = form::form_of_draft(domain, &applicant, form_id).await?;
    apply::first_page(data, &applicant, &form).await
}

/// [Withdraw]: what it means.
pub(super) async fn ending(data: &Data, asked: &Asked, press: &Press<'_>) -> Result<Reply, CommandError> {
    let id: ApplicationId = press.argument(0)?;
    let mine = form::my_application(data.app.domain(), &apply::applicant(asked).await?, id).await?;
    if mine.row.status != ApplicationStatus::Pending {
        return Err(outdated());
    }
    let words = format!(
        "**#{}** {}: nobody decides about it any more, and it cannot be brought back.",
        mine.row.number,
        title(&mine)
    );
    let id = id.to_string();
    Ok(Reply::card(card::card("Withdraw this application?", card::AMBER, words)).row(card::row(vec![
        card::danger("Withdraw", custom_id("my", "application_ended", &[&id])),
        card::button("Cancel", custom_id("my", "application", &[&id])),
    ])))
}

/// [Withdraw], once more.
pub(super) async fn ended(data: &Data, asked: &Asked, press: &Press<'_>) -> Result<Reply, CommandError> {
    let id = press.argument(0)?;
    let number = application::withdraw(data.app.domain(), &asked.actor().await?, id).await?.number;
    view(data, asked, id, &format!("↩️ You have withdrawn **#{number}**.")).await
}
