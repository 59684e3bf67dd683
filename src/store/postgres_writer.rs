//! PostgreSQL's writes: one transaction each, repeated after a conflict, apart from the caller.

use std::time::Duration;

use sea_orm::{DatabaseConnection, DbErr, TransactionTrait};
use tokio_util::task::TaskTracker;

use super::{CommitHook, Work, WriteError, WriteTransaction};

/// Tries of one transaction after conflicts.
const TRIES_MAX: u32 = 4;

pub(super) struct PostgresWriter {
    pool: DatabaseConnection,
    hook: CommitHook,
    running: TaskTracker,
}

impl PostgresWriter {
    pub(super) fn new(pool: DatabaseConnection, hook: CommitHook) -> Self {
        Self { pool, hook, running: TaskTracker::new() }
    }

    pub(super) async fn write<I, T, E>(&self, input: I, work: Work<I, T, E>) -> Result<T, E>
    where
        I: Send + Sync + 'static,
        T: Send + 'static,
        E: WriteError,
    {
        if self.running.is_closed() {
            return Err(E::from(DbErr::Custom("the store is closed".to_owned())));
        }
        let (pool, hook) = (self.pool.clone(), self.hook.clone());
        // A transaction that is dropped half-way would leave its connection inside it (reliability F1).
        let task = self.running.spawn(async move { write(&pool, &hook, &input, work).await });
        task.await.unwrap_or_else(|_| Err(E::from(DbErr::Custom("the work of a write panicked".to_owned()))))
    }

    /// Waits for the writes already taken.
    pub(super) async fn close(&self) {
        self.running.close();
        self.running.wait().await;
    }
}

async fn write<I, T, E: WriteError>(
    pool: &DatabaseConnection,
    hook: &CommitHook,
    input: &I,
    work: Work<I, T, E>,
) -> Result<T, E> {
    let mut tries = 1;
    loop {
        match attempt(pool, hook, input, work).await {
            Err(error) if tries < TRIES_MAX && error.database_error().is_some_and(super::transaction_conflict) => {
                pause(tries).await;
                tries += 1;
            }
            outcome => return outcome,
        }
    }
}

async fn attempt<I, T, E: WriteError>(
    pool: &DatabaseConnection,
    hook: &CommitHook,
    input: &I,
    work: Work<I, T, E>,
) -> Result<T, E> {
    let transaction = WriteTransaction::new(pool.begin().await?);
    match work(&transaction, input).await {
        Ok(value) => {
            hook.committed(&transaction.commit().await?);
            Ok(value)
        }
        Err(error) => {
            transaction.rollback().await?;
            Err(error)
        }
    }
}

/// 10, 40 and 160 ms: long enough for the other side of a deadlock to finish.
#[expect(clippy::disallowed_methods, reason = "a pause between tries holds no promise that a restart could break")]
async fn pause(tries: u32) {
    tokio::time::sleep(Duration::from_millis(10 * 4_u64.pow(tries - 1))).await;
}
