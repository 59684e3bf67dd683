//! Rate limits: the headers on every answer, and refusals where a test asks for them.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use crate::FakeDiscord;
use crate::fault::Failure;

/// What the headers claim for a route without a configured bucket. It is never enforced.
const DEFAULT: (u64, Duration) = (1000, Duration::from_secs(1));

/// How many buckets are tracked before idle ones are dropped.
const MAX_BUCKETS: usize = 20_000;

struct Bucket {
    opened: Instant,
    used: u64,
}

#[derive(Default)]
pub(crate) struct RateLimits {
    configured: BTreeMap<String, (u64, Duration)>,
    buckets: BTreeMap<String, Bucket>,
    global: Option<u64>,
    recent: VecDeque<Instant>,
}

pub(crate) type Headers = Vec<(String, String)>;

impl RateLimits {
    /// Counts a request. `route` is `METHOD template`, `major` the id its bucket is shared by.
    pub(crate) fn count(&mut self, route: &str, major: &str) -> Result<Headers, (Failure, Headers)> {
        let now = Instant::now();
        let exempt = route.contains(" /interactions/") || route.contains(" /webhooks/");
        if !exempt && let Some(wait) = self.count_global(now) {
            return Err((Failure::rate_limited(wait, true), Vec::new()));
        }
        if self.buckets.len() > MAX_BUCKETS {
            self.buckets.clear();
        }
        let configured = self.configured.get(route).copied();
        let (limit, window) = configured.unwrap_or(DEFAULT);
        let fresh = Bucket { opened: now, used: 0 };
        let bucket = self.buckets.entry(format!("{route} {major}")).or_insert(fresh);
        if now.duration_since(bucket.opened) >= window {
            *bucket = Bucket { opened: now, used: 0 };
        }
        let wait = window.saturating_sub(now.duration_since(bucket.opened));
        let refused = configured.is_some() && bucket.used >= limit;
        if !refused {
            bucket.used += 1;
        }
        let headers = headers(route, limit, limit.saturating_sub(bucket.used), wait);
        if refused { Err((Failure::rate_limited(wait, false), headers)) } else { Ok(headers) }
    }

    fn count_global(&mut self, now: Instant) -> Option<Duration> {
        let limit = self.global?;
        let window = Duration::from_secs(1);
        while let Some(first) = self.recent.front()
            && now.duration_since(*first) >= window
        {
            self.recent.pop_front();
        }
        if self.recent.len() as u64 >= limit {
            let first = self.recent.front().copied().unwrap_or(now);
            return Some(window.saturating_sub(now.duration_since(first)));
        }
        self.recent.push_back(now);
        None
    }
}

fn headers(route: &str, limit: u64, remaining: u64, wait: Duration) -> Headers {
    let reset = (chrono::Utc::now() + wait).timestamp_micros();
    let bucket = route.bytes().fold(0_u64, |hash, byte| hash.wrapping_mul(31).wrapping_add(byte.into()));
    [
        ("x-ratelimit-limit", limit.to_string()),
        ("x-ratelimit-remaining", remaining.to_string()),
        ("x-ratelimit-reset", format!("{}.{:03}", reset / 1_000_000, reset / 1000 % 1000)),
        ("x-ratelimit-reset-after", format!("{:.3}", wait.as_secs_f64())),
        ("x-ratelimit-bucket", format!("{bucket:016x}")),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

/// Setting rate limits. None is enforced until a test asks.
impl FakeDiscord {
    /// Enforces `limit` requests per `window` on a route, per channel, guild or webhook in its
    /// path. `route` is `METHOD template`, such as
    /// `DELETE /channels/{channel_id}/messages/{message_id}` (the names in braces do not matter);
    /// a template the stand-in does not serve panics.
    pub fn set_bucket(&self, route: &str, limit: u64, window: Duration) {
        let route = crate::rest::canonical(route);
        self.with(|state| {
            state.limits.configured.insert(route, (limit, window));
        });
    }

    /// Enforces a limit over all routes but interactions and webhooks; None lifts it.
    pub fn set_global_limit(&self, per_second: Option<u64>) {
        self.with(|state| state.limits.global = per_second);
    }

    /// Lifts every limit.
    pub fn clear_limits(&self) {
        self.with(|state| state.limits = RateLimits::default());
    }
}
