//! A key that will soon stop to work tells so on every answer, so that a client can notice before it does.

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use chrono::{DateTime, TimeDelta, Utc};
use entity::api_key::KeyState;

use crate::domain::api_key::VerifiedKey;

/// When it will stop: <https://www.rfc-editor.org/rfc/rfc8594>.
pub(super) const SUNSET: HeaderName = HeaderName::from_static("sunset");
/// Since when it should be used no more: <https://www.rfc-editor.org/rfc/rfc9745>.
pub(super) const DEPRECATION: HeaderName = HeaderName::from_static("deprecation");

/// How long before its end a key begins to tell.
const NOTICE: TimeDelta = TimeDelta::days(14);

/// Tells when the key ends, if that is soon or another one has replaced it.
pub(super) fn tell(headers: &mut HeaderMap, key: &VerifiedKey, now: DateTime<Utc>) {
    let Some(end) = key.ends_at() else { return };
    let since = match key.row.state {
        KeyState::Retiring => key.row.state_at,
        _ if end - now <= NOTICE => end - NOTICE,
        _ => return,
    };
    let end = end.format("%a, %d %b %Y %H:%M:%S GMT").to_string();
    for (name, value) in [(SUNSET, end), (DEPRECATION, format!("@{}", since.timestamp()))] {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    }
}
