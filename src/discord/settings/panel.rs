//! `/settings panel`: everything that can be set, by section.

use entity::{channel_slot::SlotState, vanish_rule::RuleState};
use serenity::all::CreateActionRow;

use super::{card, doctor, general, history, slot};
use crate::{
    discord::{Asked, CommandError, Context, Data, Reply, component::custom_id, text},
    domain::{guild, slot as slots, vanish},
};

/// The sections: value, label, description.
const SECTIONS: [(&str, &str, &str); 6] = [
    ("overview", "Overview", "How this server is set up"),
    ("slots", "Slots", "The channels that features post in"),
    ("vanish", "Vanishing channels", "Which channels vanish, and by which rule"),
    ("general", "General", "Time zone, first day of the week, language, summaries"),
    ("history", "History", "What was changed, and the way back"),
    ("doctor", "Doctor", "What is broken, and how to mend it"),
];
/// Most channels that the section on vanishing lists.
const RULES_SHOWN: usize = 15;

/// Everything that can be set, by section
#[poise::command(slash_command)]
pub async fn panel(ctx: Context<'_>) -> Result<(), CommandError> {
    let asked = Asked::command(ctx.data(), ctx.interaction);
    asked.answer(section(ctx.data(), &asked, "overview")).await
}

/// The menu of sections, with the one that is shown already chosen.
pub fn menu(shown: &str) -> CreateActionRow {
    let options = SECTIONS.iter().map(|(value, label, description)| {
        card::choice(label, value, Some(description)).default_selection(*value == shown)
    });
    card::menu(custom_id("settings", "panel", &[]), "Choose a section", options.collect())
}

/// The card of a section.
pub async fn section(data: &Data, asked: &Asked, name: &str) -> Result<Reply, CommandError> {
    match name {
        "slots" => slot::list(data, asked, 0).await,
        "vanish" => vanishing(data, asked).await,
        "general" => general::show(data, asked).await,
        "history" => history::page(data, asked, None).await,
        "doctor" => doctor::report(data, asked).await,
        _ => overview(data, asked).await,
    }
}

async fn overview(data: &Data, asked: &Asked) -> Result<Reply, CommandError> {
    let (domain, actor, guild_id) = (data.app.domain(), asked.actor().await?, asked.member()?.guild_id);
    let views = slots::all_slots(domain, &actor, guild_id).await?;
    let rules = vanish::rules(domain, &actor, Some(guild_id), None).await?;
    let general = guild::general(domain, &actor, guild_id).await?;
    let slots_in = |state| views.iter().filter(|view| view.state == state).count();
    let rules_in = |state| rules.rows.iter().filter(|rule| rule.state == state).count();
    let (broken, suspended) = (slots_in(SlotState::Broken), rules_in(RuleState::Suspended));
    let health = match broken + suspended {
        0 => "✅ Nothing is known to be broken.".to_owned(),
        _ => format!(
            "⚠️ {} and {}: the section **Doctor** says why.",
            card::count(broken, "broken slot", "broken slots"),
            card::count(suspended, "held vanish rule", "held vanish rules"),
        ),
    };
    let colour = if broken + suspended == 0 { card::GREEN } else { card::AMBER };
    let embed = card::card("Settings of this server", colour, health)
        .field("Slots", format!("{} ready of {}", slots_in(SlotState::Ready), views.len()), true)
        .field(
            "Vanishing channels",
            format!("{} active, {} paused", rules_in(RuleState::Active), rules_in(RuleState::Paused)),
            true,
        )
        .field("Time zone", format!("`{}`", text::bounded(&general.time_zone, 64)), true);
    Ok(Reply::card(embed).row(menu("overview")))
}

async fn vanishing(data: &Data, asked: &Asked) -> Result<Reply, CommandError> {
    let (domain, actor, guild_id) = (data.app.domain(), asked.actor().await?, asked.member()?.guild_id);
    let rules = vanish::rules(domain, &actor, Some(guild_id), None).await?;
    let mention = |command: &str| data.commands.mention(command);
    if rules.rows.is_empty() {
        let text = format!("No channel of this server vanishes yet. {} starts one.", mention("vanish set"));
        return Ok(Reply::card(card::card("Vanishing channels", card::BLUE, text)).row(menu("vanish")));
    }
    let lines = rules.rows.iter().take(RULES_SHOWN).map(|rule| {
        let (sign, word) = rule_state(rule.state);
        format!("{sign} {} · {word} · {} deleted", text::channel(rule.channel_id), rule.messages_deleted)
    });
    let left_out = rules.rows.len().saturating_sub(RULES_SHOWN);
    let more =
        if left_out > 0 { format!("\n… and {left_out} more: {}", mention("vanish list")) } else { String::new() };
    let how = format!(
        "\n\n{} changes a rule, {} shows one, {} what all rules share.",
        mention("vanish set"),
        mention("vanish show"),
        mention("vanish default")
    );
    let text = format!("{}{more}{how}", text::lines(lines, card::TEXT_MAX - 300));
    let suspended = rules.rows.iter().any(|rule| rule.state == RuleState::Suspended);
    let colour = if suspended { card::AMBER } else { card::BLUE };
    Ok(Reply::card(card::card("Vanishing channels", colour, text)).row(menu("vanish")))
}

/// A rule's state as a sign and a word.
pub fn rule_state(state: RuleState) -> (&'static str, &'static str) {
    match state {
        RuleState::Unconfirmed => ("⏳", "waits for Discord to confirm the channel"),
        RuleState::Active => ("✅", "active"),
        RuleState::Paused => ("⏸️", "paused"),
        RuleState::Suspended => ("❌", "held: I lack a permission there"),
    }
}
