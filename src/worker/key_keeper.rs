//! Looks after keys that nobody asks for: those that never reached their owners, and counts that are too old.

use std::time::{Duration, Instant};

use super::{Progress, Worker};
use crate::domain::{Domain, Error, api_key};

/// Time between two looks for counts that are too old.
const FORGET_PERIOD: Duration = Duration::from_mins(10);

/// The one keeper of a store; only the holder of the worker lease runs it.
pub struct KeyKeeper {
    domain: Domain,
    forgot_at: Option<Instant>,
}

impl KeyKeeper {
    /// Made once per lease.
    pub fn new(domain: Domain) -> Self {
        Self { domain, forgot_at: None }
    }
}

impl Worker for KeyKeeper {
    const NAME: &'static str = "key_keeper";

    fn period(&self) -> Duration {
        Duration::from_secs(5)
    }

    async fn step(&mut self) -> Result<Progress, Error> {
        let lost = api_key::revoke_undelivered(&self.domain).await?;
        let mut more = lost > 0;
        if self.forgot_at.is_none_or(|at| at.elapsed() >= FORGET_PERIOD) {
            if api_key::usage::forget_old(&self.domain).await? {
                more = true;
            } else {
                self.forgot_at = Some(Instant::now());
            }
        }
        Ok(if more { Progress::MoreWaiting } else { Progress::Drained })
    }
}
