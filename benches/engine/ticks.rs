//! What a look for due channels costs when there is nothing to do, as rules grow.

use std::time::{Duration, Instant};

use benches::figures::{percentile, print_head, print_row};
use guildhall::{
    clock::Clock,
    domain::{Domain, vanish},
    id_source::IdSource,
    serve,
};
use sea_orm::{ConnectionTrait as _, Database};
use tempfile::TempDir;

use super::bot::config;

/// Looks that are measured.
const LOOKS: usize = 300;
/// Looks between two measurements of the engine's plan.
const LOOKS_PER_PLAN: u32 = 10;

#[derive(clap::Args)]
pub struct Arguments {
    /// Rules, one run each.
    #[arg(long, value_delimiter = ',', default_values_t = [1_000, 10_000, 50_000])]
    rules: Vec<u32>,
    /// SQL that is run before the looks, to try an index.
    #[arg(long)]
    sql: Option<String>,
}

pub async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    print_head(&["rules", "waiting for", "look p50", "look p99", "plan (once in 10 looks)", "mean per tick"]);
    for rules in &arguments.rules {
        // Most channels are asleep until a message arrives; at worst, each has a message that waits for its time.
        measure(*rules, "a message", "NULL", arguments).await?;
        measure(*rules, "their time", "'2099-01-01T00:00:00+00:00'", arguments).await?;
    }
    Ok(())
}

async fn measure(rules: u32, waiting: &str, due_at: &str, arguments: &Arguments) -> anyhow::Result<()> {
    let folder = TempDir::new()?;
    let config = config(&folder, &[])?;
    let store = serve::open_store(&config).await?;
    store.migrate().await?;
    fill(&folder, rules, due_at, arguments.sql.as_deref()).await?;
    let clock = Clock::system();
    let domain = Domain::new(store, clock.clone(), IdSource::random(clock), serve::limits(&config));
    let mut looks = Vec::new();
    for _ in 0..LOOKS {
        let started = Instant::now();
        anyhow::ensure!(vanish::claim_due(&domain, 32).await?.is_empty(), "nothing is due");
        looks.push(started.elapsed());
    }
    let started = Instant::now();
    for _ in 0..LOOKS_PER_PLAN {
        vanish::planned_widening(&domain).await?;
    }
    let plan = started.elapsed() / LOOKS_PER_PLAN;
    looks.sort_unstable();
    let mean = looks.iter().sum::<Duration>() / u32::try_from(LOOKS)? + plan / LOOKS_PER_PLAN;
    let show = |time: Option<Duration>| format!("{:.2} ms", time.unwrap_or_default().as_secs_f64() * 1000.0);
    print_row(&[
        rules.to_string(),
        waiting.to_owned(),
        show(percentile(&looks, 50)),
        show(percentile(&looks, 99)),
        show(Some(plan)),
        show(Some(mean)),
    ]);
    domain.store().close().await;
    Ok(())
}

/// Rules over guilds of a hundred channels, each with its place.
async fn fill(folder: &TempDir, rules: u32, due_at: &str, more: Option<&str>) -> anyhow::Result<()> {
    let database = Database::connect(format!("sqlite://{}", folder.path().join("guildhall.db").display())).await?;
    let numbers = format!(
        "WITH RECURSIVE number(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM number WHERE n + 1 < {rules}), \
         now(t) AS (VALUES ('2026-11-22T12:00:00+00:00'))"
    );
    database
        .execute_unprepared(&format!(
            "INSERT INTO vanish_rule (channel_id, guild_id, after_seconds, schedule, state, starts_after, \
             messages_deleted, revision, created_at, updated_at) \
             {numbers} SELECT 1000 + n, 1 + n / 100, 3600, 'rolling', 'active', 1, 0, 1, t, t FROM number, now"
        ))
        .await?;
    database
        .execute_unprepared(&format!(
            "INSERT INTO vanish_place (place_id, rule_channel_id, guild_id, cursor, due_at, ignore_schedule, attempts) \
             {numbers} SELECT 1000 + n, 1000 + n, 1 + n / 100, 1, {due_at}, 0, 0 FROM number, now"
        ))
        .await?;
    if let Some(more) = more {
        database.execute_unprepared(more).await?;
    }
    database.close().await?;
    Ok(())
}
