//! `/vanish show`: a rule, what it inherits, and how it is doing.

use entity::{
    id::{ChannelId, GuildId},
    vanish_rule::RuleState,
};
use serenity::all::{ButtonStyle, CreateActionRow, CreateEmbed, PartialChannel};

use super::{argument, button, card, off::set_mention};
use crate::{
    discord::{Asked, CommandError, Context, Data, Reply, component::Press, text},
    discord_api::Lane,
    domain::{
        Actor,
        vanish::{self, RuleView, plan},
    },
};

/// Show a channel's rule and how it is doing
#[poise::command(slash_command, guild_only)]
pub async fn show(
    ctx: Context<'_>,
    #[description = "The channel; else this one"]
    #[channel_types("Text", "News", "Voice", "Stage", "Forum")]
    channel: Option<PartialChannel>,
) -> Result<(), CommandError> {
    let asked = Asked::command(ctx.data(), ctx.interaction);
    let work = async {
        let (actor, guild, channel) = argument::channel(ctx, &asked, channel.as_ref()).await?;
        rule_card(ctx.data(), &actor, guild, channel).await
    };
    asked.answer(work).await
}

/// [Show rule].
pub(super) async fn pressed(data: &Data, asked: &Asked, press: &Press<'_>) -> Result<Reply, CommandError> {
    let guild = asked.member()?.guild_id;
    rule_card(data, &asked.actor().await?, guild, press.argument(0)?).await
}

async fn rule_card(data: &Data, actor: &Actor, guild: GuildId, channel: ChannelId) -> Result<Reply, CommandError> {
    let view = vanish::view(data.app.domain(), actor, guild, channel).await?;
    let Some(rule) = &view.rule else {
        let text = format!("Messages of {} do not vanish. {} changes that.", text::channel(channel), set_mention(data));
        return Ok(Reply::text(text));
    };
    let exemptions = vanish::exemptions(data.app.domain(), actor, guild, Some(channel)).await?;
    let exempt = text::lines(exemptions.iter().map(card::exemption), card::FIELD_MAX);
    let (colour, health) = card::health(rule, view.effective.is_some());
    let effective = view.effective.as_ref().map_or_else(
        || "nothing: neither the rule nor the server's default names a lifetime".to_owned(),
        card::rule_lines,
    );
    let server = view.default.as_ref().map_or_else(|| "none".to_owned(), card::default_values);
    let mut card = CreateEmbed::new()
        .title(health)
        .description(text::channel(channel))
        .colour(colour)
        .field("Channel", card::own_values(rule), true)
        .field("Server default", server, true)
        .field("Effective", effective, false);
    if let Some(problem) = card::problem(rule) {
        card = card.field("Why it does not act", problem, false);
    }
    let mut lines = progress(data, &view, channel);
    lines.extend(oldest_waiting(data, &view, guild, channel).await);
    card = card.field("Exempt", if exempt.is_empty() { "nobody".to_owned() } else { exempt }, false).field(
        "Progress",
        text::lines(lines, card::FIELD_MAX),
        false,
    );
    Ok(Reply::card(card).row(buttons(rule.state, channel)))
}

/// The oldest message that the rule has not decided about; what Discord does not tell now is left out.
async fn oldest_waiting(data: &Data, view: &RuleView, guild: GuildId, channel: ChannelId) -> Option<String> {
    view.rule.as_ref().filter(|rule| rule.state == RuleState::Active)?;
    let place = view.places.iter().find(|place| place.place_id == channel)?;
    let page = data.api.messages_after(channel, Some(place.cursor), 1, Lane::Interactive).await.ok()?;
    let oldest = page.messages.last()?.id;
    let link = text::message_link(guild, channel, oldest);
    Some(format!("• oldest that waits: [this message]({link}) from {}", text::relative(plan::sent_at(oldest))))
}

fn progress(data: &Data, view: &RuleView, channel: ChannelId) -> Vec<String> {
    let Some(rule) = &view.rule else { return Vec::new() };
    let place = view.places.iter().find(|place| place.place_id == channel);
    let mut lines = vec![match place.and_then(|place| place.due_at) {
        Some(due_at) if rule.state == RuleState::Active => format!("• next look: {}", text::relative(due_at)),
        _ if rule.state == RuleState::Active => "• next look: when a message arrives".to_owned(),
        _ => "• next look: none while it does not act".to_owned(),
    }];
    if let Some(begins) = place.and_then(|place| place.backlog_due_at) {
        let verb = if begins > data.app.domain().now() { "begin to vanish" } else { "are vanishing since" };
        lines.push(format!("• messages from before the rule {verb} {}", text::relative(begins)));
    }
    if let Some(tries) = place.map(|place| place.attempts).filter(|tries| *tries > 0) {
        lines.push(format!("• tries since Discord last answered well: **{tries}**"));
    }
    let threads = view.places.iter().filter(|place| place.place_id != channel).count();
    if threads > 0 {
        lines.push(format!("• threads: {threads}"));
    }
    lines.push(format!("• deleted so far: **{}**", rule.messages_deleted));
    if let Some(last) = rule.last_deletion {
        lines.push(format!("• last deletion: {}", text::relative(last)));
    }
    if let Some(effective) = &view.effective {
        let bound = card::span(effective.lateness_bound(data.app.domain().widening()));
        lines.push(format!("• a message goes at most {bound} past its time"));
    }
    lines
}

fn buttons(state: RuleState, channel: ChannelId) -> CreateActionRow {
    let held = matches!(state, RuleState::Paused | RuleState::Suspended);
    let (verb, label) = if held { ("resume", "Resume") } else { ("pause", "Pause") };
    let mut buttons = vec![button(verb, channel, label, ButtonStyle::Secondary)];
    if !held {
        buttons.push(button("ask_run", channel, "Run now", ButtonStyle::Secondary));
    }
    buttons.push(button("edit", channel, "Edit", ButtonStyle::Secondary));
    CreateActionRow::Buttons(buttons)
}
