//! Guildhall: a Discord bot and its control plane over one store.
//!
//! See `docs/ARCHITECTURE.md` for the map and the invariants.

pub mod app;
pub mod chart;
pub mod cli;
pub mod clock;
pub mod config;
pub mod csv;
pub mod discord;
pub mod discord_api;
pub mod domain;
pub mod ens_client;
pub mod http;
pub mod id_source;
pub mod limits;
pub mod secret;
pub mod serve;
pub mod store;
pub mod telemetry;
pub mod worker;
