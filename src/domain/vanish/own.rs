//! Times that members choose for their own messages, within what their guild allows.
//!
//! Invariants: a chosen time outside of the guild's bounds rests, so that nothing goes earlier than its author wished; a
//! message gets its moment when it arrives, and what the channel's rule says earlier goes earlier.

use std::{collections::HashMap, ops::RangeInclusive, sync::Arc};

use chrono::TimeDelta;
use entity::{
    id::{ChannelId, DiscordUserId, GuildId, MessageId},
    vanish_default, vanish_message,
    vanish_message::Fate,
    vanish_own::{self, Model},
};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::OnConflict,
};
use serde_json::{Value, json};

use super::{VanishRefusal, message, plan, schedule::AFTER_SECONDS};
use crate::{
    domain::{
        Actor, Domain, Error, Right,
        error::CommonRefusal,
        event::Author,
        guild,
        user::{self, UserRefusal},
    },
    id_source::IdSource,
    store::WriteTransaction,
};

/// Most times of one member in one guild.
const PER_MEMBER_MAX: u64 = 50;
/// Most times of one guild.
const PER_GUILD_MAX: u64 = 10_000;
/// A channel's bits that stand for the whole guild.
const WHOLE_GUILD: i64 = 0;

/// The times, in seconds, that members of a guild may choose; none where they may not.
pub type OwnBounds = Option<RangeInclusive<i64>>;

/// Bounds as a guild's row holds them; whoever names one of the two leaves the other to the bounds of all rules.
pub(in crate::domain) fn checked_bounds(min: Option<i64>, max: Option<i64>) -> Result<OwnBounds, VanishRefusal> {
    if min.is_none() && max.is_none() {
        return Ok(None);
    }
    let (min, max) = (min.unwrap_or(*AFTER_SECONDS.start()), max.unwrap_or(*AFTER_SECONDS.end()));
    let fits = AFTER_SECONDS.contains(&min) && AFTER_SECONDS.contains(&max);
    if !fits {
        return Err(VanishRefusal::AfterOutOfBounds);
    }
    if min > max { Err(VanishRefusal::OwnBoundsCross) } else { Ok(Some(min..=max)) }
}

fn bounds_of(row: Option<&vanish_default::Model>) -> OwnBounds {
    row.and_then(|row| Some(row.own_min_seconds?..=row.own_max_seconds?))
}

/// All of a guild's, as new messages ask for them.
pub(in crate::domain) struct GuildTimes {
    bounds: OwnBounds,
    times: HashMap<(DiscordUserId, i64), i64>,
}

impl GuildTimes {
    /// Seconds after which a message of this author here goes; that of the channel beats that of the guild.
    fn of(&self, author: DiscordUserId, channel: ChannelId) -> Option<i64> {
        let bounds = self.bounds.as_ref()?;
        let here = self.times.get(&(author, channel.get().cast_signed()));
        here.or_else(|| self.times.get(&(author, WHOLE_GUILD))).copied().filter(|seconds| bounds.contains(seconds))
    }
}

async fn cached(domain: &Domain, guild: GuildId) -> Result<Arc<GuildTimes>, Error> {
    domain.caches.own_times.get_or_load(guild, load(domain, guild)).await
}

async fn load(domain: &Domain, guild: GuildId) -> Result<GuildTimes, Error> {
    let reader = domain.store.reader();
    let bounds = bounds_of(vanish_default::Entity::find_by_id(guild).one(reader).await?.as_ref());
    let mut times = HashMap::new();
    if bounds.is_some() {
        let rows = vanish_own::Entity::find().filter(vanish_own::COLUMN.guild_id.eq(guild)).limit(PER_GUILD_MAX);
        let rows = rows.all(reader).await?;
        times.extend(rows.into_iter().map(|row| ((row.discord_user_id, row.channel_bits), row.after_seconds)));
    }
    Ok(GuildTimes { bounds, times })
}

/// What members of a guild may choose; read for suggestions, which decide nothing.
pub async fn own_bounds(domain: &Domain, guild: GuildId) -> Result<OwnBounds, Error> {
    Ok(cached(domain, guild).await?.bounds.clone())
}

/// A message was sent. Where its author has chosen a time that holds there, it gets its moment, once.
pub async fn note_own_message(
    domain: &Domain,
    (guild, channel, message): (GuildId, ChannelId, MessageId),
    author: DiscordUserId,
) -> Result<(), Error> {
    let Some(seconds) = cached(domain, guild).await?.of(author, channel) else { return Ok(()) };
    let due_at = plan::sent_at(message) + TimeDelta::seconds(seconds);
    let row = message::row(guild, channel, message, Fate::Own, Some(due_at), domain.now());
    domain
        .store
        .write(row, |txn, row| {
            Box::pin(async move {
                // Somebody may have decided about this one already.
                vanish_message::Entity::insert(row.clone().into_active_model())
                    .on_conflict_do_nothing_on([vanish_message::Column::MessageId])
                    .exec_without_returning(txn.connection())
                    .await?;
                Ok(())
            })
        })
        .await
}

/// A member's times in a guild, and what the guild allows.
#[derive(Clone, Debug)]
pub struct OwnTimes {
    /// What the guild allows.
    pub bounds: OwnBounds,
    /// The whole guild's first.
    pub rows: Vec<Model>,
}

impl OwnTimes {
    /// The channel of a row; none is the whole guild.
    pub fn place(row: &Model) -> Option<ChannelId> {
        ChannelId::new(row.channel_bits.cast_unsigned())
    }

    /// Whether a row acts, as the guild's bounds are now.
    pub fn holds(&self, row: &Model) -> bool {
        self.bounds.as_ref().is_some_and(|bounds| bounds.contains(&row.after_seconds))
    }
}

/// A change of one's own time.
#[derive(Clone, Copy, Debug)]
pub struct OwnChange {
    /// The guild.
    pub guild_id: GuildId,
    /// The channel or thread; none is the whole guild.
    pub channel_id: Option<ChannelId>,
    /// Age in seconds; none ends it.
    pub after_seconds: Option<i64>,
}

fn member(actor: &Actor, guild: GuildId) -> Result<DiscordUserId, Error> {
    actor.require(Right::ReadVanish, Some(guild))?;
    actor.discord_user().ok_or_else(|| CommonRefusal::Unauthenticated("Not a member of a server").into())
}

async fn times(
    connection: &impl ConnectionTrait,
    guild: GuildId,
    account: DiscordUserId,
) -> Result<OwnTimes, sea_orm::DbErr> {
    let bounds = bounds_of(vanish_default::Entity::find_by_id(guild).one(connection).await?.as_ref());
    let rows = vanish_own::Entity::find()
        .filter(vanish_own::COLUMN.guild_id.eq(guild))
        .filter(vanish_own::COLUMN.discord_user_id.eq(account))
        .order_by_asc(vanish_own::Column::ChannelBits)
        .limit(PER_MEMBER_MAX)
        .all(connection)
        .await?;
    Ok(OwnTimes { bounds, rows })
}

/// The times that a member has chosen for their own messages in a guild.
pub async fn own_times(domain: &Domain, actor: &Actor, guild: GuildId) -> Result<OwnTimes, Error> {
    let account = member(actor, guild)?;
    Ok(times(domain.store.reader(), guild, account).await?)
}

struct Set {
    author: Author,
    ids: IdSource,
    account: DiscordUserId,
    change: OwnChange,
}

/// Chooses after which time a member's own messages vanish, or ends that. It is about messages from now on: those that
/// have their moment already keep it.
pub async fn set_own_time(domain: &Domain, actor: &Actor, change: OwnChange) -> Result<OwnTimes, Error> {
    let account = member(actor, change.guild_id)?;
    let input = Set { author: Author::new(domain, actor), ids: domain.ids.clone(), account, change };
    domain.store.write(input, |txn, input| Box::pin(set_in(txn, input))).await
}

async fn set_in(txn: &WriteTransaction, input: &Set) -> Result<OwnTimes, Error> {
    let Set { author, ids, account, change } = input;
    let guild_id = change.guild_id;
    let channel_bits = change.channel_id.map_or(WHOLE_GUILD, |channel| channel.get().cast_signed());
    let person = user::of_discord(txn, author, ids, *account).await?;
    // Held until the end, so that two changes of one person do not pass the limit together.
    if !user::is_active(&user::lock(txn, person).await?) {
        return Err(UserRefusal::Disabled.into());
    }
    let key = (guild_id, *account, channel_bits);
    let before = vanish_own::Entity::find_by_id(key).one(txn.connection()).await?;
    let after = match change.after_seconds {
        Some(seconds) => Some(chosen(txn, input, before.as_ref(), seconds).await?),
        None => None,
    };
    let seconds = |row: Option<&Model>| row.map(|row| row.after_seconds);
    if seconds(before.as_ref()) == seconds(after.as_ref()) {
        return Ok(times(txn.connection(), guild_id, *account).await?);
    }
    match after.clone() {
        Some(row) => {
            use vanish_own::Column as C;
            guild::ensure(txn, guild_id, author.at()).await?;
            let replace = OnConflict::columns([C::GuildId, C::DiscordUserId, C::ChannelBits])
                .update_columns([C::AfterSeconds, C::UpdatedAt])
                .to_owned();
            let row = row.into_active_model();
            vanish_own::Entity::insert(row).on_conflict(replace).exec_without_returning(txn.connection()).await?;
        }
        None => {
            vanish_own::Entity::delete_by_id(key).exec(txn.connection()).await?;
        }
    }
    let state = |row: Option<&Model>| row.map_or(Value::Null, settings);
    let change = (state(before.as_ref()), state(after.as_ref()));
    // It is the person's and not the guild's, whose history is read by others.
    txn.append_event(author.event("own_vanish.set", None, user::subject(person), change)).await?;
    Ok(times(txn.connection(), guild_id, *account).await?)
}

/// The row of a time that the guild allows.
async fn chosen(
    txn: &WriteTransaction,
    input: &Set,
    before: Option<&Model>,
    after_seconds: i64,
) -> Result<Model, Error> {
    let (guild_id, account) = (input.change.guild_id, input.account);
    let allowed = vanish_default::Entity::find_by_id(guild_id).one(txn.connection()).await?;
    let bounds = bounds_of(allowed.as_ref()).ok_or(VanishRefusal::OwnOff)?;
    if !bounds.contains(&after_seconds) {
        return Err(VanishRefusal::OwnOutOfBounds { min: *bounds.start(), max: *bounds.end() }.into());
    }
    let now = input.author.at();
    if let Some(before) = before {
        return Ok(Model { after_seconds, updated_at: now, ..before.clone() });
    }
    let of_guild = || vanish_own::Entity::find().filter(vanish_own::COLUMN.guild_id.eq(guild_id));
    let own = of_guild().filter(vanish_own::COLUMN.discord_user_id.eq(account)).count(txn.connection()).await?;
    if own >= PER_MEMBER_MAX || of_guild().count(txn.connection()).await? >= PER_GUILD_MAX {
        return Err(VanishRefusal::TooManyOwn.into());
    }
    Ok(Model {
        guild_id,
        discord_user_id: account,
        channel_bits: input.change.channel_id.map_or(WHOLE_GUILD, |channel| channel.get().cast_signed()),
        after_seconds,
        created_at: now,
        updated_at: now,
    })
}

fn settings(row: &Model) -> Value {
    json!({ "guild_id": row.guild_id, "channel_id": OwnTimes::place(row), "after_seconds": row.after_seconds })
}

/// Takes away every time of an account that is to be forgotten.
pub(in crate::domain) async fn forget_own_times(
    txn: &WriteTransaction,
    author: &Author,
    (person, account): (entity::id::UserId, DiscordUserId),
) -> Result<(), Error> {
    let own = vanish_own::COLUMN.discord_user_id.eq(account);
    let gone = vanish_own::Entity::delete_many().filter(own).exec(txn.connection()).await?;
    if gone.rows_affected > 0 {
        let change = (Value::Null, Value::Null);
        txn.append_event(author.event("own_vanish.forgotten", None, user::subject(person), change)).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
