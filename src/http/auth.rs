//! Who calls: credentials become a [`Principal`], before a handler runs.
//!
//! Invariants: the guard recognises whoever calls, once; a handler that asks for no [`Caller`] has no actor to hand to
//! the domain; when the store cannot say whether a credential is good, the answer is neither yes nor no, but 503.

mod credential;

use std::{convert::Infallible, net::IpAddr, sync::Arc};

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, request::Parts},
};

use super::error::Problem;
use crate::{
    app::App,
    domain::{
        Actor, Error, Kind, Source, access_token,
        access_token::SignedIn,
        api_key::{self, VerifiedKey},
    },
};
use credential::Credentials;

/// Texts that existing clients know.
pub(super) const MISSING_KEY: &str = "Missing API key. Please provide X-API-Key header";
pub(super) const MISSING_ANY: &str = "Authentication required. Provide either Bearer token or API key";
pub(super) const KEY_REQUIRED: &str = "API key required";
pub(super) const NOT_AUTHENTICATED: &str = "Not authenticated";
const MALFORMED_KEY: &str = "Invalid API key format";
const INVALID_KEY: &str = "Invalid API key";
const INVALID_TOKEN: &str = "Invalid or expired token";

/// A key that was shown and is good.
#[derive(Clone)]
pub enum ShownKey {
    /// The root key.
    Root,
    /// A key of the store.
    Stored(Arc<VerifiedKey>),
}

/// Who calls, from where, and with what.
#[derive(Clone)]
pub struct Principal {
    address: IpAddr,
    key: Option<ShownKey>,
    signed_in: Option<SignedIn>,
}

impl Principal {
    /// Nobody who is known.
    pub(super) fn stranger(address: IpAddr) -> Self {
        Self { address, key: None, signed_in: None }
    }

    /// As the domain knows them; a person comes before the key that they use.
    pub fn actor(&self) -> Option<Actor> {
        if let Some(signed_in) = &self.signed_in {
            return Some(Actor::User(signed_in.actor));
        }
        self.key.as_ref().map(|key| match key {
            ShownKey::Root => Actor::Root { source: Source::Http },
            ShownKey::Stored(key) => Actor::Key(key.actor.clone()),
        })
    }

    /// The key that was shown, also beside a token.
    pub fn key(&self) -> Option<&ShownKey> {
        self.key.as_ref()
    }

    /// The same, where it is one of the store.
    pub fn stored_key(&self) -> Option<&Arc<VerifiedKey>> {
        match &self.key {
            Some(ShownKey::Stored(key)) => Some(key),
            _ => None,
        }
    }

    /// The person and their session.
    pub fn signed_in(&self) -> Option<&SignedIn> {
        self.signed_in.as_ref()
    }

    /// From where.
    pub fn address(&self) -> IpAddr {
        self.address
    }

    /// The program that calls, by the name that its key was given.
    pub fn client_name(&self) -> Option<&str> {
        self.stored_key().and_then(|key| key.row.client_name.as_deref())
    }

    /// Domains for which the key that was shown may sign people in.
    pub fn allowed_origins(&self) -> &[String] {
        self.stored_key().map_or(&[], |key| &key.allowed_origins)
    }
}

/// Whoever calls, and why what they showed did not open.
pub(super) struct Recognised {
    pub(super) principal: Principal,
    /// Why the credential was refused; never beside a good one.
    pub(super) fault: Option<Problem>,
    pub(super) kind: CredentialKind,
}

/// What was shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CredentialKind {
    None,
    Root,
    Key,
    Token,
}

/// Recognises whoever shows these headers. A token wins over a key if it is good; the key then still says which
/// program calls.
pub(super) async fn recognise(app: &App, headers: &HeaderMap, address: IpAddr) -> Recognised {
    let mut principal = Principal::stranger(address);
    let Credentials { key, token } = match Credentials::of(headers) {
        Ok(credentials) => credentials,
        Err(text) => {
            let fault = Some(Problem::unauthenticated(text));
            return Recognised { principal, fault, kind: CredentialKind::Key };
        }
    };
    let of_token = match token {
        Some(token) => Some(person(app, token).await),
        None => None,
    };
    let of_key = match key {
        Some(key) => Some(holder(app, key, address).await),
        None => None,
    };
    let unsure =
        [of_token.as_ref().and_then(|one| one.as_ref().err()), of_key.as_ref().and_then(|one| one.as_ref().err())];
    if let Some(problem) = unsure.into_iter().flatten().find(|problem| problem.status().is_server_error()) {
        let kind = if token.is_some() { CredentialKind::Token } else { CredentialKind::Key };
        return Recognised { principal, fault: Some(problem.clone()), kind };
    }
    let kind = match (&of_token, &of_key) {
        (Some(Ok(_)), _) | (Some(Err(_)), None) => CredentialKind::Token,
        (_, Some(Ok(ShownKey::Root))) => CredentialKind::Root,
        (_, Some(_)) => CredentialKind::Key,
        (None, None) => CredentialKind::None,
    };
    let mut fault = None;
    match of_key {
        Some(Ok(key)) => principal.key = Some(key),
        Some(Err(problem)) => fault = Some(problem),
        None => {}
    }
    match of_token {
        Some(Ok(signed_in)) => principal.signed_in = Some(signed_in),
        Some(Err(problem)) => fault = fault.or(Some(problem)),
        None => {}
    }
    // Beside a good credential, a bad one is as good as none.
    let is_known = principal.key.is_some() || principal.signed_in.is_some();
    Recognised { principal, fault: fault.filter(|_| !is_known), kind }
}

async fn holder(app: &App, key: &str, address: IpAddr) -> Result<ShownKey, Problem> {
    if app.root_key().matches(key) {
        return Ok(ShownKey::Root);
    }
    if !api_key::format::is_plausible(key) {
        return Err(Problem::unauthenticated(MALFORMED_KEY));
    }
    api_key::verify(app.domain(), key, address).await.map(ShownKey::Stored).map_err(refusal)
}

async fn person(app: &App, token: &str) -> Result<SignedIn, Problem> {
    // Tokens of currency actors, of which there are none yet.
    if token.starts_with("act_") {
        return Err(Problem::unauthenticated(INVALID_TOKEN));
    }
    access_token::verify(app.domain(), token).await.map_err(refusal)
}

/// Only the store knows whether a credential is good: whatever it fails with, nobody was refused.
fn refusal(error: Error) -> Problem {
    let is_answer = matches!(&error, Error::Refused(refusal) if refusal.kind() != Kind::Unavailable);
    let problem = Problem::from(error);
    if is_answer || problem.status() == axum::http::StatusCode::SERVICE_UNAVAILABLE {
        return problem;
    }
    Problem::store_unavailable()
}

impl CredentialKind {
    pub(super) const ALL: [Self; 4] = [Self::None, Self::Root, Self::Key, Self::Token];

    /// As figures name it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Root => "root",
            Self::Key => "key",
            Self::Token => "token",
        }
    }
}

/// The principal, as the guard has left it with the request.
fn principal(parts: &Parts) -> Option<&Arc<Principal>> {
    parts.extensions.get::<Arc<Principal>>()
}

/// Who calls, as the domain knows them; refuses strangers.
pub struct Caller(pub Actor);

impl FromRequestParts<App> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Problem> {
        let actor = principal(parts).and_then(|principal| principal.actor());
        actor.map(Self).ok_or_else(|| Problem::unauthenticated(MISSING_KEY))
    }
}

/// Who calls, where strangers may too.
pub struct OptionalCaller(pub Option<Actor>);

impl FromRequestParts<App> for OptionalCaller {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Infallible> {
        Ok(Self(principal(parts).and_then(|principal| principal.actor())))
    }
}

/// Everything that is known of the caller: address, key, session.
pub struct Known(pub Arc<Principal>);

impl FromRequestParts<App> for Known {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Problem> {
        // Every route passes the guard, which leaves a principal, if only a stranger.
        principal(parts).cloned().map(Self).ok_or_else(Problem::internal)
    }
}
