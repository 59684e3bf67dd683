//! What people show of their work.

use std::collections::HashMap;

use entity::{
    id::{ProjectId, UserId},
    project, project_tag,
};
use futures_util::{FutureExt as _, future::BoxFuture};
use sea_orm::{
    ColumnTrait, DatabaseConnection, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait as _,
    sea_query::Expr,
};
use serde_json::{Value, json};

use super::{EXPORT_ROWS_MAX, Person};
use crate::{
    domain::{Error, event::Author},
    store::WriteTransaction,
};

/// A change of the owner is no change of the project: its times stay.
pub(super) fn move_projects<'a>(
    txn: &'a WriteTransaction,
    _: &'a Author,
    (source, target): (UserId, UserId),
) -> BoxFuture<'a, Result<(), Error>> {
    async move {
        project::Entity::update_many()
            .col_expr(project::Column::UserId, Expr::value(target))
            .filter(project::COLUMN.user_id.eq(source))
            .exec(txn.connection())
            .await?;
        Ok(())
    }
    .boxed()
}

pub(super) fn export_projects<'a>(
    reader: &'a DatabaseConnection,
    person: &'a Person,
) -> BoxFuture<'a, Result<Vec<Value>, Error>> {
    async move {
        let rows = project::Entity::find()
            .filter(project::COLUMN.user_id.eq(person.id))
            .order_by_desc(project::Column::CreatedAt)
            .limit(EXPORT_ROWS_MAX)
            .all(reader)
            .await?;
        let own = project::Entity::find()
            .select_only()
            .column(project::Column::Id)
            .filter(project::COLUMN.user_id.eq(person.id));
        let tags = project_tag::Entity::find()
            .filter(project_tag::Column::ProjectId.in_subquery(own.into_query()))
            .order_by_asc(project_tag::Column::Place)
            .all(reader)
            .await?;
        let mut tags_of: HashMap<ProjectId, Vec<String>> = HashMap::new();
        for row in tags {
            tags_of.entry(row.project_id).or_default().push(row.tag);
        }
        let view = |row: project::Model| {
            json!({
                "id": row.id, "title": row.title, "description": row.description, "githubUrl": row.github_url,
                "deploymentUrl": row.deployment_url, "tags": tags_of.remove(&row.id).unwrap_or_default(),
                "isPublic": row.is_public, "createdAt": row.created_at, "updatedAt": row.updated_at,
            })
        };
        Ok(rows.into_iter().map(view).collect())
    }
    .boxed()
}

/// Their tags go with them.
pub(super) fn erase_projects<'a>(
    txn: &'a WriteTransaction,
    _: &'a Author,
    person: &'a Person,
) -> BoxFuture<'a, Result<(), Error>> {
    async move {
        let own = project::COLUMN.user_id.eq(person.id);
        project::Entity::delete_many().filter(own).exec(txn.connection()).await?;
        Ok(())
    }
    .boxed()
}
