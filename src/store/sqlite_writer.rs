//! SQLite's one writer: it takes the writes that wait, runs each in its own savepoint of one transaction, commits
//! once and then answers all. Nobody waits longer than one batch, and a write that fails undoes only itself.

use std::{panic::AssertUnwindSafe, sync::Mutex, time::Duration};

use futures_util::{FutureExt, future::BoxFuture};
use sea_orm::{DatabaseConnection, DbErr, SqliteTransactionMode, TransactionOptions, TransactionTrait};
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
};

use super::{CommitHook, Work, WriteError, WriteTransaction};

/// Most writes that share one commit.
const BATCH_MAX: usize = 64;
/// Most writes that wait; past this, callers wait before they are queued.
const QUEUE_MAX: usize = 1024;
/// Tries of one batch while another process holds the lock, each as long as the busy timeout.
const TRIES_MAX: u32 = 4;

pub(super) struct SqliteWriter {
    queue: Mutex<Option<mpsc::Sender<Box<dyn Job>>>>,
    task: Mutex<Option<JoinHandle<()>>>,
}

impl SqliteWriter {
    pub(super) fn start(connection: DatabaseConnection, hook: CommitHook) -> Self {
        let (sender, receiver) = mpsc::channel(QUEUE_MAX);
        let task = tokio::spawn(run(connection, receiver, hook));
        Self { queue: Mutex::new(Some(sender)), task: Mutex::new(Some(task)) }
    }

    pub(super) async fn write<I, T, E>(&self, input: I, work: Work<I, T, E>) -> Result<T, E>
    where
        I: Send + Sync + 'static,
        T: Send + 'static,
        E: WriteError,
    {
        let (answer, outcome) = oneshot::channel();
        let job = Box::new(TypedJob { input, work, outcome: None, answer });
        let queue = lock(&self.queue).clone().ok_or_else(closed::<E>)?;
        queue.send(job).await.map_err(|_| closed::<E>())?;
        drop(queue);
        outcome.await.map_err(|_| closed::<E>())?
    }

    /// Waits for the writes already taken.
    pub(super) async fn close(&self) {
        lock(&self.queue).take();
        let task = lock(&self.task).take();
        if let Some(task) = task
            && let Err(error) = task.await
        {
            tracing::error!(%error, "the writer of the store ended badly");
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn closed<E: WriteError>() -> E {
    E::from(DbErr::Custom("the store is closed".to_owned()))
}

/// One write, its type hidden from the queue.
trait Job: Send {
    /// Does the work; says whether it is to be kept.
    fn run<'a>(&'a mut self, transaction: &'a WriteTransaction) -> BoxFuture<'a, bool>;
    /// Answers with the outcome of the work, or with the error that undid it.
    fn answer(self: Box<Self>, undone: Option<DbErr>);
}

struct TypedJob<I, T, E> {
    input: I,
    work: Work<I, T, E>,
    outcome: Option<Result<T, E>>,
    answer: oneshot::Sender<Result<T, E>>,
}

impl<I, T, E> Job for TypedJob<I, T, E>
where
    I: Send + Sync + 'static,
    T: Send + 'static,
    E: WriteError,
{
    fn run<'a>(&'a mut self, transaction: &'a WriteTransaction) -> BoxFuture<'a, bool> {
        async move {
            let work = AssertUnwindSafe((self.work)(transaction, &self.input)).catch_unwind();
            let outcome =
                work.await.unwrap_or_else(|_| Err(E::from(DbErr::Custom("the work of a write panicked".to_owned()))));
            let keep = outcome.is_ok();
            self.outcome = Some(outcome);
            keep
        }
        .boxed()
    }

    fn answer(self: Box<Self>, undone: Option<DbErr>) {
        let outcome = match (self.outcome, undone) {
            (Some(Err(error)), _) => Err(error),
            (_, Some(error)) => Err(E::from(error)),
            (Some(outcome), None) => outcome,
            (None, None) => Err(closed()),
        };
        // A caller that hung up has no use for the answer; the write stands.
        let _ = self.answer.send(outcome);
    }
}

async fn run(connection: DatabaseConnection, mut queue: mpsc::Receiver<Box<dyn Job>>, hook: CommitHook) {
    let mut batch = Vec::with_capacity(BATCH_MAX);
    while queue.recv_many(&mut batch, BATCH_MAX).await > 0 {
        let undone = write_batch_with_retries(&connection, &mut batch, &hook).await.err();
        if let Some(error) = &undone {
            tracing::error!(%error, writes = batch.len(), "a batch of writes was undone");
        }
        for job in batch.drain(..) {
            job.answer(undone.clone());
        }
    }
    if let Err(error) = connection.close().await {
        tracing::warn!(%error, "closing the writer of the store failed");
    }
}

async fn write_batch_with_retries(
    connection: &DatabaseConnection,
    batch: &mut [Box<dyn Job>],
    hook: &CommitHook,
) -> Result<(), DbErr> {
    let mut tries = 1;
    loop {
        match write_batch(connection, batch, hook).await {
            Err(error) if tries < TRIES_MAX && super::transaction_conflict(&error) => tries += 1,
            outcome => return outcome,
        }
        pause().await;
    }
}

#[expect(clippy::disallowed_methods, reason = "a pause between tries holds no promise that a restart could break")]
async fn pause() {
    tokio::time::sleep(Duration::from_millis(20)).await;
}

async fn write_batch(
    connection: &DatabaseConnection,
    batch: &mut [Box<dyn Job>],
    hook: &CommitHook,
) -> Result<(), DbErr> {
    let options =
        TransactionOptions { sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate), ..Default::default() };
    let transaction = WriteTransaction::new(connection.begin_with_options(options).await?);
    if let [job] = batch {
        if job.run(&transaction).await {
            hook.committed(&transaction.commit().await?);
        } else {
            transaction.rollback().await?;
        }
        return Ok(());
    }
    let mut notes = Vec::new();
    for job in batch {
        let savepoint = transaction.savepoint().await?;
        if job.run(&savepoint).await {
            notes.extend(savepoint.commit().await?);
        } else {
            savepoint.rollback().await?;
        }
    }
    transaction.commit().await?;
    hook.committed(&notes);
    Ok(())
}
