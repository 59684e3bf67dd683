//! Guilds, their channels, roles and members.

use serde_json::{Value, json};

use super::request::{ApiError, Reply, Req, Result, body_id};
use crate::model::{Guild, Overwrite};
use crate::permission::{self, MANAGE_CHANNELS, MANAGE_ROLES};
use crate::state::State;
use crate::{BOT_USER_ID, render};

fn guild<'a>(state: &'a State, req: &Req) -> Result<&'a Guild> {
    let id = req.id("guild_id")?;
    state.need_guild(id)?;
    Ok(&state.guilds[&id])
}

pub(super) fn get(state: &mut State, req: &Req) -> Result<Reply> {
    let guild = guild(state, req)?;
    let mut value = render::guild(guild);
    if req.query_flag("with_counts") {
        value["approximate_member_count"] = json!(guild.members.len());
        value["approximate_presence_count"] = json!(guild.members.len());
    }
    Reply::ok(value)
}

/// Unlike a channel by itself, the list also shows channels the bot cannot see.
pub(super) fn channels(state: &mut State, req: &Req) -> Result<Reply> {
    let id = guild(state, req)?.id;
    let all = state.channels.values();
    let listed = all.filter(|one| one.guild_id == Some(id) && one.thread.is_none());
    Reply::ok(listed.map(|one| state.channel_json(one)).collect())
}

pub(super) fn create_channel(state: &mut State, req: &Req) -> Result<Reply> {
    let guild = guild(state, req)?.id;
    state.need_in_guild(guild, MANAGE_CHANNELS)?;
    let name = req.body["name"].as_str().unwrap_or_default().trim();
    if name.is_empty() || name.chars().count() > 100 {
        return Err(ApiError::form("name", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 100 in length."));
    }
    let kind = req.body["type"].as_u64().unwrap_or(0);
    let kind = u8::try_from(kind).ok().filter(|kind| matches!(kind, 0 | 2 | 4 | 5 | 13 | 15));
    let kind = kind.ok_or_else(|| ApiError::form("type", "BASE_TYPE_CHOICES", "Invalid channel type."))?;
    let id = state.new_channel(guild, name, kind);
    if let Some(channel) = state.channels.get_mut(&id) {
        channel.parent_id = body_id(&req.body["parent_id"]);
        channel.topic = req.body["topic"].as_str().map(str::to_owned);
        for one in req.body["permission_overwrites"].as_array().into_iter().flatten() {
            if let Some((target, overwrite)) = read_overwrite(one, body_id(&one["id"])) {
                channel.overwrites.insert(target, overwrite);
            }
        }
    }
    state.channel_event("CHANNEL_CREATE", id);
    Reply::created(state.channel_json(&state.channels[&id]))
}

/// An overwrite from a body, whose bits are strings of digits or numbers.
pub(super) fn read_overwrite(body: &Value, target: Option<u64>) -> Option<(u64, Overwrite)> {
    let bits = |value: &Value| {
        let text = value.as_str().and_then(|text| text.parse().ok());
        text.or_else(|| value.as_u64()).unwrap_or(0)
    };
    let overwrite = Overwrite {
        kind: u8::from(body["type"].as_u64() == Some(1)),
        allow: bits(&body["allow"]),
        deny: bits(&body["deny"]),
    };
    Some((target?, overwrite))
}

pub(super) fn roles(state: &mut State, req: &Req) -> Result<Reply> {
    let guild = guild(state, req)?;
    let all = guild.roles.values();
    Reply::ok(all.map(|one| render::role(guild, one)).collect())
}

pub(super) fn role(state: &mut State, req: &Req) -> Result<Reply> {
    let guild = guild(state, req)?;
    let role = guild.roles.get(&req.id("role_id")?);
    Reply::ok(render::role(guild, role.ok_or_else(ApiError::unknown_role)?))
}

pub(super) fn role_counts(state: &mut State, req: &Req) -> Result<Reply> {
    let guild = guild(state, req)?;
    let mut counts = json!({});
    for role in guild.roles.keys().filter(|role| **role != guild.id) {
        let holders = guild.members.values().filter(|one| one.roles.contains(role));
        counts[role.to_string()] = json!(holders.count());
    }
    Reply::ok(counts)
}

/// Needs the privileged members intent on real Discord; the stand-in grants it to all.
pub(super) fn members(state: &mut State, req: &Req) -> Result<Reply> {
    let guild = guild(state, req)?;
    let limit = req.limit(1, 1000, 1)?;
    let after = req.query_id("after")?.unwrap_or(0);
    let page = guild.members.range(after + 1..).take(limit);
    Reply::ok(page.map(|(user, _)| state.member_json(guild.id, *user)).collect())
}

pub(super) fn member(state: &mut State, req: &Req) -> Result<Reply> {
    let guild = guild(state, req)?;
    let user = req.id("user_id")?;
    let member = state.member_json(guild.id, user);
    if !member.is_null() {
        return Reply::ok(member);
    }
    if state.users.contains_key(&user) { Err(ApiError::unknown_member()) } else { Err(ApiError::unknown_user()) }
}

/// Only the nickname and the roles can be changed.
pub(super) fn edit_member(state: &mut State, req: &Req) -> Result<Reply> {
    let (guild_id, user) = (guild(state, req)?.id, req.id("user_id")?);
    if !state.guilds[&guild_id].members.contains_key(&user) {
        return Err(ApiError::unknown_member());
    }
    if let Some(wanted) = req.body["roles"].as_array() {
        let wanted: Vec<u64> = wanted.iter().filter_map(body_id).collect();
        let have = &state.guilds[&guild_id].members[&user].roles;
        let changed: Vec<u64> = wanted
            .iter()
            .filter(|role| !have.contains(role))
            .chain(have.iter().filter(|role| !wanted.contains(role)))
            .copied()
            .collect();
        for role in changed {
            may_assign(state, guild_id, role)?;
        }
        state.change_member(guild_id, user, |member| member.roles.clone_from(&wanted));
    }
    if let Some(nick) = req.body.get("nick") {
        let nick = nick.as_str().filter(|nick| !nick.is_empty()).map(str::to_owned);
        state.change_member(guild_id, user, |member| member.nick = nick);
    }
    Reply::ok(state.member_json(guild_id, user))
}

/// A role can be given and taken only below the bot's own highest, and never when managed.
fn may_assign(state: &State, guild_id: u64, role: u64) -> Result<()> {
    state.need_in_guild(guild_id, MANAGE_ROLES)?;
    let guild = &state.guilds[&guild_id];
    let role = guild.roles.get(&role).ok_or_else(ApiError::unknown_role)?;
    if role.managed || role.id == guild_id {
        return Err(ApiError::new(400, 50028, "Invalid Role"));
    }
    if role.position >= permission::rank(guild, BOT_USER_ID) {
        return Err(ApiError::missing_permissions());
    }
    Ok(())
}

fn role_target(state: &State, req: &Req) -> Result<(u64, u64, u64)> {
    let guild = guild(state, req)?;
    let (user, role) = (req.id("user_id")?, req.id("role_id")?);
    if !guild.members.contains_key(&user) {
        return Err(ApiError::unknown_member());
    }
    may_assign(state, guild.id, role)?;
    Ok((guild.id, user, role))
}

pub(super) fn give_role(state: &mut State, req: &Req) -> Result<Reply> {
    let (guild, user, role) = role_target(state, req)?;
    state.change_member(guild, user, |member| {
        if !member.roles.contains(&role) {
            member.roles.push(role);
        }
    });
    Reply::no_content()
}

pub(super) fn take_role(state: &mut State, req: &Req) -> Result<Reply> {
    let (guild, user, role) = role_target(state, req)?;
    state.change_member(guild, user, |member| {
        member.roles.retain(|one| *one != role);
    });
    Reply::no_content()
}
