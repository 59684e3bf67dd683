//! `/my vanish`: after which time a member's own messages vanish, where the server allows it.

use entity::id::{ChannelId, GuildId};
use serenity::all::{CreateAutocompleteResponse, CreateEmbed};

use crate::{
    discord::{Asked, CommandError, Context, Data, Reply, text, vanish::argument},
    discord_api::{Lane, permission},
    domain::{
        duration,
        vanish::{self, OwnChange, OwnTimes},
    },
};

/// What ends it.
const OFF: &str = "off";
/// Most choices that Discord shows.
const CHOICES_MAX: usize = 25;
/// Most characters of the list.
const LIST_MAX: usize = 1_000;
const BLUE: u32 = 0x0034_98DB;
/// What the bot needs where it deletes.
const NEEDS: u64 = permission::VIEW_CHANNEL | permission::MANAGE_MESSAGES;

/// Where a time holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, poise::ChoiceParameter)]
enum Where {
    /// The channel or thread where it was typed.
    #[name = "this channel"]
    Here,
    /// Every channel and thread.
    #[name = "whole server"]
    Everywhere,
}

/// Let your own messages vanish after a time, where this server allows it
#[poise::command(slash_command)]
pub async fn vanish(
    ctx: Context<'_>,
    #[description = "Such as 1d 6h, within what the server allows; off ends it"]
    #[autocomplete = "complete"]
    #[max_length = 64]
    after: Option<String>,
    #[description = "This channel or thread, which is the default, or the whole server"]
    #[rename = "where"]
    place: Option<Where>,
) -> Result<(), CommandError> {
    let (data, asked) = (ctx.data(), Asked::command(ctx.data(), ctx.interaction));
    let work = async {
        let guild = asked.member()?.guild_id;
        let here = asked.channel_id.ok_or(CommandError::OnlyInServers)?;
        let Some(after) = after.as_deref().map(str::trim).filter(|after| !after.is_empty()) else {
            let times = vanish::own_times(data.app.domain(), &asked.actor().await?, guild).await?;
            return Ok(card(&times, String::new()));
        };
        let channel_id = (place != Some(Where::Everywhere)).then_some(here);
        let after_seconds = if after.eq_ignore_ascii_case(OFF) { None } else { argument::after(after)? };
        set(data, &asked, here, OwnChange { guild_id: guild, channel_id, after_seconds }).await
    };
    asked.answer(work).await
}

/// Durations within the bounds of the server, and what ends it.
async fn complete(ctx: Context<'_>, typed: &str) -> CreateAutocompleteResponse {
    let guild = ctx.guild_id().and_then(|guild| GuildId::new(guild.get()));
    let bounds = match guild {
        // Suggestions decide nothing: where the store does not answer, there are none.
        Some(guild) => vanish::own_bounds(ctx.data().app.domain(), guild).await.ok().flatten(),
        None => None,
    };
    let off = OFF.starts_with(&typed.trim().to_ascii_lowercase()).then(|| OFF.to_owned());
    let allowed = |text: &String| {
        let bounds = bounds.as_ref();
        bounds.is_some_and(|bounds| duration::parse(text).is_some_and(|seconds| bounds.contains(&seconds)))
    };
    let all = argument::suggestions(typed).into_iter().filter(allowed).chain(off).take(CHOICES_MAX);
    all.fold(CreateAutocompleteResponse::new(), |choices, text| choices.add_string_choice(text.clone(), text))
}

async fn set(data: &Data, asked: &Asked, here: ChannelId, change: OwnChange) -> Result<Reply, CommandError> {
    let (domain, actor) = (data.app.domain(), asked.actor().await?);
    let place = change.channel_id.map_or_else(|| "the whole server".to_owned(), text::channel);
    let Some(seconds) = change.after_seconds else {
        let times = vanish::set_own_time(domain, &actor, change).await?;
        let said = format!(
            "✅ No time of yours holds for {place} any more. Messages that have got theirs already still vanish then."
        );
        return Ok(card(&times, said));
    };
    if vanish::own_times(domain, &actor, change.guild_id).await?.bounds.is_some() {
        check_bot(data, here, &change).await?;
    }
    let times = vanish::set_own_time(domain, &actor, change).await?;
    let said = format!(
        "✅ From now on your messages in {place} vanish {} after you have sent them, pinned ones too, or sooner where \
         the channel's rule says so. What is there already stays, and so does what you write while I am away. \
         `after:off` ends it.",
        duration::format(seconds)
    );
    Ok(card(&times, said))
}

/// Refuses while the bot itself could not delete there. For the whole server its role decides; channels may differ.
async fn check_bot(data: &Data, here: ChannelId, change: &OwnChange) -> Result<(), CommandError> {
    let (guild, lane) = (change.guild_id, Lane::Interactive);
    let missing = match change.channel_id {
        Some(channel) => data.api.missing_for_messages(guild, channel, NEEDS, lane).await?,
        None => permission::missing(data.api.own_server_permissions(guild, lane).await?, NEEDS),
    };
    if missing == 0 {
        return Ok(());
    }
    Err(CommandError::BotLacks { channel: here, missing: permission::permission_names(missing) })
}

fn card(times: &OwnTimes, said: String) -> Reply {
    let allowed = match &times.bounds {
        Some(bounds) => format!("{} to {}", duration::format(*bounds.start()), duration::format(*bounds.end())),
        None => "Nothing: whoever manages this server can turn it on with `/vanish default`, own_min and own_max."
            .to_owned(),
    };
    let lines = times.rows.iter().map(|row| {
        let place = OwnTimes::place(row).map_or_else(|| "the whole server".to_owned(), text::channel);
        let rests = if times.holds(row) { "" } else { " – rests, because the server does not allow it" };
        format!("• {} in {place}{rests}", duration::format(row.after_seconds))
    });
    let list = text::lines(lines, LIST_MAX);
    let card = CreateEmbed::new()
        .title("When your own messages vanish")
        .colour(BLUE)
        .field("Your times here", if list.is_empty() { "None.".to_owned() } else { list }, false)
        .field("This server allows", allowed, false);
    Reply::text(said).and_card(card)
}
