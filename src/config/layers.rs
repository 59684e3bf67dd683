//! Laying file and environment over the defaults, and remembering where each value came from.

use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use toml_edit::{Document, TableLike};

use super::Secrets;
use super::catalogue::{self, FIXED, Key, SECRETS};
use super::problem::{Place, Problem};
use super::rules;
use super::sources::{Sources, unreadable, whole_file};
use crate::secret::{DatabaseUrl, Secret};

/// Longest settings or secret file in bytes, so that a device named by mistake cannot fill memory.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// One setting as `config show` prints it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// The key, such as `http.port`, or a secret's variable.
    pub key: String,
    /// The value in force, in TOML's notation; secrets are masked.
    pub value: String,
    /// Where the value came from.
    pub origin: Place,
    /// Whether the value is the default, wherever it came from.
    pub is_default: bool,
}

/// A key with the value in force.
pub(super) struct Entry {
    pub(super) key: Key,
    pub(super) value: toml::Value,
    pub(super) place: Place,
}

impl Entry {
    /// A line that would be right where the value came from.
    pub(super) fn example(&self) -> String {
        match &self.place {
            Place::Environment(name) | Place::DotEnv(name) => self.key.variable_example(name),
            _ => self.key.file_example(),
        }
    }

    /// A problem with the value, at its place.
    pub(super) fn problem(&self, reason: impl Into<String>) -> Problem {
        Problem::new(self.place.clone(), self.key.path(), reason).example(self.example())
    }
}

/// All keys, each with the value of the topmost layer that sets it.
pub(super) struct Merged {
    pub(super) entries: Vec<Entry>,
}

impl Merged {
    fn defaults() -> Self {
        let entries =
            catalogue::keys().into_iter().map(|key| Entry { value: key.default.clone(), key, place: Place::Default });
        Self { entries: entries.collect() }
    }

    pub(super) fn get(&self, path: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.key.path() == path)
    }

    fn keys(&self) -> Vec<Key> {
        self.entries.iter().map(|entry| entry.key.clone()).collect()
    }

    /// Lays a value over a key that exists, or says why it does not fit.
    fn set(&mut self, path: &str, value: Option<toml::Value>, place: Place, problems: &mut Vec<Problem>) {
        let Some(entry) = self.entries.iter_mut().find(|entry| entry.key.path() == path) else {
            return;
        };
        let fitting = value.filter(|value| value.same_type(&entry.key.default));
        // The place moves even when the value does not fit, so that the example has the right notation.
        entry.place = place;
        match fitting {
            Some(value) => entry.value = value,
            None => problems.push(entry.problem(rules::wanted(&entry.key))),
        }
    }

    /// Each key as `config show` prints it.
    pub(super) fn describe(&self) -> Vec<Setting> {
        let shown = |entry: &Entry| match (entry.key.path().as_str(), entry.value.as_str()) {
            ("database.url", Some(text)) => match DatabaseUrl::parse(text) {
                Ok(url) => toml::Value::String(url.to_string()).to_string(),
                Err(_) => "\"***\"".to_owned(),
            },
            _ => entry.value.to_string(),
        };
        let settings = self.entries.iter().map(|entry| Setting {
            key: entry.key.path(),
            value: shown(entry),
            origin: entry.place.clone(),
            is_default: entry.value == entry.key.default,
        });
        settings.collect()
    }

    /// The values in the shape of the file.
    pub(super) fn into_table(self) -> toml::Table {
        let mut root = toml::Table::new();
        for Entry { key, value, .. } in self.entries {
            let section = root.entry(key.section).or_insert_with(|| toml::Value::Table(toml::Table::new()));
            if let Some(table) = section.as_table_mut() {
                table.insert(key.name, value);
            }
        }
        root
    }
}

/// Lays the file and the environment over the defaults.
pub(super) fn merge(sources: &Sources, problems: &mut Vec<Problem>) -> Merged {
    let mut merged = Merged::defaults();
    lay_file(&mut merged, sources, problems);
    lay_environment(&mut merged, sources, problems);
    merged
}

fn lay_file(merged: &mut Merged, sources: &Sources, problems: &mut Vec<Problem>) {
    let (path, place) = match sources.named_file() {
        Some((path, place)) => (path, Some(place)),
        None => (PathBuf::from("config.toml"), None),
    };
    let text = match read_text(&sources.resolve(&path)) {
        Ok(text) => text,
        // A file that nobody named may be missing.
        Err(error) if place.is_none() && error.kind() == ErrorKind::NotFound => return,
        Err(error) => {
            let place = place.unwrap_or_else(|| whole_file(&path));
            let reason = format!("`{}` {}", path.display(), unreadable(&error));
            problems.push(Problem::new(place, "the settings file", reason));
            return;
        }
    };
    match Document::parse(text.as_str()) {
        Ok(document) => File { path, text: &text }.lay(merged, document.as_table(), problems),
        Err(error) => {
            let file = File { path, text: &text };
            // Only the message: toml_edit's display repeats the line, which may hold a password.
            let reason = format!("is not valid TOML: {}", error.message().replace('\n', ", "));
            problems.push(Problem::new(file.place(error.span()), "the file", reason));
        }
    }
}

/// A settings file that is being laid over the defaults.
struct File<'a> {
    path: PathBuf,
    text: &'a str,
}

impl File<'_> {
    fn place(&self, span: Option<std::ops::Range<usize>>) -> Place {
        let offset = span.map_or(0, |span| span.start);
        let before = self.text.get(..offset).unwrap_or_default();
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Place::File {
            path: self.path.clone(),
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
        }
    }

    fn lay(&self, merged: &mut Merged, root: &dyn TableLike, problems: &mut Vec<Problem>) {
        let keys = merged.keys();
        for (section, item) in root.iter() {
            let place = self.place(root.key(section).and_then(toml_edit::Key::span));
            let known = keys.iter().find(|key| key.section == section);
            match (known, item.as_table_like()) {
                (Some(_), Some(table)) => self.lay_section(merged, section, table, problems),
                (Some(key), None) => {
                    let example = format!("[{section}] with {}", key.file_example());
                    let problem = Problem::new(place, section, "must be a section");
                    problems.push(problem.example(example));
                }
                (None, table) => {
                    let nearest = match table {
                        Some(_) => catalogue::nearest_section(section, &keys),
                        None => catalogue::nearest_key(section, &keys),
                    };
                    let what = if table.is_some() { "section" } else { "key" };
                    let reason = format!("is not a known {what}");
                    problems.push(Problem::new(place, section, reason).nearest(nearest));
                }
            }
        }
    }

    fn lay_section(&self, merged: &mut Merged, section: &str, table: &dyn TableLike, problems: &mut Vec<Problem>) {
        for (name, item) in table.iter() {
            let path = format!("{section}.{name}");
            let key_span = table.key(name).and_then(toml_edit::Key::span);
            if merged.get(&path).is_none() {
                let keys = merged.keys();
                let nearest = catalogue::nearest_key(&path, &keys);
                let example = keys.iter().find(|key| Some(key.path()) == nearest).map(Key::file_example);
                let mut problem = Problem::new(self.place(key_span), path, "is not a known key");
                problem.example = example;
                problems.push(problem.nearest(nearest));
                continue;
            }
            let place = self.place(item.span().or(key_span));
            let value = item.as_value().and_then(catalogue::plain);
            merged.set(&path, value, place, problems);
        }
    }
}

fn lay_environment(merged: &mut Merged, sources: &Sources, problems: &mut Vec<Problem>) {
    let keys = merged.keys();
    for name in sources.names().filter(|name| catalogue::is_unknown(name, &keys)) {
        if let Some((_, place)) = sources.get(name) {
            let nearest = catalogue::nearest_variable(name, &keys);
            let example = keys
                .iter()
                .find(|key| Some(key.variable()) == nearest)
                .map(|key| key.variable_example(&key.variable()));
            let mut problem = Problem::new(place, name, "is not a known variable");
            problem.example = example;
            problems.push(problem.nearest(nearest));
        }
    }
    for key in &keys {
        let path = key.path();
        let fixed = FIXED.iter().find(|(_, fixed)| *fixed == path).map(|(name, _)| *name);
        let from_fixed = match fixed {
            Some("DATABASE_URL") => value_or_file("DATABASE_URL", sources, problems),
            Some(name) => sources.filled(name).map(owned),
            None => None,
        };
        let found = from_fixed.or_else(|| sources.get(&key.variable()).map(owned));
        if let Some((text, place)) = found {
            merged.set(&path, from_text(&text, &key.default), place, problems);
        }
    }
}

/// A variable's text as a value of the kind that the key has.
fn from_text(text: &str, default: &toml::Value) -> Option<toml::Value> {
    match default {
        toml::Value::Integer(_) => text.trim().parse().ok().map(toml::Value::Integer),
        toml::Value::Boolean(_) => text.trim().parse().ok().map(toml::Value::Boolean),
        toml::Value::Array(_) => {
            let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
            let items = items.map(|item| toml::Value::String(item.to_owned()));
            Some(toml::Value::Array(items.collect()))
        }
        _ => Some(toml::Value::String(text.to_owned())),
    }
}

fn owned((text, place): (&str, Place)) -> (String, Place) {
    (text.to_owned(), place)
}

/// The value of a variable, or the content of the file that its `_FILE` variant names.
fn value_or_file(name: &str, sources: &Sources, problems: &mut Vec<Problem>) -> Option<(String, Place)> {
    let file_name = format!("{name}_FILE");
    let Some((path, place)) = sources.filled(&file_name) else {
        return sources.filled(name).map(owned);
    };
    if sources.filled(name).is_some() {
        let reason = format!("and {file_name} are both set; keep one");
        problems.push(Problem::new(place, name, reason));
        return None;
    }
    match read_text(&sources.resolve(Path::new(path))) {
        Ok(text) => {
            let text = text.trim_end_matches(['\r', '\n']);
            if text.is_empty() {
                let reason = format!("names `{}`, which is empty", path.escape_debug());
                problems.push(Problem::new(place, file_name, reason));
                return None;
            }
            Some((text.to_owned(), place))
        }
        Err(error) => {
            let reason = format!("names `{}`, which {}", path.escape_debug(), unreadable(&error));
            problems.push(Problem::new(place, file_name, reason));
            None
        }
    }
}

fn read_text(path: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    let file = std::fs::File::open(path)?;
    file.take(FILE_BYTES_MAX + 1).read_to_string(&mut text)?;
    if text.len() as u64 > FILE_BYTES_MAX {
        return Err(ErrorKind::FileTooLarge.into());
    }
    Ok(text)
}

/// The secrets that were found, each with its place.
pub(super) struct FoundSecrets {
    found: Vec<(&'static str, Option<(Secret, Place)>)>,
}

/// Reads and checks the secrets.
pub(super) fn secrets(sources: &Sources, problems: &mut Vec<Problem>) -> FoundSecrets {
    let found = SECRETS.map(|name| {
        let found = value_or_file(name, sources, problems);
        if let Some((text, place)) = &found
            && let Err(reason) = rules::secret(name, text)
        {
            let example = catalogue::secret_example(name);
            problems.push(Problem::new(place.clone(), name, reason).example(example));
        }
        (name, found.map(|(text, place)| (Secret::new(text), place)))
    });
    FoundSecrets { found: found.into() }
}

impl FoundSecrets {
    /// Each secret as `config show` prints it: whether it is set.
    pub(super) fn describe(&self) -> Vec<Setting> {
        let settings = self.found.iter().map(|(name, found)| Setting {
            key: (*name).to_owned(),
            value: if found.is_some() { "***" } else { "" }.to_owned(),
            is_default: found.is_none(),
            origin: found.as_ref().map_or(Place::Unset, |(_, place)| place.clone()),
        });
        settings.collect()
    }

    pub(super) fn into_secrets(self) -> Secrets {
        let mut secrets = Secrets::default();
        for (name, found) in self.found {
            let secret = found.map(|(secret, _)| secret);
            match name {
                "API_KEY" => secrets.api_key = secret,
                "JWT_SECRET" => secrets.jwt_secret = secret,
                "JWT_SECRET_PREVIOUS" => secrets.jwt_secret_previous = secret,
                "ADMIN_SECRET_KEY" => secrets.admin_secret_key = secret,
                "DISCORD_CLIENT_SECRET" => secrets.discord_client_secret = secret,
                _ => secrets.discord_token = secret,
            }
        }
        secrets
    }
}
