//! Members, their roles and voice states.

use serde_json::json;

use crate::model::{Member, TeamMember, Voice};
use crate::state::State;
use crate::{BOT_USER_ID, FakeDiscord, gateway};

impl State {
    /// Changes a member and tells the sessions. The bot learns of itself without the intent.
    pub(crate) fn change_member(&mut self, guild: u64, user: u64, change: impl FnOnce(&mut Member)) {
        let found = self.guilds.get_mut(&guild).and_then(|one| one.members.get_mut(&user));
        let Some(member) = found else {
            return;
        };
        change(member);
        let mut data = self.member_json(guild, user);
        data["guild_id"] = json!(guild.to_string());
        let intent = if user == BOT_USER_ID { 0 } else { gateway::GUILD_MEMBERS };
        self.dispatch("GUILD_MEMBER_UPDATE", intent, Some(guild), &data);
    }

    pub(crate) fn join(&mut self, guild: u64, user: u64) {
        let joined_at = self.now();
        let member = Member { roles: Vec::new(), nick: None, joined_at };
        let found = self.guilds.get_mut(&guild);
        let found = found.unwrap_or_else(|| panic!("there is no guild {guild}"));
        found.members.insert(user, member);
        let mut data = self.member_json(guild, user);
        data["guild_id"] = json!(guild.to_string());
        self.dispatch("GUILD_MEMBER_ADD", gateway::GUILD_MEMBERS, Some(guild), &data);
    }
}

/// Members and users.
impl FakeDiscord {
    /// Adds a person to a guild and returns their user id.
    pub fn add_member(&self, guild: u64, name: &str) -> u64 {
        self.with(|state| {
            let user = state.new_user(name, false);
            state.join(guild, user);
            user
        })
    }

    /// Adds another bot to a guild and returns its user id.
    pub fn add_other_bot(&self, guild: u64, name: &str) -> u64 {
        self.with(|state| {
            let user = state.new_user(name, true);
            state.join(guild, user);
            user
        })
    }

    /// Adds a person who is in no guild.
    pub fn add_user(&self, name: &str) -> u64 {
        self.with(|state| state.new_user(name, false))
    }

    /// Lets an existing user join a guild.
    pub fn join_guild(&self, guild: u64, user: u64) {
        self.with(|state| {
            assert!(state.users.contains_key(&user), "there is no user {user}");
            state.join(guild, user);
        });
    }

    /// Takes a member out of a guild.
    pub fn remove_member(&self, guild: u64, user: u64) {
        self.with(|state| {
            let account = state.users.get(&user).map(crate::render::user);
            if let Some(found) = state.guilds.get_mut(&guild) {
                found.members.remove(&user);
                found.voice.remove(&user);
            }
            let data = json!({"guild_id": guild.to_string(), "user": account});
            state.dispatch("GUILD_MEMBER_REMOVE", gateway::GUILD_MEMBERS, Some(guild), &data);
        });
    }

    /// Gives a member a role.
    pub fn give_role(&self, guild: u64, user: u64, role: u64) {
        self.with(|state| {
            state.change_member(guild, user, |member| {
                if !member.roles.contains(&role) {
                    member.roles.push(role);
                }
            });
        });
    }

    /// Takes a role from a member.
    pub fn take_role(&self, guild: u64, user: u64, role: u64) {
        self.with(|state| {
            state.change_member(guild, user, |member| {
                member.roles.retain(|one| *one != role);
            });
        });
    }

    /// The roles a member has; None for a stranger.
    pub fn roles_of(&self, guild: u64, user: u64) -> Option<Vec<u64>> {
        self.peek(|state| Some(state.guilds.get(&guild)?.members.get(&user)?.roles.clone()))
    }

    /// Opens or closes a person's direct messages. Closed ones refuse messages with 50007.
    pub fn set_dms_open(&self, user: u64, open: bool) {
        self.with(|state| {
            if let Some(user) = state.users.get_mut(&user) {
                user.dms_open = open;
            }
        });
    }

    /// The language a person uses Discord in, such as `de`; `en-US` unless set.
    pub fn set_locale(&self, user: u64, locale: &str) {
        self.with(|state| {
            if let Some(user) = state.users.get_mut(&user) {
                locale.clone_into(&mut user.locale);
            }
        });
    }

    /// Makes an account the owner of the application, in place of [`HOST_USER_ID`](crate::HOST_USER_ID) or a team.
    pub fn set_application_owner(&self, user: u64) {
        self.with(|state| {
            state.owner = user;
            state.team.clear();
        });
    }

    /// Gives the application to a team: members with their role (`admin`, `developer`, `read_only`) and whether
    /// they have accepted. The first one owns the team.
    pub fn set_application_team(&self, members: &[(u64, &'static str, bool)]) {
        self.with(|state| {
            state.team = members
                .iter()
                .map(|(user, role, accepted)| TeamMember { user: *user, state: 1 + u8::from(*accepted), role })
                .collect();
        });
    }

    /// The direct-message channel between a person and the bot; opened when there is none.
    pub fn dm(&self, user: u64) -> u64 {
        self.with(|state| state.dm_channel(user))
    }

    /// Moves a member to a voice channel, or out of voice.
    pub fn set_voice(&self, guild: u64, user: u64, channel: Option<u64>) {
        self.set_voice_with(guild, user, channel, false, false);
    }

    /// As [`Self::set_voice`], saying whether they muted and deafened themselves.
    pub fn set_voice_with(&self, guild: u64, user: u64, channel: Option<u64>, mute: bool, deaf: bool) {
        self.with(|state| {
            let new_session = state.next_id();
            let Some(found) = state.guilds.get_mut(&guild) else {
                panic!("there is no guild {guild}");
            };
            let session = found.voice.get(&user).map_or(new_session, |one| one.session);
            match channel {
                Some(channel) => {
                    let voice = Voice { channel, session, self_mute: mute, self_deaf: deaf };
                    found.voice.insert(user, voice);
                }
                None => {
                    found.voice.remove(&user);
                }
            }
            let mut data = state.voice_json(&state.guilds[&guild], user);
            // The state of who has left names the stay that has ended.
            data["session_id"] = json!(format!("voice{session}"));
            state.dispatch("VOICE_STATE_UPDATE", gateway::GUILD_VOICE_STATES, Some(guild), &data);
        });
    }
}
