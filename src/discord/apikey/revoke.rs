//! `/apikey revoke`: the end of a key, confirmed in a form.

use entity::id::ApiKeyId;
use serenity::all::{CreateActionRow, CreateInputText, CreateModal, InputTextStyle};

use super::{AREA, about, argument, card};
use crate::{
    discord::{
        Asked, CommandError, Context, Data, Reply,
        component::{Press, custom_id},
        text,
    },
    domain::api_key,
};

/// Longest reason.
const REASON_MAX: u16 = 500;

/// End a key for good
#[poise::command(slash_command)]
pub async fn revoke(
    ctx: Context<'_>,
    #[description = "The key"]
    #[autocomplete = "argument::complete_key"]
    #[max_length = 100]
    key: String,
    #[description = "Why, for the log"]
    #[max_length = 500]
    reason: Option<String>,
) -> Result<(), CommandError> {
    let asked = Asked::command(ctx.data(), ctx.interaction);
    let form = async {
        let id = argument::key(ctx, &asked, &key).await?;
        modal(ctx.data(), &asked, id, reason.as_deref().unwrap_or_default()).await
    };
    asked.open(form).await
}

/// [Revoke…].
pub(super) async fn form(data: &Data, asked: &Asked, press: &Press<'_>) -> Result<CreateModal, CommandError> {
    modal(data, asked, press.argument(0)?, "").await
}

async fn modal(data: &Data, asked: &Asked, id: ApiKeyId, reason: &str) -> Result<CreateModal, CommandError> {
    let (_, view) = about(data, asked, id).await?;
    let title = text::bounded(&format!("Revoke {}?", api_key::shown(&view.row)), 45);
    let label = text::bounded(&format!("{} ends at once. Why?", text::bounded(&view.row.name, 20)), 45);
    let input = CreateInputText::new(InputTextStyle::Short, label, "reason")
        .placeholder("For the log; may be left empty")
        .required(false)
        .max_length(REASON_MAX);
    let input = if reason.is_empty() { input } else { input.value(reason) };
    Ok(CreateModal::new(custom_id(AREA, "revoked", &[&id.to_string()]), title)
        .components(vec![CreateActionRow::InputText(input)]))
}

/// The form was sent.
pub(super) async fn submitted(data: &Data, asked: &Asked, press: &Press<'_>) -> Result<Reply, CommandError> {
    let id: ApiKeyId = press.argument(0)?;
    let (actor, _) = about(data, asked, id).await?;
    let reason = Some(press.input("reason").trim().to_owned()).filter(|reason| !reason.is_empty());
    let row = api_key::revoke(data.app.domain(), &actor, id, reason).await?;
    Ok(Reply::text(format!(
        "⛔ {} is revoked since {}: the next request with it is refused.",
        card::name(&row),
        text::relative(row.state_at)
    )))
}
