//! `/apikey rotate`: a new key in place of an old one, which works on for a while.

use chrono::TimeDelta;
use entity::id::{ApiKeyClaimId, ApiKeyId};

use super::{about, argument, card, deliver};
use crate::{
    discord::{Asked, CommandError, Context, Data, Reply, component::Press},
    domain::{
        api_key::{self, Wanted},
        duration,
    },
};

/// Replace a key; the old one works on for a while
#[poise::command(slash_command)]
pub async fn rotate(
    ctx: Context<'_>,
    #[description = "The key"]
    #[autocomplete = "argument::complete_key"]
    #[max_length = 100]
    key: String,
    #[description = "How long the old key works on, up to 7d (24h)"]
    #[autocomplete = "argument::complete_overlap"]
    overlap: Option<String>,
) -> Result<(), CommandError> {
    let (data, asked) = (ctx.data(), Asked::command(ctx.data(), ctx.interaction));
    let order = Box::pin(async {
        let id = argument::key(ctx, &asked, &key).await?;
        let default = data.app.domain().limits().keys.chat_overlap;
        let grace = argument::overlap(overlap.as_deref(), default)?;
        Ok((order(data, &asked, id, grace).await?, deliver::usual(data, &asked)))
    });
    deliver::deliver(data, &asked, order).await
}

async fn order(data: &Data, asked: &Asked, id: ApiKeyId, grace: TimeDelta) -> Result<ApiKeyClaimId, CommandError> {
    let (actor, _) = about(data, asked, id).await?;
    let wanted = Wanted::Rotation { id, grace_seconds: grace.num_seconds() };
    Ok(api_key::order(data.app.domain(), &actor, wanted).await?)
}

/// [Rotate…]: nothing happens before a way is chosen.
pub(super) async fn asked_for(data: &Data, asked: &Asked, press: &Press<'_>) -> Result<Reply, CommandError> {
    let id: ApiKeyId = press.argument(0)?;
    let (_, view) = about(data, asked, id).await?;
    let grace = data.app.domain().limits().keys.chat_overlap;
    let order = order(data, asked, id, grace).await?;
    let text = format!(
        "♻️ A new key takes the place of {}: the same rights, the same end. The old one works on for {} after that. \
         How do you want the new one?",
        card::name(&view.row),
        duration::format(grace.num_seconds())
    );
    Ok(Reply::text(text).row(deliver::ways(data, order, asked.member.is_some())))
}
