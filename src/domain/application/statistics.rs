//! What became of a guild's applications, how long it took, and who votes.

use chrono::{DateTime, Utc};
use entity::{
    application::{self, ApplicationStatus},
    application_vote::{self, VoteChoice},
    id::{FormId, GuildId},
};
use sea_orm::{ColumnTrait, EntityTrait, JoinType, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Select};

use crate::domain::{Actor, Domain, Error, Right};

/// Most applications that are looked at, the newest.
const LOOKED_AT_MAX: u64 = 10_000;
/// Most votes that are counted by voter.
const VOTES_COUNTED_MAX: u64 = 50_000;
/// Most voters that are shown.
const VOTERS_MAX: usize = 25;

/// Which applications to count.
#[derive(Clone, Copy, Debug)]
pub struct StatisticsQuery {
    /// Those of this guild.
    pub guild_id: Option<GuildId>,
    /// Those of this form.
    pub form_id: Option<FormId>,
    /// Those that came since then.
    pub since: Option<DateTime<Utc>>,
}

/// How often somebody has voted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VoterCount {
    /// Who, as their votes are kept.
    pub voter: String,
    /// Votes in all.
    pub votes: u64,
    /// Votes that said yes, of those on applications that are decided.
    pub approvals: u64,
}

/// What became of applications.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// How many there are of each state.
    pub by_status: Vec<(ApplicationStatus, u64)>,
    /// Half of those that were decided took at most so many seconds.
    pub median_seconds: Option<i64>,
    /// Who votes most.
    pub voters: Vec<VoterCount>,
}

/// What became of applications, for those who decide about them.
pub async fn statistics(domain: &Domain, actor: &Actor, query: StatisticsQuery) -> Result<Statistics, Error> {
    let guild_id = query.guild_id.or_else(|| actor.bound_guild());
    actor.require(Right::ReadApplications, guild_id)?;
    let query = StatisticsQuery { guild_id, ..query };
    let reader = domain.store.reader();
    let mut by_status: Vec<(ApplicationStatus, i64)> = chosen(application::Entity::find(), query)
        .select_only()
        .column(application::Column::Status)
        .column_as(application::Column::Id.count(), "count")
        .group_by(application::Column::Status)
        .into_tuple()
        .all(reader)
        .await?;
    by_status.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let times: Vec<(DateTime<Utc>, Option<DateTime<Utc>>)> = chosen(application::Entity::find(), query)
        .select_only()
        .column(application::Column::SubmittedAt)
        .column(application::Column::DecidedAt)
        .filter(application::Column::Status.is_in([ApplicationStatus::Approved, ApplicationStatus::Rejected]))
        .order_by_desc(application::COLUMN.submitted_at)
        .limit(LOOKED_AT_MAX)
        .into_tuple()
        .all(reader)
        .await?;
    let seconds = times.into_iter().filter_map(|(from, to)| Some((to? - from).num_seconds()));
    Ok(Statistics {
        by_status: by_status.into_iter().map(|(status, count)| (status, count.unsigned_abs())).collect(),
        median_seconds: median(seconds.collect()),
        voters: voters(domain, query).await?,
    })
}

fn chosen(rows: Select<application::Entity>, query: StatisticsQuery) -> Select<application::Entity> {
    rows.apply_if(query.guild_id, |rows, id| rows.filter(application::COLUMN.guild_id.eq(id)))
        .apply_if(query.form_id, |rows, id| rows.filter(application::COLUMN.form_id.eq(id)))
        .apply_if(query.since, |rows, since| rows.filter(application::COLUMN.submitted_at.gte(since)))
}

fn median(mut seconds: Vec<i64>) -> Option<i64> {
    seconds.sort_unstable();
    seconds.get(seconds.len().checked_sub(1)? / 2).copied()
}

/// Who votes most. What a vote says counts once its application is decided, because until then it may be hidden.
async fn voters(domain: &Domain, query: StatisticsQuery) -> Result<Vec<VoterCount>, Error> {
    let mut counts = std::collections::HashMap::<String, VoterCount>::new();
    let rows: Vec<(String, VoteChoice, ApplicationStatus)> = application_vote::Entity::find()
        .join(
            JoinType::InnerJoin,
            application_vote::Entity::belongs_to(application::Entity)
                .from(application_vote::Column::ApplicationId)
                .to(application::Column::Id)
                .into(),
        )
        .apply_if(query.guild_id, |rows, id| rows.filter(application::COLUMN.guild_id.eq(id)))
        .apply_if(query.form_id, |rows, id| rows.filter(application::COLUMN.form_id.eq(id)))
        .apply_if(query.since, |rows, since| rows.filter(application::COLUMN.submitted_at.gte(since)))
        .select_only()
        .column(application_vote::Column::Voter)
        .column(application_vote::Column::Choice)
        .column(application::Column::Status)
        .order_by_desc(application_vote::COLUMN.changed_at)
        .limit(VOTES_COUNTED_MAX)
        .into_tuple()
        .all(domain.store.reader())
        .await?;
    for (voter, choice, status) in rows {
        let entry = counts.entry(voter.clone()).or_insert(VoterCount { voter, votes: 0, approvals: 0 });
        entry.votes += 1;
        entry.approvals += u64::from(choice == VoteChoice::Approve && status != ApplicationStatus::Pending);
    }
    let mut counts: Vec<VoterCount> = counts.into_values().collect();
    counts.sort_by(|one, other| other.votes.cmp(&one.votes).then_with(|| one.voter.cmp(&other.voter)));
    counts.truncate(VOTERS_MAX);
    Ok(counts)
}
