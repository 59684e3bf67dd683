//! What was asked and answered: by the built-in form of programs, or by a form of a guild.

use entity::{
    application::{ApplicationStatus, Model},
    id::ApplicationId,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    ApplicationRefusal,
    change::{Change, facts, lock, require_pending, votes_of},
    fits,
    read::require_applicant,
};
use crate::{
    domain::{Actor, Domain, Error, event::Author},
    id_source::IdSource,
    store::WriteTransaction,
};

/// Most answers of an application.
const ANSWERS_MAX: usize = 100;
/// Longest answer, in characters.
const ANSWER_MAX: usize = 10_000;

/// One answer, with its question as it was asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GivenAnswer {
    /// The question's id: the one of a form, or the name of a field of the built-in form.
    pub question_id: String,
    /// The question.
    pub label: String,
    /// What was answered.
    pub answer: String,
}

/// The answers of an application.
pub fn answers_of(row: &Model) -> Result<Vec<GivenAnswer>, Error> {
    Ok(Vec::deserialize(&row.answers)?)
}

/// Refuses what no form asks for.
pub(super) fn check(answers: &[GivenAnswer]) -> Result<(), ApplicationRefusal> {
    let is_short =
        |one: &GivenAnswer| fits(&one.question_id, 64) && fits(&one.label, 200) && fits(&one.answer, ANSWER_MAX);
    if answers.len() <= ANSWERS_MAX && answers.iter().all(is_short) {
        Ok(())
    } else {
        Err(ApplicationRefusal::BadAnswers)
    }
}

struct Input {
    author: Author,
    ids: IdSource,
    actor: Actor,
    id: ApplicationId,
    answers: Vec<GivenAnswer>,
}

/// The applicant answers otherwise, as long as nobody has voted.
pub async fn set_answers(
    domain: &Domain,
    actor: &Actor,
    id: ApplicationId,
    answers: Vec<GivenAnswer>,
) -> Result<Model, Error> {
    let author = Author::new(domain, actor);
    let input = Input { author, ids: domain.ids.clone(), actor: actor.clone(), id, answers };
    domain
        .store
        .write(input, |txn, Input { author, ids, actor, id, answers }| {
            Box::pin(async move { set_answers_in(txn, (author, ids), actor, *id, answers.clone()).await })
        })
        .await
}

/// The same, within a transaction that does more.
pub(in crate::domain) async fn set_answers_in(
    txn: &WriteTransaction,
    (author, ids): (&Author, &IdSource),
    actor: &Actor,
    id: ApplicationId,
    answers: Vec<GivenAnswer>,
) -> Result<Model, Error> {
    check(&answers)?;
    let change = Change { txn, author, ids };
    let mut row = lock(txn, id).await?;
    require_applicant(txn.connection(), actor, &row).await?;
    require_pending(&row)?;
    if !votes_of(txn.connection(), id).await?.is_empty() {
        return Err(ApplicationRefusal::HasVotes.into());
    }
    row.answers = serde_json::to_value(answers)?;
    change.save(&mut row, ApplicationStatus::Pending).await?;
    change.tell("application.answers_changed", &row, (Value::Null, facts(&row))).await?;
    Ok(row)
}
