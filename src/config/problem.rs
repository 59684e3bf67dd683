//! What is wrong with a setting, and where: never with the value of a text, which may be a secret.

use std::fmt;
use std::path::PathBuf;

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// The compiled-in `config.toml`.
    Default,
    /// A settings file; line and column count from 1.
    File {
        /// The file, as it was named.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// Column in characters, from 1.
        column: usize,
    },
    /// An environment variable.
    Environment(String),
    /// A variable of the `.env` file in the working folder.
    DotEnv(String),
    /// The command line's `--config`.
    CommandLine,
    /// Nowhere: the value is not set.
    Unset,
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => formatter.write_str("default"),
            Self::File { path, line, column } => {
                write!(formatter, "{}:{line}:{column}", path.display())
            }
            Self::Environment(name) => {
                write!(formatter, "environment variable {}", name.escape_debug())
            }
            Self::DotEnv(name) => write!(formatter, "variable {} in .env", name.escape_debug()),
            Self::CommandLine => formatter.write_str("--config"),
            Self::Unset => formatter.write_str("not set"),
        }
    }
}

/// One wrong key or value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where it stands.
    pub place: Place,
    /// The key, such as `http.port`, or the variable.
    pub key: String,
    /// What is wrong, to be read after the key.
    pub reason: String,
    /// The nearest valid name of a key that is unknown.
    pub nearest: Option<String>,
    /// A line that would be right at this place.
    pub example: Option<String>,
}

impl Problem {
    pub(super) fn new(place: Place, key: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { place, key: key.into(), reason: reason.into(), nearest: None, example: None }
    }

    pub(super) fn nearest(mut self, name: Option<String>) -> Self {
        self.nearest = name;
        self
    }

    pub(super) fn example(mut self, line: impl Into<String>) -> Self {
        self.example = Some(line.into());
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (place, key, reason) = (&self.place, self.key.escape_debug(), &self.reason);
        // A variable's place already names it: `environment variable PORT: PORT must …` would stutter.
        let named = match place {
            Place::Environment(name) | Place::DotEnv(name) => *name == self.key,
            _ => false,
        };
        if named {
            write!(formatter, "{place}: {reason}")?;
        } else {
            write!(formatter, "{place}: {key} {reason}")?;
        }
        if let Some(nearest) = &self.nearest {
            write!(formatter, "; did you mean {nearest}?")?;
        }
        if let Some(example) = &self.example {
            write!(formatter, " (for example: {example})")?;
        }
        Ok(())
    }
}

/// Every problem that one load found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ConfigError {
    problems: Vec<Problem>,
}

impl ConfigError {
    pub(super) fn new(problems: Vec<Problem>) -> Self {
        Self { problems }
    }

    /// The problems, in the order of the layers.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.problems.len() {
            1 => formatter.write_str("one setting is wrong:")?,
            count => write!(formatter, "{count} settings are wrong:")?,
        }
        self.problems.iter().try_for_each(|problem| write!(formatter, "\n  {problem}"))
    }
}

/// The compiled-in file and the types disagree, which only a mistake in this program brings about.
pub(super) fn internal(error: &serde_path_to_error::Error<toml::de::Error>) -> Problem {
    Problem::new(Place::Default, error.path().to_string(), "does not fit its type; this is a defect of the program")
}

pub(super) fn missing_jwt_secret() -> Problem {
    Problem::new(Place::Unset, "JWT_SECRET", "is required on PostgreSQL, where several instances must share it")
        .example("JWT_SECRET_FILE=/run/secrets/jwt_secret")
}
