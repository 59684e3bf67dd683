//! What a call to Discord can fail with, in the terms a caller decides on.
//!
//! Invariant: neither `Display` nor `Debug` holds an address, a token or a body of a message.

use std::time::Duration;

use serde::Deserialize;

/// Longest text of Discord's that an error repeats, in characters.
const MESSAGE_CHARACTERS_MAX: usize = 200;
/// How long a refusal of Discord's "slow down" family lasts when it names no time.
const SLOW_DOWN_DEFAULT: Duration = Duration::from_mins(1);

/// Why a call to Discord has no result.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Discord refused the bot token on this very call; the latch is now set.
    #[error("Discord refused the bot token")]
    Unauthorized,
    /// The bot cannot see the channel or server (50001).
    #[error("the bot cannot see this channel or server (50001)")]
    MissingAccess,
    /// The bot lacks a permission for this call (50013).
    #[error("the bot lacks a permission for this (50013)")]
    MissingPermissions,
    /// What the call names does not exist, or the interaction's token has run out.
    #[error("Discord no longer knows {} ({code})", unknown_thing(*code))]
    NotFound {
        /// Discord's code: 10003 channel, 10004 server, 10007 member, 10008 message, 10011 role,
        /// 10062 and 50027 interaction.
        code: u32,
    },
    /// The interaction has had its first answer (40060).
    #[error("the interaction is answered already (40060)")]
    AlreadyAcknowledged,
    /// At least one message is too old for a bulk delete, or the list has a wrong size (50034, 50016).
    #[error("a message is too old for a bulk delete")]
    TooOldForBulk,
    /// System messages of this type cannot be deleted (50021).
    #[error("this kind of message cannot be deleted (50021)")]
    NotDeletable,
    /// The thread is archived (50083).
    #[error("the thread is archived (50083)")]
    ThreadArchived,
    /// This person takes no direct message from the bot (50007, 50278, 40003).
    #[error("this person cannot be sent a direct message")]
    CannotSendToUser,
    /// Discord's limit, or our own pacing, would hold the call longer than it may wait.
    #[error("Discord's rate limit asks to wait {} s", retry_after.as_secs().max(1))]
    RateLimited {
        /// When another try can succeed.
        retry_after: Duration,
    },
    /// Too many refused requests in ten minutes: nothing is sent, to keep the bot's address unbanned.
    #[error("calls to Discord are paused after too many refused requests")]
    BreakerOpen {
        /// When the breaker closes if nothing else is refused.
        retry_after: Duration,
    },
    /// An earlier call found the bot token refused; nothing is sent until the latch is cleared.
    #[error("Discord refused the bot token earlier; no calls are made")]
    TokenRefused,
    /// Discord or the way to it is out of order; the same call can succeed later.
    #[error("Discord is not available: {reason}")]
    Unavailable {
        /// What went wrong, for people.
        reason: &'static str,
    },
    /// The call breaks a rule of Discord's that is checked here, before sending.
    #[error("the call is not valid: {reason}")]
    Invalid {
        /// The rule.
        reason: &'static str,
    },
    /// Discord refused the call for a reason without a variant of its own.
    #[error("Discord refused the call ({status}, code {code}): {message}")]
    Rejected {
        /// HTTP status.
        status: u16,
        /// Discord's JSON error code, 0 when there is none.
        code: u32,
        /// Discord's words, cut to 200 characters.
        message: String,
    },
}

impl Error {
    /// The bot lost a right; trying again before somebody grants it only costs standing.
    pub fn is_permission_loss(&self) -> bool {
        matches!(self, Self::MissingAccess | Self::MissingPermissions)
    }

    /// The thing is gone for good.
    pub fn is_gone(&self) -> bool {
        matches!(self, Self::NotFound { .. })
    }

    /// The same call can succeed later without anybody changing anything.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::RateLimited { .. } | Self::BreakerOpen { .. } | Self::Unavailable { .. })
    }

    /// When to try again, where that is known.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::RateLimited { retry_after } | Self::BreakerOpen { retry_after } => Some(*retry_after),
            _ => None,
        }
    }

    /// Reads an answer that is neither a success nor a plain 429.
    pub(super) fn from_answer(status: u16, body: &[u8], with_bot_token: bool) -> Self {
        if status == 401 {
            return if with_bot_token { Self::Unauthorized } else { Self::NotFound { code: 50_027 } };
        }
        if status >= 500 || status == 408 {
            return Self::Unavailable { reason: "it answered with a server error" };
        }
        if (300..400).contains(&status) {
            return Self::Unavailable { reason: "it answered with a redirect, which is never followed" };
        }
        // A page of a proxy is not Discord's word: taking its 404 for "gone" would forget real messages.
        let Some(problem) = Problem::read(body) else {
            return Self::Unavailable { reason: "something other than Discord's API answered" };
        };
        problem.into_error(status)
    }
}

/// The thing that one of Discord's "Unknown …" codes is about.
fn unknown_thing(code: u32) -> &'static str {
    match code {
        10_003 => "this channel",
        10_004 => "this server",
        10_007 | 10_013 => "this member",
        10_008 => "this message",
        10_011 => "this role",
        10_015 | 10_062 | 50_027 => "this interaction",
        _ => "what the call names",
    }
}

/// Discord's error body.
#[derive(Debug, Deserialize)]
pub(super) struct Problem {
    #[serde(default)]
    code: u32,
    #[serde(default)]
    message: String,
    retry_after: Option<f64>,
    #[serde(default)]
    pub(super) global: bool,
}

impl Problem {
    /// `None` when the body is not Discord's.
    pub(super) fn read(body: &[u8]) -> Option<Self> {
        serde_json::from_slice(body).ok()
    }

    /// The wait that the body of a 429 asks for.
    pub(super) fn retry_after(&self) -> Option<Duration> {
        self.retry_after.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
    }

    /// A 429 that no later try will turn into a success.
    pub(super) fn refuses_direct_messages(&self) -> bool {
        self.code == 40_003
    }

    pub(super) fn into_error(self, status: u16) -> Error {
        match self.code {
            50_001 => Error::MissingAccess,
            50_013 => Error::MissingPermissions,
            code @ (10_001..=10_199 | 50_027) => Error::NotFound { code },
            40_060 => Error::AlreadyAcknowledged,
            50_016 | 50_034 => Error::TooOldForBulk,
            50_021 => Error::NotDeletable,
            50_083 => Error::ThreadArchived,
            40_003 | 50_007 | 50_278 => Error::CannotSendToUser,
            20_028 | 20_029 | 30_046 => {
                Error::RateLimited { retry_after: self.retry_after().unwrap_or(SLOW_DOWN_DEFAULT) }
            }
            code => {
                Error::Rejected { status, code, message: self.message.chars().take(MESSAGE_CHARACTERS_MAX).collect() }
            }
        }
    }
}

/// Why a [`DiscordApi`](super::DiscordApi) cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SetupError {
    /// The proxy for the API is not an http or https address.
    #[error("the address of the Discord API proxy must be an http or https address without query")]
    BaseUrl,
    /// The bot token has characters that no token has.
    #[error("the bot token holds characters that no Discord token has")]
    Token,
    /// A limit is zero.
    #[error("every limit of the Discord API must be at least 1")]
    Limit,
    /// The TLS client could not be made.
    #[error("the HTTP client for Discord could not be made")]
    Client,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(status: u16, code: u32) -> Error {
        let body = serde_json::json!({ "code": code, "message": "words" }).to_string();
        Error::from_answer(status, body.as_bytes(), true)
    }

    #[test]
    fn codes_become_variants() {
        assert_eq!(error(403, 50_001), Error::MissingAccess);
        assert_eq!(error(403, 50_013), Error::MissingPermissions);
        assert_eq!(error(404, 10_008), Error::NotFound { code: 10_008 });
        assert_eq!(error(400, 40_060), Error::AlreadyAcknowledged);
        assert_eq!(error(400, 50_034), Error::TooOldForBulk);
        assert_eq!(error(400, 50_016), Error::TooOldForBulk);
        assert_eq!(error(403, 50_021), Error::NotDeletable);
        assert_eq!(error(400, 50_083), Error::ThreadArchived);
        assert_eq!(error(403, 50_278), Error::CannotSendToUser);
        assert!(error(400, 30_046).retry_after().is_some());
        assert_eq!(error(400, 50_035), Error::Rejected { status: 400, code: 50_035, message: "words".into() });
        assert_eq!(error(404, 0), Error::Rejected { status: 404, code: 0, message: "words".into() });
    }

    #[test]
    fn only_discord_itself_can_say_gone() {
        assert!(Error::from_answer(404, b"<html>nginx</html>", true).is_transient());
        assert!(Error::from_answer(403, b"error code: 1020", true).is_transient());
        assert!(Error::from_answer(502, b"", true).is_transient());
        assert!(Error::from_answer(302, b"{}", true).is_transient());
    }

    #[test]
    fn refused_credentials_are_told_apart() {
        assert_eq!(Error::from_answer(401, b"", true), Error::Unauthorized);
        assert!(Error::from_answer(401, b"", false).is_gone());
    }
}
