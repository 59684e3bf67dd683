//! Requests to join a guild, and invites.

use serde_json::{Value, json};

use crate::state::State;
use crate::{FakeDiscord, gateway, render};

impl State {
    fn tell_of_join_request(&mut self, event: &str, guild: u64, id: u64) {
        let request = self.guilds.get(&guild).and_then(|one| one.join_requests.get(&id)).cloned();
        let Some(request) = request else {
            return;
        };
        let data = json!({
            "guild_id": guild.to_string(), "status": request["application_status"], "request": request,
        });
        self.dispatch(event, gateway::GUILD_MODERATION, Some(guild), &data);
    }

    /// Decides a request that waits; others stay as they are.
    pub(crate) fn decide_join_request(
        &mut self,
        guild: u64,
        id: u64,
        approved: bool,
        (by, reason): (u64, Option<&str>),
    ) {
        let (now, by) = (render::time(self.now()), self.users.get(&by).map(render::user));
        let found = self.guilds.get_mut(&guild).and_then(|one| one.join_requests.get_mut(&id));
        let Some(request) = found.filter(|one| one["application_status"] == "SUBMITTED") else {
            return;
        };
        request["application_status"] = json!(if approved { "APPROVED" } else { "REJECTED" });
        request["reviewed_at"] = json!(now);
        request["actioned_by_user"] = json!(by);
        request["rejection_reason"] = json!(reason.filter(|_| !approved));
        let user = request["user_id"].as_str().and_then(|user| user.parse().ok());
        self.tell_of_join_request("GUILD_JOIN_REQUEST_UPDATE", guild, id);
        if let Some(user) = user.filter(|_| approved) {
            self.join(guild, user);
        }
    }
}

/// Join requests and invites.
impl FakeDiscord {
    /// A person who is not in the guild asks to be let in, with their answers to its questions; returns the request's id.
    pub fn submit_join_request(&self, guild: u64, user: u64, answers: &[(&str, &str)]) -> u64 {
        self.with(|state| {
            let id = state.next_id();
            let responses: Vec<Value> = answers
                .iter()
                .map(|(label, response)| {
                    json!({"field_type": "TEXT_INPUT", "label": label, "required": true, "response": response})
                })
                .collect();
            let account = state.users.get(&user).map(render::user);
            assert!(account.is_some(), "there is no user {user}");
            let request = json!({
                "id": id.to_string(), "created_at": render::time(state.now()), "reviewed_at": null,
                "application_status": "SUBMITTED", "rejection_reason": null, "guild_id": guild.to_string(),
                "user_id": user.to_string(), "user": account, "form_responses": responses, "actioned_by_user": null,
            });
            let found = state.guilds.get_mut(&guild);
            found.unwrap_or_else(|| panic!("there is no guild {guild}")).join_requests.insert(id, request);
            state.tell_of_join_request("GUILD_JOIN_REQUEST_CREATE", guild, id);
            id
        })
    }

    /// A moderator decides a request in Discord itself.
    pub fn decide_join_request(&self, guild: u64, request: u64, approved: bool, moderator: u64) {
        self.with(|state| state.decide_join_request(guild, request, approved, (moderator, None)));
    }

    /// The person takes their request back.
    pub fn withdraw_join_request(&self, guild: u64, request: u64) {
        self.with(|state| {
            let found = state.guilds.get_mut(&guild).and_then(|one| one.join_requests.remove(&request));
            let Some(request) = found else {
                return;
            };
            let data = json!({
                "guild_id": guild.to_string(), "id": request["id"], "user_id": request["user_id"],
            });
            state.dispatch("GUILD_JOIN_REQUEST_DELETE", gateway::GUILD_MODERATION, Some(guild), &data);
        });
    }

    /// A request as Discord shows it; None when there is none.
    pub fn join_request(&self, guild: u64, request: u64) -> Option<Value> {
        self.peek(|state| state.guilds.get(&guild)?.join_requests.get(&request).cloned())
    }

    /// The invites that were made: code, the people they are for, the roles they give.
    pub fn invites(&self, guild: u64) -> Vec<(String, Vec<u64>, Vec<u64>)> {
        self.peek(|state| {
            let found = state.guilds.get(&guild).map(|one| one.invites.as_slice()).unwrap_or_default();
            found.iter().map(|one| (one.code.clone(), one.users.clone(), one.roles.clone())).collect()
        })
    }
}
