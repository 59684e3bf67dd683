//! What people have written so far.

use sea_orm::entity::prelude::*;

use crate::id::{ApplicationId, DiscordUserId, FormDraftId, FormId};

/// One draft. Sending it takes the row away, so that it makes one application.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "form_draft")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: FormDraftId,
    /// The form.
    #[sea_orm(unique_key = "form_draft_applicant")]
    pub form_id: FormId,
    /// Who writes it.
    #[sea_orm(unique_key = "form_draft_applicant")]
    pub discord_user_id: DiscordUserId,
    /// The application whose answers it would change; none for a new one.
    pub application_id: Option<ApplicationId>,
    /// The answers so far, by the id of their question.
    pub answers: Json,
    /// After this it is forgotten.
    pub expires_at: DateTimeUtc,
    /// Begun.
    pub created_at: DateTimeUtc,
    /// Last saved.
    pub updated_at: DateTimeUtc,
    /// The form.
    #[sea_orm(belongs_to, from = "form_id", to = "id")]
    pub form: BelongsTo<super::form::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
