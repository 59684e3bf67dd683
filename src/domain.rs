//! Every rule of the product. Faces ask, the domain decides; a rule lives here once.
//!
//! Invariants: authorization is decided here, in each public function; only public functions write, each through
//! one transaction that holds the change and its event.

pub mod actor;
pub mod cache;
pub mod error;
pub mod slot;
pub mod vanish;

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, Utc};

pub use actor::{Actor, Member, Right, Source};
pub use error::{Error, Kind, Refusal};

use crate::{clock::Clock, domain::cache::Caches, id_source::IdSource, store::Store};

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
}

/// What every rule needs: the store, the time, and new ids.
#[derive(Clone)]
pub struct Domain {
    store: Store,
    clock: Clock,
    ids: IdSource,
    limits: Arc<Limits>,
    caches: Arc<Caches>,
}

impl Domain {
    /// Builds the domain over a migrated store; its caches follow the store's commits from now on.
    pub fn new(store: Store, clock: Clock, ids: IdSource, limits: Limits) -> Self {
        let caches = Arc::new(Caches::new());
        let listener = caches.clone();
        store.on_commit(move |notes| notes.iter().for_each(|note| listener.forget(note)));
        Self {
            store,
            clock,
            ids,
            limits: Arc::new(limits),
            caches,
        }
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
}
