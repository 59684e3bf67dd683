//! What is owed to whom, and how often it is said.

use entity::{announcement as announcement_row, api_key};

use super::*;
use crate::domain::{
    api_key::{KeyStatus, NewKey, Shape, create, key, report_leak, report_pasted},
    testing::{self, TestDomain, channel, guild, root},
    user::{self, NewUser},
};

const ADA: u64 = 42;

async fn owned(domain: &Domain, new: NewKey) -> crate::domain::api_key::IssuedKey {
    let discord_user_id = DiscordUserId::new(ADA);
    let person = NewUser { role: entity::user::Role::Member, discord_user_id };
    let owner = user::create(domain, &root(), person).await;
    let owner = match owner {
        Ok(owner) => Some(owner.id),
        // The second key of the same person.
        Err(_) => api_key::Entity::find().all(domain.store.reader()).await.unwrap().iter().find_map(|row| row.user_id),
    };
    create(domain, &root(), NewKey { user_id: owner, ..new }).await.unwrap()
}

fn lasting(domain: &Domain, days: i64) -> NewKey {
    NewKey { expires_at: Some(domain.now() + TimeDelta::days(days)), ..bound() }
}

fn bound() -> NewKey {
    NewKey { guild_id: Some(guild()), ..NewKey::named("website", Shape::Live) }
}

async fn rows(domain: &TestDomain) -> Vec<direct_message::Model> {
    let mut rows = direct_message::Entity::find().all(domain.store().reader()).await.unwrap();
    rows.sort_by_key(|row| row.id);
    rows
}

async fn announced(domain: &TestDomain) -> Vec<announcement_row::Model> {
    let mut rows = announcement_row::Entity::find().all(domain.store().reader()).await.unwrap();
    rows.sort_by_key(|row| row.id);
    rows
}

fn sent() -> Outcome {
    Outcome::Sent { message_id: MessageId::new(7).unwrap(), channel_id: channel(8) }
}

#[tokio::test]
async fn an_end_is_told_fourteen_three_and_one_days_before() {
    let domain = testing::domain().await;
    owned(&domain, lasting(&domain, 90)).await;
    let mut told = Vec::new();
    for day in 0..92 {
        let made = scan(&domain).await.unwrap();
        assert_eq!(scan(&domain).await.unwrap(), 0, "nothing is said twice");
        if made > 0 {
            told.push(90 - day);
        }
        domain.advance(TimeDelta::days(1));
    }
    assert_eq!(told, [14, 3, 1]);
    let rows = rows(&domain).await;
    assert!(rows.iter().all(|row| row.kind == "api_key.expires_soon" && row.discord_user_id.get() == ADA));
    assert_eq!(rows.iter().map(|row| row.data["days"].as_i64().unwrap()).collect::<Vec<_>>(), [14, 3, 1]);
}

/// What was missed while the bot was away is not told late, and a short life is not announced at its begin.
#[tokio::test]
async fn only_the_most_urgent_word_is_said() {
    let domain = testing::domain().await;
    owned(&domain, lasting(&domain, 2)).await;
    assert_eq!(scan(&domain).await.unwrap(), 0);
    owned(&domain, lasting(&domain, 30)).await;
    domain.advance(TimeDelta::days(28));
    assert_eq!(scan(&domain).await.unwrap(), 1);
    assert_eq!(rows(&domain).await[0].data["days"], 3);
}

#[tokio::test]
async fn an_old_key_is_told_once_in_ninety_days() {
    let domain = testing::domain().await;
    owned(&domain, bound()).await;
    let mut told = Vec::new();
    for day in 0..200 {
        if scan(&domain).await.unwrap() > 0 {
            told.push(day);
        }
        domain.advance(TimeDelta::days(1));
    }
    assert_eq!(told, [90, 180]);
    assert!(rows(&domain).await.iter().all(|row| row.kind == "api_key.old"));
}

#[tokio::test]
async fn a_leak_is_told_to_its_owner_and_once_to_each_guild() {
    let domain = testing::domain().await;
    assert_eq!(dispatch(&domain, 10).await.unwrap(), 0);
    announcement::dispatch(&domain, 10).await.unwrap();
    let key = owned(&domain, bound()).await;
    let place = (guild(), channel(5));
    let found = report_pasted(&domain, key.secret.expose(), place).await.unwrap().expect("a key of ours");
    assert!(!found.was_revoked && KeyStatus::of(&found.row, domain.now()) == KeyStatus::Revoked);
    let again = report_leak(&domain, key.secret.expose()).await.unwrap().expect("a key of ours");
    assert!(again.was_revoked);
    while dispatch(&domain, 10).await.unwrap() + announcement::dispatch(&domain, 10).await.unwrap() > 0 {}
    let told = rows(&domain).await;
    assert_eq!((told.len(), told[0].kind.as_str()), (1, "api_key.leaked"));
    let announced = announced(&domain).await;
    assert_eq!(announced.len(), 1, "{announced:?}");
    assert_eq!(announced[0].data["channel_id"], "5", "the word that says where wins");
}

#[tokio::test]
async fn who_takes_no_messages_is_left_alone_for_a_week_and_the_guild_is_told() {
    let domain = testing::domain().await;
    let key_id = owned(&domain, lasting(&domain, 20)).await.row.id;
    domain.advance(TimeDelta::days(7));
    scan(&domain).await.unwrap();
    let due = claim(&domain, 10).await.unwrap();
    assert_eq!((due.len(), due[0].is_closed), (1, false));
    assert!(claim(&domain, 10).await.unwrap().is_empty(), "it belongs to its claimer");
    assert!(settle(&domain, due[0].row.id, Outcome::Closed).await.unwrap());
    assert!(!settle(&domain, due[0].row.id, sent()).await.unwrap(), "settled is settled");
    let told = announced(&domain).await;
    assert_eq!((told.len(), told[0].guild_id, told[0].kind.as_str()), (1, guild(), "api_key.expires_soon"));
    assert_eq!((&told[0].data["discord_user_id"], &told[0].data["key_id"]), (&"42".into(), &key_id.to_string().into()));
    owned(&domain, lasting(&domain, 20)).await;
    domain.advance(TimeDelta::days(6));
    scan(&domain).await.unwrap();
    let due = claim(&domain, 10).await.unwrap();
    assert!(!due.is_empty() && due.iter().all(|due| due.is_closed), "still within the week");
    for due in &due {
        settle(&domain, due.row.id, Outcome::Moot).await.unwrap();
    }
    domain.advance(TimeDelta::days(4));
    scan(&domain).await.unwrap();
    let due = claim(&domain, 10).await.unwrap();
    assert!(!due.is_empty() && due.iter().all(|due| !due.is_closed), "after a week it is tried again");
}

#[tokio::test]
async fn what_fails_is_tried_again_and_given_up_in_the_end() {
    let domain = testing::domain().await;
    owned(&domain, lasting(&domain, 20)).await;
    domain.advance(TimeDelta::days(7));
    scan(&domain).await.unwrap();
    let failed = || Outcome::Failed { code: "discord".to_owned(), retry_in: None };
    for attempt in 1..=ATTEMPTS_MAX {
        let due = claim(&domain, 10).await.unwrap();
        assert_eq!(due.len(), 1, "try {attempt}");
        settle(&domain, due[0].row.id, failed()).await.unwrap();
        assert!(claim(&domain, 10).await.unwrap().is_empty(), "not at once");
        domain.advance(TimeDelta::hours(1));
    }
    assert!(claim(&domain, 10).await.unwrap().is_empty());
    assert_eq!(announced(&domain).await.len(), 1);
    domain.advance(TimeDelta::days(KEPT_DAYS));
    assert_eq!(clear_old(&domain).await.unwrap(), 1);
}

#[tokio::test]
async fn a_message_with_a_secret_goes_when_it_was_saved_or_after_a_quarter_of_an_hour() {
    let domain = testing::domain().await;
    let key = owned(&domain, bound()).await.row;
    let (ada, bob) = (DiscordUserId::new(ADA).unwrap(), DiscordUserId::new(43).unwrap());
    let message = MessageId::new(9).unwrap();
    let saved = expect_secret(&domain, ada, channel(8), key.id).await.unwrap();
    secret_sent(&domain, saved, message).await.unwrap();
    assert_eq!(take_back(&domain, bob, saved).await.unwrap_err().code(), Some("not_yours"));
    assert!(claim_expired(&domain, 10).await.unwrap().is_empty());
    assert_eq!(take_back(&domain, ada, saved).await.unwrap(), Some((channel(8), message)));
    let expired = claim_expired(&domain, 10).await.unwrap();
    assert_eq!((expired.len(), expired[0].message_id), (1, Some(message)), "the worker stands behind the button");
    settle_expired(&domain, &expired[0], true).await.unwrap();
    assert_eq!(take_back(&domain, ada, saved).await.unwrap(), None, "once");

    let forgotten = expect_secret(&domain, ada, channel(8), key.id).await.unwrap();
    secret_sent(&domain, forgotten, message).await.unwrap();
    domain.advance(TimeDelta::minutes(14));
    assert!(claim_expired(&domain, 10).await.unwrap().is_empty());
    domain.advance(TimeDelta::minutes(1));
    let expired = claim_expired(&domain, 10).await.unwrap();
    assert_eq!(expired.len(), 1);
    settle_expired(&domain, &expired[0], false).await.unwrap();
    domain.advance(TimeDelta::hours(1));
    assert_eq!(claim_expired(&domain, 10).await.unwrap().len(), 1, "it is tried again");
    assert!(key_is_untouched(&domain, &key).await);
}

async fn key_is_untouched(domain: &Domain, before: &api_key::Model) -> bool {
    key(domain, &root(), before.id).await.unwrap().row.state == before.state
}
