//! Guildhall

pub mod discord_api;
