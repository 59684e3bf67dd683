//! Forgets sessions, tokens and numbers that ended long ago.

use std::time::Duration;

use super::{Progress, Worker};
use crate::domain::{Domain, Error, sign_in};

/// The one clearer of a store; only the holder of the worker lease runs it.
pub struct SessionClearer {
    domain: Domain,
}

impl SessionClearer {
    /// Looks at once, and then every ten minutes.
    pub fn new(domain: Domain) -> Self {
        Self { domain }
    }
}

impl Worker for SessionClearer {
    const NAME: &'static str = "session_clearer";

    fn period(&self) -> Duration {
        Duration::from_mins(10)
    }

    async fn step(&mut self) -> Result<Progress, Error> {
        let more = sign_in::clear(&self.domain).await?;
        Ok(if more { Progress::MoreWaiting } else { Progress::Drained })
    }
}
