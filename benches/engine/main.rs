//! Runs the vanish engine against the stand-in Discord: calls made, lateness, and the cost of a look.

mod bot;
mod calls;
mod lateness;
mod ticks;

use clap::{Parser, Subcommand};

#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// REST calls made, divided by the fewest that could do the same (frozen clocks).
    Calls(calls::Arguments),
    /// How late messages vanish while the clock really runs.
    Lateness(lateness::Arguments),
    /// What a look for due channels costs as idle rules grow.
    Ticks(ticks::Arguments),
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    match Arguments::parse().what {
        What::Calls(arguments) => calls::run(&arguments).await,
        What::Lateness(arguments) => lateness::run(&arguments).await,
        What::Ticks(arguments) => ticks::run(&arguments).await,
    }
}
