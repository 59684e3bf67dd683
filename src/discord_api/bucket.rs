//! Discord's rate-limit buckets, learned from the headers of its answers.
//!
//! Invariant: a bucket admits no more requests than Discord said remain; one that no answer has described yet
//! admits one at a time. All times are monotonic, so a step of the wall clock changes nothing.

mod state;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::Notify,
    time::{Instant, timeout_at},
};

use self::state::{Admission, State};
use super::{error::Error, route::RouteKey};

/// Buckets kept, by route and by name each.
const BUCKETS_MAX: usize = 10_000;
/// A bucket unused for so long is forgotten; its limits are long over.
const IDLE: Duration = Duration::from_mins(1);
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
    Answered { headers: &'a RateHeaders, is_success: bool },
    /// A 429 of this bucket.
    Limited { headers: &'a RateHeaders, retry_after: Duration },
}

/// Those who wait for a bucket: whoever is first in line, the others wait their turn.
#[derive(Default)]
struct Queue {
    turn: tokio::sync::Mutex<()>,
    changed: Notify,
}

#[derive(Default)]
struct Bucket {
    /// Calls that a person waits for, which never stand behind a sweep's.
    urgent: Queue,
    patient: Queue,
    state: Mutex<State>,
}

impl Bucket {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has the first in each line look again.
    fn tell(&self) {
        self.urgent.changed.notify_one();
        self.patient.changed.notify_one();
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

/// A place in a bucket, for a request that still has to wait for its lane.
pub(super) struct Place {
    slot: Slot,
    is_urgent: bool,
}

/// Leave to send one request; settled by its answer, or by being dropped.
pub(super) struct Permit {
    slot: Slot,
    /// The window in which the request was sent.
    generation: u64,
}

/// What a place and a permit share. Given back when dropped, whatever became of the call.
struct Slot {
    maps: Arc<Mutex<Maps>>,
    route: RouteKey,
    bucket: Arc<Bucket>,
    /// What is to be given back.
    held: Held,
}

#[derive(Clone, Copy)]
enum Held {
    Nothing,
    Place { is_urgent: bool },
    Request,
}

fn lock(maps: &Mutex<Maps>) -> MutexGuard<'_, Maps> {
    maps.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Buckets {
    /// Waits until the route's bucket has a place for a request.
    pub(super) async fn reserve(&self, route: &RouteKey, is_urgent: bool, deadline: Instant) -> Result<Place, Error> {
        let mut moves = 0;
        loop {
            let bucket = lock(&self.0).of_route(route, Instant::now());
            let may_move = moves < MOVES_MAX;
            if self.wait(route, &bucket, is_urgent, deadline, may_move).await? {
                let (maps, route) = (Arc::clone(&self.0), route.clone());
                let slot = Slot { maps, route, bucket, held: Held::Place { is_urgent } };
                return Ok(Place { slot, is_urgent });
            }
            moves += 1;
        }
    }

    /// Waits in one bucket; false when the route has moved to another one meanwhile.
    async fn wait(
        &self,
        route: &RouteKey,
        bucket: &Arc<Bucket>,
        is_urgent: bool,
        deadline: Instant,
        may_move: bool,
    ) -> Result<bool, Error> {
        const LATE: Error = Error::RateLimited { retry_after: Duration::from_secs(1) };
        let queue = if is_urgent { &bucket.urgent } else { &bucket.patient };
        let _turn = timeout_at(deadline, queue.turn.lock()).await.map_err(|_| LATE)?;
        loop {
            let now = Instant::now();
            if now >= deadline {
                return Err(LATE);
            }
            if may_move && !Arc::ptr_eq(bucket, &lock(&self.0).of_route(route, now)) {
                return Ok(false);
            }
            let admission = bucket.state().admit(is_urgent, now);
            match admission {
                Admission::Now => return Ok(true),
                Admission::At(until) if until > deadline => {
                    return Err(Error::RateLimited { retry_after: until.duration_since(now) });
                }
                // An answer can move the route or the reset, so both are waited for.
                Admission::At(until) => {
                    let _ = timeout_at(until, queue.changed.notified()).await;
                }
                Admission::AfterAnswer => {
                    timeout_at(deadline, queue.changed.notified()).await.map_err(|_| LATE)?;
                }
            }
        }
    }
}

impl Place {
    /// Turns the place into leave to send; `None` when it was taken by a more urgent call or the bucket closed.
    pub(super) fn start(mut self) -> Option<Permit> {
        let started = self.slot.bucket.state().start(self.is_urgent, Instant::now());
        self.slot.held = if started.is_some() { Held::Request } else { Held::Nothing };
        if started.is_none() {
            self.slot.bucket.tell();
        }
        started.map(|generation| Permit { slot: self.slot, generation })
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        match self.held {
            Held::Nothing => return,
            Held::Place { is_urgent } => self.bucket.state().give_back(is_urgent),
            Held::Request => self.bucket.state().finish(),
        }
        self.bucket.tell();
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
        let named = if let Some(named) = self.by_name.get(&key) {
            Arc::clone(named)
        } else {
            // A bucket that has a name already must not get a second one.
            let fresh = current.state().take_name();
            let bucket = if fresh { Arc::clone(current) } else { named_bucket() };
            self.by_name.insert(key, Arc::clone(&bucket));
            bucket
        };
        if !Arc::ptr_eq(&named, current) {
            self.by_route.insert(route.clone(), Arc::clone(&named));
        }
        named
    }

    /// Forgets what is idle: now and then, and always before a map would grow too large.
    fn make_room(&mut self, now: Instant) {
        let is_full = self.by_route.len().max(self.by_name.len()) >= BUCKETS_MAX;
        let is_due = self.swept_at.is_none_or(|swept| now.duration_since(swept) >= IDLE);
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
    pub(super) fn settle(mut self, lesson: &Lesson<'_>) {
        let now = Instant::now();
        let (headers, blocked) = match lesson {
            Lesson::Nothing => return,
            Lesson::Answered { headers, .. } => (*headers, None),
            Lesson::Limited { headers, retry_after } => (*headers, Some(now + *retry_after)),
        };
        let slot = &mut self.slot;
        let target = match &headers.bucket {
            Some(name) => lock(&slot.maps).name(&slot.route, &slot.bucket, name),
            None => Arc::clone(&slot.bucket),
        };
        slot.held = Held::Nothing;
        slot.bucket.state().finish();
        {
            let mut state = target.state();
            state.used(now);
            if let Some(window) = headers.window {
                let is_own = Arc::ptr_eq(&target, &slot.bucket);
                state.learn(window, is_own.then_some(self.generation), now);
            } else if matches!(lesson, Lesson::Answered { is_success: true, .. }) {
                state.learn_free();
            }
            if let Some(until) = blocked {
                state.block(until);
            }
        }
        slot.bucket.tell();
        target.tell();
    }
}

#[cfg(test)]
mod tests;
