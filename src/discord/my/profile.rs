//! `/my profile`: time zone, language, who sees a person's accounts, and what the bot writes to them.

use entity::user::{DirectMessages, Privacy};
use serenity::all::{CreateAutocompleteResponse, CreateEmbed};

use crate::{
    discord::{Asked, CommandError, Context, Data, Reply, text},
    domain::{
        guild::{LANGUAGES, time_zone_choices},
        user::{self, Profile, ProfileChange},
    },
};

/// What takes a value of one's own away, so that the server's counts.
const SERVERS: &str = "server";
/// Longest name of a time zone that is read; the longest there is has 32 characters.
const NAME_MAX: usize = 64;
/// Most choices that Discord shows.
const CHOICES_MAX: usize = 25;
const BLUE: u32 = 0x0034_98DB;

/// Who sees a person's accounts, as people choose it.
#[derive(Clone, Copy, Debug, poise::ChoiceParameter)]
enum Seen {
    /// Everybody who has signed in.
    #[name = "public"]
    Public,
    /// Members and administrators.
    #[name = "members"]
    Members,
    /// Administrators.
    #[name = "private"]
    Private,
}

impl From<Seen> for Privacy {
    fn from(seen: Seen) -> Self {
        match seen {
            Seen::Public => Self::Public,
            Seen::Members => Self::Members,
            Seen::Private => Self::Private,
        }
    }
}

/// Which direct messages of the bot a person wants, as people choose it.
#[derive(Clone, Copy, Debug, poise::ChoiceParameter)]
enum Wanted {
    /// All.
    #[name = "all"]
    All,
    /// What was decided about something that they asked for.
    #[name = "decisions"]
    Decisions,
    /// Only what protects their keys.
    #[name = "none"]
    None,
}

impl From<Wanted> for DirectMessages {
    fn from(wanted: Wanted) -> Self {
        match wanted {
            Wanted::All => Self::All,
            Wanted::Decisions => Self::Decisions,
            Wanted::None => Self::None,
        }
    }
}

/// Your time zone, your language, who sees your accounts, and what I write to you
#[poise::command(slash_command)]
pub async fn profile(
    ctx: Context<'_>,
    #[description = "Where your days begin and end; server takes the server's"]
    #[autocomplete = "complete_zone"]
    #[max_length = 64]
    timezone: Option<String>,
    #[description = "The language that I write to you in; server takes the server's"]
    #[autocomplete = "complete_language"]
    #[max_length = 16]
    language: Option<String>,
    #[description = "Who sees which accounts you have elsewhere"] privacy: Option<Seen>,
    #[description = "What I write to you; warnings that protect your keys always come"] dm: Option<Wanted>,
) -> Result<(), CommandError> {
    let asked = Asked::command(ctx.data(), ctx.interaction);
    let change = ProfileChange {
        time_zone: timezone.as_deref().map(own),
        language: language.as_deref().map(own),
        privacy: privacy.map(|seen| Some(seen.into())),
        direct_messages: dm.map(|wanted| Some(wanted.into())),
    };
    let shows = timezone.is_none() && language.is_none() && privacy.is_none() && dm.is_none();
    asked
        .answer(async {
            let (domain, actor) = (ctx.data().app.domain(), asked.actor().await?);
            if shows {
                return Ok(reply(ctx.data(), &user::profile(domain, &actor).await?, ""));
            }
            Ok(reply(ctx.data(), &user::set_profile(domain, &actor, change).await?, "✅ Saved."))
        })
        .await
}

/// A value of one's own; none for the server's. A refusal repeats it, and must not become formatting.
fn own(typed: &str) -> Option<String> {
    let fits = |one: &char| one.is_ascii_alphanumeric() || matches!(one, '_' | '-' | '+' | '/' | ' ');
    let plain: String = typed.trim().chars().filter(fits).take(NAME_MAX).collect();
    (!plain.eq_ignore_ascii_case(SERVERS)).then_some(plain)
}

/// Time zones for what somebody has typed so far.
#[expect(clippy::unused_async, reason = "poise wants a future")]
async fn complete_zone(_ctx: Context<'_>, typed: &str) -> CreateAutocompleteResponse {
    choices(typed, time_zone_choices(&text::bounded(typed, NAME_MAX)))
}

/// Languages for what somebody has typed so far.
#[expect(clippy::unused_async, reason = "poise wants a future")]
async fn complete_language(_ctx: Context<'_>, typed: &str) -> CreateAutocompleteResponse {
    let typed = typed.trim().to_ascii_lowercase();
    let fits = |tag: &&str| tag.to_ascii_lowercase().starts_with(&typed);
    choices(&typed, LANGUAGES.into_iter().filter(fits).collect())
}

fn choices(typed: &str, names: Vec<&'static str>) -> CreateAutocompleteResponse {
    let servers = SERVERS.starts_with(&typed.trim().to_ascii_lowercase()).then_some(SERVERS);
    let all = servers.into_iter().chain(names).take(CHOICES_MAX);
    all.fold(CreateAutocompleteResponse::new(), |choices, name| choices.add_string_choice(name, name))
}

fn reply(data: &Data, profile: &Profile, said: &str) -> Reply {
    let there = profile.time_zone.as_deref().map_or_else(|| "the server's".to_owned(), |name| format!("`{name}`"));
    let language = profile.language.as_deref().map_or_else(|| "the server's".to_owned(), |tag| format!("`{tag}`"));
    let seen = match profile.privacy() {
        Privacy::Public => "everybody who has signed in",
        Privacy::Members => "members and administrators",
        Privacy::Private => "administrators only",
    };
    let wanted = match profile.direct_messages() {
        DirectMessages::All => "all",
        DirectMessages::Decisions => "decisions about what you asked for, and warnings about your keys",
        DirectMessages::None => "warnings about your keys only",
    };
    let export = data.commands.mention("my data export");
    let card = CreateEmbed::new()
        .title("Your profile")
        .colour(BLUE)
        .field("Time zone", there, true)
        .field("Language", language, true)
        .field("Your accounts are shown to", seen, true)
        .field("Direct messages from me", wanted, true)
        .description(format!("{export} gives you everything that I hold about you."));
    Reply::text(said).and_card(card)
}
