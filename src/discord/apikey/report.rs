//! `/apikey report`: whoever has found a key ends it.
//!
//! Invariant: what was pasted is neither shown, nor logged, nor kept.

use super::card;
use crate::{
    discord::{Asked, CommandError, Context, Data, Reply, text},
    domain::api_key::{self, format},
};

/// Most keys of one report.
const KEYS_MAX: usize = 10;

/// End a key that was found where it does not belong
#[poise::command(slash_command)]
pub async fn report(
    ctx: Context<'_>,
    #[description = "The leaked key, or a text that holds it"]
    #[rename = "text"]
    #[min_length = 8]
    #[max_length = 4000]
    pasted: String,
) -> Result<(), CommandError> {
    let asked = Asked::command(ctx.data(), ctx.interaction);
    asked.answer(outcome(ctx.data(), &pasted)).await
}

async fn outcome(data: &Data, pasted: &str) -> Result<Reply, CommandError> {
    let mut keys = format::find(pasted, KEYS_MAX);
    let whole = pasted.trim();
    // Keys of other systems may look like anything.
    if keys.is_empty() && format::is_plausible(whole) {
        keys.push(whole);
    }
    let mut lines = Vec::new();
    let mut strange = keys.len();
    for key in keys {
        let Some(found) = api_key::report_leak(data.app.domain(), key).await? else { continue };
        strange -= 1;
        let name = card::name(&found.row);
        lines.push(if found.was_revoked {
            format!("⛔ {name} was revoked already, {}.", text::relative(found.row.state_at))
        } else {
            format!("⛔ {name} is revoked now: it opens nothing any more. Its owner is told.")
        });
    }
    if strange > 0 {
        lines.push(format!("➖ {strange} of what you pasted is no key of mine. Its maker should know of it."));
    }
    if lines.is_empty() {
        lines.push("There is no key in that text. Nothing was changed.".to_owned());
    }
    Ok(Reply::text(lines.join("\n")))
}
