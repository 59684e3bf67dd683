//! Building and sending `INTERACTION_CREATE`.

use std::time::Instant;

use serde_json::{Value, json};

use super::store::InteractionState;
use crate::model::Channel;
use crate::state::State;
use crate::{APPLICATION_ID, BOT_USER_ID, render};

/// A use of something, before it has an id.
pub(crate) struct Draft {
    pub(crate) kind: u8,
    pub(crate) name: String,
    pub(crate) user: u64,
    pub(crate) channel: u64,
    pub(crate) command_type: Option<u8>,
    /// The message whose component was used.
    pub(crate) source: Option<u64>,
    pub(crate) data: Value,
}

impl State {
    /// Sends an interaction to the sessions and returns its id.
    pub(crate) fn interact(&mut self, draft: Draft) -> u64 {
        let channel = self.channels.get(&draft.channel);
        let channel = channel.unwrap_or_else(|| panic!("there is no channel {}", draft.channel));
        let guild = channel.guild_id;
        if let Some(guild) = guild {
            let members = &self.guilds[&guild].members;
            assert!(members.contains_key(&draft.user), "user {} is not in the guild", draft.user);
        }
        let id = self.next_id();
        let token = format!("interaction-token-{id}");
        let payload = self.interaction_json(id, &token, guild, &draft);
        let dispatched_at = self.now();
        self.store_interaction(InteractionState {
            id,
            token,
            kind: draft.kind,
            name: draft.name,
            user: draft.user,
            channel: draft.channel,
            guild,
            command_type: draft.command_type,
            dispatched: Instant::now(),
            dispatched_at,
            source: draft.source,
            callback: None,
            original: None,
            answered: None,
            followups: Vec::new(),
        });
        self.dispatch("INTERACTION_CREATE", 0, guild, &payload);
        id
    }

    fn interaction_json(&self, id: u64, token: &str, guild: Option<u64>, draft: &Draft) -> Value {
        let user = &self.users[&draft.user];
        let channel = &self.channels[&draft.channel];
        let mut place = self.channel_json(channel);
        place["permissions"] = json!(self.permissions(channel.id, draft.user).to_string());
        let mut value = json!({
            "id": id.to_string(), "application_id": APPLICATION_ID.to_string(),
            "type": draft.kind, "token": token, "version": 1, "data": draft.data,
            "channel_id": channel.id.to_string(), "channel": place, "locale": user.locale,
            "app_permissions": self.permissions(channel.id, BOT_USER_ID).to_string(),
            "entitlements": [], "entitlement_sku_ids": [], "attachment_size_limit": 10_485_760,
            "authorizing_integration_owners": {"0": guild.unwrap_or(0).to_string()},
            "context": u8::from(guild.is_none()),
        });
        match guild {
            Some(guild) => {
                let mut member = self.member_json(guild, draft.user);
                let bits = self.permissions(channel.id, draft.user);
                member["permissions"] = json!(bits.to_string());
                value["member"] = member;
                value["guild_id"] = render::id(guild);
                value["guild_locale"] = json!("en-US");
                value["guild"] = json!({"id": guild.to_string(), "locale": "en-US", "features": []});
            }
            None => value["user"] = render::user(user),
        }
        if let Some(message) = draft.source.and_then(|id| self.find_message(channel.id, id)) {
            value["message"] = self.message_json(message);
        }
        value
    }

    /// Adds a user, and their membership where they have one, to resolved data.
    pub(crate) fn resolve_user(&self, resolved: &mut Value, channel: u64, id: u64) -> bool {
        let Some(user) = self.users.get(&id) else {
            return false;
        };
        resolved["users"][id.to_string()] = render::user(user);
        let guild = self.channels.get(&channel).and_then(|one| one.guild_id);
        let member = guild.and_then(|guild| self.guilds.get(&guild)?.members.get(&id));
        if let Some(member) = member {
            let mut value = render::partial_member(member);
            value["permissions"] = json!(self.permissions(channel, id).to_string());
            resolved["members"][id.to_string()] = value;
        }
        true
    }

    /// Adds a role of the channel's guild to resolved data.
    pub(crate) fn resolve_role(&self, resolved: &mut Value, channel: u64, id: u64) -> bool {
        let guild = self.channels.get(&channel).and_then(|one| one.guild_id);
        let guild = guild.and_then(|guild| self.guilds.get(&guild));
        let Some((guild, role)) = guild.and_then(|one| Some((one, one.roles.get(&id)?))) else {
            return false;
        };
        resolved["roles"][id.to_string()] = render::role(guild, role);
        true
    }

    /// Adds a channel, with what the user and the bot may do there, to resolved data.
    pub(crate) fn resolve_channel(&self, resolved: &mut Value, user: u64, id: u64) -> Option<&Channel> {
        let channel = self.channels.get(&id)?;
        let mut value = json!({
            "id": id.to_string(), "type": channel.kind, "name": channel.name, "flags": 0,
            "parent_id": channel.parent_id.map(|id| id.to_string()),
            "permissions": self.permissions(id, user).to_string(),
            "app_permissions": self.permissions(id, BOT_USER_ID).to_string(),
        });
        let full = self.channel_json(channel);
        for key in
            ["thread_metadata", "guild_id", "last_message_id", "position", "topic", "nsfw", "rate_limit_per_user"]
        {
            if let Some(part) = full.get(key) {
                value[key] = part.clone();
            }
        }
        resolved["channels"][id.to_string()] = value;
        Some(channel)
    }
}
