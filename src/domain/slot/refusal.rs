//! What slots refuse, in words for people.

use entity::{channel_slot::SlotType, id::ChannelId};

use super::{SlotKey, permission, type_words};
use crate::domain::{Kind, Refusal};

/// Why a slot stays as it is.
#[derive(Clone, Debug, thiserror::Error)]
pub enum SlotRefusal {
    /// There is no such slot, or it has no channel.
    #[error("Channel setting not found")]
    NotFound,
    /// The name cannot be one.
    #[error("The name of a channel setting has 1 to 64 characters of a-z, 0-9, _ and -, such as alerts")]
    BadKey,
    /// A name that nobody made.
    #[error("There is no slot `{key}`{}. Create it first with /settings slot create", did_you_mean(.nearest))]
    Unknown {
        /// The name.
        key: SlotKey,
        /// Names like it.
        nearest: Vec<String>,
    },
    /// The channel does not fit.
    #[error("The slot `{key}` needs {}, and <#{channel_id}> is {}. Choose another channel", type_words(*.needed), type_words(*.actual))]
    WrongType {
        /// The slot.
        key: SlotKey,
        /// The channel.
        channel_id: ChannelId,
        /// What fits.
        needed: SlotType,
        /// What it is.
        actual: SlotType,
    },
    /// The bot cannot use the channel.
    #[error("I cannot use <#{channel_id}> for the slot `{key}`: I lack {} there. Allow it in the channel's permissions, then set the slot again", permission::words(*.missing).join(", "))]
    MissingPermissions {
        /// The slot.
        key: SlotKey,
        /// The channel.
        channel_id: ChannelId,
        /// Permission bits.
        missing: u64,
    },
    /// The channel is not here.
    #[error("<#{channel_id}> belongs to another server. Choose a channel of this one")]
    OtherGuild {
        /// The channel.
        channel_id: ChannelId,
    },
    /// Ours.
    #[error("The slot `{key}` is built in. Set its channel with /settings slot set")]
    BuiltIn {
        /// The slot.
        key: SlotKey,
    },
    /// Made already.
    #[error("The slot `{key}` exists already. Set its channel with /settings slot set")]
    Exists {
        /// The slot.
        key: SlotKey,
    },
    /// Quota.
    #[error("This server has {max} slots, which is the most there can be. Remove one first")]
    TooMany {
        /// The quota.
        max: u64,
    },
}

/// A question that names near misses; empty without any.
fn did_you_mean(nearest: &[String]) -> String {
    if nearest.is_empty() {
        return String::new();
    }
    format!(": did you mean {}?", nearest.join(" or "))
}

impl Refusal for SlotRefusal {
    fn kind(&self) -> Kind {
        match self {
            Self::NotFound | Self::Unknown { .. } => Kind::NotFound,
            Self::BadKey | Self::WrongType { .. } | Self::OtherGuild { .. } | Self::BuiltIn { .. } => Kind::Invalid,
            Self::MissingPermissions { .. } | Self::Exists { .. } => Kind::Conflict,
            Self::TooMany { .. } => Kind::LimitReached,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::NotFound => "slot.not_found",
            Self::BadKey => "slot.bad_key",
            Self::Unknown { .. } => "slot.unknown",
            Self::WrongType { .. } => "slot.wrong_type",
            Self::MissingPermissions { .. } => "slot.missing_permissions",
            Self::OtherGuild { .. } => "slot.other_guild",
            Self::BuiltIn { .. } => "slot.built_in",
            Self::Exists { .. } => "slot.exists",
            Self::TooMany { .. } => "slot.too_many",
        }
    }

    fn pointer(&self) -> Option<&'static str> {
        match self {
            Self::BadKey | Self::Unknown { .. } | Self::BuiltIn { .. } | Self::Exists { .. } => Some("/key"),
            Self::WrongType { .. } | Self::MissingPermissions { .. } | Self::OtherGuild { .. } => Some("/channelId"),
            Self::NotFound | Self::TooMany { .. } => None,
        }
    }
}

/// Why a slot that has a channel cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlotProblem {
    /// The channel is gone.
    ChannelDeleted,
    /// The bot may not see the channel.
    NoAccess,
    /// The channel belongs to another guild.
    OtherGuild,
    /// The channel is of another type.
    WrongType,
    /// The bot may see the channel, but not use it.
    MissingPermissions,
}

impl SlotProblem {
    const ALL: [Self; 5] =
        [Self::ChannelDeleted, Self::NoAccess, Self::OtherGuild, Self::WrongType, Self::MissingPermissions];

    /// As rows and events spell it.
    pub fn code(self) -> &'static str {
        match self {
            Self::ChannelDeleted => "channel_deleted",
            Self::NoAccess => "no_access",
            Self::OtherGuild => "other_guild",
            Self::WrongType => "wrong_type",
            Self::MissingPermissions => "missing_permissions",
        }
    }

    /// The problem that a row or an event spells.
    pub fn of_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|problem| problem.code() == code)
    }

    /// What happened and what to do, for people.
    pub fn words(self) -> &'static str {
        match self {
            Self::ChannelDeleted => "its channel was deleted: set another one",
            Self::NoAccess => "I cannot see its channel: allow me View Channel there",
            Self::OtherGuild => "its channel belongs to another server: set another one",
            Self::WrongType => "its channel is of the wrong type: set another one",
            Self::MissingPermissions => "I lack permissions in its channel: allow them there",
        }
    }
}
