//! `/practice-admin channels`: which voice channels count.

use entity::{id::ChannelId, practice_rule::ChannelMode};
use serenity::all::PartialChannel;

use crate::{
    discord::{Asked, CommandError, Context, Data, Reply, settings::card, text},
    domain::practice::{self, Rule, RuleChange},
};

/// Which voice channels count, as people choose it.
#[derive(Clone, Copy, Debug, poise::ChoiceParameter)]
enum Mode {
    /// None.
    #[name = "off"]
    Off,
    /// Those that are listed.
    #[name = "allow"]
    Allow,
    /// All but those that are listed.
    #[name = "deny"]
    Deny,
    /// All.
    #[name = "all"]
    All,
}

impl From<Mode> for ChannelMode {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::Off => Self::Off,
            Mode::Allow => Self::Allow,
            Mode::Deny => Self::Deny,
            Mode::All => Self::All,
        }
    }
}

/// Which voice channels count
#[poise::command(slash_command, subcommand_required, subcommands("mode", "add", "remove", "list"))]
#[expect(clippy::unused_async, reason = "poise wants a future of every command")]
pub async fn channels(_ctx: Context<'_>) -> Result<(), CommandError> {
    Ok(())
}

/// Count no voice channel, the listed ones, all but those, or all
#[poise::command(slash_command)]
async fn mode(
    ctx: Context<'_>,
    #[description = "off: none · allow: the listed ones · deny: all but those · all: every one"] mode: Mode,
) -> Result<(), CommandError> {
    change(ctx, RuleChange { channel_mode: Some(mode.into()), ..RuleChange::default() }).await
}

/// Put a voice channel on the list
#[poise::command(slash_command)]
async fn add(
    ctx: Context<'_>,
    #[description = "The voice or stage channel"]
    #[channel_types("Voice", "Stage")]
    channel: PartialChannel,
) -> Result<(), CommandError> {
    let listed = ChannelId::new(channel.id.get()).into_iter().collect();
    change(ctx, RuleChange { add_channels: listed, ..RuleChange::default() }).await
}

/// Take a voice channel off the list
#[poise::command(slash_command)]
async fn remove(
    ctx: Context<'_>,
    #[description = "The voice or stage channel"]
    #[channel_types("Voice", "Stage")]
    channel: PartialChannel,
) -> Result<(), CommandError> {
    let listed = ChannelId::new(channel.id.get()).into_iter().collect();
    change(ctx, RuleChange { remove_channels: listed, ..RuleChange::default() }).await
}

/// Show the list
#[poise::command(slash_command)]
async fn list(ctx: Context<'_>) -> Result<(), CommandError> {
    let asked = Asked::command(ctx.data(), ctx.interaction);
    asked
        .answer(async {
            let guild = asked.member()?.guild_id;
            let rule = practice::rule(ctx.data().app.domain(), &asked.actor().await?, guild).await?;
            Ok(shown("", ctx.data(), &rule))
        })
        .await
}

async fn change(ctx: Context<'_>, change: RuleChange) -> Result<(), CommandError> {
    let (data, asked) = (ctx.data(), Asked::command(ctx.data(), ctx.interaction));
    asked
        .answer(async {
            let guild = asked.member()?.guild_id;
            let rule = practice::set_rule(data.app.domain(), &asked.actor().await?, guild, change).await?;
            Ok(shown("✅ Saved. Sessions that run keep what held when they began.", data, &rule))
        })
        .await
}

/// The mode in words.
pub fn mode_words(mode: ChannelMode) -> &'static str {
    match mode {
        ChannelMode::Off => "off: no voice channel counts",
        ChannelMode::Allow => "allow: the listed voice channels count",
        ChannelMode::Deny => "deny: all voice channels but the listed ones count",
        ChannelMode::All => "all: every voice channel counts",
    }
}

fn shown(said: &str, data: &Data, rule: &Rule) -> Reply {
    let mut listed = text::lines(rule.channels.iter().map(|channel| text::channel(*channel)), card::TEXT_MAX - 400);
    if listed.is_empty() {
        listed = format!("The list is empty. {} adds a channel.", data.commands.mention("practice-admin channels add"));
    }
    let body = format!("**{}**\n{listed}", mode_words(rule.channel_mode));
    Reply::text(said).and_card(card::card("Voice channels that count", card::BLUE, body))
}
