//! `/forms export` and `/forms import`: a form as a file.

use serenity::all::Attachment;

use super::argument;
use crate::{
    discord::{
        Asked, CommandError, Context, Reply,
        settings::{plan, transfer},
        text,
    },
    discord_api::Attachment as File,
    domain::{self, form},
};

/// An example of what to do about a bad file.
const EXAMPLE: &str = "/forms export, then change that file";

/// A form as a file
#[poise::command(slash_command)]
pub async fn export(
    ctx: Context<'_>,
    #[description = "Which form"]
    #[autocomplete = "argument::complete_form"]
    #[max_length = 45]
    form: String,
) -> Result<(), CommandError> {
    let (data, asked) = (ctx.data(), Asked::command(ctx.data(), ctx.interaction));
    let work = async {
        let (_, form) = argument::named(data, &asked, &form).await?;
        let document = form::export(&form)?;
        let bytes = serde_json::to_vec_pretty(&document).map_err(domain::Error::from)?;
        let import = data.commands.mention("forms import");
        let said = format!(
            "The form **{}**. {import} reads it back, here or in another server, with a preview.",
            text::escape(&form.config.name, form::NAME_MAX)
        );
        let filename = format!("guildhall-form-{}.json", form.id);
        let description = Some("A form as JSON".to_owned());
        Ok(Reply::text(said).file(File { filename, bytes, description }))
    };
    asked.answer(work).await
}

/// Read an exported form back, with a preview of what changes
#[poise::command(slash_command)]
pub async fn import(
    ctx: Context<'_>,
    #[description = "A JSON file from /forms export"] file: Attachment,
) -> Result<(), CommandError> {
    let (data, asked) = (ctx.data(), Asked::command(ctx.data(), ctx.interaction));
    let work = async {
        let (actor, guild) = argument::who(&asked).await?;
        let bytes = transfer::fetch(data, &file, EXAMPLE).await?;
        let planned = form::plan_import(data.app.domain(), &actor, guild, &bytes).await.map_err(inert)?;
        plan::preview(data, &asked, plan::Kind::Form, planned.into_iter().collect()).await
    };
    asked.answer(Box::pin(work)).await
}

/// What a file holds comes back in the complaint about it, and must not become formatting.
fn inert(error: domain::Error) -> CommandError {
    match error {
        domain::Error::Refused(refusal) if refusal.code() == "form.bad_file" => {
            CommandError::Input { problem: text::escape(&refusal.to_string(), 600), example: EXAMPLE }
        }
        other => other.into(),
    }
}
