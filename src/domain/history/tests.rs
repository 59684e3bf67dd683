use chrono::TimeDelta;
use entity::{
    channel_slot::SlotType,
    guild::WeekStart,
    guild_role::RoleKind,
    vanish_place,
    vanish_rule::{self, RuleState},
};
use serde_json::json;

use super::*;
use crate::domain::{
    guild::{self as general, GeneralChange},
    slot::{self, SlotKey},
    testing::{self, TestDomain, admin, channel, guild, member, root},
    vanish as rules,
};

fn key(text: &str) -> SlotKey {
    text.parse().unwrap()
}

async fn set(domain: &TestDomain, name: &str, id: u64) {
    slot::set_over_http(domain, &admin(), guild(), &key(name), channel(id)).await.unwrap();
}

async fn set_rule(domain: &TestDomain, id: u64, after_seconds: i64) {
    let new = rules::NewDuration { guild_id: guild(), channel_id: channel(id), after_seconds };
    rules::set_duration(domain, &root(), new).await.unwrap();
}

async fn zone(domain: &TestDomain, name: &str) {
    let change = GeneralChange { time_zone: Some(name.to_owned()), ..Default::default() };
    general::set_general(domain, &admin(), guild(), change).await.unwrap();
}

async fn rule(domain: &TestDomain, id: u64) -> Option<vanish_rule::Model> {
    vanish_rule::Entity::find_by_id(channel(id)).one(domain.store().reader()).await.unwrap()
}

async fn roll_back(domain: &TestDomain, to: i64) -> Vec<String> {
    let planned = plan_rollback(domain, &admin(), guild(), to).await.unwrap();
    let subjects = planned.iter().map(|change| change.subject.clone()).collect();
    // A proposal holds the plan as JSON in between.
    let planned = serde_json::from_value(serde_json::to_value(planned).unwrap()).unwrap();
    apply_changes(domain, &admin(), guild(), planned).await.unwrap();
    subjects
}

/// The export, which is all there is to settings.
async fn settings(domain: &TestDomain) -> Value {
    export(domain, &admin(), guild()).await.unwrap()
}

#[tokio::test]
async fn revisions_show_what_differs_and_page_backwards() {
    let domain = testing::domain().await;
    for id in 1..=30 {
        set(&domain, "alerts", id).await;
    }
    testing::append(&domain, "vanish.swept", "vanish/1", json!({ "deleted": 3 })).await;
    let page = revisions(&domain, &admin(), guild(), None, 100).await.unwrap();
    assert_eq!((page.len(), page[0].position, page[24].position), (25, 30, 6));
    let next = revisions(&domain, &admin(), guild(), Some(6), 25).await.unwrap();
    assert_eq!((next.len(), next[0].position), (5, 5));
    let change = FieldChange { field: "channel_id".to_owned(), before: json!("29"), after: json!("30") };
    assert_eq!(page[0].changes, [change]);
    assert_eq!((page[0].actor.as_str(), page[0].source.as_str()), ("member:42", "discord"));
    assert_eq!(revision_id(&domain, guild()).await.unwrap(), 30);
    let elsewhere = GuildId::new(9).unwrap();
    assert_eq!(revision_id(&domain, elsewhere).await.unwrap(), 0);
    assert_eq!(revisions(&domain, &member(0), guild(), None, 5).await.unwrap_err().code(), Some("forbidden"));
}

#[tokio::test]
async fn a_chain_of_changes_is_rolled_back_step_by_step() {
    let domain = testing::domain().await;
    let mut seen = vec![(revision_id(&domain, guild()).await.unwrap(), settings(&domain).await)];
    for step in 0..9 {
        domain.advance(TimeDelta::seconds(1));
        match step {
            0 => set(&domain, "alerts", 1).await,
            1 => zone(&domain, "Europe/Berlin").await,
            2 => set_rule(&domain, 5, 60).await,
            3 => {
                let purpose = "Where we listen";
                slot::create(&domain, &admin(), guild(), &key("music"), SlotType::Voice, purpose).await.unwrap();
            }
            4 => set(&domain, "alerts", 2).await,
            5 => set_rule(&domain, 5, 120).await,
            6 => {
                let change = rules::DefaultChange { after_seconds: Some(Some(3600)), ..Default::default() };
                rules::set_defaults(&domain, &admin(), guild(), change).await.unwrap();
                let target = rules::ExemptionTarget::Bots;
                let change = rules::ExemptionChange { guild_id: guild(), channel_id: None, target, add: true };
                rules::change_exemption(&domain, &admin(), change).await.unwrap();
            }
            7 => slot::clear(&domain, &admin(), guild(), &key("alerts")).await.unwrap(),
            _ => assert!(rules::remove(&domain, &root(), channel(5)).await.unwrap()),
        }
        seen.push((revision_id(&domain, guild()).await.unwrap(), settings(&domain).await));
    }
    for (position, expected) in seen.iter().skip(1).rev() {
        roll_back(&domain, *position).await;
        assert_eq!(settings(&domain).await, *expected, "revision {position}");
    }
    // And forward again: what was rolled back is history like the rest.
    let (position, expected) = seen.last().unwrap();
    roll_back(&domain, *position).await;
    assert_eq!(settings(&domain).await, *expected);
    assert_eq!(plan_rollback(&domain, &admin(), guild(), 9999).await.unwrap_err().code(), Some("history.no_revision"));
}

#[tokio::test]
async fn a_rule_comes_back_with_a_place_and_acts_on_new_messages_only() {
    let domain = testing::domain().await;
    set(&domain, "alerts", 1).await;
    let new = rules::NewRule {
        guild_id: guild(),
        channel_id: channel(5),
        after_seconds: Some(60),
        keep_last: Some(10),
        at_minute: None,
        ..testing_rule()
    };
    rules::set_rule(&domain, &root(), new).await.unwrap();
    let revision = revision_id(&domain, guild()).await.unwrap();
    domain.advance(TimeDelta::hours(1));
    rules::remove(&domain, &root(), channel(5)).await.unwrap();
    assert_eq!(roll_back(&domain, revision).await, ["vanish/5"]);
    let row = rule(&domain, 5).await.unwrap();
    assert_eq!((row.after_seconds, row.keep_last, row.state), (Some(60), Some(10), RuleState::Active));
    assert!(row.starts_after.created_at_milliseconds() >= domain.now().timestamp_millis() - 1);
    let place = vanish_place::Entity::find_by_id(channel(5)).one(domain.store().reader()).await.unwrap().unwrap();
    assert_eq!((place.cursor, place.due_at), (row.starts_after, Some(domain.now())));

    let pause = rules::Pause { until: None, reason: Some("maintenance".to_owned()) };
    let revision = revision_id(&domain, guild()).await.unwrap();
    rules::pause(&domain, &root(), guild(), channel(5), pause).await.unwrap();
    let paused = revision_id(&domain, guild()).await.unwrap();
    roll_back(&domain, revision).await;
    let row = rule(&domain, 5).await.unwrap();
    assert_eq!((row.state, row.problem), (RuleState::Active, None));
    roll_back(&domain, paused).await;
    assert_eq!(rule(&domain, 5).await.unwrap().state, RuleState::Paused);
}

fn testing_rule() -> rules::NewRule {
    rules::NewRule {
        guild_id: guild(),
        channel_id: channel(5),
        after_seconds: None,
        keep_last: None,
        schedule: None,
        at_minute: None,
        pins: None,
        threads: None,
        backlog: rules::Backlog::NewOnly,
    }
}

#[tokio::test]
async fn nothing_is_done_when_something_changed_meanwhile() {
    let domain = testing::domain().await;
    set(&domain, "alerts", 1).await;
    let revision = revision_id(&domain, guild()).await.unwrap();
    set(&domain, "alerts", 2).await;
    zone(&domain, "Asia/Tokyo").await;
    let planned = plan_rollback(&domain, &admin(), guild(), revision).await.unwrap();
    assert_eq!(planned.len(), 2);
    set(&domain, "alerts", 3).await;
    let refused = apply_changes(&domain, &admin(), guild(), planned.clone()).await.unwrap_err();
    assert_eq!(refused.code(), Some("history.changed_meanwhile"));
    assert!(refused.to_string().starts_with("The slot `alerts` was changed"), "{refused}");
    assert_eq!(settings(&domain).await["general"]["time_zone"], "Asia/Tokyo", "all or none");
    let stranger = apply_changes(&domain, &member(0), guild(), planned).await.unwrap_err();
    assert_eq!(stranger.code(), Some("forbidden"));
    for subject in ["guild/9", "vanish_default/9", "slot/Ä", "lease/x", "vanish_exemption/700/all/nobody/all"] {
        let planned = vec![PlannedChange { subject: subject.to_owned(), from: Value::Null, to: Value::Null }];
        let refused = apply_changes(&domain, &admin(), guild(), planned).await.unwrap_err();
        assert_eq!(refused.code(), Some("history.bad_subject"), "{subject}");
    }
}

#[tokio::test]
async fn vanish_settings_need_their_own_right() {
    let domain = testing::domain().await;
    set(&domain, "alerts", 1).await;
    let revision = revision_id(&domain, guild()).await.unwrap();
    set_rule(&domain, 5, 60).await;
    let actor = testing::key(&["discord:channels:write"], Some(guild()));
    let refused = plan_rollback(&domain, &actor, guild(), revision).await.unwrap_err();
    assert_eq!(refused.code(), Some("forbidden"));
    let planned = plan_rollback(&domain, &admin(), guild(), revision).await.unwrap();
    let refused = apply_changes(&domain, &actor, guild(), planned).await.unwrap_err();
    assert_eq!(refused.code(), Some("forbidden"));
}

async fn import(domain: &TestDomain, document: &Value) -> Result<Vec<PlannedChange>, Error> {
    plan_import(domain, &admin(), guild(), &serde_json::to_vec(document).unwrap()).await
}

async fn furnished() -> TestDomain {
    let domain = testing::domain().await;
    set(&domain, "alerts", 1).await;
    set(&domain, "hall", 2).await;
    slot::create(&domain, &admin(), guild(), &key("music"), SlotType::Voice, "Where we listen").await.unwrap();
    zone(&domain, "Europe/Berlin").await;
    set_rule(&domain, 5, 60).await;
    let target = rules::ExemptionTarget::Role(entity::id::RoleId::new(7).unwrap());
    let change = rules::ExemptionChange { guild_id: guild(), channel_id: Some(channel(5)), target, add: true };
    rules::change_exemption(&domain, &root(), change).await.unwrap();
    domain
}

#[tokio::test]
async fn an_export_imports_as_itself() {
    let domain = furnished().await;
    let document = settings(&domain).await;
    assert_eq!(document["format"], "guildhall-settings");
    assert_eq!(document["slots"][0], json!({ "key": "alerts", "channel_id": "1" }));
    assert_eq!(document["slots"][2]["type"], "voice");
    assert_eq!(document["vanish"]["exemptions"][0]["target_id"], "7");
    assert_eq!(import(&domain, &document).await.unwrap(), []);

    let again = testing::domain().await;
    let planned = import(&again, &document).await.unwrap();
    assert_eq!(planned.len(), 6);
    apply_changes(&again, &admin(), guild(), planned).await.unwrap();
    assert_eq!(settings(&again).await, document);
    let row = rule(&again, 5).await.unwrap();
    assert_eq!(row.state, RuleState::Unconfirmed, "a file proves nothing about a channel");
}

#[tokio::test]
async fn an_import_shows_the_difference_and_leaves_missing_parts_alone() {
    let domain = furnished().await;
    let mut document = settings(&domain).await;
    document["general"]["week_start"] = json!("sunday");
    document["slots"] = json!([{ "key": "alerts", "channel_id": "9" }, { "key": "voice", "channel_id": "3" }]);
    document["vanish"] = json!({ "default": null, "rules": null, "exemptions": [] });
    let planned = import(&domain, &document).await.unwrap();
    let subjects: Vec<_> = planned.iter().map(|change| change.subject.as_str()).collect();
    assert_eq!(
        subjects,
        ["guild/700", "slot/hall", "slot/music", "slot/alerts", "slot/voice", "vanish_exemption/700/5/role/7"]
    );
    let change = FieldChange { field: "week_start".to_owned(), before: json!("monday"), after: json!("sunday") };
    assert_eq!(planned[0].changes(), [change]);
    assert_eq!((&planned[1].to, &planned[4].from), (&Value::Null, &Value::Null));
    apply_changes(&domain, &admin(), guild(), planned).await.unwrap();
    let row = general::general(&domain, &admin(), guild()).await.unwrap();
    assert_eq!((row.week_start, row.time_zone.as_str()), (WeekStart::Sunday, "Europe/Berlin"));
    assert!(rule(&domain, 5).await.is_some());

    let nothing = json!({ "format": "guildhall-settings", "version": 1, "guild_id": "700" });
    assert_eq!(import(&domain, &nothing).await.unwrap(), []);
}

#[tokio::test]
async fn a_bad_file_is_answered_with_the_place() {
    let domain = furnished().await;
    let good = settings(&domain).await;
    let cases = [
        ("/slots/0/key", json!("Alerts"), "/slots/0/key: "),
        ("/slots/1/key", json!("alerts"), "/slots/1/key: is named twice"),
        ("/slots/0/channel_id", json!(5), "/slots/0/channel_id: "),
        ("/slots/2/type", json!("radio"), "/slots/2/type: must be one of any, text, voice"),
        ("/slots/2/purpose", json!(null), "/slots/2/type: type and purpose go together"),
        ("/general/time_zone", json!("Europe/Berln"), "/general: There is no time zone `Europe/Berln`: did you mean"),
        ("/vanish/rules/0/after_seconds", json!(1), "/vanish/rules/0/after_seconds: must be from 10"),
        ("/vanish/rules/0/after_seconds", json!(null), "/vanish/rules/0/after_seconds: is needed"),
        ("/vanish/rules/0/schedule", json!("daily"), "/vanish/rules/0/at_minute: is needed"),
        ("/vanish/exemptions/0/target_id", json!(null), "/vanish/exemptions/0/target_id: "),
        ("/vanish/default/keep_last", json!(5000), "/vanish/default/keep_last: must be from 1 to 1000"),
        ("/vanish/rules/0", json!({ "chanel_id": "5" }), "/vanish/rules/0"),
        ("/guild_id", json!("9"), "The file belongs to the server 9"),
        ("/version", json!(2), "The file is no export"),
    ];
    for (pointer, value, expected) in cases {
        let mut document = good.clone();
        *document.pointer_mut(pointer).unwrap() = value;
        let refused = import(&domain, &document).await.unwrap_err();
        assert!(refused.to_string().starts_with(expected), "{pointer}: {refused}");
    }
    let mut paused = good.clone();
    paused["vanish"]["rules"][0]["channel_id"] = json!("6");
    paused["vanish"]["rules"][0]["paused"] = json!(true);
    let refused = import(&domain, &paused).await.unwrap_err();
    assert!(refused.to_string().starts_with("/vanish/rules/0/paused"), "{refused}");
    let noise = plan_import(&domain, &admin(), guild(), b"{").await.unwrap_err();
    assert_eq!(noise.code(), Some("import.not_json"));
    let huge = vec![b' '; IMPORT_BYTES_MAX + 1];
    let refused = plan_import(&domain, &admin(), guild(), &huge).await.unwrap_err();
    assert_eq!(refused.code(), Some("import.too_large"));
    let deep = "[".repeat(100_000);
    let refused = plan_import(&domain, &admin(), guild(), deep.as_bytes()).await.unwrap_err();
    assert_eq!(refused.code(), Some("import.not_json"));
}

#[tokio::test]
async fn another_servers_channel_is_not_taken() {
    let domain = testing::domain().await;
    let elsewhere = GuildId::new(9).unwrap();
    let new = rules::NewDuration { guild_id: elsewhere, channel_id: channel(5), after_seconds: 60 };
    rules::set_duration(&domain, &root(), new).await.unwrap();
    let document = json!({
        "format": "guildhall-settings", "version": 1, "guild_id": "700",
        "vanish": { "rules": [{ "channel_id": "5", "after_seconds": 30, "schedule": "rolling" }] },
    });
    let planned = import(&domain, &document).await.unwrap();
    let refused = apply_changes(&domain, &admin(), guild(), planned).await.unwrap_err();
    assert_eq!(refused.code(), Some("history.other_guild_rule"));
    assert_eq!(rule(&domain, 5).await.unwrap().guild_id, elsewhere);
}

#[tokio::test]
async fn roles_are_rolled_back_and_imported_by_those_who_may_give_them() {
    let domain = testing::domain().await;
    let role = |id: u64| entity::id::RoleId::new(id).unwrap();
    let set = async |kind: RoleKind, id: u64| {
        general::role::set_role(&domain, &admin(), guild(), kind, Some(role(id))).await.unwrap();
    };
    set(RoleKind::Manager, 5).await;
    let first = revision_id(&domain, guild()).await.unwrap();
    set(RoleKind::Manager, 6).await;
    set(RoleKind::Voter, 7).await;
    let exported = settings(&domain).await;
    assert_eq!(exported["roles"], json!([{"kind": "manager", "role_id": "6"}, {"kind": "voter", "role_id": "7"}]));
    let all = async || general::role::roles(&domain, &admin(), guild()).await.unwrap();
    roll_back(&domain, first).await;
    assert_eq!(all().await, [(RoleKind::Manager, role(5))]);
    let planned = import(&domain, &exported).await.unwrap();
    // Whoever manages by such a role may change everything else, but not who does.
    let Actor::Member(stranger) = member(0) else { unreachable!() };
    let stranger = crate::domain::Member { roles: vec![role(5)], ..stranger };
    let manager = Actor::Member(general::role::recognise(&domain, stranger).await.unwrap());
    let refused = apply_changes(&domain, &manager, guild(), planned.clone()).await.unwrap_err();
    assert_eq!(refused.code(), Some("forbidden"));
    apply_changes(&domain, &admin(), guild(), planned).await.unwrap();
    assert_eq!(all().await, [(RoleKind::Manager, role(6)), (RoleKind::Voter, role(7))]);
    let mut older = exported.clone();
    older.as_object_mut().unwrap().remove("roles");
    assert!(import(&domain, &older).await.unwrap().is_empty(), "a part that is missing stays");
    for (roles, place) in [
        (json!([{"kind": "boss", "role_id": "1"}]), "/roles/0/kind"),
        (json!([{"kind": "voter", "role_id": "1"}, {"kind": "voter", "role_id": "2"}]), "/roles/1/kind"),
        (json!([{"kind": "voter", "role_id": "700"}]), "/roles/0/role_id"),
    ] {
        let mut wrong = exported.clone();
        wrong["roles"] = roles;
        let refused = import(&domain, &wrong).await.unwrap_err();
        assert!(refused.to_string().starts_with(place), "{refused}");
    }
}
