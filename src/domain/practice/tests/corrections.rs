use super::*;

#[tokio::test]
async fn a_gap_counts_once_a_reviewer_says_so() {
    let domain = testing::domain().await;
    let row = begin(&domain, 1, SessionSource::Command).await;
    live(&domain, TimeDelta::minutes(5)).await;
    domain.advance(TimeDelta::minutes(10));
    beat(&domain).await;
    live(&domain, TimeDelta::minutes(5)).await;
    let (_, gaps) = session(&domain, &member(1), row.id).await.unwrap();
    let gap = gaps[0].id;
    assert_eq!(code(claim_gap(&domain, &member(2), gap, None).await), "practice.no_gap");
    let claim = claim_gap(&domain, &member(1), gap, Some("I was there".to_owned())).await.unwrap();
    assert_eq!(code(claim_gap(&domain, &member(1), gap, None).await), "practice.no_gap");
    assert_eq!(day(&domain, 1).await, 600);
    let queued = queue(&domain, &testing::admin(), testing::guild(), None, 10).await.unwrap();
    assert_eq!(queued, std::slice::from_ref(&claim));
    assert_eq!(code(accept(&domain, &member(1), claim.id, None).await), "forbidden");
    let done = accept(&domain, &testing::admin(), claim.id, None).await.unwrap();
    assert_eq!((done.delta_seconds, day(&domain, 1).await), (600, 1_200), "the session still runs");
    assert_eq!(code(reject(&domain, &testing::admin(), claim.id, None).await), "practice.already_decided");
    live(&domain, TimeDelta::minutes(1)).await;
    assert_eq!((halt(&domain, 1).await.seconds, day(&domain, 1).await), (1_260, 1_260));
    assert!(events(&domain).await.contains(&"session.corrected".to_owned()));
    assert!(queue(&domain, &testing::admin(), testing::guild(), None, 10).await.unwrap().is_empty());
}

fn entry(from: &str, to: &str) -> NewEntry {
    NewEntry {
        person: person(1),
        guild_id: testing::guild(),
        started_at: at(from),
        ended_at: at(to),
        activity: None,
        note: None,
    }
}

#[tokio::test]
async fn entries_count_at_once_only_as_far_as_the_rule_lets_them() {
    let domain = testing::domain().await;
    let first = log(&domain, &member(1), entry("2026-01-04T23:00:00Z", "2026-01-05T01:00:00Z")).await.unwrap();
    assert!(!first.is_accepted() && day(&domain, 1).await == 0);
    accept(&domain, &testing::admin(), first.correction.id, None).await.unwrap();
    assert_eq!(day(&domain, 1).await, 3_600, "an hour on each day");
    let again = log(&domain, &member(1), entry("2026-01-05T00:30:00Z", "2026-01-05T02:00:00Z")).await;
    assert_eq!(code(again), "practice.overlaps");
    set(&domain, RuleChange { manual_auto_seconds: Some(3 * 3_600), ..RuleChange::default() }).await;
    let second = log(&domain, &member(1), entry("2026-01-05T02:00:00Z", "2026-01-05T03:00:00Z")).await.unwrap();
    assert!(second.is_accepted());
    let third = log(&domain, &member(1), entry("2026-01-05T03:00:00Z", "2026-01-05T03:00:01Z")).await.unwrap();
    assert!(!third.is_accepted(), "three hours a day are used up");
    reject(&domain, &testing::admin(), third.correction.id, Some("no".to_owned())).await.unwrap();
    assert_eq!(day(&domain, 1).await, 7_200);
    for (from, to) in [
        ("2026-01-05T11:00:00Z", "2026-01-05T12:00:01Z"),
        ("2026-01-05T11:00:00Z", "2026-01-05T11:00:00Z"),
        ("2026-01-03T10:00:00Z", "2026-01-04T10:00:01Z"),
        ("2025-12-01T10:00:00Z", "2025-12-01T11:00:00Z"),
    ] {
        assert_eq!(code(log(&domain, &member(1), entry(from, to)).await), "practice.bad_span", "{from}");
    }
}

#[tokio::test]
async fn less_time_is_mended_at_once_and_more_is_reviewed() {
    let domain = testing::domain().await;
    let row = begin(&domain, 1, SessionSource::Command).await;
    live(&domain, TimeDelta::minutes(30)).await;
    pause(&domain, &member(1), person(1)).await.unwrap();
    live(&domain, TimeDelta::minutes(30)).await;
    resume(&domain, &member(1), person(1)).await.unwrap();
    live(&domain, TimeDelta::minutes(30)).await;
    let span = (row.started_at, row.started_at + TimeDelta::minutes(75));
    assert_eq!(code(fix(&domain, &member(1), row.id, span, None).await), "practice.still_open");
    halt(&domain, 1).await;
    assert_eq!(code(fix(&domain, &member(2), row.id, span, None).await), "practice.no_session");
    let shorter = fix(&domain, &member(1), row.id, span, None).await.unwrap();
    assert_eq!((shorter.is_accepted(), shorter.correction.delta_seconds), (true, -900));
    assert_eq!(day(&domain, 1).await, 45 * 60, "the pause stays a pause");
    let longer = (row.started_at - TimeDelta::minutes(10), row.started_at + TimeDelta::minutes(80));
    let longer = fix(&domain, &member(1), row.id, longer, None).await.unwrap();
    assert_eq!((longer.is_accepted(), longer.correction.delta_seconds), (false, 900));
    accept(&domain, &testing::admin(), longer.correction.id, None).await.unwrap();
    let (view, _) = session(&domain, &member(1), row.id).await.unwrap();
    assert_eq!((view.seconds, day(&domain, 1).await), (3_600, 3_600));
}

#[tokio::test]
async fn moderators_add_and_take() {
    let domain = testing::domain().await;
    let (admin, target) = (testing::admin(), (person(1), testing::guild()));
    let reason = || "a mistake".to_owned();
    adjust(&domain, &admin, target, 600, reason()).await.unwrap();
    domain.advance(TimeDelta::days(1));
    adjust(&domain, &admin, target, 300, reason()).await.unwrap();
    adjust(&domain, &admin, target, -500, reason()).await.unwrap();
    assert_eq!(day(&domain, 1).await, 0, "the newest day gives first");
    assert_eq!(total_seconds(&domain, &admin, guild()).await.unwrap(), 400);
    assert_eq!(code(adjust(&domain, &admin, target, -401, reason()).await), "practice.too_little");
    assert_eq!(code(adjust(&domain, &admin, target, 0, reason()).await), "practice.bad_adjustment");
    assert_eq!(code(adjust(&domain, &admin, target, 60, " ".to_owned()).await), "practice.bad_adjustment");
    assert_eq!(code(adjust(&domain, &member(1), target, 60, reason()).await), "forbidden");
}

#[tokio::test]
async fn a_queue_has_an_end() {
    let domain = testing::domain().await;
    for minute in 0..20 {
        let (from, to) = (format!("2026-01-05T02:{minute:02}:00Z"), format!("2026-01-05T02:{minute:02}:30Z"));
        log(&domain, &member(1), entry(&from, &to)).await.unwrap();
    }
    let refused = log(&domain, &member(1), entry("2026-01-05T03:00:00Z", "2026-01-05T03:01:00Z")).await;
    assert_eq!(code(refused), "practice.queue_full");
}

#[tokio::test]
async fn rules_show_their_effect_before_they_hold() {
    let domain = testing::domain().await;
    for (number, minutes) in [(1, 4), (2, 30)] {
        begin(&domain, number, SessionSource::Command).await;
        live(&domain, TimeDelta::minutes(minutes)).await;
        halt(&domain, number).await;
    }
    let change = RuleChange { minimum_seconds: Some(600), ..RuleChange::default() };
    let effect = simulate(&domain, &testing::admin(), testing::guild(), &change).await.unwrap();
    let expected =
        Effect { sessions: 2, seconds_before: 34 * 60, seconds_after: 30 * 60, people_affected: 1, is_partial: false };
    assert_eq!(effect, expected);
    assert_eq!(rule(&domain, &member(1), testing::guild()).await.unwrap().minimum_seconds, 0, "nothing is saved");
    assert_eq!(code(simulate(&domain, &member(1), testing::guild(), &change).await), "forbidden");
}
