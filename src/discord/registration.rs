//! Telling Discord which commands there are: only when the list has changed.

use std::collections::BTreeMap;

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{CommandError, commands, practice};
use crate::{
    discord_api::{DiscordApi, Lane},
    domain::{Domain, instance},
};

/// The ids that Discord gave our commands.
#[derive(Clone, Debug, Default)]
pub struct Commands {
    ids: BTreeMap<String, String>,
}

impl Commands {
    /// A clickable mention of a command such as `vanish set`; plain text while its id is unknown.
    pub fn mention(&self, command: &str) -> String {
        let top = command.split(' ').next().unwrap_or(command);
        match self.ids.get(top) {
            Some(id) => format!("</{command}:{id}>"),
            None => format!("`/{command}`"),
        }
    }
}

/// The commands as Discord is told. What works only for a bot that sees members is there only for one.
pub fn command_list(sees_members: bool) -> Value {
    let mut commands = commands();
    if !sees_members {
        practice::without_role_filter(&mut commands);
    }
    poise::set_qualified_names(&mut commands);
    serde_json::to_value(poise::builtins::create_application_commands(&commands)).unwrap_or(Value::Null)
}

/// Registers the commands globally unless Discord has this very list already; returns their ids.
pub async fn register_if_changed(
    domain: &Domain,
    api: &DiscordApi,
    application_id: u64,
    sees_members: bool,
) -> Result<Commands, CommandError> {
    let list = command_list(sees_members);
    let digest = format!("{application_id}:{}", instance::hex(&Sha256::digest(list.to_string())));
    let known = instance::value(domain, instance::COMMANDS_DIGEST).await?;
    if known.as_ref() == Some(&digest)
        && let Some(ids) = instance::value(domain, instance::COMMAND_IDS).await?
        && let Ok(ids) = serde_json::from_str(&ids)
    {
        tracing::debug!("the commands have not changed");
        return Ok(Commands { ids });
    }
    let registered = api.bulk_overwrite_global_commands(application_id, &list, Lane::Interactive).await?;
    let ids: BTreeMap<String, String> =
        registered.into_iter().map(|command| (command.name, command.id.to_string())).collect();
    instance::set_value(domain, instance::COMMAND_IDS, serde_json::json!(ids).to_string()).await?;
    instance::set_value(domain, instance::COMMANDS_DIGEST, digest).await?;
    tracing::info!(commands = ids.len(), "registered the commands");
    Ok(Commands { ids })
}
