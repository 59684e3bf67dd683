//! Where new ids come from. Tests count instead of drawing lots.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use uuid::Uuid;

use crate::clock::Clock;

/// Makes UUIDs of version 7, whose order is the order of their making.
#[derive(Clone, Debug)]
pub struct IdSource {
    clock: Clock,
    counter: Option<Arc<AtomicU64>>,
}

impl IdSource {
    /// Ids from the operating system's randomness.
    pub fn random(clock: Clock) -> Self {
        Self { clock, counter: None }
    }

    /// Ids that count from one.
    pub fn counting(clock: Clock) -> Self {
        Self { clock, counter: Some(Arc::new(AtomicU64::new(1))) }
    }

    /// A new id.
    pub fn uuid(&self) -> Uuid {
        let milliseconds = u64::try_from(self.clock.now().timestamp_millis()).unwrap_or(0);
        let mut noise = [0_u8; 10];
        match &self.counter {
            Some(counter) => noise[2..].copy_from_slice(&counter.fetch_add(1, Ordering::SeqCst).to_be_bytes()),
            None => rand::fill(&mut noise),
        }
        uuid::Builder::from_unix_timestamp_millis(milliseconds, &noise).into_uuid()
    }
}
