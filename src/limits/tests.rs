use std::{collections::HashSet, net::Ipv6Addr};

use chrono::TimeDelta;
use proptest::prelude::*;

use super::*;

fn clock() -> Clock {
    Clock::frozen("2026-11-26T12:00:00Z".parse().unwrap())
}

fn limits(clock: &Clock, change: impl FnOnce(&mut Settings)) -> RateLimits {
    let mut settings = Settings::lifted();
    change(&mut settings);
    RateLimits::new(settings, clock.clone())
}

fn passes(verdict: Option<Verdict>) -> bool {
    verdict.is_none_or(|verdict| verdict.wait().is_none())
}

fn address(last: u8) -> IpAddr {
    [192, 0, 2, last].into()
}

fn own(id: u128, policies: &[Policy<'_>], limits: &RateLimits) -> bool {
    passes(limits.count(Caller::Key { id, is_admin: false, own: policies }, false))
}

/// D09: exactly as many as the limit, however many threads ask.
#[test]
fn exactly_the_limit_of_a_burst_passes() {
    let limits = limits(&clock(), |settings| settings.key_per_minute = 50);
    let admitted: usize = std::thread::scope(|scope| {
        let callers: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    let caller = Caller::Key { id: 1, is_admin: false, own: &[] };
                    (0..25).filter(|_| passes(limits.count(caller, false))).count()
                })
            })
            .collect();
        callers.into_iter().map(|caller| caller.join().unwrap()).sum()
    });
    assert_eq!(admitted, 50);
}

/// A wait that was kept to admits one request and no more.
#[test]
fn who_waits_as_told_is_admitted() {
    let clock = clock();
    let limits = limits(&clock, |settings| settings.anonymous_per_minute = 20);
    let stranger = Caller::Stranger(address(1));
    for left in (0..20).rev() {
        let verdict = limits.count(stranger, false).unwrap();
        assert_eq!(verdict.tightest().unwrap().remaining, left);
        assert_eq!(verdict.tightest().unwrap().reset, Duration::from_secs(3 * u64::from(20 - left)));
    }
    let refused = limits.count(stranger, false).unwrap();
    assert_eq!(refused.wait(), Some(Duration::from_secs(3)));
    clock.advance(TimeDelta::milliseconds(2_999));
    assert!(!passes(limits.count(stranger, false)));
    clock.advance(TimeDelta::milliseconds(1));
    assert!(passes(limits.count(stranger, false)) && !passes(limits.count(stranger, false)));
    assert!(passes(limits.count(Caller::Stranger(address(2)), false)), "another address has its own count");
}

/// D10: fifty before the edge of a window and fifty after it are not a hundred.
#[test]
fn no_window_admits_twice_the_limit() {
    let clock = clock();
    let limits = limits(&clock, |settings| settings.key_per_minute = 50);
    let caller = Caller::Key { id: 1, is_admin: false, own: &[] };
    let mut admitted = Vec::new();
    for window in 0..10_i64 {
        for moment in [59_900, 60_100] {
            let at = window * 60_000 + moment;
            clock.advance(TimeDelta::milliseconds(at - admitted.last().map_or(0, |(last, _)| *last)));
            let count = (0..50).filter(|_| passes(limits.count(caller, false))).count();
            admitted.push((at, count));
        }
    }
    for (start, _) in &admitted {
        let within: usize =
            admitted.iter().filter(|(at, _)| (*start..start + 60_000).contains(at)).map(|(_, count)| count).sum();
        assert!(within <= 51, "{within} from {start}");
    }
}

proptest! {
    /// Whatever the pace: no window admits more than twice the limit less one, and nobody waits longer than told.
    #[test]
    fn the_bound_of_a_window_holds(limit in 1_u32..40, pauses in prop::collection::vec(0_u32..5_000, 1..300)) {
        let clock = clock();
        let window = Duration::from_secs(20);
        let limits = limits(&clock, |_| {});
        let policy = [Policy::own("default", limit, window)];
        let (mut now, mut admitted) = (0_u32, Vec::new());
        for pause in pauses {
            clock.advance(TimeDelta::milliseconds(pause.into()));
            now += pause;
            if own(1, &policy, &limits) {
                admitted.push(now);
            }
        }
        for start in &admitted {
            let within = admitted.iter().filter(|at| (*start..start + 20_000).contains(at)).count();
            prop_assert!(within < 2 * limit as usize, "{within} of {limit}");
        }
    }
}

#[test]
fn a_refused_request_counts_on_no_policy() {
    let clock = clock();
    let limits = limits(&clock, |_| {});
    let policies =
        [Policy::own("minute", 100, Duration::from_mins(1)), Policy::own("second", 10, Duration::from_secs(1))];
    assert_eq!((0..200).filter(|_| own(1, &policies, &limits)).count(), 10);
    clock.advance(TimeDelta::seconds(1));
    let caller = Caller::Key { id: 1, is_admin: false, own: &policies };
    let verdict = limits.count(caller, false).unwrap();
    let left: Vec<_> = verdict.states().iter().map(|state| (&*state.name, state.remaining)).collect();
    // Ten were used and one and two thirds came back, before this one.
    assert_eq!(left, [("minute", 90), ("second", 9)]);
}

#[test]
fn writes_of_people_count_twice() {
    let limits = limits(&clock(), |settings| {
        settings.user_per_minute = 60;
        settings.user_writes_per_minute = 20;
    });
    let user = Caller::User(7);
    assert_eq!((0..30).filter(|_| passes(limits.count(user, true))).count(), 20);
    let refused = limits.count(user, true).unwrap();
    assert_eq!(refused.violated().map(|state| &*state.name).collect::<Vec<_>>(), ["write"]);
    assert_eq!((0..60).filter(|_| passes(limits.count(user, false))).count(), 40, "reads have the rest");
}

#[test]
fn limits_of_a_key_change_while_it_is_used() {
    let clock = clock();
    let limits = limits(&clock, |_| {});
    let minute = Duration::from_mins(1);
    let before = [Policy::own("default", 10, minute)];
    assert_eq!((0..20).filter(|_| own(1, &before, &limits)).count(), 10);
    // What was used stays used.
    assert_eq!((0..20).filter(|_| own(1, &[Policy::own("default", 15, minute)], &limits)).count(), 5);
    assert!(!own(1, &[Policy::own("default", 5, minute)], &limits));
    clock.advance(TimeDelta::seconds(60));
    assert_eq!((0..20).filter(|_| own(1, &[Policy::own("default", 5, minute)], &limits)).count(), 5);
    assert_eq!((0..20).filter(|_| own(1, &[Policy::own("other", 5, minute)], &limits)).count(), 5);
}

#[test]
fn extreme_limits_are_limits() {
    let clock = clock();
    let limits = limits(&clock, |_| {});
    for (limit, window) in [(u32::MAX, Duration::from_millis(1)), (u32::MAX, Duration::MAX), (1, Duration::MAX)] {
        let policy = [Policy::own("default", limit, window)];
        assert!(own(limit.into(), &policy, &limits), "{limit} in {window:?}");
    }
    assert!(!own(1, &[Policy::own("default", 1, Duration::MAX)], &limits));
}

#[test]
fn ipv6_counts_by_network_and_mapped_addresses_are_ipv4() {
    let of = |text: &str| place(text.parse().unwrap());
    assert_eq!(of("2001:db8:0:1::1"), of("2001:db8:0:1:ffff::2"));
    assert_ne!(of("2001:db8:0:1::1"), of("2001:db8:0:2::1"));
    assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
    assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
}

/// D12: strangers cannot fill more than the bound, and nobody who is known is harmed when they do.
#[test]
fn a_flood_of_addresses_is_bounded_and_harms_nobody_who_is_known() {
    let clock = clock();
    let limits = limits(&clock, |settings| {
        settings.anonymous_per_minute = 2;
        settings.key_per_minute = 100;
        settings.callers_max = 1_000;
    });
    let stranger = |index: u64| {
        let network = Ipv6Addr::from_bits(0x2001_0db8_u128 << 96 | u128::from(index) << 64);
        limits.count(Caller::Stranger(network.into()), false)
    };
    let admitted = (0..5_000).filter(|index| passes(stranger(*index))).count();
    assert_eq!(admitted, 1_002, "newcomers beyond the bound share one count");
    assert!(limits.callers() <= 1_001, "{}", limits.callers());
    assert!(passes(stranger(0)) && !passes(stranger(0)), "who came early keeps a count of their own");
    let key = Caller::Key { id: 1, is_admin: false, own: &[] };
    assert_eq!((0..200).filter(|_| passes(limits.count(key, false))).count(), 100);
    // Full buckets make room by themselves, also between two sweeps.
    clock.advance(TimeDelta::seconds(61));
    assert!(passes(stranger(10_000)) && passes(stranger(10_000)) && !passes(stranger(10_000)));
    limits.sweep();
    assert_eq!(limits.callers(), 1, "only those who lack something are remembered");
}

/// Tries to sign in: five to an account, a hundred to all of them, and a session's refreshes apart.
#[test]
fn signing_in_is_counted_by_account_and_by_address() {
    let clock = clock();
    let limits = limits(&clock, |settings| {
        settings.sign_in_per_15_minutes = 5;
        settings.sign_in_address_per_15_minutes = 100;
        settings.refresh_per_15_minutes = 30;
    });
    let tries =
        |from: u8, account: &str| (0..10).filter(|_| passes(limits.count_sign_in(address(from), account))).count();
    assert_eq!((tries(1, "ada"), tries(1, "ada"), tries(1, "bob"), tries(2, "ada")), (5, 0, 5, 5));
    let rest: usize = (0..50).map(|account| tries(1, &account.to_string())).sum();
    assert_eq!(rest, 90, "refused tries do not count on the address");
    let refused = limits.count_sign_in(address(1), "eve").unwrap();
    assert_eq!(refused.violated().map(|state| state.class).collect::<Vec<_>>(), [Class::SignInAddress]);
    assert_eq!((0..40).filter(|_| passes(limits.count_refresh(9))).count(), 30);
    clock.advance(TimeDelta::minutes(3));
    assert!(passes(limits.count_sign_in(address(2), "ada")), "a fifth comes back every three minutes");
}

#[test]
fn lifted_limits_count_nothing() {
    let limits = limits(&clock(), |_| {});
    assert!(limits.count(Caller::Root, true).is_none() && limits.count(Caller::User(1), true).is_none());
    assert!(limits.count_sign_in(address(1), "ada").is_none() && limits.count_refresh(1).is_none());
    assert_eq!(limits.callers(), 0);
}

#[test]
fn names_of_classes_are_distinct() {
    use Class::*;
    let all = [Root, Admin, Key, User, Write, Anonymous, Documents, SignIn, SignInAddress, Refresh, Own];
    assert_eq!(all.map(Class::name).into_iter().collect::<HashSet<_>>().len(), CLASSES);
    assert!(all.into_iter().enumerate().all(|(index, class)| class as usize == index));
}
