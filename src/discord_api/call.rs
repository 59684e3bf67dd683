//! One call from start to end: the checks before it, the tries, and what each answer means.
//!
//! Invariant: a call ends by its lane's time limit and after a bounded number of tries; what might have been done
//! already is repeated only where repeating is harmless.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::{
    DiscordApi, Lane, Result, ServerTime,
    body::Body,
    bucket::{Lesson, Permit},
    error::{Error, Problem},
    route::{Route, encode},
    transport::{Again, Answer, Failure, Scope},
};

/// Tries after a 429.
const LIMITED_TRIES_MAX: u32 = 5;
/// Tries after a broken connection or a server error.
const BROKEN_TRIES_MAX: u32 = 3;
/// The pause after the first of those; it doubles, and half of it is left to chance.
const BACKOFF: Duration = Duration::from_millis(400);
/// Longest audit-log reason, in characters.
const REASON_CHARACTERS_MAX: usize = 512;
/// The wait after a 429 that names none.
const RETRY_AFTER_DEFAULT: Duration = Duration::from_secs(5);
/// The wait after a 429 that is not from Discord's API but from the wall before it.
const WALL_RETRY_AFTER_DEFAULT: Duration = Duration::from_mins(1);

/// A request to be made. No `Debug`: it can hold an interaction's token.
pub(super) struct Call {
    pub(super) route: Route,
    pub(super) body: Body,
    /// Percent-encoded.
    pub(super) reason: Option<String>,
    lane: Lane,
    repeatable: bool,
}

impl Call {
    pub(super) fn new(route: Route, lane: Lane) -> Self {
        let repeatable = route.is_repeatable();
        Self { route, body: Body::Empty, reason: None, lane, repeatable }
    }

    pub(super) fn body(mut self, body: Body) -> Self {
        self.body = body;
        self
    }

    /// Doing it twice is harmless although it is a POST.
    pub(super) fn repeatable(mut self) -> Self {
        self.repeatable = true;
        self
    }

    /// The words in the server's audit log, cut to 512 characters.
    pub(super) fn reason(mut self, reason: Option<&str>) -> Self {
        let cut = |reason: &str| encode(&reason.chars().take(REASON_CHARACTERS_MAX).collect::<String>());
        self.reason = reason.map(cut).filter(|reason| !reason.is_empty());
        self
    }
}

/// What to do after a try.
enum Verdict {
    Done(Answer),
    Failed(Error),
    /// Try again at this moment; the error is for when no try is left.
    Limited(Instant, Error),
    Broken(Error),
}

impl DiscordApi {
    /// Makes the call, with as many tries as it is worth.
    pub(super) async fn execute(&self, call: Call) -> Result<Answer> {
        const FULL: Error = Error::Unavailable { reason: "too many calls wait already" };
        let inner = &self.0;
        let queue = if call.lane == Lane::Interaction { &inner.interaction_calls } else { &inner.calls };
        let _place = queue.try_acquire().map_err(|_| FULL)?;
        let deadline = Instant::now() + call.lane.time_limit();
        let (mut limited, mut broken) = (0, 0);
        loop {
            match self.attempt(&call, deadline).await? {
                Verdict::Done(answer) => return Ok(answer),
                Verdict::Failed(error) => return Err(error),
                Verdict::Limited(again_at, error) => {
                    limited += 1;
                    if limited > LIMITED_TRIES_MAX || again_at >= deadline {
                        return Err(error);
                    }
                    sleep_until(again_at).await;
                }
                Verdict::Broken(error) => {
                    broken += 1;
                    let again_at = Instant::now() + backoff(broken);
                    if broken > BROKEN_TRIES_MAX || again_at >= deadline {
                        return Err(error);
                    }
                    sleep_until(again_at).await;
                }
            }
        }
    }

    /// One try, from the queue to the answer.
    async fn attempt(&self, call: &Call, deadline: Instant) -> Result<Verdict> {
        let inner = &self.0;
        inner.breaker.check(call.lane, Instant::now())?;
        let permit = self.admit(call, deadline).await?;
        // The token or the breaker may have gone while this call waited.
        inner.breaker.check(call.lane, Instant::now())?;
        let started = Instant::now();
        let outcome = inner.transport.send(call, deadline).await;
        record(call, outcome.as_ref().map(|answer| answer.status), started.elapsed());
        let answer = match outcome {
            Ok(answer) => answer,
            Err(failure) => {
                if let Some(permit) = permit {
                    permit.settle(&Lesson::Nothing);
                }
                return Ok(after_failure(call, failure));
            }
        };
        if let Some(at) = answer.server_time {
            inner.server_time.send_replace(Some(ServerTime { at, heard_at: Instant::now() }));
        }
        let limit = (answer.status == 429).then(|| Limit::of(&answer));
        if let Some(permit) = permit {
            permit.settle(&lesson(&answer, limit.as_ref()));
        }
        Ok(match limit {
            Some(limit) => self.after_limit(call, &answer, &limit),
            None => self.after_answer(call, answer),
        })
    }

    /// Waits for the bucket, then for the lane; the bucket again when a person's call took the place meanwhile.
    async fn admit(&self, call: &Call, deadline: Instant) -> Result<Option<Permit>> {
        let inner = &self.0;
        if !call.route.has_bucket {
            inner.pace.pass(call.lane, deadline).await?;
            return Ok(None);
        }
        let is_urgent = matches!(call.lane, Lane::Interaction | Lane::Interactive);
        loop {
            let place = inner.buckets.reserve(&call.route.key, is_urgent, deadline).await?;
            inner.pace.pass(call.lane, deadline).await?;
            if let Some(permit) = place.start() {
                return Ok(Some(permit));
            }
        }
    }

    fn after_answer(&self, call: &Call, answer: Answer) -> Verdict {
        if (200..300).contains(&answer.status) {
            return Verdict::Done(answer);
        }
        if matches!(answer.status, 401 | 403) {
            let token = answer.status == 401 && call.route.with_bot_token;
            self.0.breaker.refused(token, Instant::now());
        }
        let error = Error::from_answer(answer.status, &answer.body, call.route.with_bot_token);
        let is_broken = answer.status >= 500 && call.repeatable;
        if is_broken { Verdict::Broken(error) } else { Verdict::Failed(error) }
    }

    fn after_limit(&self, call: &Call, answer: &Answer, limit: &Limit) -> Verdict {
        let now = Instant::now();
        metrics::counter!("discord_rate_limited_total", "scope" => limit.scope_name()).increment(1);
        if limit.scope != Scope::Shared {
            self.0.breaker.refused(false, now);
        }
        tracing::warn!(
            route = call.route.key.template,
            scope = limit.scope_name(),
            retry_after_seconds = limit.retry_after.as_secs_f64(),
            "Discord's rate limit was hit"
        );
        let again_at = now + limit.retry_after;
        if limit.scope == Scope::Global {
            self.0.pace.stop(again_at);
        }
        match Problem::read(&answer.body) {
            Some(problem) if problem.refuses_direct_messages() => Verdict::Failed(problem.into_error(answer.status)),
            _ => Verdict::Limited(again_at, Error::RateLimited { retry_after: limit.retry_after }),
        }
    }
}

/// What a 429 says.
struct Limit {
    scope: Scope,
    retry_after: Duration,
}

impl Limit {
    fn of(answer: &Answer) -> Self {
        let problem = Problem::read(&answer.body);
        let is_global = problem.as_ref().is_some_and(|problem| problem.global);
        let from_body = problem.as_ref().and_then(Problem::retry_after);
        let (scope, default) = match (&problem, answer.scope) {
            _ if is_global => (Scope::Global, RETRY_AFTER_DEFAULT),
            (_, Some(scope)) => (scope, RETRY_AFTER_DEFAULT),
            (Some(_), None) => (Scope::User, RETRY_AFTER_DEFAULT),
            // This comes from the wall before the API and is about the bot's address, so all must wait.
            (None, None) => (Scope::Global, WALL_RETRY_AFTER_DEFAULT),
        };
        // The body is exact, the header the same in whole seconds unless somebody else wrote it.
        let retry_after = match (answer.retry_after, from_body) {
            (Some(header), Some(body)) if header <= body + Duration::from_secs(1) => body,
            (header, body) => header.max(body).unwrap_or(default),
        };
        Self { scope, retry_after }
    }

    fn scope_name(&self) -> &'static str {
        match self.scope {
            Scope::User => "user",
            Scope::Global => "global",
            Scope::Shared => "shared",
        }
    }
}

fn lesson<'a>(answer: &'a Answer, limit: Option<&Limit>) -> Lesson<'a> {
    let headers = &answer.rate;
    match limit {
        Some(limit) if limit.scope != Scope::Global => Lesson::Limited { headers, retry_after: limit.retry_after },
        Some(_) => Lesson::Nothing,
        None => Lesson::Answered { headers, is_success: (200..300).contains(&answer.status) },
    }
}

fn after_failure(call: &Call, failure: Failure) -> Verdict {
    let error = Error::Unavailable { reason: failure.reason };
    let again = match failure.again {
        Again::Always => true,
        Again::IfRepeatable => call.repeatable,
        Again::Never => false,
    };
    if again { Verdict::Broken(error) } else { Verdict::Failed(error) }
}

/// 0.2 to 0.4 s after the first failure, then twice as long each time.
fn backoff(failures: u32) -> Duration {
    let longest = BACKOFF * 2_u32.pow(failures.saturating_sub(1).min(BROKEN_TRIES_MAX));
    rand::random_range(longest / 2..=longest)
}

/// Metrics and the log line; neither holds an id.
fn record(call: &Call, status: Result<u16, &Failure>, took: Duration) {
    let route = format!("{} {}", call.route.key.method, call.route.key.template);
    let class = match status {
        Ok(200..300) => "2xx",
        Ok(300..400) => "3xx",
        Ok(400..500) => "4xx",
        Ok(_) => "5xx",
        Err(_) => "failed",
    };
    tracing::debug!(
        route,
        lane = call.lane.name(),
        status = status.ok(),
        failure = status.err().map(|failure| failure.reason),
        took_milliseconds = took.as_secs_f64() * 1_000.0,
        "Discord call"
    );
    metrics::counter!("discord_requests_total", "route" => route, "status_class" => class).increment(1);
    metrics::histogram!("discord_request_duration_seconds", "lane" => call.lane.name()).record(took.as_secs_f64());
}
