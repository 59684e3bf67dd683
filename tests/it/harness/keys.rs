//! API keys of stories, written to the store as another process would.

use entity::{
    api_key::{self, KeyState},
    counter,
    id::ApiKeyId,
};
use guildhall::{
    domain::{Domain, Error, api_key::format},
    store::{NewEvent, WriteTransaction},
};
use sea_orm::{
    ActiveModelTrait as _,
    ActiveValue::Set,
    EntityTrait as _, ExprTrait as _, IntoActiveModel as _,
    sea_query::{Expr, OnConflict},
};
use serde_json::{Value, json};
use uuid::Uuid;

/// Issues a key; returns its id and the key.
pub async fn issue(domain: &Domain, scopes: &[&str]) -> (ApiKeyId, String) {
    let minted = format::mint(format::Shape::Live);
    let now = domain.now();
    let row = api_key::Model {
        id: ApiKeyId(Uuid::from_bytes(rand::random())),
        digest: minted.facts.digest.to_vec(),
        brand: minted.facts.brand,
        start: minted.facts.start,
        last_four: minted.facts.last_four,
        user_id: None,
        slot: None,
        guild_id: None,
        name: "story".to_owned(),
        description: None,
        client_name: None,
        preset: None,
        scopes: json!(scopes),
        allowed_origins: json!([]),
        ip_allowlist: json!([]),
        rate_limits: json!([]),
        state: KeyState::Active,
        state_at: now,
        state_by: "root".to_owned(),
        state_reason: None,
        expires_at: None,
        grace_ends_at: None,
        rotated_from: None,
        replaced_by: None,
        generation: 0,
        total_requests: 0,
        last_used_at: None,
        created_by: "root".to_owned(),
        created_at: now,
        updated_at: now,
    };
    let id = row.id;
    write(domain, row).await;
    (id, minted.secret.expose().to_owned())
}

/// Revokes a key.
pub async fn revoke(domain: &Domain, id: ApiKeyId) {
    let row = api_key::Entity::find_by_id(id).one(domain.store().reader()).await.expect("a read");
    let mut row = row.expect("the key was issued");
    row.state = KeyState::Revoked;
    write(domain, row).await;
}

async fn write(domain: &Domain, row: api_key::Model) {
    let written: Result<(), Error> = domain.store().write(row, |txn, row| Box::pin(write_in(txn, row))).await;
    written.expect("a write");
}

async fn write_in(txn: &WriteTransaction, row: &api_key::Model) -> Result<(), Error> {
    let first = counter::ActiveModel { name: Set("auth".to_owned()), value: Set(1) };
    let more = Expr::col((counter::Entity, counter::Column::Value)).add(1);
    let counted = counter::Entity::insert(first)
        .on_conflict(OnConflict::column(counter::Column::Name).value(counter::Column::Value, more).to_owned())
        .exec_with_returning(txn.connection())
        .await?;
    let is_new = row.generation == 0;
    let mut row = row.clone();
    row.generation = counted.value;
    let (id, at) = (row.id, row.created_at);
    if is_new {
        api_key::Entity::insert(row.into_active_model()).exec_without_returning(txn.connection()).await?;
    } else {
        row.into_active_model().reset_all().update(txn.connection()).await?;
    }
    let event = NewEvent {
        kind: "api_key.changed",
        guild_id: None,
        subject: format!("api_key/{id}"),
        actor: "root".to_owned(),
        source: "cli",
        before: Value::Null,
        after: Value::Null,
        at,
    };
    Ok(txn.append_event(event).await?)
}
