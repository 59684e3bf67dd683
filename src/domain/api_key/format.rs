//! What keys look like, ours and those of other systems.
//!
//! Ours: `hall_live_` or `hall_test_`, 34 random base62 characters (202 bits), and the CRC-32 of all that in six
//! base62 digits. A double click selects the whole key, and a scanner can tell a real one without asking.

use rand::{
    RngExt as _,
    distr::{Alphanumeric, SampleString as _},
};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::secret::Secret;

/// Characters of the secret part before the checksum.
const RANDOM_CHARACTERS: usize = 34;
/// Digits of the checksum: 62^6 is more than 2^32.
const CHECKSUM_DIGITS: usize = 6;
/// Characters of the secret part that are kept for display.
const START_CHARACTERS: usize = 8;
/// Characters at the end that are kept for display.
const END_CHARACTERS: usize = 4;
/// Shortest and longest key of any system.
const KEY_CHARACTERS: std::ops::RangeInclusive<usize> = 8..=255;

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// What stands before the secret part, with the length and the alphabet of what follows.
const BRANDS: [Brand; 5] = [
    Brand { text: "hall_live_", random: RANDOM_CHARACTERS, alphabet: Alphabet::Base62Checked },
    Brand { text: "hall_test_", random: RANDOM_CHARACTERS, alphabet: Alphabet::Base62Checked },
    Brand { text: "cartel_", random: 32, alphabet: Alphabet::Base64Url },
    Brand { text: "kk_discord_", random: 64, alphabet: Alphabet::Hexadecimal },
    Brand { text: "kk_admin_", random: 64, alphabet: Alphabet::Hexadecimal },
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Alphabet {
    Base62Checked,
    Base64Url,
    Hexadecimal,
}

#[derive(Clone, Copy, Debug)]
struct Brand {
    text: &'static str,
    random: usize,
    alphabet: Alphabet,
}

impl Brand {
    /// Characters of a whole key.
    fn length(&self) -> usize {
        let checksum = if self.alphabet == Alphabet::Base62Checked { CHECKSUM_DIGITS } else { 0 };
        self.text.len() + self.random + checksum
    }
}

/// Which keys are minted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// `hall_live_…`.
    Live,
    /// `hall_test_…`.
    Test,
    /// `cartel_…`, as clients of that system know it.
    Cartel,
    /// `kk_discord_…`, as Key-Kingdom's clients know it.
    KeyKingdomDiscord,
    /// `kk_admin_…`, likewise.
    KeyKingdomAdmin,
}

impl Shape {
    /// The shape of keys that begin like this, if it is one of ours or of a system that we know.
    pub fn of_brand(brand: &str) -> Option<Self> {
        [Self::Live, Self::Test, Self::Cartel, Self::KeyKingdomDiscord, Self::KeyKingdomAdmin]
            .into_iter()
            .find(|shape| shape.brand().text == brand)
    }

    fn brand(self) -> &'static Brand {
        &BRANDS[match self {
            Self::Live => 0,
            Self::Test => 1,
            Self::Cartel => 2,
            Self::KeyKingdomDiscord => 3,
            Self::KeyKingdomAdmin => 4,
        }]
    }
}

/// SHA-256 of a whole key.
pub type KeyDigest = [u8; 32];

/// A new key: shown once, kept as its digest.
pub struct MintedKey {
    /// The key.
    pub secret: Secret,
    /// What is stored of it.
    pub facts: KeyFacts,
}

/// What is stored of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyFacts {
    /// SHA-256 of the whole key.
    pub digest: KeyDigest,
    /// What stands before the secret part.
    pub brand: String,
    /// The first characters of the secret part.
    pub start: String,
    /// The last characters.
    pub last_four: String,
}

/// Makes a key from the operating system's randomness.
pub fn mint(shape: Shape) -> MintedKey {
    let brand = shape.brand();
    let mut random = rand::rng();
    let mut text = brand.text.to_owned();
    match brand.alphabet {
        // Samples by rejection, so that no character is likelier than another.
        Alphabet::Base62Checked => Alphanumeric.append_string(&mut random, &mut text, brand.random),
        Alphabet::Base64Url => text.extend((0..brand.random).map(|_| base64url_character(random.random_range(0..64)))),
        Alphabet::Hexadecimal => text.extend((0..brand.random).map(|_| {
            char::from_digit(random.random_range(0..16), 16).expect("a number below sixteen is a hexadecimal digit")
        })),
    }
    if brand.alphabet == Alphabet::Base62Checked {
        text.push_str(&checksum(&text));
    }
    let facts = facts(&text);
    MintedKey { secret: Secret::new(text), facts }
}

fn base64url_character(index: u8) -> char {
    match index {
        62 => '-',
        63 => '_',
        digit => char::from(DIGITS[usize::from(digit)]),
    }
}

/// CRC-32 (IEEE) in base62, most significant digit first.
fn checksum(text: &str) -> String {
    let mut rest = crc32fast::hash(text.as_bytes());
    let mut digits = [b'0'; CHECKSUM_DIGITS];
    for digit in digits.iter_mut().rev() {
        *digit = DIGITS[(rest % 62) as usize];
        rest /= 62;
    }
    digits.iter().copied().map(char::from).collect()
}

/// What is to be stored of a key.
pub fn facts(key: &str) -> KeyFacts {
    let brand = BRANDS.iter().find(|brand| key.starts_with(brand.text)).map_or("", |brand| brand.text);
    let secret = &key[brand.len()..];
    let start = secret.chars().take(START_CHARACTERS).collect();
    let last_four = secret.chars().skip(secret.chars().count().saturating_sub(END_CHARACTERS)).collect();
    KeyFacts { digest: digest(key), brand: brand.to_owned(), start, last_four }
}

/// SHA-256 of a whole key: the input has too much randomness to need a slow function.
pub fn digest(key: &str) -> KeyDigest {
    Sha256::digest(key.as_bytes()).into()
}

/// Whether this text can be a key at all. A key of ours with a wrong checksum is none, which costs nobody a look.
pub fn is_plausible(text: &str) -> bool {
    if !KEY_CHARACTERS.contains(&text.len()) || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return false;
    }
    match BRANDS.iter().find(|brand| text.starts_with(brand.text)) {
        Some(brand) if brand.alphabet == Alphabet::Base62Checked => is_sound(text, brand),
        _ => true,
    }
}

fn is_sound(text: &str, brand: &Brand) -> bool {
    let length = brand.text.len() + brand.random;
    text.len() == brand.length()
        && text[brand.text.len()..].bytes().all(|byte| byte.is_ascii_alphanumeric())
        && checksum(&text[..length]) == text[length..]
}

/// The keys in a text that people wrote, each once; at most `limit`.
pub fn find(text: &str, limit: usize) -> Vec<&str> {
    let mut found: Vec<&str> = Vec::new();
    for brand in &BRANDS {
        for (at, _) in text.match_indices(brand.text) {
            let Some(key) = text.get(at..at + brand.length()) else { continue };
            let goes_on = text[at + key.len()..].starts_with(|next: char| next.is_ascii_alphanumeric());
            if found.len() < limit && !goes_on && is_shaped(key, brand) && !found.contains(&key) {
                found.push(key);
            }
        }
    }
    found
}

/// Whether it has the characters of its brand; its length is right.
fn is_shaped(key: &str, brand: &Brand) -> bool {
    let mut secret = key[brand.text.len()..].bytes();
    match brand.alphabet {
        Alphabet::Base62Checked => is_sound(key, brand),
        Alphabet::Base64Url => secret.all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')),
        Alphabet::Hexadecimal => secret.all(|byte| byte.is_ascii_hexdigit()),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    /// D02: all unique, prefix and checksum right.
    #[test]
    fn a_thousand_keys_are_unique_and_sound() {
        let keys: HashSet<String> = (0..1000).map(|_| mint(Shape::Live).secret.expose().to_owned()).collect();
        assert_eq!(keys.len(), 1000);
        for key in &keys {
            assert_eq!(key.len(), 50, "{key}");
            assert!(key.starts_with("hall_live_") && is_plausible(key), "{key}");
        }
    }

    /// D02: one wrong character is seen without a look into the store.
    #[test]
    fn any_wrong_character_is_seen() {
        let key = mint(Shape::Test).secret.expose().to_owned();
        for at in 0..key.len() {
            for other in ['0', 'A', 'z', '_'] {
                let mut wrong: Vec<char> = key.chars().collect();
                if std::mem::replace(&mut wrong[at], other) == other {
                    continue;
                }
                let wrong: String = wrong.into_iter().collect();
                // A damaged brand makes it a key of some other system, which only the store can tell.
                assert!(!is_plausible(&wrong) || !wrong.starts_with("hall_test_"), "{wrong}");
            }
        }
        assert!(!is_plausible(&key[..key.len() - 1]) && !is_plausible(&format!("{key}0")));
    }

    #[test]
    fn the_checksum_is_the_one_of_the_standard() {
        // The check value of CRC-32/ISO-HDLC for "123456789" is 0xcbf43926.
        assert_eq!(crc32fast::hash(b"123456789"), 0xcbf4_3926);
        assert_eq!(checksum("123456789"), "3jZRME");
        assert_eq!(checksum(""), "000000");
    }

    #[test]
    fn other_systems_keys_have_their_literal_shape() {
        let cartel = mint(Shape::Cartel);
        assert_eq!(cartel.secret.expose().len(), "cartel_".len() + 32);
        assert_eq!((cartel.facts.brand.as_str(), cartel.facts.start.len()), ("cartel_", 8));
        let discord = mint(Shape::KeyKingdomDiscord);
        assert!(discord.secret.expose()["kk_discord_".len()..].bytes().all(|b| b.is_ascii_hexdigit()));
        assert_eq!(discord.secret.expose().len(), "kk_discord_".len() + 64);
        assert!(discord.secret.expose().ends_with(&discord.facts.last_four));
        for key in [cartel, discord, mint(Shape::KeyKingdomAdmin)] {
            assert!(is_plausible(key.secret.expose()));
        }
    }

    #[test]
    fn what_cannot_be_a_key() {
        for text in ["", "short", "has space in it", "ünïcödé-key", "tab\tbed-key", &"x".repeat(256)] {
            assert!(!is_plausible(text), "{text:?}");
        }
        assert!(is_plausible("mk_abc12345") && is_plausible(&"x".repeat(255)));
    }

    #[test]
    fn keys_are_found_in_what_people_write() {
        let (one, two) = (mint(Shape::Live), mint(Shape::KeyKingdomAdmin));
        let (one, two) = (one.secret.expose(), two.secret.expose());
        let text = format!("my key is `{one}`, again {one}! and (\"{two}\") but not hall_live_{}", "a".repeat(40));
        assert_eq!(find(&text, 10), [one, two]);
        assert_eq!(find(&text, 1), [one]);
        assert!(find("hall_live_ cartel_ nothing here", 10).is_empty());
    }
}
