//! Sessions and the events sent to them.

pub(crate) mod control;
pub(crate) mod session;
pub(crate) mod socket;

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::BOT_USER_ID;
use crate::model::FakeMessage;
use crate::render;
use crate::state::State;

/// Intent: guilds, channels, roles, threads and pins.
pub const GUILDS: u64 = 1 << 0;
/// Intent: members joining, leaving and changing.
pub const GUILD_MEMBERS: u64 = 1 << 1;
/// Intent: bans, audit entries and join requests.
pub const GUILD_MODERATION: u64 = 1 << 2;
/// Intent: who is online.
pub const GUILD_PRESENCES: u64 = 1 << 8;
/// Intent: who is in which voice channel.
pub const GUILD_VOICE_STATES: u64 = 1 << 7;
/// Intent: messages in guilds.
pub const GUILD_MESSAGES: u64 = 1 << 9;
/// Intent: direct messages.
pub const DIRECT_MESSAGES: u64 = 1 << 12;
/// Intent: what messages say.
pub const MESSAGE_CONTENT: u64 = 1 << 15;

/// Intents that work only while the developer portal has them switched on.
const PRIVILEGED: u64 = GUILD_MEMBERS | GUILD_PRESENCES | MESSAGE_CONTENT;

/// How many events are kept for a session that resumes.
const MAX_REPLAY: usize = 5_000;
/// How many unsent events a connection may have before it is dropped.
pub(crate) const MAX_UNSENT: usize = 10_000;
/// How many sessions and how many records are kept.
const MAX_SESSIONS: usize = 64;
const MAX_RECORDS: usize = 20_000;

/// What a connection is told.
#[derive(Debug)]
pub(crate) enum Out {
    Send(String),
    Close(u16),
    /// End without a closing handshake.
    Drop,
}

pub(crate) struct Session {
    pub(crate) id: String,
    pub(crate) seq: u64,
    pub(crate) intents: u64,
    pub(crate) shard: (u64, u64),
    pub(crate) connection: Option<u64>,
    pub(crate) replay: VecDeque<(u64, String)>,
}

impl Session {
    /// Whether events of this guild (None: direct messages) go to this session.
    fn covers(&self, guild: Option<u64>) -> bool {
        let (shard, count) = self.shard;
        guild.map_or(0, |id| (id >> 22) % count.max(1)) == shard
    }
}

/// Something a client did at the gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GatewayAction {
    /// A connection was opened.
    Connect,
    /// IDENTIFY.
    Identify {
        /// The intents asked for.
        intents: u64,
        /// Shard number and shard count.
        shard: (u64, u64),
    },
    /// RESUME.
    Resume {
        /// The session to go on with.
        session: String,
        /// The last event the client saw.
        seq: u64,
        /// Whether it worked.
        accepted: bool,
    },
    /// A heartbeat.
    Heartbeat,
    /// The client closed the connection, with this code if any.
    Close(Option<u16>),
}

/// A [`GatewayAction`] and its time.
#[derive(Clone, Debug)]
pub struct GatewayRecord {
    /// On the monotonic clock.
    pub at: Instant,
    /// On the stand-in's clock.
    pub time: DateTime<Utc>,
    /// What happened.
    pub action: GatewayAction,
}

pub(crate) struct Gateway {
    pub(crate) heartbeat: Duration,
    pub(crate) shards: u64,
    pub(crate) starts_left: u64,
    pub(crate) sessions: Vec<Session>,
    pub(crate) connections: BTreeMap<u64, mpsc::Sender<Out>>,
    pub(crate) next_connection: u64,
    pub(crate) duplicate: bool,
    pub(crate) stop_acks: bool,
    pub(crate) refuse_identify: Option<u16>,
    pub(crate) records: VecDeque<GatewayRecord>,
    pub(crate) sent: VecDeque<Value>,
}

impl Gateway {
    pub(crate) fn new(heartbeat: Duration) -> Self {
        Self {
            heartbeat,
            shards: 1,
            starts_left: 1000,
            sessions: Vec::new(),
            connections: BTreeMap::new(),
            next_connection: 1,
            duplicate: false,
            stop_acks: false,
            refuse_identify: None,
            records: VecDeque::new(),
            sent: VecDeque::new(),
        }
    }

    /// Sends to a connection; one that does not keep up is dropped.
    pub(crate) fn send(&mut self, connection: u64, out: Out) {
        let Some(sender) = self.connections.get(&connection) else {
            return;
        };
        if sender.try_send(out).is_err() {
            self.connections.remove(&connection);
        }
    }

    pub(crate) fn add_session(&mut self, session: Session) {
        if self.sessions.len() >= MAX_SESSIONS {
            let idle = self.sessions.iter().position(|one| one.connection.is_none());
            self.sessions.remove(idle.unwrap_or(0));
        }
        self.sessions.push(session);
    }

    /// Sends one event to the session at `index` and keeps it for a resume.
    pub(crate) fn emit(&mut self, index: usize, event: &str, data: &Value) {
        let session = &mut self.sessions[index];
        session.seq += 1;
        let payload = json!({"op": 0, "t": event, "s": session.seq, "d": data});
        let text = payload.to_string();
        self.sent.push_back(payload);
        if self.sent.len() > MAX_REPLAY {
            self.sent.pop_front();
        }
        session.replay.push_back((session.seq, text.clone()));
        if session.replay.len() > MAX_REPLAY {
            session.replay.pop_front();
        }
        if let Some(connection) = session.connection {
            self.send(connection, Out::Send(text));
        }
    }
}

impl State {
    pub(crate) fn record_gateway(&mut self, action: GatewayAction) {
        let record = GatewayRecord { at: Instant::now(), time: self.now(), action };
        self.gateway.records.push_back(record);
        if self.gateway.records.len() > MAX_RECORDS {
            self.gateway.records.pop_front();
        }
    }

    /// Sends an event to every session that has one of `intents` (0: to all) and the right shard.
    pub(crate) fn dispatch(&mut self, event: &str, intents: u64, guild: Option<u64>, data: &Value) {
        self.dispatch_each(event, intents, guild, |_| data.clone());
    }

    /// As [`Self::dispatch`], with data that depends on the session's intents.
    pub(crate) fn dispatch_each(&mut self, event: &str, intents: u64, guild: Option<u64>, data: impl Fn(u64) -> Value) {
        let doubled = self.gateway.duplicate && matches!(event, "MESSAGE_CREATE" | "INTERACTION_CREATE");
        for index in 0..self.gateway.sessions.len() {
            let session = &self.gateway.sessions[index];
            if !session.covers(guild) || (intents != 0 && session.intents & intents == 0) {
                continue;
            }
            let data = data(session.intents);
            for _ in 0..=usize::from(doubled) {
                self.gateway.emit(index, event, &data);
            }
        }
    }

    /// Sends an event about messages to the sessions that asked for such.
    pub(crate) fn dispatch_message(&mut self, event: &str, guild: Option<u64>, data: &Value) {
        let intent = if guild.is_some() { GUILD_MESSAGES } else { DIRECT_MESSAGES };
        self.dispatch(event, intent, guild, data);
    }

    /// Tells the sessions of a message as it stands. What it says is left out where the session
    /// has not asked for it, save in direct messages, the bot's own, and ones that mention it.
    pub(crate) fn message_event(&mut self, event: &str, channel_id: u64, message_id: u64) {
        let Some(channel) = self.channels.get(&channel_id) else {
            return;
        };
        let Some(message) = channel.messages.get(&message_id) else {
            return;
        };
        let guild = channel.guild_id;
        let mut full = self.message_json(message);
        if let Some(id) = guild {
            full["guild_id"] = render::id(id);
            let member = self.guilds.get(&id).and_then(|one| one.members.get(&message.author_id));
            if let Some(member) = member.filter(|_| message.webhook.is_none()) {
                full["member"] = render::partial_member(member);
            }
        }
        let open = guild.is_none() || shows_content(message);
        let intent = if guild.is_some() { GUILD_MESSAGES } else { DIRECT_MESSAGES };
        self.dispatch_each(event, intent, guild, |intents| {
            let mut value = full.clone();
            if !open && intents & MESSAGE_CONTENT == 0 {
                hide_content(&mut value);
            }
            value
        });
    }

    /// Tells the sessions of a channel as it stands.
    pub(crate) fn channel_event(&mut self, event: &str, channel_id: u64) {
        if let Some(channel) = self.channels.get(&channel_id) {
            let guild = channel.guild_id;
            let data = self.channel_json(channel);
            self.dispatch(event, GUILDS, guild, &data);
        }
    }
}

/// Application flags that tell which privileged intents an application in few guilds may ask for.
pub(crate) fn application_flags(privileged: u64) -> u64 {
    let limited = [(GUILD_PRESENCES, 1 << 13), (GUILD_MEMBERS, 1 << 15), (MESSAGE_CONTENT, 1 << 19)];
    limited.into_iter().filter(|(intent, _)| privileged & intent != 0).fold(0, |flags, (_, flag)| flags | flag)
}

fn hide_content(message: &mut Value) {
    message["content"] = json!("");
    for key in ["embeds", "attachments", "components"] {
        message[key] = json!([]);
    }
}

impl State {
    /// A message as a request for it shows it: without what it says, unless the application may see that.
    pub(crate) fn readable_json(&self, message: &FakeMessage) -> Value {
        let mut value = self.message_json(message);
        let in_guild = self.channels.get(&message.channel_id).is_some_and(|one| one.guild_id.is_some());
        if in_guild && self.privileged & MESSAGE_CONTENT == 0 && !shows_content(message) {
            hide_content(&mut value);
        }
        value
    }
}

fn shows_content(message: &FakeMessage) -> bool {
    (message.author_id == BOT_USER_ID && message.webhook.is_none())
        || render::mentioned(&message.content, "<@").contains(&BOT_USER_ID)
}
