//! Goals: so much a day, a week or a month, everywhere or in one guild.

use entity::{
    id::GuildId,
    practice_goal::{self, GoalPeriod, Model},
};
use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect, sea_query::OnConflict};

use super::{Person, PracticeRefusal, Summary, bits, person, summary};
use crate::{
    domain::{Actor, Domain, Error, Right, event::Author},
    id_source::IdSource,
    store::WriteTransaction,
};

/// Least seconds of a goal.
const GOAL_MIN: i64 = 60;
/// Most goals of one person that are shown.
const GOALS_MAX: u64 = 100;

/// A goal, and how far it is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GoalProgress {
    /// The goal.
    pub goal: Model,
    /// Seconds so far.
    pub seconds: i64,
}

struct Input {
    author: Author,
    ids: IdSource,
    person: Person,
    guild_id: Option<GuildId>,
    period: GoalPeriod,
    /// None takes it away.
    seconds: Option<i64>,
}

/// Sets a goal of one's own.
pub async fn set_goal(
    domain: &Domain,
    actor: &Actor,
    (person, guild_id): (Person, Option<GuildId>),
    period: GoalPeriod,
    seconds: i64,
) -> Result<(), Error> {
    let days = match period {
        GoalPeriod::Day => 1,
        GoalPeriod::Week => 7,
        GoalPeriod::Month => 31,
    };
    if !(GOAL_MIN..=days * 86_400).contains(&seconds) {
        return Err(PracticeRefusal::BadGoal.into());
    }
    change(domain, actor, (person, guild_id), period, Some(seconds)).await
}

/// Takes a goal of one's own away; succeeds as well when there was none.
pub async fn clear_goal(
    domain: &Domain,
    actor: &Actor,
    (person, guild_id): (Person, Option<GuildId>),
    period: GoalPeriod,
) -> Result<(), Error> {
    change(domain, actor, (person, guild_id), period, None).await
}

async fn change(
    domain: &Domain,
    actor: &Actor,
    (person, guild_id): (Person, Option<GuildId>),
    period: GoalPeriod,
    seconds: Option<i64>,
) -> Result<(), Error> {
    let known = person.find(domain.store.reader()).await?;
    person::require_own_or(actor, (person, known), Right::ManagePractice, guild_id)?;
    let author = Author::new(domain, actor);
    let input = Input { author, ids: domain.ids.clone(), person, guild_id, period, seconds };
    domain.store.write(input, |txn, input| Box::pin(change_in(txn, input))).await
}

async fn change_in(txn: &WriteTransaction, input: &Input) -> Result<(), Error> {
    use practice_goal::Column as C;
    let key = (bits(input.guild_id), input.period);
    let Some(seconds) = input.seconds else {
        if let Some(user) = input.person.find(txn.connection()).await? {
            practice_goal::Entity::delete_by_id((user, key.0, key.1)).exec(txn.connection()).await?;
        }
        return Ok(());
    };
    let user_id = input.person.find_or_make(txn, &input.author, &input.ids).await?;
    let row = Model { user_id, guild_bits: key.0, period: key.1, seconds, updated_at: input.author.at() };
    let conflict =
        OnConflict::columns([C::UserId, C::GuildBits, C::Period]).update_columns([C::Seconds, C::UpdatedAt]).to_owned();
    practice_goal::Entity::insert(row.into_active_model())
        .on_conflict(conflict)
        .exec_without_returning(txn.connection())
        .await?;
    Ok(())
}

/// A person's goals in a guild, or those that hold everywhere, and how far each is reached.
pub async fn goals(
    domain: &Domain,
    actor: &Actor,
    (person, guild_id): (Person, Option<GuildId>),
) -> Result<(Summary, Vec<GoalProgress>), Error> {
    let summary = summary(domain, actor, person, guild_id).await?;
    let reader = domain.store.reader();
    let Some(user) = person.find(reader).await? else { return Ok((summary, Vec::new())) };
    let rows = practice_goal::Entity::find()
        .filter(practice_goal::COLUMN.user_id.eq(user))
        .filter(practice_goal::COLUMN.guild_bits.eq(bits(guild_id)))
        .order_by_asc(practice_goal::Column::Period)
        .limit(GOALS_MAX)
        .all(reader)
        .await?;
    let progress = |goal: Model| {
        let seconds = match goal.period {
            GoalPeriod::Day => summary.day_seconds,
            GoalPeriod::Week => summary.week_seconds,
            GoalPeriod::Month => summary.month_seconds,
        };
        GoalProgress { goal, seconds }
    };
    Ok((summary, rows.into_iter().map(progress).collect()))
}
