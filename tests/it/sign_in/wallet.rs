//! Wallets of stories.

use chrono::{DateTime, SecondsFormat, Utc};
use k256::ecdsa::SigningKey;
use serde_json::{Value, json};
use sha3::{Digest as _, Keccak256};

/// A wallet.
pub struct Wallet {
    key: SigningKey,
}

impl Wallet {
    /// One of many.
    pub fn of(seed: u8) -> Self {
        Self { key: SigningKey::from_slice(&[seed; 32]).expect("a key") }
    }

    /// Its address, in lower case.
    pub fn address(&self) -> String {
        let point = self.key.verifying_key().to_sec1_point(false);
        let digest = Keccak256::digest(&point.as_bytes()[1..]);
        format!("0x{}", hexadecimal(&digest[12..]))
    }

    /// A message of this moment, and its signature.
    pub fn signed(&self, nonce: &str, now: DateTime<Utc>) -> Value {
        let message = format!(
            "app.example.org wants you to sign in with your Ethereum account:\n{}\n\n\nURI: https://app.example.org\n\
             Version: 1\nChain ID: 1\nNonce: {nonce}\nIssued At: {}",
            self.address(),
            now.to_rfc3339_opts(SecondsFormat::Millis, true)
        );
        let begin = format!("\x19Ethereum Signed Message:\n{}", message.len());
        let digest = Keccak256::new().chain_update(begin).chain_update(&message).finalize();
        let (signature, recovery) = self.key.sign_prehash_recoverable(&digest);
        let signature = format!("0x{}{:02x}", hexadecimal(&signature.to_bytes()), 27 + recovery.to_byte());
        json!({"message": message, "signature": signature})
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|digit| char::from_digit(digit.into(), 16))
        .collect()
}
