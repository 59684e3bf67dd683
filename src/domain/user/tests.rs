//! People, over a real store.

use entity::{
    event,
    id::{DiscordUserId, UserId},
    identity::{self, Platform},
    user::{self, Privacy, Role},
};
use sea_orm::{ActiveModelTrait, EntityTrait, IntoActiveModel, PaginatorTrait, QueryOrder};
use serde_json::json;

use super::{holdings::Part, *};
use crate::domain::{
    Account, UserActor, access_token, api_key, sign_in,
    testing::{self, TestDomain, root},
    vanish::{self, ExemptionChange, ExemptionTarget},
};

fn account(platform: Platform, identity: &str) -> NewIdentity {
    NewIdentity { platform, identity: identity.to_owned(), is_primary: false, metadata: None }
}

async fn somebody(domain: &TestDomain, discord: u64) -> UserId {
    let new = account(Platform::Discord, &discord.to_string());
    upsert(domain, &root(), new).await.unwrap().row.id
}

fn chat(discord: u64) -> Actor {
    Actor::Account(Account { user_id: DiscordUserId::new(discord).unwrap(), is_bot_admin: false })
}

async fn proved(
    domain: &TestDomain,
    id: UserId,
    platform: Platform,
    identity: &'static str,
) -> Result<Connected, Error> {
    let input = (Author::new(domain, &root()), id, platform, identity);
    domain
        .store
        .write(input, |txn, (author, id, platform, identity)| {
            Box::pin(async move { connect_proved(txn, author, *id, (*platform, identity), None).await })
        })
        .await
}

async fn accounts(domain: &TestDomain, id: UserId) -> Vec<(String, bool)> {
    let view = get(domain, &root(), id).await.unwrap();
    view.identities.into_iter().map(|one| (one.identity, one.is_primary)).collect()
}

fn code<T: std::fmt::Debug>(result: Result<T, Error>) -> Option<&'static str> {
    result.unwrap_err().code()
}

#[tokio::test]
async fn a_proved_account_comes_to_whoever_proves_it() {
    let domain = testing::domain().await;
    let (ada, bob) = (somebody(&domain, 1).await, somebody(&domain, 2).await);
    assert_eq!(proved(&domain, ada, Platform::Github, "ada").await.unwrap().previous, None);
    assert_eq!(accounts(&domain, ada).await, [("1".to_owned(), true), ("ada".to_owned(), false)]);
    // Bob has nothing but this account: he is Ada.
    let connected = proved(&domain, ada, Platform::Discord, "2").await.unwrap();
    assert_eq!((connected.previous, connected.identity.user_id), (Some(bob), ada));
    assert!(connected.identity.verified_at.is_some());
    assert_eq!(get(&domain, &root(), bob).await.unwrap().row.id, ada);
    // Whoever has more than one account is not taken over.
    let eve = somebody(&domain, 3).await;
    assert_eq!(code(proved(&domain, eve, Platform::Github, "ada").await), Some("identity.taken"));
    // Nor whoever may do more, nor whoever is kept out.
    for change in [true, false] {
        let other = somebody(&domain, 4).await;
        if change {
            set_role(&domain, &root(), other, Role::Admin).await.unwrap();
        } else {
            set_role(&domain, &root(), other, Role::Authenticated).await.unwrap();
            set_disabled(&domain, &root(), other, true).await.unwrap();
        }
        assert_eq!(code(proved(&domain, eve, Platform::Discord, "4").await), Some("identity.taken"));
    }
}

#[tokio::test]
async fn a_merge_moves_everything_and_lets_nobody_in() {
    let domain = testing::domain().await;
    let (one, two, three) = (somebody(&domain, 1).await, somebody(&domain, 2).await, somebody(&domain, 3).await);
    set_role(&domain, &root(), one, Role::Admin).await.unwrap();
    let profile = ProfileChange { privacy: Some(Some(Privacy::Private)), ..ProfileChange::default() };
    set_profile(&domain, &chat(1), profile).await.unwrap();
    let key = testing::keys::insert(&domain, &["read"], |row| {
        row.user_id = Some(one);
        row.slot = Some(0);
    })
    .await;
    testing::keys::insert(&domain, &["read"], |row| {
        row.user_id = Some(two);
        row.slot = Some(0);
    })
    .await;
    set_disabled(&domain, &root(), one, true).await.unwrap();
    let merged = merge(&domain, &root(), one, two).await.unwrap();
    assert_eq!((merged.target.id, merged.identities), (two, 1));
    assert_eq!(merged.target.role, Role::Authenticated, "the target may do no more than before");
    assert!(merged.target.disabled_at.is_some(), "who was kept out is kept out");
    assert_eq!(merged.target.privacy, Some(Privacy::Private));
    let row = entity::api_key::Entity::find_by_id(key.id).one(domain.store.reader()).await.unwrap().unwrap();
    assert_eq!(row.user_id, Some(two));
    // A second merge shortens the way of the first tombstone.
    merge(&domain, &root(), two, three).await.unwrap();
    let tombstone = user::Entity::find_by_id(one).one(domain.store.reader()).await.unwrap().unwrap();
    assert_eq!(tombstone.merged_into, Some(three));
    assert_eq!(user(&domain, &root(), one).await.unwrap().id, three);
    assert_eq!(code(merge(&domain, &root(), one, two).await), Some("user.merge_same"));
    let primary = accounts(&domain, three).await.into_iter().filter(|(_, primary)| *primary).count();
    assert_eq!(primary, 1);
}

/// Ten administrators at once: each account ends with one person, and every old id leads there.
#[tokio::test]
async fn merges_at_once_end_in_one_person() {
    let domain = std::sync::Arc::new(testing::domain().await);
    let mut people = Vec::new();
    for n in 1..=6 {
        people.push(somebody(&domain, n).await);
    }
    let mut tasks = tokio::task::JoinSet::new();
    for (source, target) in people.iter().zip(people.iter().cycle().skip(1)) {
        let (domain, source, target) = (domain.clone(), *source, *target);
        tasks.spawn(async move { merge(&domain, &root(), source, target).await.map(drop) });
    }
    let mut refused = 0;
    while let Some(ended) = tasks.join_next().await {
        if let Err(error) = ended.unwrap() {
            assert_eq!(error.code(), Some("user.merge_same"));
            refused += 1;
        }
    }
    assert_eq!(refused, 1, "a ring of six is closed by the sixth");
    let mut ends = std::collections::BTreeSet::new();
    for id in people {
        ends.insert(get(&domain, &root(), id).await.unwrap().row.id);
    }
    assert_eq!(ends.len(), 1);
    assert_eq!(accounts(&domain, *ends.first().unwrap()).await.len(), 6);
}

#[tokio::test]
async fn the_store_allows_one_primary_account() {
    let domain = testing::domain().await;
    let ada = somebody(&domain, 1).await;
    connect(&domain, &root(), ada, account(Platform::Github, "ada")).await.unwrap();
    let second: Result<(), Error> = domain
        .store
        .write((), |txn, ()| {
            Box::pin(async move {
                let key = (Platform::Github, "ada".to_owned());
                let mut row = identity::Entity::find_by_id(key).one(txn.connection()).await?.unwrap();
                row.is_primary = true;
                row.into_active_model().reset_all().update(txn.connection()).await?;
                Ok(())
            })
        })
        .await;
    assert!(matches!(second, Err(Error::Store(_))), "{second:?}");
}

#[tokio::test]
async fn a_command_makes_its_user_once() {
    let domain = testing::domain().await;
    for _ in 0..3 {
        note_use(&domain, &chat(9)).await.unwrap();
    }
    let found = find(&domain, &root(), Platform::Discord, "9").await.unwrap();
    assert_eq!(users(&domain, &root(), UserFilter::All, page()).await.unwrap().total, 1);
    assert!(found.identity.verified_at.is_some() && found.identity.is_primary);
    note_use(&domain, &root()).await.unwrap();
    // Whoever is forgotten is somebody new at their next command, in this process too.
    erase(&domain, &chat(9), found.user.row.id).await.unwrap();
    note_use(&domain, &chat(9)).await.unwrap();
    let again = find(&domain, &root(), Platform::Discord, "9").await.unwrap();
    assert_ne!(again.user.row.id, found.user.row.id);
}

fn page() -> crate::domain::vanish::PageRequest {
    crate::domain::vanish::PageRequest { limit: 50, offset: 0 }
}

#[tokio::test]
async fn a_deleted_person_can_be_brought_back() {
    let domain = testing::domain().await;
    let ada = somebody(&domain, 1).await;
    let key = testing::keys::insert(&domain, &["read"], |row| row.user_id = Some(ada)).await;
    let token = sign_in::issue_access_token(&domain, &root(), ada, 900, None).await.unwrap();
    assert!(access_token::verify(&domain, token.expose()).await.is_ok());
    delete(&domain, &root(), ada).await.unwrap();
    assert!(access_token::verify(&domain, token.expose()).await.is_err());
    assert_eq!(code(get(&domain, &root(), ada).await), Some("user.not_found"));
    assert_eq!(code(set_role(&domain, &root(), ada, Role::Admin).await), Some("user.not_found"));
    assert_eq!(code(upsert(&domain, &root(), account(Platform::Discord, "1")).await), Some("user.deleted"));
    set_disabled(&domain, &root(), ada, false).await.unwrap();
    assert!(get(&domain, &root(), ada).await.is_ok());
    assert!(access_token::verify(&domain, token.expose()).await.is_err(), "sessions stay ended");
    let from = std::net::Ipv4Addr::LOCALHOST.into();
    assert_eq!(code(api_key::verify(&domain, &key.secret, from).await.map(drop)), Some("key.revoked"));
}

/// Everything that was held is shown before, and nothing names the person after; their id stays.
#[tokio::test]
async fn an_erasure_leaves_the_bare_id() {
    let domain = testing::domain().await;
    let discord = 80_351_110_224_678_912_u64;
    let account_id = DiscordUserId::new(discord).unwrap();
    note_use(&domain, &chat(discord)).await.unwrap();
    let id = own(&domain, &chat(discord)).await.unwrap().unwrap();
    let profile = ProfileChange { time_zone: Some(Some("Europe/Berlin".to_owned())), ..ProfileChange::default() };
    set_profile(&domain, &chat(discord), profile).await.unwrap();
    for channel_id in [None, Some(testing::channel(5))] {
        let target = ExemptionTarget::User(account_id);
        let change = ExemptionChange { guild_id: testing::guild(), channel_id, target, add: true };
        vanish::change_exemption(&domain, &testing::admin(), change).await.unwrap();
    }
    testing::keys::insert(&domain, &["read"], |row| {
        row.user_id = Some(id);
        row.created_by = format!("member:{discord}");
        row.description = Some("canary".to_owned());
    })
    .await;
    let shown = export(&domain, &chat(discord), id).await.unwrap();
    let tables = shown["tables"].as_object().unwrap();
    for (table, rows) in [("identity", 1), ("vanish_exemption", 2), ("api_key", 1), ("user_account", 1)] {
        assert_eq!(tables[table].as_array().unwrap().len(), rows, "{table}: {shown}");
    }
    assert!(!tables["event"].as_array().unwrap().is_empty());
    let stranger = Actor::User(UserActor { id: somebody(&domain, 2).await, role: Role::Member });
    assert_eq!(code(export(&domain, &stranger, id).await), Some("forbidden"));
    assert_eq!(code(erase(&domain, &stranger, id).await), Some("forbidden"));

    erase(&domain, &chat(discord), id).await.unwrap();
    assert_eq!(code(erase(&domain, &root(), id).await), Some("user.not_found"));
    assert_eq!(code(export(&domain, &root(), id).await), Some("user.not_found"));
    assert_eq!(code(set_disabled(&domain, &root(), id, false).await), Some("user.not_found"));
    let row = user::Entity::find_by_id(id).one(domain.store.reader()).await.unwrap().unwrap();
    assert!(row.erased_at.is_some() && row.time_zone.is_none());
    let events = event::Entity::find().order_by_asc(event::Column::Id).all(domain.store.reader()).await.unwrap();
    let text = format!("{events:?}");
    assert!(!text.contains(&discord.to_string()), "{text}");
    let own_acts = events.iter().filter(|event| event.actor == format!("user:{id}"));
    assert!(own_acts.clone().count() >= 3 && own_acts.clone().any(|event| event.kind == "user.erased"));
    let keys = entity::api_key::Entity::find().all(domain.store.reader()).await.unwrap();
    let text = format!("{keys:?}");
    assert!(!text.contains("canary") && !text.contains(&discord.to_string()), "{text}");
    assert_eq!(keys[0].state, entity::api_key::KeyState::Revoked);
    let exemptions = entity::vanish_exemption::Entity::find().all(domain.store.reader()).await.unwrap();
    assert!(exemptions.is_empty());
}

/// A part goes, with what it lets in; the rest of the person stays, and one account that leads to them.
#[tokio::test]
async fn a_part_is_forgotten_and_the_rest_stays() {
    use entity::user::DirectMessages;
    let domain = testing::domain().await;
    let ada = somebody(&domain, 1).await;
    proved(&domain, ada, Platform::Github, "ada").await.unwrap();
    set_primary(&domain, &root(), None, (Platform::Github, "ada")).await.unwrap();
    let profile = ProfileChange {
        time_zone: Some(Some("Europe/Berlin".to_owned())),
        direct_messages: Some(Some(DirectMessages::None)),
        ..ProfileChange::default()
    };
    set_profile(&domain, &chat(1), profile).await.unwrap();
    let key = testing::keys::insert(&domain, &["read"], |row| row.user_id = Some(ada)).await;
    let token = sign_in::issue_access_token(&domain, &root(), ada, 600, None).await.unwrap();
    assert!(access_token::verify(&domain, token.expose()).await.is_ok());
    let stranger = Actor::User(UserActor { id: somebody(&domain, 2).await, role: Role::Member });
    assert_eq!(code(erase_part(&domain, &stranger, ada, Part::Projects).await), Some("forbidden"));

    erase_part(&domain, &chat(1), ada, Part::Sessions).await.unwrap();
    assert!(access_token::verify(&domain, token.expose()).await.is_err());
    assert_eq!(entity::session::Entity::find().count(domain.store.reader()).await.unwrap(), 0);
    let state = async || {
        let row = entity::api_key::Entity::find_by_id(key.id).one(domain.store.reader()).await.unwrap().unwrap();
        row.state
    };
    assert_eq!(state().await, entity::api_key::KeyState::Active);
    erase_part(&domain, &chat(1), ada, Part::Keys).await.unwrap();
    assert_eq!(state().await, entity::api_key::KeyState::Revoked);
    assert_eq!(profile_of(&domain, ada).await.0.as_deref(), Some("Europe/Berlin"));
    erase_part(&domain, &chat(1), ada, Part::Profile).await.unwrap();
    assert_eq!(profile_of(&domain, ada).await, (None, None));

    // Who asks in Discord goes on being found there; who is signed in, by what they are shown by.
    erase_part(&domain, &chat(1), ada, Part::Accounts).await.unwrap();
    assert_eq!(accounts(&domain, ada).await, [("1".to_owned(), true)]);
    proved(&domain, ada, Platform::Github, "ada").await.unwrap();
    set_primary(&domain, &root(), None, (Platform::Github, "ada")).await.unwrap();
    let signed_in = Actor::User(UserActor { id: ada, role: Role::Member });
    erase_part(&domain, &signed_in, ada, Part::Accounts).await.unwrap();
    assert_eq!(accounts(&domain, ada).await, [("ada".to_owned(), true)]);
    let events = event::Entity::find().order_by_asc(event::Column::Id).all(domain.store.reader()).await.unwrap();
    let parts = events.iter().filter(|event| event.kind == "user.part_erased");
    let parts: Vec<_> = parts.map(|event| event.data["after"]["part"].as_str().unwrap()).collect();
    assert_eq!(parts, ["sessions", "keys", "profile", "accounts", "accounts"]);
    assert!(get(&domain, &root(), ada).await.is_ok());
}

async fn profile_of(domain: &Domain, id: UserId) -> (Option<String>, Option<entity::user::DirectMessages>) {
    let row = user::Entity::find_by_id(id).one(domain.store.reader()).await.unwrap().unwrap();
    (row.time_zone, row.direct_messages)
}

#[test]
fn every_part_is_spelled_once_and_holds_something() {
    for part in Part::ALL {
        assert_eq!(Part::of_name(part.name()), Some(part));
        assert!(holdings::HOLDINGS.iter().any(|holding| holding.part == Some(part)), "{part:?}");
    }
    assert_eq!(Part::of_name("everything"), None);
}

/// The log gives way to an erasure and to nothing else.
#[tokio::test]
async fn the_log_stays_append_only() {
    let domain = testing::domain().await;
    testing::append(&domain, "slot.set", "slot/1", json!({ "n": 1 })).await;
    for change in ["actor = 'user:1'", "subject = 'vanish_exemption/1/all/user/erased'", "kind = 'x'", "data = '{}'"] {
        let sql = format!("UPDATE event SET {change}");
        let changed: Result<(), Error> = domain
            .store
            .write(sql, |txn, sql| {
                Box::pin(async move {
                    txn.connection().execute_unprepared(sql).await?;
                    Ok(())
                })
            })
            .await;
        assert!(changed.is_err(), "{change}");
    }
}

#[tokio::test]
async fn whoever_is_kept_out_cannot_become_somebody_new() {
    let domain = testing::domain().await;
    note_use(&domain, &chat(1)).await.unwrap();
    let id = own(&domain, &chat(1)).await.unwrap().unwrap();
    set_disabled(&domain, &root(), id, true).await.unwrap();
    assert_eq!(code(erase(&domain, &chat(1), id).await), Some("user.disabled"));
    assert_eq!(code(set_profile(&domain, &chat(1), ProfileChange::default()).await), Some("user.disabled"));
    assert!(export(&domain, &chat(1), id).await.is_ok(), "what is held about them is theirs to see");
    erase(&domain, &root(), id).await.unwrap();
}
