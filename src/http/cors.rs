//! Which web pages of other origins may call.

use std::time::Duration;

use axum::{
    Router,
    http::{HeaderName, HeaderValue, Method, header},
};
use tower_http::cors::{AllowOrigin, CorsLayer};

use super::{HttpSettings, idempotency::IDEMPOTENCY_KEY, observe::EXPOSED_HEADERS, request_id::X_REQUEST_ID};
use crate::app::App;

/// How long a browser may remember a permission.
const MAX_AGE: Duration = Duration::from_mins(10);

/// Adds CORS where origins are configured. Any origin (`*`) never comes with credentials.
pub(super) fn layer(router: Router<App>, settings: &HttpSettings) -> Router<App> {
    let origins = &settings.allowed_origins;
    if origins.is_empty() {
        return router;
    }
    let layer = CorsLayer::new()
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
        .allow_headers([
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            header::IF_NONE_MATCH,
            X_REQUEST_ID,
            IDEMPOTENCY_KEY,
            HeaderName::from_static("x-api-key"),
            HeaderName::from_static("x-admin-secret"),
        ])
        .expose_headers(EXPOSED_HEADERS)
        .max_age(MAX_AGE);
    if origins.iter().any(|origin| origin == "*") {
        return router.layer(layer.allow_origin(AllowOrigin::any()));
    }
    let exact = origins.iter().filter_map(|origin| HeaderValue::from_str(origin.trim_end_matches('/')).ok());
    router.layer(layer.allow_origin(AllowOrigin::list(exact)).allow_credentials(true))
}
