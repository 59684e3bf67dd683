//! Guildhall: a Discord bot and its control plane over one store.
//!
//! See `docs/ARCHITECTURE.md` for the map and the invariants.

pub mod app;
pub mod clock;
pub mod domain;
pub mod http;
pub mod id_source;
pub mod store;
