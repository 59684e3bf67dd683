//! `/practice fix`: another begin or end for a session that has ended.

use chrono::{DateTime, Utc};
use entity::id::{GuildId, PracticeSessionId};
use serenity::all::{CreateActionRow, CreateInputText, CreateModal, InputTextStyle};

use super::{AREA, argument, log::filed_reply, oneself};
use crate::{
    discord::{
        Asked, CommandError, Context, Data, Reply,
        component::{Press, custom_id},
    },
    domain::practice::{self, NOTE_MAX, PracticeRefusal},
};

/// Correct when one of your sessions began or ended
#[poise::command(slash_command, guild_only)]
pub(super) async fn fix(
    ctx: Context<'_>,
    #[description = "Which one"]
    #[autocomplete = "argument::complete_session"]
    #[max_length = 100]
    session: String,
) -> Result<(), CommandError> {
    let asked = Asked::command(ctx.data(), ctx.interaction);
    let work = async {
        let id = session.trim().parse().map_err(|_| CommandError::Input {
            problem: "Choose one of the sessions that I offer while you type".to_owned(),
            example: "/practice fix",
        })?;
        modal(ctx.data(), &asked, id).await
    };
    asked.open(work).await
}

/// [Correct…] of a session.
pub(super) async fn form(data: &Data, asked: &Asked, press: &Press<'_>) -> Result<CreateModal, CommandError> {
    modal(data, asked, press.argument(0)?).await
}

async fn modal(data: &Data, asked: &Asked, id: PracticeSessionId) -> Result<CreateModal, CommandError> {
    let (actor, person) = oneself(asked)?;
    let domain = data.app.domain();
    let (view, _) = practice::session(domain, &actor, id).await?;
    let Some(ended_at) = view.row.ended_at else {
        return Err(crate::domain::Error::from(PracticeRefusal::StillOpen).into());
    };
    let zone = practice::time_zone(domain, person, guild(asked)).await?;
    let row = |name: &str, label: &str, at: DateTime<Utc>| {
        let input = CreateInputText::new(InputTextStyle::Short, label, name).max_length(32);
        CreateActionRow::InputText(input.value(argument::written(at, zone)))
    };
    let most = u16::try_from(NOTE_MAX).unwrap_or(u16::MAX);
    let reason = CreateInputText::new(InputTextStyle::Paragraph, "Why", "reason")
        .placeholder("A reviewer may read it")
        .required(false)
        .max_length(most);
    let form = CreateModal::new(custom_id(AREA, "fixed", &[&id.to_string()]), "Correct a session");
    Ok(form.components(vec![
        row("began", "It began", view.row.started_at),
        row("ended", "It ended", ended_at),
        CreateActionRow::InputText(reason),
    ]))
}

fn guild(asked: &Asked) -> Option<GuildId> {
    asked.member.as_ref().map(|member| member.guild_id)
}

/// The form.
pub(super) async fn submitted(data: &Data, asked: &Asked, press: &Press<'_>) -> Result<Reply, CommandError> {
    let (actor, person) = oneself(asked)?;
    let (domain, id) = (data.app.domain(), press.argument(0)?);
    let (view, _) = practice::session(domain, &actor, id).await?;
    let zone = practice::time_zone(domain, person, guild(asked)).await?;
    let read = |name: &str, before: Option<DateTime<Utc>>| {
        let at = argument::moment(press.input(name), zone)?;
        // The form shows whole seconds: what was left as it was is not rounded.
        let is_same = before.is_some_and(|before| before.timestamp() == at.timestamp());
        Ok::<_, CommandError>(before.filter(|_| is_same).unwrap_or(at))
    };
    let span = (read("began", Some(view.row.started_at))?, read("ended", view.row.ended_at)?);
    // It is their own, as the line above has found; a reviewer's own word needs no other reviewer.
    let filed = practice::fix(domain, &asked.actor().await?, id, span, Some(press.input("reason").to_owned())).await?;
    Ok(filed_reply(data, &filed))
}
