//! `/forms show`, `/forms list`, `/forms preview`: forms as those who make them see them.

use std::fmt::Write as _;

use entity::{form::FormState, form_question::QuestionKind};
use serenity::all::{CreateEmbed, CreateModal};

use super::{AREA, argument, policy};
use crate::{
    discord::{
        Asked, CommandError, Context, Data, Reply, apply,
        component::{Press, custom_id},
        settings::card,
        text,
    },
    domain::form::{self, ANSWER_MAX, Eligibility, FormView, INTRO_MAX, LABEL_MAX, NAME_MAX, Question},
};

/// Longest text of an embed's field.
const FIELD_MAX: usize = 1_000;

/// Show a form: its questions, who may apply, how it is decided
#[poise::command(slash_command)]
pub async fn show(
    ctx: Context<'_>,
    #[description = "Which form"]
    #[autocomplete = "argument::complete_form"]
    #[max_length = 45]
    form: String,
) -> Result<(), CommandError> {
    let (data, asked) = (ctx.data(), Asked::command(ctx.data(), ctx.interaction));
    let work = async {
        let (_, form) = argument::named(data, &asked, &form).await?;
        reply(data, &asked, &form, "").await
    };
    asked.answer(Box::pin(work)).await
}

/// [Show], [Cancel].
pub(super) async fn shown(data: &Data, asked: &Asked, press: &Press<'_>) -> Result<Reply, CommandError> {
    let (_, form) = argument::pressed(data, asked, press).await?;
    reply(data, asked, &form, "").await
}

/// Show the forms of this server
#[poise::command(slash_command)]
pub async fn list(ctx: Context<'_>) -> Result<(), CommandError> {
    let (data, asked) = (ctx.data(), Asked::command(ctx.data(), ctx.interaction));
    let work = async {
        let (actor, guild) = argument::who(&asked).await?;
        let forms = form::forms(data.app.domain(), &actor, guild).await?;
        if forms.is_empty() {
            let create = data.commands.mention("forms create");
            return Ok(Reply::text(format!("This server has no form of its own yet. {create} makes one.")));
        }
        let lines = forms.iter().map(|form| {
            let (sign, word) = state(form.config.state);
            let name = text::escape(&form.config.name, NAME_MAX);
            let questions = card::count(form.config.questions.len(), "question", "questions");
            format!("{sign} **{name}** · {word} · {questions} · changed {}", text::relative(form.updated_at))
        });
        let show = data.commands.mention("forms show");
        let words = format!("{}\n\n{show} shows one of them.", text::lines(lines, card::TEXT_MAX - 200));
        Ok(Reply::card(card::card("Forms of this server", card::BLUE, words)))
    };
    asked.answer(work).await
}

/// Show a form as applicants see it
#[poise::command(slash_command)]
pub async fn preview(
    ctx: Context<'_>,
    #[description = "Which form"]
    #[autocomplete = "argument::complete_form"]
    #[max_length = 45]
    form: String,
) -> Result<(), CommandError> {
    let (data, asked) = (ctx.data(), Asked::command(ctx.data(), ctx.interaction));
    asked.answer(async { Ok(apply::of_preview(&argument::named(data, &asked, &form).await?.1)) }).await
}

/// [Page n] of a preview.
pub(super) async fn preview_page(data: &Data, asked: &Asked, press: &Press<'_>) -> Result<CreateModal, CommandError> {
    let (_, form) = argument::pressed(data, asked, press).await?;
    apply::preview_modal(&form, press.argument(1)?)
}

/// Something was entered into a preview.
pub(super) fn previewed() -> Reply {
    Reply::text("That was a preview: nothing was kept and nothing was sent.")
}

fn state(state: FormState) -> (&'static str, &'static str) {
    match state {
        FormState::Open => ("🟢", "open"),
        FormState::Closed => ("⚪", "closed"),
    }
}

/// A form with what can be done about it.
pub(super) async fn reply(data: &Data, asked: &Asked, form: &FormView, said: &str) -> Result<Reply, CommandError> {
    let (actor, _) = argument::who(asked).await?;
    let panels = form::panels(data.app.domain(), &actor, (form.guild_id, form.id)).await?;
    let links = panels.iter().map(|panel| text::message_link(form.guild_id, panel.channel_id, panel.message_id));
    let posted = text::lines(links, FIELD_MAX);
    let mut embed = embed(data, form);
    if !posted.is_empty() {
        embed = embed.field("Panels", posted, false);
    }
    let id = form.id.to_string();
    let switch = match form.config.state {
        FormState::Open => card::button("Close", custom_id(AREA, "close", &[&id])),
        FormState::Closed => card::primary("Open", custom_id(AREA, "open", &[&id])),
    };
    Ok(Reply::text(said).and_card(embed).row(card::row(vec![
        switch,
        card::button("Edit texts…", custom_id(AREA, "edit", &[&id])),
        card::danger("Delete…", custom_id(AREA, "delete", &[&id])),
    ])))
}

fn embed(data: &Data, form: &FormView) -> CreateEmbed {
    let config = &form.config;
    let (sign, word) = state(config.state);
    let colour = if config.state == FormState::Open { card::GREEN } else { card::BLUE };
    let mut words = format!("{sign} {word}");
    if config.title != config.name {
        let _ = write!(words, " · shown as **{}**", text::escape(&config.title, form::TITLE_MAX));
    }
    let _ = write!(words, "\n{}\n\n", text::escape_lines(&config.intro, INTRO_MAX / 2));
    if config.questions.is_empty() {
        let _ = write!(words, "It asks nothing yet: {} adds a question.", data.commands.mention("forms question add"));
    }
    let questions = config.questions.iter().enumerate().map(|(index, one)| question(index, one));
    words.push_str(&text::lines(questions, card::TEXT_MAX - 1_300));
    card::card(&config.name, colour, words)
        .field("Who may apply", text::bounded(&who(&config.eligibility), FIELD_MAX), false)
        .field("How it is decided", text::bounded(&policy::words(&config.policy), FIELD_MAX), false)
}

fn question(index: usize, question: &Question) -> String {
    let kind = match question.kind {
        QuestionKind::Short => "one line",
        QuestionKind::Paragraph => "several lines",
        QuestionKind::Choice => "choice",
    };
    let optional = if question.is_required { "" } else { ", optional" };
    let mut line = format!("**{}.** {} · {kind}{optional}", index + 1, text::escape(&question.label, LABEL_MAX));
    if question.kind == QuestionKind::Choice {
        let _ = write!(line, " · {}", text::escape(&question.choices.join(" / "), 80));
    } else if (question.min_length, question.max_length) != (0, ANSWER_MAX) {
        let _ = write!(line, " · {} to {} characters", question.min_length, question.max_length);
    }
    line
}

/// Who may apply, in words.
fn who(rules: &Eligibility) -> String {
    let mut lines = Vec::new();
    let mentions = |list: &std::collections::BTreeSet<entity::id::RoleId>| {
        let mentions: Vec<_> = list.iter().map(|role| text::role(*role)).collect();
        mentions.join(" ")
    };
    if !rules.required_roles.is_empty() {
        lines.push(format!("• with {}", mentions(&rules.required_roles)));
    }
    if !rules.blocked_roles.is_empty() {
        lines.push(format!("• without {}", mentions(&rules.blocked_roles)));
    }
    if rules.account_age_seconds > 0 {
        lines.push(format!("• account at least {} old", crate::domain::duration::format(rules.account_age_seconds)));
    }
    if rules.membership_seconds > 0 {
        lines.push(format!("• here for at least {}", crate::domain::duration::format(rules.membership_seconds)));
    }
    if rules.cooldown_seconds > 0 {
        lines.push(format!("• again {} after a rejection", crate::domain::duration::format(rules.cooldown_seconds)));
    }
    lines.push(format!("• at most {} open at once", rules.open_max));
    lines.join("\n")
}
