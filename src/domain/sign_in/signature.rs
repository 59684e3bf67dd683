//! Addresses and signatures of wallets: EIP-55 and EIP-191.

use k256::ecdsa::{RecoveryId, Signature, VerifyingKey};
use sha3::{Digest as _, Keccak256};

use super::refusal::SignInRefusal;

/// Bytes of a signature: two numbers of 32 bytes, and which of the possible keys it is.
const SIGNATURE_BYTES: usize = 65;

/// An address on a chain of the Ethereum family.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Address([u8; 20]);

impl Address {
    /// Reads `0x` and 40 digits. Where their case is mixed, it must be the checksum of
    /// <https://eips.ethereum.org/EIPS/eip-55>.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix("0x").filter(|digits| digits.len() == 40)?;
        let address = Self(bytes(digits)?.try_into().ok()?);
        let is_mixed = digits.bytes().any(|digit| digit.is_ascii_lowercase())
            && digits.bytes().any(|digit| digit.is_ascii_uppercase());
        (!is_mixed || address.checksummed() == text).then_some(address)
    }

    /// As identities spell it.
    pub fn lower_case(&self) -> String {
        format!("0x{}", hexadecimal(&self.0))
    }

    /// With its checksum.
    pub fn checksummed(&self) -> String {
        let digits = hexadecimal(&self.0);
        let digest = hexadecimal(&Keccak256::digest(&digits));
        let cased = digits
            .chars()
            .zip(digest.bytes())
            .map(|(digit, weight)| if matches!(weight, b'8'..=b'f') { digit.to_ascii_uppercase() } else { digit });
        "0x".chars().chain(cased).collect()
    }

    /// The address of a key: the end of the digest of its point.
    pub fn of_key(key: &VerifyingKey) -> Self {
        let point = key.to_sec1_point(false);
        let digest = Keccak256::digest(&point.as_bytes()[1..]);
        let mut address = [0; 20];
        address.copy_from_slice(&digest[12..]);
        Self(address)
    }
}

/// Refuses what cannot be the signature of a wallet, whoever has made it.
pub(super) fn check_form(signature: &str) -> Result<(), SignInRefusal> {
    read(signature).map(drop)
}

/// Refuses unless this address has signed the message, as <https://eips.ethereum.org/EIPS/eip-191> version `0x45` says.
pub(super) fn check(message: &str, signature: &str, address: Address) -> Result<(), SignInRefusal> {
    let signature = read(signature)?;
    if recover(message, &signature) == Some(address) { Ok(()) } else { Err(SignInRefusal::WrongSignature) }
}

fn read(signature: &str) -> Result<[u8; SIGNATURE_BYTES], SignInRefusal> {
    let digits = signature.strip_prefix("0x").ok_or(SignInRefusal::UnreadableSignature)?;
    let signature = bytes(digits).ok_or(SignInRefusal::UnreadableSignature)?;
    // A contract signs with as many bytes as it likes; only its chain could say whether they are right.
    signature.try_into().map_err(|_| SignInRefusal::ContractWalletUnsupported)
}

fn recover(message: &str, signature: &[u8; SIGNATURE_BYTES]) -> Option<Address> {
    let (numbers, recovery) = signature.split_at(SIGNATURE_BYTES - 1);
    let is_odd = match recovery {
        [0 | 27] => false,
        [1 | 28] => true,
        _ => return None,
    };
    let signature = Signature::from_slice(numbers).ok()?;
    // Of the two signatures that open alike, only the lower one counts, so that nobody can make a second one.
    if signature.normalize_s() != signature {
        return None;
    }
    let key = VerifyingKey::recover_from_prehash(&digest(message), &signature, RecoveryId::new(is_odd, false)).ok()?;
    Some(Address::of_key(&key))
}

/// What a wallet signs for a text.
pub(in crate::domain) fn digest(message: &str) -> [u8; 32] {
    let begin = format!("\x19Ethereum Signed Message:\n{}", message.len());
    Keccak256::new().chain_update(begin).chain_update(message).finalize().into()
}

/// The bytes that pairs of hexadecimal digits stand for.
fn bytes(digits: &str) -> Option<Vec<u8>> {
    let value = |digit: &u8| char::from(*digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
    let (pairs, []) = digits.as_bytes().as_chunks::<2>() else { return None };
    pairs.iter().map(|[high, low]| Some(value(high)? << 4 | value(low)?)).collect()
}

pub(in crate::domain) fn hexadecimal(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|digit| char::from_digit(digit.into(), 16))
        .collect()
}

#[cfg(test)]
mod tests;
