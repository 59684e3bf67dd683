//! How credentials fare, for Prometheus: by their kind, never by whose they are.

use std::sync::OnceLock;

use metrics::Counter;

use crate::http::{auth::CredentialKind, error::Problem};

/// Requests by what they showed and what came of it.
const DECISIONS: &str = "auth_decisions_total";

const OUTCOMES: [&str; 3] = ["accepted", "refused", "unavailable"];

/// Handles of the recorder, looked up once: to do so for each request would cost more than many a handler.
#[derive(Default)]
pub(super) struct Figures(OnceLock<[[Counter; OUTCOMES.len()]; CredentialKind::ALL.len()]>);

impl Figures {
    pub(super) fn count(&self, kind: CredentialKind, fault: Option<&Problem>) {
        let outcome = match fault {
            None => 0,
            Some(fault) => {
                tracing::debug!(reason = fault.code(), "a credential was refused");
                if fault.status().is_server_error() { 2 } else { 1 }
            }
        };
        let counters = self.0.get_or_init(|| {
            CredentialKind::ALL.map(|kind| {
                OUTCOMES.map(|outcome| metrics::counter!(DECISIONS, "kind" => kind.name(), "outcome" => outcome))
            })
        });
        counters[kind as usize][outcome].increment(1);
    }
}
