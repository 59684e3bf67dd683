//! The person's own row, and their accounts.

use entity::{id::UserId, identity, user};
use futures_util::{FutureExt as _, future::BoxFuture};
use sea_orm::{
    ColumnTrait, Condition, DatabaseConnection, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::Expr,
};
use serde_json::{Value, json};

use super::{EXPORT_ROWS_MAX, Person};
use crate::{
    domain::{
        Error, counter,
        event::{Author, spelled},
        user::{UserRefusal, mark_primary},
    },
    store::WriteTransaction,
};

pub(super) fn export_account<'a>(
    reader: &'a DatabaseConnection,
    person: &'a Person,
) -> BoxFuture<'a, Result<Vec<Value>, Error>> {
    async move {
        let row = user::Entity::find_by_id(person.id).one(reader).await?;
        let view = |row: user::Model| {
            json!({
                "id": row.id, "role": spelled(row.role), "disabledAt": row.disabled_at, "deletedAt": row.deleted_at,
                "timeZone": row.time_zone, "language": row.language, "privacy": row.privacy.map(spelled),
                "directMessages": row.direct_messages.map(spelled),
                "ensName": row.ens_name, "ensAvatar": row.ens_avatar,
                "createdAt": row.created_at, "updatedAt": row.updated_at,
            })
        };
        Ok(row.into_iter().map(view).collect())
    }
    .boxed()
}

/// What they say of themself, and the name of their wallet; the row stays, because its id does.
pub(super) fn erase_profile<'a>(
    txn: &'a WriteTransaction,
    author: &'a Author,
    person: &'a Person,
) -> BoxFuture<'a, Result<(), Error>> {
    use user::Column as C;
    async move {
        let mut empty = user::Entity::update_many()
            .col_expr(C::Generation, Expr::value(counter::next(txn, counter::AUTH).await?))
            .col_expr(C::UpdatedAt, Expr::value(author.at()));
        for column in [C::TimeZone, C::Language, C::Privacy, C::DirectMessages, C::EnsName, C::EnsAvatar] {
            empty = empty.col_expr(column, Expr::value(None::<String>));
        }
        // The name of a wallet is looked up again when they sign in with it, and not before.
        empty = empty.col_expr(C::EnsDueAt, Expr::value(None::<sea_orm::prelude::DateTimeUtc>));
        empty.filter(user::COLUMN.id.eq(person.id)).exec(txn.connection()).await?;
        Ok(())
    }
    .boxed()
}

pub(super) fn move_identities<'a>(
    txn: &'a WriteTransaction,
    author: &'a Author,
    (source, target): (UserId, UserId),
) -> BoxFuture<'a, Result<(), Error>> {
    use identity::Column as C;
    async move {
        let held = identity::Entity::find().filter(identity::COLUMN.user_id.eq(target)).count(txn.connection()).await?;
        if held > 0 {
            // The target goes on being shown by the account that they have.
            identity::Entity::update_many()
                .col_expr(C::IsPrimary, Expr::value(false))
                .filter(identity::COLUMN.user_id.eq(source))
                .exec(txn.connection())
                .await?;
        }
        identity::Entity::update_many()
            .col_expr(C::UserId, Expr::value(target))
            .col_expr(C::UpdatedAt, Expr::value(author.at()))
            .filter(identity::COLUMN.user_id.eq(source))
            .exec(txn.connection())
            .await?;
        Ok(())
    }
    .boxed()
}

pub(super) fn export_identities<'a>(
    reader: &'a DatabaseConnection,
    person: &'a Person,
) -> BoxFuture<'a, Result<Vec<Value>, Error>> {
    async move {
        let rows = identity::Entity::find()
            .filter(identity::COLUMN.user_id.eq(person.id))
            .order_by_desc(identity::Column::CreatedAt)
            .limit(EXPORT_ROWS_MAX)
            .all(reader)
            .await?;
        let view = |row: identity::Model| {
            json!({
                "platform": spelled(row.platform), "identity": row.identity, "isPrimary": row.is_primary,
                "metadata": row.metadata, "verifiedAt": row.verified_at,
                "createdAt": row.created_at, "updatedAt": row.updated_at,
            })
        };
        Ok(rows.into_iter().map(view).collect())
    }
    .boxed()
}

/// All of them, or all but one, by which the person is shown from then on.
pub(super) fn erase_identities<'a>(
    txn: &'a WriteTransaction,
    author: &'a Author,
    person: &'a Person,
) -> BoxFuture<'a, Result<(), Error>> {
    async move {
        let mut gone = Condition::all().add(identity::COLUMN.user_id.eq(person.id));
        if let Some((platform, account)) = &person.kept {
            let kept = identity::Entity::find_by_id((*platform, account.clone())).one(txn.connection()).await?;
            let kept = kept.filter(|kept| kept.user_id == person.id).ok_or(UserRefusal::IdentityNotFound)?;
            mark_primary(txn, author, &kept).await?;
            gone = gone.add(identity::Column::IsPrimary.eq(false));
        }
        identity::Entity::delete_many().filter(gone).exec(txn.connection()).await?;
        Ok(())
    }
    .boxed()
}
