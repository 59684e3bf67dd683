//! What to change about how applications are decided.

use super::FormRefusal;
use crate::domain::application::Policy;

/// What to change about a policy; what is left out stays.
#[derive(Clone, Debug, Default)]
pub struct PolicyChange {}

impl PolicyChange {
    /// The policy with the change.
    #[expect(clippy::unnecessary_wraps, reason = "stub")]
    pub(super) fn apply(self, policy: Policy) -> Result<Policy, FormRefusal> {
        Ok(policy)
    }
}
