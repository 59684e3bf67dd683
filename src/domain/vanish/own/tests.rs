//! What members may choose, and when their messages get their moment.

use entity::vanish_message::Entity as Marked;

use super::*;
use crate::domain::{
    testing::{self, TestDomain, admin, channel, guild},
    user::holdings::Part,
    vanish::{self, DefaultChange, claim_due_messages, defaults, is_kept, keep_message, set_defaults, settle_message},
};

const MINUTE: i64 = 60;
const HOUR: i64 = 3_600;

fn ada() -> (Actor, DiscordUserId) {
    (testing::member(0), DiscordUserId::new(42).unwrap())
}

async fn allow(domain: &TestDomain, min: Option<i64>, max: Option<i64>) -> Result<vanish_default::Model, Error> {
    let change = DefaultChange { own_min_seconds: Some(min), own_max_seconds: Some(max), ..DefaultChange::default() };
    set_defaults(domain, &admin(), guild(), change).await
}

async fn choose(domain: &TestDomain, place: Option<u64>, seconds: Option<i64>) -> Result<OwnTimes, Error> {
    let change = OwnChange { guild_id: guild(), channel_id: place.map(channel), after_seconds: seconds };
    set_own_time(domain, &ada().0, change).await
}

/// A message of Ada in a channel, sent now.
async fn send(domain: &TestDomain, place: u64) -> MessageId {
    let id = MessageId::at_milliseconds(domain.now().timestamp_millis()).unwrap();
    note_own_message(domain, (guild(), channel(place), id), ada().1).await.unwrap();
    domain.advance(TimeDelta::seconds(1));
    id
}

async fn moment(domain: &TestDomain, id: MessageId) -> Option<i64> {
    let row = Marked::find_by_id(id).one(domain.store().reader()).await.unwrap()?;
    Some((row.due_at? - plan::sent_at(id)).num_seconds())
}

fn code<T>(result: Result<T, Error>) -> Option<&'static str> {
    result.err().and_then(|error| error.code())
}

#[tokio::test]
async fn nobody_chooses_before_the_guild_allows_it_and_beyond_what_it_allows() {
    let domain = testing::domain().await;
    assert_eq!(code(choose(&domain, None, Some(HOUR)).await), Some("vanish.own_off"));
    assert_eq!(code(allow(&domain, Some(HOUR), Some(MINUTE)).await), Some("vanish.own_bounds_cross"));
    assert_eq!(code(allow(&domain, Some(1), None).await), Some("vanish.after_out_of_bounds"));
    let whole = allow(&domain, Some(MINUTE), None).await.unwrap();
    assert_eq!((whole.own_min_seconds, whole.own_max_seconds), (Some(MINUTE), Some(*AFTER_SECONDS.end())));
    allow(&domain, Some(MINUTE), Some(HOUR)).await.unwrap();
    for seconds in [MINUTE - 1, HOUR + 1] {
        assert_eq!(code(choose(&domain, None, Some(seconds)).await), Some("vanish.own_out_of_bounds"));
    }
    for seconds in [MINUTE, HOUR] {
        assert_eq!(choose(&domain, None, Some(seconds)).await.unwrap().rows[0].after_seconds, seconds);
    }
    let stranger = Actor::Account(crate::domain::Account { user_id: ada().1, is_bot_admin: false });
    assert_eq!(code(own_times(&domain, &stranger, guild()).await), Some("forbidden"));
    assert_eq!(code(own_times(&domain, &testing::root(), guild()).await), Some("unauthenticated"));
    let off = allow(&domain, None, None).await.unwrap();
    assert_eq!((off.own_min_seconds, off.own_max_seconds), (None, None));
    assert_eq!(defaults(&domain, &admin(), guild()).await.unwrap().own_max_seconds, None);
}

#[tokio::test]
async fn the_channels_time_beats_the_guilds_and_others_have_none() {
    let domain = testing::domain().await;
    allow(&domain, Some(MINUTE), Some(HOUR)).await.unwrap();
    let before = send(&domain, 5).await;
    assert_eq!(moment(&domain, before).await, None);
    choose(&domain, None, Some(HOUR)).await.unwrap();
    choose(&domain, Some(5), Some(MINUTE)).await.unwrap();
    let (here, elsewhere) = (send(&domain, 5).await, send(&domain, 6).await);
    assert_eq!((moment(&domain, here).await, moment(&domain, elsewhere).await), (Some(MINUTE), Some(HOUR)));
    let id = MessageId::at_milliseconds(domain.now().timestamp_millis()).unwrap();
    note_own_message(&domain, (guild(), channel(5), id), DiscordUserId::new(43).unwrap()).await.unwrap();
    assert_eq!(moment(&domain, id).await, None, "nobody chooses for others");
    let left = choose(&domain, Some(5), None).await.unwrap();
    assert_eq!(left.rows.len(), 1);
    let later = send(&domain, 5).await;
    assert_eq!(moment(&domain, later).await, Some(HOUR), "the guild's holds again");
    choose(&domain, None, None).await.unwrap();
    let free = send(&domain, 5).await;
    assert_eq!(moment(&domain, free).await, None);
    assert_eq!(moment(&domain, here).await, Some(MINUTE), "what has its moment keeps it");
}

/// A bound that moves does not move what somebody has chosen: it rests until it fits, or is chosen anew.
#[tokio::test]
async fn a_time_that_is_no_longer_allowed_rests() {
    let domain = testing::domain().await;
    allow(&domain, Some(MINUTE), Some(HOUR)).await.unwrap();
    choose(&domain, None, Some(HOUR)).await.unwrap();
    for (min, max) in [(Some(MINUTE), Some(MINUTE)), (None, None)] {
        allow(&domain, min, max).await.unwrap();
        let times = own_times(&domain, &ada().0, guild()).await.unwrap();
        assert!(times.rows.len() == 1 && !times.holds(&times.rows[0]), "{times:?}");
        let id = send(&domain, 5).await;
        assert_eq!(moment(&domain, id).await, None);
    }
    // It can be ended while it rests.
    allow(&domain, None, Some(HOUR)).await.unwrap();
    let id = send(&domain, 5).await;
    assert_eq!(moment(&domain, id).await, Some(HOUR));
    allow(&domain, None, None).await.unwrap();
    assert!(choose(&domain, None, None).await.unwrap().rows.is_empty());
}

#[tokio::test]
async fn a_message_is_due_at_its_moment_and_not_before_and_once() {
    let domain = testing::domain().await;
    allow(&domain, Some(MINUTE), Some(HOUR)).await.unwrap();
    choose(&domain, None, Some(MINUTE)).await.unwrap();
    let id = send(&domain, 5).await;
    // Delivered twice.
    note_own_message(&domain, (guild(), channel(5), id), ada().1).await.unwrap();
    domain.advance(TimeDelta::seconds(MINUTE - 2));
    assert!(claim_due_messages(&domain, 10).await.unwrap().is_empty());
    domain.advance(TimeDelta::seconds(1));
    let due = claim_due_messages(&domain, 10).await.unwrap();
    assert_eq!((due.len(), due[0].row.message_id), (1, id));
    settle_message(&domain, &due[0], true).await.unwrap();
    assert_eq!(moment(&domain, id).await, None);
    let events = crate::domain::event::events_after(&domain, 0, 100).await.unwrap();
    assert!(events.iter().all(|event| event.kind != "vanish.message_gone"), "they are many");
    // A moderator's word stands, whichever came first.
    let kept = send(&domain, 5).await;
    assert!(keep_message(&domain, &admin(), guild(), channel(5), kept).await.unwrap());
    note_own_message(&domain, (guild(), channel(5), kept), ada().1).await.unwrap();
    assert!(is_kept(&domain, kept).await.unwrap() && moment(&domain, kept).await.is_none());
}

#[tokio::test]
async fn times_are_shown_and_forgotten_with_their_member() {
    let domain = testing::domain().await;
    allow(&domain, Some(MINUTE), Some(HOUR)).await.unwrap();
    choose(&domain, None, Some(HOUR)).await.unwrap();
    choose(&domain, Some(5), Some(MINUTE)).await.unwrap();
    let (actor, _) = ada();
    let id = user::own(&domain, &actor).await.unwrap().unwrap();
    let held = user::export(&domain, &actor, id).await.unwrap();
    let rows = held["tables"]["vanish_own"].as_array().unwrap();
    assert_eq!(rows.len(), 2, "{held}");
    assert!(rows.iter().any(|row| row["channelId"] == "5" && row["afterSeconds"] == MINUTE), "{held}");
    let kinds = |held: &Value| {
        let events = held["tables"]["event"].as_array().unwrap();
        events.iter().filter(|event| event["kind"] == "own_vanish.set").count()
    };
    assert_eq!(kinds(&held), 2);
    user::erase_part(&domain, &actor, id, Part::Vanish).await.unwrap();
    assert!(own_times(&domain, &actor, guild()).await.unwrap().rows.is_empty());
    let free = send(&domain, 5).await;
    assert_eq!(moment(&domain, free).await, None);
    choose(&domain, None, Some(HOUR)).await.unwrap();
    user::erase(&domain, &actor, id).await.unwrap();
    assert_eq!(vanish_own::Entity::find().count(domain.store().reader()).await.unwrap(), 0);
    let events = crate::domain::event::events_after(&domain, 0, 100).await.unwrap();
    assert!(events.iter().all(|event| !event.actor.contains("member:42") || event.kind == "vanish.default_set"));
}

#[tokio::test]
async fn a_deleted_channel_takes_its_times_along() {
    let domain = testing::domain().await;
    allow(&domain, Some(MINUTE), Some(HOUR)).await.unwrap();
    choose(&domain, None, Some(HOUR)).await.unwrap();
    choose(&domain, Some(5), Some(MINUTE)).await.unwrap();
    vanish::channel_gone(&domain, channel(5)).await.unwrap();
    let left = own_times(&domain, &ada().0, guild()).await.unwrap();
    assert_eq!(left.rows.iter().map(|row| row.channel_bits).collect::<Vec<_>>(), [WHOLE_GUILD]);
}
