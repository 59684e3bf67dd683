//! The world as Discord's JSON.

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};

use crate::model::{Channel, FakeMessage, Guild, Member, Overwrite, Role, User};
use crate::permission;
use crate::state::State;
use crate::{APPLICATION_ID, BOT_USER_ID};

/// A timestamp as Discord writes it.
pub(crate) fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, false)
}

pub(crate) fn id(id: u64) -> Value {
    Value::String(id.to_string())
}

fn maybe_id(value: Option<u64>) -> Value {
    value.map_or(Value::Null, id)
}

pub(crate) fn user(user: &User) -> Value {
    let mut value = json!({
        "id": user.id.to_string(), "username": user.name, "discriminator": "0",
        "global_name": if user.bot { Value::Null } else { json!(user.name) },
        "avatar": null, "banner": null, "accent_color": null, "flags": 0, "public_flags": 0,
        "avatar_decoration_data": null, "collectibles": null, "primary_guild": null, "clan": null,
        "banner_color": null, "display_name_styles": null,
    });
    if user.bot {
        value["bot"] = json!(true);
        value["discriminator"] = json!("4242");
    }
    value
}

pub(crate) fn own_user(me: &User) -> Value {
    let mut value = user(me);
    for (key, more) in [
        ("mfa_enabled", json!(true)),
        ("locale", json!(me.locale)),
        ("verified", json!(true)),
        ("email", Value::Null),
        ("premium_type", json!(0)),
    ] {
        value[key] = more;
    }
    value
}

pub(crate) fn role(guild: &Guild, role: &Role) -> Value {
    let mut value = json!({
        "id": role.id.to_string(), "name": role.name, "description": null,
        "permissions": role.permissions.to_string(), "position": role.position, "color": 0,
        "colors": {"primary_color": 0, "secondary_color": null, "tertiary_color": null},
        "hoist": false, "managed": role.managed, "mentionable": role.mentionable, "icon": null,
        "unicode_emoji": null, "flags": 0,
    });
    if role.id == guild.bot_role {
        value["tags"] = json!({"bot_id": BOT_USER_ID.to_string()});
    }
    value
}

/// A member without its user, as messages carry it.
pub(crate) fn partial_member(member: &Member) -> Value {
    json!({
        "roles": member.roles.iter().map(u64::to_string).collect::<Vec<_>>(),
        "joined_at": time(member.joined_at), "nick": member.nick, "avatar": null, "banner": null,
        "premium_since": null, "pending": false, "deaf": false, "mute": false, "flags": 0,
        "communication_disabled_until": null, "avatar_decoration_data": null,
    })
}

fn overwrite(target: u64, one: &Overwrite) -> Value {
    json!({
        "id": target.to_string(), "type": one.kind, "allow": one.allow.to_string(),
        "deny": one.deny.to_string(),
    })
}

/// The guild as REST and `GUILD_UPDATE` show it.
pub(crate) fn guild(guild: &Guild) -> Value {
    let roles: Vec<Value> = guild.roles.values().map(|one| role(guild, one)).collect();
    json!({
        "roles": roles,
        "id": guild.id.to_string(), "name": guild.name, "owner_id": guild.owner_id.to_string(),
        "icon": null, "description": null, "home_header": null, "splash": null, "banner": null,
        "discovery_splash": null, "application_id": null, "region": "deprecated",
        "afk_channel_id": maybe_id(guild.afk_channel), "afk_timeout": 300, "system_channel_id": null,
        "system_channel_flags": 0, "widget_enabled": false, "widget_channel_id": null,
        "verification_level": 1, "default_message_notifications": 1, "mfa_level": 0,
        "explicit_content_filter": 0, "max_presences": null, "max_members": 500_000,
        "max_stage_video_channel_users": 50, "max_video_channel_users": 25,
        "vanity_url_code": null, "premium_tier": 0, "premium_subscription_count": 0,
        "preferred_locale": "en-US", "rules_channel_id": null, "safety_alerts_channel_id": null,
        "public_updates_channel_id": null, "premium_progress_bar_enabled": false,
        "premium_progress_bar_enabled_user_updated_at": null, "nsfw": false, "nsfw_level": 0,
        "emojis": [], "stickers": [], "features": [], "incidents_data": null,
    })
}

/// A member's voice state; `channel_id` is null when not connected.
fn voice_state(guild: &Guild, user_id: u64) -> Value {
    let voice = guild.voice.get(&user_id);
    json!({
        "user_id": user_id.to_string(), "channel_id": maybe_id(voice.map(|one| one.channel)),
        "session_id": format!("voice{}", voice.map_or(0, |one| one.session)),
        "deaf": false, "mute": false, "suppress": false, "self_video": false,
        "self_deaf": voice.is_some_and(|one| one.self_deaf),
        "self_mute": voice.is_some_and(|one| one.self_mute),
        "request_to_speak_timestamp": null,
    })
}

/// A user's membership in a thread.
pub(crate) fn thread_member(channel: &Channel, user_id: u64) -> Value {
    json!({
        "id": channel.id.to_string(), "user_id": user_id.to_string(), "flags": 1,
        "join_timestamp": time(crate::snowflake::time_of(channel.id)),
    })
}

impl State {
    /// The guild as `GUILD_CREATE` shows it to a session with these intents: of its members the bot and those in voice
    /// channels are listed, whose voice states name neither the guild nor the member.
    pub(crate) fn guild_create(&self, guild: &Guild, intents: u64) -> Value {
        let voice = if intents & crate::GUILD_VOICE_STATES == 0 { None } else { Some(&guild.voice) };
        let in_voice = || voice.into_iter().flat_map(|states| states.keys().copied());
        let mut value = crate::render::guild(guild);
        let (threads, channels): (Vec<&Channel>, Vec<&Channel>) = self
            .channels
            .values()
            .filter(|channel| channel.guild_id == Some(guild.id))
            .partition(|channel| channel.thread.is_some());
        value["channels"] = channels.iter().map(|one| self.channel_json(one)).collect();
        value["threads"] = threads
            .iter()
            .filter(|one| one.thread.as_ref().is_some_and(|meta| !meta.archived))
            .map(|one| self.channel_json(one))
            .collect();
        let listed = in_voice().filter(|user| *user != BOT_USER_ID).chain([BOT_USER_ID]);
        value["members"] = listed.map(|user| self.member_json(guild.id, user)).collect();
        value["voice_states"] = in_voice().map(|user| voice_state(guild, user)).collect();
        value["member_count"] = json!(guild.members.len());
        value["large"] = json!(guild.members.len() > 250);
        value["unavailable"] = json!(false);
        let joined = guild.members.get(&BOT_USER_ID).map(|me| me.joined_at);
        value["joined_at"] = json!(time(joined.unwrap_or_else(|| self.now())));
        for key in ["presences", "stage_instances", "guild_scheduled_events", "soundboard_sounds"] {
            value[key] = json!([]);
        }
        value
    }

    /// A member with its user; null for a stranger.
    pub(crate) fn member_json(&self, guild_id: u64, user_id: u64) -> Value {
        let member = self.guilds.get(&guild_id).and_then(|guild| guild.members.get(&user_id));
        let (Some(member), Some(account)) = (member, self.users.get(&user_id)) else {
            return Value::Null;
        };
        let mut value = partial_member(member);
        value["user"] = user(account);
        value
    }

    /// A member's voice state as an event tells it.
    pub(crate) fn voice_json(&self, guild: &Guild, user_id: u64) -> Value {
        let mut value = voice_state(guild, user_id);
        value["guild_id"] = id(guild.id);
        value["member"] = self.member_json(guild.id, user_id);
        value
    }

    /// A channel of any kind.
    pub(crate) fn channel_json(&self, channel: &Channel) -> Value {
        let last = maybe_id(channel.last_message_id);
        if let Some(recipient) = channel.recipient {
            let people: Vec<Value> = self.users.get(&recipient).map(user).into_iter().collect();
            return json!({
                "id": channel.id.to_string(), "type": 1, "flags": 0, "last_message_id": last,
                "recipients": people,
            });
        }
        let mut value = json!({
            "id": channel.id.to_string(), "type": channel.kind, "name": channel.name, "flags": 0,
            "guild_id": maybe_id(channel.guild_id), "parent_id": maybe_id(channel.parent_id),
            "rate_limit_per_user": channel.slowmode,
        });
        if channel.holds_messages() || matches!(channel.kind, 15) {
            value["last_message_id"] = last;
        }
        if let Some(pinned) = channel.last_pin {
            value["last_pin_timestamp"] = json!(time(pinned));
        }
        if channel.thread.is_some() {
            self.add_thread_fields(channel, &mut value);
            return value;
        }
        value["position"] = json!(channel.position);
        value["nsfw"] = json!(channel.nsfw);
        value["topic"] = json!(channel.topic);
        value["permission_overwrites"] =
            channel.overwrites.iter().map(|(target, one)| overwrite(*target, one)).collect();
        if matches!(channel.kind, 2 | 13) {
            value["bitrate"] = json!(64_000);
            value["user_limit"] = json!(0);
            value["rtc_region"] = Value::Null;
        }
        if channel.kind == 15 {
            value["available_tags"] = json!([]);
            value["default_reaction_emoji"] = Value::Null;
            value["default_sort_order"] = Value::Null;
            value["default_forum_layout"] = json!(0);
        }
        value
    }

    fn add_thread_fields(&self, channel: &Channel, value: &mut Value) {
        let Some(thread) = &channel.thread else {
            return;
        };
        value["owner_id"] = id(thread.owner_id);
        value["thread_metadata"] = json!({
            "archived": thread.archived, "locked": thread.locked, "auto_archive_duration": 1440,
            "archive_timestamp": time(thread.changed_at),
            "create_timestamp": time(crate::snowflake::time_of(channel.id)),
        });
        value["message_count"] = json!(channel.messages.len());
        value["total_message_sent"] = json!(thread.total_sent);
        value["member_count"] = json!(thread.members.len().min(50));
        if thread.members.contains(&BOT_USER_ID) {
            value["member"] = thread_member(channel, BOT_USER_ID);
        }
        if self.parent_of(channel).is_some_and(|parent| parent.kind == 15) {
            value["applied_tags"] = json!([]);
        }
    }

    /// What the user may do in the channel; all of it in a DM.
    pub(crate) fn permissions(&self, channel_id: u64, user_id: u64) -> u64 {
        let Some(channel) = self.channels.get(&channel_id) else {
            return 0;
        };
        let Some(guild) = channel.guild_id.and_then(|id| self.guilds.get(&id)) else {
            return permission::ALL;
        };
        let place = self.parent_of(channel).filter(|_| channel.thread.is_some());
        permission::in_channel(guild, place.unwrap_or(channel), user_id)
    }

    pub(crate) fn parent_of(&self, channel: &Channel) -> Option<&Channel> {
        self.channels.get(&channel.parent_id?)
    }

    fn author_json(&self, message: &FakeMessage) -> Value {
        if let Some(webhook) = &message.webhook {
            return json!({
                "id": webhook.id.to_string(), "username": webhook.name, "bot": true, "flags": 0,
                "discriminator": "0000", "avatar": null, "public_flags": 0, "global_name": null,
                "primary_guild": null, "clan": null,
            });
        }
        self.users.get(&message.author_id).map_or(Value::Null, user)
    }

    /// The message as REST shows it to the bot.
    pub(crate) fn message_json(&self, message: &FakeMessage) -> Value {
        let mentions: Vec<Value> =
            mentioned(&message.content, "<@").into_iter().filter_map(|id| self.users.get(&id)).map(user).collect();
        let roles: Vec<String> = mentioned(&message.content, "<@&").into_iter().map(|id| id.to_string()).collect();
        let mut value = json!({
            "id": message.id.to_string(), "channel_id": message.channel_id.to_string(),
            "author": self.author_json(message), "type": message.kind,
            "content": message.content, "embeds": message.embeds.iter().map(shown_embed).collect::<Vec<_>>(),
            "attachments": message.attachments, "components": shown_components(&message.components),
            "mentions": mentions, "mention_roles": roles,
            "mention_everyone": message.content.contains("@everyone"), "tts": false,
            "pinned": message.pinned, "flags": message.flags,
            "timestamp": time(message.timestamp()),
            "edited_timestamp": message.edited_at.map(time),
        });
        if let Some(webhook) = &message.webhook {
            value["webhook_id"] = id(webhook.id);
        }
        if let Some(nonce) = &message.nonce {
            value["nonce"] = nonce.clone();
        }
        if message.interaction_id.is_some() || message.author_id == BOT_USER_ID {
            value["application_id"] = id(APPLICATION_ID);
        }
        if message.interaction_id.is_some() {
            value["webhook_id"] = id(APPLICATION_ID);
            self.add_interaction_metadata(message, &mut value);
        }
        self.add_reference(message, &mut value);
        value
    }

    fn add_reference(&self, message: &FakeMessage, value: &mut Value) {
        let Some(target) = message.reply_to else {
            return;
        };
        let channel = self.channels.get(&message.channel_id);
        let mut reference = json!({
            "type": 0, "message_id": target.to_string(),
            "channel_id": message.channel_id.to_string(),
        });
        if let Some(guild) = channel.and_then(|channel| channel.guild_id) {
            reference["guild_id"] = id(guild);
        }
        value["message_reference"] = reference;
        value["referenced_message"] =
            channel.and_then(|channel| channel.messages.get(&target)).map_or(Value::Null, |original| {
                let mut flat = original.clone();
                flat.reply_to = None;
                self.message_json(&flat)
            });
    }
}

/// An embed as Discord echoes it: with its type, without empty parts.
fn shown_embed(embed: &Value) -> Value {
    let mut shown = embed.clone();
    if let Some(map) = shown.as_object_mut() {
        map.retain(|_, part| !part.is_null());
        map.entry("type").or_insert_with(|| json!("rich"));
        for field in map.get_mut("fields").and_then(Value::as_array_mut).into_iter().flatten() {
            if field["inline"].is_null() {
                field["inline"] = json!(false);
            }
        }
    }
    shown
}

/// Components as Discord echoes them: numbered, without null parts.
fn shown_components(components: &[Value]) -> Value {
    fn walk(part: &mut Value, next: &mut u64) {
        if let Some(map) = part.as_object_mut() {
            map.retain(|_, inner| !inner.is_null());
            map.entry("id").or_insert_with(|| json!(*next));
            *next += 1;
            if matches!(map.get("type").and_then(Value::as_u64), Some(3 | 5..=8)) {
                map.entry("min_values").or_insert(json!(1));
                map.entry("max_values").or_insert(json!(1));
                map.entry("disabled").or_insert(json!(false));
            }
            if map.get("type") == Some(&json!(2)) {
                map.entry("disabled").or_insert(json!(false));
            }
        }
        for inner in part["components"].as_array_mut().into_iter().flatten() {
            walk(inner, next);
        }
    }
    let mut shown = components.to_vec();
    let mut next = 1;
    for part in &mut shown {
        walk(part, &mut next);
    }
    Value::Array(shown)
}

/// The ids inside mentions that start with `prefix` (`<@` also accepts `<@!`).
pub(crate) fn mentioned(content: &str, prefix: &str) -> Vec<u64> {
    let mut ids = Vec::new();
    for part in content.split(prefix).skip(1) {
        let part = part.strip_prefix('!').unwrap_or(part);
        if let Some(found) = part.split_once('>').and_then(|(number, _)| number.parse().ok())
            && !ids.contains(&found)
        {
            ids.push(found);
        }
    }
    ids
}
