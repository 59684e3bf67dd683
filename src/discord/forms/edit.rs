//! Making forms, their texts, opening and closing, deleting.

use entity::form::FormState;
use serenity::all::{CreateActionRow, CreateInputText, CreateModal, InputTextStyle};

use super::{AREA, argument, show};
use crate::{
    discord::{
        Asked, CommandError, Context, Data, Reply,
        component::{Press, custom_id},
        settings::card,
        text,
    },
    domain::form::{self, FormChange, FormConfig, FormView, INTRO_MAX, NAME_MAX, TITLE_MAX},
};

/// Make a form; it stays closed until you open it
#[poise::command(slash_command)]
pub async fn create(
    ctx: Context<'_>,
    #[description = "As you call it"]
    #[max_length = 45]
    name: String,
    #[description = "What stands above it; the name unless you say otherwise"]
    #[max_length = 45]
    title: Option<String>,
    #[description = "What people read before they begin"]
    #[max_length = 1000]
    intro: Option<String>,
) -> Result<(), CommandError> {
    let (data, asked) = (ctx.data(), Asked::command(ctx.data(), ctx.interaction));
    let work = async {
        let (actor, guild) = argument::who(&asked).await?;
        let config = FormConfig::new(&name, title.as_deref(), intro.as_deref());
        let form = form::create_form(data.app.domain(), &actor, guild, config).await?;
        let [add, open] = ["forms question add", "forms open"].map(|name| data.commands.mention(name));
        let said = format!("✅ Made. {add} adds what it asks, {open} lets people apply.");
        show::reply(data, &asked, &form, &said).await
    };
    asked.answer(Box::pin(work)).await
}

/// Change a form's name, title and introduction
#[poise::command(slash_command)]
pub async fn edit(
    ctx: Context<'_>,
    #[description = "Which form"]
    #[autocomplete = "argument::complete_form"]
    #[max_length = 45]
    form: String,
) -> Result<(), CommandError> {
    let (data, asked) = (ctx.data(), Asked::command(ctx.data(), ctx.interaction));
    asked.open(async { Ok(modal(&argument::named(data, &asked, &form).await?.1)) }).await
}

/// [Edit…].
pub(super) async fn form(data: &Data, asked: &Asked, press: &Press<'_>) -> Result<CreateModal, CommandError> {
    Ok(modal(&argument::pressed(data, asked, press).await?.1))
}

fn modal(form: &FormView) -> CreateModal {
    let config = &form.config;
    let most = |length: usize| u16::try_from(length).unwrap_or(u16::MAX);
    let intro = CreateInputText::new(InputTextStyle::Paragraph, "What people read before they begin", "intro")
        .value(&config.intro)
        .required(false)
        .max_length(most(INTRO_MAX));
    let title = card::input("What stands above it", "title", &config.title, most(TITLE_MAX));
    let name = card::input("As you call it", "name", &config.name, most(NAME_MAX));
    let rows = [name, title, intro].map(CreateActionRow::InputText);
    CreateModal::new(custom_id(AREA, "edited", &[&form.id.to_string()]), "Edit a form").components(rows.to_vec())
}

/// The modal was sent.
pub(super) async fn edited(data: &Data, asked: &Asked, press: &Press<'_>) -> Result<Reply, CommandError> {
    let (actor, form) = argument::pressed(data, asked, press).await?;
    let entered = |name: &str| Some(press.input(name).to_owned());
    let change = FormChange::Texts { name: entered("name"), title: entered("title"), intro: entered("intro") };
    let form = form::change_form(data.app.domain(), &actor, (form.guild_id, form.id), change).await?;
    show::reply(data, asked, &form, "✅ Saved.").await
}

/// Let people apply with a form
#[poise::command(slash_command)]
pub async fn open(
    ctx: Context<'_>,
    #[description = "Which form"]
    #[autocomplete = "argument::complete_form"]
    #[max_length = 45]
    form: String,
) -> Result<(), CommandError> {
    let (data, asked) = (ctx.data(), Asked::command(ctx.data(), ctx.interaction));
    let work = async {
        let (actor, form) = argument::named(data, &asked, &form).await?;
        switch(data, &asked, (&actor, &form), FormState::Open).await
    };
    asked.answer(Box::pin(work)).await
}

/// Take no more applications with a form; drafts stay
#[poise::command(slash_command)]
pub async fn close(
    ctx: Context<'_>,
    #[description = "Which form"]
    #[autocomplete = "argument::complete_form"]
    #[max_length = 45]
    form: String,
) -> Result<(), CommandError> {
    let (data, asked) = (ctx.data(), Asked::command(ctx.data(), ctx.interaction));
    let work = async {
        let (actor, form) = argument::named(data, &asked, &form).await?;
        switch(data, &asked, (&actor, &form), FormState::Closed).await
    };
    asked.answer(Box::pin(work)).await
}

/// [Open], [Close].
pub(super) async fn switched(data: &Data, asked: &Asked, press: &Press<'_>) -> Result<Reply, CommandError> {
    let (actor, form) = argument::pressed(data, asked, press).await?;
    let state = if press.verb == "open" { FormState::Open } else { FormState::Closed };
    switch(data, asked, (&actor, &form), state).await
}

async fn switch(
    data: &Data,
    asked: &Asked,
    (actor, form): (&crate::domain::Actor, &FormView),
    state: FormState,
) -> Result<Reply, CommandError> {
    let place = (form.guild_id, form.id);
    let form = form::change_form(data.app.domain(), actor, place, FormChange::State(state)).await?;
    let said = match state {
        FormState::Open => {
            let panel = data.commands.mention("forms panel post");
            format!(
                "✅ Open: {} offers it to everybody. {panel} posts a button for it.",
                data.commands.mention("apply")
            )
        }
        FormState::Closed => "✅ Closed: nobody can send an application. Drafts and open applications stay.".to_owned(),
    };
    show::reply(data, asked, &form, &said).await
}

/// [Delete…]: what would go.
pub(super) async fn delete(data: &Data, asked: &Asked, press: &Press<'_>) -> Result<Reply, CommandError> {
    let (actor, form) = argument::pressed(data, asked, press).await?;
    let domain = data.app.domain();
    let drafts = usize::try_from(form::drafts(domain, &actor, &form).await?).unwrap_or(usize::MAX);
    let panels = form::panels(domain, &actor, (form.guild_id, form.id)).await?.len();
    let words = format!(
        "• {} and what people have written in {} go\n• {} of the form stay where they are, and their button says that \
         the form is gone\n• Applications that were sent stay, and are decided as they would have been\n\
         {} brings the form back, without the drafts.",
        card::count(form.config.questions.len(), "question", "questions"),
        card::count(drafts, "draft", "drafts"),
        card::count(panels, "panel", "panels"),
        data.commands.mention("settings history"),
    );
    let title = format!("Delete the form “{}”?", text::bounded(&form.config.name, NAME_MAX));
    let id = form.id.to_string();
    Ok(Reply::card(card::card(&title, card::AMBER, words)).row(card::row(vec![
        card::danger("Delete", custom_id(AREA, "deleted", &[&id])),
        card::button("Cancel", custom_id(AREA, "show", &[&id])),
    ])))
}

/// [Delete].
pub(super) async fn deleted(data: &Data, asked: &Asked, press: &Press<'_>) -> Result<Reply, CommandError> {
    let (actor, form) = argument::pressed(data, asked, press).await?;
    form::remove_form(data.app.domain(), &actor, (form.guild_id, form.id)).await?;
    let name = text::escape(&form.config.name, NAME_MAX);
    Ok(Reply::text(format!(
        "🗑️ The form **{name}** is gone. {} brings it back.",
        data.commands.mention("settings history")
    )))
}
