//! People who are one, and people who want to be forgotten.

use entity::user::Role;

use super::*;
use crate::domain::user::{self, NewUser, holdings::Part};

async fn person(domain: &TestDomain, number: u64) -> entity::user::Model {
    let new = NewUser { role: Role::Member, discord_user_id: Some(account(number)) };
    user::create(domain, &testing::root(), new).await.unwrap()
}

#[tokio::test]
async fn votes_of_people_who_are_one_are_one_vote() {
    let domain = testing::domain().await;
    let (one, two) = (person(&domain, 101).await, person(&domain, 102).await);
    let rules = Policy { voters: Voters::default(), quorum: Quorum::Count(3), ..policy() };
    let open = apply(&domain, 1, &rules).await.id;
    let decided = apply(&domain, 2, &rules).await.id;
    for row in [&one, &two] {
        for id in [open, decided] {
            vote(&domain, &testing::signed_in(row), id, NewVote::own(VoteChoice::Approve, None)).await.unwrap();
        }
    }
    vote(&domain, &manager(9), decided, NewVote::own(VoteChoice::Reject, None)).await.unwrap();
    assert_eq!(now(&domain, decided).await.status, ApplicationStatus::Approved);
    user::merge(&domain, &testing::root(), one.id, two.id).await.unwrap();
    let left = votes(&domain, &testing::root(), open).await.unwrap();
    assert_eq!(left.iter().map(|vote| vote.voter.clone()).collect::<Vec<_>>(), [two.id.to_string()]);
    assert_eq!(votes(&domain, &testing::root(), decided).await.unwrap().len(), 3, "they have decided it");
    assert_eq!(recount(&domain, 10).await.unwrap().mismatches, []);
}

#[tokio::test]
async fn who_is_forgotten_leaves_decisions_and_no_words() {
    let domain = testing::domain().await;
    let person = person(&domain, 10).await;
    let decided = apply(&domain, 1, &policy()).await.id;
    let rules = Policy { reasons: Reasons::Always, ..policy() };
    let voted = apply(&domain, 2, &rules).await.id;
    for voter in [10, 11] {
        let new = NewVote::own(VoteChoice::Approve, Some("A reason".to_owned()));
        for id in [decided, voted] {
            vote(&domain, &member(voter, &[VOTERS]), id, new.clone()).await.unwrap();
        }
    }
    let own = apply(&domain, 10, &policy()).await.id;
    add_note(&domain, &manager(3), own, "A note").await.unwrap();
    let data = user::export(&domain, &testing::root(), person.id).await.unwrap();
    let text = data.to_string();
    assert!(text.contains("Because") && text.contains("A reason") && !text.contains("A note"), "{text}");
    user::erase_part(&domain, &testing::root(), person.id, Part::Applications).await.unwrap();
    let row = now(&domain, own).await;
    assert_eq!((row.status, row.discord_user_id), (ApplicationStatus::Withdrawn, None));
    assert_eq!(answers_of(&row).unwrap(), []);
    assert!(notes(&domain, &testing::root(), own).await.unwrap().is_empty());
    let left = votes(&domain, &testing::root(), decided).await.unwrap();
    assert!(left.iter().all(|vote| vote.voter != "10"));
    assert_eq!(left.iter().filter(|vote| vote.reason.is_none()).count(), 1);
    assert_eq!(recount(&domain, 10).await.unwrap(), Recount { checked: 2, ..Recount::default() });
}
