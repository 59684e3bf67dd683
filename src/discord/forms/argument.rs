//! Options of `/forms`, as people type and choose them.

use std::collections::BTreeSet;

use entity::id::{FormId, FormQuestionId, GuildId, RoleId};
use serenity::all::{CreateAutocompleteResponse, ResolvedValue};

use crate::{
    discord::{Asked, CommandError, Context, Data, component::Press, text},
    domain::{
        Actor, Error,
        form::{self, FormRefusal, FormView},
    },
};

/// Most choices that Discord shows.
const CHOICES_MAX: usize = 25;
/// Characters of a wrong value that are shown again.
const ECHO_MAX: usize = 40;
/// The word that empties a list.
const NONE: &str = "none";

/// Who asks, where, and the form that they name.
pub async fn named(data: &Data, asked: &Asked, name: &str) -> Result<(Actor, FormView), CommandError> {
    let (actor, guild) = who(asked).await?;
    let form = form::form_named(data.app.domain(), &actor, guild, name).await?;
    Ok((actor, form))
}

/// Who asks, and where; refused unless they may change forms.
pub async fn who(asked: &Asked) -> Result<(Actor, GuildId), CommandError> {
    let (actor, guild) = (asked.actor().await?, asked.member()?.guild_id);
    actor.require(crate::domain::Right::ManageSettings, Some(guild))?;
    Ok((actor, guild))
}

/// The same for the form that a button names.
pub async fn pressed(data: &Data, asked: &Asked, press: &Press<'_>) -> Result<(Actor, FormView), CommandError> {
    let (actor, guild) = who(asked).await?;
    let id: FormId = press.argument(0)?;
    let form = form::form(data.app.domain(), &actor, guild, id).await?;
    Ok((actor, form))
}

/// Forms for what somebody has typed so far.
pub async fn complete_form(ctx: Context<'_>, typed: &str) -> CreateAutocompleteResponse {
    let asked = Asked::command(ctx.data(), ctx.interaction);
    let none = CreateAutocompleteResponse::new();
    let Ok((actor, guild)) = who(&asked).await else { return none };
    let forms = form::forms(ctx.data().app.domain(), &actor, guild).await.unwrap_or_default();
    names(&forms, typed)
}

/// The names of forms that hold what was typed.
pub fn names(forms: &[FormView], typed: &str) -> CreateAutocompleteResponse {
    let typed = typed.trim().to_lowercase();
    let fits = forms.iter().map(|form| form.config.name.clone()).filter(|name| name.to_lowercase().contains(&typed));
    fits.take(CHOICES_MAX)
        .fold(CreateAutocompleteResponse::new(), |all, name| all.add_string_choice(name.clone(), name))
}

/// Questions of the form that is named already.
pub async fn complete_question(ctx: Context<'_>, typed: &str) -> CreateAutocompleteResponse {
    let asked = Asked::command(ctx.data(), ctx.interaction);
    let none = CreateAutocompleteResponse::new();
    let named_form = ctx.interaction.data.options();
    let Some(name) = named_form.iter().find_map(|option| deep(option)) else { return none };
    let Ok((_, form)) = named(ctx.data(), &asked, name).await else { return none };
    let typed = typed.trim().to_lowercase();
    let all = form.config.questions.iter().enumerate();
    let labels = all.map(|(index, question)| (format!("{}. {}", index + 1, question.label), question.id.to_string()));
    labels
        .filter(|(label, _)| label.to_lowercase().contains(&typed))
        .take(CHOICES_MAX)
        .fold(none, |all, (label, id)| all.add_string_choice(label, id))
}

/// The text of the option `form`, below whatever commands.
fn deep<'a>(option: &serenity::all::ResolvedOption<'a>) -> Option<&'a str> {
    match &option.value {
        ResolvedValue::SubCommand(below) | ResolvedValue::SubCommandGroup(below) => below.iter().find_map(deep),
        ResolvedValue::String(text) if option.name == "form" => Some(text),
        _ => None,
    }
}

/// The question that was chosen, or that somebody names by its place.
pub fn question(form: &FormView, typed: &str) -> Result<FormQuestionId, CommandError> {
    let typed = typed.trim();
    let questions = &form.config.questions;
    if let Some(id) = typed.parse().ok().filter(|id| form.config.question(*id).is_some()) {
        return Ok(id);
    }
    let place = typed.trim_end_matches('.').parse::<usize>().ok().and_then(|place| place.checked_sub(1));
    let by_place = place.and_then(|index| questions.get(index));
    let by_label = || questions.iter().find(|question| question.label.eq_ignore_ascii_case(typed));
    match by_place.or_else(by_label) {
        Some(question) => Ok(question.id),
        None => Err(Error::from(FormRefusal::NoQuestion).into()),
    }
}

/// Choices of a question, with bars between them.
pub fn choices(typed: &str) -> Vec<String> {
    typed.split('|').map(str::trim).filter(|choice| !choice.is_empty()).map(str::to_owned).collect()
}

/// Whether the word empties what it is given for.
pub fn is_none(typed: &str) -> bool {
    typed.trim().eq_ignore_ascii_case(NONE)
}

/// Roles that are mentioned one after the other; `none` is an empty list.
pub fn roles(typed: &str) -> Result<BTreeSet<RoleId>, CommandError> {
    ids(typed, "<@&", "@Members @Friends, or none")
}

/// The ids of mentions of one sort, one after the other.
pub fn ids<T: std::str::FromStr + Ord>(
    typed: &str,
    prefix: &str,
    example: &'static str,
) -> Result<BTreeSet<T>, CommandError> {
    if is_none(typed) {
        return Ok(BTreeSet::new());
    }
    // Discord puts no space between mentions that were chosen one after the other.
    let spaced = typed.replace('<', " <").replace(',', " ");
    let read = |word: &str| {
        let inner = word.strip_prefix(prefix).and_then(|rest| rest.strip_suffix('>')).unwrap_or(word);
        inner.trim_start_matches('!').parse::<T>().map_err(|_| CommandError::Input {
            problem: format!("I cannot read “{}” there", text::escape(word, ECHO_MAX)),
            example,
        })
    };
    spaced.split_whitespace().map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read_as_discord_writes_them() {
        let role = |id: u64| RoleId::new(id).unwrap();
        assert_eq!(roles("<@&1><@&2>, 3").unwrap(), BTreeSet::from([role(1), role(2), role(3)]));
        assert_eq!(roles(" None ").unwrap(), BTreeSet::new());
        for wrong in ["@Members", "<@1>", "<@&0>", "<@&x>"] {
            assert!(roles(wrong).is_err(), "{wrong}");
        }
        assert_eq!(choices("a | b||  c d "), ["a", "b", "c d"]);
    }
}
