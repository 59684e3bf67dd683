//! What happens to a request before and around its handler: who calls, how often they do, whether they may, whether
//! they have done it before, and what is told of it afterwards.
//!
//! Invariants: a route that is not in the table of [`access`](super::access) is refused; nobody reads a body for who
//! may not send one; a bad credential counts like none, by address. What the table cannot decide, such as whose rows
//! they are, the domain decides.

mod figures;

use std::{
    convert::Infallible,
    sync::Arc,
    task::{Context, Poll},
    time::Instant,
};

use axum::{
    extract::{MatchedPath, Request},
    http::{Method, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use futures_util::{FutureExt as _, future::BoxFuture};
use tower::{Layer, Service, ServiceExt as _};

use super::{
    access::{Access, Entry, Found, Pace, Table},
    auth::{self, CredentialKind, Principal, Recognised},
    client_address::client_address,
    error::Problem,
    idempotency, sunset,
    throttle::{self, Allowance},
};
use crate::{
    app::App,
    domain::{
        Actor, KeyActor,
        api_key::usage::{self, KeyUse, Outcome},
    },
};
use figures::Figures;

/// The route of a request that none matches.
const UNMATCHED: &str = "unmatched";

/// Wraps every route.
#[derive(Clone)]
pub(super) struct Guard {
    shared: Arc<Shared>,
}

struct Shared {
    app: App,
    table: Table,
    figures: Figures,
}

impl Guard {
    /// Lets in whom the table lets in.
    pub(super) fn new(app: App, table: Table) -> Self {
        Self { shared: Arc::new(Shared { app, table, figures: Figures::default() }) }
    }
}

impl<S> Layer<S> for Guard {
    type Service = Guarded<S>;

    fn layer(&self, inner: S) -> Guarded<S> {
        Guarded { inner, shared: self.shared.clone() }
    }
}

/// A service behind the [`Guard`].
#[derive(Clone)]
pub(super) struct Guarded<S> {
    inner: S,
    shared: Arc<Shared>,
}

/// A handler that can be called again, for a transaction that is repeated.
trait Inner: Service<Request, Response = Response, Error = Infallible, Future: Send> + Clone + Send + Sync {}

impl<S> Inner for S where
    S: Service<Request, Response = Response, Error = Infallible, Future: Send> + Clone + Send + Sync
{
}

impl<S: Inner + 'static> Service<Request> for Guarded<S> {
    type Response = Response;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response, Infallible>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let (inner, shared) = (self.inner.clone(), self.shared.clone());
        Box::pin(async move { Ok(shared.serve(inner, request).await) })
    }
}

async fn call<S: Inner>(inner: S, request: Request) -> Response {
    let Ok(response) = inner.oneshot(request).await;
    response
}

impl Shared {
    async fn serve<S: Inner + 'static>(&self, inner: S, request: Request) -> Response {
        let started = Instant::now();
        let route = request.extensions().get::<MatchedPath>().cloned();
        let found = route.as_ref().map(|route| self.table.find(request.method(), route.as_str()));
        let entry = match &found {
            Some(Found::Operation(entry)) => Some(*entry),
            _ => None,
        };
        let address = client_address(request.extensions(), request.headers(), &self.app.http().trusted_proxies);
        let pace = entry.map_or(Pace::Caller, |entry| entry.pace);
        let Recognised { principal, fault, kind } = match pace {
            Pace::Caller => auth::recognise(&self.app, request.headers(), address).await,
            // Nobody is asked for a credential here, and nobody is told whether one is good.
            Pace::Documents | Pace::Unlimited => {
                Recognised { principal: Principal::stranger(address), fault: None, kind: CredentialKind::None }
            }
        };
        self.figures.count(kind, fault.as_ref());
        let principal = Arc::new(principal);
        let is_public = entry.is_none_or(|entry| entry.access == Access::Public);
        let unsure = fault.as_ref().filter(|fault| fault.status().is_server_error() && !is_public);
        if let Some(fault) = unsure {
            return fault.clone().into_response();
        }
        let is_write = !matches!(*request.method(), Method::GET | Method::HEAD);
        let verdict = throttle::count(self.app.limits(), pace, &principal, is_write);
        let now = self.app.domain().now();
        let allowance = verdict.as_ref().and_then(|verdict| Allowance::of(verdict, now));
        let mut response = match (&verdict, found) {
            (Some(verdict), _) if verdict.wait().is_some() => throttle::too_many(verdict).into_response(),
            (_, None) => call(inner, request).await,
            (_, Some(Found::Nothing)) => not_in_table(),
            (_, Some(Found::OtherMethods(allow))) => {
                (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, allow.clone())]).into_response()
            }
            (_, Some(Found::Operation(entry))) => match admit(entry, &principal, fault) {
                Ok(()) => self.run(inner, entry, &principal, allowance, request).await,
                Err(problem) => problem.into_response(),
            },
        };
        if let Some(verdict) = &verdict {
            throttle::tell(response.headers_mut(), verdict, now);
        }
        if let Some(key) = principal.stored_key() {
            sunset::tell(response.headers_mut(), key, now);
            let used = KeyUse {
                key: key.row.id,
                route: entry.map_or(UNMATCHED, |entry| &entry.name),
                outcome: Outcome::of_status(response.status().as_u16()),
                address,
                latency: started.elapsed(),
            };
            usage::record(self.app.domain(), &used);
        }
        response
    }

    async fn run<S: Inner + 'static>(
        &self,
        inner: S,
        entry: &Entry,
        principal: &Arc<Principal>,
        allowance: Option<Allowance>,
        mut request: Request,
    ) -> Response {
        let extensions = request.extensions_mut();
        extensions.insert(principal.clone());
        if let Some(allowance) = allowance {
            extensions.insert(allowance);
        }
        match principal.actor() {
            // Whom a public operation is for does not depend on who calls, and its refusals may write something.
            Some(actor)
                if entry.access != Access::Public && idempotency::applies(request.method(), request.headers()) =>
            {
                let handler = Arc::new(move |request| call(inner.clone(), request).boxed());
                idempotency::once(&self.app, entry, &actor, request, handler).await
            }
            // Strangers have no name under which their requests could be remembered.
            _ => call(inner, request).await,
        }
    }
}

/// Refuses what the table alone decides.
fn admit(entry: &Entry, principal: &Principal, fault: Option<Problem>) -> Result<(), Problem> {
    if entry.access == Access::Public {
        return Ok(());
    }
    let Some(actor) = principal.actor() else {
        return match (fault, &entry.access) {
            (Some(fault), _) => Err(fault),
            (None, Access::Optional) => Ok(()),
            (None, access) => Err(Problem::unauthenticated(missing(access))),
        };
    };
    match entry.access {
        Access::Key if principal.key().is_none() => return Err(Problem::unauthenticated(auth::KEY_REQUIRED)),
        Access::User if principal.signed_in().is_none() => {
            return Err(Problem::unauthenticated(auth::NOT_AUTHENTICATED));
        }
        _ => {}
    }
    match actor {
        Actor::Key(key) => admit_key(entry, &key),
        _ => Ok(()),
    }
}

/// Keys: those of a guild only where a guild is what it is about, and none without the scope.
fn admit_key(entry: &Entry, key: &KeyActor) -> Result<(), Problem> {
    let required = match entry.access {
        Access::Scope(scope) => scope,
        _ => "authenticated",
    };
    if key.guild_id.is_some() && !entry.is_of_guild {
        let text = "This key is bound to one server, and this operation is not about one";
        return Err(Problem::forbidden(text, required, key.scopes.names()));
    }
    let Access::Scope(scope) = entry.access else { return Ok(()) };
    let is_covered = match key.guild_id {
        None if entry.is_of_guild => key.scopes.cover_somewhere(scope),
        guild => key.scopes.cover(scope, guild),
    };
    if is_covered {
        return Ok(());
    }
    let text = format!("Insufficient permissions: {scope} is needed");
    Err(Problem::forbidden(text, scope, key.scopes.names()))
}

fn missing(access: &Access) -> &'static str {
    match access {
        Access::Key => auth::KEY_REQUIRED,
        Access::User => auth::NOT_AUTHENTICATED,
        Access::Authenticated => auth::MISSING_ANY,
        _ => auth::MISSING_KEY,
    }
}

/// A route that was mounted and says nothing of who may call it; a test keeps there from being one.
fn not_in_table() -> Response {
    tracing::error!("a route that says nothing of who may call it was refused");
    Problem::new(StatusCode::FORBIDDEN, "forbidden", "This route is open to nobody").into_response()
}
