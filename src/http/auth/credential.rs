//! Which credentials a request shows, before anybody looks whether they are good.

use axum::http::{HeaderMap, header};

use super::INVALID_KEY;

/// A key, a token, or both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Credentials<'a> {
    pub(super) key: Option<&'a str>,
    pub(super) token: Option<&'a str>,
}

impl<'a> Credentials<'a> {
    /// `X-API-Key` counts before `Authorization: ApiKey`; two of one header are refused, because nobody could say which
    /// one was meant.
    pub(super) fn of(headers: &'a HeaderMap) -> Result<Self, &'static str> {
        let mut credentials = Self::default();
        let mut keys = headers.get_all("x-api-key").iter();
        if let Some(value) = keys.next().filter(|value| !value.is_empty()) {
            credentials.key = Some(value.to_str().map(str::trim).unwrap_or_default());
        }
        let mut authorizations = headers.get_all(header::AUTHORIZATION).iter();
        let authorization = authorizations.next().and_then(|value| value.to_str().ok());
        if keys.next().is_some() || authorizations.next().is_some() {
            return Err(INVALID_KEY);
        }
        if let Some((scheme, text)) = authorization.and_then(|value| value.trim().split_once(' ')) {
            let text = text.trim();
            if scheme.eq_ignore_ascii_case("apikey") {
                credentials.key = credentials.key.or(Some(text));
            } else if scheme.eq_ignore_ascii_case("bearer") {
                credentials.token = Some(text);
            }
        }
        Ok(credentials)
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &str)| {
            (HeaderName::from_static(name), HeaderValue::from_bytes(value.as_bytes()).unwrap())
        };
        let mut headers = HeaderMap::new();
        for (name, value) in pairs.iter().map(pair) {
            headers.append(name, value);
        }
        headers
    }

    #[test]
    fn keys_and_tokens_are_told_apart() {
        for (pairs, key, token) in [
            (&[][..], None, None),
            (&[("x-api-key", "k")], Some("k"), None),
            (&[("x-api-key", " k ")], Some("k"), None),
            (&[("x-api-key", "")], None, None),
            (&[("authorization", "ApiKey k")], Some("k"), None),
            (&[("authorization", "apikey  k")], Some("k"), None),
            (&[("authorization", "ApiKey k"), ("x-api-key", "x")], Some("x"), None),
            (&[("authorization", "ApiKey k"), ("x-api-key", "")], Some("k"), None),
            (&[("authorization", "bearer t"), ("x-api-key", "x")], Some("x"), Some("t")),
            (&[("authorization", "Basic dTpw")], None, None),
            (&[("authorization", "Bearer")], None, None),
            (&[("x-api-key", "é")], Some(""), None),
        ] {
            assert_eq!(Credentials::of(&headers(pairs)), Ok(Credentials { key, token }), "{pairs:?}");
        }
    }

    #[test]
    fn two_of_one_header_are_refused() {
        for name in ["x-api-key", "authorization"] {
            assert!(Credentials::of(&headers(&[(name, "ApiKey a"), (name, "ApiKey a")])).is_err(), "{name}");
        }
    }
}
