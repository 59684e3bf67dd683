//! How often callers may call: one generic cell rate limiter (GCRA) per caller and policy.
//!
//! A caller's bucket holds as many requests as its limit. It begins full and fills up evenly, so that exactly that many
//! pass at once; who takes each request as soon as it is there gets at most twice the limit less one in any window.
//!
//! Invariants: a request that one policy refuses counts on none; what strangers can fill is bounded, and its being full
//! harms nobody who is known; a bucket is only forgotten when it is full.

mod bucket;
mod registry;

use std::{
    net::IpAddr,
    sync::{Arc, OnceLock},
    time::Duration,
};

use metrics::{Counter, Gauge};
use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;

pub use bucket::State;
use registry::{Population, Registry};

const MINUTE: Duration = Duration::from_mins(1);
const QUARTER: Duration = Duration::from_mins(15);
/// How often full buckets are forgotten.
const SWEEP_PERIOD: Duration = MINUTE;

/// How often each class of callers may call. A limit of 0 is lifted.
#[derive(Clone, Debug)]
pub struct Settings {
    /// With the root key, per minute.
    pub root_per_minute: u32,
    /// With a key that may do everything.
    pub admin_per_minute: u32,
    /// With any other key.
    pub key_per_minute: u32,
    /// A signed-in person.
    pub user_per_minute: u32,
    /// Changes of a signed-in person.
    pub user_writes_per_minute: u32,
    /// From an address without a credential.
    pub anonymous_per_minute: u32,
    /// From an address, for reference and documents.
    pub documents_per_minute: u32,
    /// Tries to sign in, from an address to an account.
    pub sign_in_per_15_minutes: u32,
    /// Tries to sign in, from an address to all accounts.
    pub sign_in_address_per_15_minutes: u32,
    /// Refreshes of one session.
    pub refresh_per_15_minutes: u32,
    /// Callers that are counted at once, strangers and known ones apart.
    pub callers_max: usize,
}

impl Settings {
    /// No limit but those that keys have of their own.
    pub fn lifted() -> Self {
        Self {
            root_per_minute: 0,
            admin_per_minute: 0,
            key_per_minute: 0,
            user_per_minute: 0,
            user_writes_per_minute: 0,
            anonymous_per_minute: 0,
            documents_per_minute: 0,
            sign_in_per_15_minutes: 0,
            sign_in_address_per_15_minutes: 0,
            refresh_per_15_minutes: 0,
            callers_max: 200_000,
        }
    }
}

/// What a limit is for, as headers and figures name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// The root key.
    Root,
    /// Keys that may do everything.
    Admin,
    /// Other keys.
    Key,
    /// Signed-in people.
    User,
    /// Their changes.
    Write,
    /// Strangers.
    Anonymous,
    /// Readers of the reference.
    Documents,
    /// Tries to sign in to one account.
    SignIn,
    /// Tries to sign in to any account.
    SignInAddress,
    /// Refreshes of a session.
    Refresh,
    /// A limit that one key was issued with.
    Own,
}

const CLASSES: usize = 11;

impl Class {
    /// As headers and figures name it.
    pub fn name(self) -> &'static str {
        const NAMES: [&str; CLASSES] = [
            "root",
            "admin",
            "key",
            "user",
            "write",
            "anonymous",
            "documents",
            "sign_in",
            "sign_in_address",
            "refresh",
            "own",
        ];
        NAMES[self as usize]
    }
}

/// At most so many requests, which come back evenly within the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy<'a> {
    /// What it is for.
    pub class: Class,
    /// Its name, which is its class's but for a key's own.
    pub name: &'a str,
    /// Requests.
    pub limit: u32,
    /// The time in which all of them come back.
    pub window: Duration,
}

impl<'a> Policy<'a> {
    fn of(class: Class, limit: u32, window: Duration) -> Policy<'static> {
        Policy { class, name: class.name(), limit, window }
    }

    /// A limit that a key was issued with.
    pub fn own(name: &'a str, limit: u32, window: Duration) -> Self {
        Self { class: Class::Own, name, limit, window }
    }
}

/// Who calls, as far as limits go.
#[derive(Clone, Copy, Debug)]
pub enum Caller<'a> {
    /// The holder of the root key.
    Root,
    /// A key.
    Key {
        /// Its id.
        id: u128,
        /// Whether it may do everything.
        is_admin: bool,
        /// The limits that it was issued with; empty takes those of its class.
        own: &'a [Policy<'a>],
    },
    /// A signed-in person.
    User(u128),
    /// Somebody at an address.
    Stranger(IpAddr),
    /// Somebody at an address who reads the reference.
    Reader(IpAddr),
}

/// What limits say to one request.
#[derive(Clone, Debug)]
pub struct Verdict {
    states: Vec<State>,
}

impl Verdict {
    /// Every policy that was asked, as it stands now.
    pub fn states(&self) -> &[State] {
        &self.states
    }

    /// The policies that refuse.
    pub fn violated(&self) -> impl Iterator<Item = &State> {
        self.states.iter().filter(|state| state.wait.is_some())
    }

    /// How long to wait before the next request passes; none if this one did.
    pub fn wait(&self) -> Option<Duration> {
        self.states.iter().filter_map(|state| state.wait).max()
    }

    /// The policy that is nearest to its end.
    pub fn tightest(&self) -> Option<&State> {
        self.states.iter().min_by_key(|state| (state.wait.is_none(), state.remaining))
    }
}

/// All limits of this process; cheap to clone.
#[derive(Clone)]
pub struct RateLimits {
    inner: Arc<Inner>,
}

struct Inner {
    settings: Settings,
    registry: Registry,
    meters: OnceLock<Meters>,
}

/// Handles of the recorder, looked up once.
struct Meters {
    admitted: [Counter; CLASSES],
    refused: [Counter; CLASSES],
    known: Gauge,
    strangers: Gauge,
}

impl Meters {
    fn new() -> Self {
        let class = |index: usize| {
            use Class::{Admin, Anonymous, Documents, Key, Own, Refresh, Root, SignIn, SignInAddress, User, Write};
            const ALL: [Class; CLASSES] =
                [Root, Admin, Key, User, Write, Anonymous, Documents, SignIn, SignInAddress, Refresh, Own];
            ALL[index].name()
        };
        let counter = |outcome: &'static str| {
            std::array::from_fn(
                |index| metrics::counter!("ratelimit_decisions_total", "policy" => class(index), "outcome" => outcome),
            )
        };
        let gauge = |population: &'static str| metrics::gauge!("ratelimit_callers", "population" => population);
        Self {
            admitted: counter("admitted"),
            refused: counter("refused"),
            known: gauge("known"),
            strangers: gauge("strangers"),
        }
    }
}

impl RateLimits {
    /// Nobody has called yet.
    pub fn new(settings: Settings, clock: Clock) -> Self {
        let registry = Registry::new(clock, settings.callers_max);
        Self { inner: Arc::new(Inner { settings, registry, meters: OnceLock::new() }) }
    }

    /// Counts a request; none where the caller has no limit.
    pub fn count(&self, caller: Caller<'_>, is_write: bool) -> Option<Verdict> {
        let settings = &self.inner.settings;
        let minutely = |class, limit| Policy::of(class, limit, MINUTE);
        match caller {
            Caller::Root => {
                self.ask(Population::Known, Class::Root, 0, &[minutely(Class::Root, settings.root_per_minute)])
            }
            Caller::Key { id, own: own @ [_, ..], .. } => self.ask(Population::Known, Class::Key, id, own),
            Caller::Key { id, is_admin: true, .. } => {
                let policy = minutely(Class::Admin, settings.admin_per_minute);
                self.ask(Population::Known, Class::Key, id, &[policy])
            }
            Caller::Key { id, .. } => {
                let policy = minutely(Class::Key, settings.key_per_minute);
                self.ask(Population::Known, Class::Key, id, &[policy])
            }
            Caller::User(id) => {
                let policies = [
                    minutely(Class::User, settings.user_per_minute),
                    minutely(Class::Write, settings.user_writes_per_minute),
                ];
                self.ask_some(Population::Known, Class::User, id, &policies, |class| is_write || class != Class::Write)
            }
            Caller::Stranger(address) => {
                let policy = minutely(Class::Anonymous, settings.anonymous_per_minute);
                self.ask(Population::Strangers, Class::Anonymous, place(address), &[policy])
            }
            Caller::Reader(address) => {
                let policy = minutely(Class::Documents, settings.documents_per_minute);
                self.ask(Population::Strangers, Class::Documents, place(address), &[policy])
            }
        }
    }

    /// Counts a try to sign in: from an address to an account, and from that address to all accounts. A try that the
    /// account's limit refuses does not count on the address's.
    pub fn count_sign_in(&self, address: IpAddr, account: &str) -> Option<Verdict> {
        let settings = &self.inner.settings;
        let (strangers, place) = (Population::Strangers, place(address));
        let all = Policy::of(Class::SignInAddress, settings.sign_in_address_per_15_minutes, QUARTER);
        let one = Policy::of(Class::SignIn, settings.sign_in_per_15_minutes, QUARTER);
        let of_address = self.ask(strangers, Class::SignInAddress, place, &[all]);
        if of_address.as_ref().is_some_and(|verdict| verdict.wait().is_some()) {
            return of_address;
        }
        let of_account = self.ask(strangers, Class::SignIn, account_at(place, account), &[one]);
        if of_account.as_ref().is_some_and(|verdict| verdict.wait().is_some()) {
            self.inner.registry.give_back(strangers, Class::SignInAddress, place);
            return of_account;
        }
        let states = [of_account, of_address].into_iter().flatten().flat_map(|verdict| verdict.states).collect();
        Some(Verdict { states }).filter(|verdict| !verdict.states.is_empty())
    }

    /// Counts a refresh of a session, or of a family of sessions.
    pub fn count_refresh(&self, session: u128) -> Option<Verdict> {
        let policy = Policy::of(Class::Refresh, self.inner.settings.refresh_per_15_minutes, QUARTER);
        self.ask(Population::Known, Class::Refresh, session, &[policy])
    }

    /// How many callers are counted.
    pub fn callers(&self) -> usize {
        self.inner.registry.len(Population::Known) + self.inner.registry.len(Population::Strangers)
    }

    /// Forgets whose buckets are full.
    pub fn sweep(&self) {
        self.inner.registry.sweep();
        let meters = self.meters();
        let size = |population| u32::try_from(self.inner.registry.len(population)).unwrap_or(u32::MAX);
        meters.known.set(size(Population::Known));
        meters.strangers.set(size(Population::Strangers));
    }

    /// Sweeps until `shutdown`.
    pub async fn keep_swept(self, shutdown: CancellationToken) {
        let mut ticks = tokio::time::interval(SWEEP_PERIOD);
        while shutdown.run_until_cancelled(ticks.tick()).await.is_some() {
            self.sweep();
        }
    }

    fn ask(&self, population: Population, class: Class, id: u128, policies: &[Policy<'_>]) -> Option<Verdict> {
        self.ask_some(population, class, id, policies, |_| true)
    }

    /// Asks those of a caller's policies that the request is about.
    fn ask_some(
        &self,
        population: Population,
        class: Class,
        id: u128,
        policies: &[Policy<'_>],
        asked: impl Fn(Class) -> bool,
    ) -> Option<Verdict> {
        if policies.iter().all(|policy| policy.limit == 0) {
            return None;
        }
        let bucket = self.inner.registry.bucket(population, class, id, policies);
        let states = bucket.take(asked);
        let meters = self.meters();
        for state in &states {
            let counters = if state.wait.is_some() { &meters.refused } else { &meters.admitted };
            counters[state.class as usize].increment(1);
        }
        Some(Verdict { states }).filter(|verdict| !verdict.states.is_empty())
    }

    fn meters(&self) -> &Meters {
        self.inner.meters.get_or_init(Meters::new)
    }
}

/// What counts as one place: an IPv4 address, or the /64 network of an IPv6 one, which one household or host has.
fn place(address: IpAddr) -> u128 {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_ipv6_mapped().to_bits(),
        IpAddr::V6(address) => address.to_bits() & !u128::from(u64::MAX),
    }
}

/// An account seen from one place. Any text may be an account, so it is kept as a digest.
fn account_at(place: u128, account: &str) -> u128 {
    let digest = Sha256::new().chain_update(place.to_be_bytes()).chain_update(account).finalize();
    digest.iter().take(16).fold(0, |id, byte| id << 8 | u128::from(*byte))
}

#[cfg(test)]
mod tests;
