//! A change of counted time: asked for by a member, or made by a moderator.

use sea_orm::entity::prelude::*;

use crate::id::{GuildId, PracticeCorrectionId, PracticeSegmentId, PracticeSessionId, UserId};

/// What is to change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum CorrectionKind {
    /// A gap of a session is to count.
    #[sea_orm(string_value = "gap")]
    Gap,
    /// A session that nobody timed.
    #[sea_orm(string_value = "log")]
    Log,
    /// Another begin or end of a session.
    #[sea_orm(string_value = "fix")]
    Fix,
    /// A moderator adds or takes time.
    #[sea_orm(string_value = "adjust")]
    Adjust,
}

/// How it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum CorrectionState {
    /// Somebody has to look at it.
    #[sea_orm(string_value = "waiting")]
    Waiting,
    /// It is done.
    #[sea_orm(string_value = "accepted")]
    Accepted,
    /// It was refused.
    #[sea_orm(string_value = "rejected")]
    Rejected,
}

/// One change.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "practice_correction")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: PracticeCorrectionId,
    /// Whose time.
    pub user_id: UserId,
    /// Where.
    pub guild_id: Option<GuildId>,
    /// Which session; none for an adjustment, and for a log that nobody has accepted yet.
    pub session_id: Option<PracticeSessionId>,
    /// Which gap.
    pub segment_id: Option<PracticeSegmentId>,
    /// What is to change.
    pub kind: CorrectionKind,
    /// How it stands.
    pub state: CorrectionState,
    /// The begin that is asked for.
    pub started_at: Option<DateTimeUtc>,
    /// The end that is asked for.
    pub ended_at: Option<DateTimeUtc>,
    /// By how much the total changes: asked for, and what it came to once it is accepted.
    pub delta_seconds: i64,
    /// What it was about.
    #[sea_orm(column_type = "Text")]
    pub activity: Option<String>,
    /// What the member says.
    #[sea_orm(column_type = "Text")]
    pub note: Option<String>,
    /// What the moderator says.
    #[sea_orm(column_type = "Text")]
    pub reason: Option<String>,
    /// Who decided, as the event log names them.
    #[sea_orm(column_type = "Text")]
    pub decided_by: Option<String>,
    /// When.
    pub decided_at: Option<DateTimeUtc>,
    /// Asked for.
    pub created_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
