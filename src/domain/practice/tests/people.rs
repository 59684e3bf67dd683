use super::*;
use crate::domain::user;

async fn id_of(domain: &TestDomain, number: u64) -> entity::id::UserId {
    person(number).find(domain.store().reader()).await.unwrap().expect("known")
}

/// The peer's defect 10: two people with practice become one, with one open session and every second of both.
#[tokio::test]
async fn two_people_become_one_with_all_their_time() {
    let domain = testing::domain().await;
    for number in [1, 2] {
        begin(&domain, number, SessionSource::Command).await;
        live(&domain, TimeDelta::minutes(10)).await;
        halt(&domain, number).await;
        let goal = entity::practice_goal::GoalPeriod::Day;
        set_goal(&domain, &member(number), (person(number), guild()), goal, 600).await.unwrap();
        adjust(&domain, &testing::admin(), (person(number), testing::guild()), 5, "x".to_owned()).await.unwrap();
        begin(&domain, number, SessionSource::Http).await;
    }
    domain.advance(TimeDelta::seconds(90));
    let (source, target) = (id_of(&domain, 1).await, id_of(&domain, 2).await);
    user::merge(&domain, &testing::root(), source, target).await.unwrap();
    let view = running(&domain, &testing::root(), person(1)).await.unwrap().expect("one runs");
    assert_eq!(view.row.user_id, target);
    assert!(events(&domain).await.ends_with(&["session.completed".to_owned()]), "the other one has ended");
    halt(&domain, 2).await;
    // 1: ten minutes, ten more and a half beside the other one's, and the rest; 2: ten minutes, and the rest.
    let expected = (600 + 5 + 600 + 90) + (600 + 5 + 90);
    assert_eq!(day(&domain, 1).await, expected);
    let old_id = today(&domain, &testing::root(), Person::User(source), None).await.unwrap();
    assert_eq!(old_id, expected, "the old id leads to the person");
    assert_eq!(total_seconds(&domain, &testing::root(), None).await.unwrap(), expected);
    let board = LeaderboardQuery { limit: 10, ..LeaderboardQuery::default() };
    let board = leaderboard(&domain, &testing::root(), &board).await.unwrap();
    assert_eq!(board.standings.iter().map(|one| (one.user_id, one.seconds)).collect::<Vec<_>>(), [(target, expected)]);
}

#[tokio::test]
async fn who_is_forgotten_leaves_no_practice() {
    let domain = testing::domain().await;
    begin(&domain, 1, SessionSource::Command).await;
    live(&domain, TimeDelta::minutes(2)).await;
    let id = id_of(&domain, 1).await;
    let held = user::export(&domain, &testing::root(), id).await.unwrap();
    assert_eq!(held["tables"]["practice_session"][0]["seconds"], 120);
    assert_eq!(held["tables"]["practice_day"].as_array().map(Vec::len), Some(2), "everywhere, and in the guild");
    user::erase(&domain, &testing::root(), id).await.unwrap();
    assert_eq!(total_seconds(&domain, &testing::root(), None).await.unwrap(), 0);
    assert_eq!(segments(&domain).await, []);
    beat(&domain).await;
}

/// A person's own zone comes before the guild's.
#[tokio::test]
async fn days_are_those_of_the_persons_own_zone() {
    let domain = testing::domain().await;
    let zone = user::ProfileChange { time_zone: Some(Some("Pacific/Auckland".to_owned())), ..Default::default() };
    user::set_profile(&domain, &member(1), zone).await.unwrap();
    let session = begin(&domain, 1, SessionSource::Command).await;
    assert_eq!(SessionView::from(session).date.to_string(), "2026-01-06");
    live(&domain, TimeDelta::minutes(3)).await;
    assert_eq!(day(&domain, 1).await, 180);
    let week = week(&domain, &testing::root(), person(1), None).await.unwrap();
    assert_eq!(
        week.last_key_value().map(|(date, seconds)| (date.to_string(), *seconds)),
        Some(("2026-01-06".to_owned(), 180))
    );
}
