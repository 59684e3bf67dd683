//! `/practice-admin season`: stretches of days that a server ranks by themselves.

use crate::{
    discord::{Asked, CommandError, Context, Reply, text},
    domain::practice,
};

/// Characters of a name that are shown.
const NAME_SHOWN: usize = 50;

/// Stretches of days that are ranked by themselves
#[poise::command(slash_command, subcommand_required, subcommands("start", "end"))]
#[expect(clippy::unused_async, reason = "poise wants a future of every command")]
pub async fn season(_ctx: Context<'_>) -> Result<(), CommandError> {
    Ok(())
}

/// Begin a season today
#[poise::command(slash_command)]
async fn start(
    ctx: Context<'_>,
    #[description = "How people call it"]
    #[max_length = 50]
    name: String,
) -> Result<(), CommandError> {
    let (data, asked) = (ctx.data(), Asked::command(ctx.data(), ctx.interaction));
    let work = async {
        let guild = asked.member()?.guild_id;
        let season = practice::start_season(data.app.domain(), &asked.actor().await?, guild, name).await?;
        let name = text::escape(&season.name, NAME_SHOWN);
        Ok(Reply::text(format!("✅ The season **{name}** begins with {}.", season.first_date)))
    };
    asked.answer(work).await
}

/// End the season that runs, today
#[poise::command(slash_command)]
async fn end(ctx: Context<'_>) -> Result<(), CommandError> {
    let (data, asked) = (ctx.data(), Asked::command(ctx.data(), ctx.interaction));
    let work = async {
        let guild = asked.member()?.guild_id;
        let season = practice::end_season(data.app.domain(), &asked.actor().await?, guild).await?;
        let last = season.last_date.unwrap_or(season.first_date);
        let name = text::escape(&season.name, NAME_SHOWN);
        Ok(Reply::text(format!("🏁 The season **{name}** is over: {} to {last}.", season.first_date)))
    };
    asked.answer(work).await
}
