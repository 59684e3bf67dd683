//! `/my data`: everything that is held about a person as a file, and forgetting it.

use chrono::TimeDelta;
use entity::id::{DiscordUserId, UserId};
use serde_json::Value;
use serenity::all::{ButtonStyle, CreateActionRow, CreateButton, CreateEmbed};

use crate::{
    discord::{
        Asked, CommandError, Context, Data, Reply,
        component::{Press, custom_id},
        text,
    },
    discord_api::Attachment as File,
    domain::{self, Actor, user},
};

/// Largest file that is sent; Discord takes 10 MiB with all around it.
const FILE_BYTES_MAX: usize = 8 * 1024 * 1024;
/// How long a preview of an erasure can be confirmed, in minutes.
const CONFIRM_MINUTES: i64 = 15;
const RED: u32 = 0x00E7_4C3C;
const GREEN: u32 = 0x002E_CC71;

/// What is held about you: a copy, or an end
#[poise::command(slash_command, subcommand_required, subcommands("export", "erase"))]
#[expect(clippy::unused_async, reason = "poise wants a future of every command")]
pub async fn data(_ctx: Context<'_>) -> Result<(), CommandError> {
    Ok(())
}

/// Everything that I hold about you, as a file
#[poise::command(slash_command)]
async fn export(ctx: Context<'_>) -> Result<(), CommandError> {
    let asked = Asked::command(ctx.data(), ctx.interaction);
    asked.answer(export_file(ctx.data(), &asked)).await
}

/// Forget me: shows what goes, and asks
#[poise::command(slash_command)]
async fn erase(ctx: Context<'_>) -> Result<(), CommandError> {
    let asked = Asked::command(ctx.data(), ctx.interaction);
    asked.answer(preview(ctx.data(), &asked)).await
}

/// Whoever asks, as a person; none where nothing is held about them.
async fn person(data: &Data, asked: &Asked) -> Result<(Actor, Option<UserId>), CommandError> {
    let actor = asked.actor().await?;
    let own = user::own(data.app.domain(), &actor).await?;
    Ok((actor, own))
}

fn nothing() -> Reply {
    Reply::text("I hold nothing about you.")
}

async fn export_file(data: &Data, asked: &Asked) -> Result<Reply, CommandError> {
    let (actor, Some(id)) = person(data, asked).await? else { return Ok(nothing()) };
    let document = user::export(data.app.domain(), &actor, id).await?;
    let mut bytes = serde_json::to_vec_pretty(&document).map_err(domain::Error::from)?;
    if bytes.len() > FILE_BYTES_MAX {
        bytes = document.to_string().into_bytes();
    }
    if bytes.len() > FILE_BYTES_MAX {
        return Err(CommandError::Input {
            problem: "It is more than Discord takes as a file. Sign in over the API and read `/api/users/me/data`"
                .to_owned(),
            example: "/my data export",
        });
    }
    let erase = data.commands.mention("my data erase");
    let said = format!("Everything that I hold about you. {erase} makes me forget it.");
    let description = Some("What is held about you, as JSON".to_owned());
    Ok(Reply::text(said).file(File { filename: "my-data.json".to_owned(), bytes, description }))
}

/// What goes and what stays, with the button that does it.
async fn preview(data: &Data, asked: &Asked) -> Result<Reply, CommandError> {
    let (actor, Some(id)) = person(data, asked).await? else { return Ok(nothing()) };
    let document = user::export(data.app.domain(), &actor, id).await?;
    let export = data.commands.mention("my data export");
    let card = CreateEmbed::new()
        .title("Shall I forget you?")
        .colour(RED)
        .description(format!(
            "Your keys and sign-ins end, and your settings, accounts and projects go. It cannot be undone. {export} gives \
             you a copy first."
        ))
        .field("What I hold", text::lines(held(&document["tables"]), 1_000), false)
        .field(
            "What stays",
            "The log of what was done, and counts, under a bare number that leads to nobody. Messages in channels are \
             Discord's: delete them there.",
            false,
        );
    let until = data.app.domain().now() + TimeDelta::minutes(CONFIRM_MINUTES);
    let state = [asked.user()?.to_string(), until.timestamp().to_string()];
    let erase = CreateButton::new(custom_id("my", "erase", &[&state[0], &state[1]])).label("Forget me");
    let keep = CreateButton::new(custom_id("my", "keep", &[])).label("Cancel");
    let row = vec![erase.style(ButtonStyle::Danger), keep.style(ButtonStyle::Secondary)];
    Ok(Reply::card(card).row(CreateActionRow::Buttons(row)))
}

/// How many rows of each kind there are, in words; kinds without any are left out.
fn held(tables: &Value) -> Vec<String> {
    let all = tables.as_object().into_iter().flatten();
    let counted = all.map(|(table, rows)| (words(table), rows.as_array().map_or(0, Vec::len)));
    counted.filter(|(_, count)| *count > 0).map(|(name, count)| format!("{name}: **{count}**")).collect()
}

fn words(table: &str) -> String {
    match table {
        "user_account" => "your profile",
        "identity" => "your accounts",
        "api_key" => "API keys",
        "api_key_caller" => "networks that your keys were used from",
        "api_key_claim" => "links to new keys",
        "project" => "projects",
        "direct_message" => "direct messages from me",
        "proposal" => "changes that wait for you",
        "vanish_exemption" => "vanish exemptions for you",
        "event" => "entries of the log",
        other => return text::escape(&other.replace('_', " "), 40),
    }
    .to_owned()
}

/// [Forget me].
pub(super) async fn erased(data: &Data, asked: &Asked, press: &Press<'_>) -> Result<Reply, CommandError> {
    let (owner, until): (DiscordUserId, i64) = (press.argument(0)?, press.argument(1)?);
    let domain = data.app.domain();
    if owner != asked.user()? || domain.now().timestamp() > until {
        return Err(CommandError::Input {
            problem: "This confirmation has ended".to_owned(),
            example: "/my data erase",
        });
    }
    let (actor, Some(id)) = person(data, asked).await? else { return Ok(nothing()) };
    user::erase(domain, &actor, id).await?;
    let card = CreateEmbed::new()
        .title("✅ You are forgotten")
        .colour(GREEN)
        .description("Your next command makes you somebody new to me.");
    Ok(Reply::card(card))
}

/// [Cancel].
pub(super) fn kept() -> Reply {
    Reply::text("Nothing was changed.")
}
