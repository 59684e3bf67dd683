//! The rules of practice against a store.

mod corrections;
mod figures;
mod people;
mod posts;
mod reports;
mod timers;
mod voices;

use chrono::{DateTime, TimeDelta, Utc};
use entity::{
    id::{DiscordUserId, GuildId},
    practice_segment::{self, SegmentKind},
    practice_session::{Model, SessionSource},
};
use sea_orm::{EntityTrait as _, QueryOrder as _};

use super::*;
use crate::domain::{
    Actor, Member,
    testing::{self, TestDomain},
};

/// A person by a small number.
fn person(number: u64) -> Person {
    Person::Discord(account(number))
}

fn account(number: u64) -> DiscordUserId {
    DiscordUserId::new(number).unwrap()
}

#[expect(clippy::unnecessary_wraps, reason = "as the functions take it")]
fn guild() -> Option<GuildId> {
    Some(testing::guild())
}

/// That person, as a member who may do nothing else.
fn member(number: u64) -> Actor {
    Actor::Member(Member {
        user_id: account(number),
        guild_id: testing::guild(),
        permissions: 0,
        channel: None,
        roles: Vec::new(),
        given: crate::domain::guild::role::GivenRights::default(),
        is_bot_admin: false,
    })
}

fn new(number: u64, source: SessionSource) -> NewSession {
    let guild_id = if source == SessionSource::Http { None } else { guild() };
    NewSession::of(person(number), guild_id, source)
}

async fn begin(domain: &TestDomain, number: u64, source: SessionSource) -> Model {
    let started = start(domain, &testing::root(), new(number, source)).await.unwrap();
    assert!(started.is_new);
    started.session
}

async fn halt(domain: &TestDomain, number: u64) -> SessionView {
    stop(domain, &testing::root(), person(number), None).await.unwrap().into()
}

/// Lets time pass with a heartbeat a minute.
async fn live(domain: &TestDomain, span: TimeDelta) {
    let end = domain.now() + span;
    while domain.now() < end {
        domain.advance(HEARTBEAT.min(end - domain.now()));
        beat(domain).await;
    }
}

async fn beat(domain: &TestDomain) {
    for _ in 0..50 {
        if observe(domain).await.unwrap().looked_at == 0 {
            return;
        }
    }
    panic!("the heartbeat finds no end");
}

async fn day(domain: &TestDomain, number: u64) -> i64 {
    today(domain, &testing::root(), person(number), None).await.unwrap()
}

async fn segments(domain: &TestDomain) -> Vec<(SegmentKind, i64)> {
    let rows = practice_segment::Entity::find()
        .order_by_asc(practice_segment::COLUMN.started_at)
        .all(domain.store().reader())
        .await
        .unwrap();
    rows.iter().map(|row| (row.kind, (row.ended_at - row.started_at).num_seconds())).collect()
}

async fn set(domain: &TestDomain, change: RuleChange) {
    set_rule(domain, &testing::admin(), testing::guild(), change).await.unwrap();
}

async fn events(domain: &TestDomain) -> Vec<String> {
    let events = crate::domain::event::events_after(domain, 0, 1_000).await.unwrap();
    let kinds = events.into_iter().map(|event| event.kind);
    kinds.filter(|kind| kind.starts_with("session.") || kind.starts_with("practice.")).collect()
}

fn code<T: std::fmt::Debug>(outcome: Result<T, crate::domain::Error>) -> &'static str {
    outcome.expect_err("refused").code().expect("a refusal")
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}
