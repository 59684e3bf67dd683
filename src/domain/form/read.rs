//! Looking at forms.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use entity::{
    form, form_question,
    id::{FormId, GuildId},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::{Applicant, FormConfig, FormRefusal, QUESTIONS_MAX, config, draft, row};
use crate::domain::{Actor, Domain, Error, Right};

/// A form of a guild.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormView {
    /// Its id.
    pub id: FormId,
    /// The guild.
    pub guild_id: GuildId,
    /// What it is.
    pub config: FormConfig,
    /// First made.
    pub created_at: DateTime<Utc>,
    /// Last changed.
    pub updated_at: DateTime<Utc>,
}

/// The forms of a guild, by name.
pub async fn forms(domain: &Domain, actor: &Actor, guild_id: GuildId) -> Result<Vec<FormView>, Error> {
    actor.require(Right::ReadSettings, Some(guild_id))?;
    let reader = domain.store.reader();
    let rows = form::Entity::find()
        .filter(form::COLUMN.guild_id.eq(guild_id))
        .order_by_asc(form::COLUMN.name_key)
        .limit(row::FORMS_MAX)
        .all(reader)
        .await?;
    let mut questions: HashMap<FormId, Vec<form_question::Model>> = HashMap::new();
    let of_these = form_question::Entity::find()
        .filter(form_question::Column::FormId.is_in(rows.iter().map(|row| row.id)))
        .order_by_asc(form_question::Column::Position)
        .limit(row::FORMS_MAX * QUESTIONS_MAX as u64)
        .all(reader)
        .await?;
    for question in of_these {
        questions.entry(question.form_id).or_default().push(question);
    }
    rows.into_iter()
        .map(|row| {
            let own = questions.remove(&row.id).unwrap_or_default();
            row::view_of(row, own)
        })
        .collect()
}

/// One form of a guild.
pub async fn form(domain: &Domain, actor: &Actor, guild_id: GuildId, id: FormId) -> Result<FormView, Error> {
    actor.require(Right::ReadSettings, Some(guild_id))?;
    let reader = domain.store.reader();
    let found = form::Entity::find_by_id(id).filter(form::COLUMN.guild_id.eq(guild_id)).one(reader).await?;
    row::view(reader, found.ok_or(FormRefusal::NoForm)?).await
}

/// The form that a guild calls so, whatever the case.
pub async fn form_named(domain: &Domain, actor: &Actor, guild_id: GuildId, name: &str) -> Result<FormView, Error> {
    actor.require(Right::ReadSettings, Some(guild_id))?;
    let reader = domain.store.reader();
    let found = form::Entity::find()
        .filter(form::COLUMN.guild_id.eq(guild_id))
        .filter(form::COLUMN.name_key.eq(config::key(name)))
        .one(reader)
        .await?;
    row::view(reader, found.ok_or(FormRefusal::NoForm)?).await
}

/// A form as whoever writes a draft of it may see it: members of its guild, and those who have begun.
pub async fn form_of_draft(domain: &Domain, applicant: &Applicant, id: FormId) -> Result<FormView, Error> {
    let reader = domain.store.reader();
    let row = form::Entity::find_by_id(id).one(reader).await?.ok_or(FormRefusal::NoForm)?;
    if applicant.member_of(row.guild_id).is_none() {
        draft::find(reader, id, applicant.user_id()?).await?.ok_or(FormRefusal::NoForm)?;
    }
    row::view(reader, row).await
}
