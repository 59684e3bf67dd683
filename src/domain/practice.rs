//! Practice timers: sessions, what they count, and who practised how much.
//!
//! Invariants: a person has one open session at most, over all guilds; what a session has counted is in the days and
//! totals in the same transaction, so that every statistic reads sums and none reads sessions; time that nobody
//! observed counts only where the guild's rule or a reviewer says so.

pub mod calendar;
mod change;
mod correction;
mod departure;
mod entry;
mod export;
mod goal;
mod leaderboard;
mod ledger;
mod notice;
mod observe;
pub(in crate::domain) mod people;
mod person;
pub(in crate::domain) mod post;
mod read;
mod refusal;
mod report;
pub(in crate::domain) mod rule;
mod season;
mod session;
mod simulate;
pub mod split;
mod stats;
mod timer;
mod voice;

#[cfg(test)]
mod tests;

pub use calendar::{Dates, Period, Streak};
pub use correction::{Waiting, accept, claim_gap, queue, reject, waiting};
pub use departure::{note_departed, note_present};
pub use entry::{Filed, NewEntry, adjust, fix, log};
pub use export::{AdjustmentCursor, AdjustmentRow, CsvRow, ExportCursor, adjustments_page, export_days, export_page};
pub use goal::{GoalProgress, clear_goal, goals, set_goal};
pub use leaderboard::{AMONG_MAX, Board, LeaderboardQuery, Metric, Standing, board_dates, leaderboard};
pub use notice::{NoticeFacts, NoticeKind, is_true as notice_is_true, read as read_notice};
pub(in crate::domain) use notice::{not_posted, not_sent};
pub use observe::{Sight, lose_sight, lose_sight_of, observe};
pub use person::{Person, time_zone};
pub use post::{BOARD_KIND, BOARD_SLOT, PostConfig, announced, board_of_post, due_posts, posts, remove_post, set_post};
pub use read::{HistoryPage, SessionView, history, now_practising, running, session};
pub use refusal::PracticeRefusal;
pub use report::{Bar, Grain, Report, ReportQuery, own_activities, report};
pub use rule::{Rule, RuleChange, rule, set_rule};
pub use season::{current_season, end_season, seasons, start_season};
pub use session::{NewSession, Rounds, Started, start};
pub use simulate::{Effect, simulate};
pub use stats::{Summary, by_day, month, streaks, summary, today, total_seconds, week};
pub use timer::{Target, pause, resume, set_note, skip, stop, touch};
pub use voice::{
    Decision, Presence, Room, decide, voice_joined, voice_left, voice_resumed, voice_room_changed,
    voice_states_of_guild, watch_terms,
};

use chrono::TimeDelta;
use entity::id::{GuildId, PracticeSessionId};

/// Time between two looks at an open session: the most that a crash can cost.
pub const HEARTBEAT: TimeDelta = TimeDelta::seconds(60);
/// A look may be this late without anybody having been away.
const GRACE: TimeDelta = TimeDelta::seconds(90);
/// The most that a session over HTTP counts.
const HTTP_CAP_SECONDS: i64 = 24 * 3_600;
/// A paused session that nobody resumes ends after this time.
const PAUSE_MAX: TimeDelta = TimeDelta::hours(24);
/// How long a person has to answer whether they still practise.
pub const ANSWER_TIME: TimeDelta = TimeDelta::minutes(15);
/// How long a voice session waits to be seen again after we had been away.
const MISSED_MAX: TimeDelta = TimeDelta::hours(1);
/// Most characters of a note.
pub const NOTE_MAX: usize = 1_000;
/// Most characters of an activity.
pub const ACTIVITY_MAX: usize = 50;

/// What events call a session.
fn subject(id: PracticeSessionId) -> String {
    format!("practice_session/{id}")
}

/// The guild in the key of a sum; 0 is everywhere.
fn bits(guild_id: Option<GuildId>) -> i64 {
    guild_id.map_or(0, |guild| guild.get().cast_signed())
}
