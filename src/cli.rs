//! The command line: what can be asked for, and how the answer becomes an exit code.

use std::fmt;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use clap_complete::Shell;

use crate::config::{Config, ConfigError, Sources};
use keys::KeysCommand;
use users::UsersCommand;

mod backup;
mod completions;
mod doctor;
mod keys;
mod migrate;
mod offline;
mod openapi;
pub mod output;
mod serve;
mod settings;
mod users;

const EXAMPLES: &str = "\
Examples:
  guildhall                          Start with SQLite in this folder; prints the root key once
  PORT=8080 guildhall serve          The same on another port
  DISCORD_TOKEN_FILE=token guildhall Start the bot too, with its token read from a file
  guildhall config check             Find every wrong setting without starting
  guildhall doctor --json            Check database and Discord, for a monitor to read
  guildhall keys create --type admin --name me
                                     Make an API key that may do everything, and print it once
  guildhall backup backup.db         Copy a SQLite database while it is in use";

const ENVIRONMENT: &str = "\
Settings, each layer over the one before:
  built-in defaults, then the file (--config, GUILDHALL_CONFIG, or ./config.toml when there is
  one), then the environment, which a .env file in the working folder adds to.

Environment:
  DATABASE_URL        sqlite://FILE or postgres://USER@HOST/NAME   [sqlite://guildhall.db]
  PORT                TCP port; 0 picks a free one                 [3003]
  ALLOWED_ORIGINS     Web origins that may call, comma separated   [none]
  API_KEY             Root key, at least 32 characters             [made on first start]
  JWT_SECRET          Signs sessions, at least 32 bytes            [made on first start]
  JWT_SECRET_PREVIOUS The one before it, which still verifies      [none]
  ADMIN_SECRET_KEY    Opens administration, at least 16 characters [off]
  DISCORD_TOKEN       The bot's token                              [Discord is off]
  DISCORD_CLIENT_SECRET
                      The application's secret, to sign in with  [off]
  RUST_LOG            Log directives, over log.level               [info]
  GUILDHALL_CONFIG    The settings file
  GUILDHALL_<SECTION>__<KEY>
                      Any key of config.toml, such as GUILDHALL_HTTP__HOST=0.0.0.0
  DATABASE_URL_FILE, API_KEY_FILE, JWT_SECRET_FILE, JWT_SECRET_PREVIOUS_FILE,
  ADMIN_SECRET_KEY_FILE, DISCORD_TOKEN_FILE, DISCORD_CLIENT_SECRET_FILE
                      Read the value from a file instead

Logs go to standard error; standard output holds what a command prints.

Exit codes:
  0  done        1  failed, or the doctor found a breach    2  wrong usage
  3  settings    4  database                                5  Discord refused the token";

/// A self-hosted Discord bot with an integrated control plane, in one binary.
///
/// Without a command it serves: it opens the database (a SQLite file in the working folder unless
/// told otherwise), migrates it, answers HTTP, and runs the bot once it has a token.
#[derive(Debug, Parser)]
#[command(
    name = "guildhall",
    version,
    after_help = EXAMPLES,
    after_long_help = format!("{EXAMPLES}\n\n{ENVIRONMENT}"),
    max_term_width = 100
)]
pub struct Cli {
    /// Settings file to read instead of ./config.toml
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// What to do; serves when left out
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What can be asked for.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the control plane and, with a token, the bot (the default)
    Serve,
    /// Bring the database to this program's schema and exit
    Migrate,
    /// Check or show the settings
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Make people and choose what they may do
    #[command(subcommand)]
    Users(UsersCommand),
    /// Make, list, replace, revoke and import API keys, and see how often they are used
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Print the OpenAPI document of the HTTP API
    Openapi,
    /// Check database, token and permissions; exit 1 on a breach
    Doctor {
        /// Print the report as JSON
        #[arg(long)]
        json: bool,
    },
    /// Copy a SQLite database to FILE while it is in use; on PostgreSQL, name the tool to use
    Backup {
        /// The copy to write; it must not exist
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Print a completion script for a shell
    Completions {
        /// The shell that will read the script
        shell: Shell,
    },
}

/// What can be asked about settings.
#[derive(Debug, Clone, Copy, Subcommand)]
pub enum ConfigCommand {
    /// Name every wrong setting, exit 3 if there is one
    Check,
    /// Print every setting with its origin, secrets masked
    Show,
}

/// How the program ends; attach it to an error with `.context(Exit::Database)` to choose the code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// 0: what was asked for is done.
    Done,
    /// 1: it failed, or the doctor found a breach.
    Failed,
    /// 2: the command line makes no sense.
    Usage,
    /// 3: a setting is wrong.
    Settings,
    /// 4: the database cannot be opened or migrated.
    Database,
    /// 5: Discord refused the token.
    DiscordRefused,
}

impl Exit {
    /// The code that the process ends with.
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Settings => 3,
            Self::Database => 4,
            Self::DiscordRefused => 5,
        }
    }

    /// The code for an error: the one attached to it, else the one its kind stands for.
    pub fn of(error: &anyhow::Error) -> Self {
        if let Some(exit) = error.downcast_ref::<Self>() {
            return *exit;
        }
        let wrong_setting = error.chain().any(<dyn std::error::Error>::is::<ConfigError>);
        if wrong_setting { Self::Settings } else { Self::Failed }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// Stands before the cause when it is attached to an error.
impl fmt::Display for Exit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Usage => "wrong usage",
            Self::Settings => "wrong settings",
            Self::Database => "the database cannot be used",
            Self::DiscordRefused => "Discord refused the token",
        })
    }
}

/// Does what the command line asks for and turns the outcome into an exit code.
pub async fn run(cli: Cli) -> ExitCode {
    match dispatch(cli).await {
        Ok(code) => code,
        Err(error) => {
            output::complain(&format!("error: {error:#}\n"));
            Exit::of(&error).into()
        }
    }
}

/// Prints help, the version or a complaint about the command line.
pub fn refuse(error: &clap::Error) -> ExitCode {
    // A closed pipe is the reader's choice, and there is nobody else to tell.
    let _ = error.print();
    if error.use_stderr() { Exit::Usage.into() } else { Exit::Done.into() }
}

async fn dispatch(cli: Cli) -> anyhow::Result<ExitCode> {
    let command = cli.command.unwrap_or(Command::Serve);
    if let Command::Completions { shell } = command {
        return completions::run(shell);
    }
    let config = Config::load(&Sources::from_process(cli.config)?)?;
    match command {
        Command::Serve => serve::run(config).await,
        Command::Migrate => migrate::run(config).await,
        Command::Config(ConfigCommand::Check) => settings::check(&config),
        Command::Config(ConfigCommand::Show) => settings::show(&config),
        Command::Users(command) => users::run(config, command).await,
        Command::Keys(command) => keys::run(config, command).await,
        Command::Openapi => openapi::run(),
        Command::Doctor { json } => doctor::run(config, json).await,
        Command::Backup { file } => backup::run(config, file).await,
        Command::Completions { shell } => completions::run(shell),
    }
}

#[cfg(test)]
mod tests;
