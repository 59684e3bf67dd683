//! Making, changing and taking away projects.

use entity::{
    id::{ProjectId, UserId},
    project, project_tag,
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait as _, EntityTrait, IntoActiveModel, PaginatorTrait as _, QueryFilter, QueryOrder,
    QuerySelect, sea_query::Expr,
};
use serde_json::{Value, json};

use super::{NewProject, PROJECTS_MAX, ProjectChange, ProjectRefusal, ProjectView, TAGS_MAX, Viewer, check, subject};
use crate::{
    domain::{Actor, Domain, Error, event::Author, user},
    store::WriteTransaction,
};

struct Create {
    author: Author,
    id: ProjectId,
    user_id: UserId,
    new: NewProject,
}

/// Makes a project of the person who acts.
pub async fn create(domain: &Domain, actor: &Actor, new: NewProject) -> Result<ProjectView, Error> {
    let Actor::User(person) = actor else { return Err(ProjectRefusal::NobodysProject.into()) };
    let new = check::new_project(&new)?;
    let id = ProjectId(domain.ids.uuid());
    let input = Create { author: Author::new(domain, actor), id, user_id: person.id, new };
    domain.store.write(input, |txn, input| Box::pin(create_in(txn, input))).await
}

async fn create_in(txn: &WriteTransaction, input: &Create) -> Result<ProjectView, Error> {
    let Create { author, id, user_id, new } = input;
    // The owner's row stays locked, so that two new projects are counted one after the other.
    user::lock_living(txn, *user_id).await?;
    let count = project::Entity::find().filter(project::COLUMN.user_id.eq(*user_id)).count(txn.connection()).await?;
    if count >= PROJECTS_MAX {
        return Err(ProjectRefusal::TooMany.into());
    }
    let row = project::Model {
        id: *id,
        user_id: *user_id,
        title: new.title.clone(),
        description: new.description.clone(),
        search_text: check::search_text(&new.title, &new.description),
        github_url: new.github_url.clone(),
        deployment_url: new.deployment_url.clone(),
        is_public: new.is_public,
        created_at: author.at(),
        updated_at: author.at(),
    };
    project::Entity::insert(row.clone().into_active_model()).exec_without_returning(txn.connection()).await?;
    insert_tags(txn, &row, &new.tags).await?;
    let after = json!({ "user_id": user_id, "is_public": row.is_public });
    txn.append_event(author.event("project.created", None, subject(row.id), (Value::Null, after))).await?;
    Ok(ProjectView { row, tags: new.tags.clone() })
}

async fn insert_tags(txn: &WriteTransaction, row: &project::Model, tags: &[String]) -> Result<(), Error> {
    if tags.is_empty() {
        return Ok(());
    }
    let rows = (0..).zip(tags).map(|(place, tag)| {
        let tag = tag.clone();
        project_tag::Model { project_id: row.id, tag, place, is_public: row.is_public }.into_active_model()
    });
    project_tag::Entity::insert_many(rows).exec_without_returning(txn.connection()).await?;
    Ok(())
}

struct Change {
    author: Author,
    viewer: Viewer,
    id: ProjectId,
    wanted: ProjectChange,
}

/// Changes what is named of a project, and nothing else.
pub async fn change(
    domain: &Domain,
    actor: &Actor,
    id: ProjectId,
    change: ProjectChange,
) -> Result<ProjectView, Error> {
    let wanted = check::change(&change)?;
    let input = Change { author: Author::new(domain, actor), viewer: Viewer::of(Some(actor)), id, wanted };
    domain.store.write(input, |txn, input| Box::pin(change_in(txn, input))).await
}

async fn change_in(txn: &WriteTransaction, input: &Change) -> Result<ProjectView, Error> {
    let Change { author, viewer, id, wanted } = input;
    let before = locked(txn, *viewer, *id).await?;
    let tags = tags_of(txn, *id).await?;
    let mut after = before.clone();
    after.title = wanted.title.clone().unwrap_or(after.title);
    after.description = wanted.description.clone().unwrap_or(after.description);
    after.search_text = check::search_text(&after.title, &after.description);
    after.github_url = wanted.github_url.clone().unwrap_or(after.github_url);
    after.deployment_url = wanted.deployment_url.clone().unwrap_or(after.deployment_url);
    after.is_public = wanted.is_public.unwrap_or(after.is_public);
    let new_tags = wanted.tags.as_ref().filter(|new| **new != tags);
    let fields = changed_fields(&before, &after, new_tags.is_some());
    if fields.is_empty() {
        return Ok(ProjectView { row: before, tags });
    }
    after.updated_at = author.at();
    after.clone().into_active_model().reset_all().update(txn.connection()).await?;
    if let Some(new) = new_tags {
        delete_tags(txn, *id).await?;
        insert_tags(txn, &after, new).await?;
    } else if before.is_public != after.is_public {
        project_tag::Entity::update_many()
            .col_expr(project_tag::Column::IsPublic, Expr::value(after.is_public))
            .filter(project_tag::Column::ProjectId.eq(*id))
            .exec(txn.connection())
            .await?;
    }
    let state = (
        json!({ "is_public": before.is_public }),
        json!({ "user_id": after.user_id, "is_public": after.is_public, "fields": fields }),
    );
    txn.append_event(author.event("project.updated", None, subject(*id), state)).await?;
    Ok(ProjectView { row: after, tags: new_tags.cloned().unwrap_or(tags) })
}

/// The project, locked until the transaction ends; what is not this person's to change is not there.
async fn locked(txn: &WriteTransaction, viewer: Viewer, id: ProjectId) -> Result<project::Model, Error> {
    let found = project::Entity::find_by_id(id).lock_exclusive().one(txn.connection()).await?;
    Ok(found.filter(|row| viewer.has(row.user_id)).ok_or(ProjectRefusal::NotFound)?)
}

async fn tags_of(txn: &WriteTransaction, id: ProjectId) -> Result<Vec<String>, Error> {
    Ok(project_tag::Entity::find()
        .select_only()
        .column(project_tag::Column::Tag)
        .filter(project_tag::Column::ProjectId.eq(id))
        .order_by_asc(project_tag::Column::Place)
        .limit(TAGS_MAX as u64)
        .into_tuple()
        .all(txn.connection())
        .await?)
}

async fn delete_tags(txn: &WriteTransaction, id: ProjectId) -> Result<(), Error> {
    let of_project = project_tag::Column::ProjectId.eq(id);
    project_tag::Entity::delete_many().filter(of_project).exec(txn.connection()).await?;
    Ok(())
}

fn changed_fields(before: &project::Model, after: &project::Model, tags: bool) -> Vec<&'static str> {
    let all = [
        ("title", before.title != after.title),
        ("description", before.description != after.description),
        ("github_url", before.github_url != after.github_url),
        ("deployment_url", before.deployment_url != after.deployment_url),
        ("tags", tags),
        ("is_public", before.is_public != after.is_public),
    ];
    all.into_iter().filter(|(_, changed)| *changed).map(|(name, _)| name).collect()
}

struct Delete {
    author: Author,
    viewer: Viewer,
    id: ProjectId,
}

/// Takes a project away for good.
pub async fn delete(domain: &Domain, actor: &Actor, id: ProjectId) -> Result<(), Error> {
    let input = Delete { author: Author::new(domain, actor), viewer: Viewer::of(Some(actor)), id };
    domain
        .store
        .write(input, |txn, input| {
            Box::pin(async move {
                let row = locked(txn, input.viewer, input.id).await?;
                delete_tags(txn, input.id).await?;
                project::Entity::delete_by_id(input.id).exec(txn.connection()).await?;
                let before = json!({ "user_id": row.user_id });
                let event = input.author.event("project.deleted", None, subject(input.id), (before, Value::Null));
                txn.append_event(event).await?;
                Ok(())
            })
        })
        .await
}
