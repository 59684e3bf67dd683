//! Keys and people in any state, written past the rules that would make them.

use chrono::{DateTime, Utc};
use entity::{
    api_key::{self, KeyState},
    id::ApiKeyId,
};
use sea_orm::{ActiveModelTrait, EntityTrait, IntoActiveModel};
use serde_json::{Value, json};

use crate::{
    domain::{Domain, Error, api_key::format, counter, event::Author},
    store::WriteTransaction,
};

/// A key as its owner has it.
#[derive(Clone, Debug)]
pub struct TestKey {
    /// Its id.
    pub id: ApiKeyId,
    /// The key.
    pub secret: String,
}

/// A key with these scopes, changed at will.
pub async fn insert(domain: &Domain, scopes: &[&str], change: impl FnOnce(&mut api_key::Model)) -> TestKey {
    let minted = format::mint(format::Shape::Live);
    let mut row = blank(domain, &minted.facts, domain.now());
    row.scopes = json!(scopes);
    change(&mut row);
    let id = row.id;
    write(domain, row, false).await;
    TestKey { id, secret: minted.secret.expose().to_owned() }
}

/// Changes a key, as its administrator would.
pub async fn change(domain: &Domain, id: ApiKeyId, change: impl FnOnce(&mut api_key::Model)) {
    let row = api_key::Entity::find_by_id(id).one(domain.store.reader()).await.unwrap();
    let mut row = row.unwrap();
    change(&mut row);
    write(domain, row, true).await;
}

fn blank(domain: &Domain, facts: &format::KeyFacts, now: DateTime<Utc>) -> api_key::Model {
    api_key::Model {
        id: ApiKeyId(domain.ids.uuid()),
        digest: facts.digest.to_vec(),
        brand: facts.brand.clone(),
        start: facts.start.clone(),
        last_four: facts.last_four.clone(),
        user_id: None,
        slot: None,
        guild_id: None,
        name: "test".to_owned(),
        description: None,
        client_name: None,
        preset: None,
        scopes: json!([]),
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
    }
}

struct Input {
    author: Author,
    row: api_key::Model,
    exists: bool,
}

async fn write(domain: &Domain, row: api_key::Model, exists: bool) {
    let input = Input { author: Author::system(domain), row, exists };
    let written: Result<(), Error> = domain.store.write(input, |txn, input| Box::pin(write_in(txn, input))).await;
    written.unwrap();
}

async fn write_in(txn: &WriteTransaction, input: &Input) -> Result<(), Error> {
    let mut row = input.row.clone();
    row.generation = counter::next(txn, counter::AUTH).await?;
    let subject = crate::domain::api_key::subject(row.id);
    if input.exists {
        row.into_active_model().reset_all().update(txn.connection()).await?;
    } else {
        api_key::Entity::insert(row.into_active_model()).exec_without_returning(txn.connection()).await?;
    }
    let event = input.author.event("api_key.changed", None, subject, (Value::Null, Value::Null));
    Ok(txn.append_event(event).await?)
}
