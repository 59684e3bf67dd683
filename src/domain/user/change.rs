//! What a person may do, and whether they may do anything.

use entity::{
    id::UserId,
    user::{self, Role},
};
use sea_orm::{ActiveModelTrait, IntoActiveModel};
use serde_json::{Value, json};

use super::{UserRefusal, holdings, lock_living, subject};
use crate::{
    domain::{
        Actor, Domain, Error, Right, counter,
        event::{Author, spelled},
    },
    store::WriteTransaction,
};

struct Change {
    author: Author,
    id: UserId,
    role: Option<Role>,
    disabled: Option<bool>,
}

/// Changes what a person may do; it counts from the next request on.
pub async fn set_role(domain: &Domain, actor: &Actor, id: UserId, role: Role) -> Result<user::Model, Error> {
    change(domain, actor, id, Some(role), None).await
}

/// Switches a person off or on again; it counts from the next request on. Whoever was deleted is brought back by
/// switching them on, without the keys that they had.
pub async fn set_disabled(domain: &Domain, actor: &Actor, id: UserId, disabled: bool) -> Result<user::Model, Error> {
    change(domain, actor, id, None, Some(disabled)).await
}

async fn change(
    domain: &Domain,
    actor: &Actor,
    id: UserId,
    role: Option<Role>,
    disabled: Option<bool>,
) -> Result<user::Model, Error> {
    actor.require(Right::ManageUsers, None)?;
    let input = Change { author: Author::new(domain, actor), id, role, disabled };
    domain.store.write(input, |txn, input| Box::pin(change_in(txn, input))).await
}

async fn change_in(txn: &WriteTransaction, input: &Change) -> Result<user::Model, Error> {
    let before = super::lock(txn, input.id).await?;
    let is_back = input.disabled == Some(false) && before.erased_at.is_none();
    if before.deleted_at.is_some() && !is_back {
        return Err(UserRefusal::NotFound.into());
    }
    let mut after = before.clone();
    after.role = input.role.unwrap_or(before.role);
    match input.disabled {
        Some(true) => after.disabled_at = before.disabled_at.or(Some(input.author.at())),
        Some(false) => (after.disabled_at, after.deleted_at) = (None, None),
        None => {}
    }
    write(txn, &input.author, &before, after).await
}

/// Writes a row that is locked, with its event.
pub(super) async fn write(
    txn: &WriteTransaction,
    author: &Author,
    before: &user::Model,
    mut after: user::Model,
) -> Result<user::Model, Error> {
    if after == *before {
        return Ok(after);
    }
    after.generation = counter::next(txn, counter::AUTH).await?;
    after.updated_at = author.at();
    after.clone().into_active_model().reset_all().update(txn.connection()).await?;
    let change = states(before, &after);
    txn.append_event(author.event("user.changed", None, subject(before.id), change)).await?;
    Ok(after)
}

/// Two states of a person as events tell them.
pub(super) fn states(before: &user::Model, after: &user::Model) -> (Value, Value) {
    let state = |row: &user::Model| {
        let mut state = json!({ "role": spelled(row.role), "disabled_at": row.disabled_at });
        if before.deleted_at != after.deleted_at {
            state["deleted_at"] = json!(row.deleted_at);
        }
        state
    };
    (state(before), state(after))
}

/// Takes a person away: their keys and sessions end, they are in no list, and nobody is let in as them. Their accounts
/// and their history stay, so that they can be brought back.
pub async fn delete(domain: &Domain, actor: &Actor, id: UserId) -> Result<(), Error> {
    actor.require(Right::ManageUsers, None)?;
    let input = Change { author: Author::new(domain, actor), id, role: None, disabled: None };
    domain
        .store
        .write(input, |txn, input| {
            Box::pin(async move {
                let before = lock_living(txn, input.id).await?;
                end_access(txn, &input.author, before.id).await?;
                let after = user::Model { deleted_at: Some(input.author.at()), ..before.clone() };
                write(txn, &input.author, &before, after).await?;
                let event = input.author.event("user.deleted", None, subject(before.id), (Value::Null, Value::Null));
                Ok(txn.append_event(event).await?)
            })
        })
        .await
}

/// Ends every key and session of a person.
pub(super) async fn end_access(txn: &WriteTransaction, author: &Author, id: UserId) -> Result<(), Error> {
    for holding in holdings::HOLDINGS {
        if let holdings::Rule::Work(work) = &holding.end_access {
            work(txn, author, id).await?;
        }
    }
    Ok(())
}
