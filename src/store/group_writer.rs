//! The writers of a store: each takes the writes that wait, runs them in one transaction, commits once and then
//! answers all. Nobody waits longer than one batch. SQLite has one writer; PostgreSQL has a few, so that writes are
//! grouped only when all of them are at work.
//!
//! Nearly always every write of a batch succeeds, so they share the transaction as they are. If one fails, the
//! transaction is rolled back and each write is run again apart, so that a failing one undoes only itself: on SQLite
//! in a savepoint each; on PostgreSQL in a transaction each, beside the next batch, because a batch there gives up
//! soon on somebody's lock, while a write by itself waits for it as long as a statement may take.

mod job;

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use sea_orm::{DatabaseConnection, DbErr, SqliteTransactionMode, TransactionOptions, TransactionTrait};
use tokio::{
    runtime::Handle,
    sync::{mpsc, oneshot},
    task::{JoinHandle, JoinSet},
};
use tokio_util::task::TaskTracker;

use super::{CommitHook, RowChange, Work, WriteError, WriteTransaction, row_change};
use job::{Job, RowChangeJob, TypedJob, Verdict};

/// Most writes that share one commit.
const BATCH_MAX: usize = 64;
/// Most writes that wait; past this, callers wait before they are queued.
const QUEUE_MAX: usize = 1024;
/// Tries of one transaction after conflicts.
const TRIES_MAX: u32 = 4;

/// What happens to the writes of a batch in which one failed.
enum Apart {
    /// They share another transaction, each in a savepoint.
    Savepoints,
    /// Each gets a transaction of its own over this pool.
    Transactions(DatabaseConnection),
}

type Batch = Vec<Box<dyn Job>>;
type Queue = Arc<tokio::sync::Mutex<mpsc::Receiver<Box<dyn Job>>>>;

pub(super) struct GroupWriter {
    queue: Mutex<Option<mpsc::Sender<Box<dyn Job>>>>,
    task: Mutex<Option<JoinHandle<()>>>,
}

impl GroupWriter {
    /// SQLite's one writer.
    pub(super) fn sqlite(connection: DatabaseConnection, hook: CommitHook) -> Self {
        Self::start(Writer { connection, apart: Apart::Savepoints, hook, strays: TaskTracker::new() }, 1)
    }

    /// As many writers as the pool `connection` has room for, whose failed batches go on over `pool`.
    pub(super) fn postgres(
        connection: DatabaseConnection,
        writers: u32,
        pool: DatabaseConnection,
        hook: CommitHook,
    ) -> Self {
        let apart = Apart::Transactions(pool);
        Self::start(Writer { connection, apart, hook, strays: TaskTracker::new() }, writers)
    }

    fn start(writer: Writer, writers: u32) -> Self {
        let (sender, receiver) = mpsc::channel(QUEUE_MAX);
        Self { queue: Mutex::new(Some(sender)), task: Mutex::new(Some(tokio::spawn(writer.run(receiver, writers)))) }
    }

    pub(super) async fn write<I, T, E>(&self, input: I, work: Work<I, T, E>) -> Result<T, E>
    where
        I: Send + Sync + 'static,
        T: Send + 'static,
        E: WriteError,
    {
        let (answer, outcome) = oneshot::channel();
        self.done(Box::new(TypedJob::new(input, work, answer)), outcome).await
    }

    pub(super) async fn change_row<E: WriteError>(&self, change: RowChange) -> Result<bool, E> {
        let (answer, outcome) = oneshot::channel();
        self.done(Box::new(RowChangeJob::new(change, answer)), outcome).await
    }

    async fn done<T, E: WriteError>(
        &self,
        job: Box<dyn Job>,
        outcome: oneshot::Receiver<Result<T, E>>,
    ) -> Result<T, E> {
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
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn closed<E: WriteError>() -> E {
    E::from(DbErr::Custom("the store is closed".to_owned()))
}

struct Writer {
    connection: DatabaseConnection,
    apart: Apart,
    hook: CommitHook,
    /// Writes of a failed batch that go on by themselves.
    strays: TaskTracker,
}

impl Writer {
    async fn run(self, queue: mpsc::Receiver<Box<dyn Job>>, writers: u32) {
        let queue = Arc::new(tokio::sync::Mutex::new(queue));
        let writer = Arc::new(self);
        let mut threads = JoinSet::new();
        for _ in 0..writers {
            let turns = writer.clone().take_turns(queue.clone());
            // A task among requests would wait behind them after each statement; a thread goes on at once.
            threads.spawn_blocking(|| Handle::current().block_on(turns));
        }
        while let Some(ended) = threads.join_next().await {
            if let Err(error) = ended {
                tracing::error!(%error, "a writer of the store ended badly");
            }
        }
        writer.strays.close();
        writer.strays.wait().await;
        if let Err(error) = writer.connection.close_by_ref().await {
            tracing::warn!(%error, "closing the writer of the store failed");
        }
    }

    async fn take_turns(self: Arc<Self>, queue: Queue) {
        let mut batch = Vec::with_capacity(BATCH_MAX);
        while queue.lock().await.recv_many(&mut batch, BATCH_MAX).await > 0 {
            if let Err(error) = self.write_with_retries(&mut batch).await {
                tracing::error!(%error, writes = batch.len(), "a batch of writes was undone");
                for job in &mut batch {
                    job.undo(error.clone());
                }
            }
            batch.drain(..).for_each(Job::answer);
        }
    }

    /// Repeats a batch that met a conflict as a whole, such as another process that holds SQLite's lock.
    async fn write_with_retries(&self, batch: &mut Batch) -> Result<(), DbErr> {
        let mut tries = 1;
        loop {
            match self.write(batch).await {
                Err(error) if tries < TRIES_MAX && super::transaction_conflict(&error) => {
                    pause(tries).await;
                    tries += 1;
                }
                outcome => return outcome,
            }
        }
    }

    async fn write(&self, batch: &mut Batch) -> Result<(), DbErr> {
        if self.write_together(batch).await? {
            return Ok(());
        }
        match &self.apart {
            Apart::Savepoints => self.write_in_savepoints(batch).await,
            Apart::Transactions(pool) => {
                for job in batch.drain(..) {
                    self.strays.spawn(write_alone(pool.clone(), self.hook.clone(), job));
                }
                Ok(())
            }
        }
    }

    /// Runs all writes as one. False: one failed and nothing was done.
    async fn write_together(&self, batch: &mut Batch) -> Result<bool, DbErr> {
        let alike = row_change::alike(batch.iter().map(|job| job.row_change()));
        let is_one_statement = alike.len() == batch.len() && matches!(self.apart, Apart::Transactions(_));
        if is_one_statement {
            return Ok(self.change_rows_at_once(batch).await.is_ok());
        }
        let transaction = begin(&self.connection).await?;
        let changes: Vec<_> = alike.iter().filter_map(|index| batch[*index].row_change()).collect();
        let Ok(rows) = row_change::apply_together(&transaction, &changes).await else {
            transaction.rollback().await?;
            return Ok(false);
        };
        let mut alike = alike.into_iter().peekable();
        for (index, job) in batch.iter_mut().enumerate() {
            if alike.next_if_eq(&index).is_some() {
                job.settle(&rows);
                continue;
            }
            let verdict = job.run(&transaction).await;
            if verdict != Verdict::Kept {
                transaction.rollback().await?;
                // Alone, a refusal is its answer already.
                return Ok(verdict == Verdict::Refused && batch.len() == 1);
            }
        }
        // Somebody may hold the log's table as well as any other.
        if transaction.write_events().await.is_err() {
            transaction.rollback().await?;
            return Ok(false);
        }
        self.hook.committed(&transaction.commit().await?);
        Ok(true)
    }

    /// A batch of changes that are alike, with their events, as one statement.
    async fn change_rows_at_once(&self, batch: &mut Batch) -> Result<(), DbErr> {
        let changes: Vec<_> = batch.iter().filter_map(|job| job.row_change()).collect();
        let rows = row_change::apply_at_once(&self.connection, &changes).await?;
        let made = changes.into_iter().filter(|change| change.is_of(&rows));
        self.hook.committed(&made.map(RowChange::note).collect::<Vec<_>>());
        for job in batch {
            job.settle(&rows);
        }
        Ok(())
    }

    async fn write_in_savepoints(&self, batch: &mut Batch) -> Result<(), DbErr> {
        let transaction = begin(&self.connection).await?;
        for job in batch {
            let savepoint = transaction.savepoint().await?;
            if job.run(&savepoint).await == Verdict::Kept {
                savepoint.release(&transaction).await?;
            } else {
                savepoint.rollback().await?;
            }
        }
        self.hook.committed(&transaction.commit().await?);
        Ok(())
    }
}

async fn begin(connection: &DatabaseConnection) -> Result<WriteTransaction, DbErr> {
    let options =
        TransactionOptions { sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate), ..Default::default() };
    connection.begin_with_options(options).await.map(WriteTransaction::new)
}

/// Runs one write in a transaction of its own, again after each conflict.
async fn write_alone(pool: DatabaseConnection, hook: CommitHook, mut job: Box<dyn Job>) {
    for tries in 1..=TRIES_MAX {
        match attempt(&pool, &hook, job.as_mut()).await {
            Ok(Verdict::Conflict) if tries < TRIES_MAX => pause(tries).await,
            Err(error) if tries < TRIES_MAX && super::transaction_conflict(&error) => pause(tries).await,
            Err(error) => {
                job.undo(error);
                break;
            }
            Ok(_) => break,
        }
    }
    job.answer();
}

async fn attempt(pool: &DatabaseConnection, hook: &CommitHook, job: &mut dyn Job) -> Result<Verdict, DbErr> {
    let transaction = begin(pool).await?;
    let verdict = job.run(&transaction).await;
    if verdict == Verdict::Kept {
        hook.committed(&transaction.commit().await?);
    } else {
        transaction.rollback().await?;
    }
    Ok(verdict)
}

/// 10, 40 and 160 ms: long enough for the other side of a deadlock to finish.
#[expect(clippy::disallowed_methods, reason = "a pause between tries holds no promise that a restart could break")]
async fn pause(tries: u32) {
    tokio::time::sleep(Duration::from_millis(10 * 4_u64.pow(tries - 1))).await;
}
