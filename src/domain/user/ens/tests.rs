//! When wallets are looked up, and what of it is kept.

use entity::identity::Platform;

use super::*;
use crate::domain::{
    testing::{self, TestDomain, root},
    user::{self as users, NewIdentity, holdings},
};

const WALLET: &str = "0x71c7656ec7ab88b098defb751b7401b5f6d8976f";
const OTHER: &str = "0x00000000000000000000000000000000000000bb";

async fn connect(domain: &TestDomain, id: UserId, platform: Platform, account: &str) {
    let new = NewIdentity { platform, identity: account.to_owned(), is_primary: false, metadata: None };
    users::connect(domain, &root(), id, new).await.unwrap();
}

async fn due(domain: &TestDomain) -> Vec<DueName> {
    while note_wallets(domain, 10).await.unwrap() > 0 {}
    claim_names(domain, 10).await.unwrap()
}

async fn person(domain: &TestDomain) -> UserId {
    // The reader begins at what is there.
    assert_eq!(note_wallets(domain, 10).await.unwrap(), 0);
    testing::person(domain, user::Role::Member).await.id
}

async fn row(domain: &TestDomain, id: UserId) -> user::Model {
    user::Entity::find_by_id(id).one(domain.store().reader()).await.unwrap().unwrap()
}

fn found(name: &str) -> NameOutcome {
    NameOutcome::Found { name: name.to_owned(), avatar: Some("https://example.org/a".to_owned()) }
}

fn of(id: UserId, address: &str) -> DueName {
    DueName { user_id: id, address: address.to_owned() }
}

#[tokio::test]
async fn a_wallet_is_looked_up_when_it_is_new_and_then_once_a_day() {
    let domain = testing::domain().await;
    let ada = person(&domain).await;
    connect(&domain, ada, Platform::Github, "ada").await;
    assert!(due(&domain).await.is_empty(), "no wallet, no question");
    connect(&domain, ada, Platform::Evm, WALLET).await;
    assert_eq!(due(&domain).await, [of(ada, WALLET)]);
    assert!(due(&domain).await.is_empty(), "somebody is looking");
    settle_name(&domain, &of(ada, WALLET), found("ada.eth")).await.unwrap();
    let named = row(&domain, ada).await;
    assert_eq!(
        (named.ens_name.as_deref(), named.ens_avatar.as_deref()),
        (Some("ada.eth"), Some("https://example.org/a"))
    );
    domain.advance(TimeDelta::hours(23));
    assert!(due(&domain).await.is_empty());
    domain.advance(TimeDelta::hours(1));
    assert_eq!(due(&domain).await, [of(ada, WALLET)]);
    // The same again is no news.
    settle_name(&domain, &of(ada, WALLET), found("ada.eth")).await.unwrap();
    assert_eq!(row(&domain, ada).await.generation, named.generation);
    let events = crate::domain::event::events_after(&domain, 0, 100).await.unwrap();
    assert_eq!(events.iter().filter(|event| event.kind == "user.ens_changed").count(), 1);
}

#[tokio::test]
async fn a_failure_keeps_what_is_known_and_no_name_clears_it() {
    let domain = testing::domain().await;
    let ada = person(&domain).await;
    connect(&domain, ada, Platform::Evm, WALLET).await;
    let wallet = due(&domain).await.remove(0);
    settle_name(&domain, &wallet, found("ada.eth")).await.unwrap();
    domain.advance(TimeDelta::days(1));
    assert_eq!(due(&domain).await.len(), 1);
    settle_name(&domain, &wallet, NameOutcome::Failed).await.unwrap();
    assert_eq!(row(&domain, ada).await.ens_name.as_deref(), Some("ada.eth"));
    domain.advance(TimeDelta::minutes(59));
    assert!(due(&domain).await.is_empty());
    domain.advance(TimeDelta::minutes(1));
    assert_eq!(due(&domain).await.len(), 1, "it is tried again");
    // Whoever dies over it leaves it to the next one.
    domain.advance(TimeDelta::minutes(10));
    assert_eq!(due(&domain).await.len(), 1);
    settle_name(&domain, &wallet, NameOutcome::Nameless).await.unwrap();
    let nameless = row(&domain, ada).await;
    assert_eq!((nameless.ens_name, nameless.ens_avatar), (None, None));
}

#[tokio::test]
async fn what_was_found_counts_only_while_the_wallet_is_theirs() {
    let domain = testing::domain().await;
    let ada = person(&domain).await;
    connect(&domain, ada, Platform::Github, "ada").await;
    connect(&domain, ada, Platform::Evm, WALLET).await;
    let wallet = due(&domain).await.remove(0);
    connect(&domain, ada, Platform::Evm, OTHER).await;
    users::set_primary(&domain, &root(), None, (Platform::Evm, OTHER)).await.unwrap();
    settle_name(&domain, &wallet, found("ada.eth")).await.unwrap();
    assert_eq!(row(&domain, ada).await.ens_name, None, "they are called by another wallet by now");
    assert_eq!(due(&domain).await, [of(ada, OTHER)]);
    settle_name(&domain, &of(ada, OTHER), found("other.eth")).await.unwrap();
    for address in [OTHER, WALLET] {
        users::disconnect(&domain, &root(), None, (Platform::Evm, address)).await.unwrap();
    }
    assert!(due(&domain).await.is_empty());
    let nameless = row(&domain, ada).await;
    assert_eq!((nameless.ens_name, nameless.ens_due_at), (None, None));
    assert!(holdings::Part::Accounts.holds("identity"));
}

#[tokio::test]
async fn nobody_is_looked_up_who_is_gone() {
    let domain = testing::domain().await;
    let ada = person(&domain).await;
    connect(&domain, ada, Platform::Evm, WALLET).await;
    let wallet = due(&domain).await.remove(0);
    users::erase(&domain, &root(), ada).await.unwrap();
    settle_name(&domain, &wallet, found("ada.eth")).await.unwrap();
    assert_eq!(row(&domain, ada).await.ens_name, None);
    domain.advance(TimeDelta::days(2));
    assert!(due(&domain).await.is_empty());
}
