//! What reviewers write about applications.

use sea_orm::entity::prelude::*;

use crate::id::{ApplicationId, ApplicationNoteId};

/// One note, which the applicant does not see.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "application_note")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ApplicationNoteId,
    /// The application.
    pub application_id: ApplicationId,
    /// Who wrote it, as the event log names them.
    #[sea_orm(column_type = "Text")]
    pub author: String,
    /// What it says.
    #[sea_orm(column_type = "Text")]
    pub text: String,
    /// Written.
    pub created_at: DateTimeUtc,
    /// The application.
    #[sea_orm(belongs_to, from = "application_id", to = "id")]
    pub application: BelongsTo<super::application::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
