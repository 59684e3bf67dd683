use std::io::{self, ErrorKind, Write};

use anyhow::Context;
use clap::CommandFactory;

use super::*;
use crate::config::Setting;

fn parse(line: &str) -> Result<Cli, clap::Error> {
    Cli::try_parse_from(line.split_whitespace())
}

fn settings(sources: &Sources) -> Vec<Setting> {
    let config = Config::load(sources).ok().unwrap();
    config.describe().to_vec()
}

#[test]
fn the_command_line_is_sound() {
    Cli::command().debug_assert();
}

#[test]
fn serving_needs_no_command_and_the_file_can_be_named_on_either_side() {
    assert!(parse("guildhall").unwrap().command.is_none());
    for line in ["guildhall --config a.toml serve", "guildhall serve --config a.toml"] {
        let cli = parse(line).unwrap();
        assert!(matches!(cli.command, Some(Command::Serve)));
        assert_eq!(cli.config, Some(PathBuf::from("a.toml")));
    }
}

#[test]
fn every_command_is_understood() {
    for line in [
        "guildhall migrate",
        "guildhall config check",
        "guildhall config show",
        "guildhall openapi",
        "guildhall doctor",
        "guildhall doctor --json",
        "guildhall backup copy.db",
        "guildhall completions zsh",
    ] {
        assert!(parse(line).is_ok(), "{line}");
    }
}

#[test]
fn a_wrong_command_line_is_an_error_of_usage_and_help_is_not() {
    for line in ["guildhall srve", "guildhall config", "guildhall backup", "guildhall --port 1"] {
        assert!(parse(line).unwrap_err().use_stderr(), "{line}");
    }
    for line in ["guildhall --help", "guildhall --version"] {
        assert!(!parse(line).unwrap_err().use_stderr(), "{line}");
    }
}

#[test]
fn help_names_every_variable_and_exit_code() {
    let help = Cli::command().render_long_help().to_string();
    for word in [
        "DATABASE_URL",
        "PORT",
        "API_KEY",
        "JWT_SECRET",
        "ADMIN_SECRET_KEY",
        "ALLOWED_ORIGINS",
        "DISCORD_TOKEN",
        "RUST_LOG",
        "GUILDHALL_CONFIG",
        "GUILDHALL_HTTP__HOST",
        "_FILE",
        "Exit codes",
        "Examples",
    ] {
        assert!(help.contains(word), "{word}");
    }
}

#[test]
fn errors_choose_the_exit_code() {
    let plain = anyhow::anyhow!("no");
    assert_eq!(Exit::of(&plain).code(), 1);
    let database = Err::<(), _>(anyhow::anyhow!("locked")).context(Exit::Database).unwrap_err();
    assert_eq!(Exit::of(&database).code(), 4);
    assert_eq!(format!("{database:#}"), "the database cannot be used: locked");
    let wrapped = database.context("cannot start");
    assert_eq!(Exit::of(&wrapped), Exit::Database);
    let sources = Sources::new("nowhere").variable("PORT", "x");
    let settings: anyhow::Error = Config::load(&sources).err().unwrap().into();
    assert_eq!(Exit::of(&settings.context("cannot start")).code(), 3);
}

#[test]
fn settings_are_listed_in_the_notation_of_the_file_with_secrets_masked() {
    let key = "k".repeat(32);
    let sources = Sources::new("nowhere")
        .variable("PORT", "8080")
        .variable("DATABASE_URL", "postgres://ada:hunter2@db/hall")
        .variable("API_KEY", key.as_str());
    let settings = settings(&sources);
    let listing = settings::listing(&settings);
    assert!(listing.contains("port = 8080  # environment variable PORT\n"), "{listing}");
    assert!(listing.contains("\n# API_KEY: ***  # environment variable API_KEY\n"), "{listing}");
    assert!(listing.contains("\n# DISCORD_TOKEN: not set\n"), "{listing}");
    assert!(!listing.contains("hunter2") && !listing.contains(&key), "{listing}");
    assert!(toml::from_str::<toml::Table>(&listing).is_ok(), "{listing}");
    let summary = settings::summary(&settings);
    assert!(summary.contains("  database.url = \"postgres://ada:***@db/hall\""), "{summary}");
    assert_eq!(summary.lines().count(), 4, "{summary}");
}

#[test]
fn completions_are_written_for_each_shell() {
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish, Shell::PowerShell, Shell::Elvish] {
        assert!(completions::script(shell).contains("doctor"));
    }
}

#[test]
fn a_closed_pipe_is_no_failure_and_a_full_disk_is() {
    struct Failing(ErrorKind);
    impl Write for Failing {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    assert!(output::print_to(&mut Failing(ErrorKind::BrokenPipe), "x").is_ok());
    assert!(output::print_to(&mut Failing(ErrorKind::StorageFull), "x").is_err());
}
