//! Whether the values of a document can be settings; every complaint names its place.

use std::collections::HashSet;

use entity::{
    guild_role::RoleKind,
    id::{ChannelId, GuildId, RoleId},
    vanish_exemption::ExemptionKind,
    vanish_rule::Schedule,
};
use sea_orm::ActiveEnum;

use super::{DefaultPart, ExemptionPart, GeneralPart, RolePart, RulePart, SlotPart};
use crate::domain::{
    event::{spelled, unspelled},
    guild::{General, GeneralChange, role},
    history::{
        HistoryRefusal,
        vanish::{DefaultConfig, ExemptionKey, RuleConfig, RuleSettings},
    },
    slot::{self, SlotConfig, SlotKey},
    vanish::{
        checked_bounds,
        schedule::{AFTER_SECONDS, KEEP_LAST, KEEP_LAST_OFF},
    },
};

/// Most exemptions of one guild.
const EXEMPTIONS_MAX: usize = 500;
/// Minutes of a day.
const DAY_MINUTES: std::ops::Range<i32> = 0..1440;

type Checked<T> = Result<T, HistoryRefusal>;

fn bad(pointer: impl Into<String>, problem: impl Into<String>) -> HistoryRefusal {
    HistoryRefusal::BadValue { pointer: pointer.into(), problem: problem.into() }
}

/// One of the words that a state is spelled by.
fn word<E: ActiveEnum<Value = String> + Copy>(pointer: &str, text: &str) -> Checked<E> {
    unspelled(text).ok_or_else(|| {
        let words: Vec<String> = E::iter().map(spelled).collect();
        bad(pointer, format!("must be one of {}", words.join(", ")))
    })
}

fn word_or_none<E: ActiveEnum<Value = String> + Copy>(pointer: &str, text: Option<&String>) -> Checked<Option<E>> {
    text.map(|text| word(pointer, text)).transpose()
}

pub(super) fn general(part: &GeneralPart) -> Checked<General> {
    let change = GeneralChange {
        time_zone: Some(part.time_zone.clone()),
        week_start: Some(word("/general/week_start", &part.week_start)?),
        language: Some(part.language.clone()),
        digest: Some(word("/general/digest", &part.digest)?),
    };
    General::default().with(&change).map_err(|refusal| bad("/general", refusal.to_string()))
}

pub(super) fn slots(parts: &[SlotPart]) -> Checked<Vec<(SlotKey, SlotConfig)>> {
    let mut seen = HashSet::new();
    let mut slots = Vec::with_capacity(parts.len());
    for (index, part) in parts.iter().enumerate() {
        let at = |field: &str| format!("/slots/{index}/{field}");
        let key: SlotKey =
            part.key.parse().map_err(|refusal: slot::SlotRefusal| bad(at("key"), refusal.to_string()))?;
        if !seen.insert(key.clone()) {
            return Err(bad(at("key"), "is named twice"));
        }
        let created = match (&part.slot_type, &part.purpose) {
            (None, None) => None,
            (Some(_), Some(_)) if key.known().is_some() => {
                return Err(bad(at("type"), "a built-in slot has a type and a purpose of its own"));
            }
            (Some(slot_type), Some(purpose)) => {
                let purpose =
                    slot::checked_purpose(purpose).map_err(|refusal| bad(at("purpose"), refusal.to_string()))?;
                Some((word(&at("type"), slot_type)?, purpose))
            }
            _ => return Err(bad(at("type"), "type and purpose go together")),
        };
        slots.push((key, SlotConfig { channel_id: part.channel_id, created }));
    }
    Ok(slots)
}

pub(super) fn roles(guild_id: GuildId, parts: &[RolePart]) -> Checked<Vec<(RoleKind, RoleId)>> {
    let mut roles: Vec<(RoleKind, RoleId)> = Vec::new();
    for (index, part) in parts.iter().enumerate() {
        let at = |field: &str| format!("/roles/{index}/{field}");
        let kind = word(&at("kind"), &part.kind)?;
        if roles.iter().any(|(named, _)| *named == kind) {
            return Err(bad(at("kind"), "is named twice"));
        }
        role::checked(guild_id, Some(part.role_id)).map_err(|refusal| bad(at("role_id"), refusal.to_string()))?;
        roles.push((kind, part.role_id));
    }
    Ok(roles)
}

/// Only a rule may have a `keep_last` that is off; in a default it would be none.
fn bounds(pointer: &str, after_seconds: Option<i64>, keep_last: Option<i32>) -> Checked<()> {
    if after_seconds.is_some_and(|after| !AFTER_SECONDS.contains(&after)) {
        let problem = format!("must be from {} to {} seconds", AFTER_SECONDS.start(), AFTER_SECONDS.end());
        return Err(bad(format!("{pointer}/after_seconds"), problem));
    }
    if keep_last.is_some_and(|keep| !KEEP_LAST.contains(&keep)) {
        let problem = format!("must be from {} to {}", KEEP_LAST.start(), KEEP_LAST.end());
        return Err(bad(format!("{pointer}/keep_last"), problem));
    }
    Ok(())
}

pub(super) fn default(part: &DefaultPart) -> Checked<DefaultConfig> {
    bounds("/vanish/default", part.after_seconds, part.keep_last)?;
    let own = checked_bounds(part.own_min_seconds, part.own_max_seconds);
    let own = own.map_err(|refusal| bad("/vanish/default/own_min_seconds", refusal.to_string()))?;
    Ok(DefaultConfig {
        after_seconds: part.after_seconds,
        keep_last: part.keep_last,
        pins: word_or_none("/vanish/default/pins", part.pins.as_ref())?,
        threads: word_or_none("/vanish/default/threads", part.threads.as_ref())?,
        own_min_seconds: own.as_ref().map(|own| *own.start()),
        own_max_seconds: own.as_ref().map(|own| *own.end()),
    })
}

pub(super) fn rules(
    parts: &[RulePart],
    default: &DefaultConfig,
    present: &[(ChannelId, RuleConfig)],
) -> Checked<Vec<(ChannelId, RuleConfig)>> {
    let mut seen = HashSet::new();
    let mut rules = Vec::with_capacity(parts.len());
    for (index, part) in parts.iter().enumerate() {
        let pointer = format!("/vanish/rules/{index}");
        if !seen.insert(part.channel_id) {
            return Err(bad(pointer + "/channel_id", "is named twice"));
        }
        let is_new = !present.iter().any(|(channel, _)| *channel == part.channel_id);
        if is_new && part.paused {
            let problem = "the channel has no rule that could be paused: take this rule out, or set paused to false";
            return Err(bad(pointer + "/paused", problem));
        }
        rules.push((part.channel_id, rule(&pointer, part, default)?));
    }
    Ok(rules)
}

fn rule(pointer: &str, part: &RulePart, default: &DefaultConfig) -> Checked<RuleConfig> {
    let at = |field: &str| format!("{pointer}/{field}");
    bounds(pointer, part.after_seconds, part.keep_last.filter(|keep| *keep != KEEP_LAST_OFF))?;
    if part.after_seconds.or(default.after_seconds).is_none() {
        return Err(bad(at("after_seconds"), "is needed, because the defaults have none"));
    }
    if part.at_minute.is_some_and(|minute| !DAY_MINUTES.contains(&minute)) {
        return Err(bad(at("at_minute"), "must be from 0 to 1439"));
    }
    let schedule = word(&at("schedule"), &part.schedule)?;
    if schedule == Schedule::Daily && part.at_minute.is_none() {
        return Err(bad(at("at_minute"), "is needed for a daily schedule"));
    }
    let settings = RuleSettings {
        after_seconds: part.after_seconds,
        keep_last: part.keep_last,
        schedule,
        at_minute: part.at_minute,
        pins: word_or_none(&at("pins"), part.pins.as_ref())?,
        threads: word_or_none(&at("threads"), part.threads.as_ref())?,
        paused: part.paused,
        paused_until: part.paused_until.filter(|_| part.paused),
    };
    // A file proves nothing about a channel: Discord is asked before the rule acts.
    Ok(RuleConfig { settings, confirmed: false })
}

pub(super) fn exemptions(parts: &[ExemptionPart]) -> Checked<Vec<ExemptionKey>> {
    if parts.len() > EXEMPTIONS_MAX {
        return Err(bad("/vanish/exemptions", format!("has more than {EXEMPTIONS_MAX} entries")));
    }
    let mut keys = Vec::with_capacity(parts.len());
    for (index, part) in parts.iter().enumerate() {
        let pointer = format!("/vanish/exemptions/{index}");
        let kind = word(&format!("{pointer}/kind"), &part.kind)?;
        let needs_target = matches!(kind, ExemptionKind::User | ExemptionKind::Role);
        if needs_target != part.target_id.is_some() {
            return Err(bad(format!("{pointer}/target_id"), "user and role need one, the other kinds have none"));
        }
        let bits = |id: Option<ChannelId>| id.map_or(0, |id| id.get().cast_signed());
        let key = ExemptionKey { channel_bits: bits(part.channel_id), kind, target_bits: bits(part.target_id) };
        if keys.contains(&key) {
            return Err(bad(pointer, "is named twice"));
        }
        keys.push(key);
    }
    Ok(keys)
}
