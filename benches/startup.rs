//! Time from the start of the program to the first 200 of `/health` on a migrated database, and memory at rest.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use benches::{
    child::{self, Server},
    figures::{median, print_head, print_row},
};
use clap::Parser;
use tempfile::TempDir;

/// The goals: milliseconds to the first answer, and MiB at rest.
const START_GOAL: f64 = 300.0;
const MEMORY_GOAL: f64 = 40.0;

#[derive(Parser)]
struct Arguments {
    /// Starts.
    #[arg(long, default_value_t = 10)]
    starts: u32,
    /// Seconds of rest before the memory is read.
    #[arg(long, default_value_t = 10)]
    rest: u64,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let folder = TempDir::new()?;
    let port = child::free_port()?;
    let command = || Server::guildhall(folder.path(), "sqlite://guildhall.db", port);
    // The first start creates and migrates.
    let fresh = Instant::now();
    drop(Server::start(&mut command()?, port).await?);
    let fresh = fresh.elapsed();
    let mut starts = Vec::new();
    for _ in 0..arguments.starts {
        let started = Instant::now();
        drop(Server::start(&mut command()?, port).await?);
        starts.push(started.elapsed().as_secs_f64() * 1000.0);
    }
    let server = Server::start(&mut command()?, port).await?;
    tokio::task::spawn_blocking(move || std::thread::sleep(Duration::from_secs(arguments.rest))).await?;
    let (resident, own) = server.memory()?;
    let mib = |kib: u64| f64::from(u32::try_from(kib).unwrap_or(u32::MAX)) / 1024.0;
    let worst = starts.iter().copied().reduce(f64::max).context("there is at least one start")?;
    print_head(&["figure", "measured", "goal"]);
    let row = |name: &str, measured: String, goal: String| print_row(&[name.to_owned(), measured, goal]);
    let middle = median(&starts).context("there is at least one start")?;
    row("start to first 200, migrated, median", format!("{middle:.0} ms"), format!("< {START_GOAL} ms"));
    row("start to first 200, migrated, worst", format!("{worst:.0} ms"), String::new());
    row("start to first 200, new database", format!("{:.0} ms", fresh.as_secs_f64() * 1000.0), String::new());
    row("resident at rest", format!("{:.1} MiB", mib(resident)), format!("< {MEMORY_GOAL} MB"));
    row("of that its own (anonymous)", format!("{:.1} MiB", mib(own)), String::new());
    Ok(())
}
