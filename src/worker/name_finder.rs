//! Looks up what people's wallets are called, where the operator has named a node to ask.

use std::time::Duration;

use super::{Progress, Worker};
use crate::{
    domain::{
        Domain, Error,
        user::{self, DueName, NameOutcome},
    },
    ens_client::EnsClient,
};

/// Most events of one step.
const EVENTS_MAX: u64 = 100;
/// Most wallets of one step, one after the other: nodes count their callers' questions.
const WALLETS_MAX: u64 = 5;

/// The one that asks; only the holder of the worker lease runs it.
pub struct NameFinder {
    domain: Domain,
    client: EnsClient,
    period: Duration,
}

impl NameFinder {
    /// Made once per lease; looks at least once per `period`.
    pub fn new(domain: Domain, client: EnsClient, period: Duration) -> Self {
        Self { domain, client, period }
    }

    async fn look(&self, due: &DueName) -> NameOutcome {
        match self.client.name_of(&due.address).await {
            Ok(Some(named)) => NameOutcome::Found { name: named.name, avatar: named.avatar },
            Ok(None) => NameOutcome::Nameless,
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "the name of a wallet is not known for now");
                NameOutcome::Failed
            }
        }
    }
}

impl Worker for NameFinder {
    const NAME: &'static str = "name_finder";

    fn period(&self) -> Duration {
        self.period
    }

    async fn step(&mut self) -> Result<Progress, Error> {
        let handled = user::note_wallets(&self.domain, EVENTS_MAX).await? as u64;
        let due = user::claim_names(&self.domain, WALLETS_MAX).await?;
        for one in &due {
            let outcome = self.look(one).await;
            user::settle_name(&self.domain, one, outcome).await?;
        }
        let more = handled == EVENTS_MAX || due.len() as u64 == WALLETS_MAX;
        Ok(if more { Progress::MoreWaiting } else { Progress::Drained })
    }
}
