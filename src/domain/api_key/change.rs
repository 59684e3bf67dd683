//! Changing what a key may do, and switching it off and on.

use chrono::{DateTime, Utc};
use entity::{
    api_key::{self, KeyState},
    id::ApiKeyId,
};
use sea_orm::{ActiveModelTrait, EntityTrait, IntoActiveModel, QuerySelect};
use serde_json::{Value, json};

use super::{
    issue::logged,
    limit::{self, RateLimit},
    owner_slot, read,
    refusal::KeyRefusal,
    specification as checks,
    status::KeyStatus,
};
use crate::{
    domain::{Actor, Domain, Error, counter, event::Author},
    store::WriteTransaction,
};

/// What is to be different; none leaves a thing as it is.
#[derive(Clone, Debug, Default)]
pub struct KeyChange {
    /// The name.
    pub name: Option<String>,
    /// The description, or that there is none.
    pub description: Option<Option<String>>,
    /// The program that uses it, or that nobody knows.
    pub client_name: Option<Option<String>>,
    /// What it may do.
    pub scopes: Option<Vec<String>>,
    /// Domains for which it may sign people in.
    pub allowed_origins: Option<Vec<String>>,
    /// Where it may be used from.
    pub ip_allowlist: Option<Vec<String>>,
    /// Its own limits; an empty list takes its class's.
    pub rate_limits: Option<Vec<RateLimit>>,
    /// The end of its life, or that it has none.
    pub expires_at: Option<Option<DateTime<Utc>>>,
    /// Switched on, or off.
    pub enabled: Option<bool>,
    /// Why it is switched off.
    pub reason: Option<String>,
}

struct Input {
    author: Author,
    actor: Actor,
    id: ApiKeyId,
    change: KeyChange,
    active_max: Option<u32>,
}

/// Changes a key; it counts from the next request on.
pub async fn change(domain: &Domain, actor: &Actor, id: ApiKeyId, change: KeyChange) -> Result<api_key::Model, Error> {
    let author = Author::new(domain, actor);
    let active_max = owner_slot::allowance(domain, None);
    let input = Input { author, actor: actor.clone(), id, change, active_max };
    let mut row = domain.store.write(input, |txn, input| Box::pin(change_in(txn, input))).await?;
    domain.usage.add_waiting(&mut row);
    Ok(row)
}

async fn change_in(txn: &WriteTransaction, input: &Input) -> Result<api_key::Model, Error> {
    let found = api_key::Entity::find_by_id(input.id).lock_exclusive().one(txn.connection()).await?;
    let before = read::visible(&input.actor, found)?;
    let mut after = before.clone();
    let texts = set_fields(&mut after, input)?;
    let switched = switch(&mut after, input)?;
    if after == before {
        return Ok(before);
    }
    let now = input.author.at();
    let is_counted = |row: &api_key::Model| KeyStatus::of(row, now) == KeyStatus::Active;
    if is_counted(&after) && !is_counted(&before) {
        after.slot = match after.user_id {
            Some(owner) => owner_slot::claim(txn, owner, input.active_max, now).await?,
            None => None,
        };
    } else if !is_counted(&after) {
        after.slot = None;
    }
    after.generation = counter::next(txn, counter::AUTH).await?;
    after.updated_at = now;
    after.clone().into_active_model().reset_all().update(txn.connection()).await?;
    log(txn, input, (&before, &after), &texts, switched).await?;
    Ok(after)
}

/// Sets all that is no state; says which texts of people are different.
fn set_fields(row: &mut api_key::Model, input: &Input) -> Result<Vec<&'static str>, Error> {
    let change = &input.change;
    let mut texts = Vec::new();
    if let Some(name) = &change.name {
        replace(&mut row.name, checks::name(name)?, "name", &mut texts);
    }
    if let Some(description) = &change.description {
        let description = checks::text("/description", "The description", description.as_deref())?;
        replace(&mut row.description, description, "description", &mut texts);
    }
    if let Some(client) = &change.client_name {
        let client = client.as_deref().map(checks::client_name).transpose()?;
        replace(&mut row.client_name, client, "client_name", &mut texts);
    }
    if let Some(scopes) = &change.scopes {
        let scopes = checks::scopes(Some(scopes), row.preset, row.guild_id)?;
        checks::require_grantable(&input.actor, &scopes)?;
        row.scopes = serde_json::to_value(scopes)?;
    }
    if let Some(origins) = &change.allowed_origins {
        row.allowed_origins = json!(checks::origins(origins)?);
    }
    if let Some(networks) = &change.ip_allowlist {
        row.ip_allowlist = serde_json::to_value(checks::networks(networks)?)?;
    }
    if let Some(limits) = &change.rate_limits {
        limit::check(limits)?;
        row.rate_limits = serde_json::to_value(limits)?;
    }
    if let Some(end) = change.expires_at
        && end != row.expires_at
    {
        row.expires_at = end.map(|at| checks::expiry(at, input.author.at())).transpose()?;
    }
    Ok(texts)
}

fn replace<T: PartialEq>(place: &mut T, value: T, name: &'static str, changed: &mut Vec<&'static str>) {
    if *place != value {
        *place = value;
        changed.push(name);
    }
}

/// Switches a key off or on; says by which event, if it does.
fn switch(row: &mut api_key::Model, input: &Input) -> Result<Option<&'static str>, Error> {
    let (state, kind) = match (input.change.enabled, row.state) {
        (None, _)
        | (Some(true), KeyState::Active | KeyState::Retiring)
        | (Some(false), KeyState::Disabled | KeyState::Revoked) => return Ok(None),
        (Some(_), KeyState::Delivering) => return Err(KeyRefusal::StillDelivering.into()),
        (Some(true), KeyState::Revoked) => return Err(KeyRefusal::RevokedForGood.into()),
        // A key that was replaced goes on to its end, and no further.
        (Some(true), KeyState::Disabled) if row.replaced_by.is_some() => (KeyState::Retiring, "api_key.enabled"),
        (Some(true), KeyState::Disabled) => (KeyState::Active, "api_key.enabled"),
        (Some(false), KeyState::Active) if row.replaced_by.is_some() => {
            return Err(KeyRefusal::RotationUnderWay.into());
        }
        (Some(false), KeyState::Active | KeyState::Retiring) => (KeyState::Disabled, "api_key.disabled"),
    };
    row.state = state;
    row.state_at = input.author.at();
    input.author.actor().clone_into(&mut row.state_by);
    row.state_reason = checks::text("/reason", "The reason", input.change.reason.as_deref())?;
    Ok(Some(kind))
}

async fn log(
    txn: &WriteTransaction,
    input: &Input,
    (before, after): (&api_key::Model, &api_key::Model),
    texts: &[&'static str],
    switched: Option<&'static str>,
) -> Result<(), Error> {
    let subject = super::subject(after.id);
    if let Some(kind) = switched {
        let states = (logged(before)["state"].clone(), logged(after)["state"].clone());
        let change = (json!({ "state": states.0 }), json!({ "state": states.1 }));
        txn.append_event(input.author.event(kind, after.guild_id, subject.clone(), change)).await?;
    }
    let differences = differences(&logged(before), &logged(after));
    if texts.is_empty() && differences.1.as_object().is_none_or(serde_json::Map::is_empty) {
        return Ok(());
    }
    let (before, mut after_values) = differences;
    after_values["texts"] = json!(texts);
    let event = input.author.event("api_key.changed", after.guild_id, subject, (before, after_values));
    Ok(txn.append_event(event).await?)
}

/// What is different, but for the state, which has events of its own.
fn differences(before: &Value, after: &Value) -> (Value, Value) {
    let mut parts = (json!({}), json!({}));
    for (name, value) in after.as_object().into_iter().flatten() {
        if name != "state" && before[name] != *value {
            parts.0[name] = before[name].clone();
            parts.1[name] = value.clone();
        }
    }
    parts
}
