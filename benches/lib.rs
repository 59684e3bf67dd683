//! Shared by the drivers: a lean HTTP load, child processes, and figures of several rounds.

#![expect(clippy::print_stdout, reason = "a bench exists to print its figures")]

pub mod bare;
pub mod child;
pub mod figures;
pub mod load;
pub mod rules;
