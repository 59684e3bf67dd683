//! The things that have a history, and how each is read and brought back.

use std::fmt;

use entity::{
    channel_slot, guild,
    guild_role::RoleKind,
    id::{ChannelId, FormId, GuildId, RoleId},
    practice_post::PostPeriod,
};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect, Select};
use serde_json::Value;

use super::{
    HistoryRefusal,
    vanish::{self, DefaultConfig, ExemptionKey, RuleConfig},
};
use crate::{
    domain::{
        Error, Right,
        event::{Author, spelled, unspelled},
        form::{FormConfig, row},
        guild::{self as general, General, role},
        practice::{PostConfig, Rule, post, rule},
        slot::{SlotConfig, SlotKey, SlotWriter},
    },
    id_source::IdSource,
    store::WriteTransaction,
};

/// Something of a guild that events tell of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Subject {
    Slot(SlotKey),
    General,
    Role(RoleKind),
    Rule(ChannelId),
    Default,
    Exemption(ExemptionKey),
    PracticeRule,
    PracticePost(PostPeriod),
    Form(FormId),
}

/// What people decided about a subject. Two states are equal when nobody's decision differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum State {
    Slot(SlotConfig),
    General(General),
    Role(Option<RoleId>),
    Rule(Option<RuleConfig>),
    Default(DefaultConfig),
    Exemption(bool),
    PracticeRule(Rule),
    PracticePost(Option<PostConfig>),
    Form(Option<Box<FormConfig>>),
}

/// Whether rows that are read are also to be held until the transaction ends.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Hold {
    No,
    Rows,
}

impl Hold {
    pub(super) fn on<E: EntityTrait>(self, query: Select<E>) -> Select<E> {
        match self {
            Self::No => query,
            Self::Rows => query.lock_exclusive(),
        }
    }
}

/// Who writes, and where.
pub(super) struct Scope {
    pub(super) ids: IdSource,
    pub(super) author: Author,
    pub(super) guild_id: GuildId,
}

impl Subject {
    /// Reads an event's subject; `None` for what has no settings, and for another guild's.
    pub(super) fn parse(text: &str, guild_id: GuildId) -> Option<Self> {
        let (area, rest) = text.split_once('/')?;
        let own = |id: &str| id.parse::<GuildId>().ok().filter(|id| *id == guild_id);
        match area {
            "slot" => rest.parse().ok().map(Self::Slot),
            "guild" => own(rest).map(|_| Self::General),
            "guild_role" => {
                let (guild, kind) = rest.split_once('/')?;
                own(guild)?;
                unspelled(kind).map(Self::Role)
            }
            "vanish" => rest.parse().ok().map(Self::Rule),
            "vanish_default" => own(rest).map(|_| Self::Default),
            "vanish_exemption" => {
                let (guild, key) = rest.split_once('/')?;
                own(guild)?;
                ExemptionKey::parse(key).map(Self::Exemption)
            }
            "practice_rule" => own(rest).map(|_| Self::PracticeRule),
            "practice_post" => {
                let (guild, period) = rest.split_once('/')?;
                own(guild)?;
                unspelled(period).map(Self::PracticePost)
            }
            "form" => {
                let (guild, id) = rest.split_once('/')?;
                own(guild)?;
                id.parse().ok().map(Self::Form)
            }
            _ => None,
        }
    }

    /// As the event log spells it.
    pub(super) fn spelled(&self, guild_id: GuildId) -> String {
        match self {
            Self::Slot(key) => format!("slot/{key}"),
            Self::General => format!("guild/{guild_id}"),
            Self::Role(kind) => role::subject(guild_id, *kind),
            Self::Rule(channel) => format!("vanish/{channel}"),
            Self::Default => format!("vanish_default/{guild_id}"),
            Self::Exemption(key) => format!("vanish_exemption/{guild_id}/{key}"),
            Self::PracticeRule => format!("practice_rule/{guild_id}"),
            Self::PracticePost(period) => post::subject(guild_id, *period),
            Self::Form(id) => row::subject(guild_id, *id),
        }
    }

    /// What changing it needs beside [`Right::ManageSettings`].
    pub(super) fn right(&self) -> Right {
        match self {
            Self::Slot(_) | Self::General | Self::Form(_) => Right::ManageSettings,
            Self::Role(_) => Right::ManageGuildRoles,
            Self::Rule(_) | Self::Default | Self::Exemption(_) => Right::ManageVanishDefaults,
            Self::PracticeRule | Self::PracticePost(_) => Right::ManagePractice,
        }
    }

    /// Reads a state as events spell it; null is what does not exist.
    pub(super) fn state(&self, value: &Value) -> Result<State, serde_json::Error> {
        Ok(match self {
            Self::Slot(_) => State::Slot(SlotConfig::of_json(value)?),
            Self::General => State::General(General::of_json(value)?),
            Self::Role(_) => State::Role(role::of_json(value)?),
            Self::Rule(_) => State::Rule(RuleConfig::of_json(value)?),
            Self::Default => State::Default(DefaultConfig::of_json(value)?),
            Self::Exemption(_) => State::Exemption(!value.is_null()),
            Self::PracticeRule => State::PracticeRule(Rule::of_json(value)?),
            Self::PracticePost(_) => State::PracticePost(PostConfig::of_json(value)?),
            Self::Form(_) => State::Form(serde_json::from_value(value.clone())?),
        })
    }

    /// A state as events spell it.
    pub(super) fn value(&self, guild_id: GuildId, state: &State) -> Value {
        match (self, state) {
            (Self::Slot(key), State::Slot(config)) => config.to_json(guild_id, key),
            (_, State::General(general)) => general.to_json(guild_id),
            (_, State::Role(role_id)) => role::to_json(guild_id, *role_id),
            (Self::Rule(channel), State::Rule(Some(rule))) => rule.to_json(guild_id, *channel),
            (_, State::Default(default)) => default.to_json(guild_id),
            (Self::Exemption(key), State::Exemption(true)) => key.to_json(guild_id),
            (_, State::PracticeRule(rule)) => rule.to_json(guild_id),
            (_, State::PracticePost(Some(config))) => config.to_json(guild_id),
            (_, State::Form(Some(form))) => serde_json::to_value(form).unwrap_or_default(),
            _ => Value::Null,
        }
    }

    /// What is in force now.
    pub(super) async fn present(
        &self,
        connection: &impl ConnectionTrait,
        guild_id: GuildId,
        hold: Hold,
    ) -> Result<State, Error> {
        Ok(match self {
            Self::Slot(key) => {
                let row = channel_slot::Entity::find()
                    .filter(channel_slot::COLUMN.guild_id.eq(guild_id))
                    .filter(channel_slot::COLUMN.key.eq(key.as_str()));
                let row = hold.on(row).one(connection).await?;
                State::Slot(row.as_ref().map(SlotConfig::of_row).unwrap_or_default())
            }
            Self::General => {
                let row = guild::Entity::find_by_id(guild_id);
                let row = hold.on(row).one(connection).await?;
                State::General(row.as_ref().map(General::of_row).unwrap_or_default())
            }
            Self::Role(kind) => State::Role(role::present(connection, guild_id, *kind).await?),
            Self::Rule(channel) => State::Rule(vanish::present_rule(connection, guild_id, *channel, hold).await?),
            Self::Default => State::Default(vanish::present_default(connection, guild_id, hold).await?),
            Self::Exemption(key) => State::Exemption(vanish::is_exempt(connection, guild_id, *key).await?),
            Self::PracticeRule => State::PracticeRule(rule::of(connection, guild_id).await?),
            Self::PracticePost(period) => State::PracticePost(post::present(connection, guild_id, *period).await?),
            Self::Form(id) => State::Form(row::present(connection, guild_id, *id).await?.map(Box::new)),
        })
    }

    /// Brings it to a state, with the event that such a change always writes.
    pub(super) async fn restore(&self, txn: &WriteTransaction, scope: &Scope, state: &State) -> Result<(), Error> {
        let Scope { ids, author, guild_id } = scope;
        match (self, state) {
            (Self::Slot(key), State::Slot(config)) => {
                let writer = SlotWriter { ids: ids.clone(), author: author.clone(), guild_id: *guild_id };
                writer.restore(txn, key, config).await
            }
            (Self::General, State::General(wanted)) => general::restore(txn, author, *guild_id, wanted).await,
            (Self::Role(kind), State::Role(role_id)) => {
                role::store_in(txn, author, *guild_id, *kind, *role_id).await.map(drop)
            }
            (Self::Rule(channel), State::Rule(rule)) => vanish::restore_rule(txn, scope, *channel, rule.as_ref()).await,
            (Self::Default, State::Default(default)) => vanish::restore_default(txn, scope, default).await,
            (Self::Exemption(key), State::Exemption(exempt)) => {
                vanish::restore_exemption(txn, scope, *key, *exempt).await
            }
            (Self::PracticeRule, State::PracticeRule(wanted)) => rule::restore(txn, author, *guild_id, wanted).await,
            (Self::PracticePost(period), State::PracticePost(config)) => {
                post::store_in(txn, author, (*guild_id, *period), config.as_ref()).await.map(drop)
            }
            (Self::Form(id), State::Form(form)) => {
                let wanted = form.as_deref().cloned();
                row::store_in(txn, (author, ids), (*guild_id, *id), wanted).await.map(drop)
            }
            _ => Err(HistoryRefusal::BadSubject { subject: self.spelled(*guild_id) }.into()),
        }
    }
}

/// In words, as a refusal names it.
impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Slot(key) => write!(f, "The slot `{key}`"),
            Self::General => f.write_str("The general settings"),
            Self::Role(kind) => write!(f, "The role of kind `{}`", spelled(*kind)),
            Self::Rule(channel) => write!(f, "The vanish rule of <#{channel}>"),
            Self::Default => f.write_str("The vanish defaults"),
            Self::Exemption(_) => f.write_str("A vanish exemption"),
            Self::PracticeRule => f.write_str("The rules of practice"),
            Self::PracticePost(period) => write!(f, "The {} board of practice", spelled(*period)),
            Self::Form(_) => f.write_str("A form"),
        }
    }
}
