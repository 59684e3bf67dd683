//! Forgets the answers of requests that are too old to be sent again.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::{Progress, Worker};
use crate::domain::{Domain, Error, idempotency};

/// How often it looks; answers live a day.
const PAUSE: TimeDelta = TimeDelta::minutes(1);

/// Forgets old answers, a bounded number at a time.
pub struct IdempotencyPruner {
    domain: Domain,
    period: Duration,
    next_look: DateTime<Utc>,
}

impl IdempotencyPruner {
    /// Looks at once, and then once a minute.
    pub fn new(domain: Domain, period: Duration) -> Self {
        Self { domain, period, next_look: DateTime::UNIX_EPOCH }
    }
}

impl Worker for IdempotencyPruner {
    const NAME: &'static str = "idempotency_pruner";

    fn period(&self) -> Duration {
        self.period
    }

    async fn step(&mut self) -> Result<Progress, Error> {
        let now = self.domain.now();
        if now < self.next_look {
            return Ok(Progress::Drained);
        }
        if idempotency::prune(&self.domain).await? {
            return Ok(Progress::MoreWaiting);
        }
        self.next_look = now + PAUSE;
        Ok(Progress::Drained)
    }
}
