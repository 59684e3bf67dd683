//! Making, changing, replacing and ending keys.

use chrono::TimeDelta;
use entity::{api_key::Preset, id::ApiKeyId};
use serde_json::json;

use super::*;
use crate::{
    domain::{
        api_key::{
            ImportedKey, KeyChange, abandon_delivery, activate_delivered, change, format, import, report_leak, revoke,
            revoke_undelivered, rotate, rotate_for_delivery,
        },
        event,
    },
    secret::Secret,
};

#[tokio::test]
async fn a_key_opens_from_its_making_to_its_end() {
    let domain = testing::domain().await;
    let end = domain.now() + TimeDelta::seconds(2);
    let key = issue(&domain, NewKey { expires_at: Some(end), ..new() }).await;
    assert_eq!(key.row.digest, format::digest(key.secret.expose()));
    domain.advance(TimeDelta::seconds(1));
    assert_eq!(opens(&domain, &key).await.unwrap().actor.scopes.names(), ["read", "write"]);
    domain.advance(TimeDelta::milliseconds(1_500));
    assert_eq!(opens(&domain, &key).await.unwrap_err(), "key.expired");
    assert_eq!(status(&domain, key.row.id).await, KeyStatus::Expired);
}

#[tokio::test]
async fn types_bring_scopes_and_limits() {
    let domain = testing::domain().await;
    let bot = issue(&domain, NewKey { preset: Some(Preset::DiscordBot), ..new() }).await.row;
    assert_eq!((bot.scopes, bot.rate_limits[0]["limit"].clone()), (json!(["read"]), json!(100)));
    let admin = issue(&domain, NewKey { preset: Some(Preset::Admin), ..new() }).await.row;
    assert_eq!(admin.scopes, json!(["admin"]));
    assert_eq!(admin.rate_limits, json!([{ "name": "default", "limit": 500, "windowMs": 3_600_000 }]));
    assert_eq!(issue(&domain, new()).await.row.rate_limits, json!([]));
}

#[tokio::test]
async fn disabled_is_reversible_and_revoked_is_not() {
    let domain = testing::domain().await;
    let key = issue(&domain, new()).await;
    let id = key.row.id;
    let set = async |enabled| {
        change(&domain, &root(), id, KeyChange { enabled: Some(enabled), ..KeyChange::default() }).await
    };
    set(false).await.unwrap();
    assert_eq!(opens(&domain, &key).await.unwrap_err(), "key.disabled");
    set(true).await.unwrap();
    opens(&domain, &key).await.unwrap();
    let first = revoke(&domain, &root(), id, Some("lost".to_owned())).await.unwrap();
    assert_eq!(opens(&domain, &key).await.unwrap_err(), "key.revoked");
    domain.advance(TimeDelta::seconds(5));
    let again = revoke(&domain, &testing::key(&["admin"], None), id, Some("other".to_owned())).await.unwrap();
    assert_eq!(again, first, "the first revocation stays");
    assert_eq!(code(set(true).await), "key.revoked_for_good");
    set(false).await.unwrap();
    assert_eq!(kinds(&domain).await, ["api_key.created", "api_key.disabled", "api_key.enabled", "api_key.revoked"]);
}

/// The peer's defect 16: an expiry can be taken away again, and a name does not grow.
#[tokio::test]
async fn a_change_changes_what_it_names_and_says_so() {
    let domain = testing::domain().await;
    let end = domain.now() + TimeDelta::hours(1);
    let new = NewKey { expires_at: Some(end), description: Some("old words".to_owned()), ..new() };
    let before = issue(&domain, new).await.row;
    let asked = KeyChange {
        name: Some("Secret plans".to_owned()),
        description: Some(None),
        scopes: Some(vec!["read".to_owned()]),
        ip_allowlist: Some(vec!["10.0.0.1".to_owned()]),
        expires_at: Some(None),
        ..KeyChange::default()
    };
    let after = change(&domain, &root(), before.id, asked.clone()).await.unwrap();
    assert_eq!((after.description.as_ref(), after.expires_at), (None, None));
    assert_eq!((&after.scopes, &after.ip_allowlist), (&json!(["read"]), &json!(["10.0.0.1/32"])));
    assert!(after.generation > before.generation);
    let same = change(&domain, &root(), before.id, asked).await.unwrap();
    assert_eq!(same, after, "a change that changes nothing is none");
    let events = event::events_after(&domain, 0, 10).await.unwrap();
    assert_eq!(events.len(), 2);
    let data = &events[1].data;
    assert_eq!(data["after"]["texts"], json!(["name", "description"]));
    assert_eq!(data["before"]["scopes"], json!(["read", "write"]));
    assert!(!data.to_string().contains("plans") && !data.to_string().contains("words"), "{data}");
}

#[tokio::test]
async fn an_old_key_lives_through_its_grace_and_no_longer() {
    let domain = testing::domain().await;
    let old = issue(&domain, NewKey { ip_allowlist: vec!["192.0.2.0/24".to_owned()], ..new() }).await;
    let rotated = rotate(&domain, &root(), old.row.id, TimeDelta::seconds(3)).await.unwrap();
    assert_eq!(rotated.old.replaced_by, Some(rotated.new.row.id));
    assert_eq!(rotated.new.row.rotated_from, Some(old.row.id));
    assert_eq!(rotated.new.row.name, old.row.name);
    assert_eq!((&rotated.new.row.scopes, &rotated.new.row.ip_allowlist), (&old.row.scopes, &old.row.ip_allowlist));
    domain.advance(TimeDelta::milliseconds(2_999));
    opens(&domain, &old).await.unwrap();
    opens(&domain, &rotated.new).await.unwrap();
    assert_eq!(code(rotate(&domain, &root(), old.row.id, TimeDelta::seconds(3)).await), "key.not_rotatable");
    domain.advance(TimeDelta::milliseconds(1));
    assert_eq!(opens(&domain, &old).await.unwrap_err(), "key.expired");
    opens(&domain, &rotated.new).await.unwrap();
    assert_eq!(kinds(&domain).await, ["api_key.created", "api_key.rotated", "api_key.created"]);
}

#[tokio::test]
async fn a_grace_extends_no_life_and_revives_nothing() {
    let domain = testing::domain().await;
    let seconds = TimeDelta::seconds;
    let dying = issue(&domain, NewKey { expires_at: Some(domain.now() + seconds(1)), ..new() }).await;
    let rotated = rotate(&domain, &root(), dying.row.id, seconds(60)).await.unwrap();
    assert_eq!(crate::domain::api_key::ends_at(&rotated.old), dying.row.expires_at);
    domain.advance(seconds(1));
    assert_eq!(opens(&domain, &dying).await.unwrap_err(), "key.expired");
    // The new key has the same end: it copies everything.
    assert_eq!(code(rotate(&domain, &root(), rotated.new.row.id, seconds(60)).await), "key.not_rotatable");

    let replaced = issue(&domain, new()).await;
    rotate(&domain, &root(), replaced.row.id, seconds(60)).await.unwrap();
    let set = async |enabled| {
        let asked = KeyChange { enabled: Some(enabled), ..KeyChange::default() };
        change(&domain, &root(), replaced.row.id, asked).await.unwrap()
    };
    set(false).await;
    assert_eq!(opens(&domain, &replaced).await.unwrap_err(), "key.disabled");
    domain.advance(seconds(60));
    set(true).await;
    assert_eq!(opens(&domain, &replaced).await.unwrap_err(), "key.expired", "off and on is no new life");

    let killed = issue(&domain, new()).await;
    let rotated = rotate(&domain, &root(), killed.row.id, seconds(0)).await.unwrap();
    assert_eq!(opens(&domain, &killed).await.unwrap_err(), "key.revoked");
    opens(&domain, &rotated.new).await.unwrap();
    for grace in [seconds(-1), seconds(604_801)] {
        assert_eq!(code(rotate(&domain, &root(), rotated.new.row.id, grace).await), "key.bad_grace");
    }
    rotate(&domain, &root(), rotated.new.row.id, seconds(604_800)).await.unwrap();
}

#[tokio::test]
async fn of_ten_rotations_at_once_one_wins() {
    let domain = std::sync::Arc::new(testing::domain().await);
    let key = issue(&domain, new()).await;
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..10 {
        let (domain, id) = (domain.clone(), key.row.id);
        tasks.spawn(
            async move { rotate(&domain, &root(), id, TimeDelta::seconds(60)).await.err().and_then(|e| e.code()) },
        );
    }
    let outcomes = tasks.join_all().await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_none()).count(), 1, "{outcomes:?}");
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == Some("key.not_rotatable")).count(), 9, "{outcomes:?}");
}

#[tokio::test]
async fn one_active_key_is_a_rule_that_a_grace_does_not_break() {
    let domain = std::sync::Arc::new(limited(1).await);
    let owned = NewKey { user_id: Some(person(&domain).await), ..new() };
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (domain, owned) = (domain.clone(), owned.clone());
        tasks.spawn(async move { create(&domain, &root(), owned).await.map(|key| key.row).map_err(|e| e.code()) });
    }
    let outcomes = tasks.join_all().await;
    let made: Vec<_> = outcomes.iter().filter_map(|outcome| outcome.as_ref().ok()).collect();
    let refused = outcomes.iter().filter(|one| matches!(one, Err(Some("key.too_many_active")))).count();
    assert_eq!((made.len(), refused), (1, 7), "{outcomes:?}");

    let first = made[0].id;
    let rotated = rotate(&domain, &root(), first, TimeDelta::seconds(60)).await.unwrap();
    assert_eq!((rotated.old.slot, rotated.new.row.slot), (None, Some(0)), "a key in grace holds no slot");
    assert_eq!(code(create(&domain, &root(), owned.clone()).await), "key.too_many_active");

    let off = KeyChange { enabled: Some(false), ..KeyChange::default() };
    let on = KeyChange { enabled: Some(true), ..KeyChange::default() };
    change(&domain, &root(), rotated.new.row.id, off).await.unwrap();
    let end = domain.now() + TimeDelta::seconds(10);
    let third = issue(&domain, NewKey { expires_at: Some(end), ..owned.clone() }).await;
    assert_eq!(code(change(&domain, &root(), rotated.new.row.id, on.clone()).await), "key.too_many_active");
    domain.advance(TimeDelta::seconds(10));
    change(&domain, &root(), rotated.new.row.id, on).await.unwrap();
    let longer = KeyChange { expires_at: Some(None), ..KeyChange::default() };
    assert_eq!(code(change(&domain, &root(), third.row.id, longer).await), "key.too_many_active");
    let nobody = NewKey { user_id: Some(entity::id::UserId(uuid::Uuid::nil())), ..new() };
    assert_eq!(code(create(&domain, &root(), nobody).await), "user.not_found");
}

#[tokio::test]
async fn a_face_may_ask_for_fewer_active_keys() {
    let domain = testing::domain().await;
    let owned = NewKey { user_id: Some(person(&domain).await), active_max: Some(2), ..new() };
    issue(&domain, NewKey { active_max: None, ..owned.clone() }).await;
    issue(&domain, owned.clone()).await;
    assert_eq!(code(create(&domain, &root(), owned.clone()).await), "key.too_many_active");
    issue(&domain, NewKey { active_max: None, ..owned }).await;
}

#[tokio::test]
async fn a_key_on_its_way_is_good_only_when_it_has_arrived() {
    let domain = testing::domain().await;
    let sent = NewKey { delivering: true, ..new() };
    let (arrived, lost, late) =
        (issue(&domain, sent.clone()).await, issue(&domain, sent.clone()).await, issue(&domain, sent).await);
    assert_eq!(opens(&domain, &arrived).await.unwrap_err(), "key.delivering");
    assert_eq!(code(rotate(&domain, &root(), arrived.row.id, TimeDelta::zero()).await), "key.not_rotatable");
    activate_delivered(&domain, arrived.row.id).await.unwrap();
    opens(&domain, &arrived).await.unwrap();
    assert_eq!(code(activate_delivered(&domain, arrived.row.id).await), "key.not_delivering");
    abandon_delivery(&domain, lost.row.id).await.unwrap();
    abandon_delivery(&domain, lost.row.id).await.unwrap();
    assert_eq!(code(activate_delivered(&domain, lost.row.id).await), "key.not_delivering");
    assert_eq!(code(abandon_delivery(&domain, arrived.row.id).await), "key.not_delivering");
    domain.advance(TimeDelta::milliseconds(59_999));
    assert_eq!(revoke_undelivered(&domain).await.unwrap(), 0);
    domain.advance(TimeDelta::milliseconds(1));
    assert_eq!(revoke_undelivered(&domain).await.unwrap(), 1);
    assert_eq!(opens(&domain, &late).await.unwrap_err(), "key.revoked");
    opens(&domain, &arrived).await.unwrap();
}

#[tokio::test]
async fn a_rotation_that_is_not_delivered_leaves_the_old_key_as_it_was() {
    let domain = limited(1).await;
    let old = issue(&domain, NewKey { user_id: Some(person(&domain).await), ..new() }).await;
    let grace = TimeDelta::seconds(10);
    let lost = rotate_for_delivery(&domain, &root(), old.row.id, grace).await.unwrap().new;
    assert_eq!(code(rotate(&domain, &root(), old.row.id, grace).await), "key.rotation_under_way");
    domain.advance(TimeDelta::seconds(60));
    opens(&domain, &old).await.unwrap();
    revoke_undelivered(&domain).await.unwrap();
    let after = row(&domain, old.row.id).await;
    assert_eq!((after.replaced_by, after.grace_ends_at, after.slot), (None, None, Some(0)));
    assert_eq!(opens(&domain, &lost).await.unwrap_err(), "key.revoked");

    let new = rotate_for_delivery(&domain, &root(), old.row.id, grace).await.unwrap().new;
    opens(&domain, &old).await.unwrap();
    let arrived = activate_delivered(&domain, new.row.id).await.unwrap();
    assert_eq!(arrived.slot, Some(0));
    assert_eq!(status(&domain, old.row.id).await, KeyStatus::Retiring);
    domain.advance(grace);
    assert_eq!(opens(&domain, &old).await.unwrap_err(), "key.expired");
    opens(&domain, &new).await.unwrap();
}

#[tokio::test]
async fn whoever_finds_a_key_can_end_it() {
    let domain = testing::domain().await;
    let key = issue(&domain, new()).await;
    let found = report_leak(&domain, key.secret.expose()).await.unwrap().unwrap();
    assert!(!found.was_revoked);
    assert_eq!(found.row.state_by, format!("key:{}", key.row.id));
    assert_eq!(opens(&domain, &key).await.unwrap_err(), "key.revoked");
    let again = report_leak(&domain, key.secret.expose()).await.unwrap().unwrap();
    assert!(again.was_revoked);
    assert_eq!(again.row, found.row);
    for state in [false, true] {
        let key = issue(&domain, NewKey { delivering: state, ..new() }).await;
        if !state {
            let off = KeyChange { enabled: Some(false), ..KeyChange::default() };
            change(&domain, &root(), key.row.id, off).await.unwrap();
        }
        report_leak(&domain, key.secret.expose()).await.unwrap().unwrap();
        assert_eq!(status(&domain, key.row.id).await, KeyStatus::Revoked);
    }
    let stranger = format::mint(Shape::Live).secret;
    for unknown in [stranger.expose(), "kk_admin_nobody", "", "\u{0}"] {
        assert!(report_leak(&domain, unknown).await.unwrap().is_none());
    }
}

#[tokio::test]
async fn keys_of_other_systems_work_unchanged() {
    let domain = testing::domain().await;
    let imported = |key: &str, brand: &str| ImportedKey {
        digest: crate::domain::instance::hex(&format::digest(key)),
        brand: brand.to_owned(),
        start: String::new(),
        last_four: String::new(),
        total_requests: 7,
        last_used_at: None,
        created_at: None,
        specification: NewKey { preset: Some(Preset::DiscordBot), ..new() },
    };
    let cartel = "cartel_0123456789abcdefghijklmnopqrst-_";
    for (key, brand) in [(cartel, "cartel_"), ("kk_admin_00ff", ""), ("anything-else", "")] {
        assert_eq!(verify(&domain, key, HOME).await.err().and_then(|e| e.code()), Some("unauthenticated"));
        let row = import(&domain, &root(), imported(key, brand)).await.unwrap();
        let known = verify(&domain, key, HOME).await.unwrap();
        assert_eq!((known.row.id, row.total_requests), (row.id, 7));
        assert_eq!(code(import(&domain, &root(), imported(key, brand)).await), "key.already_known");
    }
    let found = report_leak(&domain, cartel).await.unwrap().unwrap();
    assert_eq!(status(&domain, found.row.id).await, KeyStatus::Revoked);
    for (digest, brand, wanted) in [
        ("00", "", "key.bad_digest"),
        (&"g".repeat(64), "", "key.bad_digest"),
        (&"0".repeat(64), "far too long a brand", "key.bad_display"),
        (&"0".repeat(64), "sp ce", "key.bad_display"),
    ] {
        let import_it = ImportedKey { digest: digest.to_owned(), ..imported("x", brand) };
        assert_eq!(code(import(&domain, &root(), import_it).await), wanted);
    }
}

/// Nothing that is stored leads back to a key.
#[tokio::test]
async fn no_event_holds_a_part_of_a_key() {
    let domain = testing::domain().await;
    let key = issue(&domain, new()).await;
    let rotated = rotate(&domain, &root(), key.row.id, TimeDelta::seconds(5)).await.unwrap().new;
    revoke(&domain, &root(), rotated.row.id, None).await.unwrap();
    let events = event::events_after(&domain, 0, 100).await.unwrap();
    let text = format!("{events:?}");
    for key in [&key, &rotated] {
        let secret: &Secret = &key.secret;
        assert!(!text.contains(&secret.expose()[10..18]) && !text.contains(&key.row.last_four), "{text}");
    }
    assert!(events.iter().all(|event| event.subject.strip_prefix("api_key/").is_some_and(is_id)));
}

fn is_id(text: &str) -> bool {
    text.parse::<ApiKeyId>().is_ok()
}
