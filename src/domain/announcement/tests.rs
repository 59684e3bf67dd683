use sea_orm::PaginatorTrait;

use super::*;
use crate::domain::{
    event as log,
    slot::{self, SlotKey, SlotProblem},
    testing::{self, TestDomain, channel, guild},
};

async fn rows(domain: &TestDomain) -> Vec<announcement::Model> {
    let mut rows = announcement::Entity::find().all(domain.store().reader()).await.unwrap();
    rows.sort_by_key(|row| row.id);
    rows
}

async fn suspended(domain: &TestDomain, id: u64) {
    let after = json!({ "missing": "Manage Messages", "place_id": id.to_string() });
    testing::append(domain, "vanish.suspended", &format!("vanish/{id}"), after).await;
}

async fn broken(domain: &TestDomain) {
    testing::append(domain, "slot.broken", "slot/ledger", json!({ "problem": "channel_deleted" })).await;
}

#[tokio::test]
async fn events_are_announced_once() {
    let domain = testing::domain().await;
    suspended(&domain, 1).await;
    assert_eq!(dispatch(&domain, 10).await.unwrap(), 0, "what was before the first run is no news");
    assert!(rows(&domain).await.is_empty());

    suspended(&domain, 1).await;
    suspended(&domain, 1).await;
    suspended(&domain, 2).await;
    broken(&domain).await;
    broken(&domain).await;
    testing::append(&domain, "slot.set", "slot/ledger", Value::Null).await;
    assert_eq!(dispatch(&domain, 4).await.unwrap(), 4);
    assert_eq!(dispatch(&domain, 4).await.unwrap(), 2);
    assert_eq!(dispatch(&domain, 4).await.unwrap(), 0);
    let keys: Vec<_> = rows(&domain).await.into_iter().map(|row| row.dedupe_key).collect();
    assert_eq!(
        keys,
        [
            "vanish.suspended:1:2026-01-05",
            "vanish.suspended:2:2026-01-05",
            "slot.broken:700:ledger:5",
            "slot.broken:700:ledger:6",
        ]
    );
    domain.advance(TimeDelta::days(1));
    suspended(&domain, 1).await;
    dispatch(&domain, 10).await.unwrap();
    let last = rows(&domain).await.pop().unwrap();
    assert_eq!(last.dedupe_key, "vanish.suspended:1:2026-01-06");
    assert_eq!((last.slot_key.as_str(), last.kind.as_str()), ("alerts", "vanish.suspended"));
    assert_eq!(last.data["state"]["missing"], "Manage Messages");
}

#[tokio::test]
async fn a_dispatcher_that_dies_half_way_announces_nothing_twice() {
    let domain = testing::domain().await;
    dispatch(&domain, 10).await.unwrap();
    broken(&domain).await;
    suspended(&domain, 1).await;
    // Dies after it made the rows and moved the cursor, before the commit.
    let input = Dispatch { ids: domain.ids.clone(), now: domain.now(), batch: 10 };
    let died: Result<(), Error> = domain
        .store
        .write(input, |txn, input| {
            Box::pin(async move {
                assert_eq!(dispatch_in(txn, input).await?, 2);
                Err(DbErr::Custom("the process died".to_owned()).into())
            })
        })
        .await;
    assert!(died.is_err());
    assert!(rows(&domain).await.is_empty());
    assert_eq!(dispatch(&domain, 10).await.unwrap(), 2);
    // A second dispatcher that still believes in the old cursor adds nothing either.
    let input = (domain.ids.clone(), domain.now(), log::events_after(&domain, 0, 10).await.unwrap());
    let _: Result<(), Error> = domain
        .store
        .write(input, |txn, (ids, now, events)| {
            Box::pin(async move {
                for event in events {
                    assert!(!insert(txn, ids, announcement_of(event, *now).unwrap()).await?);
                }
                Ok(())
            })
        })
        .await;
    assert_eq!(rows(&domain).await.len(), 2);
}

#[tokio::test]
async fn a_problem_that_only_changes_its_name_is_no_news() {
    let domain = testing::domain().await;
    let key: SlotKey = "alerts".parse().unwrap();
    dispatch(&domain, 10).await.unwrap();
    slot::set_over_http(&domain, &testing::root(), guild(), &key, channel(1)).await.unwrap();
    slot::confirm(&domain, guild(), &key, channel(1), Err(SlotProblem::NoAccess)).await.unwrap();
    slot::channel_deleted(&domain, guild(), channel(1)).await.unwrap();
    dispatch(&domain, 10).await.unwrap();
    assert_eq!(rows(&domain).await.len(), 1);
}

#[tokio::test]
async fn a_claim_is_held_for_a_minute() {
    let domain = testing::domain().await;
    dispatch(&domain, 10).await.unwrap();
    for id in 1..=3 {
        suspended(&domain, id).await;
    }
    dispatch(&domain, 10).await.unwrap();
    let first = claim(&domain, 2).await.unwrap();
    let second = claim(&domain, 2).await.unwrap();
    assert_eq!((first.len(), second.len()), (2, 1));
    assert_eq!((first[0].attempts, first[0].dedupe_key.as_str()), (1, "vanish.suspended:1:2026-01-05"));
    assert!(claim(&domain, 2).await.unwrap().is_empty());
    domain.advance(TimeDelta::seconds(61));
    let again = claim(&domain, 10).await.unwrap();
    assert_eq!(again.len(), 3);
    assert_eq!((again[0].id, again[0].attempts), (first[0].id, 2));
}

#[tokio::test]
async fn outcomes_settle_once() {
    let domain = testing::domain().await;
    dispatch(&domain, 10).await.unwrap();
    broken(&domain).await;
    broken(&domain).await;
    dispatch(&domain, 10).await.unwrap();
    let claimed = claim(&domain, 10).await.unwrap();
    let message_id = MessageId::new(99).unwrap();
    let posted = Outcome::Posted { message_id, channel_id: channel(5) };
    assert!(settle(&domain, claimed[0].id, posted.clone()).await.unwrap());
    assert!(!settle(&domain, claimed[0].id, posted).await.unwrap());
    assert!(settle(&domain, claimed[1].id, Outcome::NoSlot).await.unwrap());
    domain.advance(TimeDelta::days(1));
    assert!(claim(&domain, 10).await.unwrap().is_empty());
    let spared = vanish_message::Entity::find_by_id(message_id).one(domain.store().reader()).await.unwrap().unwrap();
    assert_eq!((spared.fate, spared.channel_id, spared.guild_id), (Fate::OwnPost, channel(5), guild()));
    assert_eq!(vanish_message::Entity::find().count(domain.store().reader()).await.unwrap(), 1);
    let outcomes: Vec<_> = rows(&domain).await.into_iter().map(|row| row.outcome.unwrap()).collect();
    assert_eq!(outcomes, ["posted", "no_slot"]);
}

#[tokio::test]
async fn failures_are_repeated_with_growing_pauses_and_given_up() {
    let domain = testing::domain().await;
    dispatch(&domain, 10).await.unwrap();
    broken(&domain).await;
    dispatch(&domain, 10).await.unwrap();
    for (tries, seconds) in [5, 30, 120, 600, 3600, 3600, 3600].into_iter().enumerate() {
        let claimed = claim(&domain, 1).await.unwrap();
        assert_eq!(claimed.len(), 1, "after {tries} tries");
        let failed = Outcome::Failed { code: "503".to_owned(), retry_in: None };
        settle(&domain, claimed[0].id, failed).await.unwrap();
        domain.advance(TimeDelta::seconds(seconds - 1));
        assert!(claim(&domain, 1).await.unwrap().is_empty());
        domain.advance(TimeDelta::seconds(1));
    }
    let last = claim(&domain, 1).await.unwrap().remove(0);
    assert_eq!(last.attempts, 8);
    let failed = Outcome::Failed { code: "x".repeat(100), retry_in: Some(Duration::from_secs(1)) };
    settle(&domain, last.id, failed).await.unwrap();
    domain.advance(TimeDelta::days(1));
    assert!(claim(&domain, 1).await.unwrap().is_empty());
    assert_eq!(rows(&domain).await[0].outcome.as_ref().unwrap().len(), 64);
    assert_eq!(pause(1, Some(Duration::from_secs(40))), TimeDelta::seconds(40));
}
