//! Signing in: by a wallet's signature, by a password, by a Discord account; and the sessions that come of it.
//!
//! A session is a family of tokens. Access tokens name it and live as long as it does, at most 15 minutes. Of its
//! refresh tokens one at a time is good; each is used for the next one.
//!
//! Invariants: of what is shown for proof nothing is stored but digests; what proves something once does so once, in
//! every process; a refresh token that comes back after its time ends its family; a session that has ended opens
//! nothing from the next request on.

mod discord;
#[doc(hidden)]
pub mod fuzzing;
mod me;
mod nonce;
mod origin;
mod password;
mod refresh;
mod refusal;
mod retention;
mod session;
mod signature;
mod siwe;
mod wallet;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use sha2::{Digest as _, Sha256};

pub use discord::{Begun, Returned, begin_discord, connect_discord, return_from_discord, sign_in_with_discord};
pub use me::{Me, me};
pub use nonce::{IssuedNonce, issue_nonce};
pub use origin::Origin;
pub use password::{Generated, Passwords, generate_password, register, set_password, sign_in_with_password};
pub use refresh::{KnownRefresh, REFRESH_PREFIX, find_refresh, refresh};
pub use refusal::SignInRefusal;
pub use retention::clear;
pub(in crate::domain) use session::end_sessions;
pub use session::{Tokens, issue_access_token, sign_out};
pub use signature::Address;
#[cfg(test)]
pub(in crate::domain) use signature::{digest as signed_digest, hexadecimal};
pub use siwe::Message;
pub use wallet::{connect_wallet, sign_in_with_wallet};

/// The operator's limits on signing in.
#[derive(Clone, Debug)]
pub struct SignInLimits {
    /// Chains whose accounts may sign in.
    pub chain_ids: Vec<u64>,
}

impl Default for SignInLimits {
    /// Ethereum's main chain.
    fn default() -> Self {
        Self { chain_ids: vec![1] }
    }
}

/// 256 random bits in 43 characters.
fn random_text() -> String {
    BASE64.encode(rand::random::<[u8; 32]>())
}

/// What is kept of a token. Its bits are many enough that nobody finds it from there.
fn digest(text: &str) -> Vec<u8> {
    Sha256::digest(text).to_vec()
}

#[cfg(test)]
mod tests;
