//! The stand-in's own behaviour.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod bot;
mod client;
mod interactions;
mod parse;
mod rest;
mod rules;
mod support;
mod world;
