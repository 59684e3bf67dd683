//! `guildhall doctor`: what is broken, and what to do about it.

use std::process::ExitCode;

use serde::Serialize;

use super::{Exit, output};
use crate::{
    clock::Clock,
    config::Config,
    discord::invite,
    discord_api::{self, DiscordApi, Lane, permission},
    domain::{Actor, Domain, Source, application, guild, vanish},
    id_source::IdSource,
    serve,
    store::Store,
};

/// Most guilds and rules that are looked at.
const LOOKED_AT_MAX: u64 = 1_000;

/// Most decisions that are named one by one.
const MISMATCHES_SHOWN: usize = 20;
/// Most decisions by vote that are worked out again, the newest.
const DECISIONS_MAX: u64 = 20_000;

/// The outcome of one check.
#[derive(Debug, Serialize)]
struct Finding {
    check: &'static str,
    ok: bool,
    detail: String,
}

#[derive(Default)]
struct Report(Vec<Finding>);

impl Report {
    fn add(&mut self, check: &'static str, ok: bool, detail: impl Into<String>) {
        self.0.push(Finding { check, ok, detail: detail.into() });
    }

    fn is_clean(&self) -> bool {
        self.0.iter().all(|finding| finding.ok)
    }
}

/// Looks at database and Discord; exit 1 on a breach.
pub(super) async fn run(config: Config, json: bool) -> anyhow::Result<ExitCode> {
    let mut report = Report::default();
    report.add("config", true, "all settings can be read");
    match serve::open_store(&config).await {
        Ok(store) => {
            check_store(&mut report, &store).await;
            check_decisions(&mut report, &domain(&config, &store)).await;
            check_discord(&mut report, &config, &store).await;
            store.close().await;
        }
        Err(error) => report.add("database", false, format!("{:#}", anyhow::Error::new(error))),
    }
    if json {
        output::print(&format!("{}\n", serde_json::to_string_pretty(&report.0)?))?;
    } else {
        for finding in &report.0 {
            let mark = if finding.ok { "✓" } else { "✗" };
            output::print(&format!("{mark} {:<12} {}\n", finding.check, finding.detail))?;
        }
    }
    Ok(if report.is_clean() { Exit::Done } else { Exit::Failed }.into())
}

async fn check_store(report: &mut Report, store: &Store) {
    match store.migration_status().await {
        Ok(status) if status.pending == 0 => {
            report.add("database", true, format!("reachable, {} schema steps", status.applied));
        }
        Ok(status) => {
            let detail = format!("{} schema steps are missing: run `guildhall migrate`", status.pending);
            report.add("database", false, detail);
        }
        Err(error) => report.add("database", false, format!("{:#}", anyhow::Error::new(error))),
    }
    match store.integrity_problems().await {
        Ok(problems) if problems.is_empty() => report.add("integrity", true, "no problem found"),
        Ok(problems) => report.add("integrity", false, problems.join("; ")),
        Err(error) => report.add("integrity", false, error.to_string()),
    }
}

fn domain(config: &Config, store: &Store) -> Domain {
    let clock = Clock::system();
    Domain::new(store.clone(), clock.clone(), IdSource::random(clock), serve::limits(config))
}

/// What votes have decided must follow from them.
async fn check_decisions(report: &mut Report, domain: &Domain) {
    // A schema that is behind is told already.
    if !matches!(domain.store().migration_status().await, Ok(status) if status.pending == 0) {
        return;
    }
    match application::recount(domain, DECISIONS_MAX).await {
        Ok(recount) if recount.mismatches.is_empty() => {
            let looked_at =
                if recount.more { format!("the newest {DECISIONS_MAX}") } else { recount.checked.to_string() };
            report.add("decisions", true, format!("{looked_at} by vote: all follow from their votes"));
        }
        Ok(recount) => {
            for wrong in recount.mismatches.iter().take(MISMATCHES_SHOWN) {
                let votes = wrong.outcome.map_or("cannot be read".to_owned(), |outcome| format!("say {outcome:?}"));
                let detail =
                    format!("application {} ({}) is {:?}, but its votes {votes}", wrong.number, wrong.id, wrong.status);
                report.add("decisions", false, detail);
            }
            let count = recount.mismatches.len();
            report.add("decisions", false, format!("{count} of {} do not follow from their votes", recount.checked));
        }
        Err(error) => report.add("decisions", false, format!("{:#}", anyhow::Error::new(error))),
    }
}

async fn check_discord(report: &mut Report, config: &Config, store: &Store) {
    let api = match serve::discord_api(config) {
        Ok(Some(api)) => api,
        Ok(None) => return report.add("discord", true, "off: DISCORD_TOKEN is not set"),
        Err(error) => return report.add("discord", false, error.to_string()),
    };
    match api.current_application(Lane::Interactive).await {
        Ok(application) => {
            let link = invite::link(application.id);
            report.add("discord", true, format!("the token is {}'s; invite: {link}", application.name));
            if config.discord.message_content {
                let may = application.may_read_messages();
                let detail = if may {
                    "Discord lets the bot read messages, to find pasted API keys"
                } else {
                    "discord.message_content is on, but Message Content Intent is off on the page Bot of the developer \
                     portal: pasted API keys are not found"
                };
                report.add("content", may, detail);
            }
            if config.discord.members {
                let may = application.may_see_members();
                let detail = if may {
                    "Discord lets the bot see members, to filter boards by role"
                } else {
                    "discord.members is on, but Server Members Intent is off on the page Bot of the developer portal: \
                     boards cannot be filtered by role"
                };
                report.add("members", may, detail);
            }
        }
        Err(error) => {
            return report.add("discord", false, format!("{error}: check DISCORD_TOKEN"));
        }
    }
    if let Err(error) = check_permissions(report, &api, &domain(config, store)).await {
        report.add("permissions", false, format!("{:#}", anyhow::Error::new(error)));
    }
}

/// Every channel with a rule needs the sweep's permissions.
async fn check_permissions(report: &mut Report, api: &DiscordApi, domain: &Domain) -> Result<(), crate::domain::Error> {
    let root = Actor::Root { source: Source::Cli };
    let page = vanish::PageRequest { limit: LOOKED_AT_MAX, offset: 0 };
    let rules = vanish::rules(domain, &root, None, Some(page)).await?;
    let mut broken = 0;
    for rule in rules.rows.iter() {
        let (guild, channel) = (rule.guild_id, rule.channel_id);
        let missing = api.missing_for_messages(guild, channel, invite::SWEEP_NEEDS, Lane::Interactive).await;
        if let Some(detail) = breach(missing) {
            broken += 1;
            report.add("permissions", false, format!("channel {channel} of {guild}: {detail}"));
        }
    }
    if broken == 0 {
        let guilds = guild::present_count(domain).await?;
        let looked_at = if rules.more { format!("the first {LOOKED_AT_MAX}") } else { rules.rows.len().to_string() };
        let detail = format!("{looked_at} vanishing channels, {guilds} servers: nothing is missing");
        report.add("permissions", true, detail);
    }
    Ok(())
}

fn breach(missing: discord_api::Result<u64>) -> Option<String> {
    match missing {
        Ok(0) => None,
        Ok(missing) => Some(format!("I lack {}", permission::permission_names(missing).join(", "))),
        Err(error) => Some(error.to_string()),
    }
}
