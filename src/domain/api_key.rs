//! API keys: issuing, changing, rotating, revoking and verifying them.
//!
//! Invariants: a key is shown once and only its digest is kept; whether a key is good is decided at its use, never by
//! the age of a copy; nobody gives away more than they have; a revoked key stays revoked.

mod change;
mod claim;
mod delivery;
pub mod format;
mod issue;
mod keyring;
mod limit;
mod log;
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
pub use claim::{
    ClaimLink, ClaimRefusal, OrderView, Wanted, cancel_order, choose_scopes, end_orders, fill_order, link_order, order,
    reopen_order, reveal, view_link, view_order,
};
pub use delivery::{abandon_delivery, activate_delivered, revoke_undelivered};
pub use format::Shape;
pub use issue::{ImportedKey, IssuedKey, create, import};
pub use keyring::{Keyring, follow};
pub use limit::{DEFAULT as DEFAULT_LIMIT, RateLimit};
pub use log::{KeyEvent, log};
pub use read::{KeyFilter, KeyView, Keys, guild_of, key, keys, shown};
pub use refusal::KeyRefusal;
pub(in crate::domain) use revoke::revoke_of_owner;
pub use revoke::{Panic, ReportedKey, leak_stays, report_leak, report_pasted, revoke, revoke_where};
pub use rotate::{Rotated, rotate, rotate_for_delivery};
pub use specification::NewKey;
#[doc(hidden)]
pub use specification::{networks, origins};
pub use status::{KeyStatus, ends_at};
pub use verify::{VerifiedKey, verify};

use entity::id::ApiKeyId;

/// What events call a key.
pub(in crate::domain) fn subject(id: ApiKeyId) -> String {
    format!("api_key/{id}")
}
