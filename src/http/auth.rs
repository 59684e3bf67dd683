//! Who calls: a credential becomes an [`Actor`].
//!
//! Invariant: a handler that does not ask for [`Caller`] has no actor to hand to the domain.

use std::net::{IpAddr, Ipv4Addr};

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, header, request::Parts},
};

use super::error::Problem;
use crate::{
    app::App,
    domain::{Actor, Source, api_key},
};

/// Texts that existing clients know.
const MISSING: &str = "Missing API key. Please provide X-API-Key header";
const INVALID_KEY: &str = "Invalid API key";
const INVALID_TOKEN: &str = "Invalid or expired token";

/// Who calls, as the domain knows them.
pub struct Caller(pub Actor);

impl FromRequestParts<App> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        match credential(&parts.headers)? {
            Credential::Key(key) if app.root_key().matches(key) => Ok(Self(Actor::Root { source: Source::Http })),
            Credential::Key(key) => {
                let key = api_key::verify(app.domain(), key, IpAddr::V4(Ipv4Addr::LOCALHOST)).await?;
                Ok(Self(Actor::Key(key.actor.clone())))
            }
            Credential::Token => Err(Problem::unauthenticated(INVALID_TOKEN)),
        }
    }
}

/// What the request shows.
enum Credential<'a> {
    Key(&'a str),
    /// No token is valid yet, so its text is not kept.
    Token,
}

/// `X-API-Key` counts before `Authorization: ApiKey`; a token counts when there is no key.
fn credential(headers: &HeaderMap) -> Result<Credential<'_>, Problem> {
    let mut keys = headers.get_all("x-api-key").iter();
    if let Some(value) = keys.next() {
        let key = value.to_str().map(str::trim).unwrap_or_default();
        if keys.next().is_some() {
            return Err(Problem::unauthenticated(INVALID_KEY));
        }
        if !value.is_empty() {
            return Ok(Credential::Key(key));
        }
    }
    let authorization = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.trim().split_once(' '));
    match authorization {
        Some((scheme, key)) if scheme.eq_ignore_ascii_case("apikey") => Ok(Credential::Key(key.trim())),
        Some((scheme, _)) if scheme.eq_ignore_ascii_case("bearer") => Ok(Credential::Token),
        _ => Err(Problem::unauthenticated(MISSING)),
    }
}
