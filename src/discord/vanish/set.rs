//! `/vanish set`: preview, then apply, change or cancel.

use entity::{
    id::{ChannelId, GuildId},
    vanish_rule::{Schedule, Threads},
};
use serenity::all::{
    ButtonStyle, CreateActionRow, CreateEmbed, CreateInputText, CreateModal, InputTextStyle, PartialChannel,
};

use super::{
    AREA, argument,
    argument::{BacklogChoice, PinsChoice, ScheduleChoice, ThreadsChoice},
    button, card, peek, propose, show_button, take,
    tally::{self, Tally},
};
use crate::{
    discord::{
        Asked, CommandError, Context, Data, Reply,
        component::{Press, custom_id},
        invite, text,
    },
    discord_api::{Lane, permission},
    domain::{
        Actor, duration,
        vanish::{self, Backlog, NewRule, Prospect, RuleView},
    },
};

/// Let messages of a channel vanish after a time
#[expect(clippy::too_many_arguments, reason = "each is an option of the command")]
#[poise::command(slash_command, guild_only)]
pub async fn set(
    ctx: Context<'_>,
    #[description = "Lifetime such as 1d 6h; from 10s to 365d"]
    #[autocomplete = "argument::complete_duration"]
    after: Option<String>,
    #[description = "The channel; else this one"]
    #[channel_types("Text", "News", "Voice", "Stage", "Forum")]
    channel: Option<PartialChannel>,
    #[description = "Keep at most this many messages; 0 = no limit"]
    #[min = 0]
    #[max = 1000]
    keep_last: Option<i32>,
    #[description = "Each at its age, all every so often, or daily"] schedule: Option<ScheduleChoice>,
    #[description = "Time of day HH:MM in the server's time zone"] at: Option<String>,
    #[description = "Messages that are there already (new only)"] backlog: Option<BacklogChoice>,
    #[description = "Pinned messages (keep)"] pins: Option<PinsChoice>,
    #[description = "Threads of the channel (include)"] threads: Option<ThreadsChoice>,
) -> Result<(), CommandError> {
    let (data, asked) = (ctx.data(), Asked::command(ctx.data(), ctx.interaction));
    let work = async {
        let (actor, guild_id, channel_id) = argument::channel(ctx, &asked, channel.as_ref()).await?;
        let at_minute = argument::at(at.as_deref().unwrap_or_default())?;
        let mut new = NewRule {
            channel_id,
            guild_id,
            after_seconds: argument::after(after.as_deref().unwrap_or_default())?,
            keep_last,
            schedule: schedule.map(|choice| poise::ChoiceParameter::name(&choice).to_owned()),
            at_minute,
            pins: pins.map(|choice| poise::ChoiceParameter::name(&choice).to_owned()),
            threads: threads.map(|choice| poise::ChoiceParameter::name(&choice).to_owned()),
            backlog: backlog.map_or(Backlog::NewOnly, Backlog::from),
        };
        if at_minute.is_some() && schedule == Some(ScheduleChoice::Rolling) {
            return Err(CommandError::Input {
                problem: "With schedule:rolling each message vanishes at its own age, so that `at` means nothing"
                    .to_owned(),
                example: "/vanish set after:1d schedule:daily at:04:00",
            });
        }
        fit_schedule(data, &actor, &mut new).await?;
        // On the heap: it holds pages of messages and many calls.
        Box::pin(preview(data, &asked, &actor, new)).await
    };
    asked.answer(work).await
}

/// A time of day alone asks for a daily sweep.
async fn fit_schedule(data: &Data, actor: &Actor, new: &mut NewRule) -> Result<(), CommandError> {
    if new.at_minute.is_none() || new.schedule.as_deref().is_some_and(|schedule| schedule != "rolling") {
        return Ok(());
    }
    let view = vanish::view(data.app.domain(), actor, new.guild_id, new.channel_id).await?;
    let rolling = view.rule.is_none_or(|rule| rule.schedule == Schedule::Rolling);
    new.schedule = if rolling { Some("daily".to_owned()) } else { None };
    Ok(())
}

/// Shows what a rule would do; nothing happens before [Apply].
async fn preview(data: &Data, asked: &Asked, actor: &Actor, mut new: NewRule) -> Result<Reply, CommandError> {
    let domain = data.app.domain();
    let (guild, channel) = (new.guild_id, new.channel_id);
    let mut prospect = vanish::prospect(domain, actor, &new).await?;
    check_bot(data, guild, channel).await?;
    let is_forum = data.api.channel(channel, Lane::Interactive).await?.kind.is_forum();
    if is_forum && prospect.effective.threads == Threads::Skip {
        if new.threads.is_some() {
            return Err(CommandError::Input {
                problem: "A forum holds nothing but posts, which are threads, so that a rule without them does nothing"
                    .to_owned(),
                example: "/vanish set after:7d channel:#forum threads:include",
            });
        }
        new.threads = Some("include".to_owned());
        prospect = vanish::prospect(domain, actor, &new).await?;
    }
    let mut budget = domain.limits().preview_messages_max;
    let at_once = std::mem::take(&mut prospect.at_once);
    let mut at_once = tally::count(data, (guild, channel), is_forum, at_once, &mut budget).await?;
    at_once.more |= prospect.more_places;
    let backlog = std::mem::take(&mut prospect.backlog);
    let backlog = tally::count(data, (guild, channel), is_forum, backlog, &mut budget).await?;
    let id = propose(data, asked, "vanish.set", &new).await?;
    let card = preview_card(data, &new, &prospect, (&at_once, &backlog));
    let destructive = at_once.due() > 0 || at_once.more || new.backlog != Backlog::NewOnly;
    let style = if destructive { ButtonStyle::Danger } else { ButtonStyle::Success };
    Ok(Reply::card(card).row(CreateActionRow::Buttons(vec![
        button("apply", id, "Apply", style),
        button("change", id, "Change…", ButtonStyle::Secondary),
        button("cancel", id, "Cancel", ButtonStyle::Secondary),
    ])))
}

/// Refuses while the bot itself could not do there what the rule asks for.
async fn check_bot(data: &Data, guild: GuildId, channel: ChannelId) -> Result<(), CommandError> {
    match data.api.missing_for_messages(guild, channel, invite::SWEEP_NEEDS, Lane::Interactive).await? {
        0 => Ok(()),
        missing => Err(CommandError::BotLacks { channel, missing: permission::permission_names(missing) }),
    }
}

fn preview_card(data: &Data, new: &NewRule, prospect: &Prospect, (at_once, backlog): (&Tally, &Tally)) -> CreateEmbed {
    let limits = data.app.domain().limits();
    let per_second = limits.old_deletes_per_second;
    let arm_delay = duration::format(i64::try_from(limits.arm_delay.as_secs()).unwrap_or(i64::MAX));
    let old = match new.backlog {
        Backlog::NewOnly => "they stay".to_owned(),
        Backlog::LastFourteenDays | Backlog::Everything => {
            let which = if new.backlog == Backlog::Everything { "all of them" } else { "those of the last 14 days" };
            format!(
                "{which}, beginning {arm_delay} after you apply; until then you can abort. Due now:\n{}",
                backlog.lines(per_second)
            )
        }
    };
    let channel = text::channel(new.channel_id);
    let mut card = CreateEmbed::new()
        .title("Preview – nothing has changed yet")
        .description(format!("{channel}\n{}", card::rule_lines(&prospect.effective)))
        .colour(card::YELLOW);
    if at_once.due() > 0 || at_once.more {
        let lines = at_once.lines(per_second);
        card = card.field("Under the rule already, due as soon as you apply", lines, false);
    }
    card.field("Messages from before the rule", old, false).field(
        "Lateness",
        format!("a message goes at most {} past its time", card::span(prospect.lateness_bound)),
        false,
    )
}

/// [Apply].
pub(super) async fn apply(data: &Data, asked: &Asked, press: &Press<'_>) -> Result<Reply, CommandError> {
    let new: NewRule = peek(data, asked, press).await?;
    let (actor, guild) = asked.actor_in(new.channel_id).await?;
    check_bot(data, guild, new.channel_id).await?;
    take(data, asked, press).await?;
    let channel = new.channel_id;
    let domain = data.app.domain();
    vanish::set_rule(domain, &actor, new).await?;
    let view = vanish::view(domain, &actor, guild, channel).await?;
    Ok(applied(channel, &view))
}

fn applied(channel: ChannelId, view: &RuleView) -> Reply {
    let lines = view.effective.as_ref().map_or_else(String::new, card::rule_lines);
    let mut card = CreateEmbed::new()
        .title("✅ The rule is set")
        .description(format!("{}\n{lines}", text::channel(channel)))
        .colour(card::GREEN);
    let mut buttons = vec![show_button(channel)];
    let place = view.places.iter().find(|place| place.place_id == channel);
    if let Some(begins) = place.and_then(|place| place.backlog_due_at) {
        let text = format!(
            "begin to vanish {} ({}). Until then you can let them stay",
            text::relative(begins),
            text::absolute(begins)
        );
        card = card.field("Messages from before the rule", text, false);
        buttons.insert(0, button("abort", channel, "Abort", ButtonStyle::Danger));
    }
    Reply::card(card).row(CreateActionRow::Buttons(buttons))
}

/// [Abort]: the old messages stay after all.
pub(super) async fn abort(data: &Data, asked: &Asked, press: &Press<'_>) -> Result<Reply, CommandError> {
    let channel = press.argument(0)?;
    let (actor, guild) = asked.actor_in(channel).await?;
    vanish::abort_backlog(data.app.domain(), &actor, guild, channel).await?;
    let text =
        format!("Aborted: messages from before the rule stay in {}. New ones still vanish.", text::channel(channel));
    Ok(Reply::text(text).row(CreateActionRow::Buttons(vec![show_button(channel)])))
}

/// [Change…]: the proposal in a form.
pub(super) async fn change(data: &Data, asked: &Asked, press: &Press<'_>) -> Result<CreateModal, CommandError> {
    let new: NewRule = peek(data, asked, press).await?;
    let id = press.arguments.first().copied().unwrap_or_default();
    Ok(modal(&custom_id(AREA, "changed", &[id]), new.after_seconds, new.keep_last, new.at_minute))
}

/// [Edit] of `show`: the rule in a form.
pub(super) async fn edit(data: &Data, asked: &Asked, press: &Press<'_>) -> Result<CreateModal, CommandError> {
    let channel: ChannelId = press.argument(0)?;
    let actor = asked.actor().await?;
    let rule = vanish::rule(data.app.domain(), &actor, channel).await?;
    let id = custom_id(AREA, "edited", &[&channel.to_string()]);
    Ok(modal(&id, rule.after_seconds, rule.keep_last, rule.at_minute))
}

fn modal(id: &str, after_seconds: Option<i64>, keep_last: Option<i32>, at_minute: Option<i32>) -> CreateModal {
    let row = |name: &str, label: &str, hint: &str, most: u16, value: Option<String>| {
        let input =
            CreateInputText::new(InputTextStyle::Short, label, name).placeholder(hint).required(false).max_length(most);
        CreateActionRow::InputText(match value {
            Some(value) => input.value(value),
            None => input,
        })
    };
    CreateModal::new(id, "Vanishing messages").components(vec![
        row("after", "Lifetime", "1d 6h – empty: as before, or the default", 64, after_seconds.map(duration::format)),
        row(
            "keep_last",
            "Keep at most this many",
            "1 to 1000, 0: no limit – empty: as before",
            4,
            keep_last.map(|n| n.to_string()),
        ),
        row("at", "Time of day, for daily and every", "04:30 – empty: as before", 5, at_minute.map(card::clock)),
    ])
}

/// The form of [Change…]: a new preview takes the old one's place.
pub(super) async fn changed(data: &Data, asked: &Asked, press: &Press<'_>) -> Result<Reply, CommandError> {
    let new: NewRule = peek(data, asked, press).await?;
    let reply = preview_of_form(data, asked, press, new).await?;
    take(data, asked, press).await?;
    Ok(reply)
}

/// The form of [Edit].
pub(super) async fn edited(data: &Data, asked: &Asked, press: &Press<'_>) -> Result<Reply, CommandError> {
    let new = NewRule {
        channel_id: press.argument(0)?,
        guild_id: asked.member()?.guild_id,
        after_seconds: None,
        keep_last: None,
        schedule: None,
        at_minute: None,
        pins: None,
        threads: None,
        backlog: Backlog::NewOnly,
    };
    preview_of_form(data, asked, press, new).await
}

async fn preview_of_form(
    data: &Data,
    asked: &Asked,
    press: &Press<'_>,
    mut new: NewRule,
) -> Result<Reply, CommandError> {
    new.after_seconds = argument::after(press.input("after"))?;
    new.keep_last = argument::keep_last(press.input("keep_last"))?;
    new.at_minute = argument::at(press.input("at"))?;
    let (actor, _) = asked.actor_in(new.channel_id).await?;
    fit_schedule(data, &actor, &mut new).await?;
    Box::pin(preview(data, asked, &actor, new)).await
}
