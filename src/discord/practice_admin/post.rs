//! `/practice-admin post`: boards that are posted on schedule.

use std::fmt::Write as _;

use entity::{
    id::GuildId,
    practice_post::{Model, PostPeriod},
};
use serenity::all::CreateAutocompleteResponse;

use super::argument;
use crate::{
    discord::{Asked, CommandError, Context, Data, Reply, settings::card, text},
    domain::{
        practice::{self, BOARD_SLOT, PostConfig},
        slot::{self, SlotKey},
    },
};

/// Most choices that Discord shows.
const CHOICES_MAX: usize = 25;
/// The word that ends a schedule.
const OFF: &str = "off";

/// Which time a board is about, as people choose it.
#[derive(Clone, Copy, Debug, poise::ChoiceParameter)]
enum Period {
    /// The day before.
    #[name = "daily"]
    Daily,
    /// The week before.
    #[name = "weekly"]
    Weekly,
    /// The month before.
    #[name = "monthly"]
    Monthly,
}

impl From<Period> for PostPeriod {
    fn from(period: Period) -> Self {
        match period {
            Period::Daily => Self::Daily,
            Period::Weekly => Self::Weekly,
            Period::Monthly => Self::Monthly,
        }
    }
}

/// Post the board of each day, week or month that ends; alone it shows what is set
#[poise::command(slash_command)]
pub async fn post(
    ctx: Context<'_>,
    #[description = "The day, week or month that has just ended"] period: Option<Period>,
    #[description = "The slot that receives it; practice unless you say otherwise"]
    #[autocomplete = "complete_slot"]
    #[max_length = 64]
    slot: Option<String>,
    #[description = "Local time such as 09:00; off ends it"]
    #[max_length = 16]
    when: Option<String>,
) -> Result<(), CommandError> {
    let (data, asked) = (ctx.data(), Asked::command(ctx.data(), ctx.interaction));
    let work = async {
        match (period, when) {
            (None, None) if slot.is_none() => shown(data, &asked, String::new()).await,
            (Some(period), Some(when)) if when.trim().eq_ignore_ascii_case(OFF) => {
                remove(data, &asked, period.into()).await
            }
            (Some(period), Some(when)) => set(data, &asked, period.into(), slot, &when).await,
            _ => Err(CommandError::Input {
                problem: "I need the period and the time of day".to_owned(),
                example: "/practice-admin post period:weekly when:09:00",
            }),
        }
    };
    asked.answer(work).await
}

/// Slots for what somebody has typed so far.
async fn complete_slot(ctx: Context<'_>, typed: &str) -> CreateAutocompleteResponse {
    let asked = Asked::command(ctx.data(), ctx.interaction);
    let none = CreateAutocompleteResponse::new();
    let Ok((actor, guild)) = who(&asked).await else { return none };
    let Ok(views) = slot::all_slots(ctx.data().app.domain(), &actor, guild).await else { return none };
    let typed = typed.trim().to_ascii_lowercase();
    let fits = views.iter().filter(|view| view.slot_type == entity::channel_slot::SlotType::Text);
    let names = fits.map(|view| view.key.to_string()).filter(|name| name.contains(&typed)).take(CHOICES_MAX);
    names.fold(none, |all, name| all.add_string_choice(name.clone(), name))
}

async fn who(asked: &Asked) -> Result<(crate::domain::Actor, GuildId), CommandError> {
    Ok((asked.actor().await?, asked.member()?.guild_id))
}

async fn set(
    data: &Data,
    asked: &Asked,
    period: PostPeriod,
    slot: Option<String>,
    when: &str,
) -> Result<Reply, CommandError> {
    let (actor, guild) = who(asked).await?;
    let at_minute = argument::minute(when)?;
    let name = slot.as_deref().map_or(BOARD_SLOT, str::trim);
    let key: SlotKey = name.parse().map_err(crate::domain::Error::from)?;
    let config = PostConfig { slot: key, at_minute };
    let due = practice::set_post(data.app.domain(), &actor, guild, period, config).await?;
    let due =
        due.map_or_else(|| "at no time".to_owned(), |due| format!("{} ({})", text::relative(due), text::absolute(due)));
    shown(data, asked, format!("✅ Saved. The next {} board comes {due}.", words(period))).await
}

async fn remove(data: &Data, asked: &Asked, period: PostPeriod) -> Result<Reply, CommandError> {
    let (actor, guild) = who(asked).await?;
    let was_set = practice::remove_post(data.app.domain(), &actor, guild, period).await?;
    let said = if was_set { "✅ No more" } else { "There was no schedule for" };
    shown(data, asked, format!("{said} {} boards.", words(period))).await
}

async fn shown(data: &Data, asked: &Asked, said: String) -> Result<Reply, CommandError> {
    let (actor, guild) = who(asked).await?;
    let posts = practice::posts(data.app.domain(), &actor, guild).await?;
    if posts.is_empty() {
        let set = data.commands.mention("practice-admin post");
        let none = format!("No board is posted on schedule. {set} with a period and a time sets one.");
        return Ok(Reply::text(said).and_card(card::card("Boards on schedule", card::BLUE, none)));
    }
    let mut lines = Vec::new();
    for row in &posts {
        lines.push(line(data, guild, row).await?);
    }
    let colour = if posts.iter().any(|row| row.problem.is_some()) { card::AMBER } else { card::BLUE };
    Ok(Reply::text(said).and_card(card::card("Boards on schedule", colour, lines.join("\n"))))
}

async fn line(data: &Data, guild: GuildId, row: &Model) -> Result<String, CommandError> {
    let time = format!("{:02}:{:02}", row.at_minute.div_euclid(60), row.at_minute.rem_euclid(60));
    let next = row.due_at.map(|due| format!(" · next {}", text::relative(due))).unwrap_or_default();
    let mut line = format!("**{}** at {time} into `{}`{next}", words(row.period), row.slot_key);
    if let Some(why) = problem(data, guild, row).await? {
        let _ = write!(line, "\n❌ {why}");
    }
    Ok(line)
}

/// What keeps a board from arriving, in words.
pub async fn problem(data: &Data, guild: GuildId, row: &Model) -> Result<Option<String>, CommandError> {
    let key: Option<SlotKey> = row.slot_key.parse().ok();
    let resolved = match &key {
        Some(key) => slot::resolve(data.app.domain(), guild, key).await?,
        None => None,
    };
    let set = data.commands.mention("settings slot set");
    if resolved.is_none() {
        return Ok(Some(format!("The slot `{}` leads to no channel: {set} gives it one.", row.slot_key)));
    }
    Ok(row.problem.as_deref().map(|code| match code {
        "no_slot" => "The last one had nowhere to go; the next one has a channel again.".to_owned(),
        "private" => "The last one was not posted, because practice is private here.".to_owned(),
        "missing_permissions" => format!("I was not allowed to post the last one into `{}`.", row.slot_key),
        _ => "Discord did not take the last one.".to_owned(),
    }))
}

/// A period in words.
pub fn words(period: PostPeriod) -> &'static str {
    match period {
        PostPeriod::Daily => "daily",
        PostPeriod::Weekly => "weekly",
        PostPeriod::Monthly => "monthly",
    }
}
