//! `/settings doctor`: what is broken, why, and how to mend it.

use entity::{
    channel_slot::SlotState,
    id::{ChannelId, GuildId},
    vanish_rule::{self, RuleState, Threads},
};
use serenity::all::{CreateActionRow, CreateEmbed};

use super::{card, panel};
use crate::{
    app::PrivilegedIntent,
    discord::{
        Asked, CommandError, Context, Data, Reply, apikey, component::custom_id, event_handler, invite, practice_admin,
        text,
    },
    discord_api::{self, Lane, permission},
    domain::{
        Actor, Right, form,
        slot::{self as slots, SlotView},
        vanish,
    },
};

/// Most slots and most rules that one report looks at.
const LOOKED_AT_MAX: usize = 150;
/// Most characters of one section; Discord takes 6000 of a whole message.
const SECTION_MAX: usize = 2_400;
/// Most links to channels.
const LINKS_MAX: usize = 3;
/// Most broken slots that the menu offers.
const OFFERED_MAX: usize = 25;

/// What is broken, why, and how to mend it
#[poise::command(slash_command)]
pub async fn doctor(ctx: Context<'_>) -> Result<(), CommandError> {
    let asked = Asked::command(ctx.data(), ctx.interaction);
    asked.answer(report(ctx.data(), &asked)).await
}

/// Looks again at what Discord says now.
pub async fn recheck(data: &Data, asked: &Asked) -> Result<Reply, CommandError> {
    data.api.forget_permissions(asked.member()?.guild_id);
    report(data, asked).await
}

/// One thing that was looked at.
struct Finding {
    well: bool,
    line: String,
    channel: Option<ChannelId>,
}

impl Finding {
    fn well(line: String) -> Self {
        Self { well: true, line, channel: None }
    }

    fn bad(line: String, channel: ChannelId) -> Self {
        Self { well: false, line, channel: Some(channel) }
    }
}

/// What the bot may do in a channel.
enum Rights {
    Bits(u64),
    Gone,
    Hidden,
}

async fn rights(data: &Data, guild: GuildId, channel: ChannelId) -> Result<Rights, CommandError> {
    match data.api.own_permissions(guild, channel, Lane::Interactive).await {
        Ok(bits) if bits & permission::VIEW_CHANNEL == 0 => Ok(Rights::Hidden),
        Ok(bits) => Ok(Rights::Bits(bits)),
        Err(error) if error.is_gone() => Ok(Rights::Gone),
        Err(discord_api::Error::MissingAccess | discord_api::Error::MissingPermissions) => Ok(Rights::Hidden),
        Err(error) => Err(error.into()),
    }
}

/// The whole report.
pub async fn report(data: &Data, asked: &Asked) -> Result<Reply, CommandError> {
    let guild = asked.member()?.guild_id;
    let actor = asked.actor().await?;
    let domain = data.app.domain();
    let native = form::native_form(domain, guild).await?.map_or(0, |_| permission::KICK_MEMBERS);
    let rights = data.api.own_server_permissions(guild, Lane::Interactive).await?;
    let missing = permission::missing(rights, invite::NEEDED | native);
    // What is true now is written down first, so that the report and the features agree.
    event_handler::recheck(data, guild, Lane::Interactive).await?;
    let views = slots::all_slots(domain, &actor, guild).await?;
    let rules = vanish::rules(domain, &actor, Some(guild), None).await?;
    let default_threads = vanish::defaults(domain, &actor, guild).await?.threads;
    let mut of_slots = Vec::new();
    for view in views.iter().filter(|view| view.channel_id.is_some()).take(LOOKED_AT_MAX) {
        of_slots.extend(slot_finding(data, guild, view).await?);
    }
    let mut of_rules = Vec::new();
    for rule in rules.rows.iter().take(LOOKED_AT_MAX) {
        let threads = rule.threads.or(default_threads) != Some(Threads::Skip);
        of_rules.push(rule_finding(data, guild, rule, threads).await?);
    }
    let bad = of_slots.iter().chain(&of_rules).filter(|finding| !finding.well).count() + usize::from(missing != 0);
    let boards = practice_admin::board_problems(data, &actor, guild).await?;
    let bad = bad + boards.len();
    let empty = views.iter().filter(|view| view.channel_id.is_none()).count();
    let empty_note =
        (empty > 0).then(|| format!("➖ {} no channel yet.", card::count(empty, "slot has", "slots have")));
    let notes = [looked_at(views.len() - empty), empty_note].into_iter().flatten();
    let slots_note = boards.into_iter().chain(notes).collect::<Vec<_>>().join("\n");
    let rules_note = match rules.rows.len() {
        0 => "No channel vanishes.".to_owned(),
        all => looked_at(all).unwrap_or_default(),
    };
    let keys = keys(data, &actor, guild).await?;
    let no_members = data.app.readiness().members() == PrivilegedIntent::Refused;
    let bad = bad + usize::from(keys.is_bad) + usize::from(no_members);
    let mut intents = keys.line.clone();
    if no_members {
        intents.push_str(
            "\n❌ Discord does not let me see members, so that boards cannot be narrowed to a role: whoever hosts me \
             switches on **Server Members Intent** on the page Bot of Discord's developer portal and restarts me.",
        );
    }
    let reply = Reply::card(server_card(missing, bad, &intents))
        .and_card(section("Slots", &of_slots, &slots_note))
        .and_card(section("Vanishing channels", &of_rules, &rules_note))
        .row(panel::menu("doctor"))
        .row(actions(guild, of_slots.iter().chain(&of_rules)));
    let reply = match fixes(&views) {
        Some(menu) => reply.row(menu),
        None => reply,
    };
    Ok(if keys.offers_guard { reply.row(apikey::guard_row()) } else { reply })
}

/// Says that a report leaves something out.
fn looked_at(all: usize) -> Option<String> {
    (all > LOOKED_AT_MAX).then(|| format!("The first {LOOKED_AT_MAX} of {all} were looked at."))
}

/// What becomes of API keys that somebody pastes.
struct PastedKeys {
    line: String,
    is_bad: bool,
    offers_guard: bool,
}

async fn keys(data: &Data, actor: &Actor, guild: GuildId) -> Result<PastedKeys, CommandError> {
    let content = data.app.readiness().message_content();
    if content == PrivilegedIntent::Granted {
        let line = "✅ API keys that somebody pastes are found, removed and revoked.".to_owned();
        return Ok(PastedKeys { line, is_bad: false, offers_guard: false });
    }
    let refused = content == PrivilegedIntent::Refused;
    let why = if refused {
        "❌ Discord refuses me the content of messages (4014), so that I do not find API keys that somebody pastes: \
         whoever hosts me switches on **Message Content Intent** on the page Bot of Discord's developer portal and \
         restarts me."
    } else {
        "➖ I do not read messages, so that I do not find API keys that somebody pastes."
    };
    let may = actor.require(Right::ManageKeys, Some(guild)).is_ok();
    let (guard, offers_guard) = match apikey::guard_state(data, guild).await? {
        apikey::Guard::Stands => ("AutoMod blocks messages with API keys.", false),
        apikey::Guard::Missing if may => ("**Block pasted keys** lets AutoMod do it.", true),
        apikey::Guard::Hidden if may => ("**Block pasted keys** lets AutoMod do it, if I have Manage Server.", true),
        _ => ("An administrator can let AutoMod block them.", false),
    };
    Ok(PastedKeys { line: format!("{why} {guard}"), is_bad: refused, offers_guard })
}

fn server_card(missing: u64, bad: usize, intents: &str) -> CreateEmbed {
    let verdict = match bad {
        0 => "✅ All is well.".to_owned(),
        _ => format!("❌ {} you.", card::count(bad, "thing needs", "things need")),
    };
    let role = match missing {
        0 => "✅ My role has every permission that my features use.".to_owned(),
        _ => format!(
            "❌ My role lacks **{}** in this server. **Copy invite link** gives me all of it; a channel that allows \
             it works without.",
            permission::permission_names(missing).join(", ")
        ),
    };
    let colour = if bad == 0 { card::GREEN } else { card::AMBER };
    card::card("Doctor", colour, format!("{verdict}\n{role}\n{intents}"))
}

/// What is wrong first.
fn section(title: &str, findings: &[Finding], note: &str) -> CreateEmbed {
    let bad = findings.iter().filter(|finding| !finding.well);
    let well = findings.iter().filter(|finding| finding.well);
    // The note says what the lines leave out, so that it is never left out itself.
    let lines = text::lines(bad.chain(well).map(|finding| finding.line.clone()), SECTION_MAX);
    let words = format!("{lines}\n{note}");
    let colour = if findings.iter().all(|finding| finding.well) { card::GREEN } else { card::AMBER };
    card::card(title, colour, words.trim())
}

/// What the bot has and lacks of what it needs, in words.
fn matrix(bits: u64, needed: u64) -> String {
    let has = permission::permission_names(bits & needed).join(", ");
    let lacks = permission::permission_names(permission::missing(bits, needed)).join(", ");
    match (has.is_empty(), lacks.is_empty()) {
        (_, true) => format!("✅ {has}"),
        (true, false) => format!("❌ lacks {lacks}"),
        (false, false) => format!("❌ lacks {lacks} · ✅ has {has}"),
    }
}

async fn slot_finding(data: &Data, guild: GuildId, view: &SlotView) -> Result<Option<Finding>, CommandError> {
    let Some(channel) = view.channel_id else { return Ok(None) };
    let place = format!("Slot `{}` → {}", view.key, text::channel(channel));
    let bits = match rights(data, guild, channel).await? {
        Rights::Bits(bits) => bits,
        Rights::Gone => {
            let line = format!("❌ Slot `{}` · its channel is gone: choose another one below", view.key);
            return Ok(Some(Finding { well: false, line, channel: None }));
        }
        Rights::Hidden => {
            let line = format!("❌ {place} · I cannot see it: allow my role **View Channel** there");
            return Ok(Some(Finding::bad(line, channel)));
        }
    };
    let matrix = matrix(bits, view.needs);
    Ok(Some(match (view.state, permission::missing(bits, view.needs)) {
        (SlotState::Ready, 0) => Finding::well(format!("✅ {place} · {matrix}")),
        (SlotState::Unconfirmed, 0) => Finding::well(format!("⏳ {place} · waits to be confirmed · {matrix}")),
        (_, 0) => {
            let why = view.problem.map_or("it cannot be used", slots::SlotProblem::words);
            Finding::bad(format!("❌ {place} · {why} · {matrix}"), channel)
        }
        _ => Finding::bad(format!("❌ {place} · {matrix}"), channel),
    }))
}

async fn rule_finding(
    data: &Data,
    guild: GuildId,
    rule: &vanish_rule::Model,
    threads: bool,
) -> Result<Finding, CommandError> {
    let channel = rule.channel_id;
    let place = text::channel(channel);
    let bits = match rights(data, guild, channel).await? {
        Rights::Bits(bits) => bits,
        Rights::Gone => {
            let line = format!("❌ The rule of {place} · the channel is gone, or of another server");
            return Ok(Finding { well: false, line, channel: None });
        }
        Rights::Hidden => {
            let line = format!("❌ {place} · I cannot see it: allow my role **View Channel** there");
            return Ok(Finding::bad(line, channel));
        }
    };
    let needed = if threads { invite::SWEEP_NEEDS | permission::MANAGE_THREADS } else { invite::SWEEP_NEEDS };
    let missing = data.api.missing_for_messages(guild, channel, needed, Lane::Interactive).await?;
    let matrix = matrix(bits, needed | missing);
    let (sign, word) = panel::rule_state(rule.state);
    let until = rule.paused_until.map(|until| format!(" until {}", text::relative(until))).unwrap_or_default();
    let why = rule.problem.as_deref().map(|why| format!(" ({})", text::escape(why, 80))).unwrap_or_default();
    let line = format!("{sign} {place} · {word}{until}{why} · {matrix}");
    Ok(match rule.state {
        RuleState::Suspended => Finding::bad(line, channel),
        _ if missing != 0 => Finding::bad(format!("❌ {place} · {matrix}"), channel),
        _ => Finding::well(line),
    })
}

fn actions<'a>(guild: GuildId, findings: impl Iterator<Item = &'a Finding>) -> CreateActionRow {
    let mut buttons = vec![card::primary("Recheck", custom_id("settings", "doctor", &[])), invite::button()];
    let mut channels: Vec<_> = findings.filter(|finding| !finding.well).filter_map(|finding| finding.channel).collect();
    channels.sort_unstable();
    channels.dedup();
    for (index, channel) in channels.into_iter().take(LINKS_MAX).enumerate() {
        buttons.push(card::open_channel(&format!("Open channel {}", index + 1), guild, channel));
    }
    card::row(buttons)
}

/// A menu of the broken slots, which leads to where each is mended.
fn fixes(views: &[SlotView]) -> Option<CreateActionRow> {
    let options: Vec<_> = views
        .iter()
        .filter(|view| view.state == SlotState::Broken)
        .take(OFFERED_MAX)
        .map(|view| {
            let why = view.problem.map(slots::SlotProblem::words);
            card::choice(&format!("Slot {}", view.key), view.key.as_str(), why)
        })
        .collect();
    (!options.is_empty()).then(|| card::menu(custom_id("slot", "open", &[""]), "Mend a slot", options))
}
