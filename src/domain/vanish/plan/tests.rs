use entity::vanish_rule::{Schedule, Threads};
use proptest::prelude::*;

use super::*;

fn now() -> DateTime<Utc> {
    "2026-11-22T12:00:00Z".parse().expect("a test's own time")
}

/// A message of this age in seconds; `nth` tells apart those of one millisecond.
fn message(age_seconds: i64, nth: u64) -> MessageFacts {
    let base = MessageId::at_milliseconds(now().timestamp_millis() - age_seconds * 1000).expect("after 2015");
    MessageFacts {
        id: MessageId::new(base.get() + nth).expect("not zero"),
        author_id: DiscordUserId::new(7),
        by_bot: false,
        by_webhook: false,
        kind: 0,
        pinned: false,
    }
}

fn judge(after_seconds: i64, keep_last: Option<usize>) -> Judge {
    Judge {
        rule: Effective {
            after_seconds,
            keep_last,
            schedule: Schedule::Rolling,
            at_minute: None,
            pins: Pins::Keep,
            threads: Threads::Skip,
            anchor: now(),
            zone: chrono_tz::UTC,
        },
        exemptions: Exemptions::default(),
        place_id: ChannelId::new(5).expect("not zero"),
        kept: HashSet::new(),
        roles: HashMap::new(),
    }
}

fn walk(judge: &Judge, messages: Vec<MessageFacts>) -> Conclusion {
    let mut walk = Walk::new(now(), MessageId::new(1).expect("not zero"), None);
    walk.read_page(judge, messages, false);
    walk.conclude(1000, 1000)
}

#[test]
fn splits_young_from_old_at_thirteen_days_and_twenty_three_hours() {
    let day = 86_400;
    // 13 d 23 h is old already; a second less is young.
    let messages = [30 * day, 14 * day, 14 * day - 3_600, 14 * day - 3_601].map(|age| message(age, 0));
    let conclusion = walk(&judge(60, None), messages.to_vec());
    assert_eq!((conclusion.deletions.old.len(), conclusion.deletions.young.len()), (3, 1));
}

#[test]
fn pins_kept_messages_bots_and_system_notices_stay() {
    let mut judge = judge(60, None);
    judge.exemptions.kinds = [ExemptionKind::Bots, ExemptionKind::System].into();
    let pinned = MessageFacts { pinned: true, ..message(500, 0) };
    let bot = MessageFacts { by_bot: true, ..message(400, 0) };
    let notice = MessageFacts { kind: 7, ..message(300, 0) };
    let call = MessageFacts { kind: 3, ..message(250, 0) };
    let kept = message(200, 0);
    judge.kept = [kept.id].into();
    let plain = message(100, 0);
    let oldest = pinned.id;
    let conclusion = walk(&judge, vec![plain.clone(), pinned, bot, notice, call, kept]);
    assert_eq!(conclusion.deletions.young, vec![plain.id]);
    assert_eq!(conclusion.counts.staying, 5);
    assert_eq!(conclusion.passed_over, Some(oldest));
    assert_eq!(conclusion.cursor, plain.id, "everything is decided");
}

#[test]
fn a_webhook_is_not_its_author() {
    let mut judge = judge(60, None);
    judge.exemptions.users = [DiscordUserId::new(7).expect("not zero")].into();
    let webhook = MessageFacts { by_webhook: true, ..message(100, 0) };
    assert_eq!(walk(&judge, vec![webhook.clone()]).deletions.young, vec![webhook.id]);
    judge.exemptions.kinds = [ExemptionKind::Webhooks].into();
    assert!(walk(&judge, vec![webhook]).deletions.is_empty());
}

#[test]
fn roles_are_asked_for_once_and_count() {
    let mut judge = judge(60, None);
    let role = RoleId::new(9).expect("not zero");
    let author = DiscordUserId::new(7).expect("not zero");
    judge.exemptions.roles = [role].into();
    let page = vec![message(100, 0), message(100, 1)];
    assert_eq!(judge.authors_to_resolve(&page), vec![author]);
    judge.roles.insert(author, vec![role]);
    assert!(judge.authors_to_resolve(&page).is_empty());
    assert!(walk(&judge, page).deletions.is_empty());
}

#[test]
fn keep_last_counts_only_what_may_vanish() {
    let mut messages: Vec<_> = (0..5).map(|n| message(50 - i64::try_from(n).expect("small"), n)).collect();
    messages[0].pinned = true;
    let conclusion = walk(&judge(3_600, Some(3)), messages.clone());
    assert_eq!(conclusion.deletions.young, vec![messages[1].id]);
    assert_eq!(conclusion.cursor.get(), messages[2].id.get() - 1);
    assert_eq!(conclusion.next_due, Some(messages[2].sent_at() + TimeDelta::hours(1)));
}

#[test]
fn a_hundred_exempt_messages_do_not_stop_the_walk() {
    let page: Vec<_> = (0..100).map(|n| MessageFacts { pinned: true, ..message(1_000, n) }).collect();
    let mut walk = Walk::new(now(), MessageId::new(1).expect("not zero"), None);
    let judge = judge(60, None);
    walk.read_page(&judge, page.clone(), true);
    assert!(!walk.finished());
    assert_eq!(walk.read_up_to(), page[99].id);
    walk.read_page(&judge, vec![message(900, 0)], false);
    assert_eq!(walk.conclude(10, 10).deletions.len(), 1);
}

#[test]
fn what_does_not_fit_is_left_for_the_next_walk() {
    let page: Vec<_> = (0..10).map(|n| message(1_000, n)).collect();
    let mut walk = Walk::new(now(), MessageId::new(1).expect("not zero"), None);
    walk.read_page(&judge(60, None), page.clone(), false);
    let conclusion = walk.conclude(4, 4);
    assert!(conclusion.more);
    assert_eq!(conclusion.cursor.get(), page[4].id.get() - 1);
}

#[test]
fn a_range_ends_where_it_is_told() {
    let page: Vec<_> = (0..10).map(|n| message(1_000, n)).collect();
    let mut walk = Walk::new(now(), page[1].id, Some(page[5].id));
    walk.read_page(&judge(60, None), page.clone(), true);
    assert!(walk.finished());
    assert_eq!(
        walk.conclude(100, 100).deletions.young,
        page[2..=5].iter().map(|message| message.id).collect::<Vec<_>>()
    );
}

proptest! {
    /// No early deletion, nothing pinned goes, nothing is lost: walking again from the cursor finds the rest.
    #[test]
    fn every_message_is_decided_exactly_once(
        ages in prop::collection::vec((0_i64..4_000_000, any::<bool>()), 0..60),
        after in 10_i64..2_000_000,
        keep in prop::option::of(1_usize..20),
        young_max in 1_usize..30,
    ) {
        let mut messages: Vec<_> = ages.iter().enumerate()
            .map(|(n, (age, pinned))| MessageFacts { pinned: *pinned, ..message(*age, n as u64) })
            .collect();
        messages.sort_by_key(|message| message.id);
        let judge = judge(after, keep);
        let mut cursor = MessageId::new(1).expect("not zero");
        let mut gone = HashSet::new();
        for _ in 0..80 {
            let mut walk = Walk::new(now(), cursor, None);
            let page = messages.iter().filter(|message| !gone.contains(&message.id)).cloned().collect();
            walk.read_page(&judge, page, false);
            let conclusion = walk.conclude(young_max, young_max);
            for id in conclusion.deletions.young.iter().chain(&conclusion.deletions.old) {
                prop_assert!(gone.insert(*id), "deleted twice");
            }
            prop_assert!(conclusion.cursor >= cursor);
            cursor = conclusion.cursor;
            if !conclusion.more { break; }
        }
        let loose = messages.iter().filter(|message| !message.pinned);
        let newest: HashSet<_> = keep.map_or_else(HashSet::new, |keep| {
            loose.clone().rev().take(keep).map(|message| message.id).collect()
        });
        for message in loose {
            let due = judge.rule.due_at(message.sent_at()) <= now();
            let surplus = keep.is_some() && !newest.contains(&message.id);
            prop_assert_eq!(gone.contains(&message.id), due || surplus);
        }
        prop_assert!(messages.iter().filter(|message| message.pinned).all(|message| !gone.contains(&message.id)));
    }
}
