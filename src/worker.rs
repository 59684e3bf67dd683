//! The loop that every worker runs in, and how each is doing.
//!
//! A worker's step is idempotent and handles a bounded batch. It is run on a period and when something was committed:
//! one code path for normal work and for recovery.

pub mod announcer;
pub mod cache_tailer;
pub mod decision_carrier;
pub mod draft_pruner;
pub mod idempotency_pruner;
pub mod key_follower;
pub mod key_keeper;
pub mod key_usage_writer;
pub mod message_timer;
pub mod messenger;
pub mod name_finder;
pub mod practice_board;
pub mod practice_keeper;
pub mod review_post;
pub mod sequencer;
pub mod session_clearer;
pub mod slot_confirmer;
mod timer_notice;
pub mod vanish_sweeper;
pub mod vote_closer;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{sync::watch, time::MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use crate::domain::Error;

/// What a step leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Nothing to do.
    Drained,
    /// Work is under way elsewhere; look again soon.
    Busy,
    /// There is more to do at once.
    MoreWaiting,
}

/// Something that is done again and again.
pub trait Worker: Send + 'static {
    /// As logs and metrics name it.
    const NAME: &'static str;

    /// The longest time between two steps.
    fn period(&self) -> Duration;

    /// Does a bounded part of the work that waits.
    fn step(&mut self) -> impl Future<Output = Result<Progress, Error>> + Send;

    /// Waits for what is under way, at shutdown.
    fn finish(&mut self) -> impl Future<Output = ()> + Send {
        async {}
    }
}

/// How one worker is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// Steps done.
    pub steps: u64,
    /// Steps in a row that found nothing to do.
    pub idle_steps: u64,
    /// Steps in a row that failed.
    pub failures: u64,
}

/// How all workers are doing.
#[derive(Clone, Default)]
pub struct Board(Arc<Mutex<BTreeMap<&'static str, Status>>>);

impl Board {
    /// A copy of all statuses, by name.
    pub fn read(&self) -> BTreeMap<&'static str, Status> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn update(&self, name: &'static str, change: impl FnOnce(&mut Status)) {
        change(self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(name).or_default());
    }

    fn remove(&self, name: &'static str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
    }
}

/// Commits that never come, for a worker that only time wakes.
pub fn no_commits() -> watch::Receiver<u64> {
    watch::channel(0).1
}

/// Runs a worker until shutdown.
pub async fn run<W: Worker>(
    mut worker: W,
    mut commits: watch::Receiver<u64>,
    board: Board,
    shutdown: CancellationToken,
) {
    let mut ticks = tokio::time::interval(worker.period());
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    board.update(W::NAME, |status| *status = Status::default());
    loop {
        tokio::select! {
            () = shutdown.cancelled() => break,
            _ = ticks.tick() => {}
            Ok(()) = commits.changed() => {}
        }
        loop {
            let outcome = worker.step().await;
            let more = matches!(outcome, Ok(Progress::MoreWaiting));
            board.update(W::NAME, |status| record(status, &outcome));
            if let Err(error) = outcome {
                tracing::error!(error = &error as &dyn std::error::Error, worker = W::NAME, "a worker's step failed");
            }
            if !more || shutdown.is_cancelled() {
                break;
            }
        }
    }
    worker.finish().await;
    board.remove(W::NAME);
}

fn record(status: &mut Status, outcome: &Result<Progress, Error>) {
    status.steps += 1;
    status.failures = if outcome.is_err() { status.failures + 1 } else { 0 };
    status.idle_steps = if matches!(outcome, Ok(Progress::Drained)) { status.idle_steps + 1 } else { 0 };
}
