//! Requests that may be sent again: each has its effect once, and its answer is remembered.
//!
//! A record holds no digest of a body either, which may be short enough to be guessed, such as a password's: it is
//! sealed with the secret that signs tokens.
//!
//! Invariants: the record of an answer commits in the transaction of what the request changed, so that after a crash
//! both are there or neither is; an answer that a second try could change is not remembered; no secret is.

use std::{
    collections::HashSet,
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use entity::idempotency_record::{self, Column};
use futures_util::{FutureExt as _, future::BoxFuture};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, DbErr, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect,
    TryInsertResult,
};
use sha2::{Digest, Sha256};
use tokio::sync::OwnedSemaphorePermit;

use super::{Domain, Error, Kind, Refusal};
use crate::store::{Within, WriteError, WriteTransaction};

/// How long an answer is remembered.
const MEMORY: TimeDelta = TimeDelta::hours(24);
/// Longest path that is kept as it is; a digest stands for a longer one.
const OPERATION_CHARACTERS_MAX: usize = 512;
/// Most requests with a key that this process carries out at once.
const RUNNING_MAX: usize = 10_000;
/// Longest that a request may hold its transaction: on SQLite nobody else writes meanwhile.
const TRANSACTION_MAX: Duration = Duration::from_secs(4);
/// Answers forgotten in one transaction.
pub const PRUNED_MAX: u64 = 500;

/// Why a repeated request is not carried out.
#[derive(Clone, Debug, thiserror::Error)]
pub enum IdempotencyRefusal {
    /// The header holds no key.
    #[error("Idempotency-Key must have 1 to 255 visible ASCII characters, bare or in double quotes")]
    InvalidKey,
    /// The key was used for another request.
    #[error("This Idempotency-Key was used for a request with another body or query")]
    KeyReused,
    /// The first request is not answered yet.
    #[error("The request with this Idempotency-Key is still being carried out")]
    Running,
    /// The answer held a secret.
    #[error("This request was carried out. Its answer held a secret, which is shown once: `id` names what it made")]
    SecretAlreadyShown,
    /// It took too long, and nothing was done.
    #[error("The request took too long, and nothing was done. Please try again")]
    TimedOut,
}

impl Refusal for IdempotencyRefusal {
    fn kind(&self) -> Kind {
        match self {
            Self::InvalidKey | Self::KeyReused => Kind::Invalid,
            Self::Running | Self::SecretAlreadyShown => Kind::Conflict,
            Self::TimedOut => Kind::Unavailable,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::InvalidKey => "idempotency.invalid_key",
            Self::KeyReused => "idempotency.key_reused",
            Self::Running => "idempotency.running",
            Self::SecretAlreadyShown => "idempotency.secret_already_shown",
            Self::TimedOut => "idempotency.timed_out",
        }
    }
}

/// Which request it is.
#[derive(Clone, Debug)]
pub struct Request {
    principal: String,
    operation: String,
    key: String,
    fingerprint: [u8; 32],
}

impl Request {
    /// `principal` is who sends it, as the event log names them; `operation` is method and canonical path; the
    /// fingerprint tells apart what else there is to a request.
    pub fn new(principal: String, operation: String, key: String, fingerprint: [u8; 32]) -> Self {
        let operation = if operation.len() <= OPERATION_CHARACTERS_MAX {
            operation
        } else {
            let method = operation.split(' ').next().unwrap_or_default();
            format!("{method} sha256:{}", super::instance::hex(&Sha256::digest(&operation)))
        };
        Self { principal, operation, key, fingerprint }
    }

    fn id(&self) -> (String, String, String) {
        (self.principal.clone(), self.operation.clone(), self.key.clone())
    }
}

/// What is remembered of an answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Its media type.
    pub content_type: Option<String>,
    /// Its body; none where it was too large or held a secret.
    pub body: Option<Vec<u8>>,
    /// What was made, where the answer held a secret.
    pub subject: Option<String>,
}

/// One try of a request.
pub struct Tried<R> {
    /// What to tell the client.
    pub reply: R,
    /// What to remember; none undoes whatever the try has changed.
    pub answer: Option<Answer>,
}

/// Carries the request out, once per call.
pub type Attempt<R> = Arc<dyn Fn() -> BoxFuture<'static, Tried<R>> + Send + Sync>;

/// What became of a request.
#[derive(Debug)]
pub enum Outcome<R> {
    /// It was carried out now, or refused for the moment.
    Fresh(R),
    /// It was carried out before.
    Repeated(Answer),
    /// It was carried out before, and its answer held the secret of what it made.
    SecretShown {
        /// The id of what it made.
        subject: String,
    },
    /// Its work panicked; nothing was done.
    Panicked,
}

/// The requests that this process is carrying out.
#[derive(Clone, Default)]
pub(super) struct Running(Arc<Mutex<HashSet<(String, String, String)>>>);

/// A request among those that are being carried out.
struct Turn {
    running: Running,
    id: (String, String, String),
}

impl Running {
    /// None if it is being carried out already, or too many are.
    fn begin(&self, request: &Request) -> Option<Turn> {
        let id = request.id();
        let mut running = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (running.len() < RUNNING_MAX && running.insert(id.clone())).then(|| Turn { running: self.clone(), id })
    }
}

impl Turn {
    fn end(&self) {
        self.running.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.end();
    }
}

struct Input<R> {
    domain: Domain,
    request: Request,
    attempt: Attempt<R>,
    timeout: Duration,
    turn: Turn,
    _place: OwnedSemaphorePermit,
}

/// Why a transaction is rolled back.
enum Stop<R> {
    Store(DbErr),
    Refused(IdempotencyRefusal),
    Undone(R),
    Panicked,
}

impl<R> From<DbErr> for Stop<R> {
    fn from(error: DbErr) -> Self {
        Self::Store(error)
    }
}

impl<R: Send + 'static> WriteError for Stop<R> {
    fn database_error(&self) -> Option<&DbErr> {
        match self {
            Self::Store(error) => Some(error),
            _ => None,
        }
    }
}

/// Carries a request out unless it was before; `timeout` is how long it may take in all. All that the attempt writes commits with the record of its answer; what
/// it reads is the state before it.
pub async fn once<R: Send + 'static>(
    domain: &Domain,
    request: Request,
    timeout: Duration,
    attempt: Attempt<R>,
) -> Result<Outcome<R>, Error> {
    let turn = domain.running.begin(&request).ok_or(IdempotencyRefusal::Running)?;
    let place = domain.store.long_transaction().await?;
    // Ends before the request does, so that its client learns that nothing was done.
    let timeout = (timeout * 3 / 4).min(TRANSACTION_MAX);
    let input = Input { domain: domain.clone(), request, attempt, timeout, turn, _place: place };
    let outcome = domain.store.write(input, |txn, input| Box::pin(carry_out(txn, input))).await;
    match outcome {
        Ok(outcome) => Ok(outcome),
        Err(Stop::Undone(reply)) => Ok(Outcome::Fresh(reply)),
        Err(Stop::Panicked) => Ok(Outcome::Panicked),
        Err(Stop::Refused(refusal)) => Err(refusal.into()),
        Err(Stop::Store(error)) => Err(error.into()),
    }
}

async fn carry_out<R: Send + 'static>(txn: &WriteTransaction, input: &Input<R>) -> Result<Outcome<R>, Stop<R>> {
    let outcome = carry_out_in(txn, input).await;
    // Before the commit: who comes now finds the row, at the latest when it is committed.
    input.turn.end();
    outcome
}

async fn carry_out_in<R: Send + 'static>(txn: &WriteTransaction, input: &Input<R>) -> Result<Outcome<R>, Stop<R>> {
    if let Some(record) = reserve(txn, input).await? {
        return repeat(input, record).map_err(Stop::Refused);
    }
    let attempt = AssertUnwindSafe((input.attempt)()).catch_unwind();
    let tried = match input.domain.store.within(txn, input.timeout, attempt).await? {
        Within::Done(Ok(tried)) => tried,
        Within::Done(Err(_)) => return Err(Stop::Panicked),
        Within::TimedOut => return Err(Stop::Refused(IdempotencyRefusal::TimedOut)),
    };
    let Some(answer) = tried.answer else {
        return Err(Stop::Undone(tried.reply));
    };
    let record = idempotency_record::ActiveModel {
        status: Set(answer.status.into()),
        content_type: Set(answer.content_type),
        body: Set(answer.body),
        subject: Set(answer.subject),
        ..Default::default()
    };
    of(&input.request, idempotency_record::Entity::update_many().set(record)).exec(txn.connection()).await?;
    Ok(Outcome::Fresh(tried.reply))
}

/// Inserts the record, or returns the one that is there. On PostgreSQL it waits for a process that is about to commit
/// the same.
async fn reserve<R>(txn: &WriteTransaction, input: &Input<R>) -> Result<Option<idempotency_record::Model>, DbErr> {
    let (request, now) = (&input.request, input.domain.now());
    let (principal, operation, key) = request.id();
    let record = idempotency_record::Model {
        principal,
        operation,
        key,
        fingerprint: seals(input).next().unwrap_or_default().to_vec(),
        status: 0,
        content_type: None,
        body: None,
        subject: None,
        expires_at: now + MEMORY,
    };
    if insert(txn, record.clone()).await? {
        return Ok(None);
    }
    let found = idempotency_record::Entity::find_by_id(request.id()).one(txn.connection()).await?;
    if let Some(found) = found.filter(|found| found.expires_at > now) {
        return Ok(Some(found));
    }
    let old = idempotency_record::Entity::delete_many().filter(Column::ExpiresAt.lte(now));
    of(request, old).exec(txn.connection()).await?;
    // Who was faster in the meantime is found when the transaction is repeated.
    if insert(txn, record).await? { Ok(None) } else { Err(DbErr::RecordNotUpdated) }
}

async fn insert(txn: &WriteTransaction, record: idempotency_record::Model) -> Result<bool, DbErr> {
    let inserted = idempotency_record::Entity::insert(record.into_active_model())
        .on_conflict_do_nothing()
        .exec_without_returning(txn.connection())
        .await?;
    Ok(matches!(inserted, TryInsertResult::Inserted(1..)))
}

fn of<Q: QueryFilter>(request: &Request, query: Q) -> Q {
    query
        .filter(Column::Principal.eq(&request.principal))
        .filter(Column::Operation.eq(&request.operation))
        .filter(Column::Key.eq(&request.key))
}

fn seals<R>(input: &Input<R>) -> impl Iterator<Item = [u8; 32]> {
    input.domain.signing.seals("idempotency", &input.request.fingerprint)
}

fn repeat<R>(input: &Input<R>, record: idempotency_record::Model) -> Result<Outcome<R>, IdempotencyRefusal> {
    if !seals(input).any(|seal| seal.as_slice() == record.fingerprint) {
        return Err(IdempotencyRefusal::KeyReused);
    }
    if let Some(subject) = record.subject {
        return Ok(Outcome::SecretShown { subject });
    }
    let status = u16::try_from(record.status).unwrap_or(500);
    Ok(Outcome::Repeated(Answer { status, content_type: record.content_type, body: record.body, subject: None }))
}

/// Forgets answers whose time is over; returns whether there may be more.
pub async fn prune(domain: &Domain) -> Result<bool, Error> {
    let now = domain.now();
    let over: Vec<DateTime<Utc>> = idempotency_record::Entity::find()
        .select_only()
        .column(Column::ExpiresAt)
        .filter(Column::ExpiresAt.lte(now))
        .order_by_asc(Column::ExpiresAt)
        .limit(PRUNED_MAX)
        .into_tuple()
        .all(domain.store.reader())
        .await?;
    let Some(until) = over.last() else { return Ok(false) };
    domain
        .store
        .write(*until, |txn, until| {
            Box::pin(async move {
                let old = idempotency_record::Entity::delete_many().filter(Column::ExpiresAt.lte(*until));
                old.exec(txn.connection()).await?;
                Ok::<_, Error>(())
            })
        })
        .await?;
    Ok(over.len() as u64 == PRUNED_MAX)
}
