//! A wrong setting names itself, its place and a valid example, and nothing starts.

use std::fs;

use tempfile::TempDir;

use crate::cli::{Outcome, run};

fn folder() -> TempDir {
    TempDir::new().expect("the machine has room for temporary files")
}

/// The program must end with 3, leave the folder as it was, and say all of this.
fn refuses(folder: &TempDir, environment: &[(&str, &str)], arguments: &[&str], words: &[&str]) -> Outcome {
    let before = entries(folder);
    let outcome = run(folder.path(), environment, arguments);
    let said = &outcome.errors;
    assert_eq!(outcome.code, Some(3), "{environment:?} {arguments:?}: {said}");
    for word in words {
        assert!(said.contains(word), "{environment:?}: {word:?} is missing in: {said}");
    }
    assert_eq!(entries(folder), before, "{environment:?}: something was made although nothing started");
    outcome
}

fn entries(folder: &TempDir) -> Vec<String> {
    let entries = fs::read_dir(folder.path()).expect("the folder is there");
    let mut names: Vec<_> =
        entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn a_wrong_value_names_itself_its_place_and_an_example() {
    let cases: &[(&str, &str, &[&str])] = &[
        ("PORT", "70000", &["environment variable PORT", "for example"]),
        ("PORT", "http", &["environment variable PORT", "for example"]),
        ("DATABASE_URL", "mysql://localhost/x", &["environment variable DATABASE_URL", "sqlite"]),
        ("GUILDHALL_HTTP__CONNECTIONS_MAX", "0", &["GUILDHALL_HTTP__CONNECTIONS_MAX", "for example"]),
        ("GUILDHALL_DISCORD__API_PROXY", "http://192.0.2.1:1", &["GUILDHALL_DISCORD__API_PROXY"]),
        ("ALLOWED_ORIGINS", "example.org", &["environment variable ALLOWED_ORIGINS", "for example"]),
    ];
    let folder = folder();
    for (name, value, words) in cases {
        refuses(&folder, &[(name, value)], &["serve"], words);
    }
}

#[test]
fn a_secret_that_is_too_short_is_refused_and_never_repeated() {
    let folder = folder();
    for name in ["API_KEY", "JWT_SECRET", "ADMIN_SECRET_KEY"] {
        let outcome = refuses(&folder, &[(name, "Zq7hunter2")], &["serve"], &[name]);
        assert!(!outcome.errors.contains("Zq7hunter2"), "{name} was repeated");
    }
}

#[test]
fn an_unknown_variable_names_the_nearest_valid_one() {
    let words = ["GUILDHALL_HTTP__HOTS", "did you mean", "GUILDHALL_HTTP__HOST"];
    refuses(&folder(), &[("GUILDHALL_HTTP__HOTS", "127.0.0.1")], &["serve"], &words);
}

#[test]
fn an_unknown_key_of_the_file_names_its_line_and_the_nearest_valid_one() {
    let folder = folder();
    fs::write(folder.path().join("config.toml"), "[http]\n\nporrt = 3003\n").expect("written");
    refuses(&folder, &[], &["serve"], &["config.toml:3:1", "porrt", "did you mean", "port"]);
    refuses(&folder, &[], &["config", "check"], &["config.toml:3:1"]);
}

#[test]
fn a_file_that_is_named_must_exist() {
    let folder = folder();
    refuses(&folder, &[], &["--config", "absent.toml"], &["absent.toml", "--config"]);
    refuses(&folder, &[("GUILDHALL_CONFIG", "absent.toml")], &[], &["absent.toml", "GUILDHALL_CONFIG"]);
    refuses(&folder, &[("API_KEY_FILE", "absent.txt")], &[], &["absent.txt", "API_KEY_FILE"]);
}

#[test]
fn every_problem_is_named_at_once() {
    let environment = [("PORT", "x"), ("GUILDHALL_LOG__FORMAT", "xml")];
    refuses(&folder(), &environment, &["serve"], &["2 settings are wrong", "PORT", "GUILDHALL_LOG__FORMAT"]);
}

#[test]
fn instances_on_postgres_must_be_given_the_secret_that_they_share() {
    let environment = [("DATABASE_URL", "postgres://postgres@127.0.0.1:1/absent")];
    refuses(&folder(), &environment, &["serve"], &["JWT_SECRET", "for example"]);
}

#[test]
fn every_setting_of_the_file_is_shown_with_its_origin() {
    let folder = folder();
    let shown = run(folder.path(), &[("PORT", "4000")], &["config", "show"]);
    assert_eq!(shown.code, Some(0), "{}", shown.errors);
    assert!(shown.output.contains("port = 4000  # environment variable PORT"), "{}", shown.output);
    let defaults: toml::Table = include_str!("../../config.toml").parse().expect("config.toml is TOML");
    for (section, keys) in &defaults {
        assert!(shown.output.contains(&format!("[{section}]")), "{section} is not shown");
        for key in keys.as_table().expect("sections only").keys() {
            assert!(shown.output.contains(&format!("\n{key} = ")), "{section}.{key} is not shown");
        }
    }
    let checked = run(folder.path(), &[], &["config", "check"]);
    assert_eq!(checked.code, Some(0), "{}", checked.errors);
}
