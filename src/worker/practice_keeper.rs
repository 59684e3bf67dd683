//! Looks after practice sessions: counts them on once a minute, and ends those that nobody comes back to.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::{Progress, Worker};
use crate::domain::{Domain, Error, practice};

/// Says whether the gateway tells us who is in which voice channel.
pub type HearsVoice = Box<dyn Fn() -> bool + Send>;

/// The one keeper of a store; only the holder of the worker lease runs it.
pub struct PracticeKeeper {
    domain: Domain,
    period: Duration,
    hears_voice: HearsVoice,
    /// Voice was heard at the last step.
    heard: bool,
    /// From when on nobody was seen before this keeper looked; none once that is written down.
    begin: Option<DateTime<Utc>>,
}

impl PracticeKeeper {
    /// Made once per lease: what was observed before is no longer known to be so.
    pub fn new(domain: Domain, period: Duration, hears_voice: HearsVoice) -> Self {
        let begin = Some(domain.now());
        Self { domain, period, hears_voice, heard: false, begin }
    }
}

impl Worker for PracticeKeeper {
    const NAME: &'static str = "practice_keeper";

    fn period(&self) -> Duration {
        self.period
    }

    async fn step(&mut self) -> Result<Progress, Error> {
        let hears = (self.hears_voice)();
        if self.heard && !hears {
            self.begin = Some(self.domain.now());
        }
        self.heard = hears;
        if let Some(begin) = self.begin {
            practice::lose_sight(&self.domain, begin).await?;
            self.begin = None;
        }
        let sight = practice::observe(&self.domain).await?;
        Ok(if sight.more { Progress::MoreWaiting } else { Progress::Drained })
    }
}
