//! The life of keys, by the rules and without a face.

mod life;
mod rights;
mod usage;

use std::net::IpAddr;

use entity::{
    api_key,
    id::{ApiKeyId, UserId},
    user::Role,
};
use sea_orm::EntityTrait as _;

use super::{IssuedKey, KeyStatus, NewKey, Shape, VerifiedKey, create, verify};
use crate::domain::{
    Domain, Error, Limits,
    testing::{self, TestDomain, root},
    user::{self, NewUser},
};

const HOME: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 7));

fn new() -> NewKey {
    NewKey::named("A key", Shape::Live)
}

async fn issue(domain: &Domain, new: NewKey) -> IssuedKey {
    create(domain, &root(), new).await.expect("root makes keys")
}

async fn person(domain: &Domain) -> UserId {
    let new = NewUser { role: Role::Member, discord_user_id: None };
    user::create(domain, &root(), new).await.expect("root makes people").id
}

async fn row(domain: &Domain, id: ApiKeyId) -> api_key::Model {
    api_key::Entity::find_by_id(id).one(domain.store.reader()).await.expect("the store answers").expect("the key")
}

async fn status(domain: &Domain, id: ApiKeyId) -> KeyStatus {
    KeyStatus::of(&row(domain, id).await, domain.now())
}

/// What the key opens, or the code of the refusal.
async fn opens(domain: &Domain, key: &IssuedKey) -> Result<std::sync::Arc<VerifiedKey>, &'static str> {
    verify(domain, key.secret.expose(), HOME).await.map_err(|error| error.code().expect("a refusal"))
}

fn code<T>(outcome: Result<T, Error>) -> &'static str {
    outcome.err().expect("a refusal").code().expect("no fault")
}

/// A domain in which one person may have so many active keys.
async fn limited(max: u32) -> TestDomain {
    let mut limits = Limits::default();
    limits.keys.max_active_per_user = Some(max);
    testing::domain_with(limits).await
}

/// Kinds of the events about keys, oldest first.
async fn kinds(domain: &Domain) -> Vec<String> {
    let events = crate::domain::event::events_after(domain, 0, 1_000).await.expect("events");
    events.into_iter().map(|event| event.kind).filter(|kind| kind.starts_with("api_key.")).collect()
}
