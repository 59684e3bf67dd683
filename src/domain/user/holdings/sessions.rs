//! Sessions; their refresh tokens go with them.

use entity::{
    id::UserId,
    session::{self, EndReason},
};
use futures_util::{FutureExt as _, future::BoxFuture};
use sea_orm::{ColumnTrait, DatabaseConnection, EntityTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::Expr};
use serde_json::{Value, json};

use super::{EXPORT_ROWS_MAX, Person};
use crate::{
    domain::{
        Error, counter,
        event::{Author, spelled},
        sign_in,
    },
    store::WriteTransaction,
};

pub(super) fn move_sessions<'a>(
    txn: &'a WriteTransaction,
    _: &'a Author,
    (source, target): (UserId, UserId),
) -> BoxFuture<'a, Result<(), Error>> {
    async move {
        let generation = counter::next(txn, counter::AUTH).await?;
        session::Entity::update_many()
            .col_expr(session::Column::UserId, Expr::value(target))
            .col_expr(session::Column::Generation, Expr::value(generation))
            .filter(session::COLUMN.user_id.eq(source))
            .exec(txn.connection())
            .await?;
        Ok(())
    }
    .boxed()
}

pub(super) fn export_sessions<'a>(
    reader: &'a DatabaseConnection,
    person: &'a Person,
) -> BoxFuture<'a, Result<Vec<Value>, Error>> {
    async move {
        let rows = session::Entity::find()
            .filter(session::COLUMN.user_id.eq(person.id))
            .order_by_desc(session::Column::CreatedAt)
            .limit(EXPORT_ROWS_MAX)
            .all(reader)
            .await?;
        let view = |row: session::Model| {
            json!({
                "id": row.id, "method": spelled(row.method), "apiKeyId": row.api_key_id,
                "clientName": row.client_name, "createdAt": row.created_at, "expiresAt": row.expires_at,
                "revokedAt": row.revoked_at, "revokedReason": row.revoked_reason.map(spelled),
            })
        };
        Ok(rows.into_iter().map(view).collect())
    }
    .boxed()
}

pub(super) fn end_sessions<'a>(
    txn: &'a WriteTransaction,
    author: &'a Author,
    owner: UserId,
) -> BoxFuture<'a, Result<(), Error>> {
    async move { sign_in::end_sessions(txn, author, owner, EndReason::UserGone).await.map(drop) }.boxed()
}

/// They have ended by now, and nothing counts them.
pub(super) fn erase_sessions<'a>(
    txn: &'a WriteTransaction,
    _: &'a Author,
    person: &'a Person,
) -> BoxFuture<'a, Result<(), Error>> {
    async move {
        let own = session::COLUMN.user_id.eq(person.id);
        session::Entity::delete_many().filter(own).exec(txn.connection()).await?;
        Ok(())
    }
    .boxed()
}
