//! What each value must be. A rule names the rule, never the value: any text may be a secret in the wrong place.

use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;
use reqwest::Url;
use tracing_subscriber::EnvFilter;

use super::catalogue::{self, Key};
use super::layers::{Entry, Merged};
use super::problem::Problem;
use crate::secret::DatabaseUrl;

/// The least and the greatest value of each whole number; a test holds config.toml's comments to them.
pub(super) const BOUNDS: [(&str, i64, i64); 43] = [
    ("http.port", 0, 65_535),
    ("http.header_timeout_seconds", 1, 300),
    ("http.body_timeout_seconds", 1, 600),
    ("http.request_timeout_seconds", 1, 600),
    ("http.connections_max", 1, 65_535),
    ("http.body_bytes_max", 1_024, 16_777_216),
    ("http.header_bytes_max", 8_192, 1_048_576),
    ("database.readers_max", 1, 64),
    ("database.pool_connections_max", 2, 1_000),
    ("database.acquire_timeout_seconds", 1, 60),
    ("database.statement_timeout_seconds", 1, 300),
    ("database.idle_in_transaction_timeout_seconds", 1, 300),
    ("database.copies_kept", 1, 100),
    ("discord.requests_per_second", 1, 50),
    ("discord.connect_timeout_seconds", 1, 60),
    ("discord.request_timeout_seconds", 1, 120),
    ("discord.invalid_requests_max", 1, 9_999),
    ("keys.max_active_per_user", 0, 1_000),
    ("keys.chat_lifetime_days", 1, 365),
    ("keys.chat_overlap_hours", 0, 168),
    ("keys.chat_active_max", 1, 20),
    ("keys.claim_lifetime_minutes", 1, 60),
    ("limits.root_per_minute", 0, 1_000_000),
    ("limits.admin_per_minute", 1, 1_000_000),
    ("limits.key_per_minute", 1, 1_000_000),
    ("limits.user_per_minute", 1, 1_000_000),
    ("limits.user_writes_per_minute", 1, 1_000_000),
    ("limits.anonymous_per_minute", 1, 1_000_000),
    ("limits.documents_per_minute", 1, 1_000_000),
    ("limits.sign_in_per_15_minutes", 1, 1_000_000),
    ("limits.sign_in_address_per_15_minutes", 1, 1_000_000),
    ("limits.refresh_per_15_minutes", 1, 1_000_000),
    ("limits.callers_max", 1_000, 10_000_000),
    ("vanish.arm_delay_seconds", 0, 3_600),
    ("vanish.preview_messages_max", 1, 100_000),
    ("vanish.calls_per_second_max", 1, 50),
    ("vanish.old_deletes_per_second", 1, 50),
    ("vanish.sweep_period_milliseconds", 10, 60_000),
    ("vanish.channels_at_once", 1, 1_000),
    ("applications.quorum", 1, 100),
    ("applications.deadline_hours", 0, 2_160),
    ("leases.duration_seconds", 1, 300),
    ("shutdown.grace_seconds", 1, 300),
];

const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

/// What people write who mean a level, beside plain misspellings of it.
const NEARLY_LEVELS: [&str; 3] = ["warning", "verbose", "none"];

/// What a key wants, as words for a value of another kind or out of bounds.
pub(super) fn wanted(key: &Key) -> String {
    match &key.default {
        toml::Value::Integer(_) => {
            let (least, greatest) = bounds(&key.path());
            format!("must be a whole number from {least} to {greatest}")
        }
        toml::Value::Boolean(_) => "must be true or false".to_owned(),
        toml::Value::Array(_) => "must be a list of texts".to_owned(),
        _ => "must be a text".to_owned(),
    }
}

fn bounds(path: &str) -> (i64, i64) {
    let own = BOUNDS.iter().find(|(key, _, _)| *key == path);
    own.map_or((1, i64::MAX), |(_, least, greatest)| (*least, *greatest))
}

/// Checks every value on its own, then the values that depend on each other.
pub(super) fn check(merged: &Merged, problems: &mut Vec<Problem>) {
    for entry in &merged.entries {
        if let Err(reason) = value(entry) {
            problems.push(entry.problem(reason));
        }
    }
    check_proxy(merged, problems);
}

fn value(entry: &Entry) -> Result<(), String> {
    let path = entry.key.path();
    match &entry.value {
        toml::Value::Integer(number) => {
            let (least, greatest) = bounds(&path);
            let inside = (least..=greatest).contains(number);
            inside.then_some(()).ok_or_else(|| wanted(&entry.key))
        }
        toml::Value::String(text) => self::text(&path, text),
        toml::Value::Array(items) => {
            let rule = list_rule(&path);
            items.iter().filter_map(toml::Value::as_str).try_for_each(rule)
        }
        _ => Ok(()),
    }
}

fn text(path: &str, text: &str) -> Result<(), String> {
    match path {
        "http.host" => host(text),
        "http.public_url" => optional(text, public_url),
        "database.url" => DatabaseUrl::parse(text).map(drop).map_err(|error| error.to_string()),
        "discord.api_proxy" => optional(text, proxy),
        "discord.client_id" => optional(text, account),
        "discord.oauth_url" => optional(text, oauth),
        "ens.rpc_url" => optional(text, node),
        "metrics.listen" => optional(text, loopback_address),
        "keys.shape" => one_of(text, &["live", "test", "compatible"]),
        "applications.threshold" => one_of(text, &["majority", "two_thirds", "unanimous", "quorum"]),
        "compat.guild_id" => optional(text, guild),
        "log.format" => one_of(text, &["auto", "human", "json"]),
        "log.level" => directives(text),
        _ => Ok(()),
    }
}

fn list_rule(path: &str) -> fn(&str) -> Result<(), String> {
    match path {
        "http.trusted_proxies" => network,
        "discord.bot_admins" => accounts,
        "sign_in.chains" => chain,
        _ => origin,
    }
}

fn network(text: &str) -> Result<(), String> {
    if text.parse::<IpNet>().is_ok() || text.parse::<IpAddr>().is_ok() {
        return Ok(());
    }
    refuse("must list networks or addresses: 10.0.0.0/8, 192.0.2.7 or 2001:db8::/32")
}

fn is_id(text: &str) -> bool {
    text.parse::<u64>().is_ok_and(|id| id != 0 && id.to_string() == text)
}

fn accounts(text: &str) -> Result<(), String> {
    if is_id(text) { Ok(()) } else { refuse("must list ids of Discord accounts, in digits") }
}

fn account(text: &str) -> Result<(), String> {
    if is_id(text) { Ok(()) } else { refuse("must be the application's id, in digits") }
}

fn guild(text: &str) -> Result<(), String> {
    if is_id(text) { Ok(()) } else { refuse("must be the id of a Discord server, in digits") }
}

fn chain(text: &str) -> Result<(), String> {
    if is_id(text) { Ok(()) } else { refuse("must list ids of chains, in digits") }
}

/// The client's secret goes there.
fn oauth(text: &str) -> Result<(), String> {
    match web_address(text) {
        Some(url) if url.path() == "/" && (url.scheme() == "https" || is_loopback(&url)) => Ok(()),
        _ => refuse("must be an https address, or one of this machine, with nothing after host and port"),
    }
}

/// What people are called travels there.
fn node(text: &str) -> Result<(), String> {
    match web_address(text) {
        Some(url) if url.scheme() == "https" || is_loopback(&url) => Ok(()),
        _ => refuse("must be an https address, or one of this machine, without credentials, query or fragment"),
    }
}

fn optional(text: &str, rule: fn(&str) -> Result<(), String>) -> Result<(), String> {
    if text.is_empty() { Ok(()) } else { rule(text) }
}

fn refuse<T>(reason: &str) -> Result<T, String> {
    Err(reason.to_owned())
}

fn host(text: &str) -> Result<(), String> {
    if text == "localhost" || text.parse::<IpAddr>().is_ok() {
        return Ok(());
    }
    refuse("must be an IP address or localhost")
}

fn web_address(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    let plain = matches!(url.scheme(), "http" | "https")
        && url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    plain.then_some(url)
}

fn public_url(text: &str) -> Result<(), String> {
    match web_address(text) {
        Some(_) => Ok(()),
        None => refuse("must be an http or https address without credentials, query or fragment"),
    }
}

fn proxy(text: &str) -> Result<(), String> {
    match web_address(text) {
        Some(url) if url.path() == "/" => Ok(()),
        _ => refuse("must be an http or https address with nothing after host and port"),
    }
}

fn loopback_address(text: &str) -> Result<(), String> {
    match text.parse::<SocketAddr>() {
        Ok(address) if address.ip().is_loopback() => Ok(()),
        _ => refuse("must be a loopback address with a port, as metrics are served without a key"),
    }
}

fn one_of(text: &str, choices: &[&str]) -> Result<(), String> {
    if choices.contains(&text) {
        return Ok(());
    }
    Err(format!("must be one of {}", choices.join(", ")))
}

/// An origin as browsers send it, since the comparison is by text.
fn origin(text: &str) -> Result<(), String> {
    const WANTED: &str = "must list origins: scheme://host or scheme://host:port, in lower case, without a path, \
                          or * alone";
    if text == "*" {
        return Ok(());
    }
    let Ok(url) = Url::parse(text) else {
        return refuse(WANTED);
    };
    let rest = text.split_once("://").map_or("", |(_, rest)| rest);
    let bare = !rest.is_empty() && !rest.contains(['/', '?', '#', '@', '\\']);
    // A port that is the scheme's own is left out by browsers, so that it would never match.
    let tuple = url.origin().is_tuple();
    if bare && (!tuple || url.origin().ascii_serialization() == text) {
        return Ok(());
    }
    refuse(WANTED)
}

fn directives(text: &str) -> Result<(), String> {
    const WANTED: &str = "must be a level (off, error, warn, info, debug, trace) or directives";
    if text.trim().is_empty() || EnvFilter::builder().parse(text).is_err() {
        return refuse(WANTED);
    }
    // `inof` is a directive for a target of that name, which would silence everything else.
    let misspelt = text.split(',').map(str::trim).any(|part| {
        let part = part.to_lowercase();
        !LEVELS.contains(&part.as_str())
            && (NEARLY_LEVELS.contains(&part.as_str())
                || catalogue::nearest(&part, LEVELS.map(str::to_owned)).is_some())
    });
    if misspelt { refuse(WANTED) } else { Ok(()) }
}

/// Plain http would show the bot's token to everyone on the way.
fn check_proxy(merged: &Merged, problems: &mut Vec<Problem>) {
    let (Some(proxy), Some(insecure)) = (merged.get("discord.api_proxy"), merged.get("discord.allow_insecure_proxy"))
    else {
        return;
    };
    let url = proxy.value.as_str().and_then(web_address);
    let remote_http = url.is_some_and(|url| url.scheme() == "http" && !is_loopback(&url));
    if remote_http && insecure.value.as_bool() != Some(true) {
        problems.push(proxy.problem(
            "would send the bot's token unencrypted to another machine; use https, or set \
             discord.allow_insecure_proxy",
        ));
    }
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// Checks one secret; the reason tells nothing of it.
pub(super) fn secret(name: &str, text: &str) -> Result<(), &'static str> {
    let visible = !text.chars().any(char::is_control) && text.trim() == text;
    match name {
        "API_KEY" if text.chars().count() < 32 => Err("must be at least 32 characters long"),
        "JWT_SECRET" | "JWT_SECRET_PREVIOUS" if text.len() < 32 => Err("must be at least 32 bytes long"),
        "ADMIN_SECRET_KEY" if text.chars().count() < 16 => Err("must be at least 16 characters long"),
        "DISCORD_TOKEN" if text.contains(char::is_whitespace) => {
            Err("must be the token alone, without spaces and without `Bot ` before it")
        }
        // Keys travel in headers, where neither could ever be sent.
        "API_KEY" | "ADMIN_SECRET_KEY" | "DISCORD_TOKEN" | "DISCORD_CLIENT_SECRET" if !visible => {
            Err("must hold no control characters and no spaces at its ends")
        }
        _ => Ok(()),
    }
}
