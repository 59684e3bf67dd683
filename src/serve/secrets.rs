//! Secrets that are made on the first start.

use std::{
    fs::OpenOptions,
    io::{ErrorKind, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use rand::{RngExt, distr::Alphanumeric};

use super::StartError;
use crate::{
    app::RootKey,
    config::Config,
    domain::{self, Domain, instance},
    secret::Secret,
};

/// Random characters of a generated secret: 238 bits.
const RANDOM_CHARACTERS: usize = 40;
/// What a generated root key begins with.
const ROOT_KEY_PREFIX: &str = "hall_root_";
/// The file of a generated root key, until somebody has read it from a terminal.
const ROOT_KEY_FILE: &str = "root-key.txt";
/// The file of the generated secret that signs sessions.
const JWT_SECRET_FILE: &str = "jwt-secret.txt";

/// A root key that holds from this start on.
pub struct NewRootKey {
    /// The key.
    pub key: Secret,
    /// The private file that holds it.
    pub file: PathBuf,
    /// This start has made it; else an earlier one did, and was killed before anybody could use it.
    pub made_now: bool,
}

pub(super) struct RootKeySource {
    pub(super) key: RootKey,
    pub(super) new: Option<NewRootKey>,
}

/// The root key: `API_KEY` while it is set, else the generated one, made on the first start.
///
/// The file comes before the digest, so that a kill between them loses no key: the next start adopts the file's.
pub(super) async fn root_key(config: &Config, domain: &Domain) -> Result<RootKeySource, StartError> {
    if let Some(key) = &config.secrets.api_key {
        return Ok(RootKeySource { key: RootKey::from_key(key.expose()), new: None });
    }
    if let Some(digest) = stored_digest(domain).await? {
        return Ok(RootKeySource { key: RootKey::from_digest(digest), new: None });
    }
    let new = key_in_file(beside(&config.database.url.sqlite_path().unwrap_or_default(), ROOT_KEY_FILE))?;
    let digest = RootKey::digest(new.key.expose());
    if instance::set_value_once(domain, instance::ROOT_KEY_DIGEST, instance::hex(&digest)).await? {
        return Ok(RootKeySource { key: RootKey::from_digest(digest), new: Some(new) });
    }
    // Another starter was faster: its key counts, and unless it is the same one, ours opens nothing.
    let counts = stored_digest(domain).await?.unwrap_or(digest);
    if new.made_now && counts != digest {
        std::fs::remove_file(&new.file).map_err(|source| StartError::SecretFile { path: new.file, source })?;
    }
    Ok(RootKeySource { key: RootKey::from_digest(counts), new: None })
}

/// The key that the file holds, after writing one where there is no file.
fn key_in_file(file: PathBuf) -> Result<NewRootKey, StartError> {
    let key = format!("{ROOT_KEY_PREFIX}{}", random_text());
    match write_whole(&file, &key) {
        Ok(()) => Ok(NewRootKey { key: Secret::new(key), file, made_now: true }),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            let known = std::fs::read_to_string(&file).map(|text| text.trim().to_owned());
            match known {
                Ok(key)
                    if key.len() == ROOT_KEY_PREFIX.len() + RANDOM_CHARACTERS && key.starts_with(ROOT_KEY_PREFIX) =>
                {
                    Ok(NewRootKey { key: Secret::new(key), file, made_now: false })
                }
                Ok(_) => Err(StartError::ForeignRootKey { path: file }),
                Err(source) => Err(StartError::SecretFile { path: file, source }),
            }
        }
        Err(source) => Err(StartError::SecretFile { path: file, source }),
    }
}

async fn stored_digest(domain: &Domain) -> Result<Option<[u8; 32]>, domain::Error> {
    let Some(hex) = instance::value(domain, instance::ROOT_KEY_DIGEST).await? else { return Ok(None) };
    let mut digest = [0; 32];
    for (byte, pair) in digest.iter_mut().zip(hex.as_bytes().chunks(2)) {
        let pair = std::str::from_utf8(pair).unwrap_or_default();
        match u8::from_str_radix(pair, 16) {
            Ok(value) => *byte = value,
            Err(_) => return Ok(None),
        }
    }
    Ok((hex.len() == 64).then_some(digest))
}

fn random_text() -> String {
    rand::rng().sample_iter(Alphanumeric).take(RANDOM_CHARACTERS).map(char::from).collect()
}

/// The secret that signs access tokens. On SQLite it is made where none is set; several processes on PostgreSQL must
/// share one, which the settings therefore require.
pub(super) fn jwt_secret(config: &Config) -> Result<Secret, StartError> {
    if let Some(secret) = &config.secrets.jwt_secret {
        return Ok(secret.clone());
    }
    let database = config.database.url.sqlite_path().unwrap_or_default();
    let path = beside(&database, JWT_SECRET_FILE);
    let secret = match write_whole(&path, &random_text()) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        _ => std::fs::read_to_string(&path).map(|text| Secret::new(text.trim())),
    };
    secret.map_err(|source| StartError::SecretFile { path, source })
}

/// A file in the folder of the database.
fn beside(database: &Path, name: &str) -> PathBuf {
    database.parent().unwrap_or(Path::new("")).join(name)
}

/// Writes a secret to a new file of mode 0600, which appears with all of its content or not at all.
fn write_whole(path: &Path, secret: &str) -> std::io::Result<()> {
    let draft = path.with_extension(format!("{}.draft", random_text()));
    let written = write_new(&draft, secret).and_then(|()| match std::fs::hard_link(&draft, path) {
        // A file system without links.
        Err(error) if error.kind() != ErrorKind::AlreadyExists && !path.exists() => std::fs::rename(&draft, path),
        linked => linked,
    });
    // A draft that stays behind opens nothing.
    let _ = std::fs::remove_file(&draft);
    written
}

fn write_new(path: &Path, secret: &str) -> std::io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    writeln!(file, "{secret}")?;
    file.sync_all()
}
