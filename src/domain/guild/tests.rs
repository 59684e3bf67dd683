use chrono::TimeDelta;
use entity::{announcement, id::ChannelId};
use sea_orm::EntityTrait;

use super::*;
use crate::domain::{
    slot::{self, SlotKey},
    testing::{self, TestDomain, admin, channel, guild, member, root},
    vanish,
};

async fn events(domain: &TestDomain) -> Vec<(String, Value)> {
    let events = crate::domain::event::events_after(domain, 0, 100).await.unwrap();
    events.into_iter().map(|event| (event.kind, event.data)).collect()
}

fn zone(name: &str) -> GeneralChange {
    GeneralChange { time_zone: Some(name.to_owned()), ..Default::default() }
}

fn digest_change(digest: Digest) -> GeneralChange {
    GeneralChange { digest: Some(digest), ..Default::default() }
}

#[tokio::test]
async fn a_new_guild_has_settings_without_a_row() {
    let domain = testing::domain().await;
    let row = general(&domain, &member(0), guild()).await.unwrap();
    assert_eq!((row.time_zone.as_str(), row.language.as_str()), ("UTC", "en"));
    assert_eq!((row.week_start, row.digest, row.present), (WeekStart::Monday, Digest::Off, false));
    assert_eq!(time_zone(&domain, guild()).await.unwrap(), Tz::UTC);
    assert!(entity::guild::Entity::find().one(domain.store().reader()).await.unwrap().is_none());
}

#[tokio::test]
async fn settings_change_one_by_one_and_only_once() {
    let domain = testing::domain().await;
    let row = set_general(&domain, &admin(), guild(), zone("europe/berlin")).await.unwrap();
    assert_eq!(row.time_zone, "Europe/Berlin");
    set_general(&domain, &admin(), guild(), zone("Europe/Berlin")).await.unwrap();
    let change =
        GeneralChange { week_start: Some(WeekStart::Sunday), language: Some("PT-br".to_owned()), ..Default::default() };
    let row = set_general(&domain, &admin(), guild(), change).await.unwrap();
    assert_eq!((row.time_zone.as_str(), row.language.as_str()), ("Europe/Berlin", "pt-BR"));
    assert_eq!(time_zone(&domain, guild()).await.unwrap(), Tz::Europe__Berlin);
    let events = events(&domain).await;
    assert_eq!(events.len(), 2);
    assert_eq!(events[1].0, "guild.settings_changed");
    assert_eq!(events[1].1["before"]["week_start"], "monday");
    assert_eq!(events[1].1["after"]["language"], "pt-BR");
}

#[tokio::test]
async fn nonsense_and_strangers_are_refused() {
    let domain = testing::domain().await;
    let typo = set_general(&domain, &admin(), guild(), zone("Europe/Berln")).await.unwrap_err();
    assert_eq!(typo.code(), Some("guild.unknown_time_zone"));
    assert!(typo.to_string().contains("did you mean Europe/Berlin"), "{typo}");
    let far = set_general(&domain, &admin(), guild(), zone("qqqqqq")).await.unwrap_err();
    assert!(far.to_string().contains("A valid one is Europe/Berlin"), "{far}");
    let tongue = GeneralChange { language: Some("klingon".to_owned()), ..Default::default() };
    let refused = set_general(&domain, &admin(), guild(), tongue).await.unwrap_err();
    assert_eq!(refused.code(), Some("guild.unknown_language"));
    let stranger = set_general(&domain, &member(0), guild(), zone("UTC")).await.unwrap_err();
    assert_eq!(stranger.code(), Some("forbidden"));
    assert!(events(&domain).await.is_empty());
}

#[tokio::test]
async fn membership_is_news_once() {
    let domain = testing::domain().await;
    assert!(!left(&domain, guild()).await.unwrap(), "it was never there");
    assert!(joined(&domain, guild()).await.unwrap());
    assert!(!joined(&domain, guild()).await.unwrap());
    assert!(left(&domain, guild()).await.unwrap());
    assert!(!left(&domain, guild()).await.unwrap());
    let row = general(&domain, &root(), guild()).await.unwrap();
    assert_eq!((row.present, row.left_at), (false, Some(testing::start())));
    assert!(joined(&domain, guild()).await.unwrap());
    let row = general(&domain, &root(), guild()).await.unwrap();
    assert_eq!((row.present, row.left_at), (true, None));
    let kinds: Vec<_> = events(&domain).await.into_iter().map(|event| event.0).collect();
    assert_eq!(kinds, ["guild.joined", "guild.left", "guild.joined"]);
}

async fn count_deleted(domain: &TestDomain, id: u64, count: i64) {
    vanish::add_deleted(domain, &root(), channel(id), count).await.unwrap();
}

async fn digests(domain: &TestDomain) -> Vec<DigestCounts> {
    let mut rows = announcement::Entity::find().all(domain.store().reader()).await.unwrap();
    rows.sort_by_key(|row| row.id);
    rows.into_iter().map(|row| serde_json::from_value(row.data).unwrap()).collect()
}

#[tokio::test]
async fn summaries_count_since_the_last_one() {
    let domain = testing::domain().await;
    joined(&domain, guild()).await.unwrap();
    let row = set_general(&domain, &admin(), guild(), digest_change(Digest::Daily)).await.unwrap();
    assert_eq!(row.digest_due_at, Some("2026-01-06T09:00:00Z".parse().unwrap()));
    assert_eq!(due_digests(&domain, 10).await.unwrap(), 0);
    for id in [1, 2] {
        let new = vanish::NewDuration { guild_id: guild(), channel_id: channel(id), after_seconds: 60 };
        vanish::set_duration(&domain, &root(), new).await.unwrap();
    }
    let held = vanish::Pause { until: None, reason: None };
    vanish::pause(&domain, &root(), guild(), channel(2), held).await.unwrap();
    let key: SlotKey = "alerts".parse().unwrap();
    slot::set_over_http(&domain, &root(), guild(), &key, channel(9)).await.unwrap();
    slot::channel_deleted(&domain, guild(), channel(9)).await.unwrap();
    count_deleted(&domain, 1, 30).await;
    domain.advance(TimeDelta::days(3));
    assert_eq!(due_digests(&domain, 10).await.unwrap(), 1);
    assert_eq!(due_digests(&domain, 10).await.unwrap(), 0);
    let first = digests(&domain).await.remove(0);
    assert_eq!((first.since, first.messages_deleted), (None, 30));
    assert_eq!((first.rules_paused, first.slots_broken), (1, 1));
    assert_eq!(first.totals.get(&ChannelId::new(1).unwrap()), Some(&30));
    count_deleted(&domain, 1, 5).await;
    count_deleted(&domain, 2, 2).await;
    domain.advance(TimeDelta::days(1));
    assert_eq!(due_digests(&domain, 10).await.unwrap(), 1);
    let second = digests(&domain).await.remove(1);
    assert_eq!(second.messages_deleted, 7);
    assert_eq!(second.since, Some("2026-01-08T12:00:00Z".parse().unwrap()));

    let row = set_general(&domain, &admin(), guild(), digest_change(Digest::Off)).await.unwrap();
    assert_eq!(row.digest_due_at, None);
    domain.advance(TimeDelta::days(9));
    assert_eq!(due_digests(&domain, 10).await.unwrap(), 0);
}

#[tokio::test]
async fn a_guild_without_the_bot_gets_no_summary() {
    let domain = testing::domain().await;
    set_general(&domain, &root(), guild(), digest_change(Digest::Weekly)).await.unwrap();
    domain.advance(TimeDelta::days(8));
    assert_eq!(due_digests(&domain, 10).await.unwrap(), 0);
    joined(&domain, guild()).await.unwrap();
    assert_eq!(due_digests(&domain, 10).await.unwrap(), 0, "what was missed while away is not caught up");
    domain.advance(TimeDelta::days(7));
    assert_eq!(due_digests(&domain, 10).await.unwrap(), 1);
}
