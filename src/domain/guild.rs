//! A guild's general settings, and whether the bot is a member of it.
//!
//! Invariant: a guild without a row has the settings of a new one; the row is made on the first change.

pub mod digest;
mod refusal;
pub mod role;
mod time_zone;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use entity::{
    guild::{self, Digest, WeekStart},
    id::GuildId,
};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, DbErr, EntityTrait, IntoActiveModel, QueryFilter, QuerySelect};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Actor, Domain, Error, Right,
    event::{Author, spelled, unspelled},
    practice,
};
use crate::store::WriteTransaction;

pub use digest::{DIGEST_KIND, DigestCounts, due_digests};
pub use refusal::GuildRefusal;
pub(in crate::domain) use time_zone::parse as parse_time_zone;
pub use time_zone::time_zone_choices;

/// The language tags that Discord uses: <https://discord.com/developers/docs/reference#locales>; `en` stands for both.
pub const LANGUAGES: [&str; 33] = [
    "en", "bg", "cs", "da", "de", "el", "en-GB", "en-US", "es-419", "es-ES", "fi", "fr", "hi", "hr", "hu", "id", "it",
    "ja", "ko", "lt", "nl", "no", "pl", "pt-BR", "ro", "ru", "sv-SE", "th", "tr", "uk", "vi", "zh-CN", "zh-TW",
];

/// What to change; what is left out stays.
#[derive(Clone, Debug, Default)]
pub struct GeneralChange {
    /// IANA name.
    pub time_zone: Option<String>,
    /// First day of the week.
    pub week_start: Option<WeekStart>,
    /// A tag of [`LANGUAGES`].
    pub language: Option<String>,
    /// Summary rhythm.
    pub digest: Option<Digest>,
}

/// A guild's general settings, complete and valid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::domain) struct General {
    pub(in crate::domain) time_zone: Tz,
    pub(in crate::domain) week_start: WeekStart,
    pub(in crate::domain) language: &'static str,
    pub(in crate::domain) digest: Digest,
}

impl Default for General {
    fn default() -> Self {
        Self { time_zone: Tz::UTC, week_start: WeekStart::Monday, language: "en", digest: Digest::Off }
    }
}

/// The settings as events spell them.
#[derive(Deserialize)]
struct Spelling {
    time_zone: String,
    week_start: String,
    language: String,
    digest: String,
}

impl General {
    pub(in crate::domain) fn of_row(row: &guild::Model) -> Self {
        let new = Self::default();
        Self {
            time_zone: zone_of(row),
            week_start: row.week_start,
            language: language(&row.language).unwrap_or(new.language),
            digest: row.digest,
        }
    }

    /// Reads an event's state; what no longer means anything falls back to a new guild's.
    pub(in crate::domain) fn of_json(value: &Value) -> Result<Self, serde_json::Error> {
        let new = Self::default();
        let Some(spelling) = Option::<Spelling>::deserialize(value)? else {
            return Ok(new);
        };
        Ok(Self {
            time_zone: time_zone::parse(&spelling.time_zone).unwrap_or(new.time_zone),
            week_start: unspelled(&spelling.week_start).unwrap_or(new.week_start),
            language: language(&spelling.language).unwrap_or(new.language),
            digest: unspelled(&spelling.digest).unwrap_or(new.digest),
        })
    }

    pub(in crate::domain) fn to_json(&self, guild_id: GuildId) -> Value {
        json!({
            "guild_id": guild_id,
            "time_zone": self.time_zone.name(),
            "week_start": spelled(self.week_start),
            "language": self.language,
            "digest": spelled(self.digest),
        })
    }

    /// These settings with a change.
    pub(in crate::domain) fn with(mut self, change: &GeneralChange) -> Result<Self, GuildRefusal> {
        if let Some(name) = &change.time_zone {
            self.time_zone = time_zone::parse(name)?;
        }
        if let Some(tag) = &change.language {
            self.language = parse_language(tag)?;
        }
        self.week_start = change.week_start.unwrap_or(self.week_start);
        self.digest = change.digest.unwrap_or(self.digest);
        Ok(self)
    }
}

/// Reads a language tag in any case.
pub(in crate::domain) fn parse_language(tag: &str) -> Result<&'static str, GuildRefusal> {
    language(tag).ok_or_else(|| GuildRefusal::UnknownLanguage { tag: tag.chars().take(16).collect() })
}

fn language(tag: &str) -> Option<&'static str> {
    LANGUAGES.into_iter().find(|language| language.eq_ignore_ascii_case(tag))
}

fn zone_of(row: &guild::Model) -> Tz {
    row.time_zone.parse().unwrap_or(Tz::UTC)
}

/// The row of a guild that nobody has set up.
fn new_row(guild_id: GuildId, now: DateTime<Utc>) -> guild::Model {
    let new = General::default();
    guild::Model {
        guild_id,
        time_zone: new.time_zone.name().to_owned(),
        week_start: new.week_start,
        language: new.language.to_owned(),
        digest: new.digest,
        digest_due_at: None,
        present: false,
        left_at: None,
        created_at: now,
        updated_at: now,
    }
}

/// Makes the guild's row where it is missing; it says nothing about membership.
pub async fn ensure(txn: &WriteTransaction, guild_id: GuildId, now: DateTime<Utc>) -> Result<(), DbErr> {
    let row = new_row(guild_id, now).into_active_model().reset_all();
    guild::Entity::insert(row).on_conflict_do_nothing().exec_without_returning(txn.connection()).await?;
    Ok(())
}

/// The guild's row, made where it is missing, locked until the transaction ends.
pub(in crate::domain) async fn lock(
    txn: &WriteTransaction,
    guild_id: GuildId,
    now: DateTime<Utc>,
) -> Result<guild::Model, DbErr> {
    ensure(txn, guild_id, now).await?;
    guild::Entity::find_by_id(guild_id)
        .lock_exclusive()
        .one(txn.connection())
        .await?
        .ok_or_else(|| DbErr::RecordNotFound("the guild's row".to_owned()))
}

async fn row(domain: &Domain, guild_id: GuildId) -> Result<guild::Model, Error> {
    let row = guild::Entity::find_by_id(guild_id).one(domain.store.reader()).await?;
    Ok(row.unwrap_or_else(|| new_row(guild_id, domain.now())))
}

/// The general settings of a guild; those of a new one where nothing was set.
pub async fn general(domain: &Domain, actor: &Actor, guild_id: GuildId) -> Result<guild::Model, Error> {
    actor.require(Right::ReadSettings, Some(guild_id))?;
    row(domain, guild_id).await
}

/// The time zone in which a guild's schedules and days are counted.
pub async fn time_zone(domain: &Domain, guild_id: GuildId) -> Result<Tz, Error> {
    Ok(zone_of(&row(domain, guild_id).await?))
}

/// The same, and whether the bot is a member as far as it knows.
pub(in crate::domain) async fn zone_and_membership(domain: &Domain, guild_id: GuildId) -> Result<(Tz, bool), Error> {
    let row = row(domain, guild_id).await?;
    Ok((zone_of(&row), row.present))
}

struct SetGeneral {
    author: Author,
    guild_id: GuildId,
    change: GeneralChange,
}

/// Changes general settings; schedules in the guild's zone follow the event.
pub async fn set_general(
    domain: &Domain,
    actor: &Actor,
    guild_id: GuildId,
    change: GeneralChange,
) -> Result<guild::Model, Error> {
    actor.require(Right::ManageSettings, Some(guild_id))?;
    // Nonsense is refused before a transaction is asked for.
    General::default().with(&change)?;
    let input = SetGeneral { author: Author::new(domain, actor), guild_id, change };
    domain
        .store
        .write(input, |txn, input| {
            Box::pin(async move {
                let row = lock(txn, input.guild_id, input.author.at()).await?;
                let wanted = General::of_row(&row).with(&input.change)?;
                store_in(txn, &input.author, row, &wanted).await
            })
        })
        .await
}

/// Brings general settings to a state, from inside a transaction.
pub(in crate::domain) async fn restore(
    txn: &WriteTransaction,
    author: &Author,
    guild_id: GuildId,
    wanted: &General,
) -> Result<(), Error> {
    let row = lock(txn, guild_id, author.at()).await?;
    store_in(txn, author, row, wanted).await?;
    Ok(())
}

async fn store_in(
    txn: &WriteTransaction,
    author: &Author,
    row: guild::Model,
    wanted: &General,
) -> Result<guild::Model, Error> {
    let present = General::of_row(&row);
    if present == *wanted {
        return Ok(row);
    }
    let guild_id = row.guild_id;
    let due = digest::next_due(wanted.digest, wanted.week_start, wanted.time_zone, author.at());
    let mut active = row.into_active_model();
    active.time_zone = Set(wanted.time_zone.name().to_owned());
    active.week_start = Set(wanted.week_start);
    active.language = Set(wanted.language.to_owned());
    active.digest = Set(wanted.digest);
    active.digest_due_at = Set(due);
    active.updated_at = Set(author.at());
    let row = active.update(txn.connection()).await?;
    practice::post::reschedule(txn, &row, author.at()).await?;
    let change = (present.to_json(guild_id), wanted.to_json(guild_id));
    let subject = format!("guild/{guild_id}");
    txn.append_event(author.event("guild.settings_changed", guild_id, subject, change)).await?;
    Ok(row)
}

struct Membership {
    author: Author,
    guild_id: GuildId,
    present: bool,
}

/// How many guilds the bot is a member of, as far as it knows.
pub async fn present_count(domain: &Domain) -> Result<u64, Error> {
    let present = guild::Entity::find().filter(guild::COLUMN.present.eq(true));
    Ok(sea_orm::PaginatorTrait::count(present, domain.store.reader()).await?)
}

/// Records that the bot is a member of a guild; says whether that is news.
pub async fn joined(domain: &Domain, guild_id: GuildId) -> Result<bool, Error> {
    set_membership(domain, guild_id, true).await
}

/// Records that the bot was removed from a guild, which starts the retention clock; says whether that is news.
///
/// A guild that is merely unavailable has not been left.
pub async fn left(domain: &Domain, guild_id: GuildId) -> Result<bool, Error> {
    set_membership(domain, guild_id, false).await
}

async fn set_membership(domain: &Domain, guild_id: GuildId, present: bool) -> Result<bool, Error> {
    // Every guild reports itself at every start; only news is written.
    let known = guild::Entity::find_by_id(guild_id).one(domain.store.reader()).await?;
    // A guild without a row was never joined, so that it cannot be left.
    if known.map_or(!present, |row| row.present == present) {
        return Ok(false);
    }
    let input = Membership { author: Author::system(domain), guild_id, present };
    domain.store.write(input, |txn, input| Box::pin(set_membership_in(txn, input))).await
}

async fn set_membership_in(txn: &WriteTransaction, input: &Membership) -> Result<bool, Error> {
    let Membership { author, guild_id, present } = input;
    let now = author.at();
    let row = lock(txn, *guild_id, now).await?;
    if row.present == *present {
        return Ok(false);
    }
    let general = General::of_row(&row);
    let before = json!({ "present": row.present, "left_at": row.left_at });
    let mut active = row.into_active_model();
    active.present = Set(*present);
    active.left_at = Set((!present).then_some(now));
    active.digest_due_at = Set(digest::next_due(general.digest, general.week_start, general.time_zone, now));
    let row = active.update(txn.connection()).await?;
    let kind = if *present { "guild.joined" } else { "guild.left" };
    let change = (before, json!({ "present": row.present, "left_at": row.left_at }));
    let subject = format!("guild/{guild_id}");
    txn.append_event(author.event(kind, *guild_id, subject, change)).await?;
    Ok(true)
}

#[cfg(test)]
mod tests;
