//! How late messages vanish while the clock really runs, as Discord sees it: the moment of the deletion less the
//! moment at which the message had the rule's age.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use benches::figures::{percentile, print_head, print_row};
use chrono::TimeDelta;

use super::bot::{Bot, Channel, Dice, deleted_by, pause};

/// The age of every rule: the shortest there is, which is the hardest.
const AFTER_SECONDS: i64 = 10;
/// Time between two rounds of messages.
const STEP: Duration = Duration::from_millis(500);

#[derive(clap::Args)]
pub struct Arguments {
    /// Channels, one run each.
    #[arg(long, value_delimiter = ',', default_values_t = [10, 100, 1_000])]
    channels: Vec<usize>,
    /// Seconds of one run.
    #[arg(long, default_value_t = 180)]
    seconds: u64,
    /// Seconds between two messages of a channel, on average.
    #[arg(long, default_value_t = 10)]
    interval: u64,
}

pub async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    print_head(&[
        "channels",
        "deleted",
        "p50 s",
        "p99 s",
        "worst s",
        "early",
        "overdue at the end",
        "window s (widening)",
        "bound s",
        "calls/s",
        "calls per deleting window",
        "429",
    ]);
    for channels in &arguments.channels {
        measure(*channels, arguments).await?;
    }
    Ok(())
}

async fn measure(count: usize, arguments: &Arguments) -> anyhow::Result<()> {
    let (bot, channels) = Bot::start(&vec![AFTER_SECONDS; count], None, &[]).await?;
    bot.drain().await?;
    let by_id: HashMap<u64, &Channel> = channels.iter().map(|channel| (channel.id, channel)).collect();
    let started = Instant::now();
    let mut sent = HashMap::new();
    let mut dice = Dice::new(11);
    let per_message = arguments.interval * 1000 / u64::try_from(STEP.as_millis())?;
    while started.elapsed() < Duration::from_secs(arguments.seconds) {
        for channel in &channels {
            if dice.once_in(per_message) {
                sent.insert(bot.discord.send(channel.id, channel.author, "for a while"), channel.id);
            }
        }
        pause(STEP).await;
    }
    let elapsed = started.elapsed().as_secs_f64();
    let exchanges = bot.discord.calls_since(started);
    let widening = bot.running.app().domain().widening();
    let now = bot.discord.now();
    let mut late = Vec::new();
    let mut deletions = 0_u32;
    for exchange in &exchanges {
        let Some((channel, ids)) = deleted_by(exchange) else { continue };
        let channel = by_id.get(&channel).context("only channels of the bench are swept")?;
        deletions += 1;
        for id in ids {
            sent.remove(&id);
            late.push((exchange.time - channel.due_at(id)).num_milliseconds());
        }
    }
    late.sort_unstable();
    let overdue = sent
        .iter()
        .filter_map(|(message, channel)| Some(now - by_id.get(channel)?.due_at(*message)))
        .filter(|late| *late > TimeDelta::zero());
    let (overdue, worst_overdue) =
        overdue.fold((0, TimeDelta::zero()), |(count, worst), late| (count + 1, worst.max(late)));
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of minutes")]
    let seconds = |milliseconds: Option<i64>| format!("{:.1}", milliseconds.unwrap_or_default() as f64 / 1000.0);
    let window = 5.0 * widening;
    let calls = f64::from(u32::try_from(exchanges.len())?);
    print_row(&[
        count.to_string(),
        late.len().to_string(),
        seconds(percentile(&late, 50)),
        seconds(percentile(&late, 99)),
        seconds(late.last().copied()),
        late.iter().filter(|late| **late < 0).count().to_string(),
        format!("{overdue}, at most {:.1} s", worst_overdue.as_seconds_f64()),
        format!("{window:.1} ({widening:.2})"),
        format!("{:.1}", window + 25.0),
        format!("{:.1}", calls / elapsed),
        format!("{:.2}", calls / f64::from(deletions.max(1))),
        bot.discord.rate_limited_count().to_string(),
    ]);
    bot.stop().await
}
