//! Secrets that cannot be printed.

use std::fmt;

/// A bot token; `Debug` shows nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub struct BotToken(String);

impl BotToken {
    /// Takes the token as Discord's portal shows it; white space around it and a leading "Bot " are dropped.
    pub fn new(token: &str) -> Self {
        let token = token.trim();
        Self(token.strip_prefix("Bot ").unwrap_or(token).trim_start().to_owned())
    }

    /// The value of the `Authorization` header.
    pub(super) fn authorization(&self) -> String {
        format!("Bot {}", self.0)
    }

    /// Whether a header could carry it: visible ASCII only.
    pub(super) fn is_sendable(&self) -> bool {
        !self.0.is_empty() && self.0.bytes().all(|byte| byte.is_ascii_graphic())
    }
}

impl fmt::Debug for BotToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BotToken(…)")
    }
}

impl From<&str> for BotToken {
    fn from(token: &str) -> Self {
        Self::new(token)
    }
}

impl From<String> for BotToken {
    fn from(token: String) -> Self {
        Self::new(&token)
    }
}
