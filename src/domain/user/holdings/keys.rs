//! API keys, from where they were used, and links that would make one.

use entity::{api_key, api_key_caller, api_key_claim, id::UserId};
use futures_util::{FutureExt as _, future::BoxFuture};
use sea_orm::{
    ColumnTrait, DatabaseConnection, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait as _,
    sea_query::{Expr, SelectStatement},
};
use serde_json::{Value, json};

use super::{EXPORT_ROWS_MAX, Person};
use crate::{
    domain::{
        Error, api_key as keys, counter,
        event::{Author, spelled},
    },
    store::WriteTransaction,
};

/// The name of a key whose owner is forgotten.
const ERASED: &str = "erased";

pub(super) fn move_keys<'a>(
    txn: &'a WriteTransaction,
    author: &'a Author,
    (source, target): (UserId, UserId),
) -> BoxFuture<'a, Result<(), Error>> {
    use api_key::Column as C;
    async move {
        let generation = counter::next(txn, counter::AUTH).await?;
        api_key::Entity::update_many()
            .col_expr(C::UserId, Expr::value(Some(target)))
            // Places are numbered per person, and the target may have one of this number. They count as before.
            .col_expr(C::Slot, Expr::value(None::<i32>))
            .col_expr(C::Generation, Expr::value(generation))
            .col_expr(C::UpdatedAt, Expr::value(author.at()))
            .filter(api_key::COLUMN.user_id.eq(source))
            .exec(txn.connection())
            .await?;
        Ok(())
    }
    .boxed()
}

pub(super) fn export_keys<'a>(
    reader: &'a DatabaseConnection,
    person: &'a Person,
) -> BoxFuture<'a, Result<Vec<Value>, Error>> {
    async move {
        let rows = api_key::Entity::find()
            .filter(api_key::COLUMN.user_id.eq(person.id))
            .order_by_desc(api_key::Column::CreatedAt)
            .limit(EXPORT_ROWS_MAX)
            .all(reader)
            .await?;
        let view = |row: api_key::Model| {
            json!({
                "id": row.id, "keyPrefix": format!("{}{}...", row.brand, row.start), "name": row.name,
                "description": row.description, "clientName": row.client_name, "guildId": row.guild_id,
                "scopes": row.scopes, "allowedOrigins": row.allowed_origins, "ipAllowlist": row.ip_allowlist,
                "state": spelled(row.state), "stateAt": row.state_at, "stateReason": row.state_reason,
                "expiresAt": row.expires_at, "totalRequests": row.total_requests, "lastUsedAt": row.last_used_at,
                "createdAt": row.created_at, "updatedAt": row.updated_at,
            })
        };
        Ok(rows.into_iter().map(view).collect())
    }
    .boxed()
}

pub(super) fn revoke_keys<'a>(
    txn: &'a WriteTransaction,
    author: &'a Author,
    owner: UserId,
) -> BoxFuture<'a, Result<(), Error>> {
    keys::revoke_of_owner(txn, author, owner).boxed()
}

/// The keys are revoked by now. Their rows stay, because the counts of their use belong to the installation.
pub(super) fn erase_keys<'a>(
    txn: &'a WriteTransaction,
    author: &'a Author,
    person: &'a Person,
) -> BoxFuture<'a, Result<(), Error>> {
    use api_key::Column as C;
    async move {
        api_key::Entity::update_many()
            .col_expr(C::Name, Expr::value(ERASED))
            .col_expr(C::Description, Expr::value(None::<String>))
            .col_expr(C::ClientName, Expr::value(None::<String>))
            .col_expr(C::StateReason, Expr::value(None::<String>))
            .col_expr(C::AllowedOrigins, Expr::value(json!([])))
            .col_expr(C::IpAllowlist, Expr::value(json!([])))
            .col_expr(C::UpdatedAt, Expr::value(author.at()))
            .filter(api_key::COLUMN.user_id.eq(person.id))
            .exec(txn.connection())
            .await?;
        for member in person.members() {
            for column in [C::CreatedBy, C::StateBy] {
                api_key::Entity::update_many()
                    .col_expr(column, Expr::value(person.actor()))
                    .filter(column.eq(member.as_str()))
                    .exec(txn.connection())
                    .await?;
            }
        }
        Ok(())
    }
    .boxed()
}

fn ids_of_keys(person: &Person) -> SelectStatement {
    let own = api_key::Entity::find().select_only().column(api_key::Column::Id);
    own.filter(api_key::COLUMN.user_id.eq(person.id)).into_query()
}

pub(super) fn export_callers<'a>(
    reader: &'a DatabaseConnection,
    person: &'a Person,
) -> BoxFuture<'a, Result<Vec<Value>, Error>> {
    async move {
        let rows = api_key_caller::Entity::find()
            .filter(api_key_caller::Column::KeyId.in_subquery(ids_of_keys(person)))
            .order_by_desc(api_key_caller::Column::LastSeenAt)
            .limit(EXPORT_ROWS_MAX)
            .all(reader)
            .await?;
        let view = |row: api_key_caller::Model| {
            json!({
                "keyId": row.key_id, "address": row.address, "requests": row.requests, "lastRoute": row.last_route,
                "firstSeenAt": row.first_seen_at, "lastSeenAt": row.last_seen_at,
            })
        };
        Ok(rows.into_iter().map(view).collect())
    }
    .boxed()
}

pub(super) fn erase_callers<'a>(
    txn: &'a WriteTransaction,
    _: &'a Author,
    person: &'a Person,
) -> BoxFuture<'a, Result<(), Error>> {
    async move {
        let own = api_key_caller::Column::KeyId.in_subquery(ids_of_keys(person));
        api_key_caller::Entity::delete_many().filter(own).exec(txn.connection()).await?;
        Ok(())
    }
    .boxed()
}

pub(super) fn export_claims<'a>(
    reader: &'a DatabaseConnection,
    person: &'a Person,
) -> BoxFuture<'a, Result<Vec<Value>, Error>> {
    async move {
        let rows = api_key_claim::Entity::find()
            .filter(api_key_claim::Column::DiscordUserId.is_in(person.discord.iter().copied()))
            .order_by_desc(api_key_claim::Column::CreatedAt)
            .limit(EXPORT_ROWS_MAX)
            .all(reader)
            .await?;
        let view = |row: api_key_claim::Model| {
            json!({
                "id": row.id, "guildId": row.guild_id, "keyId": row.key_id, "specification": row.specification,
                "expiresAt": row.expires_at, "usedAt": row.used_at, "createdAt": row.created_at,
            })
        };
        Ok(rows.into_iter().map(view).collect())
    }
    .boxed()
}

pub(super) fn erase_claims<'a>(
    txn: &'a WriteTransaction,
    _: &'a Author,
    person: &'a Person,
) -> BoxFuture<'a, Result<(), Error>> {
    use api_key_claim::Column as C;
    async move {
        let own = C::DiscordUserId.is_in(person.discord.iter().copied());
        api_key_claim::Entity::delete_many().filter(own).exec(txn.connection()).await?;
        for member in person.members() {
            api_key_claim::Entity::update_many()
                .col_expr(C::CreatedBy, Expr::value(person.actor()))
                .filter(C::CreatedBy.eq(member))
                .exec(txn.connection())
                .await?;
        }
        Ok(())
    }
    .boxed()
}
