//! Making keys, and taking in keys of other systems by their digest.

use chrono::{DateTime, Utc};
use entity::{
    api_key::{self, KeyState},
    id::{ApiKeyId, GuildId},
};
use sea_orm::{EntityTrait, IntoActiveModel, QueryFilter, TryInsertResult};
use serde_json::{Value, json};

use super::{
    format::{self, KeyDigest, KeyFacts},
    owner_slot,
    refusal::KeyRefusal,
    specification::{self, Checked, NewKey},
};
use crate::{
    domain::{
        Actor, Domain, Error, counter,
        event::{Author, spelled},
    },
    secret::Secret,
    store::WriteTransaction,
};

/// Longest text before the secret part of an imported key.
const BRAND_CHARACTERS_MAX: usize = 16;
/// Characters of an imported key that may be kept for display, of its begin and of its end.
const SHOWN_CHARACTERS_MAX: (usize, usize) = (8, 4);

/// A new key: its row, and the key itself, which is shown once.
pub struct IssuedKey {
    /// The row.
    pub row: api_key::Model,
    /// The key.
    pub secret: Secret,
}

/// A key of another system, known by its digest only.
#[derive(Clone, Debug)]
pub struct ImportedKey {
    /// SHA-256 of the whole key, in hexadecimal.
    pub digest: String,
    /// What stands before its secret part, such as `cartel_`; empty where nobody knows.
    pub brand: String,
    /// Up to eight characters of the begin of its secret part; empty where nobody knows.
    pub start: String,
    /// Up to four characters of its end; empty where nobody knows.
    pub last_four: String,
    /// Requests so far.
    pub total_requests: u32,
    /// The last request.
    pub last_used_at: Option<DateTime<Utc>>,
    /// When the other system made it.
    pub created_at: Option<DateTime<Utc>>,
    /// Everything else; its shape and delivery mean nothing here.
    pub specification: NewKey,
}

/// A key that only has to be written, in a transaction of whoever makes it.
pub(super) struct Draft {
    author: Author,
    row: api_key::Model,
    active_max: Option<u32>,
    kind: &'static str,
}

/// Makes a key.
pub async fn create(domain: &Domain, actor: &Actor, new: NewKey) -> Result<IssuedKey, Error> {
    require_creatable(domain, actor, &new)?;
    let (draft, secret) = draft(domain, Author::new(domain, actor), &new)?;
    let row = domain.store.write(draft, |txn, draft| Box::pin(insert(txn, draft))).await?;
    Ok(IssuedKey { row, secret })
}

/// Refuses unless the actor may make this key. For features that make it later, in a transaction of their own.
pub(super) fn require_creatable(domain: &Domain, actor: &Actor, new: &NewKey) -> Result<(), Error> {
    specification::require(actor, new.guild_id)?;
    let checked = Checked::new(new, domain.now())?;
    Ok(specification::require_grantable(actor, &checked.scopes)?)
}

/// Checks what was asked for, except the right to ask for it, and mints the key.
pub(super) fn draft(domain: &Domain, author: Author, new: &NewKey) -> Result<(Draft, Secret), Error> {
    let minted = format::mint(new.shape);
    let mut row = row(domain, &author, new, minted.facts)?;
    if new.delivering {
        row.state = KeyState::Delivering;
    }
    let active_max = owner_slot::allowance(domain, new.active_max);
    Ok((Draft { author, row, active_max, kind: "api_key.created" }, minted.secret))
}

/// Takes in a key of another system: it keeps working unchanged, here.
pub async fn import(domain: &Domain, actor: &Actor, imported: ImportedKey) -> Result<api_key::Model, Error> {
    let new = &imported.specification;
    specification::require(actor, new.guild_id)?;
    let author = Author::new(domain, actor);
    let mut row = row(domain, &author, new, facts(&imported)?)?;
    row.total_requests = imported.total_requests.into();
    row.last_used_at = imported.last_used_at;
    row.created_at = imported.created_at.unwrap_or(row.created_at);
    specification::require_grantable(actor, &scopes(&row)?)?;
    let active_max = owner_slot::allowance(domain, new.active_max);
    let draft = Draft { author, row, active_max, kind: "api_key.imported" };
    domain.store.write(draft, |txn, draft| Box::pin(insert(txn, draft))).await
}

fn scopes(row: &api_key::Model) -> Result<crate::domain::scope::Scopes, Error> {
    Ok(serde_json::from_value(row.scopes.clone())?)
}

fn facts(imported: &ImportedKey) -> Result<KeyFacts, KeyRefusal> {
    let fits = |text: &str, max: usize| text.len() <= max && text.bytes().all(|byte| byte.is_ascii_graphic());
    if !fits(&imported.brand, BRAND_CHARACTERS_MAX)
        || !fits(&imported.start, SHOWN_CHARACTERS_MAX.0)
        || !fits(&imported.last_four, SHOWN_CHARACTERS_MAX.1)
    {
        return Err(KeyRefusal::BadDisplay);
    }
    Ok(KeyFacts {
        digest: digest_of_hex(&imported.digest).ok_or(KeyRefusal::BadDigest)?,
        brand: imported.brand.clone(),
        start: imported.start.clone(),
        last_four: imported.last_four.clone(),
    })
}

fn digest_of_hex(text: &str) -> Option<KeyDigest> {
    let mut digest = KeyDigest::default();
    if text.len() != 2 * digest.len() || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    for (at, byte) in digest.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(digest)
}

/// The row of an active key with this specification.
fn row(domain: &Domain, author: &Author, new: &NewKey, facts: KeyFacts) -> Result<api_key::Model, Error> {
    let now = author.at();
    let checked = Checked::new(new, now)?;
    Ok(api_key::Model {
        id: ApiKeyId(domain.ids.uuid()),
        digest: facts.digest.to_vec(),
        brand: facts.brand,
        start: facts.start,
        last_four: facts.last_four,
        user_id: new.user_id,
        slot: None,
        guild_id: new.guild_id,
        name: checked.name,
        description: checked.description,
        client_name: checked.client_name,
        preset: new.preset,
        scopes: serde_json::to_value(checked.scopes)?,
        allowed_origins: json!(checked.allowed_origins),
        ip_allowlist: serde_json::to_value(checked.ip_allowlist)?,
        rate_limits: serde_json::to_value(checked.rate_limits)?,
        state: KeyState::Active,
        state_at: now,
        state_by: author.actor().to_owned(),
        state_reason: None,
        expires_at: checked.expires_at,
        grace_ends_at: None,
        rotated_from: None,
        replaced_by: None,
        generation: 0,
        total_requests: 0,
        last_used_at: None,
        created_by: author.actor().to_owned(),
        created_at: now,
        updated_at: now,
    })
}

/// Writes a draft, in the owner's next free slot.
pub(super) async fn insert(txn: &WriteTransaction, draft: &Draft) -> Result<api_key::Model, Error> {
    let mut row = draft.row.clone();
    if let Some(owner) = row.user_id {
        row.slot = owner_slot::claim(txn, owner, draft.active_max, draft.author.at()).await?;
    }
    add(txn, &draft.author, row, draft.kind).await
}

/// Writes a new row and its event.
pub(super) async fn add(
    txn: &WriteTransaction,
    author: &Author,
    mut row: api_key::Model,
    kind: &'static str,
) -> Result<api_key::Model, Error> {
    row.generation = counter::next(txn, counter::AUTH).await?;
    let known = api_key::Entity::find().filter(api_key::COLUMN.digest.eq(row.digest.clone()));
    if known.one(txn.connection()).await?.is_some() {
        return Err(KeyRefusal::AlreadyKnown.into());
    }
    // Writers of keys come one after the other through the counter, so that nobody has been faster since the look.
    let inserted = api_key::Entity::insert(row.clone().into_active_model())
        .on_conflict_do_nothing()
        .exec_without_returning(txn.connection())
        .await?;
    if !matches!(inserted, TryInsertResult::Inserted(1..)) {
        return Err(sea_orm::DbErr::RecordNotUpdated.into());
    }
    txn.append_event(author.event(kind, row.guild_id, super::subject(row.id), (Value::Null, logged(&row)))).await?;
    Ok(row)
}

/// What events tell of a key: nothing of the key itself, and no text of people.
pub(super) fn logged(row: &api_key::Model) -> Value {
    json!({
        "user_id": row.user_id,
        "guild_id": row.guild_id.map(|id: GuildId| id.to_string()),
        "preset": row.preset.map(spelled),
        "scopes": row.scopes,
        "allowed_origins": row.allowed_origins,
        "ip_allowlist": row.ip_allowlist,
        "rate_limits": row.rate_limits,
        "state": spelled(row.state),
        "expires_at": row.expires_at,
        "grace_ends_at": row.grace_ends_at,
        "rotated_from": row.rotated_from,
        "replaced_by": row.replaced_by,
    })
}
