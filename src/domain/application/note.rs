//! What reviewers write about an application.

use entity::{
    application_note::{self, Model},
    id::{ApplicationId, ApplicationNoteId},
};
use sea_orm::{ColumnTrait, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};
use serde_json::{Value, json};

use super::{
    ApplicationRefusal, NOTE_MAX,
    change::{Change, lock},
    decide::require_or_hide,
    read::{get, judges, policy_of},
    text,
};
use crate::{
    domain::{Actor, Domain, Error, Right, event::Author},
    id_source::IdSource,
    store::WriteTransaction,
};

/// Most notes about one application.
const NOTES_MAX: u64 = 200;

struct Input {
    author: Author,
    ids: IdSource,
    actor: Actor,
    id: ApplicationId,
    text: String,
}

/// Adds a note, which the applicant does not see.
pub async fn add_note(domain: &Domain, actor: &Actor, id: ApplicationId, note: &str) -> Result<Model, Error> {
    actor.require_somewhere(Right::WriteApplications)?;
    let text = text(Some(note), NOTE_MAX, ApplicationRefusal::BadNote)?.ok_or(ApplicationRefusal::BadNote)?;
    let author = Author::new(domain, actor);
    let input = Input { author, ids: domain.ids.clone(), actor: actor.clone(), id, text };
    domain.store.write(input, |txn, input| Box::pin(note_in(txn, input))).await
}

async fn note_in(txn: &WriteTransaction, input: &Input) -> Result<Model, Error> {
    let change = Change { txn, author: &input.author, ids: &input.ids };
    let mut row = lock(txn, input.id).await?;
    require_or_hide(&input.actor, Right::WriteApplications, &row)?;
    let of_row = application_note::COLUMN.application_id.eq(row.id);
    if application_note::Entity::find().filter(of_row).count(txn.connection()).await? >= NOTES_MAX {
        return Err(ApplicationRefusal::TooManyNotes.into());
    }
    let note = add_in(change, row.id, &input.text).await?;
    let was = row.status;
    change.save(&mut row, was).await?;
    let after = json!({ "number": row.number, "note_id": note.id });
    change.tell("application.noted", &row, (Value::Null, after)).await?;
    Ok(note)
}

pub(super) async fn add_in(change: Change<'_>, id: ApplicationId, text: &str) -> Result<Model, Error> {
    let note = Model {
        id: ApplicationNoteId(change.ids.uuid()),
        application_id: id,
        author: change.author.actor().to_owned(),
        text: text.to_owned(),
        created_at: change.now(),
    };
    let insert = application_note::Entity::insert(note.clone().into_active_model());
    insert.exec_without_returning(change.txn.connection()).await?;
    Ok(note)
}

/// The notes about an application, the oldest first, for those who decide about it.
pub async fn notes(domain: &Domain, actor: &Actor, id: ApplicationId) -> Result<Vec<Model>, Error> {
    let row = get(domain, actor, id).await?;
    if !judges(actor, &row, &policy_of(&row)?) {
        actor.require(Right::ReadApplications, row.guild_id)?;
    }
    let found = application_note::Entity::find()
        .filter(application_note::COLUMN.application_id.eq(id))
        .order_by_asc(application_note::COLUMN.created_at)
        .order_by_asc(application_note::COLUMN.id)
        .limit(NOTES_MAX);
    Ok(found.all(domain.store.reader()).await?)
}
