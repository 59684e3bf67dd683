//! Where a request goes and which bucket it counts in.

use std::{
    fmt::Write as _,
    hash::{DefaultHasher, Hash, Hasher},
};

use reqwest::Method;

/// Every path starts with this.
pub(super) const PREFIX: &str = "/api/v10";

/// What a rate-limit bucket belongs to before its name is known.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct RouteKey {
    pub(super) method: Method,
    pub(super) template: &'static str,
    /// The channel, server or webhook; Discord counts each by itself.
    pub(super) major: u64,
    /// Tells apart calls of one route that Discord counts apart, such as deletions of old messages.
    pub(super) variant: u8,
}

/// One request's place. No `Debug`: the path can hold an interaction's token.
pub(super) struct Route {
    pub(super) key: RouteKey,
    pub(super) path: String,
    /// Sent with the bot token.
    pub(super) with_bot_token: bool,
    /// Discord counts it in a bucket that later requests share.
    pub(super) has_bucket: bool,
}

impl Route {
    /// A route that needs the bot token; `path` is the template filled in.
    pub(super) fn new(method: Method, template: &'static str, path: String, major: u64) -> Self {
        let key = RouteKey { method, template, major, variant: 0 };
        Self { key, path, with_bot_token: true, has_bucket: true }
    }

    /// A route that an interaction's token opens; the token is the major part.
    pub(super) fn of_interaction(method: Method, template: &'static str, path: String, id: u64, token: &str) -> Self {
        let mut hasher = DefaultHasher::new();
        (id, token).hash(&mut hasher);
        let key = RouteKey { method, template, major: hasher.finish(), variant: 0 };
        Self { key, path, with_bot_token: false, has_bucket: true }
    }

    pub(super) fn variant(mut self, variant: u8) -> Self {
        self.key.variant = variant;
        self
    }

    pub(super) fn without_bucket(mut self) -> Self {
        self.has_bucket = false;
        self
    }

    /// Sending it twice has the same outcome as sending it once.
    pub(super) fn is_repeatable(&self) -> bool {
        self.key.method != Method::POST
    }
}

/// Percent-encodes all but unreserved characters (RFC 3986 2.3), so that no text can leave its place in a path.
pub(super) fn encode(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a String never fails.
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_stays_in_its_place() {
        assert_eq!(encode("aZ9-._~"), "aZ9-._~");
        assert_eq!(encode("../@me?x#é"), "..%2F%40me%3Fx%23%C3%A9");
    }
}
