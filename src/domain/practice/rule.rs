//! A guild's rules: which channels count, what is too short, too long or too long unseen.

use std::{collections::BTreeSet, ops::RangeInclusive};

use entity::{
    id::{ChannelId, GuildId},
    practice_rule::{self, ChannelMode, Model, PracticePrivacy},
};
use sea_orm::{ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, QuerySelect, sea_query::OnConflict};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::PracticeRefusal;
use crate::{
    domain::{
        Actor, Domain, Error, Right,
        event::{Author, spelled, unspelled},
    },
    store::WriteTransaction,
};

/// Most listed channels.
const CHANNELS_MAX: usize = 500;
const HOUR: i64 = 3_600;
const MINIMUM_SECONDS: RangeInclusive<i64> = 0..=HOUR;
const SESSION_CAP_SECONDS: RangeInclusive<i64> = HOUR..=24 * HOUR;
const DAY_CAP_SECONDS: RangeInclusive<i64> = HOUR..=24 * HOUR;
const BRIDGE_SECONDS: RangeInclusive<i64> = 0..=900;
const IDLE_CHECK_SECONDS: RangeInclusive<i64> = 900..=12 * HOUR;
const MANUAL_AUTO_SECONDS: RangeInclusive<i64> = 0..=24 * HOUR;

/// How a guild counts practice.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own, and read by its name")]
pub struct Rule {
    /// Which voice channels count.
    pub channel_mode: ChannelMode,
    /// The listed channels.
    pub channels: BTreeSet<ChannelId>,
    /// The least that a session must count to count at all.
    pub minimum_seconds: i64,
    /// The most that one session counts.
    pub session_cap_seconds: i64,
    /// The most that a day counts.
    pub day_cap_seconds: i64,
    /// The longest time unseen that still counts.
    pub bridge_seconds: i64,
    /// Time without a sign of a person after which a timer asks; 0 never asks.
    pub idle_check_seconds: i64,
    /// Whether time counts while muted.
    pub counts_muted: bool,
    /// Whether time counts while deafened.
    pub counts_deafened: bool,
    /// Whether time counts with no other person in the channel.
    pub counts_alone: bool,
    /// Whether time counts in the channel for people who are away.
    pub counts_afk: bool,
    /// Whether bots are counted.
    pub counts_bots: bool,
    /// Most seconds a day that a member may write down without a reviewer.
    pub manual_auto_seconds: i64,
    /// Who sees it.
    pub privacy: PracticePrivacy,
}

impl Default for Rule {
    /// Those of a guild that has set none.
    fn default() -> Self {
        Self {
            channel_mode: ChannelMode::Off,
            channels: BTreeSet::new(),
            minimum_seconds: 0,
            session_cap_seconds: 8 * HOUR,
            day_cap_seconds: 16 * HOUR,
            bridge_seconds: 120,
            idle_check_seconds: 3 * HOUR,
            counts_muted: true,
            counts_deafened: false,
            counts_alone: false,
            counts_afk: false,
            counts_bots: false,
            manual_auto_seconds: 0,
            privacy: PracticePrivacy::Server,
        }
    }
}

/// What to change; what is left out stays.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "the fields are those of Rule")]
pub struct RuleChange {
    pub channel_mode: Option<ChannelMode>,
    pub add_channels: Vec<ChannelId>,
    pub remove_channels: Vec<ChannelId>,
    pub minimum_seconds: Option<i64>,
    pub session_cap_seconds: Option<i64>,
    pub day_cap_seconds: Option<i64>,
    pub bridge_seconds: Option<i64>,
    pub idle_check_seconds: Option<i64>,
    pub counts_muted: Option<bool>,
    pub counts_deafened: Option<bool>,
    pub counts_alone: Option<bool>,
    pub counts_afk: Option<bool>,
    pub counts_bots: Option<bool>,
    pub manual_auto_seconds: Option<i64>,
    pub privacy: Option<PracticePrivacy>,
}

impl Rule {
    /// The rule with a change, if it is in bounds.
    pub fn with(mut self, change: &RuleChange) -> Result<Self, PracticeRefusal> {
        self.channel_mode = change.channel_mode.unwrap_or(self.channel_mode);
        self.channels.extend(change.add_channels.iter().copied());
        self.channels.retain(|channel| !change.remove_channels.contains(channel));
        for (value, new) in [
            (&mut self.minimum_seconds, change.minimum_seconds),
            (&mut self.session_cap_seconds, change.session_cap_seconds),
            (&mut self.day_cap_seconds, change.day_cap_seconds),
            (&mut self.bridge_seconds, change.bridge_seconds),
            (&mut self.idle_check_seconds, change.idle_check_seconds),
            (&mut self.manual_auto_seconds, change.manual_auto_seconds),
        ] {
            *value = new.unwrap_or(*value);
        }
        for (value, new) in [
            (&mut self.counts_muted, change.counts_muted),
            (&mut self.counts_deafened, change.counts_deafened),
            (&mut self.counts_alone, change.counts_alone),
            (&mut self.counts_afk, change.counts_afk),
            (&mut self.counts_bots, change.counts_bots),
        ] {
            *value = new.unwrap_or(*value);
        }
        self.privacy = change.privacy.unwrap_or(self.privacy);
        self.check()?;
        Ok(self)
    }

    fn check(&self) -> Result<(), PracticeRefusal> {
        let refuse = |what, bounds| Err(PracticeRefusal::BadRule { what, bounds });
        if self.channels.len() > CHANNELS_MAX {
            return refuse("The list of channels", "at most 500 channels");
        }
        if !MINIMUM_SECONDS.contains(&self.minimum_seconds) {
            return refuse("The shortest session", "0 to 60 minutes");
        }
        if !SESSION_CAP_SECONDS.contains(&self.session_cap_seconds) {
            return refuse("The longest session", "1 to 24 hours");
        }
        if !DAY_CAP_SECONDS.contains(&self.day_cap_seconds) {
            return refuse("The most of a day", "1 to 24 hours");
        }
        if !BRIDGE_SECONDS.contains(&self.bridge_seconds) {
            return refuse("The longest bridge", "0 to 15 minutes");
        }
        if self.idle_check_seconds != 0 && !IDLE_CHECK_SECONDS.contains(&self.idle_check_seconds) {
            return refuse("The idle check", "off, or 15 minutes to 12 hours");
        }
        if !MANUAL_AUTO_SECONDS.contains(&self.manual_auto_seconds) {
            return refuse("The time that members write down by themselves", "0 to 24 hours a day");
        }
        Ok(())
    }

    /// Whether time in this voice channel counts.
    pub fn tracks(&self, channel: ChannelId) -> bool {
        match self.channel_mode {
            ChannelMode::Off => false,
            ChannelMode::Allow => self.channels.contains(&channel),
            ChannelMode::Deny => !self.channels.contains(&channel),
            ChannelMode::All => true,
        }
    }

    fn of_row(row: &Model) -> Self {
        let channels = row.channels.as_array().into_iter().flatten();
        Self {
            channel_mode: row.channel_mode,
            channels: channels.filter_map(|id| id.as_str()?.parse().ok()).collect(),
            minimum_seconds: row.minimum_seconds,
            session_cap_seconds: row.session_cap_seconds,
            day_cap_seconds: row.day_cap_seconds,
            bridge_seconds: row.bridge_seconds,
            idle_check_seconds: row.idle_check_seconds,
            counts_muted: row.counts_muted,
            counts_deafened: row.counts_deafened,
            counts_alone: row.counts_alone,
            counts_afk: row.counts_afk,
            counts_bots: row.counts_bots,
            manual_auto_seconds: row.manual_auto_seconds,
            privacy: row.privacy,
        }
    }

    fn to_row(&self, guild_id: GuildId, author: &Author) -> Model {
        Model {
            guild_id,
            channel_mode: self.channel_mode,
            channels: json!(self.channels),
            minimum_seconds: self.minimum_seconds,
            session_cap_seconds: self.session_cap_seconds,
            day_cap_seconds: self.day_cap_seconds,
            bridge_seconds: self.bridge_seconds,
            idle_check_seconds: self.idle_check_seconds,
            counts_muted: self.counts_muted,
            counts_deafened: self.counts_deafened,
            counts_alone: self.counts_alone,
            counts_afk: self.counts_afk,
            counts_bots: self.counts_bots,
            manual_auto_seconds: self.manual_auto_seconds,
            privacy: self.privacy,
            updated_at: author.at(),
        }
    }

    /// As events spell it.
    pub(in crate::domain) fn to_json(&self, guild_id: GuildId) -> Value {
        let mut value = json!(RuleText::from(self));
        value["guild_id"] = json!(guild_id);
        value
    }

    /// Reads what events spell; null is the rule of a guild that has set none.
    pub(in crate::domain) fn of_json(value: &Value) -> Result<Self, serde_json::Error> {
        if value.is_null() {
            return Ok(Self::default());
        }
        let mut value = value.clone();
        if let Some(fields) = value.as_object_mut() {
            fields.remove("guild_id");
        }
        RuleText::deserialize(value)?.rule().map_err(serde::de::Error::custom)
    }
}

/// A rule as files and events spell it; times in seconds.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "the fields are those of Rule")]
pub(in crate::domain) struct RuleText {
    channel_mode: String,
    channels: BTreeSet<ChannelId>,
    minimum_seconds: i64,
    session_cap_seconds: i64,
    day_cap_seconds: i64,
    bridge_seconds: i64,
    idle_check_seconds: i64,
    counts_muted: bool,
    counts_deafened: bool,
    counts_alone: bool,
    counts_afk: bool,
    counts_bots: bool,
    manual_auto_seconds: i64,
    privacy: String,
}

impl From<&Rule> for RuleText {
    fn from(rule: &Rule) -> Self {
        Self {
            channel_mode: spelled(rule.channel_mode),
            channels: rule.channels.clone(),
            minimum_seconds: rule.minimum_seconds,
            session_cap_seconds: rule.session_cap_seconds,
            day_cap_seconds: rule.day_cap_seconds,
            bridge_seconds: rule.bridge_seconds,
            idle_check_seconds: rule.idle_check_seconds,
            counts_muted: rule.counts_muted,
            counts_deafened: rule.counts_deafened,
            counts_alone: rule.counts_alone,
            counts_afk: rule.counts_afk,
            counts_bots: rule.counts_bots,
            manual_auto_seconds: rule.manual_auto_seconds,
            privacy: spelled(rule.privacy),
        }
    }
}

impl RuleText {
    /// The rule, if all of it can be one.
    pub(in crate::domain) fn rule(&self) -> Result<Rule, PracticeRefusal> {
        let bad = |what, bounds| PracticeRefusal::BadRule { what, bounds };
        let modes = "off, allow, deny or all";
        let rule = Rule {
            channel_mode: unspelled(&self.channel_mode).ok_or_else(|| bad("The mode of channels", modes))?,
            channels: self.channels.clone(),
            minimum_seconds: self.minimum_seconds,
            session_cap_seconds: self.session_cap_seconds,
            day_cap_seconds: self.day_cap_seconds,
            bridge_seconds: self.bridge_seconds,
            idle_check_seconds: self.idle_check_seconds,
            counts_muted: self.counts_muted,
            counts_deafened: self.counts_deafened,
            counts_alone: self.counts_alone,
            counts_afk: self.counts_afk,
            counts_bots: self.counts_bots,
            manual_auto_seconds: self.manual_auto_seconds,
            privacy: unspelled(&self.privacy).ok_or_else(|| bad("Privacy", "public, server or private"))?,
        };
        rule.check()?;
        Ok(rule)
    }
}

/// The rules of a guild.
pub async fn rule(domain: &Domain, actor: &Actor, guild_id: GuildId) -> Result<Rule, Error> {
    actor.require(Right::ReadPractice, Some(guild_id))?;
    Ok(of(domain.store.reader(), guild_id).await?)
}

/// The same, kept in memory for the voice states of big guilds.
pub(super) async fn cached(domain: &Domain, guild_id: GuildId) -> Result<std::sync::Arc<Rule>, Error> {
    let load = async { Ok::<_, Error>(of(domain.store.reader(), guild_id).await?) };
    domain.caches.practice_rule.get_or_load(guild_id, load).await
}

pub(in crate::domain) async fn of(connection: &impl ConnectionTrait, guild_id: GuildId) -> Result<Rule, DbErr> {
    let row = practice_rule::Entity::find_by_id(guild_id).one(connection).await?;
    Ok(row.as_ref().map_or_else(Rule::default, Rule::of_row))
}

struct Input {
    author: Author,
    guild_id: GuildId,
    change: RuleChange,
}

/// Changes the rules; sessions that run keep those under which they began.
pub async fn set_rule(domain: &Domain, actor: &Actor, guild_id: GuildId, change: RuleChange) -> Result<Rule, Error> {
    actor.require(Right::ManagePractice, Some(guild_id))?;
    let input = Input { author: Author::new(domain, actor), guild_id, change };
    domain
        .store
        .write(input, |txn, input| {
            Box::pin(store_in(txn, &input.author, input.guild_id, |before| before.with(&input.change)))
        })
        .await
}

/// Brings the rules to a state, from inside a transaction.
pub(in crate::domain) async fn restore(
    txn: &WriteTransaction,
    author: &Author,
    guild_id: GuildId,
    wanted: &Rule,
) -> Result<(), Error> {
    store_in(txn, author, guild_id, |_| Ok(wanted.clone())).await.map(drop)
}

async fn store_in(
    txn: &WriteTransaction,
    author: &Author,
    guild_id: GuildId,
    change: impl FnOnce(Rule) -> Result<Rule, PracticeRefusal> + Send,
) -> Result<Rule, Error> {
    // The row is made first, so that of two changes the second one sees the first.
    let new = Rule::default().to_row(guild_id, author).into_active_model();
    practice_rule::Entity::insert(new)
        .on_conflict_do_nothing_on([practice_rule::Column::GuildId])
        .exec_without_returning(txn.connection())
        .await?;
    let row = practice_rule::Entity::find_by_id(guild_id).lock_exclusive().one(txn.connection()).await?;
    let before = row.as_ref().map_or_else(Rule::default, Rule::of_row);
    let after = change(before.clone())?;
    if after == before {
        return Ok(after);
    }
    let columns = <practice_rule::Column as sea_orm::Iterable>::iter()
        .filter(|column| !matches!(column, practice_rule::Column::GuildId));
    practice_rule::Entity::insert(after.to_row(guild_id, author).into_active_model())
        .on_conflict(OnConflict::column(practice_rule::Column::GuildId).update_columns(columns).to_owned())
        .exec_without_returning(txn.connection())
        .await?;
    let states = (before.to_json(guild_id), after.to_json(guild_id));
    txn.append_event(author.event("practice.rule_set", guild_id, format!("practice_rule/{guild_id}"), states)).await?;
    Ok(after)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_decide_which_channels_count() {
        let channel = |id| ChannelId::new(id).unwrap();
        let mut rule = Rule { channels: BTreeSet::from([channel(1)]), ..Rule::default() };
        for (mode, expected) in [
            (ChannelMode::Off, [false, false]),
            (ChannelMode::Allow, [true, false]),
            (ChannelMode::Deny, [false, true]),
            (ChannelMode::All, [true, true]),
        ] {
            rule.channel_mode = mode;
            assert_eq!([rule.tracks(channel(1)), rule.tracks(channel(2))], expected, "{mode:?}");
        }
    }

    #[test]
    fn bounds() {
        let with = |change: RuleChange| Rule::default().with(&change);
        assert!(with(RuleChange { bridge_seconds: Some(900), ..RuleChange::default() }).is_ok());
        assert!(with(RuleChange { idle_check_seconds: Some(0), ..RuleChange::default() }).is_ok());
        for change in [
            RuleChange { bridge_seconds: Some(901), ..RuleChange::default() },
            RuleChange { session_cap_seconds: Some(1), ..RuleChange::default() },
            RuleChange { day_cap_seconds: Some(25 * HOUR), ..RuleChange::default() },
            RuleChange { idle_check_seconds: Some(60), ..RuleChange::default() },
            RuleChange { minimum_seconds: Some(-1), ..RuleChange::default() },
            RuleChange { manual_auto_seconds: Some(i64::MAX), ..RuleChange::default() },
        ] {
            assert!(with(change.clone()).is_err(), "{change:?}");
        }
    }
}
