//! A stand-in for Discord to try the bot against, with a small shell to act as a person.
fn main() {}
