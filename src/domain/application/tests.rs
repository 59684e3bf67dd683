//! The rules of applications against a store.

mod decisions;
mod people;
mod steps;
mod votes;

use chrono::TimeDelta;
use entity::{
    application::{ApplicationStatus, DecidedHow, Model},
    application_step::{StepKind, StepState},
    application_vote::VoteChoice,
    id::{ApplicationId, DiscordUserId, FormId, RoleId},
};

use super::*;
use crate::domain::{
    Actor, Error, Member,
    actor::permission,
    testing::{self, TestDomain},
    vanish::PageRequest,
};

fn account(number: u64) -> DiscordUserId {
    DiscordUserId::new(number).unwrap()
}

fn role(number: u64) -> RoleId {
    RoleId::new(number).unwrap()
}

fn form() -> FormId {
    FormId(uuid::Uuid::from_u128(7))
}

/// A member with these roles, who may do nothing else.
fn member(number: u64, roles: &[u64]) -> Actor {
    Actor::Member(Member {
        user_id: account(number),
        guild_id: testing::guild(),
        permissions: 0,
        channel: None,
        roles: roles.iter().map(|id| role(*id)).collect(),
        given: crate::domain::guild::role::GivenRights::default(),
        is_bot_admin: false,
    })
}

/// Somebody who manages the guild.
fn manager(number: u64) -> Actor {
    let Actor::Member(plain) = member(number, &[]) else { unreachable!() };
    Actor::Member(Member { permissions: permission::MANAGE_GUILD, ..plain })
}

/// Whose role of voters is 5.
const VOTERS: u64 = 5;

/// Those with role 5 vote, two are enough, and whoever is accepted gets role 9 and loses role 8.
fn policy() -> Policy {
    Policy {
        quorum: Quorum::Count(2),
        voters: Voters { roles: vec![role(VOTERS)], members: Vec::new() },
        follow_up: FollowUp { roles_add: vec![role(9)], roles_remove: vec![role(8)], ..FollowUp::default() },
        ..Policy::default()
    }
}

fn new(applicant: u64, policy: &Policy) -> NewApplication {
    NewApplication {
        guild_id: Some(testing::guild()),
        form_id: Some(form()),
        user_id: None,
        discord_user_id: Some(account(applicant)),
        message_id: None,
        native_request_id: None,
        answers: vec![GivenAnswer {
            question_id: "q1".to_owned(),
            label: "Why?".to_owned(),
            answer: "Because".to_owned(),
        }],
        policy: policy.clone(),
        terms: Terms::default(),
    }
}

/// An application of somebody.
async fn apply(domain: &TestDomain, applicant: u64, policy: &Policy) -> Model {
    submit(domain, &member(applicant, &[]), new(applicant, policy)).await.unwrap()
}

/// A voter votes.
async fn votes_for(domain: &TestDomain, id: ApplicationId, voter: u64, choice: VoteChoice) -> Result<Voted, Error> {
    vote(domain, &member(voter, &[VOTERS]), id, NewVote::own(choice, None)).await
}

async fn now(domain: &TestDomain, id: ApplicationId) -> Model {
    get(domain, &testing::root(), id).await.unwrap()
}

fn code<T: std::fmt::Debug>(outcome: Result<T, Error>) -> &'static str {
    outcome.expect_err("refused").code().expect("a refusal")
}

/// Kinds of the events of applications so far.
async fn events(domain: &TestDomain) -> Vec<String> {
    let events = crate::domain::event::events_after(domain, 0, 1_000).await.unwrap();
    let kinds = events.into_iter().map(|event| event.kind);
    kinds.filter(|kind| kind.starts_with("application.")).collect()
}

fn page() -> PageRequest {
    PageRequest { limit: 50, offset: 0 }
}
