//! What the README promises holds.

use std::{collections::BTreeSet, fs, path::Path};

use clap::CommandFactory as _;
use serde_json::Value;

use crate::{cli::Server, harness::ROOT_KEY};

const README: &str = include_str!("../../README.md");

/// The code blocks below a heading, up to the next one.
fn blocks(heading: &str) -> Vec<&'static str> {
    let (_, section) = README.split_once(&format!("\n## {heading}\n")).unwrap_or_else(|| panic!("no {heading}"));
    let section = section.split("\n## ").next().unwrap_or_default();
    section.split("```").skip(1).step_by(2).map(|block| block.split_once('\n').map_or("", |(_, code)| code)).collect()
}

/// A line as a shell takes it apart; quotes of both kinds, nothing else.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), String::new(), None);
    for character in line.chars() {
        match (quote, character) {
            (None, '\'' | '"') => quote = Some(character),
            (Some(open), _) if open == character => quote = None,
            (None, ' ') => words.push(std::mem::take(&mut word)),
            _ => word.push(character),
        }
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    words
}

#[test]
fn the_test_command_of_the_readme_is_the_one_that_ci_runs() {
    let commands: Vec<_> = blocks("Run it").into_iter().map(str::trim).collect();
    assert_eq!(commands.first(), Some(&"cargo run"));
    let tests = commands.last().expect("a command that runs the tests");
    assert!(tests.starts_with("cargo test"), "{tests}");
    let script = include_str!("../../.ci/run");
    assert!(script.lines().any(|line| line.trim() == *tests), ".ci/run does not run `{tests}`");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_calls_of_the_readme_work() {
    let folder = tempfile::TempDir::new().expect("the machine has room for temporary files");
    let server = Server::start(folder.path(), &[("API_KEY", ROOT_KEY)]).await;
    let lines = blocks("Run it").into_iter().chain(blocks("First calls")).flat_map(str::lines);
    let mut calls = 0;
    for line in lines.filter(|line| line.starts_with("curl ")) {
        let (mut method, mut url, mut body, mut headers) = ("GET", None, None, BTreeSet::new());
        let words = words(line);
        let mut rest = words.iter().skip(1).map(String::as_str);
        while let Some(word) = rest.next() {
            match word {
                "-X" => method = rest.next().expect("a method after -X"),
                "-d" => body = rest.next(),
                "-H" => drop(headers.insert(rest.next().expect("a header after -H"))),
                _ => url = Some(word),
            }
        }
        let path = url.and_then(|url| url.strip_prefix("http://127.0.0.1:3003")).expect("the address of a first start");
        assert!(path == "/health" || headers.contains("X-API-Key: $KEY"), "{line}: no key");
        assert_eq!(body.is_some(), headers.contains("Content-Type: application/json"), "{line}");
        let body: Option<Value> = body.map(|body| serde_json::from_str(body).expect("a body in JSON"));
        let answer = server.api(ROOT_KEY, method, path, body).await;
        assert_eq!(answer.status, 200, "{line}: {}", answer.body);
        calls += 1;
    }
    assert!(calls >= 5, "only {calls} calls were found");
    server.stop().await;
}

#[test]
fn the_readme_lists_every_command_and_no_other() {
    let mut real = BTreeSet::new();
    for command in guildhall::discord::command_list(false).as_array().expect("a list of commands") {
        let name = command["name"].as_str().expect("a name");
        let typed = command["type"].as_u64().is_none_or(|kind| kind == 1);
        let below: Vec<_> = command["options"].as_array().into_iter().flatten().collect();
        let commands_below = below.iter().filter(|option| matches!(option["type"].as_u64(), Some(1 | 2)));
        let mut is_leaf = true;
        for one in commands_below {
            is_leaf = false;
            let middle = one["name"].as_str().expect("a name");
            if one["type"] == 1 {
                real.insert(format!("/{name} {middle}"));
            }
            let leaves = one["options"].as_array().into_iter().flatten().filter(|_| one["type"] == 2);
            real.extend(leaves.map(|leaf| format!("/{name} {middle} {}", leaf["name"].as_str().unwrap_or_default())));
        }
        if is_leaf {
            real.insert(if typed { format!("/{name}") } else { format!("*{name}*") });
        }
    }
    let mut listed = BTreeSet::new();
    let (_, section) = README.split_once("\n## Commands\n").expect("the table of commands");
    let section = section.split("\n## ").next().unwrap_or_default();
    for cell in section.lines().filter_map(|line| line.strip_prefix("| ")?.split(" | ").next()) {
        let mut stem = String::new();
        for part in cell.split('`').skip(1).step_by(2) {
            // `/vanish exempt add` `remove` shares all but its last word.
            let whole = if part.starts_with('/') { part.to_owned() } else { format!("{stem}{part}") };
            stem = whole.rsplit_once(' ').map_or(String::new(), |(stem, _)| format!("{stem} "));
            listed.insert(whole);
        }
        listed.extend(cell.split('*').skip(1).step_by(2).map(|menu| format!("*{menu}*")));
    }
    assert_eq!(listed, real, "the table of commands in README.md (left) and the registered commands (right) differ");
}

#[test]
fn the_readme_names_every_subcommand_of_the_program() {
    let listed = blocks("The program").concat();
    for command in guildhall::cli::Cli::command().get_subcommands().filter(|command| command.get_name() != "serve") {
        assert!(listed.contains(&format!("guildhall {}", command.get_name())), "{} is missing", command.get_name());
    }
}

#[test]
fn the_readme_names_every_subcommand_about_people() {
    let listed = blocks("People").concat();
    let program = guildhall::cli::Cli::command();
    let users = program.find_subcommand("users").expect("a command about people");
    for command in users.get_subcommands().filter(|command| command.get_name() != "help") {
        let name = format!("guildhall users {} ", command.get_name());
        assert!(listed.contains(&name), "{name}is missing");
    }
}

#[test]
fn links_between_documents_lead_somewhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for document in ["README.md", "docs/ARCHITECTURE.md", "docs/CONTRIBUTING.md", "crates/fake-discord/README.md"] {
        let text = fs::read_to_string(root.join(document)).expect("a document");
        let folder = root.join(document).parent().expect("a folder").to_owned();
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let local = !target.contains("://") && !target.starts_with('#');
            assert!(!local || folder.join(target).exists(), "{document} links to {target}, which is not there");
        }
    }
}

#[test]
fn the_changes_name_this_version() {
    let heading = format!("\n## {}", env!("CARGO_PKG_VERSION"));
    assert!(include_str!("../../CHANGELOG.md").contains(&heading), "CHANGELOG.md has no heading{heading}");
}
