//! Forms that people apply with.

use sea_orm::entity::prelude::*;

use crate::id::{FormId, GuildId};

/// Whether a form takes applications.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum FormState {
    /// It does.
    #[sea_orm(string_value = "open")]
    Open,
    /// It does not, for now.
    #[sea_orm(string_value = "closed")]
    Closed,
}

/// One form.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "form")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: FormId,
    /// The guild.
    #[sea_orm(unique_key = "form_guild_name")]
    pub guild_id: GuildId,
    /// As people call it.
    #[sea_orm(column_type = "Text")]
    pub name: String,
    /// The same in lower case: no guild has two forms whose names differ in nothing else.
    #[sea_orm(column_type = "Text", unique_key = "form_guild_name")]
    pub name_key: String,
    /// What stands above it.
    #[sea_orm(column_type = "Text")]
    pub title: String,
    /// What people read before they begin.
    #[sea_orm(column_type = "Text")]
    pub intro: String,
    /// Whether it takes applications.
    pub state: FormState,
    /// Who may apply.
    pub eligibility: Json,
    /// How applications are decided.
    pub policy: Json,
    /// First made.
    pub created_at: DateTimeUtc,
    /// Last changed.
    pub updated_at: DateTimeUtc,
    /// What it asks.
    #[sea_orm(has_many)]
    pub questions: HasMany<super::form_question::Entity>,
    /// Where it is offered.
    #[sea_orm(has_many)]
    pub panels: HasMany<super::form_panel::Entity>,
    /// What people have written so far.
    #[sea_orm(has_many)]
    pub drafts: HasMany<super::form_draft::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
