//! The time that rules are decided by. Tests freeze it; pacing and timeouts use the real monotonic clock, and so do
//! limits on callers unless the clock is frozen.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};

/// Tells the time, in whole milliseconds of UTC, which both stores keep exactly.
#[derive(Clone, Debug)]
pub struct Clock {
    frozen_milliseconds: Option<Arc<AtomicI64>>,
    started: Instant,
}

impl Clock {
    /// The machine's clock.
    pub fn system() -> Self {
        Self { frozen_milliseconds: None, started: Instant::now() }
    }

    /// A clock that stands at a moment until it is moved.
    pub fn frozen(at: DateTime<Utc>) -> Self {
        Self { frozen_milliseconds: Some(Arc::new(AtomicI64::new(at.timestamp_millis()))), started: Instant::now() }
    }

    /// The present moment.
    pub fn now(&self) -> DateTime<Utc> {
        match &self.frozen_milliseconds {
            Some(milliseconds) => {
                DateTime::from_timestamp_millis(milliseconds.load(Ordering::SeqCst)).unwrap_or(DateTime::UNIX_EPOCH)
            }
            #[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
            None => Utc::now().trunc_subsecs(3),
        }
    }

    /// Time since some fixed moment: it passes evenly, whatever becomes of the machine's clock. A frozen clock's passes
    /// when it is moved.
    pub fn elapsed(&self) -> Duration {
        match &self.frozen_milliseconds {
            Some(milliseconds) => {
                Duration::from_millis(u64::try_from(milliseconds.load(Ordering::SeqCst)).unwrap_or(0))
            }
            None => self.started.elapsed(),
        }
    }

    /// Moves a frozen clock, also backwards; a system clock ignores it.
    pub fn advance(&self, by: TimeDelta) {
        if let Some(milliseconds) = &self.frozen_milliseconds {
            milliseconds.fetch_add(by.num_milliseconds(), Ordering::SeqCst);
        }
    }
}
