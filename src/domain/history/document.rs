//! The document of an export, and what importing one would change.
//!
//! A part that is there is complete: what it does not name is taken away. A part that is missing stays as it is.

use chrono::{DateTime, Utc};
use entity::{
    channel_slot::SlotType,
    guild_role::RoleKind,
    id::{ChannelId, GuildId, RoleId},
    vanish_exemption::ExemptionKind,
};
use sea_orm::Iterable as _;
use serde::{Deserialize, Serialize};

use super::{
    HistoryRefusal, PlannedChange,
    practice::{self, PracticePart},
    subject::{Hold, State, Subject},
    vanish::{self, DefaultConfig, ExemptionKey, RuleConfig},
};
use crate::domain::{
    Actor, Domain, Error, Right,
    event::spelled,
    guild::General,
    history::{export, plan},
    slot::{SlotConfig, SlotKey},
};

mod check;

/// What a document says it is.
pub(super) const FORMAT: &str = "guildhall-settings";
/// The only version so far.
pub(super) const VERSION: u32 = 1;
/// Largest document.
pub const IMPORT_BYTES_MAX: usize = 256 * 1024;
/// Longest complaint that is repeated.
const PROBLEM_CHARS_MAX: usize = 200;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Document {
    pub(super) format: String,
    pub(super) version: u32,
    pub(super) guild_id: GuildId,
    pub(super) general: Option<GeneralPart>,
    pub(super) slots: Option<Vec<SlotPart>>,
    /// Files that are older than it have none, which leaves the roles as they are.
    pub(super) roles: Option<Vec<RolePart>>,
    pub(super) vanish: Option<VanishPart>,
    /// Files that are older than it have none.
    pub(super) practice: Option<PracticePart>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GeneralPart {
    time_zone: String,
    week_start: String,
    language: String,
    digest: String,
}

impl GeneralPart {
    pub(super) fn of(general: &General) -> Self {
        Self {
            time_zone: general.time_zone.name().to_owned(),
            week_start: spelled(general.week_start),
            language: general.language.to_owned(),
            digest: spelled(general.digest),
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SlotPart {
    key: String,
    channel_id: Option<ChannelId>,
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    slot_type: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    purpose: Option<String>,
}

impl SlotPart {
    /// A slot that holds something.
    pub(super) fn of(key: &str, config: &SlotConfig) -> Option<Self> {
        if *config == SlotConfig::default() {
            return None;
        }
        let created = config.created.as_ref();
        Some(Self {
            key: key.to_owned(),
            channel_id: config.channel_id,
            slot_type: created.map(|(slot_type, _): &(SlotType, String)| spelled(*slot_type)),
            purpose: created.map(|(_, purpose)| purpose.clone()),
        })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RolePart {
    kind: String,
    role_id: RoleId,
}

impl RolePart {
    pub(super) fn of(kind: RoleKind, role_id: RoleId) -> Self {
        Self { kind: spelled(kind), role_id }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct VanishPart {
    pub(super) default: Option<DefaultPart>,
    pub(super) rules: Option<Vec<RulePart>>,
    pub(super) exemptions: Option<Vec<ExemptionPart>>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DefaultPart {
    after_seconds: Option<i64>,
    keep_last: Option<i32>,
    pins: Option<String>,
    threads: Option<String>,
    own_min_seconds: Option<i64>,
    own_max_seconds: Option<i64>,
}

impl DefaultPart {
    pub(super) fn of(default: &DefaultConfig) -> Self {
        Self {
            after_seconds: default.after_seconds,
            keep_last: default.keep_last,
            pins: default.pins.map(spelled),
            threads: default.threads.map(spelled),
            own_min_seconds: default.own_min_seconds,
            own_max_seconds: default.own_max_seconds,
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RulePart {
    channel_id: ChannelId,
    after_seconds: Option<i64>,
    keep_last: Option<i32>,
    schedule: String,
    at_minute: Option<i32>,
    pins: Option<String>,
    threads: Option<String>,
    #[serde(default)]
    paused: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    paused_until: Option<DateTime<Utc>>,
}

impl RulePart {
    pub(super) fn of(channel_id: ChannelId, rule: &RuleConfig) -> Self {
        let settings = &rule.settings;
        Self {
            channel_id,
            after_seconds: settings.after_seconds,
            keep_last: settings.keep_last,
            schedule: spelled(settings.schedule),
            at_minute: settings.at_minute,
            pins: settings.pins.map(spelled),
            threads: settings.threads.map(spelled),
            paused: settings.paused,
            paused_until: settings.paused_until,
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ExemptionPart {
    channel_id: Option<ChannelId>,
    kind: String,
    // Any of Discord's ids has this spelling.
    target_id: Option<ChannelId>,
}

impl ExemptionPart {
    pub(super) fn of(key: ExemptionKey) -> Self {
        let id = |bits: i64| ChannelId::new(bits.cast_unsigned());
        Self {
            channel_id: id(key.channel_bits),
            kind: spelled::<ExemptionKind>(key.kind),
            target_id: id(key.target_bits),
        }
    }
}

/// What would change if a document were imported; nothing is written.
pub async fn plan_import(
    domain: &Domain,
    actor: &Actor,
    guild_id: GuildId,
    bytes: &[u8],
) -> Result<Vec<PlannedChange>, Error> {
    actor.require(Right::ManageSettings, Some(guild_id))?;
    let document = parse(bytes)?;
    if document.guild_id != guild_id {
        return Err(HistoryRefusal::OtherGuild { guild: document.guild_id.to_string() }.into());
    }
    let wanted = wanted(domain, guild_id, &document).await?;
    let mut planned = Vec::new();
    for (subject, state) in wanted {
        plan(domain, actor, guild_id, (&subject, state), &mut planned).await?;
    }
    Ok(planned)
}

/// Reads a document; every complaint names its place.
fn parse(bytes: &[u8]) -> Result<Document, HistoryRefusal> {
    if bytes.len() > IMPORT_BYTES_MAX {
        return Err(HistoryRefusal::TooLarge { max: IMPORT_BYTES_MAX });
    }
    let value: serde_json::Value = serde_json::from_slice(bytes).map_err(|error| HistoryRefusal::NotJson {
        problem: error.to_string().chars().take(PROBLEM_CHARS_MAX).collect(),
    })?;
    if value["format"] != FORMAT || value["version"] != VERSION {
        return Err(HistoryRefusal::WrongFormat);
    }
    serde_path_to_error::deserialize(value).map_err(|error| HistoryRefusal::BadValue {
        pointer: pointer(error.path()),
        problem: error.inner().to_string().chars().take(PROBLEM_CHARS_MAX).collect(),
    })
}

/// A path as a JSON pointer: RFC 6901.
fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    path.iter()
        .map(|segment| match segment {
            Segment::Seq { index } => format!("/{index}"),
            Segment::Map { key } => format!("/{}", key.replace('~', "~0").replace('/', "~1")),
            Segment::Enum { variant } => format!("/{variant}"),
            Segment::Unknown => "/?".to_owned(),
        })
        .collect()
}

/// The states that a document asks for, with those that it leaves out of its complete parts.
async fn wanted(domain: &Domain, guild_id: GuildId, document: &Document) -> Result<Vec<(Subject, State)>, Error> {
    let reader = domain.store.reader();
    let mut wanted = Vec::new();
    if let Some(part) = &document.general {
        wanted.push((Subject::General, State::General(check::general(part)?)));
    }
    if let Some(parts) = &document.slots {
        let slots = check::slots(parts)?;
        for (key, _) in export::slots(reader, guild_id).await? {
            let key: SlotKey = key.parse()?;
            if !slots.iter().any(|(named, _)| *named == key) {
                wanted.push((Subject::Slot(key), State::Slot(SlotConfig::default())));
            }
        }
        wanted.extend(slots.into_iter().map(|(key, config)| (Subject::Slot(key), State::Slot(config))));
    }
    if let Some(parts) = &document.roles {
        let roles = check::roles(guild_id, parts)?;
        let state = |kind| roles.iter().find(|(named, _)| *named == kind).map(|(_, role)| *role);
        wanted.extend(RoleKind::iter().map(|kind| (Subject::Role(kind), State::Role(state(kind)))));
    }
    if let Some(part) = &document.vanish {
        wanted.extend(wanted_of_vanish(domain, guild_id, part).await?);
    }
    if let Some(part) = &document.practice {
        wanted.extend(practice::wanted(part)?);
    }
    Ok(wanted)
}

async fn wanted_of_vanish(
    domain: &Domain,
    guild_id: GuildId,
    part: &VanishPart,
) -> Result<Vec<(Subject, State)>, Error> {
    let reader = domain.store.reader();
    let mut wanted = Vec::new();
    let mut default = vanish::present_default(reader, guild_id, Hold::No).await?;
    if let Some(part) = &part.default {
        default = check::default(part)?;
        wanted.push((Subject::Default, State::Default(default.clone())));
    }
    if let Some(parts) = &part.rules {
        let present = export::rules(reader, guild_id).await?;
        let rules = check::rules(parts, &default, &present)?;
        let unnamed = present.iter().filter(|(channel, _)| !rules.iter().any(|(named, _)| named == channel));
        wanted.extend(unnamed.map(|(channel, _)| (Subject::Rule(*channel), State::Rule(None))));
        wanted.extend(rules.into_iter().map(|(channel, rule)| (Subject::Rule(channel), State::Rule(Some(rule)))));
    }
    if let Some(parts) = &part.exemptions {
        let keys = check::exemptions(parts)?;
        let present = export::exemptions(reader, guild_id).await?;
        let unnamed = present.into_iter().filter(|key| !keys.contains(key));
        wanted.extend(unnamed.map(|key| (Subject::Exemption(key), State::Exemption(false))));
        wanted.extend(keys.iter().map(|key| (Subject::Exemption(*key), State::Exemption(true))));
    }
    Ok(wanted)
}
