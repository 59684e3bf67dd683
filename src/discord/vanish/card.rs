//! Rules in words.

use std::fmt::Write as _;

use chrono::TimeDelta;
use entity::{
    id::{DiscordUserId, RoleId},
    vanish_default, vanish_exemption,
    vanish_exemption::ExemptionKind,
    vanish_rule::{self, Pins, RuleState, Schedule, Threads},
};

use crate::{
    discord::text,
    domain::{
        duration,
        vanish::{
            ExemptionTarget,
            schedule::{Effective, KEEP_LAST_OFF},
        },
    },
};

/// Discord's own colours for good, careful, bad and neutral; each also stands in words.
pub const GREEN: u32 = 0x0024_8046;
pub const YELLOW: u32 = 0x00f0_b232;
pub const RED: u32 = 0x00da_373c;
pub const GREY: u32 = 0x0080_848e;

/// Most characters of a field of a card.
pub const FIELD_MAX: usize = 1_000;
/// Most characters of a pause's reason on a card.
const REASON_MAX: usize = 200;

/// What a rule does, a line for each of its sides.
pub fn rule_lines(rule: &Effective) -> String {
    let age = duration::format(rule.after_seconds);
    let mut lines = match rule.schedule {
        Schedule::Rolling => format!("• Messages vanish **{age}** after they were sent"),
        Schedule::Every => match rule.at_minute {
            Some(minute) => {
                format!("• All messages vanish every **{age}**, counted from {} ({})", clock(minute), rule.zone)
            }
            None => format!("• All messages vanish every **{age}**"),
        },
        Schedule::Daily => format!(
            "• Once a day at **{}** ({}), messages older than **{age}** vanish",
            clock(rule.at_minute.unwrap_or(0)),
            rule.zone
        ),
    };
    if let Some(count) = rule.keep_last {
        let _ = write!(lines, "\n• At most the newest **{count}** stay");
    }
    lines.push_str(match rule.pins {
        Pins::Keep => "\n• Pinned messages stay",
        Pins::Delete => "\n• Pinned messages vanish too",
    });
    lines.push_str(match rule.threads {
        Threads::Include => "\n• Threads are included",
        Threads::Skip => "\n• Threads are left alone",
    });
    lines
}

/// `04:30`.
pub fn clock(minute: i32) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

/// A span of time, at least in whole seconds.
pub fn span(span: TimeDelta) -> String {
    duration::format(span.num_seconds().max(1))
}

pub fn pins(pins: Pins) -> &'static str {
    match pins {
        Pins::Keep => "keep",
        Pins::Delete => "delete",
    }
}

pub fn threads(threads: Threads) -> &'static str {
    match threads {
        Threads::Include => "include",
        Threads::Skip => "skip",
    }
}

/// What a rule itself names; the rest comes from the server's default.
pub fn own_values(rule: &vanish_rule::Model) -> String {
    let schedule = match rule.schedule {
        Schedule::Rolling => "rolling",
        Schedule::Every => "every",
        Schedule::Daily => "daily",
    };
    let at = rule.at_minute.map_or_else(String::new, |minute| format!(" at {}", clock(minute)));
    format!("{}\nschedule: {schedule}{at}", values(rule.after_seconds, rule.keep_last, rule.pins, rule.threads))
}

/// What the server's default names.
pub fn default_values(default: &vanish_default::Model) -> String {
    let own = default.own_min_seconds.zip(default.own_max_seconds);
    let own = own.map_or_else(
        || "no".to_owned(),
        |(min, max)| format!("{} to {}", duration::format(min), duration::format(max)),
    );
    let values = values(default.after_seconds, default.keep_last, default.pins, default.threads);
    format!("{values}\nmembers choose for their own messages: {own}")
}

fn values(
    after_seconds: Option<i64>,
    keep_last: Option<i32>,
    pinned: Option<Pins>,
    in_threads: Option<Threads>,
) -> String {
    let or_dash = |value: Option<String>| value.unwrap_or_else(|| "–".to_owned());
    format!(
        "after: {}\nkeep\\_last: {}\npins: {}\nthreads: {}",
        or_dash(after_seconds.map(duration::format)),
        or_dash(keep_last.map(keep_last_words)),
        or_dash(pinned.map(|one| pins(one).to_owned())),
        or_dash(in_threads.map(|one| threads(one).to_owned())),
    )
}

/// `50`, or that a rule wants no limit though the server's default may have one.
fn keep_last_words(count: i32) -> String {
    if count == KEEP_LAST_OFF { "off".to_owned() } else { count.to_string() }
}

/// A rule's state: colour, and the same as emoji and word.
pub fn health(rule: &vanish_rule::Model, has_age: bool) -> (u32, &'static str) {
    match rule.state {
        RuleState::Active if !has_age => (YELLOW, "⚪ no lifetime"),
        RuleState::Active => (GREEN, "🟢 active"),
        RuleState::Unconfirmed => (YELLOW, "🟡 unconfirmed"),
        RuleState::Paused => (GREY, "⏸️ paused"),
        RuleState::Suspended => (RED, "🔴 stopped"),
    }
}

/// Why a rule does not act and what to do about it; none while it acts.
pub fn problem(rule: &vanish_rule::Model) -> Option<String> {
    let words = || text::escape(rule.problem.as_deref().unwrap_or_default(), REASON_MAX);
    match rule.state {
        RuleState::Active => None,
        RuleState::Paused => {
            let until = match rule.paused_until {
                Some(until) => format!("Paused until {} ({})", text::absolute(until), text::relative(until)),
                None => "Paused until somebody resumes it".to_owned(),
            };
            Some(if rule.problem.is_some() { format!("{until}: {}", words()) } else { until })
        }
        RuleState::Suspended => Some(format!(
            "I lack **{}** there, so I stopped. Allow it in the channel's settings, then Permissions; I go on by myself",
            words()
        )),
        RuleState::Unconfirmed => Some(match rule.problem.as_deref() {
            Some("channel_of_another_server") => {
                "It was set over the API, but this channel belongs to another server".to_owned()
            }
            Some(_) => "It was set over the API, but I do not see this channel".to_owned(),
            None => "It was set over the API and waits until I have looked at the channel".to_owned(),
        }),
    }
}

/// What an exemption is about.
pub fn target(target: ExemptionTarget) -> String {
    match target {
        ExemptionTarget::User(user) => text::user(user),
        ExemptionTarget::Role(role) => text::role(role),
        ExemptionTarget::Bots => "all bots".to_owned(),
        ExemptionTarget::Webhooks => "all webhooks".to_owned(),
        ExemptionTarget::System => "Discord's own messages".to_owned(),
    }
}

/// A stored exemption with where it holds.
pub fn exemption(row: &vanish_exemption::Model) -> String {
    let id = row.target_bits.cast_unsigned();
    let about = match row.kind {
        ExemptionKind::User => DiscordUserId::new(id).map(ExemptionTarget::User),
        ExemptionKind::Role => RoleId::new(id).map(ExemptionTarget::Role),
        ExemptionKind::Bots => Some(ExemptionTarget::Bots),
        ExemptionKind::Webhooks => Some(ExemptionTarget::Webhooks),
        ExemptionKind::System => Some(ExemptionTarget::System),
    };
    let about = about.map_or_else(|| "?".to_owned(), target);
    match entity::id::ChannelId::new(row.channel_bits.cast_unsigned()) {
        Some(channel) => format!("• {about} in {}", text::channel(channel)),
        None => format!("• {about} in the whole server"),
    }
}
