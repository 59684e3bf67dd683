//! The vanish engine: claims channels whose time has come and sweeps each in a task of its own.
//!
//! Invariants: one task per channel; a message is deleted only after the page that Discord has just shown said so,
//! by the earlier of our clock and Discord's; what fails is tried again from the last decided message.

mod sweep;

use std::{sync::Arc, time::Duration};

use tokio::task::JoinSet;

use super::{Progress, Worker};
use crate::{
    discord_api::DiscordApi,
    domain::{Domain, Error, vanish},
};
use sweep::Sweeper;

/// Steps between two measurements of how much is planned.
const MEASURE_EVERY: u32 = 10;

/// How fast the engine looks and how many channels it sweeps at once.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Time between two looks.
    pub period: Duration,
    /// Channels swept at once.
    pub channels_at_once: usize,
}

/// Claims and spawns.
pub struct VanishSweeper {
    domain: Domain,
    sweeper: Arc<Sweeper>,
    settings: Settings,
    running: JoinSet<()>,
    steps: u32,
}

impl VanishSweeper {
    /// Made once per lease.
    pub fn new(domain: Domain, api: DiscordApi, settings: Settings) -> Self {
        Self {
            sweeper: Arc::new(Sweeper::new(domain.clone(), api)),
            domain,
            settings,
            running: JoinSet::new(),
            steps: 0,
        }
    }
}

impl Worker for VanishSweeper {
    const NAME: &'static str = "vanish_sweeper";

    fn period(&self) -> Duration {
        self.settings.period
    }

    async fn step(&mut self) -> Result<Progress, Error> {
        if self.steps.is_multiple_of(MEASURE_EVERY) {
            vanish::planned_widening(&self.domain).await?;
        }
        self.steps = self.steps.wrapping_add(1);
        while let Some(ended) = self.running.try_join_next() {
            report(ended);
        }
        let free = self.settings.channels_at_once.saturating_sub(self.running.len());
        if free == 0 {
            if let Some(ended) = self.running.join_next().await {
                report(ended);
            }
            return Ok(Progress::MoreWaiting);
        }
        let claims = vanish::claim_due(&self.domain, free as u64).await?;
        let full = claims.len() == free;
        for claim in claims {
            let sweeper = self.sweeper.clone();
            self.running.spawn(async move { sweeper.sweep(claim).await });
        }
        Ok(match (full, self.running.is_empty()) {
            (true, _) => Progress::MoreWaiting,
            (false, false) => Progress::Busy,
            (false, true) => Progress::Drained,
        })
    }

    async fn finish(&mut self) {
        while let Some(ended) = self.running.join_next().await {
            report(ended);
        }
    }
}

fn report(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "the sweep of a channel ended badly; its lease will make it due again");
    }
}
