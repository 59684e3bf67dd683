//! Finding a command and filling in its options, as Discord's client does.

use serde_json::{Value, json};

use crate::permission::{ADMINISTRATOR, USE_APPLICATION_COMMANDS, VIEW_CHANNEL};
use crate::rest::request::body_id;
use crate::rules::items;
use crate::state::{Command, State};

type Outcome<T> = Result<T, String>;

/// A command, its option steps (group, subcommand) and the options at the end of them.
pub(crate) struct Found {
    pub(crate) command: Command,
    steps: Vec<(u64, String)>,
    options: Value,
}

impl State {
    /// Every chat command as a person would type it, with what it needs; for failed tests.
    fn known_commands(&self) -> String {
        let mut lines: Vec<String> = Vec::new();
        for command in self.commands.values() {
            match command.json["type"].as_u64() {
                Some(1) => paths(&mut lines, "", &command.json),
                kind => lines.push(format!("{} (type {kind:?})", command.json["name"])),
            }
        }
        lines.sort();
        lines.join("\n")
    }

    /// Finds a command by type and name among those that work in the channel.
    fn find_command(&self, kind: u64, name: &str, channel: u64) -> Outcome<Command> {
        let guild = self.channels.get(&channel).and_then(|one| one.guild_id);
        let named = |one: &&Command| one.json["type"] == kind && one.json["name"] == name;
        let here = |one: &&Command| match one.guild_id {
            Some(home) => guild == Some(home),
            None => works_in(&one.json, u64::from(guild.is_none())),
        };
        let found: Vec<&Command> = self.commands.values().filter(named).filter(here).collect();
        match found.as_slice() {
            [] => Err(format!(
                "no command {name:?} of type {kind} works in channel {channel}; registered are:\n{}",
                self.known_commands()
            )),
            [one] => Ok((*one).clone()),
            _ => Err(format!("command {name:?} would show twice: it is registered globally and in the guild")),
        }
    }

    /// Whether Discord would offer the command to this user here.
    fn check_allowed(&self, command: &Command, channel: u64, user: u64) -> Outcome<()> {
        let place = self.channels.get(&channel).ok_or_else(|| format!("there is no channel {channel}"))?;
        if place.guild_id.is_none() || self.admin_override {
            return Ok(());
        }
        let have = self.permissions(channel, user);
        if have & VIEW_CHANNEL == 0 || have & USE_APPLICATION_COMMANDS == 0 {
            return Err(format!("user {user} cannot use commands in channel {channel}"));
        }
        let Some(text) = command.json["default_member_permissions"].as_str() else {
            return Ok(());
        };
        let need: u64 = text.parse().unwrap_or(0);
        let enough = have & ADMINISTRATOR != 0 || (need != 0 && have & need == need);
        if enough {
            return Ok(());
        }
        Err(format!(
            "Discord would not offer {} to user {user}: it needs {need:#x} (see command_as_admin_override)",
            command.json["name"]
        ))
    }

    /// Finds a menu command of type 2 (user) or 3 (message).
    pub(crate) fn find_menu(&self, kind: u64, name: &str, channel: u64, user: u64) -> Outcome<Command> {
        let command = self.find_command(kind, name, channel)?;
        self.check_allowed(&command, channel, user)?;
        Ok(command)
    }

    /// Finds the chat command that `path` (`vanish exempt add`) names.
    pub(crate) fn find_chat(&self, path: &str, channel: u64, user: u64) -> Outcome<Found> {
        let mut words = path.trim_start_matches('/').split_whitespace();
        let name = words.next().unwrap_or_default();
        let command = self.find_command(1, name, channel)?;
        self.check_allowed(&command, channel, user)?;
        let mut steps = Vec::new();
        let mut options = command.json["options"].clone();
        for word in words {
            let next =
                items(&options).find(|one| one["name"] == word && matches!(one["type"].as_u64(), Some(1 | 2))).cloned();
            let Some(next) = next else {
                return Err(format!("no {word:?} in /{path}; registered are:\n{}", self.known_commands()));
            };
            steps.push((next["type"].as_u64().unwrap_or(1), word.to_owned()));
            options = next["options"].clone();
        }
        if items(&options).any(|one| matches!(one["type"].as_u64(), Some(1 | 2))) {
            return Err(format!("/{path} has subcommands; registered are:\n{}", self.known_commands()));
        }
        Ok(Found { command, steps, options })
    }

    /// The `data` of a command interaction. With `focused` it is for an autocompletion, whose
    /// values may be unfinished and whose required options may be missing.
    pub(crate) fn chat_data(
        &self,
        found: &Found,
        given: &Value,
        focused: Option<&str>,
        (user, channel): (u64, u64),
    ) -> Outcome<Value> {
        let given = given.as_object().cloned().unwrap_or_default();
        let options: Vec<&Value> = items(&found.options).collect();
        let names: Vec<&str> = options.iter().filter_map(|one| one["name"].as_str()).collect();
        if let Some(strange) = given.keys().find(|key| !names.contains(&key.as_str())) {
            return Err(format!("no option {strange:?}; there are {names:?}"));
        }
        let mut filled = Vec::new();
        let mut resolved = json!({});
        for option in options {
            let name = option["name"].as_str().unwrap_or_default();
            let is_focused = focused == Some(name);
            let Some(value) = given.get(name).filter(|value| !value.is_null()) else {
                if is_focused {
                    return Err(format!("the focused option {name:?} needs a value, even if it is \"\""));
                }
                if option["required"] == true && focused.is_none() {
                    return Err(format!("option {name:?} is required"));
                }
                continue;
            };
            let value = if is_focused {
                if option["autocomplete"] != true {
                    return Err(format!("option {name:?} does not complete"));
                }
                json!(value.as_str().map_or_else(|| value.to_string(), str::to_owned))
            } else {
                self.option_value(option, value, &mut resolved, (user, channel))
                    .map_err(|problem| format!("option {name:?}: {problem}"))?
            };
            let mut entry = json!({"name": name, "type": option["type"], "value": value});
            if is_focused {
                entry["focused"] = json!(true);
            }
            filled.push(entry);
        }
        if let Some(name) = focused.filter(|name| !names.contains(name)) {
            return Err(format!("no option {name:?} to complete; there are {names:?}"));
        }
        let mut options = Value::Array(filled);
        for (kind, name) in found.steps.iter().rev() {
            options = json!([{"type": kind, "name": name, "options": options}]);
        }
        let mut data = head(&found.command);
        data["options"] = options;
        if resolved.as_object().is_some_and(|map| !map.is_empty()) {
            data["resolved"] = resolved;
        }
        Ok(data)
    }

    fn option_value(
        &self,
        option: &Value,
        value: &Value,
        resolved: &mut Value,
        (user, channel): (u64, u64),
    ) -> Outcome<Value> {
        let kind = option["type"].as_u64().unwrap_or(0);
        let id = || body_id(value).ok_or_else(|| format!("{value} is not an id"));
        match kind {
            3 => check_text(option, value)?,
            4 if value.as_i64().is_none() => return Err(format!("{value} is not a whole number")),
            10 if !value.is_number() => return Err(format!("{value} is not a number")),
            4 | 10 => check_number(option, value)?,
            5 if !value.is_boolean() => return Err(format!("{value} is not a boolean")),
            6 if !self.resolve_user(resolved, channel, id()?) => {
                return Err(format!("no user {value}"));
            }
            7 => {
                let found = self.resolve_channel(resolved, user, id()?);
                let kind = found.ok_or_else(|| format!("no channel {value}"))?.kind;
                let mut wanted = items(&option["channel_types"]).peekable();
                if wanted.peek().is_some() && !wanted.any(|one| *one == kind) {
                    return Err(format!("channels of type {kind} cannot be picked"));
                }
            }
            8 if !self.resolve_role(resolved, channel, id()?) => {
                return Err(format!("no role {value}"));
            }
            9 => {
                let id = id()?;
                if !self.resolve_user(resolved, channel, id) && !self.resolve_role(resolved, channel, id) {
                    return Err(format!("no user or role {value}"));
                }
            }
            5 | 6 | 8 => {}
            11 => return Ok(attachment(value, resolved)),
            _ => return Err(format!("options of type {kind} cannot be given")),
        }
        if matches!(kind, 6..=9) {
            return Ok(json!(id()?.to_string()));
        }
        check_choices(option, value)?;
        Ok(value.clone())
    }
}

/// A file given as `{"filename", "size", "content_type", "url"}`, each of which may be missing.
fn attachment(value: &Value, resolved: &mut Value) -> Value {
    let id = "1200000000000000001";
    let text = |key: &str, default: &str| json!(value[key].as_str().unwrap_or(default));
    resolved["attachments"][id] = json!({
        "id": id, "filename": text("filename", "file.bin"),
        "size": value["size"].as_u64().unwrap_or(1), "url": text("url", "https://cdn.invalid/file"),
        "proxy_url": text("url", "https://cdn.invalid/file"), "ephemeral": true,
        "content_type": text("content_type", "application/octet-stream"),
    });
    json!(id)
}

fn check_text(option: &Value, value: &Value) -> Outcome<()> {
    let length = value.as_str().ok_or_else(|| format!("{value} is not a text"))?.chars().count() as u64;
    let low = option["min_length"].as_u64().unwrap_or(0);
    let high = option["max_length"].as_u64().unwrap_or(6000);
    if (low..=high).contains(&length) {
        return Ok(());
    }
    Err(format!("the client accepts {low} to {high} characters, not {length}"))
}

fn check_number(option: &Value, value: &Value) -> Outcome<()> {
    let number = value.as_f64().unwrap_or(0.0);
    let low = option["min_value"].as_f64().unwrap_or(-9_007_199_254_740_992.0);
    let high = option["max_value"].as_f64().unwrap_or(9_007_199_254_740_992.0);
    if (low..=high).contains(&number) {
        return Ok(());
    }
    Err(format!("the client accepts {low} to {high}, not {number}"))
}

fn check_choices(option: &Value, value: &Value) -> Outcome<()> {
    let choices: Vec<&Value> = items(&option["choices"]).map(|one| &one["value"]).collect();
    let same = |choice: &&Value| *choice == value || (value.is_number() && choice.as_f64() == value.as_f64());
    if choices.is_empty() || choices.iter().any(same) {
        return Ok(());
    }
    Err(format!("{value} is not one of {choices:?}"))
}

/// The part of `data` all command interactions share.
pub(crate) fn head(command: &Command) -> Value {
    let mut data = json!({
        "id": command.id.to_string(), "name": command.json["name"], "type": command.json["type"],
    });
    if let Some(guild) = command.guild_id {
        data["guild_id"] = json!(guild.to_string());
    }
    data
}

/// Whether a global command works in a context: 0 guild, 1 direct message with the bot.
fn works_in(command: &Value, context: u64) -> bool {
    match command["contexts"].as_array() {
        Some(contexts) => contexts.iter().any(|one| *one == context),
        None => context == 0 || command["dm_permission"] != false,
    }
}

fn paths(lines: &mut Vec<String>, prefix: &str, part: &Value) {
    let name = format!("{prefix}{}", part["name"].as_str().unwrap_or_default());
    let (nested, leaves): (Vec<&Value>, Vec<&Value>) =
        items(&part["options"]).partition(|one| matches!(one["type"].as_u64(), Some(1 | 2)));
    for one in &nested {
        paths(lines, &format!("{name} "), one);
    }
    if nested.is_empty() {
        let options: Vec<String> = leaves
            .iter()
            .map(|one| {
                let mark = if one["required"] == true { "" } else { "?" };
                format!("{}{mark}", one["name"].as_str().unwrap_or_default())
            })
            .collect();
        lines.push(format!("{name} [{}]", options.join(" ")));
    }
}
