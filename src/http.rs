//! The control plane: all routes on this page.
//!
//! From the outside in, a request passes the accept loop ([`server`]: connections, heads, their limits), the route,
//! [`observe`] (id, span, time limit, panics, error bodies, headers, figures), CORS where origins are configured, the
//! `guard` (who calls, how often, whether they may, whether they have done it before), and then the extractors in the
//! order of the handler's arguments: who calls, the path, the query, the body.
//!
//! Invariants: every route is mounted here, documented, and says who may call it; a handler parses, asks the domain and
//! shows.

mod access;
mod api_key;
mod application;
pub mod auth;
mod claim;
mod client_address;
mod cors;
mod envelope;
pub mod error;
mod error_page;
pub mod extract;
mod guard;
mod health;
pub mod idempotency;
mod llms;
mod meta;
pub mod metrics;
pub mod observe;
pub mod openapi;
mod page;
mod practice;
mod project;
mod reference;
mod request_id;
pub mod server;
mod sign_in;
mod slot;
mod sunset;
pub mod throttle;
mod user;
mod vanish;
mod view;

#[cfg(test)]
mod tests;

use axum::Router;
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};

use crate::app::App;
pub use crate::app::HttpSettings;
pub use server::serve;

/// Routes of one feature, with paths relative to where they are mounted.
type Routes = Vec<UtoipaMethodRouter<App>>;

/// Every route.
fn routes() -> OpenApiRouter<App> {
    let router = OpenApiRouter::with_openapi(openapi::head());
    let router = mount(router, "", health::routes());
    let router = mount(router, "", meta::routes());
    let router = mount(router, "", reference::routes());
    let router = mount(router, "", claim::routes());
    let router = mount(router, "/api/discord/vanish", vanish::routes());
    let router = mount(router, openapi::ALIASES[0].0, vanish::routes());
    let router = mount(router, "/api/discord/channels", slot::routes());
    let router = mount(router, "/api/sessions/practice", practice::routes());
    let router = mount(router, openapi::ALIASES[1].0, practice::routes());
    let router = mount(router, "/api/admin/keys", api_key::routes());
    let router = mount(router, "/api/admin/keys", api_key::usage::routes_of_a_key());
    let router = mount(router, "/api/admin/usage", api_key::usage::routes());
    let router = mount(router, envelope::PREFIX, api_key::key_kingdom::routes());
    let router = mount(router, "/api/keys/report-leak", api_key::leak::routes());
    let router = mount(router, "/api/auth", sign_in::routes());
    let router = mount(router, "/v1/auth", sign_in::account::routes());
    let router = mount(router, "/api/users", user::routes());
    let router = mount(router, "/api/users/applications", application::routes());
    let router = mount(router, "/api/admin/identities", user::admin_routes());
    mount(router, "/api/projects", project::routes())
}

/// The whole control plane, to be served by [`serve`].
pub fn router(app: App) -> Router {
    let (router, api) = routes().split_for_parts();
    let router = router.fallback(meta::nothing_here);
    let router = router.layer(guard::Guard::new(app.clone(), access::Table::of(&api)));
    let router = cors::layer(router, app.http());
    let observe = observe::Observe::new(app.http().request_timeout);
    router.layer(observe).with_state(app)
}

/// Adds a feature under its path. Nesting routers would add two services to each of its requests.
fn mount(router: OpenApiRouter<App>, prefix: &str, feature: Routes) -> OpenApiRouter<App> {
    feature.into_iter().fold(router, |router, (schemas, paths, methods)| {
        let paths = openapi::under(prefix, paths);
        router.routes((schemas, paths, methods))
    })
}
