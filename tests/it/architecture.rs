//! The dependency rule and the shape of files, kept by reading the sources. `docs/ARCHITECTURE.md` says why.

use std::{collections::BTreeSet, fs, path::Path};

/// One row per module of `src`: what it may import of ours, and which crates it may not name.
const RULE: &[(&str, Imports, &[&str])] = &[
    // Edges: parse, ask, show. They never import each other.
    ("discord", Imports::Only(&["app", "chart", "csv", "discord_api", "domain", "secret"]), &["axum", "sea_orm"]),
    // `store` for the state of the schema, which /ready shows.
    (
        "http",
        Imports::Only(&["app", "csv", "domain", "limits", "secret", "store"]),
        &["poise", "reqwest", "sea_orm", "serenity"],
    ),
    (
        "worker",
        Imports::Only(&["discord_api", "domain", "ens_client"]),
        &["axum", "poise", "reqwest", "sea_orm", "serenity"],
    ),
    ("app", Imports::Only(&["discord_api", "domain", "limits"]), &["poise", "reqwest", "sea_orm", "serenity"]),
    // The rules of the product.
    ("domain", Imports::Only(&["clock", "id_source", "secret", "store"]), &["axum", "poise", "reqwest", "serenity"]),
    // Leaves: they know no feature.
    ("store", Imports::Only(&["clock", "secret"]), &["axum", "poise", "reqwest", "serenity"]),
    ("chart", Imports::Only(&[]), &["axum", "entity", "poise", "reqwest", "sea_orm", "serenity"]),
    ("csv", Imports::Only(&[]), &["axum", "entity", "poise", "reqwest", "sea_orm", "serenity"]),
    ("clock", Imports::Only(&[]), &["axum", "entity", "poise", "reqwest", "sea_orm", "serenity"]),
    ("id_source", Imports::Only(&["clock"]), &["axum", "entity", "poise", "reqwest", "sea_orm", "serenity"]),
    ("limits", Imports::Only(&["clock"]), &["axum", "entity", "poise", "sea_orm", "serenity"]),
    ("discord_api", Imports::Only(&[]), &["axum", "poise", "sea_orm"]),
    ("ens_client", Imports::Only(&[]), &["axum", "entity", "poise", "sea_orm", "serenity"]),
    ("config", Imports::Only(&["secret"]), &["axum", "entity", "poise", "sea_orm", "serenity"]),
    ("secret", Imports::Only(&[]), &["axum", "entity", "poise", "sea_orm", "serenity"]),
    ("telemetry", Imports::Only(&["config", "secret"]), &["axum", "entity", "poise", "sea_orm", "serenity"]),
    // Composition: they may import anything, and nothing imports them.
    ("serve", Imports::Anything, &["axum", "poise"]),
    ("cli", Imports::Anything, &["axum", "poise", "sea_orm", "serenity"]),
    ("lib", Imports::Anything, &[]),
    ("main", Imports::Anything, &[]),
];

/// Most lines of a file that is no test.
const LINES_MAX: usize = 500;

#[derive(Clone, Copy)]
enum Imports {
    Anything,
    Only(&'static [&'static str]),
}

struct Source {
    path: String,
    text: String,
}

fn sources(folder: &str) -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut waiting = vec![root.join(folder)];
    let mut found = Vec::new();
    while let Some(path) = waiting.pop() {
        if path.is_dir() {
            let entries = fs::read_dir(&path).expect("the folder is part of the repository");
            waiting.extend(entries.map(|entry| entry.expect("an entry of the folder").path()));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).expect("sources are UTF-8");
            let path = path.strip_prefix(root).expect("below the root").display().to_string();
            found.push(Source { path, text });
        }
    }
    assert!(!found.is_empty(), "no sources in {folder}");
    found.sort_by(|one, other| one.path.cmp(&other.path));
    found
}

impl Source {
    /// Tests may name what they like, and need no documentation.
    fn is_test(&self) -> bool {
        self.path.split(['/', '.']).any(|part| part == "tests" || part == "testing")
    }

    /// The names from `src` down, such as `http`, `vanish`.
    fn modules(&self) -> Vec<&str> {
        let path = self.path.strip_prefix("src/").unwrap_or(&self.path);
        path.trim_end_matches(".rs").split('/').collect()
    }

    fn code(&self) -> String {
        let lines = self.text.lines().filter(|line| !line.trim_start().starts_with("//"));
        lines.collect::<Vec<_>>().join("\n")
    }
}

/// The first names after `crate::`, alone or in braces.
fn imports(code: &str) -> BTreeSet<&str> {
    let mut names = BTreeSet::new();
    for (start, _) in code.match_indices("crate::") {
        let rest = &code[start + "crate::".len()..];
        let Some(group) = rest.strip_prefix('{') else {
            names.insert(word(rest));
            continue;
        };
        let (mut depth, mut from) = (0, 0);
        for (at, character) in group.char_indices() {
            match character {
                '}' if depth == 0 => {
                    names.insert(word(&group[from..at]));
                    break;
                }
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 0 => {
                    names.insert(word(&group[from..at]));
                    from = at + 1;
                }
                _ => {}
            }
        }
    }
    names.retain(|name| !name.is_empty());
    names
}

fn word(text: &str) -> &str {
    let text = text.trim_start();
    let end = text.find(|character: char| !character.is_alphanumeric() && character != '_').unwrap_or(text.len());
    &text[..end]
}

fn names_crate(code: &str, name: &str) -> bool {
    code.match_indices(name).any(|(at, _)| {
        let before = code[..at].chars().next_back().is_none_or(|c| !c.is_alphanumeric() && !"_:.\"".contains(c));
        let after = &code[at + name.len()..];
        before && (after.starts_with("::") || after.starts_with(" as ") || after.starts_with(';'))
    })
}

/// `use super::super::…` that climbs out of the top module would pass by the table.
fn climbs_to_root(source: &Source, code: &str) -> bool {
    let depth = source.modules().len();
    code.lines().filter(|line| line.starts_with("use ") || line.starts_with("pub use ")).any(|line| {
        let path = line.split_once("use ").map_or("", |(_, path)| path);
        path.split("::").take_while(|part| *part == "super").count() >= depth
    })
}

fn none(breaches: &[String], how_to_fix: &str) {
    assert!(breaches.is_empty(), "\n{}\n\nHow to fix: {how_to_fix}\n", breaches.join("\n"));
}

#[test]
fn modules_import_only_what_the_dependency_rule_allows() {
    let mut breaches = Vec::new();
    for source in sources("src").iter().filter(|source| !source.is_test()) {
        let (path, code, own) = (&source.path, source.code(), source.modules()[0]);
        let Some((_, allowed, banned)) = RULE.iter().find(|(module, ..)| *module == own) else {
            breaches.push(format!("{path}: the module `{own}` has no row in the table of tests/it/architecture.rs"));
            continue;
        };
        if let Imports::Only(allowed) = allowed {
            let wrong = imports(&code).into_iter().filter(|name| *name != own && !allowed.contains(name));
            breaches.extend(wrong.map(|name| format!("{path}: `{own}` may not import `crate::{name}`")));
            if climbs_to_root(source, &code) {
                breaches.push(format!("{path}: `super::` leaves `{own}`; write `crate::`"));
            }
        }
        let wrong = banned.iter().filter(|name| names_crate(&code, name));
        breaches.extend(wrong.map(|name| format!("{path}: `{own}` may not name the crate `{name}`")));
    }
    none(
        &breaches,
        "let the domain decide and record, an edge act, and the domain record the outcome; shared things belong in \
         `app` or a leaf. A new module needs a row in the table, and a line in docs/ARCHITECTURE.md",
    );
}

#[test]
fn every_row_of_the_dependency_rule_is_a_module_that_exists() {
    let sources = sources("src");
    let missing = RULE.iter().filter(|(module, ..)| !sources.iter().any(|source| source.modules()[0] == *module));
    let breaches: Vec<_> = missing.map(|(module, ..)| format!("there is no src/{module}.rs")).collect();
    none(&breaches, "take the row out of the table of tests/it/architecture.rs");
}

#[test]
fn the_scanner_sees_what_it_must() {
    let code =
        "use crate::{\n    app::{App, Gateway},\n    domain,\n};\nfn f() { crate::http::serve(); axum::serve(); }";
    assert_eq!(imports(code), BTreeSet::from(["app", "domain", "http"]));
    assert!(names_crate(code, "axum") && !names_crate(code, "poise"));
    assert!(names_crate("use sea_orm::DbErr;", "sea_orm") && !names_crate("my_axum::serve()", "axum"));
    let source = Source { path: "src/http/vanish.rs".to_owned(), text: String::new() };
    assert!(climbs_to_root(&source, "use super::super::discord::Reply;"));
    assert!(!climbs_to_root(&source, "use super::{Routes, page};"));
}

#[test]
fn files_stay_short_and_no_module_is_named_mod() {
    let mut breaches = Vec::new();
    for source in ["src", "entity/src", "migration/src", "crates/fake-discord/src"].into_iter().flat_map(sources) {
        if source.path.ends_with("/mod.rs") {
            breaches.push(format!("{}: write FOLDER.rs beside the folder", source.path));
        }
        let lines = source.text.lines().count();
        if lines > LINES_MAX {
            breaches.push(format!("{} has {lines} lines, more than {LINES_MAX}", source.path));
        }
    }
    none(&breaches, "make a folder of the file's name and move what belongs together into it");
}

#[test]
fn every_module_says_what_it_is_for() {
    let breaches: Vec<_> = ["src", "entity/src", "crates/fake-discord/src"]
        .into_iter()
        .flat_map(sources)
        .filter(|source| !source.is_test() && !source.text.starts_with("//!"))
        .map(|source| source.path)
        .collect();
    none(&breaches, "begin the file with `//!`: what the module owns, and its invariant if it has one");
}

#[test]
fn the_map_names_every_module() {
    let map = include_str!("../../docs/ARCHITECTURE.md");
    let top = RULE.iter().map(|(module, ..)| format!("{module}.rs"));
    let features =
        ["domain", "discord", "http", "worker"].into_iter().flat_map(|layer| sources(&format!("src/{layer}")));
    let features = features.filter(|source| !source.is_test() && source.modules().len() == 2);
    let features = features.map(|source| format!("{}.rs", source.modules()[1]));
    let missing: BTreeSet<_> = top.chain(features).filter(|name| !map.contains(name.as_str())).collect();
    let breaches: Vec<_> = missing.into_iter().collect();
    none(&breaches, "give each of these files its line in the tree of docs/ARCHITECTURE.md");
}
