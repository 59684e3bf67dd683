//! What keys refuse, in words for people.

use chrono::{DateTime, Utc};
use entity::api_key::Preset;

use super::status::KeyStatus;
use crate::domain::{Kind, Refusal, event::spelled};

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
    /// A text is empty, too long, or holds control characters.
    #[error("{what} must have {min} to {max} characters, and no control characters")]
    BadText {
        /// Where it stands.
        pointer: &'static str,
        /// Which text.
        what: &'static str,
        /// Fewest characters.
        min: usize,
        /// Most characters.
        max: usize,
    },
    /// A list is too long.
    #[error("At most {max} {what} can be given")]
    TooMany {
        /// Where it stands.
        pointer: &'static str,
        /// Entries of what.
        what: &'static str,
        /// Most entries.
        max: usize,
    },
    /// Texts that are no scopes.
    #[error("Unknown scopes: {}. There are read, write, admin and those that the reference lists", .0.join(", "))]
    UnknownScopes(Vec<String>),
    /// A scope of another guild on a key that is bound to one.
    #[error("The scope {0} is about another server than the key's own")]
    ScopeOutsideGuild(String),
    /// More than the chosen type allows.
    #[error("The scope {scope} is more than keys of the type {} allow", spelled(*.preset))]
    ScopeBeyondPreset {
        /// The scope.
        scope: String,
        /// The type.
        preset: Preset,
    },
    /// More than the maker has.
    #[error("Insufficient permissions: nobody can grant more than they have, and {scope} is more")]
    BeyondMaker {
        /// What goes beyond.
        scope: String,
        /// What the maker has.
        available: Vec<String>,
    },
    /// A text that is no origin.
    #[error(
        "Allowed origin {0}: must be a host such as app.example.org, a host with a port, or *. before a host for all \
         that lie under it"
    )]
    BadOrigin(usize),
    /// A text that is no network.
    #[error("Entry {0} of the allow list: must be an address or a network such as 10.0.0.0/8 or 2001:db8::/32")]
    BadNetwork(usize),
    /// A limit that cannot be kept.
    #[error("Rate limit {position}: {fault}")]
    BadLimit {
        /// Which one, counted from 1.
        position: usize,
        /// What is wrong with it.
        fault: &'static str,
    },
    /// An end that has passed, or is too far away.
    #[error("The expiry must lie in the future, and at most 100 years away")]
    BadExpiry,
    /// A grace that is too short or too long.
    #[error("The grace period must be from 0 to 604800 whole seconds")]
    BadGrace,
    /// A text that is no digest.
    #[error("The digest must be the SHA-256 of the whole key: 64 hexadecimal digits")]
    BadDigest,
    /// Parts for display that no key has.
    #[error(
        "The parts for display must be visible ASCII characters: at most 16 before the secret part, 8 of its begin and \
         4 of its end"
    )]
    BadDisplay,
    /// The owner has as many active keys as allowed.
    #[error("The owner has {0} active keys already, which is the limit. Revoke one first, or rotate it")]
    TooManyActive(u32),
    /// The digest belongs to a key already.
    #[error("This key is known already")]
    AlreadyKnown,
    /// Only an active key can be replaced.
    #[error("Only an active key can be rotated: this one is {0}")]
    NotRotatable(KeyStatus),
    /// Its successor is on its way.
    #[error("The key that replaces this one is being delivered")]
    RotationUnderWay,
    /// A revoked key stays revoked.
    #[error("A revoked key cannot be enabled again. Create a new one")]
    RevokedForGood,
    /// A key on its way can be neither enabled nor disabled.
    #[error("This key is {0}, not on its way to its owner")]
    NotDelivering(KeyStatus),
    /// A key on its way to its owner can only be revoked.
    #[error("This key is being delivered: revoke it, or wait for a minute")]
    StillDelivering,
    /// A stretch of time that usage cannot be shown for.
    #[error("{0}")]
    BadRange(&'static str),
}

impl Refusal for KeyRefusal {
    fn kind(&self) -> Kind {
        match self {
            Self::Unknown | Self::Expired(_) | Self::Disabled | Self::Revoked | Self::Delivering => {
                Kind::Unauthenticated
            }
            Self::AddressNotAllowed | Self::BeyondMaker { .. } => Kind::Forbidden,
            Self::CannotCheck => Kind::Unavailable,
            Self::NotFound => Kind::NotFound,
            Self::BadText { .. }
            | Self::TooMany { .. }
            | Self::UnknownScopes(_)
            | Self::ScopeOutsideGuild(_)
            | Self::ScopeBeyondPreset { .. }
            | Self::BadOrigin(_)
            | Self::BadNetwork(_)
            | Self::BadLimit { .. }
            | Self::BadExpiry
            | Self::BadGrace
            | Self::BadDigest
            | Self::BadDisplay
            | Self::BadRange(_) => Kind::Invalid,
            Self::TooManyActive(_)
            | Self::AlreadyKnown
            | Self::NotRotatable(_)
            | Self::RotationUnderWay
            | Self::RevokedForGood
            | Self::NotDelivering(_)
            | Self::StillDelivering => Kind::Conflict,
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
            Self::BadText { .. } => "key.bad_text",
            Self::TooMany { .. } => "key.list_too_long",
            Self::UnknownScopes(_) => "key.unknown_scopes",
            Self::ScopeOutsideGuild(_) => "key.scope_outside_guild",
            Self::ScopeBeyondPreset { .. } => "key.scope_beyond_type",
            Self::BeyondMaker { .. } => "key.beyond_maker",
            Self::BadOrigin(_) => "key.bad_origin",
            Self::BadNetwork(_) => "key.bad_network",
            Self::BadLimit { .. } => "key.bad_limit",
            Self::BadExpiry => "key.bad_expiry",
            Self::BadGrace => "key.bad_grace",
            Self::BadDigest => "key.bad_digest",
            Self::BadDisplay => "key.bad_display",
            Self::TooManyActive(_) => "key.too_many_active",
            Self::AlreadyKnown => "key.already_known",
            Self::NotRotatable(_) => "key.not_rotatable",
            Self::RotationUnderWay => "key.rotation_under_way",
            Self::RevokedForGood => "key.revoked_for_good",
            Self::NotDelivering(_) => "key.not_delivering",
            Self::StillDelivering => "key.still_delivering",
            Self::BadRange(_) => "key.bad_range",
        }
    }

    fn pointer(&self) -> Option<&'static str> {
        match self {
            Self::BadText { pointer, .. } | Self::TooMany { pointer, .. } => Some(pointer),
            Self::UnknownScopes(_) | Self::ScopeOutsideGuild(_) | Self::ScopeBeyondPreset { .. } => Some("/scopes"),
            Self::BadOrigin(_) => Some("/allowedOrigins"),
            Self::BadNetwork(_) => Some("/ipAllowlist"),
            Self::BadLimit { .. } => Some("/rateLimits"),
            Self::BadExpiry => Some("/expiresAt"),
            _ => None,
        }
    }

    fn rights(&self) -> Option<(Vec<String>, Vec<String>)> {
        match self {
            Self::BeyondMaker { scope, available } => Some((vec![scope.clone()], available.clone())),
            _ => None,
        }
    }
}
