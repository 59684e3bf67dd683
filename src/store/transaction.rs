//! What a piece of work holds while it writes.

use std::{
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::Duration,
};

use sea_orm::{DatabaseTransaction, DbErr, TransactionTrait};
use tokio::sync::watch;

use super::event_log::{self, EventNote, NewEvent};

/// An open write transaction. Helpers that must run inside one take it as an argument.
///
/// Events are written right before the commit, in one statement for all writes that share it: each by itself would
/// cost a third of a small write. Until then the log does not show them, not even inside the transaction.
pub struct WriteTransaction {
    transaction: DatabaseTransaction,
    events: Mutex<Events>,
}

#[derive(Default)]
struct Events {
    waiting: Vec<NewEvent>,
    written: Vec<EventNote>,
}

impl WriteTransaction {
    pub(super) fn new(transaction: DatabaseTransaction) -> Self {
        Self { transaction, events: Mutex::default() }
    }

    /// A savepoint inside this transaction, as a transaction of its own.
    pub(super) async fn savepoint(&self) -> Result<Self, DbErr> {
        self.transaction.begin().await.map(Self::new)
    }

    /// Makes this savepoint and its events part of the transaction around it.
    pub(super) async fn release(self, around: &Self) -> Result<(), DbErr> {
        self.transaction.commit().await?;
        let mut events = self.events.into_inner().unwrap_or_else(PoisonError::into_inner);
        let mut all = around.events();
        all.waiting.append(&mut events.waiting);
        all.written.append(&mut events.written);
        Ok(())
    }

    /// Writes the events that wait.
    pub(super) async fn write_events(&self) -> Result<(), DbErr> {
        let events = std::mem::take(&mut self.events().waiting);
        let notes: Vec<_> = events.iter().map(EventNote::from).collect();
        event_log::append(&self.transaction, events).await?;
        self.events().written.extend(notes);
        Ok(())
    }

    /// Writes the events and commits; returns what to tell listeners.
    pub(super) async fn commit(self) -> Result<Vec<EventNote>, DbErr> {
        self.write_events().await?;
        self.transaction.commit().await?;
        Ok(self.events.into_inner().unwrap_or_else(PoisonError::into_inner).written)
    }

    pub(super) async fn rollback(self) -> Result<(), DbErr> {
        self.transaction.rollback().await
    }

    /// The connection for SeaORM's statements.
    pub fn connection(&self) -> &DatabaseTransaction {
        &self.transaction
    }

    /// Adds an event that commits together with the change it describes.
    #[expect(clippy::unused_async, reason = "when the row is written is this type's own business")]
    pub async fn append_event(&self, event: NewEvent) -> Result<(), DbErr> {
        self.events().waiting.push(event);
        Ok(())
    }

    fn events(&self) -> MutexGuard<'_, Events> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

type Listener = Box<dyn Fn(&[EventNote]) + Send + Sync>;

/// Least time from one notice of a commit to the next. A store that is written to without pause would else be read by
/// every worker after every commit; after a rest, a commit is still told at once.
const BREATH: Duration = Duration::from_millis(50);

/// Tells this process what was committed.
#[derive(Clone)]
pub struct CommitHook {
    listener: Arc<OnceLock<Listener>>,
    committed: watch::Sender<()>,
    notices: watch::Receiver<u64>,
}

impl CommitHook {
    /// Must be called in a runtime, which gives the notices.
    pub(super) fn start() -> Self {
        let committed = watch::Sender::new(());
        let (notify, notices) = watch::channel(0);
        tokio::spawn(give_notices(committed.subscribe(), notify));
        Self { listener: Arc::default(), committed, notices }
    }

    /// Sets the listener; the first one stays.
    pub(super) fn listen(&self, listener: impl Fn(&[EventNote]) + Send + Sync + 'static) {
        let _ = self.listener.set(Box::new(listener));
    }

    pub(super) fn commits(&self) -> watch::Receiver<u64> {
        let mut notices = self.notices.clone();
        notices.mark_unchanged();
        notices
    }

    pub(super) fn committed(&self, notes: &[EventNote]) {
        if notes.is_empty() {
            return;
        }
        if let Some(listener) = self.listener.get() {
            listener(notes);
        }
        self.committed.send_replace(());
    }
}

#[expect(clippy::disallowed_methods, reason = "a pause between notices holds no promise that a restart could break")]
async fn give_notices(mut commits: watch::Receiver<()>, notices: watch::Sender<u64>) {
    while commits.changed().await.is_ok() {
        notices.send_modify(|count| *count += 1);
        tokio::time::sleep(BREATH).await;
    }
}
