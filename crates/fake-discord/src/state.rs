//! Everything the stand-in knows, behind one lock.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::Value;
use tokio::sync::watch;

use crate::fault::Fault;
use crate::gateway::Gateway;
use crate::interaction::store::InteractionState;
use crate::journal::Journal;
use crate::model::{Channel, FakeMessage, Guild, TeamMember, User};
use crate::oauth::OAuth;
use crate::rate_limit::RateLimits;
use crate::snowflake::Snowflakes;
use crate::{BOT_USER_ID, HOST_USER_ID};

/// Where the stand-in's clock stands.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Clock {
    /// None: follow the system's clock.
    fixed: Option<DateTime<Utc>>,
    offset: chrono::Duration,
}

impl Clock {
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.fixed.unwrap_or_else(Utc::now) + self.offset
    }

    pub(crate) fn set(&mut self, now: DateTime<Utc>) {
        self.fixed = Some(now);
        self.offset = chrono::Duration::zero();
    }

    pub(crate) fn advance(&mut self, by: chrono::Duration) {
        self.offset += by;
    }
}

/// A registered application command.
#[derive(Clone, Debug)]
pub(crate) struct Command {
    pub(crate) id: u64,
    pub(crate) guild_id: Option<u64>,
    /// As Discord shows it.
    pub(crate) json: Value,
}

pub(crate) struct State {
    pub(crate) base_url: String,
    pub(crate) clock: Clock,
    pub(crate) ids: Snowflakes,
    pub(crate) users: BTreeMap<u64, User>,
    pub(crate) guilds: BTreeMap<u64, Guild>,
    pub(crate) channels: BTreeMap<u64, Channel>,
    /// Replies only one person sees; they are in no channel's history.
    pub(crate) ephemeral: BTreeMap<u64, FakeMessage>,
    pub(crate) commands: BTreeMap<u64, Command>,
    pub(crate) interactions: BTreeMap<u64, InteractionState>,
    pub(crate) gateway: Gateway,
    pub(crate) journal: Journal,
    pub(crate) limits: RateLimits,
    pub(crate) faults: VecDeque<Fault>,
    pub(crate) token_refused: bool,
    pub(crate) admin_override: bool,
    /// The account that owns the application.
    pub(crate) owner: u64,
    /// The team that owns it instead; its first member owns the team.
    pub(crate) team: Vec<TeamMember>,
    /// Privileged intents that are switched on in the developer portal.
    pub(crate) privileged: u64,
    pub(crate) oauth: OAuth,
    /// What was attached to messages, by the ids of the attachments.
    files: BTreeMap<u64, Vec<u8>>,
}

/// How many answers to interactions, and ephemeral messages, are remembered.
const MAX_REMEMBERED: usize = 10_000;
/// How many attached files are kept.
const MAX_FILES: usize = 200;

impl State {
    pub(crate) fn new(base_url: String, heartbeat: Duration) -> Self {
        let user =
            |id, name: &str, bot| User { id, name: name.to_owned(), bot, dms_open: true, locale: "en-US".into() };
        let users = [user(BOT_USER_ID, "Guildhall", true), user(HOST_USER_ID, "host", false)];
        Self {
            base_url,
            clock: Clock::default(),
            ids: Snowflakes::default(),
            users: users.into_iter().map(|one| (one.id, one)).collect(),
            guilds: BTreeMap::new(),
            channels: BTreeMap::new(),
            ephemeral: BTreeMap::new(),
            commands: BTreeMap::new(),
            interactions: BTreeMap::new(),
            gateway: Gateway::new(heartbeat),
            journal: Journal::default(),
            limits: RateLimits::default(),
            faults: VecDeque::new(),
            token_refused: false,
            admin_override: false,
            owner: HOST_USER_ID,
            team: Vec::new(),
            privileged: 0,
            oauth: OAuth::default(),
            files: BTreeMap::new(),
        }
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    pub(crate) fn next_id(&mut self) -> u64 {
        let now = self.now();
        self.ids.next(now)
    }

    pub(crate) fn keep_file(&mut self, id: u64, content: Vec<u8>) {
        self.files.insert(id, content);
        if self.files.len() > MAX_FILES {
            self.files.pop_first();
        }
    }

    pub(crate) fn file(&self, id: u64) -> Option<&Vec<u8>> {
        self.files.get(&id)
    }

    /// A message by id, whether in the channel's history or ephemeral.
    pub(crate) fn find_message(&self, channel: u64, id: u64) -> Option<&FakeMessage> {
        self.channels.get(&channel).and_then(|channel| channel.messages.get(&id)).or_else(|| self.ephemeral.get(&id))
    }

    pub(crate) fn find_message_mut(&mut self, channel: u64, id: u64) -> Option<&mut FakeMessage> {
        if let Some(found) = self.channels.get_mut(&channel).and_then(|channel| channel.messages.get_mut(&id)) {
            return Some(found);
        }
        self.ephemeral.get_mut(&id)
    }

    /// Adds a message to its channel, or to the ephemeral ones.
    pub(crate) fn store_message(&mut self, message: FakeMessage) {
        if message.is_ephemeral() {
            self.ephemeral.insert(message.id, message);
            if self.ephemeral.len() > MAX_REMEMBERED {
                self.ephemeral.pop_first();
            }
            return;
        }
        if let Some(channel) = self.channels.get_mut(&message.channel_id) {
            channel.last_message_id = channel.last_message_id.max(Some(message.id));
            if let Some(thread) = &mut channel.thread {
                thread.total_sent += 1;
            }
            channel.messages.insert(message.id, message);
        }
    }

    pub(crate) fn store_interaction(&mut self, interaction: InteractionState) {
        self.interactions.insert(interaction.id, interaction);
        if self.interactions.len() > MAX_REMEMBERED {
            self.interactions.pop_first();
        }
    }
}

/// The state and the means to wait for it to change.
pub(crate) struct Shared {
    state: Mutex<State>,
    changed: watch::Sender<u64>,
}

impl Shared {
    pub(crate) fn new(state: State) -> Self {
        Self { state: Mutex::new(state), changed: watch::Sender::new(0) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A test that panicked while holding the lock must not hide its own message.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs `work` under the lock and wakes whoever waits for a change.
    pub(crate) fn with<R>(&self, work: impl FnOnce(&mut State) -> R) -> R {
        let result = work(&mut self.lock());
        self.changed.send_modify(|count| *count += 1);
        result
    }

    /// Runs `look` under the lock, waking nobody.
    pub(crate) fn peek<R>(&self, look: impl FnOnce(&State) -> R) -> R {
        look(&self.lock())
    }

    /// Waits until `look` finds something; None after `limit`.
    pub(crate) async fn wait<R>(&self, limit: Duration, mut look: impl FnMut(&State) -> Option<R>) -> Option<R> {
        let mut changes = self.changed.subscribe();
        let search = async {
            loop {
                changes.borrow_and_update();
                if let Some(found) = self.peek(&mut look) {
                    return found;
                }
                if changes.changed().await.is_err() {
                    std::future::pending::<()>().await;
                }
            }
        };
        tokio::time::timeout(limit, search).await.ok()
    }
}
