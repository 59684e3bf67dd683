//! Whether the process lives, and whether it can work.

use std::time::Duration;

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::routes;

use super::{Routes, view::Timestamp};
use crate::{
    app::{App, Gateway},
    domain::Domain,
    store::MigrateError,
};

/// Longest wait for the database.
const DATABASE_TIMEOUT: Duration = Duration::from_secs(1);

pub(super) fn routes() -> Routes {
    vec![routes!(health), routes!(ready)]
}

/// The process answers.
#[derive(Serialize, ToSchema)]
struct Health {
    /// Always `ok`.
    #[schema(example = "ok")]
    status: &'static str,
    /// Now.
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T23:37:29.418Z")]
    timestamp: Timestamp,
}

/// Whether the process lives
///
/// It says nothing about what the process needs.
#[utoipa::path(get, path = "/health", tag = "meta", operation_id = "health",
    extensions(("x-scope" = json!("public")), ("x-limit" = json!("none"))),
    responses((status = 200, description = "It lives", body = Health)))]
async fn health(State(domain): State<Domain>) -> Json<Health> {
    Json(Health { status: "ok", timestamp: Timestamp(domain.now()) })
}

/// What the process needs, one by one.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Readiness {
    /// All of it is there.
    ready: bool,
    /// `ok`, or `unavailable`.
    database: &'static str,
    /// `ok`, `pending`, `refused` (the schema is not ours or newer), or `unknown`.
    migrations: &'static str,
    /// `off`, `connecting`, `ready`, or `lost`.
    gateway: &'static str,
    /// Why it was lost.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    gateway_problem: Option<String>,
    /// Whether this process runs the gateway and the workers.
    leader: bool,
}

/// Whether the process can work
///
/// It needs the database, its schema, and Discord where a token is set.
#[utoipa::path(get, path = "/ready", tag = "meta", operation_id = "ready",
    extensions(("x-scope" = json!("public")), ("x-limit" = json!("documents"))),
    responses(
        (status = 200, description = "It can work", body = Readiness),
        (status = 503, description = "Something is missing", body = Readiness)))]
async fn ready(State(app): State<App>) -> Response {
    let (database, migrations) = database(&app).await;
    let (gateway, gateway_problem) = match app.readiness().gateway() {
        Gateway::Off => ("off", None),
        Gateway::Connecting => ("connecting", None),
        Gateway::Ready => ("ready", None),
        Gateway::Lost(reason) => ("lost", Some(reason)),
    };
    let ready = migrations == "ok" && matches!(gateway, "off" | "ready");
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let view = Readiness { ready, database, migrations, gateway, gateway_problem, leader: app.readiness().leader() };
    (status, Json(view)).into_response()
}

/// Reads the list of migrations, which shows both that the database answers and that its schema is ours.
async fn database(app: &App) -> (&'static str, &'static str) {
    let reading = app.domain().store().migration_status();
    match tokio::time::timeout(DATABASE_TIMEOUT, reading).await {
        Ok(Ok(status)) if status.pending == 0 => ("ok", "ok"),
        Ok(Ok(_)) => ("ok", "pending"),
        Ok(Err(MigrateError::Foreign { .. } | MigrateError::Newer { .. })) => ("ok", "refused"),
        Ok(Err(_)) | Err(_) => ("unavailable", "unknown"),
    }
}
