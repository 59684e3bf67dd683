//! Bounded copies of configuration that is read on every request, kept right by the event log.

use std::{
    hash::Hash,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use chrono::{DateTime, Utc};
use entity::{
    guild_role::RoleKind,
    id::{ChannelId, GuildId, RoleId},
    vanish_rule,
};
use moka::sync::Cache;
use tokio::sync::broadcast;

use super::{
    Error,
    api_key::Keyring,
    practice,
    user::KnownAccounts,
    vanish::{GuildTimes, schedule::Effective},
};
use crate::store::EventNote;

/// Most entries of each cache.
const ENTRIES_MAX: u64 = 20_000;
/// Most cached lists.
const LISTS_MAX: u64 = 2_000;
/// Most guilds whose change of practice waits for its listener, who looks at all of them when there were more.
const TERMS_MAX: usize = 1_024;
/// Generations; a change in one shard drops the refills of that shard only.
const SHARDS: usize = 64;

/// A cache whose refill loses against a change: an entry is kept only if nothing was forgotten while it was loaded.
pub struct Copy<K, V> {
    entries: Cache<K, Arc<V>>,
    generations: [AtomicU64; SHARDS],
    /// Held while an entry is loaded, so that many who miss it ask the store once.
    loading: [tokio::sync::Mutex<()>; SHARDS],
}

impl<K, V> Copy<K, V>
where
    K: Hash + Eq + Clone + Send + Sync + 'static,
    V: Send + Sync + 'static,
{
    pub(in crate::domain) fn new(entries_max: u64) -> Self {
        Self {
            entries: Cache::new(entries_max),
            generations: [const { AtomicU64::new(0) }; SHARDS],
            loading: std::array::from_fn(|_| tokio::sync::Mutex::default()),
        }
    }

    /// The entry, loaded where it is missing.
    pub async fn get_or_load<F>(&self, key: K, load: F) -> Result<Arc<V>, Error>
    where
        F: Future<Output = Result<V, Error>>,
    {
        if let Some(value) = self.entries.get(&key) {
            return Ok(value);
        }
        let shard = Self::shard(&key);
        let _turn = self.loading[shard].lock().await;
        if let Some(value) = self.entries.get(&key) {
            return Ok(value);
        }
        let generation = &self.generations[shard];
        let before = generation.load(Ordering::Acquire);
        let value = Arc::new(load.await?);
        self.entries.insert(key.clone(), value.clone());
        // A change that came in between has bumped the generation before it looked for the entry.
        if generation.load(Ordering::Acquire) != before {
            self.entries.invalidate(&key);
        }
        Ok(value)
    }

    /// Drops the entry, and every refill that is under way.
    pub fn forget(&self, key: &K) {
        self.generations[Self::shard(key)].fetch_add(1, Ordering::AcqRel);
        self.entries.invalidate(key);
    }

    /// Drops all entries, and every refill that is under way.
    pub fn forget_all(&self) {
        for generation in &self.generations {
            generation.fetch_add(1, Ordering::AcqRel);
        }
        self.entries.invalidate_all();
    }

    fn shard(key: &K) -> usize {
        let hash = std::hash::BuildHasher::hash_one(
            &std::hash::BuildHasherDefault::<std::hash::DefaultHasher>::default(),
            key,
        );
        usize::try_from(hash % SHARDS as u64).unwrap_or(0)
    }
}

/// When a place is looked at next, and by which rule.
#[derive(Clone, Debug)]
pub struct PlaceHint {
    /// The rule as it holds there.
    pub effective: Effective,
    /// The next look.
    pub due_at: Option<DateTime<Utc>>,
}

/// All caches of the domain.
pub struct Caches {
    /// What a new message in a channel or thread means; none where no active rule reaches.
    pub places: Copy<ChannelId, Option<PlaceHint>>,
    /// The rule of a channel, or that it has none.
    pub vanish_rule: Copy<ChannelId, Option<vanish_rule::Model>>,
    /// All rules of a guild.
    pub vanish_rules: Copy<GuildId, Vec<vanish_rule::Model>>,
    /// Rules as this process last wrote them: a guess of what is there, which spares a look if a conditional update
    /// finds it right. Nothing forgets it, and nobody may believe it.
    pub vanish_written: Cache<ChannelId, Arc<vanish_rule::Model>>,
    /// The times that members of a guild have chosen for their own messages.
    pub(in crate::domain) own_times: Copy<GuildId, GuildTimes>,
    /// The roles that a guild has given rights.
    pub guild_roles: Copy<GuildId, Vec<(RoleKind, RoleId)>>,
    /// How a guild counts practice.
    pub practice_rule: Copy<GuildId, practice::Rule>,
    /// Tells of guilds in which other voice channels or other members may count from now on.
    pub practice_terms: broadcast::Sender<GuildId>,
    /// Keys and users, which every request asks for.
    pub keyring: Keyring,
    /// Discord accounts whose person exists.
    pub known_accounts: KnownAccounts,
}

impl Caches {
    pub(super) fn new() -> Self {
        Self {
            places: Copy::new(ENTRIES_MAX),
            vanish_rule: Copy::new(ENTRIES_MAX),
            vanish_rules: Copy::new(LISTS_MAX),
            vanish_written: Cache::new(ENTRIES_MAX),
            own_times: Copy::new(LISTS_MAX),
            guild_roles: Copy::new(LISTS_MAX),
            practice_rule: Copy::new(ENTRIES_MAX),
            practice_terms: broadcast::Sender::new(TERMS_MAX),
            keyring: Keyring::default(),
            known_accounts: KnownAccounts::default(),
        }
    }

    /// Drops what an event has made stale.
    pub fn forget(&self, note: &EventNote) {
        self.keyring.forget(note);
        self.known_accounts.forget(note);
        // Threads and defaults spread a change over places that the event does not name.
        if (note.kind.starts_with("vanish.") && note.kind != "vanish.swept") || note.kind == "guild.settings_changed" {
            self.places.forget_all();
        }
        // Such events are a person's, and name no guild.
        if note.kind.starts_with("own_vanish.") || note.kind == "vanish.default_set" {
            self.own_times.forget_all();
        }
        if let (true, Some(guild)) = (note.kind.starts_with("guild_role."), note.guild_id) {
            self.guild_roles.forget(&guild);
            // Nobody may be listening.
            let _ = self.practice_terms.send(guild);
        }
        if let Some(guild) = note.subject.strip_prefix("practice_rule/").and_then(|id| id.parse().ok()) {
            self.practice_rule.forget(&guild);
            let _ = self.practice_terms.send(guild);
        }
        if let Some(channel) = note.subject.strip_prefix("vanish/").and_then(|id| id.parse().ok()) {
            self.vanish_rule.forget(&channel);
            if let Some(guild) = note.guild_id {
                self.vanish_rules.forget(&guild);
            }
        }
    }
}
