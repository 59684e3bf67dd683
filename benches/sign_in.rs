//! How many people sign in and refresh their tokens per second, on either engine, by clients that each wait for their
//! answer; beside the same number of bare writes of one row, which each of both needs at least.

use std::{net::IpAddr, sync::Arc, time::Instant};

use anyhow::{Context as _, ensure};
use benches::figures::{Figures, print_head, print_line, print_row};
use chrono::SecondsFormat;
use clap::Parser;
use guildhall::{
    clock::Clock,
    domain::{
        Actor, Domain, Limits, Source,
        api_key::{self, NewKey, VerifiedKey, format::Shape},
        sign_in::{self, Address},
    },
    id_source::IdSource,
    secret::DatabaseUrl,
    store::{Settings, Store},
};
use k256::ecdsa::SigningKey;
use sha3::{Digest as _, Keccak256};
use tokio::task::JoinSet;

#[derive(Parser)]
struct Arguments {
    /// The address of an empty PostgreSQL database to measure as well.
    #[arg(long)]
    postgres: Option<String>,
    /// Clients at once.
    #[arg(long, default_value_t = 32)]
    clients: u32,
    /// Sign-ins, refreshes and writes of each client in a round.
    #[arg(long, default_value_t = 50)]
    times: u32,
    /// Rounds.
    #[arg(long, default_value_t = 3)]
    rounds: u32,
}

/// A signed message of a wallet of its own.
struct Signed {
    message: String,
    signature: String,
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|digit| char::from_digit(digit.into(), 16))
        .collect()
}

fn signed(seed: u32, nonce: &str) -> anyhow::Result<Signed> {
    let mut secret = [1; 32];
    secret[..4].copy_from_slice(&seed.to_be_bytes());
    let key = SigningKey::from_slice(&secret)?;
    let address = Address::of_key(key.verifying_key()).checksummed();
    let message = format!(
        "app.example.org wants you to sign in with your Ethereum account:\n{address}\n\n\nURI: https://app.example.org\n\
         Version: 1\nChain ID: 1\nNonce: {nonce}\nIssued At: {}",
        Clock::system().now().to_rfc3339_opts(SecondsFormat::Millis, true)
    );
    let begin = format!("\x19Ethereum Signed Message:\n{}", message.len());
    let digest = Keccak256::new().chain_update(begin).chain_update(&message).finalize();
    let (signature, recovery) = key.sign_prehash_recoverable(&digest);
    let signature = format!("0x{}{:02x}", hexadecimal(&signature.to_bytes()), 27 + recovery.to_byte());
    Ok(Signed { message, signature })
}

struct Bench {
    domain: Domain,
    key: Arc<VerifiedKey>,
}

impl Bench {
    async fn new(url: &str) -> anyhow::Result<Self> {
        let store = Store::open(Settings {
            url: DatabaseUrl::parse(url)?,
            readers_max: 8,
            pool_connections_max: 16,
            acquire_timeout: std::time::Duration::from_secs(30),
            statement_timeout: std::time::Duration::from_secs(30),
            idle_in_transaction_timeout: std::time::Duration::from_secs(30),
            copies_kept: 1,
        })
        .await?;
        store.migrate().await?;
        let clock = Clock::system();
        let domain = Domain::new(store, clock.clone(), IdSource::random(clock), Limits::default());
        let mut new = NewKey::named("bench", Shape::Live);
        new.allowed_origins = vec!["app.example.org".to_owned()];
        let issued = api_key::create(&domain, &Actor::Root { source: Source::Cli }, new).await?;
        let key = api_key::verify(&domain, issued.secret.expose(), IpAddr::from([127, 0, 0, 1])).await?;
        Ok(Self { domain, key })
    }

    /// Runs every client's work at once; returns how many of it were done per second.
    async fn all<F, T>(clients: Vec<F>, times: u32) -> anyhow::Result<(f64, Vec<T>)>
    where
        F: Future<Output = anyhow::Result<T>> + Send + 'static,
        T: Send + 'static,
    {
        let count = u32::try_from(clients.len())?;
        let begun = Instant::now();
        let done = JoinSet::from_iter(clients).join_all().await;
        let seconds = begun.elapsed().as_secs_f64();
        let done = done.into_iter().collect::<anyhow::Result<Vec<_>>>()?;
        Ok((f64::from(count * times) / seconds, done))
    }

    async fn round(
        &self,
        arguments: &Arguments,
        round: u32,
        figures: &mut Figures,
        engine: &str,
    ) -> anyhow::Result<()> {
        let (clients, times) = (arguments.clients, arguments.times);
        // One row without an event.
        let writes = (0..clients).map(|_| {
            let domain = self.domain.clone();
            async move {
                for _ in 0..times {
                    sign_in::issue_nonce(&domain, None, None).await?;
                }
                Ok(())
            }
        });
        let (rate, _) = Self::all(writes.collect(), times).await?;
        figures.add(engine, "write", rate);

        // Every client is one person, who is new in the first round.
        let mut sign_ins = Vec::new();
        for client in 0..clients {
            let messages: anyhow::Result<Vec<_>> =
                (0..times).map(|nth| signed(client, &format!("bench{round:03}{nth:06}"))).collect();
            let (messages, domain, key) = (messages?, self.domain.clone(), self.key.clone());
            sign_ins.push(async move {
                let mut last = None;
                for Signed { message, signature } in messages {
                    let (tokens, _) = sign_in::sign_in_with_wallet(&domain, Some(&key), &message, &signature).await?;
                    last = Some(tokens.refresh);
                }
                last.context("there is nothing to measure")
            });
        }
        let (rate, tokens) = Self::all(sign_ins, times).await?;
        figures.add(engine, "sign-in", rate);

        let refreshes = tokens.into_iter().map(|token| {
            let domain = self.domain.clone();
            async move {
                let mut token = token;
                for _ in 0..times {
                    let known = sign_in::find_refresh(&domain, token.expose()).await?;
                    token = sign_in::refresh(&domain, known, None).await?.refresh;
                }
                Ok(())
            }
        });
        let (rate, _) = Self::all(refreshes.collect(), times).await?;
        figures.add(engine, "refresh", rate);
        Ok(())
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    ensure!(arguments.clients > 0 && arguments.times > 0 && arguments.rounds > 0, "there is nothing to measure");
    let folder = tempfile::tempdir()?;
    let sqlite = format!("sqlite://{}", folder.path().join("bench.db").display());
    let engines = [("SQLite", Some(sqlite)), ("PostgreSQL", arguments.postgres.clone())];
    let mut figures = Figures::default();
    let mut measured = Vec::new();
    for (engine, url) in engines {
        let Some(url) = url else { continue };
        let bench = Bench::new(&url).await?;
        for round in 0..arguments.rounds {
            bench.round(&arguments, round, &mut figures, engine).await?;
        }
        bench.domain.store().close().await;
        measured.push(engine);
    }
    print_line(&format!("{} clients, medians of {} rounds", arguments.clients, arguments.rounds));
    print_head(&["engine", "what", "per second", "of bare writes"]);
    for engine in measured {
        for what in ["write", "sign-in", "refresh"] {
            let rate = figures.median(engine, what).unwrap_or_default();
            let share = figures.ratio(engine, what, "write").map_or(0.0, |(median, ..)| median);
            print_row(&[engine.to_owned(), what.to_owned(), format!("{rate:.0}"), format!("{share:.2}")]);
        }
    }
    Ok(())
}
