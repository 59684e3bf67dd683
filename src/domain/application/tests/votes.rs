//! Who votes, how often, and what it decides.

use super::*;

#[tokio::test]
async fn the_vote_that_meets_the_policy_decides_once() {
    let domain = testing::domain().await;
    let id = apply(&domain, 1, &policy()).await.id;
    for _ in 0..3 {
        let voted = votes_for(&domain, id, 10, VoteChoice::Reject).await.unwrap();
        assert!(!voted.has_decided);
    }
    assert!(votes_for(&domain, id, 10, VoteChoice::Approve).await.unwrap().is_changed, "the last one counts");
    let voted = votes_for(&domain, id, 11, VoteChoice::Approve).await.unwrap();
    assert!(voted.has_decided);
    let row = now(&domain, id).await;
    assert_eq!((row.status, row.decided_how), (ApplicationStatus::Approved, Some(DecidedHow::Vote)));
    assert_eq!(row.decided_by.as_deref(), Some("member:11"));
    assert_eq!(code(votes_for(&domain, id, 12, VoteChoice::Reject).await), "application.not_pending");
    let kinds = events(&domain).await;
    let expected =
        ["application.created", "application.voted", "application.voted", "application.decided", "application.voted"];
    assert_eq!(kinds, expected, "what says the same again is no event");
    let steps = steps(&domain, &testing::root(), id).await.unwrap();
    let wanted = [
        (StepKind::RoleAdd, "9"),
        (StepKind::RoleRemove, "8"),
        (StepKind::DirectMessage, ""),
        (StepKind::ThreadLock, ""),
    ];
    let found: Vec<_> = steps.iter().map(|step| (step.kind, step.argument.as_str())).collect();
    assert_eq!(found, wanted);
    assert_eq!(recount(&domain, 100).await.unwrap(), Recount { checked: 1, ..Recount::default() });
}

#[tokio::test]
async fn who_may_not_vote_is_refused() {
    let domain = testing::domain().await;
    let id = apply(&domain, 1, &policy()).await.id;
    let own = vote(&domain, &member(1, &[VOTERS]), id, NewVote::own(VoteChoice::Approve, None)).await;
    assert_eq!(code(own), "application.own");
    let stranger = vote(&domain, &member(2, &[6]), id, NewVote::own(VoteChoice::Approve, None)).await;
    assert_eq!(code(stranger), "application.no_voter");
    let other = NewVote { voter: Some("3".to_owned()), ..NewVote::own(VoteChoice::Approve, None) };
    assert_eq!(code(vote(&domain, &member(2, &[VOTERS]), id, other).await), "application.other_voter");
    let Actor::Member(voter) = member(2, &[VOTERS]) else { unreachable!() };
    let elsewhere = Actor::Member(Member { guild_id: entity::id::GuildId::new(701).unwrap(), ..voter });
    let refused = vote(&domain, &elsewhere, id, NewVote::own(VoteChoice::Approve, None)).await;
    assert_eq!(code(refused), "application.not_found");
    assert!(votes(&domain, &testing::root(), id).await.unwrap().is_empty());
    // Without names in the policy, the guild's own roles say who votes.
    let open = Policy { voters: Voters::default(), ..policy() };
    let id = apply(&domain, 2, &open).await.id;
    let plain = vote(&domain, &member(3, &[VOTERS]), id, NewVote::own(VoteChoice::Approve, None)).await;
    assert_eq!(code(plain), "application.no_voter");
    vote(&domain, &manager(3), id, NewVote::own(VoteChoice::Approve, None)).await.unwrap();
}

#[tokio::test]
async fn a_key_votes_for_whom_it_says() {
    let domain = testing::domain().await;
    let id = apply(&domain, 1, &policy()).await.id;
    let key = testing::key(&["applications:vote"], None);
    let cast = |voter: &str, choice| NewVote {
        voter: Some(voter.to_owned()),
        voter_name: Some("Ada".to_owned()),
        ..NewVote::own(choice, None)
    };
    for bad in ["", "  ", &"x".repeat(65), "a\0b"] {
        assert_eq!(code(vote(&domain, &key, id, cast(bad, VoteChoice::Approve)).await), "application.bad_voter");
    }
    assert_eq!(code(vote(&domain, &key, id, cast("1", VoteChoice::Approve)).await), "application.own");
    let kept = vote(&domain, &key, id, cast("Voter #7 ", VoteChoice::Approve)).await.unwrap().vote;
    assert_eq!((kept.voter.as_str(), kept.voter_name.as_deref()), ("Voter #7 ", Some("Ada")));
    for wrong in [testing::key(&["applications:read"], None), testing::key(&["read"], None)] {
        assert_eq!(code(vote(&domain, &wrong, id, cast("8", VoteChoice::Approve)).await), "forbidden");
    }
    let elsewhere = testing::key(&["applications:vote"], entity::id::GuildId::new(1));
    assert_eq!(code(vote(&domain, &elsewhere, id, cast("8", VoteChoice::Approve)).await), "application.not_found");
    assert!(vote(&domain, &testing::key(&["write"], None), id, cast("8", VoteChoice::Approve)).await.is_ok());
}

#[tokio::test]
async fn weights_vetoes_and_reasons() {
    let domain = testing::domain().await;
    let rules = Policy {
        quorum: Quorum::Count(1),
        threshold: Threshold::Count(3),
        weights: vec![(role(6), 3)],
        veto_role: Some(role(7)),
        reasons: Reasons::Rejection,
        ..policy()
    };
    let id = apply(&domain, 1, &rules).await.id;
    assert_eq!(code(votes_for(&domain, id, 10, VoteChoice::Reject).await), "application.reason_needed");
    let heavy = member(11, &[VOTERS, 6]);
    assert!(vote(&domain, &heavy, id, NewVote::own(VoteChoice::Approve, None)).await.unwrap().has_decided);
    let id = apply(&domain, 2, &rules).await.id;
    let veto = NewVote::own(VoteChoice::Reject, Some("No".to_owned()));
    assert!(vote(&domain, &member(12, &[VOTERS, 7]), id, veto).await.unwrap().has_decided);
    let row = now(&domain, id).await;
    assert_eq!((row.status, row.decided_how), (ApplicationStatus::Rejected, Some(DecidedHow::Veto)));
    assert_eq!(recount(&domain, 100).await.unwrap().mismatches, []);
}

#[tokio::test]
async fn a_blind_vote_shows_nothing_before_its_end() {
    let domain = testing::domain().await;
    let id = apply(&domain, 1, &Policy { blind: true, ..policy() }).await.id;
    votes_for(&domain, id, 10, VoteChoice::Approve).await.unwrap();
    let voter = member(10, &[VOTERS]);
    assert_eq!(code(votes(&domain, &voter, id).await), "application.blind");
    let seen = review(&domain, &voter, id).await.unwrap();
    assert_eq!((seen.tally, seen.voted, seen.needed), (None, 1, Some(2)));
    assert_eq!(own_vote(&domain, &voter, id).await.unwrap().unwrap().choice, VoteChoice::Approve);
    votes_for(&domain, id, 11, VoteChoice::Approve).await.unwrap();
    assert_eq!(votes(&domain, &voter, id).await.unwrap().len(), 2);
    assert_eq!(review(&domain, &voter, id).await.unwrap().tally.unwrap().approve, 2);
    let events = crate::domain::event::events_after(&domain, 0, 100).await.unwrap();
    let cast = events.iter().filter(|event| event.kind == "application.voted");
    assert!(cast.into_iter().all(|event| event.data["after"]["choice"].is_null()), "hidden in the log as well");
}

#[tokio::test]
async fn one_person_has_one_vote_under_all_their_names() {
    use crate::domain::user::{self, NewUser};
    let domain = testing::domain().await;
    let new_user = NewUser { role: entity::user::Role::Member, discord_user_id: Some(account(10)) };
    let person = user::create(&domain, &testing::root(), new_user).await.unwrap();
    let rules = Policy { voters: Voters { roles: vec![role(VOTERS)], members: vec![account(10)] }, ..policy() };
    let id = apply(&domain, 1, &rules).await.id;
    let web = testing::signed_in(&person);
    votes_for(&domain, id, 10, VoteChoice::Reject).await.unwrap();
    assert!(!vote(&domain, &web, id, NewVote::own(VoteChoice::Approve, None)).await.unwrap().has_decided);
    let found = votes(&domain, &testing::root(), id).await.unwrap();
    let [only] = &found[..] else { panic!("{found:?}") };
    assert_eq!((only.voter.as_str(), only.choice), ("10", VoteChoice::Approve));
    // And nobody votes on themself under another name.
    let own = submit(&domain, &member(10, &[]), new(10, &rules)).await.unwrap();
    assert_eq!(own.user_id, Some(person.id));
    let refused = vote(&domain, &web, own.id, NewVote::own(VoteChoice::Approve, None)).await;
    assert_eq!(code(refused), "application.own");
}
