//! Stub.
use serde::{Deserialize, Serialize};
/// Stub.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {}
/// Stub.
pub fn is_built_in(_: &str) -> bool {
    false
}
