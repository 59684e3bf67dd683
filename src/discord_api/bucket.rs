//! Discord's rate-limit buckets, learned from the headers of its answers.
//!
//! Invariant: a bucket admits no more requests than Discord said remain; one that no answer has described yet
//! admits one at a time. All times are monotonic, so a step of the wall clock changes nothing.

mod state;

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::Notify,
    time::{Instant, sleep_until, timeout_at},
};

use self::state::{Admission, State};
use super::{error::Error, route::RouteKey};

/// Buckets kept, by route and by name each.
const BUCKETS_MAX: usize = 10_000;
/// A bucket unused for so long is forgotten; its limits are long over.
const IDLE: Duration = Duration::from_secs(60);
/// Most times one call follows its route to another bucket before it takes the one it has.
const MOVES_MAX: u8 = 8;

/// The rate-limit part of an answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct RateHeaders {
    /// Discord's name for the bucket, without the channel.
    pub(super) bucket: Option<String>,
    pub(super) window: Option<Window>,
}

/// What remains of a bucket's window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) limit: u32,
    pub(super) remaining: u32,
    pub(super) reset_after: Duration,
}

/// What an answer teaches.
pub(super) enum Lesson<'a> {
    /// No answer, or one of the server's that says nothing about limits.
    Nothing,
    /// An answer with its headers.
    Answered {
        headers: &'a RateHeaders,
        is_success: bool,
    },
    /// A 429 of this bucket.
    Limited {
        headers: &'a RateHeaders,
        retry_after: Duration,
    },
}

#[derive(Default)]
struct Bucket {
    /// Whoever is first in line; the others wait their turn.
    turn: tokio::sync::Mutex<()>,
    state: Mutex<State>,
    answered: Notify,
}

impl Bucket {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A bucket by Discord's name: the name, the major id, the variant.
type BucketName = (String, u64, u8);

#[derive(Default)]
struct Maps {
    by_route: HashMap<RouteKey, Arc<Bucket>>,
    by_name: HashMap<BucketName, Arc<Bucket>>,
    swept_at: Option<Instant>,
}

/// All buckets known.
#[derive(Default)]
pub(super) struct Buckets(Arc<Mutex<Maps>>);

/// Leave to send one request; settled by its answer, or by being dropped.
pub(super) struct Permit {
    maps: Arc<Mutex<Maps>>,
    route: RouteKey,
    bucket: Arc<Bucket>,
    /// The window in which it was given.
    generation: u64,
    settled: AtomicBool,
}

fn lock(maps: &Mutex<Maps>) -> MutexGuard<'_, Maps> {
    maps.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Buckets {
    /// Waits until the route's bucket lets a request through.
    pub(super) async fn acquire(
        &self,
        route: &RouteKey,
        deadline: Instant,
    ) -> Result<Permit, Error> {
        let mut moves = 0;
        loop {
            let bucket = lock(&self.0).of_route(route, Instant::now());
            let last = moves >= MOVES_MAX;
            if let Some(generation) = self.wait(route, &bucket, deadline, last).await? {
                let maps = Arc::clone(&self.0);
                return Ok(Permit {
                    maps,
                    route: route.clone(),
                    bucket,
                    generation,
                    settled: false.into(),
                });
            }
            moves += 1;
        }
    }

    /// Waits in one bucket; `None` when the route has moved to another one meanwhile.
    async fn wait(
        &self,
        route: &RouteKey,
        bucket: &Arc<Bucket>,
        deadline: Instant,
        last: bool,
    ) -> Result<Option<u64>, Error> {
        const LATE: Error = Error::RateLimited {
            retry_after: Duration::from_secs(1),
        };
        let _turn = timeout_at(deadline, bucket.turn.lock())
            .await
            .map_err(|_| LATE)?;
        loop {
            let now = Instant::now();
            if now >= deadline {
                return Err(LATE);
            }
            if !last && !Arc::ptr_eq(bucket, &lock(&self.0).of_route(route, now)) {
                return Ok(None);
            }
            let admission = bucket.state().admit(now);
            match admission {
                Admission::Now(generation) => return Ok(Some(generation)),
                Admission::At(until) if until > deadline => {
                    return Err(Error::RateLimited {
                        retry_after: until.duration_since(now),
                    });
                }
                // An answer can move the route or the reset, so both are waited for.
                Admission::At(until) => {
                    let _ = timeout_at(until, bucket.answered.notified()).await;
                }
                Admission::AfterAnswer => {
                    timeout_at(deadline, bucket.answered.notified())
                        .await
                        .map_err(|_| LATE)?;
                }
            }
        }
    }
}

impl Maps {
    fn of_route(&mut self, route: &RouteKey, now: Instant) -> Arc<Bucket> {
        if let Some(bucket) = self.by_route.get(route) {
            return Arc::clone(bucket);
        }
        self.make_room(now);
        let bucket = Arc::<Bucket>::default();
        bucket.state().used(now);
        self.by_route.insert(route.clone(), Arc::clone(&bucket));
        bucket
    }

    /// The bucket of this name, which from now on is the route's.
    fn name(&mut self, route: &RouteKey, current: &Arc<Bucket>, name: &str) -> Arc<Bucket> {
        let key = (name.to_owned(), route.major, route.variant);
        let named = match self.by_name.get(&key) {
            Some(named) => Arc::clone(named),
            None => {
                // A bucket that has a name already must not get a second one.
                let fresh = current.state().take_name();
                let bucket = if fresh {
                    Arc::clone(current)
                } else {
                    named_bucket()
                };
                self.by_name.insert(key, Arc::clone(&bucket));
                bucket
            }
        };
        if !Arc::ptr_eq(&named, current) {
            self.by_route.insert(route.clone(), Arc::clone(&named));
        }
        named
    }

    /// Forgets what is idle: now and then, and always before a map would grow too large.
    fn make_room(&mut self, now: Instant) {
        let is_full = self.by_route.len().max(self.by_name.len()) >= BUCKETS_MAX;
        let is_due = self
            .swept_at
            .is_none_or(|swept| now.duration_since(swept) >= IDLE);
        if !is_full && !is_due {
            return;
        }
        self.swept_at = Some(now);
        self.forget(|state| state.is_idle(now, IDLE));
        if self.by_route.len().max(self.by_name.len()) >= BUCKETS_MAX {
            self.forget(|state| state.is_idle(now, Duration::ZERO));
        }
        if self.by_route.len().max(self.by_name.len()) >= BUCKETS_MAX {
            // Only reached with thousands of windows running at once; a lost window costs one 429 at most.
            self.forget(State::is_unused);
        }
    }

    fn forget(&mut self, mut is_idle: impl FnMut(&State) -> bool) {
        self.by_route.retain(|_, bucket| !is_idle(&bucket.state()));
        self.by_name.retain(|_, bucket| !is_idle(&bucket.state()));
    }
}

fn named_bucket() -> Arc<Bucket> {
    let bucket = Arc::<Bucket>::default();
    bucket.state().take_name();
    bucket
}

impl Permit {
    /// Hands in what the answer taught.
    pub(super) fn settle(self, lesson: &Lesson<'_>) {
        let now = Instant::now();
        self.settled.store(true, Ordering::Relaxed);
        let (headers, blocked) = match lesson {
            Lesson::Nothing => (None, None),
            Lesson::Answered { headers, .. } => (Some(*headers), None),
            Lesson::Limited {
                headers,
                retry_after,
            } => (Some(*headers), Some(now + *retry_after)),
        };
        let name = headers.and_then(|headers| headers.bucket.as_deref());
        let target = match name {
            Some(name) => lock(&self.maps).name(&self.route, &self.bucket, name),
            None => Arc::clone(&self.bucket),
        };
        let is_same = Arc::ptr_eq(&target, &self.bucket);
        self.bucket.state().finish();
        {
            let mut state = target.state();
            state.used(now);
            let window = headers.and_then(|headers| headers.window);
            match window {
                Some(window) => state.learn(window, is_same.then_some(self.generation), now),
                None if matches!(
                    lesson,
                    Lesson::Answered {
                        is_success: true,
                        ..
                    }
                ) =>
                {
                    state.learn_free()
                }
                None => {}
            }
            if let Some(until) = blocked {
                state.block(until);
            }
        }
        self.bucket.answered.notify_one();
        if !is_same {
            target.answered.notify_one();
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if !self.settled.load(Ordering::Relaxed) {
            self.bucket.state().finish();
            self.bucket.answered.notify_one();
        }
    }
}

/// Waits without tying up a thread; promises that must outlive the process are rows, never this.
pub(super) async fn pause(until: Instant) {
    sleep_until(until).await;
}

#[cfg(test)]
mod tests;
