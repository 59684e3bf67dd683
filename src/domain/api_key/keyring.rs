//! This process's copy of keys and users, and how it follows what others change.
//!
//! Invariants: the index knows every digest of the store, so that an unknown key costs no query; a copied row is
//! dropped before the writer of its change is answered, and within two polls when another process wrote; when the
//! store has been silent for long, nothing opens.

use std::{
    collections::HashMap,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use entity::{
    api_key,
    id::{ApiKeyId, SessionId, UserId},
    session, user,
};
use sea_orm::{EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::{format::KeyDigest, refusal::KeyRefusal, verify::VerifiedKey};
use crate::{
    domain::{Domain, Error, cache::Copy, counter, user::is_active},
    store::EventNote,
};

/// Most keys, users and sessions that are copied, of each.
const ENTRIES_MAX: u64 = 100_000;
/// Without a word from the store for this long, its copies are not believed.
const SILENCE_MAX: Duration = Duration::from_secs(10);
/// After a look that failed, nobody looks again for this long.
const FAILURE_PAUSE: Duration = Duration::from_secs(1);
/// Most tombstones that are passed on the way to a person.
const TOMBSTONES_MAX: usize = 8;
/// Rows of one look into the store.
const BATCH: u64 = 10_000;

/// What is known of keys, users and sessions without asking the store.
pub struct Keyring {
    index: RwLock<HashMap<KeyDigest, ApiKeyId>>,
    keys: Copy<ApiKeyId, Option<Arc<VerifiedKey>>>,
    users: Copy<UserId, Option<user::Model>>,
    sessions: Copy<SessionId, Option<session::Model>>,
    /// The last change that is in the index; -1 before the first look.
    generation: AtomicI64,
    /// Changes that this process has made, and how many of them the last look could see. They are compared instead of
    /// a mark being cleared: who comes while a look is under way must not take its unfinished index for the whole.
    changes: AtomicU64,
    learnt: AtomicU64,
    word: RwLock<Word>,
    looking: tokio::sync::Mutex<()>,
}

/// What the store last said.
#[derive(Clone, Copy, Default)]
struct Word {
    heard_at: Option<Instant>,
    failed_at: Option<Instant>,
}

impl Default for Keyring {
    fn default() -> Self {
        Self {
            index: RwLock::default(),
            keys: Copy::new(ENTRIES_MAX),
            users: Copy::new(ENTRIES_MAX),
            sessions: Copy::new(ENTRIES_MAX),
            generation: AtomicI64::new(-1),
            changes: AtomicU64::new(1),
            learnt: AtomicU64::new(0),
            word: RwLock::default(),
            looking: tokio::sync::Mutex::new(()),
        }
    }
}

impl Keyring {
    /// Drops what an event of this process has made stale.
    pub(in crate::domain) fn forget(&self, note: &EventNote) {
        if let Some(id) = note.subject.strip_prefix("api_key/").and_then(|id| id.parse().ok()) {
            self.changes.fetch_add(1, Ordering::AcqRel);
            self.keys.forget(&id);
        }
        if let Some(id) = note.subject.strip_prefix("user/").and_then(|id| id.parse().ok()) {
            self.users.forget(&id);
        }
        if let Some(id) = note.subject.strip_prefix("session/").and_then(|id| id.parse().ok()) {
            self.sessions.forget(&id);
        }
        // It names the person and not their sessions; it is rare enough to look all of them up again.
        if note.kind == "session.all_ended" {
            self.sessions.forget_all();
        }
    }

    /// The session as it is now. Nobody asks for one before it is committed, so that its absence can be copied too.
    pub(in crate::domain) async fn session(
        &self,
        domain: &Domain,
        id: SessionId,
    ) -> Result<Arc<Option<session::Model>>, Error> {
        self.ensure_fresh(domain).await?;
        let load = async { Ok(session::Entity::find_by_id(id).one(domain.store.reader()).await?) };
        self.sessions.get_or_load(id, load).await
    }

    /// The person's row as it is now, where they may do anything; that of whom they were merged into, if they were.
    pub(in crate::domain) async fn person(&self, domain: &Domain, id: UserId) -> Result<Option<user::Model>, Error> {
        self.ensure_fresh(domain).await?;
        let mut id = id;
        // One step leads to the end, but for copies of tombstones that are about to be dropped.
        for _ in 0..TOMBSTONES_MAX {
            let load = async { Ok(user::Entity::find_by_id(id).one(domain.store.reader()).await?) };
            let row = self.users.get_or_load(id, load).await?;
            match row.as_ref() {
                Some(row) if row.merged_into.is_some() => id = row.merged_into.unwrap_or(id),
                Some(row) => return Ok(Some(row.clone()).filter(is_active)),
                None => return Ok(None),
            }
        }
        Ok(None)
    }

    /// The key of this digest as it is now; none where nobody knows it.
    pub(super) async fn key(&self, domain: &Domain, digest: &KeyDigest) -> Result<Option<Arc<VerifiedKey>>, Error> {
        // Asked before the lookup: an index that becomes complete in between would pass for one that was searched.
        let is_stale = self.is_stale();
        let mut id = self.lookup(digest);
        if id.is_none() && is_stale {
            self.look_unless_failing(domain).await?;
            id = self.lookup(digest);
        }
        self.ensure_fresh(domain).await?;
        let Some(id) = id else { return Ok(None) };
        let load = async {
            let row = api_key::Entity::find_by_id(id).one(domain.store.reader()).await?;
            Ok(row.map(VerifiedKey::new).transpose()?.map(Arc::new))
        };
        Ok(self.keys.get_or_load(id, load).await?.as_ref().clone())
    }

    /// The id of the key of this digest; none where nobody knows it.
    pub(super) async fn id(&self, domain: &Domain, digest: &KeyDigest) -> Result<Option<ApiKeyId>, Error> {
        Ok(self.key(domain, digest).await?.map(|key| key.row.id))
    }

    /// How many keys the store has.
    pub fn len(&self) -> usize {
        self.index.read().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Whether the store has no key.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn lookup(&self, digest: &KeyDigest) -> Option<ApiKeyId> {
        self.index.read().unwrap_or_else(PoisonError::into_inner).get(digest).copied()
    }

    /// Whether the index may lack a key that is good.
    fn is_stale(&self) -> bool {
        self.changes.load(Ordering::Acquire) != self.learnt.load(Ordering::Acquire) || self.word().failed_at.is_some()
    }

    /// A store that is silent may have revoked anything.
    async fn ensure_fresh(&self, domain: &Domain) -> Result<(), Error> {
        if is_within(self.word().heard_at, SILENCE_MAX) {
            return Ok(());
        }
        self.look_unless_failing(domain).await
    }

    fn word(&self) -> Word {
        *self.word.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// A store that has just failed is not asked by everybody: each would wait for its time-out, one after the other.
    async fn look_unless_failing(&self, domain: &Domain) -> Result<(), Error> {
        if is_within(self.word().failed_at, FAILURE_PAUSE) {
            return Err(KeyRefusal::CannotCheck.into());
        }
        let asked_at = Instant::now();
        let _turn = self.looking.lock().await;
        // Somebody else may have looked while this one waited for its turn.
        let Word { heard_at, failed_at } = self.word();
        if failed_at.is_some_and(|at| at >= asked_at) {
            return Err(KeyRefusal::CannotCheck.into());
        }
        if heard_at.is_some_and(|at| at >= asked_at) && !self.is_stale() {
            return Ok(());
        }
        self.look_now(domain).await.map_err(|error| {
            tracing::warn!(error = &error as &dyn std::error::Error, "keys cannot be checked");
            KeyRefusal::CannotCheck.into()
        })
    }

    /// Learns what has changed since the last look. Callers at the same time look one after the other.
    async fn look(&self, domain: &Domain) -> Result<(), Error> {
        let _turn = self.looking.lock().await;
        self.look_now(domain).await
    }

    async fn look_now(&self, domain: &Domain) -> Result<(), Error> {
        // Counted before the look: a change that comes during it is for the next one.
        let changes = self.changes.load(Ordering::Acquire);
        let outcome = self.learn(domain).await;
        let mut word = self.word.write().unwrap_or_else(PoisonError::into_inner);
        match &outcome {
            Ok(()) => {
                self.learnt.store(changes, Ordering::Release);
                *word = Word { heard_at: Some(Instant::now()), failed_at: None };
            }
            Err(_) => word.failed_at = Some(Instant::now()),
        }
        outcome
    }

    async fn learn(&self, domain: &Domain) -> Result<(), Error> {
        let reader = domain.store.reader();
        let newest = counter::last(reader, counter::AUTH).await?;
        let mut known = self.generation.load(Ordering::Acquire);
        while known < newest {
            let changed: Vec<(ApiKeyId, Vec<u8>, i64)> = api_key::Entity::find()
                .select_only()
                .columns([api_key::Column::Id, api_key::Column::Digest, api_key::Column::Generation])
                .filter(api_key::COLUMN.generation.gt(known))
                .filter(api_key::COLUMN.generation.lte(newest))
                .order_by_asc(api_key::COLUMN.generation)
                .limit(BATCH)
                .into_tuple()
                .all(reader)
                .await?;
            let last = changed.last().map_or(newest, |(_, _, generation)| *generation);
            let is_full = changed.len() as u64 == BATCH;
            self.take_in(changed);
            known = if is_full { last } else { newest };
        }
        self.forget_users(domain, newest).await?;
        self.forget_sessions(domain, newest).await?;
        self.generation.store(newest, Ordering::Release);
        Ok(())
    }

    fn take_in(&self, changed: Vec<(ApiKeyId, Vec<u8>, i64)>) {
        let mut index = self.index.write().unwrap_or_else(PoisonError::into_inner);
        for (id, digest, _) in changed {
            // A digest of another length is nobody's key.
            if let Ok(digest) = KeyDigest::try_from(digest.as_slice()) {
                index.insert(digest, id);
            }
            self.keys.forget(&id);
        }
    }

    async fn forget_users(&self, domain: &Domain, newest: i64) -> Result<(), Error> {
        let known = self.generation.load(Ordering::Acquire);
        if known < 0 || known >= newest {
            return Ok(());
        }
        let changed: Vec<UserId> = user::Entity::find()
            .select_only()
            .column(user::Column::Id)
            .filter(user::COLUMN.generation.gt(known))
            .limit(BATCH)
            .into_tuple()
            .all(domain.store.reader())
            .await?;
        if changed.len() as u64 == BATCH {
            self.users.forget_all();
        }
        for id in &changed {
            self.users.forget(id);
        }
        Ok(())
    }

    async fn forget_sessions(&self, domain: &Domain, newest: i64) -> Result<(), Error> {
        let known = self.generation.load(Ordering::Acquire);
        if known < 0 || known >= newest {
            return Ok(());
        }
        let changed: Vec<SessionId> = session::Entity::find()
            .select_only()
            .column(session::Column::Id)
            .filter(session::COLUMN.generation.gt(known))
            .limit(BATCH)
            .into_tuple()
            .all(domain.store.reader())
            .await?;
        if changed.len() as u64 == BATCH {
            self.sessions.forget_all();
        }
        for id in &changed {
            self.sessions.forget(id);
        }
        Ok(())
    }
}

fn is_within(at: Option<Instant>, span: Duration) -> bool {
    at.is_some_and(|at| at.elapsed() <= span)
}

/// Learns what other processes have changed; to be called a few times a second.
pub async fn follow(domain: &Domain) -> Result<(), Error> {
    domain.caches.keyring.look(domain).await
}
