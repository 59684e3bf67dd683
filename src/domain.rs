//! Every rule of the product. Faces ask, the domain decides; a rule lives here once.
//!
//! Invariants: authorization is decided here, in each public function; only public functions write, each through
//! one transaction that holds the change and its event.

pub mod access_token;
pub mod actor;
pub mod announcement;
pub mod api_key;
pub mod application;
pub mod cache;
pub mod counter;
pub mod direct_message;
pub mod duration;
pub mod error;
pub mod event;
pub mod guild;
pub mod history;
pub mod idempotency;
pub mod instance;
pub mod lease;
pub mod practice;
pub mod project;
pub mod proposal;
pub mod scope;
pub mod sign_in;
pub mod slot;
#[cfg(test)]
pub mod testing;
pub mod user;
pub mod vanish;

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};

pub use access_token::SigningKeys;
pub use actor::{Account, Actor, KeyActor, Member, Right, Source, UserActor};
pub use error::{Error, Kind, Refusal};

use crate::{
    clock::Clock,
    domain::cache::Caches,
    id_source::IdSource,
    store::{EventNote, Store},
};

/// The limits that an operator may set.
#[derive(Clone, Debug)]
pub struct Limits {
    /// How long an existing backlog waits after it was confirmed.
    pub arm_delay: Duration,
    /// Calls per second that sweeps may plan; past it, windows widen.
    pub sweep_calls_per_second_max: u32,
    /// Deletions per second of messages too old for bulk deletion.
    pub old_deletes_per_second: u32,
    /// Most messages that a preview reads.
    pub preview_messages_max: usize,
    /// API keys.
    pub keys: KeyLimits,
    /// Whether `GET /api/users/by-discord/{id}` makes the person of an account for those who may make people.
    pub creates_users_on_read: bool,
    /// Signing in.
    pub sign_in: sign_in::SignInLimits,
    /// Applications that programs make.
    pub applications: application::HttpForm,
}

/// The operator's limits on API keys.
#[derive(Clone, Debug)]
pub struct KeyLimits {
    /// Active keys that one person may have; none is no limit.
    pub max_active_per_user: Option<u32>,
    /// Whether `hall_…` keys are marked `live` or `test`, or keys of other systems are minted.
    pub shape: KeyDialect,
    /// Life of a key from `/apikey`, unless it says otherwise.
    pub chat_lifetime: TimeDelta,
    /// Time that the old key lives on after `/apikey rotate`, unless it says otherwise.
    pub chat_overlap: TimeDelta,
    /// Active keys that one person may have from `/apikey`.
    pub chat_active_max: u32,
    /// Life of a link that reveals a key.
    pub claim_lifetime: TimeDelta,
}

/// In whose shape keys are minted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyDialect {
    /// `hall_live_…`.
    Live,
    /// `hall_test_…`.
    Test,
    /// `cartel_…`, and `kk_…` at the address of that system.
    Compatible,
}

impl Default for Limits {
    /// The defaults of config.toml.
    fn default() -> Self {
        Self {
            arm_delay: Duration::from_mins(5),
            sweep_calls_per_second_max: 25,
            old_deletes_per_second: 5,
            preview_messages_max: 5_000,
            keys: KeyLimits {
                max_active_per_user: None,
                shape: KeyDialect::Live,
                chat_lifetime: TimeDelta::days(90),
                chat_overlap: TimeDelta::hours(24),
                chat_active_max: 5,
                claim_lifetime: TimeDelta::minutes(10),
            },
            creates_users_on_read: true,
            sign_in: sign_in::SignInLimits::default(),
            applications: application::HttpForm::default(),
        }
    }
}

/// What every rule needs: the store, the time, and new ids.
#[derive(Clone)]
pub struct Domain {
    store: Store,
    clock: Clock,
    ids: IdSource,
    limits: Arc<Limits>,
    signing: SigningKeys,
    passwords: sign_in::Passwords,
    caches: Arc<Caches>,
    usage: Arc<api_key::usage::Recorder>,
    running: idempotency::Running,
    pace: Arc<Pace>,
}

/// What the engine has learnt while running; lost at a restart without harm.
#[derive(Default)]
struct Pace {
    discord_ahead_milliseconds: AtomicI64,
    widening_thousandths: AtomicU64,
    lateness: Mutex<VecDeque<TimeDelta>>,
}

/// How late deletions have been, over the newest ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lateness {
    /// Half of them were at most this late.
    pub p50: TimeDelta,
    /// Ninety-nine of a hundred were.
    pub p99: TimeDelta,
    /// How many were measured.
    pub samples: usize,
}

/// Deletions whose lateness is remembered.
const LATENESS_SAMPLES_MAX: usize = 2_048;

impl Domain {
    /// Builds the domain over a migrated store; its caches follow the store's commits from now on.
    pub fn new(store: Store, clock: Clock, ids: IdSource, limits: Limits) -> Self {
        let caches = Arc::new(Caches::new());
        let listener = caches.clone();
        store.on_commit(move |notes| notes.iter().for_each(|note| listener.forget(note)));
        let signing = SigningKeys::random();
        Self {
            store,
            clock,
            ids,
            limits: Arc::new(limits),
            signing,
            passwords: sign_in::Passwords::default(),
            caches,
            usage: Arc::default(),
            running: idempotency::Running::default(),
            pace: Arc::default(),
        }
    }

    /// Signs tokens with these secrets; without them, with one that nobody else has.
    #[must_use]
    pub fn with_signing_keys(self, signing: SigningKeys) -> Self {
        Self { signing, ..self }
    }

    /// The store, for workers that wait on commits and for health checks.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The present moment, by the clock that rules are decided by.
    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// The operator's limits.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The present moment by Discord's clock, as far as its answers have told it.
    pub fn discord_now(&self) -> DateTime<Utc> {
        self.now() + TimeDelta::milliseconds(self.pace.discord_ahead_milliseconds.load(Ordering::Relaxed))
    }

    /// Learns Discord's clock from an answer. Differences under two seconds are the header's own coarseness.
    pub fn learn_discord_time(&self, discord: DateTime<Utc>) {
        let ahead = (discord - self.now()).num_milliseconds();
        let ahead = if ahead.abs() < 2_000 { 0 } else { ahead };
        self.pace.discord_ahead_milliseconds.store(ahead, Ordering::Relaxed);
    }

    /// By how much the sweeps' windows are widened at the moment; at least 1.
    pub fn widening(&self) -> f64 {
        let thousandths = u32::try_from(self.pace.widening_thousandths.load(Ordering::Relaxed)).unwrap_or(u32::MAX);
        (f64::from(thousandths) / 1000.0).max(1.0)
    }

    /// Remembers how late a deletion was.
    pub fn record_lateness(&self, late: TimeDelta) {
        metrics::histogram!("vanish_lateness_seconds").record(late.as_seconds_f64());
        let mut samples = self.pace.lateness.lock().unwrap_or_else(PoisonError::into_inner);
        if samples.len() == LATENESS_SAMPLES_MAX {
            samples.pop_front();
        }
        samples.push_back(late);
    }

    /// How late deletions have been; none before the first one.
    pub fn lateness(&self) -> Option<Lateness> {
        let samples = self.pace.lateness.lock().unwrap_or_else(PoisonError::into_inner);
        let mut sorted: Vec<_> = samples.iter().copied().collect();
        drop(samples);
        sorted.sort_unstable();
        let at = |percent: usize| sorted.get((sorted.len() * percent / 100).min(sorted.len().checked_sub(1)?)).copied();
        Some(Lateness { p50: at(50)?, p99: at(99)?, samples: sorted.len() })
    }

    /// Drops from the caches what an event of another process has made stale.
    pub fn forget(&self, note: &EventNote) {
        self.caches.forget(note);
    }

    fn set_widening(&self, factor: f64) {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 1..=1000")]
        let thousandths = (factor.clamp(1.0, 1000.0) * 1000.0) as u64;
        self.pace.widening_thousandths.store(thousandths, Ordering::Relaxed);
    }
}
