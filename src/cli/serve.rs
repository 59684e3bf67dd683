//! `guildhall serve`.

use std::{
    fmt::Write as _,
    fs,
    io::{IsTerminal, stdout},
    process::ExitCode,
};

use anyhow::Context as _;
use tokio::signal::unix::{SignalKind, signal};

use super::{Exit, output};
use crate::{
    clock::Clock,
    config::Config,
    id_source::IdSource,
    serve::{self, NewRootKey, StartError, Started},
    telemetry,
};

/// Runs the command until SIGTERM or SIGINT.
pub(super) async fn run(config: Config) -> anyhow::Result<ExitCode> {
    telemetry::init(&config)?;
    config.require_shared_secrets()?;
    let clock = Clock::system();
    let started = serve::start(&config, clock.clone(), IdSource::random(clock)).await;
    let mut running = started.map_err(with_exit)?;
    let mut text = banner(&config, &running.started);
    if let Some(new) = &running.started.new_root_key {
        text.push_str(&hand_over(new));
    }
    output::print(&text)?;
    if let Some(new) = running.started.new_root_key.take().filter(shown_on_terminal) {
        fs::remove_file(&new.file).with_context(|| format!("cannot remove {}", new.file.display()))?;
    }
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let ended = tokio::select! {
        _ = terminate.recv() => None,
        _ = interrupt.recv() => None,
        name = running.ended() => Some(name),
    };
    let in_time = running.stop().await;
    match ended {
        Some(name) => anyhow::bail!("{name} ended by itself"),
        None if !in_time => anyhow::bail!("not everything ended within the grace"),
        None => Ok(Exit::Done.into()),
    }
}

/// An error of the start with the exit code of its class.
pub(super) fn with_exit(error: StartError) -> anyhow::Error {
    let exit = match &error {
        StartError::Store { .. } | StartError::Migrate(_) | StartError::Domain(_) => Exit::Database,
        StartError::TokenRefused => Exit::DiscordRefused,
        StartError::Listen { .. }
        | StartError::SecretFile { .. }
        | StartError::ForeignRootKey { .. }
        | StartError::DiscordSetup(_)
        | StartError::Names(_) => Exit::Failed,
    };
    anyhow::Error::new(error).context(exit)
}

fn banner(config: &Config, started: &Started) -> String {
    let base = config.http.public_url.clone().unwrap_or_else(|| format!("http://{}", started.address));
    let mut text = format!(
        "guildhall {} · {}\n├─ API        {base}   ({base}/openapi.json, {base}/llms.txt)\n\
         ├─ Reference  {base}/reference\n├─ Health     {base}/health   {base}/ready\n",
        env!("CARGO_PKG_VERSION"),
        config.database.url,
    );
    if let Some(address) = started.metrics_address {
        let _ = writeln!(text, "├─ Metrics    http://{address}/metrics");
    }
    match (&config.secrets.discord_token, &started.bot) {
        (None, _) => text.push_str("└─ Discord    off until DISCORD_TOKEN is set\n"),
        (Some(_), Some(bot)) => {
            let _ = writeln!(text, "└─ Discord    {} · invite it: {}", bot.name, bot.invite_link);
            if config.discord.members && !bot.may_see_members {
                text.push_str(
                    "   Discord does not let it see members, so that boards cannot be filtered by role:\n   switch on \
                     Server Members Intent on the page Bot of the developer portal and start again\n",
                );
            }
            if config.discord.message_content && !bot.may_read_messages {
                text.push_str(
                    "   Discord refuses it the content of messages, so that pasted API keys are not found:\n   switch \
                     on Message Content Intent on the page Bot of the developer portal and start again\n",
                );
            }
        }
        (Some(_), None) => text.push_str("└─ Discord    does not answer yet; I keep trying\n"),
    }
    text
}

/// Shows a new root key on a terminal; elsewhere, and where an earlier start has made it, names its file.
fn hand_over(new: &NewRootKey) -> String {
    if shown_on_terminal(new) {
        return format!(
            "\nRoot key, shown this once: {}\nIt may do everything. Send it as the header X-API-Key.\n",
            new.key.expose()
        );
    }
    let file = new.file.display();
    tracing::info!(path = %file, "the new root key is in a file that only its owner can read");
    format!("\nRoot key, written this once to {file}\n")
}

fn shown_on_terminal(new: &NewRootKey) -> bool {
    new.made_now && stdout().is_terminal()
}
