//! `/forms question`: what a form asks.

use entity::{form_question::QuestionKind, id::FormQuestionId};

use super::{AREA, argument, show};
use crate::{
    discord::{
        Asked, CommandError, Context, Data, Reply,
        component::{Press, custom_id},
        settings::card,
        text,
    },
    domain::form::{self, ANSWER_MAX, FormChange, LABEL_MAX, Question, QuestionChange},
};

/// How a question is answered, as people choose it.
#[derive(Clone, Copy, Debug, poise::ChoiceParameter)]
enum Kind {
    /// With one line.
    #[name = "short"]
    Short,
    /// With several lines.
    #[name = "paragraph"]
    Paragraph,
    /// With one of some choices.
    #[name = "choice"]
    Choice,
}

impl From<Kind> for QuestionKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Short => Self::Short,
            Kind::Paragraph => Self::Paragraph,
            Kind::Choice => Self::Choice,
        }
    }
}

/// What a form asks
#[poise::command(slash_command, subcommand_required, subcommands("add", "edit", "move_to", "remove"))]
#[expect(clippy::unused_async, reason = "poise wants a future of every command")]
pub async fn question(_ctx: Context<'_>) -> Result<(), CommandError> {
    Ok(())
}

/// Add a question to a form
#[poise::command(slash_command)]
#[expect(clippy::too_many_arguments, reason = "each is an option of the command")]
async fn add(
    ctx: Context<'_>,
    #[description = "Which form"]
    #[autocomplete = "argument::complete_form"]
    #[max_length = 45]
    form: String,
    #[description = "The question"]
    #[max_length = 45]
    label: String,
    #[description = "One line unless you say otherwise"] kind: Option<Kind>,
    #[description = "What can be chosen, with bars between: red | green"]
    #[max_length = 2600]
    choices: Option<String>,
    #[description = "Whether it must be answered; yes unless you say otherwise"] required: Option<bool>,
    #[description = "What stands in the empty field"]
    #[max_length = 100]
    placeholder: Option<String>,
    #[description = "Fewest characters"]
    #[min = 0]
    #[max = 1000]
    min_length: Option<i32>,
    #[description = "Most characters"]
    #[min = 1]
    #[max = 1000]
    max_length: Option<i32>,
    #[description = "Its place, from 1; else the last"]
    #[min = 1]
    #[max = 25]
    place: Option<usize>,
) -> Result<(), CommandError> {
    let (data, asked) = (ctx.data(), Asked::command(ctx.data(), ctx.interaction));
    let work = async {
        let (actor, form) = argument::named(data, &asked, &form).await?;
        let offered = choices.as_deref().map(argument::choices).unwrap_or_default();
        let default = if offered.is_empty() { Kind::Short } else { Kind::Choice };
        let question = Question {
            placeholder: placeholder.unwrap_or_default(),
            choices: offered,
            is_required: required.unwrap_or(true),
            min_length: min_length.unwrap_or(0),
            max_length: max_length.unwrap_or(ANSWER_MAX),
            ..Question::new(&label, kind.unwrap_or(default).into())
        };
        let change = FormChange::AddQuestion { question, place };
        let form = form::change_form(data.app.domain(), &actor, (form.guild_id, form.id), change).await?;
        show::reply(data, &asked, &form, "✅ Added.").await
    };
    asked.answer(Box::pin(work)).await
}

/// Change a question; what you leave out stays
#[poise::command(slash_command)]
#[expect(clippy::too_many_arguments, reason = "each is an option of the command")]
async fn edit(
    ctx: Context<'_>,
    #[description = "Which form"]
    #[autocomplete = "argument::complete_form"]
    #[max_length = 45]
    form: String,
    #[description = "Which question"]
    #[autocomplete = "argument::complete_question"]
    #[max_length = 100]
    question: String,
    #[description = "The question"]
    #[max_length = 45]
    label: Option<String>,
    #[description = "How it is answered"] kind: Option<Kind>,
    #[description = "What can be chosen, with bars between: red | green"]
    #[max_length = 2600]
    choices: Option<String>,
    #[description = "Whether it must be answered"] required: Option<bool>,
    #[description = "What stands in the empty field; none takes it away"]
    #[max_length = 100]
    placeholder: Option<String>,
    #[description = "Fewest characters"]
    #[min = 0]
    #[max = 1000]
    min_length: Option<i32>,
    #[description = "Most characters"]
    #[min = 1]
    #[max = 1000]
    max_length: Option<i32>,
) -> Result<(), CommandError> {
    let (data, asked) = (ctx.data(), Asked::command(ctx.data(), ctx.interaction));
    let work = async {
        let (actor, form) = argument::named(data, &asked, &form).await?;
        let id = argument::question(&form, &question)?;
        let change = QuestionChange {
            label,
            kind: kind.map(QuestionKind::from),
            placeholder: placeholder.map(|hint| if argument::is_none(&hint) { String::new() } else { hint }),
            choices: choices.as_deref().map(argument::choices),
            is_required: required,
            min_length,
            max_length,
        };
        let change = FormChange::EditQuestion { id, change };
        let form = form::change_form(data.app.domain(), &actor, (form.guild_id, form.id), change).await?;
        show::reply(data, &asked, &form, "✅ Saved.").await
    };
    asked.answer(Box::pin(work)).await
}

/// Give a question another place
#[poise::command(slash_command, rename = "move")]
async fn move_to(
    ctx: Context<'_>,
    #[description = "Which form"]
    #[autocomplete = "argument::complete_form"]
    #[max_length = 45]
    form: String,
    #[description = "Which question"]
    #[autocomplete = "argument::complete_question"]
    #[max_length = 100]
    question: String,
    #[description = "Its place, from 1"]
    #[min = 1]
    #[max = 25]
    place: usize,
) -> Result<(), CommandError> {
    let (data, asked) = (ctx.data(), Asked::command(ctx.data(), ctx.interaction));
    let work = async {
        let (actor, form) = argument::named(data, &asked, &form).await?;
        let change = FormChange::MoveQuestion { id: argument::question(&form, &question)?, place };
        let form = form::change_form(data.app.domain(), &actor, (form.guild_id, form.id), change).await?;
        show::reply(data, &asked, &form, "✅ Moved.").await
    };
    asked.answer(Box::pin(work)).await
}

/// Take a question out of a form
#[poise::command(slash_command)]
async fn remove(
    ctx: Context<'_>,
    #[description = "Which form"]
    #[autocomplete = "argument::complete_form"]
    #[max_length = 45]
    form: String,
    #[description = "Which question"]
    #[autocomplete = "argument::complete_question"]
    #[max_length = 100]
    question: String,
) -> Result<(), CommandError> {
    let (data, asked) = (ctx.data(), Asked::command(ctx.data(), ctx.interaction));
    let work = async {
        let (actor, form) = argument::named(data, &asked, &form).await?;
        let id = argument::question(&form, &question)?;
        let label = form.config.question(id).map_or("", |question| question.label.as_str());
        let drafts = usize::try_from(form::drafts(data.app.domain(), &actor, &form).await?).unwrap_or(usize::MAX);
        let words = format!(
            "**{}**\n• Its answers in {} are left out\n• Applications that were sent keep theirs",
            text::escape(label, LABEL_MAX),
            card::count(drafts, "draft", "drafts"),
        );
        let ids = [form.id.to_string(), id.to_string()];
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        Ok(Reply::card(card::card("Remove this question?", card::AMBER, words)).row(card::row(vec![
            card::danger("Remove", custom_id(AREA, "drop", &ids)),
            card::button("Cancel", custom_id(AREA, "show", &ids[..1])),
        ])))
    };
    asked.answer(Box::pin(work)).await
}

/// [Remove].
pub(super) async fn dropped(data: &Data, asked: &Asked, press: &Press<'_>) -> Result<Reply, CommandError> {
    let (actor, form) = argument::pressed(data, asked, press).await?;
    let id: FormQuestionId = press.argument(1)?;
    let change = FormChange::RemoveQuestion { id };
    let form = form::change_form(data.app.domain(), &actor, (form.guild_id, form.id), change).await?;
    show::reply(data, asked, &form, "🗑️ Removed.").await
}
