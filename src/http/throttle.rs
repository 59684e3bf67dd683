//! What limits mean in HTTP: whom to count, and how answers say how many requests are left.
//!
//! Headers: `X-RateLimit-*`, which clients of other systems read, for the policy that is nearest to its end; `RateLimit`
//! and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers) for all of them. *Reset* is when everything is there
//! again; `Retry-After`, on 429, when one more request will pass.

use std::{fmt::Write as _, net::IpAddr, time::Duration};

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    access::Pace,
    auth::{Principal, ShownKey},
    error::Problem,
};
use crate::limits::{Caller, Policy, RateLimits, State, Verdict};

const LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");
const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const STANDING: HeaderName = HeaderName::from_static("ratelimit");

/// How many requests are left to the caller: an extension of the request, for answers that say so in their body. There
/// is none where nothing limits the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = RateLimit)]
pub struct Allowance {
    /// Requests that would pass now.
    pub remaining: u32,
    /// When all of them are there again, in milliseconds since 1970.
    #[serde(rename = "resetAt", serialize_with = "chrono::serde::ts_milliseconds::serialize")]
    #[schema(value_type = i64, example = 1_795_683_271_000_i64)]
    pub resets_at: DateTime<Utc>,
}

impl Allowance {
    pub(super) fn of(verdict: &Verdict, now: DateTime<Utc>) -> Option<Self> {
        let state = verdict.tightest()?;
        let resets_at = now + chrono::TimeDelta::from_std(state.reset).unwrap_or_default();
        Some(Self { remaining: state.remaining, resets_at })
    }
}

/// Counts a request of a caller; none where nothing limits them. A credential that is not good leaves a stranger, so
/// that who guesses is limited by address.
pub(super) fn count(limits: &RateLimits, pace: Pace, principal: &Principal, is_write: bool) -> Option<Verdict> {
    let stranger = Caller::Stranger(principal.address());
    match pace {
        Pace::Unlimited => None,
        Pace::Documents => limits.count(Caller::Reader(principal.address()), is_write),
        Pace::Caller => match (principal.key(), principal.signed_in()) {
            (Some(ShownKey::Root), _) => limits.count(Caller::Root, is_write),
            (Some(ShownKey::Stored(key)), _) => {
                let policies: Vec<_> = key.rate_limits.iter().map(own_policy).collect();
                let id = key.row.id.0.as_u128();
                limits.count(Caller::Key { id, is_admin: key.is_admin(), own: &policies }, is_write)
            }
            (None, Some(signed_in)) => limits.count(Caller::User(signed_in.actor.id.0.as_u128()), is_write),
            (None, None) => limits.count(stranger, is_write),
        },
    }
}

fn own_policy(limit: &crate::domain::api_key::RateLimit) -> Policy<'_> {
    Policy::own(&limit.name, limit.limit, Duration::from_millis(limit.window_ms))
}

/// 429, with everything that a client needs to come again in time.
pub fn too_many(verdict: &Verdict) -> Problem {
    let seconds = seconds(verdict.wait().unwrap_or_default()).max(1);
    let violated: Vec<String> = verdict.violated().map(|state| state.name.to_string()).collect();
    let detail = match verdict.violated().next() {
        Some(state) => format!(
            "Too many requests: at most {} in {} seconds. Please try again in {seconds} seconds",
            state.limit,
            state.window.as_secs_f64(),
        ),
        None => "Too many requests. Please try again later".to_owned(),
    };
    Problem::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", detail).with_quota(violated, seconds)
}

/// Tries to sign in from an address to an account; refuses who tries too often.
pub fn admit_sign_in(limits: &RateLimits, address: IpAddr, account: &str) -> Result<(), Problem> {
    admit(limits.count_sign_in(address, account))
}

/// Refreshes a session, or a family of them; refuses who does so too often.
pub fn admit_refresh(limits: &RateLimits, session: uuid::Uuid) -> Result<(), Problem> {
    admit(limits.count_refresh(session.as_u128()))
}

fn admit(verdict: Option<Verdict>) -> Result<(), Problem> {
    match verdict {
        Some(verdict) if verdict.wait().is_some() => Err(too_many(&verdict)),
        _ => Ok(()),
    }
}

/// Says on an answer how many requests are left.
pub(super) fn tell(headers: &mut HeaderMap, verdict: &Verdict, now: DateTime<Utc>) {
    let Some(tightest) = verdict.tightest() else { return };
    headers.insert(LIMIT, tightest.limit.into());
    headers.insert(REMAINING, tightest.remaining.into());
    let reset = now.timestamp() + i64::try_from(seconds(tightest.reset)).unwrap_or(i64::MAX / 2);
    headers.insert(RESET, reset.into());
    let (mut policies, mut standings) = (String::new(), String::new());
    for state in verdict.states() {
        let comma = if policies.is_empty() { "" } else { ", " };
        let State { name, limit, remaining, .. } = state;
        let (window, reset) = (seconds(state.window), seconds(state.reset));
        // Writing to a string cannot fail.
        let _ = write!(policies, r#"{comma}"{name}";q={limit};w={window}"#);
        let _ = write!(standings, r#"{comma}"{name}";r={remaining};t={reset}"#);
    }
    // A name that no header can hold is not told; new ones are of plain letters.
    if let (Ok(policies), Ok(standings)) = (HeaderValue::from_str(&policies), HeaderValue::from_str(&standings)) {
        headers.insert(POLICY, policies);
        headers.insert(STANDING, standings);
    }
}

/// In whole seconds, rounded up: who waits so long has waited long enough.
fn seconds(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}
