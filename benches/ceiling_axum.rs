//! What an answer costs at least: bare axum with the same key check and the same JSON, made for each request from
//! structs in memory. With a PostgreSQL address it also takes the upsert, as one bare SeaORM statement.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
};

use anyhow::Context as _;
use axum::{
    Json, Router,
    extract::{FromRequestParts, Path, Query, State},
    http::{StatusCode, request::Parts},
    routing::get,
};
use benches::{bare, child, rules};
use clap::Parser;
use sea_orm::DatabaseConnection;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use tokio::net::TcpListener;

#[derive(Parser)]
struct Arguments {
    /// Port to listen on.
    #[arg(long)]
    port: u16,
    /// PostgreSQL for the bare upsert.
    #[arg(long)]
    postgres: Option<String>,
    /// Connections of its pool.
    #[arg(long, default_value_t = 16)]
    pool: u32,
}

struct Ceiling {
    digest: [u8; 32],
    rules: Vec<VanishChannel>,
    database: Option<DatabaseConnection>,
}

/// Every text is ready, so that only the writing of JSON remains.
#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct VanishChannel {
    channel_id: String,
    guild_id: String,
    vanish_after: Option<i64>,
    messages_deleted: i64,
    last_deletion: Option<String>,
    created_at: String,
    updated_at: String,
}

impl From<rules::Rule> for VanishChannel {
    fn from(rule: rules::Rule) -> Self {
        Self {
            channel_id: rule.channel.to_string(),
            guild_id: rule.guild.to_string(),
            vanish_after: Some(rule.duration),
            messages_deleted: 0,
            last_deletion: None,
            created_at: "2026-11-22T12:00:00.000Z".to_owned(),
            updated_at: "2026-11-22T12:00:00.000Z".to_owned(),
        }
    }
}

/// The key check of the control plane: SHA-256, compared in constant time.
struct Caller;

impl FromRequestParts<Arc<Ceiling>> for Caller {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, ceiling: &Arc<Ceiling>) -> Result<Self, StatusCode> {
        let key = parts.headers.get("x-api-key").ok_or(StatusCode::UNAUTHORIZED)?;
        let digest: [u8; 32] = Sha256::digest(key.as_bytes()).into();
        if bool::from(digest.ct_eq(&ceiling.digest)) { Ok(Self) } else { Err(StatusCode::UNAUTHORIZED) }
    }
}

#[derive(Deserialize)]
struct Filter {
    #[serde(rename = "guildId")]
    guild: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SetVanish {
    channel_id: String,
    guild_id: String,
    duration: i64,
}

#[derive(Serialize)]
struct Success {
    success: bool,
}

async fn show(
    _: Caller,
    State(ceiling): State<Arc<Ceiling>>,
    Path(channel): Path<String>,
) -> Result<Json<VanishChannel>, StatusCode> {
    let rule = ceiling.rules.iter().find(|rule| rule.channel_id == channel).ok_or(StatusCode::NOT_FOUND)?;
    Ok(Json(rule.clone()))
}

async fn list(
    _: Caller,
    State(ceiling): State<Arc<Ceiling>>,
    Query(filter): Query<Filter>,
) -> Result<Json<Vec<VanishChannel>>, StatusCode> {
    if ceiling.rules.iter().any(|rule| rule.guild_id == filter.guild) {
        Ok(Json(ceiling.rules.clone()))
    } else {
        Err(StatusCode::NOT_FOUND)
    }
}

async fn set(
    _: Caller,
    State(ceiling): State<Arc<Ceiling>>,
    Json(body): Json<SetVanish>,
) -> Result<Json<Success>, StatusCode> {
    let database = ceiling.database.as_ref().ok_or(StatusCode::NOT_IMPLEMENTED)?;
    let rule = rules::Rule {
        channel: body.channel_id.parse().map_err(|_| StatusCode::UNPROCESSABLE_ENTITY)?,
        guild: body.guild_id.parse().map_err(|_| StatusCode::UNPROCESSABLE_ENTITY)?,
        duration: body.duration,
    };
    bare::upsert(database, rule).await.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    Ok(Json(Success { success: true }))
}

async fn health() -> &'static str {
    "ok"
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let database = match &arguments.postgres {
        Some(url) => Some(bare::pool(url, arguments.pool).await.context("opening PostgreSQL")?),
        None => None,
    };
    let ceiling = Arc::new(Ceiling {
        digest: Sha256::digest(child::KEY).into(),
        rules: rules::listed().map(Into::into).collect(),
        database,
    });
    let router = Router::new()
        .route("/health", get(health))
        .route("/api/discord/vanish", get(list).post(set))
        .route("/api/discord/vanish/{channelId}", get(show))
        .with_state(ceiling);
    let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, arguments.port))).await?;
    axum::serve(listener, router).await?;
    Ok(())
}
