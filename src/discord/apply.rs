//! `/apply` and the button of a panel: what a form says, its pages one after the other, and sending the answers.
//!
//! Invariants: what somebody has written is in the store before the next page is offered, so that a restart loses
//! nothing; everybody sees and changes their own draft only, whoever's message the button is on.

mod card;
mod page;

use entity::id::FormId;
use serenity::all::CreateAutocompleteResponse;

use super::{
    Asked, CommandError, Context, Data, Reply,
    component::{self, Press, custom_id},
    forms::argument,
    settings::card as look,
    text,
};
use crate::domain::{
    Error,
    form::{self, Applicant, FormView},
};

pub(super) use card::{answers_card, of_preview};
pub(super) use page::preview_modal;

/// The area of this feature's custom ids; panels and lists of applications use it too.
pub(super) const AREA: &str = "apply";

/// Apply with a form of this server
#[poise::command(slash_command, guild_only, install_context = "Guild")]
pub async fn apply(
    ctx: Context<'_>,
    #[description = "Which form; may be left out where there is only one"]
    #[autocomplete = "complete_open"]
    #[max_length = 45]
    form: Option<String>,
) -> Result<(), CommandError> {
    let (data, asked) = (ctx.data(), Asked::command(ctx.data(), ctx.interaction));
    let work = async {
        let actor = asked.actor().await?;
        let guild = asked.member()?.guild_id;
        if let Some(name) = form {
            let form = form::form_named(data.app.domain(), &actor, guild, &name).await?;
            return begin(data, &asked, &form).await;
        }
        let open: Vec<_> = open_forms(data, &asked).await?;
        match open.as_slice() {
            [] => Ok(Reply::text("No form of this server takes applications at the moment.")),
            [only] => begin(data, &asked, only).await,
            several => Ok(choice(several)),
        }
    };
    asked.answer(Box::pin(work)).await
}

async fn complete_open(ctx: Context<'_>, typed: &str) -> CreateAutocompleteResponse {
    let asked = Asked::command(ctx.data(), ctx.interaction);
    let open = open_forms(ctx.data(), &asked).await.unwrap_or_default();
    argument::names(&open, typed)
}

async fn open_forms(data: &Data, asked: &Asked) -> Result<Vec<FormView>, CommandError> {
    let (actor, guild) = (asked.actor().await?, asked.member()?.guild_id);
    let mut forms = form::forms(data.app.domain(), &actor, guild).await?;
    forms.retain(|form| form.config.state == entity::form::FormState::Open);
    Ok(forms)
}

/// The menu of several forms.
fn choice(forms: &[FormView]) -> Reply {
    let options = forms.iter().map(|form| {
        let intro = text::bounded(&form.config.intro.replace('\n', " "), 100);
        look::choice(&form.config.title, &form.id.to_string(), Some(&intro))
    });
    let menu = look::menu(custom_id(AREA, "begin", &[]), "Choose a form", options.collect());
    Reply::text("Which form do you want to apply with?").row(menu)
}

/// Whoever asks, as the domain looks at applicants.
pub(super) async fn applicant(asked: &Asked) -> Result<Applicant, CommandError> {
    Ok(Applicant { actor: asked.actor().await?, joined_at: asked.joined_at })
}

/// What a form says, with the page where whoever asks was.
pub(super) async fn begin(data: &Data, asked: &Asked, form: &FormView) -> Result<Reply, CommandError> {
    let applicant = applicant(asked).await?;
    let draft = form::draft(data.app.domain(), &applicant, form.id).await?;
    let step = draft.as_ref().map_or(0, |draft| card::resumed_at(&form.config, &draft.answers));
    card::reply(data, &applicant, (form, draft.as_ref()), step, "").await
}

/// The form from its first page on, with what is written already.
pub(super) async fn first_page(data: &Data, applicant: &Applicant, form: &FormView) -> Result<Reply, CommandError> {
    let draft = form::draft(data.app.domain(), applicant, form.id).await?;
    card::reply(data, applicant, (form, draft.as_ref()), 0, "").await
}

/// A button, menu or page of an application.
pub(super) async fn pressed(data: &Data, asked: &Asked, press: &Press<'_>) -> Result<(), CommandError> {
    match press.verb {
        "begin" => Box::pin(asked.answer_beside(begun(data, asked, press))).await,
        "page" => Box::pin(asked.open(page::opened(data, asked, press))).await,
        "filled" => Box::pin(asked.answer(page::filled(data, asked, press))).await,
        "menus" => Box::pin(asked.answer(page::shown(data, asked, press))).await,
        "choose" => Box::pin(asked.answer(page::chosen(data, asked, press))).await,
        "keep" => Box::pin(asked.answer(kept(data, asked, press))).await,
        "discard" => Box::pin(asked.answer(discarded(data, asked, press))).await,
        "send" => Box::pin(asked.answer(sent(data, asked, press))).await,
        _ => asked.answer_beside(async { Err(component::outdated()) }).await,
    }
}

/// The button of a panel, or a form chosen from the menu.
async fn begun(data: &Data, asked: &Asked, press: &Press<'_>) -> Result<Reply, CommandError> {
    let chosen = press.values.first().and_then(|id| id.parse().ok());
    let id: FormId = chosen.map_or_else(|| press.argument(0), Ok)?;
    let form = form::form_of_draft(data.app.domain(), &applicant(asked).await?, id).await?;
    begin(data, asked, &form).await
}

/// [Save draft].
async fn kept(data: &Data, asked: &Asked, press: &Press<'_>) -> Result<Reply, CommandError> {
    let (applicant, form) = form_of(data, asked, press).await?;
    let Some(draft) = form::draft(data.app.domain(), &applicant, form.id).await? else { return Ok(ended(data)) };
    let go_on = look::primary("Continue", custom_id(AREA, "begin", &[&form.id.to_string()]));
    let apply = data.commands.mention(if draft.application_id.is_some() { "my applications" } else { "apply" });
    let kept = text::absolute(draft.expires_at);
    let said = format!("💾 Your answers are kept until {kept}. {apply} goes on where you were.");
    Ok(Reply::text(said).row(look::row(vec![go_on])))
}

/// [Discard].
async fn discarded(data: &Data, asked: &Asked, press: &Press<'_>) -> Result<Reply, CommandError> {
    let applicant = applicant(asked).await?;
    let was_there = form::discard_draft(data.app.domain(), &applicant, press.argument(0)?).await?;
    if !was_there {
        return Ok(ended(data));
    }
    Ok(Reply::text("🗑️ Your draft is gone, and nothing was sent."))
}

fn ended(data: &Data) -> Reply {
    let mine = data.commands.mention("my applications");
    Reply::text(format!("This draft was sent or has ended already. {mine} shows what you have sent."))
}

/// [Submit].
async fn sent(data: &Data, asked: &Asked, press: &Press<'_>) -> Result<Reply, CommandError> {
    let applicant = applicant(asked).await?;
    let sent = form::send(data.app.domain(), &applicant, press.argument(0)?).await.map_err(inert)?;
    let mine = data.commands.mention("my applications");
    let said = if sent.is_new {
        format!("📨 Your application has the number **#{}**. {mine} shows how it stands.", sent.number)
    } else {
        format!("✏️ Your application **#{}** has its new answers. {mine} shows how it stands.", sent.number)
    };
    Ok(Reply::text(said))
}

/// A refusal may name questions, whose texts must not become formatting.
fn inert(error: Error) -> CommandError {
    match error {
        Error::Refused(refusal) if matches!(refusal.code(), "form.unanswered" | "form.bad_answer") => {
            CommandError::Input { problem: text::escape(&refusal.to_string(), 600), example: "/apply" }
        }
        other => other.into(),
    }
}

/// Who asks, and the form that the button names.
async fn form_of(data: &Data, asked: &Asked, press: &Press<'_>) -> Result<(Applicant, FormView), CommandError> {
    let applicant = applicant(asked).await?;
    let form = form::form_of_draft(data.app.domain(), &applicant, press.argument(0)?).await?;
    Ok((applicant, form))
}
