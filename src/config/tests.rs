use std::path::Path;

use tempfile::TempDir;
use toml_edit::Document;

use super::*;

mod layering;
mod values;

/// A working folder with nothing in it.
fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// A working folder with a `config.toml`.
fn with_file(text: &str) -> TempDir {
    let folder = folder();
    std::fs::write(folder.path().join("config.toml"), text).unwrap();
    folder
}

fn sources(folder: &TempDir) -> Sources {
    Sources::new(folder.path())
}

fn load(sources: &Sources) -> Config {
    match Config::load(sources) {
        Ok(config) => config,
        Err(error) => panic!("{error}"),
    }
}

/// The problems that a file leads to, as they are printed.
fn refused_file(text: &str) -> Vec<String> {
    let folder = with_file(text);
    refused(&sources(&folder))
}

/// The problems that variables lead to, as they are printed.
fn refused_variables(variables: &[(&str, &str)]) -> Vec<String> {
    refused(&variables_of(&folder(), variables))
}

fn variables_of(folder: &TempDir, variables: &[(&str, &str)]) -> Sources {
    variables.iter().fold(sources(folder), |sources, (name, value)| sources.variable(*name, *value))
}

fn refused(sources: &Sources) -> Vec<String> {
    let error = Config::load(sources).err().expect("must be refused");
    error.problems().iter().map(ToString::to_string).collect()
}

#[test]
fn the_compiled_in_file_holds_every_key_each_with_a_comment() {
    let document = Document::parse(DEFAULTS).unwrap();
    let mut keys = 0;
    for (section, item) in document.iter() {
        let table = item.as_table().expect("only sections at the top");
        for (name, item) in table {
            let path = format!("{section}.{name}");
            assert!(item.as_value().and_then(catalogue::plain).is_some(), "{path} has a kind that settings know");
            let comment = table.key(name).unwrap().leaf_decor().prefix().unwrap();
            let comment = &DEFAULTS[comment.span().unwrap()];
            assert!(comment.trim().starts_with("# "), "{path} has a comment");
            assert_eq!(comment.trim().lines().count(), 1, "{path} has one comment");
            if item.is_integer() {
                let bounds = rules::BOUNDS.iter().find(|(key, _, _)| *key == path);
                let (_, least, greatest) = bounds.unwrap_or_else(|| panic!("{path} has bounds"));
                assert!(comment.contains(&format!("{least} to {greatest}")), "{path}: {comment}");
            }
            keys += 1;
        }
    }
    // Unknown keys and missing ones both fail to deserialize, so that file and types agree.
    let config = load(&sources(&folder()));
    assert_eq!(config.describe().len(), keys + catalogue::SECRETS.len());
    assert!(rules::BOUNDS.iter().all(|(key, _, _)| config.describe().iter().any(|s| s.key == *key)));
}

#[test]
fn every_key_has_an_example_that_is_valid_in_file_and_environment() {
    for key in catalogue::keys() {
        let folder = with_file(&format!("[{}]\n{}\n", key.section, key.file_example()));
        load(&sources(&folder));
        let line = key.variable_example(&key.variable());
        let (name, value) = line.split_once('=').unwrap();
        load(&variables_of(&self::folder(), &[(name, value)]));
    }
}

#[test]
fn the_defaults_are_what_the_documents_promise() {
    let config = load(&sources(&folder()));
    assert_eq!(config.http.address(), "127.0.0.1:3003".parse().unwrap());
    assert_eq!(config.http.public_url, None);
    assert_eq!(config.http.header_timeout(), Duration::from_secs(10));
    assert_eq!(config.database.url.expose(), "sqlite://guildhall.db");
    assert_eq!(config.discord.api_proxy, None);
    assert_eq!(config.discord.requests_per_second.get(), 45);
    assert_eq!(config.vanish.arm_delay(), Duration::from_mins(5));
    assert_eq!(config.vanish.sweep_period(), Duration::from_secs(1));
    assert_eq!(config.metrics.listen, None);
    assert_eq!(config.log.format, LogFormat::Auto);
    assert_eq!(config.shutdown.grace(), Duration::from_secs(10));
    assert!(config.secrets.api_key.is_none() && config.secrets.discord_token.is_none());
}

#[test]
fn describe_names_every_origin_and_masks_secrets() {
    let folder = with_file("[http]\nhost = \"0.0.0.0\"\n");
    let token = "a.long.token";
    let config =
        load(&variables_of(&folder, &[("DATABASE_URL", "postgres://ada:hunter2@db/hall"), ("DISCORD_TOKEN", token)]));
    let shown = |key: &str| {
        let setting = config.describe().iter().find(|setting| setting.key == key).unwrap();
        (setting.value.as_str(), setting.origin.to_string())
    };
    assert_eq!(shown("http.host"), ("\"0.0.0.0\"", "config.toml:2:8".to_owned()));
    assert_eq!(shown("http.port"), ("3003", "default".to_owned()));
    let address = "\"postgres://ada:***@db/hall\"";
    assert_eq!(shown("database.url"), (address, "environment variable DATABASE_URL".to_owned()));
    assert_eq!(shown("DISCORD_TOKEN"), ("***", "environment variable DISCORD_TOKEN".to_owned()));
    assert_eq!(shown("API_KEY"), ("", "not set".to_owned()));
}

#[test]
fn sharing_a_server_requires_a_shared_secret() {
    let postgres = ("DATABASE_URL", "postgres://db/hall");
    let folder = folder();
    let error = load(&variables_of(&folder, &[postgres])).require_shared_secrets().unwrap_err();
    assert!(error.to_string().contains("JWT_SECRET is required on PostgreSQL"), "{error}");
    let secret = "s".repeat(32);
    let shared = load(&variables_of(&folder, &[postgres, ("JWT_SECRET", secret.as_str())]));
    assert!(shared.require_shared_secrets().is_ok());
    assert!(load(&sources(&folder)).require_shared_secrets().is_ok());
}

fn write(folder: &Path, name: &str, text: &str) {
    std::fs::write(folder.join(name), text).unwrap();
}
