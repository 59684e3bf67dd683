//! Seeing projects: one, many, and what they are about.

use std::collections::HashMap;

use entity::{
    id::{ProjectId, UserId},
    project, project_tag,
    user::{self, Privacy},
};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, ExprTrait as _, QueryFilter, QueryOrder, QuerySelect, QueryTrait as _, Select,
    sea_query::{Expr, LikeExpr, Order},
};

use super::{
    OwnedProject, POPULAR_TAGS_MAX, ProjectFilter, ProjectRefusal, ProjectView, Projects, Shown, Viewer, check,
};
use crate::domain::{Actor, Domain, Error, Right, user::resolve};

/// What a wildcard of LIKE is made a letter by.
const ESCAPE: char = '\\';

/// The project of this id, if who asks may see it.
pub async fn project(domain: &Domain, actor: Option<&Actor>, id: ProjectId) -> Result<OwnedProject, Error> {
    let found = project::Entity::find_by_id(id).one(domain.store.reader()).await?;
    let row = found.filter(|row| Viewer::of(actor).sees(row)).ok_or(ProjectRefusal::NotFound)?;
    let shown = with_owners(domain, actor, vec![row]).await?.pop();
    Ok(shown.ok_or(ProjectRefusal::NotFound)?)
}

/// The projects that fit and that who asks may see, newest first.
pub async fn projects(domain: &Domain, actor: Option<&Actor>, filter: &ProjectFilter) -> Result<Projects, Error> {
    let mut query = select(Viewer::of(actor), filter)?;
    if let Some(id) = filter.user_id {
        // An old id leads to whom the person was found to be.
        let owner = resolve(domain.store.reader(), id).await?;
        query = query.filter(project::COLUMN.user_id.eq(owner.map_or(id, |owner| owner.id)));
    }
    let mut rows = query
        .order_by_desc(project::Column::CreatedAt)
        .order_by_desc(project::Column::Id)
        .limit(filter.page.limit + 1)
        .offset(filter.page.offset)
        .all(domain.store.reader())
        .await?;
    let limit = usize::try_from(filter.page.limit).unwrap_or(usize::MAX);
    let more = rows.len() > limit;
    rows.truncate(limit);
    Ok(Projects { rows: with_owners(domain, actor, rows).await?, more })
}

fn select(viewer: Viewer, filter: &ProjectFilter) -> Result<Select<project::Entity>, Error> {
    let mut query = project::Entity::find().filter(visible(viewer, filter.shown));
    let tags = check::tags(&filter.tags)?;
    if !tags.is_empty() {
        let count = i64::try_from(tags.len()).unwrap_or(i64::MAX);
        let with_all = project_tag::Entity::find()
            .select_only()
            .column(project_tag::Column::ProjectId)
            .filter(project_tag::Column::Tag.is_in(tags))
            .group_by(project_tag::Column::ProjectId)
            .having(project_tag::Column::Tag.count().eq(count));
        query = query.filter(project::Column::Id.in_subquery(with_all.into_query()));
    }
    if let Some(text) = filter.search.as_deref().map(check::search).transpose()?.flatten() {
        query = query.filter(Expr::col((project::Entity, project::Column::SearchText)).like(containing(&text)));
    }
    Ok(query)
}

/// Whatever has this text somewhere, taken by its letters.
fn containing(text: &str) -> LikeExpr {
    let mut pattern = String::with_capacity(text.len() + 2);
    pattern.push('%');
    for letter in text.chars() {
        if matches!(letter, '%' | '_' | ESCAPE) {
            pattern.push(ESCAPE);
        }
        pattern.push(letter);
    }
    pattern.push('%');
    LikeExpr::new(pattern).escape(ESCAPE)
}

fn visible(viewer: Viewer, shown: Shown) -> Condition {
    let public = || project::Column::IsPublic.eq(true);
    let private = || Condition::all().add(project::Column::IsPublic.eq(false));
    let own = |id: UserId| project::Column::UserId.eq(id);
    match (shown, viewer) {
        (Shown::All, Viewer::Administrator) => Condition::all(),
        (Shown::Private, Viewer::Administrator) => private(),
        (Shown::Private, Viewer::Person(id)) => private().add(own(id)),
        // There is nothing that is private and that a stranger sees.
        (Shown::Private, Viewer::Stranger) => private().add(public()),
        (Shown::All, Viewer::Person(id)) => Condition::any().add(public()).add(own(id)),
        (Shown::Public, _) | (Shown::All, Viewer::Stranger) => Condition::all().add(public()),
    }
}

/// The rows with their tags and owners, in their order.
async fn with_owners(
    domain: &Domain,
    actor: Option<&Actor>,
    rows: Vec<project::Model>,
) -> Result<Vec<OwnedProject>, Error> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let tags = project_tag::Entity::find()
        .filter(project_tag::Column::ProjectId.is_in(rows.iter().map(|row| row.id)))
        .order_by_asc(project_tag::Column::Place)
        .all(domain.store.reader())
        .await?;
    let mut tags_of: HashMap<ProjectId, Vec<String>> = HashMap::new();
    for row in tags {
        tags_of.entry(row.project_id).or_default().push(row.tag);
    }
    let owners = user::Entity::find()
        .filter(user::Column::Id.is_in(rows.iter().map(|row| row.user_id)))
        .all(domain.store.reader())
        .await?;
    let owners: HashMap<UserId, user::Model> = owners.into_iter().map(|owner| (owner.id, owner)).collect();
    let owned = rows.into_iter().filter_map(|row| {
        // A project that was deleted with its owner between the reads is not there any more.
        let mut owner = owners.get(&row.user_id)?.clone();
        if !sees_accounts(actor, &owner) {
            (owner.ens_name, owner.ens_avatar) = (None, None);
        }
        let tags = tags_of.remove(&row.id).unwrap_or_default();
        Some(OwnedProject { project: ProjectView { row, tags }, owner })
    });
    Ok(owned.collect())
}

/// Whether who asks may see the accounts of this person, and so the name of their address.
fn sees_accounts(actor: Option<&Actor>, owner: &user::Model) -> bool {
    let Some(actor) = actor else { return false };
    let reads = || actor.may(Right::ReadUsers, None);
    Viewer::of(Some(actor)).has(owner.id)
        || match owner.privacy {
            Some(Privacy::Public) => true,
            Some(Privacy::Members) | None => reads(),
            Some(Privacy::Private) => false,
        }
}

/// The tags that most public projects have, with how many have them; at most twenty.
pub async fn popular_tags(domain: &Domain) -> Result<Vec<(String, i64)>, Error> {
    Ok(project_tag::Entity::find()
        .select_only()
        .column(project_tag::Column::Tag)
        .column_as(project_tag::Column::ProjectId.count(), "projects")
        .filter(project_tag::COLUMN.is_public.eq(true))
        .group_by(project_tag::Column::Tag)
        .order_by(Expr::col("projects"), Order::Desc)
        .order_by_asc(project_tag::Column::Tag)
        .limit(POPULAR_TAGS_MAX)
        .into_tuple()
        .all(domain.store.reader())
        .await?)
}
