//! One page: its modal or its menus, and what was entered.

use entity::id::FormQuestionId;
use serenity::all::{CreateActionRow, CreateInputText, CreateModal, InputTextStyle};

use super::{AREA, applicant, card, form_of, inert};
use crate::{
    discord::{
        Asked, CommandError, Data, Reply,
        component::{Press, custom_id},
        text,
    },
    domain::{
        Error,
        form::{self, Answers, FormView, Page, Question},
    },
};

/// What somebody is told whose button no longer fits the form.
fn changed() -> CommandError {
    CommandError::Input {
        problem: "The form was changed meanwhile. What you have written is kept".to_owned(),
        example: "/apply",
    }
}

/// [Start], [Next page], [Back]: a page of texts.
pub(super) async fn opened(data: &Data, asked: &Asked, press: &Press<'_>) -> Result<CreateModal, CommandError> {
    let (applicant, form) = form_of(data, asked, press).await?;
    let draft = form::draft(data.app.domain(), &applicant, form.id).await?;
    let edits = draft.as_ref().is_some_and(|draft| draft.application_id.is_some());
    if !edits && let Some(reason) = form::obstacles(data.app.domain(), &applicant, &form).await?.into_iter().next() {
        return Err(Error::from(reason).into());
    }
    modal(&form, press.argument(1)?, &draft.map(|draft| draft.answers).unwrap_or_default())
}

/// The modal of a page, with what was answered before.
fn modal(form: &FormView, index: usize, answers: &Answers) -> Result<CreateModal, CommandError> {
    let id = custom_id(AREA, "filled", &[&form.id.to_string(), &index.to_string()]);
    modal_as(id, form, index, answers)
}

/// The same where nothing is kept.
pub fn preview_modal(form: &FormView, index: usize) -> Result<CreateModal, CommandError> {
    modal_as(custom_id("forms", "previewed", &[]), form, index, &Answers::new())
}

fn modal_as(id: String, form: &FormView, index: usize, answers: &Answers) -> Result<CreateModal, CommandError> {
    let pages = form::pages(&form.config.questions);
    let Some(Page::Inputs(questions)) = pages.get(index) else { return Err(changed()) };
    let rows = questions.iter().map(|question| {
        CreateActionRow::InputText(input(question, answers.get(&question.id).map_or("", String::as_str)))
    });
    Ok(CreateModal::new(id, text::bounded(&form.config.title, form::TITLE_MAX)).components(rows.collect()))
}

fn input(question: &Question, answer: &str) -> CreateInputText {
    let style = match question.kind {
        entity::form_question::QuestionKind::Paragraph => InputTextStyle::Paragraph,
        _ => InputTextStyle::Short,
    };
    let bound = |length: i32| u16::try_from(length).unwrap_or(0);
    let most = usize::from(bound(question.max_length));
    // A bound that was lowered since cuts what is shown: Discord refuses the rest.
    let value: String = answer.chars().take(most).collect();
    let input = CreateInputText::new(style, &question.label, question.id.to_string())
        .required(question.is_required)
        .min_length(bound(question.min_length))
        .max_length(bound(question.max_length))
        .value(value);
    if question.placeholder.is_empty() { input } else { input.placeholder(&question.placeholder) }
}

/// A page of texts was sent: it is kept, and the next page is offered.
pub(super) async fn filled(data: &Data, asked: &Asked, press: &Press<'_>) -> Result<Reply, CommandError> {
    let step: usize = press.argument(1)?;
    let given = press.inputs.iter().filter_map(|(id, answer)| Some((id.parse().ok()?, answer.clone())));
    kept(data, asked, press, given.collect(), step.saturating_add(1)).await
}

/// [Next page], [Back]: a page of menus, or the end.
pub(super) async fn shown(data: &Data, asked: &Asked, press: &Press<'_>) -> Result<Reply, CommandError> {
    let (applicant, form) = form_of(data, asked, press).await?;
    let draft = form::draft(data.app.domain(), &applicant, form.id).await?;
    card::reply(data, &applicant, (&form, draft.as_ref()), press.argument(1)?, "").await
}

/// Something was chosen from a menu.
pub(super) async fn chosen(data: &Data, asked: &Asked, press: &Press<'_>) -> Result<Reply, CommandError> {
    let (_, form) = form_of(data, asked, press).await?;
    let id: FormQuestionId = press.argument(1)?;
    form.config.question(id).ok_or_else(changed)?;
    // Taking the choice back sends none.
    let answer = press.values.first().cloned().unwrap_or_default();
    let pages = form::pages(&form.config.questions);
    let holds = |page: &Page<'_>| page.questions().iter().any(|one| one.id == id);
    let step = pages.iter().position(holds).ok_or_else(changed)?;
    kept(data, asked, press, Answers::from([(id, answer)]), step).await
}

async fn kept(
    data: &Data,
    asked: &Asked,
    press: &Press<'_>,
    given: Answers,
    step: usize,
) -> Result<Reply, CommandError> {
    let applicant = applicant(asked).await?;
    let draft = form::save_answers(data.app.domain(), &applicant, press.argument(0)?, given).await.map_err(inert)?;
    let form = form::form_of_draft(data.app.domain(), &applicant, draft.form_id).await?;
    card::reply(data, &applicant, (&form, Some(&draft)), step, "").await
}
