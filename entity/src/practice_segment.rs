//! A part of a practice session that has ended.

use sea_orm::entity::prelude::*;

use crate::id::{PracticeSegmentId, PracticeSessionId};

/// What became of the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum SegmentKind {
    /// It counts.
    #[sea_orm(string_value = "counted")]
    Counted,
    /// The person had paused.
    #[sea_orm(string_value = "paused")]
    Paused,
    /// We were away and saw nothing.
    #[sea_orm(string_value = "gap")]
    Gap,
    /// It would count, but the whole session was shorter than the guild's least.
    #[sea_orm(string_value = "short")]
    Short,
}

/// One part.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "practice_segment")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: PracticeSegmentId,
    /// The session.
    pub session_id: PracticeSessionId,
    /// What became of the time.
    pub kind: SegmentKind,
    /// Its begin.
    pub started_at: DateTimeUtc,
    /// Its end.
    pub ended_at: DateTimeUtc,
    /// What the session had counted before it; it says to which side of midnight parts of seconds go.
    pub carried_milliseconds: i64,
    /// The person has asked for it to count.
    pub is_claimed: bool,
    /// The session.
    #[sea_orm(belongs_to, from = "session_id", to = "id")]
    pub session: BelongsTo<super::practice_session::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
