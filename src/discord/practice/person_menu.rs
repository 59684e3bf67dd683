//! The menu of a person: what they have practised this week.

use entity::id::DiscordUserId;
use serenity::all as serenity;

use super::stats;
use crate::discord::{Asked, CommandError, Context, component::outdated};

/// What somebody has practised this week, for whoever opens the menu
#[poise::command(context_menu_command = "Practice card", guild_only, install_context = "Guild")]
pub async fn practice_card(ctx: Context<'_>, user: serenity::User) -> Result<(), CommandError> {
    let (data, asked) = (ctx.data(), Asked::command(ctx.data(), ctx.interaction));
    let work = async {
        let person = DiscordUserId::new(user.id.get()).ok_or_else(outdated)?;
        stats::week(data, &asked, person, false).await
    };
    asked.answer(Box::pin(work)).await
}
