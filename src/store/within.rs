//! Writes inside a transaction that is open already, so that several of them, and a record of them, commit as one.
//!
//! While a piece of work runs within a transaction, each [`Store::write`] of its task comes here instead of to the
//! writer: it runs in a savepoint, one after the other, and to its end, whatever becomes of who asked for it. Its
//! events wait for the outer commit.
//!
//! Invariant: the work may not wait for a write of another task, because that one may wait for this transaction. It
//! reads what was there before the transaction.

use std::{
    panic::AssertUnwindSafe,
    pin::{Pin, pin},
    sync::Arc,
    time::Duration,
};

use futures_util::{FutureExt as _, future::BoxFuture};
use sea_orm::DbErr;
use tokio::{
    sync::{mpsc, oneshot},
    time::Instant,
};

use super::{Store, Work, WriteError, WriteTransaction, transaction_conflict};

/// Most writes of one piece of work that wait.
const QUEUE_MAX: usize = 16;

tokio::task_local! {
    /// The transaction that the present task works within.
    static OUTER: Outer;
}

#[derive(Clone)]
struct Outer {
    /// Which store it is of: its address.
    store: usize,
    queue: mpsc::Sender<Box<dyn Job>>,
}

/// One write, its type hidden from the queue.
trait Job: Send {
    /// Does the work in a savepoint and answers; an error is the transaction's.
    fn run<'a>(self: Box<Self>, transaction: &'a WriteTransaction) -> BoxFuture<'a, Result<(), DbErr>>
    where
        Self: 'a;
}

struct TypedJob<I, T, E> {
    input: I,
    work: Work<I, T, E>,
    answer: oneshot::Sender<Result<T, E>>,
}

impl<I, T, E> Job for TypedJob<I, T, E>
where
    I: Send + Sync + 'static,
    T: Send + 'static,
    E: WriteError,
{
    fn run<'a>(self: Box<Self>, transaction: &'a WriteTransaction) -> BoxFuture<'a, Result<(), DbErr>>
    where
        Self: 'a,
    {
        async move {
            let Self { input, work, answer } = *self;
            let savepoint = transaction.savepoint().await?;
            let outcome = AssertUnwindSafe(work(&savepoint, &input)).catch_unwind().await;
            let outcome =
                outcome.unwrap_or_else(|_| Err(E::from(DbErr::Custom("the work of a write panicked".to_owned()))));
            match &outcome {
                Ok(_) => savepoint.release(transaction).await?,
                Err(_) => savepoint.rollback().await?,
            }
            let conflict = outcome.as_ref().err().and_then(WriteError::database_error);
            let conflict = conflict.filter(|error| transaction_conflict(error)).cloned();
            // A caller that hung up has no use for the answer; the write stands.
            let _ = answer.send(outcome);
            conflict.map_or(Ok(()), Err)
        }
        .boxed()
    }
}

/// What became of the work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Within<T> {
    /// It ended.
    Done(T),
    /// It took too long and was dropped.
    TimedOut,
}

impl Store {
    /// Runs `work` so that its writes become part of `transaction`.
    ///
    /// An error means that the transaction cannot be kept; a conflict that one of the writes met is such an error,
    /// whatever the work made of it, because it is the whole that has to be repeated.
    pub async fn within<F>(
        &self,
        transaction: &WriteTransaction,
        timeout: Duration,
        work: F,
    ) -> Result<Within<F::Output>, DbErr>
    where
        F: Future + Send,
    {
        let (queue, mut jobs) = mpsc::channel(QUEUE_MAX);
        let mut work = pin!(OUTER.scope(Outer { store: self.address(), queue }, work));
        let output = attend(transaction, Instant::now() + timeout, &mut jobs, work.as_mut()).await?;
        // What was asked for and not waited for is carried out too, as by the writer.
        jobs.close();
        while let Ok(job) = jobs.try_recv() {
            job.run(transaction).await?;
        }
        Ok(output)
    }

    /// A write of a task that works within a transaction of this store; none for all others, which get their input
    /// back.
    pub(super) async fn write_within<I, T, E>(&self, input: I, work: Work<I, T, E>) -> Result<Result<T, E>, I>
    where
        I: Send + Sync + 'static,
        T: Send + 'static,
        E: WriteError,
    {
        let outer = OUTER.try_with(Outer::clone).ok().filter(|outer| outer.store == self.address());
        let Some(outer) = outer else { return Err(input) };
        let (answer, outcome) = oneshot::channel();
        let job: Box<dyn Job> = Box::new(TypedJob { input, work, answer });
        let ended = || E::from(DbErr::Custom("the transaction around this write has ended".to_owned()));
        if outer.queue.send(job).await.is_err() {
            return Ok(Err(ended()));
        }
        Ok(outcome.await.unwrap_or_else(|_| Err(ended())))
    }

    fn address(&self) -> usize {
        Arc::as_ptr(&self.inner) as usize
    }
}

/// Carries out the work's writes until it ends or is late. A write under way is never dropped: a savepoint that is left
/// half-way would take its neighbours with it.
async fn attend<F: Future>(
    transaction: &WriteTransaction,
    deadline: Instant,
    jobs: &mut mpsc::Receiver<Box<dyn Job>>,
    mut work: Pin<&mut F>,
) -> Result<Within<F::Output>, DbErr> {
    loop {
        tokio::select! {
            biased;
            Some(job) = jobs.recv() => job.run(transaction).await?,
            output = work.as_mut() => return Ok(Within::Done(output)),
            () = tokio::time::sleep_until(deadline) => return Ok(Within::TimedOut),
        }
    }
}
