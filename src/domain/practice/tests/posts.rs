use entity::{announcement, practice_post::PostPeriod, practice_rule::PracticePrivacy};

use super::*;
use crate::domain::guild::{self as guilds, GeneralChange, set_general};

async fn post(
    domain: &TestDomain,
    period: PostPeriod,
    at_minute: i32,
) -> Result<Option<DateTime<Utc>>, crate::domain::Error> {
    let config = PostConfig { slot: BOARD_SLOT.parse().unwrap(), at_minute };
    set_post(domain, &testing::admin(), testing::guild(), period, config).await
}

async fn zone(domain: &TestDomain, name: &str) {
    let change = GeneralChange { time_zone: Some(name.to_owned()), ..GeneralChange::default() };
    set_general(domain, &testing::admin(), testing::guild(), change).await.unwrap();
}

async fn announced_boards(domain: &TestDomain) -> Vec<String> {
    let rows = announcement::Entity::find().all(domain.store().reader()).await.unwrap();
    rows.into_iter().filter(|row| row.kind == BOARD_KIND).map(|row| row.dedupe_key).collect()
}

#[tokio::test]
async fn a_due_board_is_announced_once_and_the_schedule_moves_on() {
    let domain = testing::domain().await;
    guilds::joined(&domain, testing::guild()).await.unwrap();
    zone(&domain, "Europe/Berlin").await;
    assert_eq!(post(&domain, PostPeriod::Daily, 540).await.unwrap(), Some(at("2026-01-06T08:00:00Z")));
    assert_eq!(due_posts(&domain, 10).await.unwrap(), 0);
    // A changed zone moves what is to come.
    zone(&domain, "America/St_Johns").await;
    let rows = posts(&domain, &member(1), testing::guild()).await.unwrap();
    assert_eq!(rows[0].due_at, Some(at("2026-01-05T12:30:00Z")));
    domain.advance(TimeDelta::days(4));
    let made = tokio::join!(due_posts(&domain, 10), due_posts(&domain, 10), due_posts(&domain, 10));
    assert_eq!(made.0.unwrap() + made.1.unwrap() + made.2.unwrap(), 1);
    assert_eq!(announced_boards(&domain).await, ["practice.board:700:daily:2026-01-07"], "the newest of four");
    // Another time of the same day posts no period twice.
    post(&domain, PostPeriod::Daily, 600).await.unwrap();
    domain.advance(TimeDelta::days(1));
    assert_eq!(due_posts(&domain, 10).await.unwrap(), 1);
    assert_eq!(announced_boards(&domain).await.len(), 2);
    assert!(remove_post(&domain, &testing::admin(), testing::guild(), PostPeriod::Daily).await.unwrap());
    assert!(!remove_post(&domain, &testing::admin(), testing::guild(), PostPeriod::Daily).await.unwrap());
    domain.advance(TimeDelta::days(1));
    assert_eq!(due_posts(&domain, 10).await.unwrap(), 0);
    let kinds = events(&domain).await;
    assert_eq!(kinds, ["practice.post_set", "practice.post_set", "practice.post_removed"]);
}

#[tokio::test]
async fn schedules_have_bounds_and_private_practice_has_none() {
    let domain = testing::domain().await;
    guilds::joined(&domain, testing::guild()).await.unwrap();
    assert_eq!(code(post(&domain, PostPeriod::Daily, 1_440).await), "practice.bad_post_time");
    let voice = PostConfig { slot: "voice".parse().unwrap(), at_minute: 0 };
    let refused = set_post(&domain, &testing::admin(), testing::guild(), PostPeriod::Daily, voice.clone()).await;
    assert_eq!(code(refused), "practice.bad_post_slot");
    assert_eq!(code(set_post(&domain, &member(1), testing::guild(), PostPeriod::Daily, voice).await), "forbidden");
    post(&domain, PostPeriod::Daily, 0).await.unwrap();
    set(&domain, RuleChange { privacy: Some(PracticePrivacy::Private), ..RuleChange::default() }).await;
    assert_eq!(code(post(&domain, PostPeriod::Weekly, 0).await), "practice.board_is_private");
    domain.advance(TimeDelta::days(1));
    assert_eq!(due_posts(&domain, 10).await.unwrap(), 0);
    let rows = posts(&domain, &member(1), testing::guild()).await.unwrap();
    assert_eq!(rows[0].problem.as_deref(), Some("private"), "it is not lost in silence");
    assert!(events(&domain).await.contains(&"practice.post_failed".to_owned()));
}
