//! Wallets that sign what a browser would.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use k256::ecdsa::SigningKey;

use crate::domain::sign_in::{Address, hexadecimal, signed_digest};

/// A wallet.
pub struct Wallet {
    key: SigningKey,
}

/// A message that is right for the origin `app.example.org`, to be changed at will.
pub struct Draft {
    /// The authority that asks.
    pub domain: String,
    /// What the sign-in is for.
    pub uri: String,
    /// The chain.
    pub chain: String,
    /// What makes it unique.
    pub nonce: String,
    /// When it was made.
    pub issued_at: DateTime<Utc>,
    /// What stands behind.
    pub rest: String,
}

impl Draft {
    /// A message that is made now.
    pub fn new(nonce: &str, now: DateTime<Utc>) -> Self {
        Self {
            domain: "app.example.org".to_owned(),
            uri: "https://app.example.org/login".to_owned(),
            chain: "1".to_owned(),
            nonce: nonce.to_owned(),
            issued_at: now,
            rest: String::new(),
        }
    }

    /// With an end.
    pub fn ending(self, after: TimeDelta) -> Self {
        let end = self.issued_at + after;
        Self { rest: format!("\nExpiration Time: {}{}", text(end), self.rest), ..self }
    }
}

fn text(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

impl Wallet {
    /// One of many.
    pub fn of(seed: u8) -> Self {
        Self { key: SigningKey::from_slice(&[seed; 32]).unwrap() }
    }

    /// Its address.
    pub fn address(&self) -> Address {
        Address::of_key(self.key.verifying_key())
    }

    /// The text of a message.
    pub fn message(&self, draft: &Draft) -> String {
        let Draft { domain, uri, chain, nonce, issued_at, rest } = draft;
        let address = self.address().checksummed();
        format!(
            "{domain} wants you to sign in with your Ethereum account:\n{address}\n\nSign in.\n\nURI: {uri}\n\
             Version: 1\nChain ID: {chain}\nNonce: {nonce}\nIssued At: {}{rest}",
            text(*issued_at)
        )
    }

    /// The signature of a text.
    pub fn sign(&self, text: &str) -> String {
        let (signature, recovery) = self.key.sign_prehash_recoverable(&signed_digest(text));
        let digits = hexadecimal(&signature.to_bytes());
        format!("0x{digits}{:02x}", 27 + recovery.to_byte())
    }
}
