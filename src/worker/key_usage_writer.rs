//! Writes how often keys were used, every few seconds: a call waits for no write, and a crash loses seconds of counts.

use std::time::Duration;

use super::{Progress, Worker};
use crate::domain::{Domain, Error, api_key};

/// Writes what this process has counted; runs in every process.
pub struct KeyUsageWriter {
    domain: Domain,
}

impl KeyUsageWriter {
    /// Writes from the first step on.
    pub fn new(domain: Domain) -> Self {
        Self { domain }
    }
}

impl Worker for KeyUsageWriter {
    const NAME: &'static str = "key_usage_writer";

    fn period(&self) -> Duration {
        Duration::from_secs(5)
    }

    async fn step(&mut self) -> Result<Progress, Error> {
        api_key::usage::flush(&self.domain).await?;
        Ok(Progress::Drained)
    }
}
