//! What a piece of work holds while it writes.

use std::sync::{Arc, Mutex, OnceLock};

use sea_orm::{DatabaseTransaction, DbErr, TransactionTrait};
use tokio::sync::watch;

use super::event_log::{self, EventNote, NewEvent};

/// An open write transaction. Helpers that must run inside one take it as an argument.
pub struct WriteTransaction {
    transaction: DatabaseTransaction,
    notes: Mutex<Vec<EventNote>>,
}

impl WriteTransaction {
    pub(super) fn new(transaction: DatabaseTransaction) -> Self {
        Self { transaction, notes: Mutex::new(Vec::new()) }
    }

    /// A savepoint inside this transaction, as a transaction of its own.
    pub(super) async fn savepoint(&self) -> Result<Self, DbErr> {
        self.transaction.begin().await.map(Self::new)
    }

    pub(super) async fn commit(self) -> Result<Vec<EventNote>, DbErr> {
        self.transaction.commit().await?;
        Ok(self.notes.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner))
    }

    /// Makes this savepoint and its events part of the transaction around it.
    pub(super) async fn release(self, around: &Self) -> Result<(), DbErr> {
        let notes = self.commit().await?;
        around.notes.lock().unwrap_or_else(std::sync::PoisonError::into_inner).extend(notes);
        Ok(())
    }

    pub(super) async fn rollback(self) -> Result<(), DbErr> {
        self.transaction.rollback().await
    }

    /// The connection for SeaORM's statements.
    pub fn connection(&self) -> &DatabaseTransaction {
        &self.transaction
    }

    /// Writes an event that commits together with the change it describes.
    pub async fn append_event(&self, event: NewEvent) -> Result<(), DbErr> {
        let note = event_log::append(&self.transaction, event).await?;
        self.notes.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(note);
        Ok(())
    }
}

type Listener = Box<dyn Fn(&[EventNote]) + Send + Sync>;

/// Tells this process what was committed.
#[derive(Clone)]
pub struct CommitHook {
    listener: Arc<OnceLock<Listener>>,
    commits: watch::Sender<u64>,
}

impl Default for CommitHook {
    fn default() -> Self {
        Self { listener: Arc::default(), commits: watch::Sender::new(0) }
    }
}

impl CommitHook {
    /// Sets the listener; the first one stays.
    pub(super) fn listen(&self, listener: impl Fn(&[EventNote]) + Send + Sync + 'static) {
        let _ = self.listener.set(Box::new(listener));
    }

    pub(super) fn commits(&self) -> watch::Receiver<u64> {
        self.commits.subscribe()
    }

    pub(super) fn committed(&self, notes: &[EventNote]) {
        if notes.is_empty() {
            return;
        }
        if let Some(listener) = self.listener.get() {
            listener(notes);
        }
        self.commits.send_modify(|count| *count += 1);
    }
}
