//! Forms as rows: the one place that writes them.

use std::collections::BTreeSet;

use entity::{
    form::{self, FormState, Model},
    form_question,
    id::{FormId, FormQuestionId, GuildId},
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter,
    QueryOrder, QuerySelect,
};
use serde_json::{Map, Value};

use super::{FormConfig, FormRefusal, FormView, QUESTIONS_MAX, Question, config};
use crate::{
    domain::{Error, application, event::Author, guild},
    id_source::IdSource,
    store::WriteTransaction,
};

/// Most forms of a guild.
pub(super) const FORMS_MAX: u64 = 25;

/// What events call a form.
pub(in crate::domain) fn subject(guild_id: GuildId, id: FormId) -> String {
    format!("form/{guild_id}/{id}")
}

/// A form as history shows it: one line for each thing that people decide.
pub(in crate::domain) fn legible(form: &Value) -> Value {
    let Some(fields) = form.as_object() else { return Value::Null };
    let mut lines = Map::new();
    for (name, value) in fields {
        match value {
            Value::Object(parts) => flatten(name, parts, &mut lines),
            Value::Array(questions) => {
                let all = questions.iter().enumerate().filter_map(|(index, question)| line(index + 1, question));
                lines.extend(all);
            }
            _ => drop(lines.insert(name.clone(), value.clone())),
        }
    }
    Value::Object(lines)
}

fn flatten(name: &str, parts: &Map<String, Value>, lines: &mut Map<String, Value>) {
    for (part, value) in parts {
        let name = if name == "eligibility" { part.clone() } else { format!("{name} {part}") };
        match value {
            Value::Object(parts) if !parts.is_empty() => flatten(&name, parts, lines),
            _ => drop(lines.insert(name, value.clone())),
        }
    }
}

/// A question by its text, with what else there is to say about it.
fn line(place: usize, question: &Value) -> Option<(String, Value)> {
    let label = question["label"].as_str()?;
    let text = |name: &str| question[name].as_str().unwrap_or_default();
    let optional = if question["is_required"] == true { "" } else { ", optional" };
    let lengths = format!("{} to {}", question["min_length"], question["max_length"]);
    let choices: Vec<_> = question["choices"].as_array()?.iter().filter_map(Value::as_str).collect();
    let offered = if choices.is_empty() { lengths } else { choices.join(" / ") };
    let line = format!("{place}. {}{optional}, {offered} {}", text("kind"), text("placeholder"));
    Some((format!("question “{label}”"), Value::String(line.trim_end().to_owned())))
}

/// A form with its questions.
pub(super) async fn view(connection: &impl ConnectionTrait, row: Model) -> Result<FormView, Error> {
    let questions = form_question::Entity::find()
        .filter(form_question::COLUMN.form_id.eq(row.id))
        .order_by_asc(form_question::Column::Position)
        .limit(QUESTIONS_MAX as u64)
        .all(connection)
        .await?;
    view_of(row, questions)
}

pub(super) fn view_of(row: Model, questions: Vec<form_question::Model>) -> Result<FormView, Error> {
    let config = FormConfig {
        name: row.name,
        title: row.title,
        intro: row.intro,
        state: row.state,
        eligibility: serde_json::from_value(row.eligibility)?,
        policy: serde_json::from_value(row.policy)?,
        questions: questions.into_iter().map(question).collect::<Result<_, _>>()?,
    };
    let (created_at, updated_at) = (row.created_at, row.updated_at);
    Ok(FormView { id: row.id, guild_id: row.guild_id, config, created_at, updated_at })
}

fn question(row: form_question::Model) -> Result<Question, serde_json::Error> {
    Ok(Question {
        id: row.id,
        label: row.label,
        kind: row.kind,
        placeholder: row.placeholder,
        choices: serde_json::from_value(row.choices)?,
        is_required: row.is_required,
        min_length: row.min_length,
        max_length: row.max_length,
    })
}

/// A guild's form as it is now.
pub(in crate::domain) async fn present(
    connection: &impl ConnectionTrait,
    guild_id: GuildId,
    id: FormId,
) -> Result<Option<FormConfig>, Error> {
    let row = form::Entity::find_by_id(id).filter(form::COLUMN.guild_id.eq(guild_id)).one(connection).await?;
    match row {
        Some(row) => Ok(Some(view(connection, row).await?.config)),
        None => Ok(None),
    }
}

/// Brings a form to a state, with its event; says what it is then.
pub(in crate::domain) async fn store_in(
    txn: &WriteTransaction,
    (author, ids): (&Author, &IdSource),
    (guild_id, id): (GuildId, FormId),
    wanted: Option<FormConfig>,
) -> Result<Option<FormConfig>, Error> {
    // Changes of one guild's forms wait for each other, so that names and counts hold.
    guild::lock(txn, guild_id, author.at()).await?;
    let before = present(txn.connection(), guild_id, id).await?;
    let wanted = match wanted {
        Some(wanted) => Some(named(txn, ids, id, wanted.checked()?).await?),
        None => None,
    };
    if before == wanted {
        return Ok(before);
    }
    match &wanted {
        Some(config) => write(txn, author, (guild_id, id), (before.is_some(), config)).await?,
        None => {
            // What hangs on it goes with it.
            form::Entity::delete_by_id(id).exec(txn.connection()).await?;
        }
    }
    let kind = kind(before.as_ref(), wanted.as_ref());
    let json = |config: &Option<FormConfig>| config.as_ref().map_or(Ok(Value::Null), serde_json::to_value);
    let states = (json(&before)?, json(&wanted)?);
    txn.append_event(author.event(kind, guild_id, subject(guild_id, id), states)).await?;
    Ok(wanted)
}

fn kind(before: Option<&FormConfig>, after: Option<&FormConfig>) -> &'static str {
    let (Some(before), Some(after)) = (before, after) else {
        return if after.is_some() { "form.created" } else { "form.removed" };
    };
    let only_state = FormConfig { state: after.state, ..before.clone() } == *after;
    match after.state {
        _ if !only_state => "form.changed",
        FormState::Open => "form.opened",
        FormState::Closed => "form.closed",
    }
}

/// Gives an id to each question that has none of its own, such as one that came from a file of another server.
async fn named(
    txn: &WriteTransaction,
    ids: &IdSource,
    form: FormId,
    mut config: FormConfig,
) -> Result<FormConfig, DbErr> {
    let given = config.questions.iter().map(|question| question.id);
    let elsewhere: Vec<FormQuestionId> = form_question::Entity::find()
        .select_only()
        .column(form_question::Column::Id)
        .filter(form_question::Column::Id.is_in(given))
        .filter(form_question::COLUMN.form_id.ne(form))
        .into_tuple()
        .all(txn.connection())
        .await?;
    let mut taken: BTreeSet<FormQuestionId> = elsewhere.into_iter().chain([config::unnamed()]).collect();
    for question in &mut config.questions {
        if !taken.insert(question.id) {
            question.id = FormQuestionId(ids.uuid());
            taken.insert(question.id);
        }
    }
    Ok(config)
}

async fn write(
    txn: &WriteTransaction,
    author: &Author,
    (guild_id, id): (GuildId, FormId),
    (exists, config): (bool, &FormConfig),
) -> Result<(), Error> {
    let name_key = config.key();
    if application::is_built_in(&name_key) {
        return Err(FormRefusal::NameReserved.into());
    }
    let others = || form::Entity::find().filter(form::COLUMN.guild_id.eq(guild_id)).filter(form::COLUMN.id.ne(id));
    if others().filter(form::COLUMN.name_key.eq(name_key.as_str())).one(txn.connection()).await?.is_some() {
        return Err(FormRefusal::NameTaken.into());
    }
    let now = author.at();
    let changed = form::ActiveModel {
        name: Set(config.name.clone()),
        name_key: Set(name_key),
        title: Set(config.title.clone()),
        intro: Set(config.intro.clone()),
        state: Set(config.state),
        eligibility: Set(serde_json::to_value(&config.eligibility)?),
        policy: Set(serde_json::to_value(&config.policy)?),
        updated_at: Set(now),
        ..Default::default()
    };
    if exists {
        form::Entity::update_many().set(changed).filter(form::COLUMN.id.eq(id)).exec(txn.connection()).await?;
        let old = form_question::COLUMN.form_id.eq(id);
        form_question::Entity::delete_many().filter(old).exec(txn.connection()).await?;
    } else {
        if others().count(txn.connection()).await? >= FORMS_MAX {
            return Err(FormRefusal::TooManyForms.into());
        }
        let made = form::ActiveModel { id: Set(id), guild_id: Set(guild_id), created_at: Set(now), ..changed };
        form::Entity::insert(made).exec_without_returning(txn.connection()).await?;
    }
    for (position, question) in config.questions.iter().enumerate() {
        let row = form_question::Model {
            id: question.id,
            form_id: id,
            position: i32::try_from(position).unwrap_or(i32::MAX),
            label: question.label.clone(),
            kind: question.kind,
            placeholder: question.placeholder.clone(),
            choices: serde_json::to_value(&question.choices)?,
            is_required: question.is_required,
            min_length: question.min_length,
            max_length: question.max_length,
        };
        form_question::Entity::insert(row.into_active_model()).exec_without_returning(txn.connection()).await?;
    }
    Ok(())
}
