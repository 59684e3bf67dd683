//! Forms without Discord.

mod changes;
mod drafts;
mod sending;

use chrono::TimeDelta;
use entity::{
    form_question::QuestionKind,
    id::{DiscordUserId, RoleId},
};

use super::*;
use crate::domain::{Actor, Domain, Member, guild::role::GivenRights, testing};

/// An account that was made long before the tests begin.
const ANN: u64 = 1_000_000_000_000_000;

fn applicant(user: u64, roles: &[u64]) -> Applicant {
    let member = Member {
        user_id: DiscordUserId::new(user).unwrap(),
        guild_id: testing::guild(),
        permissions: 0,
        channel: None,
        roles: roles.iter().filter_map(|id| RoleId::new(*id)).collect(),
        given: GivenRights::default(),
        is_bot_admin: false,
    };
    Applicant { actor: Actor::Member(member), joined_at: Some(testing::start() - TimeDelta::days(1)) }
}

fn short(label: &str) -> Question {
    Question::new(label, QuestionKind::Short)
}

fn choice(label: &str, choices: &[&str]) -> Question {
    let choices = choices.iter().map(|choice| (*choice).to_owned()).collect();
    Question { choices, ..Question::new(label, QuestionKind::Choice) }
}

/// An open form with these questions.
async fn open_form(domain: &Domain, name: &str, questions: Vec<Question>) -> FormView {
    let config =
        FormConfig { questions, state: entity::form::FormState::Open, ..FormConfig::new(name, None, Some("Hello")) };
    create_form(domain, &testing::admin(), testing::guild(), config).await.unwrap()
}

fn code<T: std::fmt::Debug>(result: Result<T, crate::domain::Error>) -> &'static str {
    result.unwrap_err().code().unwrap_or("a fault")
}
