//! Names of slots, and the slots that features of ours use.

use std::{fmt, str::FromStr};

use entity::channel_slot::SlotType;

use super::SlotRefusal;

/// Permission bits that slots ask for: <https://discord.com/developers/docs/topics/permissions>.
pub mod permission {
    /// View Channel.
    pub const VIEW_CHANNEL: u64 = 1 << 10;
    /// Send Messages; in a forum, make posts.
    pub const SEND_MESSAGES: u64 = 1 << 11;
    /// Embed Links.
    pub const EMBED_LINKS: u64 = 1 << 14;
    /// Connect.
    pub const CONNECT: u64 = 1 << 20;
    /// Create Public Threads.
    pub const CREATE_PUBLIC_THREADS: u64 = 1 << 35;
    /// Send Messages in Threads.
    pub const SEND_MESSAGES_IN_THREADS: u64 = 1 << 38;

    /// The bits above in Discord's words.
    const WORDS: [(u64, &str); 6] = [
        (VIEW_CHANNEL, "View Channel"),
        (SEND_MESSAGES, "Send Messages"),
        (EMBED_LINKS, "Embed Links"),
        (CONNECT, "Connect"),
        (CREATE_PUBLIC_THREADS, "Create Public Threads"),
        (SEND_MESSAGES_IN_THREADS, "Send Messages in Threads"),
    ];

    /// Names the bits that slots ask for.
    pub fn words(bits: u64) -> Vec<&'static str> {
        WORDS.iter().filter(|(bit, _)| bits & bit != 0).map(|(_, words)| *words).collect()
    }
}

use permission::{CONNECT, CREATE_PUBLIC_THREADS, EMBED_LINKS, SEND_MESSAGES, SEND_MESSAGES_IN_THREADS, VIEW_CHANNEL};

/// Longest name.
const KEY_BYTES_MAX: usize = 64;
/// What a post with an embed needs.
const POST: u64 = VIEW_CHANNEL | SEND_MESSAGES | EMBED_LINKS;

/// A slot's name: `[a-z0-9_-]{1,64}`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SlotKey(String);

impl SlotKey {
    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The slot that a feature of ours uses under this name.
    pub fn known(&self) -> Option<&'static KnownSlot> {
        known(&self.0)
    }

    /// A name that a row already holds.
    pub(super) fn of_row(key: &str) -> Self {
        Self(key.to_owned())
    }
}

impl FromStr for SlotKey {
    type Err = SlotRefusal;

    fn from_str(text: &str) -> Result<Self, SlotRefusal> {
        let fits = (1..=KEY_BYTES_MAX).contains(&text.len())
            && text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-'));
        if fits { Ok(Self(text.to_owned())) } else { Err(SlotRefusal::BadKey) }
    }
}

impl fmt::Display for SlotKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A slot that a feature of ours uses.
#[derive(Clone, Copy, Debug)]
pub struct KnownSlot {
    /// Its name.
    pub key: &'static str,
    /// What fits.
    pub slot_type: SlotType,
    /// Permission bits that the bot needs there.
    pub needs: u64,
    /// What it is for.
    pub purpose: &'static str,
    /// Which slot takes over while this one cannot be used.
    pub fallback: Option<&'static str>,
}

/// The known slots, in the order in which people read them.
pub const KNOWN: [KnownSlot; 6] = [
    KnownSlot {
        key: "alerts",
        slot_type: SlotType::Text,
        needs: POST,
        purpose: "Tells the people who run this server what needs them: paused rules, broken settings, summaries",
        fallback: None,
    },
    KnownSlot {
        key: "applications",
        slot_type: SlotType::Text,
        needs: POST | CREATE_PUBLIC_THREADS | SEND_MESSAGES_IN_THREADS,
        purpose: "Receives applications for review",
        fallback: Some("alerts"),
    },
    KnownSlot {
        key: "ledger",
        slot_type: SlotType::Text,
        needs: POST,
        purpose: "Mirrors every grant, deduction and reversal",
        fallback: Some("alerts"),
    },
    KnownSlot {
        key: "practice",
        slot_type: SlotType::Text,
        needs: POST,
        purpose: "Receives timers and leaderboards",
        fallback: Some("text"),
    },
    KnownSlot {
        key: "text",
        slot_type: SlotType::Text,
        needs: POST,
        purpose: "The text channel for posts that have no slot of their own",
        fallback: None,
    },
    KnownSlot {
        key: "voice",
        slot_type: SlotType::Voice,
        needs: VIEW_CHANNEL | CONNECT,
        purpose: "The voice channel of this server",
        fallback: None,
    },
];

/// The known slot of this name.
pub(super) fn known(key: &str) -> Option<&'static KnownSlot> {
    KNOWN.iter().find(|slot| slot.key == key)
}

/// What a channel is, as slots see it, by Discord's channel type; none for what no slot can hold.
///
/// Types: <https://discord.com/developers/docs/resources/channel#channel-object-channel-types>.
pub fn type_of_channel(kind: u8) -> Option<SlotType> {
    Some(match kind {
        0 | 5 => SlotType::Text,
        2 => SlotType::Voice,
        4 => SlotType::Category,
        10..=12 => SlotType::Thread,
        13 => SlotType::Stage,
        15 | 16 => SlotType::Forum,
        _ => return None,
    })
}

/// Permission bits that the bot needs in the channel of a slot.
pub fn needs(key: &SlotKey, slot_type: SlotType) -> u64 {
    match (key.known(), slot_type) {
        (Some(known), _) => known.needs,
        (None, SlotType::Any | SlotType::Category) => VIEW_CHANNEL,
        (None, SlotType::Text) => POST,
        (None, SlotType::Voice | SlotType::Stage) => VIEW_CHANNEL | CONNECT,
        (None, SlotType::Forum | SlotType::Thread) => VIEW_CHANNEL | SEND_MESSAGES | SEND_MESSAGES_IN_THREADS,
    }
}

/// A type in words, with its article.
pub fn type_words(slot_type: SlotType) -> &'static str {
    match slot_type {
        SlotType::Any => "a channel of any type",
        SlotType::Text => "a text channel",
        SlotType::Voice => "a voice channel",
        SlotType::Stage => "a stage channel",
        SlotType::Forum => "a forum channel",
        SlotType::Category => "a category",
        SlotType::Thread => "a thread",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_short_and_plain() {
        for good in ["a", "alerts", "a_b-9", &"x".repeat(64)] {
            assert_eq!(good.parse::<SlotKey>().unwrap().as_str(), good);
        }
        for bad in ["", "Alerts", "a b", "ä", "a/b", "a.b", &"x".repeat(65)] {
            assert!(bad.parse::<SlotKey>().is_err(), "{bad}");
        }
    }

    #[test]
    fn known_slots_fit_their_fallbacks() {
        for slot in &KNOWN {
            assert!(slot.key.parse::<SlotKey>().is_ok());
            if let Some(fallback) = slot.fallback.map(|key| known(key).expect("a known slot")) {
                assert_eq!(slot.slot_type, fallback.slot_type, "{}", slot.key);
            }
            assert!(!slot.purpose.is_empty() && slot.purpose.chars().count() <= 200);
        }
    }

    #[test]
    fn permissions_have_words() {
        assert_eq!(
            permission::words(VIEW_CHANNEL | SEND_MESSAGES_IN_THREADS),
            ["View Channel", "Send Messages in Threads"]
        );
        for slot in &KNOWN {
            let bits = usize::try_from(slot.needs.count_ones()).unwrap();
            assert_eq!(permission::words(slot.needs).len(), bits);
        }
    }
}
