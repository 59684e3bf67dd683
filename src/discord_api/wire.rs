//! From Discord's JSON to our structs.
//!
//! Invariant: of a list, one unreadable entry costs only itself; an answer that is no JSON is
//! [`Error::Unavailable`].

mod admission;

use std::fmt;

use chrono::{DateTime, Utc};
use entity::id::{ChannelId, DiscordUserId, GuildId, MessageId, RoleId};
use serde::{
    Deserialize, Deserializer,
    de::{self, DeserializeOwned, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::Value;

use super::{
    error::Error,
    model::{
        ApplicationInfo, AutoModerationRule, ChannelInfo, ChannelKind, GuildInfo, MemberInfo, Message, Overwrite, Page,
        RegisteredCommand, RoleInfo, UserInfo,
    },
};

pub(super) use admission::{invite_code, join_request, join_requests, role_counts};

const GARBLED: Error = Error::Unavailable { reason: "its answer was garbled" };

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Error> {
    serde_json::from_slice(body).map_err(|_| GARBLED)
}

/// Reads a list in one go and, only when that fails, entry by entry.
fn read_list<T: DeserializeOwned>(body: &[u8]) -> Result<(Vec<T>, Vec<Value>), Error> {
    if let Ok(all) = serde_json::from_slice(body) {
        return Ok((all, Vec::new()));
    }
    let entries: Vec<Value> = read(body)?;
    let mut good = Vec::with_capacity(entries.len());
    let mut bad = Vec::new();
    for entry in entries {
        match T::deserialize(&entry) {
            Ok(read) => good.push(read),
            Err(_) => bad.push(entry),
        }
    }
    if !bad.is_empty() {
        tracing::warn!(entries = bad.len(), "Discord sent list entries that cannot be read");
    }
    Ok((good, bad))
}

/// An unsigned number, written as such or as text; 0 for anything else.
#[derive(Clone, Copy, Default)]
struct Number(u64);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NumberVisitor)
    }
}

struct NumberVisitor;

impl<'de> Visitor<'de> for NumberVisitor {
    type Value = Number;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_u64<E>(self, value: u64) -> Result<Number, E> {
        Ok(Number(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Number, E> {
        Ok(Number(u64::try_from(value).unwrap_or_default()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Number, E> {
        Ok(Number(value.parse().unwrap_or_default()))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Number, E> {
        Ok(Number(0))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Number, E> {
        Ok(Number(0))
    }

    fn visit_unit<E>(self) -> Result<Number, E> {
        Ok(Number(0))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Number, A::Error> {
        IgnoredAny.visit_map(map).map(|_| Number(0))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Number, A::Error> {
        IgnoredAny.visit_seq(seq).map(|_| Number(0))
    }
}

impl Number {
    /// As a small number; `u8::MAX`, which Discord does not use, when it does not fit.
    fn small(self) -> u8 {
        u8::try_from(self.0).unwrap_or(u8::MAX)
    }
}

/// `null` is as good as a missing field.
fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(deserializer: D) -> Result<T, D::Error> {
    Option::<T>::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// An id that must be there and be an id.
fn required<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let Number(id) = Number::deserialize(deserializer)?;
    if id == 0 { Err(de::Error::custom("an id is missing")) } else { Ok(id) }
}

#[derive(Deserialize)]
struct RawUser {
    id: Number,
    #[serde(default, deserialize_with = "or_default")]
    username: String,
    #[serde(default, deserialize_with = "or_default")]
    global_name: String,
    #[serde(default, deserialize_with = "or_default")]
    bot: bool,
}

#[derive(Deserialize)]
struct RawMessage {
    #[serde(deserialize_with = "required")]
    id: u64,
    #[serde(default)]
    channel_id: Number,
    author: Option<RawUser>,
    #[serde(default)]
    webhook_id: Number,
    #[serde(default, rename = "type")]
    kind: Number,
    #[serde(default, deserialize_with = "or_default")]
    pinned: bool,
    #[serde(default)]
    flags: Number,
    timestamp: Option<String>,
}

impl RawMessage {
    fn into_message(self, channel: Option<ChannelId>) -> Option<Message> {
        let id = MessageId::new(self.id)?;
        let written = self.timestamp.and_then(|text| DateTime::parse_from_rfc3339(&text).ok());
        let timestamp = written
            .map(|time| time.with_timezone(&Utc))
            .or_else(|| DateTime::from_timestamp_millis(id.created_at_milliseconds()))?;
        let webhook_id = (self.webhook_id.0 != 0).then_some(self.webhook_id.0);
        Some(Message {
            id,
            channel_id: ChannelId::new(self.channel_id.0).or(channel)?,
            author_id: self.author.as_ref().and_then(|author| DiscordUserId::new(author.id.0)),
            author_is_bot: webhook_id.is_some() || self.author.is_some_and(|author| author.bot),
            webhook_id,
            kind: self.kind.small(),
            pinned: self.pinned,
            flags: self.flags.0,
            timestamp,
        })
    }
}

pub(super) fn message(body: &[u8], channel: Option<ChannelId>) -> Result<Message, Error> {
    read::<RawMessage>(body)?.into_message(channel).ok_or(GARBLED)
}

/// A page in Discord's order, without the server's time.
pub(super) fn page(body: &[u8], channel: ChannelId, limit: u8) -> Result<Page, Error> {
    let (good, bad): (Vec<RawMessage>, Vec<Value>) = read_list(body)?;
    let is_full = good.len() + bad.len() >= usize::from(limit);
    let messages: Vec<Message> = good.into_iter().filter_map(|raw| raw.into_message(Some(channel))).collect();
    let unreadable: Vec<MessageId> = bad
        .iter()
        .filter_map(|entry| MessageId::new(Number::deserialize(entry.get("id")?).unwrap_or_default().0))
        .collect();
    let ids = || messages.iter().map(|message| message.id).chain(unreadable.iter().copied());
    let (oldest_id, newest_id) = (ids().min(), ids().max());
    Ok(Page { messages, unreadable, oldest_id, newest_id, is_full, server_time: None })
}

/// The ids of a message just made.
pub(super) fn posted(body: &[u8]) -> Result<(MessageId, Option<ChannelId>), Error> {
    let raw: RawMessage = read(body)?;
    Ok((MessageId::new(raw.id).ok_or(GARBLED)?, ChannelId::new(raw.channel_id.0)))
}

#[derive(Deserialize)]
struct RawOverwrite {
    id: Number,
    /// 0 role, 1 member; very old answers say "role" and "member".
    #[serde(rename = "type")]
    kind: Value,
    #[serde(default)]
    allow: Number,
    #[serde(default)]
    deny: Number,
}

#[derive(Default, Deserialize)]
struct RawThreadMetadata {
    #[serde(default, deserialize_with = "or_default")]
    archived: bool,
    #[serde(default, deserialize_with = "or_default")]
    locked: bool,
}

#[derive(Deserialize)]
struct RawChannel {
    #[serde(deserialize_with = "required")]
    id: u64,
    #[serde(default)]
    guild_id: Number,
    #[serde(rename = "type")]
    kind: Number,
    #[serde(default, deserialize_with = "or_default")]
    name: String,
    #[serde(default)]
    parent_id: Number,
    #[serde(default)]
    owner_id: Number,
    #[serde(default, deserialize_with = "or_default")]
    permission_overwrites: Vec<RawOverwrite>,
    #[serde(default)]
    last_message_id: Number,
    #[serde(default, deserialize_with = "or_default")]
    thread_metadata: RawThreadMetadata,
    #[serde(default, deserialize_with = "or_default")]
    nsfw: bool,
    #[serde(default, deserialize_with = "or_default")]
    position: i64,
}

impl RawChannel {
    fn into_channel(self, guild: Option<GuildId>) -> Option<ChannelInfo> {
        Some(ChannelInfo {
            id: ChannelId::new(self.id)?,
            guild_id: GuildId::new(self.guild_id.0).or(guild),
            kind: ChannelKind(self.kind.small()),
            name: self.name,
            parent_id: ChannelId::new(self.parent_id.0),
            owner_id: DiscordUserId::new(self.owner_id.0),
            overwrites: self.permission_overwrites.into_iter().map(RawOverwrite::into_overwrite).collect(),
            last_message_id: MessageId::new(self.last_message_id.0),
            archived: self.thread_metadata.archived,
            locked: self.thread_metadata.locked,
            nsfw: self.nsfw,
            position: self.position,
        })
    }
}

impl RawOverwrite {
    fn into_overwrite(self) -> Overwrite {
        let is_role = matches!(&self.kind, Value::String(text) if text == "role" || text == "0") || self.kind == 0;
        Overwrite { target: self.id.0, is_role, allow: self.allow.0, deny: self.deny.0 }
    }
}

pub(super) fn channel(body: &[u8]) -> Result<ChannelInfo, Error> {
    read::<RawChannel>(body)?.into_channel(None).ok_or(GARBLED)
}

pub(super) fn channels(body: &[u8], guild: GuildId) -> Result<Vec<ChannelInfo>, Error> {
    let (good, _) = read_list::<RawChannel>(body)?;
    Ok(good.into_iter().filter_map(|raw| raw.into_channel(Some(guild))).collect())
}

pub(super) fn threads(body: &[u8], guild: GuildId) -> Result<Vec<ChannelInfo>, Error> {
    #[derive(Deserialize)]
    struct RawThreads {
        threads: Vec<RawChannel>,
    }
    let raw: RawThreads = read(body)?;
    Ok(raw.threads.into_iter().filter_map(|raw| raw.into_channel(Some(guild))).collect())
}

#[derive(Deserialize)]
struct RawRole {
    #[serde(deserialize_with = "required")]
    id: u64,
    #[serde(default, deserialize_with = "or_default")]
    name: String,
    #[serde(default)]
    permissions: Number,
    #[serde(default, deserialize_with = "or_default")]
    position: i64,
    #[serde(default, deserialize_with = "or_default")]
    managed: bool,
}

pub(super) fn guild(body: &[u8]) -> Result<GuildInfo, Error> {
    #[derive(Deserialize)]
    struct RawGuild {
        #[serde(deserialize_with = "required")]
        id: u64,
        #[serde(default, deserialize_with = "or_default")]
        name: String,
        #[serde(default)]
        owner_id: Number,
        roles: Vec<RawRole>,
    }
    let raw: RawGuild = read(body)?;
    let role = |raw: RawRole| {
        let RawRole { id, name, permissions, position, managed } = raw;
        Some(RoleInfo { id: RoleId::new(id)?, name, permissions: permissions.0, position, managed })
    };
    Ok(GuildInfo {
        id: GuildId::new(raw.id).ok_or(GARBLED)?,
        name: raw.name,
        owner_id: DiscordUserId::new(raw.owner_id.0),
        roles: raw.roles.into_iter().filter_map(role).collect(),
    })
}

#[derive(Deserialize)]
struct RawMember {
    user: Option<RawUser>,
    roles: Vec<Number>,
    #[serde(default, deserialize_with = "or_default")]
    nick: String,
}

impl RawMember {
    fn account(&self) -> Option<DiscordUserId> {
        self.user.as_ref().and_then(|account| DiscordUserId::new(account.id.0))
    }

    fn into_info(self, user_id: DiscordUserId) -> MemberInfo {
        let account = self.user.as_ref();
        let names =
            [Some(self.nick), account.map(|user| user.global_name.clone()), account.map(|user| user.username.clone())];
        MemberInfo {
            user_id,
            roles: self.roles.into_iter().filter_map(|Number(id)| RoleId::new(id)).collect(),
            is_bot: account.is_some_and(|account| account.bot),
            display_name: names.into_iter().flatten().find(|name| !name.is_empty()).unwrap_or_default(),
        }
    }
}

pub(super) fn member(body: &[u8], user: DiscordUserId) -> Result<MemberInfo, Error> {
    let raw: RawMember = read(body)?;
    let user_id = raw.account().unwrap_or(user);
    Ok(raw.into_info(user_id))
}

pub(super) fn members(body: &[u8]) -> Result<Vec<MemberInfo>, Error> {
    let raw: Vec<RawMember> = read(body)?;
    raw.into_iter()
        .map(|member| {
            let user_id = member.account().ok_or(GARBLED)?;
            Ok(member.into_info(user_id))
        })
        .collect()
}

pub(super) fn user(body: &[u8]) -> Result<UserInfo, Error> {
    let raw: RawUser = read(body)?;
    let id = DiscordUserId::new(raw.id.0).ok_or(GARBLED)?;
    Ok(UserInfo { id, name: raw.username, is_bot: raw.bot })
}

pub(super) fn application(body: &[u8]) -> Result<ApplicationInfo, Error> {
    #[derive(Deserialize)]
    struct RawApplication {
        #[serde(deserialize_with = "required")]
        id: u64,
        #[serde(default, deserialize_with = "or_default")]
        name: String,
        #[serde(default)]
        flags: Number,
        #[serde(default, deserialize_with = "or_default")]
        bot_public: bool,
        owner: Option<RawUser>,
        team: Option<RawTeam>,
    }
    #[derive(Deserialize)]
    struct RawTeam {
        #[serde(default)]
        owner_user_id: Number,
        #[serde(default, deserialize_with = "or_default")]
        members: Vec<RawTeamMember>,
    }
    #[derive(Deserialize)]
    struct RawTeamMember {
        user: RawUser,
        #[serde(default)]
        membership_state: Number,
        #[serde(default, deserialize_with = "or_default")]
        role: String,
    }
    const ACCEPTED: u64 = 2;
    let RawApplication { id, name, flags, bot_public, owner, team } = read(body)?;
    // The owner of a team's application is an account of the team itself, which nobody can use.
    let administrators: Vec<u64> = match team {
        Some(team) => {
            let members = team.members.into_iter();
            let may_change =
                members.filter(|one| one.membership_state.0 == ACCEPTED && matches!(&*one.role, "admin" | "developer"));
            may_change.map(|one| one.user.id.0).chain([team.owner_user_id.0]).collect()
        }
        None => owner.map(|owner| owner.id.0).into_iter().collect(),
    };
    let administrators = administrators.into_iter().filter_map(DiscordUserId::new).collect();
    Ok(ApplicationInfo { id, name, flags: flags.0, bot_public, administrators })
}

#[derive(Deserialize)]
struct RawAutoModerationRule {
    #[serde(deserialize_with = "required")]
    id: u64,
    #[serde(default)]
    creator_id: Number,
    #[serde(default, deserialize_with = "or_default")]
    name: String,
    #[serde(default, deserialize_with = "or_default")]
    enabled: bool,
    #[serde(default, deserialize_with = "or_default")]
    trigger_metadata: RawTrigger,
    #[serde(default, deserialize_with = "or_default")]
    actions: Vec<RawAction>,
}

#[derive(Default, Deserialize)]
struct RawTrigger {
    #[serde(default, deserialize_with = "or_default")]
    regex_patterns: Vec<String>,
}

#[derive(Deserialize)]
struct RawAction {
    #[serde(default, rename = "type")]
    kind: Number,
}

impl From<RawAutoModerationRule> for AutoModerationRule {
    fn from(raw: RawAutoModerationRule) -> Self {
        const BLOCK_MESSAGE: u64 = 1;
        Self {
            id: raw.id,
            creator_id: raw.creator_id.0,
            name: raw.name,
            enabled: raw.enabled,
            patterns: raw.trigger_metadata.regex_patterns,
            blocks: raw.actions.iter().any(|action| action.kind.0 == BLOCK_MESSAGE),
        }
    }
}

pub(super) fn auto_moderation_rules(body: &[u8]) -> Result<Vec<AutoModerationRule>, Error> {
    let (good, _) = read_list::<RawAutoModerationRule>(body)?;
    Ok(good.into_iter().map(AutoModerationRule::from).collect())
}

pub(super) fn commands(body: &[u8]) -> Result<Vec<RegisteredCommand>, Error> {
    #[derive(Deserialize)]
    struct RawCommand {
        #[serde(deserialize_with = "required")]
        id: u64,
        name: String,
        #[serde(default, rename = "type")]
        kind: Option<u8>,
    }
    let (good, _) = read_list::<RawCommand>(body)?;
    let command = |raw: RawCommand| RegisteredCommand { id: raw.id, name: raw.name, kind: raw.kind.unwrap_or(1) };
    Ok(good.into_iter().map(command).collect())
}

#[cfg(test)]
mod tests;
