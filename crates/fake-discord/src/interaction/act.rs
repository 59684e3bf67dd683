//! What people do: commands, menus, buttons, selects and forms.

use serde_json::{Value, json};

use super::payload::Draft;
use super::resolve::head;
use super::store::{AUTOCOMPLETE, COMMAND, COMPONENT, MODAL};
use super::{Choice, Interaction, Target};
use crate::model::{FakeMessage, leaves};
use crate::permission::VIEW_CHANNEL;
use crate::rest::request::body_id;
use crate::rules::{items, length};
use crate::state::State;
use crate::{FakeDiscord, WAIT};

/// Acting as a person. What Discord's client would not let a person do panics, with a list of what
/// there is.
impl FakeDiscord {
    /// Uses a chat command, such as `vanish set`, with options by name. Users, channels and roles
    /// are given as ids (text or number).
    #[allow(clippy::needless_pass_by_value, reason = "tests write json!() in the call")]
    pub fn command(&self, user: u64, channel: u64, path: &str, options: Value) -> Interaction {
        self.act(|state| {
            let found = state.find_chat(path, channel, user)?;
            let data = state.chat_data(&found, &options, None, (user, channel))?;
            Ok(Draft {
                kind: COMMAND,
                name: format!("/{path}"),
                user,
                channel,
                command_type: Some(1),
                source: None,
                data,
            })
        })
    }

    /// Types into the option `focused` of a chat command and returns the suggestions.
    pub async fn autocomplete(
        &self,
        user: u64,
        channel: u64,
        path: &str,
        options: Value,
        focused: &str,
    ) -> Vec<Choice> {
        let interaction = self.act(|state| {
            let found = state.find_chat(path, channel, user)?;
            let data = state.chat_data(&found, &options, Some(focused), (user, channel))?;
            Ok(Draft {
                kind: AUTOCOMPLETE,
                name: format!("/{path} (completing {focused})"),
                user,
                channel,
                command_type: Some(1),
                source: None,
                data,
            })
        });
        interaction.choices().await
    }

    /// Uses an entry of the Apps menu of a message.
    pub fn message_menu(&self, user: u64, channel: u64, name: &str, message: u64) -> Interaction {
        self.act(|state| {
            let command = state.find_menu(3, name, channel, user)?;
            let target = state.find_message(channel, message);
            let target = target.ok_or_else(|| format!("no message {message} in channel {channel}"))?;
            let mut data = head(&command);
            data["target_id"] = json!(message.to_string());
            data["resolved"]["messages"][message.to_string()] = state.message_json(target);
            Ok(menu(name, user, channel, 3, data))
        })
    }

    /// Uses an entry of the Apps menu of a person.
    pub fn user_menu(&self, user: u64, channel: u64, name: &str, target: u64) -> Interaction {
        self.act(|state| {
            let command = state.find_menu(2, name, channel, user)?;
            let mut data = head(&command);
            data["target_id"] = json!(target.to_string());
            let mut resolved = json!({});
            if !state.resolve_user(&mut resolved, channel, target) {
                return Err(format!("no user {target}"));
            }
            data["resolved"] = resolved;
            Ok(menu(name, user, channel, 2, data))
        })
    }

    /// Presses the button with this `custom_id`.
    pub fn press(&self, user: u64, target: impl Into<Target>, custom_id: &str) -> Interaction {
        let target = target.into();
        self.act(|state| press(state, user, target, |part| part["custom_id"] == custom_id, custom_id))
    }

    /// Presses the button with this label, as the message stands now.
    pub fn press_label(&self, user: u64, target: impl Into<Target>, label: &str) -> Interaction {
        let target = target.into();
        self.act(|state| press(state, user, target, |part| part["label"] == label, label))
    }

    /// Chooses in the menu with this `custom_id`: values, or ids for user, role and channel menus.
    pub fn select(&self, user: u64, target: impl Into<Target>, custom_id: &str, values: &[&str]) -> Interaction {
        let target = target.into();
        self.act(|state| select(state, user, target, custom_id, values))
    }

    /// Fills in the form that `opened` was answered with and sends it. `values` maps `custom_id` to
    /// text (or to a list of values for menus in forms); what is missing keeps its preset.
    #[allow(clippy::needless_pass_by_value, reason = "tests write json!() in the call")]
    pub fn submit_modal(&self, user: u64, opened: &Interaction, values: Value) -> Interaction {
        let id = opened.id();
        self.act(|state| submit(state, user, id, &values))
    }

    /// Lets everybody use every command (true), as an administrator can order, or goes by
    /// `default_member_permissions` (false).
    pub fn command_as_admin_override(&self, everybody: bool) {
        self.with(|state| state.admin_override = everybody);
    }

    /// The registered commands of a guild (None: global ones) as Discord shows them.
    pub fn registered_commands(&self, guild: Option<u64>) -> Vec<Value> {
        self.peek(|state| {
            let all = state.commands.values().filter(|one| one.guild_id == guild);
            all.map(|one| one.json.clone()).collect()
        })
    }

    /// Waits until a command (of any kind, global or not) is registered; panics after 5 s.
    pub async fn wait_command(&self, name: &str) {
        let found = |state: &State| {
            let mut all = state.commands.values();
            all.any(|one| one.json["name"] == name).then_some(())
        };
        if self.wait(WAIT, found).await.is_none() {
            self.give_up(&format!("command {name:?} was not registered"));
        }
    }

    fn act(&self, draft: impl FnOnce(&State) -> Result<Draft, String>) -> Interaction {
        let outcome = self.with(|state| {
            if state.gateway.sessions.is_empty() {
                return Err("no client is connected".to_owned());
            }
            draft(state).map(|draft| state.interact(draft))
        });
        match outcome {
            Ok(id) => Interaction::new(self.clone(), id),
            Err(problem) => panic!("{problem}"),
        }
    }
}

fn menu(name: &str, user: u64, channel: u64, kind: u8, data: Value) -> Draft {
    Draft { kind: COMMAND, name: name.to_owned(), user, channel, command_type: Some(kind), source: None, data }
}

/// The message acted on, if this user sees it.
fn visible(state: &State, user: u64, target: Target) -> Result<&FakeMessage, String> {
    let message = state.find_message(target.channel, target.message);
    let message = message.ok_or_else(|| format!("no message {} any more", target.message))?;
    let asker = message.interaction_id.and_then(|id| state.interactions.get(&id)).map(|one| one.user);
    if message.is_ephemeral() && asker != Some(user) {
        return Err(format!("user {user} does not see this ephemeral message: {:?}", message.text()));
    }
    if state.permissions(target.channel, user) & VIEW_CHANNEL == 0 {
        return Err(format!("user {user} does not see channel {}", target.channel));
    }
    Ok(message)
}

fn used(user: u64, target: Target, name: String, data: Value) -> Draft {
    Draft {
        kind: COMPONENT,
        name,
        user,
        channel: target.channel,
        command_type: None,
        source: Some(target.message),
        data,
    }
}

fn press(
    state: &State,
    user: u64,
    target: Target,
    is_it: impl Fn(&Value) -> bool,
    wanted: &str,
) -> Result<Draft, String> {
    let message = visible(state, user, target)?;
    let all = leaves(&message.components);
    let mut found = all.into_iter().filter(|part| part["type"] == 2 && is_it(part));
    let usable = found.find(|part| part["disabled"] != true && part["custom_id"].is_string());
    let Some(button) = usable else {
        return Err(format!(
            "no button {wanted:?} that can be pressed; there are {:#?} under {:?}",
            message.buttons(),
            message.text()
        ));
    };
    let data = json!({"component_type": 2, "custom_id": button["custom_id"], "id": 2});
    Ok(used(user, target, format!("button {wanted:?}"), data))
}

fn select(state: &State, user: u64, target: Target, custom_id: &str, values: &[&str]) -> Result<Draft, String> {
    let message = visible(state, user, target)?;
    let menus = message.selects();
    let menu = menus.iter().find(|one| one["custom_id"] == custom_id && one["disabled"] != true);
    let Some(menu) = menu else {
        return Err(format!("no menu {custom_id:?} that can be used; there are {menus:#?}"));
    };
    check_count(menu, values.len())?;
    let kind = menu["type"].as_u64().unwrap_or(3);
    let resolved = pick(state, kind, menu, values, (user, target.channel))?;
    let mut data = json!({
        "component_type": kind, "custom_id": custom_id, "id": 2, "values": values,
    });
    if kind != 3 {
        data["resolved"] = resolved;
    }
    Ok(used(user, target, format!("menu {custom_id:?}"), data))
}

fn check_count(menu: &Value, count: usize) -> Result<(), String> {
    let low = menu["min_values"].as_u64().unwrap_or(1);
    let high = menu["max_values"].as_u64().unwrap_or(1);
    if (low..=high).contains(&(count as u64)) {
        return Ok(());
    }
    Err(format!("the menu takes {low} to {high} values, not {count}"))
}

/// Checks the values chosen in a menu and returns the data they resolve to.
fn pick(state: &State, kind: u64, menu: &Value, values: &[&str], (user, channel): (u64, u64)) -> Result<Value, String> {
    let mut resolved = json!({});
    for value in values {
        let id = body_id(&json!(value)).unwrap_or(0);
        let good = match kind {
            3 => items(&menu["options"]).any(|one| one["value"] == *value),
            5 => state.resolve_user(&mut resolved, channel, id),
            6 => state.resolve_role(&mut resolved, channel, id),
            7 => state.resolve_user(&mut resolved, channel, id) || state.resolve_role(&mut resolved, channel, id),
            _ => state.resolve_channel(&mut resolved, user, id).is_some_and(|channel| {
                let mut wanted = items(&menu["channel_types"]).peekable();
                wanted.peek().is_none() || wanted.any(|one| *one == channel.kind)
            }),
        };
        if !good {
            return Err(format!("{value:?} cannot be chosen in {menu:#}"));
        }
    }
    Ok(resolved)
}

fn submit(state: &State, user: u64, opened: u64, values: &Value) -> Result<Draft, String> {
    let one = state.interactions.get(&opened).ok_or("no such interaction")?;
    let modal = one.callback.as_ref().filter(|callback| callback.kind == 9);
    let modal = &modal.ok_or_else(|| format!("{} was not answered with a modal", one.name))?.data;
    if one.user != user {
        return Err(format!("user {user} did not open this form"));
    }
    let parts = leaves(modal["components"].as_array().map_or(&[][..], Vec::as_slice));
    let known: Vec<&str> = parts.iter().filter_map(|part| part["custom_id"].as_str()).collect();
    let strange = values.as_object().into_iter().flatten().find(|(key, _)| !known.contains(&key.as_str()));
    if let Some((key, _)) = strange {
        return Err(format!("no field {key:?} in the form; there are {known:?}"));
    }
    let mut resolved = json!({});
    let mut filled = Vec::new();
    for (index, row) in items(&modal["components"]).enumerate() {
        let fill = |part: &Value, resolved: &mut Value| field(state, part, values, resolved, (user, one.channel));
        let id = 2 * index + 1;
        match row["type"].as_u64() {
            Some(18) => {
                filled.push(json!({"type": 18, "id": id, "component": fill(&row["component"], &mut resolved)?}));
            }
            Some(1) => {
                let inner: Result<Vec<Value>, String> =
                    items(&row["components"]).map(|part| fill(part, &mut resolved)).collect();
                filled.push(json!({"type": 1, "id": id, "components": inner?}));
            }
            _ => {}
        }
    }
    let mut data = json!({"custom_id": modal["custom_id"], "components": filled});
    if resolved.as_object().is_some_and(|map| !map.is_empty()) {
        data["resolved"] = resolved;
    }
    Ok(Draft {
        kind: MODAL,
        name: format!("form {}", modal["title"]),
        user,
        channel: one.channel,
        command_type: None,
        source: one.source,
        data,
    })
}

fn field(
    state: &State,
    part: &Value,
    values: &Value,
    resolved: &mut Value,
    place: (u64, u64),
) -> Result<Value, String> {
    let kind = part["type"].as_u64().unwrap_or(0);
    let id = part["custom_id"].as_str().unwrap_or_default();
    let given = values.get(id);
    let required = part["required"] != false;
    if kind != 4 {
        let list: Vec<&str> = given.map_or_else(Vec::new, |one| items(one).filter_map(Value::as_str).collect());
        if required || !list.is_empty() {
            check_count(part, list.len()).map_err(|problem| format!("field {id:?}: {problem}"))?;
        }
        let kind_of_menu = if kind > 8 { 3 } else { kind };
        let more = pick(state, kind_of_menu, part, &list, place)?;
        for (key, found) in more.as_object().into_iter().flatten() {
            for (id, one) in found.as_object().into_iter().flatten() {
                resolved[key][id] = one.clone();
            }
        }
        return Ok(json!({"type": kind, "custom_id": id, "id": 2, "values": list}));
    }
    let value = given.or_else(|| part.get("value")).filter(|one| !one.is_null());
    let value = value.cloned().unwrap_or_else(|| json!(""));
    if !value.is_string() {
        return Err(format!("field {id:?} takes a text"));
    }
    let found = length(&value) as u64;
    let low = part["min_length"].as_u64().unwrap_or(0);
    let high = part["max_length"].as_u64().unwrap_or(4000);
    if found == 0 && required {
        return Err(format!("field {id:?} is required"));
    }
    if found > 0 && !(low..=high).contains(&found) {
        return Err(format!("field {id:?} takes {low} to {high} characters, not {found}"));
    }
    Ok(json!({"type": 4, "custom_id": id, "id": 2, "value": value}))
}
