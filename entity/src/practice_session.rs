//! A person's practice: one timer from its start to its end.

use sea_orm::entity::prelude::*;

use crate::id::{ChannelId, GuildId, PracticeSessionId, UserId};

/// What began a session, and therefore what observes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum SessionSource {
    /// A program: it counts from start to stop.
    #[sea_orm(string_value = "http")]
    Http,
    /// A command in Discord: it counts while we run.
    #[sea_orm(string_value = "command")]
    Command,
    /// A tracked voice channel: it counts while we see the person there.
    #[sea_orm(string_value = "voice")]
    Voice,
    /// Written down afterwards.
    #[sea_orm(string_value = "manual")]
    Manual,
}

/// How a session stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum SessionState {
    /// It counts.
    #[sea_orm(string_value = "open")]
    Open,
    /// It waits to be resumed.
    #[sea_orm(string_value = "paused")]
    Paused,
    /// It has ended.
    #[sea_orm(string_value = "done")]
    Done,
}

/// Why a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text")]
pub enum EndReason {
    /// Somebody stopped it.
    #[sea_orm(string_value = "stopped")]
    Stopped,
    /// The person left the tracked voice channels.
    #[sea_orm(string_value = "left")]
    Left,
    /// It reached the most that one session counts.
    #[sea_orm(string_value = "session_cap")]
    SessionCap,
    /// The day reached the most that it counts.
    #[sea_orm(string_value = "day_cap")]
    DayCap,
    /// Nobody came back to it.
    #[sea_orm(string_value = "forgotten")]
    Forgotten,
    /// It was not seen again after we had been away.
    #[sea_orm(string_value = "lost")]
    Lost,
    /// Its last round was over.
    #[sea_orm(string_value = "rounds")]
    Rounds,
}

/// One session. Its counted time is `counted_milliseconds` and, while it is open, what lies between `running_since` and
/// `observed_until`; exactly that much, in whole seconds, is in the days and totals.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "practice_session")]
pub struct Model {
    /// Its id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: PracticeSessionId,
    /// Whose it is.
    pub user_id: UserId,
    /// The same until it has ended: a person has one open session at most.
    #[sea_orm(unique)]
    pub open_user_id: Option<UserId>,
    /// The guild that it is credited to.
    pub guild_id: Option<GuildId>,
    /// The voice channel, or the one of the command.
    pub channel_id: Option<ChannelId>,
    /// What began it.
    pub source: SessionSource,
    /// How it stands.
    pub state: SessionState,
    /// IANA name of the zone whose days it is credited to, fixed at its start.
    pub time_zone: String,
    /// Its start.
    pub started_at: DateTimeUtc,
    /// Its end.
    pub ended_at: Option<DateTimeUtc>,
    /// Why it ended.
    pub end_reason: Option<EndReason>,
    /// Since when the present segment counts; none while it is paused and once it has ended.
    pub running_since: Option<DateTimeUtc>,
    /// The counted segments before the present one.
    pub counted_milliseconds: i64,
    /// Up to when it was seen, and credited.
    pub observed_until: DateTimeUtc,
    /// When the keeper looks at it next; none once it has ended.
    pub look_at: Option<DateTimeUtc>,
    /// Since when we no longer see whether the person is in the voice channel.
    pub missed_at: Option<DateTimeUtc>,
    /// When the person was asked whether they still practise.
    pub asked_at: Option<DateTimeUtc>,
    /// When the person last did something with it.
    pub touched_at: DateTimeUtc,
    /// The most that it counts.
    pub session_cap_seconds: i64,
    /// The most that a day of its guild counts.
    pub day_cap_seconds: Option<i64>,
    /// The least that it must count to count at all.
    pub minimum_seconds: i64,
    /// The longest time unseen that still counts.
    pub bridge_seconds: i64,
    /// Time without a sign of the person after which they are asked; none never asks.
    pub idle_check_seconds: Option<i64>,
    /// Length of a round.
    pub focus_seconds: Option<i64>,
    /// Length of the pause between two rounds.
    pub break_seconds: Option<i64>,
    /// Rounds that are left, with the present one.
    pub rounds_left: Option<i32>,
    /// When the present round or break is over.
    pub phase_ends_at: Option<DateTimeUtc>,
    /// Not shown to others.
    pub is_private: bool,
    /// What it is about, in a word.
    #[sea_orm(column_type = "Text")]
    pub activity: Option<String>,
    /// What the person wrote about it.
    #[sea_orm(column_type = "Text")]
    pub note: Option<String>,
    /// What the person wants to reach in it.
    pub goal_seconds: Option<i64>,
    /// Made.
    pub created_at: DateTimeUtc,
    /// Last changed.
    pub updated_at: DateTimeUtc,
    /// The person.
    #[sea_orm(belongs_to, from = "user_id", to = "id")]
    pub user: BelongsTo<super::user::Entity>,
    /// Its parts.
    #[sea_orm(has_many)]
    pub segments: HasMany<super::practice_segment::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
