//! What forms may be, and how they change.

use std::collections::BTreeSet;

use entity::form::FormState;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::domain::{event, history};

#[tokio::test]
async fn a_name_is_one_forms_whatever_its_case() {
    let domain = testing::domain().await;
    let (admin, guild) = (testing::admin(), testing::guild());
    let made = open_form(&domain, "Staff", vec![short("Why?")]).await;
    let again = create_form(&domain, &admin, guild, FormConfig::new(" sTAFF ", None, None)).await;
    assert_eq!(code(again), "form.name_taken");
    let other = create_form(&domain, &admin, guild, FormConfig::new("Other", None, None)).await.unwrap();
    let name = FormChange::Texts { name: Some("STAFF".to_owned()), title: None, intro: None };
    assert_eq!(code(change_form(&domain, &admin, (guild, other.id), name.clone()).await), "form.name_taken");
    // Its own name in another case is its own.
    let renamed = change_form(&domain, &admin, (guild, made.id), name).await.unwrap();
    assert_eq!(renamed.config.name, "STAFF");
    assert_eq!(form_named(&domain, &testing::member(0), guild, "staff").await.unwrap().id, made.id);
    let reserved = create_form(&domain, &admin, guild, FormConfig::new(" HTTP ", None, None)).await;
    assert_eq!(code(reserved), "form.name_reserved");
    // Another guild may have it, and does not see this one.
    let elsewhere = entity::id::GuildId::new(701).unwrap();
    assert_eq!(code(form(&domain, &testing::root(), elsewhere, made.id).await), "form.no_form");
    create_form(&domain, &testing::root(), elsewhere, FormConfig::new("Staff", None, None)).await.unwrap();
}

#[tokio::test]
async fn whoever_may_not_manage_changes_nothing() {
    let domain = testing::domain().await;
    let (member, guild) = (testing::member(0), testing::guild());
    let made = open_form(&domain, "Staff", vec![short("Why?")]).await;
    assert_eq!(code(create_form(&domain, &member, guild, FormConfig::new("x", None, None)).await), "forbidden");
    let close = FormChange::State(FormState::Closed);
    assert_eq!(code(change_form(&domain, &member, (guild, made.id), close).await), "forbidden");
    assert_eq!(code(remove_form(&domain, &member, (guild, made.id)).await), "forbidden");
    assert_eq!(code(panels(&domain, &member, (guild, made.id)).await), "forbidden");
    assert_eq!(code(plan_import(&domain, &member, guild, b"{}").await), "forbidden");
    let stranger = testing::key(&["discord:channels:write"], entity::id::GuildId::new(9));
    assert_eq!(code(remove_form(&domain, &stranger, (guild, made.id)).await), "forbidden");
}

#[tokio::test]
async fn questions_come_go_and_move_with_one_event_each() {
    let domain = testing::domain().await;
    let (admin, guild) = (testing::admin(), testing::guild());
    let made = open_form(&domain, "Staff", vec![short("a"), short("b"), short("c")]).await;
    let id = |view: &FormView, label: &str| view.config.questions.iter().find(|one| one.label == label).unwrap().id;
    let labels = |view: &FormView| -> String { view.config.questions.iter().map(|one| one.label.as_str()).collect() };
    let place = (guild, made.id);
    let moved = FormChange::MoveQuestion { id: id(&made, "c"), place: 1 };
    let view = change_form(&domain, &admin, place, moved.clone()).await.unwrap();
    assert_eq!(labels(&view), "cab");
    assert_eq!(id(&view, "a"), id(&made, "a"), "a question keeps its id");
    let nothing = change_form(&domain, &admin, place, moved).await.unwrap();
    assert_eq!(labels(&nothing), "cab");
    let added = FormChange::AddQuestion { question: choice("d", &["x", "y"]), place: Some(2) };
    let view = change_form(&domain, &admin, place, added).await.unwrap();
    assert_eq!(labels(&view), "cdab");
    let change = QuestionChange { is_required: Some(false), ..QuestionChange::default() };
    let edited = FormChange::EditQuestion { id: id(&view, "d"), change };
    let view = change_form(&domain, &admin, place, edited).await.unwrap();
    assert!(!view.config.questions[1].is_required && view.config.questions[1].choices == ["x", "y"]);
    let view = change_form(&domain, &admin, place, FormChange::RemoveQuestion { id: id(&view, "a") }).await.unwrap();
    assert_eq!(labels(&view), "cdb");
    for (refused, expected) in [
        (FormChange::MoveQuestion { id: id(&view, "b"), place: 4 }, "form.no_place"),
        (FormChange::MoveQuestion { id: id(&view, "b"), place: 0 }, "form.no_place"),
        (FormChange::RemoveQuestion { id: id(&made, "a") }, "form.no_question"),
        (FormChange::AddQuestion { question: short(" B "), place: None }, "form.same_question"),
        (FormChange::AddQuestion { question: short(&"x".repeat(46)), place: None }, "form.bad_text"),
        (FormChange::AddQuestion { question: choice("e", &["x", "x"]), place: None }, "form.bad_choices"),
        (FormChange::AddQuestion { question: choice("e", &[]), place: None }, "form.bad_choices"),
        (
            FormChange::AddQuestion { question: Question { max_length: 1_001, ..short("e") }, place: None },
            "form.bad_length",
        ),
        (
            FormChange::AddQuestion { question: Question { min_length: 9, max_length: 8, ..short("e") }, place: None },
            "form.bad_length",
        ),
    ] {
        assert_eq!(code(change_form(&domain, &admin, place, refused).await), expected);
    }
    change_form(&domain, &admin, place, FormChange::State(FormState::Closed)).await.unwrap();
    remove_form(&domain, &admin, place).await.unwrap();
    assert_eq!(code(remove_form(&domain, &admin, place).await), "form.no_form");
    let events = event::events_after(&domain, 0, 100).await.unwrap();
    let kinds: Vec<_> = events.iter().map(|event| event.kind.as_str()).collect();
    assert_eq!(
        kinds,
        ["form.created", "form.changed", "form.changed", "form.changed", "form.changed", "form.closed", "form.removed"]
    );
}

#[tokio::test]
async fn bounds_hold() {
    let domain = testing::domain().await;
    let (admin, guild) = (testing::admin(), testing::guild());
    for n in 0..25 {
        create_form(&domain, &admin, guild, FormConfig::new(&format!("form {n}"), None, None)).await.unwrap();
    }
    let one_more = create_form(&domain, &admin, guild, FormConfig::new("one more", None, None)).await;
    assert_eq!(code(one_more), "form.too_many_forms");
    let view = form_named(&domain, &admin, guild, "form 3").await.unwrap();
    let place = (guild, view.id);
    let open = FormChange::State(FormState::Open);
    assert_eq!(code(change_form(&domain, &admin, place, open).await), "form.no_questions");
    for n in 0..25 {
        let add = FormChange::AddQuestion { question: short(&n.to_string()), place: None };
        change_form(&domain, &admin, place, add).await.unwrap();
    }
    let add = FormChange::AddQuestion { question: short("one more"), place: None };
    assert_eq!(code(change_form(&domain, &admin, place, add).await), "form.too_many_questions");
    let rules = |eligibility| FormChange::Rules { policy: Box::default(), eligibility };
    let days = |days: i64| Some(days * 86_400);
    let role = |id| RoleId::new(id).unwrap();
    let undecided = PolicyChange { deadline_hours: Some(None), early_close: Some(false), ..PolicyChange::default() };
    let undecided = FormChange::Rules { policy: Box::new(undecided), eligibility: EligibilityChange::default() };
    assert_eq!(code(change_form(&domain, &admin, place, undecided).await), "form.bad_policy");
    for (change, expected) in [
        (EligibilityChange { cooldown_seconds: days(366), ..EligibilityChange::default() }, "form.bad_rule"),
        (EligibilityChange { open_max: Some(6), ..EligibilityChange::default() }, "form.bad_rule"),
        (EligibilityChange { open_max: Some(0), ..EligibilityChange::default() }, "form.bad_rule"),
        (EligibilityChange { account_age_seconds: Some(-1), ..EligibilityChange::default() }, "form.bad_rule"),
        (
            EligibilityChange {
                required_roles: Some(BTreeSet::from([role(1)])),
                blocked_roles: Some(BTreeSet::from([role(1), role(2)])),
                ..EligibilityChange::default()
            },
            "form.required_and_blocked",
        ),
        (
            EligibilityChange { blocked_roles: Some((1..=26).map(role).collect()), ..EligibilityChange::default() },
            "form.too_many_roles",
        ),
    ] {
        assert_eq!(code(change_form(&domain, &admin, place, rules(change)).await), expected);
    }
}

#[tokio::test]
async fn a_removed_form_comes_back_by_rolling_back() {
    let domain = testing::domain().await;
    let (admin, guild) = (testing::admin(), testing::guild());
    let made = open_form(&domain, "Staff", vec![short("a"), choice("b", &["x"])]).await;
    let first = history::revision_id(&domain, guild).await.unwrap();
    let intro = FormChange::Texts { name: None, title: None, intro: Some("Bye".to_owned()) };
    change_form(&domain, &admin, (guild, made.id), intro).await.unwrap();
    remove_form(&domain, &admin, (guild, made.id)).await.unwrap();
    let plan = history::plan_rollback(&domain, &admin, guild, first).await.unwrap();
    assert_eq!(plan.len(), 1);
    history::apply_changes(&domain, &admin, guild, plan).await.unwrap();
    let back = form(&domain, &admin, guild, made.id).await.unwrap();
    assert_eq!(back.config, made.config);
    assert!(history::plan_rollback(&domain, &admin, guild, first).await.unwrap().is_empty());
    let shown = history::revisions(&domain, &admin, guild, None, 25).await.unwrap();
    let fields: Vec<_> = shown[2].changes.iter().map(|change| change.field.as_str()).collect();
    assert_eq!((shown[2].kind.as_str(), fields), ("form.changed", vec!["intro"]));
    let fields: Vec<_> = shown[0].changes.iter().map(|change| change.field.as_str()).collect();
    assert!(fields.contains(&"question “b”") && fields.contains(&"cooldown_seconds"), "{fields:?}");
}

#[tokio::test]
async fn a_form_travels_as_a_file() {
    let domain = testing::domain().await;
    let (admin, guild) = (testing::admin(), testing::guild());
    let made = open_form(&domain, "Staff", vec![short("a"), choice("b", &["x", "y"])]).await;
    let mut file = export(&made).unwrap();
    let plan = |file: &serde_json::Value| {
        let (domain, admin, bytes) = (domain.clone(), admin.clone(), file.to_string());
        async move { plan_import(&domain, &admin, guild, bytes.as_bytes()).await }
    };
    assert_eq!(plan(&file).await.unwrap(), None, "the same once more is no change");
    // Without ids, questions are known by their texts.
    for question in file["form"]["questions"].as_array_mut().unwrap() {
        question.as_object_mut().unwrap().remove("id");
    }
    assert_eq!(plan(&file).await.unwrap(), None);
    file["form"]["questions"][0]["max_length"] = json!(5);
    let change = plan(&file).await.unwrap().unwrap();
    let fields: Vec<_> = change.changes().into_iter().map(|change| change.field).collect();
    assert_eq!(fields, ["question “a”"]);
    history::apply_changes(&domain, &admin, guild, vec![change.clone()]).await.unwrap();
    let now = form(&domain, &admin, guild, made.id).await.unwrap();
    assert_eq!((now.config.questions[0].max_length, now.config.questions[0].id), (5, made.config.questions[0].id));
    let late = history::apply_changes(&domain, &admin, guild, vec![change]).await;
    assert_eq!(code(late), "history.changed_meanwhile");
    // Elsewhere it becomes another form with questions of its own.
    let elsewhere = entity::id::GuildId::new(701).unwrap();
    let file = export(&now).unwrap().to_string();
    let change = plan_import(&domain, &testing::root(), elsewhere, file.as_bytes()).await.unwrap().unwrap();
    assert_eq!(change.from, json!(null));
    history::apply_changes(&domain, &testing::root(), elsewhere, vec![change]).await.unwrap();
    let copy = form_named(&domain, &testing::root(), elsewhere, "staff").await.unwrap();
    assert_ne!(copy.config.questions[0].id, now.config.questions[0].id);
    assert_eq!(form(&domain, &admin, guild, made.id).await.unwrap().config, now.config, "the first one stays whole");
    for wrong in [
        json!({ "format": "guildhall-form", "version": 2, "form": now.config }),
        json!({ "format": "guildhall-form", "version": 1, "form": {} }),
        json!({ "format": "guildhall-form", "version": 1, "form": now.config, "more": 1 }),
        json!([]),
    ] {
        assert_eq!(code(plan(&wrong).await), "form.bad_file");
    }
}

proptest! {
    /// Every question is on one page, in its order, and no page is larger than Discord takes.
    #[test]
    fn pages_hold_every_question_once(kinds in prop::collection::vec(prop::bool::ANY, 0..=QUESTIONS_MAX)) {
        let questions: Vec<_> = kinds
            .iter()
            .enumerate()
            .map(|(index, is_choice)| {
                if *is_choice { choice(&index.to_string(), &["x"]) } else { short(&index.to_string()) }
            })
            .collect();
        let pages = pages(&questions);
        let shown: Vec<_> = pages.iter().flat_map(|page| page.questions().to_vec()).cloned().collect();
        prop_assert_eq!(&shown, &questions);
        for page in &pages {
            match page {
                Page::Inputs(inputs) => prop_assert!((1..=5).contains(&inputs.len())),
                Page::Choices(menus) => prop_assert!((1..=4).contains(&menus.len())),
            }
        }
    }
}
