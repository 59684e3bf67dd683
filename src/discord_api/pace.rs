//! How fast requests leave: the global limit and the shares of the lanes in it.
//!
//! Of each lane only the first in line competes for the global limit, and there first come is first served, so a
//! person waits behind two others at most, never behind a sweep's queue.

use std::{
    num::NonZeroU32,
    sync::{Mutex as StateMutex, PoisonError},
    time::Duration,
};

use governor::{
    DefaultDirectRateLimiter, Quota, RateLimiter,
    clock::{Clock, DefaultClock},
};
use tokio::{
    sync::Mutex,
    time::{Instant, sleep_until, timeout_at},
};

use super::{
    Lane,
    error::{Error, SetupError},
};

/// Requests that may leave at once: governor's default, a whole second's worth, would double the first second.
const BURST: u32 = 5;

/// The part of the global limit that sweeps leave to people: a ninth, at least one request a second.
const fn sweeps_per_second(requests_per_second: u32) -> u32 {
    let share = requests_per_second / 9;
    requests_per_second - if share == 0 { 1 } else { share }
}

pub(super) struct Pace {
    interactive: Turn,
    normal: Turn,
    background: Throttle,
    sweeps: Throttle,
    global: Throttle,
    /// The end of the newest global 429.
    stopped_until: StateMutex<Option<Instant>>,
}

/// A queue of which one may go ahead at a time, first come first served.
type Turn = Mutex<()>;

struct Throttle {
    turn: Turn,
    limiter: DefaultDirectRateLimiter,
    clock: DefaultClock,
}

impl Throttle {
    fn new(per_second: u32, burst: u32) -> Result<Self, SetupError> {
        let per_second = NonZeroU32::new(per_second).ok_or(SetupError::Limit)?;
        let burst = NonZeroU32::new(burst).ok_or(SetupError::Limit)?;
        let quota = Quota::per_second(per_second).allow_burst(burst.min(per_second));
        Ok(Self { turn: Turn::default(), limiter: RateLimiter::direct(quota), clock: DefaultClock::default() })
    }

    async fn pass(&self, stopped_until: &StateMutex<Option<Instant>>) {
        let _turn = self.turn.lock().await;
        loop {
            if let Some(until) = read(stopped_until) {
                sleep_until(until).await;
                continue;
            }
            match self.limiter.check() {
                Ok(()) => return,
                Err(busy) => {
                    sleep_until(Instant::now() + busy.wait_time_from(self.clock.now())).await;
                }
            }
        }
    }
}

/// The end of a stop that is not over.
fn read(stopped_until: &StateMutex<Option<Instant>>) -> Option<Instant> {
    let until = *stopped_until.lock().unwrap_or_else(PoisonError::into_inner);
    until.filter(|until| *until > Instant::now())
}

impl Pace {
    pub(super) fn new(requests_per_second: u32, background_per_second: u32) -> Result<Self, SetupError> {
        // One request a second leaves nothing to share, so sweeps may then use all of it.
        let sweeps = sweeps_per_second(requests_per_second.max(1)).max(1);
        Ok(Self {
            interactive: Turn::default(),
            normal: Turn::default(),
            background: Throttle::new(background_per_second, 1)?,
            sweeps: Throttle::new(sweeps, BURST)?,
            global: Throttle::new(requests_per_second, BURST)?,
            stopped_until: StateMutex::default(),
        })
    }

    /// Waits until a request of this lane may leave.
    pub(super) async fn pass(&self, lane: Lane, deadline: Instant) -> Result<(), Error> {
        if lane == Lane::Interaction {
            return Ok(());
        }
        let now = Instant::now();
        if let Some(until) = read(&self.stopped_until).filter(|until| *until > deadline) {
            return Err(Error::RateLimited { retry_after: until.duration_since(now) });
        }
        timeout_at(deadline, self.pass_lane(lane))
            .await
            .map_err(|_| Error::RateLimited { retry_after: Duration::from_secs(1) })
    }

    async fn pass_lane(&self, lane: Lane) {
        let stop = &self.stopped_until;
        match lane {
            Lane::Interaction => {}
            Lane::Interactive => {
                let _turn = self.interactive.lock().await;
                self.global.pass(stop).await;
            }
            Lane::Normal => {
                let _turn = self.normal.lock().await;
                self.sweeps.pass(stop).await;
                self.global.pass(stop).await;
            }
            Lane::Background => {
                self.background.pass(stop).await;
                self.sweeps.pass(stop).await;
                self.global.pass(stop).await;
            }
        }
    }

    /// Discord's global limit was hit: nothing leaves for so long, interaction answers apart.
    pub(super) fn stop(&self, until: Instant) {
        let mut stopped_until = self.stopped_until.lock().unwrap_or_else(PoisonError::into_inner);
        *stopped_until = (*stopped_until).max(Some(until));
    }
}
