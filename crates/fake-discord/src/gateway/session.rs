//! Opening and resuming sessions.

use std::collections::VecDeque;

use serde_json::{Value, json};

use super::{GatewayAction, Out, Session};
use crate::state::State;
use crate::{APPLICATION_ID, BOT_USER_ID, TOKEN, render};

/// What a client's payload leads to, beyond what was sent.
pub(crate) enum Next {
    Go,
    /// From here on, large payloads go as zlib.
    Compress,
    Close(u16),
}

impl State {
    /// Answers one payload of a client.
    pub(crate) fn gateway_payload(&mut self, connection: u64, payload: &Value) -> Next {
        let data = &payload["d"];
        let known = self.gateway.sessions.iter().any(|one| one.connection == Some(connection));
        match payload["op"].as_u64() {
            Some(1) => {
                self.record_gateway(GatewayAction::Heartbeat);
                if !self.gateway.stop_acks {
                    let ack = json!({"op": 11, "d": null, "s": null, "t": null});
                    self.gateway.send(connection, Out::Send(ack.to_string()));
                }
                Next::Go
            }
            Some(2) if known => Next::Close(4005),
            Some(2) => self.identify(connection, data),
            Some(6) => self.resume(connection, data),
            Some(3 | 4 | 8 | 31) if !known => Next::Close(4003),
            Some(8) => {
                self.send_members(connection, data);
                Next::Go
            }
            Some(3 | 4 | 31) => Next::Go,
            Some(_) => Next::Close(4001),
            None => Next::Close(4002),
        }
    }

    fn token_accepted(&self, data: &Value) -> bool {
        let token = data["token"].as_str().unwrap_or_default();
        !self.token_refused && token.strip_prefix("Bot ").unwrap_or(token) == TOKEN
    }

    fn identify(&mut self, connection: u64, data: &Value) -> Next {
        let number = |at: usize, default| data["shard"][at].as_u64().unwrap_or(default);
        let shard = (number(0, 0), number(1, 1));
        let intents = data["intents"].as_u64();
        self.record_gateway(GatewayAction::Identify { intents: intents.unwrap_or(0), shard });
        if !self.token_accepted(data) {
            return Next::Close(4004);
        }
        if let Some(code) = self.gateway.refuse_identify {
            return Next::Close(code);
        }
        let Some(intents) = intents.filter(|bits| *bits < 1 << 26) else {
            return Next::Close(4013);
        };
        if intents & super::PRIVILEGED & !self.privileged != 0 {
            return Next::Close(4014);
        }
        if shard.0 >= shard.1 {
            return Next::Close(4010);
        }
        self.gateway.starts_left = self.gateway.starts_left.saturating_sub(1);
        let id = format!("session{:020}", self.next_id());
        self.gateway.add_session(Session {
            id: id.clone(),
            seq: 0,
            intents,
            shard,
            connection: Some(connection),
            replay: VecDeque::new(),
        });
        self.greet(&id, shard);
        if data["compress"] == true { Next::Compress } else { Next::Go }
    }

    /// READY, then every guild of the shard.
    fn greet(&mut self, session: &str, shard: (u64, u64)) {
        let mine: Vec<u64> = self
            .guilds
            .values()
            .filter(|guild| guild.members.contains_key(&BOT_USER_ID))
            .map(|guild| guild.id)
            .filter(|id| (id >> 22) % shard.1.max(1) == shard.0)
            .collect();
        let guilds: Vec<Value> = mine.iter().map(|id| json!({"id": id.to_string(), "unavailable": true})).collect();
        let ready = json!({
            "v": 10, "user": self.users.get(&BOT_USER_ID).map(render::own_user), "guilds": guilds,
            "session_id": session, "session_type": "normal", "private_channels": [],
            "resume_gateway_url": format!("{}/", self.base_url.replacen("http", "ws", 1)),
            "shard": [shard.0, shard.1], "relationships": [], "presences": [],
            "user_settings": {}, "geo_ordered_rtc_regions": [], "_trace": [], "auth": {},
            "application": {
                "id": APPLICATION_ID.to_string(), "flags": super::application_flags(self.privileged),
            },
        });
        let Some(index) = self.gateway.sessions.iter().position(|one| one.id == session) else {
            return;
        };
        let intents = self.gateway.sessions[index].intents;
        let creates: Vec<Value> = mine.iter().map(|id| self.guild_create(&self.guilds[id], intents)).collect();
        self.gateway.emit(index, "READY", &ready);
        if self.gateway.sessions[index].intents & super::GUILDS != 0 {
            for guild in creates {
                self.gateway.emit(index, "GUILD_CREATE", &guild);
            }
        }
    }

    fn resume(&mut self, connection: u64, data: &Value) -> Next {
        let wanted = data["session_id"].as_str().unwrap_or_default().to_owned();
        let seq = data["seq"].as_u64().unwrap_or(0);
        let index = self.gateway.sessions.iter().position(|one| {
            let first_kept = one.replay.front().map_or(one.seq + 1, |(first, _)| *first);
            one.id == wanted && seq <= one.seq && seq + 1 >= first_kept
        });
        let token = self.token_accepted(data);
        self.record_gateway(GatewayAction::Resume { session: wanted, seq, accepted: token && index.is_some() });
        if !token {
            return Next::Close(4004);
        }
        let Some(index) = index else {
            let refusal = json!({"op": 9, "d": false, "s": null, "t": null});
            self.gateway.send(connection, Out::Send(refusal.to_string()));
            return Next::Go;
        };
        if let Some(old) = self.gateway.sessions[index].connection.replace(connection) {
            self.gateway.send(old, Out::Drop);
        }
        let missed = self.gateway.sessions[index].replay.clone();
        for (_, text) in missed.into_iter().filter(|(kept, _)| *kept > seq) {
            self.gateway.send(connection, Out::Send(text));
        }
        self.gateway.emit(index, "RESUMED", &json!({"_trace": []}));
        Next::Compress
    }

    fn send_members(&mut self, connection: u64, data: &Value) {
        let guild = crate::rest::request::body_id(&data["guild_id"]);
        let Some(guild) = guild.and_then(|id| self.guilds.get(&id)) else {
            return;
        };
        let wanted: Vec<u64> =
            crate::rules::items(&data["user_ids"]).filter_map(crate::rest::request::body_id).collect();
        let all = guild.members.keys();
        let found: Vec<Value> = all
            .filter(|id| wanted.is_empty() || wanted.contains(id))
            .take(1000)
            .map(|id| self.member_json(guild.id, *id))
            .collect();
        let missing: Vec<String> =
            wanted.iter().filter(|id| !guild.members.contains_key(id)).map(u64::to_string).collect();
        let chunk = json!({
            "guild_id": guild.id.to_string(), "members": found, "chunk_index": 0, "chunk_count": 1,
            "not_found": missing, "nonce": data["nonce"],
        });
        let index = self.gateway.sessions.iter().position(|one| one.connection == Some(connection));
        if let Some(index) = index {
            self.gateway.emit(index, "GUILD_MEMBERS_CHUNK", &chunk);
        }
    }
}
