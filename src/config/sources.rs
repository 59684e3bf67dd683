//! What settings are read from, held as values, so that tests need no process environment.

use std::collections::BTreeMap;
use std::io::{Cursor, ErrorKind};
use std::path::{Path, PathBuf};

use super::catalogue;
use super::problem::{ConfigError, Place, Problem};

/// The inputs of [`super::Config::load`].
#[derive(Clone, Default)]
pub struct Sources {
    file: Option<PathBuf>,
    folder: PathBuf,
    environment: BTreeMap<String, String>,
    dotenv: BTreeMap<String, String>,
}

impl Sources {
    /// No file named and no variable set; relative paths start at `folder`.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into(), ..Self::default() }
    }

    /// Names the settings file, as `--config` does.
    pub fn file(mut self, path: impl Into<PathBuf>) -> Self {
        self.file = Some(path.into());
        self
    }

    /// Sets an environment variable.
    pub fn variable(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.environment.insert(name.into(), value.into());
        self
    }

    /// The process's environment and working folder, and the `.env` file in it.
    pub fn from_process(file: Option<PathBuf>) -> Result<Self, ConfigError> {
        let mut problems = Vec::new();
        let mut sources = Self { file, ..Self::default() };
        for (name, value) in std::env::vars_os() {
            match (name.into_string(), value.into_string()) {
                (Ok(name), Ok(value)) => {
                    sources.environment.insert(name, value);
                }
                (Ok(name), Err(_)) if catalogue::is_ours(&name) => {
                    let place = Place::Environment(name.clone());
                    problems.push(Problem::new(place, name, "must be valid UTF-8"));
                }
                // A foreign variable may hold any bytes.
                _ => {}
            }
        }
        if !problems.is_empty() {
            return Err(ConfigError::new(problems));
        }
        sources.with_dotenv()
    }

    /// Reads `.env` in the working folder, if there is one. A variable that the environment sets, even to
    /// nothing, keeps that value; the process's own environment is never changed.
    pub fn with_dotenv(mut self) -> Result<Self, ConfigError> {
        let path = self.folder.join(".env");
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(self),
            Err(error) => {
                let problem = Problem::new(whole_file(".env"), ".env", unreadable(&error));
                return Err(ConfigError::new(vec![problem]));
            }
        };
        for pair in dotenvy::from_read_iter(Cursor::new(&text)) {
            let (name, value) = pair.map_err(|error| ConfigError::new(vec![dotenv_problem(&text, &error)]))?;
            if !self.environment.contains_key(&name) {
                self.dotenv.insert(name, value);
            }
        }
        Ok(self)
    }

    pub(super) fn named_file(&self) -> Option<(PathBuf, Place)> {
        if let Some(path) = &self.file {
            return Some((path.clone(), Place::CommandLine));
        }
        let (path, place) = self.filled(catalogue::CONFIG_VARIABLE)?;
        Some((PathBuf::from(path), place))
    }

    /// A path as the person who started the program means it.
    pub(super) fn resolve(&self, path: &Path) -> PathBuf {
        self.folder.join(path)
    }

    pub(super) fn get(&self, name: &str) -> Option<(&str, Place)> {
        if let Some(value) = self.environment.get(name) {
            return Some((value, Place::Environment(name.to_owned())));
        }
        let value = self.dotenv.get(name)?;
        Some((value, Place::DotEnv(name.to_owned())))
    }

    /// A variable that is set to something: deployments clear the fixed names by setting them to nothing.
    pub(super) fn filled(&self, name: &str) -> Option<(&str, Place)> {
        self.get(name).filter(|(value, _)| !value.is_empty())
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        let names = self.environment.keys().chain(self.dotenv.keys());
        names.map(String::as_str)
    }
}

/// The place of a problem with a file as a whole.
pub(super) fn whole_file(path: impl Into<PathBuf>) -> Place {
    Place::File { path: path.into(), line: 1, column: 1 }
}

/// Why a file could not be read, in words that hold nothing of its content.
pub(super) fn unreadable(error: &std::io::Error) -> String {
    match error.kind() {
        ErrorKind::InvalidData => "must be valid UTF-8".to_owned(),
        _ => format!("cannot be read: {error}"),
    }
}

/// dotenvy's own message repeats the line, which may hold a secret: only its number is kept.
fn dotenv_problem(text: &str, error: &dotenvy::Error) -> Problem {
    let (line, column) = match error {
        dotenvy::Error::LineParse(wrong, index) => {
            let before = text.find(wrong.trim_end()).unwrap_or_default();
            let line = text[..before].matches('\n').count() + 1;
            (line, index + 1)
        }
        _ => (1, 1),
    };
    let place = Place::File { path: PathBuf::from(".env"), line, column };
    Problem::new(place, "the line", "cannot be understood; quote values with spaces or special characters")
        .example("NAME='value'")
}
