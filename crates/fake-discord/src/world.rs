//! Building and changing the world, as people and administrators do.

mod join_request;
mod member;
mod message;

use std::collections::BTreeMap;

use serde_json::json;

use crate::model::{Channel, ChannelKind, Guild, Member, Overwrite, Role, User};
use crate::permission::{BOT_DEFAULT, EVERYONE_DEFAULT};
use crate::state::State;
use crate::{BOT_USER_ID, FakeDiscord, gateway, render};

impl State {
    pub(crate) fn blank_channel(&self, id: u64, name: &str) -> Channel {
        Channel {
            id,
            guild_id: None,
            kind: 0,
            name: name.to_owned(),
            topic: None,
            parent_id: None,
            position: i64::try_from(self.channels.len()).unwrap_or(0),
            slowmode: 0,
            nsfw: false,
            overwrites: BTreeMap::new(),
            thread: None,
            recipient: None,
            messages: BTreeMap::new(),
            last_message_id: None,
            last_pin: None,
        }
    }

    pub(crate) fn new_channel(&mut self, guild: u64, name: &str, kind: u8) -> u64 {
        let id = self.next_id();
        let mut channel = self.blank_channel(id, name);
        channel.guild_id = Some(guild);
        channel.kind = kind;
        self.channels.insert(id, channel);
        id
    }

    /// The direct-message channel with a user, made when there is none.
    pub(crate) fn dm_channel(&mut self, user: u64) -> u64 {
        let known = self.channels.values().find(|one| one.recipient == Some(user));
        if let Some(channel) = known {
            return channel.id;
        }
        let id = self.next_id();
        let mut channel = self.blank_channel(id, "");
        channel.kind = 1;
        channel.recipient = Some(user);
        self.channels.insert(id, channel);
        id
    }

    /// Deletes a channel with its threads and tells the sessions.
    pub(crate) fn drop_channel(&mut self, id: u64) {
        let threads: Vec<u64> = self
            .channels
            .values()
            .filter(|one| one.thread.is_some() && one.parent_id == Some(id))
            .map(|one| one.id)
            .collect();
        for thread in threads {
            self.drop_channel(thread);
        }
        let Some(channel) = self.channels.get(&id) else {
            return;
        };
        let guild = channel.guild_id;
        let shown = self.channel_json(channel);
        let (event, data) = if channel.thread.is_some() {
            let short = json!({
                "id": shown["id"], "guild_id": shown["guild_id"], "parent_id": shown["parent_id"],
                "type": shown["type"],
            });
            ("THREAD_DELETE", short)
        } else {
            ("CHANNEL_DELETE", shown)
        };
        self.channels.remove(&id);
        self.dispatch(event, gateway::GUILDS, guild, &data);
    }

    fn role_event(&mut self, event: &str, guild_id: u64, role: u64) {
        let Some(guild) = self.guilds.get(&guild_id) else {
            return;
        };
        let Some(found) = guild.roles.get(&role) else {
            return;
        };
        let data = json!({"guild_id": guild_id.to_string(), "role": render::role(guild, found)});
        self.dispatch(event, gateway::GUILDS, Some(guild_id), &data);
    }

    fn guild_mut(&mut self, id: u64) -> &mut Guild {
        self.guilds.get_mut(&id).unwrap_or_else(|| panic!("there is no guild {id}"))
    }

    pub(crate) fn channel_mut(&mut self, id: u64) -> &mut Channel {
        self.channels.get_mut(&id).unwrap_or_else(|| panic!("there is no channel {id}"))
    }

    fn new_user(&mut self, name: &str, bot: bool) -> u64 {
        let id = self.next_id();
        let user = User { id, name: name.to_owned(), bot, dms_open: true, locale: "en-US".into() };
        self.users.insert(id, user);
        id
    }

    fn announce_guild(&mut self, id: u64) {
        let (plain, with_voice) =
            (self.guild_create(&self.guilds[&id], 0), self.guild_create(&self.guilds[&id], u64::MAX));
        self.dispatch_each("GUILD_CREATE", gateway::GUILDS, Some(id), |intents| {
            if intents & gateway::GUILD_VOICE_STATES == 0 { plain.clone() } else { with_voice.clone() }
        });
    }
}

fn role(id: u64, name: &str, permissions: u64, position: i64) -> Role {
    Role { id, name: name.to_owned(), permissions, position, managed: false, mentionable: false }
}

/// Guilds, channels and roles. Each change is also sent to connected sessions as the matching
/// event. Unknown ids panic: they are mistakes of the test.
impl FakeDiscord {
    /// Adds a guild the bot is in, with `@everyone`, the bot's own role above all others made
    /// later, and an owner (see [`Self::owner`]). It has no channels yet.
    pub fn add_guild(&self, name: &str) -> u64 {
        self.with(|state| {
            let owner = state.new_user(&format!("{name} owner"), false);
            let (id, bot_role) = (state.next_id(), state.next_id());
            let joined_at = state.now();
            let mut own_role = role(bot_role, "Guildhall", BOT_DEFAULT, 100);
            own_role.managed = true;
            let member = |roles: Vec<u64>| Member { roles, nick: None, joined_at };
            let guild = Guild {
                id,
                name: name.to_owned(),
                owner_id: owner,
                bot_role,
                roles: BTreeMap::from([(id, role(id, "@everyone", EVERYONE_DEFAULT, 0)), (bot_role, own_role)]),
                members: BTreeMap::from([(owner, member(Vec::new())), (BOT_USER_ID, member(vec![bot_role]))]),
                voice: BTreeMap::new(),
                afk_channel: None,
                rules: BTreeMap::new(),
                join_requests: BTreeMap::new(),
                invites: Vec::new(),
            };
            state.guilds.insert(id, guild);
            state.announce_guild(id);
            id
        })
    }

    /// The owner of a guild.
    pub fn owner(&self, guild: u64) -> u64 {
        self.with(|state| state.guild_mut(guild).owner_id)
    }

    /// The bot's own role in a guild.
    pub fn bot_role(&self, guild: u64) -> u64 {
        self.with(|state| state.guild_mut(guild).bot_role)
    }

    /// Replaces the permissions of the bot's own role.
    pub fn set_bot_permissions(&self, guild: u64, permissions: u64) {
        let role = self.bot_role(guild);
        self.set_role_permissions(guild, role, permissions);
    }

    /// Replaces the permissions of a role; a guild's own id names `@everyone`.
    pub fn set_role_permissions(&self, guild: u64, role: u64, permissions: u64) {
        self.change_role(guild, role, |role| role.permissions = permissions);
    }

    /// Moves a role. Higher positions stand above lower ones; the bot's own role starts at 100.
    pub fn move_role(&self, guild: u64, role: u64, position: i64) {
        self.change_role(guild, role, |role| role.position = position);
    }

    fn change_role(&self, guild: u64, role: u64, change: impl FnOnce(&mut Role)) {
        self.with(|state| {
            let found = state.guild_mut(guild).roles.get_mut(&role);
            change(found.unwrap_or_else(|| panic!("there is no role {role} in guild {guild}")));
            state.role_event("GUILD_ROLE_UPDATE", guild, role);
        });
    }

    /// Adds a role just below the bot's own and above the roles made before.
    pub fn add_role(&self, guild: u64, name: &str, permissions: u64) -> u64 {
        self.with(|state| {
            let id = state.next_id();
            let roles = &mut state.guild_mut(guild).roles;
            let position = i64::try_from(roles.len()).unwrap_or(99) - 1;
            roles.insert(id, role(id, name, permissions, position));
            state.role_event("GUILD_ROLE_CREATE", guild, id);
            id
        })
    }

    /// Deletes a role; whoever had it loses it.
    pub fn delete_role(&self, guild: u64, role: u64) {
        self.with(|state| {
            let found = state.guild_mut(guild);
            found.roles.remove(&role);
            for member in found.members.values_mut() {
                member.roles.retain(|one| *one != role);
            }
            let data = json!({"guild_id": guild.to_string(), "role_id": role.to_string()});
            state.dispatch("GUILD_ROLE_DELETE", gateway::GUILDS, Some(guild), &data);
        });
    }

    /// Renames a guild.
    pub fn rename_guild(&self, guild: u64, name: &str) {
        self.with(|state| {
            name.clone_into(&mut state.guild_mut(guild).name);
            let data = render::guild(&state.guilds[&guild]);
            state.dispatch("GUILD_UPDATE", gateway::GUILDS, Some(guild), &data);
        });
    }

    /// Makes a voice channel the one for people who are away; None: there is none.
    pub fn set_afk_channel(&self, guild: u64, channel: Option<u64>) {
        self.with(|state| {
            state.guild_mut(guild).afk_channel = channel;
            let data = render::guild(&state.guilds[&guild]);
            state.dispatch("GUILD_UPDATE", gateway::GUILDS, Some(guild), &data);
        });
    }

    /// Throws the bot out of a guild (the guild and its history stay, see [`Self::add_bot`]).
    pub fn remove_guild(&self, guild: u64) {
        self.with(|state| {
            state.guild_mut(guild).members.remove(&BOT_USER_ID);
            state.commands.retain(|_, one| one.guild_id != Some(guild));
            let data = json!({"id": guild.to_string()});
            state.dispatch("GUILD_DELETE", gateway::GUILDS, Some(guild), &data);
        });
    }

    /// Lets the bot join a guild it was thrown out of.
    pub fn add_bot(&self, guild: u64) {
        self.with(|state| {
            let joined_at = state.now();
            let found = state.guild_mut(guild);
            let roles = vec![found.bot_role];
            found.members.insert(BOT_USER_ID, Member { roles, nick: None, joined_at });
            state.announce_guild(guild);
        });
    }

    /// Tells the sessions that a guild is out of order (`GUILD_DELETE` with `unavailable`), or
    /// that it is back.
    pub fn set_guild_available(&self, guild: u64, available: bool) {
        self.with(|state| {
            if available {
                state.announce_guild(guild);
            } else {
                let data = json!({"id": guild.to_string(), "unavailable": true});
                state.dispatch("GUILD_DELETE", gateway::GUILDS, Some(guild), &data);
            }
        });
    }

    /// Adds a channel.
    pub fn add_channel(&self, guild: u64, name: &str, kind: ChannelKind) -> u64 {
        self.with(|state| {
            state.guild_mut(guild);
            let id = state.new_channel(guild, name, kind.number());
            state.channel_event("CHANNEL_CREATE", id);
            id
        })
    }

    /// Adds a public thread under a channel; under a forum, a post by the guild's owner whose
    /// first message has the thread's own id.
    pub fn add_thread(&self, channel: u64, name: &str) -> u64 {
        let (id, owner, is_forum) = self.with(|state| {
            let id = state.next_id();
            let parent = state.channel_mut(channel);
            let (guild, is_forum) = (parent.guild_id.unwrap_or(0), parent.kind == 15);
            let owner = state.guild_mut(guild).owner_id;
            state.new_thread(id, channel, name, owner, false);
            (id, owner, is_forum)
        });
        if is_forum {
            self.with(|state| state.post(id, id, owner, &format!("{name}: first post"), true));
        }
        id
    }

    /// Archives a thread, or opens it again.
    pub fn archive_thread(&self, thread: u64, archived: bool) {
        self.with(|state| {
            let now = state.now();
            let meta = state.channel_mut(thread).thread.as_mut();
            let meta = meta.unwrap_or_else(|| panic!("{thread} is not a thread"));
            meta.archived = archived;
            meta.changed_at = now;
            state.channel_event("THREAD_UPDATE", thread);
        });
    }

    /// Locks a thread, or unlocks it.
    pub fn lock_thread(&self, thread: u64, locked: bool) {
        self.with(|state| {
            let meta = state.channel_mut(thread).thread.as_mut();
            meta.unwrap_or_else(|| panic!("{thread} is not a thread")).locked = locked;
            state.channel_event("THREAD_UPDATE", thread);
        });
    }

    /// Renames a channel or thread.
    pub fn rename_channel(&self, channel: u64, name: &str) {
        self.with(|state| {
            let found = state.channel_mut(channel);
            name.clone_into(&mut found.name);
            let event = if found.thread.is_some() { "THREAD_UPDATE" } else { "CHANNEL_UPDATE" };
            state.channel_event(event, channel);
        });
    }

    /// Puts a channel into a category (None: out of any).
    pub fn set_category(&self, channel: u64, category: Option<u64>) {
        self.with(|state| {
            state.channel_mut(channel).parent_id = category;
            state.channel_event("CHANNEL_UPDATE", channel);
        });
    }

    /// Deletes a channel or thread, with all in it.
    pub fn delete_channel(&self, channel: u64) {
        self.with(|state| {
            state.channel_mut(channel);
            state.drop_channel(channel);
        });
    }

    /// Whether a channel or thread still exists.
    pub fn channel_exists(&self, channel: u64) -> bool {
        self.peek(|state| state.channels.contains_key(&channel))
    }

    /// Allows and denies permissions in a channel to a role (a guild's own id: `@everyone`) or to
    /// a member. Nothing allowed or denied removes the overwrite.
    pub fn set_overwrite(&self, channel: u64, target: u64, allow: u64, deny: u64) {
        self.with(|state| {
            let guild = state.channel_mut(channel).guild_id.unwrap_or(0);
            let is_role = state.guild_mut(guild).roles.contains_key(&target);
            let overwrites = &mut state.channel_mut(channel).overwrites;
            if allow | deny == 0 {
                overwrites.remove(&target);
            } else {
                let kind = u8::from(!is_role);
                overwrites.insert(target, Overwrite { kind, allow, deny });
            }
            state.channel_event("CHANNEL_UPDATE", channel);
        });
    }

    /// What a user may do in a channel, by Discord's computation.
    pub fn permissions_in(&self, channel: u64, user: u64) -> u64 {
        self.peek(|state| state.permissions(channel, user))
    }
}
