//! People using commands, buttons, menus and forms, and what they get to see.

mod act;
mod payload;
mod resolve;
pub(crate) mod store;

use std::time::Duration;

use serde_json::Value;

use crate::model::{Button, FakeMessage};
use crate::rules::items;
use crate::state::State;
use crate::{FakeDiscord, WAIT};

use store::InteractionState;

/// The bot's first answer to an interaction.
#[derive(Clone, Debug)]
pub struct Callback {
    /// 4 reply, 5 deferred reply, 6 deferred update, 7 update, 8 choices, 9 modal.
    pub kind: u8,
    /// Its data as received, or null.
    pub data: Value,
    /// How long after the dispatch it came.
    pub after: Duration,
}

/// A suggestion of an autocompletion.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    /// What is shown.
    pub name: String,
    /// What is sent when it is taken.
    pub value: Value,
}

/// A message somebody acts on: an interaction's reply, a stored message, or channel and id.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    pub(crate) channel: u64,
    pub(crate) message: u64,
}

impl From<&Interaction> for Target {
    fn from(interaction: &Interaction) -> Self {
        (&interaction.message()).into()
    }
}

impl From<&FakeMessage> for Target {
    fn from(message: &FakeMessage) -> Self {
        (message.channel_id, message.id).into()
    }
}

impl From<(u64, u64)> for Target {
    fn from((channel, message): (u64, u64)) -> Self {
        Self { channel, message }
    }
}

/// One use of a command, a component or a form, and the bot's answers to it.
#[derive(Clone, Debug)]
pub struct Interaction {
    fake: FakeDiscord,
    id: u64,
}

impl Interaction {
    pub(crate) fn new(fake: FakeDiscord, id: u64) -> Self {
        Self { fake, id }
    }

    /// The interaction's id.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// The token that answers to it carry.
    pub fn token(&self) -> String {
        self.look(|_, one| one.token.clone())
    }

    fn look<R>(&self, look: impl Fn(&State, &InteractionState) -> R) -> R {
        self.fake.peek(|state| {
            let found = state.interactions.get(&self.id);
            look(state, found.expect("interactions are kept far longer than a test uses them"))
        })
    }

    async fn wait<R>(&self, limit: Duration, what: &str, look: impl Fn(&State, &InteractionState) -> Option<R>) -> R {
        let search = |state: &State| look(state, state.interactions.get(&self.id)?);
        match self.fake.wait(limit, search).await {
            Some(found) => found,
            None => self.give_up(what),
        }
    }

    fn give_up(&self, what: &str) -> ! {
        let seen = self.look(|state, one| {
            let texts: Vec<String> =
                one.messages().filter_map(|id| state.find_message(one.channel, id)).map(FakeMessage::text).collect();
            format!("callback {:?}\nshown: {texts:#?}", one.callback)
        });
        let hint = "(an interaction that the client's library cannot parse is dropped silently)";
        self.fake.give_up(&format!("{} {what}; {seen}\n{hint}", self.name()))
    }

    fn name(&self) -> String {
        self.look(|_, one| one.name.clone())
    }

    /// The first answer; panics when none came within 5 s.
    pub async fn first_callback(&self) -> Callback {
        let callback = |_: &State, one: &InteractionState| one.callback.clone();
        self.wait(WAIT, "got no callback", callback).await
    }

    /// The first answer, if any came yet.
    pub fn callback(&self) -> Option<Callback> {
        self.look(|_, one| one.callback.clone())
    }

    /// Waits until the person sees a real answer: a reply or update, or after a deferral the edit
    /// or follow-up that ends it. Panics after 5 s.
    pub async fn reply(&self) -> FakeMessage {
        self.reply_within(WAIT).await
    }

    /// As [`Self::reply`], with another limit.
    pub async fn reply_within(&self, limit: Duration) -> FakeMessage {
        self.wait(limit, "got no reply", |state, one| {
            let kind = one.callback.as_ref()?.kind;
            assert!(kind < 8, "{} was answered with a callback of type {kind}", one.name);
            state.find_message(one.channel, one.answered?).cloned()
        })
        .await
    }

    /// The reply as it stands now; panics when there is none.
    pub fn message(&self) -> FakeMessage {
        match self.current() {
            Some(found) => found,
            None => self.give_up("has no reply"),
        }
    }

    /// The reply as it stands now; None when there is none (yet, or any more).
    pub fn current(&self) -> Option<FakeMessage> {
        self.look(|state, one| state.find_message(one.channel, one.answered?).cloned())
    }

    /// What the reply says now (see [`FakeMessage::text`]).
    pub fn text(&self) -> String {
        self.message().text()
    }

    /// The reply's buttons as they stand now.
    pub fn buttons(&self) -> Vec<Button> {
        self.message().buttons()
    }

    /// Whether only this person sees the reply.
    pub fn is_ephemeral(&self) -> bool {
        self.message().is_ephemeral()
    }

    /// The follow-ups so far, oldest first, without the one that ended a deferral.
    pub fn followups(&self) -> Vec<FakeMessage> {
        self.look(|state, one| {
            let all = one.followups.iter();
            all.filter_map(|id| state.find_message(one.channel, *id).cloned()).collect()
        })
    }

    /// Waits for at least `count` follow-ups; panics after 5 s.
    pub async fn wait_followups(&self, count: usize) -> Vec<FakeMessage> {
        let what = format!("got fewer than {count} follow-ups");
        self.wait(WAIT, &what, |_, one| (one.followups.len() >= count).then_some(())).await;
        self.followups()
    }

    /// Waits until the reply or a follow-up satisfies `matches`; panics after 5 s.
    pub async fn wait_for(&self, matches: impl Fn(&FakeMessage) -> bool) -> FakeMessage {
        self.wait_for_within(WAIT, matches).await
    }

    /// As [`Self::wait_for`], with another limit.
    pub async fn wait_for_within(&self, limit: Duration, matches: impl Fn(&FakeMessage) -> bool) -> FakeMessage {
        self.wait(limit, "never got there", |state, one| {
            one.messages()
                .filter_map(|id| state.find_message(one.channel, id))
                .find(|message| !message.is_loading() && matches(message))
                .cloned()
        })
        .await
    }

    /// The data of the modal it was answered with; panics when none came within 5 s.
    pub async fn modal(&self) -> Value {
        let callback = self.first_callback().await;
        assert!(callback.kind == 9, "{} was not answered with a modal: {callback:?}", self.name());
        callback.data
    }

    /// The suggestions an autocompletion was answered with; panics when none came within 5 s.
    pub async fn choices(&self) -> Vec<Choice> {
        let callback = self.first_callback().await;
        assert!(callback.kind == 8, "{} was not answered with choices: {callback:?}", self.name());
        items(&callback.data["choices"])
            .map(|one| Choice {
                name: one["name"].as_str().unwrap_or_default().to_owned(),
                value: one["value"].clone(),
            })
            .collect()
    }
}
