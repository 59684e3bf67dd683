//! `/apikey panic`: every key ends at once, after a typed word.

use serenity::all::{CreateActionRow, CreateInputText, CreateModal, InputTextStyle};

use super::{AREA, manager};
use crate::{
    discord::{
        Asked, CommandError, Context, Data, Reply,
        component::{Press, custom_id},
    },
    domain::api_key::{self, Panic},
};

/// What has to be typed.
const WORD: &str = "REVOKE";
/// Why keys end.
const REASON: &str = "All keys were revoked at once";

/// Revoke every key of this server at once
#[poise::command(slash_command)]
pub async fn panic(ctx: Context<'_>) -> Result<(), CommandError> {
    let asked = Asked::command(ctx.data(), ctx.interaction);
    asked.open(form(ctx.data(), &asked)).await
}

async fn form(data: &Data, asked: &Asked) -> Result<CreateModal, CommandError> {
    let (_, guild) = manager(data, asked).await?;
    let title = if guild.is_some() { "Revoke every key of this server?" } else { "Revoke EVERY key of every server?" };
    let input = CreateInputText::new(InputTextStyle::Short, format!("Type {WORD}: it cannot be undone"), "word")
        .placeholder("Every program that uses a key stops working")
        .max_length(20);
    Ok(CreateModal::new(custom_id(AREA, "panic", &[]), title).components(vec![CreateActionRow::InputText(input)]))
}

/// The form was sent.
pub(super) async fn submitted(data: &Data, asked: &Asked, press: &Press<'_>) -> Result<Reply, CommandError> {
    if press.input("word").trim() != WORD {
        return Err(CommandError::Input {
            problem: format!("Nothing was revoked: the word is `{WORD}`"),
            example: "/apikey panic",
        });
    }
    let (actor, guild) = manager(data, asked).await?;
    let which = guild.map_or(Panic::Instance, Panic::Guild);
    let domain = data.app.domain();
    // First those that could still be minted, so that none comes after.
    api_key::end_orders(domain, &actor, which).await?;
    let count = api_key::revoke_where(domain, &actor, which, Some(REASON.to_owned())).await?;
    let place = if guild.is_some() { "of this server" } else { "of every server" };
    let keys = if count == 1 { "key".to_owned() } else { format!("{count} keys") };
    Ok(Reply::text(match count {
        0 => format!("There was no key {place} that opened anything."),
        1 => format!("⛔ The only {keys} {place} is revoked, and links to new ones have ended."),
        _ => format!("⛔ All {keys} {place} are revoked, and links to new ones have ended."),
    }))
}
