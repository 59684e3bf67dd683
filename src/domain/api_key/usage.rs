//! How often keys are used, from where and how it went: counted in memory, written every few seconds.
//!
//! Invariants: counting waits for nothing and fails nobody; memory is bounded, and what does not fit any more costs
//! detail before it costs counts; what a failed write held is written by the next one.

mod flush;
mod read;
mod retention;

use std::{
    collections::HashMap,
    hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher},
    net::{IpAddr, Ipv6Addr},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use chrono::{DateTime, Utc};
use entity::{api_key, id::ApiKeyId};

use crate::domain::Domain;

pub use flush::flush;
pub use read::{Group, KeyTotal, KeyTotals, Usage, UsageQuery, UsageRow, by_key, callers, usage};
pub use retention::forget_old;

/// Parts of the memory that are locked apart.
const SHARDS: usize = 16;
/// Most keys that one part counts.
const KEYS_MAX: usize = 6_250;
/// Most details that one part counts: routes with their outcomes in their minutes, and addresses.
const DETAILS_MAX: usize = 4_096;

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// It was served.
    Ok,
    /// The caller was wrong.
    ClientError,
    /// The server failed.
    ServerError,
    /// The key lacks a scope.
    Forbidden,
    /// A limit was reached.
    RateLimited,
}

impl Outcome {
    /// What a status of HTTP says.
    pub fn of_status(status: u16) -> Self {
        match status {
            403 => Self::Forbidden,
            429 => Self::RateLimited,
            400..=499 => Self::ClientError,
            500.. => Self::ServerError,
            _ => Self::Ok,
        }
    }

    /// As rows and answers spell it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::ClientError => "client_error",
            Self::ServerError => "server_error",
            Self::Forbidden => "forbidden",
            Self::RateLimited => "rate_limited",
        }
    }
}

/// One request with a key.
#[derive(Clone, Copy, Debug)]
pub struct KeyUse<'a> {
    /// The key.
    pub key: ApiKeyId,
    /// Method and template of the route, such as `GET /api/discord/vanish`; never the path that was asked for.
    pub route: &'a str,
    /// How it ended.
    pub outcome: Outcome,
    /// The caller's address.
    pub address: IpAddr,
    /// How long it took.
    pub latency: Duration,
}

/// Counts a request, in memory only.
pub fn record(domain: &Domain, used: &KeyUse<'_>) {
    domain.usage.record(used, minute_of(domain.now()));
}

/// Minutes since 1970.
fn minute_of(at: DateTime<Utc>) -> i64 {
    at.timestamp().div_euclid(60)
}

/// The begin of a minute.
fn begin_of(minute: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(minute.saturating_mul(60), 0).unwrap_or(DateTime::UNIX_EPOCH)
}

/// Requests of one route with one outcome in one minute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Tally {
    requests: i64,
    latency_total_microseconds: i64,
    latency_max_microseconds: i64,
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.requests += other.requests;
        self.latency_total_microseconds =
            self.latency_total_microseconds.saturating_add(other.latency_total_microseconds);
        self.latency_max_microseconds = self.latency_max_microseconds.max(other.latency_max_microseconds);
    }
}

/// Requests from one address.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Caller {
    route: String,
    requests: i64,
    first_minute: i64,
    last_minute: i64,
}

/// What waits to be written of one key.
#[derive(Clone, Debug, Default)]
struct Waiting {
    requests: i64,
    last_minute: i64,
    tallies: HashMap<(i64, Outcome), HashMap<String, Tally>>,
    callers: HashMap<IpAddr, Caller>,
}

impl Waiting {
    fn details(&self) -> usize {
        self.tallies.values().map(HashMap::len).sum::<usize>() + self.callers.len()
    }

    /// Adds to a tally; says whether it is a new one, and does nothing where it would be and there is no room.
    fn tally(&mut self, at: (i64, Outcome), route: &str, tally: Tally, has_room: bool) -> bool {
        if let Some(known) = self.tallies.get_mut(&at).and_then(|routes| routes.get_mut(route)) {
            known.add(tally);
            return false;
        }
        if has_room {
            self.tallies.entry(at).or_default().insert(route.to_owned(), tally);
        } else {
            metrics::counter!("api_key_usage_details_dropped_total").increment(1);
        }
        has_room
    }

    /// The same for an address.
    fn call(&mut self, address: IpAddr, call: &Caller, has_room: bool) -> bool {
        if let Some(known) = self.callers.get_mut(&address) {
            known.requests += call.requests;
            known.first_minute = known.first_minute.min(call.first_minute);
            if call.last_minute >= known.last_minute {
                known.last_minute = call.last_minute;
                if known.route != call.route {
                    known.route.clone_from(&call.route);
                }
            }
            return false;
        }
        if has_room {
            self.callers.insert(address, call.clone());
        }
        has_room
    }
}

#[derive(Default)]
struct Shard {
    keys: HashMap<ApiKeyId, Waiting>,
    details: usize,
}

impl Shard {
    /// What waits of a key; none where there are too many keys.
    fn of(&mut self, key: ApiKeyId) -> Option<&mut Waiting> {
        if self.keys.len() >= KEYS_MAX && !self.keys.contains_key(&key) {
            metrics::counter!("api_key_uses_dropped_total").increment(1);
            return None;
        }
        Some(self.keys.entry(key).or_default())
    }

    fn add(&mut self, key: ApiKeyId, more: &Waiting) {
        let mut details = self.details;
        let Some(waiting) = self.of(key) else { return };
        waiting.requests += more.requests;
        waiting.last_minute = waiting.last_minute.max(more.last_minute);
        for (at, routes) in &more.tallies {
            for (route, tally) in routes {
                details += usize::from(waiting.tally(*at, route, *tally, details < DETAILS_MAX));
            }
        }
        for (address, call) in &more.callers {
            details += usize::from(waiting.call(*address, call, details < DETAILS_MAX));
        }
        self.details = details;
    }
}

/// What waits to be written.
#[derive(Default)]
pub struct Recorder {
    shards: [Mutex<Shard>; SHARDS],
    /// Held while counts are on their way to the store, so that nobody sees them twice or not at all.
    flushing: tokio::sync::Mutex<()>,
}

impl Recorder {
    fn record(&self, used: &KeyUse<'_>, minute: i64) {
        let latency = i64::try_from(used.latency.as_micros()).unwrap_or(i64::MAX);
        let tally = Tally { requests: 1, latency_total_microseconds: latency, latency_max_microseconds: latency };
        let mut shard = self.shard(used.key).lock().unwrap_or_else(PoisonError::into_inner);
        let mut details = shard.details;
        let Some(waiting) = shard.of(used.key) else { return };
        waiting.requests += 1;
        waiting.last_minute = waiting.last_minute.max(minute);
        details += usize::from(waiting.tally((minute, used.outcome), used.route, tally, details < DETAILS_MAX));
        let address = caller_address(used.address);
        if let Some(known) = waiting.callers.get_mut(&address).filter(|known| known.route == used.route) {
            known.requests += 1;
            known.first_minute = known.first_minute.min(minute);
            known.last_minute = known.last_minute.max(minute);
        } else {
            let route = used.route.to_owned();
            let call = Caller { route, requests: 1, first_minute: minute, last_minute: minute };
            details += usize::from(waiting.call(address, &call, details < DETAILS_MAX));
        }
        shard.details = details;
    }

    fn shard(&self, key: ApiKeyId) -> &Mutex<Shard> {
        let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(key);
        &self.shards[usize::try_from(hash % SHARDS as u64).unwrap_or(0)]
    }

    /// While this is held, what was counted is either here or in the store.
    pub(super) async fn hold_flush(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.flushing.lock().await
    }

    /// Adds to a row what is not written yet. Whoever may not wait for counts on their way misses those for a moment.
    pub(super) fn add_waiting(&self, row: &mut api_key::Model) {
        let shard = self.shard(row.id).lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(waiting) = shard.keys.get(&row.id) {
            row.total_requests += waiting.requests;
            row.last_used_at = row.last_used_at.max(Some(begin_of(waiting.last_minute)));
        }
    }

    /// Takes everything out, by key.
    fn take(&self) -> Vec<(ApiKeyId, Waiting)> {
        let mut all = Vec::new();
        for shard in &self.shards {
            let taken = std::mem::take(&mut *shard.lock().unwrap_or_else(PoisonError::into_inner));
            all.extend(taken.keys);
        }
        // Always in this order, so that two processes never wait for each other's rows.
        all.sort_unstable_by_key(|(key, _)| *key);
        all
    }

    fn put_back(&self, waiting: &[(ApiKeyId, Waiting)]) {
        for (key, waiting) in waiting {
            self.shard(*key).lock().unwrap_or_else(PoisonError::into_inner).add(*key, waiting);
        }
    }
}

/// The address that counts as one caller: an IPv4 address, or the /64 that a provider gives one household.
fn caller_address(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(four) => IpAddr::V4(four),
        IpAddr::V6(six) => IpAddr::V6(Ipv6Addr::from_bits(six.to_bits() >> 64 << 64)),
    }
}

/// As rows spell an address that counts as one caller.
fn address_text(address: IpAddr) -> String {
    match address {
        IpAddr::V4(four) => four.to_string(),
        IpAddr::V6(six) => format!("{six}/64"),
    }
}

/// The network that counts as one place: a /24 of IPv4, a /64 of IPv6.
fn network_text(address: IpAddr) -> String {
    match address {
        IpAddr::V4(four) => {
            let [a, b, c, _] = four.octets();
            format!("{a}.{b}.{c}.0/24")
        }
        IpAddr::V6(six) => format!("{six}/64"),
    }
}
