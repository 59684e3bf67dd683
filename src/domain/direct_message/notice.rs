//! What people are told about their keys: that one expires soon, is old, was used from a new network, or has leaked.

use chrono::{DateTime, TimeDelta, Utc};
use entity::{
    api_key::{self, KeyState},
    event,
    id::{ApiKeyId, DiscordUserId, GuildId, UserId},
    identity::{self, Platform},
};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect,
};
use serde_json::{Value, json};

use super::{NewDirectMessage, Purpose, direct_message, insert};
use crate::{
    domain::{
        Domain, Error,
        announcement::{self, ALERTS, NewAnnouncement},
        event::reader,
    },
    id_source::IdSource,
    store::WriteTransaction,
};

/// The reader's name among those of the event log.
const READER: &str = "direct_messages";
/// Keys of one look.
const PAGE: u64 = 500;
/// Days before its end at which the owner of a key is told, the most urgent first.
const EXPIRY_DAYS: [i64; 3] = [1, 3, 14];
/// Days after which a key is old, each time they have passed.
const OLD_DAYS: i64 = 90;

/// What a notice is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A key ends soon.
    ExpiresSoon,
    /// A key is in use for a long time.
    Old,
    /// A key was used from a network for the first time.
    NewNetwork,
    /// Somebody has found a key.
    Leaked,
}

impl Kind {
    const ALL: [Self; 4] = [Self::ExpiresSoon, Self::Old, Self::NewNetwork, Self::Leaked];

    /// As rows spell it.
    pub fn name(self) -> &'static str {
        match self {
            Self::ExpiresSoon => "api_key.expires_soon",
            Self::Old => "api_key.old",
            Self::NewNetwork => "api_key.new_network",
            Self::Leaked => "api_key.leaked",
        }
    }

    /// The kind that a row spells.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Why it is said. That a key ends or is old can wait; who uses it, or has found it, cannot.
    pub fn purpose(self) -> Purpose {
        match self {
            Self::ExpiresSoon | Self::Old => Purpose::Reminder,
            Self::NewNetwork | Self::Leaked => Purpose::Protection,
        }
    }

    /// Whether it says something to do about a key that still opens.
    pub fn is_about_a_good_key(self) -> bool {
        !matches!(self, Self::Leaked)
    }
}

/// Something to be told about a key.
struct Notice {
    kind: Kind,
    key: api_key::Model,
    dedupe_key: String,
    /// What the text is made of, beside the key.
    facts: Value,
}

impl Notice {
    fn data(&self) -> Value {
        let mut data = self.facts.clone();
        data["key_id"] = json!(self.key.id);
        data["guild_id"] = json!(self.key.guild_id);
        data
    }
}

struct Dispatch {
    ids: IdSource,
    now: DateTime<Utc>,
    batch: u64,
}

/// Turns at most `batch` events into notices; says how many events it handled.
pub async fn dispatch(domain: &Domain, batch: u64) -> Result<usize, Error> {
    if !reader::has_more(domain, READER).await? {
        return Ok(0);
    }
    let input = Dispatch { ids: domain.ids.clone(), now: domain.now(), batch };
    domain.store.write(input, |txn, input| Box::pin(dispatch_in(txn, input))).await
}

async fn dispatch_in(txn: &WriteTransaction, input: &Dispatch) -> Result<usize, Error> {
    let events = reader::take(txn, READER, input.batch).await?;
    for event in &events {
        if let Some(notice) = of_event(txn.connection(), event).await? {
            write(txn, &input.ids, input.now, &notice).await?;
        }
    }
    Ok(events.len())
}

async fn of_event(connection: &impl ConnectionTrait, event: &event::Model) -> Result<Option<Notice>, DbErr> {
    let Some(id) = event.subject.strip_prefix("api_key/").and_then(|id| id.parse::<ApiKeyId>().ok()) else {
        return Ok(None);
    };
    let (kind, facts) = match event.kind.as_str() {
        "api_key.new_network" => (Kind::NewNetwork, event.data["after"].clone()),
        // Only whoever holds a key can end it as that key.
        "api_key.revoked" if event.actor == format!("key:{id}") => (Kind::Leaked, json!({})),
        _ => return Ok(None),
    };
    let Some(key) = api_key::Entity::find_by_id(id).one(connection).await? else { return Ok(None) };
    let mut facts = if facts.is_object() { facts } else { json!({}) };
    facts["at"] = json!(event.created_at);
    let dedupe_key = format!("{}:{id}:{}", kind.name(), event.id);
    Ok(Some(Notice { kind, key, dedupe_key, facts }))
}

/// The Discord account of a key's owner.
async fn recipient(connection: &impl ConnectionTrait, owner: Option<UserId>) -> Result<Option<DiscordUserId>, DbErr> {
    let Some(owner) = owner else { return Ok(None) };
    let account = identity::Entity::find()
        .filter(identity::COLUMN.user_id.eq(owner))
        .filter(identity::Column::Platform.eq(Platform::Discord))
        .order_by_asc(identity::COLUMN.created_at)
        .limit(1)
        .one(connection)
        .await?;
    Ok(account.and_then(|account| account.identity.parse().ok()))
}

/// Says the same as any other word about this leak in this guild.
pub(in crate::domain) fn leak_dedupe_key(guild: GuildId, key: ApiKeyId) -> String {
    format!("{}:{guild}:{key}", Kind::Leaked.name())
}

/// For the owner, else for the guild that the key is bound to.
async fn write(txn: &WriteTransaction, ids: &IdSource, now: DateTime<Utc>, notice: &Notice) -> Result<(), DbErr> {
    let (kind, data) = (notice.kind.name(), notice.data());
    let dedupe_key = notice.dedupe_key.clone();
    if let Some(discord_user_id) = recipient(txn.connection(), notice.key.user_id).await? {
        insert(txn, ids, NewDirectMessage { discord_user_id, kind, data, dedupe_key, at: now }).await?;
    } else if let Some(guild_id) = notice.key.guild_id.filter(|_| notice.kind != Kind::Leaked) {
        // Leaks are told to the guild in any case.
        let new = NewAnnouncement { guild_id, slot_key: ALERTS.into(), kind, data, dedupe_key, at: now };
        announcement::insert(txn, ids, new).await?;
    }
    Ok(())
}

/// Looks at the ends and ages of all keys and makes the notices that are due; says how many were.
///
/// It may be called at any time: what was said is not said again.
pub async fn scan(domain: &Domain) -> Result<usize, Error> {
    let now = domain.now();
    let mut made = 0;
    let soon = now + TimeDelta::days(EXPIRY_DAYS[EXPIRY_DAYS.len() - 1]);
    let mut last = (now, ApiKeyId(uuid::Uuid::nil()));
    loop {
        let keys = page(domain, api_key::Column::ExpiresAt, last, soon).await?;
        let Some((end, id)) = keys.last().and_then(|key| Some((key.expires_at?, key.id))) else { break };
        last = (end, id);
        let is_full = keys.len() as u64 == PAGE;
        made += make(domain, keys.into_iter().filter_map(|key| expiry(key, now)).collect()).await?;
        if !is_full {
            break;
        }
    }
    let mut last = (DateTime::UNIX_EPOCH, ApiKeyId(uuid::Uuid::nil()));
    loop {
        let keys = page(domain, api_key::Column::CreatedAt, last, now - TimeDelta::days(OLD_DAYS)).await?;
        let Some((made_at, id)) = keys.last().map(|key| (key.created_at, key.id)) else { break };
        last = (made_at, id);
        let is_full = keys.len() as u64 == PAGE;
        made += make(domain, keys.into_iter().filter_map(|key| age(key, now)).collect()).await?;
        if !is_full {
            break;
        }
    }
    Ok(made)
}

/// The next active keys whose `column` lies behind `last` and not after `until`.
async fn page(
    domain: &Domain,
    column: api_key::Column,
    (at, id): (DateTime<Utc>, ApiKeyId),
    until: DateTime<Utc>,
) -> Result<Vec<api_key::Model>, Error> {
    let behind = Condition::any().add(column.gt(at)).add(column.eq(at).and(api_key::Column::Id.gt(id)));
    Ok(api_key::Entity::find()
        .filter(api_key::Column::State.eq(KeyState::Active))
        .filter(behind)
        .filter(column.lte(until))
        .order_by_asc(column)
        .order_by_asc(api_key::Column::Id)
        .limit(PAGE)
        .all(domain.store.reader())
        .await?)
}

/// The most urgent notice about a key's end, unless its whole life is shorter than that.
fn expiry(key: api_key::Model, now: DateTime<Utc>) -> Option<Notice> {
    let end = key.expires_at.filter(|end| *end > now)?;
    let days = EXPIRY_DAYS.into_iter().find(|days| end - now <= TimeDelta::days(*days))?;
    if end - key.created_at <= TimeDelta::days(days) {
        return None;
    }
    let dedupe_key = format!("{}:{}:{}:{days}", Kind::ExpiresSoon.name(), key.id, end.timestamp());
    Some(Notice { kind: Kind::ExpiresSoon, key, dedupe_key, facts: json!({ "expires_at": end, "days": days }) })
}

/// A key that is old, unless it ends soon anyway.
fn age(key: api_key::Model, now: DateTime<Utc>) -> Option<Notice> {
    let times = (now - key.created_at).num_days() / OLD_DAYS;
    let soon = now + TimeDelta::days(EXPIRY_DAYS[EXPIRY_DAYS.len() - 1]);
    if times < 1 || key.expires_at.is_some_and(|end| end <= soon) || key.replaced_by.is_some() {
        return None;
    }
    let dedupe_key = format!("{}:{}:{times}", Kind::Old.name(), key.id);
    let facts = json!({ "created_at": key.created_at });
    Some(Notice { kind: Kind::Old, key, dedupe_key, facts })
}

/// Makes those that were not made before.
async fn make(domain: &Domain, notices: Vec<Notice>) -> Result<usize, Error> {
    let keys: Vec<&str> = notices.iter().map(|notice| notice.dedupe_key.as_str()).collect();
    let known: Vec<String> = {
        let reader = domain.store.reader();
        let mut known: Vec<String> = direct_message::Entity::find()
            .select_only()
            .column(direct_message::Column::DedupeKey)
            .filter(direct_message::COLUMN.dedupe_key.is_in(keys.iter().copied()))
            .into_tuple()
            .all(reader)
            .await?;
        let announced: Vec<String> = entity::announcement::Entity::find()
            .select_only()
            .column(entity::announcement::Column::DedupeKey)
            .filter(entity::announcement::COLUMN.dedupe_key.is_in(keys))
            .into_tuple()
            .all(reader)
            .await?;
        known.extend(announced);
        known
    };
    let new: Vec<Notice> = notices.into_iter().filter(|notice| !known.contains(&notice.dedupe_key)).collect();
    if new.is_empty() {
        return Ok(0);
    }
    let count = new.len();
    domain
        .store
        .write((domain.ids.clone(), domain.now(), new), |txn, (ids, now, new)| {
            Box::pin(async move {
                for notice in new {
                    write(txn, ids, *now, notice).await?;
                }
                Ok::<_, Error>(())
            })
        })
        .await?;
    Ok(count)
}
