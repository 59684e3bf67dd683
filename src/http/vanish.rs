//! Vanishing channels over HTTP.

use axum::{Json as Answer, extract::State, http::Uri, response::Response};
use entity::{
    id::{ChannelId, GuildId},
    vanish_rule,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

use super::{
    Routes,
    auth::Caller,
    error::Problem,
    extract::{Json, Path, Query},
    page::{Asked, PageQuery},
    view::{Success, Timestamp},
};
use crate::domain::{
    Domain,
    vanish::{self, NewDuration},
};

pub(super) fn routes() -> Routes {
    vec![routes!(list, set), routes!(show, remove), routes!(add_deleted)]
}

/// A rule to make or change.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct SetVanish {
    /// The channel.
    #[schema(value_type = String, pattern = "^[1-9][0-9]{0,19}$", example = "1001")]
    channel_id: ChannelId,
    /// Its server.
    #[schema(value_type = String, pattern = "^[1-9][0-9]{0,19}$", example = "42")]
    guild_id: GuildId,
    /// Age in whole seconds at which a message vanishes.
    #[schema(minimum = 1, maximum = 31_536_000, example = 86_400)]
    duration: i64,
}

/// Messages that somebody else has deleted.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct AddDeleted {
    /// How many.
    #[schema(minimum = 1, example = 3)]
    deleted_count: i64,
}

/// The counter after the addition.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct NewCount {
    /// Always true.
    success: bool,
    /// Messages deleted so far.
    new_count: i64,
}

/// A channel whose messages vanish.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct VanishChannel {
    /// The channel.
    #[schema(value_type = String, example = "1001")]
    channel_id: ChannelId,
    /// Its server.
    #[schema(value_type = String, example = "42")]
    guild_id: GuildId,
    /// Age in seconds at which a message vanishes; null where the server's default decides.
    vanish_after: Option<i64>,
    /// Messages deleted so far.
    messages_deleted: i64,
    /// When the last one was.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_deletion: Option<Timestamp>,
    /// Made.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// Last changed.
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

impl From<&vanish_rule::Model> for VanishChannel {
    fn from(rule: &vanish_rule::Model) -> Self {
        Self {
            channel_id: rule.channel_id,
            guild_id: rule.guild_id,
            vanish_after: rule.after_seconds,
            messages_deleted: rule.messages_deleted,
            last_deletion: rule.last_deletion.map(Timestamp),
            created_at: Timestamp(rule.created_at),
            updated_at: Timestamp(rule.updated_at),
        }
    }
}

/// Which rules to list.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
struct Filter {
    /// Only those of this server.
    #[param(value_type = Option<String>, pattern = "^[1-9][0-9]{0,19}$", example = "42")]
    guild_id: Option<GuildId>,
    /// Rows of the page, 1 to 100; without it the list comes whole, up to 10 000 rows.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u64>,
    /// Rows to pass over.
    #[param(minimum = 0)]
    offset: Option<u64>,
}

/// Set a channel's duration
///
/// Makes the channel's messages vanish at this age, or changes the age; the counter stays.
#[utoipa::path(post, path = "", tag = "vanish", operation_id = "setVanish",
    extensions(("x-scope" = json!("discord:vanish:write")), ("x-guild" = json!(true))),
    request_body = SetVanish,
    responses(
        (status = 200, description = "It is set", body = Success),
        (status = 409, description = "The channel's rule belongs to another server")))]
async fn set(
    Caller(actor): Caller,
    State(domain): State<Domain>,
    Json(body): Json<SetVanish>,
) -> Result<Answer<Success>, Problem> {
    let new = NewDuration { channel_id: body.channel_id, guild_id: body.guild_id, after_seconds: body.duration };
    vanish::set_duration(&domain, &actor, new).await?;
    Ok(Answer(Success::DONE))
}

/// List vanishing channels
#[utoipa::path(get, path = "", tag = "vanish", operation_id = "listVanish",
    extensions(("x-scope" = json!("discord:vanish:read")), ("x-guild" = json!(true))),
    params(Filter),
    responses((status = 200, description = "They, by channel id", body = Vec<VanishChannel>)))]
async fn list(
    Caller(actor): Caller,
    State(domain): State<Domain>,
    Query(filter): Query<Filter>,
    asked: Asked,
    uri: Uri,
) -> Result<Response, Problem> {
    let page = PageQuery { limit: filter.limit, offset: filter.offset };
    let rules = vanish::rules(&domain, &actor, filter.guild_id, page.request()?).await?;
    let view: Vec<VanishChannel> = rules.rows.iter().map(Into::into).collect();
    let kept = filter.guild_id.map(|guild| format!("guildId={guild}"));
    Ok(asked.list(&view, page, (&uri, kept.as_deref()), rules.more))
}

/// Read a vanishing channel
#[utoipa::path(get, path = "/{channelId}", tag = "vanish", operation_id = "getVanish",
    extensions(("x-scope" = json!("discord:vanish:read")), ("x-guild" = json!(true))),
    params(("channelId" = String, Path, description = "The channel", example = "1001")),
    responses((status = 200, description = "The channel", body = VanishChannel)))]
async fn show(
    Caller(actor): Caller,
    State(domain): State<Domain>,
    Path(channel): Path<ChannelId>,
    asked: Asked,
) -> Result<Response, Problem> {
    let rule = vanish::rule(&domain, &actor, channel).await?;
    Ok(asked.configuration(&VanishChannel::from(&*rule)))
}

/// Stop a channel's messages from vanishing
///
/// Succeeds as well when they never did.
#[utoipa::path(delete, path = "/{channelId}", tag = "vanish", operation_id = "removeVanish",
    extensions(("x-scope" = json!("discord:vanish:write")), ("x-guild" = json!(true))),
    params(("channelId" = String, Path, description = "The channel", example = "1001")),
    responses((status = 200, description = "They stay", body = Success)))]
async fn remove(
    Caller(actor): Caller,
    State(domain): State<Domain>,
    Path(channel): Path<ChannelId>,
) -> Result<Answer<Success>, Problem> {
    vanish::remove(&domain, &actor, channel).await?;
    Ok(Answer(Success::DONE))
}

/// Add to a channel's counter of deleted messages
#[utoipa::path(patch, path = "/{channelId}/stats", tag = "vanish", operation_id = "addDeleted",
    extensions(("x-scope" = json!("discord:vanish:write")), ("x-guild" = json!(true))),
    params(("channelId" = String, Path, description = "The channel", example = "1001")),
    request_body = AddDeleted,
    responses((status = 200, description = "Added", body = NewCount)))]
async fn add_deleted(
    Caller(actor): Caller,
    State(domain): State<Domain>,
    Path(channel): Path<ChannelId>,
    Json(body): Json<AddDeleted>,
) -> Result<Answer<NewCount>, Problem> {
    let new_count = vanish::add_deleted(&domain, &actor, channel, body.deleted_count).await?;
    Ok(Answer(NewCount { success: true, new_count }))
}
