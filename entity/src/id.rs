//! Typed identifiers.
//!
//! Discord's ids are unsigned 64-bit snowflakes: `u64` in Rust, the same bits as a signed `BIGINT` in the
//! store, decimal strings in JSON. Our own ids are UUID version 7.

use std::{fmt, str::FromStr};

use sea_orm::DeriveValueType;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use uuid::Uuid;

/// First millisecond of Discord's epoch, 2015-01-01T00:00:00Z, in Unix milliseconds.
pub const DISCORD_EPOCH_MILLISECONDS: i64 = 1_420_070_400_000;

/// Why a text is no snowflake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidSnowflake;

impl fmt::Display for InvalidSnowflake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("must be a decimal string from 1 to 18446744073709551615 without leading zeros")
    }
}

impl std::error::Error for InvalidSnowflake {}

/// Reads the canonical decimal form; zero is no id.
fn parse_snowflake(text: &str) -> Result<u64, InvalidSnowflake> {
    let canonical = !text.is_empty()
        && text.len() <= 20
        && !text.starts_with('0')
        && text.bytes().all(|byte| byte.is_ascii_digit());
    if !canonical {
        return Err(InvalidSnowflake);
    }
    text.parse().map_err(|_| InvalidSnowflake)
}

macro_rules! snowflake {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, DeriveValueType)]
        pub struct $name(i64);

        impl $name {
            /// Takes Discord's number as it is; `None` for zero, which is no id.
            pub fn new(id: u64) -> Option<Self> {
                (id != 0).then(|| Self(id.cast_signed()))
            }

            /// Discord's number.
            pub fn get(self) -> u64 {
                self.0.cast_unsigned()
            }

            /// When Discord made this id, in Unix milliseconds.
            pub fn created_at_milliseconds(self) -> i64 {
                (self.get() >> 22).cast_signed() + DISCORD_EPOCH_MILLISECONDS
            }
        }

        impl PartialOrd for $name {
            fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
                Some(self.cmp(other))
            }
        }

        impl Ord for $name {
            fn cmp(&self, other: &Self) -> std::cmp::Ordering {
                self.get().cmp(&other.get())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.get().fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = InvalidSnowflake;

            fn from_str(text: &str) -> Result<Self, InvalidSnowflake> {
                parse_snowflake(text).map(|id| Self(id.cast_signed()))
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(de::Error::custom)
            }
        }
    };
}

snowflake!(
    /// A Discord server.
    GuildId
);
snowflake!(
    /// A Discord channel or thread.
    ChannelId
);
snowflake!(
    /// A Discord message.
    MessageId
);
snowflake!(
    /// A Discord account, human or bot.
    DiscordUserId
);
snowflake!(
    /// A role of a Discord server.
    RoleId
);

impl MessageId {
    /// The smallest id a message sent at this moment can have; `None` before Discord's epoch.
    ///
    /// Snowflake layout: <https://discord.com/developers/docs/reference#snowflakes>.
    pub fn at_milliseconds(unix_milliseconds: i64) -> Option<Self> {
        let since_epoch = u64::try_from(unix_milliseconds - DISCORD_EPOCH_MILLISECONDS).ok()?;
        Self::new(since_epoch << 22)
    }
}

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, DeriveValueType)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, uuid::Error> {
                text.parse().map(Self)
            }
        }

        // SeaORM asks every primary key for this; a UUID is never made from an integer.
        impl sea_orm::TryFromU64 for $name {
            fn try_from_u64(_: u64) -> Result<Self, sea_orm::DbErr> {
                Err(sea_orm::DbErr::ConvertFromU64(stringify!($name)))
            }
        }
    };
}

uuid_id!(
    /// One named channel of a guild.
    ChannelSlotId
);
uuid_id!(
    /// One announcement that waits to be posted in Discord.
    AnnouncementId
);
uuid_id!(
    /// One change that waits for its author's confirmation.
    ProposalId
);
uuid_id!(
    /// One person, whatever accounts they have elsewhere.
    UserId
);
uuid_id!(
    /// One API key.
    ApiKeyId
);
uuid_id!(
    /// One link that reveals a new API key once.
    ApiKeyClaimId
);
uuid_id!(
    /// One direct message that the bot owes a person.
    DirectMessageId
);
uuid_id!(
    /// One sign-in and all tokens that came from it.
    SessionId
);
uuid_id!(
    /// One project that a person shows.
    ProjectId
);
uuid_id!(
    /// One vote on an application.
    ApplicationVoteId
);
uuid_id!(
    /// One step of what follows a decision.
    ApplicationStepId
);
uuid_id!(
    /// One note about an application.
    ApplicationNoteId
);
uuid_id!(
    /// One practice session.
    PracticeSessionId
);
uuid_id!(
    /// One part of a practice session.
    PracticeSegmentId
);
uuid_id!(
    /// One change of counted practice.
    PracticeCorrectionId
);
uuid_id!(
    /// One season of a guild's practice.
    PracticeSeasonId
);
uuid_id!(
    /// One form that people apply with.
    FormId
);
uuid_id!(
    /// One question of a form.
    FormQuestionId
);
uuid_id!(
    /// One draft of an application.
    FormDraftId
);
uuid_id!(
    /// One application.
    ApplicationId
);
