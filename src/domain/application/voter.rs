//! Whose vote it is: a person by all names that we know them by, and who may vote.

use std::collections::BTreeSet;

use entity::{
    application::Model,
    id::{DiscordUserId, RoleId, UserId},
    identity::{self, Platform},
    user as account,
};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect};

use super::{ApplicationRefusal, Policy, fits};
use crate::domain::{Actor, Error, Member, Right, user};

/// Longest name of a voter that a program gives.
const VOTER_MAX: usize = 64;
/// Most accounts of one person that are looked at.
const ACCOUNTS_MAX: u64 = 50;

/// Somebody who votes.
#[derive(Clone, Debug, Default)]
pub(super) struct Voter {
    /// The name under which the vote is kept.
    pub(super) name: String,
    /// The person, where they are known.
    pub(super) user_id: Option<UserId>,
    /// Their accounts in Discord.
    pub(super) accounts: BTreeSet<DiscordUserId>,
    /// Ids of people who turned out to be them.
    merged: Vec<UserId>,
}

impl Voter {
    /// Everything that we know of whoever has this name: an account in Discord, a person of ours, or somebody whom only
    /// a program knows.
    pub(super) async fn known_as(connection: &impl ConnectionTrait, name: String) -> Result<Self, Error> {
        let mut voter = Self { name, ..Self::default() };
        if let Ok(id) = voter.name.parse::<DiscordUserId>() {
            voter.accounts.insert(id);
            let key = (Platform::Discord, id.to_string());
            voter.user_id = identity::Entity::find_by_id(key).one(connection).await?.map(|known| known.user_id);
        } else if let Ok(id) = voter.name.parse::<UserId>() {
            voter.user_id = user::resolve(connection, id).await?.map(|row| row.id);
        }
        let Some(id) = voter.user_id else { return Ok(voter) };
        let accounts: Vec<String> = identity::Entity::find()
            .select_only()
            .column(identity::Column::Identity)
            .filter(identity::Column::UserId.eq(id))
            .filter(identity::Column::Platform.eq(Platform::Discord))
            .limit(ACCOUNTS_MAX)
            .into_tuple()
            .all(connection)
            .await?;
        voter.accounts.extend(accounts.iter().filter_map(|account| account.parse::<DiscordUserId>().ok()));
        voter.merged = account::Entity::find()
            .select_only()
            .column(account::Column::Id)
            .filter(account::COLUMN.merged_into.eq(id))
            .limit(ACCOUNTS_MAX)
            .into_tuple()
            .all(connection)
            .await?;
        Ok(voter)
    }

    /// Whoever acts, or whom a program names; a person votes in no other name.
    pub(super) async fn of(
        connection: &impl ConnectionTrait,
        actor: &Actor,
        named: Option<&str>,
    ) -> Result<Self, Error> {
        let own = match actor {
            Actor::User(user) => user.id.to_string(),
            Actor::Member(Member { user_id, .. }) => user_id.to_string(),
            _ => {
                let named = named.filter(|name| !name.trim().is_empty() && fits(name, VOTER_MAX));
                return Self::known_as(connection, named.ok_or(ApplicationRefusal::BadVoter)?.to_owned()).await;
            }
        };
        let voter = Self::known_as(connection, own).await?;
        if named.is_none_or(|name| voter.is_called(name)) {
            Ok(voter)
        } else {
            Err(ApplicationRefusal::OtherVoter.into())
        }
    }

    /// All names that their votes may be kept under.
    pub(super) fn names(&self) -> Vec<String> {
        let accounts = self.accounts.iter().map(ToString::to_string);
        let people = self.user_id.iter().chain(&self.merged).map(ToString::to_string);
        std::iter::once(self.name.clone()).chain(accounts).chain(people).collect()
    }

    /// Whether they are meant by this name.
    pub(super) fn is_called(&self, name: &str) -> bool {
        self.name == name
            || name.parse().is_ok_and(|id| self.accounts.contains(&id))
            || name.parse().is_ok_and(|id| self.user_id == Some(id) || self.merged.contains(&id))
    }

    /// Whether it is their own application.
    pub(super) fn applies(&self, row: &Model) -> bool {
        row.discord_user_id.is_some_and(|id| self.accounts.contains(&id))
            || row.user_id.is_some_and(|id| self.user_id == Some(id) || self.merged.contains(&id))
    }

    /// Refuses unless they may vote on this application.
    pub(super) fn require(&self, actor: &Actor, row: &Model, policy: &Policy) -> Result<(), Error> {
        match actor {
            Actor::Member(member) if Some(member.guild_id) != row.guild_id => Err(ApplicationRefusal::NotFound.into()),
            Actor::Member(member) => {
                let is_named = names(policy, member);
                if is_named || policy.voters.is_empty() && actor.may(Right::VoteApplications, row.guild_id) {
                    return Ok(());
                }
                Err(ApplicationRefusal::NoVoter.into())
            }
            Actor::User(_) if !policy.voters.is_empty() => {
                let is_named = policy.voters.members.iter().any(|id| self.accounts.contains(id));
                if is_named { Ok(()) } else { Err(ApplicationRefusal::NoVoter.into()) }
            }
            _ => actor.require(Right::VoteApplications, row.guild_id),
        }
    }
}

/// Whether a policy names a member as a voter.
pub(super) fn names(policy: &Policy, member: &Member) -> bool {
    has_one_of(member, &policy.voters.roles) || policy.voters.members.contains(&member.user_id)
}

/// Whether a member has one of these roles.
pub(super) fn has_one_of(member: &Member, roles: &[RoleId]) -> bool {
    member.roles.iter().any(|role| roles.contains(role))
}
