//! The stand-in's own behaviour.

#![expect(
    clippy::disallowed_methods,
    reason = "the stand-in is no part of the product: it keeps its own time, and tests of it wait for sockets"
)]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod bot;
mod client;
mod interactions;
mod joining;
mod oauth;
mod parse;
mod portal;
mod rest;
mod rules;
mod support;
mod world;
