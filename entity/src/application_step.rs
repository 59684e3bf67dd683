//! What follows the decision of an application, and has to be carried out.

use sea_orm::entity::prelude::*;

use crate::id::{ApplicationId, ApplicationStepId};

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum StepKind {
    /// The applicant receives a role.
    #[sea_orm(string_value = "role_add")]
    RoleAdd,
    /// The applicant loses a role.
    #[sea_orm(string_value = "role_remove")]
    RoleRemove,
    /// The applicant, who is not in the guild, receives an invite of their own.
    #[sea_orm(string_value = "invite")]
    Invite,
    /// Discord's join request is answered.
    #[sea_orm(string_value = "native_request")]
    NativeRequest,
    /// The applicant is told.
    #[sea_orm(string_value = "direct_message")]
    DirectMessage,
    /// The thread below the review post is locked.
    #[sea_orm(string_value = "thread_lock")]
    ThreadLock,
    /// The thread is open again, because the application is.
    #[sea_orm(string_value = "thread_unlock")]
    ThreadUnlock,
}

/// How a step stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum StepState {
    /// It is to be done, or tried again.
    #[sea_orm(string_value = "waiting")]
    Waiting,
    /// It was done.
    #[sea_orm(string_value = "done")]
    Done,
    /// It is tried again only when somebody asks for it.
    #[sea_orm(string_value = "failed")]
    Failed,
    /// It is not to be done any more, or there was nothing to do.
    #[sea_orm(string_value = "skipped")]
    Skipped,
}

/// One step.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "application_step")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ApplicationStepId,
    /// The application.
    #[sea_orm(unique_key = "application_step_once")]
    pub application_id: ApplicationId,
    /// Which of its decisions it follows, from 1.
    #[sea_orm(unique_key = "application_step_once")]
    pub decision: i32,
    /// What is to be done.
    #[sea_orm(unique_key = "application_step_once")]
    pub kind: StepKind,
    /// With what: the id of a role; empty where nothing is to be said.
    #[sea_orm(column_type = "Text", unique_key = "application_step_once")]
    pub argument: String,
    /// How it stands.
    pub state: StepState,
    /// Tries so far.
    pub attempts: i32,
    /// When to try next; none when it is settled.
    pub due_at: Option<DateTimeUtc>,
    /// A worker holds it until then.
    pub leased_until: Option<DateTimeUtc>,
    /// What came of the last try.
    #[sea_orm(column_type = "Text")]
    pub last_code: Option<String>,
    /// Made.
    pub created_at: DateTimeUtc,
    /// When it was settled.
    pub settled_at: Option<DateTimeUtc>,
    /// The application.
    #[sea_orm(belongs_to, from = "application_id", to = "id")]
    pub application: BelongsTo<super::application::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
