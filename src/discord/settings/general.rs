//! `/settings general`: how a server counts its days, and in which language.

use entity::guild::{self, Digest, WeekStart};
use serenity::all::{CreateAutocompleteResponse, CreateEmbed, CreateModal};

use super::{card, panel};
use crate::{
    discord::{
        Asked, CommandError, Context, Data, Reply,
        component::{Press, custom_id},
        text,
    },
    domain::{
        guild::{self as guilds, GeneralChange, LANGUAGES},
        slot::{self as slots, SlotKey},
    },
};

/// Longest name of a time zone that is read; the longest there is has 32 characters.
const NAME_MAX: usize = 64;
/// Most choices that Discord shows.
const CHOICES_MAX: usize = 25;

/// The first day of a week, as people choose it.
#[derive(Clone, Copy, Debug, poise::ChoiceParameter)]
pub enum FirstDay {
    /// ISO 8601.
    Monday,
    /// As in the Americas.
    Sunday,
}

/// How often a summary comes, as people choose it.
#[derive(Clone, Copy, Debug, poise::ChoiceParameter)]
pub enum Rhythm {
    /// Never.
    Off,
    /// Every day.
    Daily,
    /// Every week.
    Weekly,
}

impl From<FirstDay> for WeekStart {
    fn from(day: FirstDay) -> Self {
        match day {
            FirstDay::Monday => Self::Monday,
            FirstDay::Sunday => Self::Sunday,
        }
    }
}

impl From<Rhythm> for Digest {
    fn from(rhythm: Rhythm) -> Self {
        match rhythm {
            Rhythm::Off => Self::Off,
            Rhythm::Daily => Self::Daily,
            Rhythm::Weekly => Self::Weekly,
        }
    }
}

/// Time zone, first day of the week, language, summaries
#[poise::command(slash_command)]
pub async fn general(
    ctx: Context<'_>,
    #[description = "Where this server's days begin and end"]
    #[autocomplete = "complete_zone"]
    #[max_length = 64]
    timezone: Option<String>,
    #[description = "The first day of a week"] week_start: Option<FirstDay>,
    #[description = "The language of posts that nobody asked for"]
    #[autocomplete = "complete_language"]
    #[max_length = 16]
    language: Option<String>,
    #[description = "How often the alerts slot receives a summary"] digest: Option<Rhythm>,
) -> Result<(), CommandError> {
    let asked = Asked::command(ctx.data(), ctx.interaction);
    let change = GeneralChange {
        time_zone: timezone.as_deref().map(plain),
        week_start: week_start.map(Into::into),
        language: language.as_deref().map(plain),
        digest: digest.map(Into::into),
    };
    let shows = timezone.is_none() && week_start.is_none() && language.is_none() && digest.is_none();
    asked
        .answer(async {
            if shows {
                return show(ctx.data(), &asked).await;
            }
            set(ctx.data(), &asked, change).await
        })
        .await
}

/// Time zones for what somebody has typed so far.
#[expect(clippy::unused_async, reason = "poise wants a future")]
async fn complete_zone(_ctx: Context<'_>, typed: &str) -> CreateAutocompleteResponse {
    choices(guilds::time_zone_choices(&text::bounded(typed, NAME_MAX)))
}

/// Languages for what somebody has typed so far.
#[expect(clippy::unused_async, reason = "poise wants a future")]
async fn complete_language(_ctx: Context<'_>, typed: &str) -> CreateAutocompleteResponse {
    let typed = typed.trim().to_ascii_lowercase();
    let fits = |tag: &&str| tag.to_ascii_lowercase().starts_with(&typed);
    choices(LANGUAGES.into_iter().filter(fits).take(CHOICES_MAX).collect())
}

fn choices(names: Vec<&'static str>) -> CreateAutocompleteResponse {
    let all = CreateAutocompleteResponse::new();
    names.into_iter().fold(all, |choices, name| choices.add_string_choice(name, name))
}

/// What names of zones and languages are made of: a refusal repeats it, and must not become formatting.
fn plain(text: &str) -> String {
    let fits = |one: &char| one.is_ascii_alphanumeric() || matches!(one, '_' | '-' | '+' | '/' | ' ');
    text.chars().filter(fits).take(NAME_MAX).collect()
}

async fn set(data: &Data, asked: &Asked, change: GeneralChange) -> Result<Reply, CommandError> {
    let guild = asked.member()?.guild_id;
    let row = guilds::set_general(data.app.domain(), &asked.actor().await?, guild, change).await?;
    reply(data, asked, &row, "✅ Saved.").await
}

/// The present settings.
pub async fn show(data: &Data, asked: &Asked) -> Result<Reply, CommandError> {
    let guild = asked.member()?.guild_id;
    let row = guilds::general(data.app.domain(), &asked.actor().await?, guild).await?;
    reply(data, asked, &row, "").await
}

async fn reply(data: &Data, asked: &Asked, row: &guild::Model, said: &str) -> Result<Reply, CommandError> {
    let mut said = said.to_owned();
    if row.digest != Digest::Off && !alerts_arrive(data, asked).await? {
        let set = data.commands.mention("settings slot set");
        said.push_str("\n⚠️ Summaries go to the slot `alerts`, which leads nowhere yet: ");
        said.push_str(&set);
    }
    let edit = card::primary("Edit…", custom_id("settings", "edit_general", &[]));
    let embed = embed(data, asked, row).await?;
    Ok(Reply::text(said).and_card(embed).row(panel::menu("general")).row(card::row(vec![edit])))
}

async fn alerts_arrive(data: &Data, asked: &Asked) -> Result<bool, CommandError> {
    let Ok(key) = "alerts".parse::<SlotKey>() else { return Ok(true) };
    Ok(slots::resolve(data.app.domain(), asked.member()?.guild_id, &key).await?.is_some())
}

async fn embed(data: &Data, asked: &Asked, row: &guild::Model) -> Result<CreateEmbed, CommandError> {
    let domain = data.app.domain();
    let zone = guilds::time_zone(domain, asked.member()?.guild_id).await?;
    let there = domain.now().with_timezone(&zone).format("%H:%M");
    let digest = match row.digest_due_at {
        Some(due) => format!("{}, next {}", digest_word(row.digest), text::relative(due)),
        None => digest_word(row.digest).to_owned(),
    };
    Ok(card::card("General", card::BLUE, "")
        .field("Time zone", format!("`{}`\n-# it is {there} there", zone.name()), true)
        .field("Week starts on", week_word(row.week_start), true)
        .field("Language", text::escape(&row.language, 16), true)
        .field("Summaries", digest, true))
}

fn week_word(day: WeekStart) -> &'static str {
    match day {
        WeekStart::Monday => "Monday",
        WeekStart::Sunday => "Sunday",
    }
}

fn digest_word(digest: Digest) -> &'static str {
    match digest {
        Digest::Off => "off",
        Digest::Daily => "daily",
        Digest::Weekly => "weekly",
    }
}

/// The form with the present settings in it.
pub async fn modal(data: &Data, asked: &Asked) -> Result<CreateModal, CommandError> {
    let guild = asked.member()?.guild_id;
    let row = guilds::general(data.app.domain(), &asked.actor().await?, guild).await?;
    let inputs = vec![
        card::input("Time zone", "timezone", &row.time_zone, 64).placeholder("Europe/Berlin"),
        card::input("Week starts on: Monday or Sunday", "week_start", week_word(row.week_start), 10),
        card::input("Language, such as en-GB, de or pt-BR", "language", &row.language, 16),
        card::input("Summaries: off, daily or weekly", "digest", digest_word(row.digest), 10),
    ];
    Ok(card::form(custom_id("settings", "set_general", &[]), "General settings", inputs))
}

/// The form came back.
pub async fn submitted(data: &Data, asked: &Asked, press: &Press<'_>) -> Result<Reply, CommandError> {
    let typed = |name: &str| press.input(name).trim().to_ascii_lowercase();
    let week_start = match typed("week_start").as_str() {
        "monday" => WeekStart::Monday,
        "sunday" => WeekStart::Sunday,
        other => return Err(unknown(other, "is not a day that weeks start on", "Monday")),
    };
    let digest = match typed("digest").as_str() {
        "off" => Digest::Off,
        "daily" => Digest::Daily,
        "weekly" => Digest::Weekly,
        other => return Err(unknown(other, "is not a rhythm of summaries", "weekly")),
    };
    let change = GeneralChange {
        time_zone: Some(plain(press.input("timezone"))),
        week_start: Some(week_start),
        language: Some(plain(press.input("language").trim())),
        digest: Some(digest),
    };
    set(data, asked, change).await
}

fn unknown(value: &str, problem: &str, example: &'static str) -> CommandError {
    CommandError::Input { problem: format!("“{}” {problem}", text::escape(value, 30)), example }
}
