//! Applications, votes, notes, and who may not apply.

use entity::{application, application_block, application_note, application_vote, id::UserId};
use futures_util::{FutureExt as _, future::BoxFuture};
use sea_orm::{ColumnTrait, DatabaseConnection, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde_json::{Value, json};

use super::{EXPORT_ROWS_MAX, Person};
use crate::{
    domain::{
        Error,
        application::people,
        event::{Author, spelled},
    },
    store::WriteTransaction,
};

pub(super) fn move_applications<'a>(
    txn: &'a WriteTransaction,
    _: &'a Author,
    users: (UserId, UserId),
) -> BoxFuture<'a, Result<(), Error>> {
    people::move_applications(txn, users).boxed()
}

pub(super) fn move_votes<'a>(
    txn: &'a WriteTransaction,
    _: &'a Author,
    users: (UserId, UserId),
) -> BoxFuture<'a, Result<(), Error>> {
    people::move_votes(txn, users).boxed()
}

pub(super) fn export_applications<'a>(
    reader: &'a DatabaseConnection,
    person: &'a Person,
) -> BoxFuture<'a, Result<Vec<Value>, Error>> {
    async move {
        let rows = application::Entity::find()
            .filter(people::own_applications(person))
            .order_by_desc(application::COLUMN.submitted_at)
            .limit(EXPORT_ROWS_MAX)
            .all(reader)
            .await?;
        let view = |row: application::Model| {
            json!({
                "id": row.id, "guildId": row.guild_id, "number": row.number, "formId": row.form_id,
                "answers": row.answers, "status": spelled(row.status), "reason": row.reason,
                "submittedAt": row.submitted_at, "decidedAt": row.decided_at,
            })
        };
        Ok(rows.into_iter().map(view).collect())
    }
    .boxed()
}

pub(super) fn export_votes<'a>(
    reader: &'a DatabaseConnection,
    person: &'a Person,
) -> BoxFuture<'a, Result<Vec<Value>, Error>> {
    async move {
        let rows = application_vote::Entity::find()
            .filter(people::own_votes(person))
            .order_by_desc(application_vote::COLUMN.changed_at)
            .limit(EXPORT_ROWS_MAX)
            .all(reader)
            .await?;
        let view = |row: application_vote::Model| {
            json!({
                "applicationId": row.application_id, "voter": row.voter, "name": row.voter_name,
                "choice": spelled(row.choice), "reason": row.reason, "createdAt": row.created_at,
                "changedAt": row.changed_at,
            })
        };
        Ok(rows.into_iter().map(view).collect())
    }
    .boxed()
}

/// What they have written about others.
pub(super) fn export_notes<'a>(
    reader: &'a DatabaseConnection,
    person: &'a Person,
) -> BoxFuture<'a, Result<Vec<Value>, Error>> {
    async move {
        let names = person.members().chain(std::iter::once(person.actor()));
        let rows = application_note::Entity::find()
            .filter(application_note::Column::Author.is_in(names))
            .order_by_desc(application_note::COLUMN.created_at)
            .limit(EXPORT_ROWS_MAX)
            .all(reader)
            .await?;
        let view = |row: application_note::Model| {
            json!({ "applicationId": row.application_id, "text": row.text, "createdAt": row.created_at })
        };
        Ok(rows.into_iter().map(view).collect())
    }
    .boxed()
}

pub(super) fn export_blocks<'a>(
    reader: &'a DatabaseConnection,
    person: &'a Person,
) -> BoxFuture<'a, Result<Vec<Value>, Error>> {
    async move {
        let rows = application_block::Entity::find()
            .filter(application_block::COLUMN.discord_user_id.is_in(person.discord.iter().copied()))
            .limit(EXPORT_ROWS_MAX)
            .all(reader)
            .await?;
        let view = |row: application_block::Model| {
            json!({ "guildId": row.guild_id, "until": row.until, "createdAt": row.created_at })
        };
        Ok(rows.into_iter().map(view).collect())
    }
    .boxed()
}

pub(super) fn erase_applications<'a>(
    txn: &'a WriteTransaction,
    author: &'a Author,
    person: &'a Person,
) -> BoxFuture<'a, Result<(), Error>> {
    people::erase_applications(txn, author, person).boxed()
}

pub(super) fn erase_votes<'a>(
    txn: &'a WriteTransaction,
    _: &'a Author,
    person: &'a Person,
) -> BoxFuture<'a, Result<(), Error>> {
    people::erase_votes(txn, person).boxed()
}

pub(super) fn erase_notes<'a>(
    txn: &'a WriteTransaction,
    _: &'a Author,
    person: &'a Person,
) -> BoxFuture<'a, Result<(), Error>> {
    people::erase_notes(txn, person).boxed()
}

pub(super) fn erase_blocks<'a>(
    txn: &'a WriteTransaction,
    _: &'a Author,
    person: &'a Person,
) -> BoxFuture<'a, Result<(), Error>> {
    people::erase_blocks(txn, person).boxed()
}
