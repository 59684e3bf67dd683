//! Keeps this process's copy of keys and users right when another process changes them: a key that the command line
//! revokes is dead in the server within two looks.

use std::time::Duration;

use super::{Progress, Worker};
use crate::domain::{Domain, Error, api_key};

/// Follows the changes of keys and users; runs in every process.
pub struct KeyFollower {
    domain: Domain,
}

impl KeyFollower {
    /// Follows from the first step on.
    pub fn new(domain: Domain) -> Self {
        Self { domain }
    }
}

impl Worker for KeyFollower {
    const NAME: &'static str = "key_follower";

    fn period(&self) -> Duration {
        Duration::from_millis(250)
    }

    async fn step(&mut self) -> Result<Progress, Error> {
        api_key::follow(&self.domain).await?;
        Ok(Progress::Drained)
    }
}
