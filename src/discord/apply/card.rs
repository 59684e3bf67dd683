//! A form with the answers so far, and the buttons that fit where somebody is.

use entity::id::FormId;
use serenity::all::{
    ButtonStyle, CreateActionRow, CreateButton, CreateEmbed, CreateEmbedFooter, CreateSelectMenu, CreateSelectMenuKind,
};

use super::{AREA, look};
use crate::{
    discord::{CommandError, Data, Reply, component::custom_id, text},
    domain::form::{self, Answers, Applicant, DraftView, FormConfig, FormView, Page, Question},
};

/// Characters of an answer that the card shows.
const ANSWER_SHOWN: usize = 60;
/// Characters of an answer where all of them are read.
const ANSWER_READ: usize = 350;

/// The page where somebody goes on: the first with a question that still needs an answer, else the end.
pub(super) fn resumed_at(config: &FormConfig, answers: &Answers) -> usize {
    let pages = form::pages(&config.questions);
    let waits = |page: &Page<'_>| {
        page.questions().iter().any(|question| question.is_required && !answers.contains_key(&question.id))
    };
    pages.iter().position(waits).unwrap_or(pages.len())
}

/// The form at a step: its page is the next one; after the last page everything is shown again.
pub(super) async fn reply(
    data: &Data,
    applicant: &Applicant,
    (form, draft): (&FormView, Option<&DraftView>),
    step: usize,
    said: &str,
) -> Result<Reply, CommandError> {
    let edits = draft.is_some_and(|draft| draft.application_id.is_some());
    let obstacles = if edits { Vec::new() } else { form::obstacles(data.app.domain(), applicant, form).await? };
    let none = Answers::new();
    let answers = draft.map_or(&none, |draft| &draft.answers);
    let pages = form::pages(&form.config.questions);
    let words = overview(&form.config, answers);
    let colour = if obstacles.is_empty() { look::BLUE } else { look::AMBER };
    let may = match (obstacles.as_slice(), edits) {
        ([], true) => "You change an application that you have sent.".to_owned(),
        ([], false) => "✅ You can apply.".to_owned(),
        (reasons, _) => {
            let lines = reasons.iter().map(|reason| format!("⛔ {reason}."));
            format!("You cannot apply at the moment:\n{}", text::lines(lines, 850))
        }
    };
    let kept = draft.map(|draft| format!("\n-# your draft is kept until {}", text::absolute(draft.expires_at)));
    let may = format!("{may}{}", kept.unwrap_or_default());
    let place =
        if step < pages.len() { format!("page {} of {}", step + 1, pages.len()) } else { "all pages".to_owned() };
    let embed = look::card(&form.config.title, colour, words)
        .field("May you apply?", may, false)
        .footer(CreateEmbedFooter::new(place));
    let mut reply = Reply::text(said).and_card(embed);
    if !obstacles.is_empty() {
        return Ok(match draft {
            Some(_) => reply.row(look::row(vec![discard(form.id)])),
            None => reply,
        });
    }
    if let Some(Page::Choices(questions)) = pages.get(step) {
        for question in questions {
            reply = reply.row(menu(form.id, question, answers));
        }
    }
    Ok(reply.row(look::row(buttons(form, draft, &pages, step))))
}

/// The introduction, and each question with the begin of its answer.
fn overview(config: &FormConfig, answers: &Answers) -> String {
    let mut words = text::escape_lines(&config.intro, form::INTRO_MAX);
    if !words.is_empty() {
        words.push_str("\n\n");
    }
    let lines = config.questions.iter().map(|question| {
        let label = text::escape(&question.label, form::LABEL_MAX);
        match answers.get(&question.id) {
            Some(answer) => format!("✅ **{label}** {}", text::escape(answer, ANSWER_SHOWN)),
            None if question.is_required => format!("▫️ **{label}**"),
            None => format!("▫️ **{label}** (optional)"),
        }
    });
    words.push_str(&text::lines(lines, 1_700));
    words
}

/// Questions with their answers, to be read.
pub fn answers_card(title: &str, colour: u32, head: &str, answers: &[(String, String)]) -> CreateEmbed {
    let lines = answers.iter().map(|(question, answer)| {
        format!("**{}**\n{}", text::escape(question, form::LABEL_MAX), text::escape_lines(answer, ANSWER_READ))
    });
    look::card(title, colour, format!("{head}\n\n{}", text::lines(lines, look::TEXT_MAX - 600)))
}

fn menu(form: FormId, question: &Question, answers: &Answers) -> CreateActionRow {
    let chosen = answers.get(&question.id);
    let options = question
        .choices
        .iter()
        .map(|choice| look::choice(choice, choice, None).default_selection(chosen == Some(choice)));
    let id = custom_id(AREA, "choose", &[&form.to_string(), &question.id.to_string()]);
    let menu = CreateSelectMenu::new(id, CreateSelectMenuKind::String { options: options.collect() })
        .placeholder(text::bounded(&question.label, 150))
        .min_values(u8::from(question.is_required));
    CreateActionRow::SelectMenu(menu)
}

/// The button that leads to a page.
pub(super) fn to_page(form: FormId, pages: &[Page<'_>], index: usize, label: &str) -> CreateButton {
    let verb = match pages.get(index) {
        Some(Page::Inputs(_)) => "page",
        _ => "menus",
    };
    look::button(label, custom_id(AREA, verb, &[&form.to_string(), &index.to_string()]))
}

fn discard(form: FormId) -> CreateButton {
    look::danger("Discard", custom_id(AREA, "discard", &[&form.to_string()]))
}

fn buttons(form: &FormView, draft: Option<&DraftView>, pages: &[Page<'_>], step: usize) -> Vec<CreateButton> {
    let id = form.id.to_string();
    let shows_menus = matches!(pages.get(step), Some(Page::Choices(_)));
    // A page of menus is filled in where it is shown; a page of texts opens.
    let next = if shows_menus { step + 1 } else { step };
    let mut buttons = Vec::new();
    if step > 0 {
        buttons.push(to_page(form.id, pages, step - 1, "◀ Back"));
    }
    if next < pages.len() || shows_menus {
        let label =
            if step == 0 && !shows_menus { if draft.is_some() { "Continue" } else { "Start" } } else { "Next page" };
        buttons.push(to_page(form.id, pages, next, label).style(ButtonStyle::Primary));
    }
    let Some(draft) = draft else { return buttons };
    let is_complete = form::missing(&form.config, &draft.answers).is_empty();
    let label = if draft.application_id.is_some() { "Save changes" } else { "Submit" };
    let send = look::button(label, custom_id(AREA, "send", &[&id])).style(ButtonStyle::Success);
    buttons.push(send.disabled(!is_complete));
    buttons.push(look::button("Save draft", custom_id(AREA, "keep", &[&id])));
    buttons.push(discard(form.id));
    buttons
}

/// What applicants will see, for those who make the form.
pub fn of_preview(form: &FormView) -> Reply {
    let pages = form::pages(&form.config.questions);
    let embed = look::card(&form.config.title, look::BLUE, overview(&form.config, &Answers::new()));
    let mut reply = Reply::text("What applicants see. Nothing that you enter here is kept.").and_card(embed);
    let id = form.id.to_string();
    let inputs = pages.iter().enumerate().filter(|(_, page)| matches!(page, Page::Inputs(_)));
    let buttons: Vec<_> = inputs
        .take(5)
        .map(|(index, _)| {
            let about = custom_id("forms", "preview", &[&id, &index.to_string()]);
            look::button(&format!("Page {}", index + 1), about)
        })
        .collect();
    let menus = pages.iter().filter_map(|page| match page {
        Page::Choices(questions) => Some(questions),
        Page::Inputs(_) => None,
    });
    for question in menus.flatten().take(4) {
        let options = question.choices.iter().map(|choice| look::choice(choice, choice, None)).collect();
        let about = custom_id("forms", "previewed", &[&question.id.to_string()]);
        reply = reply.row(look::menu(about, &question.label, options));
    }
    if buttons.is_empty() { reply } else { reply.row(look::row(buttons)) }
}
