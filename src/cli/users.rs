//! `guildhall users`: people and their roles, on the store directly.

mod password;

use std::process::ExitCode;

use anyhow::Context as _;
use chrono::SecondsFormat;
use clap::{Subcommand, ValueEnum};
use entity::{
    id::{DiscordUserId, UserId},
    identity,
    user::{self, Role},
};
use serde_json::{Value, json};

use super::{Exit, offline::Offline, output};
use crate::{
    config::Config,
    domain::{
        access_token, sign_in,
        user::{self as users, UserFilter, UserPage, UserView},
        vanish::PageRequest,
    },
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
    /// List people, the newest first
    List {
        /// Only those of this role
        #[arg(long, value_enum)]
        role: Option<RoleName>,
        /// Most people to print
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u64).range(1..=10_000))]
        limit: u64,
        /// People to pass over
        #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u64).range(0..=1_000_000_000))]
        offset: u64,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show a person and their accounts
    Show {
        /// Their id, also one from before a merge
        #[arg(value_name = "USER")]
        user: UserId,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Keep a person out, from their next request on
    Disable {
        /// Their id
        #[arg(value_name = "USER")]
        user: UserId,
    },
    /// Let a person in again who was disabled or deleted
    Enable {
        /// Their id
        #[arg(value_name = "USER")]
        user: UserId,
    },
    /// Make two people one; the source's id leads to the target afterwards
    Merge {
        /// Who becomes the other one
        #[arg(value_name = "SOURCE")]
        source: UserId,
        /// Who stays
        #[arg(value_name = "TARGET")]
        target: UserId,
    },
    /// Print everything that is held about a person, as JSON
    Export {
        /// Their id
        #[arg(value_name = "USER")]
        user: UserId,
    },
    /// Forget a person for good
    Erase {
        /// Their id
        #[arg(value_name = "USER")]
        user: UserId,
        /// Needed, because it cannot be undone
        #[arg(long, required = true)]
        yes: bool,
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
    /// Give a person another password and end their sessions; prints it once where it is made up
    Password {
        /// Their id, or their e-mail address
        #[arg(value_name = "USER")]
        user: String,
        /// Read the password from the first line of standard input instead of making one up
        #[arg(long)]
        stdin: bool,
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
        UsersCommand::List { role, limit, offset, json } => {
            let filter = role.map_or(UserFilter::All, |role| UserFilter::Role(role.into()));
            print_list(&users::users(domain, actor, filter, PageRequest { limit, offset }).await?, json)?;
        }
        UsersCommand::Show { user, json } => print_person(&users::get(domain, actor, user).await?, json)?,
        UsersCommand::Disable { user } => print(&users::set_disabled(domain, actor, user, true).await?, false)?,
        UsersCommand::Enable { user } => print(&users::set_disabled(domain, actor, user, false).await?, false)?,
        UsersCommand::Merge { source, target } => {
            let merged = users::merge(domain, actor, source, target).await?;
            output::print(&format!("{}  {} identities moved\n", merged.target.id, merged.identities))?;
        }
        UsersCommand::Export { user } => {
            output::print(&format!("{:#}\n", users::export(domain, actor, user).await?))?;
        }
        UsersCommand::Erase { user, yes: _ } => {
            users::erase(domain, actor, user).await?;
            output::print(&format!("{user}  erased\n"))?;
        }
        UsersCommand::Role { user, role, json } => {
            print(&users::set_role(domain, actor, user, role.into()).await?, json)?;
        }
        UsersCommand::Password { user, stdin } => password::set(domain, actor, &user, stdin).await?,
        UsersCommand::Token { user, seconds } => {
            config.require_shared_secrets()?;
            let keys = serve::signing_keys(&config).context(Exit::Failed)?;
            let domain = domain.clone().with_signing_keys(keys);
            let token = sign_in::issue_access_token(&domain, actor, user, seconds, None).await?;
            output::print(&format!("{}\n", token.expose()))?;
        }
    }
    offline.close().await;
    Ok(Exit::Done.into())
}

fn print_list(page: &UserPage, json: bool) -> std::io::Result<()> {
    if json {
        let people: Vec<Value> = page.rows.iter().map(person_json).collect();
        return output::print(&format!("{:#}\n", json!({ "users": people, "total": page.total })));
    }
    for view in &page.rows {
        let accounts: Vec<String> = view.identities.iter().map(account).collect();
        output::print(&format!("{}  {:<13}  {}\n", view.row.id, role_name(view.row.role), accounts.join(" ")))?;
    }
    output::print(&format!("{} of {}\n", page.rows.len(), page.total))
}

fn print_person(view: &UserView, json: bool) -> std::io::Result<()> {
    if json {
        return output::print(&format!("{:#}\n", person_json(view)));
    }
    let state = if view.row.disabled_at.is_some() { "  disabled" } else { "" };
    output::print(&format!("{}  {}{state}\n", view.row.id, role_name(view.row.role)))?;
    for identity in &view.identities {
        let primary = if identity.is_primary { "  primary" } else { "" };
        output::print(&format!("  {}{primary}\n", account(identity)))?;
    }
    Ok(())
}

fn account(row: &identity::Model) -> String {
    format!("{}:{}", users::platform_name(row.platform), row.identity)
}

fn person_json(view: &UserView) -> Value {
    let identities: Vec<Value> = view
        .identities
        .iter()
        .map(|one| {
            json!({
                "platform": users::platform_name(one.platform), "identity": one.identity, "isPrimary": one.is_primary,
            })
        })
        .collect();
    let mut value = row_json(&view.row);
    value["identities"] = identities.into();
    value
}

fn print(row: &user::Model, json: bool) -> std::io::Result<()> {
    let role = role_name(row.role);
    if !json {
        return output::print(&format!("{}  {role}\n", row.id));
    }
    output::print(&format!("{:#}\n", row_json(row)))
}

fn row_json(row: &user::Model) -> Value {
    let time = |at: chrono::DateTime<chrono::Utc>| at.to_rfc3339_opts(SecondsFormat::Millis, true);
    json!({
        "id": row.id, "role": role_name(row.role), "disabledAt": row.disabled_at.map(time),
        "createdAt": time(row.created_at), "updatedAt": time(row.updated_at),
    })
}

fn role_name(role: Role) -> &'static str {
    match role {
        Role::Authenticated => "authenticated",
        Role::Member => "member",
        Role::Admin => "admin",
    }
}
