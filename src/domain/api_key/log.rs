//! What happened to a key.

use chrono::{DateTime, Utc};
use entity::{event, id::ApiKeyId};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::read;
use crate::domain::{Actor, Domain, Error};

/// Something that happened to a key.
#[derive(Clone, Debug)]
pub struct KeyEvent {
    /// What, such as `api_key.revoked`.
    pub kind: String,
    /// Who did it.
    pub actor: String,
    /// Through which face.
    pub source: String,
    /// When.
    pub at: DateTime<Utc>,
}

/// What happened to a key, newest first, for whoever may manage it.
pub async fn log(domain: &Domain, actor: &Actor, id: ApiKeyId, limit: u64) -> Result<Vec<KeyEvent>, Error> {
    let key = read::key(domain, actor, id).await?.row;
    let guild = match key.guild_id {
        Some(guild) => event::COLUMN.guild_id.eq(guild),
        None => event::COLUMN.guild_id.is_null(),
    };
    let events = event::Entity::find()
        .filter(guild)
        // In the order of the index: everything that begins with `api_key.`.
        .filter(event::COLUMN.kind.gte("api_key."))
        .filter(event::COLUMN.kind.lt("api_key/"))
        .filter(event::COLUMN.subject.eq(super::subject(id)))
        .order_by_desc(event::COLUMN.id)
        .limit(limit)
        .all(domain.store.reader())
        .await?;
    let of_row =
        |row: event::Model| KeyEvent { kind: row.kind, actor: row.actor, source: row.source, at: row.created_at };
    Ok(events.into_iter().map(of_row).collect())
}
