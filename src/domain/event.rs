//! Reading the event log in the order of its positions, and the signature under each new event.
//!
//! Invariant: a reader that continues after the last position it saw misses nothing.

pub(in crate::domain) mod reader;

use chrono::{DateTime, Utc};
use entity::{
    event,
    id::{GuildId, UserId},
};
use sea_orm::{ActiveEnum, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde_json::Value;

use super::{Actor, Domain, Error, Source};
use crate::store::{EventNote, NewEvent};

/// Who changes something, through which face and when: all an event says beside the change.
#[derive(Clone, Debug)]
pub struct Author {
    actor: String,
    source: &'static str,
    at: DateTime<Utc>,
}

impl Author {
    /// The actor, now.
    pub fn new(domain: &Domain, actor: &Actor) -> Self {
        Self { actor: actor.to_string(), source: actor.source().name(), at: domain.now() }
    }

    /// Our own workers, now.
    pub fn system(domain: &Domain) -> Self {
        Self::new(domain, &Actor::System)
    }

    /// Somebody who is about to show who they are, now.
    pub(in crate::domain) fn sign_in(domain: &Domain) -> Self {
        Self { actor: "sign_in".to_owned(), source: Source::Http.name(), at: domain.now() }
    }

    /// The same moment and face, signed by this actor.
    pub(in crate::domain) fn signed_by(&self, actor: &Actor) -> Self {
        Self { actor: actor.to_string(), ..self.clone() }
    }

    /// The same author, named by their own id and not by an account that is about to be forgotten.
    pub(in crate::domain) fn by_person(self, id: UserId) -> Self {
        Self { actor: format!("user:{id}"), ..self }
    }

    /// Who acts, as the event log names them.
    pub fn actor(&self) -> &str {
        &self.actor
    }

    /// The moment of the change.
    pub fn at(&self) -> DateTime<Utc> {
        self.at
    }

    /// An event of a guild, or of the installation, signed by this author.
    pub fn event(
        &self,
        kind: &'static str,
        guild_id: impl Into<Option<GuildId>>,
        subject: String,
        (before, after): (Value, Value),
    ) -> NewEvent {
        NewEvent {
            kind,
            guild_id: guild_id.into(),
            subject,
            actor: self.actor.clone(),
            source: self.source,
            before,
            after,
            at: self.at,
        }
    }
}

/// A state as rows and events spell it.
pub(super) fn spelled<E: ActiveEnum<Value = String> + Copy>(value: E) -> String {
    value.to_value()
}

/// The state that a row or an event spells.
pub(super) fn unspelled<E: ActiveEnum<Value = String>>(text: &str) -> Option<E> {
    E::try_from_value(&text.to_owned()).ok()
}

/// What happened after a position, without the contents.
#[derive(Clone, Debug)]
pub struct Tail {
    /// Continue after this one.
    pub position: i64,
    /// What caches and listeners need, oldest first.
    pub notes: Vec<EventNote>,
}

/// The newest position; 0 for an empty log.
pub async fn latest_position(domain: &Domain) -> Result<i64, Error> {
    Ok(newest(domain.store.reader()).await?)
}

pub(super) async fn newest(connection: &impl ConnectionTrait) -> Result<i64, sea_orm::DbErr> {
    let newest: Option<Option<i64>> = event::Entity::find()
        .select_only()
        .column(event::Column::Position)
        .filter(event::COLUMN.position.is_not_null())
        .order_by_desc(event::COLUMN.position)
        .limit(1)
        .into_tuple()
        .one(connection)
        .await?;
    Ok(newest.flatten().unwrap_or(0))
}

/// Gives committed events their positions where the engine does not do it itself; returns how many.
pub async fn give_positions(domain: &Domain) -> Result<u64, Error> {
    if crate::store::EventOrder::of(domain.store.backend()) == crate::store::EventOrder::AtInsert {
        return Ok(0);
    }
    domain
        .store
        .write((), |txn, ()| Box::pin(async move { Ok(crate::store::sequence_events(txn.connection()).await?) }))
        .await
}

/// At most `limit` events after a position, oldest first.
pub async fn events_after(domain: &Domain, position: i64, limit: u64) -> Result<Vec<event::Model>, Error> {
    Ok(after(domain.store.reader(), position, limit).await?)
}

pub(super) async fn after(
    connection: &impl ConnectionTrait,
    position: i64,
    limit: u64,
) -> Result<Vec<event::Model>, sea_orm::DbErr> {
    event::Entity::find()
        .filter(event::COLUMN.position.gt(position))
        .order_by_asc(event::COLUMN.position)
        .limit(limit)
        .all(connection)
        .await
}

/// At most `limit` notes of what happened after a position; for processes that keep caches beside another writer.
pub async fn tail(domain: &Domain, after: i64, limit: u64) -> Result<Tail, Error> {
    let rows: Vec<(Option<i64>, String, Option<GuildId>, String)> = event::Entity::find()
        .select_only()
        .columns([event::Column::Position, event::Column::Kind, event::Column::GuildId, event::Column::Subject])
        .filter(event::COLUMN.position.gt(after))
        .order_by_asc(event::COLUMN.position)
        .limit(limit)
        .into_tuple()
        .all(domain.store.reader())
        .await?;
    let position = rows.last().and_then(|row| row.0).unwrap_or(after);
    let notes = rows.into_iter().map(|(_, kind, guild_id, subject)| EventNote { kind, guild_id, subject }).collect();
    Ok(Tail { position, notes })
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::domain::testing;

    #[tokio::test]
    async fn a_tail_continues_where_it_ended() {
        let domain = testing::domain().await;
        for n in 1..=5 {
            testing::append(&domain, "slot.set", &format!("slot/{n}"), Value::Null).await;
        }
        assert_eq!(latest_position(&domain).await.unwrap(), 5);
        let first = tail(&domain, 0, 3).await.unwrap();
        let second = tail(&domain, first.position, 3).await.unwrap();
        let third = tail(&domain, second.position, 3).await.unwrap();
        assert_eq!((first.position, first.notes.len()), (3, 3));
        assert_eq!((second.position, second.notes.len()), (5, 2));
        assert_eq!(second.notes[1].subject, "slot/5");
        assert_eq!((third.position, third.notes.len()), (5, 0));
        let events = events_after(&domain, 3, 10).await.unwrap();
        assert_eq!(events.len(), 2);
        assert_eq!(events[0].position, Some(4));
    }
}
