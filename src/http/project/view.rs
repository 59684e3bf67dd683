//! How projects are shown.

use entity::{
    id::{ProjectId, UserId},
    user::Role,
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    domain::project::{OwnedProject, ProjectView},
    http::view::Timestamp,
};

/// A project.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Project {
    /// Its id.
    #[schema(value_type = String, format = "uuid")]
    id: ProjectId,
    /// What it is called.
    title: String,
    /// What it is.
    description: String,
    /// Where its source is.
    #[schema(format = "uri")]
    github_url: Option<String>,
    /// Where it runs.
    #[schema(format = "uri")]
    deployment_url: Option<String>,
    /// What it is about.
    tags: Vec<String>,
    /// Whether everybody sees it.
    is_public: bool,
    /// Whose it is.
    #[schema(value_type = String, format = "uuid")]
    user_id: UserId,
    /// Made.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// Last changed.
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

impl From<ProjectView> for Project {
    fn from(ProjectView { row, tags }: ProjectView) -> Self {
        Self {
            id: row.id,
            title: row.title,
            description: row.description,
            github_url: row.github_url,
            deployment_url: row.deployment_url,
            tags,
            is_public: row.is_public,
            user_id: row.user_id,
            created_at: Timestamp(row.created_at),
            updated_at: Timestamp(row.updated_at),
        }
    }
}

/// A project with its owner.
#[derive(Serialize, ToSchema)]
pub(super) struct ListedProject {
    #[serde(flatten)]
    project: Project,
    /// Whose it is.
    user: Owner,
}

/// Whose a project is.
#[expect(clippy::option_option, reason = "a null is shown, a field that is left out is not")]
#[derive(Serialize, ToSchema)]
#[schema(as = ProjectOwner)]
#[serde(rename_all = "camelCase")]
struct Owner {
    /// Their id.
    #[schema(value_type = String, format = "uuid")]
    id: UserId,
    /// What they may do.
    #[schema(value_type = String, example = "member")]
    role: &'static str,
    /// The name of their primary address, where the caller may see it; not in lists for strangers.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, required = false)]
    ens_name: Option<Option<String>>,
    /// The picture of that name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, required = false)]
    ens_avatar: Option<Option<String>>,
    /// First seen.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// Last changed.
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

/// Whether the name of the owner's address has a place.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Names {
    Shown,
    LeftOut,
}

impl ListedProject {
    /// With the name of the owner's address, or without: it is left out of lists for strangers.
    pub(super) fn of(OwnedProject { project, owner }: OwnedProject, names: Names) -> Self {
        let shown = |name: Option<String>| (names == Names::Shown).then_some(name);
        let role = match owner.role {
            Role::Authenticated => "authenticated",
            Role::Member => "member",
            Role::Admin => "admin",
        };
        let user = Owner {
            id: owner.id,
            role,
            ens_name: shown(owner.ens_name),
            ens_avatar: shown(owner.ens_avatar),
            created_at: Timestamp(owner.created_at),
            updated_at: Timestamp(owner.updated_at),
        };
        Self { project: project.into(), user }
    }
}
