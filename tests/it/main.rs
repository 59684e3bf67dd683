//! Stories through the edges: real sockets, real stores, a stand-in for Discord.

mod harness;
mod settings_commands;
mod vanish_commands;
mod vanish_engine;
