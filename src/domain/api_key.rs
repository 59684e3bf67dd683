//! API keys: issuing, changing, rotating, revoking and verifying them.
//!
//! Invariants: a key is shown once and only its digest is kept; whether a key is good is decided at its use, never by
//! the age of a copy; nobody gives away more than they have; a revoked key stays revoked.

mod change;
mod delivery;
pub mod format;
mod issue;
mod keyring;
mod limit;
mod owner_slot;
mod read;
mod refusal;
mod revoke;
mod rotate;
mod specification;
mod status;
#[cfg(test)]
mod tests;
pub mod usage;
mod verify;

pub use change::{KeyChange, change};
pub use delivery::{abandon_delivery, activate_delivered, revoke_undelivered};
pub use format::Shape;
pub use issue::{ImportedKey, IssuedKey, create, import};
pub use keyring::{Keyring, follow};
pub use limit::{DEFAULT as DEFAULT_LIMIT, RateLimit};
pub use read::{KeyFilter, KeyView, Keys, key, keys};
pub use refusal::KeyRefusal;
pub use revoke::{Panic, ReportedKey, report_leak, revoke, revoke_where};
pub use rotate::{Rotated, rotate, rotate_for_delivery};
pub use specification::NewKey;
pub use status::{KeyStatus, ends_at};
pub use verify::{VerifiedKey, verify};

use entity::id::ApiKeyId;

/// What events call a key.
pub(in crate::domain) fn subject(id: ApiKeyId) -> String {
    format!("api_key/{id}")
}
