//! Faults a test can order for coming requests.

use std::time::Duration;

use serde_json::{Value, json};

use crate::FakeDiscord;
use crate::state::State;

/// What to answer instead of the truth.
#[derive(Clone, Debug)]
pub struct Failure {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) applied: bool,
}

impl Failure {
    /// A bare HTTP failure with a page of HTML, as a gateway in front of Discord sends.
    pub fn status(status: u16) -> Self {
        let body = format!("<html><head><title>{status}</title></head><body>error</body></html>");
        Self {
            status,
            body: body.into_bytes(),
            headers: vec![("content-type".into(), "text/html".into())],
            applied: false,
        }
    }

    /// One of Discord's own errors.
    pub fn discord(status: u16, code: u64, message: &str) -> Self {
        Self::json(status, &json!({"code": code, "message": message}))
    }

    /// Any JSON answer.
    pub fn json(status: u16, body: &Value) -> Self {
        Self {
            status,
            body: body.to_string().into_bytes(),
            headers: vec![("content-type".into(), "application/json".into())],
            applied: false,
        }
    }

    /// Discord's 429. The header carries whole seconds (rounded up), the body the exact number.
    pub fn rate_limited(retry_after: Duration, global: bool) -> Self {
        let seconds = retry_after.as_secs_f64();
        let body = json!({
            "message": "You are being rate limited.", "retry_after": seconds, "global": global,
        });
        let whole = retry_after.as_millis().div_ceil(1000);
        let mut failure = Self::json(429, &body).header("retry-after", &whole.to_string());
        if global {
            failure = failure.header("x-ratelimit-global", "true");
        }
        failure.header("x-ratelimit-scope", if global { "global" } else { "user" })
    }

    /// The 429 of the network in front of Discord: HTML, whole seconds, no Discord headers.
    pub fn html_rate_limited(seconds: u64) -> Self {
        Self::status(429).header("retry-after", &seconds.to_string())
    }

    /// A successful status whose JSON stops in the middle.
    pub fn truncated() -> Self {
        Self {
            status: 200,
            body: br#"{"id": "12345678901234567", "content": "hel"#.to_vec(),
            headers: vec![("content-type".into(), "application/json".into())],
            applied: false,
        }
    }

    /// Adds a header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Does what was asked and only then answers with the failure, as when the answer is lost.
    pub fn applied(mut self) -> Self {
        self.applied = true;
        self
    }
}

#[derive(Clone, Debug)]
pub(crate) enum Kind {
    Answer(Failure),
    Delay(Duration),
    Cut { applied: bool },
}

#[derive(Clone, Debug)]
pub(crate) struct Fault {
    method: Option<String>,
    pattern: String,
    /// How many fitting requests pass first.
    skip: usize,
    times: usize,
    pub(crate) kind: Kind,
}

/// What is in store for one request.
#[derive(Default)]
pub(crate) struct Fate {
    pub(crate) delay: Duration,
    pub(crate) cut: Option<bool>,
    pub(crate) answer: Option<Failure>,
}

impl State {
    /// Takes the faults that apply to a request: each kind at most once.
    pub(crate) fn fate(&mut self, method: &str, template: &str, path: &str) -> Fate {
        let mut fate = Fate::default();
        for fault in &mut self.faults {
            let applies = fault.times > 0
                && fault.method.as_deref().is_none_or(|one| one == method)
                && pattern_matches(&fault.pattern, template, path);
            if !applies {
                continue;
            }
            if fault.skip > 0 {
                fault.skip -= 1;
                continue;
            }
            match &fault.kind {
                Kind::Delay(delay) if fate.delay.is_zero() => fate.delay = *delay,
                Kind::Cut { applied } if fate.cut.is_none() && fate.answer.is_none() => {
                    fate.cut = Some(*applied);
                }
                Kind::Answer(answer) if fate.cut.is_none() && fate.answer.is_none() => {
                    fate.answer = Some(answer.clone());
                }
                _ => continue,
            }
            fault.times -= 1;
        }
        self.faults.retain(|fault| fault.times > 0);
        fate
    }
}

/// Whether `pattern` names this route: `*` is any run of characters, `{…}` any one segment; it may
/// be written against the template or against the path.
pub(crate) fn pattern_matches(pattern: &str, template: &str, path: &str) -> bool {
    if pattern == "*" || pattern == template || pattern == path {
        return true;
    }
    let glob: String =
        pattern.split('/').map(|part| if part.starts_with('{') { "{}" } else { part }).collect::<Vec<_>>().join("/");
    glob_matches(glob.as_bytes(), path.as_bytes())
}

fn glob_matches(glob: &[u8], text: &[u8]) -> bool {
    match glob {
        [] => text.is_empty(),
        [b'*', rest @ ..] => (0..=text.len()).any(|skip| glob_matches(rest, &text[skip..])),
        [b'{', b'}', rest @ ..] => {
            let end = text.iter().position(|byte| *byte == b'/');
            let end = end.unwrap_or(text.len());
            end > 0 && glob_matches(rest, &text[end..])
        }
        [first, rest @ ..] => text.first() == Some(first) && glob_matches(rest, &text[1..]),
    }
}

/// Ordering faults. A route is a template or a path; `*` stands for any run of characters and
/// `{…}` for any one segment, so `/channels/{}/messages/*` works.
impl FakeDiscord {
    /// Answers the next `times` requests with this method and route with `failure`.
    pub fn fail_next(&self, method: &str, route: &str, failure: Failure, times: usize) {
        self.order(Some(method), route, Kind::Answer(failure), 0, times);
    }

    /// As [`Self::fail_next`], after letting `skip` such requests pass.
    pub fn fail_later(&self, method: &str, route: &str, skip: usize, failure: Failure, times: usize) {
        self.order(Some(method), route, Kind::Answer(failure), skip, times);
    }

    /// Keeps the next request to this route waiting for `delay` before it has any effect.
    pub fn slow_next(&self, route: &str, delay: Duration) {
        self.order(None, route, Kind::Delay(delay), 0, 1);
    }

    /// Keeps the next `times` requests with this method and route waiting.
    pub fn slow(&self, method: &str, route: &str, delay: Duration, times: usize) {
        self.order(Some(method), route, Kind::Delay(delay), 0, times);
    }

    /// Cuts the TCP connection of the next request to this route, before it has any effect.
    pub fn reset_next(&self, route: &str) {
        self.order(None, route, Kind::Cut { applied: false }, 0, 1);
    }

    /// Does what the next request to this route asks, then cuts its connection without an answer.
    pub fn reset_after_next(&self, route: &str) {
        self.order(None, route, Kind::Cut { applied: true }, 0, 1);
    }

    /// Drops all faults that are still in store.
    pub fn clear_faults(&self) {
        self.with(|state| state.faults.clear());
    }

    /// Answers 401 to every REST call and refuses IDENTIFY and RESUME with 4004.
    pub fn refuse_token(&self) {
        self.with(|state| state.token_refused = true);
    }

    /// Takes [`Self::refuse_token`] back.
    pub fn accept_token(&self) {
        self.with(|state| state.token_refused = false);
    }

    fn order(&self, method: Option<&str>, route: &str, kind: Kind, skip: usize, times: usize) {
        let fault = Fault { method: method.map(str::to_owned), pattern: route.to_owned(), skip, times, kind };
        self.with(|state| {
            assert!(state.faults.len() < 1000, "too many faults in store");
            state.faults.push_back(fault);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        let (template, path) = ("/channels/{channel_id}/messages", "/channels/12/messages");
        for pattern in ["*", template, path, "/channels/{}/messages", "/channels/*", "*messages"] {
            assert!(pattern_matches(pattern, template, path), "{pattern}");
        }
        for pattern in ["/channels/13/messages", "/channels/{}", "/guilds/*"] {
            assert!(!pattern_matches(pattern, template, path), "{pattern}");
        }
    }
}
