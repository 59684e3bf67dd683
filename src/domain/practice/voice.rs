//! Voice channels: who counts there, and what a change of voice states means for sessions.
//!
//! Nothing here asks Discord: the gateway tells who is where.

use chrono::{DateTime, TimeDelta, Utc};
use entity::{
    guild_role::RoleKind,
    id::{ChannelId, DiscordUserId, GuildId, RoleId, UserId},
    practice_session::{self, EndReason, Model, SessionSource, SessionState},
};
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use tokio::sync::broadcast;

use super::{
    NewSession, Person, Rule,
    change::{Change, bridge_of, open_session},
    person, rule,
    session::{Start, start_in},
};
use crate::{
    domain::{Domain, Error, event::Author, guild::role},
    id_source::IdSource,
    store::WriteTransaction,
};

/// Most sessions of a guild that one repair looks at.
const REPAIRS_MAX: u64 = 10_000;

/// Most people of a room in which somebody may have been alone before one of them came.
const SMALL_MAX: usize = 2;

/// Somebody in a voice channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Presence {
    /// The account.
    pub user_id: DiscordUserId,
    /// It is a bot.
    pub is_bot: bool,
    /// By themself or by the server.
    pub is_muted: bool,
    /// By themself or by the server.
    pub is_deafened: bool,
    /// Their roles, as far as Discord has told them.
    pub roles: Vec<RoleId>,
    /// In this channel since then, as far as it is known.
    pub since: DateTime<Utc>,
}

/// A voice channel with everybody in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Room {
    /// The channel.
    pub channel_id: ChannelId,
    /// It is the guild's channel for people who are away.
    pub is_afk: bool,
    /// Who is there.
    pub people: Vec<Presence>,
}

/// What a voice state means for a person's session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// A session begins.
    Start,
    /// The session ends.
    Stop,
    /// The session goes on in another channel.
    Move,
    /// Nothing changes.
    Keep,
}

impl Room {
    fn presence(&self, user: DiscordUserId) -> Option<&Presence> {
        self.people.iter().find(|presence| presence.user_id == user)
    }

    /// Whether this person is here and has the role whose members are not tracked.
    fn spares(&self, no_track: Option<RoleId>, user: DiscordUserId) -> bool {
        no_track.zip(self.presence(user)).is_some_and(|(role, presence)| presence.roles.contains(&role))
    }

    /// Whether the coming or going of one person can change who has company here.
    fn is_small(&self, rule: &Rule) -> bool {
        self.people.iter().filter(|presence| !presence.is_bot || rule.counts_bots).count() <= SMALL_MAX
    }

    /// Whether this person's time counts here.
    fn counts(&self, rule: &Rule, presence: &Presence) -> bool {
        let is_company = |other: &&Presence| other.user_id != presence.user_id && (!other.is_bot || rule.counts_bots);
        rule.tracks(self.channel_id)
            && (rule.counts_bots || !presence.is_bot)
            && (rule.counts_muted || !presence.is_muted)
            && (rule.counts_deafened || !presence.is_deafened)
            && (rule.counts_afk || !self.is_afk)
            && (rule.counts_alone || self.people.iter().find(is_company).is_some())
    }
}

/// What follows for a person whose voice session runs in `running`, if one does, and who is now in a room, if they are.
pub fn decide(rule: &Rule, running: Option<ChannelId>, user: DiscordUserId, room: Option<&Room>) -> Decision {
    let counted = room.and_then(|room| {
        let presence = room.presence(user)?;
        room.counts(rule, presence).then_some(room.channel_id)
    });
    match (running, counted) {
        (None, None) => Decision::Keep,
        (None, Some(_)) => Decision::Start,
        (Some(_), None) => Decision::Stop,
        (Some(from), Some(to)) if from == to => Decision::Keep,
        (Some(_), Some(_)) => Decision::Move,
    }
}

/// Tells of guilds in which other voice channels or other members may count from now on: who is there should be looked
/// at again.
pub fn watch_terms(domain: &Domain) -> broadcast::Receiver<GuildId> {
    domain.caches.practice_terms.subscribe()
}

/// A person has come into a room, or their state in it has changed.
pub async fn voice_joined(
    domain: &Domain,
    guild_id: GuildId,
    user: DiscordUserId,
    room: &Room,
) -> Result<Decision, Error> {
    let rule = rule::cached(domain, guild_id).await?;
    let no_track = role::role_of(domain, guild_id, RoleKind::NoTrack).await?;
    let running = running_of(domain.store.reader(), guild_id, user).await?.and_then(|row| row.channel_id);
    let decision = decide(&rule, running, user, Some(room).filter(|room| !room.spares(no_track, user)));
    let since = room.presence(user).map(|presence| presence.since);
    carry_out(domain, (guild_id, user), decision, (room.channel_id, since)).await?;
    Ok(decision)
}

/// A person has left the voice channels of a guild.
pub async fn voice_left(domain: &Domain, guild_id: GuildId, user: DiscordUserId) -> Result<Decision, Error> {
    let Some(row) = running_of(domain.store.reader(), guild_id, user).await? else { return Ok(Decision::Keep) };
    let Some(channel) = row.channel_id else { return Ok(Decision::Keep) };
    carry_out(domain, (guild_id, user), Decision::Stop, (channel, None)).await?;
    Ok(Decision::Stop)
}

/// Somebody else has come or gone: looks at everybody who is in the room, where company may be what makes it count.
pub async fn voice_room_changed(
    domain: &Domain,
    guild_id: GuildId,
    room: &Room,
) -> Result<Vec<(DiscordUserId, Decision)>, Error> {
    let mut decisions = Vec::new();
    let rule = rule::cached(domain, guild_id).await?;
    if rule.counts_alone || !room.is_small(&rule) {
        return Ok(decisions);
    }
    for presence in &room.people {
        decisions.push((presence.user_id, voice_joined(domain, guild_id, presence.user_id, room).await?));
    }
    Ok(decisions)
}

/// All voice states of a guild, as it tells them when the connection begins: repairs what happened unseen. Who is still
/// there goes on, with a gap where we were away too long; who is not ended when they were last seen.
pub async fn voice_states_of_guild(domain: &Domain, guild_id: GuildId, rooms: &[Room]) -> Result<(), Error> {
    let rule = rule::cached(domain, guild_id).await?;
    let no_track = role::role_of(domain, guild_id, RoleKind::NoTrack).await?;
    let running = practice_session::Entity::find()
        .filter(practice_session::COLUMN.guild_id.eq(guild_id))
        // As a range, so that the index on both finds it on either engine.
        .filter(practice_session::COLUMN.open_user_id.gte(UserId(uuid::Uuid::nil())))
        .filter(practice_session::Column::Source.eq(SessionSource::Voice))
        .limit(REPAIRS_MAX)
        .all(domain.store.reader())
        .await?;
    let users: Vec<UserId> = running.iter().map(|row| row.user_id).collect();
    let accounts = person::accounts(domain.store.reader(), &users).await?;
    let mut seen = std::collections::HashSet::new();
    for row in running {
        let account = accounts.get(&row.user_id).copied();
        let room = account.and_then(|user| rooms.iter().find(|room| room.presence(user).is_some()));
        let room = room.filter(|room| account.is_none_or(|user| !room.spares(no_track, user)));
        let counted = account
            .zip(room)
            .filter(|(user, room)| room.presence(*user).is_some_and(|presence| room.counts(&rule, presence)));
        seen.extend(account);
        let channel = counted.map(|(_, room)| room.channel_id);
        let input = Repair { author: Author::system(domain), ids: domain.ids.clone(), user: row.user_id, channel };
        domain.store.write(input, |txn, input| Box::pin(repair_in(txn, input))).await?;
    }
    for room in rooms {
        for presence in room.people.iter().filter(|presence| !seen.contains(&presence.user_id)) {
            voice_joined(domain, guild_id, presence.user_id, room).await?;
        }
    }
    Ok(())
}

/// The connection goes on where it broke off, and has told all that happened since: nobody is missed any more.
pub async fn voice_resumed(domain: &Domain) -> Result<u64, Error> {
    domain
        .store
        .write(domain.now(), |txn, now| {
            Box::pin(async move {
                let seen = practice_session::ActiveModel {
                    missed_at: Set(None),
                    look_at: Set(Some(*now)),
                    ..Default::default()
                };
                let changed = practice_session::Entity::update_many()
                    .set(seen)
                    .filter(practice_session::COLUMN.look_at.gte(DateTime::UNIX_EPOCH))
                    .filter(practice_session::COLUMN.missed_at.is_not_null())
                    .exec(txn.connection())
                    .await?;
                Ok::<_, Error>(changed.rows_affected)
            })
        })
        .await
}

/// A person's voice session in this guild.
async fn running_of(
    connection: &impl ConnectionTrait,
    guild_id: GuildId,
    user: DiscordUserId,
) -> Result<Option<Model>, Error> {
    let Some(user) = Person::Discord(user).find(connection).await? else { return Ok(None) };
    let row = practice_session::Entity::find().filter(practice_session::COLUMN.open_user_id.eq(user));
    Ok(row.one(connection).await?.filter(|row| is_of(row, guild_id)))
}

fn is_of(row: &Model, guild_id: GuildId) -> bool {
    row.source == SessionSource::Voice && row.guild_id == Some(guild_id)
}

struct Turn {
    start: Start,
    guild_id: GuildId,
    decision: Decision,
    channel: ChannelId,
    /// They are in the channel since then.
    since: Option<DateTime<Utc>>,
}

async fn carry_out(
    domain: &Domain,
    (guild_id, user): (GuildId, DiscordUserId),
    decision: Decision,
    (channel, since): (ChannelId, Option<DateTime<Utc>>),
) -> Result<(), Error> {
    if decision == Decision::Keep {
        return Ok(());
    }
    let mut new = NewSession::of(Person::Discord(user), Some(guild_id), SessionSource::Voice);
    new.channel_id = Some(channel);
    let start = Start { author: Author::system(domain), ids: domain.ids.clone(), new };
    let input = Turn { start, guild_id, decision, channel, since };
    let done = domain.store.write(input, |txn, input| Box::pin(turn_in(txn, input))).await;
    match done {
        // They may stay in the channel all the same.
        Err(error) if error.code() == Some("practice.day_cap_reached") => Ok(()),
        done => done,
    }
}

async fn turn_in(txn: &WriteTransaction, input: &Turn) -> Result<(), Error> {
    let user = input.start.new.person.find(txn.connection()).await?;
    if input.decision == Decision::Start {
        if let (Some(user), Some(since)) = (user, input.since)
            && has_stopped(txn.connection(), user, input, since).await?
        {
            return Ok(());
        }
        start_in(txn, &input.start).await?;
        return Ok(());
    }
    let Some(user) = user else { return Ok(()) };
    let found = open_session(txn, user).await?.filter(|row| is_of(row, input.guild_id));
    let Some(mut row) = found else { return Ok(()) };
    let change = Change { txn, author: &input.start.author, ids: &input.start.ids };
    let end = change.count_on(&mut row).await?;
    if input.decision == Decision::Stop || end.is_some() {
        return change.end(&mut row, end.unwrap_or(EndReason::Left)).await;
    }
    row.channel_id = Some(input.channel);
    row.touched_at = change.now();
    Ok(change.save(&mut row).await?)
}

/// Whether they have stopped by hand what began by coming here: it begins again when they come again.
async fn has_stopped(
    connection: &impl ConnectionTrait,
    user: UserId,
    turn: &Turn,
    since: DateTime<Utc>,
) -> Result<bool, Error> {
    let last = practice_session::Entity::find()
        .filter(practice_session::COLUMN.user_id.eq(user))
        .order_by_desc(practice_session::COLUMN.started_at)
        .one(connection)
        .await?;
    Ok(last.is_some_and(|row| {
        is_of(&row, turn.guild_id)
            && row.channel_id == Some(turn.channel)
            && row.end_reason == Some(EndReason::Stopped)
            && row.ended_at.is_some_and(|ended| ended >= since)
    }))
}

struct Repair {
    author: Author,
    ids: IdSource,
    user: UserId,
    /// Where their time counts now.
    channel: Option<ChannelId>,
}

async fn repair_in(txn: &WriteTransaction, input: &Repair) -> Result<(), Error> {
    let found = open_session(txn, input.user).await?;
    let Some(mut row) = found.filter(|row| row.source == SessionSource::Voice) else { return Ok(()) };
    let change = Change { txn, author: &input.author, ids: &input.ids };
    let Some(channel) = input.channel else {
        if row.missed_at.is_some() {
            return change.end(&mut row, EndReason::Lost).await;
        }
        // They were seen until now: the rule is another one, or they have gone this moment.
        let end = change.count_on(&mut row).await?;
        return change.end(&mut row, end.unwrap_or(EndReason::Left)).await;
    };
    if row.state == SessionState::Open {
        // Only the same member in the same channel is bridged.
        let bridge = if row.channel_id == Some(channel) { bridge_of(&row) } else { TimeDelta::zero() };
        let end = change.count_until(&mut row, change.now(), bridge).await?;
        if let Some(end) = end {
            return change.end(&mut row, end).await;
        }
    }
    row.channel_id = Some(channel);
    Ok(change.save(&mut row).await?)
}
