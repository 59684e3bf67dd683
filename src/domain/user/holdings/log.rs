//! The event log, and answers that may be repeated.

use entity::{event, idempotency_record};
use futures_util::{FutureExt as _, future::BoxFuture};
use sea_orm::{
    ColumnTrait, DatabaseConnection, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select, sea_query::Expr,
};
use serde_json::{Value, json};

use super::{EXPORT_ROWS_MAX, Person};
use crate::{
    domain::{Error, event::Author, user::subject},
    store::WriteTransaction,
};

/// Rows of an index that covers some events only: the store uses it where its condition is said.
const OF_MEMBERS: &str = "actor LIKE 'member:%'";
const OF_USERS: &str = "actor LIKE 'user:%'";
const ABOUT_USERS: &str = "subject LIKE 'user/%'";
const ABOUT_ACCOUNTS: &str = "subject LIKE 'vanish_exemption/%/user/%'";

/// What the person did, and what was done to them.
pub(super) fn export_events<'a>(
    reader: &'a DatabaseConnection,
    person: &'a Person,
) -> BoxFuture<'a, Result<Vec<Value>, Error>> {
    use event::Column as C;
    async move {
        let mut queries: Vec<Select<event::Entity>> = vec![
            event::Entity::find().filter(C::Actor.eq(person.actor())).filter(Expr::cust(OF_USERS)),
            event::Entity::find().filter(C::Subject.eq(subject(person.id))).filter(Expr::cust(ABOUT_USERS)),
        ];
        for member in person.members() {
            queries.push(event::Entity::find().filter(C::Actor.eq(member)).filter(Expr::cust(OF_MEMBERS)));
        }
        let mut rows = Vec::new();
        for query in queries {
            rows.extend(query.order_by_desc(C::Id).limit(EXPORT_ROWS_MAX).all(reader).await?);
        }
        rows.sort_by_key(|row| std::cmp::Reverse(row.id));
        rows.dedup_by_key(|row| row.id);
        rows.truncate(usize::try_from(EXPORT_ROWS_MAX).unwrap_or(usize::MAX));
        let view = |row: event::Model| {
            json!({
                "id": row.id, "kind": row.kind, "guildId": row.guild_id, "subject": row.subject, "source": row.source,
                "data": row.data, "createdAt": row.created_at,
            })
        };
        Ok(rows.into_iter().map(view).collect())
    }
    .boxed()
}

/// Events stay, with the person's own id in the place of their account.
pub(super) fn redact_events<'a>(
    txn: &'a WriteTransaction,
    _: &'a Author,
    person: &'a Person,
) -> BoxFuture<'a, Result<(), Error>> {
    use event::Column as C;
    async move {
        for account in &person.discord {
            event::Entity::update_many()
                .col_expr(C::Actor, Expr::value(person.actor()))
                .filter(C::Actor.eq(format!("member:{account}")))
                .filter(Expr::cust(OF_MEMBERS))
                .exec(txn.connection())
                .await?;
            let digits = account.to_string();
            let nameless = format!("substr(subject, 1, length(subject) - {}) || 'erased'", digits.len());
            event::Entity::update_many()
                .col_expr(C::Subject, Expr::cust(nameless))
                .col_expr(C::Data, Expr::cust(r#"'{"before":null,"after":null}'"#))
                .filter(C::Subject.ends_with(format!("/user/{digits}")))
                .filter(Expr::cust(ABOUT_ACCOUNTS))
                .exec(txn.connection())
                .await?;
        }
        Ok(())
    }
    .boxed()
}

pub(super) fn erase_answers<'a>(
    txn: &'a WriteTransaction,
    _: &'a Author,
    person: &'a Person,
) -> BoxFuture<'a, Result<(), Error>> {
    async move {
        let own = idempotency_record::Column::Principal.eq(person.actor());
        idempotency_record::Entity::delete_many().filter(own).exec(txn.connection()).await?;
        Ok(())
    }
    .boxed()
}
