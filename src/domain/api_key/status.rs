//! What a key is good for at a moment: its state, and its ends that have come.

use std::fmt;

use chrono::{DateTime, Utc};
use entity::api_key::{self, KeyState};

/// What a key is good for at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyStatus {
    /// Minted, and on its way to its owner: not good yet.
    Delivering,
    /// Good.
    Active,
    /// Replaced by another key, and good until its grace ends.
    Retiring,
    /// Switched off, and can be switched on again.
    Disabled,
    /// Its life, or its grace, is over.
    Expired,
    /// Dead for good.
    Revoked,
}

impl KeyStatus {
    /// What the key is good for now.
    pub fn of(row: &api_key::Model, now: DateTime<Utc>) -> Self {
        let has_ended = ends_at(row).is_some_and(|end| end <= now);
        match row.state {
            KeyState::Revoked => Self::Revoked,
            KeyState::Disabled => Self::Disabled,
            KeyState::Delivering => Self::Delivering,
            KeyState::Active | KeyState::Retiring if has_ended => Self::Expired,
            KeyState::Active => Self::Active,
            KeyState::Retiring => Self::Retiring,
        }
    }

    /// As programs spell it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Delivering => "delivering",
            Self::Active => "active",
            Self::Retiring => "retiring",
            Self::Disabled => "disabled",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
        }
    }

    /// Whether the key opens anything.
    pub fn is_good(self) -> bool {
        matches!(self, Self::Active | Self::Retiring)
    }
}

impl fmt::Display for KeyStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// When a key stops to work, as things stand.
pub fn ends_at(row: &api_key::Model) -> Option<DateTime<Utc>> {
    let grace = row.grace_ends_at.filter(|_| row.state == KeyState::Retiring);
    [grace, row.expires_at].into_iter().flatten().min()
}
