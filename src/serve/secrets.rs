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
/// The file of the generated secret that signs sessions.
const JWT_SECRET_FILE: &str = "jwt-secret.txt";

pub(super) struct RootKeySource {
    pub(super) key: RootKey,
    pub(super) generated: Option<Secret>,
}

/// The root key: `API_KEY` while it is set, else the generated one, made on the first start.
pub(super) async fn root_key(config: &Config, domain: &Domain) -> Result<RootKeySource, domain::Error> {
    if let Some(key) = &config.secrets.api_key {
        return Ok(RootKeySource { key: RootKey::from_key(key.expose()), generated: None });
    }
    if let Some(digest) = stored_digest(domain).await? {
        return Ok(RootKeySource { key: RootKey::from_digest(digest), generated: None });
    }
    let key = format!("hall_root_{}", random_text());
    let digest = RootKey::digest(&key);
    let hex = instance::hex(&digest);
    if instance::set_value_once(domain, instance::ROOT_KEY_DIGEST, hex).await? {
        return Ok(RootKeySource { key: RootKey::from_digest(digest), generated: Some(Secret::new(key)) });
    }
    // Another starter was faster: its key counts.
    let digest = stored_digest(domain).await?.unwrap_or(digest);
    Ok(RootKeySource { key: RootKey::from_digest(digest), generated: None })
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
    let secret = match write_new(&path, &random_text()) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        _ => std::fs::read_to_string(&path).map(|text| Secret::new(text.trim())),
    };
    secret.map_err(|source| StartError::SecretFile { path, source })
}

/// A file in the folder of the database.
fn beside(database: &Path, name: &str) -> PathBuf {
    database.parent().unwrap_or(Path::new("")).join(name)
}

/// Writes a secret to a new file of mode 0600.
pub fn write_new(path: &Path, secret: &str) -> std::io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    writeln!(file, "{secret}")
}
