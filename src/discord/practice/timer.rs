//! What is done to a timer that runs, by command and by button.

use entity::{id::PracticeSessionId, practice_session::Model};
use serenity::all::{CreateActionRow, CreateInputText, CreateModal, InputTextStyle};

use super::{AREA, card, oneself};
use crate::{
    discord::{
        Asked, CommandError, Context, Data, Reply,
        component::{Press, custom_id},
    },
    domain::{
        Actor, Error,
        practice::{self, NOTE_MAX, Person, Target},
    },
};

/// The second argument of buttons under notices, which others may see: their message stays as it is.
const OF_NOTICE: &str = "notice";

/// Stop your timer
#[poise::command(slash_command, guild_only)]
pub(super) async fn stop(
    ctx: Context<'_>,
    #[description = "What you want to remember; replaces the note that is there"]
    #[max_length = 1000]
    note: Option<String>,
) -> Result<(), CommandError> {
    let (data, asked) = (ctx.data(), Asked::command(ctx.data(), ctx.interaction));
    let work = async {
        let (actor, person) = oneself(&asked)?;
        let done = practice::stop(data.app.domain(), &actor, person, note).await;
        shown(data, &actor, done, "✅ Stopped.").await
    };
    asked.answer(work).await
}

/// Pause your timer
#[poise::command(slash_command, guild_only)]
pub(super) async fn pause(ctx: Context<'_>) -> Result<(), CommandError> {
    let (data, asked) = (ctx.data(), Asked::command(ctx.data(), ctx.interaction));
    let work = async {
        let (actor, person) = oneself(&asked)?;
        let done = practice::pause(data.app.domain(), &actor, person).await;
        shown(data, &actor, done, "").await
    };
    asked.answer(work).await
}

/// Let your paused timer run again
#[poise::command(slash_command, guild_only)]
pub(super) async fn resume(ctx: Context<'_>) -> Result<(), CommandError> {
    let (data, asked) = (ctx.data(), Asked::command(ctx.data(), ctx.interaction));
    let work = async {
        let (actor, person) = oneself(&asked)?;
        let done = practice::resume(data.app.domain(), &actor, person).await;
        shown(data, &actor, done, "").await
    };
    asked.answer(work).await
}

/// A button under something that others may see.
pub(super) fn is_of_notice(press: &Press<'_>) -> bool {
    press.arguments.get(1) == Some(&OF_NOTICE)
}

fn target(person: Person, press: &Press<'_>) -> Result<Target, CommandError> {
    Ok(Target { person, session_id: Some(press.argument(0)?) })
}

/// [Pause], [Resume], [Stop] and [Skip].
pub(super) async fn pressed(data: &Data, asked: &Asked, press: &Press<'_>) -> Result<Reply, CommandError> {
    let (actor, person) = oneself(asked)?;
    let (domain, target) = (data.app.domain(), target(person, press)?);
    let done = match press.verb {
        "pause" => practice::pause(domain, &actor, target).await,
        "resume" => practice::resume(domain, &actor, target).await,
        "skip" => practice::skip(domain, &actor, target).await,
        _ => practice::stop(domain, &actor, target, None).await,
    };
    of_session(data, &actor, press, done).await
}

/// [Still practising].
pub(super) async fn touched(data: &Data, asked: &Asked, press: &Press<'_>) -> Result<Reply, CommandError> {
    let (actor, person) = oneself(asked)?;
    match practice::touch(data.app.domain(), &actor, target(person, press)?).await {
        Ok(_) => Ok(Reply::text("✅ Good. Your timer goes on.")),
        Err(error) if is_not_running(&error) => {
            // Whose it never was, for them there is nothing.
            practice::session(data.app.domain(), &actor, press.argument(0)?).await?;
            Ok(Reply::text("That timer has ended."))
        }
        Err(error) => Err(error.into()),
    }
}

/// [Add note]: the note in a form.
pub(super) async fn note_form(data: &Data, asked: &Asked, press: &Press<'_>) -> Result<CreateModal, CommandError> {
    let (actor, _) = oneself(asked)?;
    let id: PracticeSessionId = press.argument(0)?;
    let (view, _) = practice::session(data.app.domain(), &actor, id).await?;
    let most = u16::try_from(NOTE_MAX).unwrap_or(u16::MAX);
    let mut input = CreateInputText::new(InputTextStyle::Paragraph, "Note", "note")
        .placeholder("Only you see it. Empty takes it away")
        .required(false)
        .max_length(most);
    if let Some(note) = view.row.note {
        input = input.value(note);
    }
    let form = CreateModal::new(custom_id(AREA, "noted", &[&id.to_string()]), "Your practice");
    Ok(form.components(vec![CreateActionRow::InputText(input)]))
}

/// The form of [Add note].
pub(super) async fn noted(data: &Data, asked: &Asked, press: &Press<'_>) -> Result<Reply, CommandError> {
    let (actor, person) = oneself(asked)?;
    let note = Some(press.input("note").to_owned());
    let done = practice::set_note(data.app.domain(), &actor, target(person, press)?, note).await;
    of_session(data, &actor, press, done).await
}

/// The session after a press; one that has ended meanwhile is shown as it ended.
async fn of_session(
    data: &Data,
    actor: &Actor,
    press: &Press<'_>,
    done: Result<Model, Error>,
) -> Result<Reply, CommandError> {
    match done {
        Err(error) if is_not_running(&error) => {
            let (view, gaps) = practice::session(data.app.domain(), actor, press.argument(0)?).await?;
            Ok(card::reply(&view, &gaps, "This timer has ended already."))
        }
        done => shown(data, actor, done, "").await,
    }
}

/// The session with what it counts and what it does not.
async fn shown(data: &Data, actor: &Actor, done: Result<Model, Error>, said: &str) -> Result<Reply, CommandError> {
    match done {
        Ok(row) => {
            let (view, gaps) = practice::session(data.app.domain(), actor, row.id).await?;
            Ok(card::reply(&view, &gaps, said))
        }
        Err(error) if is_not_running(&error) => {
            Ok(Reply::text(format!("No timer of yours runs. {} starts one.", data.commands.mention("practice start"))))
        }
        Err(error) => Err(error.into()),
    }
}

fn is_not_running(error: &Error) -> bool {
    error.code() == Some("practice.no_active_session")
}
