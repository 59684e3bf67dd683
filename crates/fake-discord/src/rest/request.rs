//! A request as handlers see it, and what they answer.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::multipart::Upload;
use crate::oauth::Grant;
use crate::permission;
use crate::state::State;
use crate::{APPLICATION_ID, BOT_USER_ID};

pub(crate) type Result<T> = std::result::Result<T, ApiError>;

/// A matched request.
pub(crate) struct Req {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) params: Vec<(&'static str, String)>,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) body: Value,
    pub(crate) files: Vec<Upload>,
    pub(crate) is_form: bool,
    pub(crate) authorization: Option<String>,
    /// What the person who calls has allowed; None where the bot calls.
    pub(crate) grant: Option<Grant>,
}

impl Req {
    pub(crate) fn param(&self, name: &str) -> &str {
        let found = self.params.iter().find(|(key, _)| *key == name);
        found.map_or("", |(_, value)| value)
    }

    /// A path parameter that must be an id.
    pub(crate) fn id(&self, name: &'static str) -> Result<u64> {
        let text = self.param(name);
        if name == "user_id" && text == "@me" {
            return Ok(BOT_USER_ID);
        }
        if name == "application_id" && text == "@me" {
            return Ok(APPLICATION_ID);
        }
        parse_id(text).ok_or_else(|| not_snowflake(name, text))
    }

    /// A field of a form, "" where it is missing.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.body[name].as_str().unwrap_or_default()
    }

    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        let found = self.query.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    pub(crate) fn query_flag(&self, name: &str) -> bool {
        self.query(name).is_some_and(|value| matches!(value, "true" | "True" | "1"))
    }

    /// An id in the query; 0 is allowed there.
    pub(crate) fn query_id(&self, name: &'static str) -> Result<Option<u64>> {
        let Some(text) = self.query(name) else {
            return Ok(None);
        };
        // Clients page from 0, which is no id but older than every one.
        let zero = (text == "0").then_some(0);
        parse_id(text).or(zero).map(Some).ok_or_else(|| not_snowflake(name, text))
    }

    /// `limit`, within its bounds.
    pub(crate) fn limit(&self, low: usize, high: usize, default: usize) -> Result<usize> {
        let Some(text) = self.query("limit") else {
            return Ok(default);
        };
        text.parse().ok().filter(|limit| (low..=high).contains(limit)).ok_or_else(|| {
            let message = format!("int value should be between {low} and {high}.");
            ApiError::form("limit", "NUMBER_TYPE_RANGE", &message)
        })
    }
}

fn not_snowflake(name: &str, text: &str) -> ApiError {
    let message = format!("Value \"{text}\" is not snowflake.");
    ApiError::form(name, "NUMBER_TYPE_COERCE", &message)
}

/// An id as Discord accepts it in a path: decimal digits, above zero.
pub(crate) fn parse_id(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok())?.filter(|id| *id > 0)
}

/// An id in a body: a string, or a number as some libraries send it.
pub(crate) fn body_id(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| parse_id(value.as_str()?))
}

/// A success.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: Option<Value>,
}

#[allow(clippy::unnecessary_wraps, reason = "handlers end with one of these")]
impl Reply {
    pub(crate) fn ok(body: Value) -> Result<Self> {
        Ok(Self { status: 200, body: Some(body) })
    }

    pub(crate) fn created(body: Value) -> Result<Self> {
        Ok(Self { status: 201, body: Some(body) })
    }

    pub(crate) fn no_content() -> Result<Self> {
        Ok(Self { status: 204, body: None })
    }
}

/// One of Discord's errors.
#[derive(Debug)]
pub(crate) struct ApiError {
    pub(crate) status: u16,
    pub(crate) code: u64,
    pub(crate) message: String,
    pub(crate) errors: Option<Value>,
}

impl ApiError {
    pub(crate) fn new(status: u16, code: u64, message: &str) -> Self {
        Self { status, code, message: message.to_owned(), errors: None }
    }

    /// "Invalid Form Body" for one field.
    pub(crate) fn form(field: &str, code: &str, message: &str) -> Self {
        let mut problems = Problems::default();
        problems.add(field, code, message);
        problems.into_error()
    }

    pub(crate) fn json(&self) -> Value {
        let mut value = json!({"code": self.code, "message": self.message});
        if let Some(errors) = &self.errors {
            value["errors"] = errors.clone();
        }
        value
    }

    pub(crate) fn unauthorized() -> Self {
        Self::new(401, 0, "401: Unauthorized")
    }

    pub(crate) fn unknown_channel() -> Self {
        Self::new(404, 10003, "Unknown Channel")
    }

    pub(crate) fn unknown_guild() -> Self {
        Self::new(404, 10004, "Unknown Guild")
    }

    pub(crate) fn unknown_member() -> Self {
        Self::new(404, 10007, "Unknown Member")
    }

    pub(crate) fn unknown_message() -> Self {
        Self::new(404, 10008, "Unknown Message")
    }

    pub(crate) fn unknown_role() -> Self {
        Self::new(404, 10011, "Unknown Role")
    }

    pub(crate) fn unknown_user() -> Self {
        Self::new(404, 10013, "Unknown User")
    }

    pub(crate) fn missing_access() -> Self {
        Self::new(403, 50001, "Missing Access")
    }

    pub(crate) fn missing_permissions() -> Self {
        Self::new(403, 50013, "Missing Permissions")
    }
}

/// Form errors, gathered by dotted path (`embeds.0.title`).
#[derive(Default)]
pub(crate) struct Problems(Vec<(String, String, String)>);

impl Problems {
    pub(crate) fn add(&mut self, path: &str, code: &str, message: &str) {
        self.0.push((path.into(), code.into(), message.into()));
    }

    pub(crate) fn too_long(&mut self, path: &str, limit: usize) {
        let message = format!("Must be {limit} or fewer in length.");
        self.add(path, "BASE_TYPE_MAX_LENGTH", &message);
    }

    pub(crate) fn required(&mut self, path: &str) {
        self.add(path, "BASE_TYPE_REQUIRED", "This field is required");
    }

    pub(crate) fn check(self) -> Result<()> {
        if self.0.is_empty() {
            return Ok(());
        }
        Err(self.into_error())
    }

    fn into_error(self) -> ApiError {
        let mut errors = json!({});
        for (path, code, message) in self.0 {
            let mut at = &mut errors;
            for step in path.split('.') {
                at = &mut at[step];
            }
            let entry = json!({"code": code, "message": message});
            match at["_errors"].as_array_mut() {
                Some(list) => list.push(entry),
                None => at["_errors"] = json!([entry]),
            }
        }
        let mut error = ApiError::new(400, 50035, "Invalid Form Body");
        error.errors = Some(errors);
        error
    }
}

/// Undoes percent-encoding.
pub(crate) fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let code = (bytes[at] == b'%')
            .then(|| bytes.get(at + 1..at + 3))
            .flatten()
            .and_then(|pair| std::str::from_utf8(pair).ok())
            .and_then(|pair| u8::from_str_radix(pair, 16).ok());
        out.push(code.unwrap_or(bytes[at]));
        at += if code.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Percent-encodes a value of a query.
pub(crate) fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            write!(out, "%{byte:02X}").ok();
        }
    }
    out
}

pub(crate) fn query_pairs(query: &str) -> Vec<(String, String)> {
    query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(key, value)| (decode(key), decode(&value.replace('+', " "))))
        .collect()
}

/// Authorization of the bot.
impl State {
    /// Fails unless the bot is in the guild.
    pub(crate) fn need_guild(&self, guild_id: u64) -> Result<()> {
        let guild = self.guilds.get(&guild_id).ok_or_else(ApiError::unknown_guild)?;
        if guild.members.contains_key(&BOT_USER_ID) {
            return Ok(());
        }
        Err(ApiError::missing_access())
    }

    /// Fails unless the bot has these permissions in the guild as a whole.
    pub(crate) fn need_in_guild(&self, guild_id: u64, bits: u64) -> Result<()> {
        self.need_guild(guild_id)?;
        let have = permission::base(&self.guilds[&guild_id], BOT_USER_ID);
        if have & bits == bits {
            return Ok(());
        }
        Err(ApiError::missing_permissions())
    }

    /// Fails unless the bot may come to the messages of the channel; in a voice or stage channel that takes Connect.
    pub(crate) fn need_chat(&self, channel_id: u64) -> Result<()> {
        self.need(channel_id, 0)?;
        let in_voice = self.channels.get(&channel_id).is_some_and(|one| matches!(one.kind, 2 | 13));
        if in_voice && self.permissions(channel_id, BOT_USER_ID) & permission::CONNECT == 0 {
            return Err(ApiError::missing_access());
        }
        Ok(())
    }

    /// Fails unless the bot sees the channel and has these permissions there.
    pub(crate) fn need(&self, channel_id: u64, bits: u64) -> Result<()> {
        let channel = self.channels.get(&channel_id);
        let channel = channel.ok_or_else(ApiError::unknown_channel)?;
        if let Some(guild) = channel.guild_id {
            self.need_guild(guild)?;
        }
        let have = self.permissions(channel_id, BOT_USER_ID);
        if have & permission::VIEW_CHANNEL == 0 {
            return Err(ApiError::missing_access());
        }
        if have & bits == bits {
            return Ok(());
        }
        Err(ApiError::missing_permissions())
    }
}
