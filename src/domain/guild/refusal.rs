//! What general settings refuse.

use crate::domain::{Kind, Refusal};

/// Why a general setting stays as it is.
#[derive(Clone, Debug, thiserror::Error)]
pub enum GuildRefusal {
    /// No IANA name.
    #[error("There is no time zone `{name}`{}", hint(.nearest))]
    UnknownTimeZone {
        /// What was given, cut to 64 characters.
        name: String,
        /// Names like it.
        nearest: Vec<&'static str>,
    },
    /// No language of Discord's.
    #[error("`{tag}` is no language of Discord. A valid one is en-GB, de or pt-BR")]
    UnknownLanguage {
        /// What was given, cut to 16 characters.
        tag: String,
    },
    /// No role that one could be given.
    #[error("Everybody has @everyone, so that it gives nobody a right. Choose another role")]
    RoleOfEverybody,
}

fn hint(nearest: &[&str]) -> String {
    if nearest.is_empty() {
        return ". A valid one is Europe/Berlin or America/New_York".to_owned();
    }
    format!(": did you mean {}?", nearest.join(" or "))
}

impl Refusal for GuildRefusal {
    fn kind(&self) -> Kind {
        Kind::Invalid
    }

    fn code(&self) -> &'static str {
        match self {
            Self::UnknownTimeZone { .. } => "guild.unknown_time_zone",
            Self::UnknownLanguage { .. } => "guild.unknown_language",
            Self::RoleOfEverybody => "guild.role_of_everybody",
        }
    }

    fn pointer(&self) -> Option<&'static str> {
        Some(match self {
            Self::UnknownTimeZone { .. } => "/timeZone",
            Self::UnknownLanguage { .. } => "/language",
            Self::RoleOfEverybody => "/roleId",
        })
    }
}
