//! Forgets drafts of applications that nobody went on with.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::{Progress, Worker};
use crate::domain::{Domain, Error, form};

/// How often it looks; drafts live seven days.
const PAUSE: TimeDelta = TimeDelta::minutes(10);

/// Forgets drafts that have ended, a bounded number at a time.
pub struct DraftPruner {
    domain: Domain,
    period: Duration,
    next_look: DateTime<Utc>,
}

impl DraftPruner {
    /// Looks at once, and then every ten minutes.
    pub fn new(domain: Domain, period: Duration) -> Self {
        Self { domain, period, next_look: DateTime::UNIX_EPOCH }
    }
}

impl Worker for DraftPruner {
    const NAME: &'static str = "draft_pruner";

    fn period(&self) -> Duration {
        self.period
    }

    async fn step(&mut self) -> Result<Progress, Error> {
        let now = self.domain.now();
        if now < self.next_look {
            return Ok(Progress::Drained);
        }
        if form::prune_drafts(&self.domain).await? {
            return Ok(Progress::MoreWaiting);
        }
        self.next_look = now + PAUSE;
        Ok(Progress::Drained)
    }
}
