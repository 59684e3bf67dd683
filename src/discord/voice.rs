//! Who is in which voice channel, as the gateway tells it, handed on to practice.
//!
//! serenity gives each event to a task of its own, so that two events of one person may be handled in either order. Voice
//! states alone come in Discord's order, by its hook for voice clients. The hook only notes what it is told; one task
//! carries it out. Invariants: no event waits for the store; many changes of one person become one look at where they
//! are; everything held here is bounded, and what does not fit is repaired by a look at the whole guild.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    convert::Infallible,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use chrono::{DateTime, Utc};
use entity::id::{ChannelId, DiscordUserId, GuildId, RoleId};
use serenity::{
    all::{self as serenity, ShardRunnerMessage, VoiceGatewayManager, VoiceState},
    futures::channel::mpsc::UnboundedSender,
};
use tokio::sync::{Notify, broadcast::error::RecvError};

use crate::domain::{
    Domain, Error,
    practice::{self, Presence, Room},
};

/// Most people in voice channels that are remembered, over all guilds.
const PEOPLE_MAX: usize = 200_000;
/// Most people of a guild whose changes wait; beyond, the whole guild is looked at.
const CHANGES_MAX: usize = 2_000;
/// Pause after the store has failed.
const PAUSE: Duration = Duration::from_secs(1);

/// What is known of all guilds, and what is still to be carried out.
pub struct VoiceWatch {
    domain: Domain,
    known: Mutex<Known>,
    woken: Notify,
}

#[derive(Default)]
struct Known {
    shards: u32,
    guilds: HashMap<GuildId, GuildVoice>,
    people: usize,
    /// Guilds with something to be carried out.
    waiting: BTreeSet<GuildId>,
    /// The connection has gone on, and everybody whom we missed has been told of.
    is_resumed: bool,
}

/// The voice channels of a guild.
#[derive(Default)]
struct GuildVoice {
    /// The guild has told who is there; what came before that is newer than what it tells.
    is_told: bool,
    /// Everybody is to be looked at.
    needs_repair: bool,
    afk: Option<ChannelId>,
    people: HashMap<DiscordUserId, Seen>,
    /// Whose state has changed.
    changed: HashSet<DiscordUserId>,
    /// Rooms that somebody has entered or left.
    rooms: HashSet<ChannelId>,
}

struct Seen {
    channel: ChannelId,
    presence: Presence,
}

/// What one turn of the task does.
enum Turn {
    Repair(GuildId, Vec<Room>),
    Changes { guild: GuildId, people: Vec<(DiscordUserId, Option<ChannelId>)>, rooms: HashMap<ChannelId, Room> },
    Resumed,
}

impl GuildVoice {
    fn room(&self, channel: ChannelId) -> Room {
        let here = self.people.values().filter(|seen| seen.channel == channel);
        let people = here.map(|seen| seen.presence.clone()).collect();
        Room { channel_id: channel, is_afk: self.afk == Some(channel), people }
    }

    fn all_rooms(&self) -> Vec<Room> {
        let channels: BTreeSet<_> = self.people.values().map(|seen| seen.channel).collect();
        channels.into_iter().map(|channel| self.room(channel)).collect()
    }

    fn note_change(&mut self, user: DiscordUserId) {
        if self.changed.len() < CHANGES_MAX {
            self.changed.insert(user);
        } else {
            self.needs_repair = self.is_told;
        }
    }
}

impl Known {
    fn forget(&mut self, guild: GuildId) {
        if let Some(voice) = self.guilds.remove(&guild) {
            self.people -= voice.people.len();
        }
        self.waiting.remove(&guild);
    }

    /// Remembers where somebody is, or that they are nowhere; says where they were.
    fn place(&mut self, guild: GuildId, user: DiscordUserId, seen: Option<Seen>) -> Option<Seen> {
        let has_room = self.people < PEOPLE_MAX;
        let voice = self.guilds.entry(guild).or_default();
        let before = voice.people.remove(&user);
        self.people -= usize::from(before.is_some());
        if let Some(mut seen) = seen.filter(|_| has_room || before.is_some()) {
            // Who mutes or unmutes themself has not come anew.
            if let Some(before) = before.as_ref().filter(|before| before.channel == seen.channel) {
                seen.presence.since = before.presence.since;
            }
            voice.people.insert(user, seen);
            self.people += 1;
        }
        before
    }

    fn repair(&mut self, guild: GuildId) {
        if let Some(voice) = self.guilds.get_mut(&guild).filter(|voice| voice.is_told) {
            voice.needs_repair = true;
            self.waiting.insert(guild);
        }
    }

    fn take(&mut self) -> Option<Turn> {
        while let Some(guild) = self.waiting.pop_first() {
            let Some(voice) = self.guilds.get_mut(&guild).filter(|voice| voice.is_told) else { continue };
            let changed = std::mem::take(&mut voice.changed);
            let entered = std::mem::take(&mut voice.rooms);
            if std::mem::take(&mut voice.needs_repair) {
                return Some(Turn::Repair(guild, voice.all_rooms()));
            }
            let channel_of = |user| voice.people.get(&user).map(|seen| seen.channel);
            let people: Vec<_> = changed.into_iter().map(|user| (user, channel_of(user))).collect();
            let channels: BTreeSet<_> = people.iter().filter_map(|(_, channel)| *channel).chain(entered).collect();
            let rooms = channels.into_iter().map(|channel| (channel, voice.room(channel))).collect();
            return Some(Turn::Changes { guild, people, rooms });
        }
        std::mem::take(&mut self.is_resumed).then_some(Turn::Resumed)
    }
}

impl VoiceWatch {
    /// Knows nobody yet.
    pub(super) fn new(domain: Domain) -> Self {
        Self { domain, known: Mutex::default(), woken: Notify::default() }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A guild has told who is in its voice channels.
    pub(super) fn guild_told(&self, guild: &serenity::Guild) {
        let Some(id) = GuildId::new(guild.id.get()) else { return };
        let now = self.domain.now();
        let mut known = self.known();
        // What it told before is past; what has changed since the connection began is newer than what it tells now.
        if known.guilds.get(&id).is_some_and(|voice| voice.is_told) {
            known.forget(id);
        }
        for state in guild.voice_states.values() {
            let Some((user, seen)) = read(state, guild.members.get(&state.user_id), now) else { continue };
            if known.guilds.get(&id).is_none_or(|voice| !voice.changed.contains(&user)) {
                known.place(id, user, seen);
            }
        }
        let voice = known.guilds.entry(id).or_default();
        voice.afk = afk(guild.afk_metadata.as_ref());
        voice.is_told = true;
        known.repair(id);
        drop(known);
        self.woken.notify_one();
    }

    /// The channel for people who are away may be another one.
    pub(super) fn guild_changed(&self, guild: &serenity::PartialGuild) {
        let Some(id) = GuildId::new(guild.id.get()) else { return };
        let mut known = self.known();
        let Some(voice) = known.guilds.get_mut(&id) else { return };
        let afk = afk(guild.afk_metadata.as_ref());
        if std::mem::replace(&mut voice.afk, afk) != afk {
            known.repair(id);
            self.woken.notify_one();
        }
    }

    /// The bot no longer sees a guild.
    pub(super) fn guild_gone(&self, guild: serenity::GuildId) {
        if let Some(id) = GuildId::new(guild.get()) {
            self.known().forget(id);
        }
    }

    /// The connection goes on where it broke off. What was missed came first, by the hook.
    pub(super) fn resumed(&self) {
        self.known().is_resumed = true;
        self.woken.notify_one();
    }

    fn changed(&self, guild: serenity::GuildId, state: &VoiceState) {
        let Some(guild) = GuildId::new(guild.get()) else { return };
        let Some((user, seen)) = read(state, state.member.as_ref(), self.domain.now()) else { return };
        let mut known = self.known();
        let to = seen.as_ref().map(|seen| seen.channel);
        let from = known.place(guild, user, seen).map(|seen| seen.channel);
        let Some(voice) = known.guilds.get_mut(&guild) else { return };
        voice.note_change(user);
        if from != to {
            voice.rooms.extend(from.into_iter().chain(to));
        }
        known.waiting.insert(guild);
        drop(known);
        self.woken.notify_one();
    }

    /// Carries out what is noted, for as long as it is polled.
    pub(super) async fn follow(&self) -> Infallible {
        let mut terms = practice::watch_terms(&self.domain);
        loop {
            let turn = self.known().take();
            if let Some(turn) = turn {
                self.carry_out(turn).await;
                continue;
            }
            tokio::select! {
                () = self.woken.notified() => {}
                changed = terms.recv() => match changed {
                    Ok(guild) => self.known().repair(guild),
                    Err(RecvError::Lagged(_)) => self.repair_all(),
                    // The domain outlives us.
                    Err(RecvError::Closed) => std::future::pending().await,
                }
            }
        }
    }

    fn repair_all(&self) {
        let mut known = self.known();
        let all: Vec<_> = known.guilds.keys().copied().collect();
        for guild in all {
            known.repair(guild);
        }
    }

    async fn carry_out(&self, turn: Turn) {
        let domain = &self.domain;
        let (guild, done) = match turn {
            Turn::Repair(guild, rooms) => (Some(guild), practice::voice_states_of_guild(domain, guild, &rooms).await),
            Turn::Changes { guild, people, rooms } => (Some(guild), change(domain, guild, &people, &rooms).await),
            Turn::Resumed => (None, practice::voice_resumed(domain).await.map(drop)),
        };
        let Err(error) = done else { return };
        tracing::error!(error = &error as &dyn std::error::Error, "what happens in voice channels could not be noted");
        match guild {
            // A refusal would only come again; what the store has not taken is looked at as a whole.
            _ if matches!(error, Error::Refused(_)) => {}
            Some(guild) => self.known().repair(guild),
            None => self.known().is_resumed = true,
        }
        pause().await;
    }
}

#[expect(clippy::disallowed_methods, reason = "a pause of real time, which nobody can ask to end sooner")]
async fn pause() {
    tokio::time::sleep(PAUSE).await;
}

async fn change(
    domain: &Domain,
    guild: GuildId,
    people: &[(DiscordUserId, Option<ChannelId>)],
    rooms: &HashMap<ChannelId, Room>,
) -> Result<(), Error> {
    for (user, channel) in people {
        match channel.and_then(|channel| rooms.get(&channel)) {
            Some(room) => practice::voice_joined(domain, guild, *user, room).await?,
            None => practice::voice_left(domain, guild, *user).await?,
        };
    }
    for room in rooms.values() {
        practice::voice_room_changed(domain, guild, room).await?;
    }
    Ok(())
}

fn afk(afk: Option<&serenity::AfkMetadata>) -> Option<ChannelId> {
    afk.and_then(|afk| ChannelId::new(afk.afk_channel_id.get()))
}

/// Whose state it is and where they are, if anywhere, as of now.
fn read(
    state: &VoiceState,
    member: Option<&serenity::Member>,
    now: DateTime<Utc>,
) -> Option<(DiscordUserId, Option<Seen>)> {
    let user_id = DiscordUserId::new(state.user_id.get())?;
    let seen = state.channel_id.and_then(|channel| ChannelId::new(channel.get())).map(|channel| Seen {
        channel,
        presence: Presence {
            user_id,
            is_bot: member.is_some_and(|member| member.user.bot),
            // The audience of a stage is muted by the stage.
            is_muted: state.mute || state.self_mute || state.suppress,
            is_deafened: state.deaf || state.self_deaf,
            roles: member.map_or_else(Vec::new, |member| {
                member.roles.iter().filter_map(|role| RoleId::new(role.get())).collect()
            }),
            since: now,
        },
    });
    Some((user_id, seen))
}

/// serenity's hook for voice clients, the only one that is called in the order of events.
#[::serenity::async_trait]
impl VoiceGatewayManager for VoiceWatch {
    async fn initialise(&self, shard_count: u32, _: serenity::UserId) {
        self.known().shards = shard_count;
    }

    /// A new connection: its guilds will tell anew who is there.
    async fn register_shard(&self, shard_id: u32, _: UnboundedSender<ShardRunnerMessage>) {
        let mut known = self.known();
        let shards = u64::from(known.shards.max(1));
        let all = known.guilds.keys().copied();
        let own: Vec<_> = all.filter(|guild| (guild.get() >> 22) % shards == u64::from(shard_id)).collect();
        for guild in own {
            known.forget(guild);
        }
    }

    async fn deregister_shard(&self, _: u32) {}

    async fn server_update(&self, _: serenity::GuildId, _: &Option<String>, _: &str) {}

    async fn state_update(&self, guild: serenity::GuildId, state: &VoiceState) {
        self.changed(guild, state);
    }
}
