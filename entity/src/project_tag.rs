//! What projects are about, in words of their owners.

use sea_orm::entity::prelude::*;

use crate::id::ProjectId;

/// One tag of one project.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "project_tag")]
pub struct Model {
    /// The project.
    #[sea_orm(primary_key, auto_increment = false)]
    pub project_id: ProjectId,
    /// The tag.
    #[sea_orm(primary_key, auto_increment = false, column_type = "Text")]
    pub tag: String,
    /// Where it stands among the project's tags, from 0.
    pub place: i32,
    /// As the project, so that popular tags are counted without it.
    pub is_public: bool,
    /// The project.
    #[sea_orm(belongs_to, from = "project_id", to = "id")]
    pub project: BelongsTo<super::project::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
