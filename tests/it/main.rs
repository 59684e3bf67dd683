//! Stories through the edges: real sockets, real stores, a stand-in for Discord.

mod abuse;
mod api_keys;
mod apikey_commands;
mod applications_review;
mod architecture;
mod cli;
mod commands;
mod config;
mod docs;
mod ens;
mod guard;
mod harness;
mod my_commands;
mod openapi;
mod people;
mod practice;
mod practice_admin;
mod practice_commands;
mod practice_stats;
mod promises;
mod schema;
mod settings_commands;
mod sign_in;
mod vanish_commands;
mod vanish_engine;
