//! One process at a time runs the gateway and the workers: the holder of the lease.

use std::time::Duration;

use tokio::{
    task::JoinSet,
    time::{Instant, timeout},
};
use tokio_util::sync::CancellationToken;

use super::bot;
use crate::{
    app::{App, Gateway},
    domain::lease,
    ens_client::EnsClient,
    store::EventOrder,
    worker::{
        self, Board, Worker, announcer::Announcer, decision_carrier::DecisionCarrier, draft_pruner::DraftPruner,
        idempotency_pruner::IdempotencyPruner, key_keeper::KeyKeeper, message_timer::MessageTimer,
        messenger::Messenger, name_finder::NameFinder, practice_keeper::PracticeKeeper, review_post::ReviewPoster,
        sequencer::Sequencer, session_clearer::SessionClearer, slot_confirmer::SlotConfirmer,
        vanish_sweeper::VanishSweeper, vote_closer::VoteCloser,
    },
};

/// Readers of the event log wait at most this long for a commit of another process.
const SEQUENCER_PERIOD_MAX: Duration = Duration::from_millis(200);

pub(super) struct Leader {
    pub(super) app: App,
    pub(super) board: Board,
    /// The node that is asked what wallets are called; none asks nobody.
    pub(super) names: Option<EnsClient>,
    pub(super) lease: Duration,
    pub(super) sweeper: worker::vanish_sweeper::Settings,
    pub(super) bot: bot::Settings,
}

/// The tasks of a held lease.
struct Term {
    shutdown: CancellationToken,
    tasks: JoinSet<()>,
}

impl Term {
    async fn end(mut self) {
        self.shutdown.cancel();
        while let Some(ended) = self.tasks.join_next().await {
            if let Err(error) = ended {
                tracing::error!(%error, "a worker ended badly");
            }
        }
    }
}

impl Leader {
    /// Takes the lease when it is free, renews it three times per duration, and gives it back at shutdown.
    pub(super) async fn run(self, shutdown: CancellationToken) {
        let domain = self.app.domain().clone();
        let holder = lease::new_holder(&domain);
        let mut term: Option<Term> = None;
        let mut renewed_at = Instant::now();
        while !shutdown.is_cancelled() {
            match lease::hold(&domain, lease::WORKERS, holder, self.lease).await {
                Ok(true) => {
                    renewed_at = Instant::now();
                    if term.is_none() {
                        tracing::info!("this process runs the gateway and the workers");
                        self.app.readiness().set_leader(true);
                        term = Some(self.begin());
                    }
                }
                Ok(false) => self.step_down(&mut term, "another process holds the lease").await,
                Err(error) => {
                    tracing::error!(error = &error as &dyn std::error::Error, "the lease could not be renewed");
                    // Another process may have it by now.
                    if renewed_at.elapsed() >= self.lease {
                        self.step_down(&mut term, "the lease has run out").await;
                    }
                }
            }
            let _ = timeout(self.lease / 3, shutdown.cancelled()).await;
        }
        if let Some(term) = term {
            term.end().await;
            if let Err(error) = lease::release(&domain, lease::WORKERS, holder).await {
                tracing::warn!(error = &error as &dyn std::error::Error, "the lease could not be given back");
            }
        }
    }

    async fn step_down(&self, term: &mut Option<Term>, reason: &str) {
        if let Some(term) = term.take() {
            tracing::warn!(reason, "this process stops the gateway and the workers");
            self.app.readiness().set_leader(false);
            term.end().await;
        }
    }

    fn begin(&self) -> Term {
        let mut term = Term { shutdown: CancellationToken::new(), tasks: JoinSet::new() };
        let domain = self.app.domain();
        if EventOrder::of(domain.store().backend()) == EventOrder::AfterCommit {
            let period = self.sweeper.period.min(SEQUENCER_PERIOD_MAX);
            self.employ(&mut term, Sequencer::new(domain.clone(), period));
        }
        let keeper = KeyKeeper::new(domain.clone());
        term.tasks.spawn(worker::run(keeper, worker::no_commits(), self.board.clone(), term.shutdown.clone()));
        let clearer = SessionClearer::new(domain.clone());
        term.tasks.spawn(worker::run(clearer, worker::no_commits(), self.board.clone(), term.shutdown.clone()));
        self.employ(&mut term, IdempotencyPruner::new(domain.clone(), self.sweeper.period));
        self.employ(&mut term, DraftPruner::new(domain.clone(), self.sweeper.period));
        if let Some(names) = &self.names {
            self.employ(&mut term, NameFinder::new(domain.clone(), names.clone(), self.sweeper.period));
        }
        let readiness = self.app.readiness().clone();
        let hears_voice = Box::new(move || readiness.gateway() == Gateway::Ready);
        self.employ(&mut term, PracticeKeeper::new(domain.clone(), self.sweeper.period, hears_voice));
        let closer = VoteCloser::new(domain.clone(), self.app.discord().cloned(), self.sweeper.period);
        self.employ(&mut term, closer);
        let Some(api) = self.app.discord() else { return term };
        self.employ(&mut term, VanishSweeper::new(domain.clone(), api.clone(), self.sweeper));
        self.employ(&mut term, MessageTimer::new(domain.clone(), api.clone(), self.sweeper.period));
        self.employ(&mut term, SlotConfirmer::new(domain.clone(), api.clone(), self.sweeper.period));
        self.employ(&mut term, Announcer::new(domain.clone(), api.clone(), self.sweeper.period));
        self.employ(&mut term, Messenger::new(domain.clone(), api.clone(), self.sweeper.period));
        self.employ(&mut term, ReviewPoster::new(domain.clone(), api.clone(), self.sweeper.period));
        self.employ(&mut term, DecisionCarrier::new(domain.clone(), api.clone(), self.sweeper.period));
        let bot = bot::run(self.app.clone(), api.clone(), self.bot.clone(), term.shutdown.clone());
        term.tasks.spawn(bot);
        term
    }

    fn employ<W: Worker>(&self, term: &mut Term, worker: W) {
        let commits = self.app.domain().store().commits();
        term.tasks.spawn(worker::run(worker, commits, self.board.clone(), term.shutdown.clone()));
    }
}
