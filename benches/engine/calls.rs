//! REST calls made, divided by the fewest that could do the same.
//!
//! The fewest: for each channel in turn, the first message that is due and still there opens a window as long as the
//! rule's own; at the first tick of the clock after its end one look deletes everything that is due by then. A look
//! over `n` messages to delete costs ⌈n/100⌉ reads of a page and ⌈n/100⌉ deletions. Setting up (the first look at each
//! new rule) is counted apart.

use std::time::Instant;

use anyhow::Context as _;
use benches::figures::{print_head, print_line, print_row};
use chrono::{DateTime, TimeDelta, Utc};

use super::bot::{Bot, Channel, Dice, deleted_by};

/// Ages of the rules in seconds, with windows of 5, 5, 6 and 36 seconds.
const AGES: [i64; 4] = [60, 300, 600, 3_600];

#[derive(clap::Args)]
pub struct Arguments {
    /// Channels.
    #[arg(long, default_value_t = 12)]
    channels: usize,
    /// Minutes of Discord's time that are lived through.
    #[arg(long, default_value_t = 90)]
    minutes: i64,
    /// Seconds of one tick of the clock.
    #[arg(long, default_value_t = 5)]
    tick: i64,
    /// Seconds between two messages of a channel, on average.
    #[arg(long, default_value_t = 30)]
    interval: i64,
}

/// A message that was sent: when it is due.
struct Sent {
    channel: usize,
    due_at: DateTime<Utc>,
}

pub async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let ages: Vec<i64> = (0..arguments.channels).map(|nth| AGES[nth % AGES.len()]).collect();
    let beginning = "2026-11-22T12:00:00Z".parse().context("a constant")?;
    let settings = [
        ("GUILDHALL_VANISH__SWEEP_PERIOD_MILLISECONDS", "10"),
        ("GUILDHALL_VANISH__CALLS_PER_SECOND_MAX", "50"),
        ("GUILDHALL_DISCORD__REQUESTS_PER_SECOND", "50"),
    ];
    let (bot, channels) = Bot::start(&ages, Some(beginning), &settings).await?;
    bot.drain().await?;
    let setup = bot.discord.journal().len();
    let setting_up = Instant::now();
    let sent = live(&bot, &channels, arguments).await?;
    let exchanges: Vec<_> = bot.discord.calls_since(setting_up);
    let deleted: usize = exchanges.iter().filter_map(deleted_by).map(|(_, ids)| ids.len()).sum();
    let looks = exchanges.iter().filter(|one| one.method == "GET" && one.path.ends_with("/messages")).count();
    let end = bot.discord.now();
    let tick = TimeDelta::seconds(arguments.tick);
    let fewest: usize = channels
        .iter()
        .enumerate()
        .map(|(nth, channel)| {
            let mut dues: Vec<_> = sent.iter().filter(|one| one.channel == nth).map(|one| one.due_at).collect();
            dues.sort_unstable();
            fewest_calls(&dues, window(channel.after), beginning, tick, end)
        })
        .sum();
    print_head(&["figure", "measured"]);
    let row = |name: &str, value: String| print_row(&[name.to_owned(), value]);
    row("channels, messages sent, deleted", format!("{}, {}, {deleted}", channels.len(), sent.len()));
    row("calls to set up (gateway, commands, first looks)", setup.to_string());
    row("calls since", format!("{} (of them {looks} pages)", exchanges.len()));
    row("fewest possible", fewest.to_string());
    #[expect(clippy::cast_precision_loss, reason = "counts of calls")]
    let ratio = exchanges.len() as f64 / fewest as f64;
    row("ratio (goal at most 1.05)", format!("{ratio:.3}"));
    let mut routes = std::collections::BTreeMap::<_, usize>::new();
    for one in &exchanges {
        *routes.entry(format!("{} {} {}", one.method, one.route, one.status)).or_default() += 1;
    }
    for (route, count) in routes {
        print_line(&format!("  {count:6} {route}"));
    }
    bot.stop().await
}

/// Lives through the time, tick by tick.
async fn live(bot: &Bot, channels: &[Channel], arguments: &Arguments) -> anyhow::Result<Vec<Sent>> {
    let mut dice = Dice::new(7);
    let mut sent = Vec::new();
    let ticks = arguments.minutes * 60 / arguments.tick;
    let per_message = u64::try_from(arguments.interval / arguments.tick)?.max(1);
    for tick in 0..ticks {
        for (nth, channel) in channels.iter().enumerate() {
            // Now and then somebody floods a channel.
            let messages = if dice.once_in(500) { 130 } else { usize::from(dice.once_in(per_message)) };
            for _ in 0..messages {
                let message = bot.discord.send(channel.id, channel.author, "for a while");
                sent.push(Sent { channel: nth, due_at: channel.due_at(message) });
            }
        }
        bot.advance(TimeDelta::seconds(arguments.tick));
        bot.drain().await?;
        if tick % 60 == 59 {
            print_line(&format!("<!-- {} of {ticks} ticks, {} calls -->", tick + 1, bot.discord.journal().len()));
        }
    }
    Ok(sent)
}

/// A rule's window: a hundredth of its age, from 5 seconds to 5 minutes.
fn window(after: i64) -> TimeDelta {
    TimeDelta::seconds((after / 100).clamp(5, 300))
}

fn fewest_calls(
    dues: &[DateTime<Utc>],
    window: TimeDelta,
    beginning: DateTime<Utc>,
    tick: TimeDelta,
    end: DateTime<Utc>,
) -> usize {
    let mut calls = 0;
    let mut next = 0;
    while let Some(first) = dues.get(next) {
        let closes = *first + window - beginning;
        let ticks = (closes.num_milliseconds() + tick.num_milliseconds() - 1) / tick.num_milliseconds();
        let look_at = beginning + TimeDelta::milliseconds(ticks * tick.num_milliseconds());
        if look_at > end {
            break;
        }
        let due = dues[next..].iter().take_while(|due_at| **due_at <= look_at).count();
        calls += 2 * due.div_ceil(100);
        next += due;
    }
    calls
}
