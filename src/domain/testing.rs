//! A domain over a store of its own, for unit tests of rules.

pub mod keys;
pub mod wallet;

use std::{ops::Deref, sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use entity::{
    id::{ApiKeyId, ChannelId, DiscordUserId, GuildId},
    project, user,
    user::Role,
};
use serde_json::Value;
use tempfile::TempDir;

use super::{Actor, Domain, Error, KeyActor, Limits, Member, Source, actor::permission, event::Author, scope::Scopes};
use crate::secret::DatabaseUrl;
use crate::{
    clock::Clock,
    id_source::IdSource,
    store::{NewEvent, Settings, Store},
};

/// A domain on a new SQLite file, at noon of Monday 2026-01-05, with ids that count.
pub struct TestDomain {
    domain: Domain,
    clock: Clock,
    _folder: TempDir,
}

impl TestDomain {
    /// Moves its clock.
    pub fn advance(&self, by: TimeDelta) {
        self.clock.advance(by);
    }
}

impl Deref for TestDomain {
    type Target = Domain;

    fn deref(&self) -> &Domain {
        &self.domain
    }
}

/// The moment at which test domains start.
pub fn start() -> DateTime<Utc> {
    "2026-01-05T12:00:00Z".parse().unwrap()
}

/// A migrated domain.
pub async fn domain() -> TestDomain {
    domain_with(Limits::default()).await
}

/// A migrated domain of an operator with limits of their own.
pub async fn domain_with(limits: Limits) -> TestDomain {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("guildhall.db");
    let store = Store::open(Settings {
        url: DatabaseUrl::parse(&format!("sqlite://{}", file.display())).unwrap(),
        readers_max: 2,
        pool_connections_max: 2,
        acquire_timeout: Duration::from_secs(5),
        statement_timeout: Duration::from_secs(5),
        idle_in_transaction_timeout: Duration::from_secs(5),
        copies_kept: 0,
    })
    .await
    .unwrap();
    store.migrate().await.unwrap();
    let clock = Clock::frozen(start());
    let ids = IdSource::counting(clock.clone());
    let domain = Domain::new(store, clock.clone(), ids, limits);
    TestDomain { domain, clock, _folder: folder }
}

/// The guild of most tests.
pub fn guild() -> GuildId {
    GuildId::new(700).unwrap()
}

/// A channel.
pub fn channel(id: u64) -> ChannelId {
    ChannelId::new(id).unwrap()
}

/// The operator.
pub fn root() -> Actor {
    Actor::Root { source: Source::Http }
}

/// A member of [`guild`] with Manage Server and Manage Messages.
pub fn admin() -> Actor {
    member(permission::MANAGE_GUILD | permission::MANAGE_MESSAGES)
}

/// A member of [`guild`] with these permissions.
pub fn member(permissions: u64) -> Actor {
    Actor::Member(Member {
        user_id: DiscordUserId::new(42).unwrap(),
        guild_id: guild(),
        permissions,
        channel: None,
        roles: Vec::new(),
        given: super::guild::role::GivenRights::default(),
        is_bot_admin: false,
    })
}

/// A key with these scopes.
pub fn key(scopes: &[&str], guild_id: Option<GuildId>) -> Actor {
    let scopes = Scopes(scopes.iter().map(|scope| scope.parse().unwrap()).collect());
    Actor::Key(Arc::new(KeyActor { id: ApiKeyId(uuid::Uuid::nil()), scopes, guild_id }))
}

/// A new person.
pub async fn person(domain: &Domain, role: Role) -> user::Model {
    let new = super::user::NewUser { role, discord_user_id: None };
    super::user::create(domain, &root(), new).await.unwrap()
}

/// A signed-in person.
pub fn signed_in(row: &user::Model) -> Actor {
    Actor::User(super::UserActor { id: row.id, role: row.role })
}

/// A new public project of a new person.
pub async fn project(domain: &Domain) -> project::Model {
    let owner = signed_in(&person(domain, Role::Authenticated).await);
    let new = super::project::NewProject {
        title: "Guildhall".to_owned(),
        description: "A bot".to_owned(),
        github_url: None,
        deployment_url: None,
        tags: Vec::new(),
        is_public: true,
    };
    super::project::create(domain, &owner, new).await.unwrap().row
}

/// Writes an event of [`guild`], as a feature would.
pub async fn append(domain: &Domain, kind: &'static str, subject: &str, after: Value) {
    let event = Author::system(domain).event(kind, guild(), subject.to_owned(), (Value::Null, after));
    domain
        .store
        .write(event, |txn, event: &NewEvent| {
            Box::pin(async move { Ok::<_, Error>(txn.append_event(event.clone()).await?) })
        })
        .await
        .unwrap();
}
