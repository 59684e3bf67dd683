//! What a key is to be: as it was asked for, and as it was checked.
//!
//! Invariant: what is stored has passed these checks, so that readers need not repeat them.

use std::net::{IpAddr, Ipv4Addr};

use chrono::{DateTime, SubsecRound as _, TimeDelta, Utc};
use entity::{
    api_key::Preset,
    id::{GuildId, UserId},
};
use ipnet::{IpNet, Ipv4Net};
use serde::{Deserialize, Serialize};

use super::{
    format::Shape,
    limit::{self, RateLimit},
    refusal::KeyRefusal,
};
use crate::domain::{
    Actor, Error, Right,
    scope::{SCOPES_MAX, Scope, Scopes},
};

/// Longest name of a key, and of the program that uses it, in characters.
pub const NAME_CHARACTERS_MAX: usize = 100;
/// Longest description and longest reason, in characters.
pub const TEXT_CHARACTERS_MAX: usize = 500;
/// Most origins, and most networks, of one key.
pub const ENTRIES_MAX: usize = 64;
/// Longest life of a key.
const LIFETIME_DAYS_MAX: i64 = 36_500;
/// Longest name of a host, with its port.
const HOST_CHARACTERS_MAX: usize = 253;
/// Longest scope that is repeated in a refusal, and how many of them.
const REPEATED_CHARACTERS_MAX: usize = 64;
const REPEATED_MAX: usize = 5;

/// A key to be made. It can be kept until somebody claims it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewKey {
    /// For people.
    pub name: String,
    /// For people.
    pub description: Option<String>,
    /// The program that will use it.
    pub client_name: Option<String>,
    /// Whose key it is.
    pub user_id: Option<UserId>,
    /// The only guild that it may touch.
    pub guild_id: Option<GuildId>,
    /// A common choice of scopes and limits.
    pub preset: Option<Preset>,
    /// What it may do; none takes the preset's scopes, else `read` and `write`.
    pub scopes: Option<Vec<String>>,
    /// Domains for which it may sign people in.
    pub allowed_origins: Vec<String>,
    /// Where it may be used from; empty is everywhere.
    pub ip_allowlist: Vec<String>,
    /// Its own limits; empty takes the preset's, else those of its class.
    pub rate_limits: Vec<RateLimit>,
    /// The end of its life.
    pub expires_at: Option<DateTime<Utc>>,
    /// What it looks like.
    pub shape: Shape,
    /// Whether it waits until its delivery is confirmed; revoked after a minute without.
    pub delivering: bool,
    /// Most active keys of its owner, where the face asks for fewer than the settings.
    pub active_max: Option<u32>,
}

impl NewKey {
    /// A key with this name and nothing else; it reads and writes.
    pub fn named(name: impl Into<String>, shape: Shape) -> Self {
        Self {
            name: name.into(),
            description: None,
            client_name: None,
            user_id: None,
            guild_id: None,
            preset: None,
            scopes: None,
            allowed_origins: Vec::new(),
            ip_allowlist: Vec::new(),
            rate_limits: Vec::new(),
            expires_at: None,
            shape,
            delivering: false,
            active_max: None,
        }
    }
}

/// What of a key has been checked.
#[derive(Clone, Debug)]
pub(super) struct Checked {
    pub(super) name: String,
    pub(super) description: Option<String>,
    pub(super) client_name: Option<String>,
    pub(super) scopes: Scopes,
    pub(super) allowed_origins: Vec<String>,
    pub(super) ip_allowlist: Vec<IpNet>,
    pub(super) rate_limits: Vec<RateLimit>,
    pub(super) expires_at: Option<DateTime<Utc>>,
}

impl Checked {
    /// Checks everything but the rights of the maker.
    pub(super) fn new(new: &NewKey, now: DateTime<Utc>) -> Result<Self, KeyRefusal> {
        let mut rate_limits = new.rate_limits.clone();
        limit::check(&rate_limits)?;
        if rate_limits.is_empty() {
            rate_limits.extend(new.preset.map(RateLimit::of_preset));
        }
        Ok(Self {
            name: name(&new.name)?,
            description: text("/description", "The description", new.description.as_deref())?,
            client_name: new.client_name.as_deref().map(client_name).transpose()?,
            scopes: scopes(new.scopes.as_deref(), new.preset, new.guild_id)?,
            allowed_origins: origins(&new.allowed_origins)?,
            ip_allowlist: networks(&new.ip_allowlist)?,
            rate_limits,
            expires_at: new.expires_at.map(|at| expiry(at, now)).transpose()?,
        })
    }
}

/// Refuses unless the actor may manage the keys of this guild, or of the whole installation.
///
/// A key manages keys only where it may do so everywhere: one that is bound to a guild manages none, not even there.
pub(super) fn require(actor: &Actor, guild_id: Option<GuildId>) -> Result<(), Error> {
    let guild_id = if matches!(actor, Actor::Key(_)) { None } else { guild_id };
    actor.require(Right::ManageKeys, guild_id)
}

/// Refuses scopes that the actor does not have itself.
pub(super) fn require_grantable(actor: &Actor, scopes: &Scopes) -> Result<(), KeyRefusal> {
    let own = match actor {
        Actor::Root { .. } | Actor::System | Actor::User(_) | Actor::Account(_) => return Ok(()),
        Actor::Member(member) if member.is_bot_admin => return Ok(()),
        Actor::Member(member) => Scopes::all_of(member.guild_id),
        Actor::Key(key) => key.scopes.clone(),
        Actor::CurrencyActor { .. } => Scopes::default(),
    };
    match own.beyond(scopes) {
        Some(scope) => Err(KeyRefusal::BeyondMaker { scope: scope.to_string(), available: own.names() }),
        None => Ok(()),
    }
}

/// The scopes of a type of keys.
fn preset_scopes(preset: Option<Preset>) -> &'static [&'static str] {
    match preset {
        Some(Preset::DiscordBot) => &["read"],
        Some(Preset::Admin) => &["admin"],
        None => &["read", "write"],
    }
}

/// Reads scopes: inside the guild of a bound key, and within what its type allows.
pub(super) fn scopes(
    asked: Option<&[String]>,
    preset: Option<Preset>,
    guild_id: Option<GuildId>,
) -> Result<Scopes, KeyRefusal> {
    let usual: Vec<Scope> = preset_scopes(preset).iter().filter_map(|text| text.parse().ok()).collect();
    let Some(texts) = asked else { return inside(usual, guild_id) };
    if texts.len() > SCOPES_MAX {
        return Err(KeyRefusal::TooMany { pointer: "/scopes", what: "scopes", max: SCOPES_MAX });
    }
    let mut found = Vec::new();
    let mut unknown = Vec::new();
    for text in texts {
        match text.parse::<Scope>() {
            Ok(scope) if !found.contains(&scope) => found.push(scope),
            Err(_) if unknown.len() < REPEATED_MAX => {
                unknown.push(text.chars().take(REPEATED_CHARACTERS_MAX).collect::<String>().escape_debug().to_string());
            }
            Ok(_) | Err(_) => {}
        }
    }
    if !unknown.is_empty() {
        return Err(KeyRefusal::UnknownScopes(unknown));
    }
    if let Some(preset) = preset
        && let Some(scope) = Scopes(usual).beyond(&Scopes(found.clone()))
    {
        return Err(KeyRefusal::ScopeBeyondPreset { scope: scope.to_string(), preset });
    }
    inside(found, guild_id)
}

fn inside(scopes: Vec<Scope>, guild_id: Option<GuildId>) -> Result<Scopes, KeyRefusal> {
    let Some(guild_id) = guild_id else { return Ok(Scopes(scopes)) };
    let mut bound = Vec::with_capacity(scopes.len());
    for scope in scopes {
        let inside = scope.within(guild_id).ok_or_else(|| KeyRefusal::ScopeOutsideGuild(scope.to_string()))?;
        if !bound.contains(&inside) {
            bound.push(inside);
        }
    }
    Ok(Scopes(bound))
}

/// Checks the name of a key.
pub(super) fn name(name: &str) -> Result<String, KeyRefusal> {
    line("/name", "The name", name)
}

/// Checks the name of the program that uses a key.
pub(super) fn client_name(name: &str) -> Result<String, KeyRefusal> {
    line("/clientName", "The name of the client", name)
}

/// One line that says something.
fn line(pointer: &'static str, what: &'static str, text: &str) -> Result<String, KeyRefusal> {
    let is_short = text.chars().take(NAME_CHARACTERS_MAX + 1).count() <= NAME_CHARACTERS_MAX;
    if is_short && !text.trim().is_empty() && !text.chars().any(char::is_control) {
        return Ok(text.to_owned());
    }
    Err(KeyRefusal::BadText { pointer, what, min: 1, max: NAME_CHARACTERS_MAX })
}

/// A description or a reason; an empty one is none.
pub(super) fn text(
    pointer: &'static str,
    what: &'static str,
    text: Option<&str>,
) -> Result<Option<String>, KeyRefusal> {
    let Some(text) = text.filter(|text| !text.trim().is_empty()) else { return Ok(None) };
    let is_short = text.chars().take(TEXT_CHARACTERS_MAX + 1).count() <= TEXT_CHARACTERS_MAX;
    if is_short && !text.chars().any(|one| one.is_control() && !matches!(one, '\n' | '\r' | '\t')) {
        return Ok(Some(text.to_owned()));
    }
    Err(KeyRefusal::BadText { pointer, what, min: 0, max: TEXT_CHARACTERS_MAX })
}

/// An end of a life, to the millisecond.
pub(super) fn expiry(at: DateTime<Utc>, now: DateTime<Utc>) -> Result<DateTime<Utc>, KeyRefusal> {
    let at = at.trunc_subsecs(3);
    if at > now && at <= now + TimeDelta::days(LIFETIME_DAYS_MAX) { Ok(at) } else { Err(KeyRefusal::BadExpiry) }
}

/// Reads origins: `host`, `host:port` or `*.host`, in lower case.
pub fn origins(texts: &[String]) -> Result<Vec<String>, KeyRefusal> {
    if texts.len() > ENTRIES_MAX {
        return Err(KeyRefusal::TooMany { pointer: "/allowedOrigins", what: "allowed origins", max: ENTRIES_MAX });
    }
    let mut origins = Vec::with_capacity(texts.len());
    for (at, text) in texts.iter().enumerate() {
        let origin = text.to_ascii_lowercase();
        if !is_origin(&origin) {
            return Err(KeyRefusal::BadOrigin(at + 1));
        }
        if !origins.contains(&origin) {
            origins.push(origin);
        }
    }
    Ok(origins)
}

fn is_origin(text: &str) -> bool {
    if text.len() > HOST_CHARACTERS_MAX {
        return false;
    }
    let (is_wild, rest) = match text.strip_prefix("*.") {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    if let Some(address) = rest.strip_prefix('[') {
        let Some((address, port)) = address.split_once(']') else { return false };
        let is_port = port.is_empty() || port.strip_prefix(':').is_some_and(is_port);
        return !is_wild && is_port && address.parse::<std::net::Ipv6Addr>().is_ok();
    }
    let (host, port) = rest.split_once(':').map_or((rest, None), |(host, port)| (host, Some(port)));
    if !port.is_none_or(is_port) {
        return false;
    }
    let last = host.rsplit('.').next().unwrap_or_default();
    // What ends in a number is an address: https://url.spec.whatwg.org/#ends-in-a-number-checker.
    if last.bytes().all(|byte| byte.is_ascii_digit()) {
        return !is_wild && host.parse::<Ipv4Addr>().is_ok();
    }
    // Everything under a single label, such as *.com, would be nobody's own.
    host.split('.').all(is_label) && (!is_wild || host.contains('.'))
}

fn is_port(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<u16>().is_ok_and(|port| port != 0)
}

fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && !label.starts_with('-')
        && !label.ends_with('-')
}

/// Reads networks, or addresses as networks of one. Bits behind the prefix are cleared, and IPv4 in the clothes of
/// IPv6 becomes IPv4, because callers' addresses are compared without those clothes.
pub fn networks(texts: &[String]) -> Result<Vec<IpNet>, KeyRefusal> {
    if texts.len() > ENTRIES_MAX {
        return Err(KeyRefusal::TooMany { pointer: "/ipAllowlist", what: "networks", max: ENTRIES_MAX });
    }
    let mut networks = Vec::with_capacity(texts.len());
    for (at, text) in texts.iter().enumerate() {
        let network = network(text).ok_or(KeyRefusal::BadNetwork(at + 1))?;
        if !networks.contains(&network) {
            networks.push(network);
        }
    }
    Ok(networks)
}

fn network(text: &str) -> Option<IpNet> {
    let network: IpNet = match text.parse() {
        Ok(network) => network,
        Err(_) => text.parse::<IpAddr>().ok()?.into(),
    };
    let network = network.trunc();
    let IpNet::V6(six) = network else { return Some(network) };
    match (six.addr().to_ipv4_mapped(), six.prefix_len().checked_sub(96)) {
        (Some(four), Some(length)) => Ipv4Net::new(four, length).ok().map(IpNet::V4),
        _ => Some(network),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn origins_are_hosts() {
        let good = ["app.example.org", "localhost", "localhost:3000", "*.example.org", "127.0.0.1:8080", "[::1]:80"];
        for origin in good {
            assert_eq!(origins(&texts(&[origin])).unwrap(), [origin]);
        }
        assert_eq!(origins(&texts(&["App.Example.org", "app.example.org"])).unwrap(), ["app.example.org"]);
        let bad = [
            "",
            "*",
            "*.",
            "*.org",
            "*.1.2.3.4",
            "a..b",
            "-a.org",
            "a.org:",
            "a.org:0",
            "a.org:65536",
            "a.org:+80",
            "https://a.org",
            "a.org/",
            "a b.org",
            "a*.org",
            "1.2.3",
            "1.2.3.999",
            "[::1",
            "*.[::1]",
            "ä.org",
            "a.org\n",
        ];
        for origin in bad {
            assert!(matches!(origins(&texts(&["ok.org", origin])), Err(KeyRefusal::BadOrigin(2))), "{origin:?}");
        }
        let many = vec!["a.org".to_owned(); ENTRIES_MAX + 1];
        assert!(matches!(origins(&many), Err(KeyRefusal::TooMany { pointer: "/allowedOrigins", .. })));
    }

    #[test]
    fn networks_are_stored_as_they_are_compared() {
        for (given, kept) in [
            ("10.1.2.3/8", "10.0.0.0/8"),
            ("192.0.2.7", "192.0.2.7/32"),
            ("2001:db8::1", "2001:db8::1/128"),
            ("::ffff:10.0.0.0/104", "10.0.0.0/8"),
            ("0.0.0.0/0", "0.0.0.0/0"),
        ] {
            assert_eq!(networks(&texts(&[given])).unwrap()[0].to_string(), kept, "{given}");
        }
        for given in ["", "10.0.0.0/33", "10.0.0/8", "localhost", "10.0.0.1-10.0.0.9", "::/129", " 10.0.0.1"] {
            assert!(matches!(networks(&texts(&[given])), Err(KeyRefusal::BadNetwork(1))), "{given:?}");
        }
    }

    #[test]
    fn scopes_follow_the_type_and_stay_in_the_guild() {
        let guild = GuildId::new(42);
        let read = |asked: Option<&[&str]>, preset, guild| {
            let asked = asked.map(texts);
            scopes(asked.as_deref(), preset, guild).map(|scopes| scopes.names())
        };
        assert_eq!(read(None, None, None).unwrap(), ["read", "write"]);
        assert_eq!(read(None, Some(Preset::DiscordBot), None).unwrap(), ["read"]);
        assert_eq!(read(None, Some(Preset::Admin), guild).unwrap(), ["guild:42:admin"]);
        assert_eq!(read(Some(&["read", "read"]), None, guild).unwrap(), ["guild:42:read"]);
        assert_eq!(read(Some(&[]), None, None).unwrap(), Vec::<String>::new());
        let unknown = read(Some(&["read", "x", "discord:vanish:eat"]), None, None).unwrap_err();
        assert_eq!(unknown.to_string().split('.').next(), Some("Unknown scopes: x, discord:vanish:eat"));
        let outside = read(Some(&["guild:43:read"]), None, guild);
        assert!(matches!(outside, Err(KeyRefusal::ScopeOutsideGuild(scope)) if scope == "guild:43:read"));
        let beyond = read(Some(&["read", "write"]), Some(Preset::DiscordBot), None);
        assert!(matches!(beyond, Err(KeyRefusal::ScopeBeyondPreset { scope, .. }) if scope == "write"));
        let many = vec!["read".to_owned(); SCOPES_MAX + 1];
        assert!(matches!(scopes(Some(&many), None, None), Err(KeyRefusal::TooMany { .. })));
    }

    #[test]
    fn texts_have_bounds() {
        let long = "ä".repeat(NAME_CHARACTERS_MAX);
        assert_eq!(name(&long).unwrap(), long);
        for bad in ["", "  ", "a\nb", "a\0b", &"x".repeat(NAME_CHARACTERS_MAX + 1)] {
            assert!(name(bad).is_err(), "{bad:?}");
        }
        assert_eq!(text("/description", "It", Some("two\nlines")).unwrap().as_deref(), Some("two\nlines"));
        assert_eq!(text("/description", "It", Some(" ")).unwrap(), None);
        for bad in ["a\0b", &"x".repeat(TEXT_CHARACTERS_MAX + 1)] {
            assert!(text("/description", "It", Some(bad)).is_err());
        }
    }

    #[test]
    fn ends_lie_ahead() {
        let now: DateTime<Utc> = "2026-01-05T12:00:00Z".parse().unwrap();
        assert!(expiry(now, now).is_err());
        assert!(expiry(now + TimeDelta::microseconds(999), now).is_err());
        assert_eq!(expiry(now + TimeDelta::microseconds(1_999), now).unwrap(), now + TimeDelta::milliseconds(1));
        assert!(expiry(now + TimeDelta::days(LIFETIME_DAYS_MAX + 1), now).is_err());
    }
}
