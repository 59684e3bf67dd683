//! Counting the use of keys.

use std::{
    net::IpAddr,
    time::{Duration, Instant},
};

use chrono::TimeDelta;
use entity::api_key_usage::Step;

use super::*;
use crate::domain::api_key::{
    key,
    usage::{self, Group, KeyUse, Outcome, UsageQuery, by_key, callers, flush, forget_old, record},
};

const ROUTE: &str = "GET /api/discord/vanish";

fn used(id: entity::id::ApiKeyId, address: &str) -> KeyUse<'static> {
    let address: IpAddr = address.parse().expect("an address");
    KeyUse { key: id, route: ROUTE, outcome: Outcome::Ok, address, latency: Duration::from_micros(250) }
}

fn query(step: Step, group: Group) -> UsageQuery {
    UsageQuery { from: None, to: None, step, group }
}

/// D08: a thousand calls in a minute change the last use at most twice, and it is never older than a minute.
#[tokio::test]
async fn a_thousand_calls_are_counted_and_cost_two_writes_of_the_last_use() {
    let domain = testing::domain().await;
    let id = issue(&domain, new()).await.row.id;
    domain.advance(TimeDelta::seconds(30));
    let mut values = Vec::new();
    for n in 0..1_000 {
        record(&domain, &used(id, "192.0.2.7"));
        domain.advance(TimeDelta::milliseconds(60));
        if n % 83 == 0 {
            flush(&domain).await.unwrap();
            values.push(row(&domain, id).await.last_used_at);
        }
        let seen = key(&domain, &root(), id).await.unwrap().row;
        assert_eq!(seen.total_requests, n + 1, "counts that are not written yet are seen");
        let age = domain.now() - seen.last_used_at.unwrap();
        assert!(age <= TimeDelta::seconds(61), "{age}");
    }
    values.dedup();
    assert!(values.len() <= 2, "{values:?}");
    flush(&domain).await.unwrap();
    assert_eq!(row(&domain, id).await.total_requests, 1_000);
    assert_eq!(kinds(&domain).await, ["api_key.created"], "using a key is no event");
}

#[tokio::test]
async fn counts_are_kept_by_minute_hour_and_day() {
    let domain = testing::domain().await;
    let id = issue(&domain, new()).await.row.id;
    for minute in 0..3 {
        for outcome in [Outcome::Ok, Outcome::Ok, Outcome::RateLimited] {
            record(&domain, &KeyUse { outcome, ..used(id, "192.0.2.7") });
        }
        record(&domain, &KeyUse { route: "GET /", latency: Duration::from_millis(9), ..used(id, "192.0.2.7") });
        if minute == 1 {
            flush(&domain).await.unwrap();
        }
        domain.advance(TimeDelta::minutes(1));
    }
    let see = async |step, group| usage::usage(&domain, &root(), id, query(step, group)).await.unwrap().rows;
    let minutes = see(Step::Minute, Group::None).await;
    assert_eq!(minutes.iter().map(|row| row.requests).collect::<Vec<_>>(), [4, 4, 4]);
    assert_eq!(minutes[0].latency_total_microseconds, 9_750);
    assert_eq!(minutes[0].latency_max_microseconds, 9_000);
    let hours = see(Step::Hour, Group::Route).await;
    let hours: Vec<_> = hours.iter().map(|row| (row.group.as_deref(), row.requests)).collect();
    assert_eq!(hours, [(Some("GET /"), 3), (Some(ROUTE), 9)]);
    let days = see(Step::Day, Group::Outcome).await;
    let days: Vec<_> = days.iter().map(|row| (row.group.as_deref(), row.requests)).collect();
    assert_eq!(days, [(Some("ok"), 9), (Some("rate_limited"), 3)]);
    let totals = by_key(&domain, &root(), query(Step::Day, Group::None), None).await.unwrap();
    assert_eq!((totals.rows.len(), totals.rows[0].requests, totals.rows[0].refused), (1, 12, 3));
}

#[tokio::test]
async fn a_stretch_of_time_has_bounds() {
    let domain = testing::domain().await;
    let id = issue(&domain, new()).await.row.id;
    let now = domain.now();
    let ask = async |from, to, step| {
        let asked = UsageQuery { from: Some(from), to: Some(to), ..query(step, Group::None) };
        usage::usage(&domain, &root(), id, asked).await.map(|usage| usage.from)
    };
    assert_eq!(ask(now, now + TimeDelta::seconds(1), Step::Day).await.unwrap(), now - TimeDelta::hours(12));
    assert_eq!(code(ask(now, now, Step::Hour).await), "key.bad_range");
    assert_eq!(code(ask(now - TimeDelta::days(3), now, Step::Minute).await), "key.bad_range");
    ask(now - TimeDelta::days(2), now, Step::Minute).await.unwrap();
    let first = chrono::DateTime::<chrono::Utc>::MIN_UTC;
    assert_eq!(code(ask(first, now, Step::Day).await), "key.bad_range");
    let early = UsageQuery { to: Some(first), ..query(Step::Day, Group::None) };
    assert_eq!(code(usage::usage(&domain, &root(), id, early).await), "key.bad_range");
}

#[tokio::test]
async fn the_first_use_from_a_new_network_is_an_event_but_for_the_first_of_all() {
    let domain = testing::domain().await;
    let (one, other) = (issue(&domain, new()).await.row.id, issue(&domain, new()).await.row.id);
    let news = async || kinds(&domain).await.iter().filter(|kind| *kind == "api_key.new_network").count();
    record(&domain, &used(one, "192.0.2.7"));
    record(&domain, &used(one, "192.0.2.99"));
    record(&domain, &used(other, "2001:db8:0:1::1"));
    flush(&domain).await.unwrap();
    assert_eq!(news().await, 0);
    record(&domain, &used(one, "192.0.2.250"));
    record(&domain, &used(one, "::ffff:192.0.2.1"));
    record(&domain, &used(other, "2001:db8:0:1::2"));
    flush(&domain).await.unwrap();
    assert_eq!(news().await, 0, "the same network");
    record(&domain, &used(one, "198.51.100.1"));
    record(&domain, &used(other, "2001:db8:0:2::1"));
    flush(&domain).await.unwrap();
    assert_eq!(news().await, 2);
    let seen = callers(&domain, &root(), one).await.unwrap();
    let seen: Vec<_> = seen.iter().map(|row| (row.address.as_str(), row.requests)).collect();
    assert_eq!(seen, [("192.0.2.1", 1), ("192.0.2.250", 1), ("192.0.2.7", 1), ("192.0.2.99", 1), ("198.51.100.1", 1)]);
    let seen = callers(&domain, &root(), other).await.unwrap();
    assert_eq!((seen.len(), seen[0].address.as_str(), seen[0].requests), (2, "2001:db8:0:1::/64", 2));
}

/// Of a key that is first seen from many networks at once, one is the first and the others are news.
#[tokio::test]
async fn many_networks_at_once_are_told_in_part() {
    let domain = testing::domain().await;
    let id = issue(&domain, new()).await.row.id;
    for n in 0..50 {
        record(&domain, &used(id, &format!("10.0.{n}.1")));
    }
    flush(&domain).await.unwrap();
    let news = kinds(&domain).await.iter().filter(|kind| *kind == "api_key.new_network").count();
    assert_eq!(news, 10);
    assert_eq!(callers(&domain, &root(), id).await.unwrap().len(), 50);
}

#[tokio::test]
async fn what_a_failed_write_held_is_kept() {
    let domain = testing::domain().await;
    let id = issue(&domain, new()).await.row.id;
    record(&domain, &used(id, "192.0.2.7"));
    domain.store.close().await;
    assert!(flush(&domain).await.is_err());
    record(&domain, &used(id, "192.0.2.7"));
    let mut row = issue_row(id);
    domain.usage.add_waiting(&mut row);
    assert_eq!(row.total_requests, 2);
    assert_eq!(row.last_used_at, Some(domain.now()));
    assert!(flush(&domain).await.is_err(), "and again");
    let mut row = issue_row(id);
    domain.usage.add_waiting(&mut row);
    assert_eq!(row.total_requests, 2);
}

/// A row as good as any, to add counts to.
fn issue_row(id: entity::id::ApiKeyId) -> api_key::Model {
    let at = testing::start();
    api_key::Model {
        id,
        digest: Vec::new(),
        brand: String::new(),
        start: String::new(),
        last_four: String::new(),
        user_id: None,
        slot: None,
        guild_id: None,
        name: String::new(),
        description: None,
        client_name: None,
        preset: None,
        scopes: serde_json::Value::Null,
        allowed_origins: serde_json::Value::Null,
        ip_allowlist: serde_json::Value::Null,
        rate_limits: serde_json::Value::Null,
        state: entity::api_key::KeyState::Active,
        state_at: at,
        state_by: String::new(),
        state_reason: None,
        expires_at: None,
        grace_ends_at: None,
        rotated_from: None,
        replaced_by: None,
        generation: 0,
        total_requests: 0,
        last_used_at: None,
        created_by: String::new(),
        created_at: at,
        updated_at: at,
    }
}

/// Memory has a bound, and detail goes before counts do.
#[tokio::test]
async fn a_flood_of_addresses_costs_detail_and_no_count() {
    const CALLS: i64 = 20_000;
    let domain = testing::domain().await;
    let id = issue(&domain, new()).await.row.id;
    let started = Instant::now();
    for n in 0..CALLS {
        record(&domain, &used(id, &format!("10.{}.{}.1", n / 256, n % 256)));
    }
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    flush(&domain).await.unwrap();
    assert_eq!(row(&domain, id).await.total_requests, CALLS);
    let days = usage::usage(&domain, &root(), id, query(Step::Day, Group::None)).await.unwrap().rows;
    assert_eq!(days[0].requests, CALLS);
}

#[tokio::test]
async fn old_counts_are_forgotten_and_days_last_longest() {
    let domain = testing::domain().await;
    let id = issue(&domain, new()).await.row.id;
    record(&domain, &used(id, "192.0.2.7"));
    flush(&domain).await.unwrap();
    let counts = async || {
        let mut counts = Vec::new();
        for (step, days) in [(Step::Minute, 2), (Step::Hour, 100), (Step::Day, 500)] {
            let from = Some(testing::start() - TimeDelta::hours(13));
            let to = Some(testing::start() + TimeDelta::days(days) - TimeDelta::hours(13));
            let asked = UsageQuery { from, to, step, group: Group::None };
            counts.push(usage::usage(&domain, &root(), id, asked).await.unwrap().rows.len());
        }
        counts
    };
    assert_eq!(counts().await, [1, 1, 1]);
    for (days, left) in [(2, [1, 1, 1]), (1, [0, 1, 1]), (88, [0, 0, 1]), (310, [0, 0, 0])] {
        domain.advance(TimeDelta::days(days));
        while forget_old(&domain).await.unwrap() {}
        assert_eq!(counts().await, left, "after {days} days more");
    }
    assert!(callers(&domain, &root(), id).await.unwrap().is_empty());
}
