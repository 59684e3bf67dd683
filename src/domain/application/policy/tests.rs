use entity::application_vote::VoteChoice;
use proptest::prelude::*;

use super::*;
use crate::domain::Refusal as _;

fn ballot(choice: VoteChoice) -> Ballot {
    Ballot { choice, weight: 1, is_veto: false }
}

/// `a`pprove, `r`eject, a`b`stain, re`c`use.
fn votes(text: &str) -> Vec<Ballot> {
    let choice = |letter| match letter {
        'a' => VoteChoice::Approve,
        'r' => VoteChoice::Reject,
        'b' => VoteChoice::Abstain,
        _ => VoteChoice::Recuse,
    };
    text.chars().map(|letter| ballot(choice(letter))).collect()
}

fn role(id: u64) -> RoleId {
    RoleId::new(id).expect("not zero")
}

fn choices() -> impl Strategy<Value = VoteChoice> {
    prop_oneof![
        Just(VoteChoice::Approve),
        Just(VoteChoice::Reject),
        Just(VoteChoice::Abstain),
        Just(VoteChoice::Recuse)
    ]
}

fn ballots(max: usize) -> impl Strategy<Value = Vec<Ballot>> {
    let one = (choices(), 1_u32..=3).prop_map(|(choice, weight)| Ballot { choice, weight, is_veto: false });
    prop::collection::vec(one, 0..max)
}

fn thresholds() -> impl Strategy<Value = Threshold> {
    prop_oneof![
        Just(Threshold::Majority),
        Just(Threshold::TwoThirds),
        Just(Threshold::Unanimous),
        (1_u32..8).prop_map(Threshold::Count)
    ]
}

fn policies() -> impl Strategy<Value = Policy> {
    let quorum = prop_oneof![
        (1_u32..8).prop_map(Quorum::Count),
        (1_u8..=100).prop_map(|percent| Quorum::Percent { role: role(5), percent })
    ];
    (quorum, thresholds(), any::<bool>()).prop_map(|(quorum, threshold, early_close)| Policy {
        quorum,
        threshold,
        early_close,
        weights: vec![(role(1), 2), (role(2), 3)],
        ..Policy::default()
    })
}

proptest! {
    #[test]
    fn the_order_of_votes_does_not_matter(
        policy in policies(),
        (votes, shuffled) in ballots(12).prop_flat_map(|votes| (Just(votes.clone()), Just(votes).prop_shuffle())),
        base in prop::option::of(0_u32..20),
        closed in any::<bool>(),
    ) {
        prop_assert_eq!(outcome(&policy, &votes, base, closed), outcome(&policy, &shuffled, base, closed));
    }

    /// Whatever those who have not voted say, the end is what the early close said.
    #[test]
    fn an_early_close_says_what_the_end_would_say(policy in policies(), given in ballots(8), others in ballots(8)) {
        let base = u32::try_from(given.len() + others.len()).expect("few");
        let early = outcome(&policy, &given, Some(base), false);
        if early != Outcome::Undecided {
            let all: Vec<Ballot> = given.iter().chain(&others).copied().collect();
            prop_assert_eq!(outcome(&policy, &all, Some(base), true), early);
            // Also where they say nothing at all.
            prop_assert_eq!(outcome(&policy, &given, Some(base), true), early);
        }
    }

    #[test]
    fn the_end_agrees_with_a_plain_recount(threshold in thresholds(), given in ballots(12)) {
        let policy = Policy { quorum: Quorum::Count(1), threshold, ..Policy::default() };
        let weight = |choice| given.iter().filter(|one| one.choice == choice).map(|one| one.weight).sum::<u32>();
        let (yes, no) = (weight(VoteChoice::Approve), weight(VoteChoice::Reject));
        let voted = given.iter().any(|one| one.choice != VoteChoice::Recuse);
        let expected = if !voted {
            Outcome::NoQuorum
        } else if yes == 0 && no == 0 || threshold == Threshold::Majority && yes == no {
            Outcome::Tied
        } else {
            let share = f64::from(yes) / f64::from(yes + no);
            let is_enough = match threshold {
                Threshold::Majority => share > 0.5,
                Threshold::TwoThirds => share > 0.666_666,
                Threshold::Unanimous => no == 0,
                Threshold::Count(count) => yes >= count,
            };
            if is_enough { Outcome::Approved } else { Outcome::Rejected }
        };
        prop_assert_eq!(outcome(&policy, &given, None, true), expected);
        prop_assert_eq!(outcome(&policy, &given, Some(40), true), expected, "who did not come does not matter");
    }

    /// What decides while the vote goes on would decide at its end as well, also where nobody knows who may vote.
    #[test]
    fn the_first_voters_say_what_an_end_at_that_moment_says(policy in policies(), given in ballots(10)) {
        let now = outcome(&policy, &given, None, false);
        if now != Outcome::Undecided {
            prop_assert_eq!(outcome(&policy, &given, None, true), now);
        }
    }

    #[test]
    fn a_veto_decides_alone(policy in policies(), mut given in ballots(8), closed in any::<bool>()) {
        given.push(Ballot { choice: VoteChoice::Reject, weight: 1, is_veto: true });
        prop_assert_eq!(outcome(&policy, &given, None, closed), Outcome::Vetoed);
    }

    #[test]
    fn policies_read_what_they_write(policy in policies()) {
        let text = serde_json::to_string(&policy).expect("writes");
        prop_assert_eq!(serde_json::from_str::<Policy>(&text).expect("reads"), policy);
    }
}

#[test]
fn who_abstains_counts_for_the_quorum_and_who_recuses_for_nothing() {
    let policy = Policy::default();
    assert_eq!(outcome(&policy, &votes("abb"), None, true), Outcome::Approved);
    assert_eq!(outcome(&policy, &votes("aac"), None, true), Outcome::NoQuorum);
    assert_eq!(outcome(&policy, &votes("bbb"), None, true), Outcome::Tied);
    assert_eq!(outcome(&policy, &votes("bbb"), Some(3), false), Outcome::Tied, "nobody is left");
    assert_eq!(outcome(&policy, &votes("bbb"), Some(4), false), Outcome::Undecided);
    // Who recuses themself cannot turn the vote any more.
    assert_eq!(outcome(&policy, &votes("aab"), Some(5), false), Outcome::Undecided);
    assert_eq!(outcome(&policy, &votes("aabc"), Some(5), false), Outcome::Approved);
}

#[test]
fn a_tie_waits_while_the_vote_goes_on() {
    let policy = Policy { quorum: Quorum::Count(2), ..Policy::default() };
    assert_eq!(outcome(&policy, &votes("ar"), None, false), Outcome::Undecided);
    assert_eq!(outcome(&policy, &votes("ar"), None, true), Outcome::Tied);
    assert_eq!(outcome(&policy, &votes("ar"), Some(2), false), Outcome::Tied);
    assert_eq!(outcome(&policy, &votes("arr"), None, false), Outcome::Rejected);
    let slow = Policy { early_close: false, ..policy };
    assert_eq!(outcome(&slow, &votes("arr"), None, false), Outcome::Undecided);
    assert_eq!(outcome(&slow, &votes("arr"), None, true), Outcome::Rejected);
}

#[test]
fn five_votes_are_five_votes() {
    let policy = Policy { quorum: Quorum::Count(1), threshold: Threshold::Count(5), ..Policy::default() };
    assert_eq!(outcome(&policy, &votes("aaaarrr"), None, false), Outcome::Undecided);
    assert_eq!(outcome(&policy, &votes("aaaaarrr"), None, false), Outcome::Approved);
    assert_eq!(outcome(&policy, &votes("aaaarrrrr"), None, false), Outcome::Rejected);
    assert_eq!(outcome(&policy, &votes("aaaarrr"), None, true), Outcome::Rejected);
}

#[test]
fn a_part_of_a_role_is_rounded_up_and_unknown_without_its_count() {
    let policy = Policy { quorum: Quorum::Percent { role: role(5), percent: 34 }, ..Policy::default() };
    assert_eq!(quorum_needed(&policy, Some(10)), Some(4));
    assert_eq!(quorum_needed(&policy, Some(0)), Some(1));
    assert_eq!(quorum_needed(&policy, None), None);
    assert_eq!(outcome(&policy, &votes("aaaa"), None, false), Outcome::Undecided);
    assert_eq!(outcome(&policy, &votes("aaaa"), None, true), Outcome::NoQuorum);
    assert_eq!(outcome(&policy, &votes("aaaa"), Some(10), true), Outcome::Approved);
}

#[test]
fn what_is_out_of_bounds_is_refused_where_it_is() {
    let many = || (1..=26).map(role).collect::<Vec<_>>();
    let cases: [(Policy, &str); 12] = [
        (Policy { version: 2, ..Policy::default() }, "/version"),
        (Policy { quorum: Quorum::Count(0), ..Policy::default() }, "/quorum"),
        (Policy { quorum: Quorum::Percent { role: role(5), percent: 101 }, ..Policy::default() }, "/quorum"),
        (Policy { threshold: Threshold::Count(101), ..Policy::default() }, "/threshold"),
        (Policy { deadline_hours: Some(0), ..Policy::default() }, "/deadline_hours"),
        (Policy { deadline_hours: None, early_close: false, ..Policy::default() }, "/deadline_hours"),
        (Policy { deadline_hours: None, tie: Tie::Extend, ..Policy::default() }, "/deadline_hours"),
        (Policy { accept_limit: Some(0), ..Policy::default() }, "/accept_limit"),
        (Policy { override_roles: many(), ..Policy::default() }, "/override_roles"),
        (Policy { weights: vec![(role(1), 0)], ..Policy::default() }, "/weights"),
        (Policy { weights: vec![(role(1), 2), (role(1), 3)], ..Policy::default() }, "/weights"),
        (
            Policy {
                follow_up: FollowUp { roles_add: vec![role(1)], roles_remove: vec![role(1)], ..FollowUp::default() },
                ..Policy::default()
            },
            "/follow_up/roles_remove",
        ),
    ];
    for (policy, pointer) in cases {
        let refused = policy.checked().expect_err(pointer);
        assert_eq!((refused.code(), refused.pointer()), ("application.bad_policy", Some(pointer)));
    }
    assert!(Policy::default().checked().is_ok());
    assert_eq!(serde_json::from_str::<Policy>("{}").expect("every field has its default"), Policy::default());
    assert!(serde_json::from_str::<Policy>(r#"{"quorums":{"count":3}}"#).is_err());
}

#[test]
fn the_highest_weight_of_a_member_counts() {
    let policy = Policy { weights: vec![(role(1), 2), (role(2), 5)], ..Policy::default() };
    assert_eq!(policy.weight_of(&[role(1), role(2), role(3)]), 5);
    assert_eq!(policy.weight_of(&[role(3)]), 1);
}
