//! Deciding in spite of votes, at the deadline, and again; making, withdrawing, leaving, and being blocked.

use super::*;

fn verdict(status: ApplicationStatus) -> Verdict {
    Verdict { status, reason: Some("So be it".to_owned()) }
}

#[tokio::test]
async fn only_who_may_decides_in_spite_of_votes() {
    let domain = testing::domain().await;
    let rules = Policy { override_roles: vec![role(6)], ..policy() };
    let id = apply(&domain, 1, &rules).await.id;
    let approved = || verdict(ApplicationStatus::Approved);
    assert_eq!(code(decide(&domain, &member(10, &[VOTERS]), id, approved()).await), "forbidden");
    assert_eq!(code(decide(&domain, &member(1, &[6]), id, approved()).await), "application.own");
    let pending = decide(&domain, &manager(2), id, verdict(ApplicationStatus::Pending)).await;
    assert_eq!(code(pending), "application.bad_decision");
    assert!(decide(&domain, &member(10, &[6]), id, approved()).await.unwrap().is_changed);
    let row = now(&domain, id).await;
    assert_eq!((row.decided_how, row.reason.as_deref()), (Some(DecidedHow::Override), Some("So be it")));
    assert!(!decide(&domain, &manager(2), id, approved()).await.unwrap().is_changed);
    let other = decide(&domain, &manager(2), id, verdict(ApplicationStatus::Rejected)).await;
    assert_eq!(code(other), "application.not_pending");
    assert_eq!(events(&domain).await.iter().filter(|kind| *kind == "application.decided").count(), 1);
    let none = ApplicationId(uuid::Uuid::nil());
    assert_eq!(code(decide(&domain, &testing::root(), none, approved()).await), "application.not_found");
    assert_eq!(code(delete(&domain, &testing::root(), none).await), "application.not_found");
}

#[tokio::test]
async fn deadlines_expire_decide_extend_and_leave_to_the_owner() {
    let domain = testing::domain().await;
    let after = TimeDelta::hours(72);
    let slow = |tie| Policy { early_close: false, tie, ..policy() };
    let nobody = apply(&domain, 1, &slow(Tie::Reject)).await.id;
    let tied = apply(&domain, 2, &slow(Tie::Reject)).await.id;
    let longer = apply(&domain, 3, &slow(Tie::Extend)).await.id;
    let owners = apply(&domain, 4, &slow(Tie::Owner)).await.id;
    let clear = apply(&domain, 5, &slow(Tie::Reject)).await.id;
    for id in [tied, longer, owners] {
        votes_for(&domain, id, 10, VoteChoice::Approve).await.unwrap();
        votes_for(&domain, id, 11, VoteChoice::Reject).await.unwrap();
    }
    for voter in 10..13 {
        assert!(!votes_for(&domain, clear, voter, VoteChoice::Approve).await.unwrap().has_decided);
    }
    assert!(due(&domain, 10).await.unwrap().is_empty());
    assert!(!close(&domain, nobody).await.unwrap(), "not before its time");
    domain.advance(after);
    let waiting = due(&domain, 10).await.unwrap();
    assert_eq!(waiting.len(), 5);
    for vote in &waiting {
        assert!(close(&domain, vote.id).await.unwrap());
        assert!(!close(&domain, vote.id).await.unwrap(), "once");
    }
    let status = async |id| now(&domain, id).await.status;
    assert_eq!(status(nobody).await, ApplicationStatus::Expired);
    assert_eq!(status(tied).await, ApplicationStatus::Rejected);
    assert_eq!(status(clear).await, ApplicationStatus::Approved);
    assert_eq!(code(votes_for(&domain, owners, 12, VoteChoice::Approve).await), "application.waits_for_owner");
    let extended = now(&domain, longer).await;
    assert_eq!((extended.status, extended.is_extended), (ApplicationStatus::Pending, true));
    assert_eq!(extended.due_at, Some(domain.now() + after));
    domain.advance(after);
    assert_eq!(due(&domain, 10).await.unwrap().len(), 1, "whoever manages the guild has no deadline");
    assert!(close(&domain, longer).await.unwrap());
    assert_eq!(status(longer).await, ApplicationStatus::Rejected, "a second tie is a no");
    decide(&domain, &manager(2), owners, verdict(ApplicationStatus::Approved)).await.unwrap();
    let found = recount(&domain, 100).await.unwrap();
    assert_eq!((found.checked, found.mismatches.len()), (4, 0));
}

#[tokio::test]
async fn what_was_decided_can_be_opened_again_and_is_undone() {
    let domain = testing::domain().await;
    let id = apply(&domain, 1, &policy()).await.id;
    assert_eq!(code(reopen(&domain, &manager(2), id, None).await), "application.still_pending");
    for voter in [10, 11] {
        votes_for(&domain, id, voter, VoteChoice::Approve).await.unwrap();
    }
    let claimed = claim_steps(&domain, 10).await.unwrap();
    let add = claimed.iter().find(|one| one.step.kind == StepKind::RoleAdd).unwrap();
    assert!(settle_step(&domain, add.step.id, StepOutcome::Done).await.unwrap());
    domain.advance(TimeDelta::seconds(61));
    assert_eq!(code(reopen(&domain, &member(10, &[VOTERS]), id, None).await), "forbidden");
    let row = reopen(&domain, &manager(2), id, Some("New facts".to_owned())).await.unwrap();
    assert_eq!((row.status, row.decided_at, row.decision), (ApplicationStatus::Pending, None, 1));
    let steps = steps(&domain, &testing::root(), id).await.unwrap();
    let waiting: Vec<_> = steps.iter().filter(|step| step.state == StepState::Waiting).collect();
    assert!(waiting.iter().any(|step| step.kind == StepKind::RoleRemove && step.argument == "9"), "{waiting:?}");
    assert!(steps.iter().any(|step| step.kind == StepKind::DirectMessage && step.state == StepState::Skipped));
    assert_eq!(notes(&domain, &manager(2), id).await.unwrap()[0].text, "New facts");
    // The votes are there, and the next one that changes something decides anew.
    assert!(votes_for(&domain, id, 11, VoteChoice::Reject).await.unwrap().is_changed);
    votes_for(&domain, id, 12, VoteChoice::Reject).await.unwrap();
    let row = now(&domain, id).await;
    assert_eq!((row.status, row.decision), (ApplicationStatus::Rejected, 2));
    assert_eq!(recount(&domain, 10).await.unwrap().mismatches, []);
}

#[tokio::test]
async fn a_form_accepts_no_more_than_it_may() {
    let domain = testing::domain().await;
    let rules = Policy { accept_limit: Some(1), ..policy() };
    let (one, two) = (apply(&domain, 1, &rules).await.id, apply(&domain, 2, &rules).await.id);
    for voter in [10, 11] {
        votes_for(&domain, one, voter, VoteChoice::Approve).await.unwrap();
    }
    for voter in [10, 11] {
        assert!(!votes_for(&domain, two, voter, VoteChoice::Approve).await.unwrap().has_decided);
    }
    let approved = decide(&domain, &manager(3), two, verdict(ApplicationStatus::Approved)).await;
    assert_eq!(code(approved), "application.full");
    assert_eq!(code(submit(&domain, &member(3, &[]), new(3, &rules)).await), "application.full");
    domain.advance(TimeDelta::hours(73));
    assert!(close(&domain, two).await.unwrap());
    assert_eq!(now(&domain, two).await.status, ApplicationStatus::Expired);
    assert_eq!(recount(&domain, 10).await.unwrap().mismatches, []);
}

#[tokio::test]
async fn who_applies_is_limited_and_leaves_no_gap() {
    let domain = testing::domain().await;
    let terms = Terms { cooldown_seconds: 7 * 86_400, open_max: Some(1) };
    let again = |applicant| NewApplication { terms, ..new(applicant, &policy()) };
    let first = submit(&domain, &member(1, &[]), again(1)).await.unwrap();
    assert_eq!(code(submit(&domain, &member(1, &[]), again(1)).await), "application.too_many_open");
    assert_eq!(code(submit(&domain, &member(2, &[]), again(1)).await), "forbidden", "nobody applies for others");
    decide(&domain, &manager(3), first.id, verdict(ApplicationStatus::Rejected)).await.unwrap();
    assert_eq!(code(submit(&domain, &member(1, &[]), again(1)).await), "application.cooling_down");
    domain.advance(TimeDelta::days(7));
    assert_eq!(submit(&domain, &member(1, &[]), again(1)).await.unwrap().number, 2);
    let until = domain.now() + TimeDelta::days(1);
    let ban = |until| Block {
        guild_id: testing::guild(),
        discord_user_id: account(4),
        until,
        reason: Some("Spam".to_owned()),
    };
    assert_eq!(code(block(&domain, &member(5, &[]), ban(None)).await), "forbidden");
    assert_eq!(code(block(&domain, &manager(5), ban(Some(domain.now()))).await), "application.bad_block");
    block(&domain, &manager(5), ban(Some(until))).await.unwrap();
    assert_eq!(blocks(&domain, &manager(5), testing::guild(), page()).await.unwrap().0.len(), 1);
    assert_eq!(code(submit(&domain, &member(4, &[]), again(4)).await), "application.blocked");
    domain.advance(TimeDelta::days(1));
    assert_eq!(submit(&domain, &member(4, &[]), again(4)).await.unwrap().number, 3, "refused ones took no number");
    unblock(&domain, &manager(5), testing::guild(), account(4)).await.unwrap();
    let gone = unblock(&domain, &manager(5), testing::guild(), account(4)).await;
    assert_eq!(code(gone), "application.not_blocked");
}

#[tokio::test]
async fn an_applicant_changes_and_takes_back_only_their_own() {
    let domain = testing::domain().await;
    let id = apply(&domain, 1, &policy()).await.id;
    let answers = |text: &str| vec![GivenAnswer { answer: text.to_owned(), ..new(1, &policy()).answers.remove(0) }];
    let stranger = set_answers(&domain, &manager(2), id, answers("Mine")).await;
    assert_eq!(code(stranger), "application.not_found");
    let row = set_answers(&domain, &member(1, &[]), id, answers("Better")).await.unwrap();
    assert_eq!(answers_of(&row).unwrap()[0].answer, "Better");
    votes_for(&domain, id, 10, VoteChoice::Approve).await.unwrap();
    assert_eq!(code(set_answers(&domain, &member(1, &[]), id, answers("Late")).await), "application.has_votes");
    assert_eq!(code(withdraw(&domain, &member(2, &[]), id).await), "application.not_found");
    assert_eq!(withdraw(&domain, &member(1, &[]), id).await.unwrap().status, ApplicationStatus::Withdrawn);
    assert_eq!(code(withdraw(&domain, &member(1, &[]), id).await), "application.not_pending");
    assert_eq!(own(&domain, &member(1, &[]), page()).await.unwrap().rows.len(), 1);
    assert_eq!(own(&domain, &member(2, &[]), page()).await.unwrap().rows.len(), 0);
    assert_eq!(code(get(&domain, &member(2, &[]), id).await), "application.not_found");
    assert!(get(&domain, &member(1, &[]), id).await.is_ok());
    assert!(events(&domain).await.contains(&"application.withdrawn".to_owned()));
}

#[tokio::test]
async fn who_leaves_is_treated_as_the_policy_says() {
    let domain = testing::domain().await;
    let rules = |on_leave| Policy { on_leave, ..policy() };
    let stays = apply(&domain, 1, &rules(OnLeave::Nothing)).await.id;
    let rejected = apply(&domain, 2, &rules(OnLeave::Reject)).await.id;
    let left = apply(&domain, 3, &rules(OnLeave::Withdraw)).await.id;
    let gone: Vec<_> = (1..=4).map(account).collect();
    assert_eq!(note_left(&domain, testing::guild(), &gone).await.unwrap(), 2);
    assert_eq!(note_left(&domain, testing::guild(), &gone).await.unwrap(), 0);
    let status = async |id| now(&domain, id).await.status;
    assert_eq!(status(stays).await, ApplicationStatus::Pending);
    assert_eq!(status(rejected).await, ApplicationStatus::Rejected);
    assert_eq!(status(left).await, ApplicationStatus::Left);
}

#[tokio::test]
async fn a_reminder_comes_twice_a_day_at_most_and_names_who_owes() {
    let domain = testing::domain().await;
    let rules =
        Policy { voters: Voters { roles: vec![role(VOTERS)], members: vec![account(20), account(1)] }, ..policy() };
    let earlier = apply(&domain, 2, &rules).await.id;
    for voter in [10, 11] {
        votes_for(&domain, earlier, voter, VoteChoice::Approve).await.unwrap();
    }
    let id = apply(&domain, 1, &rules).await.id;
    votes_for(&domain, id, 10, VoteChoice::Reject).await.unwrap();
    note_voters(&domain, id, 9).await.unwrap();
    assert_eq!(code(remind(&domain, &member(10, &[VOTERS]), id).await), "forbidden");
    let reminder = remind(&domain, &manager(2), id).await.unwrap();
    let owing = Owing { accounts: vec![account(11), account(20)], others: Some(6) };
    assert_eq!(reminder.owing, owing, "neither the applicant nor who has voted");
    assert_eq!(code(remind(&domain, &manager(2), id).await), "application.reminded_lately");
    domain.advance(TimeDelta::hours(12));
    assert!(remind(&domain, &manager(2), id).await.is_ok());
}

#[tokio::test]
async fn join_requests_are_mirrored_once_and_decided_natively() {
    let domain = testing::domain().await;
    let request = || NewApplication { native_request_id: Some("77".to_owned()), ..new(1, &policy()) };
    let row = submit(&domain, &Actor::System, request()).await.unwrap();
    assert_eq!(submit(&domain, &Actor::System, request()).await.unwrap(), row);
    assert!(decide_natively(&domain, "77", ApplicationStatus::Approved).await.unwrap());
    assert!(!decide_natively(&domain, "77", ApplicationStatus::Rejected).await.unwrap());
    assert!(!decide_natively(&domain, "78", ApplicationStatus::Rejected).await.unwrap());
    let steps = steps(&domain, &testing::root(), row.id).await.unwrap();
    assert!(steps.iter().all(|step| step.kind != StepKind::NativeRequest), "Discord knows already");
    assert_eq!(apply(&domain, 2, &policy()).await.number, 2);
}

#[tokio::test]
async fn lists_are_of_the_guild_of_who_asks() {
    let domain = testing::domain().await;
    let (one, two) = (apply(&domain, 1, &policy()).await, apply(&domain, 2, &policy()).await);
    let elsewhere = NewApplication { guild_id: None, ..new(3, &policy()) };
    let none = submit(&domain, &testing::root(), elsewhere).await.unwrap();
    assert_eq!((one.number, two.number, none.number), (1, 2, 1));
    let ids = |found: Applications| found.rows.into_iter().map(|row| row.id).collect::<Vec<_>>();
    let bound = testing::key(&["applications:read"], Some(testing::guild()));
    assert_eq!(ids(list(&domain, &bound, ApplicationFilter::all(page())).await.unwrap()), [two.id, one.id]);
    assert_eq!(list(&domain, &testing::root(), ApplicationFilter::all(page())).await.unwrap().rows.len(), 3);
    assert_eq!(code(get(&domain, &bound, none.id).await), "application.not_found");
    assert_eq!(by_number(&domain, &bound, None, 2).await.unwrap().id, two.id);
    assert_eq!(by_number(&domain, &testing::root(), None, 1).await.unwrap().id, none.id);
    assert_eq!(by_number(&domain, &testing::root(), Some(testing::guild()), 1).await.unwrap().id, one.id);
    votes_for(&domain, two.id, 10, VoteChoice::Approve).await.unwrap();
    let mine =
        ApplicationFilter { is_unvoted: true, order: ApplicationOrder::Deadline, ..ApplicationFilter::all(page()) };
    let Actor::Member(plain) = manager(10) else { unreachable!() };
    assert_eq!(ids(list(&domain, &Actor::Member(plain), mine).await.unwrap()), [one.id]);
    assert_eq!(code(list(&domain, &member(4, &[]), ApplicationFilter::all(page())).await), "forbidden");
    let query = StatisticsQuery { guild_id: Some(testing::guild()), form_id: None, since: None };
    let figures = statistics(&domain, &manager(10), query).await.unwrap();
    assert_eq!(figures.by_status, [(ApplicationStatus::Pending, 2)]);
    assert_eq!((figures.median_seconds, figures.voters[0].votes, figures.voters[0].approvals), (None, 1, 0));
}
