//! An application with all that reviewers see of it: for the review post, and for whoever looks at it in chat.

use std::collections::BTreeSet;

use entity::{
    application::{self, Model},
    application_step, application_vote,
    id::{ApplicationId, DiscordUserId},
};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait};

use super::{
    ApplicationRefusal, GivenAnswer, Policy, Tally, answers_of,
    change::{ballots, base_of, votes_of},
    quorum_needed,
    read::{get, is_hidden, judges, policy_of},
    step::steps_of,
    voter::Voter,
};
use crate::domain::{Actor, Domain, Error};

/// Earlier applications of a form whose voters are expected to vote on the next one.
const EARLIER_MAX: u64 = 50;
/// Most earlier votes that are looked at.
const EARLIER_VOTES_MAX: u64 = 2_000;
/// Most people who are named.
const NAMED_MAX: usize = 100;

/// Who has not voted yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Owing {
    /// Those whom the policy names, or who voted on earlier applications of the form.
    pub accounts: Vec<DiscordUserId>,
    /// How many others may vote and have not; none where nobody has counted them.
    pub others: Option<u32>,
}

/// An application with all that reviewers see of it.
#[derive(Clone, Debug)]
pub struct Review {
    /// It.
    pub application: Model,
    /// Its policy.
    pub policy: Policy,
    /// What was asked and answered.
    pub answers: Vec<GivenAnswer>,
    /// The votes, counted; none while they are hidden.
    pub tally: Option<Tally>,
    /// How many have voted, which is never hidden.
    pub voted: u64,
    /// How many must; none where it is a part of a role that nobody has counted.
    pub needed: Option<u64>,
    /// Who has not voted yet; nobody, once it is decided.
    pub owing: Owing,
    /// What follows its decisions, in order.
    pub steps: Vec<application_step::Model>,
}

/// An application with all that reviewers see of it, for those who decide about it.
pub async fn review(domain: &Domain, actor: &Actor, id: ApplicationId) -> Result<Review, Error> {
    let application = get(domain, actor, id).await?;
    let policy = policy_of(&application)?;
    if !judges(actor, &application, &policy) {
        return Err(ApplicationRefusal::NotFound.into());
    }
    let reader = domain.store.reader();
    let votes = votes_of(reader, id).await?;
    let tally = Tally::of(&ballots(&votes));
    let is_open = application.status == application::ApplicationStatus::Pending && !application.is_tied;
    let owing = if is_open { owing(reader, &application, &policy, &votes).await? } else { Owing::default() };
    Ok(Review {
        answers: answers_of(&application)?,
        voted: tally.voted,
        needed: quorum_needed(&policy, base_of(&application)),
        tally: (!is_hidden(&application, &policy)).then_some(tally),
        owing,
        steps: steps_of(reader, id).await?,
        application,
        policy,
    })
}

/// Who has not voted: those whom the policy names or who voted earlier by name, the rest as a number.
pub(super) async fn owing(
    connection: &impl ConnectionTrait,
    row: &Model,
    policy: &Policy,
    votes: &[application_vote::Model],
) -> Result<Owing, Error> {
    let mut accounts: BTreeSet<DiscordUserId> = policy.voters.members.iter().copied().collect();
    if row.guild_id.is_some() {
        accounts.extend(earlier_voters(connection, row).await?);
    }
    let heard: BTreeSet<DiscordUserId> = votes.iter().filter_map(|vote| vote.voter.parse().ok()).collect();
    accounts.retain(|account| !heard.contains(account) && row.discord_user_id != Some(*account));
    let accounts: Vec<_> = accounts.into_iter().take(NAMED_MAX).collect();
    let others = base_of(row).map(|base| {
        let known = u32::try_from(votes.len() + accounts.len()).unwrap_or(u32::MAX);
        base.saturating_sub(known)
    });
    Ok(Owing { accounts, others })
}

async fn earlier_voters(connection: &impl ConnectionTrait, row: &Model) -> Result<Vec<DiscordUserId>, Error> {
    let of_form = match row.form_id {
        Some(id) => application::COLUMN.form_id.eq(id),
        None => application::COLUMN.form_id.is_null(),
    };
    let earlier: Vec<ApplicationId> = application::Entity::find()
        .select_only()
        .column(application::Column::Id)
        .apply_if(row.guild_id, |rows, id| rows.filter(application::COLUMN.guild_id.eq(id)))
        .filter(of_form)
        .filter(application::COLUMN.id.ne(row.id))
        .order_by_desc(application::COLUMN.submitted_at)
        .limit(EARLIER_MAX)
        .into_tuple()
        .all(connection)
        .await?;
    let voters: Vec<String> = application_vote::Entity::find()
        .select_only()
        .distinct()
        .column(application_vote::Column::Voter)
        .filter(application_vote::Column::ApplicationId.is_in(earlier))
        .limit(EARLIER_VOTES_MAX)
        .into_tuple()
        .all(connection)
        .await?;
    Ok(voters.iter().filter_map(|voter| voter.parse().ok()).collect())
}

/// The caller's own vote on an application; none where they have not voted.
pub async fn own_vote(
    domain: &Domain,
    actor: &Actor,
    id: ApplicationId,
) -> Result<Option<application_vote::Model>, Error> {
    let row = get(domain, actor, id).await?;
    let reader = domain.store.reader();
    let voter = Voter::of(reader, actor, None).await?;
    Ok(votes_of(reader, row.id).await?.into_iter().find(|vote| voter.is_called(&vote.voter)))
}
