//! Gives committed events their positions on PostgreSQL, so that no reader passes over a late commit.

use std::time::Duration;

use super::{Progress, Worker};
use crate::domain::{Domain, Error, event};

/// The one sequencer of a store; only the holder of the worker lease runs it.
pub struct Sequencer {
    domain: Domain,
    period: Duration,
}

impl Sequencer {
    /// Made once per lease; looks at least once per `period`.
    pub fn new(domain: Domain, period: Duration) -> Self {
        Self { domain, period }
    }
}

impl Worker for Sequencer {
    const NAME: &'static str = "sequencer";

    fn period(&self) -> Duration {
        self.period
    }

    async fn step(&mut self) -> Result<Progress, Error> {
        let given = event::give_positions(&self.domain).await?;
        Ok(if given == 0 { Progress::Drained } else { Progress::MoreWaiting })
    }
}
