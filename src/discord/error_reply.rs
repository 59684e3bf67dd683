//! What went wrong, in words: what happened, why, what to do, and a code that the log knows too.

use entity::id::ChannelId;
use poise::FrameworkError;

use super::{Asked, Data, Reply, invite, text};
use crate::{
    discord_api,
    domain::{self, Kind},
};

/// Why a command could not be done.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The domain said no, or failed.
    #[error(transparent)]
    Domain(#[from] domain::Error),
    /// Discord said no, or does not answer.
    #[error("a call to Discord failed")]
    Discord(#[from] discord_api::Error),
    /// An argument cannot be read.
    #[error("{problem}")]
    Input {
        /// What is wrong, with the value as it was read.
        problem: String,
        /// A valid example.
        example: &'static str,
    },
    /// The bot lacks permissions in a channel.
    #[error("the bot lacks permissions in a channel")]
    BotLacks {
        /// Where.
        channel: ChannelId,
        /// The permissions' names.
        missing: Vec<&'static str>,
    },
    /// The bot lacks permissions that hold for a whole server.
    #[error("the bot lacks permissions in a server")]
    BotLacksInServer {
        /// The permissions' names.
        missing: Vec<&'static str>,
    },
    /// The command needs a server.
    #[error("This works only in a server")]
    OnlyInServers,
    /// A modal's data did not come in time.
    #[error("That took too long to prepare. Please press the button again")]
    PressAgain,
    /// The work did not end while Discord lets us answer.
    #[error("That took longer than I may answer here; `/settings history` shows whether it came through")]
    TookTooLong,
}

/// The text of an error, with the code of its class. Unknown errors get a reference that is in the log too.
pub fn reply(error: &CommandError, interaction_id: u64) -> Reply {
    let (code, words) = match error {
        CommandError::Domain(domain::Error::Refused(refusal)) if refusal.code() == "slot.missing_permissions" => {
            ("E-PERM-BOT", refusal.to_string())
        }
        CommandError::Domain(domain::Error::Refused(refusal)) => (refusal_code(refusal.kind()), refusal.to_string()),
        CommandError::Domain(error) if error.is_unavailable() => {
            tracing::error!(error = error as &dyn std::error::Error, reference = interaction_id, "the store failed");
            ("E-BUSY", "My store is busy right now. Nothing was changed; please try again in a moment".to_owned())
        }
        CommandError::Domain(error) => {
            tracing::error!(error = error as &dyn std::error::Error, reference = interaction_id, "a command failed");
            ("E-BUG", format!("Sorry, that is a fault of mine. Nothing was changed. Reference `{interaction_id}`"))
        }
        CommandError::Discord(error) => of_discord(error, interaction_id),
        CommandError::Input { problem, example } => ("E-INPUT", format!("{problem}. For example: `{example}`")),
        CommandError::BotLacks { channel, missing } => (
            "E-PERM-BOT",
            format!(
                "I lack {} in {}. Open that channel's settings, then Permissions, and allow it for my role; \
                 until then I do nothing there",
                names(missing),
                text::channel(*channel)
            ),
        ),
        CommandError::BotLacksInServer { missing } => (
            "E-PERM-BOT",
            format!(
                "I lack {} in this server. Allow it for my role in the server's settings, then try again",
                names(missing)
            ),
        ),
        CommandError::OnlyInServers => ("E-INPUT", error.to_string()),
        CommandError::PressAgain | CommandError::TookTooLong => ("E-LATE", error.to_string()),
    };
    let reply = Reply::text(format!("{words}.\n-# {code}"));
    // The invite link grants all that is needed, in one click.
    if code == "E-PERM-BOT" { reply.row(invite::row()) } else { reply }
}

fn refusal_code(kind: Kind) -> &'static str {
    match kind {
        Kind::Malformed | Kind::Invalid => "E-INPUT",
        Kind::Unauthenticated | Kind::Forbidden => "E-PERM-USER",
        Kind::NotFound | Kind::Gone => "E-GONE",
        Kind::Conflict => "E-STATE",
        Kind::LimitReached => "E-LIMIT",
        Kind::Unavailable => "E-BUSY",
    }
}

fn of_discord(error: &discord_api::Error, interaction_id: u64) -> (&'static str, String) {
    if error.is_permission_loss() {
        return ("E-PERM-BOT", "I am not allowed to do that here. `/settings doctor` shows what is missing".to_owned());
    }
    if error.is_gone() {
        return ("E-GONE", "What this is about no longer exists in Discord".to_owned());
    }
    if matches!(error, discord_api::Error::CannotSendToUser) {
        return ("E-DM", "I cannot send you direct messages: they are closed for this server".to_owned());
    }
    if error.is_transient() {
        let when = error
            .retry_after()
            .map_or_else(|| "in a moment".to_owned(), |after| format!("in about {} s", after.as_secs().max(1)));
        return ("E-BUSY", format!("Discord is busy. Please try again {when}"));
    }
    tracing::error!(error = error as &dyn std::error::Error, reference = interaction_id, "Discord refused a call");
    ("E-BUG", format!("Discord refused that for a reason I do not know. Reference `{interaction_id}`"))
}

/// Names as a sentence has them: `A`, `A and B`, `A, B and C`.
pub fn names(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => format!("**{one}**"),
        [most @ .., last] => {
            let most: Vec<_> = most.iter().map(|name| format!("**{name}**")).collect();
            format!("{} and **{last}**", most.join(", "))
        }
    }
}

/// What the framework could not do by itself.
pub async fn on_error(error: FrameworkError<'_, Data, CommandError>) {
    let outcome = match error {
        // Delivered twice: the first delivery is being answered.
        FrameworkError::CommandCheckFailed { error: None, .. } => return,
        FrameworkError::Command { error, ctx, .. } => {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                command = %ctx.command().qualified_name,
                "an interaction could not be answered"
            );
            return;
        }
        FrameworkError::ArgumentParse { error, input, ctx, .. } => {
            let input = text::escape(&input.unwrap_or_default(), 50);
            let problem = format!("I could not read `{input}`: {}", text::bounded(&error.to_string(), 200));
            refuse(ctx, CommandError::Input { problem, example: "/help" }).await
        }
        FrameworkError::CommandStructureMismatch { ctx, .. } => {
            let problem = "This command has changed. Please reload Discord and try again".to_owned();
            refuse(ctx.into(), CommandError::Input { problem, example: "/help" }).await
        }
        FrameworkError::GuildOnly { ctx, .. } => refuse(ctx, CommandError::OnlyInServers).await,
        FrameworkError::CommandPanic { payload, ctx, .. } => {
            tracing::error!(panic = payload.as_deref().unwrap_or("?"), "a command panicked");
            let fault = domain::Error::from(<serde_json::Error as serde::de::Error>::custom("a command panicked"));
            refuse(ctx, CommandError::Domain(fault)).await
        }
        FrameworkError::EventHandler { error, event, .. } => {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                event = event.snake_case_name(),
                "an event could not be handled"
            );
            return;
        }
        other => {
            tracing::warn!(error = %other, "the command framework could not dispatch an interaction");
            return;
        }
    };
    if let Err(error) = outcome {
        tracing::warn!(error = &error as &dyn std::error::Error, "an error could not be shown");
    }
}

async fn refuse(ctx: poise::Context<'_, Data, CommandError>, error: CommandError) -> Result<(), CommandError> {
    let poise::Context::Application(ctx) = ctx else { return Ok(()) };
    Asked::command(ctx.data(), ctx.interaction).answer(async { Err(error) }).await
}
