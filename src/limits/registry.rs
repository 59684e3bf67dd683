//! Whose bucket is whose: two bounded, sharded maps, one of those who are known and one of those who are not.

use std::{
    collections::HashMap,
    hash::{BuildHasher as _, RandomState},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use super::{Class, Policy, bucket::Bucket};
use crate::clock::Clock;

/// Parts of a map, each behind a lock of its own.
const SHARDS: usize = 64;
/// A full map is searched for full buckets at most this often, so that a flood of newcomers cannot buy work.
const RECLAIM_PAUSE: Duration = Duration::from_secs(1);
/// The id of the bucket that newcomers share; no key, person or place has it.
const SHARED: u128 = u128::MAX;

/// Who calls: strangers can make up as many of themselves as they like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Population {
    /// Holders of keys, and people.
    Known,
    /// Addresses.
    Strangers,
}

type Owner = (Class, u128);

#[derive(Default)]
struct Shard {
    buckets: HashMap<Owner, Arc<Bucket>>,
    reclaimed_at: Option<Duration>,
}

impl Shard {
    /// Drops the full buckets that nobody is asking at the moment; returns how many.
    fn drop_full(&mut self) -> usize {
        let before = self.buckets.len();
        self.buckets.retain(|_, bucket| Arc::strong_count(bucket) > 1 || !bucket.is_full());
        before - self.buckets.len()
    }
}

struct Map {
    shards: [Mutex<Shard>; SHARDS],
    size: AtomicUsize,
    hasher: RandomState,
}

impl Map {
    fn new() -> Self {
        Self {
            shards: std::array::from_fn(|_| Mutex::default()),
            size: AtomicUsize::new(0),
            hasher: RandomState::new(),
        }
    }

    fn shard(&self, owner: Owner) -> std::sync::MutexGuard<'_, Shard> {
        let index = usize::try_from(self.hasher.hash_one(owner) % SHARDS as u64).unwrap_or(0);
        lock(&self.shards[index])
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(super) struct Registry {
    clock: Clock,
    size_max: usize,
    known: Map,
    strangers: Map,
}

impl Registry {
    pub(super) fn new(clock: Clock, size_max: usize) -> Self {
        Self { clock, size_max, known: Map::new(), strangers: Map::new() }
    }

    fn map(&self, population: Population) -> &Map {
        match population {
            Population::Known => &self.known,
            Population::Strangers => &self.strangers,
        }
    }

    pub(super) fn len(&self, population: Population) -> usize {
        self.map(population).size.load(Ordering::Relaxed)
    }

    /// The caller's bucket by these policies; a newcomer for whom there is no room shares one.
    pub(super) fn bucket(
        &self,
        population: Population,
        class: Class,
        id: u128,
        policies: &[Policy<'_>],
    ) -> Arc<Bucket> {
        let map = self.map(population);
        if let Some(bucket) = self.find_or_make(map, (class, id), policies) {
            return bucket;
        }
        // Beyond the bound by one bucket per class.
        let mut shard = map.shard((class, SHARED));
        let bucket = shard.buckets.entry((class, SHARED)).or_insert_with(|| {
            map.size.fetch_add(1, Ordering::Relaxed);
            Arc::new(Bucket::new(policies, &self.clock))
        });
        bucket.clone()
    }

    fn find_or_make(&self, map: &Map, owner: Owner, policies: &[Policy<'_>]) -> Option<Arc<Bucket>> {
        let mut shard = map.shard(owner);
        if let Some(bucket) = shard.buckets.get_mut(&owner) {
            if !bucket.is_of(policies) {
                *bucket = Arc::new(bucket.changed(policies, &self.clock));
            }
            return Some(bucket.clone());
        }
        if !self.has_room(map, &mut shard) {
            return None;
        }
        map.size.fetch_add(1, Ordering::Relaxed);
        let bucket = Arc::new(Bucket::new(policies, &self.clock));
        shard.buckets.insert(owner, bucket.clone());
        Some(bucket)
    }

    fn has_room(&self, map: &Map, shard: &mut Shard) -> bool {
        if map.size.load(Ordering::Relaxed) < self.size_max {
            return true;
        }
        let now = self.clock.elapsed();
        if shard.reclaimed_at.is_some_and(|at| now.saturating_sub(at) < RECLAIM_PAUSE) {
            return false;
        }
        shard.reclaimed_at = Some(now);
        let dropped = shard.drop_full();
        map.size.fetch_sub(dropped, Ordering::Relaxed);
        dropped > 0
    }

    /// Takes back a request of a caller who has a bucket.
    pub(super) fn give_back(&self, population: Population, class: Class, id: u128) {
        let map = self.map(population);
        let own = map.shard((class, id)).buckets.get(&(class, id)).cloned();
        let bucket = own.or_else(|| map.shard((class, SHARED)).buckets.get(&(class, SHARED)).cloned());
        if let Some(bucket) = bucket {
            bucket.give_back();
        }
    }

    pub(super) fn sweep(&self) {
        for map in [&self.known, &self.strangers] {
            for shard in &map.shards {
                let dropped = lock(shard).drop_full();
                map.size.fetch_sub(dropped, Ordering::Relaxed);
            }
        }
    }
}
