//! Appending to the event log, and the order in which it is read.

use chrono::{DateTime, Utc};
use entity::{event, id::GuildId};
use sea_orm::{
    ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, ExprTrait, Statement,
    sea_query::{Expr, Func, InsertStatement, Query, SimpleExpr},
};
use serde_json::{Value, json};

/// A change, as it is to be remembered.
#[derive(Clone, Debug)]
pub struct NewEvent {
    /// Dotted name, such as `vanish.rule_set`.
    pub kind: &'static str,
    /// The guild it belongs to.
    pub guild_id: Option<GuildId>,
    /// What changed, such as `vanish/1234`.
    pub subject: String,
    /// Who did it.
    pub actor: String,
    /// Through which face.
    pub source: &'static str,
    /// The state before; null for what did not exist.
    pub before: Value,
    /// The state after; null for what no longer exists.
    pub after: Value,
    /// When.
    pub at: DateTime<Utc>,
}

impl NewEvent {
    /// What the log keeps of the two states.
    pub(super) fn data(&self) -> Value {
        json!({ "before": self.before, "after": self.after })
    }
}

/// What a listener learns of an event without reading the log.
#[derive(Clone, Debug)]
pub struct EventNote {
    /// Dotted name.
    pub kind: String,
    /// The guild it belongs to.
    pub guild_id: Option<GuildId>,
    /// What changed.
    pub subject: String,
}

impl From<&NewEvent> for EventNote {
    fn from(event: &NewEvent) -> Self {
        Self { kind: event.kind.to_owned(), guild_id: event.guild_id, subject: event.subject.clone() }
    }
}

/// How positions come about: SQLite's single writer knows the order, PostgreSQL learns it after commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventOrder {
    /// Positions are given inside the transaction.
    AtInsert,
    /// A sequencer gives them after commit, so that no reader passes over a late one.
    AfterCommit,
}

impl EventOrder {
    /// The engine's way.
    pub fn of(backend: DbBackend) -> Self {
        match backend {
            DbBackend::Sqlite => Self::AtInsert,
            _ => Self::AfterCommit,
        }
    }
}

/// Most events of one statement.
const EVENTS_PER_STATEMENT: usize = 64;

/// Writes events in their order.
pub(super) async fn append(transaction: &DatabaseTransaction, events: Vec<NewEvent>) -> Result<(), DbErr> {
    let mut events = events.into_iter();
    while events.len() > 0 {
        transaction
            .execute(&insertion(transaction.get_database_backend(), events.by_ref().take(EVENTS_PER_STATEMENT)))
            .await?;
    }
    Ok(())
}

fn insertion(backend: DbBackend, events: impl Iterator<Item = NewEvent>) -> InsertStatement {
    use event::Column as C;
    let mut insert = Query::insert();
    insert.into_table(event::Entity).columns([
        C::Position,
        C::Kind,
        C::GuildId,
        C::Subject,
        C::Actor,
        C::Source,
        C::Data,
        C::CreatedAt,
    ]);
    for (nth, event) in (1_i64..).zip(events) {
        let position = match EventOrder::of(backend) {
            // SQLite computes all rows of a statement that reads its own table before it inserts the first.
            EventOrder::AtInsert => highest_position().add(nth),
            EventOrder::AfterCommit => Expr::val(None::<i64>),
        };
        let data = event.data();
        insert.values_panic([
            position,
            event.kind.into(),
            event.guild_id.into(),
            event.subject.into(),
            event.actor.into(),
            event.source.into(),
            data.into(),
            event.at.into(),
        ]);
    }
    insert
}

/// The position of the last event; 0 in an empty log.
fn highest_position() -> SimpleExpr {
    let highest = Query::select().expr(Func::max(Expr::col(event::Column::Position))).from(event::Entity).to_owned();
    Expr::expr(Func::coalesce([SimpleExpr::SubQuery(None, Box::new(highest.into())), Expr::val(0_i64)]))
}

/// Gives the next committed events their positions; returns how many. Only the holder of the worker lease calls it.
pub async fn sequence_events(connection: &impl ConnectionTrait) -> Result<u64, DbErr> {
    let backend = connection.get_database_backend();
    if EventOrder::of(backend) == EventOrder::AtInsert {
        return Ok(0);
    }
    let statement = Statement::from_string(
        backend,
        "UPDATE event SET position = numbered.position FROM (
           SELECT id, COALESCE((SELECT MAX(position) FROM event), 0) + ROW_NUMBER() OVER (ORDER BY id) AS position
           FROM (SELECT id FROM event WHERE position IS NULL ORDER BY id LIMIT 1000) AS waiting
         ) AS numbered
         WHERE event.id = numbered.id",
    );
    Ok(connection.execute_raw(statement).await?.rows_affected())
}
