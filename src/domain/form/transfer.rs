//! A form as a file, and what reading one would change.

use entity::id::{FormId, GuildId};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{FormConfig, FormRefusal, FormView, Question, config, read, row};
use crate::domain::{Actor, Domain, Error, Right, history::PlannedChange};

/// What a file says it is.
const FORMAT: &str = "guildhall-form";
/// The only version so far.
const VERSION: u32 = 1;
/// Longest complaint that is repeated.
const PROBLEM_CHARS_MAX: usize = 200;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    format: String,
    version: u32,
    form: FormConfig,
}

/// A form as a file holds it.
pub fn export(form: &FormView) -> Result<Value, Error> {
    let document = Document { format: FORMAT.to_owned(), version: VERSION, form: form.config.clone() };
    Ok(serde_json::to_value(document)?)
}

/// What reading a file would change: a form of its name becomes as the file says, another name makes another form.
pub async fn plan_import(
    domain: &Domain,
    actor: &Actor,
    guild_id: GuildId,
    bytes: &[u8],
) -> Result<Option<PlannedChange>, Error> {
    actor.require(Right::ManageSettings, Some(guild_id))?;
    let mut wanted = parse(bytes)?.checked()?;
    let (id, present) = match read::form_named(domain, actor, guild_id, &wanted.name).await {
        Ok(view) => (view.id, Some(view.config)),
        Err(error) if error.code() == Some("form.no_form") => (FormId(domain.ids.uuid()), None),
        Err(error) => return Err(error),
    };
    if let Some(present) = &present {
        keep_ids(present, &mut wanted);
    }
    if present.as_ref() == Some(&wanted) {
        return Ok(None);
    }
    let from = present.map_or(Ok(Value::Null), serde_json::to_value)?;
    Ok(Some(PlannedChange { subject: row::subject(guild_id, id), from, to: serde_json::to_value(&wanted)? }))
}

/// A question that a file knows by its text alone is the one with that text, so that drafts keep their answers.
fn keep_ids(present: &FormConfig, wanted: &mut FormConfig) {
    let named: Vec<_> = wanted.questions.iter().map(|question| question.id).collect();
    let unnamed = wanted.questions.iter_mut().filter(|question| present.question(question.id).is_none());
    for question in unnamed {
        let same =
            |one: &&Question| config::key(&one.label) == config::key(&question.label) && !named.contains(&one.id);
        if let Some(same) = present.questions.iter().find(same) {
            question.id = same.id;
        }
    }
}

fn parse(bytes: &[u8]) -> Result<FormConfig, FormRefusal> {
    let bad = |problem: String| FormRefusal::BadFile(problem.chars().take(PROBLEM_CHARS_MAX).collect());
    let text = std::str::from_utf8(bytes).map_err(|_| bad("it is not UTF-8".to_owned()))?;
    let read = &mut serde_json::Deserializer::from_str(text.trim_start_matches('\u{feff}'));
    let document: Document =
        serde_path_to_error::deserialize(read).map_err(|error| bad(format!("{}: {}", error.path(), error.inner())))?;
    if document.format != FORMAT || document.version != VERSION {
        return Err(bad(format!("it must say {FORMAT}, version {VERSION}")));
    }
    Ok(document.form)
}
