//! `/vanish pause` and `/vanish resume`.

use chrono::TimeDelta;
use entity::{
    id::{ChannelId, GuildId},
    vanish_rule,
};
use serenity::all::{ButtonStyle, CreateActionRow, PartialChannel};

use super::{argument, button, card, show_button};
use crate::{
    discord::{Asked, CommandError, Context, Data, Reply, component::Press, text},
    domain::{
        Actor,
        vanish::{self, Pause},
    },
};

/// Hold a channel's rule: nothing vanishes meanwhile
#[poise::command(slash_command, guild_only)]
pub async fn pause(
    ctx: Context<'_>,
    #[description = "The channel; else this one"]
    #[channel_types("Text", "News", "Voice", "Stage", "Forum")]
    channel: Option<PartialChannel>,
    #[description = "How long; else until somebody resumes it"]
    #[rename = "for"]
    #[autocomplete = "argument::complete_duration"]
    length: Option<String>,
    #[description = "Why, for others to read"]
    #[max_length = 200]
    reason: Option<String>,
) -> Result<(), CommandError> {
    let asked = Asked::command(ctx.data(), ctx.interaction);
    let work = async {
        let (actor, guild, channel) = argument::channel(ctx, &asked, channel.as_ref()).await?;
        let seconds = argument::any_duration(length.as_deref().unwrap_or_default())?;
        let until = match seconds {
            None => None,
            Some(seconds) => {
                let until = TimeDelta::try_seconds(seconds)
                    .filter(|length| *length <= TimeDelta::days(365))
                    .map(|length| ctx.data().app.domain().now() + length);
                Some(until.ok_or_else(|| CommandError::Input {
                    problem:
                        "A pause lasts at most 365 days; without `for` it lasts until somebody resumes it".to_owned(),
                    example: "/vanish pause for:7d",
                })?)
            }
        };
        let reason = reason.filter(|reason| !reason.trim().is_empty());
        hold(ctx.data(), &actor, guild, channel, Pause { until, reason }).await
    };
    asked.answer(work).await
}

/// Let a paused channel's messages vanish again
#[poise::command(slash_command, guild_only)]
pub async fn resume(
    ctx: Context<'_>,
    #[description = "The channel; else this one"]
    #[channel_types("Text", "News", "Voice", "Stage", "Forum")]
    channel: Option<PartialChannel>,
) -> Result<(), CommandError> {
    let asked = Asked::command(ctx.data(), ctx.interaction);
    let work = async {
        let (actor, guild, channel) = argument::channel(ctx, &asked, channel.as_ref()).await?;
        release(ctx.data(), &actor, guild, channel).await
    };
    asked.answer(work).await
}

/// [Pause].
pub(super) async fn pause_pressed(data: &Data, asked: &Asked, press: &Press<'_>) -> Result<Reply, CommandError> {
    let channel = press.argument(0)?;
    let (actor, guild) = asked.actor_in(channel).await?;
    hold(data, &actor, guild, channel, Pause { until: None, reason: None }).await
}

/// [Resume].
pub(super) async fn resume_pressed(data: &Data, asked: &Asked, press: &Press<'_>) -> Result<Reply, CommandError> {
    let channel = press.argument(0)?;
    let (actor, guild) = asked.actor_in(channel).await?;
    release(data, &actor, guild, channel).await
}

async fn hold(
    data: &Data,
    actor: &Actor,
    guild: GuildId,
    channel: ChannelId,
    pause: Pause,
) -> Result<Reply, CommandError> {
    let rule = vanish::pause(data.app.domain(), actor, guild, channel, pause).await?;
    let text = format!("⏸️ {}: {}.", text::channel(channel), card::problem(&rule).unwrap_or_default());
    Ok(Reply::text(text).row(row(&rule, "resume", "Resume")))
}

async fn release(data: &Data, actor: &Actor, guild: GuildId, channel: ChannelId) -> Result<Reply, CommandError> {
    let rule = vanish::resume(data.app.domain(), actor, guild, channel).await?;
    let text = format!("▶️ {}: messages vanish again; what is overdue goes now.", text::channel(channel));
    Ok(Reply::text(text).row(row(&rule, "pause", "Pause")))
}

fn row(rule: &vanish_rule::Model, verb: &str, label: &str) -> CreateActionRow {
    CreateActionRow::Buttons(vec![
        button(verb, rule.channel_id, label, ButtonStyle::Secondary),
        show_button(rule.channel_id),
    ])
}
