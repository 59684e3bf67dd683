//! Options of `/apikey`, as people type them.

use std::future::{Ready, ready};

use chrono::TimeDelta;
use entity::id::ApiKeyId;
use poise::ChoiceParameter;
use serenity::all::{AutocompleteChoice, CreateAutocompleteResponse};

use super::{card, manager};
use crate::{
    discord::{Asked, CommandError, Context, text},
    domain::{
        api_key::{self, DEFAULT_LIMIT, KeyFilter, RateLimit},
        duration,
        vanish::PageRequest,
    },
};

/// Lives of a key that are offered.
const LIVES: [&str; 7] = ["1d", "7d", "30d", "60d", "90d", "180d", "365d"];
/// Shortest and longest life of a key from chat, in seconds.
const LIFE_SECONDS: std::ops::RangeInclusive<i64> = 86_400..=31_536_000;
/// Times that are offered for an old key to work on.
const OVERLAPS: [&str; 7] = ["1h", "6h", "12h", "1d", "2d", "3d", "7d"];
/// Longest such time: a week.
const OVERLAP_SECONDS: std::ops::RangeInclusive<i64> = 0..=604_800;
/// Limits that are offered.
const RATES: [&str; 5] = ["60/1m", "100/1m", "600/1m", "1000/1h", "10000/1d"];
/// Characters of a wrong value that are shown again.
const ECHO_MAX: usize = 40;
/// Choices that Discord shows.
const CHOICES_MAX: usize = 25;
/// Keys that are searched for what somebody types.
const SEARCHED_MAX: u64 = 1_000;

/// What a key may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ChoiceParameter)]
pub enum PresetChoice {
    /// It reads.
    #[name = "read-only"]
    ReadOnly,
    /// It reads and writes, as a bot does.
    #[name = "bot"]
    Bot,
    /// It does everything.
    #[name = "admin"]
    Admin,
    /// What is chosen next.
    #[name = "custom"]
    Custom,
}

/// How a key is handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ChoiceParameter)]
pub enum DeliveryChoice {
    /// By a link that works once.
    #[name = "claim link"]
    Link,
    /// In a direct message that goes again.
    #[name = "dm"]
    DirectMessage,
    /// In the answer.
    #[name = "ephemeral"]
    Here,
}

/// Where a key works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ChoiceParameter)]
pub enum ReachChoice {
    /// In this server.
    #[name = "this server"]
    Server,
    /// In all of them.
    #[name = "every server"]
    Everywhere,
}

fn wrong(problem: String, example: &'static str) -> CommandError {
    CommandError::Input { problem, example }
}

/// Reads the life of a key.
pub fn life(typed: Option<&str>, default: TimeDelta) -> Result<TimeDelta, CommandError> {
    let Some(typed) = typed else { return Ok(default) };
    let seconds = duration::parse(typed).filter(|seconds| LIFE_SECONDS.contains(seconds)).ok_or_else(|| {
        let problem = format!("`{}` is no life of a key: it must be from 1d to 365d", text::escape(typed, ECHO_MAX));
        wrong(problem, "/apikey create name:website preset:read-only expires:30d")
    })?;
    Ok(TimeDelta::seconds(seconds))
}

/// Reads the time that an old key works on.
pub fn overlap(typed: Option<&str>, default: TimeDelta) -> Result<TimeDelta, CommandError> {
    let Some(typed) = typed else { return Ok(default) };
    let seconds = duration::parse(typed).filter(|seconds| OVERLAP_SECONDS.contains(seconds)).ok_or_else(|| {
        let problem = format!("`{}` is no overlap: it must be from 0s to 7d", text::escape(typed, ECHO_MAX));
        wrong(problem, "/apikey rotate key:website overlap:12h")
    })?;
    Ok(TimeDelta::seconds(seconds))
}

/// Reads a limit such as `100/1m`.
pub fn rate(typed: Option<&str>) -> Result<Vec<RateLimit>, CommandError> {
    let Some(typed) = typed else { return Ok(Vec::new()) };
    let read = || {
        let (limit, window) = typed.split_once('/')?;
        let window = window.trim();
        // `100/m` is `100/1m`.
        let window =
            if window.starts_with(|one: char| one.is_ascii_digit()) { window.to_owned() } else { format!("1{window}") };
        let seconds = duration::parse(&window)?;
        Some((limit.trim().parse().ok()?, u64::try_from(seconds).ok()?))
    };
    let (limit, seconds): (u32, u64) = read().ok_or_else(|| {
        let problem = format!("`{}` is no limit: write requests, a slash and a time", text::escape(typed, ECHO_MAX));
        wrong(problem, "/apikey create name:website preset:read-only rate:100/1m")
    })?;
    // The domain knows the bounds.
    Ok(vec![RateLimit { name: DEFAULT_LIMIT.to_owned(), limit, window_ms: seconds.saturating_mul(1_000) }])
}

/// Reads a list of addresses and networks.
pub fn networks(typed: Option<&str>) -> Vec<String> {
    let split = |text: &str| text.split([',', ' ', ';']).filter(|one| !one.is_empty()).map(str::to_owned).collect();
    typed.map(split).unwrap_or_default()
}

/// Reads the key that somebody has chosen, or typed as it is shown.
pub async fn key(ctx: Context<'_>, asked: &Asked, typed: &str) -> Result<ApiKeyId, CommandError> {
    if let Ok(id) = typed.trim().parse() {
        return Ok(id);
    }
    let (actor, guild_id) = manager(ctx.data(), asked).await?;
    let filter = KeyFilter { guild_id, ..KeyFilter::default() };
    let page = PageRequest { limit: SEARCHED_MAX, offset: 0 };
    let keys = api_key::keys(ctx.data().app.domain(), &actor, filter, Some(page)).await?;
    let mut named = keys.rows.iter().filter(|view| view.row.name == typed || api_key::shown(&view.row) == typed);
    match (named.next(), named.next()) {
        (Some(one), None) => Ok(one.row.id),
        (Some(_), Some(_)) => {
            let problem =
                format!("Several keys are called `{}`: choose one of the list", text::escape(typed, ECHO_MAX));
            Err(wrong(problem, "/apikey revoke key:(choose one)"))
        }
        // What was typed could be a key itself: it is not repeated.
        _ => Err(wrong("There is no such key here. Choose one of the list".to_owned(), "/apikey list")),
    }
}

/// Keys for what somebody has typed so far.
pub async fn complete_key(ctx: Context<'_>, typed: &str) -> CreateAutocompleteResponse {
    let asked = Asked::command(ctx.data(), ctx.interaction);
    let choices = choices(ctx, &asked, typed).await.unwrap_or_default();
    CreateAutocompleteResponse::new().set_choices(choices)
}

async fn choices(ctx: Context<'_>, asked: &Asked, typed: &str) -> Result<Vec<AutocompleteChoice>, CommandError> {
    let (actor, guild_id) = manager(ctx.data(), asked).await?;
    let domain = ctx.data().app.domain();
    let filter = KeyFilter { guild_id, ..KeyFilter::default() };
    let page = PageRequest { limit: SEARCHED_MAX, offset: 0 };
    let keys = api_key::keys(domain, &actor, filter, Some(page)).await?;
    let typed = typed.trim().to_lowercase();
    let fits = |view: &&api_key::KeyView| {
        typed.is_empty()
            || view.row.name.to_lowercase().contains(&typed)
            || api_key::shown(&view.row).to_lowercase().contains(&typed)
    };
    let now = domain.now();
    let choice = |view: &api_key::KeyView| {
        let state = api_key::KeyStatus::of(&view.row, now);
        let label = format!("{} {} · {} · {state}", card::sign(state), view.row.name, api_key::shown(&view.row));
        AutocompleteChoice::new(text::bounded(&label, 100), view.row.id.to_string())
    };
    // Those that still open something come first.
    let (good, others): (Vec<_>, Vec<_>) =
        keys.rows.iter().filter(fits).partition(|view| api_key::KeyStatus::of(&view.row, now).is_good());
    Ok(good.into_iter().chain(others).take(CHOICES_MAX).map(choice).collect())
}

/// Lives for what somebody has typed so far.
pub fn complete_life(_: Context<'_>, typed: &str) -> Ready<CreateAutocompleteResponse> {
    ready(offered(&LIVES, &LIFE_SECONDS, typed))
}

/// Overlaps for what somebody has typed so far.
pub fn complete_overlap(_: Context<'_>, typed: &str) -> Ready<CreateAutocompleteResponse> {
    ready(offered(&OVERLAPS, &OVERLAP_SECONDS, typed))
}

/// Limits for what somebody has typed so far.
pub fn complete_rate(_: Context<'_>, typed: &str) -> Ready<CreateAutocompleteResponse> {
    let typed = typed.trim();
    let own = rate(Some(typed)).is_ok().then(|| typed.to_owned());
    let common = RATES.iter().filter(|one| one.starts_with(typed) && **one != typed).map(|one| (*one).to_owned());
    ready(strings(own.into_iter().chain(common)))
}

fn offered(common: &[&str], bounds: &std::ops::RangeInclusive<i64>, typed: &str) -> CreateAutocompleteResponse {
    let typed = typed.trim().to_lowercase();
    let is_number = (1..=3).contains(&typed.len()) && typed.bytes().all(|byte| byte.is_ascii_digit());
    let with_units = ["h", "d"].into_iter().filter(|_| is_number).map(|unit| format!("{typed}{unit}"));
    let read = std::iter::once(typed.clone()).chain(with_units).filter_map(|text| duration::parse(&text));
    let own = read.filter(|seconds| bounds.contains(seconds)).map(duration::format);
    let common = common.iter().filter(|one| one.starts_with(&typed)).map(|one| (*one).to_owned());
    let mut seen = std::collections::HashSet::new();
    // `7d` and `1w` are the same choice.
    let all: Vec<_> = own.chain(common).filter(|text| seen.insert(duration::parse(text))).collect();
    strings(all.into_iter())
}

fn strings(texts: impl Iterator<Item = String>) -> CreateAutocompleteResponse {
    let choices = texts.take(CHOICES_MAX).map(|text| AutocompleteChoice::new(text.clone(), text)).collect();
    CreateAutocompleteResponse::new().set_choices(choices)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_read_as_people_write_them() {
        for (typed, limit, window_ms) in [("100/1m", 100, 60_000), ("5 / 10s", 5, 10_000), ("1000/h", 1_000, 3_600_000)]
        {
            let read = rate(Some(typed)).unwrap();
            assert_eq!(
                (read[0].limit, read[0].window_ms, read[0].name.as_str()),
                (limit, window_ms, "default"),
                "{typed}"
            );
        }
        for typed in ["100", "100/", "/1m", "x/1m", "-1/1m", "100/1x"] {
            assert!(rate(Some(typed)).is_err(), "{typed}");
        }
        assert!(rate(None).unwrap().is_empty());
    }

    #[test]
    fn lives_and_overlaps_have_bounds() {
        let default = TimeDelta::days(90);
        assert_eq!(life(None, default).unwrap(), default);
        assert_eq!(life(Some("30d"), default).unwrap(), TimeDelta::days(30));
        assert!(life(Some("23h"), default).is_err() && life(Some("366d"), default).is_err());
        assert_eq!(overlap(Some("0s"), default).unwrap(), TimeDelta::zero());
        assert!(overlap(Some("8d"), default).is_err());
    }

    #[test]
    fn addresses_are_separated_by_what_people_use() {
        assert_eq!(networks(Some("10.0.0.0/8, 192.0.2.7;::1")), ["10.0.0.0/8", "192.0.2.7", "::1"]);
        assert!(networks(None).is_empty());
    }
}
