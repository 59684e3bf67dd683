use entity::practice_session::{EndReason, SessionState};

use super::*;

/// D45: twenty starts and twenty stops at once are one session and one stop.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_session_and_one_stop() {
    let domain = std::sync::Arc::new(testing::domain().await);
    let mut starts = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let domain = domain.clone();
        starts.spawn(async move { start(&domain, &testing::root(), new(1, SessionSource::Http)).await.unwrap() });
    }
    let started = starts.join_all().await;
    assert_eq!(started.iter().filter(|started| started.is_new).count(), 1);
    assert!(started.iter().all(|one| one.session.id == started[0].session.id));
    domain.advance(TimeDelta::milliseconds(90_900));
    let mut stops = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let domain = domain.clone();
        stops.spawn(async move { stop(&domain, &testing::root(), person(1), None).await });
    }
    let stopped: Vec<_> = stops.join_all().await.into_iter().map(|stop| stop.map(SessionView::from)).collect();
    let (done, refused): (Vec<_>, Vec<_>) = stopped.into_iter().partition(Result::is_ok);
    assert_eq!((done.len(), refused.len()), (1, 19));
    assert_eq!(done[0].as_ref().unwrap().final_seconds(), Some(90), "whole seconds, rounded down");
    assert!(refused.into_iter().all(|refused| code(refused) == "practice.no_active_session"));
    assert_eq!(day(&domain, 1).await, 90);
}

#[tokio::test]
async fn a_second_start_changes_nothing() {
    let domain = testing::domain().await;
    let first = NewSession { note: Some("a".to_owned()), ..new(1, SessionSource::Http) };
    let first = start(&domain, &testing::root(), first).await.unwrap().session;
    domain.advance(TimeDelta::seconds(5));
    let again = NewSession { note: Some("b".to_owned()), ..new(1, SessionSource::Command) };
    let again = start(&domain, &testing::root(), again).await.unwrap();
    assert_eq!((again.is_new, again.session), (false, first));
}

#[tokio::test]
async fn an_http_session_counts_whatever_our_uptime_and_a_day_at_most() {
    let domain = testing::domain().await;
    begin(&domain, 1, SessionSource::Http).await;
    domain.advance(TimeDelta::hours(10));
    assert_eq!(halt(&domain, 1).await.seconds, 36_000, "nobody looked for ten hours");
    let long = begin(&domain, 1, SessionSource::Http).await;
    domain.advance(TimeDelta::hours(30));
    beat(&domain).await;
    assert!(running(&domain, &testing::root(), person(1)).await.unwrap().is_none(), "it ended by itself");
    let (view, _) = session(&domain, &testing::root(), long.id).await.unwrap();
    assert_eq!((view.seconds, view.row.ended_at), (86_400, Some(long.started_at + TimeDelta::hours(24))));
    assert_eq!(total_seconds(&domain, &testing::root(), None).await.unwrap(), 36_000 + 86_400);
}

#[tokio::test]
async fn pauses_do_not_count() {
    let domain = testing::domain().await;
    begin(&domain, 1, SessionSource::Command).await;
    live(&domain, TimeDelta::milliseconds(100_600)).await;
    assert_eq!(pause(&domain, &member(1), person(1)).await.unwrap().counted_milliseconds, 100_600);
    assert_eq!(code(pause(&domain, &member(1), person(1)).await), "practice.already_paused");
    live(&domain, TimeDelta::minutes(30)).await;
    resume(&domain, &member(1), person(1)).await.unwrap();
    assert_eq!(code(resume(&domain, &member(1), person(1)).await), "practice.not_paused");
    live(&domain, TimeDelta::milliseconds(20_600)).await;
    let view = halt(&domain, 1).await;
    assert_eq!((view.seconds, day(&domain, 1).await), (121, 121), "121.2 seconds in two parts");
    assert_eq!(
        segments(&domain).await,
        [(SegmentKind::Counted, 100), (SegmentKind::Paused, 1_800), (SegmentKind::Counted, 20)]
    );
    assert_eq!(events(&domain).await, ["session.started", "session.paused", "session.resumed", "session.completed"]);
}

#[tokio::test]
async fn after_a_crash_only_observed_time_counts() {
    let domain = testing::domain().await;
    begin(&domain, 1, SessionSource::Command).await;
    live(&domain, TimeDelta::minutes(10)).await;
    // Nobody looks for ten minutes.
    domain.advance(TimeDelta::minutes(10));
    live(&domain, TimeDelta::minutes(5)).await;
    let view = halt(&domain, 1).await;
    assert_eq!(view.seconds, 14 * 60, "ten minutes and, after the first look, four");
    let kinds = segments(&domain).await;
    assert_eq!(kinds, [(SegmentKind::Counted, 600), (SegmentKind::Gap, 660), (SegmentKind::Counted, 240)]);
    assert_eq!(day(&domain, 1).await, view.seconds);
}

#[tokio::test]
async fn a_short_absence_is_bridged() {
    let domain = testing::domain().await;
    begin(&domain, 1, SessionSource::Command).await;
    live(&domain, TimeDelta::minutes(1)).await;
    domain.advance(TimeDelta::seconds(120));
    beat(&domain).await;
    assert_eq!(halt(&domain, 1).await.seconds, 180);
    set(&domain, RuleChange { bridge_seconds: Some(600), ..RuleChange::default() }).await;
    begin(&domain, 1, SessionSource::Command).await;
    domain.advance(TimeDelta::seconds(600));
    assert_eq!(halt(&domain, 1).await.seconds, 600);
}

#[tokio::test]
async fn sessions_and_days_have_ends() {
    let domain = testing::domain().await;
    set(&domain, RuleChange { idle_check_seconds: Some(0), ..RuleChange::default() }).await;
    let first = begin(&domain, 1, SessionSource::Command).await;
    live(&domain, TimeDelta::minutes(8 * 60 + 3)).await;
    let (view, _) = session(&domain, &testing::root(), first.id).await.unwrap();
    assert_eq!(
        (view.final_seconds(), view.row.ended_at),
        (Some(8 * 3_600), Some(first.started_at + TimeDelta::hours(8)))
    );
    // From 20:03 on until midnight, and eight hours in the new day.
    let second = begin(&domain, 1, SessionSource::Command).await;
    live(&domain, TimeDelta::minutes(8 * 60 + 3)).await;
    let (view, _) = session(&domain, &testing::root(), second.id).await.unwrap();
    assert_eq!(view.final_seconds(), Some(8 * 3_600));
    set(&domain, RuleChange { day_cap_seconds: Some(6 * 3_600), ..RuleChange::default() }).await;
    let third = begin(&domain, 1, SessionSource::Command).await;
    live(&domain, TimeDelta::hours(3)).await;
    let (view, _) = session(&domain, &testing::root(), third.id).await.unwrap();
    assert_eq!(view.row.end_reason, Some(EndReason::DayCap));
    assert_eq!(day(&domain, 1).await, 6 * 3_600, "the day is exactly full");
    assert_eq!(code(start(&domain, &member(1), new(1, SessionSource::Command)).await), "practice.day_cap_reached");
}

#[tokio::test]
async fn what_is_too_short_counts_for_nothing() {
    let domain = testing::domain().await;
    set(&domain, RuleChange { minimum_seconds: Some(300), ..RuleChange::default() }).await;
    begin(&domain, 1, SessionSource::Command).await;
    live(&domain, TimeDelta::seconds(299)).await;
    assert!(day(&domain, 1).await > 0, "while it runs it counts");
    assert_eq!(halt(&domain, 1).await.seconds, 0);
    assert_eq!((day(&domain, 1).await, segments(&domain).await), (0, vec![(SegmentKind::Short, 299)]));
    begin(&domain, 1, SessionSource::Command).await;
    live(&domain, TimeDelta::seconds(300)).await;
    assert_eq!((halt(&domain, 1).await.seconds, day(&domain, 1).await), (300, 300));
}

#[tokio::test]
async fn who_forgets_a_timer_is_asked_and_then_it_pauses() {
    let domain = testing::domain().await;
    begin(&domain, 1, SessionSource::Command).await;
    live(&domain, TimeDelta::hours(3)).await;
    assert_eq!(events(&domain).await, ["session.started", "session.asked"]);
    touch(&domain, &member(1), person(1)).await.unwrap();
    live(&domain, TimeDelta::hours(3)).await;
    live(&domain, TimeDelta::minutes(16)).await;
    let view = running(&domain, &member(1), person(1)).await.unwrap().expect("it waits");
    assert_eq!((view.row.state, view.seconds), (SessionState::Paused, 6 * 3_600 + 900));
    domain.advance(TimeDelta::hours(25));
    beat(&domain).await;
    assert!(running(&domain, &member(1), person(1)).await.unwrap().is_none(), "nobody came back");
    assert_eq!(total_seconds(&domain, &testing::root(), None).await.unwrap(), 6 * 3_600 + 900);
}

#[tokio::test]
async fn rounds_have_breaks_and_an_end() {
    let domain = testing::domain().await;
    let rounds = Some(Rounds { focus_seconds: 25 * 60, break_seconds: 5 * 60, rounds: 2 });
    start(&domain, &member(1), NewSession { rounds, ..new(1, SessionSource::Command) }).await.unwrap();
    live(&domain, TimeDelta::minutes(27)).await;
    let view = running(&domain, &member(1), person(1)).await.unwrap().expect("a break");
    assert_eq!((view.row.state, view.seconds), (SessionState::Paused, 25 * 60));
    live(&domain, TimeDelta::minutes(40)).await;
    assert!(running(&domain, &member(1), person(1)).await.unwrap().is_none());
    assert_eq!(day(&domain, 1).await, 50 * 60);
    let all = ["session.started", "session.paused", "session.resumed", "session.completed"];
    assert_eq!(events(&domain).await, all);
    let bad = Some(Rounds { focus_seconds: 1, break_seconds: 300, rounds: 2 });
    let refused = start(&domain, &member(1), NewSession { rounds: bad, ..new(1, SessionSource::Command) }).await;
    assert_eq!(code(refused), "practice.bad_rounds");
}

#[tokio::test]
async fn members_time_themselves_and_nobody_else() {
    let domain = testing::domain().await;
    assert!(start(&domain, &member(1), new(1, SessionSource::Command)).await.is_ok());
    assert_eq!(code(start(&domain, &member(1), new(2, SessionSource::Command)).await), "forbidden");
    assert_eq!(code(stop(&domain, &member(2), person(1), None).await), "forbidden");
    let elsewhere = testing::key(&["practice:write"], GuildId::new(1));
    assert_eq!(code(stop(&domain, &elsewhere, person(1), None).await), "practice.no_active_session");
    let reader = testing::key(&["practice:read"], None);
    assert_eq!(code(start(&domain, &reader, new(3, SessionSource::Http)).await), "forbidden");
    assert_eq!(code(total_seconds(&domain, &testing::key(&[], None), None).await), "forbidden");
    let nobody = Person::User(entity::id::UserId(uuid::Uuid::nil()));
    let refused = start(&domain, &testing::root(), NewSession::of(nobody, None, SessionSource::Http)).await;
    assert_eq!(code(refused), "user.not_found");
}

/// The peer's defect 19: asking for statistics makes nobody.
#[tokio::test]
async fn reading_makes_nobody() {
    let domain = testing::domain().await;
    let root = testing::root();
    for person in [person(9), Person::User(entity::id::UserId(uuid::Uuid::from_u128(9)))] {
        assert_eq!(today(&domain, &root, person, None).await.unwrap(), 0);
        assert_eq!(week(&domain, &root, person, None).await.unwrap().len(), 7);
        assert_eq!(month(&domain, &root, person, None).await.unwrap().len(), 31);
        assert_eq!(summary(&domain, &root, person, None).await.unwrap().total_seconds, 0);
        assert_eq!(code(stop(&domain, &root, person, None).await), "practice.no_active_session");
    }
    let users = entity::user::Entity::find().all(domain.store().reader()).await.unwrap();
    assert_eq!(users.len(), 0);
}

#[tokio::test]
async fn texts_have_bounds() {
    let domain = testing::domain().await;
    for note in ["x".repeat(1_001), "a\0b".to_owned()] {
        let new = NewSession { note: Some(note), ..new(1, SessionSource::Http) };
        assert_eq!(code(start(&domain, &testing::root(), new).await), "practice.bad_note");
    }
    let new = NewSession { note: Some("  ".to_owned()), ..new(1, SessionSource::Http) };
    assert_eq!(start(&domain, &testing::root(), new).await.unwrap().session.note, None);
}

#[tokio::test]
async fn rounds_are_skipped_and_an_old_button_touches_no_newer_timer() {
    let domain = testing::domain().await;
    let rounds = Rounds { focus_seconds: 600, break_seconds: 300, rounds: 2 };
    let with_rounds = NewSession { rounds: Some(rounds), ..new(1, SessionSource::Command) };
    let row = start(&domain, &member(1), with_rounds).await.unwrap().session;
    let target = Target { person: person(1), session_id: Some(row.id) };
    live(&domain, TimeDelta::minutes(3)).await;
    let paused = skip(&domain, &member(1), target).await.unwrap();
    assert_eq!((paused.state, paused.rounds_left), (SessionState::Paused, Some(1)));
    let resumed = skip(&domain, &member(1), target).await.unwrap();
    assert_eq!(resumed.phase_ends_at, Some(domain.now() + TimeDelta::minutes(10)));
    let done = skip(&domain, &member(1), target).await.unwrap();
    assert_eq!((done.end_reason, done.counted_milliseconds), (Some(EndReason::Rounds), 180_000));
    begin(&domain, 1, SessionSource::Command).await;
    assert_eq!(code(stop(&domain, &member(1), target, None).await), "practice.no_active_session");
    assert_eq!(code(skip(&domain, &member(1), person(1)).await), "practice.no_rounds");
}
