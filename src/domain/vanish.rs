//! Vanishing channels: rules, what they spare, and the engine's book-keeping.
//!
//! Invariants: nothing is deleted early; no id of a living message is kept but the bounds of a sweep and what a
//! person marked; what to delete is decided on the page that Discord shows at that moment.

mod backlog;
mod counter;
mod defaults;
mod exemption;
mod hold;
mod message;
mod own;
pub mod plan;
mod prospect;
mod read;
mod rule;
pub mod schedule;
mod sweep;
mod watch;

pub use backlog::abort_backlog;
pub use counter::add_deleted;
pub use defaults::{DefaultChange, defaults, set_defaults};
pub(in crate::domain) use exemption::forget_account;
pub use exemption::{ExemptionChange, ExemptionTarget, change_exemption, exemptions};
pub use hold::{Pause, pause, resume, run_now};
pub use message::{
    DueMessage, claim_due_messages, is_kept, keep_message, keep_own_post, may_time, settle_message, time_message,
    timed_until, untime_message,
};
pub(in crate::domain) use own::{GuildTimes, checked_bounds, forget_own_times};
pub use own::{OwnBounds, OwnChange, OwnTimes, note_own_message, own_bounds, own_times, set_own_time};
pub use prospect::{Prospect, Stretch, prospect, run_prospect};
pub use read::{PageRequest, RuleView, Rules, rule, rules, view};
pub use rule::{Backlog, NewDuration, NewRule, remove, set_duration, set_rule};
pub use sweep::{ChannelFacts, Claim, Outcome, Problem, claim_due, confirm, load_judge, rest, settle, still_holds};
pub use watch::{
    LastMessage, channel_gone, channel_restored, guild_seen, note_message, note_pins_changed, note_thread,
    planned_widening, suspended,
};

use entity::vanish_rule;
use serde_json::{Value, json};

use super::{Kind, Refusal, duration};

/// Most rules of one guild.
const RULES_PER_GUILD_MAX: u64 = 10_000;
/// Most exemptions of one guild.
const EXEMPTIONS_PER_GUILD_MAX: u64 = 500;
/// Most characters of a pause's reason.
const REASON_MAX: usize = 200;

/// What vanishing refuses.
#[derive(Clone, Debug, thiserror::Error)]
pub enum VanishRefusal {
    /// The age is out of bounds.
    #[error("The lifetime must be between 10 seconds and 365 days")]
    AfterOutOfBounds,
    /// Neither the rule nor the server's default names an age.
    #[error("A lifetime is needed, because this server has no default yet")]
    AfterMissing,
    /// The count is out of bounds.
    #[error("The number of messages to keep must be between 1 and 1000")]
    KeepLastOutOfBounds,
    /// The channel has no rule.
    #[error("Channel not found")]
    NoRule,
    /// The channel's rule belongs to another guild.
    #[error("This channel already has a rule of another server")]
    OtherGuild,
    /// A counter may only rise.
    #[error("The number of deleted messages must be a positive whole number")]
    BadCount,
    /// Too many rules.
    #[error("This server has {RULES_PER_GUILD_MAX} vanishing channels, which is the most")]
    TooManyRules,
    /// Too many exemptions.
    #[error("This server has {EXEMPTIONS_PER_GUILD_MAX} exemptions, which is the most")]
    TooManyExemptions,
    /// There is no backlog to abort.
    #[error("There is nothing left to abort: the old messages are no longer waiting")]
    NothingArmed,
    /// It is not paused.
    #[error("This channel is not paused")]
    NotPaused,
    /// It is paused, or held because a permission is missing.
    #[error("This channel is paused: resume it first")]
    Held,
    /// A moment that lies behind.
    #[error("The time must lie ahead")]
    TimePassed,
    /// Only the author or a moderator may time a message.
    #[error("Only the author of a message, or somebody with the permission Manage Messages, can let it vanish")]
    NotTheAuthor,
    /// The guild does not let members choose.
    #[error(
        "This server does not let members choose when their own messages vanish. Whoever manages it can turn that on \
         with `/vanish default` and its options own_min and own_max"
    )]
    OwnOff,
    /// The guild's bounds do not hold this time.
    #[error("In this server you can choose a time between {} and {}", duration::format(*min), duration::format(*max))]
    OwnOutOfBounds {
        /// The shortest, in seconds.
        min: i64,
        /// The longest, in seconds.
        max: i64,
    },
    /// The guild's shortest time is longer than its longest.
    #[error("The shortest time that members may choose must not be longer than the longest")]
    OwnBoundsCross,
    /// Too many times of one's own.
    #[error("That is one time too many: end another one first, or choose one for the whole server")]
    TooManyOwn,
}

impl Refusal for VanishRefusal {
    fn kind(&self) -> Kind {
        match self {
            Self::AfterOutOfBounds
            | Self::AfterMissing
            | Self::KeepLastOutOfBounds
            | Self::BadCount
            | Self::OwnOutOfBounds { .. }
            | Self::OwnBoundsCross
            | Self::TimePassed => Kind::Invalid,
            Self::NoRule => Kind::NotFound,
            Self::OtherGuild | Self::NothingArmed | Self::NotPaused | Self::Held | Self::OwnOff => Kind::Conflict,
            Self::TooManyRules | Self::TooManyExemptions | Self::TooManyOwn => Kind::LimitReached,
            Self::NotTheAuthor => Kind::Forbidden,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::AfterOutOfBounds => "vanish.after_out_of_bounds",
            Self::AfterMissing => "vanish.after_missing",
            Self::KeepLastOutOfBounds => "vanish.keep_last_out_of_bounds",
            Self::NoRule => "vanish.no_rule",
            Self::OtherGuild => "vanish.other_guild",
            Self::BadCount => "vanish.bad_count",
            Self::TooManyRules => "vanish.too_many_rules",
            Self::TooManyExemptions => "vanish.too_many_exemptions",
            Self::NothingArmed => "vanish.nothing_armed",
            Self::NotPaused => "vanish.not_paused",
            Self::Held => "vanish.held",
            Self::TimePassed => "vanish.time_passed",
            Self::NotTheAuthor => "vanish.not_the_author",
            Self::OwnOff => "vanish.own_off",
            Self::OwnOutOfBounds { .. } => "vanish.own_out_of_bounds",
            Self::OwnBoundsCross => "vanish.own_bounds_cross",
            Self::TooManyOwn => "vanish.too_many_own",
        }
    }

    fn pointer(&self) -> Option<&'static str> {
        match self {
            Self::AfterOutOfBounds | Self::AfterMissing => Some("/duration"),
            Self::KeepLastOutOfBounds => Some("/keepLast"),
            Self::BadCount => Some("/deletedCount"),
            Self::OtherGuild => Some("/guildId"),
            _ => None,
        }
    }
}

/// A rule as the event log and exports show it: its settings, not its progress.
pub fn rule_settings(rule: &vanish_rule::Model) -> Value {
    use sea_orm::ActiveEnum;
    json!({
        "channel_id": rule.channel_id,
        "guild_id": rule.guild_id,
        "after_seconds": rule.after_seconds,
        "keep_last": rule.keep_last,
        "schedule": rule.schedule.to_value(),
        "at_minute": rule.at_minute,
        "pins": rule.pins.map(|pins| pins.to_value()),
        "threads": rule.threads.map(|threads| threads.to_value()),
        "state": rule.state.to_value(),
        "paused_until": rule.paused_until.map(|until| until.to_rfc3339_opts(chrono::SecondsFormat::Millis, true)),
    })
}

fn subject(channel: entity::id::ChannelId) -> String {
    format!("vanish/{channel}")
}
