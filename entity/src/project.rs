//! What people show of their work.

use sea_orm::entity::prelude::*;

use crate::id::{ProjectId, UserId};

/// One project.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "project")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ProjectId,
    /// Whose it is.
    pub user_id: UserId,
    /// What it is called.
    #[sea_orm(column_type = "Text")]
    pub title: String,
    /// What it is.
    #[sea_orm(column_type = "Text")]
    pub description: String,
    /// Title and description in small letters, so that both engines find alike.
    #[sea_orm(column_type = "Text")]
    pub search_text: String,
    /// Where its source is.
    #[sea_orm(column_type = "Text")]
    pub github_url: Option<String>,
    /// Where it runs.
    #[sea_orm(column_type = "Text")]
    pub deployment_url: Option<String>,
    /// Whether everybody sees it.
    pub is_public: bool,
    /// Made.
    pub created_at: DateTimeUtc,
    /// Last changed.
    pub updated_at: DateTimeUtc,
    /// Whose it is.
    #[sea_orm(belongs_to, from = "user_id", to = "id")]
    pub user: BelongsTo<super::user::Entity>,
    /// What it is about.
    #[sea_orm(has_many)]
    pub tags: HasMany<super::project_tag::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
