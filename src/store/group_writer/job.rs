//! One write, its type hidden from the queue.

use std::{collections::HashSet, panic::AssertUnwindSafe};

use futures_util::{FutureExt, future::BoxFuture};
use sea_orm::DbErr;
use tokio::sync::oneshot;

use crate::store::{RowChange, Work, WriteError, WriteTransaction, transaction_conflict};

/// What came of the work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is to be kept.
    Kept,
    /// It said no, and would again.
    Refused,
    /// The database failed it, which it may not do when the write is by itself.
    Failed,
    /// It may succeed when it is repeated.
    Conflict,
}

pub(super) trait Job: Send {
    /// Does the work, the first time or again.
    fn run<'a>(&'a mut self, transaction: &'a WriteTransaction) -> BoxFuture<'a, Verdict>;
    /// Takes back a success whose transaction failed.
    fn undo(&mut self, error: DbErr);
    /// Tells the caller.
    fn answer(self: Box<Self>);
    /// The work as data, where it can be done together with its like.
    fn row_change(&self) -> Option<&RowChange> {
        None
    }
    /// The work was done so; `changed` are the rows that were as expected.
    fn settle(&mut self, _changed: &HashSet<i64>) {}
}

pub(super) struct RowChangeJob<E> {
    change: RowChange,
    outcome: Option<Result<bool, DbErr>>,
    answer: oneshot::Sender<Result<bool, E>>,
}

impl<E> RowChangeJob<E> {
    pub(super) fn new(change: RowChange, answer: oneshot::Sender<Result<bool, E>>) -> Self {
        Self { change, outcome: None, answer }
    }
}

impl<E: WriteError> Job for RowChangeJob<E> {
    fn run<'a>(&'a mut self, transaction: &'a WriteTransaction) -> BoxFuture<'a, Verdict> {
        async move {
            let outcome = self.change.apply(transaction).await;
            let verdict = match &outcome {
                Ok(_) => Verdict::Kept,
                Err(error) if transaction_conflict(error) => Verdict::Conflict,
                Err(_) => Verdict::Failed,
            };
            self.outcome = Some(outcome);
            verdict
        }
        .boxed()
    }

    fn undo(&mut self, error: DbErr) {
        if !matches!(self.outcome, Some(Err(_))) {
            self.outcome = Some(Err(error));
        }
    }

    fn answer(self: Box<Self>) {
        let outcome = self.outcome.unwrap_or_else(|| Err(DbErr::Custom("the change was not made".to_owned())));
        // A caller that hung up has no use for the answer; the change stands.
        let _ = self.answer.send(outcome.map_err(E::from));
    }

    fn row_change(&self) -> Option<&RowChange> {
        Some(&self.change)
    }

    fn settle(&mut self, changed: &HashSet<i64>) {
        self.outcome = Some(Ok(self.change.is_of(changed)));
    }
}

pub(super) struct TypedJob<I, T, E> {
    input: I,
    work: Work<I, T, E>,
    outcome: Option<Result<T, E>>,
    answer: oneshot::Sender<Result<T, E>>,
}

impl<I, T, E> TypedJob<I, T, E> {
    pub(super) fn new(input: I, work: Work<I, T, E>, answer: oneshot::Sender<Result<T, E>>) -> Self {
        Self { input, work, outcome: None, answer }
    }
}

impl<I, T, E> Job for TypedJob<I, T, E>
where
    I: Send + Sync + 'static,
    T: Send + 'static,
    E: WriteError,
{
    fn run<'a>(&'a mut self, transaction: &'a WriteTransaction) -> BoxFuture<'a, Verdict> {
        async move {
            let work = AssertUnwindSafe((self.work)(transaction, &self.input)).catch_unwind();
            let outcome =
                work.await.unwrap_or_else(|_| Err(E::from(DbErr::Custom("the work of a write panicked".to_owned()))));
            let verdict = match outcome.as_ref().err().map(WriteError::database_error) {
                None => Verdict::Kept,
                Some(None) => Verdict::Refused,
                Some(Some(error)) if transaction_conflict(error) => Verdict::Conflict,
                Some(Some(_)) => Verdict::Failed,
            };
            self.outcome = Some(outcome);
            verdict
        }
        .boxed()
    }

    fn undo(&mut self, error: DbErr) {
        if !matches!(self.outcome, Some(Err(_))) {
            self.outcome = Some(Err(E::from(error)));
        }
    }

    fn answer(self: Box<Self>) {
        let outcome = self.outcome.unwrap_or_else(|| Err(E::from(DbErr::Custom("the write was not run".to_owned()))));
        // A caller that hung up has no use for the answer; the write stands.
        let _ = self.answer.send(outcome);
    }
}
