//! The store without a server, for commands that work on it directly.

use super::serve::with_exit;
use crate::{
    clock::Clock,
    config::Config,
    domain::{Actor, Domain, Source},
    id_source::IdSource,
    serve::{self, StartError},
};

/// An open, migrated store and the operator in front of it. A server beside it learns what is changed here.
pub(super) struct Offline {
    domain: Domain,
    actor: Actor,
}

impl Offline {
    /// Opens the store that the settings name, and makes it where there is none.
    pub(super) async fn open(config: &Config) -> anyhow::Result<Self> {
        let store = serve::open_store(config).await.map_err(with_exit)?;
        store.migrate().await.map_err(|error| with_exit(StartError::from(error)))?;
        let clock = Clock::system();
        let ids = IdSource::random(clock.clone());
        let domain = Domain::new(store, clock, ids, serve::limits(config));
        Ok(Self { domain, actor: Actor::Root { source: Source::Cli } })
    }

    pub(super) fn domain(&self) -> &Domain {
        &self.domain
    }

    /// Whoever can open the store may do everything.
    pub(super) fn actor(&self) -> &Actor {
        &self.actor
    }

    pub(super) async fn close(self) {
        self.domain.store().close().await;
    }
}
