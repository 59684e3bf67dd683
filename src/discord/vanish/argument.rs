//! Options of `/vanish`, as people type them.

use std::future::{Ready, ready};

use entity::id::{ChannelId, DiscordUserId, GuildId, RoleId};
use poise::{ChoiceParameter, SlashArgError};
use serenity::all::{
    self as serenity, AutocompleteChoice, ChannelType, CommandInteraction, CommandOptionType,
    CreateAutocompleteResponse, CreateCommandOption, PartialChannel, ResolvedValue,
};

use crate::{
    discord::{Asked, CommandError, Context, text},
    domain::{
        Actor, duration,
        vanish::{Backlog, ExemptionTarget, schedule},
    },
};

/// Durations that are offered, in the order of their length.
const COMMON: [&str; 17] =
    ["10m", "30m", "1h", "2h", "3h", "6h", "12h", "1d", "2d", "3d", "7d", "14d", "30d", "60d", "90d", "180d", "365d"];
/// Characters of a wrong value that are shown again.
const ECHO_MAX: usize = 40;

/// When messages become due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ChoiceParameter)]
pub enum ScheduleChoice {
    /// Each message at its own age.
    #[name = "rolling"]
    Rolling,
    /// Everything, once per period.
    #[name = "every"]
    Every,
    /// Once a day.
    #[name = "daily"]
    Daily,
}

/// What happens to messages from before the rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ChoiceParameter)]
pub enum BacklogChoice {
    /// They stay.
    #[name = "new only"]
    NewOnly,
    /// Those that bulk deletion reaches vanish.
    #[name = "last 14 days"]
    LastFourteenDays,
    /// All vanish.
    #[name = "everything"]
    Everything,
}

impl From<BacklogChoice> for Backlog {
    fn from(choice: BacklogChoice) -> Self {
        match choice {
            BacklogChoice::NewOnly => Self::NewOnly,
            BacklogChoice::LastFourteenDays => Self::LastFourteenDays,
            BacklogChoice::Everything => Self::Everything,
        }
    }
}

/// What happens to pinned messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ChoiceParameter)]
pub enum PinsChoice {
    /// They stay.
    #[name = "keep"]
    Keep,
    /// They vanish.
    #[name = "delete"]
    Delete,
}

/// Whether the rule reaches into threads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ChoiceParameter)]
pub enum ThreadsChoice {
    /// It does.
    #[name = "include"]
    Include,
    /// It does not.
    #[name = "skip"]
    Skip,
}

/// Which default is unset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ChoiceParameter)]
pub enum ClearChoice {
    /// The lifetime.
    #[name = "after"]
    After,
    /// The count.
    #[name = "keep_last"]
    KeepLast,
    /// Pinned messages.
    #[name = "pins"]
    Pins,
    /// Threads.
    #[name = "threads"]
    Threads,
    /// What members may choose.
    #[name = "own"]
    Own,
    /// Everything.
    #[name = "all"]
    All,
}

/// What an exemption without a target looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ChoiceParameter)]
pub enum KindChoice {
    /// Every bot.
    #[name = "bots"]
    Bots,
    /// Every webhook.
    #[name = "webhooks"]
    Webhooks,
    /// Discord's own messages.
    #[name = "system"]
    System,
}

/// A member or a role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mentioned {
    /// An account.
    User(DiscordUserId),
    /// A role.
    Role(RoleId),
}

#[::serenity::async_trait]
impl poise::SlashArgument for Mentioned {
    async fn extract(
        _: &serenity::Context,
        _: &CommandInteraction,
        value: &ResolvedValue<'_>,
    ) -> Result<Self, SlashArgError> {
        let found = match value {
            ResolvedValue::User(user, _) => DiscordUserId::new(user.id.get()).map(Self::User),
            ResolvedValue::Role(role) => RoleId::new(role.id.get()).map(Self::Role),
            _ => None,
        };
        found.ok_or_else(|| SlashArgError::new_command_structure_mismatch("expected a member or a role"))
    }

    fn create(builder: CreateCommandOption) -> CreateCommandOption {
        builder.kind(CommandOptionType::Mentionable)
    }
}

/// What an exemption is about: exactly one of target and kind.
pub fn exemption_target(
    guild: GuildId,
    target: Option<Mentioned>,
    kind: Option<KindChoice>,
) -> Result<ExemptionTarget, CommandError> {
    match (target, kind) {
        (Some(Mentioned::User(user)), None) => Ok(ExemptionTarget::User(user)),
        // Everyone is not a role that members have.
        (Some(Mentioned::Role(role)), None) if role.get() == guild.get() => Err(CommandError::Input {
            problem: "With everyone exempt nothing would vanish. Pause the rule or turn it off instead".to_owned(),
            example: "/vanish pause",
        }),
        (Some(Mentioned::Role(role)), None) => Ok(ExemptionTarget::Role(role)),
        (None, Some(KindChoice::Bots)) => Ok(ExemptionTarget::Bots),
        (None, Some(KindChoice::Webhooks)) => Ok(ExemptionTarget::Webhooks),
        (None, Some(KindChoice::System)) => Ok(ExemptionTarget::System),
        _ => Err(CommandError::Input {
            problem: "Name either a target (a member or a role) or a kind, not both and not neither".to_owned(),
            example: "/vanish exempt add target:@Moderators",
        }),
    }
}

/// Reads a duration within the bounds of a lifetime; an empty text is none.
pub fn after(text: &str) -> Result<Option<i64>, CommandError> {
    let Some(seconds) = any_duration(text)? else { return Ok(None) };
    if schedule::AFTER_SECONDS.contains(&seconds) {
        return Ok(Some(seconds));
    }
    let problem = format!(
        "I read “{}” as {}, but a lifetime is between 10 seconds and 365 days",
        text::escape(text.trim(), ECHO_MAX),
        duration::format(seconds)
    );
    Err(CommandError::Input { problem, example: "1d 6h" })
}

/// Reads a duration; an empty text is none.
pub fn any_duration(text: &str) -> Result<Option<i64>, CommandError> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let unreadable = || CommandError::Input {
        problem: format!("“{}” is not a duration that I can read", text::escape(text, ECHO_MAX)),
        example: "90m, 1h30 or 1d 6h",
    };
    duration::parse(text).ok_or_else(unreadable).map(Some)
}

/// Reads a time of day as its minute; an empty text is none.
pub fn at(text: &str) -> Result<Option<i32>, CommandError> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let number = |text: &str, most: i32| {
        let digits = (1..=2).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<i32>().ok().filter(|number| digits && *number <= most)
    };
    text.split_once(':')
        .filter(|(_, minutes)| minutes.len() == 2)
        .and_then(|(hours, minutes)| Some(number(hours, 23)? * 60 + number(minutes, 59)?))
        .map(Some)
        .ok_or_else(|| CommandError::Input {
            problem: format!("“{}” is not a time of day", text::escape(text, ECHO_MAX)),
            example: "04:30",
        })
}

/// Reads a count of messages, where 0 is no limit; an empty text is none.
pub fn keep_last(text: &str) -> Result<Option<i32>, CommandError> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let count =
        text.parse().ok().filter(|count| *count == schedule::KEEP_LAST_OFF || schedule::KEEP_LAST.contains(count));
    count.map(Some).ok_or_else(|| CommandError::Input {
        problem: format!("“{}” is neither a number from 1 to 1000 nor 0 for no limit", text::escape(text, ECHO_MAX)),
        example: "100",
    })
}

/// The channel that a command is about: the one it names, else where it was typed, in a thread the channel above it.
pub async fn channel(
    ctx: Context<'_>,
    asked: &Asked,
    named: Option<&PartialChannel>,
) -> Result<(Actor, GuildId, ChannelId), CommandError> {
    if let Some(named) = named {
        return match named.kind {
            kind if is_thread(kind) => Err(CommandError::Input {
                problem: format!(
                    "<#{}> is a thread. A rule belongs to a channel; it reaches the channel's threads with \
                     threads:include",
                    named.id
                ),
                example: "/vanish set after:1d channel:#general threads:include",
            }),
            ChannelType::Category | ChannelType::Directory => Err(CommandError::Input {
                problem: "A category has no messages. Name one of its channels".to_owned(),
                example: "/vanish set after:1d channel:#general",
            }),
            _ => asked.about_channel(Some(named)).await,
        };
    }
    let here = ctx.interaction.channel.as_ref().filter(|channel| is_thread(channel.kind));
    let Some(thread) = here else { return asked.about_channel(None).await };
    let parent = thread.parent_id.and_then(|parent| ChannelId::new(parent.get())).ok_or(CommandError::OnlyInServers)?;
    let mut member = asked.recognised().await?;
    // A thread has no overwrites of its own: the rights in it are those in its channel.
    member.channel = member.channel.map(|(_, rights)| (parent, rights));
    let guild = member.guild_id;
    Ok((Actor::Member(member), guild, parent))
}

fn is_thread(kind: ChannelType) -> bool {
    matches!(kind, ChannelType::NewsThread | ChannelType::PublicThread | ChannelType::PrivateThread)
}

/// Offers durations: what was typed first, in its normal form, then common ones that begin like it.
pub fn complete_duration(_: Context<'_>, partial: &str) -> Ready<CreateAutocompleteResponse> {
    let choices = suggestions(partial).into_iter().map(|text| AutocompleteChoice::new(text.clone(), text)).collect();
    ready(CreateAutocompleteResponse::new().set_choices(choices))
}

/// Durations that what was typed may mean.
pub fn suggestions(partial: &str) -> Vec<String> {
    let typed = partial.trim().to_lowercase();
    let read = duration::parse(&typed).filter(|seconds| schedule::AFTER_SECONDS.contains(seconds));
    let number = (1..=3).contains(&typed.len()) && typed.bytes().all(|byte| byte.is_ascii_digit()) && typed != "0";
    let with_units = ["m", "h", "d"].map(|unit| format!("{typed}{unit}"));
    let with_units = with_units
        .into_iter()
        .filter(|text| number && duration::parse(text).is_some_and(|all| schedule::AFTER_SECONDS.contains(&all)));
    let common = COMMON.iter().filter(|text| text.starts_with(&typed)).map(|text| (*text).to_owned());
    let mut all: Vec<String> = read.map(duration::format).into_iter().chain(with_units).chain(common).collect();
    let mut seen = std::collections::HashSet::new();
    // `7d` and `1w` are the same choice.
    all.retain(|text| seen.insert(duration::parse(text)));
    all.truncate(25);
    all
}

#[cfg(test)]
mod tests {
    use super::{at, suggestions};

    #[test]
    fn times_of_day_are_read_strictly() {
        for (text, minute) in [("04:30", 270), ("4:30", 270), ("0:00", 0), ("23:59", 1_439)] {
            assert_eq!(at(text).unwrap(), Some(minute), "{text}");
        }
        for text in ["24:00", "4:3", "4", "4:60", "-1:00", "04:30:00", "+4:30", "４:30"] {
            assert!(at(text).is_err(), "{text}");
        }
        assert_eq!(at(" ").unwrap(), None);
    }

    #[test]
    fn what_was_typed_comes_first_in_its_normal_form() {
        assert_eq!(suggestions("90m").first().map(String::as_str), Some("1h 30m"));
        assert_eq!(suggestions("5"), ["5m", "5h", "5d"]);
        assert_eq!(suggestions("")[0], "10m");
        assert_eq!(suggestions("7D"), ["1w"]);
        assert!(suggestions("nonsense").is_empty());
        assert!(suggestions("99999999999999999999d").is_empty());
    }
}
