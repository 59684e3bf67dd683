//! What forms ask.

use sea_orm::entity::prelude::*;

use crate::id::{FormId, FormQuestionId};

/// How a question is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum QuestionKind {
    /// With one line.
    #[sea_orm(string_value = "short")]
    Short,
    /// With several lines.
    #[sea_orm(string_value = "paragraph")]
    Paragraph,
    /// With one of some choices.
    #[sea_orm(string_value = "choice")]
    Choice,
}

/// One question.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "form_question")]
pub struct Model {
    /// Its id, by which drafts know its answer.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: FormQuestionId,
    /// The form.
    pub form_id: FormId,
    /// Its place in the form, from 0.
    pub position: i32,
    /// The question.
    #[sea_orm(column_type = "Text")]
    pub label: String,
    /// How it is answered.
    pub kind: QuestionKind,
    /// What stands in the empty field.
    #[sea_orm(column_type = "Text")]
    pub placeholder: String,
    /// What can be chosen; empty for texts.
    pub choices: Json,
    /// Whether it has to be answered.
    pub is_required: bool,
    /// Fewest characters of an answer.
    pub min_length: i32,
    /// Most characters of an answer.
    pub max_length: i32,
    /// The form.
    #[sea_orm(belongs_to, from = "form_id", to = "id")]
    pub form: BelongsTo<super::form::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
