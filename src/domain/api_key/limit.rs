//! How often a key may be used.

use serde::{Deserialize, Serialize};

/// Most limits of one key.
pub const LIMITS_MAX: usize = 10;
/// The name of the limit that clients of other systems set.
pub const DEFAULT: &str = "default";

/// At most so many requests in any such time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RateLimit {
    /// Its name among the key's limits.
    pub name: String,
    /// Requests.
    pub limit: u32,
    /// Time in milliseconds.
    pub window_ms: u64,
}
