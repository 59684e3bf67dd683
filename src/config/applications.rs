//! `[applications]`: how applications that programs make are decided.

use serde::Deserialize;

/// How many of those who vote must say yes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ApplicationThreshold {
    /// More than half.
    Majority,
    /// Two thirds.
    TwoThirds,
    /// All.
    Unanimous,
    /// As many as the quorum, however many say no.
    Quorum,
}

/// `[applications]`: how applications that programs make are decided.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApplicationsConfig {
    /// How many must vote.
    pub quorum: u32,
    /// How many of them must say yes.
    pub threshold: ApplicationThreshold,
    /// Hours after which the vote ends; 0 ends it with the vote that decides.
    pub deadline_hours: u32,
}
