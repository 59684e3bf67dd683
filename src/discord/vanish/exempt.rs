//! `/vanish exempt`: whose messages stay.

use entity::id::{ChannelId, DiscordUserId, GuildId, RoleId};
use serde::{Deserialize, Serialize};
use serenity::all::{ButtonStyle, CreateEmbed, PartialChannel};

use super::{
    argument::{self, KindChoice, Mentioned},
    card, confirm_row, peek, propose, take,
};
use crate::{
    discord::{Asked, CommandError, Context, Data, Reply, component::Press, text},
    domain::{
        Actor, Right,
        vanish::{self, ExemptionChange, ExemptionTarget},
    },
};

/// A removal that was shown, as its proposal holds it.
#[derive(Serialize, Deserialize)]
struct Removal {
    channel_id: Option<ChannelId>,
    kind: String,
    id: Option<String>,
}

impl Removal {
    fn new(channel_id: Option<ChannelId>, target: ExemptionTarget) -> Self {
        let (kind, id) = match target {
            ExemptionTarget::User(user) => ("user", Some(user.to_string())),
            ExemptionTarget::Role(role) => ("role", Some(role.to_string())),
            ExemptionTarget::Bots => ("bots", None),
            ExemptionTarget::Webhooks => ("webhooks", None),
            ExemptionTarget::System => ("system", None),
        };
        Self { channel_id, kind: kind.to_owned(), id }
    }

    fn target(&self) -> Option<ExemptionTarget> {
        let id = self.id.as_deref().unwrap_or_default();
        match self.kind.as_str() {
            "user" => id.parse::<DiscordUserId>().ok().map(ExemptionTarget::User),
            "role" => id.parse::<RoleId>().ok().map(ExemptionTarget::Role),
            "bots" => Some(ExemptionTarget::Bots),
            "webhooks" => Some(ExemptionTarget::Webhooks),
            "system" => Some(ExemptionTarget::System),
            _ => None,
        }
    }
}

/// Whose messages never vanish
#[poise::command(slash_command, guild_only, subcommand_required, subcommands("add", "remove", "list"))]
#[expect(clippy::unused_async, reason = "the framework wants an async function")]
pub async fn exempt(_: Context<'_>) -> Result<(), CommandError> {
    Ok(())
}

/// Let somebody's messages stay
#[poise::command(slash_command, guild_only)]
async fn add(
    ctx: Context<'_>,
    #[description = "A member or a role"] target: Option<Mentioned>,
    #[description = "Or a kind of sender"] kind: Option<KindChoice>,
    #[description = "Only there; else in the whole server"]
    #[channel_types("Text", "News", "Voice", "Stage", "Forum")]
    channel: Option<PartialChannel>,
) -> Result<(), CommandError> {
    let (data, asked) = (ctx.data(), Asked::command(ctx.data(), ctx.interaction));
    let work = async {
        let (actor, guild_id, channel_id) = scope(ctx, &asked, channel.as_ref()).await?;
        let target = argument::exemption_target(guild_id, target, kind)?;
        let change = ExemptionChange { guild_id, channel_id, target, add: true };
        let news = vanish::change_exemption(data.app.domain(), &actor, change).await?;
        let (who, whither) = (card::target(target), place(channel_id));
        Ok(Reply::text(if news {
            format!("Messages of {who} stay in {whither} from now on.")
        } else {
            format!("Messages of {who} were exempt in {whither} already.")
        }))
    };
    asked.answer(work).await
}

/// Let somebody's messages vanish again
#[poise::command(slash_command, guild_only)]
async fn remove(
    ctx: Context<'_>,
    #[description = "A member or a role"] target: Option<Mentioned>,
    #[description = "Or a kind of sender"] kind: Option<KindChoice>,
    #[description = "The exemption of this channel; else the server's"]
    #[channel_types("Text", "News", "Voice", "Stage", "Forum")]
    channel: Option<PartialChannel>,
) -> Result<(), CommandError> {
    let (data, asked) = (ctx.data(), Asked::command(ctx.data(), ctx.interaction));
    let work = async {
        let (actor, guild, channel) = scope(ctx, &asked, channel.as_ref()).await?;
        let target = argument::exemption_target(guild, target, kind)?;
        actor.require(channel.map_or(Right::ManageVanishDefaults, Right::ManageVanish), Some(guild))?;
        let rules = vanish::rules(data.app.domain(), &actor, Some(guild), None).await?.rows;
        let reached = rules.iter().filter(|rule| channel.is_none_or(|channel| rule.channel_id == channel)).count();
        let card = CreateEmbed::new().title("Take the exemption away?").colour(card::YELLOW).description(format!(
            "Messages of {} in {} vanish again by the rules of **{reached}** channels. Those that are old enough go \
             at once.",
            card::target(target),
            place(channel)
        ));
        let id = propose(data, &asked, "vanish.unexempt", &Removal::new(channel, target)).await?;
        Ok(Reply::card(card).row(confirm_row("unexempt", id, "Remove exemption", ButtonStyle::Danger)))
    };
    asked.answer(work).await
}

/// [Remove exemption].
pub(super) async fn apply_removal(data: &Data, asked: &Asked, press: &Press<'_>) -> Result<Reply, CommandError> {
    let removal: Removal = peek(data, asked, press).await?;
    let target = removal.target().ok_or_else(crate::discord::component::outdated)?;
    let (actor, guild_id) = match removal.channel_id {
        Some(channel) => asked.actor_in(channel).await?,
        None => (asked.actor().await?, asked.member()?.guild_id),
    };
    take(data, asked, press).await?;
    let change = ExemptionChange { guild_id, channel_id: removal.channel_id, target, add: false };
    let news = vanish::change_exemption(data.app.domain(), &actor, change).await?;
    let (who, whither) = (card::target(target), place(removal.channel_id));
    Ok(Reply::text(if news {
        format!("Messages of {who} vanish again in {whither}.")
    } else {
        format!("There was no exemption of {who} in {whither}.")
    }))
}

/// List whose messages stay
#[poise::command(slash_command, guild_only)]
async fn list(
    ctx: Context<'_>,
    #[description = "What holds there; else all of the server"]
    #[channel_types("Text", "News", "Voice", "Stage", "Forum")]
    channel: Option<PartialChannel>,
) -> Result<(), CommandError> {
    let (data, asked) = (ctx.data(), Asked::command(ctx.data(), ctx.interaction));
    let work = async {
        let (actor, guild, channel) = scope(ctx, &asked, channel.as_ref()).await?;
        let rows = vanish::exemptions(data.app.domain(), &actor, guild, channel).await?;
        if rows.is_empty() {
            let add = data.commands.mention("vanish exempt add");
            return Ok(Reply::text(format!("Nobody is exempt in {}. {add} adds somebody.", place(channel))));
        }
        let card = CreateEmbed::new()
            .title("Exempt from vanishing")
            .description(text::lines(rows.iter().map(card::exemption), 4_000))
            .colour(card::GREY);
        Ok(Reply::card(card))
    };
    asked.answer(work).await
}

/// Where an exemption holds: without a channel in the whole server.
async fn scope(
    ctx: Context<'_>,
    asked: &Asked,
    named: Option<&PartialChannel>,
) -> Result<(Actor, GuildId, Option<ChannelId>), CommandError> {
    if named.is_none() {
        return Ok((asked.actor().await?, asked.member()?.guild_id, None));
    }
    let (actor, guild, channel) = argument::channel(ctx, asked, named).await?;
    Ok((actor, guild, Some(channel)))
}

fn place(channel: Option<ChannelId>) -> String {
    channel.map_or_else(|| "the whole server".to_owned(), text::channel)
}
