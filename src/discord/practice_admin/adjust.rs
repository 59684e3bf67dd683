//! `/practice-admin adjust`: time that a moderator adds or takes.

use entity::id::DiscordUserId;

use super::argument;
use crate::{
    discord::{Asked, CommandError, Context, Reply, text},
    domain::practice::{self, Person},
};

/// Add time to a member, or take some, with a reason
#[poise::command(slash_command)]
pub async fn adjust(
    ctx: Context<'_>,
    #[description = "Whose time"] user: serenity::all::User,
    #[description = "How much: +30m or -1h30, at most 24h"]
    #[max_length = 32]
    delta: String,
    #[description = "Why; it is kept with the change"]
    #[max_length = 500]
    reason: String,
) -> Result<(), CommandError> {
    let (data, asked) = (ctx.data(), Asked::command(ctx.data(), ctx.interaction));
    let work = async {
        let guild = asked.member()?.guild_id;
        let account = DiscordUserId::new(user.id.get()).ok_or(CommandError::OnlyInServers)?;
        let seconds = argument::signed_seconds(&delta)?;
        let (domain, actor) = (data.app.domain(), asked.actor().await?);
        let done = practice::adjust(domain, &actor, (Person::Discord(account), guild), seconds, reason).await?;
        let days = if done.delta_seconds > 0 { "today" } else { "their newest days" };
        Ok(Reply::text(format!(
            "✅ {} for {}, on {days}. All sums and boards follow at once.",
            argument::difference(done.delta_seconds),
            text::user(account)
        )))
    };
    asked.answer(work).await
}
