//! Logs: where they go, how a line looks, and what may never be in one.
//!
//! Logs go to standard error in both formats. Standard output belongs to what a command prints (the
//! banner of `serve`, the document of `openapi`, the report of `doctor --json`), so that it can be
//! piped. `log.format = "auto"` is human when standard error is a terminal, JSON otherwise.
//!
//! Three guards stand behind the caution of whoever writes a log line: a ceiling for libraries that
//! log requests, escaping, so that one event is one line, and masks over secrets.

use std::io::{IsTerminal, stderr};

use tracing::level_filters::LevelFilter;
use tracing::subscriber::Interest;
use tracing::{Level, Metadata, Subscriber};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};
use tracing_subscriber::{EnvFilter, Registry, filter};

use crate::config::{Config, LogFormat};
use crate::secret::Secret;

use human::HumanFields;
use mask::{Mask, Masked};

mod human;
mod mask;

/// Libraries that put requests into spans and events below WARN: headers, routes with tokens, statements.
const QUIET: [&str; 16] = [
    "h2",
    "hyper",
    "hyper_rustls",
    "hyper_util",
    "poise",
    "reqwest",
    "rustls",
    "sea_orm",
    "serenity",
    "sqlx",
    "sqlx_core",
    "sqlx_postgres",
    "sqlx_sqlite",
    "tokio_rustls",
    "tokio_tungstenite",
    "tungstenite",
];

/// Why logging could not start.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The directives of `log.level` or `RUST_LOG` do not parse.
    #[error("log.level holds no valid directives")]
    Directives(#[from] filter::ParseError),
    /// Something else in this process already logs.
    #[error("logging has already started")]
    Started(#[from] TryInitError),
}

/// Starts logging for the whole process, once.
pub fn init(config: &Config) -> Result<(), TelemetryError> {
    let terminal = stderr().is_terminal();
    let look = match config.log.format {
        LogFormat::Json => Look::Json,
        LogFormat::Auto if !terminal => Look::Json,
        LogFormat::Auto | LogFormat::Human => Look::Human {
            // https://no-color.org: any text turns colours off.
            colour: terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
        },
    };
    let mask = Mask::new(known_secrets(config));
    subscriber(&config.log.level, look, mask, stderr)?.try_init()?;
    Ok(())
}

/// How a line looks, decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Look {
    Human { colour: bool },
    Json,
}

/// The texts that no log line may hold.
fn known_secrets(config: &Config) -> Vec<String> {
    let secrets = &config.secrets;
    let held = [
        &secrets.api_key,
        &secrets.jwt_secret,
        &secrets.admin_secret_key,
        &secrets.discord_token,
        &secrets.discord_client_secret,
    ];
    let mut texts: Vec<String> = held.into_iter().flatten().map(|secret: &Secret| secret.expose().to_owned()).collect();
    let address = config.database.url.expose();
    if config.database.url.to_string() != address {
        texts.push(address.to_owned());
        texts.extend(config.database.url.password());
    }
    texts
}

fn subscriber<W>(
    directives: &str,
    look: Look,
    mask: Mask,
    writer: W,
) -> Result<impl Subscriber + Send + Sync + 'static, filter::ParseError>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let filter = EnvFilter::builder().with_default_directive(LevelFilter::ERROR.into()).parse(directives)?;
    let lines = lines(look, Masked::new(writer, mask));
    Ok(Registry::default().with(lines).with(filter).with(Ceiling))
}

fn lines<S, W>(look: Look, writer: W) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    // Errors of the writer would be reported by a macro that panics when standard error is closed.
    let layer = tracing_subscriber::fmt::layer().with_writer(writer).log_internal_errors(false);
    match look {
        Look::Human { colour } => layer.with_ansi(colour).fmt_fields(HumanFields).boxed(),
        Look::Json => layer.json().with_current_span(false).boxed(),
    }
}

/// Lets libraries that log requests speak at WARN and ERROR only, whatever the directives say.
struct Ceiling;

impl Ceiling {
    fn permits(metadata: &Metadata<'_>) -> bool {
        let package = metadata.target().split("::").next().unwrap_or_default();
        *metadata.level() <= Level::WARN || !QUIET.contains(&package)
    }
}

impl<S: Subscriber> Layer<S> for Ceiling {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        if Self::permits(metadata) { Interest::always() } else { Interest::never() }
    }

    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        Self::permits(metadata)
    }
}

#[cfg(test)]
mod tests;

/// What renders the metrics; the recorder is installed at the first call, because it can be so only once a process.
pub fn metrics_handle() -> Option<metrics_exporter_prometheus::PrometheusHandle> {
    static HANDLE: std::sync::OnceLock<Option<metrics_exporter_prometheus::PrometheusHandle>> =
        std::sync::OnceLock::new();
    HANDLE
        .get_or_init(|| {
            let builder = metrics_exporter_prometheus::PrometheusBuilder::new().set_buckets(&SECONDS_BUCKETS);
            builder.ok()?.install_recorder().ok()
        })
        .clone()
}

/// Upper bounds of the histograms, in seconds: from a cached answer to a late sweep.
const SECONDS_BUCKETS: [f64; 12] = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0, 300.0];
