//! Replacing a key by a new one with the same rights, while the old one works on for a while.
//!
//! Invariants: of rotations at the same time exactly one wins; a grace never extends a life; what has ended, or was
//! switched off, is not revived by a rotation.

use chrono::TimeDelta;
use entity::{
    api_key::{self, KeyState},
    id::ApiKeyId,
};
use sea_orm::{ActiveModelTrait, EntityTrait, IntoActiveModel, QuerySelect};
use serde_json::json;

use super::{
    format::{self, KeyFacts, Shape},
    issue::{IssuedKey, add},
    read,
    refusal::KeyRefusal,
    specification::require_grantable,
    status::KeyStatus,
};
use crate::{
    domain::{Actor, Domain, Error, KeyDialect, counter, event::Author},
    store::WriteTransaction,
};

/// Longest grace: a week.
const GRACE_MAX: TimeDelta = TimeDelta::seconds(604_800);

/// Why a key ended that was replaced without a grace.
const REPLACED: &str = "Replaced by another key";

/// What a rotation leaves.
pub struct Rotated {
    /// The new key.
    pub new: IssuedKey,
    /// The old one; it ends at its `grace_ends_at` or its `expires_at`, whichever comes first.
    pub old: api_key::Model,
}

struct Input {
    author: Author,
    actor: Actor,
    old: ApiKeyId,
    new: ApiKeyId,
    grace: TimeDelta,
    delivering: bool,
    facts: KeyFacts,
}

/// Replaces an active key; the old one works until the grace is over.
pub async fn rotate(domain: &Domain, actor: &Actor, id: ApiKeyId, grace: TimeDelta) -> Result<Rotated, Error> {
    replace(domain, actor, id, grace, false).await
}

/// The same for a new key that has yet to reach its owner: the old one stays as it is until the delivery is confirmed,
/// and when it fails.
pub async fn rotate_for_delivery(
    domain: &Domain,
    actor: &Actor,
    id: ApiKeyId,
    grace: TimeDelta,
) -> Result<Rotated, Error> {
    replace(domain, actor, id, grace, true).await
}

async fn replace(
    domain: &Domain,
    actor: &Actor,
    id: ApiKeyId,
    grace: TimeDelta,
    delivering: bool,
) -> Result<Rotated, Error> {
    if grace < TimeDelta::zero() || grace > GRACE_MAX {
        return Err(KeyRefusal::BadGrace.into());
    }
    let found = api_key::Entity::find_by_id(id).one(domain.store.reader()).await?;
    let before = read::visible(actor, found)?;
    let minted = format::mint(shape(domain.limits.keys.shape, &before));
    let input = Input {
        author: Author::new(domain, actor),
        actor: actor.clone(),
        old: id,
        new: ApiKeyId(domain.ids.uuid()),
        grace,
        delivering,
        facts: minted.facts,
    };
    let work = domain.store.write(input, |txn, input| Box::pin(replace_in(txn, input)));
    let (new, old) = work.await?;
    Ok(Rotated { new: IssuedKey { row: new, secret: minted.secret }, old })
}

/// A key of another system is followed by one of that system, where those are minted at all.
fn shape(dialect: KeyDialect, old: &api_key::Model) -> Shape {
    match dialect {
        KeyDialect::Live => Shape::Live,
        KeyDialect::Test => Shape::Test,
        KeyDialect::Compatible => Shape::of_brand(&old.brand).unwrap_or(Shape::Cartel),
    }
}

async fn replace_in(txn: &WriteTransaction, input: &Input) -> Result<(api_key::Model, api_key::Model), Error> {
    let now = input.author.at();
    let found = api_key::Entity::find_by_id(input.old).lock_exclusive().one(txn.connection()).await?;
    let before = read::visible(&input.actor, found)?;
    let status = KeyStatus::of(&before, now);
    if status != KeyStatus::Active {
        return Err(KeyRefusal::NotRotatable(status).into());
    }
    if before.replaced_by.is_some() {
        return Err(KeyRefusal::RotationUnderWay.into());
    }
    require_grantable(&input.actor, &serde_json::from_value(before.scopes.clone())?)?;
    let mut old = before.clone();
    old.replaced_by = Some(input.new);
    old.grace_ends_at = Some(now + input.grace);
    if !input.delivering {
        retire(&mut old, &input.author);
    }
    let old = write(txn, &input.author, &before, old).await?;
    let new = add(txn, &input.author, successor(input, &before), "api_key.created").await?;
    Ok((new, old))
}

/// The new key: everything of the old one but its secret and its history.
fn successor(input: &Input, old: &api_key::Model) -> api_key::Model {
    let now = input.author.at();
    api_key::Model {
        id: input.new,
        digest: input.facts.digest.to_vec(),
        brand: input.facts.brand.clone(),
        start: input.facts.start.clone(),
        last_four: input.facts.last_four.clone(),
        // On its way it counts for nothing: the old key does.
        slot: old.slot.filter(|_| !input.delivering),
        state: if input.delivering { KeyState::Delivering } else { KeyState::Active },
        state_at: now,
        state_by: input.author.actor().to_owned(),
        state_reason: None,
        grace_ends_at: None,
        rotated_from: Some(old.id),
        replaced_by: None,
        total_requests: 0,
        last_used_at: None,
        created_by: input.author.actor().to_owned(),
        created_at: now,
        updated_at: now,
        ..old.clone()
    }
}

/// Begins the grace of a key that has been replaced; one without a grace is dead at once, and for good.
pub(super) fn retire(row: &mut api_key::Model, author: &Author) {
    let now = author.at();
    let has_grace = row.grace_ends_at.is_some_and(|end| end > now);
    row.state = if has_grace { KeyState::Retiring } else { KeyState::Revoked };
    row.state_at = now;
    author.actor().clone_into(&mut row.state_by);
    row.state_reason = (!has_grace).then(|| REPLACED.to_owned());
    row.slot = None;
}

/// Writes a key that has been replaced, or is about to be, and its event.
pub(super) async fn write(
    txn: &WriteTransaction,
    author: &Author,
    before: &api_key::Model,
    mut after: api_key::Model,
) -> Result<api_key::Model, Error> {
    after.generation = counter::next(txn, counter::AUTH).await?;
    after.updated_at = author.at();
    after.clone().into_active_model().reset_all().update(txn.connection()).await?;
    let state = |row: &api_key::Model| {
        let all = super::issue::logged(row);
        json!({ "state": all["state"], "replaced_by": row.replaced_by, "grace_ends_at": row.grace_ends_at })
    };
    let change = (state(before), state(&after));
    txn.append_event(author.event("api_key.rotated", after.guild_id, super::subject(after.id), change)).await?;
    Ok(after)
}
