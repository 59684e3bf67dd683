//! What somebody has written so far; kept until it is sent, for seven days after it was saved last.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use entity::{
    form,
    form_draft::{self, Model},
    id::{ApplicationId, DiscordUserId, FormDraftId, FormId, FormQuestionId},
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter,
    QueryOrder, QuerySelect, sea_query::OnConflict,
};

use super::{Applicant, FormConfig, FormRefusal, FormView, Question, row};
use crate::{
    domain::{Actor, Domain, Error, Right, event::Author},
    id_source::IdSource,
    store::WriteTransaction,
};

/// How long a draft waits after it was saved last, in days.
pub const DRAFT_DAYS: i64 = 7;
/// Most drafts that are forgotten at once.
const PRUNED_MAX: u64 = 1_000;

/// Answers by their question; an empty one takes an answer away.
pub type Answers = BTreeMap<FormQuestionId, String>;

/// A draft.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DraftView {
    /// Its id.
    pub id: FormDraftId,
    /// The form.
    pub form_id: FormId,
    /// The application whose answers it would change.
    pub application_id: Option<ApplicationId>,
    /// The answers so far.
    pub answers: Answers,
    /// Until when it is kept.
    pub expires_at: DateTime<Utc>,
}

impl DraftView {
    pub(super) fn of_row(row: Model) -> Result<Self, serde_json::Error> {
        let Model { id, form_id, application_id, answers, expires_at, .. } = row;
        Ok(Self { id, form_id, application_id, answers: serde_json::from_value(answers)?, expires_at })
    }
}

/// The questions that have to be answered and are not, in their order.
pub fn missing<'a>(config: &'a FormConfig, answers: &Answers) -> Vec<&'a Question> {
    config.questions.iter().filter(|question| question.is_required && !answers.contains_key(&question.id)).collect()
}

/// The draft of whoever asks; none where there is none, or only one that has ended.
pub async fn draft(domain: &Domain, applicant: &Applicant, form_id: FormId) -> Result<Option<DraftView>, Error> {
    let found = find(domain.store.reader(), form_id, applicant.user_id()?).await?;
    Ok(found.filter(|row| row.expires_at > domain.now()).map(DraftView::of_row).transpose()?)
}

pub(super) async fn find(
    connection: &impl ConnectionTrait,
    form: FormId,
    user: DiscordUserId,
) -> Result<Option<Model>, DbErr> {
    form_draft::Entity::find()
        .filter(form_draft::COLUMN.form_id.eq(form))
        .filter(form_draft::COLUMN.discord_user_id.eq(user))
        .one(connection)
        .await
}

/// How many drafts of a form there are; how many people would lose what they wrote if it went.
pub async fn drafts(domain: &Domain, actor: &Actor, form: &FormView) -> Result<u64, Error> {
    actor.require(Right::ManageSettings, Some(form.guild_id))?;
    let own = form_draft::Entity::find()
        .filter(form_draft::COLUMN.form_id.eq(form.id))
        .filter(form_draft::COLUMN.expires_at.gt(domain.now()));
    Ok(own.count(domain.store.reader()).await?)
}

struct Save {
    author: Author,
    ids: IdSource,
    applicant: Applicant,
    form_id: FormId,
    given: Answers,
}

/// Keeps answers; what was answered before and is not among them stays. What the form no longer asks is left out.
///
/// A draft is begun by members of the form's guild; elsewhere only one that is there goes on.
pub async fn save_answers(
    domain: &Domain,
    applicant: &Applicant,
    form_id: FormId,
    given: Answers,
) -> Result<DraftView, Error> {
    applicant.user_id()?;
    let author = Author::new(domain, &applicant.actor);
    let input = Save { author, ids: domain.ids.clone(), applicant: applicant.clone(), form_id, given };
    domain.store.write(input, |txn, input| Box::pin(save_in(txn, input))).await
}

async fn save_in(txn: &WriteTransaction, input: &Save) -> Result<DraftView, Error> {
    let Save { author, ids, applicant, form_id, given } = input;
    let (now, connection) = (author.at(), txn.connection());
    let user_id = applicant.user_id()?;
    let form = form::Entity::find_by_id(*form_id).one(connection).await?.ok_or(FormRefusal::NoForm)?;
    let FormView { guild_id, config, .. } = row::view(connection, form).await?;
    if applicant.member_of(guild_id).is_none() {
        let found = find(connection, *form_id, user_id).await?;
        found.filter(|row| row.expires_at > now).ok_or(FormRefusal::NoDraft)?;
    }
    let row = start_in(txn, ids, (*form_id, user_id, now), None).await?;
    let mut answers: Answers = serde_json::from_value(row.answers)?;
    answers.retain(|id, _| config.question(*id).is_some());
    for (id, text) in given {
        let Some(question) = config.question(*id) else { continue };
        let answer = question.answer(text)?;
        if answer.is_empty() {
            answers.remove(id);
        } else {
            answers.insert(*id, answer);
        }
    }
    let expires_at = now + TimeDelta::days(DRAFT_DAYS);
    let changed = form_draft::ActiveModel {
        answers: Set(serde_json::to_value(&answers)?),
        expires_at: Set(expires_at),
        updated_at: Set(now),
        ..Default::default()
    };
    form_draft::Entity::update_many().set(changed).filter(form_draft::COLUMN.id.eq(row.id)).exec(connection).await?;
    Ok(DraftView { id: row.id, form_id: *form_id, application_id: row.application_id, answers, expires_at })
}

/// The draft of a person, made where there is none, held until the transaction ends. One that has ended is begun anew.
pub(super) async fn start_in(
    txn: &WriteTransaction,
    ids: &IdSource,
    (form_id, discord_user_id, now): (FormId, DiscordUserId, DateTime<Utc>),
    edits: Option<(ApplicationId, Answers)>,
) -> Result<Model, Error> {
    let connection = txn.connection();
    form_draft::Entity::delete_many()
        .filter(form_draft::COLUMN.form_id.eq(form_id))
        .filter(form_draft::COLUMN.discord_user_id.eq(discord_user_id))
        .filter(form_draft::COLUMN.expires_at.lte(now))
        .exec(connection)
        .await?;
    let (application_id, answers) = edits.unzip();
    let row = Model {
        id: FormDraftId(ids.uuid()),
        form_id,
        discord_user_id,
        application_id,
        answers: serde_json::to_value(answers.unwrap_or_default())?,
        expires_at: now + TimeDelta::days(DRAFT_DAYS),
        created_at: now,
        updated_at: now,
    };
    let theirs = [form_draft::Column::FormId, form_draft::Column::DiscordUserId];
    form_draft::Entity::insert(row.into_active_model())
        .on_conflict(OnConflict::columns(theirs).do_nothing().to_owned())
        .exec_without_returning(connection)
        .await?;
    let held = form_draft::Entity::find()
        .filter(form_draft::COLUMN.form_id.eq(form_id))
        .filter(form_draft::COLUMN.discord_user_id.eq(discord_user_id))
        .lock_exclusive()
        .one(connection)
        .await?;
    // Sent meanwhile: the whole is tried again.
    held.ok_or_else(|| DbErr::RecordNotUpdated.into())
}

/// Forgets what somebody has written; says whether there was anything.
pub async fn discard_draft(domain: &Domain, applicant: &Applicant, form_id: FormId) -> Result<bool, Error> {
    domain
        .store
        .write((form_id, applicant.user_id()?), |txn, (form_id, user_id)| {
            Box::pin(async move {
                let own = form_draft::Entity::delete_many()
                    .filter(form_draft::COLUMN.form_id.eq(*form_id))
                    .filter(form_draft::COLUMN.discord_user_id.eq(*user_id));
                Ok::<_, Error>(own.exec(txn.connection()).await?.rows_affected > 0)
            })
        })
        .await
}

/// Forgets drafts that have ended, a bounded number of them: says whether there may be more.
pub async fn prune_drafts(domain: &Domain) -> Result<bool, Error> {
    domain.store.write(domain.now(), |txn, now| Box::pin(prune_in(txn, *now))).await
}

async fn prune_in(txn: &WriteTransaction, now: DateTime<Utc>) -> Result<bool, Error> {
    let ended: Vec<FormDraftId> = form_draft::Entity::find()
        .select_only()
        .column(form_draft::Column::Id)
        .filter(form_draft::COLUMN.expires_at.lte(now))
        .order_by_asc(form_draft::COLUMN.expires_at)
        .limit(PRUNED_MAX)
        .into_tuple()
        .all(txn.connection())
        .await?;
    let more = ended.len() as u64 == PRUNED_MAX;
    if !ended.is_empty() {
        // One that was saved in this moment is kept.
        form_draft::Entity::delete_many()
            .filter(form_draft::Column::Id.is_in(ended))
            .filter(form_draft::COLUMN.expires_at.lte(now))
            .exec(txn.connection())
            .await?;
    }
    Ok(more)
}
