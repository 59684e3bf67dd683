//! Keeps this process's copies of configuration right when another process writes to the same store.

use std::time::Duration;

use super::{Progress, Worker};
use crate::domain::{Domain, Error, event};

/// Most events of one look.
const BATCH: u64 = 500;

/// Reads the event log behind everybody.
pub struct CacheTailer {
    domain: Domain,
    position: Option<i64>,
}

impl CacheTailer {
    /// Starts at the newest event: the caches are empty before it.
    pub fn new(domain: Domain) -> Self {
        Self { domain, position: None }
    }
}

impl Worker for CacheTailer {
    const NAME: &'static str = "cache_tailer";

    fn period(&self) -> Duration {
        Duration::from_millis(500)
    }

    async fn step(&mut self) -> Result<Progress, Error> {
        let Some(position) = self.position else {
            self.position = Some(event::latest_position(&self.domain).await?);
            return Ok(Progress::Drained);
        };
        let tail = event::tail(&self.domain, position, BATCH).await?;
        self.position = Some(tail.position);
        let count = tail.notes.len() as u64;
        tail.notes.iter().for_each(|note| self.domain.forget(note));
        Ok(if count == BATCH { Progress::MoreWaiting } else { Progress::Drained })
    }
}
