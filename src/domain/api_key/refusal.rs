//! What keys refuse, in words for people.

use chrono::{DateTime, Utc};

use crate::domain::{Kind, Refusal};

/// Why a key does not open, or does not change.
#[derive(Clone, Debug, thiserror::Error)]
pub enum KeyRefusal {
    /// Nobody knows this key.
    #[error("Invalid API key")]
    Unknown,
    /// Its life, or its grace after a rotation, is over.
    #[error("Invalid API key: it expired at {}", .0.to_rfc3339())]
    Expired(DateTime<Utc>),
    /// Somebody has switched it off.
    #[error("Invalid API key: it is disabled")]
    Disabled,
    /// It is dead for good.
    #[error("Invalid API key: it was revoked")]
    Revoked,
    /// It is not on its owner's side yet.
    #[error("Invalid API key: it is being delivered")]
    Delivering,
    /// It may not be used from there.
    #[error("This key may not be used from your address")]
    AddressNotAllowed,
    /// Whether keys are good cannot be known at the moment.
    #[error("Keys cannot be checked at the moment. Please try again")]
    CannotCheck,
    /// There is no such key, or the actor may not know of it.
    #[error("API key not found")]
    NotFound,
}

impl Refusal for KeyRefusal {
    fn kind(&self) -> Kind {
        match self {
            Self::Unknown | Self::Expired(_) | Self::Disabled | Self::Revoked | Self::Delivering => {
                Kind::Unauthenticated
            }
            Self::AddressNotAllowed => Kind::Forbidden,
            Self::CannotCheck => Kind::Unavailable,
            Self::NotFound => Kind::NotFound,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Unknown => "unauthenticated",
            Self::Expired(_) => "key.expired",
            Self::Disabled => "key.disabled",
            Self::Revoked => "key.revoked",
            Self::Delivering => "key.delivering",
            Self::AddressNotAllowed => "key.address_not_allowed",
            Self::CannotCheck => "key.cannot_check",
            Self::NotFound => "key.not_found",
        }
    }
}
