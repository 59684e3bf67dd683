//! `guildhall users`: people and their roles, on the store directly.

use std::process::ExitCode;

use anyhow::Context as _;
use chrono::SecondsFormat;
use clap::{Subcommand, ValueEnum};
use entity::{
    id::{DiscordUserId, UserId},
    user::{self, Role},
};
use serde_json::json;

use super::{Exit, offline::Offline, output};
use crate::{
    config::Config,
    domain::{access_token, user as users},
    serve,
};

/// What can be asked about people.
#[derive(Debug, Subcommand)]
pub enum UsersCommand {
    /// Make a person and print their id
    Create {
        /// What they may do
        #[arg(long, value_enum, default_value_t = RoleName::Authenticated)]
        role: RoleName,
        /// Their Discord account
        #[arg(long, value_name = "ID")]
        discord: Option<DiscordUserId>,
        /// Print the person as JSON
        #[arg(long)]
        json: bool,
    },
    /// Change what a person may do
    Role {
        /// Their id
        #[arg(value_name = "USER")]
        user: UserId,
        /// What they may do from now on
        #[arg(value_enum)]
        role: RoleName,
        /// Print the person as JSON
        #[arg(long)]
        json: bool,
    },
    /// Print an access token for a person, for scripts and tests
    Token {
        /// Their id
        #[arg(value_name = "USER")]
        user: UserId,
        /// Its life
        #[arg(long, value_name = "SECONDS", default_value_t = access_token::LIFETIME_SECONDS,
            value_parser = clap::value_parser!(i64).range(1..=86_400))]
        seconds: i64,
    },
}

/// A role, as the command line spells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RoleName {
    /// Has signed in, or used a command
    Authenticated,
    /// Is one of the community
    Member,
    /// Administers the installation
    Admin,
}

impl From<RoleName> for Role {
    fn from(name: RoleName) -> Self {
        match name {
            RoleName::Authenticated => Self::Authenticated,
            RoleName::Member => Self::Member,
            RoleName::Admin => Self::Admin,
        }
    }
}

/// Does what is asked.
pub(super) async fn run(config: Config, command: UsersCommand) -> anyhow::Result<ExitCode> {
    let offline = Offline::open(&config).await?;
    let (domain, actor) = (offline.domain(), offline.actor());
    match command {
        UsersCommand::Create { role, discord, json } => {
            let new = users::NewUser { role: role.into(), discord_user_id: discord };
            print(&users::create(domain, actor, new).await?, json)?;
        }
        UsersCommand::Role { user, role, json } => {
            print(&users::set_role(domain, actor, user, role.into()).await?, json)?;
        }
        UsersCommand::Token { user, seconds } => {
            config.require_shared_secrets()?;
            let keys = serve::signing_keys(&config).context(Exit::Failed)?;
            let domain = domain.clone().with_signing_keys(keys);
            let row = users::user(&domain, actor, user).await?;
            let session = offline.ids().uuid();
            let token = access_token::sign(&domain, &row, session, None, seconds);
            output::print(&format!("{}\n", token.expose()))?;
        }
    }
    offline.close().await;
    Ok(Exit::Done.into())
}

fn print(row: &user::Model, json: bool) -> std::io::Result<()> {
    let role = role_name(row.role);
    if !json {
        return output::print(&format!("{}  {role}\n", row.id));
    }
    let time = |at: chrono::DateTime<chrono::Utc>| at.to_rfc3339_opts(SecondsFormat::Millis, true);
    let value = json!({
        "id": row.id, "role": role, "disabledAt": row.disabled_at.map(time),
        "createdAt": time(row.created_at), "updatedAt": time(row.updated_at),
    });
    output::print(&format!("{value:#}\n"))
}

fn role_name(role: Role) -> &'static str {
    match role {
        Role::Authenticated => "authenticated",
        Role::Member => "member",
        Role::Admin => "admin",
    }
}
