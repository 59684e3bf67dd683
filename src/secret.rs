//! Values that must not be shown: secrets, and the database address that may hold a password.

use std::fmt;
use std::path::PathBuf;

use reqwest::Url;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// A secret text. It has no `Debug`, `Display` or `Serialize`, so that no log or answer can hold it.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Wraps a secret text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself, for the one place that sends or checks it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether `candidate` is this secret, in a time that depends on neither content nor length of the secret.
    pub fn matches(&self, candidate: &[u8]) -> bool {
        // Digests have one length, so that the comparison cannot tell how long the secret is.
        let own: [u8; 32] = Sha256::digest(self.0.as_bytes()).into();
        let other: [u8; 32] = Sha256::digest(candidate).into();
        own.ct_eq(&other).into()
    }
}

/// The database engines that the program runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DatabaseKind {
    /// One file, one writer.
    Sqlite,
    /// A server, reached through a pool.
    Postgres,
}

/// Why a text is no database address; the text itself is never repeated, as it may hold a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DatabaseUrlError {
    /// The scheme is none that the program knows.
    #[error("must start with sqlite: or postgres://")]
    UnknownScheme,
    /// A SQLite address without a file, or one in memory.
    #[error("must name a file after sqlite://, and not one in memory, which each connection would see alone")]
    NoFile,
    /// A PostgreSQL address that cannot be taken apart.
    #[error("must be postgres://USER:PASSWORD@HOST:PORT/NAME, with special characters of the password percent-encoded")]
    Malformed,
}

/// The address of the database. Only [`DatabaseUrl::expose`] gives the password away.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct DatabaseUrl {
    text: String,
    kind: DatabaseKind,
}

impl DatabaseUrl {
    /// Reads an address: `sqlite:FILE`, `sqlite://FILE`, `postgres://…` or `postgresql://…`.
    pub fn parse(text: &str) -> Result<Self, DatabaseUrlError> {
        let kind = if text.starts_with("sqlite:") {
            let file = sqlite_file(text);
            if file.is_empty() || file == ":memory:" || text.contains("mode=memory") {
                return Err(DatabaseUrlError::NoFile);
            }
            DatabaseKind::Sqlite
        } else if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            let url = Url::parse(text).map_err(|_| DatabaseUrlError::Malformed)?;
            // A raw '#', '/' or '@' in a password lands here: sqlx would connect to the wrong place.
            if url.fragment().is_some() || url.path().contains('@') {
                return Err(DatabaseUrlError::Malformed);
            }
            DatabaseKind::Postgres
        } else {
            return Err(DatabaseUrlError::UnknownScheme);
        };
        Ok(Self { text: text.to_owned(), kind })
    }

    /// The whole address with its password, for the driver that connects.
    pub fn expose(&self) -> &str {
        &self.text
    }

    /// The password in the address, as typed and as decoded, so that logs can mask both.
    pub fn password(&self) -> Vec<String> {
        let url = match self.kind {
            DatabaseKind::Sqlite => None,
            DatabaseKind::Postgres => Url::parse(&self.text).ok(),
        };
        let Some(url) = url else {
            return Vec::new();
        };
        let parameter = url.query_pairs().find(|(name, _)| name == "password");
        let typed = url.password().map(str::to_owned);
        let decoded = typed.as_deref().map(percent_decoded);
        let parameter = parameter.map(|(_, value)| value.into_owned());
        [typed, decoded, parameter].into_iter().flatten().collect()
    }

    /// The engine that the address names.
    pub fn kind(&self) -> DatabaseKind {
        self.kind
    }

    /// The file of a SQLite database, relative to the working folder unless absolute.
    pub fn sqlite_path(&self) -> Option<PathBuf> {
        (self.kind == DatabaseKind::Sqlite).then(|| PathBuf::from(percent_decoded(sqlite_file(&self.text))))
    }
}

impl TryFrom<String> for DatabaseUrl {
    type Error = DatabaseUrlError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

/// Shows the address without its password.
impl fmt::Display for DatabaseUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.kind, Url::parse(&self.text)) {
            (DatabaseKind::Sqlite, _) => formatter.write_str(&self.text),
            (DatabaseKind::Postgres, Ok(url)) => formatter.write_str(redacted(url).as_str()),
            (DatabaseKind::Postgres, Err(_)) => formatter.write_str("postgres://***"),
        }
    }
}

/// Shows the address without its password, as `Display` does.
impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "DatabaseUrl({self})")
    }
}

/// The part of a SQLite address that names the file, as sqlx cuts it out.
fn sqlite_file(text: &str) -> &str {
    let rest = text.strip_prefix("sqlite:").unwrap_or(text);
    let rest = rest.strip_prefix("//").unwrap_or(rest);
    rest.split('?').next().unwrap_or_default()
}

/// Replaces `%41` by `A`, as sqlx does with the file name, so that both name the same file.
fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let decoded = (*first == b'%')
            .then(|| tail.get(..2))
            .flatten()
            .filter(|digits| digits.iter().all(u8::is_ascii_hexdigit))
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(decoded.unwrap_or(*first));
        rest = if decoded.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The address with its password masked, and each parameter that is not known to be harmless.
fn redacted(mut url: Url) -> Url {
    const HARMLESS: [&str; 6] = ["sslmode", "host", "port", "dbname", "user", "application_name"];
    if url.password().is_some() {
        // Fails only for addresses that cannot hold a password, and this one does.
        let _ = url.set_password(Some("***"));
    }
    if url.query().is_some() {
        let pairs: Vec<(String, String)> = url
            .query_pairs()
            .map(|(name, value)| {
                let shown = HARMLESS.contains(&name.as_ref());
                let value = if shown { value.into_owned() } else { "***".to_owned() };
                (name.into_owned(), value)
            })
            .collect();
        url.query_pairs_mut().clear().extend_pairs(pairs);
    }
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_matches_itself_only() {
        let secret = Secret::new("correct horse battery staple");
        assert!(secret.matches(b"correct horse battery staple"));
        assert!(!secret.matches(b"correct horse battery stapl"));
        assert!(!secret.matches(b"correct horse battery staple "));
        assert!(!secret.matches(b""));
    }

    #[test]
    fn a_database_address_is_shown_without_its_password() {
        for (given, shown) in [
            ("sqlite://guildhall.db", "sqlite://guildhall.db"),
            ("postgres://ada:hunter2@db:5432/hall", "postgres://ada:***@db:5432/hall"),
            ("postgresql://ada@db/hall", "postgresql://ada@db/hall"),
            (
                "postgres://db/hall?user=ada&password=hunter2&sslmode=require",
                "postgres://db/hall?user=ada&password=***&sslmode=require",
            ),
        ] {
            let url = DatabaseUrl::parse(given).unwrap();
            assert_eq!(url.to_string(), shown);
            assert_eq!(format!("{url:?}"), format!("DatabaseUrl({shown})"));
            assert_eq!(url.expose(), given);
        }
    }

    #[test]
    fn a_database_address_names_its_engine_and_file() {
        for (given, path) in [
            ("sqlite:hall.db", "hall.db"),
            ("sqlite://hall.db?mode=rwc", "hall.db"),
            ("sqlite:///var/lib/hall.db", "/var/lib/hall.db"),
            ("sqlite://my%20hall.db", "my hall.db"),
            ("sqlite://100%.db", "100%.db"),
        ] {
            let url = DatabaseUrl::parse(given).unwrap();
            assert_eq!(url.kind(), DatabaseKind::Sqlite);
            assert_eq!(url.sqlite_path(), Some(PathBuf::from(path)));
        }
        let postgres = DatabaseUrl::parse("postgres:///hall?host=/run/postgresql").unwrap();
        assert_eq!(postgres.kind(), DatabaseKind::Postgres);
        assert_eq!(postgres.sqlite_path(), None);
    }

    #[test]
    fn an_address_that_would_connect_elsewhere_is_refused_without_being_repeated() {
        for (given, expected) in [
            ("mysql://ada:hunter2@db/hall", DatabaseUrlError::UnknownScheme),
            ("sqlite://", DatabaseUrlError::NoFile),
            ("sqlite::memory:", DatabaseUrlError::NoFile),
            ("postgres://ada:hunter#2@db/hall", DatabaseUrlError::Malformed),
            ("postgres://ada:1/hunter2@db/hall", DatabaseUrlError::Malformed),
        ] {
            let error = DatabaseUrl::parse(given).err();
            assert_eq!(error, Some(expected));
            assert!(!expected.to_string().contains("hunter"));
        }
    }
}
