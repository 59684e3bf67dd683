//! Readers of the log that handle each event once: their positions are rows.
//!
//! Invariant: what a reader makes of events and its new position commit together, so that an event has one effect
//! whatever crashes in between.

use entity::{event, event_cursor};
use sea_orm::{ActiveValue::Set, ConnectionTrait, DbErr, EntityTrait, QueryFilter, sea_query::Expr};

use crate::{
    domain::{Domain, Error},
    store::WriteTransaction,
};

/// Whether this reader may have something to do: most looks find nothing, and this one costs no lock.
pub(in crate::domain) async fn has_more(domain: &Domain, name: &str) -> Result<bool, Error> {
    let Some(position) = position(domain.store.reader(), name).await? else { return Ok(true) };
    Ok(!super::after(domain.store.reader(), position, 1).await?.is_empty())
}

async fn position(connection: &impl ConnectionTrait, name: &str) -> Result<Option<i64>, DbErr> {
    let row = event_cursor::Entity::find_by_id(name).one(connection).await?;
    Ok(row.map(|row| row.position))
}

/// At most `limit` events that this reader has not handled, which are its own to handle in this transaction.
///
/// The first call starts at the newest event: what happened before is nobody's news.
pub(in crate::domain) async fn take(
    txn: &WriteTransaction,
    name: &'static str,
    limit: u64,
) -> Result<Vec<event::Model>, DbErr> {
    let connection = txn.connection();
    let Some(start) = position(connection, name).await? else {
        let newest = super::newest(connection).await?;
        let first = event_cursor::ActiveModel { name: Set(name.to_owned()), position: Set(newest) };
        event_cursor::Entity::insert(first).on_conflict_do_nothing().exec_without_returning(connection).await?;
        return Ok(Vec::new());
    };
    let events = super::after(connection, start, limit).await?;
    let Some(end) = events.last().and_then(|event| event.position) else { return Ok(Vec::new()) };
    // Moving the position first locks its row, so that a second reader finds it moved and does nothing.
    let moved = event_cursor::Entity::update_many()
        .col_expr(event_cursor::Column::Position, Expr::value(end))
        .filter(event_cursor::COLUMN.name.eq(name))
        .filter(event_cursor::COLUMN.position.eq(start))
        .exec(connection)
        .await?;
    Ok(if moved.rows_affected == 0 { Vec::new() } else { events })
}
