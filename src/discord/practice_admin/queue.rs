//! `/practice-admin queue`: what members ask to be counted, one request at a time.

use std::fmt::Write as _;

use entity::{
    id::PracticeCorrectionId,
    practice_correction::{CorrectionKind, Model},
};
use serenity::all::{ButtonStyle, CreateActionRow, CreateInputText, CreateModal, InputTextStyle};

use super::{AREA, argument};
use crate::{
    discord::{
        Asked, CommandError, Context, Data, Reply,
        component::{Press, custom_id},
        settings::card,
        text,
    },
    domain::practice::{self, Waiting},
};

/// Longest reason that the form takes.
const REASON_MAX: u16 = 500;
/// Characters of a member's note that are shown.
const NOTE_SHOWN: usize = 500;

/// Requests that wait: entries, claimed gaps, mended times
#[poise::command(slash_command)]
pub async fn queue(ctx: Context<'_>) -> Result<(), CommandError> {
    let asked = Asked::command(ctx.data(), ctx.interaction);
    asked.answer(page(ctx.data(), &asked, None, String::new())).await
}

/// [Later].
pub async fn turned(data: &Data, asked: &Asked, press: &Press<'_>) -> Result<Reply, CommandError> {
    page(data, asked, Some(press.argument(0)?), String::new()).await
}

async fn page(
    data: &Data,
    asked: &Asked,
    after: Option<PracticeCorrectionId>,
    said: String,
) -> Result<Reply, CommandError> {
    let (actor, guild) = (asked.actor().await?, asked.member()?.guild_id);
    let Some(waiting) = practice::waiting(data.app.domain(), &actor, guild, after).await? else {
        let end = if said.is_empty() { "Nothing waits." } else { "Nothing else waits." };
        return Ok(Reply::text(format!("{said}\n{end}").trim().to_owned()));
    };
    let id = waiting.request.id.to_string();
    let button = |label, verb| card::button(label, custom_id(AREA, verb, &[&id]));
    let mut buttons = vec![
        button("Approve", "approve").style(ButtonStyle::Success),
        button("Reject…", "reject").style(ButtonStyle::Danger),
    ];
    if waiting.count > 1 {
        buttons.push(button("Later ▶", "queue"));
    }
    let title = card::count(usize::try_from(waiting.count).unwrap_or(usize::MAX), "request waits", "requests wait");
    let embed = card::card(&title, card::AMBER, words(&waiting));
    Ok(Reply::text(said).and_card(embed).row(card::row(buttons)))
}

fn words(waiting: &Waiting) -> String {
    let Waiting { request, discord_user_id, .. } = waiting;
    let who = discord_user_id.map_or_else(|| "somebody without a Discord account".to_owned(), text::user);
    let what = match request.kind {
        CorrectionKind::Log => "wrote down practice",
        CorrectionKind::Gap => "says they practised while I did not see them",
        CorrectionKind::Fix => "mends the times of a session",
        CorrectionKind::Adjust => "had time adjusted",
    };
    let mut words = format!("{who} {what}: **{}**", argument::difference(request.delta_seconds));
    if let (Some(from), Some(to)) = (request.started_at, request.ended_at) {
        let _ = write!(words, "\n{} to {}", text::absolute(from), text::absolute(to));
    }
    if let Some(activity) = &request.activity {
        let _ = write!(words, "\nActivity: {}", text::escape(activity, 50));
    }
    if let Some(note) = &request.note {
        let _ = write!(words, "\nThey say: {}", text::escape(note, NOTE_SHOWN));
    }
    let _ = write!(words, "\n-# asked {}", text::relative(request.created_at));
    words
}

/// [Approve].
pub async fn approved(data: &Data, asked: &Asked, press: &Press<'_>) -> Result<Reply, CommandError> {
    let done = practice::accept(data.app.domain(), &asked.actor().await?, press.argument(0)?, None).await?;
    let said = format!("✅ Approved: {} counted.", argument::difference(done.delta_seconds));
    decided(data, asked, &done, said).await
}

/// [Reject…].
pub fn form(press: &Press<'_>) -> Result<CreateModal, CommandError> {
    let id: PracticeCorrectionId = press.argument(0)?;
    let input = CreateInputText::new(InputTextStyle::Paragraph, "Why?", "reason")
        .placeholder("For the record; may be left empty")
        .required(false)
        .max_length(REASON_MAX);
    Ok(CreateModal::new(custom_id(AREA, "rejected", &[&id.to_string()]), "Reject this request?")
        .components(vec![CreateActionRow::InputText(input)]))
}

/// The form was sent.
pub async fn rejected(data: &Data, asked: &Asked, press: &Press<'_>) -> Result<Reply, CommandError> {
    let reason = Some(press.input("reason").trim().to_owned()).filter(|reason| !reason.is_empty());
    let done = practice::reject(data.app.domain(), &asked.actor().await?, press.argument(0)?, reason).await?;
    decided(data, asked, &done, "⛔ Rejected: nothing is counted.".to_owned()).await
}

/// What came of it, and the next one.
async fn decided(data: &Data, asked: &Asked, done: &Model, said: String) -> Result<Reply, CommandError> {
    page(data, asked, Some(done.id), said).await
}
