//! `/settings export` and `/settings import`: all settings of a server as a file.

use serenity::all::Attachment;

use super::plan;
use crate::{
    discord::{Asked, CommandError, Context, Data, Reply, text},
    discord_api::{self, Attachment as File, FETCHED_BYTES_MAX},
    domain::{self, Right, history},
};

/// An example of what to do about a bad file.
const EXAMPLE: &str = "/settings export, then change that file";

/// All settings of this server as a file
#[poise::command(slash_command)]
pub async fn export(ctx: Context<'_>) -> Result<(), CommandError> {
    let asked = Asked::command(ctx.data(), ctx.interaction);
    asked.answer(export_file(ctx.data(), &asked)).await
}

async fn export_file(data: &Data, asked: &Asked) -> Result<Reply, CommandError> {
    let guild = asked.member()?.guild_id;
    let document = history::export(data.app.domain(), &asked.actor().await?, guild).await?;
    let mut bytes = serde_json::to_vec_pretty(&document).map_err(domain::Error::from)?;
    if bytes.len() > history::IMPORT_BYTES_MAX {
        bytes = document.to_string().into_bytes();
    }
    let import = data.commands.mention("settings import");
    let mut said = format!("All settings of this server. {import} reads the file back, with a preview.");
    if bytes.len() > history::IMPORT_BYTES_MAX {
        said.push_str("\n⚠️ It is larger than what can be imported: split it by its parts first.");
    }
    let filename = format!("guildhall-settings-{guild}.json");
    let description = Some("The settings of this server as JSON".to_owned());
    Ok(Reply::text(said).file(File { filename, bytes, description }))
}

/// Read an exported file back, with a preview of what changes
#[poise::command(slash_command)]
pub async fn import(
    ctx: Context<'_>,
    #[description = "A JSON file from /settings export"] file: Attachment,
) -> Result<(), CommandError> {
    let asked = Asked::command(ctx.data(), ctx.interaction);
    asked.answer(import_file(ctx.data(), &asked, &file)).await
}

async fn import_file(data: &Data, asked: &Asked, file: &Attachment) -> Result<Reply, CommandError> {
    let guild = asked.member()?.guild_id;
    let actor = asked.actor().await?;
    actor.require(Right::ManageSettings, Some(guild))?;
    let bytes = fetch(data, file, EXAMPLE).await?;
    let planned = history::plan_import(data.app.domain(), &actor, guild, &bytes).await.map_err(inert)?;
    plan::preview(data, asked, plan::Kind::Import, planned).await
}

/// The content of a file that somebody attached; `example` says what to do about one that cannot be read.
pub async fn fetch(data: &Data, file: &Attachment, example: &'static str) -> Result<Vec<u8>, CommandError> {
    if usize::try_from(file.size).is_ok_and(|size| size > FETCHED_BYTES_MAX) {
        let problem = format!("The file has more than {} KiB", FETCHED_BYTES_MAX / 1024);
        return Err(CommandError::Input { problem, example });
    }
    data.api.fetch_attachment(&file.url).await.map_err(|error| match error {
        discord_api::Error::Invalid { reason } => {
            CommandError::Input { problem: format!("I could not read the file: {reason}"), example }
        }
        other => other.into(),
    })
}

/// What a file holds comes back in the complaint about it, and must not become formatting.
fn inert(error: domain::Error) -> CommandError {
    match error {
        domain::Error::Refused(refusal) if refusal.code().starts_with("import.") => {
            CommandError::Input { problem: text::escape(&refusal.to_string(), 600), example: EXAMPLE }
        }
        other => other.into(),
    }
}
