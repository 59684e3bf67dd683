//! What to change about how applications are decided.

use entity::id::RoleId;

use crate::domain::application::{Invite, OnLeave, Policy, Quorum, Reasons, Threshold, Tie, Voters};

/// What to change about a policy; what is left out stays.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "the fields are those of Policy and of what follows it")]
pub struct PolicyChange {
    pub quorum: Option<Quorum>,
    pub threshold: Option<Threshold>,
    pub tie: Option<Tie>,
    pub deadline_hours: Option<Option<u32>>,
    pub early_close: Option<bool>,
    pub blind: Option<bool>,
    pub reasons: Option<Reasons>,
    pub voters: Option<Voters>,
    pub override_roles: Option<Vec<RoleId>>,
    pub veto_role: Option<Option<RoleId>>,
    pub weights: Option<Vec<(RoleId, u32)>>,
    pub on_leave: Option<OnLeave>,
    pub accept_limit: Option<Option<u32>>,
    pub roles_add: Option<Vec<RoleId>>,
    pub roles_remove: Option<Vec<RoleId>>,
    pub invite: Option<Invite>,
}

impl PolicyChange {
    /// The policy with the change; bounds are looked at when it is written.
    pub(super) fn apply(self, mut policy: Policy) -> Policy {
        use super::change::replace;
        replace(&mut policy.quorum, self.quorum);
        replace(&mut policy.threshold, self.threshold);
        replace(&mut policy.tie, self.tie);
        replace(&mut policy.deadline_hours, self.deadline_hours);
        replace(&mut policy.early_close, self.early_close);
        replace(&mut policy.blind, self.blind);
        replace(&mut policy.reasons, self.reasons);
        replace(&mut policy.voters, self.voters);
        replace(&mut policy.override_roles, self.override_roles);
        replace(&mut policy.veto_role, self.veto_role);
        replace(&mut policy.weights, self.weights);
        replace(&mut policy.on_leave, self.on_leave);
        replace(&mut policy.accept_limit, self.accept_limit);
        replace(&mut policy.follow_up.roles_add, self.roles_add);
        replace(&mut policy.follow_up.roles_remove, self.roles_remove);
        replace(&mut policy.follow_up.invite, self.invite);
        policy
    }
}
