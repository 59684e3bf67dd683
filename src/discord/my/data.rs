//! `/my data`: everything that is held about a person as a file, and forgetting all of it or a part.

mod words;

use chrono::TimeDelta;
use entity::id::{DiscordUserId, UserId};
use serenity::all::{
    ButtonStyle, CreateActionRow, CreateButton, CreateEmbed, CreateInputText, CreateModal, InputTextStyle,
};

use crate::{
    discord::{
        Asked, CommandError, Context, Data, Reply,
        component::{Press, custom_id},
        text,
    },
    discord_api::Attachment as File,
    domain::{
        self, Actor,
        user::{self, holdings::Part},
    },
};

/// Largest file that is sent; Discord takes 10 MiB with all around it.
const FILE_BYTES_MAX: usize = 8 * 1024 * 1024;
/// How long a preview of an erasure can be confirmed, in minutes.
const CONFIRM_MINUTES: i64 = 15;
/// Most characters of what is typed to confirm; names of accounts have at most 32.
const WORD_MAX: u16 = 40;
/// What buttons carry for all of it.
const EVERYTHING: &str = "everything";
const RED: u32 = 0x00E7_4C3C;
const GREEN: u32 = 0x002E_CC71;

/// What is forgotten, as people choose it.
#[derive(Clone, Copy, Debug, poise::ChoiceParameter)]
enum Scope {
    /// The person.
    #[name = "everything"]
    Everything,
    /// What they say of themself.
    #[name = "profile"]
    Profile,
    /// Accounts elsewhere.
    #[name = "other accounts"]
    Accounts,
    /// API keys.
    #[name = "API keys"]
    Keys,
    /// Sessions.
    #[name = "signed-in devices"]
    Sessions,
    /// Projects.
    #[name = "projects"]
    Projects,
    /// What the bot wrote.
    #[name = "messages from me"]
    Messages,
    /// Exemptions and own times.
    #[name = "vanishing messages"]
    Vanish,
    /// Sessions, sums and goals.
    #[name = "practice"]
    Practice,
    /// Applications and votes.
    #[name = "applications"]
    Applications,
}

impl Scope {
    fn part(self) -> Option<Part> {
        match self {
            Self::Everything => None,
            Self::Profile => Some(Part::Profile),
            Self::Accounts => Some(Part::Accounts),
            Self::Keys => Some(Part::Keys),
            Self::Sessions => Some(Part::Sessions),
            Self::Projects => Some(Part::Projects),
            Self::Messages => Some(Part::Messages),
            Self::Vanish => Some(Part::Vanish),
            Self::Practice => Some(Part::Practice),
            Self::Applications => Some(Part::Applications),
        }
    }
}

/// What is held about you: a copy, or an end
#[poise::command(slash_command, subcommand_required, subcommands("export", "erase"))]
#[expect(clippy::unused_async, reason = "poise wants a future of every command")]
pub async fn data(_ctx: Context<'_>) -> Result<(), CommandError> {
    Ok(())
}

/// Everything that I hold about you, as a file
#[poise::command(slash_command)]
async fn export(ctx: Context<'_>) -> Result<(), CommandError> {
    let asked = Asked::command(ctx.data(), ctx.interaction);
    asked.answer(export_file(ctx.data(), &asked)).await
}

/// Forget me, or a part: shows what goes and what stays, and asks for a word
#[poise::command(slash_command)]
async fn erase(
    ctx: Context<'_>,
    #[description = "What I forget; else everything"] scope: Option<Scope>,
) -> Result<(), CommandError> {
    let asked = Asked::command(ctx.data(), ctx.interaction);
    asked.answer(preview(ctx.data(), &asked, scope.and_then(Scope::part))).await
}

/// Whoever asks, as a person; none where nothing is held about them.
async fn person(data: &Data, asked: &Asked) -> Result<(Actor, Option<UserId>), CommandError> {
    let actor = asked.actor().await?;
    let own = user::own(data.app.domain(), &actor).await?;
    Ok((actor, own))
}

fn nothing() -> Reply {
    Reply::text("I hold nothing about you.")
}

async fn export_file(data: &Data, asked: &Asked) -> Result<Reply, CommandError> {
    let (actor, Some(id)) = person(data, asked).await? else { return Ok(nothing()) };
    let document = user::export(data.app.domain(), &actor, id).await?;
    let mut bytes = serde_json::to_vec_pretty(&document).map_err(domain::Error::from)?;
    if bytes.len() > FILE_BYTES_MAX {
        bytes = document.to_string().into_bytes();
    }
    if bytes.len() > FILE_BYTES_MAX {
        return Err(CommandError::Input {
            problem: "It is more than Discord takes as a file. Sign in over the API and read `/api/users/me/data`"
                .to_owned(),
            example: "/my data export",
        });
    }
    let erase = data.commands.mention("my data erase");
    let said = format!("Everything that I hold about you. {erase} makes me forget it.");
    let description = Some("What is held about you, as JSON".to_owned());
    Ok(Reply::text(said).file(File { filename: "my-data.json".to_owned(), bytes, description }))
}

/// What goes and what stays, with the button that asks for the word.
async fn preview(data: &Data, asked: &Asked, part: Option<Part>) -> Result<Reply, CommandError> {
    let (actor, Some(id)) = person(data, asked).await? else { return Ok(nothing()) };
    let document = user::export(data.app.domain(), &actor, id).await?;
    let held = words::held(&document["tables"], part);
    let export = data.commands.mention("my data export");
    let confirm = format!("**{}** asks you to type `{}`, the name of your account.", words::VERB, word(asked));
    let card = CreateEmbed::new()
        .title(words::title(part))
        .colour(RED)
        .description(format!(
            "{} It cannot be undone. {export} gives you a copy first.\n\n{confirm}",
            words::goes(part)
        ))
        .field("What I hold", if held.is_empty() { "Nothing.".to_owned() } else { text::lines(held, 1_000) }, false)
        .field("What stays", words::stays(part), false);
    let until = data.app.domain().now() + TimeDelta::minutes(CONFIRM_MINUTES);
    let state = [asked.user()?.to_string(), until.timestamp().to_string()];
    let scope = part.map_or(EVERYTHING, Part::name);
    let erase = CreateButton::new(custom_id("my", "erase", &[&state[0], &state[1], scope])).label(words::VERB);
    let keep = CreateButton::new(custom_id("my", "keep", &[])).label("Cancel");
    let row = vec![erase.style(ButtonStyle::Danger), keep.style(ButtonStyle::Secondary)];
    Ok(Reply::card(card).row(CreateActionRow::Buttons(row)))
}

/// What has to be typed: the name of the account, in which a backtick would end the formatting around it.
fn word(asked: &Asked) -> String {
    asked.user_name.chars().filter(|one| *one != '`').collect()
}

/// What a press is about. Refuses one that comes late, or from somebody else.
fn about(data: &Data, asked: &Asked, press: &Press<'_>) -> Result<Option<Part>, CommandError> {
    let (owner, until): (DiscordUserId, i64) = (press.argument(0)?, press.argument(1)?);
    if owner != asked.user()? || data.app.domain().now().timestamp() > until {
        return Err(CommandError::Input {
            problem: "This confirmation has ended".to_owned(),
            example: "/my data erase",
        });
    }
    let scope: String = press.argument(2)?;
    if scope == EVERYTHING {
        return Ok(None);
    }
    Part::of_name(&scope).map(Some).ok_or_else(crate::discord::component::outdated)
}

/// [Forget…]: the form that asks for the word.
pub(super) fn form(data: &Data, asked: &Asked, press: &Press<'_>) -> Result<CreateModal, CommandError> {
    let part = about(data, asked, press)?;
    let label = text::bounded(&format!("Type {}", word(asked)), 45);
    let input = CreateInputText::new(InputTextStyle::Short, label, "word")
        .placeholder("The name of your account; it cannot be undone")
        .max_length(WORD_MAX);
    Ok(CreateModal::new(custom_id("my", "erased", &press.arguments), words::title(part))
        .components(vec![CreateActionRow::InputText(input)]))
}

/// The form was sent.
pub(super) async fn erased(data: &Data, asked: &Asked, press: &Press<'_>) -> Result<Reply, CommandError> {
    let part = about(data, asked, press)?;
    let (typed, expected) = (press.input("word").trim(), word(asked));
    if !typed.eq_ignore_ascii_case(&expected) {
        return Err(CommandError::Input {
            problem: format!("Nothing was erased: the word is `{expected}`, the name of your account"),
            example: "/my data erase",
        });
    }
    let (actor, Some(id)) = person(data, asked).await? else { return Ok(nothing()) };
    let domain = data.app.domain();
    match part {
        None => user::erase(domain, &actor, id).await?,
        Some(part) => user::erase_part(domain, &actor, id, part).await?,
    }
    let card = CreateEmbed::new().title(words::done(part)).colour(GREEN).description(match part {
        None => "Your next command makes you somebody new to me.",
        Some(_) => "The rest is as it was.",
    });
    Ok(Reply::card(card))
}

/// [Cancel].
pub(super) fn kept() -> Reply {
    Reply::text("Nothing was changed.")
}
