//! `guildhall keys`: API keys, on the store directly. A server beside it knows of a change within half a second.

use std::{fmt::Write as _, process::ExitCode};

use anyhow::Context as _;
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use clap::{Args, Subcommand, ValueEnum};
use entity::{
    api_key::{self, Preset},
    api_key_usage::Step,
    id::{ApiKeyId, GuildId, UserId},
};
use serde_json::{Value, json};

use super::{Exit, offline::Offline, output};
use crate::{
    config::Config,
    domain::{
        Domain, KeyDialect,
        api_key::{
            self as keys, DEFAULT_LIMIT, ImportedKey, IssuedKey, KeyFilter, KeyStatus, NewKey, RateLimit, Shape,
            usage::{Group, UsageQuery},
        },
    },
};

/// Window of a limit that names none.
const WINDOW_MILLISECONDS: u64 = 60_000;

/// What can be asked about keys.
#[derive(Debug, Subcommand)]
pub enum KeysCommand {
    /// Make a key and print it, once
    Create {
        #[command(flatten)]
        specification: Box<Specification>,
        /// Print everything about it as JSON
        #[arg(long)]
        json: bool,
    },
    /// List keys, the newest first
    List {
        /// Only those of this person
        #[arg(long, value_name = "USER")]
        user: Option<UserId>,
        /// Only those that are bound to this server
        #[arg(long, value_name = "SERVER")]
        guild: Option<GuildId>,
        /// Only those that were made with this type
        #[arg(long = "type", value_enum)]
        preset: Option<TypeName>,
        /// Revoked ones too
        #[arg(long)]
        all: bool,
        /// Print them as JSON
        #[arg(long)]
        json: bool,
    },
    /// Show one key
    Show {
        /// Its id
        #[arg(value_name = "KEY")]
        key: ApiKeyId,
        /// Print it as JSON
        #[arg(long)]
        json: bool,
    },
    /// Replace a key and print the new one, once
    Rotate {
        /// Its id
        #[arg(value_name = "KEY")]
        key: ApiKeyId,
        /// How long the old key works on
        #[arg(long, value_name = "SECONDS", default_value_t = 300,
            value_parser = clap::value_parser!(i64).range(0..=604_800))]
        grace: i64,
        /// Print everything about both as JSON
        #[arg(long)]
        json: bool,
    },
    /// Revoke a key for good
    Revoke {
        /// Its id
        #[arg(value_name = "KEY")]
        key: ApiKeyId,
        /// Why
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
        /// Print it as JSON
        #[arg(long)]
        json: bool,
    },
    /// Take in a key of another system by its digest; it keeps working unchanged
    Import {
        /// SHA-256 of the whole key, in hexadecimal
        #[arg(long, value_name = "HEX")]
        sha256: String,
        /// What stands before its secret part, such as cartel_; for display
        #[arg(long, value_name = "TEXT", default_value = "")]
        brand: String,
        /// The first characters of its secret part, up to 8; for display
        #[arg(long, value_name = "TEXT", default_value = "")]
        start: String,
        /// Its last characters, up to 4; for display
        #[arg(long, value_name = "TEXT", default_value = "")]
        last_four: String,
        /// Requests that it has made so far
        #[arg(long, value_name = "COUNT", default_value_t = 0)]
        total_requests: u32,
        #[command(flatten)]
        specification: Box<Specification>,
        /// Print it as JSON
        #[arg(long)]
        json: bool,
    },
    /// Show how often keys are used
    Usage {
        /// The key; without it, all of them
        #[arg(value_name = "KEY")]
        key: Option<ApiKeyId>,
        /// How much time one row covers
        #[arg(long, value_enum, default_value_t = StepName::Hour)]
        step: StepName,
        /// By what rows of one key are told apart
        #[arg(long, value_enum)]
        group_by: Option<GroupName>,
        /// From this moment on, such as 2026-11-26T00:00:00Z
        #[arg(long, value_name = "TIME")]
        from: Option<DateTime<Utc>>,
        /// Up to this moment
        #[arg(long, value_name = "TIME")]
        to: Option<DateTime<Utc>>,
        /// Print the counts as JSON
        #[arg(long)]
        json: bool,
    },
}

/// What a key is to be.
#[derive(Debug, Args)]
pub struct Specification {
    /// Its name
    #[arg(long, value_name = "TEXT")]
    name: String,
    /// A common choice of scopes and limits
    #[arg(long = "type", value_enum)]
    preset: Option<TypeName>,
    /// What it may do, separated by commas; without it what its type allows, else read,write
    #[arg(long, value_name = "SCOPES", value_delimiter = ',')]
    scopes: Option<Vec<String>>,
    /// What it is for
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// The program that will use it
    #[arg(long, value_name = "TEXT")]
    client: Option<String>,
    /// Whose key it is
    #[arg(long, value_name = "USER")]
    user: Option<UserId>,
    /// The only server that it may touch
    #[arg(long, value_name = "SERVER")]
    guild: Option<GuildId>,
    /// A domain for which it may sign people in; may be given several times
    #[arg(long = "origin", value_name = "HOST")]
    origins: Vec<String>,
    /// A network that it may be used from; may be given several times
    #[arg(long = "network", value_name = "CIDR")]
    networks: Vec<String>,
    /// Requests per window
    #[arg(long, value_name = "COUNT", alias = "rateLimit")]
    rate_limit: Option<u32>,
    /// The window of --rate-limit; without it what its type has, else a minute
    #[arg(long, value_name = "MILLISECONDS")]
    window: Option<u64>,
    /// Its life; without it, no end
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(i64).range(1..=3_153_600_000))]
    expires_in: Option<i64>,
}

/// A type of keys, as Key-Kingdom's command line spells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum TypeName {
    /// Reads; 100 requests per minute
    DiscordBot,
    /// Does everything; 500 requests per hour
    Admin,
}

impl From<TypeName> for Preset {
    fn from(name: TypeName) -> Self {
        match name {
            TypeName::DiscordBot => Self::DiscordBot,
            TypeName::Admin => Self::Admin,
        }
    }
}

/// How much time one row covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum StepName {
    /// Kept 48 hours
    Minute,
    /// Kept 90 days
    Hour,
    /// Kept 400 days
    Day,
}

impl From<StepName> for Step {
    fn from(name: StepName) -> Self {
        match name {
            StepName::Minute => Self::Minute,
            StepName::Hour => Self::Hour,
            StepName::Day => Self::Day,
        }
    }
}

/// By what rows are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum GroupName {
    /// By route
    Route,
    /// By outcome
    Outcome,
}

impl Specification {
    fn new_key(self, domain: &Domain) -> anyhow::Result<NewKey> {
        let preset = self.preset.map(Preset::from);
        let shape = match (domain.limits().keys.shape, preset) {
            (KeyDialect::Live, _) => Shape::Live,
            (KeyDialect::Test, _) => Shape::Test,
            (KeyDialect::Compatible, None) => Shape::Cartel,
            (KeyDialect::Compatible, Some(Preset::DiscordBot)) => Shape::KeyKingdomDiscord,
            (KeyDialect::Compatible, Some(Preset::Admin)) => Shape::KeyKingdomAdmin,
        };
        Ok(NewKey {
            rate_limits: limits(self.rate_limit, self.window, preset)?,
            description: self.description,
            client_name: self.client,
            user_id: self.user,
            guild_id: self.guild,
            preset,
            scopes: self.scopes,
            allowed_origins: self.origins,
            ip_allowlist: self.networks,
            expires_at: self.expires_in.map(|seconds| domain.now() + TimeDelta::seconds(seconds)),
            ..NewKey::named(self.name, shape)
        })
    }
}

fn limits(count: Option<u32>, window: Option<u64>, preset: Option<Preset>) -> anyhow::Result<Vec<RateLimit>> {
    let usual = preset.map(RateLimit::of_preset);
    let (limit, window_ms) = match (count, window, usual) {
        (None, None, _) => return Ok(Vec::new()),
        (None, Some(_), None) => {
            return Err(anyhow::anyhow!("--window needs --rate-limit or --type").context(Exit::Usage));
        }
        (None, Some(window), Some(usual)) => (usual.limit, window),
        (Some(count), Some(window), _) => (count, window),
        (Some(count), None, usual) => (count, usual.map_or(WINDOW_MILLISECONDS, |usual| usual.window_ms)),
    };
    Ok(vec![RateLimit { name: DEFAULT_LIMIT.to_owned(), limit, window_ms }])
}

/// Does what is asked.
pub(super) async fn run(config: Config, command: KeysCommand) -> anyhow::Result<ExitCode> {
    let offline = Offline::open(&config).await?;
    let done = perform(&offline, command).await;
    offline.close().await;
    done?;
    Ok(Exit::Done.into())
}

async fn perform(offline: &Offline, command: KeysCommand) -> anyhow::Result<()> {
    let (domain, actor) = (offline.domain(), offline.actor());
    let now = domain.now();
    match command {
        KeysCommand::Create { specification, json } => {
            let issued = keys::create(domain, actor, specification.new_key(domain)?).await?;
            print_issued(&issued, json, now)?;
        }
        KeysCommand::List { user, guild, preset, all, json } => {
            let filter = KeyFilter {
                user_id: user,
                guild_id: guild,
                preset: preset.map(Into::into),
                revoked: if all { None } else { Some(false) },
            };
            let found = keys::keys(domain, actor, filter, None).await?;
            print_rows(&found.rows.into_iter().map(|view| view.row).collect::<Vec<_>>(), json, now)?;
        }
        KeysCommand::Show { key, json } => print_row(&keys::key(domain, actor, key).await?.row, json, now)?,
        KeysCommand::Rotate { key, grace, json } => {
            let rotated = keys::rotate(domain, actor, key, TimeDelta::seconds(grace)).await?;
            if json {
                let mut value = facts(&rotated.new.row, now);
                value["apiKey"] = rotated.new.secret.expose().into();
                output::print(&format!("{:#}\n", json!({ "new": value, "old": facts(&rotated.old, now) })))?;
            } else {
                print_issued(&rotated.new, false, now)?;
            }
        }
        KeysCommand::Revoke { key, reason, json } => {
            print_row(&keys::revoke(domain, actor, key, reason).await?, json, now)?;
        }
        KeysCommand::Import { sha256, brand, start, last_four, total_requests, specification, json } => {
            let imported = ImportedKey {
                digest: sha256,
                brand,
                start,
                last_four,
                total_requests,
                last_used_at: None,
                created_at: None,
                specification: specification.new_key(domain)?,
            };
            print_row(&keys::import(domain, actor, imported).await?, json, now)?;
        }
        KeysCommand::Usage { key, step, group_by, from, to, json } => {
            let group = match group_by {
                None => Group::None,
                Some(GroupName::Route) => Group::Route,
                Some(GroupName::Outcome) => Group::Outcome,
            };
            let query = UsageQuery { from, to, step: step.into(), group };
            print_usage(offline, key, query, json).await?;
        }
    }
    Ok(())
}

/// The key alone on standard output, so that a script can take it; everything else as a remark.
fn print_issued(issued: &IssuedKey, json: bool, now: DateTime<Utc>) -> std::io::Result<()> {
    if json {
        let mut value = facts(&issued.row, now);
        value["apiKey"] = issued.secret.expose().into();
        return output::print(&format!("{value:#}\n"));
    }
    output::complain(&format!("{}\nThe key is shown once:\n", line(&issued.row, now)));
    output::print(&format!("{}\n", issued.secret.expose()))
}

fn print_row(row: &api_key::Model, json: bool, now: DateTime<Utc>) -> std::io::Result<()> {
    if json {
        return output::print(&format!("{:#}\n", facts(row, now)));
    }
    output::print(&format!("{}\n", line(row, now)))
}

fn print_rows(rows: &[api_key::Model], json: bool, now: DateTime<Utc>) -> std::io::Result<()> {
    if json {
        let values: Vec<Value> = rows.iter().map(|row| facts(row, now)).collect();
        return output::print(&format!("{:#}\n", Value::from(values)));
    }
    let mut text = String::new();
    for row in rows {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{}", line(row, now));
    }
    output::print(&text)
}

/// Id, state, what it looks like, what it may do, and its name at the end.
fn line(row: &api_key::Model, now: DateTime<Utc>) -> String {
    let scopes: Vec<&str> = row.scopes.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    format!(
        "{}  {:<10}  {}{}...{}  {}  {}",
        row.id,
        KeyStatus::of(row, now).name(),
        row.brand,
        row.start,
        row.last_four,
        if scopes.is_empty() { "-".to_owned() } else { scopes.join(",") },
        row.name,
    )
}

fn facts(row: &api_key::Model, now: DateTime<Utc>) -> Value {
    let is_revoked = row.state == api_key::KeyState::Revoked;
    json!({
        "id": row.id,
        "userId": row.user_id,
        "guildId": row.guild_id,
        "name": row.name,
        "description": row.description,
        "clientName": row.client_name,
        "keyPrefix": format!("{}{}...", row.brand, row.start),
        "lastFour": row.last_four,
        "type": row.preset,
        "scopes": row.scopes,
        "allowedOrigins": row.allowed_origins,
        "ipAllowlist": row.ip_allowlist,
        "rateLimits": row.rate_limits,
        "status": KeyStatus::of(row, now).name(),
        "expiresAt": row.expires_at.map(time),
        "graceEndsAt": row.grace_ends_at.map(time),
        "lastUsedAt": row.last_used_at.map(time),
        "totalRequests": row.total_requests,
        "revokedAt": is_revoked.then(|| time(row.state_at)),
        "revokedBy": is_revoked.then_some(&row.state_by),
        "revokedReason": row.state_reason.as_ref().filter(|_| is_revoked),
        "rotatedFrom": row.rotated_from,
        "replacedBy": row.replaced_by,
        "createdBy": row.created_by,
        "createdAt": time(row.created_at),
        "updatedAt": time(row.updated_at),
    })
}

fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

async fn print_usage(offline: &Offline, key: Option<ApiKeyId>, query: UsageQuery, as_json: bool) -> anyhow::Result<()> {
    let (domain, actor) = (offline.domain(), offline.actor());
    let mut text = String::new();
    let value = if let Some(key) = key {
        let usage = keys::usage::usage(domain, actor, key, query).await?;
        for row in &usage.rows {
            let group = row.group.as_deref().unwrap_or_default();
            writeln!(text, "{}  {:>10}  {group}", time(row.starts_at), row.requests)?;
        }
        let rows = usage.rows.iter().map(|row| {
            json!({
                "startsAt": time(row.starts_at), "group": row.group, "requests": row.requests,
                "latencyTotalMicroseconds": row.latency_total_microseconds,
                "latencyMaxMicroseconds": row.latency_max_microseconds,
            })
        });
        json!({ "keyId": key, "from": time(usage.from), "to": time(usage.to), "rows": rows.collect::<Vec<_>>() })
    } else if query.group == Group::None {
        let totals = keys::usage::by_key(domain, actor, query, None).await?;
        for row in &totals.rows {
            writeln!(text, "{}  {:>10}  {}", row.key.id, row.requests, row.key.name)?;
        }
        let rows = totals.rows.iter().map(|row| {
            json!({
                "keyId": row.key.id, "name": row.key.name, "requests": row.requests, "refused": row.refused,
                "latencyTotalMicroseconds": row.latency_total_microseconds,
                "latencyMaxMicroseconds": row.latency_max_microseconds,
            })
        });
        json!({ "from": time(totals.from), "to": time(totals.to), "keys": rows.collect::<Vec<_>>() })
    } else {
        return Err(anyhow::anyhow!("--group-by needs a key").context(Exit::Usage));
    };
    let text = if as_json { format!("{value:#}\n") } else { text };
    output::print(&text).context("cannot print")
}
