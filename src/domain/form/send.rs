//! Sending a draft: it becomes an application, or the new answers of one.

use entity::id::{ApplicationId, FormId};
use sea_orm::EntityTrait;

use super::{
    Applicant, DraftView, FormRefusal, FormView,
    config::answered,
    draft::{self, start_in},
    eligibility, filing, row,
};
use crate::{
    domain::{
        Domain, Error,
        application::{self, GivenAnswer, NewApplication, Terms, answers_of},
        event::Author,
    },
    id_source::IdSource,
    store::WriteTransaction,
};

/// What was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sent {
    /// The application.
    pub id: ApplicationId,
    /// Its number.
    pub number: i64,
    /// Whether it is a new one.
    pub is_new: bool,
}

struct Send {
    author: Author,
    ids: IdSource,
    applicant: Applicant,
    form_id: FormId,
}

/// Sends the draft of whoever asks. It is taken away by what it becomes, so that sending it twice is sending it once.
pub async fn send(domain: &Domain, applicant: &Applicant, form_id: FormId) -> Result<Sent, Error> {
    applicant.user_id()?;
    let author = Author::new(domain, &applicant.actor);
    let input = Send { author, ids: domain.ids.clone(), applicant: applicant.clone(), form_id };
    domain.store.write(input, |txn, input| Box::pin(send_in(txn, input))).await
}

async fn send_in(txn: &WriteTransaction, input: &Send) -> Result<Sent, Error> {
    let Send { author, ids, applicant, form_id } = input;
    let (connection, now) = (txn.connection(), author.at());
    let user_id = applicant.user_id()?;
    let found = draft::find(connection, *form_id, user_id).await?.filter(|row| row.expires_at > now);
    let draft = found.ok_or(FormRefusal::NoDraft)?;
    let taken = entity::form_draft::Entity::delete_by_id(draft.id).exec(connection).await?;
    if taken.rows_affected == 0 {
        return Err(FormRefusal::NoDraft.into());
    }
    let draft = DraftView::of_row(draft)?;
    let form = entity::form::Entity::find_by_id(*form_id).one(connection).await?.ok_or(FormRefusal::NoForm)?;
    let form = row::view(connection, form).await?;
    let answers = complete(&form, &draft)?;
    if let Some(id) = draft.application_id {
        let row = application::set_answers_in(txn, (author, ids), &applicant.actor, id, answers).await?;
        return Ok(Sent { id, number: row.number, is_new: false });
    }
    if let Some(reason) = eligibility::found(connection, applicant, &form, now).await?.into_iter().next() {
        return Err(reason.into());
    }
    let new = NewApplication {
        guild_id: Some(form.guild_id),
        form_id: Some(form.id),
        user_id: None,
        discord_user_id: Some(user_id),
        message_id: None,
        native_request_id: None,
        answers,
        policy: form.config.policy.clone(),
        terms: terms(&form),
    };
    let row = application::submit_in(txn, (author, ids), &new).await?;
    Ok(Sent { id: row.id, number: row.number, is_new: true })
}

/// What limits applicants; whoever files counts again, with nobody in between.
fn terms(form: &FormView) -> Terms {
    let rules = &form.config.eligibility;
    Terms { cooldown_seconds: rules.cooldown_seconds, open_max: u64::try_from(rules.open_max).ok() }
}

/// The answers, if they fit the questions as they stand now and none is missing.
fn complete(form: &FormView, draft: &DraftView) -> Result<Vec<GivenAnswer>, FormRefusal> {
    let missing = draft::missing(&form.config, &draft.answers);
    if !missing.is_empty() {
        let questions = missing.into_iter().map(|question| question.label.clone()).collect();
        return Err(FormRefusal::Unanswered { questions });
    }
    for question in &form.config.questions {
        if let Some(answer) = draft.answers.get(&question.id) {
            question.answer(answer)?;
        }
    }
    Ok(answered(&form.config.questions, &draft.answers))
}

struct Edit {
    author: Author,
    ids: IdSource,
    applicant: Applicant,
    id: ApplicationId,
}

/// Begins to change the answers of one's own application, on which nobody has voted; says with which form.
pub async fn begin_edit(domain: &Domain, applicant: &Applicant, id: ApplicationId) -> Result<FormId, Error> {
    applicant.user_id()?;
    let author = Author::new(domain, &applicant.actor);
    let input = Edit { author, ids: domain.ids.clone(), applicant: applicant.clone(), id };
    domain.store.write(input, |txn, input| Box::pin(begin_in(txn, input))).await
}

async fn begin_in(txn: &WriteTransaction, input: &Edit) -> Result<FormId, Error> {
    let Edit { author, ids, applicant, id } = input;
    let user_id = applicant.user_id()?;
    let application = filing::editable(txn.connection(), (*id, user_id)).await?;
    let form_id = application.form_id.ok_or(FormRefusal::NoForm)?;
    entity::form::Entity::find_by_id(form_id).one(txn.connection()).await?.ok_or(FormRefusal::NoForm)?;
    let answers =
        answers_of(&application)?.into_iter().filter_map(|given| Some((given.question_id.parse().ok()?, given.answer)));
    let draft = start_in(txn, ids, (form_id, user_id, author.at()), Some((*id, answers.collect()))).await?;
    if draft.application_id == Some(*id) { Ok(form_id) } else { Err(FormRefusal::OtherDraft.into()) }
}
