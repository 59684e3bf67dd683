//! API keys: issuing, changing, rotating, revoking and verifying them.
//!
//! Invariants: a key is shown once and only its digest is kept; whether a key is good is decided at its use, never by
//! the age of a copy; nobody gives away more than they have.

pub mod format;
mod keyring;
mod limit;
mod refusal;
mod verify;

pub use keyring::{Keyring, follow};
pub use limit::RateLimit;
pub use refusal::KeyRefusal;
pub use verify::{VerifiedKey, verify};

use entity::id::ApiKeyId;

/// What events call a key.
pub(in crate::domain) fn subject(id: ApiKeyId) -> String {
    format!("api_key/{id}")
}
