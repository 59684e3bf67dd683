//! One caller's bucket: a limiter for each of its policies, asked together.

use std::{
    num::NonZeroU32,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use governor::{
    Quota, RateLimiter,
    clock::Clock as _,
    middleware::StateInformationMiddleware,
    nanos::Nanos,
    state::{NotKeyed, StateStore},
};

use super::{Class, Policy};
use crate::clock::Clock;

/// Longest window; longer ones are cut to it.
const WINDOW_MAX: Duration = Duration::from_hours(24 * 400);

/// One policy after it was asked.
#[derive(Clone, Debug)]
pub struct State {
    /// What it is for.
    pub class: Class,
    /// Its name.
    pub name: Arc<str>,
    /// Requests that a full bucket holds.
    pub limit: u32,
    /// The time in which an empty bucket fills up.
    pub window: Duration,
    /// Requests that would pass now.
    pub remaining: u32,
    /// Time until the bucket is full.
    pub reset: Duration,
    /// It refuses, and would admit one request after this time.
    pub wait: Option<Duration>,
}

/// The clock of limiters, which tests move.
#[derive(Clone, Debug)]
struct Ticks(Clock);

impl governor::clock::Clock for Ticks {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        self.0.elapsed().into()
    }
}

/// When the bucket will be full, in nanoseconds since its limiter was made; 0 is full.
#[derive(Clone, Debug, Default)]
struct FullAt(Arc<AtomicU64>);

impl FullAt {
    fn get(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }

    fn give_back(&self, nanoseconds: u64) {
        let _ = self.0.fetch_update(Ordering::AcqRel, Ordering::Acquire, |at| Some(at.saturating_sub(nanoseconds)));
    }
}

impl StateStore for FullAt {
    type Key = NotKeyed;

    fn measure_and_replace<T, F, E>(&self, _: &NotKeyed, decide: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let mut before = self.get();
        loop {
            let (answer, after) = decide((before > 0).then(|| before.into()))?;
            match self.0.compare_exchange_weak(before, after.into(), Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return Ok(answer),
                Err(now) => before = now,
            }
        }
    }
}

struct Limiter {
    class: Class,
    name: Arc<str>,
    limit: NonZeroU32,
    window: Duration,
    /// The time in which one request comes back.
    step: Duration,
    full_at: FullAt,
    /// Since when `full_at` counts, or a moment before.
    since: Duration,
    ticks: Ticks,
    gcra: RateLimiter<NotKeyed, FullAt, Ticks, StateInformationMiddleware>,
}

impl Limiter {
    /// None where the policy is lifted.
    fn new(policy: &Policy<'_>, clock: &Clock) -> Option<Self> {
        let limit = NonZeroU32::new(policy.limit)?;
        let step = (policy.window.min(WINDOW_MAX) / limit.get()).max(Duration::from_nanos(1));
        let quota = Quota::with_period(step)?.allow_burst(limit);
        let (full_at, ticks) = (FullAt::default(), Ticks(clock.clone()));
        let since = clock.elapsed();
        let gcra = RateLimiter::new(quota, full_at.clone(), ticks.clone());
        let (class, name, window) = (policy.class, policy.name.into(), policy.window);
        Some(Self { class, name, limit, window, step, full_at, since, ticks, gcra })
    }

    fn is_of(&self, policy: &Policy<'_>) -> bool {
        (self.class, &*self.name, self.limit.get(), self.window)
            == (policy.class, policy.name, policy.limit, policy.window)
    }

    fn take(&self) -> State {
        let mut state = State {
            class: self.class,
            name: self.name.clone(),
            limit: self.limit.get(),
            window: self.window,
            remaining: 0,
            reset: self.window,
            wait: None,
        };
        match self.gcra.check() {
            Ok(snapshot) => self.fill(&mut state, snapshot.remaining_burst_capacity()),
            Err(not_until) => state.wait = Some(not_until.wait_time_from(self.ticks.now())),
        }
        state
    }

    fn fill(&self, state: &mut State, remaining: u32) {
        state.remaining = remaining.min(self.limit.get());
        state.reset = self.step * (self.limit.get() - state.remaining);
    }

    /// Nanoseconds until it is full.
    fn lacking(&self) -> u64 {
        let since = self.ticks.0.elapsed().saturating_sub(self.since);
        self.full_at.get().saturating_sub(nanoseconds(since))
    }

    /// Takes as many requests away as `before` lacks.
    fn inherit(&self, before: &Self) {
        let used = before.lacking().div_ceil(nanoseconds(before.step).max(1)).min(self.limit.get().into());
        self.full_at.0.store(used * nanoseconds(self.step), Ordering::Release);
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    duration.as_nanos().try_into().unwrap_or(u64::MAX)
}

/// What is counted for one caller.
pub(super) struct Bucket {
    limiters: Vec<Limiter>,
    /// Held while several policies are asked, so that a refusal can give back without anybody noticing.
    turn: Mutex<()>,
}

impl Bucket {
    pub(super) fn new(policies: &[Policy<'_>], clock: &Clock) -> Self {
        Self {
            limiters: policies.iter().filter_map(|policy| Limiter::new(policy, clock)).collect(),
            turn: Mutex::default(),
        }
    }

    /// Whether it counts by these policies.
    pub(super) fn is_of(&self, policies: &[Policy<'_>]) -> bool {
        let mut policies = policies.iter().filter(|policy| policy.limit > 0);
        self.limiters.iter().all(|limiter| policies.next().is_some_and(|policy| limiter.is_of(policy)))
            && policies.next().is_none()
    }

    /// A bucket of other policies for the same caller: what was used of a policy that stays, stays used.
    pub(super) fn changed(&self, policies: &[Policy<'_>], clock: &Clock) -> Self {
        let changed = Self::new(policies, clock);
        for limiter in &changed.limiters {
            if let Some(before) = self.limiters.iter().find(|before| before.name == limiter.name) {
                limiter.inherit(before);
            }
        }
        changed
    }

    /// Asks some policies; a request that one of them refuses counts on none.
    pub(super) fn take(&self, asked: impl Fn(Class) -> bool) -> Vec<State> {
        let _turn = (self.limiters.len() > 1).then(|| self.turn.lock().unwrap_or_else(PoisonError::into_inner));
        let limiters = || self.limiters.iter().filter(|limiter| asked(limiter.class));
        let mut states: Vec<State> = limiters().map(Limiter::take).collect();
        if states.iter().any(|state| state.wait.is_some()) {
            for (limiter, state) in limiters().zip(&mut states).filter(|(_, state)| state.wait.is_none()) {
                limiter.full_at.give_back(nanoseconds(limiter.step));
                limiter.fill(state, state.remaining + 1);
            }
        }
        states
    }

    /// Takes back one request.
    pub(super) fn give_back(&self) {
        for limiter in &self.limiters {
            limiter.full_at.give_back(nanoseconds(limiter.step));
        }
    }

    /// Whether forgetting it would change nothing.
    pub(super) fn is_full(&self) -> bool {
        self.limiters.iter().all(|limiter| limiter.lacking() == 0)
    }
}
