//! What a test can do to the gateway, and what it can learn of it.

use std::time::Duration;

use serde_json::json;

use super::{GatewayAction, GatewayRecord, Out};
use crate::state::State;
use crate::{FakeDiscord, WAIT};

fn to_all(state: &mut State, order: impl Fn() -> Out) {
    let all: Vec<u64> = state.gateway.connections.keys().copied().collect();
    for connection in all {
        state.gateway.send(connection, order());
    }
}

/// Faults and facts of the gateway.
impl FakeDiscord {
    /// Ends every websocket without a closing handshake. Sessions stay resumable.
    pub fn drop_sockets(&self) {
        self.with(|state| to_all(state, || Out::Drop));
    }

    /// Closes every websocket with `code`. Codes such as 4004, 4009 and 4014 end the sessions.
    pub fn close_sockets(&self, code: u16) {
        self.with(|state| to_all(state, || Out::Close(code)));
    }

    /// Sends op 7: reconnect and resume.
    pub fn request_reconnect(&self) {
        self.send_op(&json!({"op": 7, "d": null, "s": null, "t": null}));
    }

    /// Sends op 1: an immediate heartbeat, please.
    pub fn request_heartbeat(&self) {
        self.send_op(&json!({"op": 1, "d": null, "s": null, "t": null}));
    }

    /// Sends op 9. Unless resumable, the sessions are forgotten.
    pub fn invalid_session(&self, resumable: bool) {
        self.send_op(&json!({"op": 9, "d": resumable, "s": null, "t": null}));
        if !resumable {
            self.with(|state| state.gateway.sessions.clear());
        }
    }

    /// Forgets every session without a word, so that the next RESUME is refused with op 9.
    pub fn forget_sessions(&self) {
        self.with(|state| {
            state.gateway.sessions.clear();
            to_all(state, || Out::Drop);
        });
    }

    fn send_op(&self, payload: &serde_json::Value) {
        self.with(|state| to_all(state, || Out::Send(payload.to_string())));
    }

    /// Stops (or starts again) answering heartbeats.
    pub fn stop_acks(&self, stop: bool) {
        self.with(|state| state.gateway.stop_acks = stop);
    }

    /// Delivers each `MESSAGE_CREATE` and `INTERACTION_CREATE` twice.
    pub fn set_duplicate_events(&self, duplicate: bool) {
        self.with(|state| state.gateway.duplicate = duplicate);
    }

    /// Refuses every IDENTIFY with this close code, such as 4014; None accepts again.
    pub fn refuse_identify(&self, code: Option<u16>) {
        self.with(|state| state.gateway.refuse_identify = code);
    }

    /// Switches privileged intents on in the developer portal, and all others off; at first all are off. A client
    /// that asks for one that is off is refused with 4014.
    pub fn declare_intents(&self, privileged: u64) {
        self.with(|state| state.privileged = privileged);
    }

    /// The shard count and identifies left that `GET /gateway/bot` names.
    pub fn set_gateway_bot(&self, shards: u64, starts_left: u64) {
        self.with(|state| {
            state.gateway.shards = shards;
            state.gateway.starts_left = starts_left;
        });
    }

    /// Everything clients did at the gateway, oldest first.
    pub fn gateway_log(&self) -> Vec<GatewayRecord> {
        self.peek(|state| state.gateway.records.iter().cloned().collect())
    }

    /// The last events sent to sessions, oldest first, as `{"op", "t", "s", "d"}`.
    pub fn events(&self) -> Vec<serde_json::Value> {
        self.peek(|state| state.gateway.sent.iter().cloned().collect())
    }

    /// The IDENTIFYs so far.
    pub fn identifies(&self) -> Vec<GatewayRecord> {
        let mut log = self.gateway_log();
        log.retain(|one| matches!(one.action, GatewayAction::Identify { .. }));
        log
    }

    /// The RESUMEs so far.
    pub fn resumes(&self) -> Vec<GatewayRecord> {
        let mut log = self.gateway_log();
        log.retain(|one| matches!(one.action, GatewayAction::Resume { .. }));
        log
    }

    /// How many sessions have a live connection.
    pub fn connected(&self) -> usize {
        self.peek(connected)
    }

    /// Waits until a session is connected; panics after 5 s.
    pub async fn wait_connected(&self) {
        self.wait_connected_for(WAIT).await;
    }

    /// Waits until a session is connected; panics after `limit`.
    pub async fn wait_connected_for(&self, limit: Duration) {
        let ready = self.wait(limit, |state| (connected(state) > 0).then_some(())).await;
        if ready.is_none() {
            self.give_up("no client connected to the gateway");
        }
    }

    /// Waits until there were at least `count` RESUMEs; panics after 5 s.
    pub async fn wait_resumes(&self, count: usize) {
        let is_resume = |one: &&GatewayRecord| matches!(one.action, GatewayAction::Resume { .. });
        let enough = |state: &State| (state.gateway.records.iter().filter(is_resume).count() >= count).then_some(());
        if self.wait(WAIT, enough).await.is_none() {
            self.give_up(&format!("fewer than {count} RESUMEs"));
        }
    }

    /// Waits until there were at least `count` IDENTIFYs; panics after `limit`.
    pub async fn wait_identifies(&self, count: usize, limit: Duration) {
        let is_identify = |one: &&GatewayRecord| matches!(one.action, GatewayAction::Identify { .. });
        let enough = |state: &State| (state.gateway.records.iter().filter(is_identify).count() >= count).then_some(());
        if self.wait(limit, enough).await.is_none() {
            self.give_up(&format!("fewer than {count} IDENTIFYs"));
        }
    }
}

fn connected(state: &State) -> usize {
    let all = state.gateway.sessions.iter();
    all.filter(|one| one.connection.is_some_and(|connection| state.gateway.connections.contains_key(&connection)))
        .count()
}
