//! `/status`: how the bot is doing, for anybody who wonders.

use std::time::Duration;

use chrono::TimeDelta;
use serenity::all::CreateEmbed;
use tokio::time::{Instant, timeout};

use super::{Asked, CommandError, Context, Data, Reply, text};
use crate::{
    app::Gateway,
    domain::{Lateness, event, vanish},
};

/// Longest wait for the store, so that the answer comes when it does not.
const STORE_PATIENCE: Duration = Duration::from_millis(800);
/// All is well.
const GREEN: u32 = 0x002E_CC71;
/// Somebody should look.
const AMBER: u32 = 0x00F3_9C12;

/// How I am doing: version, connection, store, delays
#[poise::command(slash_command, interaction_context = "Guild|BotDm", install_context = "Guild")]
pub async fn status(ctx: Context<'_>) -> Result<(), CommandError> {
    let asked = Asked::command(ctx.data(), ctx.interaction);
    asked
        .answer(async {
            let latency = ctx.ping().await;
            Ok(Reply::card(card(ctx.data(), &asked, latency).await))
        })
        .await
}

async fn card(data: &Data, asked: &Asked, latency: Duration) -> CreateEmbed {
    let (store_well, store) = store(data).await;
    let (gateway_well, gateway) = gateway(data, latency);
    let (calls_well, calls) = calls(data);
    let colour = if store_well && gateway_well && calls_well { GREEN } else { AMBER };
    CreateEmbed::new()
        .title("Status")
        .colour(colour)
        .field("Version", env!("CARGO_PKG_VERSION"), true)
        .field("Started", text::relative(data.app.since()), true)
        .field("Connected", text::relative(data.since), true)
        .field("Gateway", gateway, true)
        .field("Store", store, true)
        .field("Calls to Discord", calls, true)
        .field("Vanishing here", rules(data, asked).await, true)
        .field("Delay of deletions", lateness(data), false)
}

fn gateway(data: &Data, latency: Duration) -> (bool, String) {
    match data.app.readiness().gateway() {
        // Zero stands for "not measured yet".
        Gateway::Ready if latency.is_zero() => (true, "✅ connected".to_owned()),
        Gateway::Ready => (true, format!("✅ connected, {} ms", latency.as_millis())),
        Gateway::Connecting => (false, "⏳ connecting".to_owned()),
        Gateway::Off => (false, "➖ off".to_owned()),
        Gateway::Lost(_) => (false, "❌ lost".to_owned()),
    }
}

async fn store(data: &Data) -> (bool, String) {
    let asked_at = Instant::now();
    match timeout(STORE_PATIENCE, event::latest_position(data.app.domain())).await {
        Ok(Ok(_)) => (true, format!("✅ answers in {} ms", asked_at.elapsed().as_millis())),
        Ok(Err(_)) => (false, "❌ does not answer".to_owned()),
        Err(_) => (false, "⚠️ is slow".to_owned()),
    }
}

fn calls(data: &Data) -> (bool, String) {
    let health = data.api.health();
    let refused = match health.invalid_in_window {
        0 => "none refused".to_owned(),
        count => format!("{count} refused in 10 min"),
    };
    if health.token_refused {
        return (false, "❌ my token is refused".to_owned());
    }
    if health.breaker_open_until.is_some_and(|until| until > Instant::now()) {
        return (false, format!("⏸️ paused, {refused}"));
    }
    (true, format!("✅ {refused}"))
}

async fn rules(data: &Data, asked: &Asked) -> String {
    let (Ok(actor), Ok(member)) = (asked.actor().await, asked.member()) else {
        return "in servers only".to_owned();
    };
    match timeout(STORE_PATIENCE, vanish::rules(data.app.domain(), &actor, Some(member.guild_id), None)).await {
        Ok(Ok(rules)) if rules.rows.len() == 1 => "1 channel".to_owned(),
        Ok(Ok(rules)) => format!("{} channels", rules.rows.len()),
        _ => "unknown".to_owned(),
    }
}

fn lateness(data: &Data) -> String {
    let domain = data.app.domain();
    let seconds = |delay: TimeDelta| delay.as_seconds_f64().max(0.0);
    let mut said = match domain.lateness() {
        None => "nothing was deleted since I started".to_owned(),
        Some(Lateness { p50, p99, samples }) => format!(
            "half within {:.1} s, 99 of 100 within {:.1} s of their time (last {samples})",
            seconds(p50),
            seconds(p99)
        ),
    };
    let widening = domain.widening();
    if widening > 1.0 {
        let _ = std::fmt::Write::write_fmt(
            &mut said,
            format_args!("\n⏳ much to do: I gather messages {widening:.1} times longer before I delete them"),
        );
    }
    said
}
