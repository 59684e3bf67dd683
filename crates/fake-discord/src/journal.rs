//! What was asked and answered, and what was wrong with it.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::FakeDiscord;
use crate::fault::pattern_matches;
use crate::state::State;

/// How many exchanges and how many remarks are kept; older ones are dropped.
const MAX_KEPT: usize = 50_000;

/// One REST request and its answer.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// When it was answered, on the monotonic clock.
    pub at: Instant,
    /// When it was answered, on the stand-in's clock.
    pub time: DateTime<Utc>,
    /// `GET`, `POST`, …
    pub method: String,
    /// The template, such as `/channels/{channel_id}/messages`; "" when unknown.
    pub route: String,
    /// The path after `/api/v10`, decoded.
    pub path: String,
    /// The query string as sent, "" without one.
    pub query: String,
    /// The JSON body (of a multipart request: its `payload_json`), or null.
    pub request: Value,
    /// The decoded `X-Audit-Log-Reason`.
    pub audit_reason: Option<String>,
    /// The HTTP status; 0 when the connection was cut instead.
    pub status: u16,
    /// The JSON answer, or null.
    pub response: Value,
    /// Whether the answer was made up by `fail_next` and friends.
    pub injected: bool,
}

#[derive(Default)]
pub(crate) struct Journal {
    pub(crate) exchanges: VecDeque<Exchange>,
    pub(crate) violations: VecDeque<String>,
    pub(crate) mention_violations: VecDeque<String>,
    pub(crate) unknown_routes: VecDeque<String>,
}

fn push<T>(queue: &mut VecDeque<T>, item: T) {
    queue.push_back(item);
    if queue.len() > MAX_KEPT {
        queue.pop_front();
    }
}

impl Journal {
    pub(crate) fn record(&mut self, exchange: Exchange) {
        push(&mut self.exchanges, exchange);
    }

    pub(crate) fn violation(&mut self, what: impl Into<String>) {
        push(&mut self.violations, what.into());
    }

    pub(crate) fn mention_violation(&mut self, what: impl Into<String>) {
        push(&mut self.mention_violations, what.into());
    }

    pub(crate) fn unknown_route(&mut self, what: impl Into<String>) {
        push(&mut self.unknown_routes, what.into());
    }
}

/// Reading the journal.
impl FakeDiscord {
    /// Every exchange so far, oldest first.
    pub fn journal(&self) -> Vec<Exchange> {
        self.peek(|state| state.journal.exchanges.iter().cloned().collect())
    }

    /// The exchanges with this method and route, oldest first. The route is a template or a path;
    /// `*` stands for any run of characters, and `{…}` for any one segment.
    pub fn calls(&self, method: &str, route: &str) -> Vec<Exchange> {
        self.peek(|state| {
            state
                .journal
                .exchanges
                .iter()
                .filter(|one| one.method == method && pattern_matches(route, &one.route, &one.path))
                .cloned()
                .collect()
        })
    }

    /// How many exchanges there were with this method and route (see [`Self::calls`]).
    pub fn count(&self, method: &str, route: &str) -> usize {
        self.calls(method, route).len()
    }

    /// Waits until there were at least `count` exchanges with this method and route; panics after
    /// `limit`.
    pub async fn wait_calls(&self, method: &str, route: &str, count: usize, limit: Duration) -> Vec<Exchange> {
        let fits = |one: &&Exchange| one.method == method && pattern_matches(route, &one.route, &one.path);
        let enough = |state: &State| (state.journal.exchanges.iter().filter(fits).count() >= count).then_some(());
        if self.wait(limit, enough).await.is_none() {
            self.give_up(&format!("fewer than {count} calls of {method} {route}"));
        }
        self.calls(method, route)
    }

    /// The exchanges answered at or after `since`.
    pub fn calls_since(&self, since: Instant) -> Vec<Exchange> {
        let mut found = self.journal();
        found.retain(|one| one.at >= since);
        found
    }

    /// Forgets the exchanges so far (not the remarks about them).
    pub fn clear_journal(&self) {
        self.with(|state| state.journal.exchanges.clear());
    }

    /// How many answers count towards Discord's ban of addresses: 401, 403 and 429 (429s of shared
    /// limits excepted, but the stand-in has none).
    pub fn invalid_count(&self) -> usize {
        self.count_status(&[401, 403, 429])
    }

    /// How many requests were answered with 429.
    pub fn rate_limited_count(&self) -> usize {
        self.count_status(&[429])
    }

    fn count_status(&self, statuses: &[u16]) -> usize {
        self.peek(|state| {
            let all = state.journal.exchanges.iter();
            all.filter(|one| statuses.contains(&one.status)).count()
        })
    }

    /// Requests to routes the stand-in does not serve, as `METHOD path`.
    pub fn unknown_routes(&self) -> Vec<String> {
        self.peek(|state| state.journal.unknown_routes.iter().cloned().collect())
    }

    /// Breaches of Discord's rules that real Discord would refuse or punish.
    pub fn violations(&self) -> Vec<String> {
        self.peek(|state| state.journal.violations.iter().cloned().collect())
    }

    /// Forgets the violations so far: for tests that provoke one on purpose.
    pub fn clear_violations(&self) {
        self.with(|state| state.journal.violations.clear());
    }

    /// Messages and replies sent without explicit `allowed_mentions`: a rule of this project, not
    /// of Discord.
    pub fn mention_violations(&self) -> Vec<String> {
        self.peek(|state| state.journal.mention_violations.iter().cloned().collect())
    }
}
