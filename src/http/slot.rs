//! Named channels of a server over HTTP.

use axum::{Json as Answer, extract::State, response::Response};
use entity::{
    channel_slot,
    id::{ChannelId, ChannelSlotId, GuildId},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::routes;

use super::{
    Routes,
    auth::Caller,
    error::Problem,
    extract::{Json, Path},
    page::Asked,
    view::{Success, Timestamp},
};
use crate::domain::{
    Domain,
    slot::{self, SlotKey},
};

pub(super) fn routes() -> Routes {
    vec![routes!(set_in_body), routes!(list, clear_all), routes!(show, set, clear)]
}

/// Where a slot leads.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct SetSlot {
    /// The channel.
    #[schema(value_type = String, pattern = "^[1-9][0-9]{0,19}$", example = "1001")]
    channel_id: ChannelId,
}

/// A slot, and where it leads.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct SetNamedSlot {
    /// The server.
    #[schema(value_type = String, pattern = "^[1-9][0-9]{0,19}$", example = "42")]
    guild_id: GuildId,
    /// The slot's name.
    #[schema(pattern = "^[a-z0-9_-]{1,64}$", example = "alerts")]
    key: String,
    /// The channel.
    #[schema(value_type = String, pattern = "^[1-9][0-9]{0,19}$", example = "1001")]
    channel_id: ChannelId,
}

/// A named channel of a server.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ChannelSetting {
    /// Its id.
    #[schema(value_type = String, format = "uuid")]
    id: ChannelSlotId,
    /// The server.
    #[schema(value_type = String, example = "42")]
    guild_id: GuildId,
    /// The slot's name.
    #[schema(example = "alerts")]
    key: String,
    /// The channel.
    #[schema(value_type = String, example = "1001")]
    channel_id: Option<ChannelId>,
    /// First set.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// Last changed.
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

impl From<channel_slot::Model> for ChannelSetting {
    fn from(slot: channel_slot::Model) -> Self {
        Self {
            id: slot.id,
            guild_id: slot.guild_id,
            key: slot.key,
            channel_id: slot.channel_id,
            created_at: Timestamp(slot.created_at),
            updated_at: Timestamp(slot.updated_at),
        }
    }
}

/// What cannot be a key is the key of nothing.
fn key_in_path(key: &str) -> Result<SlotKey, Problem> {
    key.parse().map_err(|_| Problem::not_found())
}

/// List the named channels of a server
#[utoipa::path(get, path = "/{guildId}", tag = "channels", operation_id = "listChannelSettings",
    extensions(("x-scope" = json!("discord:channels:read")), ("x-guild" = json!(true))),
    params(("guildId" = String, Path, description = "The server", example = "42")),
    responses((status = 200, description = "They", body = Vec<ChannelSetting>)))]
async fn list(
    Caller(actor): Caller,
    State(domain): State<Domain>,
    Path(guild): Path<GuildId>,
    asked: Asked,
) -> Result<Response, Problem> {
    let slots = slot::slots(&domain, &actor, guild).await?;
    let view: Vec<ChannelSetting> = slots.into_iter().map(Into::into).collect();
    Ok(asked.configuration(&view))
}

/// Read a named channel
#[utoipa::path(get, path = "/{guildId}/{key}", tag = "channels", operation_id = "getChannelSetting",
    extensions(("x-scope" = json!("discord:channels:read")), ("x-guild" = json!(true))),
    params(("guildId" = String, Path, description = "The server", example = "42"),
        ("key" = String, Path, description = "The slot's name", example = "alerts")),
    responses((status = 200, description = "The channel", body = ChannelSetting)))]
async fn show(
    Caller(actor): Caller,
    State(domain): State<Domain>,
    Path((guild, key)): Path<(GuildId, String)>,
    asked: Asked,
) -> Result<Response, Problem> {
    let slot = slot::slot(&domain, &actor, guild, &key_in_path(&key)?).await?;
    Ok(asked.configuration(&ChannelSetting::from(slot)))
}

/// Set a named channel
#[utoipa::path(put, path = "/{guildId}/{key}", tag = "channels", operation_id = "setChannelSetting",
    extensions(("x-scope" = json!("discord:channels:write")), ("x-guild" = json!(true))),
    params(("guildId" = String, Path, description = "The server", example = "42"),
        ("key" = String, Path, description = "The slot's name", example = "alerts")),
    request_body = SetSlot,
    responses((status = 200, description = "It is set", body = ChannelSetting)))]
async fn set(
    Caller(actor): Caller,
    State(domain): State<Domain>,
    Path((guild, key)): Path<(GuildId, String)>,
    Json(body): Json<SetSlot>,
) -> Result<Answer<ChannelSetting>, Problem> {
    let key = key_in_path(&key)?;
    let slot = slot::set_over_http(&domain, &actor, guild, &key, body.channel_id).await?;
    Ok(Answer(slot.into()))
}

/// Set a named channel, with everything in the body
#[utoipa::path(post, path = "", tag = "channels", operation_id = "setChannelSettingByBody",
    extensions(("x-scope" = json!("discord:channels:write")), ("x-guild" = json!(true)),
        ("x-alias-of" = json!("PUT /api/discord/channels/{guildId}/{key}"))),
    request_body = SetNamedSlot,
    responses((status = 200, description = "It is set", body = ChannelSetting)))]
async fn set_in_body(
    Caller(actor): Caller,
    State(domain): State<Domain>,
    Json(body): Json<SetNamedSlot>,
) -> Result<Answer<ChannelSetting>, Problem> {
    let key: SlotKey =
        body.key.parse().map_err(|_| Problem::invalid_field("/key", "must have 1 to 64 characters of a-z 0-9 _ -"))?;
    let slot = slot::set_over_http(&domain, &actor, body.guild_id, &key, body.channel_id).await?;
    Ok(Answer(slot.into()))
}

/// Clear a named channel
#[utoipa::path(delete, path = "/{guildId}/{key}", tag = "channels", operation_id = "clearChannelSetting",
    extensions(("x-scope" = json!("discord:channels:write")), ("x-guild" = json!(true))),
    params(("guildId" = String, Path, description = "The server", example = "42"),
        ("key" = String, Path, description = "The slot's name", example = "alerts")),
    responses((status = 200, description = "It is empty", body = Success)))]
async fn clear(
    Caller(actor): Caller,
    State(domain): State<Domain>,
    Path((guild, key)): Path<(GuildId, String)>,
) -> Result<Answer<Success>, Problem> {
    slot::clear(&domain, &actor, guild, &key_in_path(&key)?).await?;
    Ok(Answer(Success::DONE))
}

/// Clear all named channels of a server
///
/// Succeeds as well when none is set.
#[utoipa::path(delete, path = "/{guildId}", tag = "channels", operation_id = "clearChannelSettings",
    extensions(("x-scope" = json!("discord:channels:write")), ("x-guild" = json!(true))),
    params(("guildId" = String, Path, description = "The server", example = "42")),
    responses((status = 200, description = "They are empty", body = Success)))]
async fn clear_all(
    Caller(actor): Caller,
    State(domain): State<Domain>,
    Path(guild): Path<GuildId>,
) -> Result<Answer<Success>, Problem> {
    slot::clear_all(&domain, &actor, guild).await?;
    Ok(Answer(Success::DONE))
}
